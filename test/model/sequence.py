"""Random sequences of steps, one run of them against gateway and model, and the search for the shortest
one that still shows a difference.
"""
import copy
import itertools
import os
import random
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "box"))
import gateway as box
from incidents import Model
from receiver import Receiver

KINDS = ["critical"] * 6 + ["error", "warning", "info"] + ["acknowledged"] * 3 + ["resolved"] * 4
EVENTS = ["triggered", "acknowledged", "resolved"]
REAL_SECONDS = 4  # of a run, as the real clock runs beside the one that is pushed; advances are tens
QUEUE_MOST = 100  # the gateway applies more in several turns, between which timers may act
TRACE_SECONDS = 3600  # later it may not be asked for what became of an alert


class Difference(AssertionError):
    pass


# ---- making steps -----------------------------------------------------------------------------

SERVICES, INTEGRATIONS, VERSIONS = ["alpha", "beta", "gamma"], ["one", "two"], [0, 1]
WORDS = set(os.environ.get("WORDS", "alert advance change create pause resume configure misconfigure restart kill").split())


def make_integration(rng):
    return {"create_incidents_for": rng.choice(["critical", "critical", "error", "warning", "none"]),
            "default_urgency": rng.choice(["high", "low"]), "enabled": rng.random() < 0.9, "version": rng.choice(VERSIONS)}


def make_events(rng):
    """Those that a webhook wants: all of them, or all but one."""
    left_out = rng.choice(EVENTS + [None] * 12)
    return [event for event in EVENTS if event != left_out]


def make_service(rng, name):
    collation = rng.choice([0, 0, 1])
    return {"auto_resolve_timeout": rng.choice([0, 0, 45, 305]), "acknowledgement_timeout": rng.choice([0, 0, 25, 125]),
            "collation": collation, "collation_time": rng.choice([1, 3] if collation else [0, 3]),
            "under_maintenance": rng.random() < 0.1, "enabled": rng.random() < 0.95,
            "integrations": {i: make_integration(rng) for i in INTEGRATIONS if rng.random() < 0.9},
            "webhooks": {"to-" + name: make_events(rng)} if rng.random() < 0.9 else {}}


def make_services(rng):
    """Most of the services with most of their integrations; one webhook is now here, now there."""
    made = {name: make_service(rng, name) for name in SERVICES if name == "alpha" or rng.random() < 0.9}
    made[rng.choice(list(made))]["webhooks"]["wandering"] = make_events(rng)
    return made


def make_steps(rng, count):
    """A sequence of so many; each a tuple of a word and its arguments, none of which depends on the others."""
    steps = [("configure", make_services(rng))]
    while len(steps) < count:
        roll = rng.random()
        if roll < 0.785:
            steps.append(("alert", len(steps), {
                "service": rng.choice(SERVICES), "integration": rng.choice(INTEGRATIONS),
                "alert_type": rng.choice(KINDS), "entity_id": "e%d" % rng.randrange(4),
                "message": "message %d" % len(steps), "suppressed": rng.random() < 0.05}))
        elif roll < 0.885:
            steps.append(("advance", rng.choice([10, 20, 50, 130, 400])))
        elif roll < 0.925:
            steps.append(("change", rng.random(), rng.choice([1, 2, 3])))
        elif roll < 0.94:
            steps.append(("create", rng.choice(SERVICES), "made by hand %d" % len(steps), rng.choice([0, 1])))
        elif roll < 0.955:
            steps.append(("pause",))
        elif roll < 0.97:
            steps.append(("resume",))
        elif roll < 0.985:
            steps.append(("configure", make_services(rng), rng.choice(["reload"] * 8 + ["restart", "kill"])))
        elif roll < 0.99:
            steps.append(("misconfigure", make_services(rng), rng.choice(["name", "key", "collation_time"])))
        else:
            steps.append((rng.choice(["restart", "kill"]),))
    return [steps[0]] + [step for step in steps[1:] if step[0] in WORDS]


# ---- one run ----------------------------------------------------------------------------------

def unique_id(service):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, service))


def key_of(service, integration, version):
    return "key-%s-%s-%d" % (service, integration, version)


def webhooks_of(services):
    return {name for settings in services.values() for name in settings["webhooks"]}


