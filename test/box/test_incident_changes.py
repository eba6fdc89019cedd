"""The incidents API, changing (CONTRACT §2): create, PATCH, PUT, and the webhooks of it (§8)."""

import os
import signal
import subprocess
import time

import pytest

from gateway import BUILD, integration, until, webhook
from vendor import (HEADER, ID22, IDS, KEYS, OTHER_SERVICE, READING, SERVICE, TOKENS, change,
                    create, parse, refused)
from receiver import answer, sign, sign_parsed
from wire import request

EVENTS = ["triggered", "acknowledged", "resolved"]
SIGNING = "a-signing-key"


def world(make, receiver=None, **more):
    """A gateway with users and one service, whose webhook (if any) leads to the receiver."""
    hooks = receiver and [webhook("ops", receiver.url(), auth={"type": "hmac", "key": SIGNING})]
    service = {"unique_id": SERVICE, **more.pop("service", {})}
    return make.gateway(service=service, webhooks=hooks or [], users=[
        {"username": "ada", "first_name": "Ada", "last_name": "L", "email": "ada@example.org"},
        {"username": "bob"}], **more)


def ask(gateway, method, which, body, headers=()):
    return gateway.request(method, "/api/incidents/%s" % which, body, headers)


# Creating.

def test_create(make):
    """§2: title and service are enough; the vendor's object, as everybody sees it from then on."""
    gateway = world(make)
    incident = create(gateway, "Database down")
    assert list(incident) == KEYS
    assert incident["title"] == "Database down" and incident["summary"] == ""
    assert (incident["incident_number"], incident["status"], incident["urgency"]) == (1, 1, 1)
    assert ID22.fullmatch(incident["incident_key"]) and ID22.fullmatch(incident["unique_id"])
    assert incident["incident_key"] != incident["unique_id"]
    assert incident["service"] == SERVICE
    assert incident["resolved_date"] is None and incident["acknowledged_date"] is None
    for key in ("assigned_to", "escalation_policy", "sla", "team_priority"):
        assert incident[key] is None
    parse(incident["creation_date"])
    assert gateway.incident(1) == incident == gateway.incident(incident["unique_id"])
    assert create(gateway)["incident_key"] != incident["incident_key"]


def test_create_with_everything(make):
    """§2: all that PATCH may set, ids with and without dashes."""
    gateway = world(make)
    incident = create(gateway, "t", SERVICE.replace("-", "").upper(), summary="long story",
                      urgency="0", assigned_to="bob", escalation_policy=IDS[1].replace("-", ""),
                      sla=IDS[2].upper(), team_priority=IDS[3])
    assert incident["summary"] == "long story" and incident["urgency"] == 0
    assert incident["assigned_to"] == "bob" and incident["assigned_to_name"] == ""
    assert incident["escalation_policy"] == IDS[1] and incident["sla"] == IDS[2]
    assert incident["team_priority"] == IDS[3]


@pytest.mark.parametrize("nothing", [{}, {"assigned_to": None, "escalation_policy": None},
                                     {"assigned_to": "", "escalation_policy": ""}])
def test_create_by_the_service(make, nothing):
    """§5: what nobody says is as the service has it, also for clients that send null or ""."""
    gateway = world(make, service={"assigned_to": "ada", "escalation_policy": IDS[1]})
    incident = create(gateway, **nothing)
    assert incident["assigned_to"] == "ada" and incident["escalation_policy"] == IDS[1]


@pytest.mark.parametrize("status", [1, 2, 3, "2"])
def test_create_status(make, status):
    """§8: whatever it starts with, it is triggered first, and webhooks see both in order."""
    receiver = make.receiver()
    gateway = world(make, receiver)
    incident = create(gateway, status=status)
    assert incident["status"] == int(status)
    want = EVENTS[:1] + EVENTS[int(status) - 1:int(status)] * (int(status) > 1)
    receiver.wait(len(want))
    assert receiver.events() == want
    assert (incident["acknowledged_date"] is not None) == (int(status) == 2)
    assert (incident["resolved_date"] is not None) == (int(status) == 3)


