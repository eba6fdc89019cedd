"""What the log's reader does, or does not do, is nobody else's business (CONTRACT §1.5, §12).

STOPPED is for how many seconds it is stopped: STOPPED=30 asks that latency changes by 20 % at most.
"""
import multiprocessing
import os
import re
import signal
import statistics
import time

from gateway import ingest, until
from scrape import scrape
from wire import flood, request

STOPPED = float(os.environ.get("STOPPED") or 2)
CHANGE = 1.2 if STOPPED >= 30 else 4  # short windows beside other tests are noisy
ALERT = {"message": "m", "alert_type": "info"}
ALERTS = [request("POST", ingest(), ALERT)] * 3000


def load(address, ending):
    """Some thousand alerts a second."""
    while not ending.is_set():
        flood(address, ALERTS, 8)


def latency(gateway, seconds):
    """The median of one client's alerts."""
    times, end = [], time.monotonic() + seconds
    with gateway.connect() as connection:
        while time.monotonic() < end:
            began = time.monotonic()
            assert connection.request("POST", ingest(), ALERT).status == 200
            times.append(time.monotonic() - began)
            time.sleep(0.002)
    return statistics.median(times)


def test_log_reader_stopped(make):
    """§1.5: with the other end of the pipe stopped, alerts take as long as before; the lines that are
    lost are counted."""
    gateway = make.gateway(tail=["cat"])
    ending = multiprocessing.Event()
    loading = multiprocessing.Process(target=load, args=(gateway.address, ending), daemon=True)
    loading.start()
    try:
        before = latency(gateway, STOPPED)
        gateway.tail.send_signal(signal.SIGSTOP)
        flood(gateway.address, ALERTS)  # more lines than there is room for
        during = latency(gateway, STOPPED)
        dropped = scrape(gateway).get("log_lines_dropped_total")
        gateway.tail.send_signal(signal.SIGCONT)
        after = latency(gateway, STOPPED)
    finally:
        gateway.tail.send_signal(signal.SIGCONT)
        ending.set()
        loading.join()
    print("median %.2f ms before, %.2f ms while stopped, %.2f ms after; %d lines dropped" % (
        before * 1e3, during * 1e3, after * 1e3, dropped))
    assert dropped > 0
    assert during <= CHANGE * (before + after) / 2
    until(lambda: told(gateway) == scrape(gateway).get("log_lines_dropped_total"), 20)


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
