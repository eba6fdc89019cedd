"""The PagerTree webhook: answers, events, fields (CONTRACT §6)."""

import json
import re

import pytest

from gateway import KEY, integration, until, webhook
from scrape import scrape

TREE, LOW, GUARDED, CAPTURING = "int_tree00001", "int_low000001", "int_guard0001", "int_capture01"
NEVER, OFF, ASLEEP, PATCHED = "int_never0001", "int_off000001", "int_asleep001", "int_patched01"
TOKEN = "tree-token-6661"
CREATE = {"event_type": "create", "Title": "disk full"}
UUID = r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"


def tree(name, key, **more):
    return integration(name, key, type="pagertree", **more)


@pytest.fixture(scope="module")
def gateway(make_shared):
    awake = {"name": "Payments", "integrations": [
        integration(), tree("Tree", TREE), tree("Low", LOW, default_urgency="low"),
        tree("Guarded", GUARDED, token=TOKEN),
        tree("Capturing", CAPTURING, capture_additional_data=True),
        tree("Never", NEVER, create_incidents_for="none"),
        tree("Off", OFF, enabled=False), tree("Off too", "int_off000002", enabled=False, token=TOKEN)]}
    asleep = {"name": "Asleep", "enabled": False, "integrations": [tree("Tree", ASLEEP)]}
    return make_shared.gateway(services=[awake, asleep])


def post(gateway, body, key=TREE, headers=(), path="/integration/%s"):
    return gateway.request("POST", path % key, body, headers)


def bare(answer, status):
    """That the answer is that status and nothing else."""
    assert answer.status == status, answer
    assert answer.body == b""
    assert answer.header("Content-Length") == "0"
    assert answer.header("Content-Type") is None
    return answer


def accepted(gateway, key=TREE, headers=(), **body):
    """POSTs what must be accepted and recorded; what became of it."""
    answer = bare(post(gateway, body, key, headers), 200)
    return gateway.settled(answer.header("X-Trace-Id"))


def created(gateway, key=TREE, **fields):
    """The incident of a create that must open one."""
    status = accepted(gateway, key, **{**CREATE, **fields})
    assert status["is_incident_created"], status
    return gateway.incident(status["incident"]["incident_number"])


def ignored(gateway, body, key=TREE):
    """That it is answered 200, logged with a reason, counted, and nothing else; the reason."""
    mark, rows = gateway.mark(), gateway.rows()
    before = sum(scrape(gateway).all("alerts_ignored_total").values())
    answer = bare(post(gateway, body, key), 200)
    assert answer.header("X-Trace-Id") is None
    line = gateway.wait_log("alert.rejected", since=mark)
    assert gateway.rows() == rows
    assert line["http.response.status_code"] == 200 and line["labels.integration"]
    assert sum(scrape(gateway).all("alerts_ignored_total").values()) == before + 1
    return line["error.message"]


# Answers.

