"""`tocsin backup`: a copy that a gateway can go on from, made beside one that runs. CONTRACT §11."""
import os
import random
import resource
import signal
import stat
import subprocess
import time

from gateway import PROGRAM, SLOW, run, until, webhook
from receiver import answer
from test_dump import Load, by_table, dump, filled, growth, size


def backup(gateway, dest, **more):
    done = run("backup", gateway.data, str(dest), timeout=30, **more)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.startswith("%s holds " % dest), done.stdout
    return done


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def started_from(make, dest, **conf):
    gateway = make.gateway(start=False, **conf)
    gateway.conf["data"] = gateway.data = str(dest)
    gateway.start()
    return gateway


def test_backup_is_a_data_directory(make, tmp_path):
    """A gateway that starts from it knows all that was answered, and goes on with what was due."""
    down, up = make.receiver(answer(503)), make.receiver()
    hooks = [webhook("ops", down.url(), retry=["1s"] * 9)]
    gateway = make.gateway(webhooks=hooks)
    traces = [gateway.send("critical", entity_id=i) for i in range(20)]
    traces += [gateway.send("resolved", entity_id=i) for i in range(5)]
    for trace in traces:
        gateway.settled(trace)
    gateway.wait_log("delivery.retry")
    backup(gateway, tmp_path / "copy")
    gateway.send("critical", entity_id="later")
    incidents = gateway.get("/api/incidents?limit=500").json()["results"][1:]
    gateway.kill9()

    copy = started_from(make, tmp_path / "copy", webhooks=[webhook("ops", up.url(), retry=["1s"])])
    assert copy.get("/api/incidents?limit=500").json()["results"] == incidents
    assert [copy.status(trace)["status"] for trace in traces] == ["completed"] * 25
    assert copy.opened(entity_id="new")["incident_number"] == 21
    assert not copy.alert("critical", entity_id=7)["is_incident_created"]
    copy.advance(10)
    requests = up.wait(26)  # 20 triggered, 5 resolved, and the new one
    assert sorted({request.number for request in requests}) == list(range(1, 22))
    copy.stop()


def test_backup_under_load(make, tmp_path):
    """Of one moment, and the file grows by no more than what was written meanwhile."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])

    def written():
        """Bytes; nobody but root may ask that of a process that keeps secrets."""
        if os.getuid() != 0:
            return 0
        with open("/proc/%d/io" % gateway.process.pid, encoding="ascii") as file:
            return int(dict(line.split(": ") for line in file)["wchar"])

    with Load(gateway) as load:
        for i in range(3):
            sent, before, grown = load.sent, written(), size(gateway)
            backup(gateway, tmp_path / str(i))
            if before:
                assert size(gateway) - grown <= written() - before + (256 << 10)
            tables = by_table(dump(str(tmp_path / str(i))))
            assert len(tables["traces"]) == len(tables["alerts"]) >= sent
            numbers = [row["incident_number"] for row in tables["incidents"]]
            assert numbers == list(range(1, len(numbers) + 1))
            assert tables["meta"][0]["next_number"] == len(numbers) + 1
    copy = started_from(make, tmp_path / "2")
    assert copy.opened(entity_id="new")["incident_number"] == len(numbers) + 1


def test_backup_modes(make, tmp_path):
    """0700 and 0600, whatever the umask; nothing else is beside it."""
    gateway = make.gateway()
    gateway.alert("critical")
    (tmp_path / "empty").mkdir(0o755)
    for name in ("new", "empty", "slash"):
        slash = "/" if name == "slash" else ""
        done = run("backup", gateway.data, str(tmp_path / name) + slash,
                   preexec_fn=lambda: os.umask(0))
        assert done.returncode == 0, done.stderr
        assert mode(tmp_path / name) == 0o700
        assert os.listdir(tmp_path / name) == ["data.mdb"]
        assert mode(tmp_path / name / "data.mdb") == 0o600
    assert sorted(os.listdir(tmp_path)) == ["empty", "new", "slash"]


def test_backup_of_a_stopped_gateway(make, tmp_path):
    gateway = make.gateway()
    gateway.alert("critical")
    gateway.stop()
    done = backup(gateway, tmp_path / "copy")
    assert done.stdout.endswith("copy holds 1 incident and 1 alert\n")
    assert dump(str(tmp_path / "copy")) == dump(gateway.data)


def test_backup_refuses(make, tmp_path):
    """What is there already stays as it is; a line says what is in the way."""
    gateway = make.gateway()
    full = tmp_path / "full"
    full.mkdir()
    (full / "precious").write_text("x")
    (tmp_path / "file").write_text("y")
    for dest, why in ((full, "not empty"), (tmp_path / "file", "Not a directory"),
                      (tmp_path / "no" / "where", "No such file"), (gateway.data, "not empty")):
        done = run("backup", gateway.data, str(dest))
        assert done.returncode == 1 and not done.stdout
        assert done.stderr.count("\n") == 1 and why in done.stderr, done.stderr
    done = run("backup", str(tmp_path / "nothing"), str(tmp_path / "copy"))
    assert done.returncode == 1 and "there is no store" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["file", "full"]
    assert (full / "precious").read_text() == "x" and (tmp_path / "file").read_text() == "y"
    assert run("backup", gateway.data).returncode == 2


def test_backup_without_room(make, tmp_path):
    """A copy that could not be finished is not there, under any name."""
    gateway = filled(make)
    done = run("backup", gateway.data, str(tmp_path / "copy"), preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (200 << 10, 200 << 10)))
    assert done.returncode == 1 and "File too large" in done.stderr
    assert os.listdir(tmp_path) == []


def test_backup_interrupted(make, tmp_path):
    """At any moment: there is the whole copy or none, and the gateway goes on as before."""
    gateway = filled(make)
    alone = growth(gateway)
    rows = len(dump(gateway.data))
    chance = random.Random(7)
    ends = set()
    for i in range(16):
        number = (signal.SIGINT, signal.SIGTERM)[i % 2]
        with subprocess.Popen([PROGRAM, "backup", gateway.data, str(tmp_path / str(i))],
                              stdout=subprocess.DEVNULL) as process:
            time.sleep(chance.uniform(0, 0.03))
            process.send_signal(number)
            ends.add(process.wait(10 * SLOW))
        if (tmp_path / str(i)).exists():
            assert len(dump(str(tmp_path / str(i)))) == rows
    assert ends <= {0, -signal.SIGINT, -signal.SIGTERM}
    assert all(name.isdigit() for name in os.listdir(tmp_path)), os.listdir(tmp_path)
    time.sleep(2.2)
    assert growth(gateway) <= alone + (512 << 10)
    until(lambda: gateway.get("/-/ready").status == 200)
