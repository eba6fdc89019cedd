"""Whose requests they are when proxies stand in between. CONTRACT §2, §10."""
import pytest

from gateway import ingest
from wire import Connection, request

ALERT = {"message": "m", "alert_type": "info"}
PROXIES = ["127.0.0.2/32", "10.0.0.0/8"]


def client_of(gateway, headers, source="127.0.0.2", address=None):
    """Sends an alert with these headers from that address; as whose it is logged."""
    since = gateway.mark()
    with Connection(address or gateway.address, source=source) as connection:
        assert connection.request("POST", ingest(), ALERT, headers).status == 200
    return gateway.wait_log("alert.accepted", since=since).get("client.ip")


@pytest.fixture(name="gateway", scope="module")
def gateway_(make_shared, tmp_path_factory):
    path = tmp_path_factory.mktemp("s") / "s"
    return make_shared.gateway(trusted_proxies=PROXIES,
                               listen=[{"address": "127.0.0.1:0"}, {"address": "unix:%s" % path},
                                       {"address": "127.0.0.1:0", "proxy_protocol": True}])


@pytest.mark.parametrize("headers, client", [
    ({}, "127.0.0.2"),
    ({"X-Forwarded-For": "192.0.2.1"}, "192.0.2.1"),
    ({"X-Forwarded-For": "203.0.113.9, 2001:db8::1, 10.0.0.1"}, "2001:db8::1"),
    ({"Forwarded": 'for=203.0.113.9, for="[2001:db8::1]:80";proto=https'}, "2001:db8::1"),
    ({"Forwarded": "for=203.0.113.9", "X-Forwarded-For": "192.0.2.1"}, "192.0.2.1"),
    ({"X-Forwarded-For": "203.0.113.9, unknown"}, "127.0.0.2"),
])
def test_forwarded_client(gateway, headers, client):
    """§10: a trusted proxy is believed, from the right, through others that are trusted."""
    assert client_of(gateway, headers) == client


def test_forwarded_not_trusted(gateway):
    """§10: nobody else is."""
    headers = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}
    assert client_of(gateway, headers, "127.0.0.1") == "127.0.0.1"
    assert client_of(gateway, headers, "127.0.0.3") == "127.0.0.3"


def test_forwarded_nobody_trusted(make, tmp_path):
    """§10: without trusted_proxies a client is who connects, on a unix socket too."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"},
                                   {"address": "unix:%s/s" % tmp_path}])
    headers = {"X-Forwarded-For": "192.0.2.1"}
    tcp, unix = gateway.addresses()
    assert client_of(gateway, headers, address=tcp) == "127.0.0.2"
    assert client_of(gateway, headers, address=unix) is None


def test_forwarded_unix(gateway):
    """§10: who connects to a unix socket is trusted as soon as anybody is."""
    unix = gateway.addresses()[1]
    assert client_of(gateway, {"X-Forwarded-For": "192.0.2.1"}, address=unix) == "192.0.2.1"
    assert client_of(gateway, {}, address=unix) is None


def test_forwarded_behind_proxy_header(gateway):
    """§10: trusted is who connects by the PROXY header, where there is one."""
    address = gateway.addresses()[2]
    for speaker, client in (("10.0.0.7", "192.0.2.1"), ("203.0.113.9", "203.0.113.9")):
        since = gateway.mark()
        with Connection(address) as connection:
            connection.send(b"PROXY TCP4 %s 127.0.0.1 1 2\r\n" % speaker.encode())
            answer = connection.request("POST", ingest(), ALERT, {"X-Forwarded-For": "192.0.2.1"})
            assert answer.status == 200
        assert gateway.wait_log("alert.accepted", since=since)["client.ip"] == client


def test_forwarded_each_request(gateway):
    """§10: a proxy's connection carries requests of many clients, one behind the other."""
    clients = ["192.0.2.%d" % i for i in range(5)] + [None, "192.0.2.9"]
    since = gateway.mark()
    with Connection(gateway.address, source="127.0.0.2") as connection:
        connection.send(b"".join(
            request("POST", ingest(), ALERT, {"X-Forwarded-For": client} if client else {})
            for client in clients))
        for _ in clients:
            assert connection.read().status == 200
    gateway.wait_log("alert.accepted", len(clients), since=since)
    told = [line["client.ip"] for line in gateway.logged("alert.accepted", since)]
    assert told == [client or "127.0.0.2" for client in clients]


def test_forwarded_refusals(gateway):
    """§12: refusals name the client as well: of a body too large, and of a rejected alert."""
    for body, status in ((b"x" * (600 << 10), 413), (b"{", 400)):
        since = gateway.mark()
        with Connection(gateway.address, source="127.0.0.2") as connection:
            connection.send(request("POST", ingest(), body, {"X-Forwarded-For": "192.0.2.1"})[:9999])
            assert connection.read().status == status
        assert gateway.wait_log("alert.rejected", since=since)["client.ip"] == "192.0.2.1"


def test_forwarded_not_this_machine(gateway):
    """§2: without tokens the API is this machine's, not that of a proxy's clients, whoever they say
    they are."""
    for headers, status in (({"X-Forwarded-For": "192.0.2.1"}, 401), ({}, 200),
                            ({"X-Forwarded-For": "127.0.0.1"}, 401),
                            ({"X-Forwarded-For": "127.0.0.2"}, 401),
                            ({"X-Forwarded-For": "unknown"}, 401), ({"X-Forwarded-For": ""}, 401),
                            ({"Forwarded": "for=unknown"}, 401), ({"Forwarded": "for=_hidden"}, 401),
                            ({"Forwarded": "by=192.0.2.1"}, 401)):
        with Connection(gateway.address, source="127.0.0.2") as connection:
            assert connection.request("GET", "/api/incidents", None, headers).status == status


def test_forwarded_unix_not_this_machine(gateway):
    """§2: nor that of whom a proxy speaks for through a unix socket; what a client here writes by
    itself changes nothing."""
    address, unix, _ = gateway.addresses()
    for to, headers, status in ((unix, {}, 200), (unix, {"X-Forwarded-For": "unknown"}, 401),
                                (address, {"X-Forwarded-For": "unknown"}, 200)):
        with Connection(to) as connection:
            assert connection.request("GET", "/api/incidents", None, headers).status == status