@pytest.mark.parametrize("path", ["/integration/%s", "/integration/%s/", "/integration/%s?x=1"])
def test_pagertree_paths(gateway, path):
    """§2, §6: with and without a slash; 200, an empty body, the trace id in a header."""
    answer = bare(post(gateway, CREATE, path=path), 200)
    assert re.fullmatch(UUID, answer.header("X-Trace-Id"))
    assert gateway.settled(answer.header("X-Trace-Id"))["status"] == "completed"


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", None])
def test_pagertree_content_type(gateway, content_type):
    """§3: JSON whatever the Content-Type says."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert accepted(gateway, headers=headers, **CREATE)["status"] == "completed"


@pytest.mark.parametrize("key", ["int_unknown01", KEY, TREE.upper(), TREE[:-1], TREE + "1", "x"])
def test_pagertree_unknown(gateway, key):
    """§6: 404: no such integration, or of another type."""
    bare(post(gateway, CREATE, key), 404)


def test_pagertree_key_of_its_own(gateway):
    """§3, §6: its key opens no other door."""
    assert gateway.post({"message": "m", "alert_type": "info"}, key=TREE).status == 404


@pytest.mark.parametrize("key", [OFF, ASLEEP])
def test_pagertree_disabled(gateway, key):
    """§6: 405, and as RFC 9110 has it: an Allow that allows nothing."""
    rows = gateway.rows()
    assert bare(post(gateway, CREATE, key), 405).header("Allow") == ""
    assert gateway.rows() == rows
    line = gateway.wait_log("alert.rejected", http__response__status_code=405)
    assert line["error.message"] == "disabled"


def test_pagertree_method(gateway):
    """§2: another method is 405 with Allow."""
    answer = gateway.get("/integration/" + TREE)
    assert answer.status == 405 and answer.header("Allow") == "POST"


BAD_BODIES = {
    "nothing": b"", "text": b"create", "form": b"event_type=create&Title=t", "cut": b'{"event_type"',
    "array": [CREATE], "string": "create", "null": b"null", "not_utf8": b'{"Title": "\xff"}',
    "deep": b'{"event_type": "create", "Title": "t", "x": ' + b"[" * 40 + b"]" * 40 + b"}",
    "no_title": {"event_type": "create", "Id": "x"}, "title_null": {**CREATE, "Title": None},
    "title_empty": {**CREATE, "Title": " "}, "title_object": {**CREATE, "Title": {}}}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_pagertree_bad_body(gateway, name):
    """§6: 400, an empty body, and a reason in the log; not a JSON object, create without Title."""
    mark, rows = gateway.mark(), gateway.rows()
    bare(post(gateway, BAD_BODIES[name]), 400)
    line = gateway.wait_log("alert.rejected", since=mark)
    assert line["error.message"] and line["labels.integration"] == "Tree"
    assert gateway.rows() == rows


@pytest.mark.parametrize("chunked", [False, True])
def test_pagertree_too_large(make, chunked):
    """§6: 413, an empty body; the next connection is served."""
    gateway = make.gateway(integrations=[tree("Tree", TREE)], limits={"body": "1KiB"})
    body = json.dumps({**CREATE, "Description": "x" * 2000}).encode()
    head = "POST /integration/%s HTTP/1.1\r\nHost: x\r\n" % TREE
    with gateway.connect() as connection:
        if chunked:
            connection.send(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body)
        else:
            connection.send(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body))
        bare(connection.read(), 413)
    assert accepted(gateway, **CREATE)["status"] == "completed"
    with gateway.connect() as connection:
        connection.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
        assert "detail" in connection.read().json()


def test_pagertree_not_stored(make):
    """§6: 503 with Retry-After and an empty body where the commit fails; nothing was changed."""
    gateway = make.gateway(integrations=[tree("Tree", TREE)])
    rows = gateway.rows()
    gateway.fail_commit()
    with gateway.connect() as connection:
        answer = bare(connection.request("POST", "/integration/" + TREE, CREATE), 503)
        assert int(answer.header("Retry-After")) > 0
        assert answer.header("X-Trace-Id") is None
        assert gateway.rows() == rows
        connection.send(b"nonsense\r\n\r\n")
        assert "detail" in connection.read().json()
    assert created(gateway)["incident_number"] == 1


def test_pagertree_durable(make):
    """§1.1: answered 200 is on disk."""
    gateway = make.gateway(integrations=[tree("Tree", TREE)])
    trace = bare(post(gateway, {**CREATE, "Id": "x"}), 200).header("X-Trace-Id")
    gateway.kill9()
    gateway.start()
    assert gateway.settled(trace)["is_incident_created"]
    assert accepted(gateway, event_type="resolve", Id="x")["incident"]["incident_number"] == 1


# The token.

@pytest.mark.parametrize("given", [
    None, "", "x", TOKEN[:-1], TOKEN + "1", TOKEN.upper(), TOKEN[:-1] + "2", "Token " + TOKEN])
def test_pagertree_token_wrong(gateway, given):
    """§6: 403, an empty body, nothing stored, no word of it in the log."""
    mark, rows = gateway.mark(), gateway.rows()
    headers = {} if given is None else {"pagertree-token": given}
    bare(post(gateway, CREATE, GUARDED, headers), 403)
    line = gateway.wait_log("alert.rejected", since=mark)
    assert line["labels.integration"] == "Guarded"
    assert gateway.rows() == rows
    assert not [text for text in gateway.log.lines[mark:] if b"6661" in text]


@pytest.mark.parametrize("name", ["pagertree-token", "PagerTree-Token", "PAGERTREE-TOKEN"])
def test_pagertree_token_right(gateway, name):
    """§6: the header's name in any case."""
    status = accepted(gateway, GUARDED, {name: TOKEN}, **CREATE)
    assert status["is_incident_created"]


