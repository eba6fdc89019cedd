"""Two nodes behind HAProxy and nginx, with the files that come with Tocsin: alerts find their node,
questions too, logs name the client, and restarts go unnoticed. CONTRACT §1.7, §10."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from gateway import SLOW, integration, until, webhook
from test_listeners import Activated, listening
from wire import Closed, Connection

CONF = os.path.join(os.path.dirname(__file__), "..", "..", "conf")
KEYS = ["key-%d" % i for i in range(24)]
RESTARTS = 10


def replaced(name, pairs):
    """A file of conf/ with some of its text replaced; all of it must be there."""
    with open(os.path.join(CONF, name), encoding="utf-8") as file:
        text = file.read()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Balancer:
    """A balancer of the system's, run by us on a port of loopback."""

    def __init__(self, name, command, pairs):
        self.directory = tempfile.mkdtemp(prefix="balancer-")
        os.chmod(self.directory, 0o755)
        self.address = ("127.0.0.1", free_port())
        place = {"DIR": self.directory, "PORT": "127.0.0.1:%d" % self.address[1]}
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(replaced(name, [(old, new.format(**place)) for old, new in pairs]))
        self.output = open(os.path.join(self.directory, "output"), "wb")
        self.process = subprocess.Popen([*command, path], stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT)
        until(self.is_up, what=name + " to listen")

    def is_up(self):
        try:
            Connection(self.address).close()
            return True
        except ConnectionRefusedError:
            assert self.process.poll() is None, self.said()
            return False

    def said(self):
        with open(self.output.name, encoding="utf-8") as file:
            return file.read()

    def dispose(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.output.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def backends(addresses):
    return [("10.0.0.1%d:8081" % i, "127.0.0.1:%d" % port) for i, (_, port) in enumerate(addresses)]


def haproxy(addresses):
    return Balancer("haproxy.cfg", ["haproxy", "-db", "-f"], [
        ("\tuser haproxy\n\tgroup haproxy\n", ""), ("bind :80\n", "bind {PORT}\n"), ("maxconn 20000", "maxconn 200"),
        ("inter 2s", "inter 1s"), *backends(addresses)])


def nginx(addresses):
    temporary = "".join("%s_temp_path {DIR}/%s;" % (kind, kind)
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.getuid() == 0 else ""
    return Balancer("nginx.conf", ["nginx", "-c"], [
        ("user www-data;", user + "daemon off;"), ("/run/nginx.pid", "{DIR}/pid"),
        ("listen 80;", "listen {PORT};"), ("rlimit_nofile 65536", "rlimit_nofile 1024"),
        ("connections 8192", "connections 256"), ("http {", "http {{" + temporary), *backends(addresses)])


class Site:
    """Two nodes, whose sockets are ours, and both balancers in front of them."""

    def __init__(self, make, **conf):
        self.nodes = []
        for number in range(2):
            sockets = [listening(), listening()]
            self.nodes.append(make.keep(Activated(
                sockets, node=number, drain="300ms", trusted_proxies=["127.0.0.1/32"],
                integrations=[integration("I%d" % i, key) for i, key in enumerate(KEYS)], **conf,
                listen=[{"address": "systemd", "serve": ["ingest", "status"],
                         "proxy_protocol": True},
                        {"address": "systemd", "serve": ["ingest", "status"]},
                        {"address": "127.0.0.1:0"}])))
        self.balancers = {
            "haproxy": make.keep(haproxy([n.sockets[0].getsockname() for n in self.nodes])),
            "nginx": make.keep(nginx([n.sockets[1].getsockname() for n in self.nodes]))}
        ready = self.balancers["haproxy"].address
        until(lambda: ask(ready, "GET", "/-/ready").status == 200, what="a node to be ready")


def ask(address, method, path, body=None, source=None, headers=()):
    with Connection(address, source=source) as connection:
        return connection.request(method, path, body, headers)


def node_of(trace):
    """What CONTRACT §1.7 says of a trace id."""
    return int(trace.split("-")[3][2:], 16)


@pytest.fixture(name="site", scope="module")
def site_(make_shared):
    return Site(make_shared)


def alert(entity="e"):
    return {"message": "m", "alert_type": "critical", "entity_id": entity}


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_balancer_one_node(site, name):
    """§1.7: an integration lives on one node, in whatever form its address is written; both nodes
    have some."""
    address = site.balancers[name].address
    nodes = {}
    for key in KEYS:
        for form in ("/integration/demo1/x/%s/", "/integration/demo1/other/%s",
                     "/api/integration/x/%s/", "/api/integration/x/%s?a=b"):
            answer = ask(address, "POST", form % key, alert())
            assert answer.status == 200, answer
            nodes.setdefault(key, set()).add(node_of(answer.json()["trace_id"]))
    assert all(len(one) == 1 for one in nodes.values()), nodes
    assert set.union(*nodes.values()) == {0, 1}


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_balancer_client(site, name):
    """§10, §12: through PROXY v2 and through X-Forwarded-For the log names the client, not what the
    client says it is."""
    address = site.balancers[name].address
    spoofed = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    for i, key in enumerate(KEYS[:4]):
        source = "127.0.%d.7" % i
        answer = ask(address, "POST", "/integration/demo1/x/%s/" % key, alert(), source, spoofed)
        trace = answer.json()["trace_id"]
        line = site.nodes[node_of(trace)].wait_log("alert.accepted", trace__id=trace)
        assert line["client.ip"] == source


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_balancer_status(site, name):
    """§1.7: traces of either node are found through either balancer."""
    traces = [ask(site.balancers[name].address, "POST", "/integration/demo1/x/%s/" % key, alert())
              .json()["trace_id"] for key in KEYS]
    assert {node_of(trace) for trace in traces} == {0, 1}
    for balancer in site.balancers.values():
        for trace in traces:
            for form in ("/api/alert/status/%s/", "/api/alert/status/%s", "/api/alert/status/%s/?x=1"):
                answer = ask(balancer.address, "GET", form % trace)
                assert answer.status == 200 and answer.json()["status"] == "completed"
        strange = traces[0][:21] + "ff" + traces[0][23:]
        assert ask(balancer.address, "GET", "/api/alert/status/%s/" % strange).status == 404


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_balancer_nothing_else(site, name):
    """§2: the API, metrics and the rest stay with each node."""
    for path in ("/api/incidents", "/metrics", "/-/pause", "/", "/integrations/x", "/api/alert/"):
        assert ask(site.balancers[name].address, "GET", path).status == 404


class Load(threading.Thread):
    """Sends one alert after the other through a balancer, on one connection."""

    def __init__(self, address, number):
        super().__init__()
        self.address, self.number = address, number
        self.traces, self.faults, self.longest = [], [], 0
        self.ending = threading.Event()

    def run(self):
        try:
            with Connection(self.address, timeout=30) as connection:
                while not self.ending.is_set():
                    self.send(connection)
        except (OSError, Closed) as fault:
            self.faults.append(fault)

    def send(self, connection):
        path = "/integration/demo1/x/%s/" % KEYS[len(self.traces) % len(KEYS)]
        begun = time.monotonic()
        answer = connection.request("POST", path, alert("%d-%d" % (self.number, len(self.traces))))
        self.longest = max(self.longest, time.monotonic() - begun)
        if answer.status == 200:
            self.traces.append(answer.json()["trace_id"])
        else:
            self.faults.append(answer)
        self.ending.wait(0.005)


def restart_often(node):
    for _ in range(RESTARTS):
        time.sleep(0.1)
        node.restart()


def test_balancer_restarts(make):
    """§1.1, §1.3, §1.7: while both nodes are restarted ten times, each at its own pace, with sockets
    that are passed on, no request fails, and each alert's incident is delivered."""
    receiver = make.receiver()
    site = Site(make, webhooks=[webhook("ops", receiver.url())])
    loads = [Load(balancer.address, i) for i, balancer in
             enumerate(list(site.balancers.values()) * 2)]
    restarts = [threading.Thread(target=restart_often, args=(node,)) for node in site.nodes]
    for thread in loads + restarts:
        thread.start()
    for thread in restarts:
        thread.join()
    for load in loads:
        load.ending.set()
        load.join()
    assert [load.faults for load in loads] == [[]] * len(loads)
    assert max(load.longest for load in loads) < 10 * SLOW
    assert all(len(node.logged("server.started")) == 3 * (RESTARTS + 1) for node in site.nodes)
    traces = [trace for load in loads for trace in load.traces]
    assert {node_of(trace) for trace in traces} == {0, 1}
    incidents = set()
    with Connection(site.balancers["haproxy"].address) as connection:
        for trace in traces:
            answer = connection.request("GET", "/api/alert/status/%s/" % trace)
            assert answer.status == 200, trace
            incidents.add(answer.json()["incident"]["unique_id"])
    assert len(incidents) == len(traces) > 20 * RESTARTS
    until(lambda: incidents <= {request.incident["unique_id"] for request in receiver.requests}, 30,
          what="every incident to be delivered")


def test_balancer_dead_node(make):
    """§1.1: a node that is killed and does not come back: the other one takes its alerts, and no
    request fails."""
    site = Site(make)
    dead = site.nodes[0]
    dead.kill9()
    for sock in dead.sockets:
        sock.close()
    for balancer in site.balancers.values():
        for key in KEYS:
            answer = ask(balancer.address, "POST", "/integration/demo1/x/%s/" % key, alert())
            assert answer.status == 200
            assert node_of(answer.json()["trace_id"]) == 1
