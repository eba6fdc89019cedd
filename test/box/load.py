"""A site to try campaigns on: services, integrations and webhooks of different kinds, senders of
every type of alert, and an operator who pauses and resumes.

    DOORS         the integrations, and what is to be expected of each
    Site          the receivers and the configuration they belong to
    Sender        one connection's worth of load
    Agent         another one, who works on incidents through the API
    Operator      another one, for the switches
"""

import collections
import random
import time

from gateway import integration, webhook
from receiver import Receiver, answer, close
from wire import Closed

KEY = "campaign-key"
PAYMENTS = "1587103f-6ed2-4eac-8a56-866128df036f"
TYPES = (["critical"] * 9 + ["resolved"] * 5 + ["acknowledged"] * 4
         + ["error", "warning", "info"])
OWN_ENTITIES, SHARED_ENTITIES = 6, 30

# opens: types that create an incident; closed: its service is under maintenance.
Door = collections.namedtuple("Door", "name key service opens closed")
DOORS = [
    Door("Monitoring", "door-monitoring", "Payments", {"critical"}, False),
    Door("Checks", "door-checks", "Payments", {"critical", "error", "warning"}, False),
    Door("Crawler", "door-crawler", "Search", {"critical", "error"}, False),
    Door("Legacy", "door-legacy", "Museum", {"critical"}, True),
    Door("Tree", "int_tree", "Search", {"critical"}, False),  # PagerTree's webhook
]
TREE = {"critical": "create", "acknowledged": "acknowledge", "resolved": "resolve"}
LOADS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 4]  # how often each door is used
THRESHOLDS = {1: "critical", 2: "error", 3: "warning"}  # by how many types create one

# The webhooks of each service and the events they want.
HOOKS = {"Payments": {"well": ["triggered", "acknowledged", "resolved"],
                      "ill": ["triggered", "acknowledged", "resolved"]},
         "Search": {"slow": ["triggered", "resolved"]},
         "Museum": {}}

# One request: the type, the door's place, the entity id; its trace, None: unanswered.
Sent = collections.namedtuple("Sent", "type door entity suppressed trace")


def ill(request):
    """Most answers are good, some are not, some never come."""
    chance = random.random()
    return answer(200) if chance < 0.85 else answer(503) if chance < 0.95 else close()


class Site:
    """Three receivers: one well, one ill, one slow."""

    def __init__(self):
        self.receivers = {"well": Receiver(), "ill": Receiver(choose=ill),
                          "slow": Receiver(answer(200, delay=0.01))}
        self.special = {}  # webhook -> what is special about its configuration

    def heal(self):
        """All receivers are well from now on, until sicken()."""
        for receiver in self.receivers.values():
            receiver.behaviour, receiver.choose, receiver.script = answer(200), None, []

    def sicken(self):
        self.receivers["ill"].choose = ill
        self.receivers["slow"].behaviour = answer(200, delay=0.01)

    def hook(self, name, events):
        return {**webhook(name, self.receivers[name].url(), events=events,
                          auth={"type": "hmac", "key": KEY}), **self.special.get(name, {})}

    def service(self, name):
        doors = [{"name": door.name, "type": "pagertree", "key": door.key}
                 if door.name == "Tree" else
                 integration(door.name, door.key, create_incidents_for=THRESHOLDS[len(door.opens)])
                 for door in DOORS if door.service == name]
        hooks = [self.hook(hook, events) for hook, events in HOOKS[name].items()]
        facts = {"name": name, "integrations": doors, "webhooks": hooks,
                 "under_maintenance": name == "Museum"}
        return {**facts, "unique_id": PAYMENTS} if name == "Payments" else facts

    def configuration(self, **more):
        """Keyword arguments of Gateway(); more: of every service."""
        services = [{**self.service(name), **more} for name in HOOKS]
        return {"services": services, "retry": ["100ms"] * 20}

    def dispose(self):
        for receiver in self.receivers.values():
            receiver.dispose()


class Sender:
    """Sends over one connection until the gateway is gone; keeps what it sent in .sent."""

    def __init__(self, seed, number):
        self.random = random.Random("%d/%d" % (seed, number))
        self.own = ["own-%d-%d" % (number, i) for i in range(OWN_ENTITIES)]
        self.shared = ["shared-%d" % i for i in range(SHARED_ENTITIES)]
        self.sent = []
        self.refused = []  # status codes

    def run(self, gateway, ending):
        try:
            with gateway.connect() as connection:
                while not ending.is_set():
                    self.any(connection)
        except (OSError, Closed):
            pass

    def any(self, connection):
        entities = self.own if self.random.random() < 0.7 else self.shared
        door = self.random.choice(LOADS)
        kind = self.random.choice([kind for kind in TYPES if kind in TREE] if door == 4 else TYPES)
        self.send(connection, kind, door, self.random.choice(entities),
                  door != 4 and self.random.random() < 0.03)

    def request(self, kind, door, entity, suppressed):
        """Path and body of an alert."""
        key = DOORS[door].key
        if DOORS[door].name == "Tree":
            return "/integration/" + key, {"event_type": TREE[kind], "Id": entity, "Title": "tree"}
        alert = {"message": "campaign", "alert_type": kind, "entity_id": entity,
                 "suppressed": suppressed}
        paths = ["/integration/demo1/generic/%s/", "/api/integration/generic/%s/", "/api/events/%s/"]
        return self.random.choice(paths) % key, alert

    def send(self, connection, kind, door, entity, suppressed=False):
        """One alert, noted with its answer."""
        path, body = self.request(kind, door, entity, suppressed)
        try:
            response = connection.request("POST", path, body)
        except (OSError, Closed):
            self.sent.append(Sent(kind, door, entity, suppressed, None))
            raise
        if response.status in (200, 201):
            trace = response.header("X-Trace-Id")
            self.sent.append(Sent(kind, door, entity, suppressed, trace))
        else:
            self.refused.append(response.status)


