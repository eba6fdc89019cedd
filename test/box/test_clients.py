"""Clients that exist: the bytes they send, and what they make of the answers (CONTRACT §3, §6).

Each test writes a client's requests as that client does (its headers and their case, its keys and
their case, its types, null where it sends null), and then looks at the answers as it does: the exact
status it insists on, the keys its constructors take, the types it decodes into.
"""

import datetime
import json
import time
import uuid

import pytest

import vendor
from gateway import KEY, integration, webhook

PLAIN, TREE, GUARDED, CAPTURING = ("0d0b5a3c-5d2c-4c57-9a59-000000000001", "int_tree00001",
                                   "int_guard0001", "int_capture01")
TREE_TOKEN = "tree-token-1234"
GENERIC = "/integration/demo1/generic/%s/" % KEY
EVENTS = "/api/events/%s/" % KEY


@pytest.fixture
def gateway(make):
    return make.gateway(tokens=vendor.TOKENS, service={
        "name": "Payments", "unique_id": vendor.SERVICE, "team": vendor.TEAM, "integrations": [
            integration(), integration("Lenient", PLAIN, default_alert_type="critical"),
            integration("Tree", TREE, type="pagertree"),
            integration("Guarded", GUARDED, type="pagertree", token=TREE_TOKEN),
            integration("Capturing", CAPTURING, type="pagertree", capture_additional_data=True,
                        default_urgency="low")]})


def send(gateway, path, body, headers, method="POST"):
    """One request; body as Python's json prints it, or bytes as another client does."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return gateway.request(method, path, data, headers)


def compact(body):
    """As JavaScript, Go and PHP print it."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def incident(gateway, number):
    return gateway.incident(number, vendor.HEADER)


def opened(gateway, answer):
    """The incident that the alert behind that answer opened."""
    status = gateway.settled(answer.header("X-Trace-Id"))
    assert status["is_incident_created"], status
    return incident(gateway, status["incident"]["incident_number"])


def touched(gateway, answer):
    """The number of the incident that it touched, or None."""
    status = gateway.settled(answer.header("X-Trace-Id"))
    assert status["status"] == "completed", status
    return status["incident"] and status["incident"]["incident_number"]


def payload_of(gateway, number):
    """What was kept of the first alert of an incident."""
    answer = gateway.get("/api/incidents/%d/alerts/" % number, vendor.HEADER)
    assert answer.status == 200, answer
    return answer.json()[0]["payload"]


# PagerTree.

APPRISE = {"User-Agent": "Apprise", "Accept-Encoding": "gzip, deflate", "Accept": "*/*",
           "Connection": "keep-alive", "Content-Type": "application/json"}


def apprise(gateway, key=TREE, headers=(), **body):
    """Content with 200, 201 and 202 only."""
    answer = send(gateway, "/integration/" + key, body, {**APPRISE, **dict(headers)})
    assert answer.status in (200, 201, 202), answer
    assert not answer.body
    return answer


def test_clients_apprise(gateway):
    """§6: lower-case keys; create has title, description, meta and tags, the others id alone."""
    own = str(uuid.uuid4())
    create = apprise(gateway, id=own, event_type="create", title="Apprise Notifications",
                     description="body", meta={}, tags=["a", "b"], urgency="high")
    found = opened(gateway, create)
    assert (found["title"], found["summary"], found["tags"], found["urgency"]) == (
        "Apprise Notifications", "body", ["a", "b"], 1)
    number = found["incident_number"]
    assert touched(gateway, apprise(gateway, id=own, event_type="acknowledge")) == number
    assert touched(gateway, apprise(gateway, id=own, event_type="resolve")) == number
    assert incident(gateway, number)["status"] == 3


