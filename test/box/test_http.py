"""HTTP/1.1 as it is served (CONTRACT §2): limits, deadlines, pipelines, patience."""

import select
import socket
import time

import pytest

from gateway import KEY, SLOW, ingest, until
from wire import Closed, request

BODY = b'{"message": "m", "alert_type": "info"}'
NEXT = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(make_shared):
    return make_shared.gateway()


@pytest.fixture(scope="module")
def hasty(make_shared):
    """One whose deadlines are short."""
    return make_shared.gateway(limits={"header_time": "500ms", "body_time": "500ms",
                                       "idle_time": "800ms"})


@pytest.mark.parametrize("data", [
    b"GET /-/healthy HTTP/1.1\r\nHost:a\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHOST: \t a \t \r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: caf\xe9\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: a\tb\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~: b\r\n\r\n",
    b"GET /-/healthy?x=1&y=%20 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\nGET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    b"GET /-/healthy/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"])
def test_http_unusual(gateway, data):
    """§2: unusual but right."""
    with gateway.connect() as connection:
        connection.send(data)
        assert connection.read().status == 200
        connection.send(NEXT)
        assert connection.read().status == 200


@pytest.mark.parametrize("name", ["transfer-encoding", "TRANSFER-ENCODING"])
@pytest.mark.parametrize("value", ["chunked", "Chunked", "CHUNKED"])
def test_http_chunked_in_any_case(gateway, name, value):
    """§3: names and codings are the same in any letter case."""
    head = request("POST", ingest(), headers={name: value})
    with gateway.connect() as connection:
        connection.send(head + b"%X\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
        assert connection.read().status == 200


def test_http_body_of_get_is_read_over(gateway):
    """§2: the body of a GET is no request."""
    with gateway.connect() as connection:
        inner = request("POST", ingest(), BODY)
        connection.send(request("GET", "/-/healthy", inner) + request("GET", "/nowhere"))
        assert [connection.read().status for _ in range(2)] == [200, 404]


def test_http_head_without_body(gateway):
    """§2: HEAD is answered like GET, without the body."""
    with gateway.connect() as connection:
        connection.send(request("HEAD", "/-/healthy"))
        connection.half_close()
        data = connection.read_closed()
        assert data.startswith(b"HTTP/1.1 200 ")
        assert data.endswith(b"\r\n\r\n")


def test_http_head_with_body(gateway):
    """§3: a HEAD that announces a body is refused, and its body is no request."""
    with gateway.connect() as connection:
        connection.send(request("HEAD", "/-/healthy", NEXT))
        connection.half_close()
        data = connection.read_closed()
        assert data.startswith(b"HTTP/1.1 400 ")
        assert data.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("head", [
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 17000 + b"\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 3000 + b"\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
    b"GET /" + b"x" * 17000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 17000],
    ids=["value", "lines", "count", "line", "unended"])
def test_http_head_too_large(gateway, head):
    """§10: a head over limits.header is 431."""
    with gateway.connect() as connection:
        connection.send(head)
        assert connection.read().status == 431
        connection.read_closed()


def test_http_head_large(gateway):
    """§10: one just under the limit is read."""
    head = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 16000 + b"\r\n\r\n"
    with gateway.connect() as connection:
        connection.send(head)
        assert connection.read().status == 200


def test_http_largest_behind_another(make):
    """§10: head and chunked body are as large as they may be, and the last chunk comes later."""
    gateway = make.gateway(limits={"header": "1KiB", "body": "1KiB"})
    head = request("POST", ingest(), headers={"Transfer-Encoding": "chunked", "X": "."})
    head = head.replace(b"X: ", b"X: " + b"x" * (1024 - len(head)))
    with gateway.connect() as connection:
        connection.send(NEXT + head + b"400\r\n" + BODY.ljust(1024) + b"\r\n")
        assert connection.read().status == 200
        for _ in range(5):
            assert gateway.get("/-/healthy").status == 200
        connection.send(b"0\r\n\r\n")
        assert connection.read().status == 200


def closes_after(connection, expected, started):
    """That the connection ends `expected` seconds after `started`, give or take."""
    connection.read_closed()
    took = time.monotonic() - started
    assert expected - 0.1 < took < expected + 0.4 * SLOW, took


@pytest.mark.parametrize("start", [
    b"GET /-/healthy HTT", b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n"])
def test_http_head_too_slow(hasty, start):
    """§10: header_time is 408."""
    with hasty.connect() as connection:
        connection.send(start)
        started = time.monotonic()
        assert connection.read().status == 408
        closes_after(connection, 0.5, started)


def test_http_head_dribbled(hasty):
    """§10: header_time runs from the first byte; more bytes do not extend it."""
    with hasty.connect() as connection:
        started = time.monotonic()
        for byte in b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: aaaaaaaaaaaaaaa":
            try:
                connection.send(bytes([byte]))
            except OSError:
                break
            if select.select([connection.socket], [], [], 0.04)[0]:
                break
        assert connection.read().status == 408
        closes_after(connection, 0.5, started)


def test_http_body_too_slow(hasty):
    """§10: body_time is 408."""
    with hasty.connect() as connection:
        connection.send(request("POST", ingest(), BODY)[:-3])
        started = time.monotonic()
        assert connection.read().status == 408
        closes_after(connection, 0.5, started)


def test_http_body_dribbled(hasty):
    """§10: body_time runs from the head; more bytes do not extend it."""
    with hasty.connect() as connection:
        connection.send(request("POST", ingest(), BODY)[:-len(BODY)])
        started = time.monotonic()
        for byte in BODY[:-1]:
            try:
                connection.send(bytes([byte]))
            except OSError:
                break
            if select.select([connection.socket], [], [], 0.04)[0]:
                break
        assert connection.read().status == 408
        closes_after(connection, 0.5, started)


def test_http_idle(hasty):
    """§10: a connection without a request for idle_time is closed without a word."""
    with hasty.connect() as connection:
        connection.send(NEXT)
        assert connection.read().status == 200
        started = time.monotonic()
        assert connection.read_closed() == b""
        assert 0.7 < time.monotonic() - started < 0.8 + 0.5 * SLOW


def test_http_idle_from_the_start(hasty):
    """§10: so is one that never sends a byte."""
    with hasty.connect() as connection:
        assert connection.read_closed() == b""


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", ingest(), "POST"), ("PUT", ingest(), "POST"), ("DELETE", ingest(), "POST"),
    ("GET", "/api/integration/generic/" + KEY, "POST"), ("POST", "/api/alert/status/x/", "GET"),
    ("DELETE", "/api/alert/status/x", "GET"), ("POST", "/-/healthy", "GET"),
    ("PUT", "/-/ready/", "GET"), ("GET", "/-/pause", "POST"), ("BREW", "/-/healthy", "GET"),
    ("GET", "/api/incidents/filter", "POST"), ("PATCH", "/api/incidents/filter/", "POST"),
    ("GET", "/api/deliveries/replay", "POST")])
def test_http_method_not_allowed(gateway, method, path, allowed):
    """§2: a known path with another method: 405 with Allow."""
    with gateway.connect() as connection:
        answer = connection.request(method, path)
        assert answer.status == 405
        assert [word.strip() for word in answer.header("Allow").split(",")] in (
            [allowed], [allowed, "HEAD"])
        assert answer.header("Content-Type") == "application/json"
        connection.send(NEXT)
        assert connection.read().status == 200


@pytest.mark.parametrize("path", [
    "/", "/nowhere", "/api", "/api/", "/integration", "/integration/demo1/generic",
    "/integration/demo1/generic/%s/more" % KEY, "//-/healthy", "/-/healthy//", "/-/Healthy",
    "/api/alert/status"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_unknown_path(gateway, method, path):
    """§2: 404, as JSON."""
    with gateway.connect() as connection:
        answer = connection.request(method, path, BODY if method == "POST" else None)
        assert answer.status == 404
        assert answer.header("Content-Type") == "application/json"
        assert answer.json() == {"detail": "Not Found."}
        connection.send(NEXT)
        assert connection.read().status == 200


def test_http_pipelined(gateway):
    """§2: fifty requests in one send, POST and GET mixed, are answered in order."""
    trace = gateway.send("info")
    kinds = [("POST", ingest(), BODY), ("GET", "/api/alert/status/%s/" % trace, None),
             ("GET", "/nowhere", None), ("POST", ingest(), b"{"), ("GET", "/-/healthy", None)]
    with gateway.connect() as connection:
        connection.send(b"".join(request(*kind) for kind in kinds) * 10)
        answers = [connection.read() for _ in range(50)]
    assert [answer.status for answer in answers] == [200, 200, 404, 400, 200] * 10
    traces = [answer.json()["trace_id"] for answer in answers[0::5]]
    assert traces == sorted(set(traces))
    assert {answer.json()["status"] for answer in answers[1::5]} == {"completed"}


def test_http_pipelined_then_close(gateway):
    """§2: what stands behind a request with Connection: close is not read."""
    with gateway.connect() as connection:
        connection.send(NEXT + request("GET", "/-/healthy", headers={"Connection": "close"}) + NEXT)
        assert [connection.read().status for _ in range(2)] == [200, 200]
        assert connection.read_closed() == b""


def test_http_1_0(gateway):
    """§2: HTTP/1.0, with and without a Host, is answered and the connection ended."""
    for head in (b"GET /-/healthy HTTP/1.0\r\n\r\n", b"GET /-/healthy HTTP/1.0\r\nHost: a\r\n\r\n"):
        with gateway.connect() as connection:
            connection.send(head)
            assert connection.read().status == 200
            assert connection.read_closed() == b""
    with gateway.connect() as connection:
        connection.send(request("POST", ingest(), BODY, version="1.0"))
        assert connection.read().status == 200
        assert connection.read_closed() == b""


@pytest.mark.parametrize("value", [
    "close", "Close", "foo, close", "close,foo", "foo ,\tCLOSE ,bar"])
def test_http_connection_close(gateway, value):
    """§2: Connection is a list."""
    with gateway.connect() as connection:
        answer = connection.request("GET", "/-/healthy", headers={"Connection": value})
        assert answer.status == 200
        assert answer.header("Connection") == "close"
        assert connection.read_closed() == b""


@pytest.mark.parametrize("value", ["keep-alive", "foo", "closed", "foo, keep-alive"])
def test_http_connection_kept(gateway, value):
    """§2: without close among its tokens the connection stays."""
    with gateway.connect() as connection:
        for _ in range(3):
            answer = connection.request("GET", "/-/healthy", headers={"Connection": value})
            assert answer.status == 200


def test_http_expect_continue(gateway):
    """§2: 100 comes before the body, then the answer."""
    whole = request("POST", ingest(), BODY, {"Expect": "100-continue"})
    with gateway.connect() as connection:
        connection.send(whole[:-len(BODY)])
        assert connection.read().status == 100
        connection.send(BODY)
        assert connection.read().status == 200
        connection.send(NEXT)
        assert connection.read().status == 200


def test_http_expect_continue_unneeded(gateway):
    """§2: one that sends its body at once is answered as well."""
    with gateway.connect() as connection:
        connection.send(request("POST", ingest(), BODY, {"Expect": "100-continue"}))
        answer = connection.read()
        assert (connection.read() if answer.status == 100 else answer).status == 200


def test_http_expect_continue_too_large(gateway):
    """§3: no 100 for a body that is refused."""
    headers = {"Expect": "100-continue", "Content-Length": 1 << 20}
    with gateway.connect() as connection:
        connection.send(request("POST", ingest(), headers=headers))
        assert connection.read().status == 413


def test_http_expect_unknown(gateway):
    """§2: another expectation cannot be met."""
    with gateway.connect() as connection:
        connection.send(request("POST", ingest(), BODY, {"Expect": "tea"}) + NEXT)
        assert connection.read().status == 417
        assert connection.read_closed() == b""


def test_http_cut_anywhere(gateway):
    """§2: a request cut at any byte and then continued is the same request."""
    whole = request("POST", ingest(), BODY, {"Content-Type": "application/json"})
    with gateway.connect() as connection:
        for cut in range(1, len(whole)):
            connection.send(whole[:cut])
            time.sleep(0.001)
            connection.send(whole[cut:])
            assert connection.read().status == 200, cut


def test_http_chunks_cut_anywhere(gateway):
    """§2: so is a chunked one."""
    whole = request("POST", ingest(), headers={"Transfer-Encoding": "chunked"})
    place = len(whole)
    whole += b"5;a=b\r\n" + BODY[:5] + b"\r\n%x\r\n" % (len(BODY) - 5) + BODY[5:]
    whole += b"\r\n0\r\nT: x\r\n\r\n"
    with gateway.connect() as connection:
        for cut in range(place - 3, len(whole)):
            connection.send(whole[:cut])
            time.sleep(0.001)
            connection.send(whole[cut:])
            assert connection.read().status == 200, cut


def test_http_single_bytes(gateway):
    """§2: a request in writes of one byte."""
    with gateway.connect() as connection:
        for byte in request("POST", ingest(), BODY):
            connection.send(bytes([byte]))
        assert connection.read().status == 200


def test_http_half_closed(gateway):
    """§2: a client that sends and closes its side gets its answers."""
    with gateway.connect() as connection:
        connection.send(request("POST", ingest(), BODY) + NEXT)
        connection.half_close()
        assert [connection.read().status for _ in range(2)] == [200, 200]
        assert connection.read_closed() == b""


@pytest.mark.parametrize("cut", [5, 40, -1])
def test_http_half_closed_midway(gateway, cut):
    """§2: half a request and no more to come: the connection ends at once."""
    before = gateway.rows()["traces"]
    with gateway.connect(timeout=2) as connection:
        connection.send(request("POST", ingest(), BODY)[:cut])
        connection.half_close()
        try:
            assert connection.read().status >= 400
        except Closed as closed:
            assert closed.rest == b""
    assert gateway.rows()["traces"] == before


def test_http_client_that_does_not_read(gateway):
    """§1.5: a great pipeline whose answers nobody takes: memory stays, others are served, and when
    the client reads at last it finds every answer."""
    before = gateway.memory()
    with gateway.connect(timeout=20) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        connection.socket.setblocking(False)
        data, sent = NEXT * 60000, 0
        while sent < len(data) and select.select([], [connection.socket], [], 0.5)[1]:
            sent += connection.socket.send(data[sent:sent + 65536])
        assert gateway.memory() - before < 16 << 20
        assert gateway.post(BODY).status == 200
        connection.socket.settimeout(20)
        whole = sent // len(NEXT)
        assert whole > 1000
        for _ in range(whole):
            assert connection.read().status == 200


def test_http_many_connections(gateway):
    """§1.5: hundreds of connections that say nothing are in nobody's way."""
    idle = [gateway.connect() for _ in range(500)]
    try:
        started = time.monotonic()
        assert gateway.post(BODY).status == 200
        assert time.monotonic() - started < 0.5 * SLOW
    finally:
        for connection in idle:
            connection.close()
    until(lambda: gateway.get("/-/healthy").status == 200)
