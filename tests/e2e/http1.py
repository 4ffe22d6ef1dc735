"""What the HTTP/1.1 tests share: one daemon for many of them, and bytes sent in pieces that the daemon reads one by one."""
import contextlib
import fcntl
import functools
import os
import re
import struct
import termios
import time

import harness
from bounds import WAIT_BOUND

TEST_MODULES = harness.BUILD / "tests" / "modules"
DATE = re.compile(rb"\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT(?=\r\n)")


def configuration(servers, level):
    """The text of a configuration with these servers (YAML, indented by two) that finds shipped modules and test modules."""
    return f'daemon:\n  log: {{level: {level}}}\n  modules: ["{{modules}}", "{TEST_MODULES}"]\nservers:\n{servers}'


@contextlib.contextmanager
def running(factory, servers, level="notice"):
    """A daemon for the tests of a file. Afterwards it has to end with 0; its log is shown when it does not."""
    started = harness.Daemon(configuration(servers, level), factory.mktemp("daemon")).start()
    # They stay as they are; reading the configuration for each connection would take most of the time.
    started.addresses = functools.cache(started.addresses)
    try:
        yield started
        status = started.stop()
        assert status == 0, f"the daemon ended with {status}:\n{started.log.text()}"
    finally:
        started.kill()


def unhurried(text):
    """conf/conformance.yaml with so much time for its clients that they may send byte by byte on a machine that is busy."""
    times = "header: 10m, body: 10m, ping: 10m"
    assert text.count("    timeouts:") == text.count("    timeouts: {linger: 20s}") == 1
    text = text.replace("    timeouts: {linger: 20s}", f"    timeouts: {{linger: 10m, {times}}}")
    text, count = re.subn(r"(?m)^  open:\n", rf"\g<0>    timeouts: {{{times}}}\n", text)
    assert count == 1
    return text


def unread(sock):
    """Bytes that were sent on a unix socket and that the other side has not read yet."""
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]


def send_pieces(raw, pieces):
    """Sends each piece once the daemon has read the one before it (unix sockets only). Ends early when it has closed."""
    deadline = time.monotonic() + 3 * WAIT_BOUND
    for piece in pieces:
        try:
            raw.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            return
        while unread(raw.socket) > 0:
            assert time.monotonic() < deadline, "the daemon does not read"
            os.sched_yield()


def without_date(data):
    """The bytes of replies with their Date fields taken out; each of them must have been well-formed."""
    return DATE.sub(b"", data)


def split_all(data):
    return [data[i:i + 1] for i in range(len(data))]
