"""Pings and pongs, the closing handshake, the end of the daemon, full queues, origins, and peers that take nothing."""
import signal
import time

import pytest

from bounds import SLOW, WAIT_BOUND
from common import Gate
from test_flat_memory import Memory
from test_memory import is_sanitized
from test_ws_sending import narrow
from ws_raw import text
from ws_talk import CLOSE, MODELS, PING, PONG, TEXT, Acceptor, asked, config, connect, do, upgraded

MS = int(1000 * SLOW)


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


# Pings

def test_pings_keep_a_connection(daemon, model):
    running = daemon(config(route="timeouts: {ping: 50ms, pong: 1m}"))
    with connect(running, f"/{model}") as end:
        for _ in range(3):
            opcode, data = end.frame()
            assert opcode == PING and len(data) <= 125
            end.send(PONG, data)
        end.text("still here")
        while (got := end.frame())[0] == PING:
            end.send(PONG, got[1])
        assert got == (TEXT, b"still here")


def test_without_a_pong_it_ends(daemon, model):
    running = daemon(config(route="timeouts: {ping: 50ms, pong: 150ms}"))
    started = time.monotonic()
    with connect(running, f"/{model}") as end:
        assert end.frame()[0] == PING
        rest = end.raw.recv_until_close()
        assert rest == b"" or rest[0] == 0x80 | CLOSE
        assert time.monotonic() - started > 0.19
    running.log_wait("ws probe: close .*cause=timeout code=1006 .*opened=1")


def test_anything_counts_as_a_pong(daemon):
    """Who talks is there."""
    running = daemon(config(route=f"timeouts: {{ping: 100ms, pong: 4s}}"))
    with connect(running) as end:
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            end.text("x")
            while end.frame()[0] == PING:
                pass
            time.sleep(0.02)


def test_nothing_is_pinged_that_talks(daemon):
    running = daemon(config(route=f"timeouts: {{ping: {10 * MS}ms}}"))
    with connect(running) as end:
        for _ in range(30):
            assert end.ask("x") == "x"
            time.sleep(0.01)


def test_pings_can_be_off(daemon):
    running = daemon(config(server="timeouts: {idle: 100ms}", route="timeouts: {ping: 0s}"))
    with connect(running) as end:
        # timeouts.idle is for HTTP.
        assert end.silent(0.5)
        assert end.ask("x") == "x"


def test_the_daemons_own_connections_ping_too(daemon):
    with Acceptor() as acceptor:
        running = daemon(config())
        number = do(running, f"connect client-loop ws://127.0.0.1:{acceptor.port}/ ping=50 pong=3000").split()[1]
        end = acceptor.accept()
        for _ in range(3):
            opcode, data = end.frame()
            assert opcode == PING
            end.send(PONG, data)
        assert end.frame()[0] == PING
        running.log_wait(f"ws probe: close id={number} .*cause=timeout code=1006")
        end.raw.close()


# The closing handshake

def test_a_peer_that_does_not_answer_a_close(daemon, model):
    running = daemon(config(route="timeouts: {close: 200ms}"))
    with connect(running, f"/{model}") as end:
        end.who()
        started = time.monotonic()
        do(running, f"close {end.id} 1000 bye")
        assert end.closed(1000, answer=False) == "bye"
        assert time.monotonic() - started > 0.19
    running.log_wait("ws probe: close .*cause=timeout code=1006")


def test_messages_after_our_close_are_not_handled(daemon, model):
    running = daemon(config(route="timeouts: {close: 10m}"))
    with connect(running, f"/{model}") as end:
        end.who()
        do(running, f"close {end.id} 1000")
        assert end.closing()[0] == 1000
        end.text("too late")
        end.close(1000)
        end.ended()
    running.log_wait("ws probe: close .*cause=normal code=1000")


def test_the_daemon_closes_the_tcp_connection_first(daemon):
    """RFC 6455, 7.1.1: the server does, at once."""
    with connect(daemon(config(route="timeouts: {close: 1h}"))) as end:
        end.close(1000)
        assert end.closing()[0] == 1000
        end.ended()


