"""Files that are not taken over: told with the place, and nothing changes. CONTRACT §10."""
import copy
import json
import os
import random
import re
import signal
import socket
import stat

import pytest

from gateway import KEY, ingest, integration, until, webhook
from receiver import silence
from test_reload import FULL, ALERT, bearer, hooks, services

CORRUPTED = 200
PLACE = re.compile(r"(/.*/tocsin\.json):(\d+):(\d+): (.+)", re.S)


def refusal(gateway, answered):
    """The errors of an answer that must be 400, as (line, column, text)."""
    assert answered.status == 400, answered
    body = answered.json()
    assert str(len(body["errors"])) in body["detail"]
    found = [PLACE.fullmatch(error) for error in body["errors"]]
    assert found and all(found), body
    assert {match[1] for match in found} == {gateway.file}
    return [(int(match[2]), int(match[3]), match[4]) for match in found]


def place_of(gateway, text, behind=""):
    """Line and column of a text in the configuration's file, the first behind another one."""
    with open(gateway.file, encoding="utf-8") as file:
        whole = file.read()
    before = whole[:whole.index(text, whole.index(behind))]
    return before.count("\n") + 1, len(before.split("\n")[-1]) + 1


def test_refused_whole(make):
    """All errors at once, with their places, and not a part of the file counts."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())], tokens=[FULL])
    good = copy.deepcopy(gateway.conf)
    services(gateway)[0]["integrations"].append(integration("New", "new-key"))
    hooks(gateway)[0].update(url="http://127.0.0.1:1/", deadline="9s", nonsense=1)
    answered = gateway.reload(bearer(FULL), tokens=[], account="other", node=256)
    errors = refusal(gateway, answered)
    assert [(line, column) for line, column, _ in errors] == sorted([
        place_of(gateway, '"9s"'), place_of(gateway, '"nonsense"'), place_of(gateway, "256")])
    assert "between 100ms and 3s" in json.dumps(errors)
    line = gateway.wait_log("config.rejected")
    assert line["event.outcome"] == "failure" and "3 errors" in line["message"]
    assert "deadline" in line["error.message"]
    assert gateway.post(ALERT, key="new-key").status == 404
    assert gateway.post(ALERT).status == 200
    receiver.wait(1)
    assert gateway.get("/api/incidents", bearer(FULL)).status == 200
    gateway.conf = good
    assert gateway.reload(bearer(FULL)).json()["changes"] == []


def test_refused_by_signal(make):
    """SIGHUP: the log says what is wrong."""
    gateway = make.gateway()
    gateway.conf["drain"] = "soon"
    gateway.write()
    gateway.signal(signal.SIGHUP)
    line = gateway.wait_log("config.rejected")
    assert "1 error " in line["message"] and ":drain" not in line["message"]
    assert "%s:%d:%d: drain: " % (gateway.file, *place_of(gateway, '"soon"')) in line["error.message"]
    assert gateway.get("/-/ready").status == 200


@pytest.mark.parametrize("change, key", [
    ({"data": "/elsewhere"}, "data"), ({"node": 7}, "node"),
    ({"limits": {"store": "1GiB"}}, "limits.store")])
def test_refused_needs_a_restart(make, change, key):
    """What a process keeps for its life."""
    gateway = make.gateway()
    value = json.dumps(list(change.values())[0]).strip("{}").split(": ")[-1]
    error = refusal(gateway, gateway.reload(**change))
    behind = '"%s":' % key.split(".")[-1]
    assert error == [(*place_of(gateway, value, behind), error[0][2])]
    assert error[0][2].startswith(key + ": ") and "needs a restart" in error[0][2]


def test_refused_no_file(make):
    """No file, a directory, one that may not be read, one that would have to be waited for."""
    gateway = make.gateway()

    def refuse():
        answered = gateway.request("POST", "/-/reload")
        assert answered.status == 400
        return answered.json()["errors"][0]

    os.unlink(gateway.file)
    assert refuse() == gateway.file + ": cannot be read: No such file or directory"
    os.mkdir(gateway.file)
    assert "cannot be read" in refuse()
    os.rmdir(gateway.file)
    os.mkfifo(gateway.file)
    assert "not a regular file" in refuse()
    os.unlink(gateway.file)
    gateway.write()
    assert gateway.reloaded() == []


def test_refused_listener(make):
    """An address that is taken, as the last of several: the others are given back."""
    gateway = make.gateway()
    before = copy.deepcopy(gateway.conf)
    path = gateway.directory + "/s"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = [{"address": "127.0.0.1:0"}, {"address": "unix:" + path},
                  {"address": "127.0.0.1:%d" % taken.getsockname()[1]}]
        services(gateway)[0]["integrations"] = [integration(key="new-key")]
        answered = gateway.reload(listen=listen)
    assert answered.status == 400
    assert "in use" in answered.json()["errors"][0]
    assert not os.path.exists(path)
    assert gateway.post(ALERT).status == 200
    assert gateway.post(ALERT, key="new-key").status == 404
    gateway.conf = before
    assert gateway.reloaded() == []


def test_refused_secret_file(make):
    """A secret that is gone is an error, one that all may read a warning; nothing shows it."""
    gateway = make.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/", auth={
        "type": "hmac", "key": "k"})])
    path = os.path.join(gateway.directory, "hook.key")
    hooks(gateway)[0]["auth"]["key"] = {"file": "hook.key"}
    assert "hook.key" in refusal(gateway, gateway.reload())[0][2]
    with open(path, "w", encoding="ascii") as file:
        file.write("a-secret-in-a-file")
    os.chmod(path, 0o644)
    assert gateway.reloaded() == ["changed webhook Payments/ops"]
    gateway.wait_log("config.reloaded")
    assert [line for line in gateway.logged("server.warning") if "may be read by others" in line["message"]]
    os.chmod(path, stat.S_IRUSR)
    assert gateway.reloaded() == []
    assert b"a-secret-in-a-file" not in b"".join(gateway.log.lines)


def test_refused_store(make):
    """§1: a turn that cannot be stored: 503, and everything is as it was."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    hooks(gateway).append(webhook("new", receiver.url("/new")))
    services(gateway)[0]["integrations"][0]["key"] = "new-key"
    gateway.fail_commit(1)
    answered = gateway.reload(listen=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0"}])
    assert answered.status == 503 and answered.json()["errors"]
    assert gateway.post(ALERT, key="new-key").status == 404
    assert gateway.post(ALERT).status == 200
    receiver.wait(1)
    assert len(gateway.logged("server.started")) == 1
    assert sorted(gateway.reloaded()) == [
        "added listener 127.0.0.2:0", "added webhook Payments/new",
        "changed integration Payments/Generic"]
    gateway.send("critical", key="new-key", entity_id=2)
    receiver.wait(3)


def test_refused_while_draining(make):
    """§2: a gateway on its way down takes nothing over any more."""
    receiver = make.receiver(silence())
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())], drain="1s")
    gateway.signal(signal.SIGTERM)
    gateway.wait_log("server.draining")
    services(gateway)[0]["integrations"] = [integration(key="new-key")]
    answered = gateway.reload()
    assert answered.status == 503 and "stopping" in answered.json()["errors"][0]
    gateway.signal(signal.SIGHUP)
    gateway.wait_log("config.rejected", 2)
    assert gateway.post(ALERT).status == 200
    assert gateway.wait() == 0


