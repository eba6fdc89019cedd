"""The way down: what SIGTERM does to balancers, senders and receivers. CONTRACT §2, §8."""
import signal
import socket
import threading
import time

import pytest

from gateway import SLOW, ingest, integration, until, webhook
from receiver import answer, silence
from test_listeners import Activated, listening, refused
from wire import Closed, Connection, request

ALERT = {"message": "m", "alert_type": "critical"}


def terminate(gateway):
    """Sends SIGTERM; the time from which its effects may be seen."""
    gateway.signal(signal.SIGTERM)
    gateway.wait_log("server.draining")
    return time.monotonic()


def test_drain_serves_on(make):
    """§2: not ready at once, but everything is served on, with "Connection: close", and delivered."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())], drain="1s")
    began = terminate(gateway)
    with gateway.connect() as idle:
        ready = gateway.get("/-/ready")
        assert (ready.status, ready.json()["status"]) == (503, "draining")
        assert gateway.get("/-/healthy").status == 200
        accepted = gateway.post(ALERT)
        assert accepted.status == 200
        assert accepted.header("Connection") == "close"
        receiver.wait(1)
        assert idle.request("GET", "/-/healthy").header("Connection") == "close"
        assert idle.read_closed() == b""
    assert gateway.wait() == 0
    assert 1 <= time.monotonic() - began < 1 + 1 * SLOW  # not sooner, though there was nothing to do
    assert refused(gateway.address)
    last = gateway.log.records[-1]
    assert (last["event.action"], last["message"]) == ("server.stopped", "stopped")


def test_drain_turns_away(make):
    """§3: when the time is over nobody listens; who is connected still gets 503 with Retry-After."""
    receiver = make.receiver(silence())  # keeps it from ending at once
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), deadline="2s")], drain="500ms",
                           integrations=[integration(),
                                         integration("Tree", "int_ODCWagoG9", type="pagertree")])
    with gateway.connect() as one, gateway.connect() as half, gateway.connect() as tree:
        for connection in (one, tree):
            assert connection.request("GET", "/-/healthy").status == 200
        whole = request("POST", ingest(), ALERT)
        half.send(whole[:-5])
        terminate(gateway)
        assert gateway.post(ALERT).status == 200
        until(lambda: refused(gateway.address))
        late = one.request("POST", ingest(), ALERT)
        half.send(whole[-5:])
        for refusal in (late, half.read()):
            assert (refusal.status, refusal.header("Connection")) == (503, "close")
            assert int(refusal.header("Retry-After")) > 0
            assert refusal.json()["detail"]
        refusal = tree.request("POST", "/integration/int_ODCWagoG9", {"event_type": "create"})
        assert (refusal.status, refusal.body) == (503, b"")
    assert gateway.wait() == 0
    assert len(gateway.logged("alert.rejected", http__response__status_code=503)) == 3
    assert len(gateway.logged("alert.accepted")) == 1


def test_drain_half_a_request(make):
    """§3: a request of which half has come when it begins is read to its end and answered."""
    gateway = make.gateway(drain="1s")
    whole = request("POST", ingest(), ALERT)
    with gateway.connect() as connection:
        connection.send(whole[:100])
        until(lambda: gateway.get("/-/healthy").status == 200)
        terminate(gateway)
        time.sleep(0.3)
        connection.send(whole[100:])
        answered = connection.read()
        assert (answered.status, answered.header("Connection")) == (200, "close")
    assert gateway.wait() == 0


def test_drain_attempt_ends(make):
    """§8: an attempt in flight comes to its end, and is not made again after the next start."""
    receiver = make.receiver(answer(200, delay=1.5))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.send("critical")
    receiver.wait(1)
    terminate(gateway)
    assert gateway.wait() == 0
    assert gateway.logged("delivery.delivered")
    gateway.start()
    until(lambda: gateway.rows()["lanes"] == 0)
    receiver.quiet(1)


def test_drain_attempt_fails(make):
    """§1.4: a receiver that never answers costs its deadline, and the attempt is recorded."""
    receiver = make.receiver(silence())
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())], drain="300ms")
    gateway.send("critical")
    receiver.wait(1)
    began = terminate(gateway)
    assert gateway.wait() == 0
    assert time.monotonic() - began < 0.3 + 4 * SLOW
    retry = gateway.logged("delivery.retry")[0]
    assert retry["error.type"] == "timeout"
    gateway.start()
    delivery = gateway.get("/api/deliveries").json()["results"][0]
    assert (delivery["state"], delivery["attempt_count"]) == ("waiting", 1)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_drain_twice(make, second):
    """§11: a second signal ends it at once; what was in flight is sent after the next start."""
    receiver = make.receiver(script=[silence()])
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())], drain="10m")
    gateway.send("critical")
    receiver.wait(1)
    began = terminate(gateway)
    gateway.signal(second)
    assert gateway.wait() == 0
    assert time.monotonic() - began < 1 * SLOW
    last = gateway.log.records[-1]
    assert last["event.action"] == "server.stopped"
    assert "second signal" in last["message"] and last["labels.attempts_cut_off"] == 1
    gateway.start()
    assert receiver.wait(2)[0].id == receiver.requests[1].id
    until(lambda: gateway.rows()["lanes"] == 0)


class Sender:
    """Sends alerts with as many connections as it takes, until it is refused."""

    def __init__(self, gateway, number):
        self.gateway, self.number = gateway, number
        self.accepted, self.turned_away, self.lost = [], 0, []
        self.ended = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        sent = 0
        while not self.ended:
            try:
                connection = Connection(self.gateway.address)
            except ConnectionError:
                self.ended = time.monotonic()
                return
            opened = time.monotonic()
            with connection:
                going = True
                while going:
                    sent += 1
                    going = self.send(connection, opened, "e%d-%d" % (self.number, sent))

    def send(self, connection, opened, entity):
        """One alert; whether the connection may be used again."""
        try:
            answered = connection.request("POST", ingest(), {**ALERT, "entity_id": entity})
        except (OSError, Closed):
            self.lost.append(opened)
            return False
        if answered.status == 200:
            self.accepted.append(answered.json()["trace_id"])
        else:
            assert answered.status == 503 and answered.header("Retry-After"), answered
            self.turned_away += 1
        return answered.header("Connection") != "close"


def test_drain_under_load(make):
    """§1.1: of senders that go on through it all none is left without an answer, nothing that was
    accepted is lost, and everything is delivered once."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())], drain="500ms")
    senders = [Sender(gateway, i) for i in range(8)]
    until(lambda: all(len(sender.accepted) > 20 for sender in senders))
    terminate(gateway)
    assert gateway.wait() == 0
    for sender in senders:
        sender.thread.join()
    # Only who connects in the very moment at which the listener closes may be reset.
    end = min(sender.ended for sender in senders)
    assert not [opened for sender in senders for opened in sender.lost if opened < end - 0.05]
    accepted = [trace for sender in senders for trace in sender.accepted]
    gateway.start()
    for trace in accepted:
        assert gateway.status(trace)["is_incident_created"]
    until(lambda: gateway.rows()["lanes"] == 0)
    assert sorted(r.number for r in receiver.requests) == list(range(1, len(accepted) + 1))


