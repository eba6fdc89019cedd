"""`tocsin dump`: the state as text, of one moment, and at nobody's cost. CONTRACT §11."""
import collections
import json
import os
import resource
import select
import subprocess
import threading
import time

import pytest

from gateway import PROGRAM, SLOW, ingest, run, until, webhook
from outgoing import landed
from receiver import answer
from wire import flood, request

SECRETS = {"token": "token-secret-7771-of-an-operator", "hmac": "hmac-secret-7772",
           "query": "query-secret-7773", "header": "header-secret-7774"}
PRIVATE = "the disk of someone is full"
AUTHORIZED = {"Authorization": "Token " + SECRETS["token"]}


def dump(data, *options, **more):
    """The rows of a dump that must succeed."""
    done = run("dump", *options, data, timeout=30, **more)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_table(rows):
    tables = collections.defaultdict(list)
    for row in rows:
        tables[row["table"]].append(row)
    return tables


def eventful(make):
    """A gateway that has something in most tables."""
    dead = make.receiver(answer(410))
    busy = make.receiver(answer(503))
    auth = {"type": "hmac", "key": SECRETS["hmac"]}
    hooks = [webhook("dead", dead.url("/?key=" + SECRETS["query"]), auth=auth),
             webhook("busy", busy.url(), auth=auth, retry=["1h"] * 3, headers={"X-Key": SECRETS["header"]})]
    gateway = make.gateway(webhooks=hooks, tokens=[{"name": "ops", "token": SECRETS["token"]}],
                           service={"auto_resolve_timeout": 3600})
    for entity in ("a", "b", "c"):
        gateway.send("critical", PRIVATE, entity_id=entity)
    gateway.send("resolved", PRIVATE, entity_id="a")
    gateway.send("info", PRIVATE, entity_id="b")
    gateway.wait_log("delivery.dead")
    gateway.wait_log("delivery.retry", labels__webhook="busy")
    landed(gateway, "dead")
    landed(gateway, "busy")
    gateway.request("POST", "/-/pause", headers=AUTHORIZED)
    gateway.send("critical", PRIVATE, entity_id="queued")
    return gateway


def test_dump_every_row(make):
    """A line for each row, live and stopped; what senders wrote is in it, or is not; no secret."""
    gateway = eventful(make)
    rows = dump(gateway.data)
    counted = gateway.rows()
    tables = by_table(rows)
    assert {name: len(tables[name]) for name in counted} == counted
    for name in ("traces", "pending", "alerts", "incidents", "open", "events", "deliveries", "lanes",
                 "dead", "attempts", "timers", "closed", "names"):
        assert tables[name], name
    gateway.stop()
    stopped = by_table(dump(gateway.data))
    for name in ("traces", "pending", "alerts", "incidents", "events", "names"):
        assert stopped[name] == tables[name]
    text = run("dump", gateway.data).stdout
    assert PRIVATE in text
    for name, secret in SECRETS.items():
        assert secret not in text, name
    text = run("dump", "--no-payload", gateway.data).stdout
    assert PRIVATE not in text and '"entity_id": "queued"' in text
    assert len(text.splitlines()) == len(run("dump", gateway.data).stdout.splitlines())


def test_dump_reads_as_the_api_does(make):
    """Ids, names and dates are those of the API."""
    gateway = eventful(make)
    tables = by_table(dump(gateway.data))
    for shown in gateway.get("/api/incidents", AUTHORIZED).json()["results"]:
        row = next(row for row in tables["incidents"]
                   if row["incident_number"] == shown["incident_number"])
        assert row["unique_id"] == shown["unique_id"]
        assert row["created"] == shown["creation_date"]
        assert row["status"] == ["triggered", "acknowledged", "resolved"][shown["status"] - 1]
        assert row["title"] == shown["title"] and row["service"] == "Payments"
    for shown in gateway.get("/api/deliveries", AUTHORIZED).json()["results"]:
        row = next(row for row in tables["deliveries"] if row["id"] == shown["id"])
        for key in ("webhook", "incident_number", "event_type", "created", "reason"):
            assert row[key] == shown[key], key
    assert {row["integration"] for row in tables["alerts"]} == {"Payments/Generic"}


class Load:
    """Alerts from a thread, in floods, for as long as a block lasts."""

    def __init__(self, gateway, entities=200):
        self.gateway = gateway
        self.entities = entities
        self.over = False
        self.sent = 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over:
            alerts = [{"message": "m", "alert_type": ("critical", "resolved")[i % 3 == 0],
                       "entity_id": i % self.entities} for i in range(500)]
            answers = flood(self.gateway.address,
                            [request("POST", ingest(), alert) for alert in alerts], 8)
            assert all(answer.status == 200 for answer in answers)
            self.sent += len(answers)

    def __enter__(self):
        self.thread.start()
        until(lambda: self.sent > 0, 30)
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


