"""The doors of the test module line_probe, which does what lines that begin with ! say.

config    a configuration with line_probe on a line server; `more` are further servers
join      a client on a plain socket
Talker    says lines, hears them strictly
narrow    a client for which little fits into the system's buffers
"""
import socket

from bounds import WAIT_BOUND
from common import with_test_modules
from raw import ProtocolError, Raw
from ws_raw import utf8

MODELS = ["loop", "serial", "parallel"]


def config(server="", options="", handler="loop", loops=1, more="", daemon="", name="lines", listen="127.0.0.1:0"):
    """`server` are keys of the server, one a line; `options` those of line_probe."""
    keys = "\n".join(f"    {key.strip()}" for key in server.splitlines() if key.strip())
    return with_test_modules(f"""
  {name}:
    protocol: line
    listen: {listen}
    loops: {loops}
{keys}
    modules: [{{module: line_probe, handler: {handler}, options: {{{options}}}}}]
{more}""", daemon)


class Talker:
    def __init__(self, raw, end=b"\r\n"):
        self.raw = raw
        self.end = end
        self.id = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.raw.close()

    def say(self, text, end=b"\r\n"):
        self.raw.send(utf8(text) + end)

    def hear_bytes(self):
        """The next line, without its end, which has to be the right one."""
        while b"\n" not in self.raw.buffer:
            if not self.raw._fill():
                raise ProtocolError(f"closed before a line: {self.raw.buffer[:500]!r}")
        line, self.raw.buffer = self.raw.buffer.split(b"\n", 1)
        line += b"\n"
        assert line.endswith(self.end) and (self.end != b"\n" or not line.endswith(b"\r\n")), line
        return line[:-len(self.end)]

    def hear(self):
        return self.hear_bytes().decode()

    def ask(self, text):
        self.say(text)
        return self.hear()

    def who(self):
        """What line_probe says of this connection; its number is kept."""
        told = dict(pair.split("=", 1) for pair in self.ask("!who").split(" "))
        self.id = int(told["id"])
        return told

    def ended(self):
        """Waits for the end of the stream. Nothing may come before it."""
        return self.raw.closed()


def join(running, server=None, n=0, end=b"\r\n", **options):
    return Talker(running.raw(server, n, **options), end)


def joined(running, count, server=None):
    talkers = [join(running, server) for _ in range(count)]
    for talker in talkers:
        talker.who()
    return talkers


def narrow(running, server=None):
    raw = Raw.__new__(Raw)
    raw.socket = socket.socket()
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
    raw.socket.settimeout(WAIT_BOUND)
    raw.socket.connect(("127.0.0.1", running.port(server)))
    raw.buffer, raw.ended = b"", False
    talker = Talker(raw)
    talker.who()
    return talker


def closing(running, id, since=0):
    """(cause, data, detail) that the handler was told at the end."""
    found = running.log_wait(rf"close id={id} cause=(\w+) size=24 data=(\S*) thread=\S* detail=(.*)$", since=since)
    return found[1], found[2], found[3]


__all__ = ["MODELS", "Talker", "closing", "config", "join", "joined", "narrow"]
