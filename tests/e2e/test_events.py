"""Server-sent events: their framing, events pushed by a thread of the module, and clients that go away."""
import socket
import time

import pytest

from bounds import WAIT_BOUND
from common import fields, wait_until, with_test_modules

ROWS = ["loop", "serial", "parallel"]
FRAMED = ("data: one\n\n"
          "event: named\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
          ":\n\n"
          "event: empty\ndata: \n\n"
          "event: bare\n\n"
          "data: both refused\n\n").encode()


def config(server=""):
    rows = "\n".join(f"      - {{path: /{kind}-{row}, module: later, handler: {kind}-{row}}}"
                     for row in ROWS for kind in ("framing", "events"))
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    loops: 1
    threads: 4
    {server}
    routes:
{rows}
      - {{path: /push, module: later, handler: push}}
      - {{path: /stats, module: later, handler: stats}}
""")


@pytest.fixture(params=ROWS)
def row(request):
    return request.param


def stats(running):
    return {name: int(value) for name, value in fields(running.get("/stats").text).items()}


class Stream:
    """A client of events."""

    def __init__(self, running, path):
        self.raw = running.raw()
        self.raw.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")

    def head(self):
        while b"\r\n\r\n" not in self.raw.buffer:
            assert self.raw._fill(), self.raw.buffer
        head, self.raw.buffer = self.raw.buffer.split(b"\r\n\r\n", 1)
        return head.decode()

    def event(self):
        """The next chunk: an event is sent at once, so that it is one of its own."""
        size = int(self.raw._line(), 16)
        data = self.raw._take(size)
        assert self.raw._take(2) == b"\r\n"
        return data.decode()


def subscribe(running, row, count):
    streams = [Stream(running, f"/events-{row}?key={key}") for key in range(count)]
    for stream in streams:
        assert "\r\nTransfer-Encoding: chunked" in stream.head()
    wait_until(lambda: stats(running)["streams"] == count, "all have subscribed")
    return streams


def test_framing(daemon, row):
    with daemon(config()).raw() as raw:
        for _ in range(2):
            response = raw.request(target=f"/framing-{row}")
            assert response.get("Content-Type") == "text/event-stream" and response.get("Cache-Control") == "no-cache"
            assert response.body == FRAMED


def test_framing_in_http_1_0(daemon, row):
    with daemon(config()).raw() as raw:
        raw.send(f"GET /framing-{row} HTTP/1.0\r\n\r\n")
        assert raw.response().body == FRAMED


def test_events_come_when_they_are_pushed(daemon, row):
    running = daemon(config())
    [stream] = subscribe(running, row, 1)
    for text in ("hello", "again", "and%20again"):
        assert stream.raw.silent(0.05)
        assert running.get(f"/push?text={text}").status == 200
        assert stream.event() == f"event: news\ndata: {text.replace('%20', ' ')}\n\n"
    assert running.get("/push?end=yes").status == 200
    assert stream.event() == ""
    stream.raw.send("GET /stats HTTP/1.1\r\nHost: test\r\n\r\n")
    assert " pushed=3 streams=0\n" in stream.raw.response().text


def test_handler_timeout_does_not_end_a_stream(daemon, row):
    running = daemon(config("timeouts: {handler: 2s, idle: 2s, write: 2s, body: 2s}"))
    [stream] = subscribe(running, row, 1)
    time.sleep(3)
    assert running.get("/push?text=x").status == 200
    assert stream.event() == "event: news\ndata: x\n\n"


@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_a_client_that_goes(daemon, row, how):
    running = daemon(config("timeouts: {handler: 1h, idle: 1h, write: 1h}"))
    streams = subscribe(running, row, 3)
    getattr(streams[1].raw, how)()
    wait_until(lambda: stats(running)["streams"] == 2, "the stream is given up")
    seen = stats(running)
    assert (seen["cancelled"], seen["twice"]) == (1, 0)
    assert running.get("/push?text=x&below=3").status == 200
    for stream in (streams[0], streams[2]):
        assert stream.event() == "event: news\ndata: x\n\n"
    wait_until(lambda: stats(running)["dropped"] == 1, "the push finds nothing")


def test_a_client_that_does_not_read(daemon, row):
    """It is given up, and holds up nobody."""
    running = daemon(config("timeouts: {write: 300ms}"))
    streams = subscribe(running, row, 2)
    streams[1].raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    text = "x" * 250
    pushes = 0
    with running.raw() as raw:
        deadline = time.monotonic() + 6 * WAIT_BOUND
        while stats(running)["streams"] == 2:
            assert time.monotonic() < deadline
            for _ in range(50):
                assert raw.request(target=f"/push?below=2&text={text * 4}").status == 200
                assert streams[0].event() == f"event: news\ndata: {(text * 4)[:255]}\n\n"
                pushes += 1
    assert stats(running)["streams"] == 1 and pushes > 50


def test_many_at_once(daemon, row):
    running = daemon(config("timeouts: {handler: 1h, idle: 1h, write: 1h}"))
    count = 500
    streams = subscribe(running, row, count)
    for text in ("one", "two"):
        assert running.get(f"/push?text={text}&below={count}").status == 200
        for stream in streams:
            assert stream.event() == f"event: news\ndata: {text}\n\n"
    for stream in streams:
        stream.raw.close()
    wait_until(lambda: stats(running)["streams"] == 0, "all are given up")
    seen = stats(running)
    assert (seen["cancelled"], seen["twice"], seen["pushed"]) == (count, 0, 2 * count)


def test_a_stop_ends_streams(daemon, row):
    """At once, and whole: the last chunk comes."""
    running = daemon(with_test_modules(config().split("servers:\n", 1)[1], daemon="shutdown_timeout: 10m"))
    streams = subscribe(running, row, 5)
    assert running.stop() == 0
    running.log_wait("later stopped: waiting=5 cancelled=5 twice=0 streams=0")
    for stream in streams:
        while stream.raw._fill():
            pass
        assert stream.raw.buffer.endswith(b"0\r\n\r\n")
        stream.raw.close()
