"""The configuration file and the commands (CONTRACT §10, §11)."""

import json
import os
import re

import pytest

from gateway import configuration, run, webhook



@pytest.fixture
def write(tmp_path):
    """Writes a configuration (text, or keyword arguments of configuration()); its path."""
    def writer(text=None, **more):
        path = tmp_path / "tocsin.json"
        path.write_text(text or json.dumps(configuration(str(tmp_path / "data"), **more), indent=1),
                        encoding="utf-8")
        return str(path)
    return writer


def faults(path):
    """What check says of a bad file: (line, column, key path, text) each."""
    done = run("check", "-c", path)
    assert done.returncode == 1, done
    found = re.findall(r"^%s:(\d+):(\d+): ((?:\[\".*?\"\]|[^:\s])+): (.+)$" % re.escape(path),
                       done.stdout + done.stderr, re.M)
    assert found, done
    return [(int(line), int(column), key, text) for line, column, key, text in found]


def test_config_check_good(write):
    """§11: a good file: exit code 0, no fault."""
    path = write(webhooks=[webhook("ops", "http://127.0.0.1:1/")])
    done = run("check", "-c", path)
    assert done.returncode == 0, done
    assert path + ":" not in done.stdout + done.stderr


def test_config_check_touches_nothing(write, tmp_path):
    """§11: check opens no store."""
    run("check", "-c", write())
    assert not (tmp_path / "data").exists()


def test_config_comments(write, tmp_path):
    """§10: comments of both kinds, also where they look like text and text like them."""
    service = {"summary": "// no /* comment"}
    conf = json.dumps(configuration(str(tmp_path / "data"), service=service))
    text = "// first\n/* second\n * third */ " + conf.replace("{", "{ /* { \" */ ", 3) + "// end"
    assert run("check", "-c", write(text)).returncode == 0


def test_config_all_faults(write):
    """§10: all are reported, not just the first, each with its place and key."""
    text = write(nonsense=1, node=256, drain="soon", service={"nme": "x"}, account=5)
    found = {key: fault for *_, key, fault in faults(text)}
    for key in ("nonsense", "node", "drain", "account"):
        assert key in found, found
    assert any(key.endswith("nme") and key.startswith("services") for key in found), found


def test_config_place(write):
    """§10: line and column are those of the fault."""
    conf = configuration("data")
    conf["services"][0]["colour"] = "red"
    path = write(json.dumps(conf, indent=2))
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    line, column, key, _ = faults(path)[0]
    assert "colour" in lines[line - 1] and "colour" in key
    assert 1 <= column <= len(lines[line - 1])


BAD = {
    "unknown_key": ({"colour": "red"}, "colour"),
    "node_negative": ({"node": -1}, "node"),
    "node_text": ({"node": "1"}, "node"),
    "time_without_unit": ({"drain": "10"}, "drain"),
    "time_negative": ({"drain": "-1s"}, "drain"),
    "time_number": ({"drain": 10}, "drain"),
    "size": ({"limits": {"body": "lots"}}, "limits.body"),
    "size_overflow": ({"limits": {"store": "99999999999GiB"}}, "limits.store"),
    "values_none": ({"limits": {"values": 0}}, "limits.values"),
    "unknown_limit": ({"limits": {"speed": 1}}, "limits.speed"),
    "address": ({"listen": [{"address": "nowhere"}]}, "listen"),
    "port": ({"listen": [{"address": "127.0.0.1:65536"}]}, "listen"),
    "surface": ({"listen": [{"address": "127.0.0.1:0", "serve": ["gossip"]}]}, "listen"),
    "network": ({"allow_networks": ["127.0.0.0/33"]}, "allow_networks"),
    "network_word": ({"allow_networks": ["home"]}, "allow_networks"),
    "retry": ({"retry": ["5s", "x"]}, "retry"),
    "level": ({"log": {"level": "loud"}}, "log.level"),
    "services_object": ({"services": {}}, "services"),
    "api_without_tokens": ({"listen": [{"address": "0.0.0.0:0"}]}, "listen"),
}


@pytest.mark.parametrize("name", BAD)
def test_config_bad(write, name):
    """§10: each is a fault at its key."""
    top, key = BAD[name]
    assert any(found.startswith(key) for *_, found, _ in faults(write(**top)))