@pytest.mark.parametrize("field, fields", [
    ("title", {"title": None}), ("title", {"title": ""}), ("title", {"title": " \t\n"}),
    ("title", {"title": 7}), ("title", {"title": ["t"]}), ("service", {"service": None}),
    ("service", {"service": "Payments"}), ("service", {"service": IDS[1]}),
    ("service", {"service": ""}), ("service", {"service": 1}), ("summary", {"summary": 1}),
    ("status", {"status": 4}), ("assigned_to", {"assigned_to": "nobody"}),
    ("sla", {"sla": "gold"}), ("urgency", {"urgency": 2})])
def test_create_wrong(made, field, fields):
    """§2: refused by name; nothing is created."""
    count = made.rows()["incidents"]
    refused(ask(made, "POST", "", {"title": "t", "service": SERVICE, **fields}), field)
    assert made.rows()["incidents"] == count


@pytest.mark.parametrize("missing", ["title", "service"])
def test_create_missing(made, missing):
    body = {"title": "t", "service": SERVICE}
    del body[missing]
    refused(ask(made, "POST", "", body), missing)


@pytest.mark.parametrize("method, which", [("POST", ""), ("PATCH", "1"), ("PUT", "1/")])
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"', b"{}}", b"\xff{}", b"1"])
def test_change_no_object(made, method, which, body):
    """§2: the body is an object."""
    refused(ask(made, method, which, body), "body")


def test_create_disabled_or_under_maintenance(make):
    """§5: that keeps alerts out, not operators."""
    receiver = make.receiver()
    gateway = world(make, receiver, service={"enabled": False, "under_maintenance": True})
    incident = create(gateway)
    assert incident["status"] == 1 and incident["service_object"]["under_maintenance"]
    receiver.wait(1)


def test_create_is_no_alerts_business(make):
    """§5: no alert finds it by its key; collation does, as the service's newest open one."""
    gateway = world(make)
    key = create(gateway)["incident_key"]
    assert gateway.alert("critical", entity_id=key)["is_incident_created"]
    gateway = world(make, service={"collation": 1, "collation_time": 5})
    create(gateway)
    assert gateway.alert("critical", entity_id="e")["incident"]["incident_number"] == 1
    gateway.alert("resolved", entity_id="e")
    assert gateway.incident(1)["status"] == 3


# Changing.

