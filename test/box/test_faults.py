"""What the machine may refuse: room on the disk, memory, descriptors, a steady clock (CONTRACT §1,
§3). The service goes on, or refuses with 503 and a reason, and recovers when the fault goes."""

import errno
import os
import resource
import subprocess
import time

import pytest

from faults import ALL, Faults
from gateway import SLOW, Gateway, ingest, until, webhook
from receiver import answer
from wire import Closed

ALERT = {"message": "m", "alert_type": "critical"}
LARGE = "x" * 200000
# A disk of its own for the data directory, full soon; it goes with the process.
DISK = ["unshare", "-rm", "sh", "-c",
        'mkdir "$0" && mount -t tmpfs -o size=3m,mode=700 none "$0" && exec "$@"']


def may_mount():
    return subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(not may_mount(), reason="may not mount a small disk")


@pytest.fixture
def faults(make):
    return make.keep(Faults())


def faulty(make, faults, **conf):
    return make.gateway(environment=faults.environment(), **conf)


def refused(response):
    assert response.status == 503, response
    assert int(response.header("Retry-After")) > 0
    assert response.json()["detail"]


def told(gateway, since=0):
    """Lines that warn."""
    return [record for record in gateway.log.records[since:] if record
            and record["log.level"] in ("warning", "error")]


def on_disk(make, **conf):
    gateway = make.gateway(start=False, **conf)
    gateway.wrapper = [*DISK, gateway.data]
    gateway.start()
    return gateway


def inside(gateway, name):
    """The path of a file on the gateway's own disk."""
    return "/proc/%d/root%s/%s" % (gateway.process.pid, gateway.data, name)


def fill_disk(gateway):
    """Until not a page is left; another program's file, so to say."""
    with open(inside(gateway, "filler"), "wb", buffering=0) as file:
        with pytest.raises(OSError):
            while True:
                file.write(bytes(4096))


@needs_mount
def test_faults_full_disk(make):
    """§3: a full disk: 503 and a reason; what was answered stays; afterwards all goes on."""
    receiver = make.receiver()
    gateway = on_disk(make, webhooks=[webhook("ops", receiver.url())])
    kept = [gateway.send("critical", entity_id=i) for i in range(3)]
    receiver.wait(3)
    fill_disk(gateway)
    mark = gateway.mark()
    refusals = [gateway.post({**ALERT, "summary": LARGE}) for _ in range(20)]
    for response in refusals:
        refused(response)
    assert "has no room" in told(gateway, mark)[0]["message"]
    assert gateway.get("/-/healthy").status == 200
    assert gateway.get("/-/ready").json()["status"] == "store full"
    for trace in kept:
        assert gateway.status(trace)["status"] == "completed"
    os.unlink(inside(gateway, "filler"))
    assert gateway.get("/-/ready").status == 503
    gateway.advance(11)
    until(lambda: gateway.get("/-/ready").status == 200, what="room")
    assert gateway.alert("critical", entity_id="later")["incident"]["incident_number"] == 4
    receiver.wait(4)


@needs_mount
def test_faults_disk_that_fills(make):
    """§3: the disk fills up under load: each alert is either kept or refused."""
    gateway = on_disk(make)
    answers = [gateway.post({**ALERT, "entity_id": str(i), "summary": "x" * 20000})
               for i in range(200)]
    kept = [response.json()["trace_id"] for response in answers if response.status == 200]
    for response in answers:
        if response.status != 200:
            refused(response)
    assert 0 < len(kept) < 200
    for place, trace in enumerate(kept):
        assert gateway.status(trace)["incident"]["incident_number"] == place + 1


def test_faults_full_map(make):
    """§3: limits.store is reached: alerts get 503 and readiness says so; the rest goes on, and what
    expires makes room."""
    receiver = make.receiver(answer(503))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["1s"] * 20)],
                           limits={"store": "16MiB"}, retention={"incident": "60m"})
    gateway.send("critical", entity_id="first")
    receiver.wait(1)
    until(lambda: gateway.post({"message": "m", "alert_type": "info",
                                "summary": LARGE}).status == 503, 30, "the store to be full")
    until(lambda: gateway.get("/-/ready").status == 503, what="readiness to say so")
    time.sleep(1.2)  # what is full is looked at once a second
    refused(gateway.post(ALERT))
    assert gateway.get("/-/ready").status == 503
    assert gateway.get("/-/ready").json()["status"] == "store full"
    receiver.behaviour = answer(200)
    until(lambda: gateway.advance(5) or gateway.logged("delivery.delivered"), 20, "the delivery")
    gateway.advance(3700)
    until(lambda: gateway.get("/-/ready").status == 200, 30, "room")
    assert gateway.alert("critical", entity_id="later")["is_incident_created"]


