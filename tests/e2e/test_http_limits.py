"""What bounds a client's time and share: timeouts, lingering, connections, the queue; and what handlers do wrong."""
import contextlib
import itertools
import socket
import threading
import time

import pytest

from bounds import WAIT_BOUND
from common import Gate, in_time
from http1 import running

SERVERS = """\
  short:
    listen: [127.0.0.1:0]
    threads: 2
    timeouts: {header: 2s, body: 2s, write: 2s}
    limits: {body: 64KiB}
    routes: &routes
      - {path: /, module: inspect, handler: loop}
      - {path: /worker, module: inspect, handler: worker}
      - {path: /echo, module: echo}
      - {path: /slow, module: slow, handler: slow, options: {sleep: 3s}}
      - {path: "/e/{what}", module: errors, handler: loop}
      - {path: "/e/{what}/{size}", module: errors, handler: loop}
      - {path: "/w/{what}", module: errors, handler: worker}
      - {path: "/w/{what}/{size}", module: errors, handler: worker}
  routed:
    listen: [127.0.0.1:0]
    threads: 2
    timeouts: {write: 1h}
    routes:
      - {path: "/e/{what}/{size}", module: errors, handler: loop, timeouts: {write: 2s}}
      - {path: "/w/{what}/{size}", module: errors, handler: worker, timeouts: {write: 2s}}
  idle:
    listen: [127.0.0.1:0]
    timeouts: {idle: 2s}
    routes: *routes
  calm:
    listen: [127.0.0.1:0]
    timeouts: {linger: 10m}
    limits: {body: 64KiB}
    routes: *routes
  brief:
    listen: [127.0.0.1:0]
    timeouts: {linger: 2s}
    limits: {body: 4KiB}
    routes: *routes
  few:
    listen: [127.0.0.1:0]
    limits: {connections: 3}
    routes: *routes
  busy:
    listen: [127.0.0.1:0]
    threads: 1
    queue: 1
    routes:
      - {path: /, module: inspect, handler: loop}
      - {path: /worker, module: inspect, handler: worker}
      - {path: /gate, module: slow, handler: slow, options: {until: "{tmp}/gate"}}
"""
SHORT = 2
"""Those timeouts, in seconds: more than a machine stands still while a client connects and sends what belongs together."""


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    with running(tmp_path_factory, SERVERS, "debug") as daemon:
        yield daemon


class Lasts:
    """with Lasts(2): the block takes that long at least. What the daemon counts from has to be in the block, too: when the machine
    stands still in between, the client would count less than the daemon does."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.start = time.monotonic()

    def __exit__(self, kind, value, trace):
        if kind is None:
            taken = time.monotonic() - self.start
            assert self.seconds - 0.02 <= taken < self.seconds + WAIT_BOUND, f"took {taken:.3f} s"


def trickle(raw, data, again):
    """Sends byte by byte in a thread until the other side has enough: first the data, then `again`, again and again."""

    def send():
        try:
            for byte in itertools.chain(data, itertools.cycle(again)):
                raw.socket.send(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            pass

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def check_408(raw, words):
    reply = raw.response()
    assert reply.status == 408 and reply.text == f"408 Request Timeout: {words}\n"
    assert reply.get("Connection") == "close"
    raw.closed()


def cut(raw):
    """The connection ends without a reply; with a reset when a byte was on its way."""
    try:
        raw.closed()
    except ConnectionResetError:
        assert raw.buffer == b""


def thread_ends_with(raw, thread):
    with contextlib.suppress(OSError):
        raw.socket.shutdown(socket.SHUT_RDWR)
    thread.join()


HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX: "

# Timeouts


@pytest.mark.parametrize("start", [b"G", b"GET / HTTP/1.1", HEAD, HEAD + b"a\r\n", HEAD + b"a\r\n\r"])
def test_unfinished_head(limited, start):
    with Lasts(SHORT), limited.raw("short") as raw:
        raw.send(start)
        check_408(raw, "the header section took too long")


def test_head_counts_as_a_whole(limited):
    """A byte every now and then does not buy more time."""
    with contextlib.ExitStack() as stack:
        with Lasts(SHORT):
            raw = stack.enter_context(limited.raw("short"))
            thread = trickle(raw, HEAD, b"a")
            check_408(raw, "the header section took too long")
        thread_ends_with(raw, thread)


def test_head_of_a_later_request(limited):
    with limited.raw("short") as raw:
        assert raw.request("GET", "/").status == 200
        assert raw.request("GET", "/worker").status == 200
        with Lasts(SHORT):
            raw.send(HEAD)
            check_408(raw, "the header section took too long")


def test_head_behind_a_pipelined_request(limited):
    with Lasts(SHORT), limited.raw("short") as raw:
        raw.send(HEAD + b"\r\n\r\n" + HEAD)
        assert raw.response().status == 200
        check_408(raw, "the header section took too long")


def test_head_begins_after_the_reply_before_it(limited):
    """The time that a handler takes is not the client's."""
    with limited.raw("short") as raw:
        raw.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD)
        assert raw.response().status == 200
        raw.send(b"\r\n\r\n")
        assert raw.response().status == 200


