"""Another configuration while everything goes on, and what it applies to. CONTRACT §10, §2."""
import json
import os
import shutil
import signal
import threading
import time

import pytest

from certificates import Authority, Front
from gateway import KEY, OTHER_KEY, SLOW, ingest, integration, until, webhook
from outgoing import DOWN, landed
from receiver import answer, held, sign, silence
from scrape import scrape
from test_forwarded import client_of
from wire import Closed, Connection, request

ALERT = {"message": "m", "alert_type": "critical"}
FULL = {"name": "full", "token": "0123456789abcdef"}
READER = {"name": "reader", "token": "fedcba9876543210", "read_only": True}


def bearer(token):
    return {"Authorization": "Token " + token["token"]}


def services(gateway):
    return gateway.conf["services"]


def hooks(gateway):
    return gateway.conf["services"][0]["webhooks"]


@pytest.fixture(name="pair")
def pair_(make):
    """A gateway and the receiver of its one webhook."""
    receiver = make.receiver()
    return make.gateway(webhooks=[webhook("ops", receiver.url(), auth={
        "type": "hmac", "key": "the-first-key"})]), receiver


# What is different.


def test_reload_tells_what_is_different(make):
    """§10: names of what was added, removed and changed, in the answer and in the log."""
    gateway = make.gateway(integrations=[integration(), integration("Old", "old-key")],
                           webhooks=[webhook("ops", "http://127.0.0.1:9/")])
    services(gateway)[0]["integrations"] = [integration(), integration("New", "new-key")]
    hooks(gateway)[0]["deadline"] = "1s"
    services(gateway).append({"name": "Search", "integrations": [], "webhooks": []})
    changes = gateway.reloaded(drain="1s", users=[{"username": "ada"}], tokens=[FULL])
    assert changes == [
        "added integration Payments/New", "added service Search", "added token full",
        "added user ada", "changed setting drain", "changed webhook Payments/ops",
        "removed integration Payments/Old"]
    line = gateway.wait_log("config.reloaded")
    assert "4 added, 1 removed, 2 changed" in line["message"]
    assert line["labels.removed"] == "integration Payments/Old"
    assert line["labels.changed"] == "setting drain, webhook Payments/ops"
    assert "service Search" in line["labels.added"] and line["event.duration"] > 0
    assert FULL["token"] not in json.dumps(line) and "new-key" not in json.dumps(line)
    assert gateway.reload(bearer(FULL)).json()["changes"] == []


def test_reload_by_signal(pair):
    """§10: SIGHUP does the same."""
    gateway, receiver = pair
    hooks(gateway)[0]["auth"]["key"] = "the-second-key"
    gateway.write()
    gateway.signal(signal.SIGHUP)
    assert gateway.wait_log("config.reloaded")["labels.changed"] == "webhook Payments/ops"
    gateway.send("critical")
    sent = receiver.wait(1)[0]
    assert sent.headers["x-signature"] == sign("the-second-key", sent.body)


def test_reload_tokens(make):
    """§2: a changing call, so a token that may write; tokens themselves count from then on."""
    gateway = make.gateway(tokens=[FULL, READER])
    assert gateway.reload().status == 401
    assert gateway.reload(bearer(READER)).status == 403
    assert gateway.request("GET", "/-/reload", headers=bearer(FULL)).status == 405
    other = {"name": "full", "token": "abcdefabcdefabcdef"}
    assert gateway.reload(bearer(FULL), tokens=[other]).status == 200
    assert gateway.get("/api/incidents", bearer(FULL)).status == 401
    assert gateway.get("/api/incidents", bearer(other)).status == 200
    assert gateway.reload(bearer(FULL)).status == 401


def test_reload_many_ask(pair):
    """Requests that come together are answered by one reload; one that is gone harms nobody."""
    gateway, _ = pair
    gateway.conf["drain"] = "3s"
    gateway.write()
    with gateway.connect() as one, gateway.connect() as two, gateway.connect() as three:
        for connection in (one, two, three):
            connection.send(request("POST", "/-/reload"))
        three.close()
        assert one.read().status == two.read().status == 200
    assert gateway.get("/-/ready").status == 200


