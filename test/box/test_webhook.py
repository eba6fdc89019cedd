"""Outgoing webhooks: their bytes, headers, signatures and ids (CONTRACT §8)."""

import base64
import datetime
import json

import pytest

from gateway import OTHER_KEY, integration, run, webhook
from outgoing import DOWN, EVENTS, delivered, failed, life, pair
from receiver import answer, sign, sign_parsed

KEY = "a signing key \u00fc of the tests"
INCIDENT_KEYS = [
    "summary", "incident_number", "creation_date", "status", "unique_id", "title", "incident_key",
    "service", "priority", "urgency", "merged_with", "assigned_to", "resolved_date",
    "acknowledged_date", "context_window_start", "context_window_end"]
SERVICE_KEYS = [
    "name", "creation_date", "summary", "description", "unique_id", "auto_resolve_timeout",
    "created_by", "team_priority", "task_template", "acknowledgement_timeout", "status",
    "escalation_policy", "team", "sla", "collation_time", "collation"]


# The body.

def test_webhook_body(make):
    """§8: the keys in their order, the values of their kinds, for each event."""
    gateway, receiver = pair(make)
    life(gateway)
    requests = receiver.wait(3)
    assert [request.event for request in requests] == EVENTS
    for status, request in enumerate(requests, 1):
        body = json.loads(request.body)
        assert list(body) == ["payload"]
        assert list(body["payload"]) == ["event_type", "incident"]
        assert list(request.incident) == INCIDENT_KEYS
        assert list(request.incident["service"]) == SERVICE_KEYS
        assert request.incident["status"] == status
        assert request.body == json.dumps(body).encode()
    first, second, third = (request.incident for request in requests)
    assert first["acknowledged_date"] is None and first["resolved_date"] is None
    assert second["acknowledged_date"] is not None and second["resolved_date"] is None
    assert third["acknowledged_date"] == second["acknowledged_date"]
    assert third["resolved_date"] is not None
    for key in ("incident_number", "creation_date", "unique_id", "title", "incident_key",
                "context_window_start", "context_window_end"):
        assert first[key] == second[key] == third[key], key


def test_webhook_body_values(make):
    """§8: what nobody set is null, 0 or "" ; what the API says is said here too."""
    gateway, receiver = pair(make)
    incident = gateway.opened(message="disk full", summary="97 %", entity_id=5)
    seen = receiver.wait()[0].incident
    for key in ("summary", "incident_number", "creation_date", "status", "unique_id", "title",
                "incident_key", "urgency", "context_window_start", "context_window_end"):
        assert seen[key] == incident[key], key
    assert seen["priority"] is None and seen["merged_with"] is None
    assert seen["assigned_to"] is None
    service = seen["service"]
    assert (service["name"], service["summary"], service["description"]) == ("Payments", "", "")
    assert service["status"] == 1
    for key in ("auto_resolve_timeout", "acknowledgement_timeout", "collation_time", "collation"):
        assert service[key] == 0, key
    for key in ("created_by", "team_priority", "task_template", "escalation_policy", "team", "sla"):
        assert service[key] is None, key