BAD_HOOKS = {
    "scheme": {"url": "ftp://127.0.0.1/"},
    "no_scheme": {"url": "127.0.0.1/"},
    "url_space": {"url": "http://127.0.0.1/a b"},
    "url_newline": {"url": "http://127.0.0.1/a\r\nX: y"},
    "url_port": {"url": "http://127.0.0.1:99999/"},
    "url_no_host": {"url": "http:///x"},
    "url_8_bit": {"url": "http://127.0.0.1/\u00e9"},
    "auth": {"auth": {"type": "magic"}},
    "hmac_without_key": {"auth": {"type": "hmac"}},
    "hmac_empty_key": {"auth": {"type": "hmac", "key": ""}},
    "basic_without_password": {"auth": {"type": "basic", "username": "u"}},
    "basic_colon": {"auth": {"type": "basic", "username": "u:v", "password": "p"}},
    "event": {"events": ["reopened"]},
    "deadline_long": {"deadline": "4s"},
    "deadline_short": {"deadline": "50ms"},
    "in_flight_zero": {"max_in_flight": 0},
    "header_name": {"headers": {"X Team": "ops"}},
    "header_name_colon": {"headers": {"X-Team:": "ops"}},
    "header_newline": {"headers": {"X-Team": "a\r\nX: b"}},
    "header_8_bit": {"headers": {"X-Team": "\u00e9"}},
    "header_host": {"headers": {"Host": "x"}},
    "header_length": {"headers": {"content-length": "5"}},
    "header_coding": {"headers": {"Transfer-Encoding": "chunked"}},
    "header_connection": {"headers": {"connection": "close"}},
    "header_type": {"headers": {"Content-Type": "text/plain"}},
    "header_agent": {"headers": {"User-Agent": "x"}},
    "header_id": {"headers": {"Webhook-Id": "x"}},
    "header_attempt": {"headers": {"X-Attempt": "x"}},
    "header_signature": {"headers": {"X-Signature": "x"}},
    "secret_variable": {"auth": {"type": "hmac", "key": {"env": "TOCSIN_TEST_UNSET"}}},
    "secret_file": {"auth": {"type": "hmac", "key": {"file": "/nonexistent/secret"}}},
    "secret_number": {"auth": {"type": "hmac", "key": 5}},
}


@pytest.mark.parametrize("name", BAD_HOOKS)
def test_config_bad_webhook(write, name):
    """§8, §10: what a webhook may not say."""
    hook = {**webhook("ops", "http://127.0.0.1:1/"), **BAD_HOOKS[name]}
    found = faults(write(webhooks=[hook]))
    assert any("webhooks" in key for *_, key, _ in found), found


def test_config_basic_with_authorization(write):
    """§8: a custom Authorization only where there is no basic authentication."""
    hook = webhook("ops", "http://127.0.0.1:1/", headers={"Authorization": "Bearer x"})
    assert run("check", "-c", write(webhooks=[hook])).returncode == 0
    hook["auth"] = {"type": "basic", "username": "u", "password": "p"}
    assert faults(write(webhooks=[hook]))


def test_config_repeated_names(write):
    """§10: webhook names are unique in the file, integrations in their service."""
    hook = webhook("ops", "http://127.0.0.1:1/")
    assert faults(write(webhooks=[hook, hook]))
    services = [{"name": name, "integrations": [], "webhooks": [hook]} for name in "AB"]
    assert faults(write(services=services))
    assert faults(write(services=[{"name": "A", "integrations": []}] * 2))


def test_config_repeated_ids(write):
    """§10: a service's unique_id, by which the API knows it, is its own, however it is written."""
    one, other = "cadfe35f-e3b1-4175-b118-a595bff9a214", "CADFE35FE3B14175B118A595BFF9A214"
    services = [{"name": "A", "unique_id": one, "team": one}, {"name": "B", "team": one}]
    assert run("check", "-c", write(services=services)).returncode == 0
    services[1]["unique_id"] = other
    assert [fault[2] for fault in faults(write(services=services))] == ["services[1].unique_id"]


@pytest.mark.parametrize("text", ["{", "[]", "5", '{"node": 1,}', '{"node": 1, "node": 2}', "\0",
                                  '{"account": "\ufffd', "/* never closed", '{"a": "\\ud800"'])
