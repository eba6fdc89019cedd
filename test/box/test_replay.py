"""Replay, dead letters, and tests of a webhook (CONTRACT §8, §9); sent again after a crash (§1.3)."""

import re
import threading

import pytest

from gateway import SLOW, ingest, until, webhook
from outgoing import DOWN, EVENTS, delivered, failed, life, pair
from receiver import answer, held, sign, silence
from wire import flood, request

GONE = answer(410)


def rows(gateway, query=""):
    response = gateway.get("/api/deliveries?limit=500&" + query)
    assert response.status == 200, response
    return response.json()["results"]


def one(gateway, delivery):
    return gateway.get("/api/deliveries/" + delivery).json()


def state_is(gateway, state, count, query=""):
    def ready():
        found = [row for row in rows(gateway, query) if row["state"] == state]
        return len(found) == count and found
    return until(ready, 10, "%d rows %s" % (count, state))


def replay(gateway, delivery):
    response = gateway.request("POST", "/api/deliveries/%s/replay" % delivery)
    assert response.status == 202, response
    return response.json()


def replay_many(gateway, **body):
    response = gateway.request("POST", "/api/deliveries/replay", body)
    assert response.status == 202, response
    return response.json()["replayed"]


def resume(gateway, name="ops"):
    assert gateway.request("POST", "/api/webhooks/%s/resume" % name).status == 200


def pause(gateway, name="ops"):
    assert gateway.request("POST", "/api/webhooks/%s/pause" % name).status == 200


# One.

def test_replay_dead(make):
    """§8: a dead letter goes again at once, under its id, its attempts counted on."""
    gateway, receiver = pair(make, script=[DOWN, DOWN], retry=["1s"])
    gateway.alert("critical")
    failed(gateway)
    gateway.advance(1.3)
    row = state_is(gateway, "dead", 1)[0]
    assert row["attempt_count"] == 2 and gateway.rows()["dead"] == 1
    put_back = replay(gateway, row["id"])
    assert put_back["id"] == row["id"] and put_back["state"] in ("held", "in_flight")
    assert put_back["next_attempt"] is None and put_back["attempt_count"] == 2
    delivered(gateway)
    requests = receiver.wait(3)
    assert [r.attempt for r in requests] == [1, 2, 3]
    assert len({r.id for r in requests}) == len({r.body for r in requests}) == 1
    attempts = one(gateway, row["id"])["attempts"]
    assert [(a["n"], a["reason"]) for a in attempts] == [
        (1, "http_5xx"), (2, "http_5xx"), (3, "ok")]
    counted = gateway.rows()
    assert (counted["dead"], counted["lanes"], counted["due"]) == (0, 0, 0)


def test_replay_delivered(make):
    """§8: what was delivered is delivered again."""
    gateway, receiver = pair(make)
    gateway.alert("critical")
    delivered(gateway)
    row = state_is(gateway, "delivered", 1)[0]
    replay(gateway, row["id"])
    delivered(gateway, 2)
    first, second = receiver.wait(2)
    assert (first.id, first.body) == (second.id, second.body)
    assert (first.attempt, second.attempt) == (1, 2)
    receiver.quiet(2)


def test_replay_runs_the_whole_schedule(make):
    """§8: the schedule begins anew, refusals too."""
    gateway, receiver = pair(make, answer(404), retry=["1s"] * 9)
    gateway.alert("critical")
    for attempt in (1, 2, 3):
        failed(gateway, attempt)
        gateway.advance(1.3)
    row = state_is(gateway, "dead", 1)[0]
    replay(gateway, row["id"])
    for attempt in (4, 5, 6):
        failed(gateway, attempt)
        gateway.advance(1.3)
    row = state_is(gateway, "dead", 1)[0]
    assert row["attempt_count"] == 8 == len(receiver.requests)


def test_replay_hastens(make):
    """§8: one that waits for its time is due now."""
    gateway, receiver = pair(make, script=[DOWN], retry=["3600s"])
    gateway.alert("critical")
    failed(gateway)
    row = state_is(gateway, "waiting", 1)[0]
    assert replay(gateway, row["id"])["next_attempt"] is None
    delivered(gateway)
    assert gateway.rows()["due"] == 0
    gateway.advance(5000)
    receiver.quiet(2)


