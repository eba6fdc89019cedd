"""Alert rules (CONTRACT §7): conditions on alerts, and what is done with those that meet them."""

import hashlib
import json
import time

import pytest

from gateway import SLOW, integration, run, webhook
from shaping import alerts, detail, keys, one_alert

ID = "cadfe35f-e3b1-4175-b118-a595bff9a214"
ID2 = "0e5b3b8c-12d4-4a0e-9f7b-6a5d4c3b2a19"
USERS = [{"username": "ada", "first_name": "Ada", "last_name": "L", "email": "ada@example.org"},
         {"username": "bob"}]

# One integration for each operator: its only rule suppresses what its condition holds for.
CONDITIONS = {
    "equals": {"field": "message", "op": "equals", "value": "Disk Full"},
    "not_equals": {"field": "message", "op": "not_equals", "value": "Disk Full"},
    "contains": {"field": "summary", "op": "contains", "value": "disk"},
    "not_contains": {"field": "summary", "op": "not_contains", "value": "disk"},
    "matches": {"field": "message", "op": "matches", "value": "^Disk [A-Z][a-z]+$"},
    "not_matches": {"field": "message", "op": "not_matches", "value": "Full|Empty"},
    "is_empty": {"field": "summary", "op": "is_empty"},
    "is_not_empty": {"field": "summary", "op": "is_not_empty"},
    "exists": {"field": "payload.release.version", "op": "exists"},
    "in": {"field": "alert_type", "op": "in", "value": ["info", "warning"]},
    "not_in": {"field": "alert_type", "op": "not_in", "value": ["info", "warning"]},
    "less_or_equal": {"field": "payload.n", "op": "less_or_equal", "value": 10},
    "greater_or_equal": {"field": "payload.n", "op": "greater_or_equal", "value": "9.5"},
    "between": {"field": "payload.n", "op": "between", "value": [2, 10]},
    "ignore_case": {"field": "message", "op": "equals", "value": "DISK full", "ignore_case": True},
    "all": {"all": [{"field": "payload.n", "op": "exists"}, {"field": "message", "op": "contains", "value": "D"}]},
    "any": {"any": [{"field": "payload.n", "op": "exists"}, {"field": "message", "op": "contains", "value": "D"}]},
    "none": {"none": [{"field": "payload.n", "op": "exists"}, {"field": "message", "op": "contains", "value": "D"}]},
    "not": {"not": {"field": "payload.n", "op": "exists"}},
    "nested": {"any": [{"all": [{"field": "payload.a.b.0", "op": "equals", "value": 1},
                                {"not": {"field": "payload.x", "op": "exists"}}]},
                       {"field": "urgency", "op": "equals", "value": "low"}]},
}