def test_reload_metrics(pair):
    """§13: whether the last one was good, and when there was one."""
    gateway, _ = pair

    def gauges():
        text = gateway.get("/metrics").body.decode()
        return [float(line.split()[1]) for line in text.splitlines()
                if line.startswith("tocsin_config_last_reload_")]

    assert gauges()[0] == 1
    assert gateway.reload(nonsense=1).status == 400
    assert gauges()[0] == 0
    before = gauges()[1]
    del gateway.conf["nonsense"]
    gateway.reloaded()
    assert gauges()[0] == 1 and gauges()[1] >= before


def test_reload_keeps_counts(make):
    """§13: what was counted stays counted, also of a webhook that is changed; one that is removed is
    not shown any more."""
    receiver = make.receiver()
    old, ops = webhook("old", receiver.url()), webhook("ops", receiver.url())
    gateway = make.gateway(webhooks=[old, ops])
    gateway.opened(entity_id="one")
    gateway.wait_log("delivery.delivered", 2)
    before = scrape(gateway)
    assert before.get("deliveries_total", webhook="old", event_type="triggered", result="delivered") == 1
    services(gateway)[0]["webhooks"] = [webhook("new", receiver.url()), {**ops, "max_in_flight": 3}]
    gateway.reloaded()
    after = scrape(gateway)
    lost = [key for key, value in before.series.items() if before.types[before.families[key[0]]] != "gauge"
            and ("webhook", "old") not in key[1] and after.series.get(key, -1) < value]
    assert not lost
    assert not after.all("deliveries_total", webhook="old")
    gateway.opened(entity_id="two")
    until(lambda: scrape(gateway).get(
        "deliveries_total", webhook="ops", event_type="triggered", result="delivered") == 2)


# Alerts.


def test_reload_keys(make):
    """§10: new keys count from the next turn, removed ones are unknown; an incident stays its
    integration's."""
    gateway = make.gateway()
    first = gateway.opened(entity_id="e")
    services(gateway)[0]["integrations"] = [integration(key=OTHER_KEY)]
    assert gateway.reloaded() == ["changed integration Payments/Generic"]
    assert gateway.post(ALERT).status == 404
    joined = gateway.settled(gateway.send("critical", key=OTHER_KEY, entity_id="e"))
    assert joined["incident"]["incident_number"] == first["incident_number"]
    assert not joined["is_incident_created"]


def test_reload_integration_removed_while_paused(make):
    """§5: alerts that were accepted for an integration that is gone by the time they are applied."""
    gateway = make.gateway(integrations=[integration(), integration("Other", OTHER_KEY)])
    gateway.request("POST", "/-/pause")
    traces = [gateway.send("critical", key=key) for key in (OTHER_KEY, KEY)]
    services(gateway)[0]["integrations"].pop()
    gateway.reloaded()
    gateway.request("POST", "/-/resume")
    lost, kept = [gateway.settled(trace) for trace in traces]
    assert lost["status"] == "failed" and lost["error"]
    assert kept["is_incident_created"]


def test_reload_service_removed(make):
    """An incident whose service is gone can be looked at; its timers do nothing."""
    gateway = make.gateway(services=[
        {"name": "Payments", "integrations": [integration()]},
        {"name": "Other", "auto_resolve_timeout": 60, "integrations": [
            integration("Other", OTHER_KEY)]}])
    gateway.settled(gateway.send("critical", key=OTHER_KEY))
    services(gateway).pop()
    assert gateway.reloaded() == ["removed integration Other/Other", "removed service Other"]
    gateway.advance(120)
    assert gateway.alert("critical")["is_incident_created"]
    assert gateway.incident(1)["status"] == 1


def test_reload_timeouts(make):
    """§5: timeouts of services count for incidents that are open already."""
    gateway = make.gateway()
    for entity in range(600):  # more than one tick files anew
        gateway.send("critical", entity_id=entity)
    services(gateway)[0]["auto_resolve_timeout"] = 60
    gateway.reloaded()
    until(lambda: gateway.rows()["timers"] == 600)
    gateway.advance(61)
    until(lambda: gateway.rows()["open"] == 0, 20)
    gateway.wait_log("incident.resolved", 600)


