"""Listeners under another configuration, while the gateway runs. CONTRACT §10."""
import os
import shutil

from certificates import Authority
from gateway import ingest
from test_in_tls import listen, secure, trusting
from test_listeners import Activated, healthy, listening, refused
from wire import Connection

ALERT = {"message": "m", "alert_type": "info"}
PROXY = b"PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\n"


def name_of(connection):
    """The subject of the certificate that we were shown."""
    return connection.socket.getpeercert()["subject"][0][0][1]


def test_listeners_certificate_exchanged(make, tmp_path):
    """§10: the files' new certificate is for the next connections; those that are there go on, and
    files that do not belong together change nothing."""
    ca = Authority(tmp_path)
    old, new = ca.issue("old", "IP:127.0.0.1"), ca.issue("new", "IP:127.0.0.1")
    pair = [str(tmp_path / name) for name in ("current.pem", "current.key")]
    for source, path in zip(old, pair):
        shutil.copy(source, path)
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}] + listen(pair))
    tls = gateway.addresses()[1]
    with secure(tls, trusting(ca)) as kept:
        assert name_of(kept) == "old"
        shutil.copy(new[0], pair[0])
        answer = gateway.reload()
        assert answer.status == 400 and "listen[1].tls.key" in answer.json()["errors"][0]
        with secure(tls, trusting(ca)) as connection:
            assert name_of(connection) == "old"
        shutil.copy(new[1], pair[1])
        assert gateway.reloaded() == ["changed certificate 127.0.0.1:0"]
        with secure(tls, trusting(ca)) as connection:
            assert name_of(connection) == "new"
            assert connection.request("GET", "/-/healthy").status == 200
        assert kept.request("GET", "/-/healthy").status == 200


def test_listeners_settings_change(make, tmp_path):
    """§10: a listener that stays takes over TLS and PROXY protocol for its next connections."""
    ca = Authority(tmp_path)
    certificate, key = ca.issue("gateway", "IP:127.0.0.1")
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0"}])
    ours, changing = gateway.addresses()
    with Connection(changing) as kept:
        assert kept.request("GET", "/-/healthy").status == 200
        gateway.reloaded(listen=[{"address": "127.0.0.1:0"}, {
            "address": "127.0.0.2:0", "proxy_protocol": True,
            "tls": {"certificate": certificate, "key": key}}])
        with Connection(changing) as plain:
            plain.send(PROXY)
            context = trusting(ca)
            context.check_hostname = False
            sock = context.wrap_socket(plain.socket)
            with Connection(None, sock=sock) as connection:
                assert connection.request("POST", ingest(), ALERT).status == 200
        assert gateway.wait_log("alert.accepted")["client.ip"] == "192.0.2.1"
        assert kept.request("GET", "/-/healthy").status == 200
    gateway.reloaded(listen=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0"}])
    assert healthy(changing) == healthy(ours) == 200


def test_listeners_unix_comes_and_goes(make, tmp_path):
    """§10: a unix socket is there while it is configured, and its connections with it."""
    path = str(tmp_path / "s")
    both = [{"address": "127.0.0.1:0"}, {"address": "unix:" + path}]
    gateway = make.gateway(listen=both[:1])
    gateway.reloaded(listen=both)
    with Connection(path) as kept:
        assert kept.request("GET", "/-/healthy").status == 200
        inode = os.stat(path).st_ino
        gateway.reloaded(drain="2s")
        assert os.stat(path).st_ino == inode
        assert kept.request("GET", "/-/healthy").status == 200
        gateway.reloaded(listen=both[:1])
        assert not os.path.exists(path) and refused(path)
        assert kept.read_closed() == b""


def test_listeners_passed_come_back(make):
    """§10: a passed socket that is not configured for a while is not lost."""
    sockets = [listening(), listening()]
    first, second = (sock.getsockname() for sock in sockets)
    own, passed = {"address": "127.0.0.1:0"}, {"address": "systemd"}
    gateway = make.keep(Activated(sockets, listen=[own, passed, passed]))
    gateway.reloaded(listen=[own])
    for name in (first, second):
        gateway.wait_log("server.warning", server__address="127.0.0.1:%d" % name[1])
    gateway.reloaded(listen=[own, passed])
    assert healthy(first) == 200
    with Connection(second) as waiting:
        waiting.send(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
        gateway.reloaded(listen=[own, passed, passed])
        assert waiting.read().status == 200
    answer = gateway.reload(listen=[own, passed, passed, passed])
    assert answer.status == 400 and "LISTEN_FDS" in answer.json()["errors"][0]
    assert healthy(first) == healthy(second) == 200


def test_listeners_trust_changes(make):
    """§10: trusted_proxies are for the next requests, on connections that are there too."""
    gateway = make.gateway()
    headers = {"X-Forwarded-For": "192.0.2.1"}
    with gateway.connect() as connection:
        for trusted, client in (([], "127.0.0.1"), (["127.0.0.1/32"], "192.0.2.1"),
                                (["10.0.0.0/8"], "127.0.0.1")):
            if gateway.conf.get("trusted_proxies", []) != trusted:
                gateway.reloaded(trusted_proxies=trusted)
            since = gateway.mark()
            assert connection.request("POST", ingest(), ALERT, headers).status == 200
            assert gateway.wait_log("alert.accepted", since=since)["client.ip"] == client


def test_listeners_exposed_by_reload(make):
    """§2: a passed socket that is reached from elsewhere is refused without tokens, then too."""
    gateway = make.keep(Activated([listening(("0.0.0.0", 0))],
                                  listen=[{"address": "127.0.0.1:0"},
                                          {"address": "systemd", "serve": ["ingest"]}]))
    answer = gateway.reload(listen=[{"address": "127.0.0.1:0"}, {"address": "systemd"}])
    assert answer.status == 400 and "needs tokens" in answer.json()["errors"][0]
    port = gateway.addresses()[1][1]
    assert healthy(("127.0.0.1", port)) == 200
    with Connection(("127.0.0.1", port)) as connection:
        assert connection.request("GET", "/api/incidents").status == 404
