"""Measurements of the gateway alone: the cost of a delivery, latency to the receiver, a full store,
start, expiry, memory, system calls, allocations. Each takes row(what, figure, target, met).
"""
import http.client
import os
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import certificates
import load
from servers import BUILD, LOAD_CORE, ROOT, Alertmanager, Nginx, Tocsin, hook, on_core

SECONDS = float(os.environ.get("SECONDS", "3"))
LIVE_TRACES, OPEN_INCIDENTS, WAITING = 1000000, 200000, 100000


def unique(prefix="u"):
    return load.unique(load.alert("0000000000"), prefix)


def settle(server):
    end = time.monotonic() + 120
    while server.waiting() and time.monotonic() < end:
        time.sleep(0.02)


# ---- delivery ---------------------------------------------------------------------------------

def delivery(row):
    """CPU of a delivery over kept-alive connections, beyond that of its alert."""
    directory = tempfile.mkdtemp(prefix="tocsin-bench-")
    authority = certificates.Authority(directory)
    certificate = authority.issue("receiver", "IP:127.0.0.1")

    def cost(scheme):
        with Nginx(core=LOAD_CORE, certificate=certificate if scheme == "https" else None) as receiver:
            hooks = [hook(receiver.port, scheme, tls={"ca_file": authority.certificate})] if scheme else []
            with Tocsin(test=True, webhooks=hooks) as server:
                return load.wrk(server, server.target, unique(), seconds=SECONDS, settle=lambda: settle(server)).cpu

    costs = [{scheme: cost(scheme) for scheme in ("", "http", "https")} for _ in range(5)]
    for scheme, target in (("http", 25), ("https", 30)):
        beyond = statistics.median(c[scheme] - c[""] for c in costs)
        row("delivery over %s: CPU beyond the alert's own" % scheme, "%.1f us" % beyond, "<= %d us" % target,
            beyond <= target)


