"""Three seconds from the lookup to the end of the answer (CONTRACT §1.4, §1.5, §8).

One gateway with a webhook to each kind of bad receiver and one alert for all of them: every attempt
runs out at the same time, and each test looks at its own.
"""

import socket
import time

import pytest

from gateway import SLOW, until, webhook
from receiver import answer, dribble, raw, silence

TOLERANCE = 0.05 * SLOW
SECOND = 1e9  # event.duration counts nanoseconds
LATE_HEAD = b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 4000
# What the attempts that run out meet.
HUNG = {
    "late": dict(behaviour=answer(200, delay=3.1)),
    "late_body": dict(behaviour=dribble(0.1)),
    "late_head": dict(behaviour=dribble(0.1, LATE_HEAD)),
    "silent": dict(behaviour=silence()),
    "mute": dict(mute=True),
    "nameless": dict(behaviour=answer(200)),
}
BIG = "\u00e9" * 32000  # six bytes each in the body: more than the kernel holds for a mute receiver


class Scene:
    """Everything that happens around the one alert, and its log."""

    def __init__(self, make):
        self.receivers = {name: make.receiver(**how) for name, how in HUNG.items()}
        self.receivers["in_time"] = make.receiver(answer(200, delay=2.9))
        self.receivers["well"] = make.receiver()
        self.names = make.nameserver({"mute.test": None})
        hooks = [webhook(name, receiver.url(host="mute.test" if name == "nameless" else None),
                         retry=["5s"] * 5, events=["triggered"])
                 for name, receiver in self.receivers.items()]
        self.gateway = make.gateway(start=False, webhooks=hooks)
        self.gateway.environment["TOCSIN_RESOLV_CONF"] = self.names.resolv_conf(
            self.gateway.directory + "/resolv.conf")
        self.gateway.start()

    def play(self):
        """The alert for all, then others for the healthy receiver, until the attempts are over."""
        gateway = self.gateway
        self.started = time.monotonic()
        gateway.alert("critical", entity_id="first", summary=BIG)
        self.delays = []
        for i in range(20):
            time.sleep(0.1)
            sent = time.monotonic()
            gateway.send("critical", entity_id=i)
            self.receivers["well"].wait(i + 2)
            self.delays.append(time.monotonic() - sent)
        self.ends = {name: gateway.wait_log("delivery.retry", labels__webhook=name)
                     for name in HUNG}
        gateway.wait_log("delivery.delivered", labels__webhook="in_time")
        self.first = {name: gateway.logged("delivery.retry", labels__webhook=name)[0]
                      for name in HUNG}


@pytest.fixture(scope="module")
def scene(make_shared):
    scene = Scene(make_shared)
    scene.play()
    return scene


@pytest.mark.parametrize("name", HUNG)
def test_deadline_timeout(scene, name):
    """§1.4: over after 3.00 s, counted as a timeout."""
    record = scene.first[name]
    assert record["error.type"] == "timeout"
    assert abs(record["event.duration"] / SECOND - 3) < TOLERANCE


@pytest.mark.parametrize("name", ["silent", "late_body", "late_head"])
def test_deadline_by_the_receivers_clock(scene, name):
    """§1.4: the receiver sees the connection end 3 s after the request came."""
    request = scene.receivers[name].requests[0]
    until(lambda: request.closed)
    slack = 0.15 if name.startswith("late") else 0.05  # one that writes learns it a byte later
    assert -TOLERANCE < request.closed - request.time - 3 < slack * SLOW + 0.1


def test_deadline_in_time(scene):
    """§1.4: an answer at 2.9 s is delivered."""
    record = scene.gateway.logged("delivery.delivered", labels__webhook="in_time")[0]
    assert 2.85 < record["event.duration"] / SECOND < 3.0
    assert not scene.gateway.logged("delivery.retry", labels__webhook="in_time")


def test_deadline_others_undisturbed(scene):
    """§1.5: meanwhile the healthy receiver had each event at once."""
    assert len(scene.delays) == 20
    assert sorted(scene.delays)[10] < 0.05 * SLOW
    assert max(scene.delays) < 0.25 * SLOW


def test_deadline_name_server_was_asked(scene):
    """§8: the silent name server was asked for both kinds of address."""
    asked = {kind for name, kind in scene.names.asked if name == "mute.test"}
    assert asked == {"A", "AAAA"}
    assert scene.receivers["nameless"].connections == 0


def test_deadline_retried(make):
    """§8: an attempt that ran out is followed by another on schedule."""
    receiver = make.receiver(script=[silence()])
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), deadline="200ms",
                                             retry=["10s"] * 3)])
    gateway.alert("critical")
    record = gateway.wait_log("delivery.retry")
    assert record["error.type"] == "timeout"
    assert abs(record["event.duration"] / SECOND - 0.2) < TOLERANCE
    gateway.advance(7)
    receiver.quiet(1, 0.05)
    gateway.advance(6)
    one, two = receiver.wait(2)
    assert (one.id, two.attempt) == (two.id, 2)
    gateway.wait_log("delivery.delivered")