def test_webhook_context_window(make):
    """§8: the 30 minutes before creation, cut to milliseconds."""
    def parse(text):
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    gateway, receiver = pair(make)
    gateway.alert("critical")
    seen = receiver.wait()[0].incident
    start, end = (parse(seen["context_window_" + side]) for side in ("start", "end"))
    created = parse(seen["creation_date"])
    assert end == created.replace(microsecond=created.microsecond // 1000 * 1000)
    assert end - start == datetime.timedelta(minutes=30)


def test_webhook_service(make):
    """§8: a service's facts; ids without dashes; the incident's assignee."""
    ids = {key: "910825254a64446fae1fb9474%07d" % n for n, key in enumerate(
        ("team", "escalation_policy", "sla", "team_priority", "task_template"))}
    dashed = {key: "-".join((v[:8], v[8:12], v[12:16], v[16:20], v[20:])) for key, v in ids.items()}
    user = {"username": "u1", "first_name": "Ada", "last_name": "L\u00f6we",
            "email": "ada@example.org"}
    service = {"name": "Billing \u2603", "summary": "s", "description": "d",
               "unique_id": "9ea1cd16-22fe-45c9-a22d-b74f95305b6d", "created_by": "u1",
               "creation_date": "2019-03-14T08:36:51.064063Z", "auto_resolve_timeout": 900,
               "acknowledgement_timeout": 600, "collation": 1, "collation_time": 5,
               "assigned_to": "u1", **dashed}
    gateway, receiver = pair(make, top={"service": service, "users": [user]})
    gateway.alert("critical")
    seen = receiver.wait()[0].incident
    assert seen["assigned_to"] == user
    for key, value in service.items():
        if key != "assigned_to":
            assert seen["service"][key] == ids.get(key, value), key


def test_webhook_service_creation_date(make):
    """§8: unless configured it is the first time this store saw the service, for ever."""
    gateway, receiver = pair(make)
    gateway.alert("critical")
    receiver.wait(1)
    delivered(gateway, 1)
    gateway.restart()
    gateway.alert("critical")
    one, two = receiver.wait(2)
    assert one.incident["service"]["creation_date"] == two.incident["service"]["creation_date"]
    assert one.incident["creation_date"] != two.incident["creation_date"]
    assert one.incident["service"]["unique_id"] == two.incident["service"]["unique_id"]


TITLES = ["plain", "caf\u00e9 \u2603 na\u00efve", "\U0001f600\U0001f469\u200d\U0001f4bb",
          'q" b\\ s/ <>&', "\b\f\n\r\t\x01\x1f", "del \x7f", "nul \0", "\u2028\u2029\ufeff",
          "\ud7ff\ue000\uffff\U00010000\U0010ffff", "\u0080\u009f"]


@pytest.mark.parametrize("title", TITLES, ids=[ascii(title) for title in TITLES])
def test_webhook_title(signed, title):
    """§8: any text is printed as json.dumps prints it, and the documented check verifies it."""
    gateway, receiver = signed
    before = len(receiver.requests)
    gateway.alert("critical", message=title, summary=title * 3, entity_id=title)
    request = receiver.wait(before + 1)[-1]
    assert request.incident["title"] == title
    assert request.incident["summary"] == title * 3
    assert request.body == json.dumps(json.loads(request.body)).encode()
    assert request.headers["x-signature"] == sign_parsed(KEY, request.body)


@pytest.fixture(scope="module")
def signed(make_shared):
    return pair(make_shared, auth={"type": "hmac", "key": KEY})


@pytest.mark.parametrize("character", ["\u00e9", "\u2603", "\U0001f600"])
def test_webhook_cut(signed, character):
    """§8: title at 1 KiB, summary at 64 KiB, at a character, marked; it still verifies."""
    gateway, receiver = signed
    before = len(receiver.requests)
    gateway.alert("critical", message=character * 3000, summary="." + character * 40000)
    request = receiver.wait(before + 1)[-1]
    for key, limit in (("title", 1024), ("summary", 65536)):
        text = request.incident[key]
        assert limit - 4 < len(text.encode()) <= limit
        assert text.endswith("...") or text.endswith("\u2026")
        assert set(text.rstrip(".\u2026")) - {"."} == {character}
    assert request.headers["x-signature"] == sign_parsed(KEY, request.body)


def test_webhook_uncut(signed):
    """§8: a title of 1024 bytes and a summary of 65536 are whole."""
    gateway, receiver = signed
    before = len(receiver.requests)
    gateway.alert("critical", message="t" * 1024, summary="s" * 65536)
    seen = receiver.wait(before + 1)[-1].incident
    assert (seen["title"], seen["summary"]) == ("t" * 1024, "s" * 65536)


# Headers and authentication.

def test_webhook_headers(make):
    """§8: those that are always there, and the webhook's own."""
    version = run("version").stdout.split()[-1]
    gateway, receiver = pair(make, headers={"X-Team": "ops on call", "x-env": "prod"})
    gateway.alert("critical")
    request = receiver.wait()[0]
    assert request.line == "POST /hook HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "tocsin/" + version
    assert request.headers["host"] == "127.0.0.1:%d" % receiver.port
    assert request.headers["content-length"] == str(len(request.body))
    assert request.headers["x-attempt"] == "1"
    assert request.id
    assert request.headers["x-team"] == "ops on call"
    assert request.headers["x-env"] == "prod"
    assert "transfer-encoding" not in request.headers
    assert len({name.lower() for name, _ in request.pairs}) == len(request.pairs)


def test_webhook_path_and_query(make):
    """§8: the URL's path and query as they are written."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url("/a%20b/?token=x&y=%C3%BC"))])
    gateway.alert("critical")
    assert receiver.wait()[0].path == "/a%20b/?token=x&y=%C3%BC"


@pytest.mark.parametrize("auth", [None, {"type": "none"}])
def test_webhook_auth_none(make, auth):
    """§8: neither a signature nor credentials."""
    gateway, receiver = pair(make, **({"auth": auth} if auth else {}))
    gateway.alert("critical")
    headers = receiver.wait()[0].headers
    assert "authorization" not in headers and "x-signature" not in headers


def test_webhook_auth_basic(make):
    """§8: Basic, with a colon in the password and letters beyond ASCII."""
    auth = {"type": "basic", "username": "us\u00e9r", "password": "p:\u00e4ss"}
    gateway, receiver = pair(make, auth=auth)
    gateway.alert("critical")
    headers = receiver.wait()[0].headers
    expected = base64.b64encode("us\u00e9r:p:\u00e4ss".encode()).decode()
    assert headers["authorization"] == "Basic " + expected
    assert "x-signature" not in headers


@pytest.mark.parametrize("key", [KEY, "k", "k" * 64, "k" * 65, "k" * 500])
def test_webhook_auth_hmac(make, key):
    """§8: base64 of HMAC-SHA256 over the whole body; keys of any length."""
    gateway, receiver = pair(make, auth={"type": "hmac", "key": key})
    life(gateway)
    for request in receiver.wait(3):
        assert request.headers["x-signature"] == sign(key, request.body)
        assert request.headers["x-signature"] == sign_parsed(key, request.body)
        assert "authorization" not in request.headers


def test_webhook_secret_from_file_and_environment(make):
    """§10: a secret may stand in a file or in the environment."""
    receiver = make.receiver()
    gateway = make.gateway(start=False, environment={"HOOK_KEY": "from-env"}, webhooks=[
        webhook("env", receiver.url("/env"), auth={"type": "hmac", "key": {"env": "HOOK_KEY"}}),
        webhook("file", receiver.url("/file"), auth={"type": "hmac", "key": {"file": ""}})])
    path = gateway.directory + "/secret"
    with open(path, "w", encoding="ascii") as file:
        file.write("from-file\n")
    gateway.conf["services"][0]["webhooks"][1]["auth"]["key"]["file"] = path
    gateway.start()
    gateway.alert("critical")
    for request in receiver.wait(2):
        key = {"/env": "from-env", "/file": "from-file"}[request.path]
        assert request.headers["x-signature"] == sign(key, request.body)


# Which events go where.

def test_webhook_events(make):
    """§8: a webhook may list fewer events."""
    receivers = {event: make.receiver() for event in EVENTS}
    gateway = make.gateway(webhooks=[webhook(event, receivers[event].url(), events=[event])
                                     for event in EVENTS])
    life(gateway)
    for event, receiver in receivers.items():
        receiver.wait(1)
        receiver.quiet(1, 0.03)
        assert receiver.events() == [event]


def test_webhook_only_status_changes(make):
    """§8: alerts that join, repeat or stand alone say nothing."""
    gateway, receiver = pair(make)
    for alert_type in ("critical", "critical", "info", "acknowledged", "critical", "acknowledged",
                       "resolved", "resolved", "acknowledged", "info"):
        gateway.alert(alert_type, entity_id="e")
    gateway.alert("critical", entity_id="e", suppressed=True)
    receiver.wait(3)
    receiver.quiet(3)
    assert receiver.events() == EVENTS


def test_webhook_timers_are_events(make):
    """§5, §8: what a service's timers do is told as well."""
    gateway, receiver = pair(make, top={"service": {
        "name": "S", "acknowledgement_timeout": 600, "auto_resolve_timeout": 900}})
    gateway.alert("critical", entity_id="e")
    gateway.alert("acknowledged", entity_id="e")
    delivered(gateway, 2)
    gateway.advance(610)
    delivered(gateway, 3)
    gateway.advance(910)
    receiver.wait(4)
    assert receiver.events() == ["triggered", "acknowledged", "triggered", "resolved"]
    assert len({request.id for request in receiver.requests}) == 4


def test_webhook_of_its_service(make):
    """§8: a service's incidents go to its own webhooks."""
    receivers = [make.receiver(), make.receiver()]
    services = [{"name": name, "integrations": [integration(key=key)],
                 "webhooks": [webhook(name, receiver.url())]}
                for name, key, receiver in zip("AB", (integration()["key"], OTHER_KEY), receivers)]
    gateway = make.gateway(services=services)
    gateway.alert("critical", key=OTHER_KEY)
    assert receivers[1].wait()[0].incident["service"]["name"] == "B"
    receivers[0].quiet(0)


# The same bytes, the same id.

def test_webhook_same_for_all(make):
    """§8: the body is one for all webhooks and attempts; each delivery has an id of its own."""
    receivers = [make.receiver(), make.receiver(script=[DOWN])]
    gateway = make.gateway(retry=["1s"] * 3, webhooks=[
        webhook("w%d" % i, receiver.url(), auth={"type": "hmac", "key": "key %d" % i})
        for i, receiver in enumerate(receivers)])
    gateway.alert("critical")
    failed(gateway)
    gateway.advance(1.3)
    requests = receivers[0].wait(1) + receivers[1].wait(2)
    assert len({request.body for request in requests}) == 1
    assert requests[0].id != requests[1].id
    assert requests[1].id == requests[2].id


def test_webhook_attempts(make):
    """§8: the delivery id is stable, X-Attempt counts, body and signature are the same."""
    gateway, receiver = pair(make, script=[DOWN] * 3, retry=["1s"] * 5,
                             auth={"type": "hmac", "key": KEY})
    gateway.alert("critical")
    for attempt in range(1, 4):
        failed(gateway, attempt)
        gateway.advance(1.3)
    requests = receiver.wait(4)
    assert [request.attempt for request in requests] == [1, 2, 3, 4]
    assert len({request.id for request in requests}) == 1
    assert len({request.body for request in requests}) == 1
    assert {request.headers["x-signature"] for request in requests} == {sign(KEY, requests[0].body)}
    delivered(gateway)


def test_webhook_attempts_across_restart(make):
    """§1.3: a delivery that waits is sent after a crash, with its id, its number, its bytes."""
    gateway, receiver = pair(make, script=[DOWN], retry=["60s"] * 5)
    gateway.alert("critical")
    failed(gateway)
    gateway.kill9()
    gateway.start()
    receiver.quiet(1, 0.05)
    gateway.advance(75)
    one, two = receiver.wait(2)
    assert (one.id, one.body) == (two.id, two.body)
    assert two.attempt == 2


def test_webhook_in_flight_at_the_crash(make):
    """§1.3: what was under way when the gateway died is sent again."""
    gateway, receiver = pair(make, script=[answer(200, delay=5)])
    gateway.alert("critical")
    receiver.wait(1)
    gateway.kill9()
    gateway.start()
    one, two = receiver.wait(2)
    assert (one.id, one.body) == (two.id, two.body)
