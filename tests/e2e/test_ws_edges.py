"""What peers and handlers may do and seldom do: floods of next to nothing, sends in drain, closes that cross other events."""
import threading
import time

import pytest

from bounds import SLOW, WAIT_BOUND
from common import Gate, wait_until
from test_flat_memory import Memory
from test_memory import is_sanitized
from test_ws_sending import narrow
from ws_raw import handshake, ping, text
from ws_talk import BINARY, CLOSE, PING, PONG, TEXT, Acceptor, End, config, connect, do

MS = int(1000 * SLOW)
MIB = 1 << 20


def edges(keys=""):
    """The server of config() with the handlers of ws_edges behind it, on a server of its own."""
    rows = "\n".join(f"      - {{path: /{name}, module: ws_edges, handler: {name}{keys}}}" for name in ("pump", "hold", "haste"))
    return config(more=f"""
  edges:
    listen: 127.0.0.1:0
    routes:
{rows}
""")


# Memory that peers make the daemon keep

def send_until_full(end, block, most):
    """Sends until the other end has not read for a while: how much it took."""
    sent = 0
    end.raw.socket.settimeout(0.5 * SLOW)
    with pytest.raises(TimeoutError):
        while sent < most: # what was sent of a block goes on where it stopped, so that frames stay whole
            sent += end.raw.socket.send(block[sent % len(block):])
    end.raw.socket.settimeout(WAIT_BOUND)
    return sent


def test_a_flood_of_pings_that_nobody_reads_the_pongs_of(daemon):
    """An answer of two bytes may not weigh a hundred."""
    running = daemon(config())
    with narrow(running) as end:
        memory = Memory(running)
        send_until_full(end, ping() * 10000, 200 * MIB)
        assert memory.growth() < 6 * MIB or is_sanitized()


@pytest.mark.parametrize("size", [1, 400, 600])
def test_many_small_messages_for_one_that_does_not_read(daemon, size):
    """What limits.backlog counts is about what they cost."""
    running = daemon(config(route="limits: {backlog: 1MiB}, backlog_policy: drop"))
    with narrow(running) as end:
        assert do(running, f"sub {end.id} t") == "0"
        memory = Memory(running)
        for _ in range(16):
            assert do(running, f"flood t 0 {MIB // (size + 2) // 4} {size}") == "0"
        assert memory.growth() < 8 * MIB or is_sanitized()
        # All that was taken comes whole and in order.
        for i in range(100):
            assert end.message() == (f"{i} " + "." * size)[:size]


# Callbacks

@pytest.mark.parametrize("backlog", ["16KiB", "128KiB", "512KiB", "1MiB", "2MiB", "4MiB"])
def test_drain_fills_up_again(daemon, backlog):
    """While it does, nothing else is called: what the peer has sent meanwhile comes later."""
    running = daemon(edges(f", limits: {{backlog: {backlog}}}"))
    with running.raw("edges") as raw:
        raw.send(handshake("/pump") + text("came with the handshake"))
        end = End(raw)
        assert raw.response().status == 101
        while (got := end.frame())[0] != TEXT:
            pass
        assert got[1] == b"came with the handshake"
    running.log_wait("edges: close")
    assert not running.log.find("inside of another")


def test_a_peer_that_goes_while_it_is_sent_to(daemon):
    """A handler that sends as long as it is taken comes to an end."""
    running = daemon(edges(", limits: {backlog: 2MiB}"))
    for i in range(20):
        with running.raw("edges") as raw:
            raw.send(handshake("/pump"))
            assert raw.response().status == 101
            raw.reset()
        running.log_wait("edges: close", count=i + 1)


# The backlog

def test_mail_on_its_way_is_not_the_peers_fault(daemon, tmp_path):
    """A worker sends more than the backlog holds while the loop is busy: what the loop sends then is taken all the same."""
    gate = Gate(tmp_path)
    running = daemon(edges(", limits: {backlog: 64KiB}"))
    with connect(running, "/hold", server="edges") as end:
        end.text(str(gate))
        number = running.log_wait(r"edges: holds id=(\d+)")[1]
        assert do(running, f"send {number} binary " + "x" * 200000, "worker") == "0"
        assert not running.log.find("edges: sent")  # the loop is busy still: it is on its way
        gate.open()
        running.log_wait("edges: sent 1")  # taken, and told that much is on its way
        assert {end.frame()[0], end.frame()[0]} == {TEXT, BINARY}
        assert not running.log.find("edges: close")


