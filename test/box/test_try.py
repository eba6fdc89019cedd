"""CONTRACT §7: the dry run shows, step by step and without side effects, what would happen; it is the live code."""
import json

import pytest

from gateway import KEY, integration, webhook

PAGERTREE = "int_ODCWagoG9"
MAPPING = [
    {"set": {"message": "{{ labels.alertname }} on {{ labels.host }}", "entity_id": "{{ fingerprint }}",
             "alert_type": {"from": "{{ status }}", "map": {"firing": "critical", "resolved": "resolved"}}}},
    {"when": {"field": "labels.team", "op": "equals", "value": "db"}, "set": {"summary": "for the database team"}},
]
RULES = [
    {"description": "small hosts", "when": {"field": "payload.labels.host", "op": "matches", "value": "^tiny"},
     "then": [{"set_urgency": "low"}]},
    {"when": {"field": "message", "op": "contains", "value": "Disk"}, "then": [{"set_summary": "{{ message }}!"}]},
]
BODY = {"status": "firing", "fingerprint": "f1", "labels": {"alertname": "Disk full", "host": "tiny1", "team": "net"}}


def try_it(gateway, body, key=KEY, status=200):
    answer = gateway.post(body, path="/api/try/%s" % key)
    assert answer.status == status, answer
    return answer.json()


def mapped(make, **more):
    return make.gateway(integrations=[integration(mapping=MAPPING, rules=RULES, **more)])


def test_try_steps(make):
    """Each block and rule, whether it held and why, what it changed."""
    alert, = try_it(mapped(make), BODY)["alerts"]
    first, second = alert["mapping"]
    assert first["held"] is True and first["tests"] == []
    assert {s["field"]: s["value"] for s in first["set"]} == {
        "message": "Disk full on tiny1", "entity_id": "f1", "alert_type": "critical"}
    assert second["held"] is False and second["set"] == []
    assert second["tests"] == [{"path": "labels.team", "op": "equals", "wanted": "db", "found": "net", "held": False}]
    small, disk = alert["rules"]
    assert small["description"] == "small hosts" and small["held"] is True
    assert small["tests"][0]["path"] == "payload.labels.host" and small["tests"][0]["found"] == "tiny1"
    assert small["actions"] == [{"action": "set_urgency", "before": "", "value": "low"}]
    assert disk["actions"] == [{"action": "set_summary", "before": "", "value": "Disk full on tiny1!"}]


def test_try_outcome_and_no_trace(make):
    """The outcome as if nothing else came; nothing is stored, nothing is sent, no number is used up."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    before = gateway.rows()
    for _ in range(3):
        alert, = try_it(gateway, {"message": "m", "alert_type": "critical", "entity_id": "e"})["alerts"]
        assert alert["outcome"] == "created" and alert["incident"]["incident_number"] == 1
        assert alert["event"] == "triggered" and alert["error"] is None
    assert gateway.rows() == before
    receiver.quiet(0)
    assert gateway.opened(message="m", entity_id="e")["incident_number"] == 1
    alert, = try_it(gateway, {"message": "m", "alert_type": "critical", "entity_id": "e"})["alerts"]
    assert alert["outcome"] == "joined" and alert["incident"]["incident_number"] == 1 and alert["webhooks"] == []
    alert, = try_it(gateway, {"message": "m", "alert_type": "resolved", "entity_id": "e"})["alerts"]
    assert alert["outcome"] == "resolved" and alert["event"] == "resolved"
    assert gateway.incident(1)["status"] == 1


@pytest.mark.parametrize("auth", [{"type": "hmac", "key": "k"}, {"type": "basic", "username": "u", "password": "pass-word"}])
def test_try_webhooks(make, auth):
    """The exact body and headers that each webhook gets; but for ids, times and what is made of them."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url("/hook?secret=1"), auth=auth, headers={
        "X-Team": "ops", "X-Secret": {"env": "TRY_SECRET"}})], environment={"TRY_SECRET": "not-to-be-shown"})
    body = {"message": "café", "alert_type": "critical", "entity_id": "e"}
    tried = gateway.post(body, path="/api/try/%s" % KEY)
    shown, = tried.json()["alerts"][0]["webhooks"]
    assert b"not-to-be-shown" not in tried.body and b"secret=1" not in tried.body and b"cGFzc" not in tried.body
    gateway.send(**body)
    request = receiver.wait(1)[0]
    assert [name for name, _ in shown["headers"]] == [name for name, _ in request.pairs]
    headers, sent = dict(shown["headers"]), dict(request.pairs)
    for name in ("Host", "Content-Type", "Content-Length", "User-Agent", "X-Attempt", "X-Team"):
        assert headers[name] == sent[name], name
    assert headers["X-Secret"] == "(hidden)"
    made, got = json.loads(shown["body"]), request.payload
    assert len(shown["body"].encode()) == len(request.body)
    for incident in (made["payload"]["incident"], got["incident"]):
        for name in ("unique_id", "creation_date", "context_window_start", "context_window_end"):
            incident[name] = None
    assert made["payload"] == got
    assert shown["body"] == json.dumps(json.loads(shown["body"]))