class Clock:
    """A receiver on the load's core that only notes when each body with a known word was complete."""

    def __init__(self):
        self.seen = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        data = b""
        while True:
            try:
                got = sock.recv(65536)
            except OSError:
                return
            if not got:
                return
            data += got
            head, end, rest = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            if not end or len(rest) < int(length[1]):
                continue
            now = time.monotonic()
            for word in re.findall(rb"word-\d+", rest):
                self.seen.setdefault(word, now)
            data = rest[int(length[1]):]
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def paced(server, target, body, rate=200, seconds=5):
    """Posts unique alerts at a steady rate; when each was answered."""
    connection, answered = http.client.HTTPConnection("127.0.0.1", server.port), {}
    began = time.monotonic()
    for n in range(int(rate * seconds)):
        time.sleep(max(0, began + n / rate - time.monotonic()))
        connection.request("POST", target, body.replace("0000000000", "word-%d" % (100000 + n)),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        answered[b"word-%d" % (100000 + n)] = time.monotonic()
    return answered


def latency(row):
    """From the answer to the alert to its arrival at the receiver, at 200 a second."""
    os.sched_setaffinity(0, {LOAD_CORE})
    found = {}
    for name in ("tocsin", "alertmanager"):
        clock = Clock()
        tocsin = name == "tocsin"
        server = Tocsin(webhooks=[hook(clock.port)]) if tocsin else Alertmanager(clock.port)
        with server:
            answered = paced(server, Tocsin.target if tocsin else "/api/v2/alerts",
                             load.alert("0000000000") if tocsin else load.labels("0000000000"))
            time.sleep(2)
        waits = sorted(1000 * max(0, clock.seen[word] - at) for word, at in answered.items() if word in clock.seen)
        assert len(waits) >= 0.99 * len(answered), (name, len(waits), len(answered))
        found[name] = (waits[len(waits) // 2], waits[len(waits) * 99 // 100])
        row("accepted to received at 200/s: " + name, "p50 %.2f, p99 %.2f ms" % found[name])
    os.sched_setaffinity(0, range(os.cpu_count()))
    row("  p50", "%.2f ms" % found["tocsin"][0], "<= 1 ms", found["tocsin"][0] <= 1)
    row("  p99, of Alertmanager's", "%.2f" % (found["tocsin"][1] / found["alertmanager"][1]), "<= 1",
        found["tocsin"][1] <= found["alertmanager"][1])


# ---- much in the store ------------------------------------------------------------------------

def rows_of(server, table):
    return int(re.search(r"\b%s=(\d+)" % table, server.control("rows"))[1])


def fill(server, traces, incidents, prefix="f"):
    """Posts alerts until there are so many incidents, then so many traces."""
    while rows_of(server, "open") < incidents:
        load.wrk(server, server.target, unique(prefix), connections=256, seconds=2)
        prefix = chr(ord(prefix) + 1)
    while rows_of(server, "traces") < traces:
        load.wrk(server, server.target, load.same(load.alert("12345")), connections=256, seconds=2)


def full(row):
    """CPU of an alert with 1 000 000 live traces and 200 000 open incidents, of that with none."""
    join = load.same(load.alert("12345"))
    with Tocsin(test=True) as empty, Tocsin(test=True) as server:
        fill(server, LIVE_TRACES, OPEN_INCIDENTS)
        pairs = [(load.wrk(server, server.target, join, seconds=SECONDS).cpu,
                  load.wrk(empty, empty.target, join, seconds=SECONDS).cpu) for _ in range(3)]
    ratio = statistics.median(f / e for f, e in pairs)
    row("CPU of an alert among 1 000 000 traces, 200 000 incidents", "%.2f of empty" % ratio, "<= 1.3", ratio <= 1.3)


def start(row):
    """From exec to ready with 200 000 open incidents and 100 000 deliveries that wait."""
    dead = hook(1, max_waiting=WAITING)
    server = Tocsin(test=True, webhooks=[dead])
    with server:
        fill(server, 0, OPEN_INCIDENTS)
        incidents, waiting = rows_of(server, "open"), rows_of(server, "lanes")
        server.stop()
        took = [server.start() for _ in range(3) if server.stop() is None]
    row("start: %d open incidents, %d deliveries waiting" % (incidents, waiting), "ready in %.2f s" % min(took), "<= 1 s",
        min(took) <= 1)


def expiry(row):
    """Turns and answers while 1 000 000 traces expire under load, beside the same load before."""
    join = load.same(load.alert("12345"))
    with Tocsin(test=True) as server:
        fill(server, LIVE_TRACES, 0)
        quiet = statistics.median(load.wrk(server, server.target, join, seconds=SECONDS).p99 for _ in range(3))
        server.control("advance 3660")
        server.control("turns")
        left, longest, p99s, end = LIVE_TRACES, 0, [], time.monotonic() + 120
        while left > 0:
            before = rows_of(server, "traces")
            result = load.wrk(server, server.target, join, seconds=SECONDS)
            p99s.append(result.p99)
            longest = max(longest, int(re.search(r"\d+", server.control("turns"))[0]))
            left -= before + result.requests - rows_of(server, "traces")
            assert time.monotonic() < end, "%d of them do not expire" % left
    row("expiry of 1 000 000 traces: longest turn", "%.1f ms" % (longest / 1000), "<= 20 ms", longest <= 20000)
    during = statistics.median(p99s) / quiet
    row("  p99 of answers, of that before", "%.2f" % during, "<= 1.5", during <= 1.5)


# ---- memory, system calls, allocations --------------------------------------------------------

def tls_in_flight(directory):
    """Bytes of private memory for one of 256 deliveries over TLS that wait for their answer."""
    authority = certificates.Authority(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("slow", "IP:127.0.0.1"))
    listener, held = socket.create_server(("127.0.0.1", 0), backlog=1024), []

    def serve(sock):
        with context.wrap_socket(sock, server_side=True) as secure:
            held.append(1)
            while secure.recv(65536):
                time.sleep(1.5)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    live = hook(listener.getsockname()[1], "https", tls={"ca_file": authority.certificate}, max_in_flight=256)
    with Tocsin(test=True, webhooks=[live]) as server:
        load.wrk(server, server.target, load.unique(load.alert("0000000000"), "w"), seconds=1)
        before, most = server.private(), 0
        end = time.monotonic() + 40
        while len(held) < 200 and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(2)
        most = server.private()
        return (most - before) / max(1, len(held)), len(held)


def memory(row):
    """Private memory: idle, for an idle connection, for a TLS delivery in flight."""
    with Tocsin() as server:
        server.post(load.alert("12345"))
        idle = server.private()
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(900)]
        time.sleep(0.5)
        each = (server.private() - idle) / len(held)
        for sock in held:
            sock.close()
    row("private memory, idle", "%.1f MB" % (idle / 1e6), "<= 10 MB", idle <= 10e6)
    row("  of an idle plain connection", "%.0f bytes" % each, "<= 1 KB", each <= 1024)
    tls, count = tls_in_flight(tempfile.mkdtemp(prefix="tocsin-bench-"))
    row("  of a TLS delivery in flight (%d of them)" % count, "%.1f KB" % (tls / 1024), "<= 60 KB", tls <= 60 * 1024)


def calls(row):
    """System calls and calls of malloc for one alert, at 64 connections."""
    join = load.same(load.alert("12345"))
    with Tocsin() as server:
        counter = subprocess.Popen(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p",
                                    str(server.worker())], stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        result = load.wrk(server, server.target, join, seconds=SECONDS)
        counter.send_signal(2)
        found = re.search(r"^(\d+),", counter.communicate()[1], re.M)
    if found:
        each = int(found[1]) / result.requests
        row("system calls for an alert", "%.2f" % each, "<= 2.8", each <= 2.8)
    else:
        row("system calls for an alert", "no tracepoints here", "<= 2.8")
    counts = [int(subprocess.run([sys.executable, os.path.join(ROOT, "test", "bench", "replay"), "--malloc", str(n)],
                                 capture_output=True, text=True, check=True).stdout) for n in (2, 52)]
    each = (counts[1] - counts[0]) / (50 * 64)
    row("calls of malloc for an alert", "%.2f" % each, "<= 1", each <= 1)


def all_of(row):
    return {probe.__name__: bound(probe, row)
            for probe in (delivery, latency, full, start, expiry, memory, calls)}


def bound(probe, row):
    def run():
        probe(row)
    run.__doc__ = probe.__doc__
    return run
