"""How many connections there may be, and what happens when there are no more. CONTRACT §1.5, §10."""
import os
import resource
import select
import time

import pytest

from certificates import Authority
from gateway import SLOW, ingest, until, webhook
from wire import Connection, flood, request

ALERT = {"message": "m", "alert_type": "info"}
HALF = b"GET /-/healthy HTTP/1.1\r\n"
REST = b"Host: a\r\n\r\n"


def limited(soft, hard=None):
    """A wrapper under which the process may have so many descriptors."""
    return ["prlimit", "--nofile=%d:%d" % (soft, hard or soft)]


def busy(gateway, count):
    """Connections that are within a request, so that none gives way."""
    connections = [gateway.connect() for _ in range(count)]
    for connection in connections:
        connection.send(request("GET", "/-/healthy") + HALF)
        assert connection.read().status == 200
    return connections


def is_answered(connection, seconds):
    return bool(select.select([connection.socket], [], [], seconds)[0])


def cpu(gateway):
    """Seconds of the processor that the process has used."""
    with open("/proc/%d/stat" % gateway.process.pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def close(connections):
    for connection in connections:
        connection.close()


def test_connections_limit(make):
    """§10: at limits.connections the next waits, without a turn being spent on it, until one ends."""
    gateway = make.gateway(limits={"connections": 10})
    held = busy(gateway, 10)
    waiting = gateway.connect()
    waiting.send(request("GET", "/-/healthy"))
    before = cpu(gateway)
    assert not is_answered(waiting, 1)
    assert cpu(gateway) - before < 0.2
    for connection in held[:3]:
        connection.send(REST)
        assert connection.read().status == 200  # those that are there go on
    held.pop().close()
    assert waiting.read().status == 200
    close(held + [waiting])


def test_connections_resume_at_once(make):
    """§10: a hundred that wait for one place have it one after the other, not one a tick."""
    gateway = make.gateway(limits={"connections": 1})
    waiting = [gateway.connect() for _ in range(100)]
    for connection in waiting:
        connection.send(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    begun = time.monotonic()
    for connection in waiting:
        assert connection.read().status == 200
        connection.close()
    assert time.monotonic() - begun < 2 * SLOW


def test_connections_idle_give_way(make):
    """§10: at the limit the connection that is idle longest gives way, after a second."""
    gateway = make.gateway(limits={"connections": 4})
    idle = [gateway.connect() for _ in range(4)]
    for connection in idle:
        assert connection.request("GET", "/-/healthy").status == 200
        time.sleep(0.01)
    assert idle[0].request("GET", "/-/healthy").status == 200  # now it is idle shortest
    begun = time.monotonic()
    with gateway.connect() as other:
        assert other.request("GET", "/-/healthy").status == 200
        assert time.monotonic() - begun > 0.8
        assert idle[1].read_closed() == b""
        for connection in (idle[0], idle[2], idle[3]):
            assert connection.request("GET", "/-/healthy").status == 200
    close(idle)


def test_connections_silent_give_way(make, tmp_path):
    """§10: those that never send a byte are idle as well, wherever they connect: behind a second they
    keep nobody out. That somebody waited is told."""
    certificate, key = Authority(tmp_path).issue("gateway", "IP:127.0.0.1")
    first = {"address": "127.0.0.1:0"}
    gateway = make.gateway(limits={"connections": 50, "header_time": "60s"},
                           listen=[first, {**first, "proxy_protocol": True}, {**first, "tls": {
                                "certificate": certificate, "key": key}}])
    for address in gateway.addresses():
        silent = [Connection(address) for _ in range(60)]
        begun = time.monotonic()
        assert gateway.get("/-/ready").status == 200
        assert time.monotonic() - begun < 3 * SLOW
        close(silent)
    assert "50" in gateway.wait_log("server.warning")["message"]
    assert len(gateway.logged("server.warning")) <= 3 * 11 * (1 + 3 * SLOW)  # ten a second, and how many more


def test_connections_first_byte(make):
    """§10: header_time is from the first byte; before it a connection has idle_time."""
    gateway = make.gateway(limits={"header_time": "300ms"})
    with gateway.connect() as connection:
        time.sleep(0.8)
        assert connection.request("GET", "/-/healthy").status == 200
    with gateway.connect() as connection:
        time.sleep(0.8)
        connection.send(HALF)
        begun = time.monotonic()
        assert connection.read().status == 408
        assert 0.25 < time.monotonic() - begun < 0.3 + 0.5 * SLOW


def set_soft(gateway, soft):
    _, hard = resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    return hard


def test_connections_out_of_descriptors(make):
    """§1.5: out of descriptors, accepting rests instead of spinning, those that are there go on,
    and it goes on by itself."""
    gateway = make.gateway()
    held = busy(gateway, 20)
    hard = set_soft(gateway, 12)
    waiting = gateway.connect()
    waiting.send(request("GET", "/-/healthy"))
    before = cpu(gateway)
    assert not is_answered(waiting, 1)
    assert cpu(gateway) - before < 0.2
    for connection in held[:3]:
        connection.send(REST)
        assert connection.read().status == 200
    assert "accepted" in gateway.wait_log("server.warning")["message"]
    assert len(gateway.logged("server.warning")) <= 30  # ten a second
    set_soft(gateway, hard)
    assert waiting.read().status == 200
    close(held + [waiting])


def test_connections_leave_room(make):
    """§10: connections from outside leave descriptors for deliveries; that there are fewer than
    configured is told."""
    receiver = make.receiver()
    gateway = make.gateway(wrapper=limited(256), limits={"connections": 10000},
                           webhooks=[webhook("ops", receiver.url(), max_in_flight=32)])
    warning = gateway.wait_log("server.warning")["message"]
    assert "limits.connections" in warning and "256" in warning
    held = [gateway.connect() for _ in range(300)]
    for connection in held:
        connection.send(HALF)
    time.sleep(0.1)
    for i in range(40):
        held[0].send((REST if i == 0 else b"") +
                     request("POST", ingest(), {"message": "m", "alert_type": "critical"}))
        if i == 0:
            assert held[0].read().status == 200
        assert held[0].read().status == 200
    receiver.wait(40)
    until(lambda: len(gateway.logged("delivery.delivered")) == 40)
    assert not any("accepted" in line["message"] for line in gateway.logged("server.warning"))
    close(held)


def test_connections_limit_is_raised(make):
    """§10: the soft limit of descriptors becomes the hard one."""
    gateway = make.gateway(wrapper=limited(100, 4096), limits={"connections": 3000})
    assert resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE) == (4096, 4096)
    assert not gateway.logged("server.warning")


@pytest.mark.parametrize("limit", [10000, 100])
def test_connections_flood(make, limit):
    """§1.5: a thousand connections at once are all answered, also when few are allowed, and leave
    nothing behind."""
    gateway = make.gateway(limits={"connections": limit})
    before = gateway.memory()
    closing = {"Connection": "close"}
    answers = flood(gateway.address, [request("POST", ingest(), ALERT, closing)
                                      for _ in range(1000)], connections=1000)
    assert [answer.status for answer in answers] == [200] * 1000
    assert gateway.memory() - before < 16 << 20
    with gateway.connect() as connection:
        assert connection.request("GET", "/-/healthy").status == 200
