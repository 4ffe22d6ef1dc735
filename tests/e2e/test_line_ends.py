"""Line servers: lines that are too long, limits of connections, and how they end."""
import contextlib
import os
import signal
import time

import pytest

from common import in_time, wait_until
from line_talk import MODELS, closing, config, join, joined, narrow

LONG_DETAIL = "a line longer than limits.line"


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


# Long lines

@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_as_long_as_may_be(daemon, end):
    for policy in ("close", "drop"):
        running = daemon(config(server=f"limits: {{line: 1KiB}}\nlong_lines: {policy}"))
        with join(running) as talker:
            talker.say("x" * 1024, end)
            assert talker.hear() == "x" * 1024
            talker.raw.send("y" * 1000)
            talker.say("y" * 24, end)
            assert talker.hear() == "y" * 1024
        running.stop()


@pytest.mark.parametrize("whole", [True, False])
def test_too_long_closes(daemon, model, whole):
    running = daemon(config(server="limits: {line: 1KiB}", handler=model))
    with join(running) as talker:
        talker.who()
        assert talker.ask("before") == "before"
        talker.say("x" * 1025, b"\nbehind\n" if whole else b"")
        talker.ended()
    assert closing(running, talker.id) == ("protocol", "", LONG_DETAIL)
    assert not running.log.find("behind")


def test_too_long_is_dropped(daemon, model):
    running = daemon(config(server="limits: {line: 8KiB}\nlong_lines: drop", handler=model))
    told = "error: line longer than 8KiB"
    with join(running) as talker:
        assert talker.ask("x" * 8193) == told
        assert talker.ask("after") == "after"
        for _ in range(50):
            talker.raw.send("y" * 100000)
        assert talker.hear() == told
        assert talker.raw.silent(0.1)
        assert talker.ask("\nlast") == "last"
    running = daemon(config(server="limits: {line: 1000B}\nlong_lines: drop", name="other"))
    with join(running) as talker:
        assert talker.ask("x" * 1001) == "error: line longer than 1000B"


def test_long_lines_of_one_who_does_not_read(daemon):
    """What it is told counts as what it is sent."""
    running = daemon(config(server="limits: {line: 1B, backlog: 64KiB}\nlong_lines: drop"))
    with join(running) as talker:
        talker.raw.socket.setblocking(False)
        blob = b"xx\n" * 20000
        with contextlib.suppress(BlockingIOError, ConnectionResetError, BrokenPipeError):
            for _ in range(2000):
                talker.raw.socket.send(blob)
        assert running.log_wait(r"close id=\d+ cause=(\w+)")[1] == "backlog"


# The end

def test_closed_by_the_handler(daemon, model):
    running = daemon(config(handler=model))
    with join(running) as talker:
        talker.who()
        talker.raw.send("!send @ last words\n!close @\n")
        assert (talker.hear(), talker.hear()) == ("last words", "send 0")
        talker.ended()
    assert closing(running, talker.id) == ("normal", "", "closed by the handler")


def test_idle(daemon):
    running = daemon(config(server="timeouts: {idle: 500ms}"))

    def attempt(_):
        talker = join(running)
        talker.who()
        for _ in range(4):
            time.sleep(0.2)
            talker.raw.send("x")  # not a line, but a sign of life
        before = time.monotonic()
        talker.raw.send("\n")
        assert talker.hear() == "xxxx"
        return talker, before

    # In less than that no pause can have become as long as the timeout.
    talker, before = in_time(4 * 0.2 + 0.25, attempt)
    with talker:
        talker.ended()
        assert time.monotonic() - before >= 0.45
    assert closing(running, talker.id) == ("timeout", "", "nothing came (timeouts.idle)")


def test_never_idle(daemon):
    running = daemon(config())
    with join(running) as talker:
        assert talker.ask("hello") == "hello"
        assert talker.raw.silent(1)
        assert talker.ask("hello") == "hello"


def test_one_who_is_cut_off(daemon, model):
    running = daemon(config(handler=model))
    talker = join(running)
    talker.who()
    talker.raw.send("in the middle of")
    talker.raw.reset()
    assert closing(running, talker.id) == ("lost", "", "the peer went away")


def test_keep_alive(daemon):
    """The system finds out that a peer is dead: ss shows the timer."""
    running = daemon(config())
    with join(running) as talker:
        talker.who()
        # Both ports: connections of others, long closed, may have had one of them.
        daemon_port, port = (socket[1] for socket in (talker.raw.socket.getpeername(), talker.raw.socket.getsockname()))
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [row.split() for row in table]
        ends = [row for row in rows if row[1].endswith(f":{daemon_port:04X}") and row[2].endswith(f":{port:04X}")]
        assert len(ends) == 1 and ends[0][5].startswith("02:"), ends  # 02: keep-alive is the timer that runs


def test_limit_of_connections(daemon):
    running = daemon(config(server="limits: {connections: 2}"))
    one, two = joined(running, 2)
    three = join(running)
    three.say("anybody?")
    running.log_wait("accepting pauses: 2 connections are open")
    assert three.raw.silent(0.1)
    one.raw.close()
    assert three.hear() == "anybody?"
    two.raw.close()


def test_limit_of_one_client(daemon):
    running = daemon(config(server="limits: {connections_per_client: 2}\ngreeting: hello"))
    talkers = [join(running), join(running)]
    assert [talker.hear() for talker in talkers] == ["hello", "hello"]
    with join(running) as refused:
        assert refused.hear() == "error: there are too many connections from this address"
        refused.ended()
    talkers[0].raw.close()

    def again():
        with join(running) as talker:
            return talker.hear() == "hello"
    wait_until(again, "the next one is welcome")
    running.log_wait("close id=", count=2)
    assert len(running.log.find("open id=")) == 3, "who was refused is told to nobody"


def test_a_thousand(daemon):
    running = daemon(config(loops=2, options="quiet: true", server="limits: {connections: 4000}"))
    with contextlib.ExitStack() as stack:
        talkers = [stack.enter_context(join(running)) for _ in range(1000)]
        for n, talker in enumerate(talkers):
            talker.say(f"I am {n}")
        for n, talker in enumerate(talkers):
            assert talker.hear() == f"I am {n}"
        assert talkers[0].ask("!list 1200") == "list 1000 mine 1 ws 0"
        assert talkers[0].ask("!list 0") == "list 1000 mine 0 ws 0"
    with join(running) as talker:
        wait_until(lambda: talker.ask("!list 0") == "list 1 mine 0 ws 0", "all others are gone")


# The server stops

@pytest.mark.parametrize("how", ["idle", "unsent", "working"])
def test_stop(daemon, model, how):
    """What was sent before, by its last words too, arrives."""
    running = daemon(config(handler=model, server="limits: {backlog: 64MiB}", options="farewell: true"))
    talker = narrow(running)
    if how == "unsent":
        talker.say("!fill @ 200 5000")
        running.log_wait("filled sent=200 last=0|filled sent=200 last=1")
    if how == "working":
        talker.say("!sleep 300")
        running.log_wait(r"\(!sleep 300\)")
    os.kill(running.pid, signal.SIGTERM)
    lines = talker.raw.recv_until_close().split(b"\r\n")
    assert lines[-2:] == [b"good-bye", b""]
    assert len(lines) == {"idle": 2, "unsent": 202, "working": 3 if model == "loop" else 2}[how]
    talker.raw.close()
    assert running.wait() == 0
    assert closing(running, talker.id) == ("shutdown", "", "the server is stopping")
    assert "line_probe: connection_closed" not in running.log.text()
