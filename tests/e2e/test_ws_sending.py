"""Sending by number from any thread: what is said of it, in which order it arrives, and topics."""
import random
import socket
import threading
import time

import pytest

from bounds import WAIT_BOUND
from common import wait_until
from raw import Raw
from ws_talk import BINARY, CLOSE, PING, PONG, TEXT, End, config, connect, do, upgraded

BY = ["loop", "worker", "thread"]
OTHER = """
  other:
    listen: 127.0.0.1:0
    routes:
      - {path: /loop, module: ws_probe, handler: echo-loop, options: {name: other}}
      - {path: /parallel, module: ws_probe, handler: echo-parallel, options: {name: other}}
"""


@pytest.fixture(params=BY)
def by(request):
    return request.param


def opened(running, count, path="/loop", server=None):
    ends = [connect(running, path, server=server) for _ in range(count)]
    for end in ends:
        end.who()
    return ends


def end_all(ends):
    for end in ends:
        end.raw.close()


def narrow(running, path="/loop"):
    """A client for which little fits into the system's buffers."""
    raw = Raw.__new__(Raw)
    raw.socket = socket.socket()
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
    raw.socket.settimeout(WAIT_BOUND)
    raw.socket.connect(("127.0.0.1", running.port()))
    raw.buffer, raw.ended = b"", False
    end = upgraded(raw, path)
    end.who()
    return end


# Results

@pytest.mark.parametrize("path", ["/loop", "/serial", "/parallel"])
def test_sent_to_a_number(daemon, by, path):
    running = daemon(config(loops=2))
    ends = opened(running, 4, path)
    for end in ends:
        assert do(running, f"send {end.id} text hello", by) == "0"
        assert do(running, f"send {end.id} binary \u00e4", by) == "0"
        assert do(running, f"text {end.id} as a string", by) == "0"
        assert do(running, f"ping {end.id} data", by) == "0"
    for end in ends:
        assert end.message() == "hello"
        assert end.message(BINARY) == "\u00e4".encode()
        assert end.message() == "as a string"
        assert end.message(PING) == b"data"
    end_all(ends)


def test_a_handler_sends_to_others(daemon):
    running = daemon(config(loops=2))
    for path in ("/loop", "/serial", "/parallel"):
        one, two = opened(running, 2, path)
        assert one.ask(f"!do send {two.id} text from {one.id}") == "0\n"
        assert two.message() == f"from {one.id}"
        end_all([one, two])


def test_an_empty_message(daemon, by):
    running = daemon(config())
    with connect(running) as end:
        end.who()
        assert do(running, f"send {end.id} text ", by) == "0"
        assert end.frame() == (TEXT, b"")
        assert do(running, f"ping {end.id} ", by) == "0"
        assert end.frame() == (PING, b"")


@pytest.mark.parametrize("command,result", [
    ("send 0 text x", "-ENOENT"), ("send 12345678901234 text x", "-ENOENT"), ("send 18446744073709551615 text x", "-ENOENT"),
    ("ping 0 x", "-ENOENT"), ("close 0 1000", "-ENOENT"), ("sub 0 topic", "-ENOENT"), ("unsub 0 topic", "-ENOENT"),
    ("open 0", "0"),
    ("send {} 0 x", "-EINVAL"), ("send {} 3 x", "-EINVAL"), ("send {} 8 x", "-EINVAL"),
    (b"send {} text \xff\xfe", "-EILSEQ"), (b"send {} text \xed\xa0\x80", "-EILSEQ"), (b"text {} \xc3", "-EILSEQ"),
    ("ping {} " + "x" * 126, "-EMSGSIZE"), ("ping {} " + "x" * 125, "0"), (b"ping {} \xff", "0"), (b"send {} binary \xff", "0"),
    ("open {}", "1"), ("sub {} t", "0"), ("unsub {} t", "0"), ("sub {} ", "-EINVAL"), ("sub {} " + "x" * 256, "-EINVAL"),
    ("pub " + "x" * 256 + " 0 text x", "-EINVAL"),
    ("sub {} " + "x" * 255, "0"), ("pub  0 text x", "-EINVAL"), ("pub t 0 5 x", "-EINVAL"), (b"pub t 0 text \xff", "-EILSEQ"),
    ("pub t 0 text x", "0"), ("many {} text x", "0"), ("many  text x", "0"), ("many {} 7 x", "-EINVAL"),
    (b"many {} text \xff", "-EILSEQ"), ("many 1,2 text x", "2 1,2"),
])
def test_results(daemon, command, result):
    running = daemon(config())
    with connect(running) as end:
        end.who()
        number = str(end.id)
        command = command.replace(b"{}", number.encode()) if isinstance(command, bytes) else command.replace("{}", number)
        assert do(running, command) == result
        assert end.raw.socket.fileno() >= 0 and do(running, f"open {number}") == "1"


