"""What is counted: one client each, which asks, and asks again only when the daemon's threads all sleep."""
import contextlib
import socket
import struct

HOST = "127.0.0.1:40123"  # of every machine and run the same length

HELLO = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"

# As browsers ask.
BROWSER = f"""GET /hello?lang=en HTTP/1.1
Host: {HOST}
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8
Accept-Language: en-US,en;q=0.5
Accept-Encoding: gzip, deflate, br, zstd
Referer: http://{HOST}/
Connection: keep-alive
Cookie: session=5f2a9c7e31b84d06; theme=dark
Upgrade-Insecure-Requests: 1
Sec-Fetch-Dest: document
Sec-Fetch-Mode: navigate
Sec-Fetch-Site: same-origin
Priority: u=0, i

""".replace("\n", "\r\n")

BODY = "0123456789abcdef" * 64
POST = f"POST /echo HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/plain\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}"

KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13"
UPGRADE = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{}\r\n\r\n"
MASK = b"\x12\x34\x56\x78"
TEXT = b"0123456789abcdef"
FRAME = b"\x81" + struct.pack("B", 0x80 | len(TEXT)) + MASK + bytes(b ^ MASK[i % 4] for i, b in enumerate(TEXT))
ANSWER = b"\x81" + struct.pack("B", len(TEXT)) + TEXT


def get(target):
    return f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection, length):
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if piece == b"":
            raise ConnectionError("the daemon has closed a connection")
        data += piece
    return data


def receive_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += receive(connection, 1)
    return head


class Case:
    """`on_loop`: one thread does it all."""

    counts = (100, 600)  # in the two runs whose difference is taken
    burst = 1  # so many share their system calls
    tolerance = 0.03  # of instructions

    def __init__(self, name, on_loop=True):
        self.name = name
        self.on_loop = on_loop

    def open(self, port):
        """Connections, inside of `with`; also the first requests, which may cost more."""
        raise NotImplementedError

    def run(self, count, settle):
        """So many of what is counted; settle() comes back when the daemon sleeps."""
        raise NotImplementedError


class Requests(Case):
    """One connection. The replies to a request are all of one length, but for their date."""

    def __init__(self, name, request, status=200, burst=1, on_loop=True):
        super().__init__(name, on_loop)
        self.request = request.encode() * burst
        self.status, self.burst = status, burst

    @contextlib.contextmanager
    def open(self, port):
        with connect(port) as self.connection:
            self.connection.sendall(self.request)
            for _ in range(self.burst):
                self.length = self._first()
            self.length *= self.burst
            self.run(50 * self.burst, lambda: None)
            yield

    def _first(self):
        head = receive_head(self.connection)
        if not head.startswith(b"HTTP/1.1 %d " % self.status):
            raise ConnectionError(f"{self.name}: {head}")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        return len(head) + len(receive(self.connection, int(fields.get(b"content-length", 0))))

    def run(self, count, settle):
        for _ in range(count // self.burst):
            self.connection.sendall(self.request)
            receive(self.connection, self.length)
            settle()
        return count // self.burst * self.burst


class Sockets(Case):
    """Some WebSockets: one sends, and all get the same."""

    def __init__(self, name, target, sockets, on_loop=True):
        super().__init__(name, on_loop)
        self.target, self.sockets = target, sockets
        self.counts = (10 * sockets + 100, 60 * sockets + 600)

    @contextlib.contextmanager
    def open(self, port):
        with contextlib.ExitStack() as stack:
            self.connections = [stack.enter_context(connect(port)) for _ in range(self.sockets)]
            for connection in self.connections:
                connection.sendall(UPGRADE.format(self.target, HOST, KEY).encode())
                receive_head(connection)
            self.run(20 * self.sockets, lambda: None)
            yield

    def run(self, count, settle):
        for _ in range(count // self.sockets):
            self.connections[0].sendall(FRAME)
            for connection in self.connections:
                if receive(connection, len(ANSWER)) != ANSWER:
                    raise ConnectionError(f"{self.name}: another frame than expected")
            settle()
        return count // self.sockets * self.sockets


class Hub(Case):
    """Requests whose handler talks to another server; the more it says to it, the less the requests count."""

    tolerance = 0.08  # how many messages the other thread finds at once is the scheduler's affair

    def __init__(self, name, messages, questions, counts):
        super().__init__(name, on_loop=False)
        self.messages, self.questions, self.counts = messages, questions, counts

    @contextlib.contextmanager
    def open(self, port):
        with connect(port) as self.connection:
            self.run(100, lambda: None)
            yield

    def run(self, count, settle):
        for _ in range(10):
            each = count // 10
            self.connection.sendall(get(f"/talk/{self.messages * each:06}/{self.questions * each:06}").encode())
            if not receive_head(self.connection).startswith(b"HTTP/1.1 204"):
                raise ConnectionError(f"{self.name}: not answered")
            settle()
        return count


CASES = (
    Requests("hello", HELLO),
    Requests("hello, fields of a browser", BROWSER),
    Requests("hello, 16 pipelined", HELLO, burst=16),
    Requests("hello, worker", get("/worker"), on_loop=False),
    Requests("POST 1 KiB, echo", POST),
    Requests("file of 1 KiB", get("/files/small.txt")),
    Requests("file of 100 KiB", get("/files/large.bin")),
    Requests("404", get("/nothing"), status=404),
    Sockets("WebSocket echo, 16 B", "/echo", 1),
    Sockets("broadcast to 100, 16 B", "/topic", 100),
    Hub("hub message", 1, 0, (1000, 11000)),
    Hub("hub question", 0, 1, (100, 1100)),
)
