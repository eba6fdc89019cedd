"""Metrics (CONTRACT §13): every row of its table, from 0 at the start to what happened."""

import re
import signal
import socket
import subprocess
import time

import pytest

from gateway import KEY, OTHER_KEY, SLOW, ingest, integration, until, webhook
from outgoing import landed, life
from receiver import answer, raw, silence
from scrape import Scrape, scrape
from wire import Connection, flood, request

ROUTE = "/integration/{account}/{application}/{key}"
TYPES = ("critical", "error", "warning", "info", "acknowledged", "resolved")
OUTCOMES = ("created", "joined", "acknowledged", "resolved", "suppressed", "alone", "failed")
EVENTS = ("triggered", "acknowledged", "resolved")
REASONS = ("ok", "timeout", "lookup_failed", "connect_failed", "tls_failed", "io_failed", "http_invalid",
           "blocked_address", "http_3xx", "http_4xx", "http_410", "http_429", "http_5xx",
           "response_too_large")
REFUSALS = ("too_large", "bad_request", "header_time", "body_time", "unauthorized", "not_found",
            "rate_limited", "store_full", "draining", "connections")
BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "3", "5", "+Inf")
OF_WEBHOOK = ("deliveries_waiting", "deliveries_in_flight", "dead_letters", "breaker_open", "webhook_paused")
GENERIC = {"service": "Payments", "integration": "Generic"}


def same(found, **want):
    """That the series found are 0 but for those named."""
    assert {key: value for key, value in found.items() if value} == want


# From the start.

def test_metrics_exist_from_the_start(make):
    """§13: every series of a configured webhook, integration and reason, at 0."""
    before = time.time()
    gateway = make.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/")])
    found = scrape(gateway)
    assert set(found.all("alerts_received_total", **GENERIC)) == set(TYPES)
    assert set(found.all("alerts_applied_total", **GENERIC)) == set(OUTCOMES)
    assert set(found.all("http_rejected_total")) == set(REFUSALS)
    assert set(found.all("delivery_attempts_total", webhook="ops")) == set(REASONS)
    assert set(found.all("deliveries_total", webhook="ops")) == {
        (event, result) for event in EVENTS for result in ("delivered", "dead")}
    assert set(found.all("delivery_attempt_duration_seconds_bucket", webhook="ops")) == set(BUCKETS)
    assert found.get("delivery_end_to_end_seconds_count", webhook="ops") == 0
    for name in ("alerts_received_total", "alerts_applied_total", "http_rejected_total",
                 "delivery_attempts_total", "deliveries_total", "delivery_attempt_duration_seconds_bucket"):
        same(found.all(name))
    for name in OF_WEBHOOK:
        assert found.get(name, webhook="ops") == 0
    assert found.get("alerts_ignored_total", **GENERIC) == 0
    assert found.all("incidents_open") == {"triggered": 0, "acknowledged": 0}
    for name in ("traces", "traces_expired_total", "store_errors_total", "log_lines_dropped_total",
                 "store_commit_alerts_sum"):
        assert found.get(name) == 0
    assert re.fullmatch(r"[0-9.]+", *found.all("build_info"))
    for name in ("ready", "config_last_reload_successful", "http_connections"):
        assert found.get(name) == 1
    for name in ("start_time_seconds", "config_last_reload_timestamp_seconds"):
        assert before - 1 <= found.get(name) <= time.time()
    assert found.get("store_commit_duration_seconds_count") == 1  # the names of the configuration
    assert 0 < found.get("loop_turn_duration_seconds_count")
    assert 0 < found.get("store_used_bytes") < found.get("store_limit_bytes") == 64 << 30
    assert {"tocsin_http_requests_total", "tocsin_http_request_duration_seconds"} <= set(found.types)


# Alerts, incidents, traces.

