"""Requests that are no HTTP/1.1, each a way to smuggle another one in (CONTRACT §2)."""

import pytest

from gateway import KEY, ingest
from wire import request

BODY = b'{"message": "m", "alert_type": "info"}'
PATH = ingest(KEY).encode()
NEXT = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(make_shared):
    return make_shared.gateway()


def post(headers, body=b"abc", line=b"POST " + PATH + b" HTTP/1.1"):
    return line + b"\r\n" + headers + b"\r\n\r\n" + body


HOST = b"Host: a\r\n"
CHUNKED = HOST + b"Transfer-Encoding: chunked"

MALFORMED = {
    "two_lengths_same": post(HOST + b"Content-Length: 3\r\nContent-Length: 3"),
    "two_lengths": post(HOST + b"Content-Length: 3\r\nContent-Length: 5", b"abcde"),
    "length_list": post(HOST + b"Content-Length: 3, 3"),
    "length_negative": post(HOST + b"Content-Length: -3"),
    "length_plus": post(HOST + b"Content-Length: +3"),
    "length_hex": post(HOST + b"Content-Length: 0x3"),
    "length_empty": post(HOST + b"Content-Length: "),
    "length_words": post(HOST + b"Content-Length: 3 3"),
    "length_huge": post(HOST + b"Content-Length: 99999999999999999999"),
    "length_eleven_digits": post(HOST + b"Content-Length: 00000000003"),
    "length_space_before_colon": post(HOST + b"Content-Length : 3"),
    "length_tab_before_colon": post(HOST + b"Content-Length\t: 3"),
    "length_and_chunked": post(CHUNKED + b"\r\nContent-Length: 3", b"0\r\n\r\n"),
    "chunked_and_length": post(HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked",
                               b"0\r\n\r\n"),
    "coding_unknown": post(HOST + b"Transfer-Encoding: xchunked", b"0\r\n\r\n"),
    "coding_identity": post(HOST + b"Transfer-Encoding: identity"),
    "coding_list": post(HOST + b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
    "coding_twice": post(HOST + b"Transfer-Encoding: chunked, chunked", b"0\r\n\r\n"),
    "coding_two_headers": post(CHUNKED + b"\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "coding_empty": post(HOST + b"Transfer-Encoding: "),
    "coding_on_1_0": post(CHUNKED, b"0\r\n\r\n", b"POST " + PATH + b" HTTP/1.0"),
    "coding_space_before_colon": post(HOST + b"Transfer-Encoding : chunked", b"0\r\n\r\n"),
    "chunk_hex_prefix": post(CHUNKED, b"0x3\r\nabc\r\n0\r\n\r\n"),
    "chunk_plus": post(CHUNKED, b"+3\r\nabc\r\n0\r\n\r\n"),
    "chunk_minus": post(CHUNKED, b"-3\r\nabc\r\n0\r\n\r\n"),
    "chunk_space": post(CHUNKED, b" 3\r\nabc\r\n0\r\n\r\n"),
    "chunk_junk": post(CHUNKED, b"3 junk\r\nabc\r\n0\r\n\r\n"),
    "chunk_empty_size": post(CHUNKED, b"\r\nabc\r\n0\r\n\r\n"),
    "chunk_huge": post(CHUNKED, b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    "chunk_no_end": post(CHUNKED, b"3\r\nabcX\r\n0\r\n\r\n"),
    "chunk_bare_lf_size": post(CHUNKED, b"3\nabc\r\n0\r\n\r\n"),
    "chunk_bare_lf_data": post(CHUNKED, b"3\r\nabc\n0\r\n\r\n"),
    "bare_lf_line": b"GET /-/healthy HTTP/1.1\nHost: a\r\n\r\n",
    "bare_lf_header": b"GET /-/healthy HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "bare_lf_end": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\n\r\n\r\n",
    "bare_lf_all": b"GET /-/healthy HTTP/1.1\nHost: a\n\n\r\n\r\n",
    "bare_cr_value": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "fold_space": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "fold_tab": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n",
    "space_before_first": b"GET /-/healthy HTTP/1.1\r\n Host: a\r\n\r\n",
    "name_empty": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "name_with_space": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n",
    "name_with_nul": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n",
    "name_8_bit": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n",
    "name_brackets": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX(Y): b\r\n\r\n",
    "no_colon": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "value_with_nul": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "value_with_control": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n",
    "two_hosts": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no_host": b"GET /-/healthy HTTP/1.1\r\nX: a\r\n\r\n",
    "target_with_space": b"GET /-/healthy x HTTP/1.1\r\nHost: a\r\n\r\n",
    "target_8_bit": b"GET /-/h\xe9althy HTTP/1.1\r\nHost: a\r\n\r\n",
    "target_control": b"GET /-/he\x01lthy HTTP/1.1\r\nHost: a\r\n\r\n",
    "target_nul": b"GET /-/healthy\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "target_missing": b"GET HTTP/1.1\r\nHost: a\r\n\r\n",
    "target_relative": b"GET healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    "two_spaces": b"GET  /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    "tab_in_line": b"GET\t/-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    "line_ends_in_space": b"GET /-/healthy HTTP/1.1 \r\nHost: a\r\n\r\n",
    "line_starts_with_space": b" GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    "version_missing": b"GET /-/healthy\r\nHost: a\r\n\r\n",
    "version_1_9": b"GET /-/healthy HTTP/1.9\r\nHost: a\r\n\r\n",
    "version_2_0": b"GET /-/healthy HTTP/2.0\r\nHost: a\r\n\r\n",
    "version_0_9": b"GET /-/healthy HTTP/0.9\r\nHost: a\r\n\r\n",
    "version_lower_case": b"GET /-/healthy http/1.1\r\nHost: a\r\n\r\n",
    "version_long": b"GET /-/healthy HTTP/1.10\r\nHost: a\r\n\r\n",
    "version_2_preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "method_not_token": b"GE(T /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    "method_empty": b" /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    "tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 32 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_refused(gateway, name):
    """§2: 400, then the connection ends, and what follows is no request."""
    with gateway.connect() as connection:
        connection.send(MALFORMED[name] + NEXT)
        answer = connection.read()
        assert answer.status == 400
        assert answer.header("Content-Type") == "application/json"
        assert isinstance(answer.json(), dict)
        assert answer.header("Connection") == "close"
        assert connection.read_closed() == b""


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_after_good(gateway, name):
    """§2: the same behind a request that is fine: that one is answered first."""
    with gateway.connect() as connection:
        connection.send(NEXT + MALFORMED[name] + NEXT)
        assert connection.read().status == 200
        assert connection.read().status == 400
        assert connection.read_closed() == b""


def test_malformed_leaves_nothing(gateway):
    """§3: no alert was taken from any malformed request."""
    before = gateway.rows()["traces"]
    for name in ("two_lengths", "length_space_before_colon", "coding_unknown", "chunk_no_end"):
        data = MALFORMED[name] + request("POST", ingest(), BODY)
        with gateway.connect() as connection:
            connection.send(data)
            connection.read()
            connection.read_closed()
    assert gateway.rows()["traces"] == before
