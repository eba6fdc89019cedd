"""Notes on incidents (CONTRACT §2)."""

import datetime

import pytest

from gateway import until
from vendor import (HEADER, ID22, NOTE_KEYS, READING, SERVICE, TOKENS, change, create, listed,
                    pages, parse, refused, target)


def post(gateway, which, note, headers=()):
    return gateway.request("POST", "/api/incidents/%s/note/" % which, note, headers)


def write(gateway, which, text, headers=()):
    response = post(gateway, which, {"note": text}, headers)
    assert response.status == 201, response
    return response.json()


def notes(gateway, which, query=""):
    return listed(gateway.get("/api/incidents/%s/note/%s" % (which, query)))


@pytest.fixture(scope="module")
def gateway(make_shared):
    """Incident 1 has 23 notes, incident 2 has one, incident 3 none."""
    gateway = make_shared.gateway(service={"unique_id": SERVICE})
    for _ in range(3):
        create(gateway)
    for i in range(23):
        write(gateway, 1, "note %d" % i)
    write(gateway, 2, "another")
    return gateway


def test_notes_object(make):
    """§2: the vendor's keys in its order; user is the token's name."""
    gateway = make.gateway(service={"unique_id": SERVICE}, tokens=TOKENS)
    unique_id = create(gateway, headers=HEADER)["unique_id"]
    note = write(gateway, unique_id, "caf\u00e9\n\"quoted\" \U0001f600", HEADER)
    assert list(note) == NOTE_KEYS
    assert note["incident"] == 1 and note["note"] == "caf\u00e9\n\"quoted\" \U0001f600"
    assert note["user"] == note["user_name"] == "ops"
    assert ID22.fullmatch(note["unique_id"])
    age = datetime.datetime.utcnow() - parse(note["creation_date"])
    assert abs(age) < datetime.timedelta(minutes=5)
    page = listed(gateway.get("/api/incidents/1/note/", READING))
    assert page == {"results": [note], "next": None, "previous": None, "count": 1}
    assert post(gateway, 1, {"note": "n"}, READING).status == 403
    assert post(gateway, 1, {"note": "n"}).status == 401


def test_notes_without_tokens(gateway):
    """§2: nobody is named where nobody said who it is."""
    note, = notes(gateway, 2)["results"]
    assert note["user"] is None and note["user_name"] == ""
    assert notes(gateway, 3) == {"results": [], "next": None, "previous": None, "count": 0}


def test_notes_oldest_first(gateway):
    """§2: in the order in which they were written, each with an id of its own."""
    page = notes(gateway, 1)
    assert [note["note"] for note in page["results"]] == ["note %d" % i for i in range(23)]
    assert page["count"] == 23 and len({note["unique_id"] for note in page["results"]}) == 23
    assert {note["incident"] for note in page["results"]} == {1}


@pytest.mark.parametrize("limit", [1, 5, 22, 23, 24])
def test_notes_pages(gateway, limit):
    """§2: next and previous lead through them; numbers are pages too."""
    found = pages(gateway.get, "/api/incidents/1/note/?limit=%d" % limit)
    seen = [note["note"] for page in found for note in page["results"]]
    assert seen == ["note %d" % i for i in range(23)]
    for i, page in enumerate(found):
        assert notes(gateway, 1, "?page=%d&page_size=%d" % (i + 1, limit)) == page
    page = found[-1]
    for earlier in reversed(found[:-1]):
        page = listed(gateway.get(target(page["previous"])))
        assert page["results"] == earlier["results"]
    assert page["previous"] is None


def test_notes_long(make):
    """§2: 64 KiB, no byte more; a page of long ones ends early."""
    gateway = make.gateway(service={"unique_id": SERVICE})
    create(gateway)
    for _ in range(9):
        write(gateway, 1, "\x7f" * 65536)
    refused(post(gateway, 1, {"note": "n" * 65537}), "note")
    refused(post(gateway, 1, {"note": "\u00e9" * 32769}), "note")
    found = pages(gateway.get, "/api/incidents/1/note")
    assert [len(page["results"]) for page in found] == [3, 3, 3]


@pytest.mark.parametrize("body, field", [
    ({}, "note"), ({"note": None}, "note"), ({"note": ""}, "note"), ({"note": 7}, "note"),
    ({"note": ["n"]}, "note"), ({"text": "n"}, "note"), ([], "body"), (b"", "body"),
    (b"{", "body"), (b"note", "body")])
def test_notes_wrong(gateway, body, field):
    """§2: refused by name, and nothing is written."""
    refused(post(gateway, 3, body), field)
    assert notes(gateway, 3)["count"] == 0


def test_notes_of_a_resolved_incident(make):
    """§2: they may be written to the end, change nothing else, and go with the incident."""
    gateway = make.gateway(service={"unique_id": SERVICE}, retention={"incident": "1h"})
    create(gateway)
    before = change(gateway, 1, status=3)
    write(gateway, 1, "post mortem")
    assert gateway.incident(1) == before
    gateway.advance(3700)
    until(lambda: gateway.rows()["incidents"] == 0)
    assert gateway.rows()["notes"] == 0
    assert gateway.get("/api/incidents/1/note").status == 404


def test_notes_survive_kill9(make):
    """§1.1: what was answered is on disk."""
    gateway = make.gateway(service={"unique_id": SERVICE})
    create(gateway)
    note = write(gateway, 1, "kept")
    gateway.kill9()
    gateway.start()
    assert notes(gateway, 1)["results"] == [note]
    write(gateway, 1, "later")
    assert [n["note"] for n in notes(gateway, 1)["results"]] == ["kept", "later"]


def test_notes_across_a_clock_step(make):
    """§2: the order is that of writing, whatever the wall clock does."""
    gateway = make.gateway(service={"unique_id": SERVICE})
    create(gateway)
    for i in range(4):
        write(gateway, 1, str(i))
        gateway.step(-3600)
    assert [n["note"] for n in notes(gateway, 1)["results"]] == ["0", "1", "2", "3"]
