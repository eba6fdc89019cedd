"""Who asks for much, or for what takes long, waits himself: others are answered in between. CONTRACT §1.5.

The gateway is stopped while requests are sent, so that it finds all of them at once; the order in which it
takes them shows in its log and in the trace ids.
"""
import contextlib
import signal
import time

import pytest

from gateway import KEY, ingest
from scrape import scrape
from wire import Closed, Connection, request

ALERT = {"message": "m", "alert_type": "info"}


@contextlib.contextmanager
def stopped(gateway):
    """Requests that are sent meanwhile are there at once."""
    gateway.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        gateway.signal(signal.SIGCONT)


def connect(gateway, count):
    """Connections that are accepted: each was answered once."""
    lanes = [gateway.connect() for _ in range(count)]
    for lane in lanes:
        assert lane.request("GET", "/-/healthy").status == 200
    return lanes


def close(lanes):
    for lane in lanes:
        lane.close()


def test_fairness_pipelines(make):
    """A request behind forty connections with fifty requests each waits for a few of them."""
    gateway = make.gateway(trusted_proxies=["127.0.0.0/8"])
    *lanes, other = connect(gateway, 41)
    with stopped(gateway):
        for i, lane in enumerate(lanes):
            # From so many clients, or the lines would be folded.
            lane.send(b"".join(request("POST", ingest("nobody"), b"{}", {"X-Forwarded-For": "10.0.%d.%d" % (i, n)})
                               for n in range(50)))
        other.send(request("POST", ingest(), ALERT))
    assert other.read().status == 200
    for lane in lanes:
        assert [lane.read().status for _ in range(50)] == [404] * 50
    gateway.wait_log("alert.rejected", count=2000)
    actions = [record["event.action"] for record in gateway.log.records]
    before = actions[:actions.index("alert.accepted")].count("alert.rejected")
    assert before < 1000
    close(lanes + [other])


def test_fairness_pipeline_of_alerts(make):
    """A pipeline is answered whole and in order, one that is half-closed too."""
    gateway = make.gateway()
    with gateway.connect() as lane:
        lane.send(b"".join(request("POST", ingest(), ALERT) + request("GET", "/-/healthy") for _ in range(100)))
        lane.half_close()
        answers = [lane.read() for _ in range(200)]
        assert [answer.status for answer in answers] == [200] * 200
        traces = [answer.json()["trace_id"] for answer in answers[::2]]
        assert traces == sorted(traces) and len(set(traces)) == 100
        assert lane.read_closed() == b""


def test_fairness_stall(make):
    """§3: header_time is the client's: what is there and waits for its turn is not late, however long we are
    kept from it."""
    gateway = make.gateway(limits={"header_time": "1s"})
    lanes = connect(gateway, 30)
    with stopped(gateway):
        for lane in lanes:
            lane.send(request("GET", "/-/healthy") * 300)
    assert lanes[0].read().status == 200
    with stopped(gateway):
        time.sleep(1.3)
    assert [lanes[0].read().status for _ in range(299)] == [200] * 299
    for lane in lanes[1:]:
        assert [lane.read().status for _ in range(300)] == [200] * 300
    close(lanes)


def large(n):
    return b'{"message": "m", "alert_type": "info", "x": [%s1]}' % (b"1," * n)