def test_pagertree_token_not_asked_for(gateway):
    """§6: where there is none, any is as good."""
    assert accepted(gateway, headers={"pagertree-token": "x"}, **CREATE)["status"] == "completed"


def test_pagertree_token_before_disabled(gateway):
    """§6: who does not know the token is not told that the integration is disabled."""
    bare(post(gateway, CREATE, "int_off000002"), 403)
    bare(post(gateway, CREATE, "int_off000002", {"pagertree-token": TOKEN}), 405)


# Events.

def test_pagertree_life(make):
    """§6: create, acknowledge, resolve are the events of one incident; then a new one."""
    receiver = make.receiver()
    gateway = make.gateway(integrations=[tree("Tree", TREE)],
                           webhooks=[webhook("ops", receiver.url())])
    for event_type in ("create", "acknowledge", "resolve", "create"):
        accepted(gateway, event_type=event_type, Id="db-7", Title="disk full",
                 Description="of db-7")
    requests = receiver.wait(4)
    assert [r.event for r in requests if r.number == 1] == ["triggered", "acknowledged", "resolved"]
    assert [r.event for r in requests if r.number == 2] == ["triggered"]
    incident = requests[0].incident
    assert incident["title"] == "disk full" and incident["summary"] == "of db-7"
    assert incident["incident_key"] == "db-7" and incident["urgency"] == 1


@pytest.mark.parametrize("event_type", [" create ", "CREATE", "Create\n"])
def test_pagertree_event_type_case(gateway, event_type):
    """§6: trimmed, in any case."""
    assert accepted(gateway, event_type=event_type, Title="t")["is_incident_created"]


@pytest.mark.parametrize("event_type", [
    "trigger", "resolved", "acknowledged", "create resolve", "", "open", 1, None, ["create"]])
def test_pagertree_event_type_other(gateway, event_type):
    """§6: any other value: 200, logged, nothing else."""
    assert ignored(gateway, {"event_type": event_type, "Id": "x", "Title": "t"}).startswith("event_type")


def test_pagertree_event_type_missing(gateway):
    """§6: none at all is another value too."""
    assert ignored(gateway, {"Title": "t", "Id": "x"}) == "event_type is missing"


@pytest.mark.parametrize("event_type", ["acknowledge", "resolve"])
def test_pagertree_without_id(gateway, event_type):
    """§6: nothing to act on: 200, logged, nothing else."""
    for body in ({}, {"Id": None}, {"Id": ""}, {"Id": ["x"]}):
        assert ignored(gateway, {"event_type": event_type, **body}).startswith("Id")


@pytest.mark.parametrize("event_type", ["acknowledge", "resolve"])
def test_pagertree_unknown_id(gateway, event_type):
    """§6: 200; the alert is recorded alone."""
    status = accepted(gateway, event_type=event_type, Id="nobody knows")
    assert status["status"] == "completed" and status["incident"] is None


def test_pagertree_create_again(gateway):
    """§5, §6: joins while it is open or acknowledged, and is a new incident once it is resolved."""
    first = accepted(gateway, **CREATE, Id="again")["incident"]
    joined = accepted(gateway, **CREATE, Id="again")
    assert joined["incident"] == first and not joined["is_incident_created"]
    accepted(gateway, event_type="acknowledge", Id="again")
    assert accepted(gateway, **CREATE, Id="again")["incident"] == first
    assert gateway.incident(first["incident_number"])["status"] == 2
    accepted(gateway, event_type="resolve", Id="again")
    assert accepted(gateway, **CREATE, Id="again")["incident"] != first


def test_pagertree_resolve_unacknowledged(gateway):
    """§5: resolve needs no acknowledge before it."""
    number = created(gateway, Id="direct")["incident_number"]
    accepted(gateway, event_type="resolve", Id="direct")
    assert gateway.incident(number)["status"] == 3