def test_clients_apprise_extras(gateway):
    """§6: its +headers carry the token; :extras stand at the top level, -extras in meta, as texts."""
    meta = {"incident": "true", "incident_severity": "SEV-1", "incident_message": "bridge 1"}
    body = {"id": "x", "event_type": "create", "title": "t", "description": "d", "meta": meta,
            "tags": [], "region": "eu", "Host": "db-7"}
    apprise(gateway, GUARDED, {"pagertree-token": TREE_TOKEN}, **body)
    answer = send(gateway, "/integration/" + GUARDED, body, APPRISE)
    assert answer.status == 403 and not answer.body
    number = opened(gateway, apprise(gateway, CAPTURING, **body))["incident_number"]
    assert payload_of(gateway, number) == {"meta": meta, "tags": [], "region": "eu", "host": "db-7"}
    number = opened(gateway, apprise(gateway, TREE, **body))["incident_number"]
    assert payload_of(gateway, number) == {"meta": meta, "tags": []}


def test_clients_apprise_silent(gateway):
    """§6: its urgency "silent" is none of the four: the integration's default."""
    body = {"id": "x", "event_type": "create", "title": "t", "description": "d", "meta": {},
            "tags": [], "urgency": "silent"}
    assert opened(gateway, apprise(gateway, TREE, **body))["urgency"] == 1
    assert opened(gateway, apprise(gateway, CAPTURING, **body))["urgency"] == 0


def test_clients_apprise_errors(make):
    """§6: the statuses that it has words for: 403, 404, 405, 429."""
    gateway = make.gateway(integrations=[
        integration("Guarded", GUARDED, type="pagertree", token=TREE_TOKEN),
        integration("Off", "int_off000001", type="pagertree", enabled=False),
        integration("Slow", "int_slow00001", type="pagertree", rate_limit={"per_minute": 1})])
    body = {"id": "x", "event_type": "create", "title": "t"}
    keys = {GUARDED: 403, "int_unknown01": 404, "int_off000001": 405, "int_slow00001": 200}
    for key, status in [*keys.items(), ("int_slow00001", 429)]:
        answer = send(gateway, "/integration/" + key, body, APPRISE)
        assert answer.status == status and not answer.body, key


AXIOS = {"Accept": "application/json, text/plain, */*", "Content-Type": "application/json",
         "User-Agent": "axios/0.30.2", "Accept-Encoding": "gzip, compress, deflate, br"}


def kuma(gateway, key=CAPTURING, **body):
    answer = send(gateway, "/integration/" + key, compact(body), AXIOS)
    assert 200 <= answer.status < 300 and answer.body == b""
    return answer


def test_clients_uptime_kuma(gateway):
    """§6: id is a number, title is null on resolve, heartbeat and monitor are further keys."""
    monitor = {"id": 7, "name": "web ☃", "url": "https://example.org", "tags": []}
    down = kuma(gateway, event_type="create", id=7, urgency="high", monitor=monitor,
                title='Uptime Kuma Monitor "web ☃" is DOWN',
                heartbeat={"monitorID": 7, "status": 0, "time": "2026-11-21 09:00:00", "ping": None})
    found = opened(gateway, down)
    assert found["title"] == 'Uptime Kuma Monitor "web ☃" is DOWN'
    assert (found["incident_key"], found["summary"], found["urgency"]) == ("7", "", 1)
    kept = payload_of(gateway, found["incident_number"])
    assert kept["monitor"] == monitor and kept["heartbeat"]["monitorID"] == 7
    up = kuma(gateway, event_type="resolve", id=7, title=None, urgency="high", monitor=monitor,
              heartbeat={"monitorID": 7, "status": 1})
    assert touched(gateway, up) == found["incident_number"]
    assert incident(gateway, found["incident_number"])["status"] == 3


def test_clients_uptime_kuma_test_button(gateway):
    """§6: without a monitor: a fixed id, heartbeat and monitor null."""
    found = opened(gateway, kuma(gateway, TREE, event_type="create", id="uptime-kuma",
                                 title="My Alert Testing", urgency="low", heartbeat=None,
                                 monitor=None))
    assert (found["incident_key"], found["urgency"]) == ("uptime-kuma", 0)


def test_clients_elastalert2(gateway):
    """§6: capitals, a new Id each time, a header in lower case; content below 400."""
    headers = {"User-Agent": "python-requests/2.32.5", "Accept-Encoding": "gzip, deflate",
               "Accept": "*/*", "Connection": "keep-alive", "content-type": "application/json"}
    keys = [str(uuid.uuid4()) for _ in range(2)]
    for key in keys:
        answer = send(gateway, "/integration/" + TREE, {
            "event_type": "create", "Id": key, "Title": "ElastAlert: errors",
            "Description": "errors\n\nAt least 50 events occurred\n"}, headers)
        assert answer.status < 400
        assert opened(gateway, answer)["incident_key"] == key


