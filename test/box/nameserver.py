"""A name server on a UDP port of its own: answers from a table, or keeps silent.

    NameServer({"up.test": {"A": ["127.0.0.1"]}, "mute.test": None})

A name whose entry is None is never answered; one that is not in the table does not exist; one
without addresses of the asked kind exists and has none. "ttl" is in seconds, 60 if not given.
"""

import socket
import struct
import threading

TYPES = {1: "A", 28: "AAAA"}
NXDOMAIN = 3


class NameServer:
    def __init__(self, table):
        self.table = table
        self.asked = []  # (name, type) in order
        self.ending = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def resolv_conf(self, path):
        with open(path, "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1:%d\n" % self.port)
        return str(path)

    def serve(self):
        query, sender = self.socket.recvfrom(4096)
        while not self.ending:
            reply = self.reply(query)
            if reply:
                self.socket.sendto(reply, sender)
            query, sender = self.socket.recvfrom(4096)
        self.socket.close()

    def reply(self, query):
        name, end = read_name(query, 12)
        kind = TYPES.get(struct.unpack_from("!H", query, end)[0])
        self.asked.append((name, kind))
        entry = self.table.get(name, {"code": NXDOMAIN})
        if entry is None:
            return None
        addresses = entry.get(kind, [])
        header = query[:2] + struct.pack("!HHHHH", 0x8180 | entry.get("code", 0), 1,
                                         len(addresses), 0, 0)
        return header + query[12:end + 4] + b"".join(
            record(kind, a, entry.get("ttl", 60)) for a in addresses)

    def dispose(self):
        self.ending = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", ("127.0.0.1", self.port))  # wakes the thread, which then ends


def read_name(packet, place):
    labels = []
    while packet[place]:
        size = packet[place]
        labels.append(packet[place + 1:place + 1 + size].decode("ascii").lower())
        place += size + 1
    return ".".join(labels), place + 1


def record(kind, address, ttl):
    family = socket.AF_INET6 if kind == "AAAA" else socket.AF_INET
    data = socket.inet_pton(family, address)
    number = 28 if kind == "AAAA" else 1
    return struct.pack("!HHHIH", 0xC00C, number, 1, ttl, len(data)) + data