FULL = {"message": "Disk Full", "alert_type": "critical"}
CASES = [
    ("equals", FULL, True), ("equals", {**FULL, "message": "disk full"}, False),
    ("not_equals", FULL, False), ("not_equals", {**FULL, "message": "x"}, True),
    ("contains", {**FULL, "summary": "the disk"}, True), ("contains", FULL, False),
    ("not_contains", {**FULL, "summary": "the disk"}, False), ("not_contains", FULL, True),
    ("matches", FULL, True), ("matches", {**FULL, "message": "Disk Full!"}, False),
    ("not_matches", FULL, False), ("not_matches", {**FULL, "message": "half"}, True),
    ("is_empty", FULL, True), ("is_empty", {**FULL, "summary": " "}, True),
    ("is_empty", {**FULL, "summary": "s"}, False),
    ("is_not_empty", FULL, False), ("is_not_empty", {**FULL, "summary": "s"}, True),
    ("exists", {**FULL, "payload": {"release": {"version": None}}}, True),
    ("exists", {**FULL, "payload": {"release": {}}}, False), ("exists", FULL, False),
    ("in", {**FULL, "alert_type": "Warning"}, True), ("in", FULL, False),
    ("not_in", {**FULL, "alert_type": "info"}, False), ("not_in", FULL, True),
    ("less_or_equal", {**FULL, "payload": {"n": 10}}, True),
    ("less_or_equal", {**FULL, "payload": {"n": "9"}}, True), # as numbers: "9" is more than "10" as text
    ("less_or_equal", {**FULL, "payload": {"n": 10.01}}, False), ("less_or_equal", FULL, False),
    ("greater_or_equal", {**FULL, "payload": {"n": 9.5}}, True),
    ("greater_or_equal", {**FULL, "payload": {"n": 10}}, True),
    ("greater_or_equal", {**FULL, "payload": {"n": 9}}, False),
    ("between", {**FULL, "payload": {"n": 2}}, True), ("between", {**FULL, "payload": {"n": 10.0}}, True),
    ("between", {**FULL, "payload": {"n": 1}}, False), ("between", {**FULL, "payload": {"n": 11}}, False),
    ("ignore_case", FULL, True), ("ignore_case", {**FULL, "message": "disk"}, False),
    ("all", {**FULL, "payload": {"n": 1}}, True), ("all", FULL, False),
    ("any", FULL, True), ("any", {**FULL, "message": "x"}, False),
    ("none", FULL, False), ("none", {**FULL, "message": "x"}, True),
    ("not", FULL, True), ("not", {**FULL, "payload": {"n": 0}}, False),
    ("nested", {**FULL, "payload": {"a": {"b": [1]}}}, True),
    ("nested", {**FULL, "payload": {"a": {"b": [1]}, "x": 1}}, False),
]

ACTIONS = {
    "type": [{"set_alert_type": "critical"}],
    "texts": [{"set_message": "{{ message }} on {{ payload.host }}"}, {"set_summary": "{{ payload }}"}],
    "missing": [{"set_message": "{{ payload.none }}"}, {"set_summary": "-{{ payload.none }}-"},
                {"set_entity_id": " {{ payload.blank }} "}],
    "entity": [{"set_entity_id": "{{ payload.host }}-{{ entity_id }}"}],
    "hash": [{"hash_entity_id": True}],
    "both": [{"set_entity_id": "{{ payload.host }}"}, {"hash_entity_id": True}],
    "long": [{"set_entity_id": "{{ payload.host }}"}],
    "urgency": [{"set_urgency": "low"}],
    "ids": [{"set_priority": ID}, {"set_sla": ID.upper()}, {"set_escalation_policy": ID2}],
    "assign": [{"assign_to": "ada"}],
    "tags": [{"add_tags": [ID2, "{{ payload.tag }}", "{{ message }}", ID2]}],
    "notes": [{"add_note": "first {{ message }}"}, {"add_note": "{{ payload.none }}"}, {"add_note": "second"}],
    "template": [{"set_task_template": ID2}],
}
INTEGRATIONS = {
    **{name: {"rules": [{"when": when, "then": [{"suppress": True}]}]} for name, when in CONDITIONS.items()},
    **{"action " + name: {"rules": [{"then": then}]} for name, then in ACTIONS.items()},
    "order": {"rules": [
        {"description": "low", "then": [{"set_message": "one"}, {"set_urgency": "low"}]},
        {"description": "never: sees what came", "when": {"field": "message", "op": "equals", "value": "one"},
         "then": [{"suppress": True}]},
        {"when": {"field": "message", "op": "equals", "value": "came"},
         "then": [{"set_message": "{{ message }}, then three"}]},
        {"description": "stops", "when": {"field": "summary", "op": "equals", "value": "stop"}, "stop": True},
        {"then": [{"set_message": "last"}]}]},
    "low": {"default_urgency": "low", "rules": [{"when": CONDITIONS["nested"], "then": [{"suppress": True}]}]},
    "threshold": {"rules": [{"when": {"field": "payload.page", "op": "equals", "value": True},
                             "then": [{"set_alert_type": "critical"}]},
                            {"when": {"field": "payload.quiet", "op": "equals", "value": True},
                             "then": [{"set_alert_type": "info"}]}]},
}
KEYS = keys([*INTEGRATIONS, "pagertree"])