def test_pagertree_ids_apart(gateway):
    """§5: an Id is known to its own integration only."""
    created(gateway, Id="shared")
    for key in (LOW, CAPTURING):
        assert accepted(gateway, key, event_type="resolve", Id="shared")["incident"] is None
    assert gateway.alert("resolved", entity_id="shared")["incident"] is None
    assert accepted(gateway, event_type="resolve", Id="shared")["incident"]


def test_pagertree_create_incidents_for(gateway):
    """§6: create opens one whatever create_incidents_for says."""
    assert created(gateway, NEVER)["status"] == 1


def test_pagertree_maintenance(make):
    """§5, §6: 200, the trace tells; acknowledge and resolve still act on an open incident."""
    gateway = make.gateway(integrations=[tree("Tree", TREE)], service={"name": "Payments"})
    number = created(gateway, Id="before")["incident_number"]
    gateway.conf["services"][0]["under_maintenance"] = True
    gateway.restart()
    assert accepted(gateway, **CREATE, Id="new") == {
        "status": "failed", "error": "Your service is under maintenance"}
    assert accepted(gateway, event_type="resolve", Id="before")["status"] == "completed"
    assert gateway.incident(number)["status"] == 3


def test_pagertree_paused(make):
    """§5: accepted while applying is paused; applied afterwards, in order."""
    gateway = make.gateway(integrations=[tree("Tree", TREE)])
    assert gateway.request("POST", "/-/pause").status == 200
    traces = [bare(post(gateway, {**CREATE, "event_type": event, "Id": "x", "Tags": ["a"]}), 200)
              .header("X-Trace-Id") for event in ("create", "resolve")]
    assert [gateway.status(trace) for trace in traces] == [{"status": "queued"}] * 2
    assert gateway.request("POST", "/-/resume").status == 200
    assert gateway.settled(traces[0])["is_incident_created"]
    gateway.settled(traces[1])
    incident = gateway.incident(1)
    assert incident["status"] == 3 and incident["tags"] == ["a"]


# Fields.

@pytest.mark.parametrize("fields, key", [
    ({"Id": "x"}, "x"), ({"id": "y"}, "y"), ({"ID": "z"}, "z"), ({"Id": 7}, "7"),
    ({"id": 1.50}, "1.5"), ({"Id": "1", "id": "2"}, "2"), ({"id": "3", "Id": "4"}, "4")])
def test_pagertree_id(make, fields, key):
    """§6: a string or a number, the key in any case; of several the last in the document."""
    gateway = make.gateway(integrations=[tree("Tree", TREE)])
    assert created(gateway, **fields)["incident_key"] == key
    assert accepted(gateway, event_type="resolve", Id=key)["incident"]["incident_number"] == 1


@pytest.mark.parametrize("fields", [{}, {"Id": None}, {"Id": ""}])
def test_pagertree_id_made(gateway, fields):
    """§6: none on create: a new UUID, each time."""
    keys = [created(gateway, **fields)["incident_key"] for _ in range(2)]
    assert keys[0] != keys[1]
    assert all(re.fullmatch(UUID, key) for key in keys)


def test_pagertree_id_number_and_text(gateway):
    """§6: 77 and "77" are one Id."""
    number = created(gateway, Id=77)["incident_number"]
    assert accepted(gateway, event_type="resolve", id="77")["incident"]["incident_number"] == number


@pytest.mark.parametrize("fields, title, summary", [
    ({"Title": "T", "Description": "D"}, "T", "D"), ({"Title": "T"}, "T", ""),
    ({"title": "t", "description": "d"}, "t", "d"), ({"TITLE": 5, "DESCRIPTION": True}, "5", "true"),
    ({"Title": "T", "Description": None}, "T", ""), ({"Title": "T", "Description": {}}, "T", ""),
    ({"Title": "dé\U0001f600", "Description": "<b>\n</b>"}, "dé\U0001f600", "<b>\n</b>")])
def test_pagertree_title(gateway, fields, title, summary):
    """§6: Title is the message, Description the summary, default ""."""
    status = accepted(gateway, event_type="create", **fields)
    incident = gateway.incident(status["incident"]["incident_number"])
    assert (incident["title"], incident["summary"]) == (title, summary)


