"""What the tests of outgoing webhooks share: a receiver with its gateway, one incident's life."""

from gateway import until, webhook
from receiver import answer
from scrape import scrape

EVENTS = ["triggered", "acknowledged", "resolved"]
DOWN = answer(503)


def pair(make, behaviour=None, script=(), choose=None, keep=True, top=None, **hook):
    """A receiver and a gateway with one webhook to it."""
    receiver = make.receiver(behaviour, script=script, choose=choose, keep=keep)
    hook = webhook("ops", receiver.url(), **hook)
    return make.gateway(webhooks=[hook], **(top or {})), receiver


def life(gateway, entity_id="e"):
    """One incident from beginning to end."""
    for alert_type in ("critical", "acknowledged", "resolved"):
        gateway.alert(alert_type, entity_id=entity_id)


def delivered(gateway, count=1, **match):
    return gateway.wait_log("delivery.delivered", count, **match)


def failed(gateway, count=1, **match):
    """Waits until `count` attempts have failed and wait for another."""
    return gateway.wait_log("delivery.retry", count, **match)


def landed(gateway, name="ops"):
    """Waits until no attempt is under way."""
    until(lambda: scrape(gateway).get("deliveries_in_flight", webhook=name) == 0)