GUZZLE = {"Content-Type": "application/json", "User-Agent": "GuzzleHttp/7"}


def test_clients_librenms_pagertree(gateway):
    """§6: Id is a number, Description has markup; slashes and letters are escaped, as PHP does."""
    number = None
    for event_type in ("create", "acknowledge", "resolve"):
        body = (rb'{"event_type":"%s","Id":4711,"Title":"Alert for device db-7 - Ger\u00e4t",'
                rb'"Description":"<strong>Severity: critical<\/strong> \u2603"}' % event_type.encode())
        answer = send(gateway, "/integration/" + TREE, body, GUZZLE)
        assert 200 <= answer.status < 300
        number = number or opened(gateway, answer)["incident_number"]
        assert touched(gateway, answer) == number
    found = incident(gateway, number)
    assert (found["incident_key"], found["status"]) == ("4711", 3)
    assert found["title"] == "Alert for device db-7 - Gerät"
    assert found["summary"] == "<strong>Severity: critical</strong> ☃"


GO = {"User-Agent": "Go-http-client/1.1", "Content-Type": "application/json",
      "Accept-Encoding": "gzip"}


def test_clients_peekaping(gateway):
    """§6: capitals beside a lower-case urgency, and the token's header as Go spells it."""
    body = {"event_type": "create", "Id": "monitor-m1-%d" % time.time(),
            "Title": "Monitor web is DOWN", "Description": "timeout - Last checked: now",
            "urgency": "medium", "Tags": ["peekaping", "monitor-type:http"],
            "Meta": {"monitor_id": "m1", "monitor_name": "web", "status": 0}}
    answer = send(gateway, "/integration/" + GUARDED, compact(body),
                  {**GO, "Pagertree-Token": TREE_TOKEN})
    assert 200 <= answer.status < 300
    found = opened(gateway, answer)
    assert (found["urgency"], found["tags"]) == (0, ["peekaping", "monitor-type:http"])
    assert payload_of(gateway, found["incident_number"])["meta"] == body["Meta"]
    # Its Id changes every second, so that its resolve never meets its create.
    answer = send(gateway, "/integration/" + GUARDED,
                  compact({**body, "event_type": "resolve", "Id": "monitor-m1-0"}),
                  {**GO, "Pagertree-Token": TREE_TOKEN})
    assert 200 <= answer.status < 300 and touched(gateway, answer) is None


def test_clients_healthchecks(gateway):
    """§6: not this format: content with 2xx, and nothing comes of it."""
    rows = gateway.rows()
    for event_type in ("trigger", "resolve"):
        answer = send(gateway, "/integration/" + TREE, {
            "incident_key": str(uuid.uuid4()), "event_type": event_type, "title": "web is DOWN",
            "description": "", "client": "Healthchecks", "client_url": "http://localhost:8000",
            "tags": "prod web"}, {"User-Agent": "healthchecks.io", "Accept": "*/*",
                                  "Content-Type": "application/json"})
        assert 200 <= answer.status < 300
    assert gateway.rows() == rows
    gateway.wait_log("alert.rejected", 2, http__response__status_code=200)


# Zenduty's generic integration.

def test_clients_concourse(gateway):
    """§3: pretty-printed by a shell, sent by curl."""
    body = b"""{
    "alert_type": "critical",
    "message": "Concourse job 'deploy' failed in pipeline 'web' [prod]",
    "summary": "Job 'deploy' in pipeline 'web' for environment 'prod' has failed. Build #12.",
    "entity_id": "concourse-web-deploy-prod",
    "urls": [{"link_url": "https://ci/teams/main/pipelines/web", "link_text": "Build URL"}]
  }"""
    answer = send(gateway, GENERIC, body, {"User-Agent": "curl/8.5.0", "Accept": "*/*",
                                           "Content-Type": "application/json"})
    assert answer.status == 200
    found = opened(gateway, answer)
    assert found["incident_key"] == "concourse-web-deploy-prod"
    assert found["title"] == "Concourse job 'deploy' failed in pipeline 'web' [prod]"


