"""Split (CONTRACT §7): each element of an array in the body is an alert of its own."""

import json

import pytest

from gateway import KEY, SLOW, integration
from shaping import alerts, detail, keys, one_alert

MAPPING = [{"set": {"message": "{{ root.receiver }}: {{ name }}", "entity_id": "{{ id }}",
                    "alert_type": {"from": "{{ status }}", "map": {"firing": "critical", "resolved": "resolved"}}}}]
INTEGRATIONS = {
    "mapped": {"split": "alerts", "mapping": MAPPING},
    "plain": {"split": "data.items"},
    "rooted": {"mapping": [{"set": {"message": "{{ root }}", "alert_type": "critical"}}]},
    "similar": {"split": "alerts", "rules": [
        {"description": "again", "when": {"field": "seconds_since_similar", "op": "exists"},
         "then": [{"set_entity_id": "{{ entity_id }}-again"}]}]},
    "ruled": {"split": "alerts", "mapping": MAPPING, "rules": [
        {"description": "odd", "when": {"field": "payload.n", "op": "in", "value": [1, 3]},
         "then": [{"suppress": True}]}]},
}
KEYS = keys(INTEGRATIONS)


@pytest.fixture(scope="module")
def gateway(make_shared):
    return make_shared.gateway(limits={"split": 60}, integrations=[
        integration(name, KEYS[name], **more) for name, more in INTEGRATIONS.items()])


def post(gateway, name, body):
    answer = gateway.post(body, key=KEYS[name])
    assert answer.status == 200, answer
    return answer


def statuses(gateway, answer):
    return [gateway.settled(trace) for trace in answer.json()["trace_ids"]]


def firing(*ids, status="firing", **more):
    return {"receiver": "ops", "alerts": [
        {"id": i, "name": "a%s" % i, "status": status, **more} for i in ids]}


def test_split_answer(gateway):
    """One trace per element, in order; trace_id and X-Trace-Id are the first; the bytes are exact."""
    answer = post(gateway, "mapped", firing("answer1", "answer2", "answer3"))
    traces = answer.json()["trace_ids"]
    assert len(set(traces)) == 3 and traces == sorted(traces)
    assert answer.header("X-Trace-Id") == traces[0]
    assert answer.body == json.dumps(
        {"message": "success", "trace_id": traces[0], "trace_ids": traces}).encode()


def test_split_of_one(gateway):
    """An array of one is answered like any other."""
    answer = post(gateway, "mapped", firing("single"))
    assert answer.json()["trace_ids"] == [answer.json()["trace_id"]]


def test_split_incidents(gateway):
    """Each element is an alert: mapped from itself and the whole body, with itself as payload."""
    answer = post(gateway, "mapped", firing("i1", "i2"))
    for n, status in enumerate(statuses(gateway, answer), 1):
        assert status["is_incident_created"]
        alert = alerts(gateway, status["incident"]["incident_number"])[0]
        assert alert["message"] == "ops: ai%d" % n and alert["entity_id"] == "i%d" % n
        assert alert["payload"] == {"id": "i%d" % n, "name": "ai%d" % n, "status": "firing"}
    resolved = post(gateway, "mapped", firing("i2", status="resolved"))
    assert gateway.incident(statuses(gateway, resolved)[0]["incident"]["incident_number"])["status"] == 3


def test_split_same_entity(gateway):
    """Elements are applied one after the other: the second joins what the first created."""
    body = firing("same", "same")
    body["alerts"].append({"id": "same", "name": "x", "status": "resolved"})
    first, second, third = statuses(gateway, post(gateway, "mapped", body))
    assert first["is_incident_created"] and not second["is_incident_created"]
    assert first["incident"] == second["incident"] == third["incident"]


