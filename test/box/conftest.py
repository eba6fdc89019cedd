"""Fixtures of the black-box tests: factories that clean up, and the logs of a failed test."""

import pytest

import gateway as gateways
import nameserver
import receiver as receivers


class Closing:
    """Makes things and disposes of them, the newest first."""

    def __init__(self):
        self.made = []

    def keep(self, thing):
        self.made.append(thing)
        return thing

    def gateway(self, **conf):
        return self.keep(gateways.Gateway(**conf))

    def receiver(self, *behaviour, **more):
        return self.keep(receivers.Receiver(*behaviour, **more))

    def nameserver(self, table):
        return self.keep(nameserver.NameServer(table))

    def dispose(self):
        """Of all, also when one of them finds a fault at its end."""
        try:
            if self.made:
                self.made.pop().dispose()
        finally:
            if self.made:
                self.dispose()


@pytest.fixture
def make():
    """make.gateway(...), make.receiver(...), make.nameserver(...): gone after the test."""
    closing = Closing()
    yield closing
    closing.dispose()


@pytest.fixture(scope="module")
def make_shared():
    """The same, gone after the module: for state that its tests share."""
    closing = Closing()
    yield closing
    closing.dispose()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its gateways said."""
    report = (yield).get_result()
    if report.failed:
        for gateway in gateways.alive:
            report.sections.append(("log of %s" % gateway.directory, gateway.dump()))
