"""No leak and no invalid access in a run with traffic of every kind, as valgrind sees it."""
import pytest

from gateway import BUILD, ingest, until, webhook
from receiver import answer
from wire import request

VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--error-exitcode=9",
            "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible"]


@pytest.mark.skipif("address" in BUILD, reason="valgrind and sanitizers exclude each other")
def test_valgrind_run_with_traffic(make):
    """§1.5: what a request, an incident or an attempt takes is given back."""
    well, ill = make.receiver(), make.receiver(answer(404))
    gateway = make.gateway(
        wrapper=VALGRIND, limits={"store": "256MiB"}, retry=["100ms"] * 3,
        
        webhooks=[webhook("well", well.url(), auth={"type": "hmac", "key": "valgrind-key"}),
                  webhook("ill", ill.url())])
    for entity in range(5):
        for kind in ("critical", "info", "acknowledged", "resolved"):
            gateway.send(kind, entity_id=entity)
    for path in ("/api/incidents", "/api/incidents/1", "/-/ready", "/nowhere"):
        gateway.get(path)
    for bad in (b"{", b"[]", b'{"message": 1}', b"[" * 10000):
        with gateway.connect(timeout=10) as connection:
            connection.send(request("POST", ingest(), bad))
            connection.read()
    with gateway.connect(timeout=10) as connection:
        connection.send(b"GET / HTTP/1.1\r\nContent-Length : 3\r\n\r\n")
        connection.read()
    gateway.control("fail-commit 1")
    gateway.post({"message": "m", "alert_type": "critical"})
    until(lambda: len(well.requests) >= 15, 30)
    until(lambda: gateway.logged("delivery.dead"), 30)
    gateway.stop()

