"""Replies that come later, from a thread of the module: in whatever order, too late, for nobody, and many at once."""
import random
import re
import threading
import time

import pytest

from bounds import WAIT_BOUND
from common import fields, wait_until, with_test_modules

ROWS = ["loop", "serial", "parallel"]


def config(server="", loops=1, waits=""):
    """`waits` are keys of the routes /wait-..."""
    keys = {"wait": f", {waits}" if waits else ""}
    rows = "\n".join(f"      - {{path: /{kind}-{row}, module: later, handler: {kind}-{row}{keys.get(kind, '')}}}"
                     for row in ROWS for kind in ("wait", "past", "unarmed"))
    rest = "\n".join(f"      - {{path: /{name}, module: later, handler: {name}}}"
                     for name in ("fire", "nothing", "stats", "move", "stay"))
    rest += "".join(f"\n      - {{path: /race-{row}, module: race, handler: race-{row}}}" for row in ROWS)
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    loops: {loops}
    threads: 4
    {server}
    routes:
{rows}
{rest}
""")


@pytest.fixture(params=ROWS)
def row(request):
    return request.param


def stats(running):
    return {name: int(value) for name, value in fields(running.get("/stats").text).items()}


def ask(raw, target):
    raw.send(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")


def wait_for(running, **wanted):
    wait_until(lambda: all(stats(running)[name] == value for name, value in wanted.items()), wanted)


def fire(running, query=""):
    assert running.get(f"/fire?{query}").status == 200


# Both orders

def test_continued_after_the_handler_returned(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        for turn in range(3):
            ask(raw, f"/wait-{row}")
            wait_for(running, waiting=turn + 1)
            assert raw.silent(0.05)
            fire(running, f"text=t{turn}")
            response = raw.response()
            thread = "get/loop" if row == "loop" else "get/worker"
            assert response.status == 200 and response.text.startswith(f"continued t{turn} on {thread}"), response
    assert (stats(running)["cancelled"], stats(running)["dropped"]) == (0, 0)


def test_replied_after_the_handler_returned(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        ask(raw, f"/wait-{row}")
        wait_for(running, waiting=1)
        fire(running, "by=reply&text=whole")
        response = raw.response()
        assert (response.status, response.get("Content-Type"), response.text) == (201, "text/x-later", "whole")
        assert raw.request(target="/stats").status == 200
    assert stats(running)["cancelled"] == 0


@pytest.mark.parametrize("by", ["reply", "resume"])
def test_continued_before_the_handler_returned(daemon, row, by):
    with daemon(config()).raw() as raw:
        for _ in range(20):
            response = raw.request(target=f"/past-{row}?by={by}&text=early")
            assert "early" in response.text and response.status == (201 if by == "reply" else 200)


def test_head_and_1_0(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        assert raw.request("HEAD", f"/past-{row}?by=reply&text=12345").get("Content-Length") == "5"
        raw.send(f"GET /past-{row}?by=reply&text=12345 HTTP/1.0\r\n\r\n")
        assert raw.response().text == "12345"
        assert raw.closed()


def test_a_continuation_may_wait_again(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        ask(raw, f"/wait-{row}")
        wait_for(running, waiting=1)
        for turn in range(3):
            fire(running, "text=again")
            wait_for(running, continued=turn + 1)
        assert raw.silent(0.05)
        fire(running, "text=done")
        assert raw.response().text.startswith("continued done")


@pytest.mark.parametrize("text,status,line", [("fail", 500, "failed: Input/output error"), ("next", 404, None)])
def test_a_continuation_returns_as_a_handler(daemon, row, text, status, line):
    running = daemon(config())
    with running.raw() as raw:
        ask(raw, f"/wait-{row}")
        wait_for(running, waiting=1)
        fire(running, f"text={text}")
        assert raw.response().status == status
        assert raw.request(target="/stats").status == 200
    if line:
        running.log_wait(f'route "/wait-{row}".*{line}')


def test_requests_behind_it_wait(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        raw.send(f"GET /wait-{row} HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(running, waiting=1)
        assert raw.silent(0.1)
        fire(running, "text=first")
        first, second = raw.responses(2)
        assert first.text.startswith("continued first") and second.text.startswith("zero=")


def test_more_behind_it_than_is_read_ahead(daemon, row):
    running = daemon(config())
    count = 2000
    with running.raw() as raw:
        ask(raw, f"/wait-{row}")
        wait_for(running, waiting=1)
        sender = threading.Thread(target=raw.send, args=(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" * count,), daemon=True)
        sender.start()
        time.sleep(0.2)
        fire(running)
        assert raw.response().text.startswith("continued ")
        assert {response.status for response in raw.responses(count)} == {200}
        sender.join(WAIT_BOUND)


# The end comes first

@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_a_client_that_goes_cancels_once(daemon, row, how):
    running = daemon(config("timeouts: {handler: 1h}"))
    raw = running.raw()
    ask(raw, f"/wait-{row}")
    wait_for(running, waiting=1)
    getattr(raw, how)()
    wait_until(lambda: stats(running)["cancelled"] == 1, "cancelled")
    fire(running)
    wait_for(running, dropped=1, cancelled=1, twice=0, continued=0)
    raw.close()


def test_the_handlers_timeout(daemon, row):
    running = daemon(config(waits="timeouts: {handler: 200ms}"))
    with running.raw() as raw:
        start = time.monotonic()
        ask(raw, f"/wait-{row}")
        response = raw.response()
        assert response.status == 504 and response.get("Connection") is None
        assert time.monotonic() - start > 0.19
        wait_for(running, cancelled=1, twice=0)
        fire(running, "text=late")
        wait_for(running, dropped=1)
        assert raw.request(target=f"/past-{row}?text=after").text.startswith("continued after")


def test_an_id_is_of_one_request(daemon, row):
    """What comes for a request that has ended does not reach the next one on the connection."""
    running = daemon(config())
    with running.raw() as raw:
        ask(raw, f"/wait-{row}?key=1")
        wait_for(running, waiting=1)
        fire(running, "key=1&text=one")
        assert raw.response().text.startswith("continued one")
        ask(raw, f"/wait-{row}?key=2")
        wait_for(running, waiting=2)
        for _ in range(5):
            fire(running, "key=1&text=old")
            fire(running, "key=1&text=old&by=reply")
        wait_for(running, dropped=5)
        assert raw.silent(0.1)
        fire(running, "key=2&text=two")
        assert raw.response().text.startswith("continued two")
    wait_for(running, cancelled=0)


def test_an_id_is_of_one_connection(daemon, row):
    """The place of a connection that has gone is taken by the next; the old id finds nothing there."""
    running = daemon(config())
    for turn in range(5):
        gone = running.raw()
        ask(gone, f"/wait-{row}?key=1")
        wait_for(running, waiting=2 * turn + 1)
        gone.reset()
        wait_for(running, cancelled=turn + 1)
        with running.raw() as raw:
            ask(raw, f"/wait-{row}?key=2")
            wait_for(running, waiting=2 * turn + 2)
            fire(running, "key=1")
            wait_for(running, dropped=turn + 1)
            fire(running, "key=2&text=two")
            assert raw.response().text.startswith("continued two")


def test_ids_of_nothing(daemon):
    assert daemon(config()).get("/nothing").text == "zero=-2 far=-2 dropped=1\n"


def test_a_stop_cancels(daemon, row):
    running = daemon(with_test_modules(config().split("servers:\n", 1)[1], daemon="shutdown_timeout: 300ms"))
    clients = [running.raw() for _ in range(5)]
    for key, client in enumerate(clients):
        ask(client, f"/wait-{row}?key={key}")
    wait_for(running, waiting=5)
    assert running.stop() == 0
    running.log_wait("later stopped: waiting=5 cancelled=5 twice=0")
    for client in clients:
        client.close()


def test_a_stop_waits_for_the_reply(daemon, row):
    running = daemon(config())
    with running.raw() as raw, running.raw() as other:
        assert other.request(target="/stats").status == 200
        ask(raw, f"/wait-{row}")
        wait_for(running, waiting=1)
        other.send("GET /fire?text=last HTTP/1.1\r\nHost: a\r\n")
        running.signal(15)
        running.log_wait("SIGTERM: stops")
        other.send("\r\n")
        assert raw.response().text.startswith("continued last")
        assert raw.closed()
    assert running.wait() == 0


# Misuse

def test_nothing_would_continue_it(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        assert raw.request(target=f"/unarmed-{row}").status == 500
        assert raw.request(target="/stats").status == 200
    running.log_wait(rf'error.*route "/unarmed-{row}": module later: handler unarmed-{row} returned RTN_LATER without')


# RTN_WORKER

def test_a_handler_moves_to_a_worker(daemon):
    running = daemon(config())
    with running.raw() as raw:
        for _ in range(10):
            assert re.fullmatch(r"moved to get/worker-\d+\n", raw.request(target="/move").text)
        raw.send("GET /move HTTP/1.1\r\nHost: a\r\n\r\n" * 30)
        assert {response.status for response in raw.responses(30)} == {200}
        assert raw.request(target="/stay").status == 500
    running.log_wait('error.*route "/stay"')


# Many at once

def test_a_race(daemon, row):
    """Four threads continue requests at random, some twice and some too late, while clients come and go."""
    running = daemon(config("timeouts: {handler: 500ms}", loops=2))
    stop = time.monotonic() + 2
    bound = stop + WAIT_BOUND
    replies = []

    def goes_on():
        return time.monotonic() < stop or (len(replies) <= 100 and time.monotonic() < bound)

    def client(seed):
        chance = random.Random(seed)
        while goes_on():
            with running.raw() as raw:
                for _ in range(chance.randrange(1, 8)):
                    ask(raw, f"/race-{row}")
                    if chance.random() < 0.2:
                        break
                    replies.append(raw.response().status)
                if chance.random() < 0.5:
                    raw.reset()

    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(12)]
    for each in clients:
        each.start()
    for each in clients:
        each.join(4 * WAIT_BOUND)
    assert len(replies) > 50 and set(replies) <= {200, 504}
    assert running.stop() == 0
    told = {name: int(value) for name, value in fields(running.log_wait("raced: (.*)")[1]).items()}
    assert told["asked"] == told["ended"] >= len(replies)
    assert told["resumed"] == told["finished"] + told["dropped"]
    assert told["finished"] > 0 and told["dropped"] > 0 and told["cancelled"] > 0
