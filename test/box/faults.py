"""Faults inside the running program, through test/shim/fault.c: which call, which one, what then.

    faults = Faults()                    gateway = Gateway(environment=faults.environment())
    faults.fail("malloc", at=3)          the third allocation from now on is refused
    faults.fail("connect", count=ALL)    every one is, until clear()
    faults.part("pages")                 the next write of pages takes only a part
    faults.kill("meta", after=True)      kill -9 as soon as the next meta page is written
    faults.seen["pages"]                 how many there were so far

The rules lie in a file that the program maps, so they can be changed while it runs.
"""

import errno
import mmap
import os
import struct
import tempfile

from gateway import BUILD

SHIM = os.path.join(BUILD, "shim", "fault.so")
CALLS = ("malloc crypto open mkdir flock mmap fsync fdatasync pages meta log socket bind listen accept "
         "connect send_in recv_in send_out recv_out epoll_create epoll_ctl epoll_wait "
         "random").split()
RULE = struct.Struct("16sQQQii")
SEEN, FROM = 16, 24
FAIL, KILL_BEFORE, KILL_AFTER, PART = 1, 2, 3, 4
ALL = 1 << 60

# What the kernel says when such a call fails.
ERRORS = {"malloc": errno.ENOMEM, "crypto": errno.ENOMEM, "mmap": errno.ENOMEM, "open": errno.EMFILE,
          "socket": errno.EMFILE, "accept": errno.EMFILE, "flock": errno.EIO, "mkdir": errno.EACCES,
          "fsync": errno.EIO, "fdatasync": errno.EIO, "pages": errno.ENOSPC, "meta": errno.EIO,
          "log": errno.EIO, "bind": errno.EADDRINUSE, "listen": errno.EADDRINUSE,
          "connect": errno.ENETUNREACH, "send_in": errno.ECONNRESET, "recv_in": errno.ECONNRESET,
          "send_out": errno.ECONNRESET, "recv_out": errno.ECONNRESET, "epoll_create": errno.EMFILE,
          "epoll_ctl": errno.ENOMEM, "epoll_wait": errno.EINTR, "random": errno.EIO}


class Seen:
    def __init__(self, rules):
        self.rules = rules

    def __getitem__(self, call):
        return struct.unpack_from("Q", self.rules, RULE.size * CALLS.index(call) + SEEN)[0]


class Faults:
    def __init__(self):
        fd, self.path = tempfile.mkstemp(prefix="tocsin-faults-")
        os.write(fd, b"".join(RULE.pack(call.encode(), 0, 0, 0, 0, 0) for call in CALLS))
        self.rules = mmap.mmap(fd, RULE.size * len(CALLS))
        os.close(fd)
        self.seen = Seen(self.rules)

    def environment(self):
        more = ":verify_asan_link_order=0:exitcode=99"  # 1 is the gateway's own
        return {"LD_PRELOAD": SHIM, "TOCSIN_FAULT": self.path,
                **{name: (os.environ.get(name, "") + more).lstrip(":")
                   for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}}

    def put(self, call, at, count, error, action):
        struct.pack_into("QQii", self.rules, RULE.size * CALLS.index(call) + FROM,
                         self.seen[call] + at, count, error, action)

    def fail(self, call, at=1, count=1, error=None):
        self.put(call, at, count, error or ERRORS[call], FAIL)

    def part(self, call, at=1, count=1):
        self.put(call, at, count, 0, PART)

    def kill(self, call, at=1, after=False):
        self.put(call, at, 1, 0, KILL_AFTER if after else KILL_BEFORE)

    def clear(self):
        """No faults; counting goes on."""
        for call in CALLS:
            self.put(call, 0, 0, 0, 0)

    def reset(self):
        """Counts from the start: before the program is started again."""
        for place, call in enumerate(CALLS):
            RULE.pack_into(self.rules, RULE.size * place, call.encode(), 0, 0, 0, 0, 0)

    def dispose(self):
        self.rules.close()
        os.unlink(self.path)
