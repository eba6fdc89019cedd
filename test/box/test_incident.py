"""From alert to incident (CONTRACT §5)."""

import datetime
import time
import uuid

import pytest

from gateway import OTHER_KEY, integration, until

UNDER_MAINTENANCE = {"status": "failed", "error": "Your service is under maintenance"}
KEYS = {name: str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        for name in ("none", "critical", "error", "warning", "low")}
TRIGGERED, ACKNOWLEDGED, RESOLVED = 1, 2, 3


@pytest.fixture(scope="module")
def gateway(make_shared):
    steps = [integration(name, KEYS[name], create_incidents_for=name)
             for name in ("none", "critical", "error", "warning")]
    return make_shared.gateway(integrations=[
        integration(), integration("Other", OTHER_KEY), *steps,
        integration("low", KEYS["low"], default_urgency="low")])


@pytest.fixture
def entity():
    return "disk-" + uuid.uuid4().hex


def number(status):
    return status["incident"]["incident_number"]


def alone(status):
    """That the alert touched no incident."""
    assert status["status"] == "completed" and status["incident"] is None, status
    assert status["is_incident_created"] is False


def joined(status, incident):
    assert status["is_incident_created"] is False
    assert number(status) == incident["incident_number"], status


# Threshold.

ORDER = ["info", "warning", "error", "critical"]


@pytest.mark.parametrize("alert_type", ORDER)
@pytest.mark.parametrize("threshold", ["none", "critical", "error", "warning"])
def test_incident_threshold(gateway, threshold, alert_type, entity):
    """§5: an incident is created if the type reaches create_incidents_for; info never does."""
    reaches = threshold != "none" and ORDER.index(alert_type) >= ORDER.index(threshold)
    status = gateway.alert(alert_type, key=KEYS[threshold], entity_id=entity)
    if reaches:
        assert status["is_incident_created"] is True
    else:
        alone(status)


def test_incident_threshold_default(gateway):
    """§5: the default is critical."""
    alone(gateway.alert("error"))
    assert gateway.alert("critical")["is_incident_created"] is True


# Joining.

@pytest.mark.parametrize("alert_type", ORDER)
def test_incident_join(gateway, entity, alert_type):
    """§5: with one open every type joins it, also below the threshold, and changes no field."""
    first = gateway.opened(entity_id=entity, message="first", summary="one")
    joined(gateway.alert(alert_type, entity_id=entity, message="second", summary="two",
                         sla=str(uuid.uuid4()), priority=str(uuid.uuid4())), first)
    assert gateway.incident(first["incident_number"]) == first


@pytest.mark.parametrize("alert_type", ORDER)
def test_incident_join_acknowledged(gateway, entity, alert_type):
    """§5: joining does not change the status of an acknowledged incident."""
    first = gateway.opened(entity_id=entity)
    gateway.alert("acknowledged", entity_id=entity)
    acknowledged = gateway.incident(first["incident_number"])
    joined(gateway.alert(alert_type, entity_id=entity), first)
    assert gateway.incident(first["incident_number"]) == acknowledged
    assert acknowledged["status"] == ACKNOWLEDGED


def test_incident_fields(gateway, entity):
    """§5: title, summary, key and ids are the alert's; urgency the integration's."""
    ids = {name: str(uuid.uuid4()) for name in ("sla", "escalation_policy", "priority")}
    incident = gateway.opened(entity_id=entity, message="disk full", summary="97 %", **ids)
    assert incident["title"] == "disk full"
    assert incident["summary"] == "97 %"
    assert incident["incident_key"] == entity
    assert incident["status"] == TRIGGERED
    assert incident["urgency"] == 1
    assert incident["acknowledged_date"] is None and incident["resolved_date"] is None
    for shown, given in (("sla", "sla"), ("escalation_policy", "escalation_policy"),
                         ("team_priority", "priority")):
        assert incident[shown].replace("-", "") == ids[given].replace("-", "")


def test_incident_low_urgency(gateway, entity):
    """§5: the integration's default_urgency."""
    assert gateway.opened(key=KEYS["low"], entity_id=entity)["urgency"] == 0


def test_incident_numbers(gateway):
    """§1.2: numbers follow each other."""
    numbers = [gateway.opened()["incident_number"] for _ in range(5)]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


# Acknowledge, resolve.