class Run:
    """The gateway and the model side by side."""

    def __init__(self, services):
        self.receiver = Receiver()
        self.model = Model(services)
        self.traces = {}  # name of an alert -> its trace id
        self.gateway = box.Gateway(services=self.configuration(services), retention={"incident": "30d"})
        self.connection = self.gateway.connect()

    def close(self):
        self.connection.close()
        self.gateway.dispose()
        self.receiver.dispose()

    def configuration(self, services):
        return [self.service(name, **settings) for name, settings in services.items()]

    def service(self, name, integrations, webhooks, **facts):
        made = {"name": name, "unique_id": unique_id(name), **facts, "integrations": [], "webhooks": []}
        for integration, settings in integrations.items():
            settings = dict(settings)
            key = key_of(name, integration, settings.pop("version"))
            made["integrations"].append({"name": integration, "key": key, **settings})
        for webhook, events in webhooks.items():
            made["webhooks"].append({"name": webhook, "url": self.receiver.url("/" + webhook), "events": events,
                                     "max_in_flight": 1000})
        return made

    def ask(self, method, path, body=None):
        return self.connection.request(method, path, body)

    # Steps: each does the same to both sides.

    def alert(self, name, alert):
        alert = dict(alert)
        taken = self.model.alert(name, **alert)
        answer = self.ask("POST", self.path(alert.pop("service"), alert.pop("integration")), alert)
        self.same("the answer's status", answer.status, 200 if taken else 404)
        if taken:
            self.traces[name] = answer.json()["trace_id"]
            self.same_outcome(name)

    def path(self, service, integration):
        """Of an integration, by the key that it has now."""
        settings = self.model.services.get(service, {"integrations": {}})["integrations"].get(integration)
        return box.ingest(key_of(service, integration, settings["version"] if settings else 0))

    def advance(self, seconds):
        self.model.advance(seconds)
        self.gateway.advance(seconds)
        self.same_incidents()

    def pause(self):
        self.model.pause()
        self.ask("POST", "/-/pause")

    def resume(self):
        waited = [name for name, _, time in self.model.queue if self.model.time - time < TRACE_SECONDS]
        self.model.resume()
        self.ask("POST", "/-/resume")
        for name in waited:
            box.until(lambda n=name: self.outcome(n) != ("queued",), what="a queued alert")
            self.same_outcome(name)
        self.same_incidents()

    def change(self, which, status):
        number = 1 + int(which * len(self.model.incidents))
        done = self.model.change(number, status)
        answer = self.ask("PATCH", "/api/incidents/%d/" % number, {"status": status})
        self.same("changing %d to %d" % (number, status), answer.status == 200, done)
        self.same_incidents()

    def create(self, service, title, urgency):
        done = self.model.create(service, title, urgency)
        answer = self.ask("POST", "/api/incidents/", {"title": title, "service": unique_id(service), "urgency": urgency})
        self.same("creating", answer.status, 201 if done else 400)
        self.same_incidents()

    def configure(self, services, how):
        """Another configuration, taken over by the gateway as it runs, or by the next one."""
        if webhooks_of(self.model.services) - webhooks_of(services):
            self.delivered()  # what waits for one that goes is dead, and how much of it did is chance
        self.model.configure(services)
        self.gateway.conf["services"] = self.configuration(services)
        if how == "reload":
            answer = self.gateway.reload()
            self.same("reloading, %r" % answer.body, answer.status, 200)
        else:
            getattr(self, how)()
        self.same_doors()
        self.same_incidents()

    def misconfigure(self, services, mistake):
        """One with a mistake at its end, of which nothing is taken over."""
        wrong = self.service("wrong", {"one": {"version": 0}}, {}, collation=1, collation_time=1)
        where = wrong["integrations"][0] if mistake == "key" else wrong
        del where[mistake]
        right = self.gateway.conf["services"]
        self.same("a mistake", self.gateway.reload(services=self.configuration(services) + [wrong]).status, 400)
        self.gateway.conf["services"] = right
        self.same_doors()
        self.same_incidents()

    def delivered(self):
        try:
            box.until(lambda: self.gateway.rows()["lanes"] == 0)
        except AssertionError:
            self.same("undelivered", self.gateway.rows()["lanes"], 0)

    def restart(self):
        self.connection.close()
        self.gateway.environment["TOCSIN_SHIFT"] = str(self.model.time)
        self.gateway.restart()
        self.reconnect()

    def kill(self):
        self.connection.close()
        self.gateway.environment["TOCSIN_SHIFT"] = str(self.model.time)
        self.gateway.kill9()
        self.gateway.start()
        self.reconnect()

    def reconnect(self):
        self.connection = self.gateway.connect()
        self.same_incidents()

    # What must agree.

    def same(self, what, gateway, model):
        if gateway != model:
            raise Difference("%s: the gateway says %r, the model %r" % (what, gateway, model))

    def outcome(self, name):
        status = self.ask("GET", "/api/alert/status/%s/" % self.traces[name]).json()
        if status["status"] == "completed":
            incident = status["incident"]
            return ("completed", incident and incident["incident_number"], status["is_incident_created"], status["suppressed"])
        return ("failed", status["error"]) if status["status"] == "failed" else ("queued",)

    def same_outcome(self, name):
        self.same("alert %s" % name, self.outcome(name), self.model.outcomes[name])

    def same_doors(self):
        """Each key that there ever was leads somewhere or nowhere: nothing in it is 400, not 404."""
        for service, integration, version in itertools.product(SERVICES, INTEGRATIONS, VERSIONS):
            key = key_of(service, integration, version)
            taken = self.model.takes(service, integration) and self.path(service, integration) == box.ingest(key)
            self.same("nothing for " + key, self.ask("POST", box.ingest(key), {}).status, 400 if taken else 404)

    def listed(self):
        found = self.ask("GET", "/api/incidents/?limit=500").json()["results"]
        return {i["incident_number"]: (i["status"], i["urgency"], i["title"], (i["service_object"] or {}).get("name"))
                for i in found}

    def same_incidents(self):
        wanted = {n: (i.status, i.urgency, i.title, i.service if i.service in self.model.services else None)
                  for n, i in self.model.incidents.items()}
        try:
            box.until(lambda: self.listed() == wanted, timeout=1)
        except AssertionError:
            found = self.listed()
            for number in sorted(set(found) | set(wanted)):
                self.same("incident %d" % number, found.get(number), wanted.get(number))

    def same_events(self):
        """Each webhook was told of each incident's events that it wanted, in order, each under one id."""
        wanted = {}
        for number, event, webhooks in self.model.events:
            for webhook in webhooks:
                wanted.setdefault((webhook, number), []).append(event)

        def received():
            seen, events = set(), {}
            for request in list(self.receiver.requests):
                if request.id not in seen:
                    seen.add(request.id)
                    events.setdefault((request.path[1:], request.number), []).append(request.event)
            return events

        try:
            box.until(lambda: received() == wanted, timeout=5)
        except AssertionError:
            found = received()
            for key in sorted(set(found) | set(wanted)):
                self.same("what webhook %s was told of incident %d" % key, found.get(key), wanted.get(key))