def test_the_daemon_as_client_waits_for_the_server_to_close(daemon):
    """And not for ever."""
    with Acceptor() as acceptor:
        running = daemon(config())
        number = do(running, f"connect client-loop ws://127.0.0.1:{acceptor.port}/").split()[1]
        end = acceptor.accept()
        running.log_wait("ws probe: open")
        do(running, f"close {number} 1000")
        assert end.closing()[0] == 1000
        end.close(1000)
        end.raw.half_close()
        assert end.raw.closed()
        running.log_wait("ws probe: close .*cause=normal code=1000")
        end.raw.close()


# The end of the daemon

def test_a_stop_says_1001(daemon, model):
    running = daemon(config(loops=2, route="timeouts: {close: 1h}", daemon="shutdown_timeout: 1h"))
    ends = [connect(running, f"/{model}") for _ in range(10)]
    for end in ends:
        end.who()
    running.signal(signal.SIGTERM)
    for end in ends:
        end.closed(1001)
    assert running.wait() == 0
    assert len(running.log.find("ws probe: close .*cause=shutdown code=1001")) == 10


def test_a_stop_does_not_wait_for_those_that_do_not_answer(daemon, model):
    """Not longer than timeouts.close."""
    running = daemon(config(route="timeouts: {close: 300ms}", daemon="shutdown_timeout: 1h"))
    ends = [connect(running, f"/{model}") for _ in range(3)]
    for end in ends:
        end.who()
    started = time.monotonic()
    running.signal(signal.SIGTERM)
    for end in ends:
        end.closed(1001, answer=False)
    assert running.wait() == 0
    assert time.monotonic() - started > 0.29
    assert len(running.log.find("ws probe: close .*code=1006")) == 3


def test_shutdown_timeout_bounds_the_close(daemon):
    running = daemon(config(route="timeouts: {close: 10m}", daemon="shutdown_timeout: 300ms"))
    with connect(running) as end:
        end.who()
        running.signal(signal.SIGTERM)
        assert end.closing()[0] == 1001
        assert running.wait() == 0


def test_a_module_says_good_bye(daemon, model):
    """In quiesce, connections are open still."""
    running = daemon(config(options="farewell: true"))
    with connect(running, f"/{model}") as end:
        end.who()
        running.signal(signal.SIGTERM)
        count = 0
        while (got := end.frame())[0] == TEXT:
            assert got[1] == b"good-bye"
            count += 1
        assert got == (CLOSE, b"\x03\xe9" + got[1][2:]) and count > 0
        end.close(1001)
        end.ended()
    assert running.wait() == 0


def test_a_stop_with_a_handler_at_work(daemon):
    running = daemon(config())
    with connect(running, "/parallel") as end:
        end.who()
        end.text(f"!sleep {MS // 2}")
        running.log_wait("ws probe: sleeps")
        running.signal(signal.SIGTERM)
        while (got := end.frame())[0] == TEXT:
            assert got[1].startswith(b"slept")
        assert got[0] == CLOSE
        end.close(1001)
        end.ended()
    assert running.wait() == 0
    running.log_wait("ws probe: close .*cause=shutdown")


def test_the_daemons_own_connections_end_with_1001(daemon):
    with Acceptor() as acceptor:
        running = daemon(config())
        do(running, f"connect client-loop ws://127.0.0.1:{acceptor.port}/ reconnect=20")
        end = acceptor.accept()
        running.log_wait("ws probe: open")
        running.signal(signal.SIGTERM)
        assert end.closing()[0] == 1001
        end.close(1001)
        end.raw.close()
        assert running.wait() == 0
    running.log_wait("ws probe: close .*cause=shutdown")


def test_no_websocket_while_it_stops(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config(route="timeouts: {close: 500ms}"))
    with running.raw() as raw, connect(running, "/parallel") as busy:
        assert raw.request(target="/loop").status == 200
        busy.text(f"!until {gate}")
        raw.send("GET /loop HTTP/1.1\r\n")
        running.log_wait("ws probe: sleeps")
        running.signal(signal.SIGTERM)
        running.log_wait("SIGTERM: stops")
        raw.send("Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Version: 13\r\n\r\n")
        data = raw.recv_until_close()
        # Refused, or taken and told at once that the daemon goes away.
        assert data.startswith(b"HTTP/1.1 503 ") or (data.startswith(b"HTTP/1.1 101 ") and b"\r\n\r\n\x88" in data), data
        gate.open()
    assert running.wait() == 0


