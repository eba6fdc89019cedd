"""Custom mapping (CONTRACT §7): bodies of other formats become alerts."""

import pytest

from gateway import ingest, integration, run
from shaping import keys, one_alert

ID = "cadfe35f-e3b1-4175-b118-a595bff9a214"

# The vendor's example of the two meanings of `payload`.
BODY = {
    "payload": {
        "severity": "high", "environment": "production", "application": "Backend Service",
        "details": {"threshold_exceeded": True, "process_id": "12345", "memory_usage_mb": "1024"},
        "source": "web_server_1", "email": "muzan.kibutsuji@example.com",
        "username": "muzan_kibutsuji", "timestamp": "2025-01-28T12:45:00Z"},
    "description": "High memory usage detected on production web server.",
    "id": "b27e3f9c-8a54-4d2b-a6f6-d0f2c8c7b9f4", "title": "Memory Leak Detected",
    "message": "A memory leak has been identified on the web application.",
    "alert_type": "critical", "url": "https://monitoring.example.com/alerts/11", "status": "open"}

DIRECT = [{"set": {"message": "{{ title }}", "summary": "{{ description }}", "entity_id": "{{ id }}",
                   "urls": "{{ url }}"}}]
BLOCKS = [
    {"set": {"message": "{{ title }}", "alert_type": {
        "from": "{{ status }}", "map": {"firing": "critical", "ok": "resolved"}, "default": "info"}}},
    {"when": {"all": [{"field": "labels.severity", "op": "in", "value": ["page", "ticket"]},
                      {"not": {"field": "title", "op": "is_empty"}}]},
     "set": {"message": "{{ labels.severity }}: {{ title }} ({{ labels }})", "summary": "{{ note }}"}}]
SOURCE = {"when": {"field": "payload.payload.source", "op": "equals", "value": "web_server_1"},
          "then": [{"set_summary": "from {{payload.payload.source}}"}]}
OLD_SOURCE = {"when": {"field": "payload.source", "op": "equals", "value": "web_server_1"},
              "then": [{"set_summary": "old {{ payload.source }}"}]}

INTEGRATIONS = {
    "direct": {"mapping": DIRECT},
    "blocks": {"mapping": BLOCKS},
    "mapped source": {"mapping": DIRECT, "rules": [OLD_SOURCE, SOURCE]},
    "plain source": {"rules": [OLD_SOURCE, SOURCE]},
    "constant": {"mapping": [{"set": {"message": "{{ m }}", "entity_id": "always", "alert_type": "critical"}}]},
    "ruled": {"mapping": [{"set": {"message": "mapped", "alert_type": "warning"}}],
              "rules": [{"then": [{"set_message": "ruled"}, {"set_alert_type": "critical"}]}]},
    "default": {"mapping": [{"set": {"message": "{{ m }}"}}], "default_alert_type": "critical"},
    "everything": {"mapping": [{"set": {
        "message": "m", "alert_type": "critical", "entity_id": 7, "summary": "{{ list }}", "suppressed": "{{ quiet }}",
        "urls": ["{{ u }}", {"link_url": "{{ u }}/graph", "link_text": "Graph"}], "sla": ID, "priority": "{{ id }}",
        "escalation_policy": "{{ wrong }}", "tags": ["{{ id }}", "{{ wrong }}"]}}]},
    "empty": {"mapping": []},
}
KEYS = keys(INTEGRATIONS)


@pytest.fixture(scope="module")
def gateway(make_shared):
    return make_shared.gateway(integrations=[
        integration(name, KEYS[name], **more) for name, more in INTEGRATIONS.items()])


def send(gateway, name, body):
    """What became of a body that was accepted."""
    answer = gateway.post(body, key=KEYS[name])
    assert answer.status == 200, answer
    return gateway.settled(answer.json()["trace_id"])


def failed(gateway, name, body):
    status = send(gateway, name, body)
    assert status["status"] == "failed", status
    return status["error"]