def test_deadline_covers_a_reused_connection(make):
    """§1.4: the 3 s hold on a kept-alive connection too."""
    receiver = make.receiver(script=[answer(200), silence()])
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), deadline="300ms")])
    gateway.alert("critical")
    gateway.wait_log("delivery.delivered")
    gateway.alert("critical")
    record = gateway.wait_log("delivery.retry")
    assert record["error.type"] == "timeout"
    assert abs(record["event.duration"] / SECOND - 0.3) < TOLERANCE


def fate(gateway, name):
    """The first thing said about a delivery to that webhook."""
    return until(lambda: [record for action in ("retry", "dead", "delivered") for record in
                          gateway.logged("delivery." + action, labels__webhook=name)], 5, name)[0]


class Names:
    """A gateway whose webhooks are reached by name."""

    TABLE = {
        "four.test": {"A": ["127.0.0.1"]},
        "six.test": {"AAAA": ["::1"]},
        "both.test": {"A": ["127.0.0.1"], "AAAA": ["::1"]},
        "several.test": {"A": ["127.0.0.2", "127.0.0.1"]},
        "empty.test": {},
    }

    def __init__(self, make):
        self.four, self.six = make.receiver(), six(make)
        self.server = make.nameserver(self.TABLE)
        names = {name: self.four for name in ("four", "both", "several", "empty", "missing",
                                              "hosts", "alias")}
        if self.six:
            names["six"] = self.six
        hooks = [webhook(name, receiver.url("/" + name, host=name + ".test"))
                 for name, receiver in names.items()]
        self.gateway = make.gateway(start=False, webhooks=hooks)
        with open(self.gateway.directory + "/hosts", "w", encoding="ascii") as file:
            file.write("# a comment\n127.0.0.1\tlocalhost\n"
                       "127.0.0.1 hosts.test Alias.Test # another\n")
        self.gateway.environment.update({
            "TOCSIN_RESOLV_CONF": self.server.resolv_conf(self.gateway.directory + "/resolv.conf"),
            "TOCSIN_HOSTS": self.gateway.directory + "/hosts"})
        self.gateway.start()
        self.gateway.alert("critical")


def six(make):
    """A receiver on ::1, or None where the machine has no IPv6."""
    try:
        return make.receiver(host="::1")
    except OSError:
        return None


@pytest.fixture(scope="module")
def names(make_shared):
    return Names(make_shared)


@pytest.mark.parametrize("name", ["four", "both", "several", "hosts", "alias"])
def test_deadline_name(names, name):
    """§8: names from the name server and the hosts file; on refusal the next address is tried."""
    assert fate(names.gateway, name)["event.action"] == "delivery.delivered"
    request = [r for r in names.four.requests if r.path == "/" + name][0]
    assert request.headers["host"] == "%s.test:%d" % (name, names.four.port)


def test_deadline_name_six(names):
    """§8: a name with an IPv6 address only."""
    if not names.six:
        pytest.skip("no IPv6 on this machine")
    assert fate(names.gateway, "six")["event.action"] == "delivery.delivered"


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_deadline_name_not_found(names, name):
    """§9: no such name, or no address: lookup_failed."""
    record = fate(names.gateway, name)
    assert record["event.action"] == "delivery.retry"
    assert record["error.type"] == "lookup_failed"


def test_deadline_hosts_are_not_asked_for(names):
    """§8: what stands in the hosts file is not asked of the name server."""
    fate(names.gateway, "hosts")
    assert not {"hosts.test", "alias.test"} & {name for name, _ in names.server.asked}


def test_deadline_refused(make):
    """§9: nobody listens: connect_failed, at once."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d/" % sock.getsockname()[1]
        gateway = make.gateway(webhooks=[webhook("ops", url)])
        gateway.alert("critical")
        record = gateway.wait_log("delivery.retry")
    assert record["error.type"] == "connect_failed"
    assert record["event.duration"] < 0.2 * SECOND * SLOW


GARBAGE = {
    "words": b"go away\r\n\r\n",
    "zeros": b"\0" * 100,
    "status": b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
    "version": b"HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n",
    "bare_lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n",
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "both": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "status_0": b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
    "tls": b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_deadline_garbage(make, name):
    """§9: what is no HTTP is http_invalid."""
    receiver = make.receiver(raw(GARBAGE[name]))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.alert("critical")
    assert gateway.wait_log("delivery.retry")["error.type"] == "http_invalid"


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50000 + b"\r\n"], ids=["header", "headers"])
def test_deadline_head_too_large(make, data):
    """§1.5: an answer's head is read up to a limit only."""
    receiver = make.receiver(raw(data))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.alert("critical")
    assert gateway.wait_log("delivery.retry")["error.type"] in ("http_invalid",
                                                                "response_too_large")


@pytest.mark.parametrize("data", [
    b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"],
    ids=["nothing", "half_a_line", "half_a_body", "half_a_chunk"])
def test_deadline_cut(make, data):
    """§9: an answer that ends too early is io_failed, never delivered."""
    receiver = make.receiver(raw(data))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.alert("critical")
    assert gateway.wait_log("delivery.retry")["error.type"] in ("io_failed", "http_invalid")
