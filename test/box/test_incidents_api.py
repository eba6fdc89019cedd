"""The incidents API, read (CONTRACT §2): lists in pages, filters, alerts."""

import datetime
import signal
import urllib.parse

import pytest

from gateway import KEY, OTHER_KEY, ingest, integration, until, webhook
from vendor import (ALERT_KEYS, DATE, HEADER, ID22, IDS, INTEGRATION_KEYS, KEYS, OTHER_SERVICE,
                    READING, SERVICE, SERVICE_KEYS, TEAM, TOKENS, UUID, calmly, change, create,
                    listed, numbers, pages, parse, refused, target)
from wire import flood, request

COUNT = 37


def filtered(gateway, body, query=""):
    return listed(gateway.request("POST", "/api/incidents/filter/" + query, body))


# Every object, key by key.

def test_incidents_keys(make):
    """§2: the vendor's keys in the vendor's order, and of its service."""
    gateway = make.gateway(service={"unique_id": SERVICE, "team": TEAM})
    gateway.opened()
    created = create(gateway)
    for incident in [created] + gateway.get("/api/incidents/").json()["results"]:
        assert list(incident) == KEYS
        assert list(incident["service_object"]) == SERVICE_KEYS
        assert incident["service"] == incident["service_object"]["unique_id"] == SERVICE
        assert incident["service_object"]["team"] == TEAM
    assert created == gateway.incident(2)


# Pages.

@pytest.fixture(scope="module")
def gateway(make_shared):
    """Two services, users, and incidents of all sorts."""
    gateway = make_shared.gateway(start=False)
    gateway.conf["users"] = [{"username": "ada"}, {"username": "bob"}]
    gateway.conf["services"] = [
        {"name": "Payments", "unique_id": SERVICE, "team": TEAM, "integrations": [integration()]},
        {"name": "Search", "unique_id": OTHER_SERVICE,
         "integrations": [integration(key=OTHER_KEY)]}]
    gateway.start()
    for i in range(COUNT):
        status = gateway.settled(gateway.send(
            "critical", key=(KEY, OTHER_KEY)[i % 3 == 0], entity_id="e%d" % i,
            priority=IDS[i % 2], sla=IDS[i % 4], escalation_policy=IDS[i % 5],
            tags=[IDS[7], IDS[i % 6]]))
        number = status["incident"]["incident_number"]
        if i % 4 == 1:
            change(gateway, number, status=2, assigned_to="ada")
        if i % 4 == 2:
            change(gateway, number, status=3, assigned_to="bob")
    return gateway


def everything(gateway):
    return gateway.get("/api/incidents/?limit=500").json()["results"]


@pytest.mark.parametrize("limit", [1, 5, 36, 37, 38])
def test_incidents_next_and_previous(gateway, limit):
    """§2: next shows each incident once; previous leads back the way next came."""
    found = pages(gateway.get, "/api/incidents/?limit=%d" % limit)
    assert sum(map(numbers, found), []) == list(range(COUNT, 0, -1))
    assert {page["count"] for page in found} == {COUNT}
    page = found[-1]
    for earlier in reversed(found[:-1]):
        page = listed(gateway.get(target(page["previous"])))
        assert numbers(page) == numbers(earlier)
    assert page["previous"] is None


@pytest.mark.parametrize("limit", [1, 7, 37])
@pytest.mark.parametrize("name", ["limit", "page_size"])
def test_incidents_numbered_pages(gateway, name, limit):
    """§2: a plain number is that page, as the vendor's clients ask for it."""
    linked = pages(gateway.get, "/api/incidents/?limit=%d" % limit)
    for i, page in enumerate(linked):
        numbered = listed(gateway.get("/api/incidents/?page=%d&%s=%d" % (i + 1, name, limit)))
        assert numbered == page
    behind = listed(gateway.get("/api/incidents/?page=%d&%s=%d" % (len(linked) + 1, name, limit)))
    assert behind["results"] == [] and behind["next"] is None and behind["count"] == COUNT
    last = listed(gateway.get(target(behind["previous"])))
    assert numbers(last) == list(range(min(limit, COUNT), 0, -1))