def test_replay_of_one_in_flight(make):
    """§8: one that is being delivered is not sent twice for it."""
    gateway, receiver = pair(make, answer(200, delay=0.3))
    gateway.alert("critical")
    row = state_is(gateway, "in_flight", 1)[0]
    assert replay(gateway, row["id"])["state"] == "in_flight"
    delivered(gateway)
    receiver.quiet(1)


def test_replay_paused(make):
    """§2: a pause holds what is replayed too."""
    gateway, receiver = pair(make)
    gateway.alert("critical")
    row = state_is(gateway, "delivered", 1)[0]
    pause(gateway)
    replay(gateway, row["id"])
    receiver.quiet(1)
    assert one(gateway, row["id"])["state"] == "held"
    resume(gateway)
    receiver.wait(2)


def test_replay_lasts(make):
    """§1.1: a replay that was answered outlives a crash."""
    gateway, receiver = pair(make)
    gateway.alert("critical")
    row = state_is(gateway, "delivered", 1)[0]
    pause(gateway)
    replay(gateway, row["id"])
    gateway.kill9()
    gateway.start()
    assert one(gateway, row["id"])["state"] == "held"
    resume(gateway)
    assert receiver.wait(2)[1].id == row["id"]


def test_replay_not_stored(make):
    """§1.6: a replay that could not be stored is a 503 and never was."""
    gateway, receiver = pair(make)
    gateway.alert("critical")
    row = state_is(gateway, "delivered", 1)[0]
    gateway.fail_commit()
    response = gateway.request("POST", "/api/deliveries/%s/replay" % row["id"])
    assert response.status == 503 and int(response.header("Retry-After")) > 0
    gateway.fail_commit()
    response = gateway.request("POST", "/api/deliveries/replay",
                               {"webhook": "ops", "state": "delivered"})
    assert response.status == 503 and int(response.header("Retry-After")) > 0
    receiver.quiet(1)
    assert one(gateway, row["id"]) == {**one(gateway, row["id"]), **row}
    assert gateway.get("/-/ready?detail=1").json()["webhooks"][0]["waiting"] == 0


@pytest.mark.parametrize("which", ["nonsense", "01930000-0000-7000-8000-000000000000"])
def test_replay_not_found(make, which):
    """§9: no such delivery."""
    gateway, _ = pair(make)
    response = gateway.request("POST", "/api/deliveries/%s/replay" % which)
    assert response.status == 404 and response.json() == {"detail": "Not Found."}


# The order within an incident.

def test_replay_goes_before_later_events(make):
    """§1.3: put back in front of events that still wait, it goes first."""
    gateway, receiver = pair(make, script=[GONE])
    life(gateway)
    row = state_is(gateway, "dead", 1)[0]
    receiver.quiet(1)
    replay(gateway, row["id"])
    receiver.quiet(1)
    resume(gateway)
    receiver.wait(4)
    assert receiver.events() == ["triggered"] + EVENTS


def test_replay_waits_for_a_later_event_in_flight(make):
    """§1.3: two events of an incident are never on their way at the same time."""
    script = [GONE, answer(200, delay=0.4)]
    gateway, receiver = pair(make, script=script)
    life(gateway)
    row = state_is(gateway, "dead", 1)[0]
    resume(gateway)
    receiver.wait(2)
    replay(gateway, row["id"])
    requests = receiver.wait(4)
    assert receiver.events() == ["triggered", "acknowledged", "triggered", "resolved"]
    assert requests[2].time - requests[1].time >= 0.39
    assert requests[2].id == requests[0].id


