"""What an answer means, when the next attempt is made, and the breaker (CONTRACT §8)."""

import json
import time

import pytest

from gateway import until, webhook
from outgoing import DOWN, delivered, failed, landed, pair
from receiver import answer, close


# Verdicts.

@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_verdict_success(verdicts, status):
    """§8: any 2xx is delivered."""
    gateway, receiver = verdicts
    receiver.script = [answer(status)]
    before, count = gateway.mark(), len(receiver.requests)
    gateway.alert("critical")
    gateway.wait_log("delivery.delivered", since=before)
    receiver.quiet(count + 1, 0.02)


@pytest.fixture(scope="module")
def verdicts(make_shared):
    return pair(make_shared, retry=["1s"] * 3)


@pytest.mark.parametrize("body", [b"", b"ok", b"x" * 60000, b"\0\xff" * 500])
def test_verdict_success_with_body(verdicts, body):
    """§8: the body is read to its end, whatever it is."""
    gateway, receiver = verdicts
    receiver.script = [answer(200, body=body)]
    before = gateway.mark()
    gateway.alert("critical")
    gateway.wait_log("delivery.delivered", since=before)


GOOD_ANSWERS = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "until_close": b"HTTP/1.1 200 OK\r\n\r\nok",
    "http_1_0": b"HTTP/1.0 200 OK\r\n\r\nok",
    "continue_first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "hints_first": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "huge_body": b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 100000,
}


@pytest.mark.parametrize("name", GOOD_ANSWERS)
def test_verdict_success_in_other_words(verdicts, name):
    """§8: the forms an answer may take; of a long body 64 KiB are enough."""
    gateway, receiver = verdicts

    def say(exchange):
        exchange.socket.sendall(GOOD_ANSWERS[name])
        return False
    receiver.script = [say]
    before = gateway.mark()
    gateway.alert("critical")
    gateway.wait_log("delivery.delivered", since=before)


def run_out(make, behaviour, retries):
    """Has every attempt fail so until the delivery is dead; the requests, the log line."""
    gateway, receiver = pair(make, behaviour, retry=["1s"] * retries)
    gateway.alert("critical")
    for attempt in range(1, 12):
        until(lambda n=attempt: len(gateway.logged("delivery.retry")) >= n
              or gateway.logged("delivery.dead"))
        if gateway.logged("delivery.dead"):
            break
        gateway.advance(1.3)
    dead = gateway.wait_log("delivery.dead")
    gateway.advance(3600)
    receiver.quiet(len(receiver.requests), 0.05)
    return receiver.requests, dead


@pytest.mark.parametrize("status, reason", [
    (301, "http_3xx"), (302, "http_3xx"), (307, "http_3xx"), (308, "http_3xx"), (304, "http_3xx"),
    (400, "http_4xx"), (401, "http_4xx"), (404, "http_4xx"), (422, "http_4xx"), (499, "http_4xx")])
def test_verdict_refused(make, status, reason):
    """§8: another complete answer below 500 refuses the event: 4 attempts in all, then dead."""
    requests, dead = run_out(make, answer(status, {"Location": "/elsewhere"}), 8)
    assert [request.attempt for request in requests] == [1, 2, 3, 4]
    assert {request.path for request in requests} == {"/hook"}
    assert dead["error.type"] == reason


@pytest.mark.parametrize("status, reason", [
    (500, "http_5xx"), (502, "http_5xx"), (599, "http_5xx"), (408, "http_4xx"), (425, "http_4xx"),
    (429, "http_429")])
def test_verdict_whole_schedule(make, status, reason):
    """§8: 5xx, 408, 425, 429 run the whole schedule, then dead."""
    requests, dead = run_out(make, answer(status), 4)
    assert [request.attempt for request in requests] == [1, 2, 3, 4, 5]
    assert dead["error.type"] == reason


def test_verdict_whole_schedule_closed(make):
    """§8: so does a receiver that closes without an answer."""
    requests, dead = run_out(make, close(), 4)
    assert [request.attempt for request in requests] == [1, 2, 3, 4, 5]
    assert dead["error.type"] == "io_failed"


def test_verdict_gone(make):
    """§8: 410: dead at once, the webhook paused, an operator told; other webhooks go on."""
    receiver, other = make.receiver(answer(410)), make.receiver()
    gateway = make.gateway(webhooks=[webhook("gone", receiver.url()), webhook("ok", other.url())])
    gateway.alert("critical", entity_id="a")
    assert gateway.wait_log("delivery.dead")["error.type"] == "http_410"
    gateway.alert("critical", entity_id="b")
    other.wait(2)
    gateway.advance(86400)
    receiver.quiet(1)
    gateway.restart()
    gateway.alert("critical", entity_id="c")
    other.wait(3)
    receiver.quiet(1)
    told = [r for r in gateway.log.records if r and r["log.level"] in ("warning", "error", "warn")]
    assert any("gone" in json.dumps(record) for record in told)


