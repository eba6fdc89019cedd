"""The real Prometheus Alertmanager with the recipe for it (CONTRACT §7): what fires opens incidents, what
is over resolves them."""

import datetime
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.request

import pytest

import wire
from gateway import KEY, until
from test_recipes import load

CONFIGURATION = """
global: {resolve_timeout: 2s}
route: {receiver: tocsin, group_by: [group], group_wait: 500ms, group_interval: 500ms, repeat_interval: 1h}
receivers:
  - name: tocsin
    webhook_configs: [{url: "%s", send_resolved: true, max_alerts: 1000}]
"""


class Alertmanager:
    """Debian's binary on a loopback port of its own, alone, its data in a directory that goes with it."""

    def __init__(self, hook):
        self.directory = tempfile.mkdtemp(prefix="tocsin-")
        file = os.path.join(self.directory, "alertmanager.yml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(CONFIGURATION % hook)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", "--config.file=" + file, "--storage.path=" + self.directory,
             "--web.listen-address=127.0.0.1:%d" % self.port, "--cluster.listen-address="],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def is_ready(self):
        assert self.process.poll() is None, self.said()
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/-/ready" % self.port, timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def post(self, alerts):
        with wire.Connection(("127.0.0.1", self.port)) as connection:
            answer = connection.request("POST", "/api/v2/alerts", json.dumps(alerts).encode(),
                                        [("Content-Type", "application/json")])
            assert answer.status == 200, answer

    def said(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def dispose(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)


@pytest.fixture
def pair(make):
    """An Alertmanager and a gateway with the recipe."""
    gateway = make.gateway(services=load("alertmanager")["services"])
    manager = make.keep(Alertmanager(gateway.url("/integration/demo1/alertmanager/%s/" % KEY)))
    until(manager.is_ready, 10, "Alertmanager")
    return manager, gateway


def incidents(gateway, status):
    """Those of that status; -1: open ones."""
    answer = gateway.request("POST", "/api/incidents/filter/", {"status": status, "limit": 100})
    assert answer.status == 200, answer
    return answer.json()["results"]


def test_alertmanager_fires_and_resolves(pair):
    """An alert is one incident from when it fires to when it is no longer heard of."""
    manager, gateway = pair
    labels = {"alertname": "HostDown", "instance": "db1:9100", "group": "one", "severity": "critical"}
    manager.post([{"labels": labels, "annotations": {"summary": "db1 is down"},
                   "generatorURL": "http://prometheus.example.org/graph"}])
    [incident] = until(lambda: incidents(gateway, -1), 10, "the incident")
    assert incident["title"] == "db1 is down" and incident["urgency"] == 1
    until(lambda: incidents(gateway, 3), 10, "its resolution")
    assert incidents(gateway, 3)[0]["unique_id"] == incident["unique_id"] and not incidents(gateway, -1)
    assert re.fullmatch("[0-9a-f]{16}", incident["incident_key"])


def test_alertmanager_group_of_many(pair):
    """One notification of 50 alerts is 50 incidents; the next one resolves them."""
    manager, gateway = pair
    alerts = [{"labels": {"alertname": "HostDown", "instance": "web%d:9100" % n, "group": "many"}}
              for n in range(50)]
    manager.post(alerts)
    until(lambda: len(incidents(gateway, -1)) == 50, 10, "50 incidents")
    assert {incident["title"] for incident in incidents(gateway, -1)} == {
        "HostDown on web%d:9100" % n for n in range(50)}
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    manager.post([{**alert, "endsAt": now} for alert in alerts])
    until(lambda: len(incidents(gateway, 3)) == 50, 10, "50 resolutions")
    assert not incidents(gateway, -1)
    assert {line["trace.id"] for line in gateway.logged("alert.accepted")} == {
        line["trace.id"] for line in gateway.logged("alert.applied")}
    assert not gateway.logged("alert.rejected")
