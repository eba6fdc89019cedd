"""Listeners that speak TLS, and clients at their worst. CONTRACT §1.5, §10."""
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from certificates import Authority
from gateway import BUILD, SLOW, ingest, until, webhook
from scrape import Scrape
from test_config import faults, run, write  # noqa: F401 (a fixture)
from wire import Connection, Closed, dial, request

ALERT = {"message": "m", "alert_type": "info"}
HEALTHY = request("GET", "/-/healthy")


@pytest.fixture(name="ca", scope="module")
def ca_(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(name="pair", scope="module")
def pair_(ca):
    return ca.issue("gateway", "IP:127.0.0.1,DNS:gateway.test")


def listen(pair, **more):
    return [{"address": "127.0.0.1:0", "tls": {"certificate": pair[0], "key": pair[1]}, **more}]


@pytest.fixture(name="gateway")
def gateway_(make, pair):
    return make.gateway(listen=listen(pair), log={"level": "debug", "format": "json"})


def trusting(ca, protocols=None, maximum=None, minimum=None):
    context = ssl.create_default_context(cafile=ca.certificate)
    if protocols:
        context.set_alpn_protocols(protocols)
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    return context


def secure(address, context, session=None, timeout=10, **more):
    """A Connection over TLS; what the handshake was like is in its .socket."""
    plain = dial(address, timeout, **more)
    return Connection(address, sock=context.wrap_socket(plain, server_hostname="127.0.0.1",
                                                        session=session))


def test_in_tls_request(gateway, ca):
    """§10: a verified connection in TLS 1.3, kept for several requests."""
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.socket.version() == "TLSv1.3"
        for _ in range(3):
            assert connection.request("POST", ingest(), ALERT).status == 200
    assert gateway.wait_log("alert.accepted", 3)["client.ip"] == "127.0.0.1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version, good", [
    (ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True),
    (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1, False)])
