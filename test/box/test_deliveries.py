"""The log of deliveries (CONTRACT §9), and what status and readiness tell of them (§2, §4)."""

import datetime
import re
import urllib.parse

import pytest

from gateway import SLOW, ingest, until, webhook
from outgoing import DOWN, delivered, failed, life, pair
from receiver import answer, silence
from wire import flood, request

TOKEN, READER = "a-token-of-the-tests-31415926", "a-reading-token-27182818"
HEADER = {"Authorization": "Token " + TOKEN}
TOKENS = [{"name": "ops", "token": TOKEN}, {"name": "eye", "token": READER, "read_only": True}]
ROW = ["id", "webhook", "incident_number", "event_type", "state", "created", "next_attempt",
       "attempt_count", "reason"]
ATTEMPT = ["n", "time", "reason", "status", "reused", "phases_ms"]
PHASES = ["lookup", "connect", "tls", "first_byte", "total"]
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def page(gateway, query="", headers=()):
    response = gateway.get("/api/deliveries" + (query and "?" + query), headers)
    assert response.status == 200, response
    found = response.json()
    assert list(found) == ["results", "next", "previous", "count"]
    return found


def rows(gateway, query=""):
    return page(gateway, query)["results"]


def one(gateway, delivery):
    response = gateway.get("/api/deliveries/" + delivery)
    assert response.status == 200, response
    return response.json()


def state_is(gateway, state, query="", count=1):
    """Waits until exactly `count` rows are in that state; these."""
    def ready():
        found = [row for row in rows(gateway, query) if row["state"] == state]
        return len(found) == count and found
    return until(ready, what="%d rows %s" % (count, state))


def follow(gateway, link):
    """The page behind a link, which must lead to this gateway's log."""
    parts = urllib.parse.urlsplit(link)
    assert parts.path == "/api/deliveries/"
    return page(gateway, parts.query)


def parse(date):
    assert DATE.fullmatch(date), date
    return datetime.datetime.strptime(date, "%Y-%m-%dT%H:%M:%S.%fZ")


# Rows.

def test_deliveries_row(make):
    """§9: the row of a delivered one, the same in the list and alone."""
    gateway, receiver = pair(make)
    gateway.alert("critical")
    delivered(gateway)
    row = state_is(gateway, "delivered")[0]
    assert list(row) == ROW
    assert row["id"] == receiver.requests[0].id and UUID.fullmatch(row["id"])
    assert (row["webhook"], row["incident_number"], row["event_type"]) == ("ops", 1, "triggered")
    assert (row["attempt_count"], row["reason"], row["next_attempt"]) == (1, "ok", None)
    parse(row["created"])
    alone = one(gateway, row["id"])
    assert list(alone) == ROW + ["attempts"]
    assert {key: alone[key] for key in ROW} == row


def test_deliveries_attempts(make):
    """§9: every attempt, oldest first, with its phases in milliseconds."""
    gateway, receiver = pair(make, script=[DOWN, answer(429), answer(200, delay=0.05)],
                             retry=["1s"] * 5)
    gateway.alert("critical")
    for attempt in (1, 2):
        failed(gateway, attempt)
        gateway.advance(1.3)
    delivered(gateway)
    alone = one(gateway, receiver.wait(3)[0].id)
    assert alone["state"] == "delivered" and alone["attempt_count"] == 3
    attempts = alone["attempts"]
    assert [list(attempt) for attempt in attempts] == [ATTEMPT] * 3
    assert [attempt["n"] for attempt in attempts] == [1, 2, 3]
    assert [attempt["reason"] for attempt in attempts] == ["http_5xx", "http_429", "ok"]
    assert [attempt["status"] for attempt in attempts] == [503, 429, 200]
    assert [attempt["reused"] for attempt in attempts] == [False, True, True]
    times = [parse(attempt["time"]) for attempt in attempts]
    assert times == sorted(times)
    for attempt in attempts:
        phases = attempt["phases_ms"]
        assert list(phases) == PHASES
        assert phases["tls"] == 0 and phases["total"] >= phases["first_byte"] > 0
    assert attempts[2]["phases_ms"]["first_byte"] >= 49
    assert attempts[2]["phases_ms"]["total"] < 3000 * SLOW


