"""Servers under measurement: each is started on the first core in a directory of its own under /tmp,
and asked for what the kernel counted: CPU, memory, system calls. Whatever loads them runs on the
second core. Ports are the kernel's choice, so that nothing else on the machine is in the way.
"""
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "test", "box"))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))

SERVER_CORE, LOAD_CORE = 0, 1
KEY = "7e44896b-36c3-4fa2-b145-c292f543d8dc"
TOKEN = "a-token-for-measurements"
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def on_core(core):
    return lambda: os.sched_setaffinity(0, {core})


class Server:
    """A process (and its children) with a directory of its own."""

    core = SERVER_CORE
    signal = signal.SIGTERM

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="tocsin-bench-")
        self.port = free_port()
        self.process = None

    def path(self, name, text=None):
        path = os.path.join(self.directory, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def start(self):
        began = time.monotonic()
        self.output = open(self.path("output"), "ab")
        self.process = subprocess.Popen(self.command(), preexec_fn=on_core(self.core), cwd=self.directory,
                                        stdin=subprocess.DEVNULL, stdout=self.stdout(), stderr=self.output)
        self.wait_ready(began + 60)
        return time.monotonic() - began

    def stdout(self):
        return self.output

    def wait_ready(self, end):
        while time.monotonic() < end:
            assert self.process.poll() is None, open(self.path("output")).read()[-2000:]
            with contextlib.suppress(OSError):
                if self.ready():
                    return
            time.sleep(0.002)
        raise AssertionError("%s does not get ready" % type(self).__name__)

    def ready(self):
        socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        return True

    def stop(self):
        if self.process:
            self.process.send_signal(self.signal)
            self.process.wait(60)
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    # What the kernel counted.

    def worker(self):
        """The process that does the work."""
        return self.process.pid

    def cpu(self):
        """User and system seconds, all threads."""
        with open("/proc/%d/stat" % self.worker()) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def private(self):
        """Bytes of memory that no other process shares."""
        with open("/proc/%d/smaps_rollup" % self.worker()) as file:
            return 1024 * sum(int(n) for n in re.findall(r"^Private_\w+:\s+(\d+) kB", file.read(), re.M))

    def peak(self):
        with open("/proc/%d/status" % self.worker()) as file:
            return 1024 * int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])


class Nginx(Server):
    """`return 200`: what HTTP alone costs; on the other core it is a live receiver."""

    def __init__(self, core=SERVER_CORE, certificate=None):
        super().__init__()
        self.core = core
        self.certificate = certificate

    def command(self):
        tls = "" if not self.certificate else "ssl_certificate %s; ssl_certificate_key %s;" % self.certificate
        self.path("nginx.conf", """
            worker_processes 1; daemon off; pid %(d)s/pid; error_log %(d)s/errors crit;
            events { worker_connections 4096; }
            http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600; client_body_temp_path %(d)s;
                   proxy_temp_path %(d)s; fastcgi_temp_path %(d)s; uwsgi_temp_path %(d)s; scgi_temp_path %(d)s;
                   server { listen 127.0.0.1:%(p)d%(s)s backlog=4096; %(t)s
                            location / { default_type application/json; return 200
                            '{"message": "success", "trace_id": "cadfe35f-e3b1-4175-b118-a595bff9a214"}'; } } }
            """ % {"d": self.directory, "p": self.port, "s": " ssl" if tls else "", "t": tls})
        return ["nginx", "-c", self.path("nginx.conf"), "-p", self.directory]

    def workers(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
            return [int(pid) for pid in file.read().split()]

    def ready(self):
        return super().ready() and self.workers()

    def worker(self):
        return self.workers()[0]


class Alertmanager(Server):
    """One group for each set of labels, as each alert is an incident of its own elsewhere."""

    def __init__(self, receiver_port):
        super().__init__()
        self.receiver_port = receiver_port

    def command(self):
        self.path("alertmanager.yml", """
route: {receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
receivers:
- name: hook
  webhook_configs: [{url: 'http://127.0.0.1:%d/hook', send_resolved: true}]
""" % self.receiver_port)
        os.environ["GOMAXPROCS"] = "1"
        return ["prometheus-alertmanager", "--config.file=" + self.path("alertmanager.yml"),
                "--storage.path=" + self.path("state"), "--cluster.listen-address=", "--log.level=error",
                "--web.listen-address=127.0.0.1:%d" % self.port]


class Webhook(Server):
    """Debian's `webhook`: runs a command for each request."""

    def command(self):
        self.path("hooks.json", json.dumps([{"id": "alert", "execute-command": "/bin/true",
                                             "response-message": "success"}]))
        return ["webhook", "-hooks", self.path("hooks.json"), "-ip", "127.0.0.1", "-port", str(self.port)]


class Tocsin(Server):
    """The program as shipped, its log to a file; `test` takes the one whose clocks can be pushed."""

    def __init__(self, webhooks=(), test=False, **top):
        super().__init__()
        self.test = test
        self.conf = {
            "listen": [{"address": "127.0.0.1:%d" % self.port}],
            "data": "data", "tokens": [{"name": "bench", "token": TOKEN}],
            "services": [{"name": "Payments", "integrations": [{"name": "Generic", "key": KEY}],
                          "webhooks": list(webhooks)}],
            "allow_networks": ["127.0.0.0/8"], "drain": "1s", "log": {"format": "json"}, **top}
        if test:
            os.environ["TOCSIN_CONTROL"] = self.path("control")

    target = "/integration/demo1/generic/%s/" % KEY

    def command(self):
        self.path("tocsin.json", json.dumps(self.conf))
        return [os.path.join(BUILD, "test" if self.test else "", "tocsin"), "run", "-c", "tocsin.json"]

    def stdout(self):
        return open(self.path("log"), "ab")

    def get(self, target):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", target, headers={"Authorization": "Token " + TOKEN})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def post(self, body, target=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", target or self.target, body, {"Authorization": "Token " + TOKEN})
        return json.loads(connection.getresponse().read())

    def ready(self):
        return self.get("/-/ready")[0] == 200

    def control(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.settimeout(60)
            s.bind(self.path("client%d" % time.monotonic_ns()))
            s.sendto(command.encode(), self.path("control"))
            return s.recv(65536).decode()

    def waiting(self):
        """Deliveries that have not ended yet."""
        rows = self.control("rows") if self.test else ""
        return int(re.search(r"lanes=(\d+)", rows)[1]) if rows else None


def hook(port, scheme="http", **more):
    return {"name": "live", "url": "%s://127.0.0.1:%d/hook" % (scheme, port),
            "auth": {"type": "hmac", "key": "a-key-for-measurements"}, **more}
