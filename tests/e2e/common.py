"""What several end-to-end tests need beside the harness: the test modules' folder and waits on conditions."""
import contextlib
import os
import pathlib
import signal
import socket
import time

import harness
from bounds import WAIT_BOUND

TEST_MODULES = os.environ.get("RETINUE_TEST_MODULES", str(harness.BUILD / "tests" / "modules"))


def with_test_modules(servers, daemon=""):
    """A configuration whose first line is the daemon's; the servers begin on line 2. `daemon` is more of its keys."""
    more = f", {daemon}" if daemon else ""
    return f'daemon: {{modules: ["{harness.MODULES}", "{TEST_MODULES}"]{more}}}\nservers:\n{servers.lstrip(chr(10))}'


def wait_until(condition, what, timeout=WAIT_BOUND):
    """Returns the first true value of condition(); fails when none comes in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not in {timeout} s: {what}"
        time.sleep(0.01)


def wait_until_steady(value, what, seconds=0.2):
    """Returns value() once it has stayed the same for so long; fails when it goes on changing."""
    last = [value()]

    def same():
        time.sleep(seconds)
        last.append(value())
        return last[-1] == last[-2]

    wait_until(same, what)
    return last[-1]


def in_time(seconds, attempt, most=10):
    """Calls attempt(0), attempt(1), ... until one is good. That one fails counts only when it took less than so many seconds:
    after that the daemon may do what looks wrong, because the machine stood still for too long."""
    for number in range(most):
        begun = time.monotonic()
        try:
            return attempt(number)
        except (AssertionError, OSError):
            if time.monotonic() - begun < seconds:
                raise
    raise AssertionError(f"{most} attempts failed, and none was done in {seconds} s")


class Gate:
    """What handlers of test modules wait at ("until: PATH"), so that no test has to be faster than a handler is slow."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "gate"

    def open(self):
        self.path.touch()

    def close(self):
        self.path.unlink()

    def __str__(self):
        return str(self.path)


@contextlib.contextmanager
def halted(running):
    """The daemon stands still, and sees what is done meanwhile at once."""
    running.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        running.signal(signal.SIGCONT)


def is_listening(address):
    """True when somebody accepts there: a port of 127.0.0.1, or the path of a unix socket."""
    unix = isinstance(address, str)
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
        probe.settimeout(WAIT_BOUND)
        try:
            probe.connect(address if unix else ("127.0.0.1", address))
        except (ConnectionRefusedError, ConnectionResetError, FileNotFoundError):
            return False
        return True


def send_get(raw, path="/"):
    """A GET whose response is not waited for."""
    raw.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")


def fields(text):
    """{"a": "1"} of "a=1 b=2"."""
    return dict(word.split("=", 1) for word in text.split())