def test_mapping_direct(gateway):
    """The vendor's example payload: values of its keys; the alert type is the body's own."""
    alert = one_alert(gateway, KEYS["direct"], {
        "title": "test", "alert_type": "critical", "description": "description", "url": "example.com/1",
        "id": 11, "status": "Open"})
    assert alert["message"] == "test" and alert["summary"] == "description"
    assert alert["entity_id"] == "11"
    assert [url["link_url"] for url in alert["urls"]] == ["example.com/1"]
    assert alert["payload"]["status"] == "Open"


def test_mapping_payload(gateway):
    """With a mapping the payload is the whole body, without one it is the body's payload; so rules
    go by payload.payload.source and payload.source."""
    mapped = one_alert(gateway, KEYS["mapped source"], BODY)
    assert mapped["payload"] == BODY
    assert mapped["summary"] == "from web_server_1" and mapped["message"] == "Memory Leak Detected"
    plain = one_alert(gateway, KEYS["plain source"], {**BODY, "entity_id": "plain"})
    assert plain["payload"] == BODY["payload"]
    assert plain["summary"] == "old web_server_1" and plain["message"] == BODY["message"]


@pytest.mark.parametrize("body, message, summary", [
    ({"status": "firing", "title": "T"}, "T", ""),
    (b'{"status": "firing", "title": "T", "labels": {"severity": "page", "n": 1.50}, "note": "N"}',
     'page: T ({"severity":"page","n":1.50})', "N"),
    ({"status": "firing", "title": "T", "labels": {"severity": "none"}, "note": "N"}, "T", ""),
    ({"status": "firing", "title": 12, "labels": {"severity": "ticket"}}, 'ticket: 12 ({"severity":"ticket"})', "")])
def test_mapping_blocks(gateway, body, message, summary):
    """Blocks run in order where their conditions hold; a later one overrides; what yields no value
    sets nothing; numbers keep their text, objects are compact JSON."""
    alert = one_alert(gateway, KEYS["blocks"], body)
    assert alert["message"] == message and alert["summary"] == summary


@pytest.mark.parametrize("status, incident", [
    ("firing", True), ("ok", False), ("Firing", False), ("firing ", False), (None, False), (7, False)])
def test_mapping_map(gateway, status, incident):
    """The keys of a map compare as text, nothing ignored; else the default (here info)."""
    became = send(gateway, "blocks", {"status": status, "title": "T"})
    assert became["status"] == "completed" and became["is_incident_created"] == incident


@pytest.mark.parametrize("name, body, error", [
    ("direct", {"alert_type": "info"}, "mapping: message is missing"),
    ("direct", {"title": "  ", "alert_type": "info"}, "mapping: message is missing"),
    ("direct", {"title": None, "alert_type": "info"}, "mapping: message is missing"),
    ("direct", {"message": {"no": "text"}, "alert_type": "info"},
     "mapping: message is not a text, a number or a boolean"),
    ("direct", {"title": "T"}, "mapping: alert_type is missing"),
    ("direct", {"title": "T", "alert_type": "fatal"},
     'mapping: alert_type "fatal" is not one of critical, error, warning, info, acknowledged, resolved')])
def test_mapping_fails(gateway, name, body, error):
    """A required value that maps to nothing: accepted, the trace failed with the field's name."""
    assert failed(gateway, name, body) == error


def test_mapping_own_fields(gateway):
    """What no block sets is the body's own field of that name."""
    status = send(gateway, "direct", {"message": "own", "entity_id": "mine", "alert_type": "critical",
                                      "suppressed": "true", "title": " "})
    assert status["suppressed"] and status["incident"] is None


def test_mapping_everything(gateway):
    """Every field that can be set; ids that are none are ignored, as from any sender."""
    alert = one_alert(gateway, KEYS["everything"], {"list": ["a", {"b": None}], "quiet": False, "u": "https://u",
                                                    "id": ID.upper().replace("-", ""), "wrong": "gold"})
    assert alert["entity_id"] == "7" and alert["summary"] == '["a",{"b":null}]'
    assert [(url["link_url"], url["link_text"]) for url in alert["urls"]] == [
        ("https://u", ""), ("https://u/graph", "Graph")]
    incident = gateway.incident(alert["incident"])
    assert incident["sla"] == incident["team_priority"] == ID and incident["escalation_policy"] is None
    assert incident["tags"] == [ID]


