"""A webhook receiver whose behaviour a test chooses, request by request.

    Receiver(behaviour)             answers every request so
    Receiver(script=[a, b], ...)    the first a, the second b, the others as `behaviour` says
    Receiver(choose=function)       function(request) returns the behaviour

A behaviour is a function (exchange) -> bool, true to keep the connection. Every request is recorded
before it is answered, in order of arrival, with its raw bytes and times. One thread per connection.
"""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time

from gateway import SLOW


class Request:
    """One request as it arrived. time and closed are time.monotonic()."""

    def __init__(self, connection, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.method, self.path, self.version = lines[0].split(" ")
        self.pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.headers = {name.lower(): value for name, value in self.pairs}
        self.body = body
        self.time = time.monotonic()
        self.closed = None  # when the sender closed while it was left unanswered
        self.connection = connection

    @property
    def payload(self):
        return json.loads(self.body)["payload"]

    @property
    def event(self):
        return self.payload["event_type"]

    @property
    def incident(self):
        return self.payload["incident"]

    @property
    def number(self):
        return self.incident["incident_number"]

    @property
    def attempt(self):
        return int(self.headers["x-attempt"])

    @property
    def id(self):
        return self.headers["webhook-id"]

    def __repr__(self):
        return "<%s %s>" % (self.line, self.body[:60])


class Exchange:
    """A request and the socket it came on, as behaviours see them."""

    def __init__(self, receiver, sock, request):
        self.receiver = receiver
        self.socket = sock
        self.request = request

    def pause(self, seconds):
        """Sleeps, but not beyond the receiver's end."""
        self.receiver.ending.wait(seconds)

    def wait_close(self):
        """Reads until the sender closes, and notes when."""
        while self.socket.recv(65536):
            pass
        self.request.closed = time.monotonic()


def answer(status=200, headers=(), body=b"", delay=0, close=False):
    """Answers with that status, after a delay if one is given."""
    lines = ["HTTP/1.1 %d Said" % status, "Content-Length: %d" % len(body)]
    lines += ["%s: %s" % pair for pair in dict(headers).items()]
    lines += ["Connection: close"] if close else []
    data = "\r\n".join(lines + ["", ""]).encode() + body

    def behave(exchange):
        if delay:
            exchange.pause(delay)
        exchange.socket.sendall(data)
        return not close
    return behave


def held(event):
    """Answers with 200 once the event is set; gives up before the longest deadline."""
    return lambda exchange: event.wait(2.8) and answer(200)(exchange)


def raw(data):
    """Sends these bytes, whatever they are, and closes."""
    def behave(exchange):
        exchange.socket.sendall(data)
        return False
    return behave


def dribble(interval=0.1, head=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"):
    """Sends a byte every interval, for ever: the head first, then a body."""
    def behave(exchange):
        place = 0
        while not exchange.receiver.ending.is_set():
            byte = head[place:place + 1] or b"x"
            try:
                exchange.socket.sendall(byte)
            except OSError:
                exchange.request.closed = time.monotonic()
                return False
            place += 1
            exchange.pause(interval)
        return False
    return behave


def silence():
    """Never answers; notes when the sender gives up."""
    def behave(exchange):
        exchange.wait_close()
        return False
    return behave


def close():
    """Closes without an answer."""
    return lambda exchange: False


class Receiver:
    def __init__(self, behaviour=None, script=(), choose=None, host="127.0.0.1", mute=False,
                 keep=True, port=0):
        self.behaviour = behaviour or answer(200)
        self.script = list(script)
        self.choose = choose
        self.keep = keep  # False: close each connection after its answer, without a word
        self.requests = []
        self.changed = threading.Condition()
        self.ending = threading.Event()
        self.sockets = set()
        self.connections = 0
        self.mute = mute  # accept and never read
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        if mute:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]
        self.host = "[%s]" % host if ":" in host else host
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path="/hook", host=None):
        return "http://%s:%d%s" % (host or self.host, self.port, path)

    def accept(self):
        while not self.ending.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.add(sock)
            self.connections += 1
            if not self.mute:
                threading.Thread(target=self.serve, args=(sock, self.connections),
                                 daemon=True).start()

    def serve(self, sock, number):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = sock.makefile("rb")
            going = True
            while going and not self.ending.is_set():
                request = read_request(stream, number)
                if not request:
                    break
                going = self.record(request)(Exchange(self, sock, request)) and self.keep
        except OSError:
            pass  # the sender is gone: its right
        finally:
            hang_up(sock)

    def record(self, request):
        """Notes the request and finds the behaviour for it."""
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
            if self.choose:
                return self.choose(request)
            return self.script.pop(0) if self.script else self.behaviour

    def wait(self, count=1, timeout=5, event=None):
        """The requests so far (of one event type, if given) once there are `count` of them."""
        end = time.monotonic() + timeout * SLOW
        with self.changed:
            while True:
                found = [r for r in self.requests if event is None or r.event == event]
                if len(found) >= count:
                    return found
                left = end - time.monotonic()
                assert left > 0, "%d of %d requests came: %r" % (len(found), count, found)
                self.changed.wait(left)

    def quiet(self, count, seconds=0.1):
        """That no more than `count` requests came, a moment from now."""
        time.sleep(seconds)
        assert len(self.requests) == count, self.requests

    def events(self):
        return [request.event for request in list(self.requests)]

    def dispose(self):
        self.ending.set()
        hang_up(self.listener)
        for sock in list(self.sockets):
            hang_up(sock)


def hang_up(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def read_request(stream, connection):
    """The next request of a stream, or None at its end. The gateway always sends a length."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline(65536)
        if not line:
            return None
        head += line
    request = Request(connection, head[:-4], b"")
    size = int(request.headers["content-length"])
    request.body = stream.read(size)
    return request if len(request.body) == size else None


def sign(key, body):
    """X-SIGNATURE over the bytes as they came."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def sign_parsed(key, body):
    """The same the way the vendor's sample does: parse, print again, sign that."""
    return sign(key, json.dumps(json.loads(body)).encode())