def test_replay_waits_for_a_later_event_that_fails(make):
    """§1.3: nor does it matter how that one ends."""
    gateway, receiver = pair(make, script=[GONE, answer(503, delay=0.3)], retry=["3600s"])
    life(gateway)
    row = state_is(gateway, "dead", 1)[0]
    resume(gateway)
    receiver.wait(2)
    replay(gateway, row["id"])
    receiver.wait(3)
    gateway.advance(4800)
    receiver.wait(5)
    assert receiver.events() == ["triggered", "acknowledged", "triggered", "acknowledged",
                                 "resolved"]


# Many.

def test_replay_many_dead(make):
    """§9: a webhook's dead letters, all of them, and of each incident in order."""
    gateway, receiver = pair(make, GONE)
    for i in range(20):
        life(gateway, "e%d" % i)
    while gateway.rows()["dead"] < 60:
        until(lambda: gateway.get("/-/ready?detail=1").json()["webhooks"][0]["paused"])
        resume(gateway)
    assert gateway.rows()["dead"] == 60
    with receiver.changed:
        receiver.requests.clear()
        receiver.behaviour = answer(200)
    pause(gateway)
    assert replay_many(gateway, webhook="ops", state="dead") == 60
    assert gateway.rows()["dead"] == 0 and gateway.rows()["lanes"] == 60
    assert replay_many(gateway, webhook="ops") == 0
    resume(gateway)
    receiver.wait(60)
    for i in range(20):
        of_it = [r.event for r in receiver.requests if r.incident["incident_key"] == "e%d" % i]
        assert of_it == EVENTS
    state_is(gateway, "delivered", 60)


@pytest.fixture(scope="module")
def spread(make_shared):
    """Ten dead letters, a minute between them; the webhook is paused."""
    receiver = make_shared.receiver(GONE)
    gateway = make_shared.gateway(webhooks=[
        webhook("ops", receiver.url()), webhook("other", receiver.url(), events=["resolved"])])
    for i in range(10):
        gateway.alert("critical", entity_id="e%d" % i)
        gateway.wait_log("delivery.dead", i + 1)
        resume(gateway)
        gateway.advance(60)
    pause(gateway)
    return gateway


def test_replay_many_time(spread):
    """§9: since and until, the one within, the other not."""
    created = [row["created"] for row in reversed(rows(spread))]
    assert replay_many(spread, webhook="ops", since="2999-01-01T00:00:00Z") == 0
    assert replay_many(spread, webhook="ops", until=created[0]) == 0
    assert replay_many(spread, webhook="ops", since=created[4], until=created[3]) == 0
    assert replay_many(spread, webhook="other") == 0
    assert replay_many(spread, webhook="ops", state="delivered") == 0
    assert replay_many(spread, webhook="ops", since=created[2], until=created[5]) == 3
    assert [row["incident_number"] for row in rows(spread, "state=held")] == [5, 4, 3]
    assert replay_many(spread, webhook="ops", until=created[1], state="dead") == 1
    assert replay_many(spread, webhook="ops", since=created[8]) == 2
    assert [row["incident_number"] for row in rows(spread, "state=dead")] == [8, 7, 6, 2]


@pytest.mark.parametrize("body, field", [
    (b"", "body"), (b"{", "body"), ([], "body"), ("ops", "body"), ({}, "webhook"),
    ({"webhook": 7}, "webhook"), ({"webhook": None}, "webhook"),
    ({"webhook": "ops", "since": "yesterday"}, "since"),
    ({"webhook": "ops", "until": "2026-13-01T00:00:00Z"}, "until"),
    ({"webhook": "ops", "until": 1763715600}, "until"),
    ({"webhook": "ops", "state": "held"}, "state"), ({"webhook": "ops", "state": ["dead"]}, "state"),
    ({"webhook": "ops", "sinse": "2026-01-01T00:00:00Z"}, "sinse"),
    ({"webhook": "ops", "\"\n\u00e9": ""}, "\"\n\u00e9"), ({"webhook": "ops", "x" * 3000: ""}, "")])
def test_replay_many_bad_body(spread, body, field):
    """§9: refused, and which field it is."""
    before = spread.rows()
    response = spread.request("POST", "/api/deliveries/replay", body)
    assert response.status == 400, response
    assert response.json()["detail"].startswith(field)
    assert spread.rows() == before


