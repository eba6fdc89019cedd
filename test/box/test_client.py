"""The commands that ask a running gateway: incidents, incident, deliveries, replay, status.
CONTRACT §11."""
import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import termios

import pytest

from certificates import Authority, Front
from gateway import PROGRAM, SLOW, ingest, run, until, webhook
from receiver import answer, raw
from wire import flood, request

READER, WRITER = "reader-token-8881", "writer-token-8882"
TOKENS = [{"name": "look", "token": READER, "read_only": True}, {"name": "ops", "token": WRITER}]
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202etxt.exe \u009b31m \r\n\t\u200b\x7f end"
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}


def started(make, **conf):
    """A gateway whose API is at a unix socket too, which its configuration names."""
    gateway = make.gateway(start=False, **conf)
    gateway.conf["listen"].append({"address": "unix:%s/api" % gateway.directory})
    gateway.start()
    return gateway


def ask(gateway, *arguments, environment=(), code=0):
    """Runs a client by the gateway's configuration; what it printed."""
    done = run(*arguments, "-c", gateway.file, env={**ENVIRONMENT, **dict(environment)}, timeout=20)
    assert done.returncode == code, done
    assert bool(done.stderr) == bool(code), done.stderr
    assert done.stderr.count("\n") <= 1
    return done.stderr if code else done.stdout


def table(text):
    """A table as a list of dicts, by the places of its headings."""
    lines = text.splitlines()
    heads = [(match.start(), match.end(), match[0]) for match in re.finditer(r"\S+(?: \S+)*", lines[0])]
    rows = []
    for line in lines[1:]:
        words = [(match.start(), match.end(), match[0]) for match in re.finditer(r"\S+(?: \S+)*", line)]
        row = {}
        for start, end, word in words:
            name = next(name for first, last, name in reversed(heads)
                        if start == first or end == last)
            row[name] = word
        rows.append(row)
    return rows


def lines(text):
    """What stands above a table, as a dict."""
    return dict(re.split("  +", line, maxsplit=1) for line in text.split("\n\n")[0].splitlines())


def test_client_incidents(make):
    """Newest first, those that are open unless asked otherwise, as many as asked for."""
    gateway = started(make)
    for number in range(1, 5):
        gateway.opened(entity_id=number, message="disk %d is full" % number)
    gateway.alert("acknowledged", entity_id=2)
    gateway.alert("resolved", entity_id=3)
    rows = table(ask(gateway, "incidents"))
    assert [(row["INCIDENT"], row["STATUS"], row["TITLE"]) for row in rows] == [
        ("4", "triggered", "disk 4 is full"), ("2", "acknowledged", "disk 2 is full"),
        ("1", "triggered", "disk 1 is full")]
    assert all(row["SERVICE"] == "Payments" and row["URGENCY"] == "high" for row in rows)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", rows[0]["CREATED (UTC)"])
    for status, numbers in (("all", "4321"), ("resolved", "3"), ("acknowledged", "2"),
                            ("triggered", "41"), ("open", "421")):
        rows = table(ask(gateway, "incidents", "--status", status))
        assert "".join(row["INCIDENT"] for row in rows) == numbers
    assert [row["INCIDENT"] for row in table(ask(gateway, "incidents", "-n", "1"))] == ["4"]
    shown = json.loads(ask(gateway, "incidents", "--json", "--status", "all"))
    assert shown == gateway.get("/api/incidents").json() | {"next": None, "previous": None}


def test_client_incidents_pages(make):
    """More than a page of them."""
    gateway = started(make)
    flood(gateway.address, [request("POST", ingest(), {"message": "m", "alert_type": "critical"})] * 1010)
    rows = table(ask(gateway, "incidents", "-n", "1005"))
    assert [int(row["INCIDENT"]) for row in rows] == list(range(1010, 5, -1))
    pages = ask(gateway, "incidents", "-n", "1005", "--json").splitlines()
    assert sum(len(json.loads(page)["results"]) for page in pages) >= 1005 and len(pages) == 3