LIBRENMS = {"message": "Alert for device db-7", "alert_type": "critical", "entity_id": 4711,
            "payload": {"hostname": "db-7", "id": 12, "uid": 345, "uptime": 86400, "ip": "10.0.0.7",
                        "state": 1, "version": None, "msg": "text"},
            "urls": [{"link_url": "http://nms/device/7", "link_text": "db-7"}]}


def librenms(gateway, key=KEY, **more):
    return send(gateway, "/integration/demo1/generic/%s/" % key, compact({**LIBRENMS, **more}),
                {**GUZZLE, "Accept": "application/json"})


def test_clients_librenms_zenduty(gateway):
    """§3: entity_id is a number; severities in lower case; ids only where they are configured."""
    answer = librenms(gateway, summary="text", sla=vendor.IDS[1], escalation_policy=vendor.IDS[2])
    assert 200 <= answer.status < 300
    found = opened(gateway, answer)
    assert (found["incident_key"], found["summary"]) == ("4711", "text")
    assert (found["sla"], found["escalation_policy"]) == (vendor.IDS[1], vendor.IDS[2])
    assert payload_of(gateway, found["incident_number"]) == LIBRENMS["payload"]
    for alert_type in ("acknowledged", "resolved"):
        answer = librenms(gateway, alert_type=alert_type, summary="text")
        assert touched(gateway, answer) == found["incident_number"]
    assert incident(gateway, found["incident_number"])["status"] == 3


def test_clients_librenms_zenduty_template(gateway):
    """§3: a template that is JSON is merged into the alert, whatever is in it."""
    answer = librenms(gateway, message="from the template", summary={"not": "a text"}, colour="red")
    found = opened(gateway, answer)
    assert (found["title"], found["summary"]) == ("from the template", "")


def test_clients_librenms_zenduty_severity(gateway):
    """§3: a severity that is no alert type is refused with its name; a default is not for it."""
    for key in (KEY, PLAIN):
        answer = librenms(gateway, key, alert_type="ok", summary="text")
        assert answer.status == 400
        assert list(answer.json()) == ["error", "detail"]
        assert "ok" in answer.json()["detail"] and "alert_type" in answer.json()["detail"]


def test_clients_kestra(gateway):
    """§3: urls are plain strings, the body is what a template made; it logs success at 200."""
    body = {"message": "flow failed", "summary": "company.team.flow", "alert_type": "critical",
            "entity_id": "4Qj", "urls": ["http://kestra/ui/executions/4Qj"]}
    answer = send(gateway, GENERIC, compact(body), {"Content-Type": "application/json",
                                                    "User-Agent": "Apache-HttpClient/5.5 (Java/21)"})
    assert answer.status == 200
    number = opened(gateway, answer)["incident_number"]
    listed = gateway.get("/api/incidents/%d/alerts/" % number, vendor.HEADER).json()
    assert listed[0]["urls"] == [{"link_url": body["urls"][0], "link_text": ""}]


# Zenduty's older events API, and the incidents API beside it.

def test_clients_kwatch(gateway):
    """§3: insists on 201; resolves with the message "resolved" and an empty summary."""
    body = {"message": "kwatch detected a crash in pod: web-1", "summary": "Reason: OOMKilled",
            "alert_type": "critical", "entity_id": "ns/web-1"}
    answer = send(gateway, EVENTS, compact(body), GO)
    assert answer.status == 201
    number = answer.json()["incident"]
    answer = send(gateway, EVENTS, compact({"message": "resolved", "summary": "",
                                            "alert_type": "resolved", "entity_id": "ns/web-1"}), GO)
    assert answer.status == 201 and answer.json()["incident"] == number
    assert incident(gateway, number)["status"] == 3


def test_clients_kwatch_limited(make):
    """§3: and has a word for 429."""
    gateway = make.gateway(integrations=[integration(rate_limit={"per_minute": 1})])
    body = {"message": "m", "summary": "", "alert_type": "critical"}
    assert [send(gateway, EVENTS, compact(body), GO).status for _ in range(2)] == [201, 429]