def test_drain_passed_sockets(make):
    """§10: a socket that was passed is let go at once, so that the next gateway takes what waits; with
    nobody connected there is nothing to wait for."""
    gateway = make.keep(Activated([listening()], drain="10m"))
    with gateway.connect() as connection:
        assert connection.request("GET", "/-/healthy").status == 200
        terminate(gateway)
        waiting = Connection(gateway.sockets[0].getsockname())
        waiting.send(request("GET", "/-/healthy"))
        waiting.socket.settimeout(0.3)
        with pytest.raises(socket.timeout):
            waiting.read()
        assert connection.request("POST", ingest(), ALERT).header("Connection") == "close"
    assert gateway.wait() == 0
    gateway.start()
    waiting.socket.settimeout(10)
    assert waiting.read().status == 200
    waiting.close()


def test_drain_passed_sockets_idle(make):
    """§10: with passed sockets a restart does not wait for connections that nobody is at."""
    gateway = make.keep(Activated([listening()], drain="10m"))
    with gateway.connect() as idle, gateway.connect(), gateway.connect() as busy:
        assert idle.request("GET", "/-/healthy").status == 200
        busy.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        begun = time.monotonic()
        terminate(gateway)
        assert idle.read_closed() == b""
        assert 0.8 < time.monotonic() - begun < 2 * SLOW
        busy.send(b"x")
        assert busy.read().status == 404
    assert gateway.wait() == 0
    assert time.monotonic() - begun < 3 * SLOW