def test_replay_many_unknown_webhook(spread):
    """§9: no such webhook."""
    response = spread.request("POST", "/api/deliveries/replay", {"webhook": "nobody"})
    assert response.status == 404 and response.json() == {"detail": "Not Found."}


def test_replay_needs_a_writing_token(make):
    """§2: changes are not for those who may only read."""
    gateway = make.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/")], tokens=[
        {"name": "eye", "token": "a-reading-token-27182818", "read_only": True}])
    for path in ("/api/deliveries/replay", "/api/deliveries/x/replay", "/api/webhooks/ops/test"):
        assert gateway.request("POST", path, {}).status == 401
        header = {"Authorization": "Token a-reading-token-27182818"}
        assert gateway.request("POST", path, {}, header).status == 403


def test_replay_of_thousands(make):
    """§9: in steps: no turn is long, others are served meanwhile, every one is sent once more."""
    gateway, receiver = pair(make, max_waiting=1000, retry=["60s"])
    pause(gateway)
    alerts = [request("POST", ingest(), {
        "message": "m", "alert_type": "critical", "entity_id": "e%d" % i}) for i in range(6000)]
    assert {response.status for response in flood(gateway.address, alerts)} == {200}
    assert gateway.rows()["dead"] == 5000
    resume(gateway)
    until(lambda: gateway.rows()["lanes"] == 0, 30, "the first thousand")
    pause(gateway)
    gateway.turns()
    with gateway.connect() as one_more, gateway.connect() as other:
        one_more.send(request("POST", "/api/deliveries/replay", {"webhook": "ops"}))
        for _ in range(20):
            assert other.request("GET", "/-/healthy").status == 200
        response = one_more.read()
    longest, count = gateway.turns()
    assert (response.status, response.json()) == (202, {"replayed": 1000})  # §8: there is no more room
    assert count >= 4 and longest < 5000 * SLOW, longest
    assert gateway.rows()["dead"] == 4000
    resume(gateway)
    done = 2000
    while done < 6000:
        until(lambda: gateway.rows()["lanes"] == 0, 30, "the lanes to empty")
        done += replay_many(gateway, webhook="ops")
    until(lambda: gateway.rows()["lanes"] == 0, 30, "the lanes to empty")
    assert gateway.rows()["dead"] == 0
    assert len({r.id for r in receiver.requests}) == len(receiver.requests) == 6000


# Sent again after a crash.

def test_replay_after_a_crash_in_between(make):
    """§1.3: killed between an attempt and its record: sent again, same id, recorded once."""
    failing = threading.Event()
    gateway, receiver = pair(make, held(failing))
    gateway.alert("critical", entity_id="e")
    receiver.wait(1)
    gateway.fail_commit(1000)
    mark = gateway.mark()
    failing.set()
    gateway.wait_log("server.warning", since=mark)
    assert not gateway.logged("delivery.delivered")
    gateway.kill9()
    gateway.start()
    delivered(gateway)
    first, second = receiver.wait(2)
    assert (first.id, first.body, first.attempt) == (second.id, second.body, second.attempt)
    receiver.quiet(2)
    row = one(gateway, first.id)
    assert (row["state"], row["attempt_count"]) == ("delivered", 1)
    assert [a["n"] for a in row["attempts"]] == [1]
    gateway.alert("resolved", entity_id="e")
    assert receiver.wait(3)[2].event == "resolved"


# Tests of a webhook.

