"""No secret in any line, any answer or any complaint, after a run that uses all of them.
CONTRACT §10, §12."""
import base64
import json

from gateway import run, until, webhook
from receiver import answer

TOKEN = "token-secret-6661-of-an-operator"
SECRETS = {
    "token": TOKEN, "password": "password-secret-6662", "hmac": "hmac-secret-6663",
    "v1": "whsec_" + base64.b64encode(b"v1-secret-6664-of-24-bytes").decode(),
    "v1a": "whsk_" + base64.b64encode(b"v1a-secret-6665-of-32-bytes-here").decode(),
    "header": "header-secret-6666", "query": "query-secret-6667"}
AUTHORIZED = {"Authorization": "Token " + TOKEN}
ADDRESSES = ("/api/incidents", "/api/incidents/1", "/api/incidents/99", "/api/deliveries",
             "/api/deliveries?state=dead", "/-/ready?detail=1", "/-/healthy", "/nowhere",
             "/api/incidents/1/alerts", "/api/incidents/1/note")


def webhooks(well, ill):
    both = [{"type": "hmac", "key": SECRETS["hmac"]},
            {"type": "standard-webhooks", "keys": [SECRETS["v1"], SECRETS["v1a"]]}]
    basic = {"type": "basic", "username": "user", "password": SECRETS["password"]}
    return [webhook("both", well.url("/?key=" + SECRETS["query"]), auth=both,
                    headers={"X-Api-Key": SECRETS["header"]}),
            webhook("basic", well.url(), auth=basic),
            webhook("ill", ill.url("/?key=" + SECRETS["query"]), auth=both)]


def forms(secret):
    """The secret, and what is left of it in base64 and behind its prefix."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return [secret, encoded, secret.split("_")[-1]]


def test_secrets_of_a_run(make):
    """§12: log lines and standard error; §2, §9: every answer of the API."""
    well, ill = make.receiver(), make.receiver(answer(400))
    gateway = make.gateway(webhooks=webhooks(well, ill), retry=["1s"] * 3,
                           tokens=[{"name": "ops", "token": TOKEN}],
                           log={"level": "debug", "format": "json"})
    trace = gateway.send("critical", entity_id="e")
    until(lambda: len(gateway.logged("delivery.delivered")) == 2)
    gateway.wait_log("delivery.retry", labels__webhook="ill")
    answers = [gateway.get(path, AUTHORIZED) for path in ADDRESSES]
    rows = answers[3].json()["results"]
    assert len(rows) == 3
    answers += [gateway.get("/api/deliveries/" + row["id"], AUTHORIZED) for row in rows]
    answers += [gateway.request("POST", "/api/webhooks/%s/test" % name, b"", AUTHORIZED)
                for name in ("both", "basic", "ill")]
    answers.append(gateway.get("/api/alert/status/%s/?detail=1" % trace, AUTHORIZED))
    answers.append(gateway.get("/api/incidents", {"Authorization": "Token x" + TOKEN}))
    gateway.stop()
    text = b"\n".join(gateway.log.lines + [one.body for one in answers]).decode()
    text += gateway.complaints()
    for name, secret in SECRETS.items():
        for form in forms(secret):
            assert form not in text, name


def test_secrets_of_a_bad_configuration(make, tmp_path):
    """§10: the complaints of `check` name the key's path, never its value."""
    hooks = webhooks(make.receiver(), make.receiver())
    for hook in hooks:
        hook["nonsense"] = True
        hook["url"] = hook["url"].replace("http", "gopher")
    path = tmp_path / "tocsin.json"
    path.write_text(json.dumps({
        "tokens": [{"name": "ops", "token": TOKEN}, {"name": "other", "token": TOKEN}],
        "services": [{"name": "S", "webhooks": hooks}]}))
    done = run("check", "-c", str(path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) >= 7
    for name, secret in SECRETS.items():
        for form in forms(secret):
            assert form not in done.stderr + done.stdout, name
