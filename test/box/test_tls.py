"""Webhooks over https: whom the gateway believes, and how long it takes. CONTRACT §8."""
import errno
import json
import socket
import ssl
import threading

import pytest

from certificates import Authority, Front
from faults import ALL, Faults
from gateway import until, webhook
from receiver import answer
from test_config import run


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def good(ca):
    return ca.issue("good", "IP:127.0.0.1,DNS:receiver.test")


@pytest.fixture
def hosts(tmp_path):
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 receiver.test other.test\n")
    return {"TOCSIN_HOSTS": str(path)}


def secure(make, ca, pair, host="127.0.0.1", environment=None, behaviour=None, tls=None, **front):
    receiver = make.receiver(behaviour)
    server = make.keep(Front(receiver, *pair, **front))
    hook = webhook("ops", server.url(host), retry=["30s"],
                   auth={"type": "hmac", "key": "a-shared-key"},
                   tls=dict({"ca_file": ca.certificate}, **(tls or {})))
    return make.gateway(webhooks=[hook], environment=environment), receiver, server


def refused(gateway, reason="tls_failed"):
    gateway.alert("critical")
    failed = gateway.wait_log("delivery.retry")
    assert failed["error.type"] == reason
    return failed


def test_tls_address(make, ca, good):
    """§8: a certificate for the address; TLS 1.3; no SNI for an address."""
    gateway, receiver, server = secure(make, ca, good)
    gateway.alert("critical")
    assert receiver.wait(1)[0].incident["incident_number"] == 1
    gateway.wait_log("delivery.delivered")
    assert server.handshakes[0][0] == "TLSv1.3"
    assert server.names == [None]


def test_tls_name(make, ca, good, hosts):
    """§8: a certificate for the name, which the server is told by SNI."""
    gateway, receiver, server = secure(make, ca, good, "receiver.test", hosts)
    gateway.alert("critical")
    receiver.wait(1)
    gateway.wait_log("delivery.delivered")
    assert server.names == ["receiver.test"]


def test_tls_kept_and_resumed(make, ca, good):
    """§8: connections are kept alive; a new one resumes the session."""
    gateway, receiver, server = secure(make, ca, good)
    for i in range(5):
        gateway.alert("critical", entity_id=i)
        receiver.wait(i + 1)
        until(lambda n=i: len(gateway.logged("delivery.delivered")) == n + 1)
    assert len(server.handshakes) == 1
    server.hang_up()
    gateway.alert("critical", entity_id="again")
    until(lambda: len(gateway.logged("delivery.delivered")) == 6)
    assert [reused for _, reused, _ in server.handshakes] == [False, True]


def test_tls_1_2(make, ca, good):
    """§8: TLS 1.2 will do."""
    gateway, receiver, server = secure(make, ca, good, maximum=ssl.TLSVersion.TLSv1_2)
    gateway.alert("critical")
    receiver.wait(1)
    gateway.wait_log("delivery.delivered")
    assert server.handshakes[0][0] == "TLSv1.2"


def test_tls_1_1(make, ca, good):
    """§8: TLS 1.1 will not."""
    gateway, receiver, _ = secure(make, ca, good, maximum=ssl.TLSVersion.TLSv1_1)
    refused(gateway)
    assert not receiver.requests


def test_tls_wrong_authority(make, ca, good, tmp_path):
    """§8: a certificate that no trusted authority signed."""
    other = Authority(tmp_path, "other")
    gateway, receiver, _ = secure(make, other, good)
    assert "issuer" in refused(gateway)["error.message"]
    assert not receiver.requests


def test_tls_expired(make, ca):
    """§8: an expired certificate."""
    gateway, receiver, _ = secure(make, ca, ca.issue("old", "IP:127.0.0.1", expired=True))
    assert "expired" in refused(gateway)["error.message"]
    assert not receiver.requests


@pytest.mark.parametrize("host", ["other.test", "127.0.0.1"])
def test_tls_wrong_name(make, ca, hosts, host):
    """§8: a certificate for another name."""
    pair = ca.issue("name-" + host, "DNS:receiver.test,IP:127.0.0.9")
    gateway, receiver, _ = secure(make, ca, pair, host, hosts)
    assert "mismatch" in refused(gateway)["error.message"]
    assert not receiver.requests


