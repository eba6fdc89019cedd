"""What was answered, compared with what is there (CONTRACT §1).

A request is accepted (answered 200), refused (answered otherwise) or unanswered: the gateway died
on it, so it may have been applied or not, but once. Balanced are each accepted alert with its
trace, each incident with the alerts or agents that made and changed it, and each event with what
the receivers have seen of it: at least once, in order, under one id, with one body.

    books = Books(site, senders, agents)
    books.balance(gateway)      everything has ended: compares, and adds what is wrong to .verdict
    books.close()               what was compared may expire now; what is open is carried over
"""

import collections
import hashlib

from load import DOORS, HOOKS, KEY
from receiver import sign
from wire import flood, request

STEPS = ["triggered", "acknowledged", "resolved"]
MAINTENANCE = "Your service is under maintenance"


def ask(gateway, paths):
    """GETs many paths; their JSON, None where the answer was not 200."""
    if not paths:
        return []
    answers = flood(gateway.address, [request("GET", path) for path in paths])
    return [answer.json() if answer.status == 200 else None for answer in answers]


class Verdict:
    """Everything found wrong, by kind."""

    def __init__(self):
        self.faults = collections.defaultdict(list)

    def add(self, kind, text, *values):
        self.faults[kind].append(text % values)

    def count(self, kind):
        return len(self.faults[kind])

    def show(self):
        for kind, texts in self.faults.items():
            for text in texts[:20]:
                print("%s: %s" % (kind, text))


class Told:
    """What a receiver has seen of one event."""

    def __init__(self, place, got):
        self.place, self.id, self.body = place, got.id, self.digest(got)

    @staticmethod
    def digest(got):
        return hashlib.sha256(got.body).digest()


