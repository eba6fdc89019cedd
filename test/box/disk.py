"""A disk as it may be after a power failure, from the records of test/shim/disk.c.

    records = read("disk.log")
    disk = Disk()
    for record in records[:k]: disk.play(record)
    disk.image(path, chance)         one of the states the directory may be found in

What was flushed is there. Of what was not, any part may be: each block of each write, each change
of the directory, the size of a file, by itself. A block is 512 or 4096 bytes, and is never torn;
where a size is kept and a block is not, there are zeros.
"""

import collections
import os
import struct

HEAD = struct.Struct("<cBQQ")
Record = collections.namedtuple("Record", "kind name offset data")


def read(path):
    """All records of a file."""
    with open(path, "rb") as file:
        data = file.read()
    records, at = [], 0
    while at < len(data):
        kind, length, offset, size = HEAD.unpack_from(data, at)
        at += HEAD.size
        name = data[at:at + length].decode()
        records.append(Record(kind.decode(), name, offset, data[at + length:at + length + size]))
        at += length + size
    return records


class File:
    def __init__(self):
        self.content = bytearray()  # as flushed
        self.writes = []            # (offset, data) since then, or (size, None): cut to it

    def flush(self):
        for write in self.writes:
            put(self.content, *write)
        self.writes = []

    def flush_last(self):
        put(self.content, *self.writes.pop())

    def image(self, keep, block, sized):
        """The content with those blocks of what is not flushed that keep() keeps; sized: as long as
        if all were kept."""
        content = bytearray(self.content)
        for offset, data in self.writes:
            if data is None:
                if keep():
                    put(content, offset, None)
                continue
            for start in range(offset - offset % block, offset + len(data), block):
                low, high = max(start, offset), min(start + block, offset + len(data))
                if keep():
                    put(content, low, data[low - offset:high - offset])
            if sized:
                put(content, offset + len(data), b"")
        return content


def put(content, offset, data):
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def change(entries, kind, name, other):
    """One change of a directory's entries."""
    if kind == "C":
        entries[name] = other
    elif kind == "U":
        entries.pop(name, None)
    elif other in entries:
        entries[name] = entries.pop(other)


class Disk:
    """lies: kinds of flushes that are told to be done and are not: F, S, D."""

    def __init__(self, lies=""):
        self.lies = lies
        self.made = self.lasting = False  # the directory; its entry above
        self.now = {}      # name -> File, as the program sees it
        self.flushed = {}  # as flushed
        self.changes = []  # (kind, name, File or old name) since then

    def play(self, record):
        if record.kind not in "AQ" and record.kind not in self.lies:
            getattr(self, "play_" + record.kind)(record)

    def play_M(self, _):
        self.made = True

    def play_C(self, record):
        self.change("C", record.name, File())

    def play_U(self, record):
        self.change("U", record.name, None)

    def play_R(self, record):
        self.change("R", record.name, record.data.decode())

    def change(self, *what):
        change(self.now, *what)
        self.changes.append(what)

    def play_W(self, record):
        self.now[record.name].writes.append((record.offset, record.data))

    def play_T(self, record):
        self.now[record.name].writes.append((record.offset, None))

    def play_F(self, record):
        self.now[record.name].flush()

    def play_S(self, record):
        self.now[record.name].flush_last()

    def play_D(self, record):
        if record.name == "..":
            self.lasting = self.made
            return
        for what in self.changes:
            change(self.flushed, *what)
        self.changes = []

    def image(self, path, chance):
        """Writes one state the directory may be in after a power failure now."""
        share = chance.choice([0, 0, 0.5, 1, 1, chance.random()])
        names = chance.choice([0, 1, 1, 1, chance.random()])
        block, sized = chance.choice([512, 4096]), chance.random() < 0.5

        if not self.lasting and not (self.made and chance.random() < names):
            return
        entries = dict(self.flushed)
        for what in self.changes:
            if chance.random() < names:
                change(entries, *what)
        os.mkdir(path, 0o700)
        for name, file in entries.items():
            with open(os.path.join(path, name), "wb") as out:
                out.write(file.image(lambda: chance.random() < share, block, sized))