def test_in_tls_version(gateway, ca, version, good):
    """§10: TLS 1.2 and up."""
    context = trusting(ca, maximum=version, minimum=version)
    context.set_ciphers("ALL:@SECLEVEL=0")
    if good:
        with secure(gateway.address, context) as connection:
            assert connection.request("GET", "/-/healthy").status == 200
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            secure(gateway.address, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_in_tls_resumed(gateway, ca, version):
    """§10: a session is resumed by the next connection."""
    context = trusting(ca, maximum=version)
    with secure(gateway.address, context) as first:
        assert first.request("GET", "/-/healthy").status == 200
        assert not first.socket.session_reused
        session = first.socket.session
    with secure(gateway.address, context, session) as second:
        assert second.request("GET", "/-/healthy").status == 200
        assert second.socket.session_reused


def test_in_tls_protocols(gateway, ca):
    """§10: HTTP/1.1 is chosen where it is offered; who offers other things only is refused."""
    with secure(gateway.address, trusting(ca, ["h2", "http/1.1"])) as connection:
        assert connection.socket.selected_alpn_protocol() == "http/1.1"
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.socket.selected_alpn_protocol() is None
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        secure(gateway.address, trusting(ca, ["h2"]))


@pytest.mark.parametrize("size", [1, 16384, 16385, 500000])
def test_in_tls_large(gateway, ca, size):
    """§3: bodies of any size, in as many records as it takes, and in pieces across their borders."""
    alert = dict(ALERT, summary="x" * size)
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.request("POST", ingest(), alert).status == 200
        data = request("POST", ingest(), alert)
        for at in range(0, len(data), 70000):
            connection.send(data[at:at + 70000])
        assert connection.read().status == 200


def test_in_tls_pipelined(gateway, ca):
    """§3: many requests at once, answered in order; their answers are more than one record."""
    with secure(gateway.address, trusting(ca)) as connection:
        connection.send(b"".join(request("POST", ingest(), ALERT) for _ in range(300)))
        traces = [connection.read().json()["trace_id"] for _ in range(300)]
    assert traces == sorted(traces) and len(set(traces)) == 300


def test_in_tls_slow_reader(gateway, ca):
    """§1.5: answers that the client does not read wait without harm to others."""
    plain = dial(gateway.address)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection = Connection(None, sock=trusting(ca).wrap_socket(plain, server_hostname="127.0.0.1"))
    asked = 500
    sender = threading.Thread(target=connection.send, args=(HEALTHY * asked,))
    sender.start()
    time.sleep(0.2)
    with secure(gateway.address, trusting(ca)) as other:
        assert other.request("GET", "/-/healthy").status == 200
    for _ in range(asked):
        assert connection.read().status == 200
    sender.join()
    connection.close()


def test_in_tls_pieces(make, ca, pair):
    """§13: an answer of any length goes out as it is read; so do its forms for HTTP/1.0 and HEAD."""
    gateway = make.gateway(listen=listen(pair), webhooks=[
        webhook("w%d" % i, "http://127.0.0.1:1/") for i in range(60)])
    plain = dial(gateway.address)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    slow = Connection(None, sock=trusting(ca).wrap_socket(plain, server_hostname="127.0.0.1"))
    slow.send(request("GET", "/metrics"))
    time.sleep(0.2)
    with secure(gateway.address, trusting(ca)) as connection:
        connection.send(request("HEAD", "/metrics") + request("GET", "/metrics") + HEALTHY)
        assert connection.read(bodiless=True).header("Transfer-Encoding") == "chunked"
        assert len(Scrape(connection.read().body.decode()).all("breaker_open")) == 60
        assert connection.read().status == 200
        connection.send(request("GET", "/metrics", version="1.0"))
        body = connection.read_closed().partition(b"\r\n\r\n")[2]
        assert len(Scrape(body.decode()).all("breaker_open")) == 60
    assert len(Scrape(slow.read().body.decode()).all("breaker_open")) == 60
    slow.close()


def test_in_tls_large_answer(make, ca, pair):
    """§9: an answer of many records is the same as it is without TLS, read at once or slowly."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}] + listen(pair))
    for i in range(16):
        gateway.send("critical", entity_id=i, summary="%x" % i * 50000)
    path = "/api/incidents"
    plain, tls = gateway.addresses()
    with Connection(plain) as one:
        whole = one.request("GET", path).body
    assert len(whole) > 500000
    with secure(tls, trusting(ca)) as connection:
        assert connection.request("GET", path).body == whole
        connection.send(request("GET", path))
        data = b""
        while len(data) < len(whole) or not data.endswith(whole[-100:]):
            data += connection.socket.recv(50000)
            time.sleep(0.005)
        assert data.endswith(whole)
        assert connection.request("GET", "/-/healthy").status == 200


def test_in_tls_half_close(gateway, ca):
    """§3: a client that says goodbye behind its request is answered, in TLS and in TCP."""
    for goodbye in ("TLS", "TCP", "both"):
        client = Memory(dial(gateway.address), trusting(ca))
        client.run(client.tls.do_handshake)
        client.sendall(request("POST", ingest(), ALERT))
        if goodbye != "TCP":
            with pytest.raises(ssl.SSLWantReadError):
                client.tls.unwrap()
            client.flush()
        if goodbye != "TLS":
            client.plain.shutdown(socket.SHUT_WR)
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK"), goodbye
        client.close()


def test_in_tls_goodbye(gateway, ca):
    """§10: what we close is closed in TLS first: to the client that is an end, not a cut."""
    context = trusting(ca)
    plain = dial(gateway.address)
    sock = context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False)
    sock.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    data = b"x"
    while data:
        data = sock.recv(4096)  # SSLEOFError if it were a cut
    sock.close()
    idle = context.wrap_socket(dial(gateway.address), server_hostname="127.0.0.1",
                               suppress_ragged_eofs=False)
    idle.sendall(HEALTHY)
    assert idle.recv(4096).startswith(b"HTTP/1.1 200")
    gateway.stop()
    assert idle.recv(4096) == b""
    idle.close()


def test_in_tls_behind_proxy_header(make, ca, pair):
    """§10: the PROXY header comes first, in the clear; then the handshake."""
    gateway = make.gateway(listen=listen(pair, proxy_protocol=True))
    for glued in (False, True):
        since = gateway.mark()
        plain = dial(gateway.address)
        header = b"PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\n"
        if not glued:
            plain.sendall(header)
            time.sleep(0.02)
            sock = trusting(ca).wrap_socket(plain, server_hostname="127.0.0.1")
        else:
            sock = glue(plain, header, trusting(ca))
        with Connection(None, sock=sock) as connection:
            assert connection.request("POST", ingest(), ALERT).status == 200
        assert gateway.wait_log("alert.accepted", since=since)["client.ip"] == "192.0.2.1"


class Memory:
    """TLS over buffers of our own, so that bytes can be put in front of it, or held back."""

    def __init__(self, plain, context):
        self.plain, self.incoming, self.outgoing = plain, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")

    def hello(self):
        """The client's first flight."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def run(self, what):
        while True:
            try:
                result = what()
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                data = self.plain.recv(65536)
                if not data:
                    raise Closed() from None
                self.incoming.write(data)

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.plain.sendall(data)

    def sendall(self, data):
        self.run(lambda: self.tls.write(data))

    def recv(self, size):
        return self.run(lambda: self.tls.read(size))

    def close(self):
        self.plain.close()


def glue(plain, header, context):
    """Header and ClientHello in one segment."""
    memory = Memory(plain, context)
    plain.sendall(header + memory.hello())
    memory.run(memory.tls.do_handshake)
    return memory


# ---- hostile ---------------------------------------------------------------------------------


def record(kind, body, version=0x0301):
    return struct.pack(">BHH", kind, version, len(body)) + body


GARBAGE = {
    "http": HEALTHY,
    "zeros": bytes(100),
    "noise": bytes(range(256)) * 20,
    "ssl2": b"\x80\x2e\x01\0\x02\0\x15\0\0\0\x10" + bytes(50),
    "alert": record(21, b"\2\x28"),
    "data": record(23, b"hello"),
    "empty records": record(22, b"") * 1000,
    "huge record": b"\x16\x03\x01\xff\xff" + b"x" * 5000,
    "huge hello": record(22, b"\1\xff\xff\xff" + b"x" * 1000),
    "truncated hello": record(22, b"\1\0\0\x20" + b"\x03\x03" + b"x" * 10),
    "warnings": record(21, b"\1\x5a") * 1000,
}


@pytest.mark.parametrize("name", sorted(GARBAGE))
def test_in_tls_garbage(gateway, ca, name):
    """§1.5: what is no handshake ends the connection, at the latest with its deadline."""
    with gateway.connect() as connection:
        connection.send(GARBAGE[name])
        try:
            connection.half_close()
        except OSError:
            pass  # it was closed already
        connection.read_closed()
    assert gateway.wait_log("alert.rejected")["log.level"] == "debug"
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.request("GET", "/-/healthy").status == 200


def test_in_tls_deadline(make, ca, pair):
    """§10: the handshake has limits.header_time, whether nothing comes or a byte now and then."""
    gateway = make.gateway(listen=listen(pair), limits={"header_time": "500ms"})
    hello = Memory(None, trusting(ca)).hello()
    begun = time.monotonic()
    with gateway.connect() as silent, gateway.connect() as slow:
        for byte in hello[:20]:
            slow.send(bytes([byte]))
            time.sleep(0.01)
        assert slow.read_closed() == silent.read_closed() == b""
    assert 0.5 <= time.monotonic() - begun < 1 * SLOW


def test_in_tls_cut_everywhere(gateway, ca):
    """§1.5: clients that go away behind every byte of their hello."""
    hello = Memory(None, trusting(ca)).hello()
    for n in range(0, len(hello), 7):
        with gateway.connect() as connection:
            connection.send(hello[:n])
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.request("GET", "/-/healthy").status == 200


def test_in_tls_flood_of_handshakes(make, ca, pair):
    """§1.5: an alert that comes behind hundreds of handshakes does not wait for all of them."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}] + listen(pair))
    plain, tls = gateway.addresses()
    hello = Memory(None, trusting(ca)).hello()
    flood = [dial(tls) for _ in range(400)]
    with Connection(plain) as connection:
        assert connection.request("POST", ingest(), ALERT).status == 200
        until(lambda: len(os.listdir("/proc/%d/fd" % gateway.process.pid)) > len(flood),
              what="all of them to be let in")
        gateway.signal(signal.SIGSTOP)
        for sock in flood:
            sock.sendall(hello)
        connection.send(request("POST", ingest(), ALERT))
        gateway.signal(signal.SIGCONT)
        begun = time.monotonic()
        assert connection.read().status == 200
        alert = time.monotonic() - begun
    for sock in flood:
        sock.settimeout(5 * SLOW)
        assert sock.recv(1) == b"\x16"  # everybody is answered in the end
        sock.close()
    assert alert < (time.monotonic() - begun) / 3


def test_in_tls_too_many_handshakes(make, ca, pair):
    """§1.5: only so many are in progress; a new one ends the one that is at it longest."""
    gateway = make.gateway(listen=listen(pair), limits={"header_time": "60s"})
    stuck = [dial(gateway.address) for _ in range(1030)]
    until(lambda: dead(stuck[0]), what="the oldest handshake to be ended")
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.request("GET", "/-/healthy").status == 200
    assert not dead(stuck[-1])
    for sock in stuck:
        sock.close()


def dead(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_in_tls_renegotiation(gateway, ca):
    """§1.5: a client of TLS 1.2 that asks for another handshake gets none, and harms nobody."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % gateway.address[1], "-tls1_2",
         "-CAfile", ca.certificate, "-verify_return_error"],
        input=b"R\n" * 3, capture_output=True, timeout=10 * SLOW, check=False)
    assert b"Verify return code: 0" in done.stdout
    assert b"renegotiation" in done.stderr.lower() or done.returncode != 0
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.request("GET", "/-/healthy").status == 200