# The schedule.

def test_verdict_schedule(make):
    """§8: 5 s, 30 s, 2 m, each give or take a fifth."""
    gateway, receiver = pair(make, script=[DOWN] * 3)
    gateway.alert("critical")
    for attempt, wait in enumerate((5, 30, 120), 1):
        failed(gateway, attempt)
        receiver.quiet(attempt, 0)
        gateway.advance(wait * 0.75)
        receiver.quiet(attempt, 0.05)
        gateway.advance(wait * 0.5)
        receiver.wait(attempt + 1)
    delivered(gateway)


def test_verdict_schedule_of_its_own(make):
    """§10: a webhook's retry goes before the file's."""
    gateway, receiver = pair(make, DOWN, retry=["100s"], top={"retry": ["1s"] * 9})
    gateway.alert("critical")
    failed(gateway)
    gateway.advance(75)
    receiver.quiet(1, 0.05)
    gateway.advance(50)
    receiver.wait(2)
    gateway.wait_log("delivery.dead")


def test_verdict_schedule_jitter(make):
    """§8: twenty that failed together do not all come back at the same moment."""
    gateway, receiver = pair(make, choose=lambda r: DOWN if r.attempt == 1 else answer(200),
                             retry=["1000s"] * 3)
    for i in range(4):
        gateway.alert("critical", entity_id=i)
    failed(gateway, 4)
    gateway.advance(795)
    receiver.quiet(4, 0.05)
    arrivals = []
    for _ in range(41):
        gateway.advance(10)
        time.sleep(0.02)
        arrivals.append(len(receiver.requests))
    receiver.wait(8)
    assert len(set(arrivals)) > 2, arrivals


@pytest.mark.parametrize("status", [503, 429])
def test_verdict_retry_after(make, status):
    """§8: Retry-After is honoured where it is later than the schedule."""
    gateway, receiver = pair(make, script=[answer(status, {"Retry-After": 100})], retry=["1s"] * 3)
    gateway.alert("critical")
    failed(gateway)
    gateway.advance(78)
    receiver.quiet(1, 0.05)
    gateway.advance(50)
    receiver.wait(2)


def test_verdict_retry_after_too_long(make):
    """§8: but for one hour at most."""
    gateway, receiver = pair(make, script=[answer(503, {"Retry-After": 86400})], retry=["1s"] * 3)
    gateway.alert("critical")
    failed(gateway)
    gateway.advance(1800)
    receiver.quiet(1, 0.05)
    gateway.advance(3600)
    receiver.wait(2)


@pytest.mark.parametrize("value", ["-5", "soon", "", "99999999999999999999", "1e3"])
def test_verdict_retry_after_nonsense(make, value):
    """§8: one that is no number of seconds changes nothing for the worse."""
    gateway, receiver = pair(make, script=[answer(503, {"Retry-After": value})], retry=["1s"] * 3)
    gateway.alert("critical")
    failed(gateway)
    gateway.advance(4400)
    receiver.wait(2)


# The breaker.

def test_verdict_breaker(make):
    """§8: open after 5 failures in a row, one probe after 30 s, closed by a success."""
    receiver = make.receiver(DOWN)
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["5s"] * 9)])
    for i in range(8):
        gateway.alert("critical", entity_id=i)
    gateway.wait_log("breaker.opened", labels__webhook="ops")
    landed(gateway)
    seen = len(receiver.requests)
    assert 5 <= seen <= 8
    gateway.advance(20)
    receiver.quiet(seen, 0.05)
    receiver.behaviour = answer(200)
    gateway.advance(15)
    gateway.wait_log("breaker.closed", labels__webhook="ops")
    until(lambda: gateway.advance(5) or len(gateway.logged("delivery.delivered")) == 8)
    assert {request.number for request in receiver.requests} == set(range(1, 9))


def test_verdict_breaker_probes(make):
    """§8: behind an open breaker there is one probe at a time, ever more rarely."""
    gateway, receiver = pair(make, DOWN, retry=["1s"] * 9)
    for i in range(6):
        gateway.alert("critical", entity_id=i)
    gateway.wait_log("breaker.opened")
    landed(gateway)
    seen = len(receiver.requests)
    gateway.advance(37)
    receiver.wait(seen + 1)
    receiver.quiet(seen + 1, 0.05)
    gateway.advance(30)
    receiver.quiet(seen + 1, 0.05)
    gateway.advance(60)
    receiver.wait(seen + 2)
    receiver.quiet(seen + 2, 0.05)