# A full queue

def test_a_full_queue_is_1013(daemon, tmp_path):
    """One worker, one task that may wait: whoever comes then is told to try again later."""
    gate = Gate(tmp_path)
    running = daemon(config(server="active_threads: 1\n    queue: 1"))
    busy = connect(running, "/parallel")
    waits, late = connect(running, "/parallel"), connect(running, "/parallel")
    running.log_wait("ws probe: open", count=3)  # until then that may wait in the queue, too
    for end in (busy, waits, late):
        end.who()
    busy.text(f"!until {gate}")
    running.log_wait("ws probe: sleeps")
    waits.text("waits")
    waits.send(PING, b"read")
    assert waits.frame() == (PONG, b"read")  # so the one before it is in the queue
    late.text("late")
    late.closed(1013)
    gate.open()
    assert busy.message().startswith("slept")
    assert waits.message() == "waits"
    running.log_wait("ws probe: close .*opened=1")
    for end in (busy, waits, late):
        end.raw.close()


def test_a_connection_may_not_queue_without_end(daemon, tmp_path):
    """While its handler is at work a client is not read for ever: what it sends waits in its own system."""
    gate = Gate(tmp_path)
    running = daemon(config())
    with connect(running, "/parallel") as end:
        assert end.ask("x") == "x"
        memory = Memory(running)
        end.text(f"!until {gate}")
        end.raw.socket.settimeout(0.2)
        block = text(bytes(60000)) * 10
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 100 << 20:
                sent += end.raw.socket.send(block)
        end.raw.socket.settimeout(WAIT_BOUND)
        assert sent < 60 << 20
        assert memory.growth() < 8 << 20 or is_sanitized()
        gate.open()


# Origins

@pytest.mark.parametrize("origins,origin,welcome", [
    (None, None, True), (None, "http://test", True), (None, "https://test", True), (None, "http://evil.example", False),
    (None, "null", False), ("[all]", "http://evil.example", True), ("[all]", "null", True),
    ('["https://a.example"]', "https://a.example", True), ('["https://a.example"]', "https://A.example:443", True),
    ('["https://a.example"]', "http://a.example", False), ('["https://a.example"]', "https://a.example.evil", False),
    ('["https://a.example"]', "http://test", False), ('[same, "https://a.example:8443"]', "http://test", True),
    ('[same, "https://a.example:8443"]', "https://a.example:8443", True),
    ('[same, "https://a.example:8443"]', "https://a.example", False),
])
def test_origins(daemon, model, origins, origin, welcome):
    running = daemon(config(route=f"origins: {origins}" if origins else ""))
    with running.raw() as raw:
        response = asked(raw, f"/{model}", [("Host", "test"), *([("Origin", origin)] if origin else [])])
        assert response.status == (101 if welcome else 403), response
    # For plain HTTP it means nothing.
    with running.raw() as raw:
        assert raw.request(target=f"/{model}", headers=[("Origin", "http://evil.example")]).status == 200
    if not welcome:
        assert not running.log.find("ws probe: upgrade")


# A peer that takes nothing

def test_a_peer_that_takes_nothing_is_cut(daemon, model):
    running = daemon(config(route="timeouts: {write: 300ms, ping: 0s}, limits: {backlog: 10MiB}"))
    with narrow(running, f"/{model}") as end:
        started = time.monotonic()
        do(running, f"fill {end.id} 400 2000")
        running.log_wait(f"ws probe: close id={end.id} .*cause=timeout code=1006 .*opened=1")
        assert time.monotonic() - started > 0.29
        assert do(running, f"send {end.id} text x") == "-ENOENT"


def test_a_peer_that_takes_a_little_is_kept(daemon):
    """timeouts.write is for no progress at all."""
    running = daemon(config(route="timeouts: {write: 3s, ping: 0s}, limits: {backlog: 10MiB}"))
    with narrow(running) as end:
        do(running, f"fill {end.id} 300 2000")
        for i in range(300):
            assert end.message().startswith(f"{i} .")
            if i % 30 == 0:
                time.sleep(0.5)
        assert upgraded(running.raw(), "/loop").ask("x") == "x"
        assert do(running, f"open {end.id}") == "1"
