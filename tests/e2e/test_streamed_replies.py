"""Replies in pieces: framing, clients that read slowly or not at all, and replies that come to nothing."""
import re
import socket
import threading
import time

import pytest

from bounds import WAIT_BOUND
from common import fields, wait_until, wait_until_steady, with_test_modules
from harness import Closed, ProtocolError, curl
from raw import Raw

PERIOD = bytes(range(251))
ROWS = ["loop", "serial", "parallel"]
CUT = (Closed, ProtocolError, ConnectionError)


def config(server="", route=""):
    rows = "\n".join(f"      - {{path: /{row}, module: stream, handler: gen-{row}{route}}}" for row in ROWS)
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    loops: 1
    threads: 4
    {server}
    routes:
{rows}
      - {{path: /gone, module: stream, handler: gone}}
      - {{path: /misuse-loop, module: stream, handler: misuse-loop}}
      - {{path: /misuse-parallel, module: stream, handler: misuse-parallel}}
      - {{path: /upload, module: stream, handler: sum-loop}}
      - {{path: /stats, module: stream, handler: stats}}
""")


@pytest.fixture(params=ROWS)
def row(request):
    return request.param


def generated(size):
    return (PERIOD * (size // len(PERIOD) + 1))[:size]


def stats(running):
    return {name: int(value) for name, value in fields(running.get("/stats").text).items()}


def small_client(running):
    """A client whose socket takes little, so that what it does not read waits in the daemon soon."""
    raw = Raw.__new__(Raw)
    raw.socket = socket.socket()
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    raw.socket.settimeout(WAIT_BOUND)
    raw.socket.connect(("127.0.0.1", running.port()))
    raw.buffer, raw.ended = b"", False
    return raw


def get(raw, target, version="1.1", more=""):
    raw.send(f"GET {target} HTTP/{version}\r\nHost: test\r\n{more}\r\n")


# Framing

@pytest.mark.parametrize("size,piece", [(0, 1), (1, 1), (5000, 7), (100000, 65536), (3000000, 1000), (3000000, 1 << 20)])
def test_unknown_length_is_chunked(daemon, row, size, piece):
    with daemon(config()).raw() as raw:
        for end in ("yes", "no"):  # no: RTN_DONE ends it
            response = raw.request(target=f"/{row}?size={size}&piece={piece}&end={end}")
            assert response.get("Transfer-Encoding") == "chunked" and response.get("Content-Length") is None
            assert response.body == generated(size)


@pytest.mark.parametrize("size,piece", [(0, 1), (5000, 7), (100000, 65536), (3000000, 1 << 20)])
def test_known_length(daemon, row, size, piece):
    with daemon(config()).raw() as raw:
        for _ in range(2):
            response = raw.request(target=f"/{row}?size={size}&piece={piece}&announce={size}")
            assert response.get("Content-Length") == str(size) and response.get("Transfer-Encoding") is None
            assert response.body == generated(size)


def test_small_pieces_are_gathered(daemon, row):
    with daemon(config()).raw() as raw:
        get(raw, f"/{row}?size=2000&piece=10")
        while b"\r\n0\r\n\r\n" not in raw.buffer:
            raw._fill()
        assert len(re.findall(rb"\r\n[0-9a-f]+\r\n", raw.buffer)) < 5, raw.buffer


def test_http_1_0_ends_with_the_connection(daemon, row):
    with daemon(config()).raw() as raw:
        get(raw, f"/{row}?size=100000", "1.0", "Connection: keep-alive\r\n")
        response = raw.response()
        assert response.get("Transfer-Encoding") is None and response.get("Content-Length") is None
        assert response.get("Connection") == "close" and response.body == generated(100000)
    with daemon(config()).raw() as raw:
        for _ in range(2):
            get(raw, f"/{row}?size=100000&announce=100000", "1.0", "Connection: keep-alive\r\n")
            response = raw.response()
            assert response.get("Connection") == "keep-alive" and response.body == generated(100000)


def test_head_and_204_have_no_content(daemon, row):
    with daemon(config()).raw() as raw:
        response = raw.request("HEAD", f"/{row}?size=100000")
        assert response.get("Transfer-Encoding") == "chunked"
        assert raw.request("HEAD", f"/{row}?size=500&announce=500").get("Content-Length") == "500"
        assert raw.request("HEAD", f"/{row}?size=0&announce=500").get("Content-Length") == "500"
        for status in (204, 304):
            response = raw.request(target=f"/{row}?size=5&status={status}")
            assert response.status == status and response.get("Transfer-Encoding") is None and response.body == b""
        assert raw.request(target=f"/{row}?size=5").body == generated(5)


def test_head_over_1_0_keeps_the_connection(daemon, row):
    with daemon(config()).raw() as raw:
        get(raw, f"/{row}?size=5&announce=5", "1.0", "Connection: keep-alive\r\n")
        assert raw.response().body == generated(5)
        raw.send(f"HEAD /{row}?size=5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        raw.response("HEAD")
        assert raw.request(target=f"/{row}?size=3").body == generated(3)


def test_pipelined_replies_keep_their_order(daemon, row):
    sizes = [10, 300000, 0, 70000, 1, 2000000, 5]
    with daemon(config()).raw() as raw:
        raw.send("".join(f"GET /{row}?size={size}{'&announce=%d' % size if size % 2 else ''} HTTP/1.1\r\nHost: a\r\n\r\n"
                         for size in sizes))
        assert [len(response.body) for response in raw.responses(len(sizes))] == sizes


def test_a_client_of_the_world(daemon, row, tmp_path):
    running = daemon(config())
    for options in ((), ("--http1.0",)):
        curl(*options, "-o", tmp_path / "out", running.url(f"/{row}?size=1000000"))
        assert (tmp_path / "out").read_bytes() == generated(1000000)


def test_a_reply_may_begin_before_the_body_ends(daemon):
    """Whoever answers early is not kept waiting by what was not read."""
    with daemon(config()).raw() as raw:
        raw.send("POST /upload?begin=early HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        assert raw.response().text == "early\n"
        assert raw.closed()


# Misuse and failure

@pytest.mark.parametrize("row", ["loop", "parallel"])
def test_misuse_is_refused(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        response = raw.request(target=f"/misuse-{row}")
        assert response.body == b"12345"
        assert raw.request(target=f"/misuse-{row}").status == 200
    numbers = running.log_wait(r"misuse: (.*)")[1].split()
    invalid, again, much = "-22", "-114", "-90"
    assert numbers == [invalid, invalid, invalid, invalid, "0", again, again, again, much, "0", much, "0", "0", invalid]


def test_too_little_is_cut(daemon, row):
    running = daemon(config())
    for end, line in (("yes", "failed after its reply: Message too long"), ("no", "ended a reply that is shorter than it announced")):
        for count, size in enumerate((0, 10, 100000), 1):
            with running.raw() as raw:
                get(raw, f"/{row}?size={size}&announce=100001&end={end}")
                with pytest.raises(CUT):
                    raw.response()
            running.log_wait(f"error.*{line}", count=count)


def test_too_much_is_refused(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        get(raw, f"/{row}?size=2000&piece=1000&announce=1500")
        with pytest.raises(CUT):
            raw.response()
    wait_until(lambda: stats(running)["error"] == 90, "-EMSGSIZE")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("announce", ["", "&announce=3000000"])
@pytest.mark.parametrize("fail", [10, 200000])
def test_a_failure_after_the_beginning_is_seen(daemon, row, version, announce, fail):
    running = daemon(config())
    with running.raw() as raw:
        get(raw, f"/{row}?size=3000000&piece=10&fail={fail}{announce}", version)
        with pytest.raises(CUT):
            raw.response()
    running.log_wait("failed: Input/output error")
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")


def test_a_refused_beginning_is_a_500(daemon, row):
    with daemon(config()).raw() as raw:
        assert raw.request(target=f"/{row}?status=600").status == 500
        assert raw.request(target=f"/{row}?size=4").body == generated(4)


# Clients that read slowly

def test_a_slow_client_drains_the_loop(daemon):
    """The loop is told to wait and called again when there is room; others are served meanwhile."""
    running = daemon(config())
    size = 40 << 20
    with small_client(running) as raw:
        get(raw, f"/loop?size={size}&piece=65536")
        wait_until(lambda: stats(running)["full"] > 0, "the reply waits for its client")
        calls = wait_until_steady(lambda: stats(running)["full"], "calls to end while nothing is read")
        assert running.get("/loop?size=1000").body == generated(1000)
        assert raw.response().body == generated(size)
        wait_until(lambda: stats(running)["full"] > calls, "calls when there was room")
    assert stats(running)["error"] == 0


def test_a_slow_client_holds_the_worker(daemon):
    running = daemon(config())
    with small_client(running) as raw:
        get(raw, f"/parallel?size={20 << 20}&piece=65536")
        time.sleep(0.3)
        assert stats(running)["drained"] == 0
        assert raw.response().body == generated(20 << 20)
    wait_until(lambda: stats(running)["drained"] == 1, "the worker has done it")


@pytest.mark.parametrize("where", ["server", "route"])
def test_a_client_that_does_not_read_is_cut(daemon, row, where):
    slow, short = "timeouts: {write: 1h}", ", timeouts: {write: 300ms}"
    running = daemon(config(slow, short) if where == "route" else config("timeouts: {write: 300ms}"))
    with small_client(running) as raw:
        start = time.monotonic()
        get(raw, f"/{row}?size={40 << 20}")
        wait_until(lambda: stats(running)["destroyed"] == 1, "given up")
        assert time.monotonic() - start > 0.25
        if row != "loop":
            assert stats(running)["error"] == 110
        with pytest.raises(CUT):
            raw.response()


def test_a_client_that_reads_a_little_is_not_cut(daemon, row):
    running = daemon(config("timeouts: {write: 3s}"))
    with small_client(running) as raw:
        get(raw, f"/{row}?size={3 << 20}&announce={3 << 20}")
        for _ in range(10):
            raw.buffer += raw.socket.recv(65536)
            time.sleep(0.5)
        assert raw.response().body == generated(3 << 20)


# Clients that go

def test_a_client_that_goes_is_seen(daemon, row):
    running = daemon(config("timeouts: {write: 1h}"))
    with small_client(running) as raw:
        get(raw, f"/{row}?size={40 << 20}")
        raw.socket.recv(1000)
        raw.reset()
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")
    assert stats(running)["drained"] == 0
    assert not running.log.find("handler gen-.* failed")


def test_a_worker_learns_that_its_client_has_gone(daemon):
    running = daemon(config("timeouts: {write: 1h, handler: 1h}"))
    with running.raw() as raw:
        get(raw, "/gone")
        while b"waiting" not in raw.buffer:
            raw._fill()
        assert stats(running)["gone"] == 0
    wait_until(lambda: stats(running)["gone"] == 1, "gone")
    wait_until(lambda: stats(running)["error"] in (32, 104), "the write failed")
    assert not running.log.find("handler gone failed")


def test_many_slow_clients(daemon, row):
    running = daemon(config())
    size = 2 << 20
    results = []

    def fetch():
        with small_client(running) as raw:
            get(raw, f"/{row}?size={size}")
            results.append(raw.response().body == generated(size))

    clients = [threading.Thread(target=fetch) for _ in range(16)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(3 * WAIT_BOUND)
    assert results == [True] * 16


def test_a_stop_waits_for_the_reply(daemon, row):
    running = daemon(with_test_modules(config().split("servers:\n", 1)[1], daemon="shutdown_timeout: 10m"))
    with small_client(running) as raw:
        get(raw, f"/{row}?size={20 << 20}")
        raw.socket.recv(100, socket.MSG_PEEK)
        running.signal(15)
        running.log_wait("SIGTERM: stops")
        assert len(raw.response().body) == 20 << 20
    assert running.wait() == 0
