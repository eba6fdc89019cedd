"""The gateway as a child process: configured, started, watched, killed.

    Gateway(service={...}, webhooks=[...], limits={...})
        writes DIR/tocsin.json, runs `$BUILD/test/tocsin run -c` on it, waits for server.started
        log        every line it printed, parsed, in order (a thread reads them)
        control()  one command to the test binary: push the clocks, fail a commit, count rows
        tail       the program that its log goes through, if tail= names one
    stop() ends it gently and wants exit code 0, kill9() does not ask, restart() starts it again on
    the same data. Each gateway owns a directory under /tmp (short, for the sake of unix sockets).
"""

import copy
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import wire

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
PROGRAM = os.path.join(BUILD, "test", "tocsin")
# A build with sanitizers, or one that counts lines, is allowed to be slower, never to be wrong.
SLOW = 4 if re.search(r"address|undefined|thread|memory", BUILD) else 2 if "cover" in BUILD else 1

ACCOUNT = "demo1"
KEY = "7e44896b-36c3-4fa2-b145-c292f543d8dc"
OTHER_KEY = "0d0b5a3c-5d2c-4c57-9a59-3f1f7b0c2a11"
LOOPBACK = ["127.0.0.0/8", "::1/128"]

alive = []  # gateways of this process that were not disposed of yet


def until(ready, timeout=5, what="the condition"):
    """Polls ready() every 10 ms until it is true; returns its value."""
    end = time.monotonic() + timeout * SLOW
    while True:
        value = ready()
        if value:
            return value
        assert time.monotonic() < end, "waited %g s for %s" % (timeout * SLOW, what)
        time.sleep(0.01)


def address_of(text):
    """What a listener's server.address means to a client: a path, or host and port."""
    if text.startswith("unix:"):
        return text[5:]
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


def integration(name="Generic", key=KEY, **more):
    return {"name": name, "type": "generic", "key": key, **more}


def webhook(name, url, **more):
    return {"name": name, "url": url, **more}


def configuration(data, service=None, integrations=None, webhooks=(), **top):
    """A whole configuration with one service; keyword arguments replace parts of it."""
    facts = {"name": "Payments", **(service or {})}
    facts.setdefault("integrations", integrations or [integration()])
    facts.setdefault("webhooks", list(webhooks))
    conf = {
        "listen": [{"address": "127.0.0.1:0"}],
        "data": data,
        "account": ACCOUNT,
        "services": [facts],
        "allow_networks": LOOPBACK,
        "drain": "0s",
        "log": {"level": "info", "format": "json"},
    }
    conf.update(copy.deepcopy(top))
    return conf


def run(*arguments, timeout=10, **more):
    """Runs one command of the program to its end; the finished process, its output as text."""
    return subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=timeout * SLOW, **more)


class Log:
    """What a process prints: a thread collects the lines, others wait for some."""

    def __init__(self):
        self.lines = []    # bytes, without the newline
        self.records = []  # the same, parsed; None for what is not JSON
        self.changed = threading.Condition()
        self.ended = False

    def follow(self, stream):
        self.ended = False
        thread = threading.Thread(target=self.read, args=(stream,), daemon=True)
        thread.start()
        return thread

    def read(self, stream):
        for line in stream:
            self.add(line.rstrip(b"\n"))
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def add(self, line):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        with self.changed:
            self.lines.append(line)
            self.records.append(record if isinstance(record, dict) else None)
            self.changed.notify_all()

    def find(self, action, since, match):
        """Records of that action from index `since` on whose keys have the given values."""
        want = {key.replace("__", "."): str(value) for key, value in match.items()}
        return [record for record in self.records[since:] if record
                and record.get("event.action") == action
                and all(str(record.get(key)) == value for key, value in want.items())]

    def wait(self, action, count, since, timeout, match):
        end = time.monotonic() + timeout * SLOW
        with self.changed:
            while True:
                found = self.find(action, since, match)
                if len(found) >= count:
                    return found
                left = end - time.monotonic()
                assert left > 0, "no %d log lines %s %r" % (count, action, match)
                assert not self.ended, "the gateway ended before %s %r" % (action, match)
                self.changed.wait(left)


