"""Rate limits of integrations (CONTRACT §3, §6, §10). The clock is pushed, never waited for."""

import pytest

from gateway import integration, until

TREE, LIMITED, BURST, FREE = ("int_tree00001", "0d0b5a3c-5d2c-4c57-9a59-000000000001",
                              "0d0b5a3c-5d2c-4c57-9a59-000000000002",
                              "0d0b5a3c-5d2c-4c57-9a59-000000000003")
ALERT = {"message": "m", "alert_type": "info"}
CREATE = {"event_type": "create", "Title": "t"}


@pytest.fixture
def gateway(make):
    return make.gateway(integrations=[
        integration("Limited", LIMITED, rate_limit={"per_minute": 3}),
        integration("Burst", BURST, rate_limit={"per_minute": 6, "burst": 2}),
        integration("Tree", TREE, type="pagertree", rate_limit={"per_minute": 1}, token="t"),
        integration("Free", FREE)])


def refused(answer, wait):
    """That it is a 429 which says when to come again; a second may have begun meanwhile."""
    assert answer.status == 429, answer
    assert wait - 2 <= int(answer.header("Retry-After")) <= wait
    assert answer.header("X-Trace-Id") is None


def test_rate_documented_limit(gateway):
    """§3: so many a minute, then 429 with Retry-After and a reason; a token later, one more."""
    assert [gateway.post(ALERT, key=LIMITED).status for _ in range(3)] == [200] * 3
    answer = gateway.post(ALERT, key=LIMITED)
    refused(answer, 20)
    assert answer.json() == {"detail": "Too many requests."}
    gateway.advance(int(answer.header("Retry-After")))
    assert gateway.post(ALERT, key=LIMITED).status == 200
    refused(gateway.post(ALERT, key=LIMITED), 20)


def test_rate_burst(gateway):
    """§10: burst is how many at once; more than that is never saved up."""
    gateway.advance(3600)
    assert [gateway.post(ALERT, key=BURST).status for _ in range(3)] == [200, 200, 429]
    refused(gateway.post(ALERT, key=BURST), 10)
    gateway.advance(11)
    assert [gateway.post(ALERT, key=BURST).status for _ in range(2)] == [200, 429]


def test_rate_stores_and_logs(gateway):
    """§1.6: what is over the limit leaves a line and no row; it makes nobody wait longer."""
    for _ in range(3):
        gateway.post(ALERT, key=LIMITED)
    rows, mark = gateway.rows(), gateway.mark()
    for _ in range(5):
        refused(gateway.post(ALERT, key=LIMITED), 20)
    assert gateway.rows() == rows
    line = gateway.wait_log("alert.rejected", since=mark, http__response__status_code=429)
    assert line["labels.integration"] == "Limited" and "rate_limit" in line["error.message"]


def test_rate_one_integration(gateway):
    """§3: one integration's limit is nobody else's; without one there is none."""
    for _ in range(4):
        last = gateway.post(ALERT, key=LIMITED)
    assert last.status == 429
    assert gateway.post(ALERT, key=BURST).status == 200
    assert {gateway.post(ALERT, key=FREE).status for _ in range(50)} == {200}


def test_rate_before_the_body(gateway):
    """§3: a request counts whatever it brings, and is refused unread."""
    assert [gateway.post(body, key=LIMITED).status for body in (b"{", b"", {})] == [400] * 3
    refused(gateway.post(ALERT, key=LIMITED), 20)
    refused(gateway.post(b"{", key=LIMITED), 20)


def test_rate_pagertree(gateway):
    """§6: 429 with an empty body; who has no token uses nothing up."""
    path, token = "/integration/" + TREE, {"pagertree-token": "t"}
    assert [gateway.request("POST", path, CREATE).status for _ in range(3)] == [403] * 3
    assert gateway.request("POST", path, CREATE, token).status == 200
    answer = gateway.request("POST", path, CREATE, token)
    refused(answer, 60)
    assert answer.body == b""
    assert gateway.request("POST", path, CREATE).status == 403


def test_rate_per_request(gateway):
    """§3: requests on one connection count like any others."""
    with gateway.connect() as connection:
        path = "/integration/demo1/generic/%s/" % LIMITED
        got = [connection.request("POST", path, ALERT).status for _ in range(5)]
    assert got == [200] * 3 + [429] * 2


def test_rate_wall_clock(gateway):
    """§5 of the design: a step of the wall clock gives nothing and takes nothing."""
    for _ in range(3):
        gateway.post(ALERT, key=LIMITED)
    for seconds in (86400, -2 * 86400):
        gateway.step(seconds)
        refused(gateway.post(ALERT, key=LIMITED), 20)


def test_rate_stays_within_it(gateway):
    """§10: over a long time no more than per_minute come through."""
    count = 0
    for _ in range(60):
        gateway.advance(5)
        count += sum(gateway.post(ALERT, key=LIMITED).status == 200 for _ in range(2))
    assert 15 <= count <= 3 + 15 + 1
    until(lambda: gateway.logged("alert.rejected"), what="a refusal in the log")