def test_in_tls_key_updates(make, ca, pair):
    """§1.5: a client of TLS 1.3 that does nothing but change its keys delays nobody."""
    gateway = make.gateway(listen=[{"address": "127.0.0.1:0"}] + listen(pair))
    plain, tls = gateway.addresses()
    tool = subprocess.Popen([os.path.join(BUILD, "tool", "key_updates"), str(tls[1]), str(30000 // SLOW)],
                            stdout=subprocess.PIPE)
    waits = []
    with Connection(plain) as connection:
        while tool.poll() is None:
            begun = time.monotonic()
            assert connection.request("GET", "/-/healthy").status == 200
            waits.append(time.monotonic() - begun)
    assert int(tool.communicate()[0]) == 30000 // SLOW
    assert max(waits) < 0.1 * SLOW


@pytest.mark.parametrize("group, good", [("P-256", True), ("ffdhe8192", False)])
def test_in_tls_groups(gateway, ca, group, good):
    """§1.5: no client can ask for the groups that cost a hundred times as much."""
    done = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % gateway.address[1],
                           "-groups", group, "-CAfile", ca.certificate],
                          input=b"", capture_output=True, timeout=10 * SLOW, check=False)
    assert (done.returncode == 0) == good


@pytest.mark.skipif("address" in BUILD, reason="a sanitizer's memory is its own")
def test_in_tls_memory(make, ca, pair):
    """§1.5: an idle connection takes less than 60 KB."""
    gateway = make.gateway(listen=listen(pair))
    warm = [secure(gateway.address, trusting(ca)) for _ in range(20)]
    before = gateway.memory()
    idle = [secure(gateway.address, trusting(ca)) for _ in range(400)]
    for connection in idle:
        assert connection.request("GET", "/-/healthy").status == 200
    each = (gateway.memory() - before) / len(idle)
    assert each < 60000, each
    for connection in warm + idle:
        connection.close()


