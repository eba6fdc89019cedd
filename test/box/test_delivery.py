"""Order, independence, connections, and where they may go (CONTRACT §1, §8)."""

import time

import pytest

from gateway import until, webhook
from outgoing import DOWN, EVENTS, delivered, failed, life, pair
from receiver import answer, close


# Order.

def test_delivery_order(make):
    """§1.3: events of an incident do not overtake each other while the first one fails."""
    gateway, receiver = pair(make, script=[DOWN] * 3, retry=["1s"] * 5)
    life(gateway)
    for attempt in range(1, 4):
        failed(gateway, attempt)
        receiver.quiet(attempt, 0.02)
        gateway.advance(1.3)
    receiver.wait(6)
    assert receiver.events() == ["triggered"] * 3 + EVENTS


def test_delivery_order_across_restart(make):
    """§1.3: nor across a crash."""
    gateway, receiver = pair(make, script=[DOWN] * 2, retry=["10s"] * 5)
    life(gateway)
    failed(gateway, 1)
    gateway.kill9()
    gateway.start()
    receiver.quiet(1, 0.05)
    gateway.advance(13)
    failed(gateway, 2)
    gateway.advance(13)
    receiver.wait(5)
    assert receiver.events() == ["triggered"] * 2 + EVENTS


@pytest.mark.parametrize("how", ["restart", "kill -9"])
def test_delivery_pause_outlasts(make, how):
    """§1.1: a webhook that was paused stays so, whatever ends the gateway; then it is told in order."""
    gateway, receiver = pair(make)
    assert gateway.request("POST", "/api/webhooks/ops/pause").status == 200
    gateway.alert("critical", entity_id="e")
    if how == "kill -9":
        gateway.kill9()
    gateway.restart()
    gateway.alert("resolved", entity_id="e")
    receiver.quiet(0)
    assert gateway.request("POST", "/api/webhooks/ops/resume").status == 200
    receiver.wait(2)
    assert receiver.events() == ["triggered", "resolved"]


def test_delivery_order_while_waiting(make):
    """§1.3: the next goes out only when the one before was answered."""
    gateway, receiver = pair(make, answer(200, delay=0.15))
    life(gateway)
    requests = receiver.wait(3)
    assert receiver.events() == EVENTS
    for one, two in zip(requests, requests[1:]):
        assert two.time - one.time >= 0.15


def test_delivery_dead_frees_its_incident(make):
    """§8: a dead letter no longer holds back the later events."""
    gateway, receiver = pair(make, choose=lambda r: DOWN if r.event == "triggered" else answer(200),
                             retry=["1s"])
    life(gateway)
    failed(gateway)
    gateway.advance(1.3)
    receiver.wait(4)
    assert receiver.events() == ["triggered", "triggered", "acknowledged", "resolved"]


def test_delivery_incidents_are_independent(make):
    """§1.5: an incident whose event fails holds no other incident back."""
    gateway, receiver = pair(make, retry=["3600s"] * 3, choose=lambda r: (
        answer(404) if r.incident["incident_key"] == "bad" else answer(200)))
    life(gateway, "bad")
    for i in range(5):
        life(gateway, "good%d" % i)
    requests = receiver.wait(16)
    assert [r.event for r in requests if r.incident["incident_key"] == "bad"] == ["triggered"]
    for i in range(5):
        of_it = [r.event for r in requests if r.incident["incident_key"] == "good%d" % i]
        assert of_it == EVENTS


def test_delivery_two_are_independent(make):
    """§1.5: a receiver that is down is no reason for another to wait."""
    down, up = make.receiver(DOWN), make.receiver()
    gateway = make.gateway(webhooks=[webhook("down", down.url()), webhook("up", up.url())])
    for i in range(10):
        life(gateway, "e%d" % i)
    up.wait(30)
    assert down.requests and set(down.events()) == {"triggered"}


# Connections.

def test_delivery_connection_reused(make):
    """§8: connections are kept alive and reused."""
    gateway, receiver = pair(make)
    for i in range(1, 6):
        gateway.alert("critical")
        delivered(gateway, i)
    assert receiver.connections == 1
    assert {request.connection for request in receiver.requests} == {1}


def test_delivery_connection_close_is_obeyed(make):
    """§8: not where the receiver says close."""
    gateway, receiver = pair(make, answer(200, close=True))
    for i in range(1, 4):
        gateway.alert("critical")
        delivered(gateway, i)
    assert receiver.connections == 3


def test_delivery_connection_closed_while_idle(make):
    """§8: one that the receiver has closed is replaced without a failure."""
    gateway, receiver = pair(make, keep=False)
    for i in range(1, 4):
        gateway.alert("critical")
        delivered(gateway, i)
        time.sleep(0.02)
    assert receiver.connections == 3
    assert not gateway.logged("delivery.retry")