def test_numbers_used_again_owe_nothing(daemon):
    """Whatever was on its way to connections that went: the next ones in their places begin with an empty backlog."""
    running = daemon(config(loops=2, options="quiet: true", route="limits: {backlog: 32KiB}, backlog_policy: drop"))
    going = threading.Event()
    numbers = []

    def send(by):
        while not going.is_set():
            do(running, "\n".join(command.format(number) for number in numbers[-4:] for command in (
                "fill {} 100 1000", "ping {} x", "sub {} t", "pub t 0 text x", "close {} 1000")) or "list 3 1", by)

    threads = [threading.Thread(target=send, args=(by,)) for by in ("loop", "worker", "worker", "thread")]
    for thread in threads:
        thread.start()
    try:
        for i in range(60):
            with connect(running, ["/loop", "/parallel"][i % 2]) as end:
                # Others may be sending and closing already.
                end.text("!who")
                while (got := end.frame())[0] not in (TEXT, CLOSE) or got[1].startswith(b"x"):
                    pass
                numbers.append(int(got[1].split()[0].split(b"=")[1]) if got[1].startswith(b"id=") else 0)
                time.sleep(0.005)
                if i % 3 == 0:
                    end.raw.reset()
    finally:
        going.set()
        for thread in threads:
            thread.join()
    wait_until(lambda: do(running, "list 3 10") == "0", "all to go")
    ends = [connect(running) for _ in range(20)]
    for end in ends:
        end.who()
        # More than half of the backlog would be called slow.
        assert do(running, f"send {end.id} text {'x' * 10000}\nsend {end.id} text y", "loop") == ["0", "0"]
        assert do(running, f"send {end.id} text z", "worker") == "0"
    for end in ends:
        assert [end.message() for _ in range(3)] == ["x" * 10000, "y", "z"]
        end.raw.close()


# Pings

def test_a_slow_peer_is_not_asked_for_pongs(daemon):
    """A ping that waits behind what the peer is still taking in says nothing: the write timeout does."""
    running = daemon(config(route="timeouts: {ping: 1s, pong: 2s, write: 1h}, limits: {backlog: 20MiB}"))
    with narrow(running) as end:
        do(running, f"fill {end.id} 4000 2000")
        assert do(running, f"send {end.id} text more") == "1"
        time.sleep(4)  # longer than it may take to ask and to hear nothing
        assert do(running, f"open {end.id}") == "1"
        came = 0
        while came < 4001:
            opcode, data = end.frame()
            came += opcode == TEXT
            if opcode == PING:
                end.send(PONG, data)
        assert data == b"more"
        # Then the pings go on.
        while end.frame()[0] != PING:
            pass
        running.log_wait(f"ws probe: close id={end.id} .*cause=timeout code=1006")


# The closing handshake

def test_nothing_counts_behind_the_close_frame_of_a_server(daemon):
    with Acceptor() as acceptor:
        running = daemon(config(route="timeouts: {close: 1h}"))
        number = do(running, f"connect client-loop ws://127.0.0.1:{acceptor.port}/").split()[1]
        end = acceptor.accept()
        running.log_wait("ws probe: open")
        do(running, f"close {number} 1000")
        assert end.closing()[0] == 1000
        end.close(1000)
        for i in range(20):
            time.sleep(0.01)
            end.text("behind the end")
            end.close(4001 + i)
        end.raw.close()
        running.log_wait(f"ws probe: close id={number} .*cause=normal code=1000")


@pytest.mark.parametrize("answer_first", [True, False])
def test_a_close_that_crosses_the_answer(daemon, answer_first):
    """It is closed, whichever of them the loop sees first in one iteration."""
    with Acceptor() as acceptor:
        running = daemon(config())
        with connect(running, "/loop") as busy, running.raw() as raw:
            assert raw.request(target="/loop").status == 200
            number = do(running, f"connect client-loop ws://127.0.0.1:{acceptor.port}/ connect_timeout=60000").split()[1]
            server, _, fields = acceptor.accept_request()
            body = f"close {number} 1000"
            order = f"POST /do-loop HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            steps = [lambda: acceptor.answer(server, fields), lambda: raw.send(order)]
            busy.text(f"!sleep {MS // 2}")
            running.log_wait("ws probe: sleeps")
            for step in steps if answer_first else reversed(steps):
                step()
            assert busy.message().startswith("slept")
            assert raw.response().text == "0\n"
            running.log_wait(f"ws probe: close id={number}")
            assert do(running, f"send {number} text x") == "-ENOENT"
            server.close()


def test_connect_and_close_at_once(daemon):
    """The handler hears of the end."""
    with Acceptor() as acceptor:
        running = daemon(edges())
        with connect(running, "/haste", server="edges") as end:
            assert end.ask(f"ws://127.0.0.1:{acceptor.port}/") == "0 0 0"
            running.log_wait(r"edges: close cause=0 code=1006 opened=0 detail=\(closed before it was open\)")
