"""A connection that sends bytes as they are and a strict parser for the HTTP/1.1 responses that come back."""
import re
import socket
import struct

from bounds import WAIT_BOUND


class ProtocolError(AssertionError):
    """The daemon sent what no HTTP/1.1 server may send."""


class Closed(AssertionError):
    """The connection ended before the response did."""


class Response:
    """One response: version, status, reason, headers as a list of (name, value) in their order, body as bytes."""

    def __init__(self, version, status, reason, headers):
        self.version = version
        self.status = status
        self.reason = reason
        self.headers = headers
        self.trailers = []
        self.body = b""

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        """The value of a header that may come only once."""
        values = self.all(name)
        assert len(values) <= 1, f"header {name} came {len(values)} times"
        return values[0] if values else default

    @property
    def text(self):
        return self.body.decode("utf-8")

    def __repr__(self):
        return f"<{self.version} {self.status} {self.reason} {self.headers} {self.body[:200]!r}>"


class Raw:
    """One connection. Sends bytes as they are and reads responses strictly: CRLF only, no surprises in framing."""

    HEAD_LIMIT = 256 * 1024
    STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e]*)\Z")
    HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\Z")

    def __init__(self, address, timeout=WAIT_BOUND):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("utf-8"))

    def request(self, method="GET", target="/", headers=(), body=None):
        """Sends one well-formed request and reads its response; Host and Content-Length are added when missing."""
        lines = [f"{method} {target} HTTP/1.1"]
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            lines.append("Host: test")
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))
        return self.response(method)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.socket.close()

    # Reading

    def _fill(self):
        """Reads once more; False at the end of the stream."""
        if self.ended:
            return False
        data = self.socket.recv(256 * 1024)
        self.ended = not data
        self.buffer += data
        return not self.ended

    def recv_until_close(self, limit=64 * 1024 * 1024):
        """All that comes until the daemon closes. A reset is an error of its own (ConnectionResetError)."""
        while self._fill():
            assert len(self.buffer) <= limit, "the daemon sends without end"
        data, self.buffer = self.buffer, b""
        return data

    def closed(self):
        """Waits for the daemon to close; fails when it sends anything first."""
        rest = self.recv_until_close()
        assert rest == b"", f"more came before the close: {rest[:500]!r}"
        return True

    def silent(self, seconds):
        """True when neither data nor a close comes for so long."""
        if self.buffer or self.ended:
            return False
        timeout = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            return not self._fill() and not self.ended
        except socket.timeout:
            return True
        finally:
            self.socket.settimeout(timeout)

    def _line(self):
        while b"\n" not in self.buffer:
            if len(self.buffer) > self.HEAD_LIMIT:
                raise ProtocolError("a line without end")
            if not self._fill():
                raise Closed(f"closed inside a head: {self.buffer[:500]!r}")
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise ProtocolError(f"line not ended by CRLF: {line!r}")
        return line[:-1]

    def _take(self, size):
        while len(self.buffer) < size:
            if not self._fill():
                raise Closed(f"closed after {len(self.buffer)} of {size} bytes of a body")
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _fields(self):
        fields = []
        while True:
            line = self._line()
            if not line:
                return fields
            match = self.HEADER_LINE.match(line)
            if not match:
                raise ProtocolError(f"bad header line {line!r}")
            fields.append((match[1].decode("ascii"), match[2].decode("latin-1")))

    def _chunks(self, response):
        parts = []
        while True:
            size = self._line()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
                raise ProtocolError(f"bad chunk size {size!r}")
            if int(size, 16) == 0:
                response.trailers = self._fields()
                return b"".join(parts)
            parts.append(self._take(int(size, 16)))
            if self._take(2) != b"\r\n":
                raise ProtocolError("chunk not ended by CRLF")

    def _body(self, response, method):
        coding, length = response.all("Transfer-Encoding"), response.all("Content-Length")
        if coding and length:
            raise ProtocolError("both Transfer-Encoding and Content-Length")
        if len(length) > 1 or (length and not re.fullmatch("[0-9]+", length[0])):
            raise ProtocolError(f"bad Content-Length {length}")
        if response.status < 200 or response.status == 204:
            if coding or length:
                raise ProtocolError(f"a {response.status} with framing: {response}")
            return b""
        if method == "HEAD" or response.status == 304:
            return b""
        if coding:
            if coding != ["chunked"] or response.version != "HTTP/1.1":
                raise ProtocolError(f"bad Transfer-Encoding {coding} in {response.version}")
            return self._chunks(response)
        return self._take(int(length[0])) if length else self.recv_until_close()

    def response(self, method="GET"):
        """The next response. 1xx responses are responses of their own here. `method` is that of the request."""
        line = self._line()
        match = self.STATUS_LINE.match(line)
        if not match:
            raise ProtocolError(f"bad status line {line!r}")
        response = Response(match[1].decode(), int(match[2]), match[3].decode(), self._fields())
        response.body = self._body(response, method)
        return response

    def responses(self, count, methods=None):
        """The next `count` responses; `methods` when they answer others than GET."""
        return [self.response(methods[i] if methods else "GET") for i in range(count)]
