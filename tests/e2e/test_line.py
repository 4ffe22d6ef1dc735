"""Line servers: how lines are cut out of what comes, and what handlers are told and on which threads."""
import re
import socket
import time

import pytest

from line_talk import MODELS, closing, config, join, joined


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


# Lines

def test_cut_anywhere(daemon, model):
    running = daemon(config(handler=model))
    sent = b"one\r\ntwo\n\r\n\nth\rree\r\r\nf\0ur\n\xff\xfe\n"
    expected = [b"one", b"two", b"", b"", b"th\rree\r", b"f\0ur", b"\xff\xfe"]
    for cut in (1, 2, 3, 5, len(sent)):
        with join(running) as talker:
            talker.raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(sent), cut):
                talker.raw.send(sent[at:at + cut])
            assert [talker.hear_bytes() for _ in expected] == expected
    assert not running.log.find(" error ")


def test_byte_by_byte(daemon):
    """Each byte is read alone, since the one before was seen to be read."""
    running = daemon(config())
    with join(running) as talker:
        for byte in b"hello\r\nyou\n":
            talker.raw.send(bytes([byte]))
            time.sleep(0.002)
        assert (talker.hear(), talker.hear()) == ("hello", "you")


def test_a_whole_book_at_once(daemon, model):
    running = daemon(config(handler=model, server="limits: {backlog: 64MiB}", options="quiet: true"))
    lines = [f"{n} " + "x" * (n % 500) for n in range(5000)]
    with join(running) as talker:
        talker.raw.send("".join(line + "\n" for line in lines))
        assert [talker.hear() for _ in lines] == lines


@pytest.mark.parametrize("end", ["crlf", "lf"])
def test_ends_and_greeting(daemon, end):
    running = daemon(config(server=f'greeting: "220 ready ä"\nline_end: {end}', options="hello: true"))
    with join(running, end=b"\r\n" if end == "crlf" else b"\n") as talker:
        assert talker.hear() == "220 ready ä"
        assert re.fullmatch(r"hello \d+", talker.hear())
        assert talker.ask(r"!send @ a\nb\r\nc") == "a"
        assert [talker.hear() for _ in range(3)] == ["b", "c", "send 0"]
        assert talker.ask(r"!send @ \n") == ""
        assert [talker.hear() for _ in range(2)] == ["", "send 0"]
        assert talker.ask("!send @ ") == ""
        assert talker.hear() == "send 0"
        assert talker.ask("!format 2000") == "7".rjust(2000, "0")
        assert talker.ask("!format 511") == "7".rjust(511, "0")
        assert talker.ask("!format 512") == "7".rjust(512, "0")


def test_the_rest_without_an_end_is_nobodys(daemon, model):
    running = daemon(config(handler=model))
    with join(running) as talker:
        talker.say("whole")
        talker.raw.send("half")
        talker.raw.half_close()
        assert talker.hear() == "whole"
        talker.ended()
    running.log_wait("close id=")
    assert not running.log.find(r"\(half\)")


# Callbacks

def test_who_and_where(daemon, model):
    running = daemon(config(handler=model, listen='[127.0.0.1:0, "unix:{tmp}/s"]'))
    thread = {"loop": r"lines/loop-0", "serial": r"lines/worker-\d", "parallel": r"lines/worker-\d"}[model]
    with join(running) as talker:
        told = talker.who()
        host, port = talker.raw.socket.getsockname()
        assert told["peer"] == f"{host}:{port}"
        assert re.fullmatch(thread, told["thread"])
        found = running.log_wait(rf"open id={talker.id} peer={re.escape(told['peer'])} server=lines thread=(\S+)")
        assert re.fullmatch(thread, found[1])
        talker.raw.half_close()
        talker.ended()
    assert closing(running, talker.id) == ("client", "", "the peer closed the connection")
    with join(running, n=1) as talker:
        assert talker.who()["peer"] == "unix:"