def test_incidents_far_behind_the_end(gateway):
    """§2: however large the number."""
    for number in (1000, 999999999999999999):
        page = listed(gateway.get("/api/incidents/?page=%d" % number))
        assert page["results"] == [] and page["next"] is None


def test_incidents_keys_of_links(gateway):
    """§2: next carries a key that is no number, behind the public address."""
    page = listed(gateway.get("/api/incidents/?limit=10"))
    parts = urllib.parse.urlsplit(page["next"])
    assert "%s://%s" % (parts.scheme, parts.netloc) == "http://127.0.0.1:8080"
    assert parts.path == "/api/incidents/"
    assert urllib.parse.parse_qs(parts.query) == {"limit": ["10"], "page": ["k27"]}


def test_incidents_pages_while_new_ones_come(make):
    """§2: what comes meanwhile neither repeats an incident nor hides one."""
    gateway = make.gateway()
    for i in range(10):
        gateway.opened(entity_id="a%d" % i)
    page = listed(gateway.get("/api/incidents/?limit=3"))
    seen, first = numbers(page), page
    while page["next"]:
        gateway.opened()
        page = listed(gateway.get(target(page["next"])))
        seen += numbers(page)
    assert seen == list(range(10, 0, -1))
    gateway.opened()
    back = listed(gateway.get(target(first["next"])))
    back = listed(gateway.get(target(back["previous"])))
    assert numbers(back) == numbers(first)
    assert back["previous"]


@pytest.mark.parametrize("method, path, body", [("GET", "/api/incidents?", None),
                                                ("POST", "/api/incidents/filter?", {})])
@pytest.mark.parametrize("query, field", [
    ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"), ("page_size=0", "page_size"),
    ("page_size=many", "page_size"), ("limit=99999999999999999999", "limit"), ("page=0", "page"),
    ("page=-1", "page"), ("page=nonsense", "page"), ("page=k", "page"), ("page=kk1", "page"),
    ("page=1.0", "page"), ("page=99999999999999999999", "page"),
    ("page=01930000-0000-7000-8000-000000000000", "page")])
def test_incidents_bad_query(gateway, method, path, body, query, field):
    """§2: refused, and which parameter it is."""
    refused(gateway.request(method, path + query, body), field)


@pytest.mark.parametrize("query", ["limit=&page=", "x=%zz", "limit=501", "page_size=1000000"])
def test_incidents_odd_query(gateway, query):
    """§2: empty is as if it were not there, unknown is ignored, too many are all there may be."""
    assert numbers(listed(gateway.get("/api/incidents?" + query))) == list(range(COUNT, 0, -1))


def test_incidents_page_ends_at_a_mebibyte(make):
    """§9: a page of long summaries ends early; numbered pages are the same pages all the same."""
    gateway = make.gateway()
    for i in range(9):
        gateway.opened(entity_id="e%d" % i, summary="\x7f" * 60000)
    found = pages(gateway.get, "/api/incidents/")
    sizes = [len(page["results"]) for page in found]
    assert sizes == [3, 3, 3]
    assert sum(map(numbers, found), []) == list(range(9, 0, -1))
    for i, page in enumerate(found):
        response = gateway.get("/api/incidents/?page=%d" % (i + 1))
        assert len(response.body) < 2 << 20
        assert numbers(listed(response)) == numbers(page)


def test_incidents_head(gateway):
    """§2: HEAD is answered like GET, without the body."""
    for path in ("/api/incidents", "/api/incidents/3", "/api/incidents/3/alerts",
                 "/api/incidents/3/note"):
        with gateway.connect() as connection:
            connection.send(request("HEAD", path))
            head = connection.read(bodiless=True)
            assert head.status == 200
            again = connection.request("GET", path)
            assert len(again.body) == int(head.header("Content-Length"))


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "/api/incidents", "GET, HEAD, POST"), ("PUT", "/api/incidents/", "GET, HEAD, POST"),
    ("POST", "/api/incidents/3", "GET, HEAD, PATCH, PUT"),
    ("DELETE", "/api/incidents/3/", "GET, HEAD, PATCH, PUT"),
    ("POST", "/api/incidents/3/alerts", "GET, HEAD"),
    ("PATCH", "/api/incidents/3/note/", "GET, HEAD, POST")])