def test_dump_is_of_one_moment(make):
    """Beside a loaded gateway: the tables agree with each other."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    with Load(gateway):
        dumps = [by_table(dump(gateway.data)) for _ in range(3)]
    for tables in dumps:
        meta = tables["meta"][0]
        numbers = [row["incident_number"] for row in tables["incidents"]]
        assert meta["name"] == "counters" and meta["next_number"] == len(numbers) + 1
        assert numbers == list(range(1, len(numbers) + 1))
        status = {row["incident_number"]: row["status"] for row in tables["incidents"]}
        assert {row["incident_number"] for row in tables["open"]} == {
            number for number, word in status.items() if word != "resolved"}
        events = {row["id"] for row in tables["events"]}
        assert {row["id"][:-8] + "00000000" for row in tables["deliveries"]} == events
        assert len(tables["traces"]) == len(tables["alerts"])
        waiting = {row["id"] for row in tables["deliveries"] if row["state"] == "waiting"}
        assert {row["delivery"] for row in tables["lanes"]} == waiting


def size(gateway):
    return os.stat(os.path.join(gateway.data, "data.mdb")).st_size


def growth(gateway, alerts=150):
    """How much the file grows by while alerts come one by one."""
    before = size(gateway)
    with gateway.connect() as connection:
        for i in range(alerts):
            alert = {"message": "m", "alert_type": "info", "entity_id": i}
            assert connection.request("POST", ingest(), alert).status == 200
    return size(gateway) - before


def filled(make, alerts=4000):
    gateway = make.gateway()
    body = {"message": "m" * 500, "alert_type": "info"}
    flood(gateway.address, [request("POST", ingest(), body)] * alerts)
    growth(gateway)
    return gateway


def start_dump(gateway, **more):
    return subprocess.Popen([PROGRAM, "dump", gateway.data], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, **more)


def test_dump_that_nobody_reads(make):
    """A dump whose reader has stopped costs the gateway nothing: its file does not grow by it."""
    gateway = filled(make)
    alone = growth(gateway)
    with start_dump(gateway) as process:
        assert select.select([process.stdout], [], [], 10 * SLOW)[0]
        beside = growth(gateway)
        assert process.poll() is None
        process.kill()
    assert beside <= alone + (512 << 10), (alone, beside)


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (200 << 10, 200 << 10))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def test_dump_killed_in_its_copy(make):
    """What a dump held when it was killed is let go of within a second or two."""
    gateway = filled(make)
    alone = growth(gateway)
    with start_dump(gateway, preexec_fn=limit_files) as process:
        assert process.wait(10 * SLOW) < 0
    time.sleep(2.2)
    beside = growth(gateway)
    assert beside <= alone + (512 << 10), (alone, beside)


@pytest.mark.parametrize("place", ["/nonexistent", "/dev/null", "/etc"])
def test_dump_of_nothing(place):
    """No state there: 1, a line, and nothing is left behind."""
    done = run("dump", place)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.count("\n") == 1 and "there is no store" in done.stderr
    assert "TMPDIR" not in done.stderr, "it is not about the copy"
    assert not os.path.exists(os.path.join(place, "lock.mdb"))


def test_dump_copies_go(make, tmp_path):
    """The copy has no name: nothing is left in TMPDIR; where there is none, that is said."""
    gateway = make.gateway()
    gateway.alert("critical")
    dump(gateway.data, env={"TMPDIR": str(tmp_path)})
    assert os.listdir(tmp_path) == []
    done = run("dump", gateway.data, env={"TMPDIR": str(tmp_path / "none")})
    assert done.returncode == 1 and str(tmp_path / "none") in done.stderr


def test_dump_into_a_full_disk(make):
    """What could not be written is a failure."""
    gateway = make.gateway()
    gateway.alert("critical")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "dump", gateway.data], stdout=full, stderr=subprocess.PIPE,
                              timeout=10 * SLOW, check=False)
    assert done.returncode == 1
    assert done.stderr == b"tocsin dump: cannot write it all: No space left on device\n"
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", PROGRAM, "dump", gateway.data],
                          stderr=subprocess.PIPE, timeout=10 * SLOW, check=False)
    assert done.returncode == 1
    assert done.stderr == b"tocsin dump: cannot write it all: Bad file descriptor\n"