def test_tls_insecure(make, ca, tmp_path):
    """§8: insecure_skip_verify takes anybody, and says so at every start."""
    other = Authority(tmp_path, "stranger")
    pair = other.issue("stranger-leaf", "DNS:elsewhere.test")
    gateway, receiver, _ = secure(make, ca, pair, tls={"insecure_skip_verify": True})
    gateway.alert("critical")
    receiver.wait(1)
    assert gateway.logged("server.warning", labels__webhook="ops")
    gateway.restart()
    assert len(gateway.logged("server.warning", labels__webhook="ops")) == 2


def test_tls_client_certificate(make, ca, good):
    """§8: the receiver asks who we are."""
    certificate, key = ca.issue("client", "DNS:tocsin.test")
    gateway, receiver, server = secure(make, ca, good, client_ca=ca.certificate,
                                       tls={"certificate": certificate, "key": key})
    gateway.alert("critical")
    receiver.wait(1)
    assert server.handshakes[0][2]["subject"] == ((("commonName", "client"),),)


def test_tls_plain_port(make, ca):
    """§8: something that answers, but not in TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            peer, _ = listener.accept()
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            peer.close()
        threading.Thread(target=serve, daemon=True).start()
        url = "https://127.0.0.1:%d/" % listener.getsockname()[1]
        hook = webhook("ops", url, retry=["30s"], tls={"ca_file": ca.certificate})
        refused(make.gateway(webhooks=[hook]))


def test_tls_stall(make, ca, good):
    """§1.4: a handshake that never ends is a timeout at 3.00 s."""
    gateway, _, _ = secure(make, ca, good, stall=True)
    failed = refused(gateway, "timeout")
    assert abs(failed["event.duration"] / 1e9 - 3.0) < 0.05


def test_tls_failures_of_the_answer(make, ca, good):
    """§8: what ends an attempt over plain HTTP ends it over TLS too."""
    gateway, _, _ = secure(make, ca, good, behaviour=answer(503))
    refused(gateway, "http_5xx")


def test_tls_many_at_once(make, ca, good):
    """§8: hundreds of deliveries share few connections."""
    gateway, receiver, server = secure(make, ca, good)
    for i in range(200):
        gateway.send("critical", entity_id=i)
    until(lambda: len(gateway.logged("delivery.delivered")) == 200, 20)
    assert len(server.handshakes) <= 64


def answers_early(listener, good, over):
    """Answers when a request has begun, and reads no more of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*good)
    with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
        peer.recv(1000)
        over.wait(0.1)  # until nothing more goes out
        peer.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        over.wait(10)


def test_tls_early_answer(make, ca, good):
    """§8: an answer counts that comes while the kernel takes no more of the request."""
    faults, over = make.keep(Faults()), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answers_early, args=(listener, good, over), daemon=True).start()
        url = "https://127.0.0.1:%d/" % listener.getsockname()[1]
        hook = webhook("ops", url, retry=["30s"], tls={"ca_file": ca.certificate})
        gateway = make.gateway(webhooks=[hook], environment=faults.environment())
        faults.fail("send_out", at=6, count=ALL, error=errno.EAGAIN)  # a few behind the handshake
        gateway.alert("critical", summary="\u00e9" * 32000)  # 192 kB in the webhook, at 16 KiB each
        failed = gateway.wait_log("delivery.retry")
        over.set()
    assert failed["error.type"] == "http_4xx"


@pytest.mark.parametrize("option", ["ca_file", "certificate", "key"])
def test_tls_files_are_checked(tmp_path, ca, option):
    """§10: a file that cannot be loaded is told by `check`, with its place in the configuration."""
    certificate, key = ca.issue("checked", "DNS:a.test")
    tls = {"ca_file": ca.certificate, "certificate": certificate, "key": key}
    path = tmp_path / "tocsin.json"

    def check(**files):
        hook = {"name": "ops", "url": "https://a.test/", "tls": {**tls, **files}}
        path.write_text(json.dumps({"services": [{"name": "S", "webhooks": [hook]}]}))
        return run("check", "-c", str(path))

    assert check().returncode == 0
    absent = check(**{option: str(tmp_path / "none.pem")})
    broken = check(**{option: str(path)})
    text = path.read_text()
    column = text.index(json.dumps(str(path)), text.index('"%s"' % option)) + 1
    for done in (absent, broken):
        assert done.returncode == 1
        assert "services[0].webhooks[0].tls.%s: cannot be loaded: " % option in done.stderr
    assert "No such file" in absent.stderr
    assert broken.stderr.startswith("%s:1:%d: " % (path, column))
    if option != "ca_file":
        alone = check(**{option: None})
        assert "tls.%s: is missing" % option in alone.stderr