@pytest.mark.parametrize("tags, kept", [
    (["a", "b", "c"], ["a", "b", "c"]), (["b", "a", "b", "a"], ["b", "a"]), (["", " ", "\n"], []),
    ([1, 2.50, True, "1"], ["1", "2.5", "true"]), ("one", ["one"]), (7, ["7"]), (None, []),
    ({"a": 1}, []), ([None, ["x"], {"x": 1}, "x"], ["x"])])
def test_pagertree_tags(gateway, tags, kept):
    """§6: an array or a scalar, blanks dropped, made strings, no repeats."""
    assert created(gateway, Tags=tags)["tags"] == kept


@pytest.mark.parametrize("urgency, high", [
    ("critical", 1), ("high", 1), ("medium", 0), ("low", 0), ("CRITICAL", 1), ("sev-High!", 1),
    ("low to critical", 1), ("silent", None), ("", None), (5, None), (None, None), ({}, None)])
def test_pagertree_urgency(gateway, urgency, high):
    """§6: the first of critical, high, medium, low that is in its text; else the default's."""
    for key, default in ((TREE, 1), (LOW, 0)):
        got = created(gateway, key, Urgency=urgency)["urgency"]
        assert got == (default if high is None else high)


def test_pagertree_urgency_absent(gateway):
    """§6: absent: the integration's default_urgency."""
    assert created(gateway)["urgency"] == 1
    assert created(gateway, LOW)["urgency"] == 0


def kept(gateway, number):
    """What the API shows of an incident's first alert."""
    return gateway.get("/api/incidents/%d/alerts/" % number).json()[0]


@pytest.mark.parametrize("meta, shown", [
    ({"incident": True, "incident_severity": "SEV-1", "incident_message": "call 1"},) * 2,
    ({"incident": "false", "incident_severity": "SEV-UNKNOWN", "Zone": {"a": [1]}},) * 2,
    ({}, {}), ([1], None), ("x", None), (None, None), (7, None)])
def test_pagertree_meta(gateway, meta, shown):
    """§6: an object, kept as it is, its keys with their case; anything else is left out."""
    payload = kept(gateway, created(gateway, Meta=meta)["incident_number"])["payload"]
    assert payload == ({} if shown is None else {"meta": shown})


def test_pagertree_kept(gateway):
    """§6: the alert as it is shown: Title, Description, Id, and the rest as its payload."""
    number = created(gateway, Id=7, Description="d", Tags=["a", "a", ""], Meta={"incident": True},
                     urgency="low")["incident_number"]
    alert = kept(gateway, number)
    assert (alert["message"], alert["summary"], alert["entity_id"]) == ("disk full", "d", "7")
    assert alert["alert_type"] == "3" and alert["integration_object"]["name"] == "Tree"
    assert alert["payload"] == {"tags": ["a"], "meta": {"incident": True}, "urgency": "low"}


def test_pagertree_capture(gateway):
    """§6: further keys are kept only where capture_additional_data is true, in lower case."""
    more = {"Monitor": {"Name": "web", "up": [False]}, "message": "own", "dedup_keys": ["x"], "n": 1.5}
    assert kept(gateway, created(gateway, **more)["incident_number"])["payload"] == {}
    alert = kept(gateway, created(gateway, CAPTURING, **more)["incident_number"])
    assert alert["message"] == "disk full"
    assert alert["payload"] == {"monitor": {"Name": "web", "up": [False]}, "message": "own",
                                "dedup_keys": ["x"], "n": 1.5}


def test_pagertree_capture_case(gateway):
    """§6: of keys that differ by case only, the last one in the document counts."""
    body = b'{"event_type": "create", "TITLE": "first", "title": "last", "Zone": 1, "zONE": 2}'
    trace = bare(post(gateway, body, CAPTURING), 200).header("X-Trace-Id")
    alert = kept(gateway, gateway.settled(trace)["incident"]["incident_number"])
    assert (alert["message"], alert["payload"]) == ("last", {"zone": 2})


def test_pagertree_accepted_line(gateway):
    """§12: an accepted one is logged as every alert is."""
    mark = gateway.mark()
    trace = bare(post(gateway, CREATE), 200).header("X-Trace-Id")
    until(lambda: gateway.logged("alert.applied", mark, trace__id=trace), what="alert.applied")
    assert gateway.logged("alert.accepted", mark, trace__id=trace)[0]["labels.integration"] == "Tree"