def test_config_not_json(write, text):
    """§10: a file that is no configuration at all: one line with its place."""
    path = write(text)
    done = run("check", "-c", path)
    assert done.returncode == 1
    assert re.search(r"^%s:\d+:\d+: " % re.escape(path), done.stdout + done.stderr, re.M), done


def test_config_missing_file(tmp_path):
    """§11: no such file: exit code 1, and its name is told."""
    path = str(tmp_path / "none.json")
    for command in ("check", "run"):
        done = run(command, "-c", path)
        assert done.returncode == 1
        assert path in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["check", "run", "try", "incidents"])
def test_config_no_file(tmp_path, command):
    """§11: what is no file is refused, and not waited for."""
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), str(tmp_path), "/dev/null"):
        done = run(command, "-c", path, *["-k", "key"] * (command == "try"))
        assert done.returncode == 1
        assert done.stderr == path + ": cannot be read: it is not a regular file\n"


def test_config_run_bad(write, tmp_path):
    """§11: run does not start with a bad file, and says all that check says."""
    done = run("run", "-c", write(node=256, drain="soon"))
    assert done.returncode == 1
    assert "node" in done.stdout + done.stderr and "drain" in done.stdout + done.stderr
    assert not (tmp_path / "data").exists()


def test_config_sample():
    """§10: the sample is a good configuration."""
    sample = os.path.join(os.path.dirname(__file__), "..", "..", "conf", "tocsin.json")
    done = run("check", "-c", sample)
    assert done.returncode == 0, done


def test_config_second_instance(make):
    """§1.7: two gateways on one data directory: the second says so and ends; the first goes on."""
    gateway = make.gateway()
    done = run("run", "-c", gateway.file)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).lower()
    assert "data" in said and re.search(r"in use|already|another|locked", said), done
    assert gateway.alert("critical")["status"] == "completed"


def test_config_data_mode(make):
    """§4 of the design: what is stored is for its owner's eyes."""
    gateway = make.gateway()
    for name in os.listdir(gateway.data):
        mode = os.stat(os.path.join(gateway.data, name)).st_mode
        assert mode & 0o077 == 0, name


def test_config_address_in_use(make, write):
    """§11: an address that is taken: exit code 1 and its name."""
    gateway = make.gateway()
    address = "127.0.0.1:%d" % gateway.address[1]
    done = run("run", "-c", write(listen=[{"address": address}]))
    assert done.returncode == 1
    assert address in done.stdout + done.stderr


def test_config_two_listeners(make):
    """§2: a listener serves the surfaces it names; the others are 404 there."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0", "serve": ["ingest"]}])
    assert gateway.post({"message": "m", "alert_type": "info"}).status == 200
    assert gateway.get("/api/incidents").status == 404
    assert gateway.get("/api/alert/status/x").status == 404
    assert gateway.request("POST", "/-/pause").status == 404
    assert gateway.get("/-/healthy").status == 200


KINDS = {
    "generic": r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
    "pagertree": r"int_[A-Za-z0-9_-]{7,14}",
    "hmac": r"\S{32,}",
    "standard-webhooks": r"whsec_[A-Za-z0-9+/]{32,}={0,2}",
    "token": r"\S{32,}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_config_key(kind):
    """§11: a new key of each kind, another one every time."""
    keys = [run("key", kind) for _ in range(3)]
    assert {done.returncode for done in keys} == {0}
    texts = [done.stdout for done in keys]
    assert len(set(texts)) == 3
    for text in texts:
        assert re.fullmatch(KINDS[kind] + r"\n", text), text


def test_config_version():
    """§11: version, on standard output."""
    done = run("version")
    assert done.returncode == 0
    assert re.fullmatch(r"(tocsin )?\d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("arguments", [
    ["explode"], ["--nonsense"], ["key"], ["key", "nonsense"], ["run", "--nonsense"],
    ["check", "-c"], ["receive", "-p", "x"], ["receive", "-p", "65536"], ["run", "extra"]])
def test_config_usage(arguments):
    """§11: exit code 2 for what was not understood, with a word on standard error."""
    done = run(*arguments)
    assert done.returncode == 2, done
    assert done.stderr and not done.stdout


def test_config_stop_is_graceful(make):
    """§12: SIGTERM: draining and stopped are logged, the exit code is 0."""
    gateway = make.gateway()
    gateway.stop()
    assert gateway.logged("server.draining") and gateway.logged("server.stopped")
    assert gateway.log.records[-1]["event.action"] == "server.stopped"