def test_reload_users(pair):
    """§8: who is assigned, and how they are called, in the next webhook."""
    gateway, receiver = pair
    services(gateway)[0]["assigned_to"] = "ada"
    gateway.reloaded(users=[{"username": "ada", "first_name": "Ada"}])
    gateway.alert("critical")
    gateway.reloaded(users=[{"username": "ada", "first_name": "Augusta"}])
    gateway.alert("critical")
    sent = receiver.wait(2)
    assert [r.incident["assigned_to"]["first_name"] for r in sent] == ["Ada", "Augusta"]


# Webhooks.


def test_reload_attempt_in_flight(make):
    """§10: an attempt under way ends as it began; the next one goes where it is to go now."""
    old, new = make.receiver(script=[answer(503, delay=1)]), make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", old.url(), retry=["100ms"] * 3,
                                             auth={"type": "hmac", "key": "old-key"})])
    gateway.send("critical", entity_id=1)
    old.wait(1)
    hooks(gateway)[0].update(url=new.url(), auth={"type": "hmac", "key": "new-key"})
    gateway.reloaded()
    gateway.send("critical", entity_id=2)
    new.wait(2)
    assert len(old.requests) == 1
    assert old.requests[0].headers["x-signature"] == sign("old-key", old.requests[0].body)
    for sent in new.requests:
        assert sent.headers["x-signature"] == sign("new-key", sent.body)
    assert sorted(r.number for r in new.requests) == [1, 2]
    until(lambda: gateway.rows()["lanes"] == 0)


def test_reload_attempt_half_way(make):
    """§10: an attempt that has not sent its request yet sends it as it was when it began: the new
    key does not go to the old address."""
    old, new = make.receiver(), make.receiver()
    names = make.nameserver({"late.test": None})
    gateway = make.gateway(start=False, webhooks=[
        webhook("ops", old.url(host="late.test"), headers={"X-Key": "old-key"})])
    gateway.environment["TOCSIN_RESOLV_CONF"] = names.resolv_conf(gateway.directory + "/resolv")
    gateway.start()
    gateway.send("critical")
    until(lambda: names.asked)
    hooks(gateway)[0].update(url=new.url(), headers={"X-Key": "new-key"})
    gateway.reloaded()
    names.table["late.test"] = {"A": ["127.0.0.1"]}
    assert old.wait(1)[0].headers["x-key"] == "old-key"
    gateway.send("critical", entity_id=2)
    assert new.wait(1)[0].headers["x-key"] == "new-key"


def test_reload_webhook_removed(make):
    """§10: what waits for a webhook that is gone becomes a dead letter; what was in flight ends as it
    would have; under its name it comes back with nothing waiting."""
    receiver = make.receiver(script=[answer(200, delay=1), silence()])
    other = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), max_in_flight=1),
                                     webhook("other", other.url())])
    for entity in range(5):
        gateway.send("critical", entity_id=entity)
    receiver.wait(1)
    hook = hooks(gateway).pop(0)
    changes = gateway.reload().json()["changes"]
    assert changes == [{"change": "removed", "kind": "webhook", "service": "Payments", "name": "ops",
                        "waiting": 5}]
    assert gateway.wait_log("config.reloaded")["labels.removed"] == "webhook Payments/ops (5 waiting)"
    gateway.wait_log("delivery.dead", 4)
    assert gateway.logged("delivery.delivered", labels__webhook="ops")
    other.wait(5)
    assert len(gateway.logged("delivery.dead")) == 4
    rows = gateway.get("/api/deliveries?webhook=ops").json()["results"]
    assert sorted(row["state"] for row in rows) == ["dead"] * 4 + ["delivered"]
    assert gateway.request("POST", "/api/webhooks/ops/pause").status == 404
    hooks(gateway).append(hook)
    assert gateway.reloaded() == ["added webhook Payments/ops"]
    receiver.quiet(1)
    dead = [row for row in rows if row["state"] == "dead"][0]
    receiver.script = []
    assert gateway.request("POST", "/api/deliveries/%s/replay" % dead["id"]).status == 202
    assert receiver.wait(2)[1].id == dead["id"]


