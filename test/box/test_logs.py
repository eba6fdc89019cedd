"""What the log says, and what it never says (CONTRACT §12)."""

import base64
import json
import re

import pytest

from gateway import KEY, ingest, until, webhook
from receiver import answer

ALWAYS = {"@timestamp", "log.level", "message", "event.action"}
ACTIONS = {
    "alert.accepted", "alert.rejected", "alert.applied", "incident.triggered",
    "incident.acknowledged", "incident.resolved", "delivery.delivered", "delivery.retry",
    "delivery.dead", "breaker.opened", "breaker.closed", "config.reloaded", "config.rejected",
    "server.started", "server.draining", "server.stopped", "server.warning", "log.dropped"}
REASONS = {
    "timeout", "lookup_failed", "connect_failed", "tls_failed", "io_failed", "http_invalid",
    "blocked_address", "http_3xx", "http_4xx", "http_410", "http_429", "http_5xx",
    "response_too_large", "queue_full"}
SECRETS = {
    "hmac": "hmac-secret-5551", "password": "password-secret-5552", "token": "token-secret-5553",
    "query": "query-secret-5554", "payload": "payload-secret-5555", "header": "header-secret-5556",
    "summary": "summary-secret-5557"}


@pytest.fixture(scope="module")
def told(make_shared):
    """A gateway that was sent everything once, its receivers, and has stopped."""
    well, basic = make_shared.receiver(), make_shared.receiver()
    bad = make_shared.receiver(answer(404))
    gateway = make_shared.gateway(
        tokens=[{"name": "ops", "token": SECRETS["token"]}], retry=["1s"] * 5,
        webhooks=[
            webhook("well", well.url("/hook?key=" + SECRETS["query"]),
                    headers={"X-Secret": SECRETS["header"]},
                    auth={"type": "hmac", "key": SECRETS["hmac"]}),
            webhook("basic", basic.url(), auth={"type": "basic", "username": "user",
                                                "password": SECRETS["password"]}),
            webhook("bad", bad.url("/?key=" + SECRETS["query"]),
                    auth={"type": "hmac", "key": SECRETS["hmac"]})],
        log={"level": "debug", "format": "json"})
    everything(gateway)
    for attempt in range(1, 4):
        gateway.wait_log("delivery.retry", attempt, labels__webhook="bad")
        gateway.advance(1.3)
    gateway.wait_log("delivery.dead", labels__webhook="bad")
    gateway.stop()
    return gateway, [well, basic, bad]


def everything(gateway):
    """Alerts, refusals, questions, with secrets wherever one can stand."""
    secret = {"summary": SECRETS["summary"], "payload": {"password": SECRETS["payload"]}}
    gateway.alert("critical", entity_id="e", **secret)
    gateway.post({"message": "m", "alert_type": "fatal", **secret})
    gateway.post(b'{"payload": "' + SECRETS["payload"].encode())
    gateway.get("/api/incidents/1?key=" + SECRETS["query"],
                {"Authorization": "Token " + SECRETS["token"]})
    gateway.get("/api/incidents/1", {"Authorization": "Token x" + SECRETS["token"]})
    gateway.get("/nowhere?key=" + SECRETS["query"])
    gateway.post({"message": "m", "alert_type": "info"}, key="unknown")
    gateway.post({"message": "m", "alert_type": "info"},
                 path=ingest() + "?key=" + SECRETS["query"])


def test_logs_every_line(told):
    """§12: each line is one JSON object, with the four keys that are always there."""
    gateway, _ = told
    assert len(gateway.log.lines) > 10
    for line, record in zip(gateway.log.lines, gateway.log.records):
        assert record is not None, line
        assert ALWAYS <= set(record), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["@timestamp"])
        assert record["event.action"] in ACTIONS, line
        assert record["message"]
        assert not any(isinstance(value, (dict, list)) for value in record.values()), line


def test_logs_values(told):
    """§12: the other keys have values of their kinds."""
    gateway, _ = told
    for record in gateway.log.records:
        assert isinstance(record.get("event.duration", 0), int)
        assert record.get("event.duration", 0) >= 0
        assert record.get("event.outcome", "success") in ("success", "failure", "unknown")
        if record["event.action"] in ("delivery.retry", "delivery.dead"):
            assert record["error.type"] in REASONS
            assert record["labels.webhook"] and record["labels.incident"]
            assert int(record["labels.attempt"]) > 0


def test_logs_tell_the_story(told):
    """§12: an alert can be followed from its trace to its delivery."""
    gateway, _ = told
    accepted = gateway.logged("alert.accepted")[0]
    assert accepted["labels.integration"] == "Generic"
    assert accepted["trace.id"]
    assert accepted["client.ip"] == "127.0.0.1"
    assert gateway.logged("alert.rejected")
    triggered = gateway.logged("incident.triggered")[0]
    assert str(triggered["labels.incident"]) == "1"
    delivered = gateway.logged("delivery.delivered", labels__webhook="well")[0]
    assert str(delivered["labels.incident"]) == "1"
    assert delivered["event.duration"] > 0
    assert int(delivered["http.response.status_code"]) == 200


def test_logs_no_secret(told):
    """§12: none of the secrets, no payload, no URL query, in any line or on standard error."""
    gateway, _ = told
    text = b"\n".join(gateway.log.lines).decode() + gateway.complaints()
    for name, secret in SECRETS.items():
        assert secret not in text, name
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in text, name
    assert base64.b64encode(("user:" + SECRETS["password"]).encode()).decode() not in text
    assert KEY not in text


def test_logs_no_signature(told):
    """§12: no signature and no Authorization that went out."""
    gateway, receivers = told
    text = b"\n".join(gateway.log.lines).decode()
    for receiver in receivers:
        assert receiver.requests
        for request in receiver.requests:
            for name in ("x-signature", "authorization"):
                assert request.headers.get(name, "\0") not in text