@pytest.mark.parametrize("code", [1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, -1])
def test_codes_that_nobody_may_send(daemon, code):
    running = daemon(config())
    with connect(running) as end:
        end.who()
        assert do(running, f"close {end.id} {code} x") == "-EINVAL"
        assert end.ask("still here") == "still here"


@pytest.mark.parametrize("reason", [b"x" * 124, b"\xff", b"\xc3\xa4" * 62])
def test_reasons_that_nobody_may_send(daemon, reason):
    running = daemon(config())
    with connect(running) as end:
        end.who()
        assert do(running, b"close %d 1000 " % end.id + reason) == "-EINVAL"
        assert end.ask("still here") == "still here"


def test_an_outgoing_connection_that_is_not_open(daemon):
    running = daemon(config())
    with socket.socket() as closed_port:
        closed_port.bind(("127.0.0.1", 0))
        port = closed_port.getsockname()[1]
        result, number = do(running, f"connect client-loop ws://127.0.0.1:{port}/ reconnect=60000").split()
        assert result == "0"
        running.log_wait("ws probe: close .*opened=0")
        assert do(running, f"send {number} text x\nping {number}\nopen {number}") == ["-ENOTCONN", "-ENOTCONN", "0"]
        assert do(running, f"close {number} 1000") == "0"
        wait_until(lambda: do(running, f"send {number} text x") == "-ENOENT", "the connection to go")


# The backlog

def filled(running, end, by, count=2000):
    """Sends messages of 1 KiB until one is not taken: how many were, and the last result."""
    told = dict(pair.split("=") for pair in do(running, f"fill {end.id} {count} 1024", by).split())
    return int(told["sent"]) + int(told["queued"]), told["last"]


def test_what_waits_is_told_and_drains(daemon, by):
    running = daemon(config(route="limits: {backlog: 256KiB}"))
    with narrow(running) as end:
        assert filled(running, end, by, 220)[0] == 220
        marks = []

        def waits():
            marks.append(running.log.mark())
            return do(running, f"send {end.id} text more", by) == "1"

        # Once the system takes no more, it is told.
        wait_until(waits, "a message to wait")
        for i in range(220):
            assert end.message().startswith(f"{i} .")
        for _ in marks:
            assert end.message() == "more"
        running.log_wait("ws probe: drain", since=marks[-1])
        assert do(running, f"send {end.id} text x", by) == "0"
        assert end.message() == "x"


def test_nothing_drains_when_nothing_waited(daemon):
    running = daemon(config())
    with connect(running) as end:
        end.who()
        for _ in range(10):
            assert do(running, f"send {end.id} text x") == "0"
            end.message()
        end.close_and_wait()
    running.log_wait("ws probe: close")
    assert not running.log.find("ws probe: drain")


