"""The recipes of conf/recipes: each takes what its source sends (CONTRACT §7)."""

import json
import os
import re

import pytest

from gateway import KEY, run
from shaping import alerts

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RECIPES = os.path.join(ROOT, "conf", "recipes")
VECTORS = os.path.join(ROOT, "test", "vectors", "recipes")
NAMES = sorted(name[:-5] for name in os.listdir(RECIPES) if name.endswith(".json"))


def load(name):
    """A recipe without its comments."""
    with open(os.path.join(RECIPES, name + ".json"), encoding="utf-8") as file:
        return json.loads(re.sub(r"^\s*//.*$", "", file.read(), flags=re.MULTILINE))


def vector(name):
    with open(os.path.join(VECTORS, name + ".json"), "rb") as file:
        return file.read()


@pytest.fixture
def cook(make):
    """cook(name): a gateway with the recipe's services."""
    return lambda name: make.gateway(services=load(name)["services"])


def send(gateway, body):
    """What became of each alert of a body."""
    answer = gateway.post(vector(body) if isinstance(body, str) else body)
    assert answer.status == 200, answer
    answer = answer.json()
    return [gateway.settled(trace) for trace in answer.get("trace_ids", [answer["trace_id"]])]


def opened(gateway, status):
    """The incident that an alert created, and that alert."""
    assert status.get("is_incident_created"), status
    number = status["incident"]["incident_number"]
    return gateway.incident(number), alerts(gateway, number)[-1]


def links(alert):
    return {link["link_text"]: link["link_url"] for link in alert["urls"]}


@pytest.mark.parametrize("name", NAMES)
def test_recipe_is_good(name):
    """`tocsin check` accepts it as it is, and README says what it is for."""
    check = run("check", "-c", os.path.join(RECIPES, name + ".json"))
    assert check.returncode == 0, check.stdout + check.stderr
    with open(os.path.join(RECIPES, "README"), encoding="utf-8") as file:
        assert re.search(r"^  %s\.json +\S" % name, file.read(), re.MULTILINE)
    assert load(name)["services"][0]["integrations"][0]["key"] == KEY


def test_recipe_alertmanager(cook):
    gateway = cook("alertmanager")
    disk, load_, watchdog, queue = send(gateway, "alertmanager-firing")
    incident, alert = opened(gateway, disk)
    assert incident["title"] == "Disk of db1 is almost full" and incident["incident_key"] == "6f1d2c3b4a596877"
    assert incident["summary"] == "/dev/vda1 has 812 MB left." and incident["urgency"] == 1
    assert links(alert)["Runbook"] == "https://runbooks.example.org/disk"
    assert links(alert)["Alertmanager"] == "http://alertmanager.example.org:9093" and "Expression" in links(alert)
    assert alert["payload"]["labels"]["device"] == "/dev/vda1"
    incident, _ = opened(gateway, load_)
    assert incident["title"] == "HostHighLoad on web3:9100" and incident["urgency"] == 0
    assert watchdog["status"] == "completed" and watchdog["incident"] is None
    incident, _ = opened(gateway, queue) # no severity: critical
    assert incident["title"] == "QueueStuck" and incident["urgency"] == 1
    assert incident["summary"] == '{"alertname":"QueueStuck"}'
    again = send(gateway, "alertmanager-firing") # the group is sent again as long as it fires
    assert again[0]["incident"] == disk["incident"] and not again[0]["is_incident_created"]
    [resolved] = send(gateway, "alertmanager-resolved")
    assert resolved["incident"] == disk["incident"]
    assert gateway.incident(disk["incident"]["incident_number"])["status"] == 3


def test_recipe_grafana(cook):
    gateway = cook("grafana")
    slow, errors = send(gateway, "grafana-firing")
    incident, alert = opened(gateway, slow)
    assert incident["title"] == "The checkout takes too long"
    assert incident["summary"] == "p99 is above 2 s for 5 minutes"
    assert set(links(alert)) == {"Dashboard", "Panel", "Rule", "Silence", "Runbook"}
    incident, alert = opened(gateway, errors)
    assert incident["title"] == "Cart errors" and incident["summary"].startswith("[ var='B'")
    assert alert["alert_type"] == "2"
    incident, alert = opened(gateway, send(gateway, "grafana-nodata")[0])
    assert incident["title"] == "DatasourceNoData: Slow checkout" and set(links(alert)) == {"Rule", "Silence"}
    [resolved] = send(gateway, "grafana-resolved")
    assert resolved["incident"] == slow["incident"]
    assert gateway.incident(slow["incident"]["incident_number"])["status"] == 3