def test_incident_acknowledge(gateway, entity):
    """§5: triggered becomes acknowledged; again changes nothing."""
    first = gateway.opened(entity_id=entity)
    joined(gateway.alert("acknowledged", entity_id=entity), first)
    incident = gateway.incident(first["incident_number"])
    assert incident["status"] == ACKNOWLEDGED
    assert incident["acknowledged_date"] is not None and incident["resolved_date"] is None
    joined(gateway.alert("acknowledged", entity_id=entity), first)
    assert gateway.incident(first["incident_number"]) == incident


@pytest.mark.parametrize("alert_type", ["acknowledged", "resolved", "info"])
def test_incident_nothing_open(gateway, entity, alert_type):
    """§5: without an open incident these are recorded alone."""
    alone(gateway.alert(alert_type, entity_id=entity))
    alone(gateway.alert(alert_type, entity_id=entity))


@pytest.mark.parametrize("before", [[], ["acknowledged"]])
def test_incident_resolve(gateway, entity, before):
    """§5: resolved from triggered and from acknowledged."""
    first = gateway.opened(entity_id=entity)
    for alert_type in before:
        gateway.alert(alert_type, entity_id=entity)
    joined(gateway.alert("resolved", entity_id=entity), first)
    incident = gateway.incident(first["incident_number"])
    assert incident["status"] == RESOLVED and incident["resolved_date"] is not None


def test_incident_after_resolve(gateway, entity):
    """§5: after that nothing joins it, and the same entity id starts a new one."""
    first = gateway.opened(entity_id=entity)
    gateway.alert("resolved", entity_id=entity)
    resolved = gateway.incident(first["incident_number"])
    for alert_type in ("acknowledged", "resolved", "info", "warning"):
        alone(gateway.alert(alert_type, entity_id=entity))
    second = gateway.opened(entity_id=entity)
    assert second["incident_number"] > first["incident_number"]
    assert second["unique_id"] != first["unique_id"]
    assert gateway.incident(first["incident_number"]) == resolved


# Suppression.

def test_incident_suppressed(gateway, entity):
    """§5: a suppressed alert creates none; neither does it touch an open one."""
    status = gateway.alert("critical", entity_id=entity, suppressed=True)
    alone(status)
    assert status["suppressed"] is True
    first = gateway.opened(entity_id=entity)
    for alert_type in ("critical", "acknowledged", "resolved"):
        status = gateway.alert(alert_type, entity_id=entity, suppressed=True)
        alone(status)
        assert status["suppressed"] is True
    assert gateway.incident(first["incident_number"]) == first


# The key of correlation.

def test_incident_per_integration(gateway, entity):
    """§5: the same entity id at two integrations is two incidents."""
    one = gateway.opened(entity_id=entity)
    two = gateway.opened(entity_id=entity, key=OTHER_KEY)
    assert one["incident_number"] != two["incident_number"]
    gateway.alert("resolved", entity_id=entity)
    assert gateway.incident(two["incident_number"])["status"] == TRIGGERED


@pytest.mark.parametrize("one, same", [
    (717001, "717001"), ("717002", 717002), (True, "true"), (7.50, "7.5"),
    ("z" * 300, "z" * 300)], ids=["number", "text", "boolean", "decimal", "long"])
def test_incident_entity_forms(gateway, one, same):
    """§3, §5: an entity id is its text."""
    first = gateway.opened(entity_id=one)
    joined(gateway.alert("critical", entity_id=same), first)
    gateway.alert("resolved", entity_id=same)


@pytest.mark.parametrize("one, other", [
    ("Case-1", "case-1"), (" pad", "pad"), ("a" * 255, "a" * 256), ("e\u0301-2", "\u00e9-2"),
    ("nul\0a", "nul\0b"), (7170, "7170.0")])
def test_incident_entity_differs(gateway, one, other):
    """§5: other texts are other entities."""
    gateway.opened(entity_id=one)
    gateway.opened(entity_id=other)


def test_incident_new_key_orphans_nothing(make, entity):
    """§5: the integration is known by its name: a new key finds the open incidents."""
    gateway = make.gateway()
    first = gateway.opened(entity_id=entity)
    gateway.conf["services"][0]["integrations"][0]["key"] = OTHER_KEY
    gateway.restart()
    joined(gateway.alert("resolved", key=OTHER_KEY, entity_id=entity), first)


