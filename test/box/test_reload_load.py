"""Reload after reload under load: no request refused, no delivery lost, memory flat. CONTRACT §10.

RELOADS is the number of them (make reload RELOADS=1000)."""
import os
import threading
import time

from gateway import SLOW, ingest, integration, until, webhook
from receiver import sign

RELOADS = int(os.environ.get("RELOADS", "200"))
SENDERS = 4
GROWTH = 4 << 20


class Sender(threading.Thread):
    """Opens and resolves incidents until told to stop: half of them over one connection, half over
    one each. Any answer but 200 is a fault, kept in .faults."""

    def __init__(self, gateway, number):
        super().__init__()
        self.gateway, self.number = gateway, number
        self.ending = threading.Event()
        self.opened, self.slowest = 0, 0
        self.faults = []

    def run(self):
        with self.gateway.connect() as connection:
            while not self.ending.is_set() and not self.faults:
                entity = "%d-%d" % (self.number, self.opened)
                for kind in ("critical", "resolved"):
                    self.send(connection, {"message": "m", "alert_type": kind, "entity_id": entity})
                self.opened += 1

    def send(self, connection, alert):
        began = time.monotonic()
        try:
            answered = (connection.request("POST", ingest(), alert) if self.number % 2
                        else self.gateway.post(alert))
            if answered.status != 200:
                self.faults.append(answered)
        except Exception as fault:  # whatever it is, it is told in the end
            self.faults.append(fault)
        self.slowest = max(self.slowest, time.monotonic() - began)


def anonymous(gateway):
    """Bytes of memory that are not pages of the store."""
    with open("/proc/%d/status" % gateway.process.pid, encoding="ascii") as file:
        return int(file.read().split("RssAnon:")[1].split()[0]) << 10


class Site:
    """The configuration of each round; no two in a row are alike."""

    def __init__(self, make):
        self.one, self.two, self.some = make.receiver(), make.receiver(), make.receiver()

    def ops(self, round_):
        """Sent elsewhere, or signed otherwise: the path says which key belongs to it."""
        to = self.one if round_ // 2 % 2 else self.two
        key = "key-%d" % (round_ % 7)
        return webhook("ops", to.url("/" + key), auth={"type": "hmac", "key": key},
                       max_in_flight=1 + round_ % 20)

    def service(self, round_):
        hooks = [self.ops(round_)]
        if round_ % 3:
            hooks.append(webhook("some", self.some.url()))
        return {"name": "Payments", "auto_resolve_timeout": 3600 + round_ % 5,
                "integrations": [integration(), integration("Round", "round-%d" % round_)],
                "webhooks": hooks[::-1] if round_ % 2 else hooks}

    def change(self, gateway, round_):
        gateway.conf["services"] = [self.service(round_)]
        gateway.conf["listen"] = [{"address": "127.0.0.1:0"}] + (
            [{"address": "unix:%s/s" % gateway.directory}] if round_ % 4 == 0 else [])
        gateway.conf["drain"] = "%dms" % (100 + round_)
        gateway.conf["tokens"] = [{"name": "t%d" % (round_ % 2), "token": "0123456789abcdef"}]


TOKEN = {"Authorization": "Token 0123456789abcdef"}


def reload_once(gateway, site, round_):
    site.change(gateway, round_)
    if round_ % 10 == 9:
        assert gateway.reload(TOKEN, drain="soon").status == 400
        site.change(gateway, round_)
    answered = gateway.reload(TOKEN)
    assert answered.status == 200 and answered.json()["changes"], answered
    key = "round-%d" % round_
    assert gateway.post({"message": "m", "alert_type": "info"}, key=key).status == 200
    assert gateway.post({"message": "m", "alert_type": "info"}, key=key + "x").status == 404


def count(gateway, **match):
    query = "&".join("%s=%s" % pair for pair in match.items())
    return gateway.get("/api/deliveries?" + query, TOKEN).json()["count"]


def test_reload_under_load(make):
    """A reload after the other, each of which changes most of what there is, while senders go on."""
    site = Site(make)
    gateway = make.gateway(start=False)
    site.change(gateway, 0)
    gateway.start()
    senders = [Sender(gateway, i) for i in range(SENDERS)]
    for sender in senders:
        sender.start()
    before = None
    for round_ in range(1, RELOADS + 1):
        reload_once(gateway, site, round_)
        if round_ == RELOADS // 4:
            before = anonymous(gateway)
    after = anonymous(gateway)
    for sender in senders:
        sender.ending.set()
        sender.join()
    assert not [fault for sender in senders for fault in sender.faults]
    until(lambda: gateway.rows()["lanes"] == 0, 30)
    took = sorted(r["event.duration"] / 1e6 for r in gateway.logged("config.reloaded"))
    opened = sum(sender.opened for sender in senders)
    print("%d reloads, median %.1f ms, longest %.1f ms; %d incidents; slowest answer %.0f ms; "
          "memory %+d KiB" % (len(took), took[len(took) // 2], took[-1], opened,
                              1000 * max(sender.slowest for sender in senders),
                              (after - before) >> 10))
    assert len(took) == RELOADS
    check_deliveries(gateway, site, opened)
    assert after - before < GROWTH * SLOW


def check_deliveries(gateway, site, opened):
    """Each event reached "ops" once, signed as its address wants; what "some" did not get while it
    was there is among the dead letters."""
    sent = site.one.requests + site.two.requests
    for request in sent:
        key = request.path[1:]
        assert request.headers["x-signature"] == sign(key, request.body), request
    assert sorted((r.number, r.event) for r in sent) == sorted(
        (n, event) for n in range(1, opened + 1) for event in ("triggered", "resolved"))
    some = len(site.some.requests)
    assert len({r.id for r in site.some.requests}) == some > 0
    assert count(gateway, webhook="some", state="waiting") == 0
    assert count(gateway, webhook="some", state="held") == 0
    rows = gateway.rows()
    assert rows["deliveries"] == 2 * opened + some + rows["dead"]
