"""wrk, which loads with HTTP, and a slow client of one connection, which knows how much it asked."""
import contextlib
import dataclasses
import re
import socket
import subprocess

from measure import Done, LoadCase
from server import CLIENT_CORE, HERE, Failure

US = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6}
BODY = "0123456789abcdef"  # a body repeats it


@dataclasses.dataclass(frozen=True)
class Ask:
    """What is asked, and how."""

    path: str = "/"
    connections: int = 64
    burst: int = 1  # requests in one write
    close: bool = False  # a connection for each request
    body: int = 0  # bytes that are posted

    def as_bytes(self, port):
        """The request as wrk writes it."""
        fields = f"Host: 127.0.0.1:{port}\r\n" + ("Connection: close\r\n" if self.close else "")
        if not self.body:
            return f"GET {self.path} HTTP/1.1\r\n{fields}\r\n".encode()
        body = BODY * (self.body // len(BODY))
        return f"POST {self.path} HTTP/1.1\r\n{fields}Content-Length: {self.body}\r\n\r\n{body}".encode()


def run(ask, port, seconds, around=contextlib.nullcontext):
    """A Done. wrk knows whole seconds only, but an interrupt ends it in good order. Any error is a failure."""
    command = ["taskset", "-c", CLIENT_CORE, "timeout", "-s", "INT", str(seconds), "wrk", "-t1", "-d60s", "--latency",
               f"-c{ask.connections}", *(["-H", "Connection: close"] if ask.close else []), "-s", str(HERE / "wrk.lua"),
               f"http://127.0.0.1:{port}{ask.path}", "--", str(ask.burst), str(ask.body), BODY]
    with around():
        text = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    if "Socket errors" in text or "Non-2xx" in text or "requests in" not in text:
        raise Failure("wrk reports errors:\n" + text)
    count = int(re.search(r"(\d+) requests in", text)[1])
    took = count / (float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]) or 1)
    latency = {f"p{p}_us": float(value) * US[unit] for p, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(\w+)", text)}
    return Done(count, took, latency)


def connect(port):
    return socket.create_connection(("127.0.0.1", port))


def measure_reply(ask, port):
    """The length of a reply: all of them have the same."""
    seen = b""
    with connect(port) as connection:
        connection.sendall(ask.as_bytes(port))
        while b"\r\n\r\n" not in seen:
            seen += read(connection)
    head = seen.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return len(head) + int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])


def read(connection):
    data = connection.recv(1 << 20)
    if not data:
        raise Failure("a connection was closed")
    return data


def exactly(ask, port, count):
    """Asks about so often, one burst after the other: how often. All on one connection, or each on its own."""
    request, length = ask.as_bytes(port) * ask.burst, measure_reply(ask, port) * ask.burst
    with contextlib.ExitStack() as stack:
        for number in range(count // ask.burst):
            if ask.close or number == 0:
                stack.close()
                connection = stack.enter_context(connect(port))
            connection.sendall(request)
            left = length
            while left > 0:
                left -= len(read(connection))
    return count // ask.burst * ask.burst


class WrkCase(LoadCase):
    """One whose load is an Ask, its member `ask`."""

    def load(self, server, seconds, around=contextlib.nullcontext):
        return run(self.ask, server.port, seconds, around)

    def exactly(self, start, count):
        server = start()
        return exactly(self.ask, server.port, count), server