def test_client_incident(make):
    """One with its alerts and notes; acknowledged and resolved from here."""
    gateway = started(make, tokens=TOKENS)
    writing = {"Authorization": "Token " + WRITER}
    gateway.send("critical", "disk full", entity_id="db-1", summary="of db-1")
    gateway.send("info", "still full", entity_id="db-1")
    gateway.request("POST", "/api/incidents/1/note/", {"note": "looking"}, writing)
    text = ask(gateway, "incident", "1")
    facts = lines(text)
    assert facts["incident"] == "1" and facts["status"] == "triggered" and facts["key"] == "db-1"
    assert facts["title"] == "disk full" and facts["summary"] == "of db-1"
    assert "acknowledged" not in facts
    alerts, notes = (table(part) for part in text.split("\n\n")[1:])
    assert [(row["TYPE"], row["MESSAGE"]) for row in alerts] == [("info", "still full"),
                                                                 ("critical", "disk full")]
    assert [(row["BY"], row["NOTE"]) for row in notes] == [("ops", "looking")]
    assert lines(ask(gateway, "incident", "1", "ack"))["status"] == "acknowledged"
    assert lines(ask(gateway, "incident", facts["unique id"], "resolve"))["status"] == "resolved"
    assert json.loads(ask(gateway, "incident", "1", "--json"))["resolved_date"]
    assert "cannot be reopened" in ask(gateway, "incident", "1", "ack", code=1)
    assert "404: there is no incident of that number or unique id" in ask(gateway, "incident", "2", code=1)
    ask(gateway, "incident", "1", "explode", code=2)
    ask(gateway, "incident", code=2)


def test_client_deliveries(make):
    """The log, filtered; one with its attempts; replayed, alone and by webhook."""
    well, gone = make.receiver(), make.receiver(script=[answer(410)])
    gateway = started(make, webhooks=[webhook("well", well.url()), webhook("töt & weg", gone.url())])
    gateway.opened(entity_id="a")
    gateway.wait_log("delivery.dead")
    gateway.wait_log("delivery.delivered")
    gateway.opened(entity_id="b")
    gateway.wait_log("delivery.delivered", 2)
    rows = table(ask(gateway, "deliveries"))
    assert sorted((row["INCIDENT"], row["WEBHOOK"], row["STATE"]) for row in rows) == [
        ("1", "töt & weg", "dead"), ("1", "well", "delivered"),
        ("2", "töt & weg", "held"), ("2", "well", "delivered")]
    dead, = table(ask(gateway, "deliveries", "--dead"))
    assert dead["REASON"] == "http_410" and dead["ATTEMPTS"] == "1"
    assert len(table(ask(gateway, "deliveries", "--webhook", "töt & weg"))) == 2
    assert len(table(ask(gateway, "deliveries", "-i", "2"))) == 2
    assert len(table(ask(gateway, "deliveries", "-n", "3"))) == 3
    assert len(table(ask(gateway, "deliveries", "--since", "1h"))) == 4
    assert len(table(ask(gateway, "deliveries", "--since", "2030-01-01T00:00:00Z"))) == 0
    assert "400: state: " in ask(gateway, "deliveries", "--state", "odd", code=1)
    text = ask(gateway, "deliveries", dead["ID"])
    assert lines(text)["webhook"] == "töt & weg" and lines(text)["state"] == "dead"
    attempt, = table(text.split("\n\n")[1])
    assert attempt["ATTEMPT"] == "1" and attempt["STATUS"] == "410"
    assert float(attempt["TOTAL"]) >= float(attempt["FIRST BYTE"]) > 0

    assert lines(ask(gateway, "replay", dead["ID"]))["state"] == "held"
    gateway.request("POST", "/api/webhooks/t%C3%B6t%20%26%20weg/resume")
    gone.wait(3)
    until(lambda: not table(ask(gateway, "deliveries", "--state", "held")))
    assert ask(gateway, "replay", "-w", "töt & weg") == "0 deliveries are put back\n"
    assert ask(gateway, "replay", "-w", "töt & weg", "--state", "delivered", "--since", "1h",
               "--until", "2030-01-01T00:00:00Z") == "2 deliveries are put back\n"
    gone.wait(5)
    assert json.loads(ask(gateway, "replay", "-w", "well", "--json")) == {"replayed": 0}
    assert ask(gateway, "replay", "-w", "töt & weg", "--state", "delivered",
               "--until", gateway.get("/api/deliveries?incident=2").json()["results"][0]["created"]
               ) == "1 delivery is put back\n"
    for command in ("replay", "deliveries"):
        assert "404: there is no webhook of that name\n" in ask(gateway, command, "-w", "nobody", code=1)
        assert "404: there is no delivery with that id\n" in ask(gateway, command, "nonsense", code=1)
    assert "must be a number from 1 to 100000;" in ask(gateway, "deliveries", "-n", "100001", code=2)
    assert "must be a number from 1 to 100000;" in ask(gateway, "incidents", "--limit", "0", code=2)
    ask(gateway, "replay", code=2)
    ask(gateway, "replay", dead["ID"], "-w", "well", code=2)
    ask(gateway, "deliveries", "--since", "soon", code=2)