def test_metrics_of_alerts(make):
    """§13: alerts by type and by what became of them; incidents by status; traces."""
    gateway = make.gateway(services=[
        {"name": "Payments", "integrations": [integration(), integration("Other", OTHER_KEY)]},
        {"name": "Resting", "under_maintenance": True,
         "integrations": [integration(key="11111111-2222-4333-8444-555555555555")]}])
    resting = {"service": "Resting", "integration": "Generic"}
    for alert_type in ("critical", "CRITICAL", "error", "acknowledged", "resolved", "resolved"):
        gateway.alert(alert_type, entity_id="e")
    gateway.alert("warning", entity_id="f")
    gateway.alert("info", entity_id="f", suppressed=True)
    gateway.send("critical", key="11111111-2222-4333-8444-555555555555")
    gateway.send("critical", key=OTHER_KEY, entity_id="a")
    gateway.send("critical", key=OTHER_KEY, entity_id="b")
    gateway.send("acknowledged", key=OTHER_KEY, entity_id="b")
    found = scrape(gateway)
    same(found.all("alerts_received_total", **GENERIC),
         critical=2, error=1, acknowledged=1, resolved=2, warning=1, info=1)
    same(found.all("alerts_applied_total", **GENERIC),
         created=1, joined=2, acknowledged=1, resolved=1, alone=2, suppressed=1)
    same(found.all("alerts_received_total", **resting), critical=1)
    same(found.all("alerts_applied_total", **resting), failed=1)
    same(found.all("alerts_applied_total", service="Payments", integration="Other"), created=2, acknowledged=1)
    assert found.all("incidents_open") == {"triggered": 1, "acknowledged": 1}
    assert (found.get("traces"), found.get("traces_expired_total")) == (12, 0)
    assert found.get("store_commit_alerts_sum") == 12
    gateway.restart()
    found = scrape(gateway)
    assert found.all("incidents_open") == {"triggered": 1, "acknowledged": 1}
    assert found.get("traces") == 12
    gateway.advance(3700)
    until(lambda: scrape(gateway).get("traces_expired_total") == 12)
    assert scrape(gateway).get("traces") == 0


def test_metrics_of_queued_alerts(make):
    """§5, §13: received when they are stored, applied when they are applied."""
    gateway = make.gateway()
    assert gateway.request("POST", "/-/pause").status == 200
    for i in range(3):
        gateway.send("critical", entity_id=i)
    found = scrape(gateway)
    same(found.all("alerts_received_total", **GENERIC), critical=3)
    same(found.all("alerts_applied_total", **GENERIC))
    assert (found.get("applying_paused"), found.get("alerts_queued")) == (1, 3)
    assert gateway.get("/-/ready?detail=1").json()["applying_paused"]
    assert gateway.request("POST", "/-/resume").status == 200
    until(lambda: scrape(gateway).get("alerts_applied_total", outcome="created", **GENERIC) == 3)
    found = scrape(gateway)
    same(found.all("alerts_received_total", **GENERIC), critical=3)
    assert (found.get("applying_paused"), found.get("alerts_queued")) == (0, 0)


def test_metrics_of_pauses_after_a_restart(make):
    """§1.6: what is paused stays so over a restart, which says so."""
    gateway = make.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/")])
    assert gateway.request("POST", "/-/pause").status == 200
    assert gateway.request("POST", "/api/webhooks/ops/pause").status == 200
    gateway.wait_log("server.warning", 2)
    since = gateway.mark()
    gateway.restart()
    told = [line["message"] for line in gateway.logged("server.warning", since)]
    assert [line.split(":")[0] for line in told] == ["applying alerts is paused", "the webhook is paused"]
    assert gateway.logged("server.warning", since, labels__webhook="ops")
    assert scrape(gateway).get("applying_paused") == 1
    for path in ("/-/resume", "/api/webhooks/ops/resume"):
        assert gateway.request("POST", path).status == 200
    gateway.wait_log("server.warning", 6)
    since = gateway.mark()
    gateway.restart()
    assert not gateway.logged("server.warning", since)


def test_metrics_of_failed_turns(make):
    """§1.6, §13: what was not stored did not happen; that it failed is counted."""
    receiver = make.receiver(answer(200, delay=0.3))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.alert("critical", entity_id="e")
    before = scrape(gateway)
    for alert_type in ("acknowledged", "resolved", "critical"):
        gateway.fail_commit()
        assert gateway.post({"message": "m", "alert_type": alert_type, "entity_id": "e"}).status == 503
    after = scrape(gateway)
    for name in ("alerts_received_total", "alerts_applied_total", "incidents_open", "deliveries_total",
                 "traces", "store_commit_alerts_sum"):
        assert before.all(name) == after.all(name), name
    assert after.get("store_errors_total") == 3
    assert after.get("http_rejected_total", reason="store_full") == 3
    assert after.get("http_requests_total", route=ROUTE, method="POST", code=503) == 3
    gateway.fail_commit(3)  # of the outcome, which is filed again until it lasts
    gateway.wait_log("delivery.delivered")
    after = scrape(gateway)
    assert after.get("deliveries_total", webhook="ops", event_type="triggered", result="delivered") == 1
    assert after.get("delivery_end_to_end_seconds_count", webhook="ops") == 1
    assert after.get("delivery_attempts_total", webhook="ops", reason="ok") == 1