PONYFILL = {"Authorization": "Token " + vendor.TOKEN, "Content-Type": "application/json",
            "Accept": "*/*", "User-Agent": "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
            "Accept-Encoding": "gzip,deflate", "Connection": "close"}


def script(gateway, method, path, body=None):
    """zenduty-js: content with 2xx, and always parses a body. Its GETs name a type and have none."""
    answer = send(gateway, path, body and compact(body), PONYFILL, method)
    assert 200 <= answer.status < 300, answer
    return answer.json()


def test_clients_zenduty_js(gateway):
    """§2, §3: an event, then its incident: read, acknowledged, resolved, with alerts and notes."""
    event = script(gateway, "POST", EVENTS, {"message": "NodeEvent", "summary": "s",
                                             "alert_type": "critical"})
    path = "/api/incidents/%d/" % event["incident"]
    assert script(gateway, "GET", path)["title"] == "NodeEvent"
    assert [a["unique_id"] for a in script(gateway, "GET", path + "alerts/")] == [event["unique_id"]]
    assert script(gateway, "GET", path + "note/") is not None
    for status in (2, 3):
        changed = script(gateway, "PATCH", path, {"status": status, "incident_number": 12})
        assert changed["status"] == status
    found = script(gateway, "GET", "/api/incidents/")
    assert [i["incident_number"] for i in found["results"]] == [event["incident"]]


def strictly(keys, found):
    """As a constructor that takes just these: one more or one less is an error."""
    assert set(found) == set(keys), set(found) ^ set(keys)
    return found


