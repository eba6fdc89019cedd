"""`tocsin receive`: a receiver for trying things out (CONTRACT §11)."""

import re
import signal
import subprocess
import threading
import time

import pytest
import requests

from gateway import PROGRAM, SLOW, until, webhook
from receiver import sign
from wire import Connection, request

KEY = "receive-key"
BODY = (b'{"payload": {"event_type": "triggered", "incident": {"incident_number": 7, '
        b'"title": "disk full"}}}')


class Receive:
    """The command as a child process, its lines collected by a thread."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, "receive", "-p", "0", *arguments], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()
        first = until(lambda: self.lines and self.lines[0])
        self.url = re.search(r"http://127\.0\.0\.1:\d+", first)[0]

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def verdicts(self, count):
        """What was said of the signatures so far, once there are that many."""
        def said():
            found = [line for line in self.lines if "verified" in line]
            return len(found) >= count and ["NOT verified" not in line for line in found]
        return until(said)

    def dispose(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def receive(make):
    return lambda *arguments: make.keep(Receive(*arguments))


def post(receive, body=BODY, **headers):
    headers = {"Content-Type": "application/json",
               **{name.replace("_", "-"): value for name, value in headers.items()}}
    return requests.post(receive.url + "/hook", data=body, headers=headers, timeout=5)


def test_receive_verified(receive):
    """§11: prints the webhook, and that its signature verifies."""
    receiver = receive("-k", KEY)
    response = post(receiver, X_SIGNATURE=sign(KEY, BODY), webhook_id="id-1", X_Attempt="1")
    assert response.status_code == 200
    assert receiver.verdicts(1) == [True]
    text = until(lambda: "disk full" in "\n".join(receiver.lines) and "\n".join(receiver.lines))
    assert "triggered" in text


@pytest.mark.parametrize("signature", [
    sign("another key", BODY), sign(KEY, BODY + b" "), sign(KEY, BODY)[:-4], "", "nonsense"])
def test_receive_not_verified(receive, signature):
    """§11: says so when it does not."""
    receiver = receive("-k", KEY)
    post(receiver, X_SIGNATURE=signature)
    assert receiver.verdicts(1) == [False]


def test_receive_unsigned(receive):
    """§11: a webhook without a signature is not verified where a key was given."""
    receiver = receive("-k", KEY)
    post(receiver)
    assert receiver.verdicts(1) == [False]


def test_receive_without_key(receive):
    """§11: without a key it just prints."""
    receiver = receive()
    assert post(receiver).status_code == 200
    until(lambda: any("disk full" in line for line in receiver.lines))


@pytest.mark.parametrize("status", [204, 404, 503])
def test_receive_status(receive, status):
    """§11: --status answers so."""
    assert post(receive("--status", str(status))).status_code == status


def test_receive_delay(receive):
    """§11: --delay waits before it answers."""
    receiver = receive("--delay", "300ms")
    started = time.monotonic()
    assert post(receiver).status_code == 200
    assert 0.29 <= time.monotonic() - started < 0.3 + 0.5 * SLOW


def test_receive_controls_are_escaped(receive):
    """§12: what strangers send does not steer the terminal."""
    receiver = receive("-k", KEY)
    body = b'{"payload": {"incident": {"title": "\x1b[2J\\u001b[31mred"}}}'
    post(receiver, body, X_SIGNATURE=sign(KEY, body))
    receiver.verdicts(1)
    time.sleep(0.05)
    assert "\x1b" not in "\n".join(receiver.lines)


def test_receive_keep_alive(receive):
    """§11: several webhooks on one connection."""
    receiver = receive("-k", KEY)
    with requests.Session() as session:
        for _ in range(5):
            response = session.post(receiver.url, data=BODY, timeout=5,
                                    headers={"X-SIGNATURE": sign(KEY, BODY)})
            assert response.status_code == 200
    assert receiver.verdicts(5) == [True] * 5


@pytest.mark.parametrize("size", [8191, 8192, 1 << 20])
def test_receive_large(receive, size):
    """§11: a webhook of any size that there is."""
    receiver = receive("-k", KEY)
    body = BODY.ljust(size)
    assert post(receiver, body, X_SIGNATURE=sign(KEY, body)).status_code == 200
    assert receiver.verdicts(1) == [True]


def test_receive_pipelined(receive):
    """§11: webhooks that come together are answered in order."""
    receiver = receive("-k", KEY)
    host, port = receiver.url[7:].split(":")
    with Connection((host, int(port))) as connection:
        connection.send(request("POST", "/hook", BODY, {"X-SIGNATURE": sign(KEY, BODY)}) * 20)
        assert [connection.read().status for _ in range(20)] == [200] * 20
    assert receiver.verdicts(20) == [True] * 20


def test_receive_ends_on_interrupt(receive):
    """§11: Ctrl-C ends it."""
    receiver = receive()
    receiver.process.send_signal(signal.SIGINT)
    assert receiver.process.wait(5 * SLOW) in (0, -signal.SIGINT, 130)


def test_receive_from_a_gateway(receive, make):
    """§8, §11: what the gateway sends it verifies."""
    receiver = receive("-k", KEY)
    gateway = make.gateway(webhooks=[webhook("demo", receiver.url + "/hook",
                                             auth={"type": "hmac", "key": KEY})])
    for alert_type in ("critical", "acknowledged", "resolved"):
        gateway.alert(alert_type, entity_id="e", message="caf\u00e9 \U0001f600 \x7f")
    gateway.wait_log("delivery.delivered", 3)
    assert receiver.verdicts(3) == [True] * 3