def test_client_that_says_nothing(limited):
    since = limited.log.mark()
    with Lasts(SHORT), limited.raw("short") as raw:
        raw.closed()
    limited.log.wait(r"closed \(timeout\): no request came \(timeouts.header\)", since=since)


def test_client_that_sends_empty_lines(limited):
    with contextlib.ExitStack() as stack:
        with Lasts(SHORT):
            raw = stack.enter_context(limited.raw("short"))
            thread = trickle(raw, b"", b"\r\n")
            cut(raw)
        thread_ends_with(raw, thread)


@pytest.mark.parametrize("data", [b"", b"abc"])
@pytest.mark.parametrize("framing", [b"Content-Length: 5\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n"])
def test_unfinished_body(limited, framing, data):
    with Lasts(SHORT), limited.raw("short") as raw:
        raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\n" + framing + data)
        check_408(raw, "the body took too long")


def test_body_that_trickles(limited):
    with limited.raw("short") as raw:
        with Lasts(SHORT):
            raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
            thread = trickle(raw, b"", b"a")
            assert raw.response().status == 408
        thread_ends_with(raw, thread)


def test_chunks_that_never_end(limited):
    with limited.raw("short") as raw:
        with Lasts(SHORT):
            raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            thread = trickle(raw, b"", b"1\r\na\r\n")
            assert raw.response().status == 408
        thread_ends_with(raw, thread)


def test_body_that_never_comes_after_100(limited):
    with Lasts(SHORT), limited.raw("short") as raw:
        raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert raw.response().status == 100
        check_408(raw, "the body took too long")


@pytest.mark.parametrize("path", ["/", "/worker"])
def test_idle_closes_without_a_reply(limited, path):
    since = limited.log.mark()
    with limited.raw("idle") as raw:
        for _ in range(3):
            assert raw.request("GET", path).status == 200
        with Lasts(SHORT):
            assert raw.request("GET", path).status == 200
            raw.closed()
    limited.log.wait(r"closed \(timeout\): no request came \(timeouts.idle\)", since=since)


def test_idle_begins_after_each_reply(limited):
    """Not with the connection, nor with the request: a reply may take longer than the connection may be idle."""
    paths, pause, handler = ("/", "/worker", "/slow", "/"), SHORT / 2, 3

    def attempt(_):
        with limited.raw("idle") as raw:
            for path in paths:
                assert raw.request("GET", path).status == 200
                time.sleep(pause)
            assert raw.request("GET", "/worker").status == 200

    # In less than that no pause can have become as long as the timeout.
    in_time(len(paths) * pause + handler + (SHORT - pause) - 0.1, attempt)


def test_empty_lines_do_not_keep_an_idle_connection(limited):
    with limited.raw("idle") as raw:
        with Lasts(SHORT):
            assert raw.request("GET", "/").status == 200
            thread = trickle(raw, b"", b"\r\n")
            cut(raw)
        thread_ends_with(raw, thread)