@pytest.mark.parametrize("chunked", [False, True])
def test_fairness_large_bodies(make, chunked):
    """An alert behind thirty large ones is taken before most of them, and all are answered."""
    gateway = make.gateway()
    *lanes, other = connect(gateway, 31)
    body = large(15000)
    if chunked:
        data = (request("POST", ingest(), headers={"Transfer-Encoding": "chunked"}) +
                b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    else:
        data = request("POST", ingest(), body)
    with stopped(gateway):
        for lane in lanes:
            lane.send(data)
        other.send(request("POST", ingest(), ALERT))
    trace = other.read().json()["trace_id"]
    traces = [lane.read().json()["trace_id"] for lane in lanes]
    assert sum(found > trace for found in traces) > 20
    close(lanes + [other])


def test_fairness_large_behind_alerts(make):
    """Large bodies have their share while others come in every pass."""
    gateway = make.gateway()
    with gateway.connect() as lane, gateway.connect() as other:
        lane.send(request("POST", ingest(), large(15000)) * 3)
        for _ in range(300):
            assert other.request("POST", ingest(), ALERT).status == 200
        assert [lane.read().status for _ in range(3)] == [200] * 3


def test_fairness_large_and_what_follows(make):
    """What is sent behind a large body, or with an end behind it, is answered as well."""
    gateway = make.gateway()
    with gateway.connect() as lane:
        lane.send((request("POST", ingest(), large(15000)) + request("GET", "/-/healthy")) * 5)
        lane.half_close()
        assert [lane.read().status for _ in range(10)] == [200] * 10
        assert lane.read_closed() == b""


def test_fairness_large_gone(make):
    """Clients that go away while their large bodies wait harm nobody."""
    gateway = make.gateway()
    lanes = connect(gateway, 20)
    with stopped(gateway):
        for lane in lanes:
            lane.send(request("POST", ingest(), large(15000)))
        close(lanes)
    assert gateway.post(ALERT).status == 200


def test_fairness_scrapes_beside_lists(make):
    """§13: whoever asks for many lists keeps nobody from metrics and health."""
    gateway = make.gateway()
    *lanes, scraper, asker = connect(gateway, 102)
    with stopped(gateway):
        for lane in lanes:
            lane.send(request("GET", "/api/incidents/?limit=500"))
        scraper.send(request("GET", "/metrics"))
        asker.send(request("GET", "/-/healthy") + request("GET", "/-/ready"))
    assert scraper.read().status == 200
    assert [asker.read().status for _ in range(2)] == [200, 200]
    statuses = [lane.read().status for lane in lanes]
    assert statuses.count(200) >= 64 and statuses.count(429) > 10 and len(set(statuses)) == 2
    assert scrape(gateway).get("http_rejected_total", reason="rate_limited") == statuses.count(429)
    close(lanes + [scraper, asker])


def test_fairness_unread_answers(make, tmp_path):
    """§1.5: of many connections whose answers are not read those go that have stood still longest, but not
    one that reads, however slowly."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}, {"address": "unix:%s" % (tmp_path / "s")}])
    gateway.send("critical", entity_id="one", summary="x" * 60000)
    path = gateway.addresses()[1]
    ask = request("GET", "/api/incidents/1/") * 10  # more than the kernel holds
    slow, *lanes = [Connection(path) for _ in range(129)]
    for lane in [slow] + lanes:
        lane.send(ask)
    assert slow.read().status == 200  # there is an answer, and no room for all of them
    time.sleep(1.2)
    assert not gateway.logged("server.warning")
    for _ in range(3):
        assert slow.read().status == 200
    more = [Connection(path) for _ in range(5)]
    for lane in more:
        lane.send(ask)
    gateway.wait_log("server.warning", count=4, timeout=5)
    assert all("do not read" in record["message"] for record in gateway.logged("server.warning"))
    assert [slow.read().status for _ in range(6)] == [200] * 6
    assert sum(is_cut(lane) for lane in lanes + more) == len(gateway.logged("server.warning"))
    close([slow] + lanes + more)


def test_fairness_slow_reader(make, tmp_path):
    """§1.5: who reads one long answer bit by bit is not one more each time: nobody ends for it."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}, {"address": "unix:%s" % (tmp_path / "s")}])
    for entity in range(20):
        gateway.send("critical", entity_id=entity, summary="x" * 60000)
    path = gateway.addresses()[1]
    slow, *lanes = [Connection(path) for _ in range(128)]
    for lane in lanes:
        lane.send(request("GET", "/api/incidents/1/") * 10)
    slow.send(request("GET", "/api/incidents/"))
    time.sleep(1.2)
    assert len(slow.read().body) > 1000000
    assert not gateway.logged("server.warning")
    assert not any(is_cut(lane) for lane in lanes)
    close([slow] + lanes)


def is_cut(lane):
    """Whether the connection ended before all ten answers came."""
    try:
        for _ in range(10):
            lane.read()
        return False
    except (Closed, OSError):
        return True