def test_deliveries_attempt_without_an_answer(make):
    """§9: status null where none came, the reason's word, a time of three seconds or so."""
    gateway, receiver = pair(make, silence(), deadline="200ms")
    gateway.alert("critical")
    failed(gateway)
    row = state_is(gateway, "waiting")[0]
    assert row["reason"] == "timeout" and row["attempt_count"] == 1
    attempt = one(gateway, row["id"])["attempts"][0]
    assert attempt["status"] is None and attempt["reason"] == "timeout"
    assert 190 <= attempt["phases_ms"]["total"] < 1000 * SLOW
    assert attempt["phases_ms"]["first_byte"] == 0


def test_deliveries_states(make):
    """§9: each of the five, as the receiver brings them about."""
    receivers = {"waits": make.receiver(DOWN), "flies": make.receiver(silence()),
                 "done": make.receiver(), "dead": make.receiver(answer(410)),
                 "held": make.receiver()}
    gateway = make.gateway(webhooks=[webhook(name, receiver.url(), retry=["60s"])
                                     for name, receiver in receivers.items()])
    assert gateway.request("POST", "/api/webhooks/held/pause").status == 200
    gateway.alert("critical", entity_id="e")
    state_is(gateway, "waiting", "webhook=waits")
    state_is(gateway, "dead", "webhook=dead")
    state_is(gateway, "delivered", "webhook=done")
    state_is(gateway, "in_flight", "webhook=flies")
    found = {row["webhook"]: row for row in rows(gateway)}
    assert {name: row["state"] for name, row in found.items()} == {
        "waits": "waiting", "flies": "in_flight", "done": "delivered", "dead": "dead",
        "held": "held"}
    assert {name for name, row in found.items() if row["next_attempt"]} == {"waits"}
    wait = parse(found["waits"]["next_attempt"]) - datetime.datetime.utcnow()
    assert 30 < wait.total_seconds() < 80
    assert {name: row["reason"] for name, row in found.items()} == {
        "waits": "http_5xx", "flies": None, "done": "ok", "dead": "http_410", "held": None}
    for name, row in found.items():
        assert [r["webhook"] for r in rows(gateway, "state=" + row["state"])] == [name]


def test_deliveries_held_behind_the_one_before(make):
    """§9: an incident's later events are held while the first one waits."""
    gateway, _ = pair(make, DOWN, retry=["60s"] * 3)
    life(gateway)
    failed(gateway)
    state_is(gateway, "waiting")
    assert [(row["event_type"], row["state"]) for row in rows(gateway)] == [
        ("resolved", "held"), ("acknowledged", "held"), ("triggered", "waiting")]


def test_deliveries_queue_full(make):
    """§8, §9: a dead letter without an attempt says why."""
    gateway, _ = pair(make, DOWN, retry=["60s"], max_waiting=1)
    gateway.alert("critical", entity_id="a")
    gateway.alert("critical", entity_id="b")
    row = state_is(gateway, "dead")[0]
    assert (row["incident_number"], row["attempt_count"], row["reason"]) == (2, 0, "queue_full")
    assert one(gateway, row["id"])["attempts"] == []


@pytest.mark.parametrize("which", ["nonsense", "5", "test", "%00",
                                   "01930000-0000-7000-8000-000000000000"])
def test_deliveries_not_found(empty, which):
    """§2: no such delivery."""
    response = empty.get("/api/deliveries/" + which)
    assert response.status == 404
    assert response.json() == {"detail": "Not Found."}


@pytest.fixture(scope="module")
def empty(make_shared):
    return make_shared.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/")])


# Filters and pages.

@pytest.fixture(scope="module")
def full(make_shared):
    """Two webhooks, one of which refuses: 40 incidents, 3 events each, 2 deliveries of each."""
    good, bad = make_shared.receiver(), make_shared.receiver(answer(410))
    gateway = make_shared.gateway(retry=["1s"], webhooks=[
        webhook("good one", good.url()), webhook("bad", bad.url())])
    for i in range(40):
        life(gateway, "e%d" % i)
        gateway.wait_log("delivery.delivered", 3 * (i + 1))
        if i == 0:
            assert gateway.request("POST", "/api/webhooks/bad/resume").status == 200
            gateway.wait_log("delivery.dead", 2)
    return gateway


def test_deliveries_newest_first(full):
    """§9: newest first; without a filter count is the number of rows."""
    found = page(full, "limit=500")
    ids = [row["id"] for row in found["results"]]
    assert len(ids) == 240 and ids == sorted(ids, reverse=True)
    assert found["count"] == 240 and found["next"] is None and found["previous"] is None
    assert len(page(full)["results"]) == 50