def test_too_much_closes(daemon, by):
    running = daemon(config(server="log_level: trace", route="limits: {backlog: 64KiB}, timeouts: {close: 1h}"))
    with narrow(running) as end:
        # What is refused because the sender is faster than the loop is not the peer's fault.
        while filled(running, end, by)[1] != "-ENOENT":
            pass
        running.log_wait(f"ws probe: close id={end.id} .*opened=1")
        assert do(running, f"send {end.id} text x") == "-ENOENT"
        # What it had taken comes from the start and without a gap, if it comes at all.
        for i in range(10):
            assert end.message().startswith(f"{i} .")


def test_too_much_drops(daemon, by):
    running = daemon(config(route="limits: {backlog: 64KiB}, backlog_policy: drop"))
    with narrow(running) as end:
        expected = []
        while True:
            count, last = filled(running, end, by)
            assert last == "-ENOBUFS"
            expected += [f"{i} ." for i in range(count)]
            time.sleep(0.05)
            # The system may make room at any time. Without any it is full for others, too.
            if do(running, f"send {end.id} text more") == "-ENOBUFS":
                break
            expected.append("more")
        assert len(expected) >= 60
        assert do(running, f"open {end.id}") == "1"
        mark = running.log.mark()
        for start in expected:
            assert end.message().startswith(start)
        running.log_wait("ws probe: drain", since=mark)
        assert do(running, f"send {end.id} text again") == "0"
        assert end.message() == "again"


def test_backlog_of_the_server_and_of_the_route(daemon):
    """A route goes before its server."""
    running = daemon(config(server="limits: {backlog: 1KiB}\n    backlog_policy: drop"))
    with narrow(running) as end:
        assert filled(running, end, "loop")[1] == "-ENOBUFS"
        assert do(running, f"open {end.id}") == "1"


# Order, and ends

def test_the_order_of_one_thread_is_kept(daemon, by):
    running = daemon(config(loops=2))
    ends = opened(running, 3)
    commands = [f"send {end.id} text {i}" for i in range(300) for end in ends]
    assert set(do(running, "\n".join(commands), by)) <= {"0", "1"}
    for end in ends:
        assert [end.message() for _ in range(300)] == [str(i) for i in range(300)]
    end_all(ends)


SIZES = (3, 40, 600, 5000, 16384, 16385, 70000)  # on both sides of each bound between the ways in which they are sent


def test_the_order_of_one_iteration_is_kept(daemon, by):
    """Own messages and those of a topic, small and large ones: each gets its own, in the order of the calls."""
    running = daemon(config(loops=2))
    ends = opened(running, 4)
    commands = [f"sub {end.id} t" for end in ends]
    wanted = {end: [] for end in ends}
    sizes = random.Random(7)
    for turn in range(200):
        text = f"{turn} ".ljust(sizes.choice(SIZES if turn % 20 == 0 else SIZES[:3]), "x")
        to = ends if turn % 3 == 0 else [sizes.choice(ends)]
        commands += [f"pub t 0 text {text}" if to is ends else f"send {to[0].id} text {text}"]
        for end in to:
            wanted[end].append(text)
    assert set(do(running, "\n".join(commands), by)) <= {"0", "1"}
    for end in ends:
        assert [end.message() for _ in wanted[end]] == wanted[end]
        assert end.ask("x") == "x"
    end_all(ends)


def test_a_close_comes_after_what_was_sent(daemon, by):
    running = daemon(config(loops=2))
    with connect(running, "/parallel") as end:
        end.who()
        commands = [f"send {end.id} text {i}" for i in range(100)] + [f"close {end.id} 4000 done", f"send {end.id} text late"]
        results = do(running, "\n".join(commands), by)
        assert set(results[:100]) <= {"0", "1"} and results[100] == "0"
        # What others send before the loop has begun to close comes too late.
        assert results[101] in ("0", "1", "-ENOENT")
        assert [end.message() for _ in range(100)] == [str(i) for i in range(100)]
        assert end.closed(4000) == "done"
    running.log_wait("ws probe: close .*cause=normal code=4000")


