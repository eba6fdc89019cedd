"""A model of incidents, written from CONTRACT §5 and from nothing else: no look at the gateway's code.

Time is a number of seconds that only `advance` moves. What an alert did is a tuple

    ("completed", incident number or None, created, suppressed)   or   ("failed", text)   or   ("queued",)

and events are (incident number, "triggered" | "acknowledged" | "resolved", webhooks that are told) in the
order they happen. Services, integrations and webhooks are known by their names: a configuration that
leaves one out and a later one that has it again mean the same one.
"""

TRIGGERED, ACKNOWLEDGED, RESOLVED = 1, 2, 3
NAMES = {TRIGGERED: "triggered", ACKNOWLEDGED: "acknowledged", RESOLVED: "resolved"}
SEVERITY = {"critical": 3, "error": 2, "warning": 1, "info": 0}
CREATES = {"none": 99, "critical": 3, "error": 2, "warning": 1}
MAINTENANCE = "Your service is under maintenance"
GONE = "The integration is no longer configured"


class Incident:
    def __init__(self, number, service, time, title, urgency):
        self.number, self.service, self.title, self.urgency = number, service, title, urgency
        self.status = TRIGGERED
        self.created = self.triggered = time
        self.acknowledged = None

    def due(self, settings):
        """When something happens to it by itself: (time, kind), the earliest first; never, while its
        service is not configured."""
        times = []
        if settings is None:
            return None
        if settings["auto_resolve_timeout"]:
            times.append((self.triggered + settings["auto_resolve_timeout"], 1))
        if settings["acknowledgement_timeout"] and self.status == ACKNOWLEDGED:
            times.append((self.acknowledged + settings["acknowledgement_timeout"], 2))
        return min(times, default=None)


class Model:
    def __init__(self, services):
        self.services = services  # name -> settings, with "integrations": name -> settings, "webhooks": name -> events
        self.time = 0
        self.paused = False
        self.queue = []      # (name of the alert, alert, time of acceptance)
        self.incidents = {}  # number -> Incident, all that ever were
        self.keys = {}       # (service, integration, entity) -> Incident that is open
        self.events = []
        self.outcomes = {}   # name of the alert -> what it did

    # ---- what happens -------------------------------------------------------------------------

    def takes(self, service, integration):
        """Whether an alert has somewhere to go."""
        settings = self.services.get(service, {"integrations": {}})
        found = settings["integrations"].get(integration)
        return found is not None and settings["enabled"] and found["enabled"]

    def alert(self, name, **alert):
        """False where it is not accepted."""
        if not self.takes(alert["service"], alert["integration"]):
            return False
        if self.paused:
            self.queue.append((name, alert, self.time))
            self.outcomes[name] = ("queued",)
        else:
            self.outcomes[name] = self.apply(alert, self.time)
        return True

    def advance(self, seconds):
        self.time += seconds
        self.tick()

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False
        for name, alert, time in self.queue:
            self.outcomes[name] = self.apply(alert, time)
        self.queue = []
        self.tick()

    def configure(self, services):
        self.services = services
        self.tick()

    def change(self, number, status):
        """An operator sets the status; False where that is refused."""
        incident = self.incidents.get(number)
        if incident is None or incident.status == RESOLVED and status != RESOLVED:
            return False
        if incident.status != status:
            self.move(incident, status, self.time)
        return True

    def create(self, service, title, urgency):
        """An operator makes an incident; it has no key by which alerts could find it. False where there
        is no such service."""
        if service not in self.services:
            return False
        self.open(service, self.time, title, urgency)
        return True

    # ---- rules --------------------------------------------------------------------------------

    def apply(self, alert, time):
        settings = self.services.get(alert["service"])
        if settings is None or alert["integration"] not in settings["integrations"]:
            return ("failed", GONE)
        kind = alert["alert_type"]
        if kind in SEVERITY and settings["under_maintenance"]:
            return ("failed", MAINTENANCE)
        if alert["suppressed"]:
            return ("completed", None, False, True)
        key = (alert["service"], alert["integration"], alert["entity_id"])
        found = self.keys.get(key)
        if found is None:
            return self.unmatched(alert, key, settings, time)
        if kind == "resolved":
            self.move(found, RESOLVED, time)
        elif kind == "acknowledged" and found.status == TRIGGERED:
            self.move(found, ACKNOWLEDGED, time)
        return ("completed", found.number, False, False)

    def unmatched(self, alert, key, settings, time):
        integration = settings["integrations"][alert["integration"]]
        severity = SEVERITY.get(alert["alert_type"], -1)
        if severity < 1 or severity < CREATES[integration["create_incidents_for"]]:
            return ("completed", None, False, False)
        newest = self.collating(alert["service"], settings, time)
        if newest:
            self.keys[key] = newest
            return ("completed", newest.number, False, False)
        made = self.open(alert["service"], time, alert["message"], 1 if integration["default_urgency"] == "high" else 0)
        self.keys[key] = made
        return ("completed", made.number, True, False)

    def collating(self, service, settings, time):
        if settings["collation"] != 1 or not settings["collation_time"]:
            return None
        newest = max((i for i in self.incidents.values() if i.service == service and i.status != RESOLVED),
                     key=lambda i: i.number, default=None)
        return newest if newest and time - newest.created < 60 * settings["collation_time"] else None

    def open(self, service, time, title, urgency):
        number = len(self.incidents) + 1
        incident = self.incidents[number] = Incident(number, service, time, title, urgency)
        self.tell(incident)
        return incident

    def tell(self, incident):
        """Its change of status is an event, of which those webhooks are told that now want it."""
        name, webhooks = NAMES[incident.status], self.services.get(incident.service, {"webhooks": {}})["webhooks"]
        self.events.append((incident.number, name, [w for w, events in webhooks.items() if name in events]))

    def move(self, incident, status, time):
        incident.status = status
        if status == TRIGGERED:
            incident.triggered, incident.acknowledged = time, None
        elif status == ACKNOWLEDGED:
            incident.acknowledged = time
        else:
            self.keys = {key: i for key, i in self.keys.items() if i is not incident}
        self.tell(incident)

    def tick(self):
        """What is due happens, the longest due first; what it makes due is due at once."""
        while True:
            due = [(i.due(self.services.get(i.service)), i.number, i) for i in self.incidents.values()
                   if i.status != RESOLVED]
            due = [d for d in due if d[0] and d[0][0] <= self.time]
            if not due:
                return
            (_, kind), _, incident = min(due, key=lambda d: d[:2])
            self.move(incident, RESOLVED if kind == 1 else TRIGGERED, self.time)
