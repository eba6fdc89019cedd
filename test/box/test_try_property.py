"""CONTRACT §7: for any mapping, rules and body the dry run and the live path agree.

Rules see the time, how long ago a similar incident was made, and an entity id that is made at random
where an alert has none. So both get the same: clocks stand still but for what the test pushes them,
and what is random is repeated. Then both agree to the last byte of what webhooks are sent.
"""
import json
import os
import random

from gateway import SLOW, ingest, integration, webhook

INTEGRATIONS, BODIES = 200, 50 if SLOW == 1 else 10
ID = "b535c8c0-7c75-4911-a9c6-27a3be2f2da9"
WORDS = ["firing", "resolved", "critical", "Info", "disk full", "", " ", "7", "10.5", "café", "a\u0000b", "{{ x }}"]
BODY_PATHS = ["message", "alert_type", "entity_id", "status", "labels.host", "labels.0", "list.0", "list.1.name",
              "deep.a.b.c", "nothing.here"]
ALERT_PATHS = ["message", "summary", "entity_id", "alert_type", "urgency", "suppressed", "day_of_week", "alert_time",
               "alert_date", "seconds_since_similar"] + ["payload." + path for path in BODY_PATHS]


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind < 3:
        return rng.choice(WORDS)
    if kind < 6:
        return rng.choice([True, False, None, 0, -1, 7, 10.5, 1e300, 12345678901234567890])
    if kind < 8:
        return {key: value(rng, depth + 1) for key in rng.sample(["host", "a", "b", "c", "name", "0"], 2)}
    return [value(rng, depth + 1) for _ in range(rng.randrange(3))]


def body(rng):
    made = {key: value(rng) for key in ("message", "alert_type", "entity_id", "status", "labels", "list", "deep", "tags", "urls",
                                        "suppressed", "payload", "summary") if rng.random() < 0.7}
    if rng.random() < 0.7:
        made["alert_type"] = rng.choice(["critical", "error", "warning", "info", "acknowledged", "resolved"])
    if rng.random() < 0.7:
        made["entity_id"] = "e%d" % rng.randrange(5)
    if rng.random() < 0.7:
        made["message"] = rng.choice(["disk full", "m", "café %d" % rng.randrange(9)])
    return made


def template(rng, paths):
    parts = [rng.choice(["", "x ", "{{ %s }}" % rng.choice(paths), "{{%s}}" % rng.choice(paths)]) for _ in range(rng.randrange(1, 4))]
    return "".join(parts)


FEW = {"urgency": ["high", "low"], "suppressed": [True, False], "alert_type": ["critical", "info", "resolved"],
       "seconds_since_similar": [1, 60], "alert_time": ["09:00", "21:30"], "alert_date": ["2026-11-21", "2030-01-01"],
       "day_of_week": ["monday", "sunday"]}


def condition(rng, paths, depth=0):
    kind = rng.random()
    if depth < 2 and kind < 0.3:
        name = rng.choice(["all", "any", "none"])
        return {name: [condition(rng, paths, depth + 1) for _ in range(rng.randrange(1, 4))]}
    if depth < 2 and kind < 0.4:
        return {"not": condition(rng, paths, depth + 1)}
    path = rng.choice(paths)
    if path in FEW and paths is ALERT_PATHS:
        if path in ("seconds_since_similar", "alert_time", "alert_date"):
            return {"field": path, "op": rng.choice(["less_or_equal", "greater_or_equal"]), "value": rng.choice(FEW[path])}
        op = rng.choice(["equals", "not_equals", "in", "not_in"])
        return {"field": path, "op": op, "value": FEW[path] if op.endswith("in") else FEW[path][0]}
    op = rng.choice(["equals", "not_equals", "contains", "not_contains", "matches", "not_matches", "is_empty",
                     "is_not_empty", "exists", "in", "not_in", "less_or_equal", "greater_or_equal", "between"])
    made = {"field": path, "op": op}
    if op in ("in", "not_in"):
        made["value"] = rng.sample(WORDS[:5], 2)
    elif op == "between":
        made["value"] = ["3", "9"]
    elif op in ("matches", "not_matches"):
        made["value"] = rng.choice(["disk", "^f", "(a|b)+", "[0-9]+$", "x{1,3}"])
    elif op in ("less_or_equal", "greater_or_equal"):
        made["value"] = rng.choice(["7", "10.4", "m"])
    elif op not in ("is_empty", "is_not_empty", "exists"):
        made["value"] = rng.choice(WORDS)
        if rng.random() < 0.3:
            made["ignore_case"] = True
    return made


