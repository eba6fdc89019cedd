"""What the tests of the incidents API share: the vendor's keys, and the requests."""

import datetime
import re
import urllib.parse

from gateway import SLOW

TOKEN, READER = "a-token-of-the-tests-31415926", "a-reading-token-27182818"
HEADER = {"Authorization": "Token " + TOKEN}
READING = {"Authorization": "Token " + READER}
TOKENS = [{"name": "ops", "token": TOKEN}, {"name": "eye", "token": READER, "read_only": True}]

SERVICE = "1587103f-6ed2-4eac-8a56-866128df036f"
OTHER_SERVICE = "191f5e2c-515e-4ee0-b501-3a292f8dae2f"
TEAM = "61010821-08aa-4098-94f8-f88f1990b54a"
IDS = ["%08x-e3b1-4175-b118-a595bff9a214" % n for n in range(10)]

# The vendor's Python client takes exactly these, in its constructors' order.
KEYS = ["summary", "incident_number", "creation_date", "status", "unique_id", "service_object",
        "title", "incident_key", "service", "urgency", "merged_with", "assigned_to",
        "escalation_policy", "escalation_policy_object", "assigned_to_name", "resolved_date",
        "acknowledged_date", "context_window_start", "context_window_end", "tags", "sla",
        "sla_object", "team_priority", "team_priority_object"]
SERVICE_KEYS = ["name", "creation_date", "summary", "description", "unique_id",
                "auto_resolve_timeout", "created_by", "team_priority", "task_template",
                "acknowledgement_timeout", "status", "escalation_policy", "team", "sla",
                "collation_time", "collation", "under_maintenance"]
ALERT_KEYS = ["integration_object", "summary", "incident", "creation_date", "message",
              "integration", "suppressed", "entity_id", "payload", "alert_type", "unique_id",
              "images", "urls", "notes"]
INTEGRATION_KEYS = ["name", "creation_date", "summary", "unique_id", "service", "team",
                    "integration_key", "is_enabled", "integration_type"]
NOTE_KEYS = ["unique_id", "incident", "user", "note", "user_name", "creation_date"]

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ID22 = re.compile(r"[2-9A-HJ-NP-Za-kmnop-z]{22}")
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def parse(date):
    assert DATE.fullmatch(date), date
    return datetime.datetime.strptime(date, "%Y-%m-%dT%H:%M:%S.%fZ")


def change(gateway, which, headers=(), method="PATCH", **fields):
    """Changes an incident, which must be possible; the incident."""
    response = gateway.request(method, "/api/incidents/%s/" % which, fields, headers)
    assert response.status == 200, response
    return response.json()


def create(gateway, title="by hand", service=SERVICE, headers=(), **fields):
    """Creates an incident, which must be possible; the incident."""
    response = gateway.request("POST", "/api/incidents/",
                               {"title": title, "service": service, **fields}, headers)
    assert response.status == 201, response
    return response.json()


def refused(response, field):
    """That it was refused for that field, in a sentence."""
    assert response.status == 400, response
    assert list(response.json()) == ["detail"]
    detail = response.json()["detail"]
    assert detail.startswith(field + ": ") and len(detail) > len(field) + 5, detail


def listed(response):
    """The page of a list."""
    assert response.status == 200, response
    page = response.json()
    assert list(page) == ["results", "next", "previous", "count"]
    return page


def numbers(page):
    return [incident["incident_number"] for incident in page["results"]]


def target(link):
    """A link's path and query."""
    parts = urllib.parse.urlsplit(link)
    return "%s?%s" % (parts.path, parts.query)


def pages(ask, path):
    """All pages from path on, by their next links; ask(path) is one request."""
    found = []
    while path:
        found.append(listed(ask(path)))
        assert len(found) < 300
        path = found[-1]["next"] and target(found[-1]["next"])
    return found


def calmly(gateway, work, least, most=5000):
    """work()'s result, which took `least` turns or more, none of them longer than `most`
    microseconds."""
    gateway.turns()
    result = work()
    longest, count = gateway.turns()
    assert count >= least, "done in %d turns" % count
    assert longest < most * SLOW, "a turn took %d us" % longest
    return result