def test_test_delivered(make):
    """§9: the vendor's test incident, over the real path, and the attempt as the answer."""
    receiver = make.receiver()
    gateway = make.gateway(
        service={"description": "Money", "assigned_to": "ann"},
        users=[{"username": "ann", "first_name": "Ann", "last_name": "Lee", "email": "a@b.c"}],
        webhooks=[webhook("my ops", receiver.url(), headers={"X-Team": "ops"},
                          auth={"type": "hmac", "key": "k3y"})])
    before = gateway.rows()
    response = gateway.request("POST", "/api/webhooks/my%20ops/test")
    assert response.status == 200
    result = response.json()
    assert list(result) == ["delivered", "n", "time", "reason", "status", "reused", "phases_ms"]
    assert result["delivered"] is True and (result["n"], result["reason"]) == (1, "ok")
    assert result["status"] == 200 and result["reused"] is False
    assert result["phases_ms"]["total"] > 0
    sent = receiver.wait(1)[0]
    assert sent.headers["x-signature"] == sign("k3y", sent.body)
    assert sent.headers["x-team"] == "ops" and sent.attempt == 1
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", sent.id)
    assert sent.event == "triggered"
    incident = sent.incident
    assert (incident["title"], incident["summary"]) == (
        "Webhook Test Title", "test summary example")
    assert (incident["incident_number"], incident["unique_id"]) == (0, "2" * 22)
    assert (incident["status"], incident["urgency"]) == (1, 1)
    assert incident["service"]["name"] == "Payments"
    assert incident["service"]["description"] == "Money"
    assert incident["assigned_to"]["first_name"] == "Ann"
    assert gateway.rows() == before


def test_test_again(make):
    """§9: a kept connection is used; each test has an id of its own."""
    gateway, receiver = pair(make)
    for _ in range(3):
        result = gateway.request("POST", "/api/webhooks/ops/test").json()
    assert result["delivered"] and result["reused"] is True
    assert receiver.connections == 1
    assert len({r.id for r in receiver.requests}) == 3


@pytest.mark.parametrize("behaviour, reason, status", [
    (answer(503), "http_5xx", 503), (answer(404), "http_4xx", 404), (GONE, "http_410", 410),
    (silence(), "timeout", None), (lambda exchange: False, "io_failed", None)])
def test_test_failed(make, behaviour, reason, status):
    """§9: how it failed; neither breaker nor pause take notice."""
    gateway, receiver = pair(make, behaviour, deadline="200ms")
    for _ in range(6):
        result = gateway.request("POST", "/api/webhooks/ops/test").json()
        assert (result["delivered"], result["reason"], result["status"]) == (False, reason, status)
    state = gateway.get("/-/ready?detail=1").json()["webhooks"][0]
    assert state["breaker_open"] is False and state["paused"] is False
    assert state["waiting"] == state["in_flight"] == 0


def test_test_paused(make):
    """§9: a webhook that is paused may be tested."""
    gateway, receiver = pair(make)
    pause(gateway)
    assert gateway.request("POST", "/api/webhooks/ops/test").json()["delivered"]
    assert gateway.request("POST", "/api/webhooks/nobody/test").status == 404


def test_test_blocked_address(make):
    """§8: the real path: what may not be connected to is not."""
    gateway, receiver = pair(make, top={"allow_networks": []})
    result = gateway.request("POST", "/api/webhooks/ops/test").json()
    assert (result["delivered"], result["reason"]) == (False, "blocked_address")
    assert receiver.connections == 0


def test_test_too_many(make):
    """§9: sixteen at a time; who goes away makes room for another."""
    gateway, receiver = pair(make, silence(), deadline="3s")
    wanted = request("POST", "/api/webhooks/ops/test")
    connections = [gateway.connect() for _ in range(16)]
    for connection in connections:
        connection.send(wanted)
    receiver.wait(16)
    response = gateway.request("POST", "/api/webhooks/ops/test")
    assert response.status == 429 and response.header("Retry-After") == "1"
    results = [connection.read().json() for connection in connections]
    assert {result["reason"] for result in results} == {"timeout"}
    for connection in connections:
        connection.close()
    receiver.behaviour = answer(200)
    assert gateway.request("POST", "/api/webhooks/ops/test").json()["delivered"]


def test_test_at_the_end(make):
    """§9: the process ends in time while tests are out, and nothing of them is left."""
    gateway, receiver = pair(make, silence(), deadline="3s")
    connections = [gateway.connect() for _ in range(3)]
    for connection in connections:
        connection.send(request("POST", "/api/webhooks/ops/test"))
    receiver.wait(3)
    gateway.stop()
    for connection in connections:
        connection.close()
