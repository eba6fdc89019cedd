"""Where the gateway listens: addresses, unix sockets, sockets passed on. CONTRACT §2, §10."""
import os
import shutil
import socket
import stat
import subprocess
import sys

import pytest

from gateway import PROGRAM, SLOW, Gateway, address_of, run, until
from wire import Connection
from test_config import write  # noqa: F401 (a fixture)

# Execs the rest of its arguments with the inherited descriptors as LISTEN_FDS wants them: 3, 4, …
PASS_ON = """
import os, sys
fds = [os.dup(int(fd)) for fd in sys.argv[1].split(",") if fd]
for i, fd in enumerate(fds):
    os.dup2(fd, 100 + i)
for i in range(len(fds)):
    os.dup2(100 + i, 3 + i)
    os.set_inheritable(3 + i, True)
os.environ.update(LISTEN_FDS=str(len(fds)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="x")
os.closerange(3 + len(fds), 200)
os.execv(sys.argv[2], sys.argv[2:])
"""

TOKENS = [{"name": "ops", "token": "0123456789abcdef"}]


def passing(*sockets):
    """The wrapper that passes these sockets on to the gateway."""
    for sock in sockets:
        sock.set_inheritable(True)
    return [sys.executable, "-c", PASS_ON, ",".join(str(sock.fileno()) for sock in sockets)]


class Activated(Gateway):
    """A gateway whose sockets are passed to it; they stay this process's."""

    def __init__(self, sockets, **conf):
        self.sockets = sockets
        conf.setdefault("listen", [{"address": "systemd"} for _ in sockets])
        super().__init__(wrapper=passing(*sockets), pass_fds=[s.fileno() for s in sockets], **conf)

    def dispose(self):
        try:
            super().dispose()
        finally:
            for sock in self.sockets:
                sock.close()


def healthy(address, **more):
    with Connection(address, **more) as connection:
        return connection.request("GET", "/-/healthy").status


def refused(address):
    try:
        Connection(address).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    return False


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_listeners_several(make):
    """§10: each listener by itself, with surfaces of its own, told in order."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0", "serve": ["ingest"]},
                                   {"address": "127.0.0.2:0", "serve": ["api"]},
                                   {"address": "127.0.0.1:0", "serve": ["status", "ops"]}])
    first, second, third = gateway.addresses()
    assert first == gateway.address and first[0] == third[0] == "127.0.0.1"
    assert second[0] == "127.0.0.2"
    served = []
    for address in (first, second, third):
        with Connection(address) as connection:
            served.append([connection.request("GET", path).status != 404
                           for path in ("/api/incidents", "/integration/demo1/x/y/")])
            assert connection.request("GET", "/-/ready").status == 200
    assert served == [[False, True], [True, False], [False, False]]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_listeners_ipv6_only(make):
    """§10: "[::]" is IPv6 only, so that "0.0.0.0" may have the same port; ":PORT" is both."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        port = probe.getsockname()[1]
    gateway = make.gateway(tokens=TOKENS, listen=[{"address": "[::]:%d" % port},
                                                  {"address": "0.0.0.0:%d" % port}])
    assert healthy(("::1", port)) == healthy(("127.0.0.1", port)) == 200
    both = make.gateway(tokens=TOKENS, listen=[{"address": ":0"}])
    port = both.addresses()[0][1]
    assert healthy(("::1", port)) == healthy(("127.0.0.1", port)) == 200
    gateway.stop()


def test_listeners_unix(make, tmp_path):
    """§2, §10: a unix socket: mode 0660 whatever the umask, this machine's, gone at the stop."""
    path = str(tmp_path / "tocsin.sock")
    gateway = make.gateway(listen=[{"address": "unix:" + path}])
    assert gateway.address == path
    mode = os.stat(path).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    assert gateway.get("/api/incidents").status == 200  # without tokens
    assert gateway.alert("critical")["incident"]["incident_number"] == 1
    assert "client.ip" not in gateway.wait_log("alert.accepted")
    gateway.stop()
    assert not os.path.exists(path)


def test_listeners_unix_stale(make, tmp_path):
    """§10: what a killed gateway left behind is replaced; what somebody answers on is not."""
    path = str(tmp_path / "tocsin.sock")
    gateway = make.gateway(listen=[{"address": "unix:" + path}])
    gateway.kill9()
    assert os.path.exists(path)
    gateway.restart()
    assert healthy(path) == 200
    other = make.gateway(start=False, listen=[{"address": "unix:" + path}])
    other.write()
    done = run("run", "-c", other.file)
    assert done.returncode == 1
    assert path in done.stdout and "in use" in done.stdout
    assert healthy(path) == 200


def test_listeners_unix_not_a_socket(make, tmp_path):
    """§10: a file that stands in the way is told, and left alone."""
    path = tmp_path / "tocsin.sock"
    path.write_text("precious")
    gateway = make.gateway(start=False, listen=[{"address": "unix:%s" % path}])
    gateway.write()
    done = run("run", "-c", gateway.file)
    assert done.returncode == 1 and "no socket" in done.stdout
    assert path.read_text() == "precious"


def test_listeners_unix_taken_over(make, tmp_path):
    """§10: a stopping gateway leaves a socket alone that has meanwhile become another's."""
    path = str(tmp_path / "tocsin.sock")
    gateway = make.gateway(listen=[{"address": "unix:" + path}])
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        gateway.stop()
        assert os.path.exists(path)