def block(rng):
    fields = {"message": template(rng, BODY_PATHS) or "m"}
    for name in ("summary", "entity_id"):
        if rng.random() < 0.4:
            fields[name] = template(rng, BODY_PATHS) or "x"
    if rng.random() < 0.6:
        fields["alert_type"] = {"from": "{{ status }}", "map": {"firing": "critical", "resolved": "resolved"},
                                "default": rng.choice(["info", "critical"])}
    made = {"set": fields}
    if rng.random() < 0.5:
        made["when"] = condition(rng, BODY_PATHS)
    return made


def action(rng):
    return rng.choice([
        {"set_alert_type": rng.choice(["critical", "warning", "info", "resolved"])}, {"suppress": True},
        {"set_message": template(rng, ALERT_PATHS) or "m"}, {"set_summary": template(rng, ALERT_PATHS) or "s"},
        {"set_entity_id": template(rng, ALERT_PATHS) or "e"}, {"hash_entity_id": True}, {"set_urgency": rng.choice(["low", "high"])},
        {"set_priority": ID}, {"set_sla": ID}, {"set_escalation_policy": ID}, {"assign_to": "ada"},
        {"add_tags": [template(rng, ALERT_PATHS) + "{{ message }}"]}, {"add_note": template(rng, ALERT_PATHS) or "n"}, {"set_task_template": ID}])


def rule(rng):
    return {"when": condition(rng, ALERT_PATHS), "then": [action(rng) for _ in range(rng.randrange(1, 3))],
            "stop": rng.random() < 0.1}


def shape(rng, n):
    made = integration(name="i%d" % n, key="key-%d" % n, create_incidents_for=rng.choice(["critical", "warning", "none"]))
    if rng.random() < 0.6:
        made["mapping"] = [{"set": {"message": "{{ message }}"}}] + [block(rng) for _ in range(rng.randrange(3))]
    made["rules"] = [rule(rng) for _ in range(rng.randrange(4))]
    return made


def shown(tried):
    """What the dry run says, as the live path will."""
    if tried["status"] != 200:
        return tried["status"], tried["error"]
    alert, = tried["alerts"]
    return (200, alert["outcome"] == "failed", alert["error"], alert["incident"],
            alert["outcome"] == "created", alert["outcome"] == "suppressed")


def lived(connection, answer):
    if answer.status != 200:
        return answer.status, answer.json()["detail"]
    status = connection.request("GET", "/api/alert/status/%s/" % answer.json()["trace_id"]).json()
    return (200, status["status"] == "failed", status.get("error"), status.get("incident"),
            status.get("is_incident_created", False), status.get("suppressed", False))


def pushes(rng):
    """Seconds that pass before an alert; mostly none."""
    return rng.choice([0.4] * 6 + [1, 1, 1, 60, 60, 20000]) if rng.random() < 0.1 else 0


def both(gateway, connection, rng, key):
    """A body, what the dry run says of it, and what became of it."""
    sent, seconds, number = body(rng), pushes(rng), rng.randrange(1 << 32)
    if seconds:
        gateway.advance(seconds)
    gateway.repeat(number)
    tried = connection.request("POST", "/api/try/" + key, sent).json()
    gateway.repeat(number)
    answer = connection.request("POST", ingest(key), sent)
    return sent, tried, lived(connection, answer)


def number_of(text):
    return json.loads(text)["payload"]["incident"]["incident_number"]


def test_try_agrees_with_live(make):
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    print("seed", seed)
    rng = random.Random(seed)
    receiver = make.receiver()
    gateway = make.gateway(integrations=[shape(rng, n) for n in range(INTEGRATIONS)], users=[{"username": "ada"}],
                           webhooks=[webhook("ops", receiver.url(), max_in_flight=1000)])
    outcomes, told = {}, []
    gateway.hold()
    assert gateway.request("POST", "/api/webhooks/ops/pause").status == 200  # outcomes have ids too
    with gateway.connect(timeout=30) as connection:
        for n in range(INTEGRATIONS):
            for _ in range(BODIES):
                sent, tried, live = both(gateway, connection, rng, "key-%d" % n)
                assert shown(tried) == live, (gateway.conf["services"][0]["integrations"][n], sent, tried)
                told += [w["body"] for alert in tried["alerts"] for w in alert["webhooks"]]
                word = tried["alerts"][0]["outcome"] if tried["alerts"] else "refused"
                outcomes[word] = outcomes.get(word, 0) + 1
    assert len(outcomes) >= 7 and min(outcomes.values()) >= 3, outcomes
    assert gateway.request("POST", "/api/webhooks/ops/resume").status == 200
    got = [r.body.decode() for r in receiver.wait(len(told), timeout=30)]
    assert sorted(got, key=number_of) == sorted(told, key=number_of)  # of one incident, in order