def test_recipe_sns(cook):
    """An alarm opens and closes an incident; a text is critical; a subscription that waits to be
    confirmed is an incident with the link that does it."""
    gateway = cook("sns")
    [alarm] = send(gateway, "sns-alarm")
    incident, alert = opened(gateway, alarm)
    assert incident["title"].startswith("api-5xx: Threshold Crossed: 3 datapoints")
    assert incident["summary"] == "More than 1 % of requests fail"
    assert incident["incident_key"] == "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:api-5xx"
    assert alert["payload"]["Type"] == "Notification"
    [ok] = send(gateway, "sns-ok")
    assert ok["incident"] == alarm["incident"]
    assert gateway.incident(ok["incident"]["incident_number"])["status"] == 3
    incident, _ = opened(gateway, send(gateway, "sns-text")[0])
    assert incident["title"] == "The nightly export did not finish"
    [subscription] = send(gateway, "sns-subscription")
    incident, alert = opened(gateway, subscription)
    assert incident["title"].startswith("To be confirmed: the SNS subscription to arn:aws:sns:eu-central-1:")
    assert "Action=ConfirmSubscription" in links(alert)["Confirm the subscription"]
    assert send(gateway, "sns-subscription")[0]["incident"] == subscription["incident"]
    assert send(gateway, "sns-unsubscription")[0]["incident"] == subscription["incident"]
    incident, _ = opened(gateway, send(gateway, {"raw": "delivery"})[0])
    assert incident["title"] == "SNS sent what is no message of it"


def test_recipe_uptime_kuma(cook):
    gateway = cook("uptime-kuma")
    [down] = send(gateway, "uptime-kuma-down")
    incident, alert = opened(gateway, down)
    assert incident["title"] == "Shop: connect ECONNREFUSED 192.0.2.7:443" and incident["incident_key"] == "monitor 29"
    assert incident["summary"] == "[Shop] [\U0001f534 Down] connect ECONNREFUSED 192.0.2.7:443"
    assert [link["link_url"] for link in alert["urls"]] == ["https://shop.example.org"]
    [up] = send(gateway, "uptime-kuma-up")
    assert up["incident"] == down["incident"]
    assert gateway.incident(up["incident"]["incident_number"])["status"] == 3
    incident, _ = opened(gateway, send(gateway, "uptime-kuma-certificate")[0])
    assert incident["title"].endswith("will be expired in 7 days")
    incident, _ = opened(gateway, send(gateway, "uptime-kuma-test")[0])
    assert incident["title"] == "Tocsin Testing"


def test_recipe_github(cook):
    gateway = cook("github")
    for quiet in ("github-ping", "github-requested", "github-branch"):
        [status] = send(gateway, quiet)
        assert status["status"] == "completed" and status["incident"] is None
    [failure] = send(gateway, "github-failure")
    incident, alert = opened(gateway, failure)
    assert incident["title"] == "example/shop: Release on main: failure"
    assert incident["summary"] == "Count the pennies (acb5820ced9479c074f688cc328bf03f341a511d, run 412)"
    assert links(alert) == {"Run": "https://github.com/example/shop/actions/runs/9900112233"}
    [success] = send(gateway, "github-success")
    assert success["incident"] == failure["incident"]
    assert gateway.incident(success["incident"]["incident_number"])["status"] == 3


@pytest.mark.parametrize("body, title, key", [
    ({"text": "Disk full on db1"}, "Disk full on db1", None),
    ({"subject": "Backup failed", "body": "exit 3", "id": 17}, "Backup failed", "17"),
    ({"message": "m", "title": "t", "alert_type": "Critical", "entity_id": "e"}, "m", "e"),
    ({"name": "n", "severity": "HIGH"}, "n", None),
    ({"x": 1}, "Something without words", None)])
def test_recipe_anything(cook, body, title, key):
    gateway = cook("anything")
    incident, alert = opened(gateway, send(gateway, body)[0])
    assert incident["title"] == title and alert["payload"] == body
    assert key is None or incident["incident_key"] == key


def test_recipe_anything_levels(cook):
    gateway = cook("anything")
    [down] = send(gateway, {"text": "down", "id": "db", "state": "down"})
    assert down["is_incident_created"]
    [up] = send(gateway, {"text": "up again", "id": "db", "state": "OK"})
    assert up["incident"] == down["incident"]
    assert gateway.incident(up["incident"]["incident_number"])["status"] == 3
    for quiet in ({"text": "t", "level": "Info"}, {"text": "t", "severity": "warning"}):
        assert send(gateway, quiet)[0]["incident"] is None