def listening(address=("127.0.0.1", 0)):
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(address)
        sock.listen(16)
        return sock
    return socket.create_server(address)


def test_listeners_passed(make, tmp_path):
    """§10: the n-th "systemd" is the n-th socket passed, whatever its family."""
    path = str(tmp_path / "passed.sock")
    sockets = [listening(), listening(path)]
    gateway = make.keep(Activated(sockets, listen=[{"address": "systemd", "serve": ["ingest"]},
                                                   {"address": "127.0.0.1:0"},
                                                   {"address": "systemd", "serve": ["api"]}]))
    first, own, second = gateway.addresses()
    assert first == sockets[0].getsockname() and second == path
    assert healthy(first) == healthy(own) == healthy(second) == 200
    with Connection(first) as one, Connection(second) as two:
        assert one.request("GET", "/api/incidents").status == 404
        assert two.request("GET", "/api/incidents").status == 200


def test_listeners_passed_are_kept(make):
    """§10: connections wait in a passed socket from one gateway to the next."""
    gateway = make.keep(Activated([listening()]))
    gateway.stop()
    waiting = Connection(gateway.sockets[0].getsockname())
    waiting.send(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
    gateway.start()
    assert waiting.read().status == 200
    waiting.close()


def test_listeners_passed_too_many(make):
    """§10: a socket that is passed and that no listener takes is closed, and told: its clients would
    wait for ever."""
    sockets = [listening(), listening(), listening()]
    names = [sock.getsockname() for sock in sockets]
    gateway = make.keep(Activated(sockets, listen=[{"address": "systemd"}]))
    for sock in sockets[1:]:
        sock.close()  # the gateway's alone
    for name in names[1:]:
        gateway.wait_log("server.warning", server__address="127.0.0.1:%d" % name[1])
        assert refused(name)
    assert len(gateway.logged("server.warning")) == 2
    assert healthy(names[0]) == 200
    answer = gateway.reload(listen=[{"address": "systemd"}] * 2)
    assert answer.status == 400 and "at the start" in answer.json()["errors"][0]
    assert healthy(names[0]) == 200


def start_fails(gateway, **more):
    """Runs the gateway's command, which must end with 1; what it said."""
    gateway.write()
    done = subprocess.run([*gateway.wrapper, PROGRAM, "run", "-c", gateway.file],
                          capture_output=True, text=True, timeout=10 * SLOW, check=False, **more)
    assert done.returncode == 1, done
    return done.stdout


def test_listeners_passed_not_enough(make):
    """§10: fewer sockets than "systemd" listeners: what is missing is told; so without any."""
    with listening() as sock:
        gateway = make.gateway(start=False, wrapper=passing(sock),
                               listen=[{"address": "systemd"}, {"address": "systemd"}])
        said = start_fails(gateway, pass_fds=[sock.fileno()])
        assert "systemd" in said and "LISTEN_FDS" in said
    gateway.wrapper = []
    assert "LISTEN_FDS" in start_fails(gateway)
    said = start_fails(gateway, env={**os.environ, "LISTEN_FDS": "2", "LISTEN_PID": "1"})
    assert "LISTEN_FDS" in said  # another process's


def test_listeners_passed_not_listening(make):
    """§10: a socket that listens for nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        gateway = make.gateway(start=False, wrapper=passing(sock), listen=[{"address": "systemd"}])
        assert "does not listen" in start_fails(gateway, pass_fds=[sock.fileno()])


def test_listeners_passed_exposed(make):
    """§2: without tokens a passed socket is judged at start, by its real address."""
    with listening(("0.0.0.0", 0)) as sock:
        gateway = make.gateway(start=False, wrapper=passing(sock), listen=[{"address": "systemd"}])
        assert "needs tokens" in start_fails(gateway, pass_fds=[sock.fileno()])
        assert run("check", "-c", gateway.file).returncode == 0
    gateway = make.keep(Activated([listening(("0.0.0.0", 0))],
                                  listen=[{"address": "systemd", "serve": ["ingest", "status"]}]))
    assert healthy(("127.0.0.1", gateway.addresses()[0][1])) == 200


ACTIVATE = shutil.which("systemd-socket-activate")


@pytest.mark.skipif(not ACTIVATE, reason="there is no systemd-socket-activate")
def test_listeners_systemd_itself(make):
    """§10: systemd's own tool passes the socket at the first connection."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    gateway = make.gateway(start=False, listen=[{"address": "systemd"}])
    gateway.wrapper = [ACTIVATE, "--listen=127.0.0.1:%d" % port, "--setenv=TOCSIN_CONTROL"]
    gateway.spawn()
    until(lambda: not refused(("127.0.0.1", port)), what="the tool to listen")
    gateway.wait_log("server.started")
    assert address_of(gateway.logged("server.started")[0]["server.address"])[1] == port
    assert healthy(("127.0.0.1", port)) == 200
    gateway.stop()


def test_listeners_taken(make, write):  # noqa: F811
    """§11: an address that is taken, as the second of three: exit code 1, and nothing is left."""
    with listening() as sock:
        path = os.path.join(os.path.dirname(write()), "tocsin.sock")
        done = run("run", "-c", write(listen=[
            {"address": "unix:" + path}, {"address": "127.0.0.1:%d" % sock.getsockname()[1]},
            {"address": "127.0.0.1:0"}]))
    assert done.returncode == 1 and str(sock) and "in use" in done.stdout
    assert not os.path.exists(path)
