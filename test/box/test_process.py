"""What the process keeps others from, and what it leaves to them. CONTRACT §1, §10."""
import os
import re
import shutil
import signal
import stat
import subprocess
import threading

import pytest

from gateway import PROGRAM, run, until
from scrape import scrape

NOBODY = 65534


def facts(gateway, name):
    """/proc/PID/NAME as a dict: the first word of a line and the rest."""
    with open("/proc/%d/%s" % (gateway.process.pid, name), encoding="ascii") as file:
        return dict(line.split(":", 1) if ":" in line else (line[:26].strip(), line[26:])
                    for line in file.read().splitlines())


def test_process_guarded(make):
    """No core file, no new privileges."""
    gateway = make.gateway()
    assert facts(gateway, "limits")["Max core file size"].split()[:2] == ["0", "0"]
    assert facts(gateway, "status")["NoNewPrivs"].strip() == "1"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs another user")
def test_process_as_another_user(make):
    """Its memory is not its user's to read, and its log goes into a pipe that is not its own."""
    gateway = make.gateway(start=False, wrapper=[
        "setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"])
    gateway.write()
    for path in (gateway.directory, gateway.file):
        os.chown(path, NOBODY, NOBODY)
    gateway.start()
    pid = gateway.process.pid
    assert facts(gateway, "status")["Uid"].split()[0] == str(NOBODY)
    assert os.stat("/proc/%d/mem" % pid).st_uid == 0
    assert gateway.alert("critical")["is_incident_created"]
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0


def test_process_one_for_a_directory(make):
    """§10: a second gateway on the same data is refused, and told by whom it is held."""
    gateway = make.gateway()
    done = run("run", "-c", gateway.file)
    assert done.returncode == 1
    assert gateway.data in done.stdout and str(gateway.process.pid) in done.stdout
    assert gateway.alert("critical")["is_incident_created"]


@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_process_store_cut_off(make, kept):
    """§1.6, §11: a store that was copied in part ends whoever reads it, with a word and status 1."""
    gateway = make.gateway()
    for entity in range(50):
        gateway.alert("critical", entity_id=entity, summary="x" * 3000)
    gateway.stop()
    path = os.path.join(gateway.data, "data.mdb")
    os.truncate(path, int(os.path.getsize(path) * kept) // 4096 * 4096)
    dumped = run("dump", gateway.data)
    assert dumped.returncode == 1 and "is cut off" in dumped.stderr, dumped
    gateway.spawn()
    assert gateway.wait() == 1
    assert "is cut off" in gateway.complaints()


def test_process_files_are_its_own(make):
    """Whatever the umask: nobody else reads the state."""
    umask = os.umask(0)
    try:
        gateway = make.gateway()
    finally:
        os.umask(umask)
    assert stat.S_IMODE(os.stat(gateway.data).st_mode) & 0o077 == 0
    for name in os.listdir(gateway.data):
        assert stat.S_IMODE(os.stat(os.path.join(gateway.data, name)).st_mode) & 0o077 == 0, name


def test_process_without_a_reader(make):
    """§1.5: a log whose reader is gone costs lines, not the gateway; how many is told elsewhere."""
    gateway = make.gateway(start=False)
    gateway.write()
    with open(os.path.join(gateway.directory, "stderr"), "wb") as errors:
        process = subprocess.Popen([PROGRAM, "run", "-c", gateway.file], stdout=subprocess.PIPE,
                                   stderr=errors, cwd=gateway.directory)
    try:
        address = process.stdout.readline().split(b'"server.address": "')[1].split(b'"')[0]
        process.stdout.close()
        host, port = address.decode().rsplit(":", 1)
        gateway.address = (host, int(port))
        threads = [threading.Thread(target=gateway.send, args=("critical",)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: gateway.get("/-/ready").status == 200)
        until(lambda: scrape(gateway).get("log_lines_dropped_total") >= 5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        told = re.fullmatch(r"tocsin: (\d+) lines of the log .*\n", gateway.complaints())
        assert int(told[1]) >= 5
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_process_without_standard_files(make, redirection):
    """§1: started without standard input, output or error, it opens nothing in their place that it
    writes lines into, or reads."""
    gateway = make.gateway(start=False, wrapper=["sh", "-c", 'exec "$@" %s' % redirection, "sh"])
    path = os.path.join(gateway.directory, "s")
    gateway.conf["listen"] = [{"address": "unix:" + path}]
    gateway.spawn()
    until(lambda: os.path.exists(path), what="the socket")
    gateway.address = path
    assert gateway.alert("critical")["is_incident_created"]
    for fd, number in (("<&-", 0), (" >&-", 1), ("2>&-", 2)):
        if fd in " " + redirection:
            target = os.readlink("/proc/%d/fd/%d" % (gateway.process.pid, number))
            assert target == "/dev/null"
    gateway.stop()
    gateway.wrapper = []
    gateway.start()
    gateway.address = path
    assert gateway.get("/api/incidents").json()["count"] == 1  # nothing wrote into the store