def test_a_second_close_finds_nothing(daemon, by):
    running = daemon(config())
    with connect(running) as end:
        end.who()
        first, second = do(running, f"close {end.id} 1000 first\nclose {end.id} 1001 second", by)
        assert first == "0" and second == "-ENOENT" if by == "loop" else second in ("0", "-ENOENT")
        assert end.closed(1000) == "first"
        assert do(running, f"close {end.id} 1001 third", by) == "-ENOENT"


def test_threads_at_once(daemon):
    """Each keeps its own order; nothing is lost."""
    running = daemon(config(loops=2))
    with connect(running) as end:
        end.who()

        def send(by):
            do(running, "\n".join(f"send {end.id} text {by} {i}" for i in range(200)), by)

        threads = [threading.Thread(target=send, args=(by,)) for by in BY]
        for thread in threads:
            thread.start()
        came = [end.message() for _ in range(600)]
        for thread in threads:
            thread.join()
        for by in BY:
            assert [text for text in came if text.startswith(by)] == [f"{by} {i}" for i in range(200)]


def test_a_number_is_of_one_connection(daemon, by):
    """Others take the place of one that has gone; what is sent to the old number reaches none of them."""
    running = daemon(config())
    old = []
    for _ in range(10):
        [gone] = opened(running, 1)
        old.append(gone.id)
        gone.close_and_wait()
        running.log_wait("ws probe: close", count=len(old))
        [new] = opened(running, 1)
        assert new.id not in old
        commands = "send {0} text late\nclose {0} 1000\nopen {0}\nsub {0} t"
        results = do(running, "\n".join(commands.format(number) for number in old), by)
        assert results == ["-ENOENT", "-ENOENT", "0", "-ENOENT"] * len(old)
        assert do(running, "pub t 0 text x") == "0"
        assert new.ask("mine") == "mine"
        old.append(new.id)
        new.close_and_wait()
        running.log_wait("ws probe: close", count=len(old))


def test_lost_ones_are_found_out(daemon, by):
    running = daemon(config())
    [end] = opened(running, 1)
    end.raw.reset()
    wait_until(lambda: do(running, f"send {end.id} text x", by) == "-ENOENT", "the connection to be gone")


# To many

def test_send_many_with_the_list_of_those_that_failed(daemon, by):
    running = daemon(config(loops=2))
    ends = opened(running, 6)
    gone = ends[1::2]
    for end in gone:
        end.close_and_wait()
    running.log_wait("ws probe: close", count=3)
    numbers = ",".join(str(end.id) for end in ends)
    result, failed = do(running, f"many {numbers} text to all", by).split(" ")
    assert result == "3" and sorted(map(int, failed.split(","))) == sorted(end.id for end in gone)
    for end in ends[::2]:
        assert end.message() == "to all"
        assert end.ask("x") == "x"
    end_all(ends)


def test_one_twice_in_the_list(daemon):
    running = daemon(config())
    [end] = opened(running, 1)
    assert do(running, f"many {end.id},{end.id} text x") == "0"
    assert [end.message(), end.message()] == ["x", "x"]
    end_all([end])


def test_the_list_of_connections(daemon):
    running = daemon(config(loops=2, more=OTHER))
    assert do(running, "list 3 10") == "0"
    ends = opened(running, 5)
    others = opened(running, 1, server="other")
    count, numbers = do(running, "list 3 10").split(" ")
    assert count == "5" and {int(number) for number in numbers.split(",")} == {end.id for end in ends}
    assert do(running, "list 1 2").split(" ")[0] == "5"
    assert len(do(running, "list 1 2").split(" ")[1].split(",")) == 2
    assert do(running, "list 2 10") == "0"
    ends[0].close_and_wait()
    wait_until(lambda: do(running, "list 1 10").startswith("4 "), "four to be left")
    end_all(ends + others)


# Topics