class Books:
    def __init__(self, site, senders, agents=()):
        self.site, self.senders, self.agents = site, senders, agents
        self.verdict = Verdict()
        self.accepted = self.kept = 0
        self.base = 0        # incidents up to here belong to books that are closed
        self.carried = {}    # of these, the open ones: number -> their door, None: not known
        self.current = {}    # (door, entity) of one sender -> open incident, None, "?"
        self.told = {}       # (webhook, number) -> {event: Told}
        self.place = 0       # in the order of arrival
        self.old = 0         # traces of books that are closed, as long as they may still be there
        self.begin()

    def begin(self):
        for sender in self.senders:
            sender.sent.clear()
        for agent in self.agents:
            agent.made.clear()

    # What is there.

    def look(self, gateway):
        self.sent = [sent for sender in self.senders for sent in sender.sent]
        answered = [sent for sent in self.sent if sent.trace]
        self.unanswered = [sent for sent in self.sent if not sent.trace]
        statuses = ask(gateway, ["/api/alert/status/%s" % sent.trace for sent in answered])
        self.status = {sent.trace: status for sent, status in zip(answered, statuses)}
        self.answered = answered
        newest = gateway.get("/api/incidents?limit=1").json()["results"]
        self.last = newest[0]["incident_number"] if newest else self.base
        numbers = sorted(self.carried) + list(range(self.base + 1, self.last + 1))
        self.incidents = dict(zip(numbers, ask(gateway, ["/api/incidents/%d" % number
                                                         for number in numbers])))
        for name, receiver in self.site.receivers.items():
            requests, receiver.requests[:] = list(receiver.requests), []
            for got in requests:
                if got.number != 0:  # the vendor's test
                    self.tell(name, got)

    def tell(self, name, got):
        """Enters one request of a receiver; a repeated one must be the same."""
        self.place += 1
        events = self.told.setdefault((name, got.number), {})
        told = events.setdefault(got.event, Told(self.place, got))
        if told.id != got.id or told.body != Told.digest(got):
            self.verdict.add("twice", "%s: %s of %d came as %s and %s", name, got.event, got.number,
                             told.id, got.id)
        if got.headers["x-signature"] != sign(KEY, got.body):
            self.verdict.add("lost", "%s: %s of %d is wrongly signed", name, got.event, got.number)

    # The balance.

    def balance(self, gateway):
        self.look(gateway)
        self.traces(gateway.rows())
        self.numbers()
        self.creations()
        self.made(gateway)
        self.changes()
        self.histories()
        self.deliveries()
        self.accepted += len(self.answered)
        self.kept += sum(1 for status in self.status.values()
                         if status and status["status"] != "queued")

    def traces(self, rows):
        """Every accepted alert has its trace, and no alert was applied twice."""
        for sent in self.answered:
            status = self.status[sent.trace]
            failed = DOORS[sent.door].closed and sent.type not in ("acknowledged", "resolved")
            if not status or status["status"] != ("failed" if failed else "completed"):
                self.verdict.add("lost", "trace of %r: %r", sent, status)
            elif failed and status["error"] != MAINTENANCE:
                self.verdict.add("lost", "%r failed with %r", sent, status)
        if len(self.status) != len(self.answered):
            self.verdict.add("twice", "a trace id was given out twice")
        if not len(self.answered) <= rows["traces"] <= len(self.sent) + self.old:
            self.verdict.add("twice", "%d traces for %d accepted of %d sent", rows["traces"],
                             len(self.answered), len(self.sent))

    def numbers(self):
        """Incidents have no holes between their numbers, and ids of their own."""
        ids = set()
        for number, incident in list(self.incidents.items()):
            if not incident or incident["incident_number"] != number:
                self.verdict.add("lost", "incident %d is not there", number)
                del self.incidents[number]
            else:
                ids.add(incident["unique_id"])
        if len(ids) != len(self.incidents):
            self.verdict.add("twice", "an incident's unique id stands twice")

    def touched(self):
        """(sent, incident number, created) of every accepted alert that has an incident."""
        for sent in self.answered:
            status = self.status[sent.trace]
            if status and status.get("incident"):
                yield sent, status["incident"]["incident_number"], status["is_incident_created"]

    def creations(self):
        """Each incident was created by one accepted alert, or by an unanswered one."""
        creators = collections.Counter(number for _, number, created in self.touched() if created)
        doubtful = collections.Counter(sent.entity for sent in self.unanswered
                                       if sent.type in DOORS[sent.door].opens)
        for number, incident in self.incidents.items():
            if number in self.carried or incident["title"].startswith("agent"):
                continue
            if creators[number] > 1:
                self.verdict.add("twice", "incident %d created %d times", number, creators[number])
            if creators[number] == 0:
                doubtful[incident["incident_key"]] -= 1
                if doubtful[incident["incident_key"]] < 0:
                    self.verdict.add("twice", "nobody created incident %d", number)
        for number in creators:
            if number not in self.incidents:
                self.verdict.add("lost", "incident %d was answered and is gone", number)

    def made(self, gateway):
        """What agents did is there, once."""
        titles = collections.Counter(incident["title"] for incident in self.incidents.values()
                                     if incident["title"].startswith("agent"))
        everything = [made for agent in self.agents for made in agent.made]
        for title, count in (titles - collections.Counter(m.title for m in everything)).items():
            if not self.is_carried(title):
                self.verdict.add("twice", "%d incidents of %s", count, title)
        for made in everything:
            if made.number is not None:
                self.one_made(gateway, made, self.incidents.get(made.number))

    def is_carried(self, title):
        return any(self.incidents[number]["title"] == title for number in self.carried
                   if number in self.incidents)

    def one_made(self, gateway, made, incident):
        if not incident or incident["title"] != made.title:
            self.verdict.add("lost", "%s is not incident %d", made.title, made.number)
            return
        if 2 in made.statuses and not incident["acknowledged_date"] or \
                3 in made.statuses and incident["status"] != 3:
            self.verdict.add("lost", "%s is %r after %r", made.title, incident, made.statuses)
        if incident["status"] == 3 and 3 not in made.statuses | made.doubtful:
            self.verdict.add("twice", "%s is resolved, by nobody", made.title)
        if made.notes:
            page = gateway.get("/api/incidents/%d/note?limit=500" % made.number).json()
            texts = collections.Counter(note["note"] for note in page["results"])
            if any(texts[text] < 1 for text in made.notes):
                self.verdict.add("lost", "notes of %s: %r", made.title, texts)

    def changes(self):
        """What an accepted alert did to its incident is seen there; one is open for each key."""
        dates = {"acknowledged": "acknowledged_date", "resolved": "resolved_date"}
        self.doors = {number: door for number, door in self.carried.items() if door is not None}
        for sent, number, _ in self.touched():
            incident = self.incidents.get(number)
            if not incident:
                continue
            if incident["incident_key"] != sent.entity or \
                    self.doors.setdefault(number, sent.door) != sent.door:
                self.verdict.add("lost", "%r went to incident %d of %s by door %d", sent, number,
                                 incident["incident_key"], self.doors[number])
            if sent.type in dates and not incident[dates[sent.type]]:
                self.verdict.add("lost", "%r is not seen in incident %d", sent, number)
        keys = collections.Counter((self.doors[number], incident["incident_key"])
                                   for number, incident in self.incidents.items()
                                   if incident["status"] != 3 and number in self.doors)
        for key, count in keys.items():
            if count > 1:
                self.verdict.add("twice", "%d open incidents of %r", count, key)

    def histories(self):
        """The alerts of an entity that one connection owns, one after the other."""
        for sent in self.sent:
            if sent.entity.startswith("own-"):
                key = (sent.door, sent.entity)
                self.current[key] = self.follow(sent, self.current.get(key))

    def follow(self, sent, current):
        """What is open behind it; "?" behind an unanswered one."""
        status = self.status.get(sent.trace) if sent.trace else None
        if not status:
            return "?"
        if sent.suppressed or status["status"] != "completed":
            if status.get("incident"):
                self.verdict.add("twice", "%r touched %r", sent, status["incident"])
            return current
        number = status["incident"] and status["incident"]["incident_number"]
        creates = sent.type in DOORS[sent.door].opens and current is None
        if current != "?" and (number != current) != creates:
            self.verdict.add("lost", "%r: incident %r where %r was open", sent, number, current)
        if current != "?" and bool(status["is_incident_created"]) != creates:
            self.verdict.add("twice", "%r: created %r", sent, status["is_incident_created"])
        return None if sent.type == "resolved" else number

    def deliveries(self):
        """Every webhook has been told of every event that it wants, in order."""
        for number, incident in self.incidents.items():
            happened = {"triggered": True, "acknowledged": incident["acknowledged_date"],
                        "resolved": incident["resolved_date"]}
            for name, wanted in HOOKS[incident["service_object"]["name"]].items():
                told = self.told.get((name, number), {})
                for step in STEPS:
                    if bool(happened[step] and step in wanted) != (step in told):
                        self.verdict.add("twice" if step in told else "lost",
                                         "%s: %s of incident %d", name, step, number)
                places = [told[step].place for step in STEPS if step in told]
                if places != sorted(places):
                    self.verdict.add("out of order", "%s: incident %d arrived at %r", name, number,
                                     places)
        for name, number in self.told:
            if number not in self.incidents:
                self.verdict.add("twice", "%s was told of the unknown incident %d", name, number)

    def close(self):
        """The next books begin."""
        self.carried = {number: self.doors.get(number) for number, incident
                        in self.incidents.items() if incident["status"] != 3}
        self.base = self.last
        self.told = {key: told for key, told in self.told.items() if key[1] in self.carried}
        self.begin()
