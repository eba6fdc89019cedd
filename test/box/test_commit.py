"""A commit that fails (CONTRACT §1.1, §1.6, §3): the turn never was, and service goes on."""

import threading

from gateway import ingest, webhook
from receiver import answer

ALERT = {"message": "m", "alert_type": "critical"}
CLIENTS = 16


def refused(response):
    """That the answer is a 503 with Retry-After and a reason."""
    assert response.status == 503, response
    assert int(response.header("Retry-After")) > 0
    assert response.header("Content-Type") == "application/json"
    assert isinstance(response.json(), dict)


def counts(gateway):
    rows = gateway.rows()
    return {name: rows[name] for name in ("traces", "alerts", "incidents", "deliveries", "lanes")}


def test_commit_failed(make):
    """§3: 503 with Retry-After; nothing of it is stored, nothing sent; then service goes on."""
    receiver = make.receiver()
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    before, mark = counts(gateway), gateway.mark()
    gateway.fail_commit()
    refused(gateway.post(ALERT))
    assert counts(gateway) == before
    incident = gateway.opened()
    assert incident["incident_number"] == 1
    assert receiver.wait()[0].number == 1
    receiver.quiet(1)
    told = [record for record in gateway.log.records[mark:] if record
            and record["log.level"] in ("error", "warning", "warn")]
    assert told, "the failure was not logged"


def test_commit_failed_connection_goes_on(make):
    """§3: the connection of a refused request may be used again."""
    gateway = make.gateway()
    with gateway.connect() as connection:
        gateway.fail_commit()
        refused(connection.request("POST", ingest(), ALERT))
        assert connection.request("GET", "/-/healthy").status == 200
        assert connection.request("POST", ingest(), ALERT).status == 200


def test_commit_failed_changes_nothing_in_memory(make):
    """§5: an acknowledgement or resolution that was not stored did not happen."""
    gateway = make.gateway()
    incident = gateway.opened(entity_id="e")
    for alert_type in ("acknowledged", "resolved", "critical"):
        gateway.fail_commit()
        refused(gateway.post({**ALERT, "alert_type": alert_type, "entity_id": "e"}))
    gateway.fail_commit()
    refused(gateway.post({**ALERT, "entity_id": "other"}))
    assert gateway.incident(1) == incident
    status = gateway.alert("critical", entity_id="e")
    assert status["incident"]["incident_number"] == 1 and not status["is_incident_created"]
    assert gateway.opened(entity_id="other")["incident_number"] == 2
    gateway.restart()
    assert gateway.alert("resolved", entity_id="e")["incident"]["incident_number"] == 1
    assert gateway.alert("resolved", entity_id="other")["incident"]["incident_number"] == 2


def test_commit_failed_for_many(make):
    """§1.1: of requests at the same time each was refused or kept, and numbers have no holes."""
    gateway = make.gateway()
    start, answers = threading.Barrier(CLIENTS + 1), []

    def client(name):
        with gateway.connect() as connection:
            start.wait()
            for i in range(10):
                body = {**ALERT, "entity_id": "%d-%d" % (name, i)}
                answers.append(connection.request("POST", ingest(), body))

    threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    gateway.fail_commit(3)
    start.wait()
    for thread in threads:
        thread.join(30)
    kept = [response for response in answers if response.status == 200]
    lost = [response for response in answers if response.status != 200]
    assert len(answers) == CLIENTS * 10
    assert len(lost) >= 3
    for response in lost:
        refused(response)
    numbers = [gateway.settled(response.json()["trace_id"])["incident"]["incident_number"]
               for response in kept]
    assert sorted(numbers) == list(range(1, len(kept) + 1))
    rows = gateway.rows()
    assert (rows["traces"], rows["incidents"]) == (len(kept), len(kept))


def test_commit_failed_reads_go_on(make):
    """§1.6: who only asks is answered."""
    gateway = make.gateway()
    trace = gateway.send("critical")
    gateway.fail_commit()
    assert gateway.status(trace)["status"] == "completed"
    assert gateway.get("/-/healthy").status == 200
    refused(gateway.post(ALERT))


def test_commit_failed_outcome_of_a_delivery(make):
    """§1.3: an outcome that could not be stored is stored later; the event is not sent again."""
    receiver = make.receiver(answer(200, delay=0.2))
    gateway = make.gateway(webhooks=[webhook("ops", receiver.url())])
    gateway.alert("critical", entity_id="e")
    receiver.wait(1)
    gateway.fail_commit()
    gateway.wait_log("delivery.delivered")
    gateway.alert("acknowledged", entity_id="e")
    receiver.wait(2)
    receiver.quiet(2)
    assert receiver.events() == ["triggered", "acknowledged"]
