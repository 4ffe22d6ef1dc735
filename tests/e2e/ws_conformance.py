"""The conformance table of WebSocket: what a server that echoes has to do with the frames it gets, a row for each case.

Row("1.1.2 text of 125 bytes", "6455 5.2", text(b"a" * 125), [said("a" * 125)])

The parts of a row: what it is about, beginning with the number of the case in the Autobahn suite where it has one; RFC and
section; the bytes that are sent, or a list of frames; the events that come back (ws_raw.py); and the end:

    end=CLEAN       (default) the connection is in order: the test closes it with 1000, which is answered
    end=1002        the daemon closes it with this code, without waiting for anything; {None, 1000}: one of these, None: no code
    bare=True       nothing follows the bytes of the row. Else messages follow that the daemon must not answer any more
    deflate=True    permessage-deflate was agreed upon, with the bare offer; reserved bits mean something else then
    target="/ws"    where to

The rows are in ws_conformance_frames.py, _text.py, _close.py and _deflate.py, those of the opening handshake in _handshake.py;
test_ws_conformance.py says how they are run. Routes and limits are those of conf/conformance.yaml.
"""
import contextlib
import functools
import hashlib
import re

import harness
from http1 import unhurried
from ws_raw import Event, WebSocket, utf8

CLEAN = "in order"
PROTOCOL_ERROR, BAD_DATA, TOO_BIG = 1002, 1007, 1009


class Row:
    """One case."""

    def __init__(self, name, clause, sent, back=(), end=CLEAN, bare=False, deflate=None, target=None):
        self.name = name
        self.clause = clause
        self.sent = sent if isinstance(sent, bytes) else b"".join(sent)
        self.back = list(back)
        self.end = end
        self.bare = bare
        self.deflate = deflate
        self.target = target

    def ends(self):
        """The codes that the close frame of the daemon may have."""
        return {1000} if self.end == CLEAN else self.end if isinstance(self.end, set) else {self.end}

    def id(self):
        return "".join(c if c.isascii() and c.isprintable() else "?" for c in self.name).replace("/", "|")


def said(data=b""):
    """A text message came."""
    return Event("text", utf8(data))


def given(data=b""):
    """A binary message came."""
    return Event("binary", data)


def ponged(data=b""):
    return Event("pong", utf8(data))


def brief(events):
    """The same with long content cut out, so that a failure can be read."""
    return [event if event.kind == "close" or len(event.data) <= 300 else
            Event(event.kind, (len(event.data), event.data[:40], hashlib.sha256(event.data).hexdigest())) for event in events]


# The daemon


@contextlib.contextmanager
def serving(factory):
    """The daemon on conf/conformance.yaml, but for its addresses: a TCP port and a unix socket for each of its two servers."""
    text = (harness.ROOT / "conf" / "conformance.yaml").read_text(encoding="utf-8")
    text, count = re.subn(r"(?m)^  (\w+):\n    listen: .*", r'  \1:\n    listen: ["127.0.0.1:0", "unix:{tmp}/\1"]', text)
    assert count == 2
    daemon = harness.Daemon(unhurried(text), factory.mktemp("websocket"), env={"RETINUE_MODULES": harness.MODULES}).start()
    daemon.addresses = functools.cache(daemon.addresses)
    try:
        yield daemon
        status = daemon.stop()
        assert status == 0, f"the daemon ended with {status}:\n{daemon.log.text()}"
    finally:
        daemon.kill()


def dial(daemon, server="narrow"):
    return WebSocket(("127.0.0.1", daemon.port(server)))


def dial_unix(daemon, server="narrow"):
    """Here it can be seen how much the daemon has read."""
    return WebSocket(daemon.unix(server))


# Material


def letters(size):
    return b"*" * size


def mixed(size):
    """Bytes of all values, with a period that is no power of two."""
    return (bytes(i * 7 % 256 for i in range(1021)) * (size // 1021 + 1))[:size]


def prose(size):
    """Text of characters of one to four bytes, cut to at most this many bytes, filled up with dots."""
    words = "Habe nun, ach! Philosophie, Juristerei und Medizin, und leider auch Theologie durchaus studiert, mit heißem Bemühn. " \
            "κόσμε, 日本語, \U0001f600 "
    data = (words.encode() * (size // 100 + 1))[:size]
    data = data.decode("utf-8", "ignore").encode()
    return data + b"." * (size - len(data))


def first_wrong(data):
    """The number of bytes with which it is certain that this is not UTF-8; None: it is not certain (RFC 3629, 4)."""
    low, high, left = 0x80, 0xbf, 0
    for i, byte in enumerate(data):
        if left:
            if not low <= byte <= high:
                return i + 1
            low, high, left = 0x80, 0xbf, left - 1
        elif byte >= 0x80:
            left = 1 if 0xc2 <= byte <= 0xdf else 2 if 0xe0 <= byte <= 0xef else 3 if 0xf0 <= byte <= 0xf4 else None
            if left is None:
                return i + 1
            low, high = {0xe0: (0xa0, 0xbf), 0xed: (0x80, 0x9f), 0xf0: (0x90, 0xbf), 0xf4: (0x80, 0x8f)}.get(byte, (0x80, 0xbf))
    return None


def is_whole(data):
    """True when this is UTF-8."""
    try:
        return data.decode("utf-8") is not None
    except UnicodeDecodeError:
        return False