@pytest.mark.parametrize("query, want", [
    ("webhook=good%20one", lambda row: row["webhook"] == "good one"),
    ("webhook=bad", lambda row: row["webhook"] == "bad"),
    ("incident=7", lambda row: row["incident_number"] == 7),
    ("incident=7&webhook=bad", lambda row: row["incident_number"] == 7 and row["webhook"] == "bad"),
    ("incident=4711", lambda row: False),
    ("state=dead", lambda row: row["state"] == "dead"),
    ("state=dead&webhook=bad", lambda row: row["state"] == "dead"),
    ("state=dead&incident=1", lambda row: row["state"] == "dead" and row["incident_number"] == 1),
    ("state=dead&webhook=good%20one", lambda row: False),
    ("state=delivered", lambda row: row["state"] == "delivered"),
    ("state=held&webhook=bad", lambda row: row["state"] == "held"),
    ("state=", lambda row: True),
    ("since=1970-01-01T00:00:00Z", lambda row: True),
    ("since=2999-01-01T00:00:00Z", lambda row: False)])
def test_deliveries_filters(full, query, want):
    """§9: each filter, alone and with another, in pages of every size."""
    wanted = [row for row in page(full, "limit=500")["results"] if want(row)]
    assert query.endswith("=") or len(wanted) < 240 or "1970" in query
    for limit in (1, 7, 500):
        found = page(full, "%s&limit=%d" % (query, limit))
        seen, pages = list(found["results"]), [found]
        while found["next"] and len(pages) < 12:
            assert len(found["results"]) == limit
            found = follow(full, found["next"])
            seen += found["results"]
            pages.append(found)
        assert seen == wanted[:len(seen)]
        assert found["next"] or len(seen) == len(wanted)
        assert {p["count"] for p in pages} == {len(wanted)}


