"""No leak and no invalid access in a run with traffic of every kind, as valgrind sees it."""
import ssl

import pytest

from certificates import Authority
from gateway import BUILD, ingest, until, webhook
from receiver import answer
from wire import Connection, dial, request

VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--error-exitcode=9",
            "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible"]


@pytest.mark.skipif("address" in BUILD, reason="valgrind and sanitizers exclude each other")
def test_valgrind_run_with_traffic(make):
    """§1.5: what a request, an incident or an attempt takes is given back."""
    well, ill = make.receiver(), make.receiver(answer(404))
    gateway = make.gateway(
        wrapper=VALGRIND, limits={"store": "256MiB"}, retry=["100ms"] * 3,
        
        webhooks=[webhook("well", well.url(), auth={"type": "hmac", "key": "valgrind-key"}),
                  webhook("ill", ill.url())])
    for entity in range(5):
        for kind in ("critical", "info", "acknowledged", "resolved"):
            gateway.send(kind, entity_id=entity)
    for path in ("/api/incidents", "/api/incidents/1", "/-/ready", "/nowhere"):
        gateway.get(path)
    for bad in (b"{", b"[]", b'{"message": 1}', b"[" * 10000):
        with gateway.connect(timeout=10) as connection:
            connection.send(request("POST", ingest(), bad))
            connection.read()
    with gateway.connect(timeout=10) as connection:
        connection.send(b"GET / HTTP/1.1\r\nContent-Length : 3\r\n\r\n")
        connection.read()
    gateway.control("fail-commit 1")
    gateway.post({"message": "m", "alert_type": "critical"})
    until(lambda: len(well.requests) >= 15, 30)
    until(lambda: gateway.logged("delivery.dead"), 30)
    for change in ({"nonsense": 1}, {"drain": "1s"}, {"services": [{"name": "Payments"}]}):
        before = dict(gateway.conf)
        gateway.reload(**change)
        gateway.conf = before
    assert gateway.reload().status == 200
    gateway.fail_commit(1)
    assert gateway.reload(users=[{"username": "ada"}]).status == 503
    gateway.stop()


@pytest.mark.skipif("address" in BUILD, reason="valgrind and sanitizers exclude each other")
def test_valgrind_listeners(make, tmp_path):
    """§1.5: what a connection takes before its first request is given back, however it ends."""
    certificate, key = Authority(tmp_path).issue("gateway", "IP:127.0.0.1")
    tls = {"certificate": certificate, "key": key}
    gateway = make.gateway(
        wrapper=VALGRIND, limits={"store": "256MiB"}, trusted_proxies=["127.0.0.0/8"],
        listen=[{"address": "127.0.0.1:0", "tls": tls}, {"address": "unix:%s/s" % tmp_path},
                {"address": "127.0.0.1:0", "proxy_protocol": True, "tls": tls}])
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    secure, unix, behind = gateway.addresses()
    with Connection(unix, timeout=30) as connection:
        assert connection.request("GET", "/-/ready").status == 200
    for address, header in ((secure, b""), (behind, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")):
        for data in (b"", header[:9], header + b"GET / HTTP/1.1\r\n\r\n", header + b"\x16\x03\x01"):
            with Connection(address, timeout=30) as connection:
                connection.send(data)
        plain = dial(address, 30)
        plain.sendall(header)
        sock = context.wrap_socket(plain, server_hostname="127.0.0.1")
        with Connection(None, sock=sock) as connection:
            answer = connection.request("POST", ingest(), {"message": "m", "alert_type": "info"},
                                        {"X-Forwarded-For": "192.0.2.9, 127.0.0.1"})
            assert answer.status == 200
            assert connection.request("POST", ingest(), b"x" * 40000).status == 400
    kept = context.wrap_socket(dial(secure, 30), server_hostname="127.0.0.1")
    half = dial(secure, 30)
    gateway.stop()
    kept.close()
    half.close()