def play(steps):
    """Runs them; the number of steps taken (real time may end a run early) or a Difference."""
    n, run, began = 0, Run(copy.deepcopy(steps[0][1])), time.monotonic()
    try:
        for n, (word, *arguments) in enumerate(steps[1:], 1):
            getattr(run, word)(*copy.deepcopy(arguments))
            if len(run.model.queue) >= QUEUE_MOST:
                run.resume()
            if time.monotonic() - began > REAL_SECONDS:
                break
        if run.model.paused:
            run.resume()
        run.same_events()
        return n + 1
    except Difference as difference:
        difference.log = run.gateway.dump()
        raise
    finally:
        run.close()


# ---- the shortest -----------------------------------------------------------------------------

def differs(steps):
    try:
        play(steps)
    except Difference as difference:
        return difference
    return None


def shortest(steps, difference, limit=60):
    """Leaves out as much as still shows a difference, in at most so many seconds."""
    end, size = time.monotonic() + limit, len(steps) // 2
    while size >= 1 and time.monotonic() < end:
        at = 1  # the configuration stays
        while at < len(steps) and time.monotonic() < end:
            fewer = steps[:at] + steps[at + size:]
            found = differs(fewer)
            if found:
                steps, difference = fewer, found
            else:
                at += size
        size //= 2
    return steps, difference