@pytest.fixture(scope="module")
def made(make_shared):
    """One with an incident 1 that nobody changes."""
    gateway = world(make_shared)
    create(gateway, "untouched", summary="s", sla=IDS[1], assigned_to="ada")
    return gateway


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("field, value, shown", [
    ("title", "T", "T"), ("title", "caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
    ("summary", "S", "S"), ("summary", "", ""), ("summary", None, ""),
    ("status", 2, 2), ("status", "3", 3), ("status", 1, 1), ("urgency", 0, 0), ("urgency", "1", 1),
    ("assigned_to", "bob", "bob"), ("assigned_to", None, None), ("assigned_to", "", None),
    ("escalation_policy", IDS[2], IDS[2]), ("escalation_policy", None, None),
    ("sla", IDS[3].replace("-", ""), IDS[3]), ("sla", "", None), ("sla", None, None),
    ("team_priority", IDS[4].upper(), IDS[4]), ("team_priority", None, None)])
def test_change_field(shared, method, field, value, shown):
    """§2: each field; the others stay."""
    before = create(shared, "t", summary="s", assigned_to="ada", sla=IDS[1], team_priority=IDS[1],
                    escalation_policy=IDS[1])
    after = change(shared, before["incident_number"], method=method, **{field: value})
    assert list(after) == KEYS and after[field] == shown
    assert shared.incident(before["unique_id"]) == after
    moving = ("acknowledged_date", "resolved_date") if field == "status" else ()
    for key in KEYS:
        if key != field and key not in moving:
            assert after[key] == before[key], key


@pytest.fixture(scope="module")
def shared(make_shared):
    return world(make_shared)


def test_change_by_unique_id(shared):
    """§2: by number or by unique id, with and without the slash."""
    unique_id = create(shared)["unique_id"]
    for which, title in ((unique_id, "a"), (unique_id + "/", "b")):
        assert ask(shared, "PATCH", which, {"title": title}).json()["title"] == title


@pytest.mark.parametrize("which", ["99999", "nonsense", "0", "2222222222222222222222"])
def test_change_not_found(made, which):
    """§2: no such incident."""
    for method, rest in (("PATCH", ""), ("PUT", ""), ("POST", "/note")):
        response = ask(made, method, which + rest, {"status": 2, "note": "n"})
        assert response.status == 404 and response.json() == {"detail": "Not Found."}


@pytest.mark.parametrize("field, value", [
    ("status", 0), ("status", 4), ("status", -1), ("status", "resolved"), ("status", None),
    ("status", True), ("status", 1.0), ("status", []), ("status", ""), ("urgency", 2),
    ("urgency", None), ("urgency", "high"), ("urgency", True), ("title", ""), ("title", "  "),
    ("title", None), ("title", 5), ("title", {}), ("summary", 5), ("summary", ["s"]),
    ("summary", False), ("assigned_to", "nobody"), ("assigned_to", 5), ("assigned_to", ["bob"]),
    ("assigned_to", {"username": "bob"}), ("escalation_policy", "x"), ("escalation_policy", 5),
    ("sla", IDS[1][:-1]), ("sla", IDS[1] + "0"), ("sla", {"unique_id": IDS[1]}),
    ("team_priority", "P1"), ("team_priority", False)])
def test_change_wrong(made, field, value):
    """§2: refused by name, and with it all the rest of the request."""
    before = made.incident(1)
    good = {"title": "T", "summary": "S", "urgency": 0, "status": 2, "sla": IDS[5]}
    for body in ({field: value}, {**good, field: value}, {field: value, **good, field: value}):
        refused(ask(made, "PATCH", "1", body), field)
    assert made.incident(1) == before


def test_change_unknown_fields(made):
    """§2: what nobody knows is ignored; nothing at all changes nothing."""
    before = made.incident(1)
    for body in ({}, {"incident_number": 12, "nonsense": [1], "service": OTHER_SERVICE,
                      "tags": [], "merged_with": 2, "creation_date": "2020", "user": None}):
        assert change(made, 1, **body) == before


def test_change_cut(shared):
    """§5: a title is 1 KiB at most, a summary 64 KiB, cut at a character and marked."""
    incident = create(shared, "\u00e9" * 600, summary="s" * 70000)
    assert len(incident["title"].encode()) <= 1024 and incident["title"].endswith("\u00e9...")
    assert len(incident["summary"]) == 65536 and incident["summary"].endswith("s...")
    incident = change(shared, incident["incident_number"], title="t" * 2000)
    assert incident["title"] == "t" * 1021 + "..."


def test_change_a_whole_incident(make):
    """§2: the vendor's client reads one, changes a member and puts all of it back."""
    gateway = world(make, service={"assigned_to": "ada", "escalation_policy": IDS[1]})
    gateway.opened(entity_id="e", summary="s", sla=IDS[2], priority=IDS[3], tags=[IDS[4]])
    incident = gateway.incident(1)
    incident["summary"] = "changed"
    assert change(gateway, 1, method="PUT", **incident) == incident
    gateway.stop()
    gateway.conf["users"] = [{"username": "bob"}]
    gateway.conf["services"][0]["assigned_to"] = "bob"
    gateway.start()
    incident["status"] = 2  # though whose it is has left
    after = change(gateway, 1, method="PUT", **incident)
    assert (after["status"], after["assigned_to"]) == (2, "ada")
    refused(ask(gateway, "PATCH", "1", {"assigned_to": "eve"}), "assigned_to")


def test_change_status_dates(make):
    """§5: what each status does to the dates."""
    gateway = world(make)
    create(gateway)
    acknowledged = change(gateway, 1, status=2)
    assert parse(acknowledged["acknowledged_date"]) > parse(acknowledged["creation_date"])
    again = change(gateway, 1, status=2)
    assert again == acknowledged
    triggered = change(gateway, 1, status=1)
    assert triggered["acknowledged_date"] is None
    resolved = change(gateway, 1, status=3)
    assert resolved["resolved_date"] and resolved["acknowledged_date"] is None
    assert change(gateway, 1, status=3) == resolved


@pytest.mark.parametrize("status", [1, 2])
def test_change_reopen(make, status):
    """§2: a resolved incident stays resolved; what else it says may be changed."""
    gateway = world(make)
    create(gateway, status=3)
    before = gateway.incident(1)
    refused(ask(gateway, "PATCH", "1", {"status": status, "title": "T"}), "status")
    assert gateway.incident(1) == before
    after = change(gateway, 1, title="T", summary="it was DNS", status=3)
    assert after == {**before, "title": "T", "summary": "it was DNS"}


def test_change_reopen_in_one_turn(make):
    """§2: also where it was resolved a moment ago, in the same turn."""
    gateway = world(make)
    refusals = 0
    for n in range(1, 21):
        create(gateway)
        path = "/api/incidents/%d" % n
        with gateway.connect() as one, gateway.connect() as other:
            for connection in (one, other):
                connection.request("GET", path)
            gateway.signal(signal.SIGSTOP)
            one.send(request("PATCH", path, {"status": 3}))
            other.send(request("PATCH", path, {"status": 2, "title": "late"}))
            gateway.signal(signal.SIGCONT)
            assert one.read().json()["status"] == 3
            late = other.read()
            refusals += late.status == 400
            assert late.status == 400 or late.json()["status"] == 2
        found = gateway.incident(n)
        assert (found["status"], found["title"] == "late") == (3, late.status == 200)
    assert refusals


def test_change_and_alerts(make):
    """§5: after an operator has resolved it the same entity id starts a new one."""
    gateway = world(make)
    gateway.opened(entity_id="e")
    change(gateway, 1, status=2)
    assert gateway.alert("acknowledged", entity_id="e")["incident"]["incident_number"] == 1
    change(gateway, 1, status=3)
    assert gateway.alert("resolved", entity_id="e")["incident"] is None
    assert gateway.opened(entity_id="e")["incident_number"] == 2


def test_change_timers(make):
    """§5: acknowledgement and resolution by themselves count from the operator's act."""
    gateway = world(make, service={"acknowledgement_timeout": 60, "auto_resolve_timeout": 600})
    create(gateway)
    gateway.advance(30)
    change(gateway, 1, status=2)
    gateway.advance(50)
    assert gateway.incident(1)["status"] == 2
    gateway.advance(11)
    until(lambda: gateway.incident(1)["status"] == 1)
    gateway.advance(590)
    assert gateway.incident(1)["status"] == 1
    gateway.advance(11)
    until(lambda: gateway.incident(1)["status"] == 3)


def test_change_while_paused(make):
    """§5: the pause is for alerts; operators act at once."""
    gateway = world(make)
    gateway.opened(entity_id="e")
    assert gateway.request("POST", "/-/pause").status == 200
    trace = gateway.send("resolved", entity_id="e")
    assert change(gateway, 1, status=2)["status"] == 2
    assert create(gateway)["incident_number"] == 2
    assert gateway.status(trace) == {"status": "queued"}
    assert gateway.request("POST", "/-/resume").status == 200
    assert gateway.settled(trace)["incident"]["incident_number"] == 1
    until(lambda: gateway.incident(1)["status"] == 3)


def test_change_log(make):
    """§12: a line for each event, whose cause it names; none for what is no event."""
    gateway = world(make)
    create(gateway, "a-title-secret", summary="a-summary-secret")
    change(gateway, 1, title="a-new-secret")
    change(gateway, 1, status=2)
    change(gateway, 1, status=1)
    change(gateway, 1, status=3)
    gateway.wait_log("incident.resolved", labels__incident=1)
    for action, count in (("triggered", 2), ("acknowledged", 1), ("resolved", 1)):
        lines = gateway.logged("incident." + action, labels__incident=1)
        assert [line["message"] for line in lines] == ["incident 1: api"] * count
    assert b"secret" not in b"\n".join(gateway.log.lines)


def test_change_tokens(make):
    """§2: a token that may only read changes nothing."""
    gateway = world(make, tokens=TOKENS)
    create(gateway, headers=HEADER)
    for method, which in (("POST", ""), ("PATCH", "1"), ("PUT", "1"), ("POST", "1/note")):
        response = ask(gateway, method, which, {"title": "T", "service": SERVICE, "note": "n"},
                       READING)
        assert response.status == 403
    assert gateway.incident(1, READING)["title"] == "by hand"
    assert gateway.rows()["incidents"] == 1 and gateway.rows()["notes"] == 0


# Webhooks.

def test_change_webhooks(make):
    """§8: each change of status is an event, signed, in the one order with those of alerts."""
    receiver = make.receiver()
    gateway = world(make, receiver)
    gateway.opened(entity_id="e")
    change(gateway, 1, status=2, title="renamed", assigned_to="ada", team_priority=IDS[1],
           urgency=0)
    change(gateway, 1, status=2)            # no event
    change(gateway, 1, summary="silently")  # no event
    gateway.alert("critical", entity_id="e")
    change(gateway, 1, status=1)
    gateway.alert("acknowledged", entity_id="e")
    change(gateway, 1, status=3)
    create(gateway, "second")
    requests = receiver.wait(6)
    receiver.quiet(6)
    first = [r for r in requests if r.number == 1]
    assert [r.event for r in first] == [
        "triggered", "acknowledged", "triggered", "acknowledged", "resolved"]
    assert [r.incident["status"] for r in first] == [1, 2, 1, 2, 3]
    assert len({r.id for r in requests}) == 6
    for r in requests:
        assert r.headers["x-signature"] == sign(SIGNING, r.body) == sign_parsed(SIGNING, r.body)
    told = first[1].incident
    assert told["title"] == "renamed" and told["priority"] == IDS[1] and told["urgency"] == 0
    assert told["assigned_to"] == {"username": "ada", "first_name": "Ada", "last_name": "L",
                                   "email": "ada@example.org"}
    assert first[0].incident["title"] != "renamed"
    assert first[4].incident["summary"] == "silently"
    second, = [r for r in requests if r.number == 2]
    assert second.event == "triggered" and second.incident["title"] == "second"
    assert second.incident["incident_key"] == gateway.incident(2)["incident_key"]


def test_change_webhooks_in_order(make):
    """§1.3: none overtakes one that has to be tried again."""
    receiver = make.receiver(script=[answer(503), answer(503)])
    gateway = world(make, receiver, retry=["1s"] * 9)
    create(gateway)
    for status in (2, 1, 2, 3):
        change(gateway, 1, status=status)
    for attempt in (1, 2):
        gateway.wait_log("delivery.retry", attempt)
        gateway.advance(1.3)
    receiver.wait(7)
    assert receiver.events() == ["triggered"] * 3 + ["acknowledged", "triggered", "acknowledged",
                                                     "resolved"]


def test_change_webhooks_wanted(make):
    """§8: a webhook may want fewer events; another service's gets none."""
    mine, other = make.receiver(), make.receiver()
    gateway = make.gateway(start=False)
    gateway.conf["services"] = [
        {"name": "A", "unique_id": SERVICE, "integrations": [integration()],
         "webhooks": [webhook("a", mine.url(), events=["resolved"])]},
        {"name": "B", "unique_id": OTHER_SERVICE, "webhooks": [webhook("b", other.url())]}]
    gateway.start()
    create(gateway, status=2)
    change(gateway, 1, status=3)
    create(gateway, service=OTHER_SERVICE)
    mine.wait(1)
    other.wait(1)
    mine.quiet(1)
    other.quiet(1)
    assert mine.events() == ["resolved"] and other.requests[0].number == 2


# Durability.

def test_change_survives_kill9(make):
    """§1.1: what was answered is on disk, and its webhooks are delivered after the restart."""
    receiver = make.receiver(answer(503))
    gateway = world(make, receiver, retry=["30s"] * 5)
    gateway.opened(entity_id="e")
    created = create(gateway, "by hand", summary="kept")
    changed = change(gateway, 1, status=2, title="kept too", urgency=0)
    gateway.kill9()
    receiver.behaviour = answer(200)
    gateway.start()
    assert gateway.incident(1) == changed and gateway.incident(2) == created
    gateway.advance(40)
    until(lambda: len([r for r in receiver.requests if r.event == "acknowledged"]) == 1)
    gateway.wait_log("delivery.delivered", 3)
    assert [r.event for r in receiver.requests if r.number == 1][-2:] == [
        "triggered", "acknowledged"]
    assert change(gateway, 2, status=3)["status"] == 3  # it is open still, without a key
    assert gateway.alert("resolved", entity_id="e")["incident"]["incident_number"] == 1


def test_change_in_a_full_store(make):
    """§3: what is left of the room is for what is promised: no new ones, no notes, but changes."""
    gateway = world(make, limits={"store": "16MiB"})
    create(gateway)
    large = {"message": "m", "alert_type": "info", "payload": {"x": "y" * 400000}}
    for _ in range(35):
        assert gateway.post(large).status == 200
    large["payload"] = {"x": "y" * 100000}
    while gateway.post(large).status == 200:  # it looks once a second
        time.sleep(0.2)
    assert gateway.get("/-/ready").status == 503
    for which, body in (("", {"title": "t", "service": SERVICE}), ("1/note", {"note": "n"})):
        response = ask(gateway, "POST", which, body)
        assert response.status == 503 and int(response.header("Retry-After")) > 0
    assert change(gateway, 1, status=2, title="T")["status"] == 2
    assert change(gateway, 1, status=3)["title"] == "T"


def test_change_killed_under_load(make):
    """§1.1: kill -9 amid changes: each that was answered is there, whole, and so is the store."""
    gateway = world(make)
    for n in range(8):
        create(gateway, "t%d" % n)
    told = {}
    with gateway.connect() as connection:
        for i in range(200):
            n = i % 8 + 1
            body = {"title": "t%d" % i, "summary": "s%d" % i, "status": 1 + i // 8 % 2}
            connection.send(request("PATCH", "/api/incidents/%d" % n, body))
            if i == 150:
                gateway.kill9()
                break
            told[n] = connection.read().json()
    checked = subprocess.run([os.path.join(BUILD, "tool", "store_check"), gateway.data],
                             capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout
    gateway.start()
    for n, incident in told.items():
        found = gateway.incident(n)
        newer = found["title"] == "t150" and found["summary"] == "s150" and n == 150 % 8 + 1
        assert newer or found == incident


def test_change_commit_fails(make):
    """§1.1: 503 where it could not be stored, and nothing has changed, nobody is told."""
    receiver = make.receiver()
    gateway = world(make, receiver)
    create(gateway)
    gateway.wait_log("delivery.delivered")
    before = gateway.incident(1)
    for method, which, body in (("PATCH", "1", {"status": 3, "title": "T"}),
                                ("POST", "", {"title": "t", "service": SERVICE}),
                                ("POST", "1/note", {"note": "n"})):
        gateway.fail_commit(1)
        response = ask(gateway, method, which, body)
        assert response.status == 503 and int(response.header("Retry-After")) > 0
    assert gateway.incident(1) == before
    assert gateway.rows()["incidents"] == 1 and gateway.rows()["notes"] == 0
    receiver.quiet(1)
    assert create(gateway)["incident_number"] == 2
    assert change(gateway, 1, status=3)["status"] == 3
    receiver.wait(3)
