"""A site to try campaigns on: services, integrations and webhooks of different kinds, senders of
every type of alert, and an operator who pauses and resumes.

    DOORS         the integrations, and what is to be expected of each
    Site          the receivers and the configuration they belong to
    Sender        one connection's worth of load
    Operator      another one, for the switches
"""

import collections
import random
import time

from gateway import integration, webhook
from receiver import Receiver, answer, close
from wire import Closed

KEY = "campaign-key"
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
]
LOADS = [0, 0, 0, 0, 1, 1, 2, 2, 3]  # how often each door is used
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
        doors = [integration(door.name, door.key, create_incidents_for=THRESHOLDS[len(door.opens)])
                 for door in DOORS if door.service == name]
        hooks = [self.hook(hook, events) for hook, events in HOOKS[name].items()]
        return {"name": name, "integrations": doors, "webhooks": hooks,
                "under_maintenance": name == "Museum"}

    def configuration(self, **more):
        """Keyword arguments of Gateway(); more: of every service."""
        services = [{**self.service(name), **more} for name in HOOKS]
        return {"services": services, "retry": ["100ms"] * 20}

    def dispose(self):
        for receiver in self.receivers.values():
            receiver.dispose()


def path(door):
    return "/integration/demo1/generic/%s/" % DOORS[door].key


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
        self.send(connection, self.random.choice(TYPES), self.random.choice(LOADS),
                  self.random.choice(entities), self.random.random() < 0.03)

    def send(self, connection, kind, door, entity, suppressed=False):
        """One alert, noted with its answer; the trace id, or None if it was refused."""
        alert = {"message": "campaign", "alert_type": kind, "entity_id": entity,
                 "suppressed": suppressed}
        try:
            response = connection.request("POST", path(door), alert)
        except (OSError, Closed):
            self.sent.append(Sent(kind, door, entity, suppressed, None))
            raise
        if response.status != 200:
            self.refused.append(response.status)
            return None
        trace = response.json()["trace_id"]
        self.sent.append(Sent(kind, door, entity, suppressed, trace))
        return trace


class Operator:
    """Throws switches; .known says how each stands, None where no answer came."""

    def __init__(self, seed):
        self.random = random.Random("%d/operator" % seed)
        self.known = {name: False for name in ["applying", "well", "ill", "slow"]}

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
        """Lets everything go."""
        with gateway.connect() as connection:
            for name in self.known:
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
