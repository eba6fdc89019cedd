"""What the log's reader does, or does not do, is nobody else's business (CONTRACT §1.5, §12).

STOPPED is for how many seconds it is stopped, in several windows with as many between them in which
it is not: STOPPED=30 asks that latency changes by 20 % at most. Of each kind the fastest tenth of
alerts is looked at, since the rest have met whatever else the machine does. While it leaves too few
alone there are more windows, up to MOST.
"""
import os
import re
import signal
import statistics
import time

from gateway import ingest, until
from scrape import scrape
from wire import flood, request

STOPPED = float(os.environ.get("STOPPED") or 2)
WINDOWS, MOST = 5, 25
CHANGE = 1.2 if STOPPED >= 30 else 2
ALERT = {"message": "m", "alert_type": "info"}
ALERTS = [request("POST", ingest(), ALERT)] * 3000


def latencies(gateway):
    """Of one client's alerts, in a window."""
    times, end = [], time.monotonic() + STOPPED / WINDOWS
    with gateway.connect() as connection:
        while time.monotonic() < end:
            began = time.monotonic()
            assert connection.request("POST", ingest(), ALERT).status == 200
            times.append(time.monotonic() - began)
    return times


def tenth(times):
    """Within which the fastest tenth was answered."""
    return statistics.quantiles(times, n=10)[0]


def lost(gateway):
    return scrape(gateway).get("log_lines_dropped_total")


def latencies_stopped(gateway):
    """The same, with the other end of the pipe stopped and no room for more lines."""
    before = lost(gateway)
    gateway.tail.send_signal(signal.SIGSTOP)
    try:
        flood(gateway.address, ALERTS)
        until(lambda: lost(gateway) > before, 20, "lines to be lost")
        return latencies(gateway)
    finally:
        gateway.tail.send_signal(signal.SIGCONT)


def test_log_reader_stopped(make):
    """§1.5: with the other end of the pipe stopped, alerts take as long as before; the lines that are
    lost are counted."""
    gateway = make.gateway(tail=["cat"])
    running, stopped = [], []
    for window in range(1, MOST + 1):
        running.extend(latencies(gateway))
        stopped.extend(latencies_stopped(gateway))
        until(lambda: told(gateway) == lost(gateway), 20, "the reader to catch up")
        if window >= WINDOWS and tenth(stopped) <= CHANGE * tenth(running):
            break
    print("%d windows: a tenth within %.2f ms, while stopped within %.2f ms; %d lines dropped" % (
        window, tenth(running) * 1e3, tenth(stopped) * 1e3, lost(gateway)))
    assert tenth(stopped) <= CHANGE * tenth(running)


def told(gateway):
    """Lines dropped, by what the log says."""
    return sum(int(re.match(r"\d+", line["message"])[0]) for line in gateway.logged("log.dropped"))


def test_log_reader_gone(make):
    """§1.5: nor is it anybody's business that there is none any more."""
    gateway = make.gateway(tail=["cat"])
    gateway.tail.kill()
    gateway.tail.wait()
    assert {one.status for one in flood(gateway.address, ALERTS[:200])} == {200}


def test_log_repeated(make):
    """§12: of lines alike ten a second are written, and how many more there were."""
    gateway = make.gateway()
    refused = [request("POST", ingest("unknown"), ALERT)] * 2000
    assert {one.status for one in flood(gateway.address, refused)} == {404}
    assert {one.status for one in flood(gateway.address, ALERTS[:100])} == {200}
    until(lambda: counted(gateway) == 2000, what="%d to be told" % counted(gateway))
    lines = len(gateway.logged("alert.rejected"))
    assert 11 <= lines <= 200
    assert len(gateway.logged("alert.accepted")) == 100


def counted(gateway):
    """Refusals, by what the log says."""
    return sum(line.get("labels.repeated", 1) for line in gateway.logged("alert.rejected"))
