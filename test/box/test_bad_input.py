"""Bodies that strangers send (CONTRACT §3): refused with a reason, or taken with the harm removed.

After each of them the connection, where it stays open, and the store are healthy: a good alert
follows and is applied.
"""

import json

import pytest

from gateway import ingest
from wire import Connection, chunked, request

LIMIT = 512 * 1024
GOOD = {"message": "good", "alert_type": "critical"}
GOOD_TEXT = json.dumps(GOOD).encode()


@pytest.fixture(scope="module")
def gateway(make_shared):
    return make_shared.gateway()


def with_message(text):
    return b'{"message": ' + text + b', "alert_type": "critical"}'


def with_type(text):
    return b'{"message": "m", "alert_type": ' + text + b"}"


def with_value(text):
    return b'{"message": "m", "alert_type": "critical", "payload": {"v": ' + text + b"}}"


REFUSED = {
    "empty": b"",
    "white_space": b"  \n",
    "not_json": b"alert!",
    "form": b"message=m&alert_type=critical",
    "array": b"[" + GOOD_TEXT + b"]",
    "string": b'"message"',
    "number": b"5",
    "null": b"null",
    "true": b"true",
    "truncated": GOOD_TEXT[:-1],
    "truncated_string": GOOD_TEXT[:14],
    "trailing": GOOD_TEXT + b"x",
    "two": GOOD_TEXT + GOOD_TEXT,
    "trailing_comma": b'{"message": "m", "alert_type": "info",}',
    "single_quotes": b"{'message': 'm', 'alert_type': 'info'}",
    "comment": b'{"message": "m", /* x */ "alert_type": "info"}',
    "nan": with_value(b"NaN"),
    "infinity": with_value(b"Infinity"),
    "leading_zero": with_value(b"01"),
    "raw_control": with_message(b'"a\x01b"'),
    "raw_newline": with_message(b'"a\nb"'),
    "bad_escape": with_message(b'"\\x41"'),
    "short_escape": with_message(b'"\\u12"'),
    "nested_objects": b'{"a":' * 10000 + b"1" + b"}" * 10000,
    "nested_arrays": with_value(b"[" * 10000 + b"]" * 10000),
    "nested_unclosed": b'{"a":' * 10000,
    "overlong_slash": with_message(b'"\xc0\xaf"'),
    "overlong_nul": with_message(b'"\xe0\x80\x80"'),
    "utf8_surrogate": with_message(b'"\xed\xa0\x80"'),
    "beyond_unicode": with_message(b'"\xf4\x90\x80\x80"'),
    "never_utf8": with_message(b'"\xff"'),
    "cut_utf8": with_message(b'"\xe2\x82"'),
    "latin1": with_message(b'"caf\xe9"'),
    "bad_utf8_in_key": b'{"message": "m", "alert_type": "info", "\xff": 1}',
    "bad_utf8_in_payload": with_value(b'"\xc0\x80"'),
    "message_missing": b'{"alert_type": "critical"}',
    "message_null": with_message(b"null"),
    "message_empty": with_message(b'""'),
    "message_object": with_message(b'{"text": "m"}'),
    "message_array": with_message(b'["m"]'),
    "type_missing": b'{"message": "m"}',
    "type_null": with_type(b"null"),
    "type_empty": with_type(b'""'),
    "type_unknown": with_type(b'"fatal"'),
    "type_number": with_type(b"3"),
    "type_object": with_type(b'{"is": "critical"}'),
    "type_array": with_type(b'["critical"]'),
    "no_fields": b"{}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_refused(gateway, name):
    """§3: 400 with error and detail; the same connection goes on."""
    before = gateway.rows()
    with gateway.connect() as connection:
        answer = connection.request("POST", ingest(), REFUSED[name])
        assert answer.status == 400
        assert answer.header("Content-Type") == "application/json"
        told = answer.json()
        assert list(told) == ["error", "detail"]
        assert told["error"] == "This request can not be processed."
        assert isinstance(told["detail"], str) and told["detail"]
        after = gateway.rows()
        assert (after["traces"], after["incidents"]) == (before["traces"], before["incidents"])
        healthy(gateway, connection)


@pytest.mark.parametrize("name, word", [
    ("message_missing", "message"), ("message_null", "message"), ("message_empty", "message"),
    ("message_object", "message"), ("type_missing", "alert_type"), ("type_null", "alert_type"),
    ("type_unknown", "alert_type"), ("type_number", "alert_type")])
def test_bad_input_names_the_field(gateway, name, word):
    """§3: the detail says which field."""
    assert word in gateway.post(REFUSED[name]).json()["detail"]


ACCEPTED = {
    "huge_number": (with_value(b"1e400"), "m"),
    "huge_number_message": (with_message(b"1e400"), "1e400"),
    "tiny_number": (with_value(b"1e-400"), "m"),
    "long_number": (with_message(b"1234567890123456789012345678901234567890"),
                    "1234567890123456789012345678901234567890"),
    "lone_high": (with_message(b'"cut \\ud83d"'), "cut \ufffd"),
    "lone_low": (with_message(b'"\\ude00 cut"'), "\ufffd cut"),
    "high_then_letter": (with_message(b'"\\ud83d\\u0041"'), "\ufffdA"),
    "swapped_pair": (with_message(b'"\\ude00\\ud83d"'), "\ufffd\ufffd"),
    "whole_pair": (with_message(b'"\\ud83d\\ude00"'), "\U0001f600"),
    "escaped_nul": (with_message(b'"a\\u0000b"'), "a\0b"),
    "escaped_controls": (with_message(b'"\\u0001\\u001f\\u007f"'), "\x01\x1f\x7f"),
    "nul_in_payload": (with_value(b'"\\u0000"'), "m"),
    "nul_in_key": (b'{"message": "m", "alert_type": "critical", "\\u0000": 1}', "m"),
    "duplicate_message": (b'{"message": "a", "message": "b", "alert_type": "critical"}', "b"),
    "duplicate_type": (b'{"alert_type": "info", "message": "m", "alert_type": "critical"}', "m"),
    "duplicate_bad_first": (b'{"message": {}, "message": "b", "alert_type": "critical"}', "b"),
    "empty_key": (b'{"message": "m", "alert_type": "critical", "": 1}', "m"),
    "byte_order_mark": (b"\xef\xbb\xbf" + with_message(b'"m"'), "m"),
    "nested_a_little": (with_value(b"[" * 20 + b"]" * 20), "m"),
    "many_keys": (b'{"message": "m", "alert_type": "critical"' +
                  b"".join(b', "k%d": 1' % i for i in range(5000)) + b"}", "m"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_bad_input_accepted(gateway, name):
    """§3: numbers outside a double's range, lone surrogates, U+0000, duplicate keys."""
    body, title = ACCEPTED[name]
    with gateway.connect() as connection:
        answer = connection.request("POST", ingest(), body)
        assert answer.status == 200
        status = gateway.settled(answer.json()["trace_id"])
        assert gateway.incident(status["incident"]["incident_number"])["title"] == title
        healthy(gateway, connection)


@pytest.mark.parametrize("body", [
    b'{"message": "a", "message": null, "alert_type": "critical"}',
    b'{"message": "a", "alert_type": "critical", "alert_type": "fatal"}'])
def test_bad_input_duplicate_bad_last(gateway, body):
    """§3: the last one counts, also when it is the wrong one."""
    assert gateway.post(body).status == 400


WRONG = [
    ("summary", {}), ("summary", []), ("summary", None),
    ("suppressed", 5), ("suppressed", "maybe"), ("suppressed", {}), ("suppressed", None),
    ("payload", "text"), ("payload", [1]), ("payload", 5), ("payload", None),
    ("urls", "https://example.org/"), ("urls", 5), ("urls", {}), ("urls", [5, None, {}, []]),
    ("sla", 5), ("sla", "nonsense"), ("sla", {}), ("escalation_policy", 5),
    ("escalation_policy", "nonsense"), ("escalation_policy", []), ("priority", 5),
    ("priority", "high"), ("priority", {}),
    ("tags", "tag"), ("tags", {}), ("tags", 5), ("tags", [1, None, {}, []]),
    ("stakeholders", "me"), ("stakeholders", []), ("stakeholders", {"users": 5}),
    ("stakeholders_comms", 5), ("stakeholders_comms", []), ("stakeholder_comms", "x")]


@pytest.mark.parametrize("field, value", WRONG)
def test_bad_input_optional_field(gateway, field, value):
    """§3: an optional field of a wrong type is ignored, never refused."""
    with gateway.connect() as connection:
        answer = connection.request("POST", ingest(), {**GOOD, field: value})
        assert answer.status == 200
        status = gateway.settled(answer.json()["trace_id"])
        assert status["is_incident_created"] is True and status["suppressed"] is False
        incident = gateway.incident(status["incident"]["unique_id"])
        assert incident["summary"] == ""
        assert [incident[k] for k in ("sla", "escalation_policy", "team_priority")] == [None] * 3
        healthy(gateway, connection)


def healthy(gateway, connection):
    """A good alert on the same connection is accepted and applied."""
    answer = connection.request("POST", ingest(), GOOD)
    assert answer.status == 200
    assert gateway.settled(answer.json()["trace_id"])["is_incident_created"] is True


def test_bad_input_too_large_by_length(gateway):
    """§3: 413 from the Content-Length alone, before a byte of the body."""
    head = request("POST", ingest(), headers={"Content-Length": LIMIT + 1})
    with gateway.connect() as connection:
        connection.send(head)
        assert connection.read().status == 413
        assert connection.read_closed() == b""
    assert gateway.post(GOOD).status == 200


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
def test_bad_input_largest(gateway, size):
    """§10: a body of limits.body bytes is taken."""
    fill = b"x" * (size - len(GOOD_TEXT) - len(b', "fill": ""'))
    body = GOOD_TEXT[:-1] + b', "fill": "' + fill + b'"}'
    assert len(body) == size
    assert gateway.post(body).status == 200


def test_bad_input_values(gateway):
    """§1.5, §10: a body of limits.values values is taken, with one more it is not, wherever they are."""
    def post(count, path=ingest()):
        return gateway.request("POST", path, GOOD_TEXT[:-1] + b', "x": [' + b"1," * (count - 5) + b"1]}")
    assert post(20000).status == 200  # with the object, message, alert_type and x
    answer = post(20001)
    assert answer.status == 400
    assert "more than 20000 values (limits.values)" in answer.json()["detail"]
    assert post(20001, "/api/incidents/filter/").status == 400


def test_bad_input_long_key(gateway):
    """§3: a key of 1 MiB is over the limit."""
    body = b'{"' + b"k" * (1 << 20) + b'": 1}'
    with gateway.connect() as connection:
        connection.send(request("POST", ingest(), headers={"Content-Length": len(body)}))
        assert connection.read().status == 413
    assert gateway.post(GOOD).status == 200


def test_bad_input_too_large_by_chunks(gateway):
    """§3: 413 as soon as the chunks exceed the limit."""
    head = request("POST", ingest(), headers={"Transfer-Encoding": "chunked"})
    with gateway.connect() as connection:
        connection.send(head + chunked([b" " * 65536] * 8)[:-len(b"0\r\n\r\n")])
        connection.send(b"1\r\nx\r\n")
        assert connection.read().status == 413
        connection.read_closed()
    assert gateway.post(GOOD).status == 200


def test_bad_input_too_large_streaming(gateway):
    """§3, §1.5: one that never stops sending is cut off, and costs no memory."""
    before = gateway.memory()
    head = request("POST", ingest(), headers={"Transfer-Encoding": "chunked"})
    with gateway.connect() as connection:
        connection.send(head)
        with pytest.raises(OSError):
            for _ in range(2000):
                connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert gateway.memory() - before < 16 << 20
    assert gateway.post(GOOD).status == 200


@pytest.mark.parametrize("parts", [
    [GOOD_TEXT], [GOOD_TEXT[i:i + 1] for i in range(len(GOOD_TEXT))],
    [GOOD_TEXT[:7], GOOD_TEXT[7:20], GOOD_TEXT[20:]]], ids=["one", "bytes", "three"])
def test_bad_input_chunked(gateway, parts):
    """§3: a chunked body is accepted."""
    head = request("POST", ingest(), headers={"Transfer-Encoding": "chunked"})
    with gateway.connect() as connection:
        connection.send(head + chunked(parts))
        assert connection.read().status == 200
        healthy(gateway, connection)


def test_bad_input_chunk_extras(gateway):
    """§3: chunk extensions and trailers are read over."""
    body = b"%x;name=value\r\n%s\r\n0;last\r\nX-Trailer: t\r\n\r\n" % (len(GOOD_TEXT), GOOD_TEXT)
    head = request("POST", ingest(), headers={"Transfer-Encoding": "chunked"})
    with gateway.connect() as connection:
        connection.send(head + body)
        assert connection.read().status == 200
        healthy(gateway, connection)


def test_bad_input_aborted(gateway):
    """§1.1: a body whose sender went away leaves nothing."""
    before = gateway.rows()["traces"]
    for cut in (1, len(GOOD_TEXT) // 2, len(GOOD_TEXT) - 1):
        with Connection(gateway.address) as connection:
            connection.send(request("POST", ingest(), GOOD)[:-cut])
    assert gateway.post(GOOD).status == 200
    assert gateway.rows()["traces"] == before + 1
