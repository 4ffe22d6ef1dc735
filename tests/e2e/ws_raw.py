"""A WebSocket client that can do everything wrong, and reads what comes back strictly (RFC 6455, RFC 7692).

frame       the bytes of one frame, each of its bits as the test wants it; text, ping and so on are short for sound ones
handshake   the bytes of an opening handshake, with fields changed, doubled or left out
Terms       what was agreed upon for permessage-deflate; Deflater and Inflater are the two streams
Receiver    turns the daemon's bytes into events and fails on everything that a server may not send
WebSocket   a connection: Raw (raw.py) until it is opened, then frames
"""
import base64
import codecs
import collections
import hashlib
import re
import select
import socket
import struct
import time
import zlib

from bounds import WAIT_BOUND
from raw import ProtocolError, Raw

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"
KEY = base64.b64encode(b"sixteen bytes ok").decode()
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TAIL = b"\0\0\xff\xff"

# What came: kind is text, binary, pong or close; the data of a close is its code, None when it has none.
Event = collections.namedtuple("Event", "kind data")


# Frames


def xor(data, mask):
    """Masks or unmasks (RFC 6455, 5.3)."""
    whole = (mask * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(whole, "little")).to_bytes(len(data), "little")


def frame(opcode, payload=b"", fin=True, rsv=0, mask=MASK, form=None, length=None, keep=None):
    """One frame. `rsv` has the three reserved bits (4 is RSV1), mask None leaves it out, `form` is 7, 16 or 64 bits for the length
    (None: the shortest), `length` is what the header says, and of the payload only `keep` bytes are there."""
    length = len(payload) if length is None else length
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    marker, packed = {7: (length, b""), 16: (126, struct.pack(">H", length & 0xffff)), 64: (127, struct.pack(">Q", length))}[form]
    head = bytes([fin << 7 | rsv << 4 | opcode, (mask is not None) << 7 | marker]) + packed
    return head + (payload if mask is None else mask + xor(payload,
        mask))[:None if keep is None else keep + 4 * (mask is not None)]


def utf8(data):
    return data.encode() if isinstance(data, str) else data


def text(data=b"", **options):
    return frame(TEXT, utf8(data), **options)


def binary(data=b"", **options):
    return frame(BINARY, data, **options)


def more(data=b"", **options):
    """A continuation frame; the last one unless fin is False."""
    return frame(CONTINUATION, utf8(data), **options)


def ping(data=b"", **options):
    return frame(PING, utf8(data), **options)


def pong(data=b"", **options):
    return frame(PONG, utf8(data), **options)


def close(code=1000, reason=b"", **options):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + utf8(reason), **options)


def fragments(opcode, pieces, rsv=0):
    """The frames of one message, a list; reserved bits are those of the first."""
    last = len(pieces) - 1
    return [frame(CONTINUATION if i else opcode, utf8(piece), fin=i == last, rsv=0 if i else rsv) for i,
        piece in enumerate(pieces)]


def cut(data, size):
    """The data in pieces of this size; one empty piece of nothing."""
    return [data[i:i + size] for i in range(0, len(data), size)] or [data]


# The handshake