@pytest.fixture(scope="module")
def gateway(make_shared):
    pagertree = {"name": "PagerTree", "type": "pagertree", "key": "int_rules", "rules": [
        {"description": "quiet", "when": {"field": "payload.tags.0", "op": "equals", "value": "quiet"},
         "then": [{"suppress": True}]},
        {"when": {"field": "urgency", "op": "equals", "value": "low"},
         "then": [{"set_urgency": "high"}, {"add_tags": [ID]}, {"set_summary": "{{ summary }}!"}]}]}
    return make_shared.gateway(
        users=USERS, service={"task_template": ID, "assigned_to": "bob", "escalation_policy": ID},
        integrations=[pagertree, *(integration(name, KEYS[name], **more) for name, more in INTEGRATIONS.items())])


def fate(gateway, name, body):
    answer = gateway.post(body, key=KEYS[name])
    assert answer.status == 200, answer
    return gateway.settled(answer.json()["trace_id"])


def incident(gateway, name, **fields):
    """The incident that a critical alert creates."""
    alert = one_alert(gateway, KEYS["action " + name], {"message": "M", "alert_type": "critical", **fields})
    return gateway.incident(alert["incident"])


@pytest.mark.parametrize("name, body, held", CASES)
def test_rules_condition(gateway, name, body, held):
    """Every operator and group, on the fields of an alert and paths into its payload."""
    assert fate(gateway, name, body)["suppressed"] == held


def test_rules_every_operator_has_both(gateway):
    assert {(name, held) for name, _, held in CASES} == {(name, held) for name in CONDITIONS for held in (True, False)}


def test_rules_default_urgency(gateway):
    """The urgency of an alert that has none is its integration's."""
    assert fate(gateway, "low", FULL)["suppressed"]


# ---- actions


def test_rules_set_alert_type(gateway):
    assert fate(gateway, "action type", {"message": "m", "alert_type": "info"})["is_incident_created"]


def test_rules_threshold_after(gateway):
    """§5: rules come before the threshold."""
    assert fate(gateway, "threshold", {**FULL, "alert_type": "info", "payload": {"page": True}})["is_incident_created"]
    assert fate(gateway, "threshold", {**FULL, "payload": {"quiet": True}})["incident"] is None


def test_rules_set_texts(gateway):
    alert = one_alert(gateway, KEYS["action texts"], {**FULL, "payload": {"host": "db1", "n": [1, "\u00e9"]}})
    assert alert["message"] == "Disk Full on db1"
    assert alert["summary"] == '{"host":"db1","n":[1,"\u00e9"]}'
    assert gateway.incident(alert["incident"])["title"] == "Disk Full on db1"


def test_rules_no_value(gateway):
    """What yields no value changes nothing."""
    alert = one_alert(gateway, KEYS["action missing"], {**FULL, "summary": "S", "entity_id": "E", "payload": {"blank": " "}})
    assert (alert["message"], alert["summary"], alert["entity_id"]) == ("Disk Full", "S", "E")


def test_rules_entity_id(gateway):
    """Correlation goes by the entity id that rules made."""
    body = {**FULL, "entity_id": 7, "payload": {"host": "db1"}}
    first = fate(gateway, "action entity", body)
    assert gateway.incident(first["incident"]["incident_number"])["incident_key"] == "db1-7"
    assert fate(gateway, "action entity", {**body, "entity_id": "7"})["incident"] == first["incident"]


@pytest.mark.parametrize("name, entity_id, host, want", [
    ("hash", "host-1", None, hashlib.sha256(b"host-1").hexdigest()[:32]),
    ("both", "host-1", "db1", hashlib.sha256(b"db1").hexdigest()[:32]),
    ("long", "host-1", "x" * 300, hashlib.sha256(b"x" * 300).hexdigest()),
    ("long", "host-2", "x" * 255, "x" * 255)])