def test_metrics_of_dry_runs(make):
    """§7, §13: what only would happen is not counted, not even with a webhook whose queue is full."""
    receiver = make.receiver(silence())
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), max_waiting=1)])
    gateway.alert("critical", entity_id="e")
    before = scrape(gateway)
    for alert_type in ("critical", "resolved"):
        for entity_id in ("e", "other"):
            body = {"message": "m", "alert_type": alert_type, "entity_id": entity_id}
            assert gateway.request("POST", "/api/try/" + KEY, body).status == 200
    after = scrape(gateway)
    for name in ("alerts_received_total", "alerts_applied_total", "incidents_open", "deliveries_total",
                 "dead_letters", "deliveries_waiting", "traces", "store_commit_alerts_count"):
        assert before.all(name) == after.all(name), name
    assert gateway.alert("critical", entity_id="other")["is_incident_created"]
    assert scrape(gateway).get("dead_letters", webhook="ops") == 1


# Requests.

def connections_open(gateway, count):
    opened = [Connection(gateway.address) for _ in range(count)]
    for connection in opened:
        assert connection.request("GET", "/-/healthy").status == 200
    return opened


def test_metrics_of_requests(make):
    """§13: requests by route, method and status, each with its duration; reasons of refusals."""
    gateway = make.gateway(tokens=[{"name": "t", "token": "0123456789abcdef", "read_only": True}],
                           limits={"body": "1KiB", "header_time": "300ms", "body_time": "300ms"})
    token = {"Authorization": "Token 0123456789abcdef"}
    gateway.send("critical")
    gateway.post(b"[")                                                       # bad_request
    gateway.post(b"x" * 2000)                                                # too_large
    gateway.post({"message": "m"}, key=OTHER_KEY)                            # not_found
    gateway.get("/nothing")                                                  # not_found
    gateway.request("DELETE", "/api/incidents")                              # not_found: 405
    gateway.get("/api/incidents", {"Authorization": "Token x"})              # unauthorized: 401
    gateway.request("POST", "/-/pause", headers=token)                       # unauthorized: 403
    assert gateway.get("/api/incidents", token).status == 200
    with gateway.connect() as connection:
        connection.send(request("HEAD", "/-/ready"))
        assert connection.read(bodiless=True).status == 200
        connection.send(b"no request\r\n\r\n")                              # bad_request
        assert connection.read().status == 400
    for text, status in ((b"GET /", 408), (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", 408),
                         (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: " + b"x" * 20000, 431)):
        with gateway.connect() as connection:
            connection.send(text)
            assert connection.read().status == status
    found = scrape(gateway)
    same(found.all("http_rejected_total"), bad_request=3, too_large=2, not_found=3, unauthorized=2,
         header_time=1, body_time=1)
    requests = found.all("http_requests_total")  # by code, method, route
    assert requests == {
        ("200", "POST", ROUTE): 1, ("400", "POST", ROUTE): 1, ("404", "POST", ROUTE): 1,
        ("413", "other", "none"): 1, ("404", "GET", "none"): 1, ("405", "DELETE", "none"): 1,
        ("401", "GET", "/api/incidents"): 1, ("200", "GET", "/api/incidents"): 1,
        ("403", "POST", "/-/pause"): 1, ("200", "HEAD", "/-/ready"): 1, ("408", "other", "none"): 2,
        ("400", "other", "none"): 2, ("431", "other", "none"): 1}
    assert found.all("http_request_duration_seconds_count") == requests
    took = found.get("http_request_duration_seconds_sum", route=ROUTE, method="POST", code=200)
    assert 0 < took < 1 * SLOW
    assert scrape(gateway).get("http_requests_total", route="/metrics", method="GET", code=200) == 1


def test_metrics_of_connections(make):
    """§13: how many are open, and that accepting stopped at the limit."""
    gateway = make.gateway(limits={"connections": 5})
    opened = connections_open(gateway, 5)
    found = Scrape(opened[0].request("GET", "/metrics").body.decode())
    assert found.get("http_connections") == 5
    assert found.get("http_rejected_total", reason="connections") == 0
    with Connection(gateway.address):
        def counted():
            text = opened[0].request("GET", "/metrics").body.decode()
            return Scrape(text).get("http_rejected_total", reason="connections")
        until(counted)
    for connection in opened:
        connection.close()
    until(lambda: scrape(gateway).get("http_connections") == 1)


def test_metrics_while_draining(make):
    """§2, §13: served to the last, and not ready."""
    gateway = make.gateway(drain="10s")
    gateway.signal(signal.SIGTERM)
    gateway.wait_log("server.draining")
    assert scrape(gateway).get("ready") == 0
    assert gateway.get("/-/ready").status == 503
    same(scrape(gateway).all("http_rejected_total"))  # that was an answer, not a refusal
    gateway.stop()


def test_metrics_rate_limited(make):
    """§13: 429 is counted, here for one test of a webhook too many."""
    receiver = make.receiver(silence())
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), deadline="1s")])
    lanes = [gateway.connect() for _ in range(17)]
    for lane in lanes:
        lane.send(request("POST", "/api/webhooks/ops/test"))
    assert sorted(lane.read().status for lane in lanes) == [200] * 16 + [429]
    found = scrape(gateway)
    same(found.all("http_rejected_total"), rate_limited=1)
    same(found.all("delivery_attempts_total"))  # a test is no delivery