def test_deliveries_since_borders(full):
    """§9: since is a time of creation, in any of RFC 3339's spellings."""
    all_rows = page(full, "limit=500")["results"]
    middle = all_rows[100]["created"]
    wanted = [row for row in all_rows if row["created"] >= middle]
    assert 100 < len(wanted) < 240
    local = (parse(middle) + datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    for since in (middle, middle.replace(":", "%3A"), local + "+02:00", local + "%2B02:00"):
        assert page(full, "limit=500&since=" + since)["results"] == wanted


@pytest.mark.parametrize("query", ["", "webhook=bad&", "state=delivered&"])
def test_deliveries_previous(full, query):
    """§9: previous leads back the way next came."""
    pages = [page(full, query + "limit=20")]
    while pages[-1]["next"]:
        pages.append(follow(full, pages[-1]["next"]))
    assert pages[0]["previous"] is None and len(pages) > 3
    found = pages[-1]
    for earlier in reversed(pages[:-1]):
        found = follow(full, found["previous"])
        assert found["results"] == earlier["results"]
    assert found["previous"] is None


def test_deliveries_pages_while_new_ones_come(make):
    """§9: next carries a key: what comes meanwhile neither repeats a row nor hides one."""
    gateway, _ = pair(make)
    for i in range(10):
        gateway.alert("critical", entity_id="a%d" % i)
    gateway.wait_log("delivery.delivered", 10)
    found = page(gateway, "limit=4")
    numbers = [row["incident_number"] for row in found["results"]]
    while found["next"]:
        gateway.alert("critical")
        found = follow(gateway, found["next"])
        numbers += [row["incident_number"] for row in found["results"]]
    assert numbers == list(range(10, 0, -1))


@pytest.mark.parametrize("query, field", [
    ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"),
    ("limit=99999999999999999999", "limit"), ("page=0", "page"), ("page=nonsense", "page"),
    ("state=lost", "state"), ("state=DEAD", "state"), ("incident=x", "incident"),
    ("incident=0", "incident"), ("incident=-1", "incident"), ("since=yesterday", "since"),
    ("since=2026-13-01T00:00:00Z", "since"), ("since=2026-01-01", "since")])
def test_deliveries_bad_query(empty, query, field):
    """§9: refused, and which field it is."""
    response = empty.get("/api/deliveries?" + query)
    assert response.status == 400
    assert response.json()["detail"].startswith(field + ":")


def test_deliveries_unknown_webhook(empty):
    """§9: a misspelt name is not an empty list."""
    assert empty.get("/api/deliveries?webhook=nobody").status == 404
    assert page(empty, "webhook=ops") == {"results": [], "next": None, "previous": None,
                                          "count": 0}


def test_deliveries_of_a_webhook_that_is_gone(make):
    """§10: dead letters of one that is no longer configured keep its name."""
    gateway, _ = pair(make, DOWN, retry=["60s"])
    gateway.alert("critical")
    failed(gateway)
    gateway.stop()
    gateway.conf["services"][0]["webhooks"] = []
    gateway.start()
    row = state_is(gateway, "dead")[0]
    assert row["webhook"] == "ops"
    assert rows(gateway, "webhook=ops") == [row]
    response = gateway.request("POST", "/api/deliveries/%s/replay" % row["id"])
    assert response.status == 400 and response.json()["detail"].startswith("webhook:")


def test_deliveries_head(full):
    """§2: HEAD is answered without a body, and the connection goes on."""
    with full.connect() as connection:
        connection.send(request("HEAD", "/api/deliveries?limit=3"))
        head = connection.read(bodiless=True)
        assert head.status == 200 and head.body == b""
        again = connection.request("GET", "/api/deliveries?limit=3")
        assert len(again.body) == int(head.header("Content-Length"))


def test_deliveries_pipelined(full):
    """§2: several on one connection are answered in their order."""
    wanted = [request("GET", "/api/deliveries?limit=%d" % (i % 9 + 1)) for i in range(50)]
    with full.connect() as connection:
        connection.send(b"".join(wanted))
        for i in range(50):
            assert len(connection.read().json()["results"]) == i % 9 + 1


# Many rows.

@pytest.fixture(scope="module")
def many(make_shared):
    """12 000 deliveries that are held, and one webhook that has a single one."""
    receiver = make_shared.receiver()
    gateway = make_shared.gateway(webhooks=[
        webhook("held", receiver.url()), webhook("rare", receiver.url(), events=["resolved"])])
    assert gateway.request("POST", "/api/webhooks/held/pause").status == 200
    gateway.alert("critical", entity_id="first")
    gateway.alert("resolved", entity_id="first")
    alerts = [request("POST", ingest(), {
        "message": "m", "alert_type": "critical", "entity_id": "e%d" % i}) for i in range(12000)]
    assert {response.status for response in flood(gateway.address, alerts)} == {200}
    until(lambda: gateway.rows()["deliveries"] == 12003, 30)
    return gateway


def test_deliveries_count_of_many(many):
    """§9: count stops at 10 000 under a filter; without one it is the number of rows."""
    assert page(many, "limit=1")["count"] == 12003
    assert page(many, "limit=1&webhook=held")["count"] == 10000
    assert page(many, "limit=1&state=held")["count"] == 10000
    found = page(many, "webhook=rare")
    assert found["count"] == 1 and len(found["results"]) == 1
    assert found["results"][0]["incident_number"] == 1


def test_deliveries_of_an_incident_among_many(many):
    """§9: an incident's are found by its events, not by looking at every row."""
    many.turns()
    found = page(many, "incident=1")
    assert many.turns()[1] < 5
    assert [row["event_type"] for row in found["results"]] == ["resolved", "resolved", "triggered"]


def test_deliveries_long_walks_hold_nobody_up(many):
    """§1.5: many requests that walk over every row at once; no turn is long, others go on."""
    wanted = request("GET", "/api/deliveries?webhook=rare&limit=5")
    with many.connect() as other:
        connections = [many.connect() for _ in range(40)]
        many.turns()
        for connection in connections:
            connection.send(wanted)
        for _ in range(20):
            assert other.request("GET", "/-/healthy").status == 200
        for connection in connections:
            assert connection.read().json()["count"] == 1
            connection.close()
    longest, count = many.turns()
    assert count > 40 * 6
    assert longest < 5000 * SLOW, longest


def test_deliveries_too_many_walks(many):
    """§2: more than some dozens at a time are told to come again."""
    wanted = request("GET", "/api/deliveries?webhook=rare&limit=5")
    connections = [many.connect() for _ in range(100)]
    for connection in connections:
        connection.send(wanted)
    answers = [connection.read() for connection in connections]
    for connection in connections:
        connection.close()
    assert {response.status for response in answers} == {200, 429}
    for response in answers:
        assert response.status == 200 or int(response.header("Retry-After")) > 0


def test_deliveries_client_goes_away(many):
    """§1.5: who does not wait for a long answer harms nobody."""
    wanted = request("GET", "/api/deliveries?webhook=rare")
    for _ in range(30):
        with many.connect() as connection:
            connection.send(wanted)
    assert page(many, "webhook=rare")["count"] == 1


# Tokens.

@pytest.fixture(scope="module")
def guarded(make_shared):
    receiver = make_shared.receiver()
    return make_shared.gateway(tokens=TOKENS, webhooks=[webhook("ops", receiver.url())])


@pytest.mark.parametrize("path", ["/api/deliveries", "/api/deliveries/x", "/-/ready?detail=1",
                                  "/api/alert/status/x?detail=1"])
def test_deliveries_need_a_token(guarded, path):
    """§2: like everything of the API; a reading one is enough."""
    response = guarded.get(path)
    assert response.status == 401 and response.header("WWW-Authenticate") == "Token"
    assert guarded.get(path, {"Authorization": "Token wrong"}).status == 401
    assert guarded.get(path, {"Authorization": "Token " + READER}).status in (200, 404)


# Status and readiness.

def test_status_detail(make):
    """§4: with a token: rules, entity id, and what each webhook was told."""
    well, ill = make.receiver(), make.receiver(DOWN)
    gateway = make.gateway(tokens=TOKENS, retry=["60s"], webhooks=[
        webhook("well", well.url("/?key=url-secret"),
                auth={"type": "hmac", "key": "hmac-secret"}), webhook("ill", ill.url())])
    trace = gateway.send("critical", entity_id="disk-7", summary="payload-secret")
    delivered(gateway)
    failed(gateway)
    plain = gateway.status(trace)
    assert "detail" not in plain
    response = gateway.get("/api/alert/status/%s/?detail=1" % trace, HEADER)
    assert response.status == 200 and b"secret" not in response.body
    status = response.json()
    detail = status.pop("detail")
    assert status == plain
    assert list(detail) == ["rules", "entity_id", "deliveries"]
    assert detail["rules"] == [] and detail["entity_id"] == "disk-7"
    told = {delivery["webhook"]: delivery for delivery in detail["deliveries"]}
    assert {name: row["state"] for name, row in told.items()} == {
        "well": "delivered", "ill": "waiting"}
    for row in told.values():
        assert list(row) == ["webhook", "state", "attempts", "next_attempt"]
        assert [list(attempt) for attempt in row["attempts"]] == [ATTEMPT]
        assert list(row["attempts"][0]["phases_ms"]) == PHASES
    assert told["well"]["attempts"][0]["status"] == 200
    assert told["ill"]["attempts"][0]["reason"] == "http_5xx"
    assert told["well"]["next_attempt"] is None and parse(told["ill"]["next_attempt"])


def test_status_detail_without_an_event(make):
    """§4: an alert that made none, one that failed, and one that waits."""
    gateway, _ = pair(make)
    path = "/api/alert/status/%s?detail=1"
    detail = gateway.get(path % gateway.send("info", entity_id="x")).json()["detail"]
    assert detail == {"rules": [], "entity_id": "x", "deliveries": []}
    assert gateway.request("POST", "/-/pause").status == 200
    status = gateway.get(path % gateway.send("critical", entity_id="y")).json()
    assert status == {"status": "queued",
                      "detail": {"rules": [], "entity_id": None, "deliveries": []}}


@pytest.mark.parametrize("detail", ["", "0", "2", "true"])
def test_status_detail_only_when_asked(guarded, detail):
    """§4: anything but 1 is the plain answer, which needs no token."""
    trace = guarded.send("info")
    response = guarded.get("/api/alert/status/%s/?detail=%s" % (trace, detail))
    assert response.status == 200 and "detail" not in response.json()


def test_ready_detail(make):
    """§2: each webhook's breaker, pause, and how many wait."""
    ill, slow = make.receiver(DOWN), make.receiver(silence())
    gateway = make.gateway(retry=["1s"] * 9, webhooks=[
        webhook("ill", ill.url()), webhook("slow", slow.url()), webhook("idle", slow.url())])
    assert gateway.get("/-/ready").json() == {"status": "ready"}
    assert gateway.request("POST", "/api/webhooks/idle/pause").status == 200
    for i in range(6):
        gateway.alert("critical", entity_id=i)
    gateway.wait_log("breaker.opened", labels__webhook="ill")
    slow.wait(1)
    ready = gateway.get("/-/ready?detail=1").json()
    assert list(ready) == ["status", "applying_paused", "webhooks"] and ready["status"] == "ready"
    ill, slow, idle = ready["webhooks"]
    assert (ill["webhook"], ill["breaker_open"], ill["paused"], ill["waiting"]) == (
        "ill", True, False, 6)
    assert (slow["webhook"], slow["breaker_open"]) == ("slow", False)
    assert slow["in_flight"] > 0 and slow["waiting"] == 6
    assert idle == {"webhook": "idle", "breaker_open": False, "paused": True, "waiting": 6,
                    "in_flight": 0}
