"""HTTP/1.1 by hand: what is sent is bytes, what comes back is read strictly.

A Connection sends exactly the bytes it is given and reads one answer at a time. An answer that is
not well-formed (a bare LF, a missing Content-Length, a header that is not a token) is a failed
assertion, so every test checks the wire format in passing.
"""

import json
import re
import selectors
import socket
import time

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [\x20-\x7e]*")
HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*?)[ \t]*")


class Closed(Exception):
    """The other side closed before a whole answer came; what came is in .rest."""

    def __init__(self, rest=b""):
        super().__init__("closed after %r" % rest[:200])
        self.rest = rest


class Answer:
    """One response: status, headers as a list of pairs, body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        """The value of the one header of that name, or None; two of them are a fault."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, "header %s stands %d times" % (name, len(found))
        return found[0] if found else None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "<%d %r %r>" % (self.status, self.headers, self.body[:300])


def parse_head(head):
    """Status and headers of a response head (without its empty line)."""
    lines = head.split(b"\r\n")
    match = STATUS_LINE.fullmatch(lines[0])
    assert match, "not a status line: %r" % lines[0]
    headers = []
    for line in lines[1:]:
        field = HEADER_LINE.fullmatch(line)
        assert field, "not a header: %r" % line
        headers.append((field[1].decode(), field[2].decode()))
    return int(match[1]), headers


class Reader:
    """Splits a stream of bytes into answers; feed() it, take() from it."""

    def __init__(self):
        self.buffer = b""
        self.chunked = None  # an answer of which not all chunks have come

    def feed(self, data):
        self.buffer += data

    def take(self, bodiless=False):
        """The next whole answer, or None while more is needed."""
        if self.chunked:
            return self.take_chunks()
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        status, headers = parse_head(self.buffer[:end])
        answer = Answer(status, headers, b"")
        length = answer.header("Content-Length")
        if answer.header("Transfer-Encoding") == "chunked" and length is None:
            self.buffer = self.buffer[end + 4:]
            self.chunked = answer
            return self.take_chunks(bodiless)
        if status < 200 or status == 204:
            assert length in (None, "0"), "a %d with a body" % status
            length = "0"
        assert length is not None and length.isdigit(), "no Content-Length in %r" % headers
        size = 0 if bodiless else int(length)
        if len(self.buffer) < end + 4 + size:
            return None
        answer.body = self.buffer[end + 4:end + 4 + size]
        self.buffer = self.buffer[end + 4 + size:]
        return answer

    def take_chunks(self, over=False):
        while not over:
            size, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                return None
            assert re.fullmatch(rb"[0-9a-f]+", size), "not a chunk's size: %r" % size
            n = int(size, 16)
            if len(rest) < n + 2:
                return None
            assert rest[n:n + 2] == b"\r\n", "a chunk does not end: %r" % rest[n:n + 20]
            self.chunked.body += rest[:n]
            self.buffer = rest[n + 2:]
            over = n == 0
        answer, self.chunked = self.chunked, None
        return answer


def dial(address, timeout=10, source=None):
    """A connected socket to a path, or to a host and port; source: the address to come from."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(timeout)
        sock.connect(address)
        return sock
    sock = socket.create_connection(address, timeout, source and (source, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Connection:
    """One client connection; to a gateway, or over a socket that is there already."""

    def __init__(self, address, timeout=10, source=None, sock=None):
        self.socket = sock or dial(address, timeout, source)
        self.reader = Reader()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def read(self, bodiless=False):
        """One answer; Closed if the stream ends first. bodiless: the answer to a HEAD."""
        while True:
            answer = self.reader.take(bodiless)
            if answer:
                return answer
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise Closed(self.reader.buffer)
            self.reader.feed(data)

    def read_closed(self):
        """Everything up to the end of the stream, which must come within the timeout."""
        rest, self.reader.buffer = self.reader.buffer, b""
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return rest
            if not data:
                return rest
            rest += data

    def request(self, method, path, body=None, headers=()):
        self.send(request(method, path, body, headers))
        return self.read()


def request(method, path, body=None, headers=(), version="1.1"):
    """A request as bytes; body is bytes, or anything else to be sent as JSON."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = ["%s %s HTTP/%s" % (method, path, version), "Host: tocsin.test"]
    lines += ["%s: %s" % pair for pair in dict(headers).items()]
    if body is not None:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines + ["", ""]).encode("latin-1") + (body or b"")


def chunked(parts):
    """A chunked body of the given parts."""
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return coded + b"0\r\n\r\n"


class Lane:
    """One connection of a flood: requests to send, answers that came."""

    def __init__(self, address, requests):
        self.connection = Connection(address)
        self.connection.socket.setblocking(False)
        self.unsent = b"".join(requests)
        self.expected = len(requests)
        self.answers = []

    def step(self, mask):
        """Moves what can be moved; True when all answers are in."""
        sock, reader = self.connection.socket, self.connection.reader
        if mask & selectors.EVENT_WRITE and self.unsent:
            self.unsent = self.unsent[sock.send(self.unsent[:65536]):]
        if mask & selectors.EVENT_READ:
            data = sock.recv(262144)
            if not data:
                raise Closed(reader.buffer)
            reader.feed(data)
            self.collect(reader)
        return len(self.answers) == self.expected

    def collect(self, reader):
        answer = reader.take()
        while answer:
            self.answers.append(answer)
            answer = reader.take()

    def interest(self):
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)


def flood(address, requests, connections=32, timeout=60):
    """Sends many requests, pipelined over some connections; the answers in the order asked."""
    connections = min(connections, len(requests))
    lanes = [Lane(address, requests[i::connections]) for i in range(connections)]
    end = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for lane in lanes:
            selector.register(lane.connection.socket, lane.interest(), lane)
        while selector.get_map():
            assert time.monotonic() < end, "the flood took more than %d s" % timeout
            for key, mask in selector.select(1):
                if key.data.step(mask):
                    selector.unregister(key.fileobj)
                    key.data.connection.close()
                elif not key.data.unsent and key.events & selectors.EVENT_WRITE:
                    selector.modify(key.fileobj, key.data.interest(), key.data)
    answers = [None] * len(requests)
    for i, lane in enumerate(lanes):
        answers[i::connections] = lane.answers
    return answers