def test_incidents_methods(gateway, method, path, allowed):
    """§2: known paths, other methods."""
    response = gateway.request(method, path, {})
    assert response.status == 405 and response.header("Allow") == allowed


# Filters.

@pytest.mark.parametrize("body, want", [
    ({"status": 0}, lambda i: True),
    ({"status": -1}, lambda i: i["status"] < 3),
    ({"status": 1}, lambda i: i["status"] == 1),
    ({"status": "2"}, lambda i: i["status"] == 2),
    ({"status": 3}, lambda i: i["status"] == 3),
    ({}, lambda i: i["status"] == 1),
    ({"status": 0, "service_ids": [OTHER_SERVICE]}, lambda i: i["service"] == OTHER_SERVICE),
    ({"status": 0, "service_ids": [OTHER_SERVICE.replace("-", "").upper(), SERVICE]},
     lambda i: True),
    ({"status": 0, "service_ids": [IDS[9]]}, lambda i: False),
    ({"status": 0, "team_ids": [TEAM]}, lambda i: i["service"] == SERVICE),
    ({"status": -1, "user_ids": ["ada"]}, lambda i: i["assigned_to"] == "ada"),
    ({"status": 0, "user_ids": ["bob", "nobody"]}, lambda i: i["assigned_to"] == "bob"),
    ({"status": 0, "priority_ids": [IDS[1]]}, lambda i: i["team_priority"] == IDS[1]),
    ({"status": 0, "sla_ids": [IDS[2], IDS[3]]}, lambda i: i["sla"] in (IDS[2], IDS[3])),
    ({"status": 0, "escalation_policy_ids": [IDS[4]]}, lambda i: i["escalation_policy"] == IDS[4]),
    ({"status": 0, "tag_ids": [IDS[5], IDS[8]]}, lambda i: IDS[5] in i["tags"]),
    ({"status": 0, "tag_ids": [IDS[7]]}, lambda i: True),
    ({"status": 3, "service_ids": [SERVICE], "priority_ids": [IDS[0]]},
     lambda i: i["status"] == 3 and i["service"] == SERVICE and i["team_priority"] == IDS[0]),
    ({"status": 0, "service_ids": [], "user_ids": [], "from_date": [], "to_date": [],
      "tag_ids": None, "priority_name": "", "postmortem_filter": -1, "all_teams": 1, "page": 3,
      "nonsense": {"a": [1]}}, lambda i: True)])
def test_filter(gateway, body, want):
    """§2: each of the vendor's fields, alone and together, in pages of every size."""
    wanted = [i["incident_number"] for i in everything(gateway) if want(i)]
    for limit in (1, 4, 500):
        ask = lambda path: gateway.request("POST", path, body)
        found = pages(ask, "/api/incidents/filter/?limit=%d" % limit)
        assert sum(map(numbers, found), []) == wanted
        assert {page["count"] for page in found} == {len(wanted)}
        for i, page in enumerate(found):
            numbered = ask("/api/incidents/filter?page=%d&page_size=%d" % (i + 1, limit))
            assert listed(numbered) == page
        page = found[-1]
        for earlier in reversed(found[:-1]):
            page = listed(ask(target(page["previous"])))
            assert numbers(page) == numbers(earlier)
        assert page["previous"] is None


def test_filter_links(gateway):
    """§2: they stay with the filter's own address, whose body comes again."""
    page = filtered(gateway, {"status": 0}, "?page=2&page_size=10")
    for link in (page["next"], page["previous"]):
        parts = urllib.parse.urlsplit(link)
        assert parts.path == "/api/incidents/filter/"
        assert urllib.parse.parse_qs(parts.query)["limit"] == ["10"]


