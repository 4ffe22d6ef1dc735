"""Lines sent by number from any thread, to many, to topics that WebSockets share, and to those who do not read."""
import threading
import time

import pytest

from common import wait_until
from line_talk import MODELS, closing, config, join, joined, narrow
from ws_talk import BINARY, connect, do

WS = """
  ws:
    listen: 127.0.0.1:0
    routes:
      - {path: /loop, module: ws_probe, handler: echo-loop}
      - {path: /parallel, module: ws_probe, handler: echo-parallel}
      - {path: /do-loop, module: ws_probe, handler: do-loop}
      - {path: /do-worker, module: ws_probe, handler: do-worker}
      - {path: /do-thread, module: ws_probe, handler: do-thread}
"""
LF = """
  unix-like:
    protocol: line
    listen: 127.0.0.1:0
    line_end: lf
    modules: [{module: line_probe, handler: loop, options: {name: lf}}]
"""


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


# To one

def test_to_another(daemon, model):
    running = daemon(config(handler=model, loops=2))
    talkers = joined(running, 4)
    for one in talkers:
        for other in talkers:
            if other is not one:
                assert one.ask(f"!send {other.id} from {one.id}") == "send 0"
                assert other.hear() == f"from {one.id}"
                assert one.ask(rf"!send {other.id} two\nlines\r\n") == "send 0"
                assert [other.hear() for _ in range(3)] == ["two", "lines", ""]
    assert talkers[0].ask(f"!open {talkers[1].id}") == "open 1"
    assert talkers[0].ask("!open 12345678901234") == "open 0"


def test_wrong(daemon, model):
    running = daemon(config(handler=model))
    with join(running) as talker:
        talker.say("!wrong")
        said = talker.hear()
        assert said == "wrong -EINVAL -EINVAL -EINVAL -EINVAL 0 -ENOENT -ENOENT -ENOENT 0"


def test_threads_keep_their_order(daemon, model):
    running = daemon(config(handler=model, loops=2, server="limits: {backlog: 64MiB}", options="quiet: true"))
    one, other = joined(running, 2)
    for _ in range(4):
        one.say(f"!thread {other.id} 2000")
    heard = [int(other.hear().removeprefix("number ")) for _ in range(8000)]
    for n in (0, 1999):
        assert heard.count(n) == 4
    seen = {}
    for n in heard:
        assert n == 0 or seen.get(n - 1, 0) > seen.get(n, 0), "a later line came before an earlier one of its thread"
        seen[n] = seen.get(n, 0) + 1


def test_close_another(daemon, model):
    running = daemon(config(handler=model, loops=2))
    one, other = joined(running, 2)
    assert one.ask(f"!send {other.id} last words") == "send 0"
    assert one.ask(f"!close {other.id}") == "close 0"
    assert other.hear() == "last words"
    other.ended()
    other.raw.close()
    assert closing(running, other.id) == ("normal", "", "closed by the handler")
    wait_until(lambda: one.ask(f"!send {other.id} x") == "send -ENOENT", "nobody is there")
    assert one.ask(f"!close {other.id}") == "close -ENOENT"
    assert one.ask(f"!sub {other.id} news") == "sub -ENOENT"


# To many

@pytest.mark.parametrize("text,expected", [("hello", ["hello"]), (r"one\ntwo", ["one", "two"]), ("", [""]),
                                           (r"\n", ["", ""]), (r"a\r\n\r\nb", ["a", "", "b"]), ("x" * 5000, ["x" * 5000])])
def test_to_many(daemon, text, expected):
    running = daemon(config(loops=2, handler="parallel", more=LF, options="quiet: true"))
    talkers = joined(running, 5)
    for _ in range(2):
        talkers.append(join(running, "unix-like", end=b"\n"))
        talkers[-1].who()
    ids = ",".join(str(talker.id) for talker in talkers)
    for _ in range(3):
        talkers[0].say(f"!many {ids} {text}")
        heard = [[talker.hear() for _ in expected] for talker in talkers[1:]]
        assert heard == [expected] * (len(talkers) - 1)
        assert sorted(talkers[0].hear() for _ in range(len(expected) + 1)) == sorted([*expected, "many 0"])