# Deliveries.

def test_metrics_of_deliveries(make):
    """§13: attempts by reason, deliveries by event and result, and each webhook's state."""
    good, refusing, gone = make.receiver(), make.receiver(answer(404)), make.receiver(answer(410))
    failing = make.receiver(script=[answer(500), answer(429), raw(b"what\r\n\r\n"), answer(302)])
    retry = ["100ms"] * 6
    gateway = make.gateway(webhooks=[
        webhook("good", good.url()), webhook("refusing", refusing.url(), retry=retry, events=["triggered"]),
        webhook("gone", gone.url(), events=["resolved"]), webhook("failing", failing.url(), retry=retry),
        webhook("blocked", "http://10.1.2.3/", retry=["1h"])])
    life(gateway)
    until(lambda: gateway.rows()["lanes"] == 3, 20)  # all but what is blocked
    found = scrape(gateway)
    for event in EVENTS:
        assert found.get("deliveries_total", webhook="good", event_type=event, result="delivered") == 1
        assert found.get("deliveries_total", webhook="failing", event_type=event, result="delivered") == 1
    same(found.all("deliveries_total", webhook="refusing", event_type="triggered"), dead=1)
    same(found.all("deliveries_total", webhook="gone", event_type="resolved"), dead=1)
    assert sum(found.all("deliveries_total").values()) == 8
    same(found.all("delivery_attempts_total", webhook="good"), ok=3)
    same(found.all("delivery_attempts_total", webhook="refusing"), http_4xx=4)
    same(found.all("delivery_attempts_total", webhook="gone"), http_410=1)
    same(found.all("delivery_attempts_total", webhook="failing"),
         http_5xx=1, http_429=1, http_invalid=1, http_3xx=1, ok=3)
    same(found.all("delivery_attempts_total", webhook="blocked"), blocked_address=1)
    same(found.all("dead_letters"), refusing=1, gone=1)
    same(found.all("webhook_paused"), gone=1)
    same(found.all("deliveries_waiting"), blocked=3)
    same(found.all("deliveries_in_flight"))
    assert found.get("delivery_attempt_duration_seconds_count", webhook="failing") == 7
    assert found.get("delivery_end_to_end_seconds_count", webhook="failing") == 3
    waited = found.get("delivery_end_to_end_seconds_sum", webhook="failing")
    assert waited > 3 * 0.3 > 0.3 > found.get("delivery_end_to_end_seconds_sum", webhook="good") / SLOW