def test_reload_webhook_removed_and_back(make):
    """§1.3: back at once, while its attempt is still under way: nothing is sent twice."""
    back = threading.Event()
    receiver = make.receiver(script=[held(back)])
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.send("critical", entity_id=1)
    receiver.wait(1)
    gateway.send("resolved", entity_id=1)
    hook = hooks(gateway).pop()
    gateway.reloaded()
    hooks(gateway).append(hook)
    gateway.reloaded()
    gateway.send("critical", entity_id=2)
    receiver.wait(2)  # what waited and may be sent again is looked at by now
    back.set()
    until(lambda: gateway.rows()["lanes"] == 0)
    landed(gateway)
    ids = [r.id for r in receiver.requests]
    assert len(ids) == len(set(ids))


def test_reload_webhook_back_before_it_is_buried(make):
    """§1.3: what waited for a webhook is sent if it comes back in time, though nothing was lost in
    between: the turn that would have buried it fails, and is repeated later."""
    receiver = make.receiver(answer(503))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["1h"] * 3)])
    for entity in range(3):
        gateway.send("critical", entity_id=entity)
    gateway.wait_log("delivery.retry", 3)
    receiver.behaviour = answer(200)
    hook = hooks(gateway).pop()
    gateway.fail_commit(1, after=1)
    gateway.reloaded()
    hooks(gateway).append(hook)
    gateway.reloaded()
    gateway.advance(2 * 3600)
    until(lambda: gateway.rows()["lanes"] == 0)
    delivered = gateway.logged("delivery.delivered")
    assert len(delivered) + len(gateway.logged("delivery.dead")) == 3


def test_reload_pause_outlasts_it(pair):
    """A paused webhook stays paused, and so it does when it goes and comes back."""
    gateway, receiver = pair
    assert gateway.request("POST", "/api/webhooks/ops/pause").status == 200
    hook = hooks(gateway).pop()
    gateway.reloaded()
    hooks(gateway).append(dict(hook, deadline="1s"))
    gateway.reloaded()
    gateway.alert("critical")
    receiver.quiet(0)
    assert gateway.request("POST", "/api/webhooks/ops/resume").status == 200
    receiver.wait(1)


def test_reload_breaker(make):
    """§8: a webhook that is sent elsewhere starts afresh: its breaker closes, what waits goes out."""
    dead, well = make.receiver(DOWN), make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", dead.url(), retry=["1h"] * 3)])
    for entity in range(8):
        gateway.send("critical", entity_id=entity)
    gateway.wait_log("breaker.opened")
    hooks(gateway)[0]["deadline"] = "2s"
    gateway.reloaded()
    assert not gateway.logged("breaker.closed")
    hooks(gateway)[0]["url"] = well.url()
    gateway.reloaded()
    gateway.wait_log("breaker.closed")
    well.wait(8)


def test_reload_probe_of_before(make):
    """§8: a probe that was out when the webhook was sent elsewhere is not waited for."""
    receiver = make.receiver(script=[DOWN] * 5 + [silence()])
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["1h"] * 3)])
    for entity in range(5):
        gateway.send("critical", entity_id=entity)
    gateway.wait_log("breaker.opened")
    gateway.advance(31)
    receiver.wait(6)
    hooks(gateway)[0]["url"] = receiver.url("/elsewhere")
    gateway.reloaded()
    gateway.wait_log("breaker.closed")
    until(lambda: gateway.rows()["lanes"] == 1)  # the probe's own


def test_reload_deadline(make):
    """§8: another deadline counts from the next attempt."""
    receiver = make.receiver(answer(200, delay=1))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["1h"])])
    gateway.send("critical")
    receiver.wait(1)
    hooks(gateway)[0]["deadline"] = "200ms"
    gateway.reloaded()
    gateway.wait_log("delivery.delivered")
    gateway.send("critical")
    assert gateway.wait_log("delivery.retry")["error.type"] == "timeout"


def test_reload_max_in_flight(make):
    """§8: fewer at a time, and more again."""
    receiver = make.receiver(answer(200, delay=0.3))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    hooks(gateway)[0]["max_in_flight"] = 1
    gateway.reloaded()
    for entity in range(4):
        gateway.send("critical", entity_id=entity)
    times = [r.time for r in receiver.wait(4)]
    assert min(b - a for a, b in zip(times, times[1:])) > 0.25
    hooks(gateway)[0]["max_in_flight"] = 64
    gateway.reloaded()
    until(lambda: gateway.rows()["lanes"] == 0)
    for entity in range(4, 6):
        gateway.send("critical", entity_id=entity)
    times = [r.time for r in receiver.wait(6)]
    assert times[5] - times[4] < 0.25