class Made:
    """An incident that an agent made: its title says whose; what became of it."""

    def __init__(self, title):
        self.title = title
        self.number = None      # as answered
        self.statuses = set()   # that it was brought into, as answered
        self.doubtful = set()   # that it may have been brought into
        self.notes = []         # texts of notes, as answered


class Agent:
    """Makes incidents, acknowledges and resolves them, writes notes; all of it in .made."""

    def __init__(self, seed, number):
        self.random = random.Random("%d/agent/%d" % (seed, number))
        self.name = "agent-%d" % number
        self.made = []
        self.count = 0

    def run(self, gateway, ending):
        try:
            with gateway.connect() as connection:
                while not ending.wait(self.random.uniform(0, 0.01)):
                    self.any(connection)
        except (OSError, Closed):
            pass

    def any(self, connection):
        known = [made for made in self.made if made.number and 3 not in made.statuses]
        act = self.random.choice(["make", "make", "acknowledge", "resolve", "note"])
        if act == "make" or not known:
            self.make(connection)
        elif act == "note":
            self.note(connection, self.random.choice(known))
        else:
            self.move(connection, self.random.choice(known), 2 if act == "acknowledge" else 3)

    def make(self, connection):
        self.count += 1
        made = Made("%s made %d" % (self.name, self.count))
        self.made.append(made)
        response = connection.request("POST", "/api/incidents",
                                      {"title": made.title, "service": PAYMENTS})
        if response.status == 201:
            made.number = response.json()["incident_number"]
        else:
            self.made.remove(made)
        return made

    @staticmethod
    def move(connection, made, status):
        made.doubtful.add(status)
        response = connection.request("PATCH", "/api/incidents/%d" % made.number,
                                      {"status": status})
        if response.status == 200:
            made.statuses.add(status)
        made.doubtful.discard(status)

    @staticmethod
    def note(connection, made):
        text = "note %d" % len(made.notes)
        response = connection.request("POST", "/api/incidents/%d/note" % made.number,
                                      {"note": text})
        if response.status in (200, 201):
            made.notes.append(text)


class Operator:
    """Throws switches; .known says how each stands, None where no answer came."""

    def __init__(self, seed, paused=False):
        self.random = random.Random("%d/operator" % seed)
        self.known = {name: paused for name in ["applying", "well", "ill", "slow"]}

    def run(self, gateway, ending):
        try:
            with gateway.connect() as connection:
                while not ending.wait(self.random.uniform(0.01, 0.1)):
                    name = self.random.choice(list(self.known))
                    self.throw(connection, name, self.known[name] is False)
        except (OSError, Closed):
            pass

    def throw(self, connection, name, paused):
        where = "/-/" if name == "applying" else "/api/webhooks/%s/" % name
        self.known[name] = None
        response = connection.request("POST", where + ("pause" if paused else "resume"), b"")
        if response.status == 200:
            self.known[name] = paused

    def release(self, gateway):
        """Lets go what is not known to go."""
        with gateway.connect() as connection:
            for name, paused in self.known.items():
                if paused is not False:
                    self.throw(connection, name, False)
        assert not any(self.known.values()), self.known

    def stands(self, gateway):
        """Names of the switches of webhooks that do not stand as was answered."""
        state = gateway.get("/-/ready?detail=1").json()
        paused = {hook["webhook"]: hook["paused"] for hook in state["webhooks"]}
        return [name for name, known in self.known.items()
                if name in paused and known is not None and paused[name] != known]


def breaker_open(gateway):
    state = gateway.get("/-/ready?detail=1").json()
    return any(hook["breaker_open"] for hook in state["webhooks"])


def settle(gateway, site, operator):
    """Everything is resumed, every receiver well: waits until nothing is left to be done."""
    site.heal()
    operator.release(gateway)
    end = time.monotonic() + 60
    pushed = 0
    while True:
        rows = gateway.rows()
        if rows["lanes"] == rows["pending"] == 0:
            site.sicken()
            return
        assert time.monotonic() < end, "deliveries do not end: %r" % rows
        if pushed < 20 and breaker_open(gateway):
            gateway.advance(31)  # the next probe; all of it far from what expires
            pushed += 1
            time.sleep(0.1)
        time.sleep(0.01)
