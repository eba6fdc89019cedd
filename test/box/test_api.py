"""The incidents API and its tokens, liveness and readiness (CONTRACT §2)."""

import datetime

import pytest

from vendor import HEADER, ID22, KEYS, READER, TOKEN, TOKENS, UUID, numbers, pages, parse

COUNT = 37


@pytest.fixture(scope="module")
def gateway(make_shared):
    """One with tokens and some incidents."""
    gateway = make_shared.gateway(tokens=TOKENS)
    for i in range(COUNT):
        gateway.alert("critical", entity_id="e%d" % i, message="incident %d" % (i + 1))
    return gateway


@pytest.mark.parametrize("path", ["/api/incidents", "/api/incidents/", "/api/incidents/1",
                                  "/api/incidents/99999/"])
@pytest.mark.parametrize("header, detail", [
    (None, "Authentication credentials were not provided."),
    ("Token wrong", "Invalid token."), ("Token " + TOKEN[:-1], "Invalid token."),
    ("Token " + TOKEN + "x", "Invalid token.")])
def test_api_unauthorized(gateway, path, header, detail):
    """§2: 401, the vendor's words, WWW-Authenticate; before anything is looked up."""
    answer = gateway.get(path, {"Authorization": header} if header else {})
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == "Token"
    assert answer.header("Content-Type") == "application/json"
    assert answer.json() == {"detail": detail}


@pytest.mark.parametrize("header", ["Bearer " + TOKEN, "Token", "Token ", TOKEN, "Basic eDp5", ""])
def test_api_other_credentials(gateway, header):
    """§2: neither other schemes nor a bare token are let in."""
    answer = gateway.get("/api/incidents", {"Authorization": header})
    assert answer.status == 401 and answer.header("WWW-Authenticate") == "Token"


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "tOkEn"])
@pytest.mark.parametrize("token", [TOKEN, READER])
def test_api_authorized(gateway, scheme, token):
    """§2: the scheme in any case; a read-only token reads."""
    assert gateway.get("/api/incidents/1", {"Authorization": scheme + " " + token}).status == 200


def test_api_pause_needs_a_token(gateway):
    """§2: with tokens configured the changing ops calls need one that may write."""
    assert gateway.request("POST", "/-/pause").status == 401
    answer = gateway.request("POST", "/-/pause", None, {"Authorization": "Token " + READER})
    assert answer.status == 403
    assert answer.json() == {"detail": "You do not have permission to perform this action."}
    assert gateway.alert("info")["status"] == "completed"


def test_api_open_on_loopback(make):
    """§2: without any tokens loopback may read."""
    gateway = make.gateway()
    which = gateway.opened()["incident_number"]
    assert gateway.get("/api/incidents/%d/" % which).status == 200
    assert gateway.get("/api/incidents").json()["count"] == 1


def test_api_incident(gateway):
    """§2: exactly the vendor's 24 keys, with values of their kinds."""
    incident = gateway.incident(7, HEADER)
    assert list(incident) == KEYS
    assert incident["incident_number"] == 7
    assert incident["title"] == "incident 7"
    assert incident["incident_key"] == "e6"
    assert incident["summary"] == ""
    assert (incident["status"], incident["urgency"]) == (1, 1)
    assert ID22.fullmatch(incident["unique_id"])
    assert incident["tags"] == []
    for key in ("merged_with", "assigned_to", "escalation_policy", "escalation_policy_object",
                "resolved_date", "acknowledged_date", "sla", "sla_object", "team_priority",
                "team_priority_object"):
        assert incident[key] is None, key
    assert incident["assigned_to_name"] == ""


def test_api_incident_dates(gateway):
    """§8: microseconds; the context window is the 30 minutes before, cut to milliseconds."""
    incident = gateway.incident(1, HEADER)
    created = parse(incident["creation_date"])
    start, end = (parse(incident["context_window_" + side]) for side in ("start", "end"))
    assert end - start == datetime.timedelta(minutes=30)
    assert end == created.replace(microsecond=created.microsecond // 1000 * 1000)
    assert abs(created - datetime.datetime.utcnow()) < datetime.timedelta(minutes=5)


def test_api_incident_service(gateway):
    """§2: service is an id, service_object what it stands for."""
    incident = gateway.incident(1, HEADER)
    service = incident["service_object"]
    assert service["name"] == "Payments"
    assert UUID.fullmatch(incident["service"])
    assert service["unique_id"] == incident["service"]
    assert incident["service"] == gateway.incident(2, HEADER)["service"]
    parse(service["creation_date"])


def test_api_incident_by_unique_id(gateway):
    """§2: by number and by unique id, with and without the slash: the same bytes."""
    unique_id = gateway.incident(3, HEADER)["unique_id"]
    bodies = {gateway.get(path, HEADER).body for path in (
        "/api/incidents/3", "/api/incidents/3/", "/api/incidents/" + unique_id,
        "/api/incidents/%s/" % unique_id)}
    assert len(bodies) == 1


@pytest.mark.parametrize("which", [
    "0", "99999", "18446744073709551617", "-1", "1x", "01x", "nonsense",
    "cNasg9C4yzNpronzUUUdKR", "2222222222222222222222"])
def test_api_incident_not_found(gateway, which):
    """§2: no such incident."""
    answer = gateway.get("/api/incidents/" + which, HEADER)
    assert answer.status == 404
    assert answer.json() == {"detail": "Not Found."}


def test_api_unique_id_is_compared_whole(gateway):
    """§2: an id that differs in one character is another id."""
    unique_id = gateway.incident(3, HEADER)["unique_id"]
    for place in range(len(unique_id)):
        other = "3" if unique_id[place] != "3" else "4"
        changed = unique_id[:place] + other + unique_id[place + 1:]
        assert gateway.get("/api/incidents/" + changed, HEADER).status == 404


def test_api_incidents(gateway):
    """§2: the list: results, next, previous, count; newest first."""
    page = gateway.get("/api/incidents/", HEADER).json()
    assert list(page) == ["results", "next", "previous", "count"]
    assert page["count"] == COUNT and page["next"] is None and page["previous"] is None
    assert numbers(page) == list(range(COUNT, 0, -1))
    assert list(page["results"][0]) == KEYS


def test_api_incidents_paging(gateway):
    """§2: following next shows each incident once."""
    found = pages(lambda path: gateway.get(path, HEADER), "/api/incidents?limit=10")
    assert [len(page["results"]) for page in found] == [10, 10, 10, 7]
    assert {page["count"] for page in found} == {COUNT}
    assert sum(map(numbers, found), []) == list(range(COUNT, 0, -1))
    assert found[0]["previous"] is None and found[1]["previous"] is not None


@pytest.mark.parametrize("path", ["/-/healthy", "/-/healthy/", "/-/ready", "/-/ready/"])
def test_api_health(gateway, path):
    """§2: both need no token."""
    assert gateway.get(path).status == 200