def test_metrics_of_a_dead_receiver(make):
    """§8, §13: the breaker, what waits, time-outs by the second; it all survives a restart but the
    counters."""
    receiver = make.receiver(silence())
    hook = webhook("ops", receiver.url(), deadline="100ms", max_waiting=5, retry=["1h"])
    gateway = make.gateway(webhooks=[hook])
    for i in range(9):
        gateway.send("critical", entity_id=i)
    gateway.wait_log("breaker.opened")
    found = scrape(gateway)
    assert found.get("breaker_open", webhook="ops") == 1
    assert found.get("deliveries_waiting", webhook="ops") == 5
    assert found.get("dead_letters", webhook="ops") == 4  # queue_full, without an attempt
    same(found.all("deliveries_total", webhook="ops", event_type="triggered"), dead=4)
    landed(gateway)
    found = scrape(gateway)
    same(found.all("delivery_attempts_total", webhook="ops"), timeout=5)
    assert found.get("delivery_attempt_duration_seconds_bucket", webhook="ops", le="0.05") == 0
    assert found.get("delivery_attempt_duration_seconds_sum", webhook="ops") >= 0.45
    gateway.restart()
    found = scrape(gateway)
    assert found.get("dead_letters", webhook="ops") == 4
    assert found.get("deliveries_waiting", webhook="ops") == 5
    same(found.all("deliveries_total"))
    receiver.behaviour = answer(200)
    gateway.request("POST", "/api/webhooks/ops/resume")
    until(lambda: gateway.rows()["lanes"] == 0)
    assert gateway.request("POST", "/api/deliveries/replay", {
        "webhook": "ops", "state": "dead", "since": "2020-01-01T00:00:00Z"}).status == 202
    until(lambda: gateway.rows()["dead"] == gateway.rows()["lanes"] == 0)
    found = scrape(gateway)
    same(found.all("dead_letters"))
    assert found.get("deliveries_total", webhook="ops", event_type="triggered", result="delivered") == 9


def test_metrics_in_flight(make):
    """§13: attempts under way, while they are."""
    receiver = make.receiver(silence())
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.send("critical")
    receiver.wait()
    assert scrape(gateway).get("deliveries_in_flight", webhook="ops") == 1
    assert scrape(gateway).get("deliveries_waiting", webhook="ops") == 1


# The loop, the store, the log.

def test_metrics_of_the_loop(make):
    """§13: turns and commits, and how many alerts shared one."""
    gateway = make.gateway()
    alerts = [request("POST", ingest(), {"message": "m", "alert_type": "info"}) for _ in range(3000)]
    assert {response.status for response in flood(gateway.address, alerts, 32)} == {200}
    found = scrape(gateway)
    assert found.get("store_commit_alerts_sum") == 3000
    commits = found.get("store_commit_alerts_count")
    assert commits == found.get("store_commit_duration_seconds_count")
    assert commits <= found.get("loop_turn_duration_seconds_count")
    assert found.get("store_commit_alerts_bucket", le="32") == commits  # one for each connection
    assert found.get("store_commit_alerts_bucket", le="1") < commits / 2
    assert 0 < found.get("store_commit_duration_seconds_sum") < found.get("loop_turn_duration_seconds_sum")
    until(lambda: scrape(gateway).get("store_used_bytes") > 3000 * 100)  # it looks once a second


def test_metrics_of_the_log(make):
    """§12, §13: lines that a stalled reader made us drop."""
    gateway = make.gateway()
    alerts = [request("POST", ingest(), {"message": "m", "alert_type": "info"}) for _ in range(6000)]
    with gateway.log.changed:  # its reader cannot go on
        flood(gateway.address, alerts)
        dropped = scrape(gateway).get("log_lines_dropped_total")
    assert dropped > 0
    told = gateway.wait_log("log.dropped")["message"]
    until(lambda: sum(int(re.match(r"\d+", line["message"])[0]) for line in gateway.logged("log.dropped"))
          == scrape(gateway).get("log_lines_dropped_total"), what=told)


# What strangers can do.

def test_metrics_labels_are_ours(make):
    """§13: no path, method, key or body of a stranger becomes a series."""
    gateway = make.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/")])
    gateway.send("info")
    gateway.get("/x")
    gateway.request("BREW", "/x")
    known = set(scrape(gateway).series) | set(scrape(gateway).series)
    for i in range(200):
        gateway.request("GET", "/x%d" % i)
        gateway.request("M%d" % i, "/x")
        gateway.send("info", entity_id=i, service="s%d" % i)
        gateway.post({"message": "m", "alert_type": "t%d" % i})
        gateway.post({"message": "m", "alert_type": "info"}, key="k%d" % i)
        gateway.get("/api/alert/status/%d" % i)
        gateway.request("POST", "/api/webhooks/w%d/test" % i)
        gateway.request("POST", "/api/webhooks/w%d/pause" % i)
    new = {(name, dict(labels).get("route"), dict(labels).get("code"))
           for name, labels in set(scrape(gateway).series) - known}
    assert {route for _, route, _ in new} == {
        ROUTE, "/api/alert/status/{trace_id}", "/api/webhooks/{name}/test", "/api/webhooks/{name}/pause"}
    assert {code for _, _, code in new} == {"400", "404"}


NAMES = ['a"} 1 tocsin_ready 0 # {', "back\\slash\\n", "smile \U0001f600 \u00e9", "a{b=\"c\"},"]


