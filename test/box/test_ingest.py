"""The generic integration: paths, answers, fields (CONTRACT §2, §3)."""

import hashlib
import json
import re
import time
import uuid

import pytest

from gateway import KEY, ingest, integration

LENIENT = "5f1c86cb-4c0e-4a6c-8b55-6a5f0b3ab001"
DISABLED = "5f1c86cb-4c0e-4a6c-8b55-6a5f0b3ab002"
UNKNOWN = "5f1c86cb-4c0e-4a6c-8b55-6a5f0b3ab003"
ASLEEP = "5f1c86cb-4c0e-4a6c-8b55-6a5f0b3ab004"
NODE = 42
GOOD = {"message": "disk full", "alert_type": "info"}
ID = "cfb927ec-8316-4464-8770-deca07f75b49"


@pytest.fixture(scope="module")
def gateway(make_shared):
    awake = {"name": "Payments", "integrations": [
        integration(),
        integration("Lenient", LENIENT, default_alert_type="info"),
        integration("Disabled", DISABLED, enabled=False)]}
    asleep = {"name": "Asleep", "enabled": False, "integrations": [integration(key=ASLEEP)]}
    return make_shared.gateway(services=[awake, asleep], node=NODE)


def title(gateway, **fields):
    return gateway.opened(**fields)["title"]


@pytest.mark.parametrize("path", [
    "/integration/demo1/generic/%s/", "/integration/demo1/generic/%s",
    "/integration/demo1/cloudwatch_v2/%s/", "/api/integration/generic/%s/",
    "/api/integration/generic/%s", "/api/integration/zabbix/%s/"])
def test_ingest_paths(gateway, path):
    """§2: both URL forms, any application, the slash optional."""
    answer = gateway.post(GOOD, path=path % KEY)
    assert answer.status == 200
    assert gateway.settled(answer.json()["trace_id"])["status"] == "completed"


def test_ingest_path_with_query(gateway):
    """§2: what stands behind "?" is no part of the path."""
    assert gateway.post(GOOD, path=ingest() + "?source=x").status == 200


def test_ingest_answer(gateway):
    """§3, §6: the answer byte for byte; the trace id is in X-Trace-Id too."""
    answer = gateway.post(GOOD)
    trace = answer.header("X-Trace-Id")
    assert answer.status == 200
    assert answer.body == b'{"message": "success", "trace_id": "%s"}' % trace.encode()
    assert answer.header("Content-Type") == "application/json"


def test_ingest_trace_id(gateway):
    """§3, §1.7: a UUID version 7 of now, with the node number behind the variant's digits."""
    traces = [gateway.send("info") for _ in range(50)]
    for trace in traces:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                            trace)
        assert trace.split("-")[3][2:] == "%02x" % NODE
        assert abs(int(trace.replace("-", "")[:12], 16) / 1000 - time.time()) < 5
    assert traces == sorted(traces) and len(set(traces)) == len(traces)


@pytest.mark.parametrize("path", [
    ingest(account="demo2"), ingest(UNKNOWN), ingest(DISABLED), ingest(ASLEEP), ingest("nonsense"),
    ingest(KEY[:-1]), ingest(KEY + "0"), "/api/integration/generic/%s/" % UNKNOWN,
    "/api/integration/generic/%s" % DISABLED])
def test_ingest_not_found(gateway, path):
    """§3: unknown account or key, disabled integration: one and the same 404."""
    def seen(answer):
        rest = [pair for pair in answer.headers if pair[0].lower() not in ("date", "x-trace-id")]
        return answer.status, rest, answer.body
    answer = gateway.post(GOOD, path=path)
    assert answer.status == 404
    assert answer.body == b'{"detail": "Not Found."}'
    assert seen(answer) == seen(gateway.post(GOOD, path=ingest(account="nobody")))


def test_ingest_not_found_before_the_body(gateway):
    """§3: a bad body does not tell whether a key exists."""
    assert gateway.post(b"{", path=ingest(UNKNOWN)).status == 404


@pytest.mark.parametrize("content_type", [
    None, "application/json", "application/json; charset=utf-8", "text/plain",
    "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"])
def test_ingest_content_type(gateway, content_type):
    """§3: JSON whatever the Content-Type says."""
    headers = {"Content-Type": content_type} if content_type else {}
    assert gateway.post(GOOD, headers=headers).status == 200


@pytest.mark.parametrize("text, expected", [
    ('"plain"', "plain"), ('"caf\u00e9 \u2603 \U0001f600"', "caf\u00e9 \u2603 \U0001f600"),
    ("12", "12"), ("12.50", "12.50"), ("1e3", "1e3"), ("-0", "-0"), ("true", "true"),
    ("false", "false")])
def test_ingest_message(gateway, text, expected):
    """§3: a scalar message is made a string; numbers keep their own text."""
    body = ('{"message": %s, "alert_type": "critical"}' % text).encode()
    status = gateway.settled(gateway.post(body).json()["trace_id"])
    assert gateway.incident(status["incident"]["unique_id"])["title"] == expected


@pytest.mark.parametrize("word", ["critical", "Critical", "CRITICAL", "cRiTiCaL"])
def test_ingest_alert_type_case(gateway, word):
    """§3: alert_type in any letter case."""
    assert gateway.alert(word)["is_incident_created"] is True


@pytest.mark.parametrize("word", ["error", "warning", "info", "acknowledged", "resolved",
                                  "Resolved", "INFO"])
