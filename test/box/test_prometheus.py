"""What comes with the gateway for Prometheus and Grafana, with a real Prometheus (CONTRACT §13)."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import pytest

from gateway import SLOW, until, webhook
from outgoing import life
from receiver import answer
from scrape import scrape

CONF = os.path.join(os.path.dirname(__file__), "..", "..", "conf")
RULES = os.path.abspath(os.path.join(CONF, "alerts.rules"))
VECTORS = os.path.join(os.path.dirname(__file__), "..", "vectors", "alerts.test.yml")
CONFIGURATION = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs:
  - job_name: tocsin
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], text=True, capture_output=True, timeout=60 * SLOW)


def read(name):
    with open(os.path.join(CONF, name), encoding="utf-8") as file:
        return file.read()


def panels():
    return json.loads(read("dashboard.json"))["panels"]


def expressions():
    """Every expression of the dashboard, as Grafana would ask it with everything selected."""
    found = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    values = {"$__rate_interval": "30s", "$instance": ".*", "$webhook": ".*"}
    for name, value in values.items():
        found = [expression.replace(name, value) for expression in found]
    return found


# On paper.

def test_prometheus_rules_are_valid():
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_rules_fire():
    """For a dead receiver, a full store, a full disk, a stalled loop; every rule once at least."""
    checked = promtool("test", "rules", VECTORS)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with open(VECTORS, encoding="utf-8") as file:
        expected = re.findall(r'alertname="(\w+)"', file.read())
    assert set(re.findall(r"alert: (\w+)", read("alerts.rules"))) == set(expected)


def test_prometheus_names_exist(make):
    """Rules and dashboard name metrics that there are."""
    found = scrape(make.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/")]))
    known = set(found.types) | {name + suffix for name, kind in found.types.items() if kind == "histogram"
                                for suffix in ("_bucket", "_sum", "_count")}
    for name in ("alerts.rules", "dashboard.json"):
        used = set(re.findall(r"\btocsin_\w+", read(name)))
        assert used and used <= known, used - known


def test_prometheus_dashboard():
    """A row for each promise; every panel asks something, has its own id, and lies in the grid."""
    rows = [panel["title"].split(":")[0] for panel in panels() if panel["type"] == "row"]
    assert rows == ["Intake", "Durability", "Delivery", "Receivers", "The loop"]
    assert len({panel["id"] for panel in panels()}) == len(panels())
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len(places) and max(x for x, _ in places) < 24
    assert all(panel["targets"] for panel in panels() if panel["type"] != "row")


# In earnest.

class Prometheus:
    def __init__(self, target):
        self.directory = tempfile.mkdtemp(prefix="tocsin-prometheus-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        file = os.path.join(self.directory, "prometheus.yml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(CONFIGURATION % (RULES, target[1]))
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=" + file, "--storage.tsdb.path=" + self.directory + "/data",
             "--web.listen-address=127.0.0.1:%d" % self.port], stdout=self.log, stderr=self.log)
        until(lambda: self.get("/-/ready"), 30, "Prometheus")

    def get(self, path):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.port, path), timeout=10) as reply:
                return reply.read()
        except (urllib.error.URLError, OSError):
            assert self.process.poll() is None, "Prometheus has ended"
            return None

    def query(self, expression):
        """What it evaluates to: a list of (labels, value)."""
        answered = self.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        assert answered, "not a query: " + expression
        return [(sample["metric"], float(sample["value"][1]))
                for sample in json.loads(answered)["data"]["result"]]

    def dispose(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        shutil.rmtree(self.directory)


@pytest.fixture(scope="module")
def watched(make_shared):
    """A Prometheus that watches a gateway to which everything happens a little."""
    well, refusing = make_shared.receiver(), make_shared.receiver(answer(404))
    gateway = make_shared.gateway(webhooks=[
        webhook("well", well.url()), webhook("down", "http://127.0.0.1:1/", retry=["100ms"] * 10),
        webhook("refusing", refusing.url(), retry=["100ms"] * 5), webhook("paused", well.url())])
    prometheus = make_shared.keep(Prometheus(gateway.address))
    until(lambda: prometheus.query("up == 1"), 10)
    assert gateway.request("POST", "/api/webhooks/paused/pause").status == 200
    for i in range(3):
        life(gateway, "e%d" % i)
    gateway.opened(entity_id="open")
    gateway.get("/nothing")
    gateway.wait_log("delivery.dead", 10)
    gateway.wait_log("breaker.opened")
    return prometheus, gateway


def test_prometheus_scrapes(watched):
    """It reads what we wrote, and finds nothing to say against it."""
    prometheus, gateway = watched
    target = json.loads(prometheus.get("/api/v1/targets"))["data"]["activeTargets"][0]
    assert (target["health"], target["lastError"]) == ("up", "")
    until(lambda: prometheus.query('tocsin_deliveries_total{webhook="refusing",event_type="resolved",result="dead"} == 3'), 10)
    assert prometheus.query("count({__name__=~\"tocsin_.*\"})")[0][1] >= len(scrape(gateway).series) - 50
    kinds = {entry["metric"]: entry["type"] for entry in
             json.loads(prometheus.get("/api/v1/targets/metadata"))["data"]}
    assert scrape(gateway).types.items() <= kinds.items()


def test_prometheus_answers_the_dashboard(watched):
    """Every expression of every panel finds something."""
    prometheus, _ = watched
    until(lambda: prometheus.query("count_over_time(up[30s]) >= 4"), 20)
    empty = [expression for expression in expressions() if not prometheus.query(expression)]
    assert not empty


def test_prometheus_alerts(watched):
    """The rules are taken as they are, and one fires for what happened."""
    prometheus, _ = watched
    groups = json.loads(prometheus.get("/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == read("alerts.rules").count("- alert:")
    until(lambda: prometheus.query(
        'ALERTS{alertname="TocsinDeadLetters",webhook="refusing",alertstate="firing"}'), 10)
    assert prometheus.query('ALERTS{alertname="TocsinReceiverDown",webhook="down",alertstate="pending"}')
    assert not prometheus.query('ALERTS{webhook="well"}')
    assert {rule["health"] for rule in rules} == {"ok"}