# ---- files -----------------------------------------------------------------------------------


def bad_files(ca, pair, tmp_path):
    other = ca.issue("other-pair", "DNS:other.test")
    junk = tmp_path / "junk.pem"
    junk.write_text("not PEM")
    locked = tmp_path / "locked.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret",
                    "-out", str(locked)], check=True, capture_output=True)
    none = str(tmp_path / "none.pem")
    return {"no certificate": (none, pair[1], "tls.certificate"),
            "no key": (pair[0], none, "tls.key"),
            "a directory": (str(tmp_path), pair[1], "tls.certificate"),
            "junk certificate": (str(junk), pair[1], "tls.certificate"),
            "junk key": (pair[0], str(junk), "tls.key"),
            "another's key": (pair[0], other[1], "tls.key"),
            "a key with a passphrase": (pair[0], str(locked), "tls.key")}


def test_in_tls_files_are_checked(ca, pair, tmp_path, write):  # noqa: F811
    """§10: `check` and `run` name the place and the option, and do not start."""
    for name, (certificate, key, option) in bad_files(ca, pair, tmp_path).items():
        path = write(listen=listen((certificate, key)))
        for command in ("check", "run"):
            done = run(command, "-c", path)
            assert done.returncode == 1, (name, done)
            assert "listen[0].%s: " % option in done.stderr, (name, done)
            assert "secret" not in done.stdout + done.stderr
    assert run("check", "-c", write(listen=listen(pair))).returncode == 0


def test_in_tls_one_of_two(pair, write):  # noqa: F811
    """§10: a certificate needs its key, and the other way round."""
    for given, missing in (({"certificate": pair[0]}, "key"), ({"key": pair[1]}, "certificate")):
        found = faults(write(listen=[{"address": "127.0.0.1:0", "tls": given}]))
        assert [key for *_, key, _ in found] == ["listen[0].tls." + missing]


def test_in_tls_chain(make, ca, tmp_path):
    """§10: what stands behind the certificate in its file is sent along."""
    middle = Authority(tmp_path, "middle")
    request_file = middle.path("middle.csr")
    extension = middle.path("middle.cnf")
    with open(extension, "w", encoding="ascii") as file:
        file.write("basicConstraints=critical,CA:true\n")
    middle.openssl("req", "-new", "-key", middle.key, "-out", request_file, "-subj", "/CN=middle")
    middle.openssl("x509", "-req", "-in", request_file, "-CA", ca.certificate, "-CAkey", ca.key,
                   "-set_serial", "7", "-out", middle.certificate, "-extfile", extension,
                   "-days", "2")
    certificate, key = middle.issue("leaf", "IP:127.0.0.1")
    with open(certificate, "a", encoding="ascii") as file, \
            open(middle.certificate, encoding="ascii") as more:
        file.write(more.read())
    gateway = make.gateway(listen=listen((certificate, key)))
    with secure(gateway.address, trusting(ca)) as connection:
        assert connection.request("GET", "/-/healthy").status == 200