@pytest.mark.parametrize("how", ["stop", "kill9"])
def test_incident_open_across_restart(make, entity, how):
    """§1.1, §5: open incidents are found again after a restart, with their status."""
    gateway = make.gateway()
    one, two = gateway.opened(entity_id=entity), gateway.opened(entity_id=entity + "2")
    gateway.alert("acknowledged", entity_id=entity + "2")
    getattr(gateway, how)()
    gateway.start()
    joined(gateway.alert("critical", entity_id=entity), one)
    joined(gateway.alert("critical", entity_id=entity + "2"), two)
    assert gateway.incident(two["incident_number"])["status"] == ACKNOWLEDGED
    assert gateway.opened()["incident_number"] == two["incident_number"] + 1


# Maintenance.

def date(seconds):
    """RFC 3339, that many seconds from now."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_incident_under_maintenance(make):
    """§5: alerts of a service under maintenance fail, with the vendor's words."""
    gateway = make.gateway(service={"under_maintenance": True})
    for alert_type in ORDER:
        assert gateway.alert(alert_type, entity_id="e") == UNDER_MAINTENANCE
    assert gateway.rows()["incidents"] == 0


def test_incident_maintenance_begins(make):
    """§5: acknowledged and resolved still act on an incident that was open before."""
    gateway = make.gateway()
    one = gateway.opened(entity_id="e")
    gateway.conf["services"][0]["under_maintenance"] = True
    gateway.restart()
    assert gateway.alert("critical", entity_id="e") == UNDER_MAINTENANCE
    joined(gateway.alert("acknowledged", entity_id="e"), one)
    assert gateway.incident(one["incident_number"])["status"] == ACKNOWLEDGED
    joined(gateway.alert("resolved", entity_id="e"), one)
    assert gateway.incident(one["incident_number"])["status"] == RESOLVED


def test_incident_maintenance_window(make):
    """§5, §10: a window that repeats daily, until its end."""
    hour = 3600
    window = {"name": "nightly", "start": date(hour), "end": date(2 * hour), "repeat": "1d",
              "repeat_until": date(30 * hour)}
    gateway = make.gateway(service={"maintenance": [window]})
    seen, passed = [], 0
    for at in (0.5, 1.5, 2.5, 24.5, 25.5, 26.5, 49.5):
        gateway.advance((at - passed) * hour)
        passed = at
        seen.append(gateway.alert("critical")["status"])
    assert seen == ["completed", "failed", "completed", "completed", "failed", "completed",
                    "completed"]


# Timers of the service.

def test_incident_auto_resolve(make):
    """§5: auto_resolve_timeout after the triggered event, and not before."""
    gateway = make.gateway(service={"auto_resolve_timeout": 600})
    which = gateway.opened(entity_id="e")["incident_number"]
    gateway.advance(590)
    gateway.alert("critical", entity_id="e")
    time.sleep(0.05)
    assert gateway.incident(which)["status"] == TRIGGERED
    gateway.advance(15)
    until(lambda: gateway.incident(which)["status"] == RESOLVED)
    assert gateway.incident(which)["resolved_date"] is not None
    assert gateway.opened(entity_id="e")["incident_number"] == which + 1


def test_incident_auto_resolve_across_restart(make):
    """§5: a timer that ran out while the gateway was down fires at start."""
    gateway = make.gateway(service={"auto_resolve_timeout": 600})
    which = gateway.opened()["incident_number"]
    gateway.kill9()
    gateway.start()
    assert gateway.incident(which)["status"] == TRIGGERED
    gateway.advance(605)
    until(lambda: gateway.incident(which)["status"] == RESOLVED)


def test_incident_acknowledgement_timeout(make):
    """§5: acknowledgement_timeout puts it back to triggered, as often as it is acknowledged."""
    gateway = make.gateway(service={"acknowledgement_timeout": 600})
    which = gateway.opened(entity_id="e")["incident_number"]
    for turn in range(1, 3):
        gateway.alert("acknowledged", entity_id="e")
        gateway.advance(590)
        time.sleep(0.03)
        assert gateway.incident(which)["status"] == ACKNOWLEDGED
        gateway.advance(15)
        until(lambda: gateway.incident(which)["status"] == TRIGGERED)
        until(lambda: len(gateway.logged("incident.triggered")) == turn + 1)


def test_incident_auto_resolve_counts_from_retrigger(make):
    """§5: auto_resolve_timeout counts from the last triggered event."""
    gateway = make.gateway(service={"auto_resolve_timeout": 900, "acknowledgement_timeout": 600})
    which = gateway.opened(entity_id="e")["incident_number"]
    gateway.alert("acknowledged", entity_id="e")
    gateway.advance(605)
    until(lambda: gateway.incident(which)["status"] == TRIGGERED)
    gateway.advance(600)
    time.sleep(0.05)
    assert gateway.incident(which)["status"] == TRIGGERED
    gateway.advance(310)
    until(lambda: gateway.incident(which)["status"] == RESOLVED)