def test_rules_hash(gateway, name, entity_id, host, want):
    """The first 32 hex digits of SHA-256; an id that becomes longer than 255 bytes is hashed whole."""
    assert incident(gateway, name, entity_id=entity_id, payload={"host": host})["incident_key"] == want


def test_rules_urgency(gateway):
    assert incident(gateway, "urgency")["urgency"] == 0


def test_rules_ids(gateway):
    made = incident(gateway, "ids", priority=ID2)
    assert made["team_priority"] == made["sla"] == ID and made["escalation_policy"] == ID2
    alert = alerts(gateway, made["incident_number"])[0]
    assert alert["message"] == "M"


def test_rules_assign(gateway):
    assert incident(gateway, "assign")["assigned_to"] == "ada"
    assert incident(gateway, "urgency")["assigned_to"] == "bob"


def test_rules_tags(gateway):
    """Ids are added once each; what is no id is left out."""
    made = incident(gateway, "tags", tags=[ID], payload={"tag": ID.upper()})
    assert made["tags"] == [ID, ID2]


def notes(gateway, number):
    answer = gateway.get("/api/incidents/%s/note/" % number)
    assert answer.status == 200, answer
    answer = answer.json()
    return [note["note"] for note in (answer["results"] if isinstance(answer, dict) else answer)]


def test_rules_notes(gateway):
    """On the incident that the alert touched, created or joined; templates that yield nothing write
    none."""
    made = incident(gateway, "notes", entity_id="noted")
    number = made["incident_number"]
    assert sorted(notes(gateway, number)) == ["first M", "second"]
    fate(gateway, "action notes", {"message": "N", "alert_type": "info", "entity_id": "noted"})
    assert sorted(notes(gateway, number)) == ["first M", "first N", "second", "second"]
    fate(gateway, "action notes", {"message": "alone", "alert_type": "info", "entity_id": "other"})
    assert gateway.rows()["notes"] >= 4


def test_rules_task_template(gateway):
    """Stored with the incident and shown in place of the service's."""
    assert incident(gateway, "template")["service_object"]["task_template"] == ID2
    assert incident(gateway, "urgency")["service_object"]["task_template"] == ID


# ---- lists of rules


def test_rules_order(gateway):
    """In order, all that hold, on the alert as it came; a later one wins; stop ends the list."""
    trace = gateway.post({**FULL, "message": "came", "summary": "stop"}, key=KEYS["order"]).json()["trace_id"]
    status = gateway.settled(trace)
    made = gateway.incident(status["incident"]["incident_number"])
    assert made["title"] == "came, then three" and made["urgency"] == 0
    assert detail(gateway, trace)["rules"] == ["low", "rule 3", "stops"]
    trace = gateway.post({**FULL, "message": "other"}, key=KEYS["order"]).json()["trace_id"]
    status = gateway.settled(trace)
    assert gateway.incident(status["incident"]["incident_number"])["title"] == "last"
    assert detail(gateway, trace)["rules"] == ["low", "rule 5"]


def test_rules_maintenance_after(make):
    """§5: rules come first, then maintenance: an alert that they make a resolving one still acts."""
    gateway = make.gateway(integrations=[integration(rules=[
        {"when": {"field": "message", "op": "matches", "value": "^OK"}, "then": [{"set_alert_type": "resolved"}]}])])
    made = gateway.opened(entity_id="e")
    gateway.conf["services"][0]["under_maintenance"] = True
    gateway.restart()
    assert gateway.alert("critical", message="bad", entity_id="e")["error"] == "Your service is under maintenance"
    assert gateway.alert("critical", message="OK now", entity_id="e")["status"] == "completed"
    assert gateway.incident(made["incident_number"])["status"] == 3


