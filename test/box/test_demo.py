"""`make run`: the gateway and a receiver beside it, stopped at Ctrl-C. In a network of its own, as the
ports are those of the sample configuration."""
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess

import pytest

from gateway import PROGRAM, SLOW, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("curl"),
                                reason="needs a network of its own, and curl")
NEW_NETWORK, SET_FLAGS, UP = 0x40000000, 0x8914, 0x1


def own_network():
    """A network in which there is this process alone, on the loopback interface; and Ctrl-C counts,
    though it be ignored by who runs the tests in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if ctypes.CDLL(None).unshare(NEW_NETWORK) != 0:
        raise OSError("no network of its own")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SET_FLAGS, struct.pack("16sH22x", b"lo", UP))


class Demo:
    """The script with the sample configuration and another drain, in a process group of its own."""

    def __init__(self, directory, drain):
        sample = pathlib.Path("conf/tocsin.json").read_text(encoding="utf-8")
        assert '"drain": "10s"' in sample
        (directory / "tocsin.json").write_text(sample.replace('"drain": "10s"', '"drain": "%s"' % drain))
        self.output = directory / "output"
        with open(self.output, "wb") as file:
            self.process = subprocess.Popen(
                [os.path.abspath("test/demo"), PROGRAM, "tocsin.json"], cwd=directory,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
                preexec_fn=own_network)
        until(lambda: "Ctrl-C stops both" in self.told(), what="the demonstration")

    def told(self):
        return self.output.read_text(encoding="utf-8")

    def interrupt(self):
        """What a terminal does at Ctrl-C: to every process in front."""
        os.killpg(self.process.pid, signal.SIGINT)

    def stopped(self):
        assert self.process.wait(20 * SLOW) == 0, self.told()
        assert "waiting for webhooks" in self.told()
        return self.told()


def test_demo_stops_gently(tmp_path):
    """Ctrl-C lets the gateway drain as long as it is to, then all is gone; 0."""
    demo = Demo(tmp_path, "700ms")
    demo.interrupt()
    until(lambda: "server.draining" in demo.told(), what="the drain")
    assert demo.process.poll() is None
    told = demo.stopped()
    assert '"server.stopped", "message": "stopped"' in told, told


def test_demo_stops_at_once(tmp_path):
    """A second Ctrl-C waits for nothing."""
    demo = Demo(tmp_path, "300s")
    demo.interrupt()
    until(lambda: "server.draining" in demo.told(), what="the drain")
    assert demo.process.poll() is None
    demo.interrupt()
    demo.stopped()


def test_demo_of_a_gateway_that_ends(tmp_path):
    """When the gateway is stopped by another hand the receiver goes, too."""
    demo = Demo(tmp_path, "0s")
    owner = (tmp_path / "data" / "owner.lock").read_text(encoding="utf-8")
    os.kill(int(owner.split()[0]), signal.SIGTERM)
    demo.stopped()