def test_ingest_alert_types(gateway, word):
    """§3: the other types are accepted."""
    assert gateway.alert(word)["status"] == "completed"


@pytest.mark.parametrize("given", [{}, {"alert_type": None}, {"alert_type": ""}, {"alert_type": " "}])
def test_ingest_default_alert_type(gateway, given):
    """§3: without alert_type: 400, unless the integration has a default."""
    assert gateway.post({"message": "m", **given}).status == 400
    answer = gateway.post({"message": "m", **given}, key=LENIENT)
    assert answer.status == 200
    assert gateway.settled(answer.json()["trace_id"])["incident"] is None


def test_ingest_default_alert_type_gives_way(gateway):
    """§3: the default is for alerts that have none."""
    assert gateway.alert("critical", key=LENIENT)["is_incident_created"] is True


@pytest.mark.parametrize("text, expected", [
    ("12345", "12345"), ('"disk-1"', "disk-1"), ("1.0", "1.0"), ("1E2", "1E2"), ("true", "true"),
    ('"\u00fc"', "\u00fc"), ('"%s"' % ("x" * 255), "x" * 255),
    ('"%s"' % ("y" * 256), hashlib.sha256(b"y" * 256).hexdigest())],
    ids=["number", "text", "decimal", "exponent", "boolean", "letter", "longest", "longer"])
def test_ingest_entity_id(gateway, text, expected):
    """§3: scalars as their own text; beyond 255 bytes the SHA-256."""
    body = ('{"message": "m", "alert_type": "critical", "entity_id": %s}' % text).encode()
    status = gateway.settled(gateway.post(body).json()["trace_id"])
    assert status["is_incident_created"] is True
    assert gateway.incident(status["incident"]["unique_id"])["incident_key"] == expected


@pytest.mark.parametrize("fields", [{}, {"entity_id": None}, {"entity_id": ""},
                                    {"entity_id": {}}, {"entity_id": [1]}],
                         ids=["absent", "null", "empty", "object", "array"])
def test_ingest_entity_id_made(gateway, fields):
    """§3: without one each alert gets a new UUID cut to 32 characters."""
    keys = {gateway.opened(**fields)["incident_key"] for _ in range(2)}
    assert len(keys) == 2
    for key in keys:
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{8}", key)


@pytest.mark.parametrize("value, expected", [
    ("it is full", "it is full"), ("", ""), (5, "5"), (True, "true")])
def test_ingest_summary(gateway, value, expected):
    """§3: a scalar."""
    assert gateway.opened(summary=value)["summary"] == expected


def test_ingest_summary_default(gateway):
    """§3: the default is the empty string."""
    assert gateway.opened()["summary"] == ""


@pytest.mark.parametrize("value, expected", [
    (True, True), (False, False), ("true", True), ("True", True), ("TRUE", True),
    ("false", False), ("False", False)])
def test_ingest_suppressed(gateway, value, expected):
    """§3: a boolean, or its text in any case."""
    status = gateway.alert("critical", suppressed=value)
    assert status["suppressed"] is expected
    assert status["is_incident_created"] is not expected


@pytest.mark.parametrize("field, shown", [
    ("sla", "sla"), ("escalation_policy", "escalation_policy"), ("priority", "team_priority")])
@pytest.mark.parametrize("value", [ID, ID.replace("-", ""), ID.upper()])
def test_ingest_ids(gateway, field, shown, value):
    """§3, §5: unique ids, dashed or not, go to the incident."""
    seen = gateway.opened(**{field: value})[shown]
    assert seen and seen.replace("-", "") == ID.replace("-", "")


def test_ingest_tags(gateway):
    """§3: ids; what is none is ignored."""
    tags = gateway.opened(tags=[ID, 5, None, {}, "not an id"])["tags"]
    assert len(tags) == 1
    assert ID.replace("-", "") in json.dumps(tags).replace("-", "")


def test_ingest_everything(gateway):
    """§3: every field of the vendor's documents at once, and unknown ones."""
    alert = {
        "message": "m", "alert_type": "critical", "summary": "s", "entity_id": 987654,
        "payload": {"status": "failing", "deep": {"list": [1, 2.5, None, True]}},
        "urls": [{"link_url": "https://example.org/1", "link_text": "one"},
                 "https://example.org/2"],
        "sla": ID, "escalation_policy": ID, "priority": ID, "tags": [ID],
        "stakeholders": {"users": ["u"], "teams": ["t"], "emails": ["a@example.org"]},
        "stakeholders_comms": {"subject": "s", "body": "b", "timezone": "UTC"},
        "stakeholder_comms": {"subject": "s"}, "unheard_of": {"x": [1]}}
    answer = gateway.post(alert)
    assert answer.status == 200
    assert gateway.settled(answer.json()["trace_id"])["is_incident_created"] is True


def test_ingest_byte_order_mark(gateway):
    """§3: a leading byte order mark is skipped."""
    assert gateway.post(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()).status == 200


def test_ingest_white_space(gateway):
    """§3: JSON may be printed prettily."""
    assert gateway.post(b"\r\n\t " + json.dumps(GOOD, indent=4).encode() + b"\n\n").status == 200


def test_ingest_same_alert_twice(gateway):
    """§1.2: each accepted request is an alert of its own."""
    name = uuid.uuid4().hex
    first, second = gateway.alert(entity_id=name), gateway.alert(entity_id=name)
    assert first["is_incident_created"] and not second["is_incident_created"]
    assert first["alert"] != second["alert"]
    assert first["incident"] == second["incident"]