def test_metrics_names_are_escaped(make):
    """§13: names of the configuration are what they are, and nothing else."""
    gateway = make.gateway(
        service={"name": NAMES[0]}, integrations=[integration(NAMES[1])],
        webhooks=[webhook(name, "http://127.0.0.1:1/") for name in NAMES])
    found = scrape(gateway)
    assert set(found.all("breaker_open")) == set(NAMES)
    assert found.get("ready") == 1
    assert found.get("alerts_received_total", service=NAMES[0], integration=NAMES[1], alert_type="info") == 0


# The answer itself.

def test_metrics_where(make):
    """§2: on surface ops, without a token, so that a Prometheus needs no secret."""
    token = {"name": "t", "token": "0123456789abcdef"}
    gateway = make.gateway(tokens=[token], listen=[{"address": "127.0.0.1:0", "serve": ["ops"]}])
    assert scrape(gateway).get("ready") == 1
    assert gateway.request("POST", "/metrics").header("Allow") == "GET, HEAD"
    without = make.gateway(listen=[{"address": "127.0.0.1:0", "serve": ["ingest", "status", "api"]}])
    assert without.get("/metrics").status == 404


def test_metrics_to_old_and_brief_clients(make):
    """§2: chunked for HTTP/1.1, up to the end of the connection for 1.0, without a body for HEAD."""
    gateway = make.gateway()
    with gateway.connect() as connection:
        connection.send(request("GET", "/metrics", version="1.0"))
        head, _, body = connection.read_closed().partition(b"\r\n\r\n")
        assert b"Transfer-Encoding" not in head and b"Connection: close" in head
        assert Scrape(body.decode()).get("ready") == 1
    with gateway.connect() as connection:
        connection.send(request("HEAD", "/metrics"))
        assert connection.read(bodiless=True).header("Transfer-Encoding") == "chunked"
        connection.send(request("GET", "/metrics") + request("GET", "/-/healthy"))
        assert Scrape(connection.read().body.decode()).get("ready") == 1
        assert connection.read().json() == {"status": "healthy"}


@pytest.fixture(scope="module")
def large(make_shared):
    """A gateway with a thousand webhooks and a thousand integrations."""
    hooks = [webhook("a-webhook-%d" % i, "http://127.0.0.1:1/") for i in range(1000)]
    return make_shared.gateway(services=[
        {"name": "Service %d" % i, "webhooks": hooks[i * 100:i * 100 + 100],
         "integrations": [integration("Integration %d" % n, "k%d-%d" % (i, n)) for n in range(100)]}
        for i in range(10)])


def worked(gateway):
    """Seconds that the process has run, which a busy machine does not lengthen much."""
    with open("/proc/%d/schedstat" % gateway.process.pid, encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def test_metrics_large(large):
    """§1.5: a scrape of a thousand webhooks and integrations holds nobody up: many short turns."""
    large.turns()
    before = worked(large)
    found = scrape(large)
    took = worked(large) - before
    longest, turns = large.turns()
    print("%d series, %d bytes, %.1f ms in %d turns, the longest one %.1f ms" % (
        len(found.series), len(found.text), took * 1000, turns, longest / 1000))
    assert len(found.all("webhook_paused")) == 1000
    assert len(found.all("alerts_applied_total")) == 7000
    assert turns > 100
    assert took / turns < 0.001 * SLOW


def test_metrics_slow_scrapers(large):
    """§1.5: clients that ask and do not read cost little, and wait for themselves only."""
    before, slow = large.memory(), []
    for _ in range(8):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(large.address)
        sock.sendall(request("GET", "/metrics"))
        slow.append(sock)
    until(lambda: large.get("/metrics").status == 429)
    assert large.get("/metrics").header("Retry-After") == "1"
    assert SLOW > 1 or large.memory() - before < 4 << 20  # a sanitizer gives nothing back
    for _ in range(100):
        assert large.get("/-/healthy").status == 200
    slow[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    with Connection(None, sock=slow[0]) as connection:  # one of them reads on
        assert len(Scrape(connection.read().body.decode()).all("webhook_paused")) == 1000
    for sock in slow[1:]:
        sock.close()
    until(lambda: large.get("/metrics").status == 200)


def test_metrics_checked_by_promtool(make):
    """§13: what Prometheus' own tool has to say about it: nothing."""
    gateway = make.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/")])
    gateway.send("critical")
    text = scrape(gateway).text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True,
                             timeout=30 * SLOW)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