def test_to_many_with_some_who_have_gone(daemon, model):
    running = daemon(config(handler=model, loops=2))
    one, two, gone = joined(running, 3)
    gone.raw.close()
    closing(running, gone.id)
    assert one.ask(f"!many {two.id},{gone.id} hello") == f"many 1, first {gone.id}"
    assert two.hear() == "hello"
    assert one.ask(f"!many {two.id},0 hello") == "many 1, first 0"
    assert two.hear() == "hello"


def test_to_a_thousand(daemon):
    running = daemon(config(loops=2, options="quiet: true", server="limits: {connections: 4000}"))
    talkers = joined(running, 1000)
    line = "x" * 600
    # The command is longer than a line may be by default.
    for part in range(0, 999, 300):
        ids = ",".join(str(talker.id) for talker in talkers[1 + part:1 + part + 300])
        assert talkers[0].ask(f"!many {ids} {line}") == "many 0"
    assert {talker.hear() for talker in talkers[1:]} == {line}
    for talker in talkers:
        talker.raw.close()


# Kinds

def test_kinds_are_told_apart(daemon, model):
    """Functions for lines do not find WebSockets, nor the other way round."""
    running = daemon(config(handler=model, more=WS))
    with join(running) as talker, connect(running, "/loop", server="ws") as end:
        talker.who()
        end.who()
        for by in ("loop", "worker", "thread"):
            assert do(running, f"send {talker.id} text x", by, "ws") == "-ENOENT"
            assert do(running, f"ping {talker.id} x", by, "ws") == "-ENOENT"
            assert do(running, f"close {talker.id} 1000", by, "ws") == "-ENOENT"
            assert do(running, f"open {talker.id}", by, "ws") == "0"
            assert do(running, f"many {talker.id},{end.id} text x", by, "ws") == f"1 {talker.id}"
            assert end.message() == "x"
        assert talker.ask(f"!send {end.id} x") == "send -ENOENT"
        assert talker.ask(f"!close {end.id}") == "close -ENOENT"
        assert talker.ask(f"!open {end.id}") == "open 0"
        assert talker.ask(f"!ws {talker.id}") == "ws -ENOENT open 0 close -ENOENT"
        assert talker.ask(f"!many {end.id} x") == f"many 1, first {end.id}"
        assert talker.ask("!list 10") == "list 1 mine 1 ws 0"
        assert end.ask("still there") == "still there"


# Topics

@pytest.mark.parametrize("by", ["loop", "worker", "thread", "line"])
def test_topics_are_shared(daemon, model, by):
    running = daemon(config(handler=model, loops=2, more=WS + LF))
    lines = joined(running, 3)
    with join(running, "unix-like", end=b"\n") as lf, connect(running, "/loop", server="ws") as end, \
            connect(running, "/parallel", server="ws") as other, join(running) as speaker:
        for one in (lf, end, other, speaker):
            one.who()
        for one in (*lines, lf, end, other):
            assert do(running, f"sub {one.id} news", server="ws") == "0"

        def publish(text, except_id=0):
            if by == "line":
                assert speaker.ask(f"!pub news {except_id} {text}") == "pub 0"
            else:
                assert do(running, f"pub news {except_id} text {text}", by, "ws") == "0"
        publish("hello ä")
        assert [one.hear() for one in (*lines, lf)] == ["hello ä"] * 4
        assert [one.message() for one in (end, other)] == ["hello ä"] * 2
        publish("not to one", lines[0].id)
        assert [one.hear() for one in (*lines[1:], lf)] == ["not to one"] * 3
        assert [one.message() for one in (end, other)] == ["not to one"] * 2
        if by == "line":
            publish(r"two\nlines")
            assert [(one.hear(), one.hear()) for one in (*lines, lf)] == [("two", "lines")] * 4
            assert [one.message() for one in (end, other)] == ["two\nlines"] * 2
            assert speaker.ask("!pub-binary news 0 bytes") == "pub 0"
        else:
            assert do(running, "pub news 0 binary bytes", by, "ws") == "0"
        assert [one.message(BINARY) for one in (end, other)] == [b"bytes"] * 2
        assert speaker.ask(f"!unsub {lf.id} news") == "unsub 0"
        publish("the last")
        assert [one.hear() for one in lines] == ["the last"] * 3
        assert [one.message() for one in (end, other)] == ["the last"] * 2
        assert lf.ask("nothing else") == "nothing else"