def test_delivery_connection_closed_on_reuse(make):
    """§8: a kept-alive connection that closes at the next request: sent again on a fresh one."""
    gateway, receiver = pair(make, script=[answer(200), close()])
    for i in range(1, 3):
        gateway.alert("critical")
        delivered(gateway, i)
    assert not gateway.logged("delivery.retry")
    first, cut, again = receiver.wait(3)
    assert (first.connection, cut.connection, again.connection) == (1, 1, 2)
    assert (cut.id, cut.body) == (again.id, again.body)


def test_delivery_many_at_once(make):
    """§8: hundreds at once all arrive, over no more than max_in_flight connections."""
    gateway, receiver = pair(make, max_in_flight=8)
    for i in range(300):
        gateway.send("critical", entity_id=i)
    requests = receiver.wait(300, 20)
    assert len({request.number for request in requests}) == 300
    assert receiver.connections <= 8


def test_delivery_max_in_flight(make):
    """§8: never more than max_in_flight at the same time."""
    gateway, receiver = pair(make, answer(200, delay=0.05), max_in_flight=2)
    for i in range(10):
        gateway.send("critical", entity_id=i)
    times = [request.time for request in receiver.wait(10)]
    assert all(later - one >= 0.045 for one, later in zip(times, times[2:])), times


# Where it may connect.

def test_delivery_blocked_address(make):
    """§8: loopback is not connected to unless allow_networks opens it."""
    gateway, receiver = pair(make, top={"allow_networks": []})
    gateway.alert("critical")
    record = until(lambda: gateway.logged("delivery.retry") + gateway.logged("delivery.dead"))[0]
    assert record["error.type"] == "blocked_address"
    receiver.quiet(0)
    assert receiver.connections == 0


def test_delivery_blocked_name(make):
    """§8: a name that stands for such an address is no way around."""
    receiver = make.receiver()
    server = make.nameserver({"inside.test": {"A": ["127.0.0.1"]}})
    gateway = make.gateway(start=False, allow_networks=[],
                           webhooks=[webhook("ops", receiver.url(host="inside.test"))])
    gateway.environment["TOCSIN_RESOLV_CONF"] = server.resolv_conf(gateway.directory + "/resolv")
    gateway.start()
    gateway.alert("critical")
    record = until(lambda: gateway.logged("delivery.retry") + gateway.logged("delivery.dead"))[0]
    assert record["error.type"] == "blocked_address"
    assert receiver.connections == 0


def test_delivery_name_that_changes(make):
    """§8: a name is looked at each time it is used: that it was harmless once gains nothing."""
    receiver = make.receiver(keep=False)
    table = {"moving.test": {"A": ["127.0.0.1"], "ttl": 1}}
    server = make.nameserver(table)
    gateway = make.gateway(start=False, retry=["1h"],
                           webhooks=[webhook("ops", receiver.url(host="moving.test"))])
    gateway.environment["TOCSIN_RESOLV_CONF"] = server.resolv_conf(gateway.directory + "/resolv")
    gateway.start()
    gateway.alert("critical", entity_id="first")
    gateway.wait_log("delivery.delivered")
    table["moving.test"] = {"A": ["10.255.255.1"]}
    before = len(server.asked)
    time.sleep(5.1)  # the least time that an answer is kept
    gateway.alert("critical", entity_id="then")
    record = gateway.wait_log("delivery.retry")
    assert record["error.type"] == "blocked_address"
    assert record["event.duration"] < 1e9
    assert len(server.asked) > before


def test_delivery_blocked_among_others(make):
    """§8: of several addresses those that are not allowed are passed over."""
    receiver = make.receiver()
    server = make.nameserver({"both.test": {"A": ["10.255.255.1", "127.0.0.1"]}})
    gateway = make.gateway(start=False,
                           webhooks=[webhook("ops", receiver.url(host="both.test"))])
    gateway.environment["TOCSIN_RESOLV_CONF"] = server.resolv_conf(gateway.directory + "/resolv")
    gateway.start()
    gateway.alert("critical")
    receiver.wait(1)


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "0177.0.0.1",
                                  "[::ffff:127.0.0.1]"])
def test_delivery_blocked_spellings(make, host):
    """§8: nor is another spelling of one: it is refused at the start, or blocked."""
    receiver = make.receiver()
    gateway = make.gateway(start=False, allow_networks=[],
                           webhooks=[webhook("ops", receiver.url(host=host))])
    try:
        gateway.start()
    except AssertionError:
        assert gateway.wait() == 1
        return
    gateway.alert("critical")
    until(lambda: gateway.logged("delivery.retry") + gateway.logged("delivery.dead"))
    assert receiver.connections == 0
