"""What a service manager hears: ready, alive, stopping. CONTRACT §11, sd_notify(3)."""
import os
import signal
import socket
import time

import pytest

from gateway import SLOW, until

STORE_FULL, STORE_FAULT = 1, 3


class Manager:
    """A NOTIFY_SOCKET: what came, a dict a message."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(0.01)
        self.heard = []

    def listen(self):
        try:
            while True:
                lines = self.socket.recv(4096).decode().split("\n")
                self.heard.append(dict(line.split("=", 1) for line in lines))
        except TimeoutError:
            return self.heard

    def wait(self, key, count=1):
        """The last message with that key, once there are so many of them."""
        def enough():
            with_key = [message for message in self.listen() if key in message]
            return len(with_key) >= count and with_key[-1]
        return until(enough, what=key)

    def count(self, key):
        return sum(key in message for message in self.listen())


@pytest.fixture
def manager(request, tmp_path):
    """Its socket has a path, or, asked for as "abstract", none."""
    name = getattr(request, "param", None) or str(tmp_path / "notify")
    name = "@tocsin-notify-%d" % os.getpid() if name == "abstract" else name
    manager = Manager(name.replace("@", "\0"))
    manager.name = name
    yield manager
    manager.socket.close()


@pytest.mark.parametrize("manager", [None, "abstract"], indirect=True)
def test_notify_life(make, manager):
    """Ready once it listens, stopping at a drain, and no more than that without a watchdog."""
    gateway = make.gateway(environment={"NOTIFY_SOCKET": manager.name}, drain="2s")
    assert manager.wait("READY") == {"READY": "1", "STATUS": "serving"}
    with gateway.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\n")
        until(lambda: gateway.get("/-/ready").status == 200)
        gateway.signal(signal.SIGTERM)
        assert manager.wait("STOPPING") == {"STOPPING": "1", "STATUS": "draining"}
        time.sleep(1.1)  # in which a second passes while it drains
    assert gateway.wait() == 0
    assert [sorted(message) for message in manager.listen()] == [["READY", "STATUS"],
                                                                 ["STATUS", "STOPPING"]]


def test_notify_not_before_it_listens(make, manager):
    """A gateway that cannot listen was never ready."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        gateway = make.gateway(environment={"NOTIFY_SOCKET": manager.name}, start=False,
                               listen=[{"address": "127.0.0.1:%d" % taken.getsockname()[1]}])
        with pytest.raises(AssertionError):
            gateway.start()
        assert gateway.wait() == 1
    assert manager.listen() == []


def watched(make, manager, **more):
    return make.gateway(environment={"NOTIFY_SOCKET": manager.name,
                                     "WATCHDOG_USEC": str(int(400000 * SLOW)), **more})


def stands(gateway):
    with open("/proc/%d/stat" % gateway.process.pid, encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def test_notify_watchdog(make, manager):
    """Signs of life come twice in the time granted, and end when the loop stands still."""
    gateway = watched(make, manager)
    start = time.monotonic()
    manager.wait("WATCHDOG", 5)
    assert time.monotonic() - start < 5 * 0.4 * SLOW
    gateway.signal(signal.SIGSTOP)
    until(lambda: stands(gateway))
    signs = manager.count("WATCHDOG")
    time.sleep(0.5 * SLOW)
    assert manager.count("WATCHDOG") == signs
    gateway.signal(signal.SIGCONT)
    manager.wait("WATCHDOG", signs + 1)


@pytest.mark.parametrize("result", [STORE_FULL, STORE_FAULT])
def test_notify_turns_fail(make, manager, result):
    """No sign of life while nothing can be stored, unless it is room that is missing."""
    gateway = watched(make, manager)
    manager.wait("WATCHDOG")
    gateway.fail_commit(100000, result=result)
    assert gateway.post({"message": "m", "alert_type": "critical"}).status == 503
    signs = manager.count("WATCHDOG")
    if result == STORE_FULL:
        manager.wait("WATCHDOG", signs + 2)
        return
    time.sleep(0.7 * SLOW)
    assert manager.count("WATCHDOG") == signs
    gateway.fail_commit(0)
    gateway.send("critical")
    manager.wait("WATCHDOG", signs + 2)


def test_notify_watchdog_of_another(make, manager):
    """WATCHDOG_PID of another process: the time granted is not ours."""
    watched(make, manager, WATCHDOG_PID="1")
    manager.wait("READY")
    time.sleep(0.5 * SLOW)
    assert manager.count("WATCHDOG") == 0


@pytest.mark.parametrize("name", ["", "@", "relative", "/nowhere/at/all", "/" + "x" * 200])
def test_notify_useless_socket(make, name):
    """A socket that is not there harms nobody."""
    gateway = make.gateway(environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "x"})
    assert gateway.get("/-/ready").status == 200
    gateway.stop()