@pytest.mark.parametrize("element", [7, "text", None, [], {}, {"status": "other", "id": 1, "name": "x"}])
def test_split_bad_element(gateway, element):
    """An element that cannot become an alert is a failed trace, and takes none of the others along."""
    body = firing("good1", "good2")
    body["alerts"].insert(1, element)
    first, bad, last = statuses(gateway, post(gateway, "mapped", body))
    assert first["status"] == last["status"] == "completed"
    assert bad == {"status": "failed", "error": "mapping: alert_type is missing"}


def test_split_without_mapping(gateway):
    """Without a mapping an element is itself a generic alert; a bad one fails alone."""
    answer = post(gateway, "plain", {"data": {"items": [
        {"message": "one", "alert_type": "critical", "payload": {"k": 1}},
        {"message": "two"}, "three", {"alert_type": "info"},
        {"message": "five", "alert_type": "fatal"}, {"message": "six", "alert_type": "critical"}]}})
    first, *bad, last = statuses(gateway, answer)
    assert alerts(gateway, first["incident"]["incident_number"])[0]["payload"] == {"k": 1}
    assert last["is_incident_created"]
    assert [status["error"] for status in bad] == [
        "alert_type is missing", "the element is not a JSON object", "message is missing",
        'alert_type "fatal" is not one of critical, error, warning, info, acknowledged, resolved']


@pytest.mark.parametrize("body, detail", [
    ({}, "alerts is missing"), ({"alerts": None}, "alerts is not an array"),
    ({"alerts": {"0": {}}}, "alerts is not an array"), ({"alerts": "x"}, "alerts is not an array"),
    ({"alerts": []}, "alerts is empty"),
    (firing(*range(61)), "alerts has 61 elements, more than limits.split (60)")])
def test_split_wrong(gateway, body, detail):
    """What cannot be split is 400 and names the path."""
    answer = gateway.post(body, key=KEYS["mapped"])
    assert answer.status == 400
    assert answer.json() == {"error": "This request can not be processed.", "detail": detail}


def test_split_deep_path(gateway):
    answer = gateway.post({"data": [1]}, key=KEYS["plain"])
    assert answer.status == 400 and answer.json()["detail"] == "data.items is missing"


def test_split_most(gateway):
    """As many as limits.split."""
    answer = post(gateway, "mapped", firing(*("most%d" % i for i in range(60))))
    assert all(status["is_incident_created"] for status in statuses(gateway, answer))


def test_split_root_is_a_member(gateway):
    """Without split `root` is a member like any other."""
    assert one_alert(gateway, KEYS["rooted"], {"root": "r"})["message"] == "r"


def test_split_rules(gateway):
    """Rules see the element as payload; each alert has its own."""
    body = firing("r0", "r1", "r2", "r3")
    for n, alert in enumerate(body["alerts"]):
        alert["n"] = n
    answer = post(gateway, "ruled", body)
    assert [status["suppressed"] for status in statuses(gateway, answer)] == [False, True, False, True]
    assert [detail(gateway, trace)["rules"] for trace in answer.json()["trace_ids"]] == [[], ["odd"], [], ["odd"]]


def test_split_similar_in_one_turn(gateway):
    """The incident of one element is similar to what the next one asks for."""
    answer = post(gateway, "similar", {"alerts": [
        {"message": "m", "alert_type": "critical", "entity_id": "s"} for _ in range(2)]})
    first, second = answer.json()["trace_ids"]
    assert detail(gateway, first) == {"rules": [], "entity_id": "s", "deliveries": []}
    assert detail(gateway, second)["entity_id"] == "s-again"


def test_split_all_or_nothing(make):
    """One transaction: if it cannot be committed there is no trace of any element."""
    gateway = make.gateway(integrations=[integration(split="alerts", mapping=MAPPING)])
    gateway.fail_commit()
    assert gateway.post(firing(1, 2, 3)).status == 503
    assert gateway.rows()["traces"] == 0
    assert gateway.post(firing(1, 2, 3)).status == 200
    rows = gateway.rows()
    assert rows["traces"] == rows["incidents"] == rows["alerts"] == 3


