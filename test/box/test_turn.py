"""What a failed commit, or a client that does not read, must not do to the turns that follow."""
import socket
import time

from gateway import KEY, ingest, until, webhook
from outgoing import landed
from receiver import answer
from wire import request

ALERT = {"message": "m", "alert_type": "critical"}


def test_turn_failed_while_draining(make):
    """§5: alerts that were queued are applied though the first try could not be stored."""
    gateway = make.gateway()
    gateway.request("POST", "/-/pause")
    traces = [gateway.send("critical", entity_id=i) for i in range(5)]
    gateway.fail_commit(1, after=1)  # the resume itself is stored, its first drain is not
    gateway.request("POST", "/-/resume")
    until(lambda: all(gateway.status(trace)["status"] == "completed" for trace in traces))
    assert gateway.settled(gateway.send("critical", entity_id=9))["is_incident_created"]


def test_turn_failed_tick(make):
    """§8: a retry whose time came in a turn that failed is made all the same."""
    receiver = make.receiver(script=[answer(503), answer(503)])
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["1s"] * 5)])
    gateway.alert("critical")
    gateway.wait_log("delivery.retry")
    gateway.fail_commit(2)
    gateway.advance(1.5)
    receiver.wait(2)
    gateway.advance(1.5)
    receiver.wait(3)


def test_turn_failures_are_not_hammered(make):
    """§12: while nothing can be stored the log stays readable and the processor idle."""
    gateway = make.gateway()
    gateway.request("POST", "/-/pause")
    gateway.send("critical")
    gateway.fail_commit(100000)
    gateway.request("POST", "/-/resume")
    gateway.turns()
    time.sleep(0.5)
    assert gateway.turns()[1] < 60
    assert len(gateway.logged("server.warning")) <= 22  # ten a second, and how many more


def test_turn_too_large_for_the_store(make):
    """§3: an alert that grows too large when written as JSON is refused, and harms nobody."""
    gateway = make.gateway(limits={"body": "16MiB"})
    body = b'{"alert_type": "info", "message": "' + b"\x7f" * (3 << 20) + b'"}'
    with gateway.connect(timeout=20) as connection:
        connection.send(request("POST", ingest(), body))
        assert connection.read().status == 413
    assert gateway.post(ALERT).status == 200


def fill(connection, data):
    """Sends requests and reads no answer until the gateway takes no more of them."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.socket.settimeout(0.3)
    try:
        while True:
            connection.socket.send(data * 100)
    except (socket.timeout, ConnectionError):
        pass


def test_turn_stuck_answer_times_out(make):
    """§1.5: a client that never reads the answers to its alerts loses its connection."""
    gateway = make.gateway(limits={"idle_time": "500ms"})
    with gateway.connect(timeout=5) as connection:
        # Answers as large as the alerts, so that few of them fill what the kernel holds.
        fill(connection, request("POST", "/api/events/%s/" % KEY, {
            "message": "m", "alert_type": "info", "payload": {"large": "x" * 16384}}))
        connection.socket.setblocking(False)
        until(lambda: is_gone(connection), 20, "the connection to be closed")
    assert gateway.post(ALERT).status == 200


def is_gone(connection):
    """True once the other side has closed: a full buffer alone is not that."""
    try:
        connection.socket.send(b"x")
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def test_turn_fault_behind_stuck_answers(make):
    """§1.5: a fault whose answer does not go out ends the connection, not the gateway."""
    gateway = make.gateway(limits={"idle_time": "500ms", "body_time": "500ms"})
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    pipeline = request("GET", "/-/healthy")
    for count in range(20000, 30000, 1000):
        with gateway.connect(timeout=2) as connection:
            connection.socket.settimeout(0.05)
            try:
                for _ in range(count // 500):
                    connection.socket.send(pipeline * 500)
                connection.socket.send(head + b"zz\r\n")
                time.sleep(0.02)
                connection.socket.send(b"more")
                for _ in range(50):
                    connection.socket.recv(65536)
                connection.socket.send(b"m")
            except OSError:
                pass
    assert gateway.post(ALERT).status == 200


def test_turn_pause_that_is_not_stored(make):
    """§8: a pause that could not be stored is no release: the breaker stays open."""
    receiver = make.receiver(answer(503))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    for i in range(10):
        gateway.send("critical", entity_id=i)
    gateway.wait_log("breaker.opened")
    landed(gateway)
    seen = len(receiver.requests)
    gateway.fail_commit(1)
    assert gateway.request("POST", "/api/webhooks/ops/pause", b"").status == 503
    receiver.quiet(seen, 0.1)
    assert not gateway.logged("breaker.closed")


def test_turn_hastened_once(make):
    """§8: what is let go before its time is tried once so, and keeps its schedule: refused four
    times, it is dead."""
    receiver = make.receiver(answer(400, delay=0.005))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["1s"] * 9,
                                             max_in_flight=1)])
    gateway.request("POST", "/api/webhooks/ops/pause", b"")
    for i in range(60):
        gateway.send("critical", entity_id=i)
    gateway.request("POST", "/api/webhooks/ops/resume", b"")
    until(lambda: gateway.advance(0.5) or gateway.rows()["dead"] == 60, 30)
    counts = {}
    for request_ in receiver.requests:
        counts[request_.number] = counts.get(request_.number, 0) + 1
    assert set(counts.values()) <= {4, 5}


def test_turn_webhook_name_with_a_space(make):
    """§2: a webhook is found by its name, escaped in the path."""
    gateway = make.gateway(webhooks=[webhook("night shift", "http://127.0.0.1:9/")])
    for verb in ("pause", "resume"):
        assert gateway.request("POST", "/api/webhooks/night%%20shift/%s" % verb, b"").status == 200


def test_turn_long_parked_answer(make):
    """§1.1: an answer that waits for the commit arrives whole, however long it is."""
    receiver = make.receiver()
    name = "n" * 190
    gateway = make.gateway(webhooks=[webhook(name, receiver.url())])
    gateway.alert("critical")
    receiver.wait(1)
    gateway.wait_log("delivery.delivered")
    row = gateway.get("/api/deliveries").json()["results"][0]
    replayed = gateway.request("POST", "/api/deliveries/%s/replay" % row["id"], b"")
    assert replayed.status == 202
    assert replayed.json()["webhook"] == name
    receiver.wait(2)