class Gateway:
    def __init__(self, environment=None, start=True, wrapper=(), pass_fds=(), tail=None, **conf):
        self.directory = tempfile.mkdtemp(prefix="tocsin-")
        self.data = os.path.join(self.directory, "data")
        self.file = os.path.join(self.directory, "tocsin.json")
        self.environment = dict(environment or {})
        self.wrapper = list(wrapper)
        self.pass_fds = pass_fds
        self.tail_command, self.tail = tail, None
        self.conf = configuration(self.data, **conf)
        self.log = Log()
        self.process = self.address = None
        alive.append(self)
        if start:
            self.start()

    # Life and death.

    def write(self):
        """The configuration, as a file."""
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(self.conf, file, indent=2)

    def spawn(self):
        """The process, which is not waited for."""
        self.write()
        control = os.path.join(self.directory, "control")
        if os.path.exists(control):
            os.unlink(control)
        self.errors = open(os.path.join(self.directory, "stderr"), "ab")
        if self.tail_command:
            self.tail = subprocess.Popen(self.tail_command, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self.process = subprocess.Popen(
            [*self.wrapper, PROGRAM, "run", "-c", self.file], stdin=subprocess.DEVNULL,
            stdout=self.tail.stdin if self.tail else subprocess.PIPE, stderr=self.errors,
            cwd=self.directory, pass_fds=self.pass_fds,
            env={**os.environ, "TOCSIN_CONTROL": control, **self.environment})
        if self.tail:
            self.tail.stdin.close()
        self.output = (self.tail or self.process).stdout
        self.reader = self.log.follow(self.output)

    def start(self):
        since = len(self.log.records)
        self.spawn()
        started = self.log.wait("server.started", 1, since, 60 if self.wrapper else 10, {})[0]
        self.address = address_of(started["server.address"])

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=10):
        """The exit code, when the process and its output have ended."""
        code = self.process.wait(timeout * SLOW)
        self.reader.join(timeout)
        self.output.close()
        self.errors.close()
        if self.tail:
            self.tail.wait(timeout)
        self.process = None
        return code

    def stop(self):
        self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, "exit code %s; %s" % (code, self.complaints())

    def kill9(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def restart(self):
        if self.process:
            self.stop()
        self.start()

    def dispose(self):
        """Ends what still runs and removes the directory; a process that had died is a fault."""
        alive.remove(self)
        died = self.process and self.process.poll()
        try:
            if self.process:
                self.kill9()
            assert died is None, "the gateway had died with %s; %s" % (died, self.complaints())
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def complaints(self):
        """What stands on standard error: a sanitizer's report, for one."""
        with open(os.path.join(self.directory, "stderr"), encoding="utf-8", errors="replace") as f:
            return f.read()[-6000:]

    def dump(self):
        """The end of the log, for the report of a failed test."""
        lines = [line.decode("utf-8", "backslashreplace") for line in self.log.lines[-60:]]
        return "\n".join(lines) + "\n--- stderr\n" + self.complaints()

    def memory(self):
        """Resident bytes of the process."""
        with open("/proc/%d/statm" % self.process.pid, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def reload(self, headers=(), **changes):
        """Has it take .conf over, with these top-level changes; the answer."""
        self.conf.update(changes)
        self.write()
        return self.request("POST", "/-/reload", None, headers)

    def reloaded(self, **changes):
        """The same, which must do; what is different, as "added webhook Payments/ops"."""
        answer = self.reload(**changes)
        assert answer.status == 200, answer
        return sorted("%s %s %s" % (d["change"], d["kind"], "/".join(
            d[key] for key in ("service", "name") if key in d)) for d in answer.json()["changes"])

    # The log.

    def mark(self):
        """The place in the log from which a later wait_log(since=) looks."""
        return len(self.log.records)

    def addresses(self):
        """Of every listener, in the configuration's order, since the last start."""
        count = len(self.conf["listen"])
        self.wait_log("server.started", count)
        return [address_of(line["server.address"])
                for line in self.logged("server.started")[-count:]]

    def wait_log(self, action, count=1, since=0, timeout=5, **match):
        """The last of `count` lines, once they are there; a key has "__" for ".":
        labels__webhook="ops"."""
        return self.log.wait(action, count, since, timeout, match)[-1]

    def logged(self, action, since=0, **match):
        return self.log.find(action, since, match)

    # The test binary's own socket.

    def control(self, command):
        """One command; the answer's words behind "ok"."""
        own = os.path.join(self.directory, "c%d" % threading.get_ident())
        path = os.path.join(self.directory, "control")
        until(lambda: os.path.exists(path), what="the control socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            if os.path.exists(own):
                os.unlink(own)
            sock.bind(own)
            sock.settimeout(5 * SLOW)
            sock.sendto(command.encode(), path)
            answer = sock.recv(4096).decode().split()
        assert answer[0] == "ok", "%s: %s" % (command, " ".join(answer))
        return answer[1:]

    def advance(self, seconds):
        self.control("advance %g" % seconds)

    def step(self, seconds):
        self.control("step %g" % seconds)

    def hold(self):
        """Clocks stand still from now on, but for advance() and step()."""
        self.control("hold")

    def repeat(self, number):
        """The random bytes that come next follow from the number."""
        self.control("repeat %d" % number)

    def fail_commit(self, count=1, after=0, result=1):
        self.control("fail-commit %d %d %d" % (count, after, result))

    def turns(self):
        """(longest pass of the loop in microseconds of processor time, turns) since the last call."""
        longest, count = self.control("turns")[:2]
        return int(longest), int(count)

    def rows(self):
        return {name: int(n) for name, n in (word.split("=") for word in self.control("rows"))}

    # HTTP, one connection per request so that a pushed clock can close none in use.

    def url(self, path=""):
        return "http://%s:%d%s" % (*self.address, path)

    def connect(self, **more):
        return wire.Connection(self.address, **more)

    def request(self, method, path, body=None, headers=()):
        with self.connect() as connection:
            return connection.request(method, path, body, headers)

    def get(self, path, headers=()):
        return self.request("GET", path, None, headers)

    def post(self, alert, path=None, key=KEY, headers=()):
        """POSTs an alert (a dict, or bytes as they are) to the generic integration."""
        return self.request("POST", path or ingest(key), alert, headers)

    def send(self, alert_type="critical", message="disk full", key=KEY, **fields):
        """POSTs an alert that must be accepted; its trace id."""
        answer = self.post({"message": message, "alert_type": alert_type, **fields}, key=key)
        assert answer.status == 200, answer
        return answer.json()["trace_id"]

    def status(self, trace):
        """The status object of a trace that must be known."""
        answer = self.get("/api/alert/status/%s/" % trace)
        assert answer.status == 200, answer
        return answer.json()

    def settled(self, trace):
        """The status object once it is no longer queued."""
        def ended():
            status = self.status(trace)
            return status["status"] != "queued" and status
        return until(ended, what="trace %s" % trace)

    def alert(self, alert_type="critical", **fields):
        """Sends an alert and returns what became of it."""
        return self.settled(self.send(alert_type, **fields))

    def incident(self, which, headers=()):
        """The incident of that number or unique id, which must exist."""
        answer = self.get("/api/incidents/%s" % which, headers)
        assert answer.status == 200, answer
        return answer.json()

    def opened(self, **fields):
        """Sends a critical alert that must create an incident; the incident."""
        status = self.alert("critical", **fields)
        assert status["is_incident_created"], status
        return self.incident(status["incident"]["incident_number"])


def ingest(key=KEY, account=ACCOUNT, application="generic"):
    return "/integration/%s/%s/%s/" % (account, application, key)