def python_date(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def python_event(found):
    """zenduty-python-sdk: Event(**found), its integration in a constructor of its own."""
    strictly(vendor.ALERT_KEYS, found)
    facts = strictly(vendor.INTEGRATION_KEYS, found["integration_object"])
    for key in ("unique_id", "service", "team"):
        uuid.UUID(facts[key])
    python_date(facts["creation_date"])
    python_date(found["creation_date"])
    return found


def python_incident(found):
    """Incident(**found): ids are UUIDs or null, objects are dictionaries or null."""
    strictly(vendor.KEYS, found)
    strictly(vendor.SERVICE_KEYS, found["service_object"])
    for key in ("service", "escalation_policy", "sla", "team_priority"):
        assert found[key] is None or uuid.UUID(found[key])
    for key in ("unique_id", "team"):
        uuid.UUID(found["service_object"][key])
    python_date(found["creation_date"])
    return found


def python(gateway, method, path, body=None, status=200):
    """One status is success, and the body is JSON. Nulls are taken out of what it sends."""
    headers = {"User-Agent": "python-requests/2.32.5", "Accept-Encoding": "gzip, deflate",
               "Accept": "*/*", "Connection": "keep-alive", "Authorization": "Token " + vendor.TOKEN,
               "Content-Type": "application/json"}
    answer = send(gateway, path, body or {}, headers, method)
    assert answer.status == status, answer
    return answer.json()


def test_clients_python_sdk_event(gateway):
    """§3: exactly 201, exactly the keys of its constructors."""
    for alert_type in ("critical", "info", "resolved"):
        found = python_event(python(gateway, "POST", EVENTS, {
            "summary": "s", "message": "m", "alert_type": alert_type}, 201))
        assert found["message"] == "m" and found["summary"] == "s"


def test_clients_python_sdk_event_without_team(make):
    """§3: its constructor takes a UUID for the team, and nothing else."""
    gateway = make.gateway()
    python_event(python(gateway, "POST", EVENTS, {"message": "m", "alert_type": "info"}, 201))


def test_clients_python_sdk_refused(gateway):
    """§3: what is not success tells why in `detail`."""
    assert python(gateway, "POST", EVENTS, {"summary": "s"}, 400)["detail"]
    assert python(gateway, "POST", "/api/events/x/", {"summary": "s"}, 404)["detail"] == "Not Found."


def test_clients_python_sdk_incidents(gateway):
    """§2: creates (201), lists, reads, changes with PUT (the whole object), lists the alerts."""
    made = python_incident(python(gateway, "POST", "/api/incidents/", {
        "summary": "s", "status": 1, "title": "by hand", "service": vendor.SERVICE}, 201))
    event = python_event(python(gateway, "POST", EVENTS, {
        "summary": "s", "message": "m", "alert_type": "critical"}, 201))
    page = python(gateway, "GET", "/api/incidents/")
    assert page["next"] is None
    numbers = [python_incident(found)["incident_number"] for found in page["results"]]
    assert sorted(numbers) == sorted([made["incident_number"], event["incident"]])
    path = "/api/incidents/%d/" % made["incident_number"]
    whole = {key: value for key, value in python(gateway, "GET", path).items() if value is not None}
    changed = python_incident(python(gateway, "PUT", path, {**whole, "status": 3, "title": "done"}))
    assert (changed["status"], changed["title"]) == (3, "done")
    alerts = python(gateway, "GET", "/api/incidents/%d/alerts/" % event["incident"])
    assert [python_event(alert)["unique_id"] for alert in alerts] == [event["unique_id"]]


def go(gateway, method, path, body=None):
    """zenduty-go-sdk: the scheme in lower case; content with 2xx, and decodes into its types."""
    answer = send(gateway, path, None if body is None else compact(body),
                  {**GO, "Authorization": "token " + vendor.TOKEN}, method)
    assert 200 <= answer.status <= 299, answer
    return answer.json()


def go_texts(found, keys):
    """Members that it decodes into strings: a string, or null, which leaves them empty."""
    for key in keys:
        assert found[key] is None or isinstance(found[key], str), key
    return found


def test_clients_go_sdk_event(gateway):
    """§3: sends an empty entity_id and a null payload; nearly all that comes back is a string."""
    found = go(gateway, "POST", EVENTS, {"message": "m", "summary": "s", "alert_type": "critical",
                                         "entity_id": "", "payload": None})
    go_texts(found, ["unique_id", "message", "summary", "alert_type", "entity_id", "payload",
                     "integration", "creation_date"])
    go_texts(found["integration_object"], ["name", "summary", "service", "team", "integration_key"])
    assert len(found["entity_id"]) == 32


def test_clients_go_sdk_incidents(gateway):
    """§2: creates, lists, reads, changes with PATCH, writes a note."""
    made = go(gateway, "POST", "/api/incidents/", {
        "service": vendor.SERVICE, "escalation_policy": "", "user": "", "title": "by hand",
        "summary": "s", "urgency": 0})
    assert made["urgency"] == 0
    path = "/api/incidents/%d/" % made["incident_number"]
    for status in (2, 3):
        changed = go(gateway, "PATCH", path, {"status": status})
        assert changed["status"] == status
        go_texts(changed, ["summary", "creation_date", "unique_id", "title", "incident_key",
                           "service", "merged_with", "assigned_to", "escalation_policy",
                           "assigned_to_name", "resolved_date", "acknowledged_date",
                           "context_window_start", "context_window_end", "sla", "team_priority",
                           "team_priority_object"])
    note = go(gateway, "POST", path + "note/", {"note": "looked at"})
    go_texts(note, ["unique_id", "user", "note", "user_name", "creation_date"])
    assert note["incident"] == made["incident_number"]
    page = go(gateway, "GET", "/api/incidents/")
    go_texts(page, ["next", "previous"])
    assert page["count"] == 1


def test_clients_webhook_of_both(make):
    """§6, §8: one service with both formats: its receiver sees one kind of incident."""
    receiver = make.receiver()
    gateway = make.gateway(integrations=[integration(), integration("Tree", TREE, type="pagertree")],
                           webhooks=[webhook("ops", receiver.url())])
    gateway.alert("critical", entity_id="x", message="from Zenduty", summary="s")
    apprise(gateway, id="x", event_type="create", title="from PagerTree", description="s")
    first, second = (request.incident for request in receiver.wait(2))
    assert (first["title"], second["title"]) == ("from Zenduty", "from PagerTree")
    assert first["incident_key"] == second["incident_key"] == "x"
    assert list(first) == list(second) and first["incident_number"] != second["incident_number"]
