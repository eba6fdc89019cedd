"""The older events API: the generic format, answered 201 with the event object (CONTRACT §2, §3)."""

import json

import pytest

import vendor
from gateway import KEY, integration

SERVICE = {"name": "Payments", "unique_id": vendor.SERVICE, "team": vendor.TEAM}
DISABLED = "5f1c86cb-4c0e-4a6c-8b55-6a5f0b3ab002"
ALERT = {"message": "disk full", "alert_type": "critical"}
LINK_KEYS = ["unique_id", "link_url", "link_text"]


@pytest.fixture(scope="module")
def gateway(make_shared):
    return make_shared.gateway(service={**SERVICE, "integrations": [
        integration(), integration("Disabled", DISABLED, enabled=False),
        integration("Tree", "int_tree00001", type="pagertree")]})


def post(gateway, body, key=KEY, path="/api/events/%s/"):
    return gateway.request("POST", path % key, body)


def event(gateway, **fields):
    """POSTs an alert that must be accepted; the event object and its trace."""
    answer = post(gateway, {**ALERT, **fields})
    assert answer.status == 201, answer
    assert answer.header("Content-Type") == "application/json"
    return answer.json(), answer.header("X-Trace-Id")


@pytest.mark.parametrize("path", ["/api/events/%s/", "/api/events/%s", "/api/events/%s/?x=1"])
def test_events_paths(gateway, path):
    """§2: 201, with and without a slash; X-Trace-Id as on every ingest answer."""
    answer = post(gateway, ALERT, path=path)
    assert answer.status == 201
    assert gateway.settled(answer.header("X-Trace-Id"))["status"] == "completed"


def test_events_object(gateway):
    """§3: exactly the documented keys in their order, and nothing else."""
    payload = {"status": "ACME", "n": 1.50, "deep": [{"é": None}]}
    found, trace = event(gateway, summary="s", entity_id=12345, payload=payload,
                         urls=[{"link_url": "https://a/", "link_text": "A"}, "https://b/"])
    assert list(found) == vendor.ALERT_KEYS
    facts = found["integration_object"]
    assert list(facts) == vendor.INTEGRATION_KEYS
    assert (facts["name"], facts["summary"], facts["is_enabled"], facts["integration_type"]) == (
        "Generic", "", True, 0)
    assert facts["service"] == vendor.SERVICE and facts["team"] == vendor.TEAM
    assert facts["integration_key"] == KEY
    assert facts["unique_id"] == found["integration"] and vendor.UUID.fullmatch(found["integration"])
    vendor.parse(facts["creation_date"])
    assert vendor.parse(found["creation_date"]) >= vendor.parse(facts["creation_date"])
    assert (found["summary"], found["message"], found["entity_id"]) == ("s", "disk full", "12345")
    assert found["suppressed"] is False and found["alert_type"] == "3"
    assert found["payload"] == payload
    assert found["images"] == found["notes"] == []
    assert [list(link) for link in found["urls"]] == [LINK_KEYS] * 2
    assert [link["link_url"] for link in found["urls"]] == ["https://a/", "https://b/"]
    assert len({link["unique_id"] for link in found["urls"]}) == 2
    assert all(vendor.UUID.fullmatch(link["unique_id"]) for link in found["urls"])
    status = gateway.settled(trace)
    assert status["alert"] == found["unique_id"] and vendor.ID22.fullmatch(found["unique_id"])
    assert status["incident"]["incident_number"] == found["incident"]


def test_events_object_least(gateway):
    """§3: what the alert did not bring: made, empty, or null."""
    found, _ = event(gateway, alert_type="info")
    assert list(found) == vendor.ALERT_KEYS
    assert len(found["entity_id"]) == 32
    assert (found["summary"], found["payload"], found["urls"]) == ("", None, [])
    assert found["incident"] is None and found["alert_type"] == "0"


def test_events_integration_is_one(make):
    """§3: the integration's id is the same across alerts, restarts and another key."""
    gateway = make.gateway(service=SERVICE)
    first = event(gateway)[0]["integration_object"]
    gateway.conf["services"][0]["integrations"][0]["key"] = DISABLED
    gateway.restart()
    answer = post(gateway, ALERT, DISABLED)
    again = answer.json()["integration_object"]
    assert again["unique_id"] == first["unique_id"]
    assert again["creation_date"] == first["creation_date"]
    assert post(gateway, ALERT).status == 404


@pytest.mark.parametrize("alert_type, digit", [
    ("info", "0"), ("warning", "1"), ("error", "2"), ("critical", "3"), ("acknowledged", "4"),
    ("resolved", "5"), ("CRITICAL", "3"), (" Resolved ", "5")])
def test_events_alert_type(gateway, alert_type, digit):
    """§3: the type is its number, as a text."""
    assert event(gateway, alert_type=alert_type)[0]["alert_type"] == digit


def test_events_incident(gateway):
    """§3: the incident's number where it was created, joined, or changed; null where there is none."""
    number = event(gateway, entity_id="e")[0]["incident"]
    assert isinstance(number, int) and number > 0
    for alert_type in ("critical", "info", "acknowledged", "warning", "resolved"):
        assert event(gateway, entity_id="e", alert_type=alert_type)[0]["incident"] == number
    assert gateway.incident(number)["status"] == 3
    for alert_type in ("resolved", "acknowledged", "error"):
        assert event(gateway, entity_id="e", alert_type=alert_type)[0]["incident"] is None
    assert event(gateway, entity_id="e")[0]["incident"] != number