@pytest.mark.parametrize("text", [
    "line\nbreak", "\r\n{\"event.action\": \"server.stopped\"}", "\x1b[31mred", "\x00\x07\x7f",
    "\u2028\u0085\u202e", '"quoted" \\ back', "\U0001f600 caf\u00e9", "x" * 5000])
def test_logs_strangers_text(strange, text):
    """§12: what strangers wrote is escaped and cut: one line stays one line, without controls."""
    gateway = strange
    since = gateway.mark()
    gateway.post({"message": text, "alert_type": text, "entity_id": text})
    gateway.post({"message": text, "alert_type": "critical", "entity_id": text, text: text})
    until(lambda: gateway.logged("incident.triggered", since))
    for line in gateway.log.lines[since:]:
        assert isinstance(json.loads(line), dict)
        assert not re.search(rb"[\x00-\x1f\x7f]", line)
        assert not re.search("[\u0080-\u009f\u2028\u2029\u202e]", line.decode())
        assert len(line) < 2500


@pytest.fixture(scope="module")
def strange(make_shared):
    return make_shared.gateway(log={"level": "debug", "format": "json"})


@pytest.mark.parametrize("path", ["/a%0d%0ab", "/" + "x" * 3000, "/%00", "/\x7f", "/<script>"])
def test_logs_strangers_paths(strange, path):
    """§12: paths too."""
    since = strange.mark()
    with strange.connect() as connection:
        connection.send(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: a\r\n"
                        b"User-Agent: \xff\xfe\r\n\r\n")
        assert connection.read().status in (400, 404)
    strange.alert("info")
    for line in strange.log.lines[since:]:
        assert isinstance(json.loads(line), dict) and len(line) < 2500
        assert not re.search(rb"[\x00-\x1f\x7f]", line)


# Who did it.

READER, WRITER = "reader-token-6661", "writer-token-6662"
TOKENS = [{"name": "look", "token": READER, "read_only": True}, {"name": "night shift", "token": WRITER}]


def token(text):
    return {"Authorization": "Token " + text}


def refused(gateway, status):
    return [(record["message"], record.get("labels.token"), record["client.ip"], record["event.outcome"])
            for record in gateway.logged("alert.rejected", http__response__status_code=status)]


def test_logs_who_is_not_let_in(make):
    """§2, §12: without a token, with a wrong one, with one that may not: a line, and no token in it."""
    gateway = make.gateway(tokens=TOKENS)
    trace = gateway.send("info")
    assert gateway.get("/api/incidents").status == 401
    for path in ("/api/incidents", "/-/ready?detail=1", "/api/alert/status/%s/?detail=1" % trace):
        assert gateway.get(path, token("guessed-token-6663")).status == 401
    assert gateway.request("POST", "/-/pause", None, token(READER)).status == 403
    gateway.wait_log("alert.rejected", 5)
    assert refused(gateway, 401) == [
        ("Authentication credentials were not provided.", None, "127.0.0.1", "failure"),
        *[("Invalid token.", None, "127.0.0.1", "failure")] * 3]
    assert refused(gateway, 403) == [
        ("You do not have permission to perform this action.", "look", "127.0.0.1", "failure")]
    text = b"\n".join(gateway.log.lines)
    assert not any(word in text for word in (b"guessed-token", READER.encode(), WRITER.encode()))


def test_logs_who_it_was(make):
    """§12: what operators do has a line with the token's name and the client's address; what happens by
    itself names nobody."""
    gateway = make.gateway(tokens=TOKENS, webhooks=[webhook("ops", make.receiver().url())])

    def did(action, message, path, body=None, method="POST", **match):
        since = len(gateway.log.records)
        answered = gateway.request(method, path, body, token(WRITER))
        assert 200 <= answered.status < 300, answered
        record = gateway.wait_log(action, since=since, message=message, **match)
        assert (record.get("labels.token"), record.get("client.ip")) == ("night shift", "127.0.0.1"), record
        return answered

    gateway.alert("critical", entity_id="a")
    assert "labels.token" not in gateway.wait_log("incident.triggered")
    delivery = gateway.get("/api/deliveries", token(READER)).json()["results"][0]["id"]
    did("server.warning", "applying alerts is paused", "/-/pause")
    did("server.warning", "applying alerts is resumed", "/-/resume")
    did("server.warning", "the webhook is paused", "/api/webhooks/ops/pause", labels__webhook="ops")
    did("server.warning", "the webhook is resumed", "/api/webhooks/ops/resume", labels__webhook="ops")
    did("server.warning", "a test is asked for", "/api/webhooks/ops/test", labels__webhook="ops")
    did("server.warning", "a replay of a delivery is asked for", "/api/deliveries/%s/replay" % delivery,
        labels__webhook="ops", labels__delivery=delivery)
    did("server.warning", "a replay is asked for", "/api/deliveries/replay", {"webhook": "ops"},
        labels__webhook="ops")
    did("server.warning", "a reload is asked for", "/-/reload")
    did("incident.acknowledged", "incident 1: api", "/api/incidents/1", {"status": 2}, "PATCH")
    did("incident.resolved", "incident 1: api", "/api/incidents/1", {"status": 3}, "PATCH")
    service = gateway.get("/api/incidents/1", token(READER)).json()["service"]
    did("incident.triggered", "incident 2: api", "/api/incidents", {"title": "t", "service": service})
    gateway.alert("critical", entity_id="b")
    assert "labels.token" not in gateway.wait_log("incident.triggered", message="incident 3")
    assert WRITER.encode() not in b"\n".join(gateway.log.lines)