def test_refused_many_errors(make):
    """A thousand errors: counted, as many shown as there is room for, one line in the log."""
    gateway = make.gateway()
    services(gateway)[0]["integrations"] += [
        integration("I%d" % i, "key-%d" % i, nonsense=1) for i in range(1500)]
    answered = gateway.reload()
    assert answered.status == 400
    assert len(answered.json()["errors"]) == 1001 and "more are not shown" in answered.json()["errors"][-1]
    line = gateway.wait_log("config.rejected")
    assert line["error.message"].endswith(", ...") and len(json.dumps(line)) < 1000


# Two hundred ways to break a file.


def leaves(node, path=()):
    """Paths of all values in a tree, and the values."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in children:
        yield (*path, key), value
        if isinstance(value, (dict, list)):
            yield from leaves(value, (*path, key))


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


def wrong_type(chance, tree):
    path, value = chance.choice([leaf for leaf in leaves(tree) if leaf[0][0] != "mapping"])
    at(tree, path[:-1])[path[-1]] = (
        [[[7]]] if isinstance(value, dict) else {"x": "y"} if isinstance(value, list) else [[]])
    return json.dumps(tree, indent=1)


def unknown_key(chance, tree):
    objects = [value for _, value in leaves(tree) if isinstance(value, dict)]
    chosen = chance.choice([o for o in objects if "X-Team" not in o] + [tree])
    chosen["k%d" % chance.randrange(1000)] = chance.choice([None, 1, "x", []])
    return json.dumps(tree, indent=2)


def repeated_key(chance, tree):
    text = json.dumps(tree, indent=1)
    name = chance.choice(re.findall(r'\n *("[a-z_]+": )(?:"[^"]*"|[0-9a-z]+),', text))
    return text.replace(name, name + "0, " + name, 1)


def cut_short(chance, tree):
    text = json.dumps(tree)
    return text[:chance.randrange(len(text) - 1)]


def flipped_byte(chance, tree):
    """A bracket, colon or comma that has become another one."""
    text = json.dumps(tree)
    place = chance.choice([i for i, c in enumerate(text) if c in "{}[]:,"])
    return text[:place] + chance.choice("<;=") + text[place + 1:]


def bad_bytes(chance, tree):
    text = json.dumps(tree).encode()
    place = text.index(b'"name": "') + 9 + chance.randrange(3)
    return text[:place] + chance.choice([b"\xff", b"\xc3(", b"\x01", b"\xed\xa0\x80"]) + text[place:]


def missing(chance, tree):
    path = chance.choice([path for path, _ in leaves(tree) if path[-1] in ("name", "url", "key")])
    del at(tree, path[:-1])[path[-1]]
    return json.dumps(tree, indent=3)


def used_twice(chance, tree):
    chosen = chance.choice(["integrations", "webhooks"])
    entries = tree["services"][0][chosen]
    entries.append(copy.deepcopy(chance.choice(entries)))
    return json.dumps(tree, indent=4)


WAYS = [wrong_type, unknown_key, repeated_key, cut_short, flipped_byte, bad_bytes, missing,
        used_twice]


def test_refused_corrupted(make):
    """§10: two hundred files with a fault each: every one refused with place and reason, and the
    gateway goes on as it was."""
    receiver = make.receiver()
    gateway = make.gateway(
        service={"maintenance": [{"start": "2026-01-01T00:00:00Z",
                                  "end": "2026-01-02T00:00:00Z"}]},
        webhooks=[webhook("ops", receiver.url(), auth={"type": "hmac", "key": "shared"},
                          headers={"X-Team": "ops"}, retry=["1s", "2s"])],
        users=[{"username": "ada"}], limits={"depth": 20}, retention={"trace": "2h"})
    good, chance = copy.deepcopy(gateway.conf), random.Random(2026)
    reasons = set()
    for i in range(CORRUPTED):
        text = WAYS[i % len(WAYS)](chance, copy.deepcopy(good))
        with open(gateway.file, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        errors = refusal(gateway, gateway.request("POST", "/-/reload"))
        lines = open(gateway.file, "rb").read().split(b"\n")
        for line, column, reason in errors:
            assert line <= len(lines) and column <= len(lines[line - 1]) + 1, text
            reasons.add(re.sub(r"^[^ ]*: |\d+", "", reason))
        assert gateway.post(ALERT, path=ingest(KEY)).status == 200
    assert len(reasons) > 10, reasons
    until(lambda: len(gateway.logged("config.rejected")) == CORRUPTED)
    gateway.write()
    assert gateway.reloaded() == []
    receiver.wait(CORRUPTED)