def test_numbers_are_unique(daemon):
    running = daemon(config(loops=2))
    seen = set()
    for _ in range(50):
        with join(running) as talker:
            talker.who()
            seen.add(talker.id)
    assert len(seen) == 50


def test_data_of_a_connection(daemon, model):
    running = daemon(config(handler=model))
    with join(running) as talker:
        talker.who()
        assert talker.ask("!kept") == "kept nothing"
        assert talker.ask("!keep one") == "keep 0"
        assert talker.ask("!kept") == "kept one"
        assert talker.ask("!keep two") == "keep 0"
        running.log_wait("destroy data=one$")
    assert closing(running, talker.id)[1] == "two"
    running.log_wait("destroy data=two$")
    text = running.log.text()
    assert text.index("cause=client") < text.index("destroy data=two")
    assert not running.log.find(" error ")


def test_failing_closes(daemon, model):
    running = daemon(config(handler=model))
    with join(running) as talker:
        talker.who()
        talker.raw.send("!send @ before\n!fail\nafter\n")
        assert (talker.hear(), talker.hear()) == ("before", "send 0")
        talker.ended()
    assert closing(running, talker.id) == ("handler", "", "the handler failed")
    running.log_wait(rf'error .*module "line_probe": handler {model} failed: Input/output error')
    assert not running.log.find(r"\(after\)")


def test_failing_to_open(daemon, model):
    running = daemon(config(handler=model, server='greeting: "hello"', options="fail_open: true"))
    with join(running) as talker:
        talker.raw.send("line\n")
        assert talker.hear() == "hello"
        talker.ended()
    assert running.log_wait("close id=.* cause=(.*) size")[1] == "handler"
    assert not running.log.find(r"\(line\)")


def test_a_handler_that_only_takes(daemon):
    running = daemon(config(handler="bare"))
    with join(running) as talker:
        talker.say("hello")
        talker.raw.half_close()
        talker.ended()


def test_one_at_a_time_in_order(daemon):
    """What comes in while a worker has a connection waits, past the bound that stops reading."""
    running = daemon(config(handler="parallel", server="limits: {backlog: 64MiB}", options="quiet: true"))
    with join(running) as talker:
        assert talker.ask("!keep me") == "keep 0"
        talker.say("!sleep 200")
        lines = [f"{n} " + "x" * 1000 for n in range(2000)]
        talker.raw.send("".join(line + "\n" for line in lines))
        assert talker.hear() == "slept 200"
        assert [talker.hear() for _ in lines] == lines
    running.log_wait("destroy")
    assert not running.log.find(" error ")


def test_answers_reach_one_who_has_said_all(daemon, model):
    running = daemon(config(handler=model))
    with join(running) as talker:
        talker.raw.send("one\n!sleep 200\n!who\ntwo\n")
        talker.raw.half_close()
        assert talker.hear() == "one"
        assert talker.hear() == "slept 200"
        assert talker.hear().startswith("id=")
        assert talker.hear() == "two"
        talker.ended()
    assert running.log_wait("close id=.* cause=(.*) size")[1] == "client"


def test_all_workers_are_busy(daemon, tmp_path):
    gate = tmp_path / "gate"
    running = daemon(config(handler="parallel", server="threads: 1\nqueue: 1"))
    talkers = [joined(running, 1)[0] for _ in range(3)]  # one after the other, or the queue is full already
    talkers[0].say(f"!until {gate}")
    running.log_wait("waits")
    # One of them waits in the queue, the other finds it full.
    for talker in talkers[1:]:
        talker.say("hello")
    running.log_wait(r"closed \(handler\): all workers are busy and the queue is full")
    gate.touch()
    assert talkers[0].hear() == "waited 0"
    refused = int(running.log_wait(r"close id=(\d+) cause=handler .*detail=all workers are busy and the queue is full$")[1])
    heard = {talker.id: talker.raw.recv_until_close() if talker.id == refused else talker.hear() for talker in talkers[1:]}
    assert sorted(heard.values(), key=len) == [b"", "hello"]