def test_try_refused(make):
    """What the sender would be answered, and why."""
    gateway = make.gateway()
    assert try_it(gateway, b"{")["status"] == 400
    tried = try_it(gateway, {"alert_type": "critical"})
    assert tried["status"] == 400 and tried["error"] == "message is missing" and tried["alerts"] == []
    try_it(gateway, {}, key="nobody", status=404)


def test_try_failed(make):
    """A required value that maps to nothing; maintenance."""
    alert, = try_it(mapped(make), {"status": "odd", "labels": {"host": "h"}})["alerts"]
    assert alert["outcome"] == "failed" and "alert_type" in alert["error"]
    gateway = make.gateway(service={"under_maintenance": True})
    alert, = try_it(gateway, {"message": "m", "alert_type": "critical"})["alerts"]
    assert alert["outcome"] == "failed" and alert["error"] == "Your service is under maintenance"


def test_try_split_and_pagertree(make):
    """Elements one behind the other; the other format too; also while applying is paused."""
    gateway = make.gateway(integrations=[
        integration(split="alerts"),
        {"name": "PagerTree", "type": "pagertree", "key": PAGERTREE, "token": "never-asked-for-here"}])
    gateway.post(b"", path="/-/pause")
    one = {"message": "m", "alert_type": "critical", "entity_id": "e"}
    tried = try_it(gateway, {"alerts": [one, one, {"alert_type": "info"}]})
    assert [a["outcome"] for a in tried["alerts"]] == ["created", "joined", "failed"]
    tried = try_it(gateway, {"event_type": "create", "Id": 7, "Title": "t"}, key=PAGERTREE)
    assert tried["alerts"][0]["outcome"] == "created" and tried["alerts"][0]["alert"]["entity_id"] == "7"
    assert try_it(gateway, {"event_type": "silence"}, key=PAGERTREE)["alerts"] == []


def test_try_needs_a_token_that_may_write(make):
    tokens = [{"name": "reader", "token": "reader-reader-reader", "read_only": True},
              {"name": "writer", "token": "writer-writer-writer"}]
    gateway = make.gateway(tokens=tokens)
    for token, status in (("reader-reader-reader", 403), ("writer-writer-writer", 200)):
        answer = gateway.post({"message": "m", "alert_type": "info"}, path="/api/try/%s" % KEY,
                              headers=[("Authorization", "Token " + token)])
        assert answer.status == status


def test_try_under_load(make):
    """Dry runs and alerts at the same time: each dry run is undone, each alert is there."""
    gateway = make.gateway()
    for n in range(50):
        trace = gateway.send(entity_id="e%d" % n)
        try_it(gateway, {"message": "m", "alert_type": "resolved", "entity_id": "e%d" % n})
        assert gateway.settled(trace)["incident"]["incident_number"] == n + 1
        assert gateway.incident(n + 1)["status"] == 1
