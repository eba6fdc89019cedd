"""Each allocation that a request leads to fails, once, in turn (CONTRACT §1.6): the answer is the
one that comes otherwise, or a refusal, and then the log says why; it is never half an answer, nor
a word about the state that is not true. (test/torture does so with whole scenarios.)"""

import errno
import json
import re
import ssl
import time

import pytest

from certificates import Authority
from faults import ALL, Faults
from gateway import SLOW, ingest, until, webhook
from receiver import answer
from test_faults import told
from wire import Closed, chunked, dial, request


@pytest.fixture
def faults(make):
    return make.keep(Faults())


@pytest.fixture
def gateway(make, faults):
    """With an incident, a delivered webhook and a note."""
    receiver = make.receiver()
    gateway = make.gateway(environment=faults.environment(),
                           webhooks=[webhook("ops", receiver.url())])
    gateway.send("critical", entity_id="one")
    receiver.wait(1)
    gateway.wait_log("delivery.delivered")
    assert gateway.request("POST", "/api/incidents/1/note", {"note": "n"}).status == 201
    return gateway


def exchange(gateway, *pieces):
    """What comes back for bytes that are sent piece by piece; None: the connection was closed."""
    try:
        with gateway.connect(timeout=3 * SLOW) as connection:
            connection.send(pieces[0])
            for piece in pieces[1:]:
                time.sleep(0.005 * SLOW)  # so that each is read by itself
                connection.send(piece)
            return connection.read()
    except (OSError, Closed) as error:
        assert not isinstance(error, TimeoutError)
        return None


def said(other):
    """What the answer says, but for the trace id."""
    return other and (other.status, re.sub(rb'"trace_id": "[^"]*"', b"", other.body))


def each_refused(gateway, faults, call, *pieces):
    """Plays the exchange as it is, then once for each of its calls, which fails; the good answer,
    and the others. For each that is different there is a line in the log."""
    before = faults.seen[call]
    good = exchange(gateway, *pieces)
    others = []
    for n in range(1, faults.seen[call] - before + 1):
        mark = gateway.mark()
        faults.fail(call, n)
        other = exchange(gateway, *pieces)
        faults.clear()
        if said(other) != said(good):
            until(lambda: told(gateway, mark) + gateway.logged("alert.rejected", mark),
                  what="a line that says why %s %d led to %r" % (call, n, other))
        others.append(other)
    return good, others


@pytest.mark.parametrize("path", [
    "/api/incidents/1", "/api/incidents/1/note", "/api/incidents/1/alerts", "/api/incidents",
    "/api/deliveries", "/api/deliveries/{delivery}", "/api/alert/status/{trace}?detail=1"])
def test_memory_answers(gateway, faults, path):
    """§1.6, §4: what is there is never said not to be."""
    trace = gateway.logged("alert.accepted")[0]["trace.id"]
    delivery = gateway.logged("delivery.delivered")[0]["labels.delivery"]
    path = path.format(trace=trace, delivery=delivery)
    good, others = each_refused(gateway, faults, "malloc", request("GET", path))
    assert good.status == 200
    assert {other.status for other in others if other} <= {200, 503}
    for other in others:
        assert not other or other.status != 200 or other.body == good.body


def test_memory_reload_that_is_refused(gateway, faults):
    """§10: the errors are told whole, or it is said that some are not."""
    gateway.conf["accout"] = "misspelt"
    gateway.conf["nodes"] = 7
    gateway.write()
    good, others = each_refused(gateway, faults, "malloc", request("POST", "/-/reload", b""))
    assert good.status == 400 and len(good.json()["errors"]) == 2
    for other in filter(None, others):
        assert other.status in (400, 503)
        assert other.status == 503 or other.json().get("errors") or \
            other.json().get("left_out") or "memory" in other.json()["detail"]
    assert not gateway.logged("config.reloaded")


HEAD = b"POST %s HTTP/1.1\r\nHost: a\r\n" % ingest().encode()
BODY = json.dumps({"message": "m", "alert_type": "info", "summary": "x" * 2000}).encode()
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("pieces", [
    (HEAD, LENGTH + BODY), (HEAD + LENGTH, BODY[:1000], BODY[1000:]),
    (HEAD + CHUNKS, chunked([BODY[:500], BODY[500:]]))], ids=["head", "body", "chunks"])
def test_memory_request_in_pieces(gateway, faults, pieces):
    """§3: what has come so far cannot be kept: 503, not another reason, and nothing is stored."""
    before = gateway.rows()["traces"]
    good, others = each_refused(gateway, faults, "malloc", *pieces)
    assert good.status == 200
    statuses = [200] + [other.status for other in others if other]
    assert set(statuses) == {200, 503}
    assert gateway.rows()["traces"] == before + statuses.count(200)


@pytest.mark.parametrize("call", ["send_in", "recv_in"])
def test_memory_of_the_kernel(gateway, faults, call):
    """§1.6: a client that goes away is his own affair; a connection that we lose is told of."""
    gateway.restart()  # no connection to a receiver, whose end would be seen as well
    for error, count in ((errno.ECONNRESET, 0), (errno.ENOBUFS, 1)):
        mark = gateway.mark()
        gateway.turns()  # what came before is over
        faults.fail(call, error=error)
        assert exchange(gateway, request("GET", "/api/incidents/1")) is None
        until(lambda: len(told(gateway, mark)) >= count)
        assert gateway.get("/-/healthy").status == 200
        assert len(told(gateway, mark)) == count


def test_memory_deliveries_found_at_start(make, faults):
    """§1.3: what waits is found at the start, though memory is short in the middle of it."""
    receiver = make.receiver(answer(200, delay=60))
    gateway = make.gateway(environment=faults.environment(),
                           webhooks=[webhook("ops", receiver.url(), retry=["100ms"] * 20)])

    def restart(fault=None):
        """With that allocation failing; the number of those there were."""
        receiver.requests.clear()
        faults.reset()
        if fault:
            faults.fail("malloc", fault)
        try:
            gateway.start()
            receiver.wait(1)
            gateway.kill9()
        except AssertionError:
            assert gateway.wait() == 1
            assert gateway.logged("server.stopped")[-1]["event.outcome"] == "failure"
        return faults.seen["malloc"]

    gateway.send("critical")
    receiver.wait(1)
    gateway.kill9()
    last = restart()
    for n in range(last - 24, last + 1):
        restart(n)


def test_memory_of_handshakes(make, faults, tmp_path):
    """§1.6: a client whose handshake fails is no news, unless it fails because of us."""
    ca = Authority(tmp_path)
    certificate, key = ca.issue("gateway", "IP:127.0.0.1")
    context = ssl.create_default_context(cafile=ca.certificate)
    gateway = make.gateway(
        environment=faults.environment(),
        listen=[{"address": "127.0.0.1:0", "tls": {"certificate": certificate, "key": key}}])

    def shake_hands():
        with dial(gateway.address, 3 * SLOW) as plain:
            context.wrap_socket(plain, server_hostname="127.0.0.1").close()

    shake_hands()
    with gateway.connect() as plain:
        plain.send(b"GET / HTTP/1.1\r\n\r\n")
        assert b"HTTP/1.1" not in plain.read_closed()
    gateway.turns()
    assert not told(gateway)
    faults.fail("crypto", count=ALL)
    with pytest.raises(OSError):
        shake_hands()
    faults.clear()
    until(lambda: told(gateway), what="a line of our fault")
    shake_hands()