def handshake(target="/ws", changes=None, start=None):
    """An opening handshake. `changes` replaces values by name: None leaves the field out, a list gives it several times; fields
    that are not there are added. `start` is another first line."""
    fields = {"Host": "a", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13"}
    fields.update(changes or {})
    lines = [start or f"GET {target} HTTP/1.1"]
    for name, value in fields.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        lines += [f"{name}: {each}" for each in values]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def accept_of(key):
    """RFC 6455, 4.2.2, 5.4."""
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def check_upgraded(response, key=KEY):
    """What every 101 has to be."""
    assert response.status == 101 and response.reason == "Switching Protocols", f"not upgraded: {response}"
    assert response.get("Upgrade").lower() == "websocket"
    assert response.get("Connection").lower() == "upgrade"
    assert response.get("Sec-WebSocket-Accept") == accept_of(key)
    assert response.get("Sec-WebSocket-Version") is None


# Compression


class Terms:
    """The parameters of permessage-deflate in the daemon's answer, read strictly."""

    VALUE = re.compile(r"permessage-deflate((?:[ \t]*;[ \t]*[a-z_]+(?:=[0-9]+)?)*)\Z")
    FLAGS = {"server_no_context_takeover", "client_no_context_takeover"}
    BITS = {"server_max_window_bits", "client_max_window_bits"}

    def __init__(self, value):
        match = self.VALUE.match(value)
        if not match:
            raise ProtocolError(f"no answer to an offer of permessage-deflate: {value!r}")
        self.parameters = {}
        for parameter in re.findall(r"[a-z_]+(?:=[0-9]+)?", match[1]):
            name, _, number = parameter.partition("=")
            sound = not number if name in self.FLAGS else name in self.BITS and re.fullmatch("[89]|1[0-5]", number)
            if not sound or name in self.parameters:
                raise ProtocolError(f"bad parameter {parameter!r} in {value!r}")
            self.parameters[name] = int(number) if number else True
        self.server_bits = self.parameters.get("server_max_window_bits", 15)
        self.client_bits = self.parameters.get("client_max_window_bits", 15)
        self.server_forgets = "server_no_context_takeover" in self.parameters
        self.client_forgets = "client_no_context_takeover" in self.parameters

    def check(self, offer):
        """Whether this may be the answer to these offered parameters (RFC 7692, 7.1): what is wrong with it, or None."""
        mine = self.parameters
        if "server_no_context_takeover" in offer and not self.server_forgets:
            return "server_no_context_takeover is not confirmed"
        if mine.get("server_max_window_bits", 99) > offer.get("server_max_window_bits", 99):
            return "the server's window is larger than demanded"
        if "client_max_window_bits" in mine and "client_max_window_bits" not in offer:
            return "client_max_window_bits was not offered"
        if not isinstance(offer.get("client_max_window_bits", True), bool):
            if mine.get("client_max_window_bits", 0) > offer["client_max_window_bits"]:
                return "the client's window is larger than offered"
        return None


class Deflater:
    """The client's sending stream. zlib cannot write windows of 2^8 bytes; without matches, the window does not matter."""

    def __init__(self, bits=15, forgets=False, level=6):
        self.bits, self.forgets, self.level = bits, forgets, level
        self.stream = None

    def message(self, data):
        """The payload of a message."""
        if self.stream is None or self.forgets:
            strategy = zlib.Z_HUFFMAN_ONLY if self.bits == 8 else zlib.Z_DEFAULT_STRATEGY
            self.stream = zlib.compressobj(self.level, zlib.DEFLATED, -max(self.bits, 9), 8, strategy)
        data = self.stream.compress(data) + self.stream.flush(zlib.Z_SYNC_FLUSH)
        assert data.endswith(TAIL)
        return data[:-4]


class Inflater:
    """The client's receiving stream, with no larger a window than was agreed upon."""

    def __init__(self, bits=15, forgets=False):
        self.bits, self.forgets = bits, forgets
        self.stream = None

    def message(self, payload):
        if self.stream is None or self.forgets:
            self.stream = zlib.decompressobj(-self.bits)
        # zlib looks back into what it has just written, whatever the window; small steps hold it to the window.
        step = 0 if self.bits == 15 else 16 if len(payload) < 16384 else 256
        parts, rest = [], payload + TAIL
        try:
            while rest:
                parts.append(self.stream.decompress(rest, step))
                rest = self.stream.unconsumed_tail
                if self.stream.eof:
                    rest, self.stream = self.stream.unused_data, zlib.decompressobj(-self.bits)
            while step and (part := self.stream.decompress(b"", step)):
                parts.append(part)
        except zlib.error as error:
            raise ProtocolError(f"not a deflate stream with a window of 2^{self.bits} bytes: {error}") from error
        return b"".join(parts)


# Receiving


class Receiver:
    """Reads frames as strictly as RFC 6455 allows; `events` has what came. Pings are counted and left out: a server may send them."""

    def __init__(self, terms=None):
        self.inflater = Inflater(terms.server_bits, terms.server_forgets) if terms else None
        self.events = []
        self.pings = 0
        self.compressed = 0  # messages with RSV1
        self.closed = False
        self.data = bytearray()
        self.pieces = None  # of a message that has begun
        self.opcode = self.rsv = 0

    def feed(self, data):
        self.data += data
        at = 0
        while (end := self._frame(at)) is not None:
            at = end
        del self.data[:at]

    def ended(self):
        """The connection has ended: nothing may be half there."""
        if self.data or self.pieces is not None:
            raise ProtocolError(f"closed inside a {'frame' if self.data else 'message'}: {bytes(self.data[:100])!r}")

    def _frame(self, at):
        """Takes the frame at this offset; where it ends, or None when it is not whole."""
        data = self.data
        if len(data) - at < 2:
            return None
        if self.closed:
            raise ProtocolError(f"more comes behind a close frame: {bytes(data[at:at + 100])!r}")
        start, length = at + 2, data[at + 1]
        if length & 0x80:
            raise ProtocolError("a masked frame from a server")
        if length >= 126:
            width, least = (2, 126) if length == 126 else (8, 65536)
            if len(data) < start + width:
                return None
            length = int.from_bytes(data[start:start + width], "big")
            start += width
            if length < least or length >> 63:
                raise ProtocolError(f"length {length} in {width} bytes")
        if len(data) < start + length:
            return None
        self._take(data[at] >> 7, data[at] >> 4 & 7, data[at] & 15, bytes(data[start:start + length]))
        return start + length

    def _take(self, fin, rsv, opcode, payload):
        if rsv and (rsv != 4 or not self.inflater or opcode not in (TEXT, BINARY)):
            raise ProtocolError(f"reserved bits {rsv} in a frame of opcode {opcode}")
        if opcode in (CLOSE, PING, PONG):
            if not fin or len(payload) > 125:
                raise ProtocolError(f"a control frame of {len(payload)} bytes, FIN {fin}")
            self._control(opcode, payload)
        elif opcode not in (CONTINUATION, TEXT, BINARY) or (opcode == CONTINUATION) != (self.pieces is not None):
            raise ProtocolError(f"opcode {opcode} {'inside' if self.pieces is not None else 'outside'} a message")
        else:
            self._data(fin, rsv, opcode, payload)

    def _control(self, opcode, payload):
        if opcode == PING:
            self.pings += 1
        elif opcode == PONG:
            self.events.append(Event("pong", payload))
        else:
            self.closed = True
            self.events.append(Event("close", self._code(payload)))

    @staticmethod
    def _code(payload):
        if not payload:
            return None
        code = int.from_bytes(payload[:2], "big")
        if len(payload) < 2 or not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
            raise ProtocolError(f"a close frame with {payload!r}")
        codecs.decode(payload[2:], "utf-8")
        return code

    def _data(self, fin, rsv, opcode, payload):
        if opcode != CONTINUATION:
            self.opcode, self.rsv, self.pieces = opcode, rsv, []
        self.pieces.append(payload)
        if not fin:
            return
        data, self.pieces = b"".join(self.pieces), None
        if self.rsv:
            self.compressed += 1
            data = self.inflater.message(data)
        if self.opcode == TEXT:
            codecs.decode(data, "utf-8")
        self.events.append(Event("text" if self.opcode == TEXT else "binary", data))


class WebSocket(Raw):
    """A connection; open() makes it a WebSocket."""

    def open(self, target="/ws", offer=None, changes=None, behind=b""):
        """The handshake, with an offer of extensions; `behind` leaves with it, in the same packet. The 101."""
        changes = dict(changes or {}, **({"Sec-WebSocket-Extensions": offer} if offer is not None else {}))
        self.send(handshake(target, changes) + behind)
        response = self.response()
        check_upgraded(response, changes.get("Sec-WebSocket-Key", KEY))
        self.begin(response)
        return response

    def begin(self, response):
        """Frames follow a 101 that was read."""
        answer = response.get("Sec-WebSocket-Extensions")
        self.terms = Terms(answer) if answer is not None else None
        self.receiver = Receiver(self.terms)
        self.receiver.feed(self.buffer)
        self.buffer = b""

    def deflater(self, level=6, bits=15):
        """A sending stream as agreed, with no larger a window than `bits`."""
        return Deflater(min(self.terms.client_bits, bits), self.terms.client_forgets, level)

    def _receive(self):
        """Reads once; False at the end of the connection."""
        data = self.socket.recv(1 << 20)
        self.ended = not data
        self.receiver.feed(data)
        return not self.ended

    def next(self):
        """The next event; fails at the end of the connection."""
        while not self.receiver.events:
            assert self._receive(), "closed without a frame"
        return self.receiver.events.pop(0)

    def exchange(self, pieces, wait=6 * WAIT_BOUND, forgive=False):
        """Sends all pieces, a write for each, while it reads, then reads to the end of the connection; the events. A reset is an
        error unless it is forgiven: what was sent behind the end is lost anyhow."""
        deadline, pieces = time.monotonic() + wait, map(memoryview, pieces)
        self.socket.setblocking(False)
        piece = next(pieces, None)
        while not self.ended:
            assert time.monotonic() < deadline, f"the connection goes on after {self.receiver.events[-20:]!r:.2000}"
            reads, writes, _ = select.select([self.socket], [self.socket] if piece is not None else [], [], 0.5)
            try:
                if reads and not self._receive():
                    break
                if writes:
                    piece = piece[self.socket.send(piece):] if piece else piece
                    piece = piece or next(pieces, None)
            except (BrokenPipeError, ConnectionResetError):
                if not forgive:
                    self._drain()
                    raise
                self._drain()
                break
        self.receiver.ended()
        return self.receiver.events

    def _drain(self):
        """What had come before the reset, as far as the system keeps it."""
        try:
            while self._receive():
                pass
        except OSError:
            self.ended = True

    def abandon(self):
        """Ends the sending side only."""
        self.socket.shutdown(socket.SHUT_WR)
