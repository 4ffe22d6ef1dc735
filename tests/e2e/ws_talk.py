"""WebSocket from a plain socket, on either side, and the doors of the test module ws_probe.

connect   a client's end of a new connection; asked, when the answer may be a refusal
Acceptor  where the daemon's own connections end: each is an End with the request that came
End       sends frames as told, reads them strictly; says how the other end closed
do        runs commands of ws_probe in the daemon
config    a configuration with ws_probe on many routes
"""
import contextlib
import socket
import struct

from bounds import WAIT_BOUND
from common import with_test_modules
from raw import ProtocolError, Raw
from ws_raw import BINARY, CLOSE, MASK, PING, PONG, TEXT, accept_of, check_upgraded, frame, handshake, utf8, xor

MODELS = ["loop", "serial", "parallel"]


class End:
    """One end of a connection whose handshake is through. `is_client` says which one we are."""

    def __init__(self, raw, is_client=True):
        self.raw = raw
        self.is_client = is_client
        self.response = None
        self.request = None
        self.id = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.raw.close()

    # Sending

    def send(self, opcode, data=b"", **options):
        self.raw.send(frame(opcode, utf8(data), mask=MASK if self.is_client else None, **options))

    def text(self, data):
        self.send(TEXT, data)

    def close(self, code=1000, reason=""):
        self.send(CLOSE, (b"" if code is None else struct.pack("!H", code)) + utf8(reason))

    # Reading

    def frame(self):
        """(opcode, data) of the next frame, which has to be whole and uncompressed."""
        first, second = self.raw._take(2)
        if first & 0x70 or not first & 0x80:
            raise ProtocolError(f"frame head {first:02x}")
        if bool(second & 0x80) == self.is_client:
            raise ProtocolError("masked by the server" if self.is_client else "not masked by the client")
        length = second & 0x7f
        if length == 126:
            length = struct.unpack("!H", self.raw._take(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.raw._take(8))[0]
        mask = b"" if self.is_client else self.raw._take(4)
        data = self.raw._take(length)
        return first & 15, data if self.is_client else xor(data, mask)

    def message(self, opcode=TEXT):
        """The content of the next frame, which has to be of that kind."""
        got, data = self.frame()
        assert got == opcode, f"frame {got} instead of {opcode}: {data[:200]!r}"
        return data.decode("utf-8") if opcode == TEXT else data

    def ask(self, text):
        self.text(text)
        return self.message()

    def who(self):
        """What ws_probe says of this connection; its number is kept."""
        told = dict(pair.split("=", 1) for pair in self.ask("!who").split(" "))
        self.id = int(told["id"])
        return told

    def closing(self):
        """(code, reason) of the close frame that comes next; code None: it has none."""
        data = self.message(CLOSE)
        return (struct.unpack("!H", data[:2])[0], data[2:].decode("utf-8")) if data else (None, "")

    def ended(self):
        """Waits for the end of the stream. Nothing may come before it."""
        return self.raw.closed()

    def closed(self, code, answer=True):
        """The other end closes with that code, we answer, the connection ends. Returns the reason."""
        got, reason = self.closing()
        assert got == code, (got, reason)
        # It may have ended already, since who broke the protocol is not waited for.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if answer:
                self.close(code)
            self.ended()
        self.raw.close()
        return reason

    def close_and_wait(self, code=1000, reason=""):
        """We close; the answer has the same code."""
        self.close(code, reason)
        assert self.closing()[0] == code
        self.ended()
        self.raw.close()

    def silent(self, seconds):
        return self.raw.silent(seconds)


def asked(raw, path, headers=()):
    """The response to an upgrade."""
    raw.send(handshake(path, dict(headers)))
    return raw.response()


def upgraded(raw, path, headers=()):
    """The client's end of what was an HTTP connection."""
    end = End(raw)
    end.response = asked(raw, path, headers)
    check_upgraded(end.response)
    return end


def connect(running, path="/loop", headers=(), server=None, n=0, **options):
    return upgraded(running.raw(server, n, **options), path, headers)


class Acceptor:
    """A port of ours, or an old one again. accept() gives the server's End of the next connection."""

    def __init__(self, port=0):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(100)
        self.socket.settimeout(WAIT_BOUND)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def accept_raw(self):
        """A connection on which nothing was read."""
        raw = Raw.__new__(Raw)
        raw.socket, _ = self.socket.accept()
        raw.socket.settimeout(WAIT_BOUND)
        raw.buffer = b""
        raw.ended = False
        return raw

    def accept_request(self):
        """(raw, target, {name: value}) of the next handshake; it is for the caller to answer."""
        raw = self.accept_raw()
        method, target, version = raw._line().decode("ascii").split(" ")
        assert (method, version) == ("GET", "HTTP/1.1")
        fields = raw._fields()
        names = [name.lower() for name, _ in fields]
        assert len(names) == len(set(names)), f"a field came twice: {names}"
        return raw, target, dict(zip(names, (value for _, value in fields)))

    def answer(self, raw, fields, headers=(), status="101 Switching Protocols", key=None):
        lines = [f"HTTP/1.1 {status}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Accept: {accept_of(key or fields['sec-websocket-key'])}",
                 *(f"{name}: {value}" for name, value in headers)]
        raw.send("\r\n".join(lines) + "\r\n\r\n")

    def accept(self, headers=()):
        raw, target, fields = self.accept_request()
        self.answer(raw, fields, headers)
        end = End(raw, is_client=False)
        end.request = (target, fields)
        return end


def do(running, command, by="loop", server=None):
    """What each command of ws_probe said; of one command a text, else a list."""
    with running.raw(server) as raw:
        response = raw.request("POST", f"/do-{by}", body=utf8(command))
    assert response.status == 200, response
    lines = response.text.splitlines()
    return lines[0] if b"\n" not in utf8(command) else lines


def config(server="", route="", options="", loops=1, more="", daemon="", name="ws"):
    """A server with ws_probe on /loop, /serial, /parallel (echo), /pieces-... and /do-.... `server` and `route` are keys of the
    server and of each WebSocket route, `options` those of ws_probe."""
    def row(path, handler, keys=""):
        return f"      - {{path: {path}, module: ws_probe, handler: {handler}, options: {{{options}}}{keys}}}"
    keys = f", {route}" if route else ""
    rows = [row(f"/{model}", f"echo-{model}", keys) for model in MODELS]
    rows += [row(f"/pieces-{model}", f"pieces-{model}", keys) for model in MODELS]
    rows += [row("/bare", "bare", keys)]
    rows += [row(f"/do-{by}", f"do-{by}") for by in ("loop", "serial", "worker", "thread")]
    text = "\n".join(rows)
    return with_test_modules(f"""
  {name}:
    listen: 127.0.0.1:0
    loops: {loops}
    threads: 4
    {server}
    routes:
{text}
{more}""", daemon)


__all__ = ["Acceptor", "BINARY", "CLOSE", "End", "MODELS", "PING", "PONG", "TEXT", "asked", "config", "connect", "do", "upgraded"]