def test_topics(daemon, by):
    running = daemon(config(loops=2, more=OTHER))
    ends = opened(running, 4) + opened(running, 2, server="other") + opened(running, 2, "/parallel", "other")
    subscribed = ends[::2]
    results = do(running, "\n".join(f"sub {end.id} news" for end in subscribed), by)
    assert results == ["0"] * len(subscribed)
    assert do(running, f"pub news {subscribed[0].id} text not for the first", by) == "0"
    assert do(running, "pub news 0 text for all", by) == "0"
    assert do(running, "pub other 0 text for nobody", by) == "0"
    for end in subscribed[1:]:
        assert end.message() == "not for the first"
    for end in subscribed:
        assert end.message() == "for all"
    assert do(running, f"unsub {subscribed[1].id} news\npub news 0 binary last", by) == ["0", "0"]
    for end in ends:
        if end in subscribed and end is not subscribed[1]:
            assert end.message(BINARY) == b"last"
        assert end.ask("x") == "x"
    end_all(ends)


def test_a_topic_from_a_handler_to_the_others(daemon):
    """publish with `except`: all but who speaks."""
    running = daemon(config(loops=2))
    for path in ("/loop", "/serial", "/parallel"):
        ends = opened(running, 4, path)
        for end in ends:
            assert end.ask("!do sub @ room") == "0\n"
        assert ends[0].ask("!do pub room @ text hello") == "0\n"
        for end in ends[1:]:
            assert end.message() == "hello"
        assert ends[0].ask("alone") == "alone"
        end_all(ends)
        wait_until(lambda: do(running, "list 1 1") == "0", "all to be gone")


def test_subscribed_twice_gets_it_once(daemon, by):
    running = daemon(config())
    [end] = opened(running, 1)
    assert do(running, f"sub {end.id} t\nsub {end.id} t\npub t 0 text once", by) == ["0", "0", "0"]
    assert end.message() == "once"
    assert do(running, f"unsub {end.id} t\npub t 0 text never", by) == ["0", "0"]
    assert end.ask("x") == "x"
    end_all([end])


def test_calls_of_one_thread_take_effect_in_order(daemon, by):
    running = daemon(config(loops=2))
    ends = opened(running, 4)
    for turn in range(20):
        commands = []
        for end in ends:
            commands += [f"sub {end.id} t"]
        commands += [f"pub t 0 text in {turn}"]
        for end in ends:
            commands += [f"unsub {end.id} t"]
        commands += [f"pub t 0 text out {turn}"]
        assert set(do(running, "\n".join(commands), by)) == {"0"}
    for end in ends:
        assert [end.message() for _ in range(20)] == [f"in {turn}" for turn in range(20)]
        assert end.ask("x") == "x"
    end_all(ends)


def test_an_end_unsubscribes(daemon, by):
    running = daemon(config())
    for _ in range(5):
        gone, stays = opened(running, 2)
        do(running, f"sub {gone.id} t\nsub {stays.id} t", by)
        gone.raw.reset()
        running.log_wait(f"ws probe: close id={gone.id} ")
        assert do(running, "pub t 0 text x", by) == "0"
        assert stays.message() == "x"
        stays.close_and_wait()


def test_many_topics(daemon):
    running = daemon(config(loops=2))
    ends = opened(running, 3)
    do(running, "\n".join(f"sub {end.id} topic {i}" for end in ends for i in range(300)))
    do(running, "\n".join(f"pub topic 0 text {i}" for i in range(3)))
    for end in ends:
        assert end.ask("none of these") == "none of these"
    end_all(ends)


# Pings, and pongs that nobody asked for

def test_a_pong_that_nobody_asked_for(daemon):
    with connect(daemon(config())) as end:
        end.send(PONG, b"x")
        assert end.ask("x") == "x"
        end.close()
        assert end.frame()[0] == CLOSE


def test_both_ends_close_at_once(daemon):
    running = daemon(config())
    with running.raw() as raw:
        end = upgraded(raw, "/loop")
        end.who()
        assert isinstance(end, End)
        do(running, f"close {end.id} 1000")
        end.close(1001)
        assert end.closing()[0] == 1000
        end.ended()
    running.log_wait("ws probe: close .*code=1001")