def test_a_closed_one_has_left_its_topics(daemon):
    running = daemon(config(loops=2))
    one, two = joined(running, 2)
    for talker in (one, two):
        assert talker.ask("!sub @ news") == "sub 0"
    one.raw.close()
    closing(running, one.id)
    assert two.ask("!pub news @ hello") == "pub 0"
    assert two.ask("!pub news 0 hello") == "hello"
    assert two.hear() == "pub 0"
    assert two.ask("!sub @ ") == "sub -EINVAL"
    assert two.ask("!unsub @ other") == "unsub 0"


# Those who do not read

def test_backlog_closes(daemon, model):
    running = daemon(config(handler=model, loops=2, server="limits: {backlog: 256KiB}"))
    stalled = narrow(running)
    one = join(running)

    def fill():
        since = running.log.mark()
        one.say(f"!fill {stalled.id} 100000 1000")
        told = running.log_wait(r"filled sent=(\d+) last=(\S+)", since=since)
        return int(told[1]), told[2]
    sent, last = fill()
    assert last in ("-ENOBUFS", "-ENOENT") and sent >= 256
    # A sender elsewhere may be faster than the loop, which does not know then that the peer is slow.
    wait_until(lambda: fill()[1] == "-ENOENT", "the one who does not read is cut off")
    assert closing(running, stalled.id)[0] == "backlog"
    assert one.ask("hello") == "hello"
    first = stalled.raw.recv_until_close().split(b"\r\n")[:sent]
    assert first[:-1] == [chr(ord("a") + n % 26).encode() * 1000 for n in range(len(first) - 1)]
    stalled.raw.close()


def test_backlog_drops_and_drains(daemon, model):
    running = daemon(config(handler=model, loops=2, server="limits: {backlog: 64KiB}\nbacklog_policy: drop"))
    stalled = narrow(running)
    one = join(running)
    one.say(f"!fill {stalled.id} 100000 1000")
    told = running.log_wait(r"filled sent=(\d+) last=(\S+)")
    assert told[2] == "-ENOBUFS"
    for n in range(int(told[1])):
        assert stalled.hear() == chr(ord("a") + n % 26) * 1000
    running.log_wait(rf"drain id={stalled.id} ")
    assert stalled.ask("still there") == "still there"
    assert one.ask(f"!send {stalled.id} after") == "send 0"
    assert stalled.hear() == "after"
    stalled.raw.close()


def test_topics_of_a_stalled_one(daemon):
    running = daemon(config(loops=2, server="limits: {backlog: 64KiB}", more=WS))
    stalled = narrow(running)
    with connect(running, "/loop", server="ws") as end:
        end.who()
        for one in (stalled, end):
            assert do(running, f"sub {one.id} news", server="ws") == "0"
        for n in range(1000):
            assert do(running, f"pub news 0 text {n} {'x' * 10000}", server="ws") == "0"
            assert end.message().startswith(f"{n} ")
            if running.log.find(f"close id={stalled.id} cause=backlog"):
                break
        assert closing(running, stalled.id)[0] == "backlog"
    stalled.raw.close()


def test_write_timeout(daemon):
    running = daemon(config(server="limits: {backlog: 1MiB}\ntimeouts: {write: 300ms}"))
    stalled = narrow(running)
    before = time.monotonic()
    stalled.say("!fill @ 500 1000")
    assert closing(running, stalled.id) == ("timeout", "", "the peer does not take what it is sent (timeouts.write)")
    assert time.monotonic() - before >= 0.25
    stalled.raw.close()


def test_one_who_asks_and_does_not_read(daemon, model):
    """It is not read either, so that nothing piles up; when it reads, it gets all."""
    running = daemon(config(handler=model, server="limits: {backlog: 1MiB}\ntimeouts: {write: 1h}", options="quiet: true"))
    with join(running) as talker:
        lines = [f"{n} " + "x" * 1000 for n in range(20000)]
        talker.raw.socket.settimeout(None)
        sender = threading.Thread(target=lambda: talker.raw.send("".join(line + "\n" for line in lines)))
        sender.start()
        sender.join(0.5)
        assert sender.is_alive(), "all of it was read, though nobody takes the answers"
        for line in lines:
            assert talker.hear() == line
        sender.join()
