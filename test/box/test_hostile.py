"""Receivers at their worst, one row each: the attempt ends in time, with the right word, and memory
stays flat. CONTRACT §1.4, §1.5, §8, §9."""
import socket
import struct
import threading
import time

import pytest

from gateway import until, webhook

HEAD = b"HTTP/1.1 200 OK\r\n"


class Hostile:
    """A listener whose connections are handed, raw, to one function each."""

    def __init__(self, act, backlog=64):
        self.act, self.requests, self.ending = act, 0, threading.Event()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(backlog)
        self.url = "http://127.0.0.1:%d/" % self.listener.getsockname()[1]
        if act is not None:
            threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.ending.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            self.act(self, peer)
        except OSError:
            pass
        finally:
            peer.close()

    def read_request(self, peer):
        data = b""
        while b"\r\n\r\n" not in data:
            data += peer.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += peer.recv(65536)
        self.requests += 1

    def dispose(self):
        if self.ending.is_set():
            return
        self.ending.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # or accept() would keep the port
        self.listener.close()


def reset(peer):
    """A RST instead of a FIN."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answers(*parts, every=0.0, then=None):
    """Reads the request, then sends the parts, `every` seconds apart."""
    def act(server, peer):
        server.read_request(peer)
        for part in parts:
            peer.sendall(part)
            server.ending.wait(every)
        if then is not None:
            then(peer)
        else:
            server.ending.wait(5)
    return act


def endless(first, more):
    def act(server, peer):
        server.read_request(peer)
        peer.sendall(first)
        while not server.ending.is_set():
            peer.sendall(more)
    return act


def reset_at_once(server, peer):
    reset(peer)


def reset_in_request(server, peer):
    peer.recv(10)
    reset(peer)


def close_in_request(server, peer):
    peer.recv(10)


def silent(server, peer):
    server.ending.wait(5)


def dribble(*text):
    return answers(*[bytes([b]) for b in b"".join(text)], every=0.1)


BODY_300_MB = (b"Content-Length: 314572800\r\n\r\n", b"x" * 65536)

ROWS = {
    "resets at once": (reset_at_once, "io_failed or connect_failed", False),
    "resets in the request": (reset_in_request, "io_failed", False),
    "closes in the request": (close_in_request, "io_failed", False),
    "resets before the answer": (answers(then=reset), "io_failed", False),
    "resets in the head": (answers(HEAD, then=reset), "io_failed", False),
    "resets in the body": (answers(HEAD + b"Content-Length: 9\r\n\r\nabc", then=reset),
                           "io_failed", False),
    "closes in the body": (answers(HEAD + b"Content-Length: 9\r\n\r\nabc", then=lambda peer: None),
                           "io_failed", False),
    "accepts and is silent": (silent, "timeout", True),
    "dribbles the head": (dribble(HEAD, b"X-Slow: yes\r\n" * 9), "timeout", True),
    "dribbles the body": (dribble(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", b"x" * 60),
                          "timeout", True),
    "endless head": (endless(HEAD, b"X-More: " + b"y" * 1000 + b"\r\n"), "response_too_large",
                     False),
    "endless line": (endless(HEAD + b"X: ", b"y" * 1000), "response_too_large", False),
    "endless interim answers": (endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
                                "response_too_large", False),
    "garbage": (answers(b"\x00\xff\x00 nothing of ours\r\n\r\n"), "http_invalid", False),
    "another protocol": (answers(b"SSH-2.0-OpenSSH_9.2\r\n"), "http_invalid", False),
    "upgrades": (answers(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "http_invalid", False),
    "bad chunks": (answers(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "http_invalid",
                   False),
    "300 MB refused": (endless(b"HTTP/1.1 500 No\r\n" + BODY_300_MB[0], BODY_300_MB[1]),
                       "http_5xx", False),
    "redirects to the metadata address":
        (answers(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n"
                 b"Content-Length: 0\r\n\r\n"), "http_3xx", False),
}


@pytest.mark.parametrize("row", sorted(ROWS))
def test_hostile(make, row):
    """§9: the reason; §1.4: three seconds; §1.5: memory."""
    act, reason, whole = ROWS[row]
    server = make.keep(Hostile(act))
    gateway = make.gateway(webhooks=[webhook("ops", server.url, retry=["1h"])])
    gateway.alert("info", entity_id="warm up")
    before = gateway.memory()
    gateway.alert("critical")
    failed = gateway.wait_log("delivery.retry")
    assert failed["error.type"] in reason.split(" or ")
    seconds = failed["event.duration"] / 1e9
    assert abs(seconds - 3.0) < 0.05 if whole else seconds < 3.05
    assert gateway.memory() - before < 4 << 20


def test_hostile_never_accepts(make):
    """§1.4: a listener whose queue is full and that never takes anybody from it."""
    server = make.keep(Hostile(None, backlog=0))
    host, port = server.listener.getsockname()
    fillers = []
    for _ in range(8):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex((host, port))
        fillers.append(filler)
    time.sleep(0.05)
    gateway = make.gateway(webhooks=[webhook("ops", server.url, retry=["1h"])])
    gateway.alert("critical")
    failed = gateway.wait_log("delivery.retry")
    assert failed["error.type"] == "timeout"
    assert abs(failed["event.duration"] / 1e9 - 3.0) < 0.05
    for filler in fillers:
        filler.close()


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n",
                                     b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3])
def test_hostile_interim_answers(make, interim):
    """§8: answers 1xx are skipped."""
    server = make.keep(Hostile(answers(interim, HEAD + b"Content-Length: 0\r\n\r\n", every=0.05)))
    gateway = make.gateway(webhooks=[webhook("ops", server.url)])
    gateway.alert("critical")
    assert gateway.wait_log("delivery.delivered")["http.response.status_code"] == 200


def test_hostile_300_mb(make):
    """§8: a 2xx whose body is too long is delivered at 64 KiB, and the connection closed."""
    server = make.keep(Hostile(endless(HEAD + BODY_300_MB[0], BODY_300_MB[1])))
    gateway = make.gateway(webhooks=[webhook("ops", server.url)])
    before = gateway.memory()
    gateway.alert("critical")
    gateway.wait_log("delivery.delivered")
    assert gateway.memory() - before < 4 << 20


def test_hostile_dead_receiver_comes_back(make):
    """§8: while it is dead few connections are made to it; then everything arrives, in order."""
    dead = make.keep(Hostile(reset_at_once))
    port = dead.listener.getsockname()[1]
    gateway = make.gateway(webhooks=[webhook("ops", dead.url)])
    attempts = []
    dead.act = lambda server, peer: (attempts.append(1), reset(peer))
    for i in range(250):
        gateway.send("critical", entity_id=i)
        gateway.send("acknowledged", entity_id=i)
    for _ in range(6):
        gateway.advance(5)
        time.sleep(0.02)
    assert len(attempts) < 20
    dead.dispose()
    back = make.receiver(port=port)
    started = time.monotonic()
    gateway.advance(300)
    until(lambda: len(gateway.logged("delivery.delivered")) == 500, 10, "everything to arrive")
    assert time.monotonic() - started < 10
    events = {}
    for request in back.requests:
        events.setdefault(request.number, []).append(request.event)
    assert len(events) == 250
    assert all(told == ["triggered", "acknowledged"] for told in events.values())
