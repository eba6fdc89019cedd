"""Listeners whose connections begin with a PROXY header. CONTRACT §10."""
import socket
import struct
import time

import pytest

from gateway import SLOW, ingest
from wire import Closed, request

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ALERT = {"message": "m", "alert_type": "info"}


def v1(client, family="TCP4", to="198.51.100.7"):
    return ("PROXY %s %s %s 56324 443\r\n" % (family, client, to)).encode()


def v2(client, to="198.51.100.7", command=0x21, more=b""):
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    to = "2001:db8::7" if ":" in client else to
    body = socket.inet_pton(family, client) + socket.inet_pton(family, to)
    body += struct.pack(">HH", 56324, 443) + more
    code = 0x21 if ":" in client else 0x11
    return SIGNATURE + struct.pack(">BBH", command, code, len(body)) + body


@pytest.fixture(name="gateway")
def gateway_(make):
    return make.gateway(listen=[{"address": "127.0.0.1:0", "proxy_protocol": True}],
                        log={"level": "debug", "format": "json"})


def client_of(gateway, header, pieces=None):
    """Sends an alert behind that header; as whose alert it is logged."""
    since = gateway.mark()
    data = header + request("POST", ingest(), ALERT)
    with gateway.connect() as connection:
        for piece in pieces or [len(data)]:
            connection.send(data[:piece])
            data = data[piece:]
            if data:
                time.sleep(0.002)
        connection.send(data)
        assert connection.read().status == 200
    return gateway.wait_log("alert.accepted", since=since).get("client.ip")


@pytest.mark.parametrize("header, client", [
    (v1("192.0.2.1"), "192.0.2.1"),
    (v1("2001:db8::1", "TCP6", "::1"), "2001:db8::1"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (v2("192.0.2.9"), "192.0.2.9"),
    (v2("2001:db8::9"), "2001:db8::9"),
    (v2("192.0.2.9", more=b"\x04\0\5hello\x20\0\1x"), "192.0.2.9"),
    (v2("192.0.2.9", command=0x20), "127.0.0.1"),
    (SIGNATURE + b"\x20\0\0\0", "127.0.0.1"),
], ids=["v1", "v1-6", "unknown", "v2", "v2-6", "more", "local", "local-short"])
def test_proxy_client(gateway, header, client):
    """§10: the client is whom the header names; a balancer that speaks for itself stays itself."""
    assert client_of(gateway, header) == client
    assert client_of(gateway, header, [1] * len(header)) == client
    assert client_of(gateway, header, [len(header), 1]) == client


def test_proxy_second_request(gateway):
    """§10: the header stands once, in front of the connection; all its requests are the client's."""
    with gateway.connect() as connection:
        connection.send(v2("192.0.2.1"))
        for _ in range(3):
            assert connection.request("POST", ingest(), ALERT).status == 200
    gateway.wait_log("alert.accepted", 3)
    assert {line["client.ip"] for line in gateway.logged("alert.accepted")} == {"192.0.2.1"}


@pytest.mark.parametrize("data", [
    request("POST", ingest(), ALERT),
    b"PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n",
    SIGNATURE + b"\x21\x12\0\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\xff\xff" + bytes(1000),
    b"\x16\x03\x01\x02\0\x01\0",
], ids=["http", "short", "lf", "udp", "huge", "tls"])
def test_proxy_required(gateway, data):
    """§10: anything else closes the connection without a word, and is told at debug."""
    with gateway.connect() as connection:
        connection.send(data)
        assert connection.read_closed() == b""
    line = gateway.wait_log("alert.rejected")
    assert line["log.level"] == "debug" and "PROXY" in line["message"]
    assert not gateway.logged("alert.accepted")


def test_proxy_nothing_after(gateway):
    """§10: connecting and going away again, as balancers' health checks do, is nothing to tell."""
    gateway.connect().close()
    assert client_of(gateway, v1("192.0.2.1")) == "192.0.2.1"
    assert not gateway.logged("alert.rejected")


def test_proxy_deadline(make):
    """§10: the header has limits.header_time, however it dribbles."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0", "proxy_protocol": True}],
                           limits={"header_time": "400ms"})
    begun = time.monotonic()
    with gateway.connect() as silent, gateway.connect() as slow:
        for byte in b"PROXY TCP4 192":
            slow.send(bytes([byte]))
            time.sleep(0.02)
        assert slow.read_closed() == silent.read_closed() == b""
    assert 0.4 <= time.monotonic() - begun < 1 * SLOW


def test_proxy_not_this_machine(gateway):
    """§2: without tokens the API is this machine's: not that of whom a balancer here speaks for, named or not."""
    for header, status in ((v2("192.0.2.1"), 401), (v2("127.0.0.1"), 200), (b"PROXY UNKNOWN\r\n", 401),
                           (SIGNATURE + b"\x21\0\0\0", 401), (SIGNATURE + b"\x20\0\0\0", 200)):
        with gateway.connect() as connection:
            connection.send(header)
            assert connection.request("GET", "/api/incidents").status == status


def test_proxy_only_where_configured(make):
    """§10: elsewhere the header is no HTTP."""
    gateway = make.gateway()
    with gateway.connect() as connection:
        connection.send(v1("192.0.2.1") + request("GET", "/-/healthy"))
        assert connection.read().status == 400


def test_proxy_on_unix(make, tmp_path):
    """§10: on a unix socket too."""
    gateway = make.gateway(listen=[{"address": "unix:%s/s" % tmp_path, "proxy_protocol": True}])
    assert client_of(gateway, v2("192.0.2.1")) == "192.0.2.1"
    assert client_of(gateway, b"PROXY UNKNOWN\r\n") is None


def test_proxy_many_at_once(gateway):
    """§1.5: those that begin with garbage keep nobody else waiting."""
    bad = [gateway.connect() for _ in range(200)]
    for i, connection in enumerate(bad):
        connection.send(b"PROXY" if i % 2 else b"\xff" * 5000)
    begun = time.monotonic()
    assert client_of(gateway, v1("192.0.2.1")) == "192.0.2.1"
    assert time.monotonic() - begun < 2 * SLOW
    for connection in bad:
        connection.close()


def test_proxy_close_in_header(gateway):
    """§1.5: a client that goes away in the middle of it."""
    for n in (1, 5, 12, 15, 20):
        with gateway.connect() as connection:
            connection.send(v2("192.0.2.1")[:n])
            connection.half_close()
            with pytest.raises(Closed):
                connection.read()
    assert client_of(gateway, v1("192.0.2.1")) == "192.0.2.1"