def test_rules_pagertree(gateway):
    """§6: alerts of PagerTree have rules too; their payload is what the format leaves over."""
    def send(**body):
        answer = gateway.request("POST", "/integration/int_rules", {"event_type": "create", "Title": "T", **body})
        assert answer.status == 200
        return answer.header("X-Trace-Id")
    quiet = send(Tags=["quiet"])
    assert gateway.settled(quiet)["suppressed"] and detail(gateway, quiet)["rules"] == ["quiet"]
    low = send(urgency="low", Description="D", Tags=["x"])
    made = gateway.incident(gateway.settled(low)["incident"]["incident_number"])
    assert made["urgency"] == 1 and made["summary"] == "D!" and made["tags"] == ["x", ID]
    assert detail(gateway, low)["rules"] == ["rule 2"]


def test_rules_webhook(make):
    """The webhook shows what rules made of the alert."""
    receiver = make.receiver()
    gateway = make.gateway(users=USERS, webhooks=[webhook("ops", receiver.url())], integrations=[integration(rules=[
        {"then": [{"assign_to": "ada"}, {"set_task_template": ID2}, {"set_urgency": "low"},
                  {"set_message": "ruled"}]}])])
    gateway.alert("critical", message="came")
    shown = json.loads(receiver.wait(1)[0].body)["payload"]["incident"]
    assert shown["title"] == "ruled" and shown["urgency"] == 0
    assert shown["assigned_to"] == USERS[0]
    assert shown["service"]["task_template"] == ID2.replace("-", "")


# ---- time, and similar incidents


def timed(make, *conditions):
    """A gateway whose rules tell by their descriptions which of the conditions held."""
    return make.gateway(integrations=[integration(rules=[
        {"description": name, "when": when, "then": [{"set_urgency": "low"}]} for name, when in conditions])])


def held(gateway, **fields):
    trace = gateway.send("critical", **fields)
    gateway.settled(trace)
    return detail(gateway, trace)["rules"]


def test_rules_time(make):
    """alert_time, alert_date and day_of_week are UTC; between is inclusive and may pass midnight."""
    def clock(name, op, value, field="alert_time"):
        return name, {"field": field, "op": op, "value": value}
    gateway = timed(
        make, clock("22:30 exactly", "equals", "22:30"), clock("night", "between", ["22:30", "06:00"]),
        clock("office", "between", ["09:00", "17:00"]), clock("until noon", "less_or_equal", "12:00"),
        clock("evening", "greater_or_equal", "18:00"),
        clock("day", "equals", "2027-01-02", "alert_date"),
        clock("week", "between", ["2027-01-02", "2027-01-08"], "alert_date"),
        clock("weekend", "in", ["saturday", "sunday"], "day_of_week"))
    start = 1798842600 # 2027-01-01T22:30:00Z, a Friday
    gateway.step(start - time.time() + 30) # the step is rounded to six digits
    assert held(gateway) == ["22:30 exactly", "night", "evening"]
    gateway.step(2 * 3600) # 00:30, Saturday
    assert held(gateway) == ["night", "until noon", "day", "week", "weekend"]
    gateway.step(6 * 3600) # 06:30
    assert held(gateway) == ["until noon", "day", "week", "weekend"]
    gateway.step(10.5 * 3600) # 17:00
    assert held(gateway) == ["office", "day", "week", "weekend"]
    gateway.step(48 * 3600 + 60) # 17:01, Monday
    assert held(gateway) == ["week"]


SIMILAR = ("recent", {"field": "seconds_since_similar", "op": "less_or_equal", "value": 60})
EVER = ("known", {"field": "seconds_since_similar", "op": "exists"})


def test_rules_similar(make):
    """Seconds since the last incident of the same key was created: absent at first, one key does not
    see another's, absent again beyond a day."""
    gateway = timed(make, SIMILAR, EVER)
    assert held(gateway, entity_id="e") == []
    assert held(gateway, entity_id="other") == []
    assert held(gateway, entity_id="e") == ["recent", "known"]
    gateway.advance(59)
    assert held(gateway, entity_id="e") == ["recent", "known"]
    gateway.advance(3)
    assert held(gateway, entity_id="e") == ["known"] # joined since: nothing new was created
    gateway.alert("resolved", entity_id="e")
    assert held(gateway, entity_id="e") == ["known"] # this one creates
    assert held(gateway, entity_id="e") == ["recent", "known"]
    gateway.advance(86400)
    assert held(gateway, entity_id="e") == ["known"]
    gateway.advance(2)
    assert held(gateway, entity_id="e") == []