def test_events_suppressed(gateway):
    """§3, §5: recorded, and touches no incident."""
    number = event(gateway, entity_id="quiet")[0]["incident"]
    found, trace = event(gateway, entity_id="quiet", suppressed=True)
    assert number and found["incident"] is None and found["suppressed"] is True
    assert gateway.settled(trace)["suppressed"] is True


def test_events_queued(make):
    """§3, §5: while applying is paused there is no incident yet."""
    gateway = make.gateway()
    gateway.request("POST", "/-/pause")
    found, trace = event(gateway)
    assert list(found) == vendor.ALERT_KEYS and found["incident"] is None
    assert gateway.status(trace) == {"status": "queued"}
    gateway.request("POST", "/-/resume")
    status = gateway.settled(trace)
    assert status["is_incident_created"] and status["alert"] == found["unique_id"]


def test_events_failed(make):
    """§3, §4: under maintenance it is accepted, and its trace tells."""
    gateway = make.gateway(service={"name": "Payments", "under_maintenance": True})
    found, trace = event(gateway)
    assert list(found) == vendor.ALERT_KEYS and found["incident"] is None
    assert gateway.settled(trace)["error"] == "Your service is under maintenance"


@pytest.mark.parametrize("body, detail", [
    (b"", "(at byte 0)"), (b"[]", "not a JSON object"), (b'{"x"', "(at byte 4)"),
    (b'"x"', "not a JSON object"),
    ({"alert_type": "info"}, "message is missing"), ({"message": "m"}, "alert_type is missing"),
    ({"message": "", "alert_type": "info"}, "message is empty"),
    ({"message": "m", "alert_type": 'fa"tal'}, 'alert_type "fa\\"tal" is not one of')])
def test_events_bad_body(gateway, body, detail):
    """§3: 400, the documented sentence and the reason in one detail."""
    rows = gateway.rows()
    answer = post(gateway, body)
    assert answer.status == 400
    assert list(answer.json()) == ["detail"]
    text = answer.json()["detail"]
    assert text.startswith("This request can not be processed. ") and detail in text
    assert gateway.rows() == rows


@pytest.mark.parametrize("key", [
    "x", DISABLED, "int_tree00001", KEY.upper(), KEY[:-1], KEY.replace("-", "")])
def test_events_unknown(gateway, key):
    """§3: 404, the same for all of them."""
    answer = post(gateway, ALERT, key)
    assert answer.status == 404
    assert answer.json() == {"detail": "Not Found."}


def test_events_method(gateway):
    """§2: nothing can be read there."""
    answer = gateway.get("/api/events/%s/" % KEY)
    assert answer.status == 405 and answer.header("Allow") == "POST"
    assert gateway.get("/api/events/").status == 404


def test_events_not_stored(make):
    """§3: 503 with Retry-After where the commit fails, in its own dialect."""
    gateway = make.gateway()
    gateway.fail_commit()
    answer = post(gateway, ALERT)
    assert answer.status == 503 and int(answer.header("Retry-After")) > 0
    assert list(answer.json()) == ["detail"]
    assert event(gateway)[0]["incident"] == 1


def test_events_durable(make):
    """§1.1: answered 201 is on disk."""
    gateway = make.gateway()
    found, trace = event(gateway, entity_id="e")
    gateway.kill9()
    gateway.start()
    assert gateway.settled(trace)["alert"] == found["unique_id"]
    assert event(gateway, entity_id="e", alert_type="resolved")[0]["incident"] == found["incident"]


def test_events_rate(make):
    """§3: over the limit: 429, Retry-After, a detail."""
    gateway = make.gateway(integrations=[integration(rate_limit={"per_minute": 1})])
    event(gateway)
    answer = post(gateway, ALERT)
    assert answer.status == 429 and 0 < int(answer.header("Retry-After")) <= 60
    assert list(answer.json()) == ["detail"]


def test_events_large(make):
    """§3: what is too large to be shown is accepted; the event has all keys, nothing of that."""
    gateway = make.gateway(limits={"body": "4MiB"})
    found, trace = event(gateway, payload={"x": "y" * 1500000}, summary="\u00e9" * 100000,
                         urls=["https://a/"])
    assert list(found) == vendor.ALERT_KEYS
    assert found["payload"] is None and found["message"] == "disk full"
    assert [link["link_url"] for link in found["urls"]] == ["https://a/"]
    assert gateway.settled(trace)["is_incident_created"]


def test_events_links(gateway):
    """§3: strings and objects among urls, the rest left out; texts as they are."""
    urls = ["https://a/?q=\"é\"", {"link_url": "https://b/", "link_text": "\\u0000\n"}, 7, None, {}]
    found, _ = event(gateway, urls=urls)
    assert [(link["link_url"], link["link_text"]) for link in found["urls"]] == [
        ("https://a/?q=\"é\"", ""), ("https://b/", "\\u0000\n")]


def test_events_same_as_listed(gateway):
    """§2: the alert that is listed with its incident is the event, but for the links' ids and the key."""
    found, _ = event(gateway, entity_id="listed", payload={"a": 1}, summary="s")
    answer = gateway.get("/api/incidents/%d/alerts/" % found["incident"])
    found["integration_object"]["integration_key"] = None
    assert json.loads(answer.body) == [found]


def test_events_same_incident(gateway):
    """§5: one entity id is one incident, whichever address it came by."""
    number = event(gateway, entity_id="both")[0]["incident"]
    status = gateway.alert("resolved", entity_id="both")
    assert status["incident"]["incident_number"] == number
