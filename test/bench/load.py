"""Load: wrk on the second core, with scripts that say what each request is."""
import re
import subprocess

from servers import LOAD_CORE, on_core

# 500 bytes each, as the vendor's sample is built.
ALERT = ('{"alert_type": "critical", "message": "This is a sample alert from API integration", '
         '"summary": "%s", "entity_id": "%s", "payload": {"status": "ACME Payments are failing", '
         '"severity": "1"}, "urls": [{"link_url": "https://www.example.com/alerts/12345/", '
         '"link_text": "Alert URL"}]}')
LABELS = ('[{"labels": {"alertname": "%s", "severity": "critical", "service": "payments"}, "annotations": '
          '{"summary": "This is a sample alert from API integration", "description": "%s"}, '
          '"generatorURL": "https://www.example.com/alerts/12345/"}]')
SIZE = 500


def padded(form, entity, order):
    """form filled with the entity and as many x as make it SIZE bytes."""
    fill = lambda x: form % ((x, entity) if order == "pad first" else (entity, x))
    return fill("x" * (SIZE - len(fill(""))))


def alert(entity):
    return padded(ALERT, entity, "pad first")


def labels(entity):
    return padded(LABELS, entity, "pad last")


def same(body):
    """A script that posts the same body for ever."""
    return "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [==[%s]==]\n" % body


def unique(body, prefix):
    """The same with another entity id each time: `body` holds ten zeros where it goes."""
    head, tail = body.split("0000000000")
    return """
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
local head, tail, n = [==[%s]==], [==[%s]==], 0
function request()
    n = n + 1
    return wrk.format(nil, nil, nil, head .. string.format('%s%%09d', n) .. tail)
end
""" % (head, tail, prefix)


class Result:
    """What wrk saw and what the server used for it."""

    def __init__(self, text, cpu):
        self.requests = int(re.search(r"(\d+) requests in", text)[1])
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
        self.p50, self.p99 = (self.milliseconds(text, p) for p in ("50%", "99%"))
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        errors = re.search(r"Socket errors: (?!connect 0, read 0, write 0,)", text)  # too late is in p99
        assert not refused and not errors, text
        self.cpu = 1e6 * cpu / self.requests  # us for each

    @staticmethod
    def milliseconds(text, percent):
        number, unit = re.search(r"%s\s+([\d.]+)(us|ms|s)" % percent, text).groups()
        return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def wrk(server, target, script, connections=64, seconds=3, settle=None):
    """Loads the server; settle() is waited for before its CPU is read, for work behind the answers."""
    path = server.path("load.lua", script)
    before = server.cpu()
    run = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%gs" % seconds, "--latency", "-s", path,
                          "http://127.0.0.1:%d%s" % (server.port, target)], preexec_fn=on_core(LOAD_CORE),
                         capture_output=True, text=True, check=True)
    if settle:
        settle()
    return Result(run.stdout, server.cpu() - before)