def test_split_queued(make):
    """While applying is paused all of them wait."""
    gateway = make.gateway(integrations=[integration(split="alerts", mapping=MAPPING)])
    gateway.request("POST", "/-/pause")
    traces = gateway.post(firing(1, 2)).json()["trace_ids"]
    assert [gateway.status(trace) for trace in traces] == [{"status": "queued"}] * 2
    gateway.request("POST", "/-/resume")
    assert all(gateway.settled(trace)["is_incident_created"] for trace in traces)


def test_split_alertmanager_most(make):
    """§10: a group of Alertmanager's that fits into limits.body fits into limits.values."""
    gateway = make.gateway(integrations=[integration(split="alerts", mapping=[{"set": {
        "message": "{{ labels.alertname }}", "alert_type": "info"}}])])
    alerts = [{
        "status": "firing", "startsAt": "2026-11-21T10:00:00.000Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0", "fingerprint": "%016x" % i,
        "labels": {"alertname": "Down", "cluster": "eu", "env": "prod", "instance": "node-%d:9100" % i,
                   "job": "node", "namespace": "default", "severity": "critical", "team": "infra"},
        "annotations": {"summary": "It is down", "runbook_url": "https://runbooks/down"}} for i in range(2000)]
    most = next(n for n in range(1000, 0, -10) if len(json.dumps({"alerts": alerts[:n]})) <= 512 << 10)
    assert most > 800
    answer = gateway.post({"version": "4", "alerts": alerts[:most]}, key=KEY)
    assert answer.status == 200 and len(answer.json()["trace_ids"]) == most


def test_split_texts(make):
    """A text that is read as JSON in each of many elements: none is too many for the memory."""
    gateway = make.gateway(limits={"split": 10000, "depth": 128, "values": 100000}, integrations=[integration(
        split="alerts", mapping=[{"set": {"message": "{{ text.json().m }}", "alert_type": "info"}}])])
    answer = gateway.post({"alerts": [{"text": '{"m":%d}' % i} for i in range(10000)]}, key=KEY)
    assert answer.status == 200
    rows = gateway.rows()
    assert rows["traces"] == rows["alerts"] == 10000


def test_split_root_large(make):
    """The whole body in every element's text costs no more than its first 64 KiB each."""
    gateway = make.gateway(integrations=[integration(split="alerts", mapping=[{"set": {
        "message": "m", "summary": "{{ root }}", "entity_id": "{{ id }}", "alert_type": "info"}}])])
    body = {"pad": "x" * 1000, "alerts": [{"id": i, "text": "y" * 400} for i in range(1000)]}
    gateway.turns()
    answer = gateway.post(body, key=KEY)
    assert answer.status == 200
    longest, _ = gateway.turns()
    assert longest < 2_000_000 * SLOW
    assert SLOW > 1 or gateway.memory() < 400 << 20 # a sanitizer keeps what was freed
    assert all(gateway.status(trace)["status"] == "completed" for trace in answer.json()["trace_ids"][::100])


@pytest.mark.parametrize("rest", [{"n": [1] * 150000}, {"n": {"t": "\"" * 230000}}])
def test_split_root_of_many(make, rest):
    """Whatever the whole body is made of, each element looks at no more of it than its first 64 KiB."""
    gateway = make.gateway(limits={"values": 200000}, integrations=[integration(split="alerts", mapping=[
        {"when": {"field": "root", "op": "contains", "value": "nowhere"}, "set": {"summary": "found"}},
        {"set": {"message": "{{ root.receiver }}", "alert_type": "info"}}])])
    body = {"receiver": "ops", "alerts": [{}] * 1000, **rest}
    gateway.turns()
    assert len(gateway.post(body, key=KEY).json()["trace_ids"]) == 1000
    longest, _ = gateway.turns()
    assert longest < 2_000_000 * SLOW