def test_faults_no_descriptors(make):
    """§1.5: out of descriptors: who is connected is served, the processor rests, a line says why;
    deliveries are made when there are descriptors again."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["200ms"] * 20)])
    open_now = len(os.listdir("/proc/%d/fd" % gateway.process.pid))
    with gateway.connect() as connection:
        assert connection.request("GET", "/-/healthy").status == 200
        limits = resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (open_now + 1, limits[1]))
        with gateway.connect() as waiting:
            waiting.send(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.request("POST", ingest(), ALERT).status == 200
            gateway.wait_log("delivery.retry", error__type="connect_failed")
            gateway.turns()
            time.sleep(0.5)
            assert gateway.turns()[1] < 60
            assert any("open files" in record["message"] for record in told(gateway))
            resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, limits)
            assert waiting.read().status == 200
    receiver.wait(1)


def attempt(gateway):
    """The status of an alert sent now, None if the connection was closed on it."""
    try:
        return gateway.post(ALERT).status
    except (OSError, Closed):
        return None


def test_faults_no_memory(make, faults):
    """§1.5, §3: while there is no memory, alerts are refused or their connections closed; none is
    half-way applied; afterwards all goes on."""
    receiver = make.receiver()
    gateway = faulty(make, faults, webhooks=[webhook("ops", receiver.url(), retry=["100ms"] * 20)])
    gateway.send("critical")
    receiver.wait(1)
    faults.fail("malloc", count=ALL)
    answers = [attempt(gateway) for _ in range(20)]
    faults.clear()
    assert set(answers) <= {None, 200, 503}
    kept = answers.count(200)
    until(lambda: attempt(gateway) == 200, what="memory to be enough")
    rows = gateway.rows()
    assert rows["traces"] == rows["incidents"] == kept + 2
    receiver.wait(kept + 2)
    assert told(gateway)


@pytest.mark.parametrize("call", ["fdatasync", "meta"])
def test_faults_flush_that_fails(make, faults, call):
    """§1.1: after an I/O error nobody knows what is on the disk: nothing is answered, the process
    ends with a reason, and the next one has what was answered."""
    gateway = faulty(make, faults)
    kept = gateway.send("critical", entity_id="kept")
    faults.fail(call)
    assert attempt(gateway) is None
    assert gateway.wait() == 1
    assert gateway.logged("server.stopped")[-1]["event.outcome"] == "failure"
    gateway.start()
    assert gateway.status(kept)["status"] == "completed"
    assert gateway.opened(entity_id="next")["incident_number"] <= 3


@pytest.mark.parametrize("error", [errno.EROFS, errno.EFBIG, errno.ENOSPC])
def test_faults_write_that_fails(make, faults, error):
    """§3: writes that the disk does not take: 503 as long as it does not."""
    gateway = faulty(make, faults)
    gateway.send("critical", entity_id="kept")
    faults.fail("pages", count=ALL, error=error)
    for _ in range(3):
        refused(gateway.post(ALERT))
    faults.clear()
    assert gateway.opened(entity_id="next")["incident_number"] == 2


def test_faults_log_that_cannot_be_written(make, faults):
    """§12: lines are lost and counted; the service does not notice."""
    gateway = faulty(make, faults)
    faults.fail("log", count=ALL)
    for i in range(20):
        gateway.send("critical", entity_id=i)
    faults.clear()
    gateway.send("critical", entity_id="last")
    assert gateway.wait_log("alert.applied", 21)


@pytest.mark.parametrize("call", ["epoll_ctl", "listen", "mmap"])
def test_faults_start_that_fails(make, faults, call):
    """§1.6: a start that ends says why, and never that it has started."""
    gateway = make.gateway(start=False, environment=faults.environment())
    faults.fail(call)
    gateway.spawn()
    assert gateway.wait() == 1
    assert gateway.logged("server.stopped")[-1]["event.outcome"] == "failure"
    assert not gateway.logged("server.started")


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_faults_clock_steps(make, seconds):
    """§4, §8: the wall clock is set by an hour, to and fro: traces stay, retries come when they are
    due, numbers and ids go on."""
    receiver = make.receiver(script=[answer(503)] * 2)
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url(), retry=["400ms"] * 9)])
    before = gateway.send("critical", entity_id="before")
    gateway.wait_log("delivery.retry")
    sent = time.monotonic()
    gateway.step(seconds)
    gateway.wait_log("delivery.retry", 2)
    assert 0.2 < time.monotonic() - sent < 2 * SLOW
    gateway.step(-seconds)
    gateway.wait_log("delivery.delivered")
    after = gateway.send("critical", entity_id="after")
    assert before < after
    gateway.restart()
    assert gateway.status(before)["status"] == gateway.status(after)["status"] == "completed"
    assert gateway.send("critical", entity_id="last") > after


def test_faults_clock_steps_to_and_fro(make):
    """§4, §5: what waits for its time, or lives for one, waits and lives by no clock that is set:
    an hour forward and back, twice and again, resolves and expires nothing; time itself does."""
    gateway = make.gateway(service={"auto_resolve_timeout": 600})
    trace = gateway.send("critical", entity_id="open")
    for seconds in (3600, -3600, -3600, 3600, 3600, -3600):
        gateway.step(seconds)
        gateway.advance(1)  # looks at what is due
        assert gateway.incident(1)["status"] == 1
        assert gateway.alert("info", entity_id="open")["incident"]["incident_number"] == 1
        assert gateway.status(trace)["status"] == "completed"
    gateway.advance(601)
    until(lambda: gateway.incident(1)["status"] == 3, what="the incident to be resolved")
    gateway.advance(3100)
    until(lambda: gateway.get("/api/alert/status/%s" % trace).status == 404, what="the trace to go")


def test_faults_start_on_a_read_only_directory(make):
    """§6: a data directory that cannot be written: the start says so."""
    gateway = Gateway(start=False)
    make.keep(gateway)
    os.mkdir(gateway.data, 0o500)
    gateway.wrapper = ["unshare", "-rm", "sh", "-c",
                       'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
                       gateway.data]
    if not may_mount():
        pytest.skip("may not mount")
    with pytest.raises(AssertionError):
        gateway.start()
    assert gateway.wait() == 1
    assert "cannot be written" in gateway.logged("server.stopped")[-1]["message"]