def test_client_status(make):
    """What became of an alert, and with a token what the webhooks were told."""
    receiver = make.receiver(answer(500))
    gateway = started(make, webhooks=[webhook("ops", receiver.url())], tokens=TOKENS)
    trace = gateway.send("critical", entity_id="db-1")
    gateway.wait_log("delivery.retry")
    text = ask(gateway, "status", trace)
    facts = lines(text)
    assert facts["status"] == "completed" and facts["incident"] == "1"
    assert facts["created it"] == "true" and facts["entity id"] == "db-1"
    told, = table(text.split("\n\n")[1])
    assert told["WEBHOOK"] == "ops" and told["REASON"] == "http_5xx" and told["STATUS"] == "500"
    assert told["NEXT ATTEMPT"] > told["LAST ATTEMPT (UTC)"]
    assert json.loads(ask(gateway, "status", "--json", trace))["detail"]["entity_id"] == "db-1"
    done = run("status", trace, "--url", gateway.url(), env=ENVIRONMENT)
    assert done.returncode == 0 and lines(done.stdout)["status"] == "completed"
    assert "entity id" not in done.stdout
    assert "404: there is no such trace, or it is older than 60 minutes\n" in ask(gateway, "status", "nonsense", code=1)
    ask(gateway, "status", code=2)


# Strangers' text.

def printable(text):
    return all(c == "\n" or (c.isprintable() and c not in "\u202e\u200b") for c in text)