def test_reload_certificates(make, tmp_path):
    """§8: files under the same name are read again if they have changed, and only then."""
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    receiver = make.receiver()
    front = make.keep(Front(receiver, *ours.issue("good", "IP:127.0.0.1")))
    trusted = str(tmp_path / "trusted.pem")
    shutil.copy(others.certificate, trusted)
    gateway = make.gateway(webhooks=[webhook("ops", front.url(), retry=["100ms"] * 50,
                                             tls={"ca_file": trusted})])
    gateway.send("critical")
    assert gateway.wait_log("delivery.retry")["error.type"] == "tls_failed"
    shutil.copy(ours.certificate, trusted)
    assert gateway.reloaded() == []
    gateway.wait_log("delivery.delivered")
    handshakes = len(front.handshakes)
    gateway.reloaded(drain="1s")
    gateway.send("critical")
    receiver.wait(2)
    assert len(front.handshakes) == handshakes  # the connection was kept
    shutil.copy(others.certificate, trusted)
    gateway.reloaded()
    since = gateway.mark()
    gateway.send("critical")
    assert gateway.wait_log("delivery.retry", since=since)["error.type"] == "tls_failed"


def test_reload_test_delivery(make):
    """§9: a test that waits for its answer is one of the configuration that it began under."""
    receiver = make.receiver(answer(200, delay=1))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    with gateway.connect() as connection:
        connection.send(request("POST", "/api/webhooks/ops/test"))
        receiver.wait(1)
        hooks(gateway).pop()
        gateway.reloaded()
        gateway.reloaded()
        assert connection.read().json()["delivered"]


def test_reload_allow_networks(pair):
    """§8: what is no longer allowed is not reached, over a kept connection neither."""
    gateway, receiver = pair
    gateway.alert("critical")
    receiver.wait(1)
    gateway.wait_log("delivery.delivered")
    gateway.reloaded(allow_networks=[])
    gateway.send("critical")
    assert gateway.wait_log("delivery.retry")["error.type"] == "blocked_address"
    receiver.quiet(1)


# The server.


def test_reload_limits_of_bodies(pair):
    """§3: a larger body, or none so large any more, over a connection that was there before."""
    gateway, _ = pair
    large = dict(ALERT, summary="x" * 60000)
    with gateway.connect() as connection:
        assert connection.request("POST", ingest(), large).status == 200
        gateway.reloaded(limits={"body": "1KiB"})
        assert connection.request("POST", ingest(), large).status == 413
    with gateway.connect() as connection:
        assert connection.request("POST", ingest(), ALERT).status == 200
        gateway.reloaded(limits={"body": "2MiB"})
        larger = dict(ALERT, summary="x" * 1000000)
        assert connection.request("POST", ingest(), larger).status == 200


LOWER = {"body": "64KiB", "header": "1KiB"}


