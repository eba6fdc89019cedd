"""What the tests of mapping, split and rules share."""

import uuid


def keys(integrations):
    """A key for each name."""
    return {name: str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for name in integrations}


def alerts(gateway, number):
    """The alerts of an incident, newest first."""
    answer = gateway.get("/api/incidents/%s/alerts/" % number)
    assert answer.status == 200, answer
    return answer.json()


def one_alert(gateway, key, body):
    """The alert of an incident that a body must create."""
    answer = gateway.post(body, key=key)
    assert answer.status == 200, answer
    status = gateway.settled(answer.json()["trace_id"])
    assert status.get("is_incident_created"), status
    return alerts(gateway, status["incident"]["incident_number"])[0]


def detail(gateway, trace):
    """The rules that matched, and the entity id that was used."""
    answer = gateway.get("/api/alert/status/%s/?detail=1" % trace)
    assert answer.status == 200, answer
    return answer.json()["detail"]