def test_mapping_suppressed(gateway):
    assert send(gateway, "everything", {"quiet": True})["suppressed"]


def test_mapping_constant_entity(gateway):
    """The vendor's note: a constant entity id makes every alert join one incident."""
    first = send(gateway, "constant", {"m": "one"})
    assert first["is_incident_created"]
    for message in ("two", "three"):
        status = send(gateway, "constant", {"m": message})
        assert not status["is_incident_created"] and status["incident"] == first["incident"]


def test_mapping_rules_win(gateway):
    """The vendor's note: for the same field rules win over the mapping."""
    alert = one_alert(gateway, KEYS["ruled"], {"message": "own"})
    assert alert["message"] == "ruled"


def test_mapping_default_type(gateway):
    assert send(gateway, "default", {"m": "x"})["is_incident_created"]
    assert send(gateway, "default", {"m": "x", "alert_type": " "})["is_incident_created"]


def test_mapping_empty_is_none(gateway):
    """An empty list is no mapping: faults are answered 400."""
    assert gateway.post({"title": "T"}, key=KEYS["empty"]).status == 400


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"7", b"{", b"null"])
def test_mapping_needs_object(gateway, body):
    """§3: what is no JSON object is 400 with a mapping too."""
    assert gateway.post(body, path=ingest(KEYS["direct"])).status == 400


def test_mapping_large(make):
    """Text that a template makes is cut at 64 KiB, between characters; the body counts once."""
    gateway = make.gateway(integrations=[integration(mapping=[{"set": {
        "message": "{{ a }}{{ a }}", "summary": "{{ a }}{{ a }}{{ a }}", "alert_type": "critical"}}])])
    text = "\u00e9" * 50000
    alert = one_alert(gateway, gateway.conf["services"][0]["integrations"][0]["key"], {"a": text})
    assert alert["message"] == "\u00e9" * 32768
    assert alert["payload"] == {"a": text}


def test_mapping_queued(make):
    """Mapping is done when a body is accepted: a failure waits like an alert does."""
    gateway = make.gateway(integrations=[integration(mapping=DIRECT)])
    assert gateway.request("POST", "/-/pause").status == 200
    trace = gateway.post({"alert_type": "info"}).json()["trace_id"]
    assert gateway.status(trace) == {"status": "queued"}
    assert gateway.request("POST", "/-/resume").status == 200
    assert gateway.settled(trace) == {"status": "failed", "error": "mapping: message is missing"}


def test_mapping_check(make):
    """`tocsin check` names every fault by its place; a mapping must be able to set message."""
    gateway = make.gateway(start=False, integrations=[
        integration(mapping=[{"set": {"summary": "{{ a"}}, {"when": {"field": "a", "op": "like"},
                                                          "set": {"messge": "m"}}]),
        integration("Second", "k2", mapping=[{"set": {"summary": "s"}}])])
    gateway.write()
    check = run("check", "-c", gateway.file)
    lines = (check.stdout + check.stderr).splitlines()
    assert check.returncode == 1
    paths = [line.split(": ", 1)[1].replace("services[0].integrations", "") for line in lines
             if line.startswith(gateway.file)]
    assert paths == [
        "[0].mapping[0].set.summary: has {{ without }}",
        "[0].mapping[1].when.op: is not an operator",
        "[0].mapping[1].set.messge: is not a field that can be set",
        "[1].mapping: never sets message"]


def test_mapping_events_api(gateway):
    """§3: the older events API maps too; its event is null of an incident where the mapping failed."""
    answer = gateway.post({"title": "T", "alert_type": "critical", "id": "events"},
                          path="/api/events/%s/" % KEYS["direct"])
    assert answer.status == 201 and answer.json()["message"] == "T" and answer.json()["incident"]
    assert answer.json()["payload"]["title"] == "T"
    answer = gateway.post({"alert_type": "critical"}, path="/api/events/%s/" % KEYS["direct"])
    assert answer.status == 201 and answer.json()["incident"] is None
    assert gateway.settled(answer.header("X-Trace-Id"))["error"] == "mapping: message is missing"
