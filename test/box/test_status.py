"""What became of an alert, and for how long one may ask (CONTRACT §4)."""

import re
import uuid

import pytest

from gateway import SLOW, ingest, until
from wire import flood, request

SHORT_ID = re.compile(r"[2-9A-HJ-NP-Za-kmnop-z]{22}")
MANY = 10000


@pytest.fixture(scope="module")
def gateway(make_shared):
    return make_shared.gateway()


def code(gateway, trace):
    return gateway.get("/api/alert/status/%s/" % trace).status


def test_status_created(gateway):
    """§4: the shape of a completed alert that created an incident."""
    status = gateway.alert("critical")
    assert set(status) == {"alert", "incident", "integration", "is_incident_created", "status",
                           "suppressed"}
    assert SHORT_ID.fullmatch(status["alert"])
    assert set(status["incident"]) == {"incident_number", "unique_id"}
    assert isinstance(status["incident"]["incident_number"], int)
    assert SHORT_ID.fullmatch(status["incident"]["unique_id"])
    assert status["integration"] == {"name": "Generic"}
    assert status["is_incident_created"] is True
    assert status["status"] == "completed"
    assert status["suppressed"] is False


def test_status_alone(gateway):
    """§4: incident is null when the alert touched none; every key is there all the same."""
    status = gateway.alert("info")
    assert set(status) == {"alert", "incident", "integration", "is_incident_created", "status",
                           "suppressed"}
    assert status["incident"] is None and status["is_incident_created"] is False


@pytest.mark.parametrize("path", ["/api/alert/status/%s", "/api/alert/status/%s/",
                                  "/api/alert/status/%s/?x=1"])
def test_status_paths(gateway, path):
    """§2: with and without the slash, without any token; as JSON."""
    answer = gateway.get(path % gateway.send("info"))
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"


@pytest.mark.parametrize("trace", [
    str(uuid.uuid4()), "01930000-0000-7000-8000-000000000000", "nonsense", "5", "%00",
    "x" * 2000, "01930000-0000-7000-8000-00000000000", "01930000-0000-7000-8000-0000000000000",
    "0193000g-0000-7000-8000-000000000000"])
def test_status_not_found(gateway, trace):
    """§4: unknown or malformed ids."""
    answer = gateway.get("/api/alert/status/%s/" % trace)
    assert answer.status == 404
    assert answer.body == b'{"detail": "Not Found."}'


def test_status_never_404_after_the_answer(gateway):
    """§4: from the moment the 200 is sent the trace is known."""
    with gateway.connect() as connection:
        for _ in range(200):
            answer = connection.request("POST", ingest(), {"message": "m", "alert_type": "info"})
            trace = answer.json()["trace_id"]
            assert connection.request("GET", "/api/alert/status/" + trace).status == 200


@pytest.mark.parametrize("how", ["stop", "kill9"])
def test_status_across_restart(make, how):
    """§4: no restart forgets a trace."""
    gateway = make.gateway()
    kept = {trace: gateway.settled(trace) for trace in
            [gateway.send(kind, entity_id="e") for kind in ("critical", "info", "resolved")]}
    getattr(gateway, how)()
    gateway.start()
    assert {trace: gateway.status(trace) for trace in kept} == kept


def test_status_sixty_minutes(make):
    """§4: 60 minutes, not less and not more; restarts do not count anew."""
    gateway = make.gateway()
    trace = gateway.send("critical")
    gateway.advance(1800)
    later = gateway.send("info")
    gateway.restart()
    gateway.advance(1790)
    assert code(gateway, trace) == 200
    gateway.advance(20)
    assert code(gateway, trace) == 404
    assert code(gateway, later) == 200
    gateway.advance(1800)
    assert code(gateway, later) == 404


def test_status_expiry_of_many(make):
    """§4: ten thousand expire at their time; their rows go in steps, and no turn is long."""
    gateway = make.gateway()
    alert = request("POST", ingest(), {"message": "m", "alert_type": "info"})
    answers = flood(gateway.address, [alert] * MANY)
    assert {answer.status for answer in answers} == {200}
    traces = [answer.json()["trace_id"] for answer in answers]
    assert len(set(traces)) == MANY
    assert gateway.rows()["traces"] == MANY
    probes = [request("GET", "/api/alert/status/%s/" % trace) for trace in traces[::100]]
    gateway.advance(3540)
    assert {answer.status for answer in flood(gateway.address, probes)} == {200}
    gateway.turns()
    gateway.advance(130)
    assert {answer.status for answer in flood(gateway.address, probes)} == {404}
    fresh = gateway.send("info")
    until(lambda: gateway.rows()["traces"] == 1, 20, "the rows to go")
    longest, count = gateway.turns()
    assert longest < 5000 * SLOW and count > 1
    assert code(gateway, fresh) == 200


@pytest.mark.parametrize("seconds", [7200, -7200])
def test_status_wall_clock_step(make, seconds):
    """§4: a step of the wall clock neither expires a trace nor keeps it."""
    gateway = make.gateway()
    trace = gateway.send("info")
    gateway.step(seconds)
    assert code(gateway, trace) == 200
    later = gateway.send("info")
    assert later > trace
    assert [code(gateway, t) for t in (trace, later)] == [200, 200]
    gateway.restart()
    assert [code(gateway, t) for t in (trace, later)] == [200, 200]
    gateway.advance(3590)
    assert code(gateway, trace) == 200
    gateway.advance(30)
    assert [code(gateway, t) for t in (trace, later)] == [404, 404]