def test_client_hostile_text(make):
    """Nothing that a sender wrote reaches the terminal as it came, in tables, JSON or complaints."""
    gateway = started(make)
    gateway.opened(entity_id=HOSTILE, message=HOSTILE, summary=HOSTILE)
    trace = gateway.send("info", HOSTILE, entity_id=HOSTILE)
    for arguments in (["incidents"], ["incident", "1"], ["incidents", "--json"],
                      ["status", trace], ["incident", "1", "--json"]):
        text = ask(gateway, *arguments)
        assert printable(text), repr(text)
    assert "\\x1b[2J\\x1b]0;owned\\x07 \\u{202e}txt.exe \\u{9b}31m \\r\\n\\t\\u{200b}\\x7f end" in ask(
        gateway, "incidents")
    body = b'{"detail": "\\u001b[2Jgone"}'
    receiver = make.receiver(raw(b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
    done = run("incidents", "--url", receiver.url("").rstrip("/"), env=ENVIRONMENT)
    assert done.returncode == 1 and "400: \\x1b[2Jgone" in done.stderr and printable(done.stderr)


def test_client_other_locale(make):
    """Where the terminal knows no UTF-8 it gets none."""
    gateway = started(make)
    gateway.opened(message="größer")
    assert "größer" in ask(gateway, "incidents")
    assert "gr\\u{f6}\\u{df}er" in ask(gateway, "incidents", environment={"LC_ALL": "C"})


def at_terminal(gateway, *arguments, columns=80, **environment):
    """What the command shows at a terminal that is so wide."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([PROGRAM, *arguments, "-c", gateway.file], stdout=follower,
                          env={**ENVIRONMENT, "TERM": "xterm", **environment}) as process:
        os.close(follower)
        text = b""
        try:
            while True:
                text += os.read(leader, 65536)
        except OSError:  # its end is gone
            pass
        assert process.wait(10 * SLOW) == 0
    os.close(leader)
    return text.decode().replace("\r\n", "\n")


def test_client_at_a_terminal(make):
    """Lines fit, titles give way; colours, unless NO_COLOR or a dumb terminal says otherwise."""
    gateway = started(make)
    gateway.opened(message="漢字 " * 60)
    text = at_terminal(gateway, "incidents")
    assert "\x1b[31mtriggered\x1b[0m" in text and "漢字 漢字" in text and "..." in text
    plain = at_terminal(gateway, "incidents", NO_COLOR="1")
    assert "\x1b" not in plain and re.sub("\x1b\\[[0-9]*m", "", text) == plain
    assert all(len(line) + len(re.findall("[漢字]", line)) <= 80 for line in plain.splitlines())
    assert "\x1b" not in at_terminal(gateway, "incidents", TERM="dumb")
    wide = at_terminal(gateway, "incidents", columns=1000, NO_COLOR="1")
    assert ("漢字 " * 60).strip() in wide
    assert wide == ask(gateway, "incidents")


# Tokens.

def refused(gateway, *arguments, **environment):
    return ask(gateway, *arguments, environment=environment, code=1)


def test_client_tokens(make, tmp_path):
    """The configuration's first one that is enough; a file's or the environment's before that."""
    gateway = started(make, tokens=TOKENS)
    gateway.send("critical")
    assert table(ask(gateway, "incidents")) and ask(gateway, "incident", "1", "ack")
    assert "401: Invalid token. (TOCSIN_TOKEN or" in refused(gateway, "incidents",
                                                              TOCSIN_TOKEN="wrong-token-12345")
    assert "403" in refused(gateway, "incident", "1", "resolve", TOCSIN_TOKEN=READER)
    file = tmp_path / "token"
    file.write_text(WRITER + "\n")
    assert ask(gateway, "incident", "1", "resolve", "--token-file", str(file),
               environment={"TOCSIN_TOKEN": READER})
    url = gateway.url()
    for arguments, code in ((["--token-file", str(file)], 0), ([], 1)):
        done = run("incidents", "--status", "all", "--url", url, *arguments, env=ENVIRONMENT)
        assert done.returncode == code, done
    done = run("incidents", "--url", url, env={**ENVIRONMENT, "TOCSIN_TOKEN": READER})
    assert done.returncode == 0
    file.write_text("two words\n")
    assert "holds no token" in refused(gateway, "incidents", "--token-file", str(file))
    assert "%s: No such file" % (tmp_path / "none") in refused(gateway, "incidents", "--token-file",
                                                              str(tmp_path / "none"))
    assert "holds no token" in refused(gateway, "incidents", TOCSIN_TOKEN="")


def test_client_read_only_tokens(make):
    """Nothing is tried that cannot succeed."""
    gateway = started(make, tokens=TOKENS[:1])
    gateway.send("critical")
    assert table(ask(gateway, "incidents"))
    assert "every token of" in refused(gateway, "incident", "1", "ack")


def test_client_tokens_are_not_arguments():
    """What is on a command line is seen by everybody on the machine."""
    for command in ("incidents", "incident", "deliveries", "replay", "status"):
        assert "--token " not in run("help", command).stdout
    done = run("incidents", "--token", "secret-by-mistake", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1 and "secret-by-mistake" not in done.stderr


# Where the gateway is.

def test_client_places(make):
    """By URL over TCP and unix sockets; by the configuration the first listener that will do."""
    gateway = started(make)
    gateway.opened()
    for url in (gateway.url(), "unix:%s/api" % gateway.directory):
        done = run("incidents", "--url", url, env=ENVIRONMENT)
        assert done.returncode == 0 and len(table(done.stdout)) == 1, done
    for url in ("gopher://x", "http://127.0.0.1/path", "unix:", "http://", "unix:" + "x" * 200):
        assert run("incidents", "--url", url, env=ENVIRONMENT).returncode == 1
    gateway.stop()
    assert "Connection refused" in run("incidents", "--url", gateway.url(), env=ENVIRONMENT).stderr
    assert "No such file" in refused(gateway, "incidents")


@pytest.mark.parametrize("listen, why", [
    ([{"address": "127.0.0.1:1", "serve": ["ingest", "ops"]}], "--url names one"),
    ([{"address": "127.0.0.1:0"}], "--url names one"),
    ([{"address": "systemd"}], "--url names one"),
    ([{"address": "127.0.0.1:1", "proxy_protocol": True}], "--url names one"),
    ([{"address": "127.0.0.1:1", "tls": {"certificate": "/dev/null", "key": "/dev/null"}}],
     "no certificate"),
    ([{"address": "127.0.0.1:1", "serve": ["ingest"]}, {"address": "[::1]:1"}], "[::1]:1: ")])
def test_client_listeners(tmp_path, listen, why):
    """One that does not serve the API, or whose address cannot be known, is passed over."""
    file = tmp_path / "tocsin.json"
    file.write_text(json.dumps({"listen": listen}))
    done = run("incidents", "-c", str(file), env=ENVIRONMENT)
    assert done.returncode == 1 and why in done.stderr


def test_client_tls(make, tmp_path):
    """A listener that speaks TLS is known by its certificate, whatever name and date are in it; one of
    the same authority is another. By URL it is who its name says, or nobody."""
    authority = Authority(tmp_path)
    right = authority.issue("right", "DNS:gateway.test", expired=True)
    other = authority.issue("other", "DNS:gateway.test")
    gateway = make.gateway(start=False, tokens=TOKENS)
    tls = {"certificate": right[0], "key": right[1]}
    gateway.conf["listen"].append({"address": "unix:%s/api" % gateway.directory, "tls": tls})
    gateway.start()
    assert ask(gateway, "incidents")
    for certificate in (other[0], authority.certificate):
        tls["certificate"] = certificate
        with open(gateway.file, "w", encoding="utf-8") as file:
            json.dump(gateway.conf, file)
        assert "certificate" in refused(gateway, "incidents")


def test_client_https(make, tmp_path):
    """By URL a certificate is believed that the system believes in, and no other."""
    front = Front(make.receiver(), *Authority(tmp_path).issue("localhost", "IP:127.0.0.1"))
    done = run("incidents", "--url", "https://127.0.0.1:%d" % front.port, env=ENVIRONMENT)
    front.dispose()
    assert done.returncode == 1 and "certificate" in done.stderr, done


@pytest.mark.parametrize("address", ["127.0.0.1:%d", ":%d", "0.0.0.0:%d", "[::1]:%d"])
def test_client_all_addresses(make, address):
    """A listener on all addresses is asked on this machine."""
    with socket.socket(socket.AF_INET6 if "::" in address else socket.AF_INET) as probe:
        probe.bind(("::1" if "::" in address else "127.0.0.1", 0))
        port = probe.getsockname()[1]
    gateway = make.gateway(listen=[{"address": address % port}], tokens=TOKENS)
    assert ask(gateway, "incidents")


# Answers that are none.

GOOD = b'{"results": [], "next": null, "previous": null, "count": 0}'


@pytest.mark.parametrize("data, why", [
    (b"", "ended early"), (b"SSH-2.0\r\n\r\n", "not HTTP"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "ended early"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "not JSON"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "not JSON"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", "not JSON"),
    (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "answers 302"),
    (b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\noops", "answers 500: no reason given"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}", "ended early"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000, "not HTTP"),
    (b'HTTP/1.1 200 OK\r\n\r\n{"results": [], "next": "http://x/api/i\\r\\nX: y"}', "impossible"),
])
def test_client_bad_answers(make, data, why):
    """A word on what was wrong, and exit code 1."""
    receiver = make.receiver(raw(data))
    done = run("incidents", "--url", receiver.url("").rstrip("/"), env=ENVIRONMENT)
    assert done.returncode == 1 and why in done.stderr, done
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
    b"HTTP/1.1 200 OK\r\n\r\n" + GOOD,
    b"HTTP/1.0 200 OK\r\n\r\n" + GOOD,
    b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(GOOD)
    + GOOD + b"\r\n0\r\nTrailer: x\r\n\r\n"])
def test_client_good_answers(make, data):
    """Every way to say where a body ends."""
    receiver = make.receiver(raw(data))
    done = run("incidents", "--json", "--url", receiver.url("").rstrip("/"), env=ENVIRONMENT)
    assert done.returncode == 0 and json.loads(done.stdout) == json.loads(GOOD), done
