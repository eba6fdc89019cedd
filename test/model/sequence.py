"""Random sequences of steps, one run of them against gateway and model, and the search for the shortest
one that still shows a difference.
"""
import copy
import os
import random
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "box"))
import gateway as box
from incidents import Model, NAMES
from receiver import Receiver

KINDS = ["critical"] * 6 + ["error", "warning", "info"] + ["acknowledged"] * 3 + ["resolved"] * 4
REAL_SECONDS = 4  # of a run, as the real clock runs beside the one that is pushed; advances are tens


QUEUE_MOST = 100  # the gateway applies more in several turns, between which timers may act
TRACE_SECONDS = 3600  # later it may not be asked for what became of an alert


class Difference(AssertionError):
    pass


# ---- making steps -----------------------------------------------------------------------------

def make_services(rng):
    def integration():
        return {"create_incidents_for": rng.choice(["critical", "critical", "error", "warning", "none"]),
                "default_urgency": rng.choice(["high", "low"])}

    def service():
        return {"auto_resolve_timeout": rng.choice([0, 0, 45, 305]), "acknowledgement_timeout": rng.choice([0, 0, 25, 125]),
                "collation": rng.choice([0, 0, 1]), "collation_time": rng.choice([0, 1, 3]),
                "under_maintenance": rng.random() < 0.1,
                "integrations": {name: integration() for name in ("one", "two")}}

    return {name: service() for name in ("alpha", "beta", "gamma")}


WORDS = set(os.environ.get("WORDS", "alert advance change create pause resume restart kill").split())


def make_steps(rng, count):
    """A sequence of so many; each a tuple of a word and its arguments, none of which depends on the others."""
    steps = [("configure", make_services(rng))]
    while len(steps) < count:
        roll = rng.random()
        if roll < 0.80:
            steps.append(("alert", len(steps), {
                "service": rng.choice(["alpha", "beta", "gamma"]), "integration": rng.choice(["one", "two"]),
                "alert_type": rng.choice(KINDS), "entity_id": "e%d" % rng.randrange(4),
                "message": "message %d" % len(steps), "suppressed": rng.random() < 0.05}))
        elif roll < 0.90:
            steps.append(("advance", rng.choice([10, 20, 50, 130, 400])))
        elif roll < 0.94:
            steps.append(("change", rng.random(), rng.choice([1, 2, 3])))
        elif roll < 0.955:
            steps.append(("create", rng.choice(["alpha", "beta", "gamma"]), "made by hand %d" % len(steps), rng.choice([0, 1])))
        elif roll < 0.97:
            steps.append(("pause",))
        elif roll < 0.985:
            steps.append(("resume",))
        elif roll < 0.99:
            steps.append(("configure", make_services(rng)))
        else:
            steps.append((rng.choice(["restart", "kill"]),))
    return [steps[0]] + [step for step in steps[1:] if step[0] in WORDS]


# ---- one run ----------------------------------------------------------------------------------

def unique_id(service):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, service))


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
        made = []
        for name, settings in services.items():
            service = {"name": name, "unique_id": unique_id(name), **{k: v for k, v in settings.items() if k != "integrations"}}
            service["integrations"] = [{"name": i, "key": "key-%s-%s" % (name, i), **s}
                                       for i, s in settings["integrations"].items()]
            service["webhooks"] = [{"name": "to-" + name, "url": self.receiver.url(), "max_in_flight": 1000}]
            made.append(service)
        return made

    def ask(self, method, path, body=None):
        return self.connection.request(method, path, body)

    # Steps: each does the same to both sides.

    def alert(self, name, alert):
        alert = dict(alert)
        self.model.alert(name, **alert)
        path = box.ingest("key-%s-%s" % (alert.pop("service"), alert.pop("integration")))
        answer = self.ask("POST", path, alert)
        self.same("the answer's status", answer.status, 200)
        self.traces[name] = answer.json()["trace_id"]
        self.same_outcome(name)

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
        self.model.create(service, title, urgency)
        answer = self.ask("POST", "/api/incidents/", {"title": title, "service": unique_id(service), "urgency": urgency})
        self.same("creating", answer.status, 201)
        self.same_incidents()


    def configure(self, services):
        self.model.configure(services)
        self.gateway.conf["services"] = self.configuration(services)
        self.gateway.reload()
        self.same_incidents()

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

    def listed(self):
        found = self.ask("GET", "/api/incidents/?limit=500").json()["results"]
        return {i["incident_number"]: (i["status"], i["urgency"], i["title"], i["service_object"]["name"]) for i in found}

    def same_incidents(self):
        wanted = {n: (i.status, i.urgency, i.title, i.service) for n, i in self.model.incidents.items()}
        try:
            box.until(lambda: self.listed() == wanted, timeout=1)
        except AssertionError:
            found = self.listed()
            for number in sorted(set(found) | set(wanted)):
                self.same("incident %d" % number, found.get(number), wanted.get(number))

    def same_events(self):
        """Each incident's events arrived, in order, each under one id."""
        wanted = {}
        for number, event in self.model.events:
            wanted.setdefault(number, []).append(event)

        def received():
            seen, events = set(), {}
            for request in list(self.receiver.requests):
                if request.id not in seen:
                    seen.add(request.id)
                    events.setdefault(request.number, []).append(request.event)
            return events

        try:
            box.until(lambda: received() == wanted, timeout=5)
        except AssertionError:
            self.same("events at the receiver", received(), wanted)


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
