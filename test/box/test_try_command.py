"""CONTRACT §11: `tocsin try` shows the same without a gateway."""
import json
import os

from gateway import BUILD, KEY, configuration, integration, run, webhook


def try_it(tmp_path, body, *options, **conf):
    path = tmp_path / "tocsin.json"
    path.write_text(json.dumps(configuration(str(tmp_path / "data"), **conf)))
    (tmp_path / "body").write_bytes(body)
    return run("try", "-c", str(path), "-k", KEY, *options, str(tmp_path / "body"), env={**os.environ, "TMPDIR": str(tmp_path)})


def test_try_command_for_people(tmp_path):
    done = try_it(tmp_path, b'{"message": "disk \\u001b[31m full", "alert_type": "error"}', integrations=[integration(rules=[
        {"description": "loud", "when": {"field": "message", "op": "contains", "value": "disk"},
         "then": [{"set_alert_type": "critical"}]}])], webhooks=[webhook("ops", "http://127.0.0.1:9/hook")])
    assert done.returncode == 0 and done.stderr == ""
    for words in ("alert 1: created", "rule 1 holds: loud", "set_alert_type = \"critical\"", "webhook ops", "X-Attempt: 1",
                  '{"payload": {"event_type": "triggered"'):
        assert words in done.stdout, words
    assert "\x1b" not in done.stdout
    assert sorted(os.listdir(tmp_path)) == ["body", "tocsin.json"], "something is left behind"


def test_try_command_json(tmp_path):
    done = try_it(tmp_path, b'{"message": "m", "alert_type": "info"}', "--json")
    assert json.loads(done.stdout)["alerts"][0]["outcome"] == "alone"
    done = try_it(tmp_path, b"{", "--json")
    assert json.loads(done.stdout)["status"] == 400 and done.returncode == 1


def test_try_command_refuses(tmp_path):
    done = try_it(tmp_path, b'{"alert_type": "info"}')
    assert done.returncode == 1 and "refused: message is missing" in done.stdout
    assert run("try", "-c", "conf/tocsin.json").returncode == 2
    done = run("try", "-c", os.path.join(os.path.dirname(BUILD.split("/build")[0] + "/build"), "conf", "tocsin.json"), "-k", "nobody")
    assert done.returncode == 1 and "no integration has that key" in done.stderr