def begin(gateway, connection, data):
    """Sends the beginning of a request, and waits until it is read: 64 KiB a pass of the loop."""
    connection.send(data)
    for _ in range(len(data) // 65536 + 5):
        assert gateway.get("/-/healthy").status == 200


@pytest.mark.parametrize("size, sent, before", [
    (100, 0, 0), (100, 50, 3), (20000, 10000, 0), (4000000, 100000, 0), (4000000, 100000, 3),
    (4000000, 1500000, 0)])
def test_reload_limits_of_a_request_begun(pair, size, sent, before):
    """§3, §10: a body whose head was accepted is taken whole, whatever the limits are by then, also behind
    other requests; the next request is held to them."""
    gateway, _ = pair
    gateway.reloaded(limits={"body": "8MiB"})
    body = json.dumps(ALERT).encode().ljust(size)
    data = request("POST", ingest(), body, {"X-Long": "x" * 3000})
    cut = len(data) - size + sent
    with gateway.connect() as connection:
        begin(gateway, connection, request("GET", "/-/healthy") * before + data[:cut])
        gateway.reloaded(limits=LOWER)
        connection.send(data[cut:])
        assert [connection.read().status for _ in range(before + 1)] == [200] * (before + 1)
        assert connection.request("POST", ingest(), ALERT).status == 200
        assert connection.request("GET", "/-/healthy", headers={"X-Long": "x" * 3000}).status == 431
    with gateway.connect() as connection:
        assert connection.request("POST", ingest(), b"x" * 100000).status == 413


@pytest.mark.parametrize("before, after, size, status", [
    ("512KiB", "64KiB", 300000, 200), ("512KiB", "64KiB", 600000, 413), ("64KiB", "512KiB", 100000, 413)])
def test_reload_limit_of_chunks(pair, before, after, size, status):
    """§3, §10: a body of which nobody knows the length has the limit under which it began."""
    gateway, _ = pair
    gateway.reloaded(limits={"body": before})
    body = json.dumps(ALERT).encode().ljust(size)
    with gateway.connect() as connection:
        begin(gateway, connection, request("POST", ingest(), headers={"Transfer-Encoding": "chunked"}) +
              b"%x\r\n%s\r\n" % (50000, body[:50000]))
        gateway.reloaded(limits={"body": after})
        connection.send(b"%x\r\n%s\r\n0\r\n\r\n" % (size - 50000, body[50000:]))
        assert connection.read().status == status


@pytest.mark.parametrize("limit, begun", [
    ("idle_time", request("GET", "/-/healthy")), ("header_time", b"GET / HTTP/1.1\r\n"),
    ("body_time", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1")])
def test_reload_limits_of_time(pair, limit, begun):
    """§10: a shorter time counts for connections that are there already, and for those behind them."""
    gateway, _ = pair
    gateway.reloaded(limits={limit: "1h"})
    with gateway.connect(timeout=3) as before, gateway.connect(timeout=3) as after:
        before.send(begun)
        until(lambda: gateway.get("/-/healthy").status == 200)
        gateway.reloaded(limits={limit: "500ms"})
        after.send(begun)
        for connection in (before, after):
            assert len(connection.read_closed()) < 500


def test_reload_limit_of_connections(pair):
    """§10: fewer connections, and more again, without a new start."""
    gateway, _ = pair
    gateway.reloaded(limits={"connections": 2})
    first = [gateway.connect() for _ in range(2)]
    assert [c.request("GET", "/-/healthy").status for c in first] == [200, 200]
    third = gateway.connect(timeout=0.3)
    with pytest.raises(TimeoutError):
        third.request("GET", "/-/healthy")
    gateway.conf["limits"]["connections"] = 10
    gateway.write()
    gateway.signal(signal.SIGHUP)
    third.socket.settimeout(5)
    assert third.read().status == 200
    for connection in (*first, third):
        connection.close()


def test_reload_log(make):
    """§12: level and format from the next line on."""
    gateway = make.gateway()
    gateway.reloaded(log={"level": "error", "format": "json"})
    since = gateway.mark()
    gateway.alert("critical")
    gateway.reloaded(log={"level": "info", "format": "text"})
    gateway.alert("critical")
    until(lambda: any(b"alert.applied" in line for line in gateway.log.lines[since:]))
    assert all(record is None for record in gateway.log.records[since:])
    gateway.reloaded(log={"level": "info", "format": "json"})
    assert gateway.wait_log("config.reloaded", since=since)


def test_reload_retention(make):
    """§4: how long a status can be asked for."""
    gateway = make.gateway()
    trace = gateway.send("info")
    gateway.settled(trace)
    gateway.reloaded(retention={"trace": "2h"})
    gateway.advance(3700)
    assert gateway.get("/api/alert/status/" + trace).status == 200
    gateway.reloaded(retention={"trace": "60m"})
    assert gateway.get("/api/alert/status/" + trace).status == 404


def test_reload_trusted_proxies(make):
    """§10: whom to believe."""
    gateway = make.gateway()
    headers = {"X-Forwarded-For": "192.0.2.1"}
    assert client_of(gateway, headers) == "127.0.0.2"
    gateway.reloaded(trusted_proxies=["127.0.0.2/32"])
    assert client_of(gateway, headers) == "192.0.2.1"


def test_reload_account_and_url(make):
    """§2: the account in the addresses; the address that links begin with."""
    gateway = make.gateway()
    gateway.reloaded(account="other", public_url="http://other.test")
    assert gateway.post(ALERT).status == 404
    assert gateway.post(ALERT, path=ingest(account="other")).status == 200
    for entity in range(3):
        gateway.post(dict(ALERT, entity_id=entity), path=ingest(account="other"))
    listed = gateway.get("/api/incidents?page_size=1").json()
    assert listed["next"].startswith("http://other.test/")


def test_reload_drain(make):
    """§10: how long a stopping gateway serves on."""
    gateway = make.gateway(drain="10m")
    gateway.reloaded(drain="0s")
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < 2 * SLOW


def test_reload_listeners(make):
    """§10: listeners come and go; who is connected to one that is gone is answered once more."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}])
    with gateway.connect() as half:
        half.send(request("POST", ingest(), ALERT)[:-5])
        until(lambda: gateway.get("/-/healthy").status == 200)
        gateway.conf["listen"] = [{"address": "127.0.0.2:0", "serve": ["ingest"]}]
        gateway.write()
        gateway.signal(signal.SIGHUP)
        line = gateway.wait_log("config.reloaded")
        assert line["labels.added"] == "listener 127.0.0.2:0"
        assert line["labels.removed"] == "listener 127.0.0.1:0"
        with pytest.raises(ConnectionRefusedError):
            gateway.connect()
        half.send(request("POST", ingest(), ALERT)[-5:])
        answered = half.read()
        assert (answered.status, answered.header("Connection")) == (200, "close")
    with Connection(gateway.addresses()[-1]) as connection:
        assert connection.request("POST", ingest(), ALERT).status == 200
        assert connection.request("GET", "/api/incidents").status == 404


def test_reload_notify(make, tmp_path):
    """§11: the service manager hears of it, and that it is over, whatever came of it."""
    from test_notify import Manager
    manager = make.keep(Manager(str(tmp_path / "notify")))
    manager.dispose = manager.socket.close
    gateway = make.gateway(environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    manager.wait("READY")
    for count, change in enumerate(({"drain": "1s"}, {"nonsense": 1}), 1):
        gateway.reload(**change)
        assert int(manager.wait("RELOADING", count)["MONOTONIC_USEC"]) > 0
        assert manager.wait("READY", count + 1)["STATUS"] == "serving"


@pytest.mark.skipif(os.geteuid() != 0 or SLOW > 1, reason="reads another process's memory")
def test_reload_secrets_are_wiped(make):
    """§10: nothing of the old configuration's secrets is left in memory when nobody needs it."""
    receiver = make.receiver(answer(200, delay=0.5))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), auth={
        "type": "hmac", "key": "hmac-secret-of-before-0451"}, headers={
            "X-Key": "header-secret-of-before-0452"})],
                           tokens=[{"name": "ops", "token": "token-secret-of-before-0453"}])
    old = {"Authorization": "Token token-secret-of-before-0453"}
    secrets = [b"hmac-secret-of-before-0451", b"header-secret-of-before-0452"]
    gateway.send("critical")
    receiver.wait(1)
    hooks(gateway)[0].update(auth={"type": "hmac", "key": "another"}, headers={})
    assert gateway.reload(old, tokens=[FULL]).status == 200
    assert all(found_in_memory(gateway, secret) for secret in secrets)  # the attempt needs them
    gateway.wait_log("delivery.delivered")
    for secret in secrets:
        assert not found_in_memory(gateway, secret), secret


def found_in_memory(gateway, secret):
    with open("/proc/%d/maps" % gateway.process.pid, encoding="ascii") as maps, \
            open("/proc/%d/mem" % gateway.process.pid, "rb", 0) as memory:
        for line in maps:
            area, rights = line.split()[:2]
            if rights.startswith("rw") and "data.mdb" not in line:
                begin, end = (int(text, 16) for text in area.split("-"))
                try:
                    memory.seek(begin)
                    if secret in memory.read(end - begin):
                        return True
                except OSError:
                    pass
    return False