def test_filter_dates(gateway):
    """§2: created at from_date or later, and before to_date; instants and days."""
    incidents = everything(gateway)
    dates = [i["creation_date"] for i in incidents]
    middle = dates[20]
    local = (parse(middle) + datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%f+02:00")
    for date in (middle, middle.replace("T", " "), local):
        page = filtered(gateway, {"status": 0, "from_date": date})
        assert [i["creation_date"] for i in page["results"]] == [d for d in dates if d >= middle]
        assert page["count"] == len(page["results"])
        page = filtered(gateway, {"status": 0, "to_date": date})
        assert [i["creation_date"] for i in page["results"]] == [d for d in dates if d < middle]
    for day, count in (("1970-01-02", COUNT), ("2999-12-31", 0)):
        assert filtered(gateway, {"status": 0, "from_date": day})["count"] == count
        assert filtered(gateway, {"status": 0, "to_date": day})["count"] == COUNT - count


@pytest.mark.parametrize("field, value", [
    ("status", 4), ("status", -2), ("status", "open"), ("status", None), ("status", True),
    ("status", 1.5), ("status", []), ("service_ids", SERVICE), ("service_ids", ["Payments"]),
    ("service_ids", [1]), ("service_ids", [None]), ("service_ids", {}), ("team_ids", 1),
    ("priority_ids", ["x"]), ("sla_ids", ["x"]), ("escalation_policy_ids", ["x"]),
    ("tag_ids", [""]), ("user_ids", "ada"), ("user_ids", [7]), ("user_ids", ["u"] * 101),
    ("service_ids", [SERVICE] * 101), ("user_ids", ["u" * 70000]), ("from_date", "yesterday"),
    ("from_date", 1700000000), ("from_date", ["2026-01-01"]), ("to_date", "2026-13-01"),
    ("to_date", "2026-02-30"), ("to_date", {}), ("to_date", False)])
def test_filter_wrong(gateway, field, value):
    """§2: a known field of a wrong kind is refused by name."""
    refused(gateway.request("POST", "/api/incidents/filter/", {field: value}), field)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"status": 1}}', b"\xff", b'"x"',
                                  b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", b"[[]," * 100000])
def test_filter_no_object(gateway, body):
    """§2: the body is an object."""
    refused(gateway.request("POST", "/api/incidents/filter/", body), "body")


def test_filter_follows_the_status(make):
    """§2: what is resolved leaves the open ones at once, what is opened joins them."""
    gateway = make.gateway(service={"unique_id": SERVICE})
    for i in range(3):
        gateway.opened(entity_id="e%d" % i)
    assert numbers(filtered(gateway, {"status": -1})) == [3, 2, 1]
    gateway.alert("resolved", entity_id="e1")
    gateway.alert("acknowledged", entity_id="e0")
    assert numbers(filtered(gateway, {"status": -1})) == [3, 1]
    assert numbers(filtered(gateway, {"status": 1})) == [3]
    create(gateway, status=2)
    assert numbers(filtered(gateway, {"status": 2})) == [4, 1]
    assert filtered(gateway, {"status": -1})["count"] == 3


# Alerts.

def alerts(gateway, which, headers=()):
    response = gateway.get("/api/incidents/%s/alerts/" % which, headers)
    assert response.status == 200, response
    return response.json()


def test_alerts_keys(make):
    """§2: the vendor's event object; the integration's key stays with those who configured it."""
    gateway = make.gateway(service={"unique_id": SERVICE, "team": TEAM}, tokens=TOKENS)
    before = datetime.datetime.utcnow()
    status = gateway.alert("critical", entity_id=12345, message="caf\u00e9 \"down\"",
                           summary="long", payload={"a": [1, {"b": 1.50}], "": "}"}, extra="kept",
                           urls=[
                               {"link_url": "https://example.org/", "link_text": "runbook"},
                               "https://example.org/2"])
    answer = gateway.get("/api/incidents/1/alerts/", READING)
    assert KEY.encode() not in answer.body
    alert, = answer.json()
    assert list(alert) == ALERT_KEYS
    own = alert["integration_object"]
    assert list(own) == INTEGRATION_KEYS
    assert own["name"] == "Generic" and own["summary"] == ""
    assert own["service"] == SERVICE and own["team"] == TEAM
    assert own["integration_key"] is None and own["is_enabled"] is True
    assert own["integration_type"] == 0
    assert UUID.fullmatch(own["unique_id"]) and alert["integration"] == own["unique_id"]
    assert abs(parse(own["creation_date"]) - before) < datetime.timedelta(minutes=5)
    assert (alert["message"], alert["summary"]) == ("caf\u00e9 \"down\"", "long")
    assert alert["payload"] == {"a": [1, {"b": 1.50}], "": "}"}
    assert alert["incident"] == 1 and alert["entity_id"] == "12345"
    assert alert["alert_type"] == "3" and alert["suppressed"] is False
    assert alert["unique_id"] == status["alert"] and ID22.fullmatch(alert["unique_id"])
    assert alert["urls"] == [{"link_url": "https://example.org/", "link_text": "runbook"},
                             {"link_url": "https://example.org/2", "link_text": ""}]
    assert alert["images"] == [] and alert["notes"] == []
    assert DATE.fullmatch(alert["creation_date"])


def test_alerts_of_little(make):
    """§2: every key is there, also of an alert that says the least it may."""
    gateway = make.gateway()
    gateway.opened()
    alert, = alerts(gateway, 1)
    assert list(alert) == ALERT_KEYS
    assert (alert["summary"], alert["payload"], alert["urls"]) == ("", {}, [])
    assert alert["integration_object"]["team"] == "00000000-0000-0000-0000-000000000000"


def test_alerts_order(make):
    """§2: newest first; those of this incident only; by number and by unique id."""
    gateway = make.gateway()
    for alert_type in ("critical", "warning", "info", "acknowledged", "error"):
        gateway.alert(alert_type, entity_id="a", message=alert_type)
        gateway.alert(alert_type, entity_id="b", message="other")
    want = ["error", "acknowledged", "info", "warning", "critical"]
    found = alerts(gateway, 1)
    assert [alert["message"] for alert in found] == want
    assert [alert["alert_type"] for alert in found] == ["2", "4", "0", "1", "3"]
    times = [alert["creation_date"] for alert in found]
    assert times == sorted(times, reverse=True)
    gateway.alert("resolved", entity_id="a", message="resolved")
    unique_id = gateway.incident(1)["unique_id"]
    assert [alert["message"] for alert in alerts(gateway, unique_id)] == ["resolved"] + want
    gateway.kill9()
    gateway.start()
    assert [alert["message"] for alert in alerts(gateway, 1)] == ["resolved"] + want
    assert len(alerts(gateway, 2)) == 5


def test_alerts_of_one_made_by_hand(make):
    """§2: it has none."""
    gateway = make.gateway(service={"unique_id": SERVICE})
    create(gateway)
    assert alerts(gateway, 1) == []


def test_alerts_newest_thousand(make):
    """§9: its newest 1 000, and no turn is long."""
    gateway = make.gateway()
    gateway.opened(entity_id="e", message="first")
    more = [request("POST", ingest(), {"message": "m%d" % i, "alert_type": "info", "entity_id": "e",
                                       "payload": {"n": list(range(50))}}) for i in range(1100)]
    flood(gateway.address, more)
    found = calmly(gateway, lambda: alerts(gateway, 1), 10)
    assert len({alert["message"] for alert in found}) == len(found) == 1000
    assert "first" not in {alert["message"] for alert in found}
    times = [alert["creation_date"] for alert in found]
    assert times == sorted(times, reverse=True)


def test_alerts_large(make):
    """§1.5: as many of the newest as fit into 4 MiB."""
    gateway = make.gateway()
    for i in range(12):
        gateway.alert("critical", entity_id="e", message=str(i), payload={"x": "y" * 500000})
    response = gateway.get("/api/incidents/1/alerts")
    assert 4 << 20 <= len(response.body) < 5 << 20
    messages = [alert["message"] for alert in response.json()]
    assert messages == [str(i) for i in range(11, 11 - len(messages), -1)]
    text = '{"alert_type": "info", "entity_id": "e", "message": "z", "payload": {"x": "%s"}}'
    assert gateway.post((text % ("\u00e9" * 230000)).encode()).status == 200
    found = alerts(gateway, 1)
    assert list(found[0]) == ALERT_KEYS
    assert (found[0]["message"], found[0]["payload"]) == ("z", None)  # too large to be shown
    assert [alert["message"] for alert in found[1:]] == messages
    assert found[1]["payload"] == {"x": "y" * 500000}


def test_alerts_too_large_hold_nobody_up(make):
    """§1.5: many that are too large to be shown are looked at a few a turn."""
    gateway = make.gateway()
    text = '{"alert_type": "critical", "entity_id": "e", "message": "%d", "payload": {"x": "%s"}}'
    for n in range(40):
        assert gateway.post((text % (n, "\u00e9" * 250000)).encode()).status == 200
    found = calmly(gateway, lambda: alerts(gateway, 1), 40)
    assert [(alert["message"], alert["payload"]) for alert in found] == [
        (str(n), None) for n in range(39, -1, -1)]


def together(gateway, alert, path):
    """An alert and a request for the path that are there in one pass of the loop; both answers."""
    with gateway.connect() as one, gateway.connect() as other:
        for connection in (one, other):
            assert connection.request("GET", "/-/healthy").status == 200
        gateway.signal(signal.SIGSTOP)
        one.send(request("POST", ingest(), alert))
        other.send(request("GET", path))
        gateway.signal(signal.SIGCONT)
        return one.read(), other.read()


def test_alerts_in_the_same_turn(make):
    """§2: asked for before an alert is on disk: with it or without it, but never fewer."""
    gateway = make.gateway()
    gateway.opened(entity_id="e", message="0")
    for n in range(1, 20):
        alert = {"message": str(n), "alert_type": "info", "entity_id": "e"}
        answer, asked = together(gateway, alert, "/api/incidents/1/alerts")
        assert answer.status == 200
        messages = [a["message"] for a in asked.json()]
        assert messages in ([str(i) for i in range(m, -1, -1)] for m in (n - 1, n))


def test_alerts_while_it_is_resolved(make):
    """§2: also in the turn that ends the incident."""
    gateway = make.gateway()
    for n in range(1, 20):
        for message in ("0", "1"):
            gateway.alert("critical", entity_id="e", message=message)
        alert = {"message": "2", "alert_type": "resolved", "entity_id": "e"}
        answer, asked = together(gateway, alert, "/api/incidents/%d/alerts" % n)
        assert answer.status == 200
        assert [a["message"] for a in asked.json()] in (["1", "0"], ["2", "1", "0"])
        assert len(alerts(gateway, n)) == 3


def test_alerts_while_others_come(make):
    """§2: from a busy incident too: always the whole chain, never an empty one."""
    gateway = make.gateway()
    gateway.opened(entity_id="e")
    busy = [request("POST", ingest(), {"message": "m", "alert_type": "info", "entity_id": "e"})
            for _ in range(300)]
    counts = []
    with gateway.connect() as writer, gateway.connect() as reader:
        for i in range(0, len(busy), 20):
            writer.send(b"".join(busy[i:i + 20]))
            counts.append(len(reader.request("GET", "/api/incidents/1/alerts").json()))
            for _ in range(20):
                assert writer.read().status == 200
    assert counts == sorted(counts) and counts[0] >= 1
    for i, count in enumerate(counts):
        assert 1 + 20 * i <= count <= 1 + 20 * (i + 1)
    assert len(alerts(gateway, 1)) == 301


def test_alerts_of_a_turn_that_failed(make):
    """§1.2: what could not be stored is not shown, and what was before is."""
    gateway = make.gateway()
    for n in range(1, 10):
        for message in ("0", "1"):
            gateway.alert("critical", entity_id="e", message=message)
        for alert_type in ("info", "resolved"):
            gateway.fail_commit(1)
            alert = {"message": "2", "alert_type": alert_type, "entity_id": "e"}
            answer, asked = together(gateway, alert, "/api/incidents/%d/alerts" % n)
            assert answer.status == 503
            assert [a["message"] for a in asked.json()] == ["1", "0"]
        gateway.alert("resolved", entity_id="e")


def test_alerts_while_every_turn_fails(make):
    """§1.2: what is shown is what is committed, however often that fails."""
    gateway = make.gateway()
    for message in ("0", "1"):
        gateway.alert("critical", entity_id="e", message=message)
    gateway.fail_commit(1000000)
    busy = request("POST", ingest(), {"message": "2", "alert_type": "info", "entity_id": "e"})
    with gateway.connect() as writer, gateway.connect() as reader:
        for _ in range(20):
            writer.send(busy * 10)
            for _ in range(3):
                found = reader.request("GET", "/api/incidents/1/alerts").json()
                assert [alert["message"] for alert in found] == ["1", "0"]
            assert {writer.read().status for _ in range(10)} == {503}


def test_alerts_expired(make):
    """§5: an open incident outlives its alerts."""
    gateway = make.gateway(retention={"incident": "1h"})
    gateway.opened(entity_id="e", message="old")
    gateway.advance(3000)
    gateway.alert("info", entity_id="e", message="new")
    gateway.advance(2000)
    until(lambda: gateway.rows()["alerts"] == 1)
    assert [alert["message"] for alert in alerts(gateway, 1)] == ["new"]
    gateway.advance(3000)
    until(lambda: gateway.rows()["alerts"] == 0)
    assert alerts(gateway, 1) == []
    assert gateway.incident(1)["status"] == 1


def test_alerts_integration_gone(make):
    """§10: its alerts are shown, and itself as null."""
    gateway = make.gateway(service={"unique_id": SERVICE})
    gateway.opened()
    gateway.stop()
    gateway.conf["services"][0]["integrations"] = [integration(name="Other")]
    gateway.start()
    alert, = alerts(gateway, 1)
    assert list(alert) == ALERT_KEYS
    assert alert["integration_object"] is None and alert["integration"] is None


def test_alerts_of_another_format(make):
    """§6: of a PagerTree source in the same shape; its tags are no ids, and filter nothing."""
    tree = {"name": "Tree", "type": "pagertree", "key": "int_ODCWagoG9"}
    gateway = make.gateway(integrations=[integration(), tree])
    response = gateway.post({"event_type": "create", "Id": 7, "Title": "down", "Description": "d",
                             "Tags": ["a", IDS[1] + '"', '"' + IDS[2] + '"', "b\\", IDS[3]]},
                            "/integration/int_ODCWagoG9")
    assert response.status == 200
    until(lambda: gateway.rows()["incidents"] == 1)
    alert, = alerts(gateway, 1)
    assert list(alert) == ALERT_KEYS
    assert (alert["message"], alert["summary"], alert["entity_id"]) == ("down", "d", "7")
    assert alert["integration_object"]["name"] == "Tree" and alert["alert_type"] == "3"
    assert isinstance(alert["payload"], dict) and alert["urls"] == []
    for tag, count in ((IDS[1], 0), (IDS[2], 0), (IDS[3], 1), (IDS[4], 0)):
        assert filtered(gateway, {"tag_ids": [tag]})["count"] == count


@pytest.mark.parametrize("which", ["99999", "nonsense", "0", "2222222222222222222222", "%31"])
@pytest.mark.parametrize("what", ["", "/alerts", "/note"])
def test_incidents_not_found(gateway, which, what):
    """§2: no such incident."""
    response = gateway.get("/api/incidents/" + which + what)
    assert response.status == 404 and response.json() == {"detail": "Not Found."}


# Tokens.

@pytest.mark.parametrize("method, path", [
    ("GET", "/api/incidents/1/alerts"), ("GET", "/api/incidents/1/note"),
    ("POST", "/api/incidents/filter"), ("POST", "/api/incidents"), ("PATCH", "/api/incidents/1"),
    ("PUT", "/api/incidents/1"), ("POST", "/api/incidents/1/note")])
def test_incidents_tokens(guarded, method, path):
    """§2: none is 401, one that may only read is 403 where something would change."""
    reads = method == "GET" or path.endswith("filter")
    body = {} if method == "GET" else {"status": 0}
    response = guarded.request(method, path, body)
    assert response.status == 401 and response.header("WWW-Authenticate") == "Token"
    response = guarded.request(method, path, body, READING)
    assert response.status == (200 if reads else 403)
    if not reads:
        assert response.json() == {"detail": "You do not have permission to perform this action."}
        response = guarded.request(method, path, {}, HEADER)
        assert response.status in (200, 400)


@pytest.fixture(scope="module")
def guarded(make_shared):
    gateway = make_shared.gateway(tokens=TOKENS)
    gateway.alert("critical")
    return gateway


# Many.

@pytest.fixture(scope="module")
def many(make_shared):
    """12 000 incidents, 5 000 of them resolved, the first one rare."""
    gateway = make_shared.gateway(webhooks=[webhook("ops", "http://127.0.0.1:1/", events=[
        "acknowledged"])])
    gateway.alert("critical", entity_id="rare", priority=IDS[9])
    bodies = [{"alert_type": "critical", "message": "m", "entity_id": "e%d" % i}
              for i in range(11999)]
    bodies += [{"alert_type": "resolved", "message": "m", "entity_id": "e%d" % i}
               for i in range(5000)]
    for part in (bodies[:11999], bodies[11999:]):
        answers = flood(gateway.address, [request("POST", ingest(), body) for body in part])
        assert {response.status for response in answers} == {200}
    return gateway


def test_incidents_count_of_many(many):
    """§9: without a filter the number of rows; under one it stops at 10 000."""
    assert listed(many.get("/api/incidents/?limit=1"))["count"] == 12000
    assert filtered(many, {"status": 0}, "?limit=1")["count"] == 12000
    assert filtered(many, {"status": -1}, "?limit=1")["count"] == 7000
    assert filtered(many, {"status": 3}, "?limit=1")["count"] == 5000
    assert filtered(many, {"status": 0, "to_date": "2999-01-01"}, "?limit=1")["count"] == 10000
    rare = calmly(many, lambda: filtered(many, {"status": 0, "priority_ids": [IDS[9]]}), 6)
    assert rare["count"] == 1 and numbers(rare) == [1]


def test_incidents_open_ones_among_many(many):
    """§2: open ones are found without looking at all that ever were."""
    many.turns()
    page = filtered(many, {"status": 1, "from_date": "1970-01-02"}, "?limit=5&page=k1")
    assert numbers(page) == [1] and page["count"] == 7000
    assert many.turns()[1] < 10


def test_incidents_long_walks_hold_nobody_up(many):
    """§1.5: deep pages and rare matches, many at once: no turn is long, others go on."""
    wanted = [request("POST", "/api/incidents/filter", {"status": 0, "priority_ids": [IDS[9]]}),
              request("GET", "/api/incidents/?page=240"),
              request("GET", "/api/incidents?limit=500"),
              request("POST", "/api/incidents/filter?page=5&page_size=1000", {"status": -1})]

    def walk():
        with many.connect() as other:
            connections = [many.connect() for _ in range(20)]
            for i, connection in enumerate(connections):
                connection.send(wanted[i % len(wanted)])
            for _ in range(20):
                assert other.request("GET", "/-/healthy").status == 200
            pages = [listed(connection.read()) for connection in connections]
            for connection in connections:
                connection.close()
        return [len(page["results"]) for page in pages]
    assert calmly(many, walk, 300) == [1, 50, 500, 500] * 5


def test_incidents_too_many_walks(many):
    """§2: more than some dozens at a time are told to come again."""
    connections = [many.connect() for _ in range(100)]
    for connection in connections:
        connection.send(request("GET", "/api/incidents/?page=40"))
    answers = [connection.read() for connection in connections]
    for connection in connections:
        connection.close()
    assert {response.status for response in answers} == {200, 429}
