"""The vendor's documented sender: post, poll the status, fetch the incident (CONTRACT §2 to §4).

Written with `requests`, the library that the documented script uses; only the host differs.
"""

import time

import pytest
import requests

from gateway import ingest

TOKEN = "token-of-the-poller"
ALERT = {
    "alert_type": "critical",
    "message": "This is a sample alert from API integration",
    "summary": "This is the incident summary for the API integration",
    "entity_id": 12345,
    "payload": {"status": "ACME Payments are failing", "severity": "1", "project": "kubeprod"},
    "urls": [{"link_url": "https://www.example.com/alerts/12345/", "link_text": "Alert URL"}],
}


@pytest.fixture
def gateway(make):
    return make.gateway(tokens=[{"name": "poller", "token": TOKEN}])


def post(gateway, alert):
    response = requests.post(gateway.url(ingest()), json=alert, timeout=5)
    assert response.status_code <= 202
    return response.json()["trace_id"]


def poll(gateway, trace):
    """Asks until the alert has completed or failed, pausing before each question."""
    while True:
        time.sleep(0.02)
        response = requests.get(gateway.url("/api/alert/status/%s/" % trace), timeout=5)
        assert response.status_code == 200
        if response.json()["status"] in ("failed", "completed"):
            return response.json()


def fetch(gateway, unique_id):
    response = requests.get(gateway.url("/api/incidents/%s/" % unique_id), timeout=5,
                            headers={"Authorization": "Token " + TOKEN})
    assert response.status_code == 200
    return response.json()


def test_poller_life_of_an_incident(gateway):
    """§3, §4, §2: created, acknowledged, resolved, as the documented sender sees it."""
    status = poll(gateway, post(gateway, ALERT))
    assert status["status"] == "completed" and status["is_incident_created"]
    unique_id = status["incident"]["unique_id"]
    incident = fetch(gateway, unique_id)
    assert incident["unique_id"] == unique_id
    assert incident["title"] == ALERT["message"]
    assert incident["summary"] == ALERT["summary"]
    assert incident["incident_key"] == "12345"
    assert incident["status"] == 1
    for alert_type, expected in (("acknowledged", 2), ("Resolved", 3)):
        status = poll(gateway, post(gateway, {**ALERT, "alert_type": alert_type}))
        assert status["incident"]["unique_id"] == unique_id
        assert not status["is_incident_created"]
        assert fetch(gateway, unique_id)["status"] == expected


def test_poller_session(gateway):
    """§2: a session keeps its connection and never meets a redirect."""
    with requests.Session() as session:
        for path in (ingest(), ingest().rstrip("/")):
            response = session.post(gateway.url(path), json=ALERT, timeout=5)
            assert response.status_code == 200 and not response.history
            trace = response.json()["trace_id"]
            for end in ("/", ""):
                response = session.get(gateway.url("/api/alert/status/" + trace + end), timeout=5)
                assert response.status_code == 200 and not response.history


def test_poller_maintenance(make):
    """§4: the documented failure."""
    gateway = make.gateway(service={"under_maintenance": True})
    assert poll(gateway, post(gateway, ALERT)) == {
        "status": "failed", "error": "Your service is under maintenance"}