def test_rules_similar_lasts(make):
    """It is stored, for integrations whose rules ask for it only, and goes away when it is old."""
    gateway = make.gateway(integrations=[
        integration(rules=[{"description": "again", "when": EVER[1], "then": [{"suppress": True}]}]),
        integration("Plain", KEYS["order"])])
    gateway.alert("critical", entity_id="e")
    gateway.alert("critical", entity_id="e", key=KEYS["order"])
    assert gateway.rows()["similar"] == 1
    gateway.restart()
    assert held(gateway, entity_id="e") == ["again"]
    gateway.advance(86401)
    gateway.alert("critical", entity_id="f")
    gateway.alert("info")
    assert gateway.rows()["similar"] == 1


def test_rules_similar_with_a_changed_id(make):
    """The key is the entity id as it came to the rules, whatever they make of it."""
    gateway = make.gateway(integrations=[integration(rules=[
        {"description": "hash", "then": [{"hash_entity_id": True}]}, {"description": "again", "when": EVER[1], "stop": True}])])
    assert held(gateway, entity_id="e") == ["hash"]
    assert held(gateway, entity_id="e") == ["hash", "again"]


def test_rules_queued(make):
    """Rules are run when an alert is accepted; all they did waits with it."""
    gateway = make.gateway(users=USERS, integrations=[integration(rules=[{"then": [
        {"assign_to": "ada"}, {"set_task_template": ID2}, {"add_note": "n"}, {"add_tags": [ID]}]}, {
            "when": EVER[1], "stop": True}])])
    gateway.request("POST", "/-/pause")
    trace = gateway.send("critical", entity_id="e")
    gateway.request("POST", "/-/resume")
    number = gateway.settled(trace)["incident"]["incident_number"]
    made = gateway.incident(number)
    assert made["assigned_to"] == "ada" and made["service_object"]["task_template"] == ID2 and made["tags"] == [ID]
    assert notes(gateway, number) == ["n"] and gateway.rows()["similar"] == 1


def test_rules_pattern_time(make):
    """A pattern that is slow elsewhere holds nobody up, whatever the text."""
    gateway = make.gateway(integrations=[integration(rules=[
        {"description": "evil", "when": {"field": "summary", "op": "matches", "value": "(a+)+$"},
         "then": [{"set_urgency": "low"}]}])])
    gateway.turns()
    assert held(gateway, summary="a" * 100000) == ["evil"]
    assert held(gateway, summary="a" * 100000 + "b") == []
    longest, _ = gateway.turns()
    assert longest < 30_000 * SLOW


def test_rules_check(make):
    """`tocsin check` names every fault of rules by its place."""
    gateway = make.gateway(start=False, users=USERS, integrations=[integration(rules=[
        {"when": {"field": "title", "op": "equals"}, "then": [{"assign_to": "eve"}, {"page": 1}]},
        {"when": {"field": "message", "op": "matches", "value": "(a)\\1"}, "then": [{"set_urgency": "middle"}]}])])
    gateway.write()
    check = run("check", "-c", gateway.file)
    lines = (check.stdout + check.stderr).splitlines()
    assert check.returncode == 1
    assert [line.split("rules", 1)[1] for line in lines if line.startswith(gateway.file)] == [
        "[0].when.value: is missing",
        "[0].when.field: has a path that is not in an alert",
        "[0].then[0].assign_to: is not the username of one of users",
        "[0].then[1].page: is not an action",
        "[1].when.value: has a back-reference",
        '[1].then[0].set_urgency: must be "high" or "low"']