def deaf(limited, server, sent):
    """A client that sends, and has a small window that it does not empty."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(WAIT_BOUND)
    client.connect(("127.0.0.1", limited.port(server)))
    client.sendall(sent)
    return client


@pytest.mark.parametrize("server, path", [
    ("short", "/e/static/16000000"), ("short", "/w/static/16000000"), ("short", "/w/release/16000000"),
    ("routed", "/e/static/16000000"), ("routed", "/w/static/16000000")])
def test_client_that_never_reads(limited, server, path):
    since = limited.log.mark()
    with contextlib.ExitStack() as stack:
        with Lasts(SHORT):
            client = stack.enter_context(deaf(limited, server, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 5))
            limited.log.wait(r"closed \(timeout\): the client does not read its reply \(timeouts.write\)", since=since)
        data = bytearray()
        with pytest.raises((ConnectionResetError, EOFError)):
            while True:
                piece = client.recv(1 << 16)
                if not piece:
                    raise EOFError
                data += piece
        assert len(data) < 16000000
    if "release" in path:
        limited.log.wait("errors: body released", since=since)


def test_client_that_reads_slowly_is_not_cut(limited):
    """timeouts.write is about standing still, not about the whole."""
    with deaf(limited, "short", b"GET /e/static/3000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as client:
        start, size = time.monotonic(), 0
        while piece := client.recv(100000):
            size += len(piece)
            if time.monotonic() < start + 3 * SHORT:
                time.sleep(SHORT / 10)
        assert size > 3000000 and time.monotonic() - start > 2 * SHORT


def test_client_that_never_reads_replies_to_many_requests(limited):
    """Input stops being read while replies wait: the daemon does not gather them without end."""
    with deaf(limited, "calm", b"") as client:
        client.setblocking(False)
        request, sent = b"GET /e/static/60000 HTTP/1.1\r\nHost: a\r\n\r\n" * 100, 0
        deadline = time.monotonic() + WAIT_BOUND
        last = time.monotonic()
        while time.monotonic() < min(deadline, last + 0.3):
            try:
                sent += client.send(request)
                last = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        assert time.monotonic() < deadline, f"{sent} bytes of requests were taken and no end"
    assert limited.get("/", "calm").status == 200


# Lingering


@pytest.mark.parametrize("head, status", [
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5242880\r\n\r\n", 413),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n", 413),
    (b"POST /echo HTTP/1.1\r\nHost: a b\r\nContent-Length: 5242880\r\n\r\n", 400),
    (b"BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 5242880\r\n\r\n", 501),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: other\r\nContent-Length: 5242880\r\n\r\n", 417),
])
def test_refusal_reaches_a_client_that_is_still_sending(limited, head, status):
    with limited.raw("calm") as raw:
        raw.send(head + b"a" * (5 << 20))
        reply = raw.response()
        assert reply.status == status and reply.get("Connection") == "close"
        raw.closed()


def test_lingering_has_an_end(limited):
    since = limited.log.mark()
    with contextlib.ExitStack() as stack:
        with Lasts(SHORT):  # the daemon may read, refuse and count from when it accepts
            raw = stack.enter_context(limited.raw("brief"))
            raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
            assert raw.response().status == 413
            limited.log.wait(r"brief/loop-0.* closed \(protocol\): the body is larger", since=since)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(1000):
                raw.send(b"a")
                time.sleep(0.005)


def test_lingering_ends_with_the_client(limited):
    """At once, and not after ten minutes."""
    since = limited.log.mark()
    with limited.raw("calm") as raw:
        raw.send(b"GET / HTTP/1.1\r\n\r\n")
        assert raw.response().status == 400
    limited.log.wait(r"closed \(protocol\): the Host field is missing", since=since)


# Connections and queue


def test_connections_beyond_the_limit_wait(limited):
    since = limited.log.mark()
    inside = [limited.raw("few") for _ in range(3)]
    for raw in inside:
        assert raw.request("GET", "/").status == 200
    with limited.raw("few") as waiting:
        waiting.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        limited.log.wait(r"few/.*accepting pauses: 3 connections are open \(limits.connections\)", since=since)
        assert waiting.silent(0.2)
        for raw in inside:
            assert raw.request("GET", "/worker").status == 200
        inside.pop().close()
        assert waiting.response().status == 200
    for raw in inside:
        assert raw.request("GET", "/").status == 200
        raw.close()
    for _ in range(10):
        assert limited.get("/", "few").status == 200


@pytest.fixture
def gate(limited):
    """Where handlers of "busy" wait."""
    gate = Gate(limited.tmp)
    yield gate
    gate.close()


def begin(limited, gate_keepers):
    """One at work, which has been taken out of the queue, and one in the queue."""
    since = limited.log.mark()
    for raw in gate_keepers:
        raw.send(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n")
        limited.log.wait("slow: begins", since=since)
        assert limited.get("/", "busy").status == 200  # so the loop has read what came before


def test_full_queue(limited, gate):
    """One at work, one waiting; further ones are sent away at once and may come again on the same connection."""
    connections = [limited.raw("busy") for _ in range(6)]
    begin(limited, connections[:2])
    for raw in connections[2:]:
        reply = raw.request("GET", "/gate")
        assert reply.status == 503 and reply.get("Retry-After") == "1"
        assert reply.text == "503 Service Unavailable: all workers are busy and the queue is full\n"
        assert reply.get("Connection") is None
    gate.open()
    assert [raw.response().status for raw in connections[:2]] == [200, 200]
    for raw in connections:
        assert raw.request("GET", "/").status == 200
        assert raw.request("GET", "/worker").status == 200
        raw.close()


def test_full_queue_leaves_loop_handlers_alone(limited, gate):
    with limited.raw("busy") as first, limited.raw("busy") as second:
        begin(limited, (first, second))
        for _ in range(20):
            assert limited.get("/", "busy").status == 200
        assert first.silent(0.01) and second.silent(0.01)
        gate.open()
        assert [raw.response().status for raw in (first, second)] == [200, 200]


# Handlers that do wrong


@pytest.mark.parametrize("where", ["e", "w"])
@pytest.mark.parametrize("what, line", [
    ("eio", "handler {} failed: Input/output error"),
    ("silent", "handler {} returned RTN_DONE without a reply"),
])
def test_failing_handler(limited, where, what, line):
    since = limited.log.mark()
    handler = {"e": "loop", "w": "worker"}[where]
    with limited.raw("calm") as raw:
        for _ in range(2):
            reply = raw.request("GET", f"/{where}/{what}")
            assert reply.status == 500 and reply.text == "500 Internal Server Error\n"
        assert raw.request("GET", "/").status == 200
    pattern = rf'error .*calm/{handler}.*route "/{where}/{{what}}": module errors: {line.format(handler)}'
    limited.log.wait(pattern, since=since, count=2)
    assert len(limited.log.find("module errors", since)) == 2


@pytest.mark.parametrize("where", ["e", "w"])
@pytest.mark.parametrize("what, body, line", [
    ("twice", "first\n", "errors: first reply 0, second -"),
    ("then-eio", "replied\n", "module errors: handler .* failed after its reply: Input/output error"),
    ("then-next", "replied\n", None),
])
def test_handler_that_goes_on_after_its_reply(limited, where, what, body, line):
    since = limited.log.mark()
    with limited.raw("calm") as raw:
        reply = raw.request("GET", f"/{where}/{what}")
        assert reply.status == 200 and reply.text == body
        assert raw.request("GET", "/").status == 200
    if line:
        limited.log.wait(line, since=since)


@pytest.mark.parametrize("status", [0, 1, 99, 100, 101, 199, 600, 999])
def test_status_that_is_none(limited, status):
    with limited.raw("calm") as raw:
        reply = raw.request("GET", f"/w/status/{status}")
        assert reply.status == 200 and reply.text.startswith("refused -")