def test_incident_no_timeouts(gateway, entity):
    """§5: an open incident never expires."""
    first = gateway.opened(entity_id=entity)
    gateway.advance(90 * 86400)
    time.sleep(0.05)
    assert gateway.incident(first["incident_number"])["status"] == TRIGGERED
    joined(gateway.alert("resolved", entity_id=entity), first)


# Collation.

def test_incident_collation(make):
    """§5: within collation_time an alert joins the newest open incident, and its entity id then
    stands for that incident too."""
    gateway = make.gateway(service={"collation": 1, "collation_time": 10})
    first = gateway.opened(entity_id="a")
    joined(gateway.alert("critical", entity_id="b"), first)
    gateway.advance(9 * 60)
    joined(gateway.alert("critical", entity_id="c"), first)
    gateway.advance(2 * 60)
    second = gateway.opened(entity_id="d")
    joined(gateway.alert("critical", entity_id="b"), first)
    joined(gateway.alert("critical", entity_id="e"), second)
    joined(gateway.alert("acknowledged", entity_id="c"), first)
    assert gateway.incident(first["incident_number"])["status"] == ACKNOWLEDGED
    joined(gateway.alert("resolved", entity_id="b"), first)
    for entity_id in "abc":
        alone(gateway.alert("acknowledged", entity_id=entity_id))
    joined(gateway.alert("critical", entity_id="a"), second)


def test_incident_collation_across_restart(make):
    """§1.1, §5: what an entity id stands for is remembered."""
    gateway = make.gateway(service={"collation": 1, "collation_time": 10})
    first = gateway.opened(entity_id="a")
    joined(gateway.alert("critical", entity_id="b"), first)
    gateway.kill9()
    gateway.start()
    joined(gateway.alert("resolved", entity_id="b"), first)
    assert gateway.incident(first["incident_number"])["status"] == RESOLVED


def test_incident_collation_needs_a_cause(make):
    """§5: what would not create an incident joins none of another entity."""
    gateway = make.gateway(service={"collation": 1, "collation_time": 10})
    gateway.opened(entity_id="a")
    for alert_type in ("info", "warning", "acknowledged", "resolved"):
        alone(gateway.alert(alert_type, entity_id="b"))


# Pause.

def change(gateway, what):
    answer = gateway.request("POST", "/-/" + what, b"")
    assert answer.status in (200, 202, 204), answer


@pytest.mark.parametrize("how", ["stop", "kill9"])
def test_incident_pause(make, how):
    """§5: alerts wait while paused, also across a restart, and are applied in order of arrival."""
    gateway = make.gateway()
    change(gateway, "pause")
    before = [gateway.send(kind, entity_id="e") for kind in
              ("critical", "acknowledged", "resolved", "critical")]
    answer = gateway.get("/api/alert/status/%s/" % before[0])
    assert (answer.status, answer.body) == (200, b'{"status": "queued"}')
    getattr(gateway, how)()
    gateway.start()
    after = [gateway.send(kind, entity_id="e") for kind in ("acknowledged", "info")]
    assert {gateway.status(trace)["status"] for trace in before + after} == {"queued"}
    assert gateway.rows()["incidents"] == 0
    change(gateway, "resume")
    seen = [gateway.settled(trace) for trace in before + after]
    assert [number(status) for status in seen] == [1, 1, 1, 2, 2, 2]
    assert [status["is_incident_created"] for status in seen] == [True, False, False, True, False,
                                                                  False]
    assert [gateway.incident(n)["status"] for n in (1, 2)] == [RESOLVED, ACKNOWLEDGED]


def test_incident_resume_unpaused(make):
    """§5: pause and resume may be said twice."""
    gateway = make.gateway()
    for what in ("resume", "pause", "pause", "resume", "resume"):
        change(gateway, what)
    assert gateway.alert("critical")["is_incident_created"] is True


def test_incident_resume_many(make):
    """§5: hundreds that waited, and new ones behind them, keep the order."""
    gateway = make.gateway()
    change(gateway, "pause")
    waited = [gateway.send("critical" if i % 2 == 0 else "resolved", entity_id="e")
              for i in range(300)]
    change(gateway, "resume")
    waited.append(gateway.send("critical", entity_id="e"))
    numbers = [number(gateway.settled(trace)) for trace in waited]
    assert numbers == [i // 2 + 1 for i in range(301)]
