"""Messages and tasks at their edges: arguments that are wrong, floods beside requests, and workers that are left behind."""
import re

import pytest

import hub_talk
from common import Gate, wait_until, with_test_modules
from hub_talk import do, seen, wait_seen

EAGAIN, ECANCELED, ENOMEM = -11, -125, -12


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


def config(gate="/nowhere", keys="", more="", handler="edges"):
    rows = "\n".join(f'      - {{path: "/{path}", module: hub_edges, handler: {handler}, options: {{gate: "{gate}"}}}}' for path, handler in
                     [("bad", "bad"), ("bad-worker", "bad-worker"), ("large", "large"), ("ask", "ask"), ("flood/{what}", "flood"),
                      ("here", "here")])
    return with_test_modules(f"""
  web:
    listen: 127.0.0.1:0
    {keys}
    routes:
{rows}
    modules: [{{module: hub_edges, handler: {handler}, options: {{gate: "{gate}"}}}}]
{more}""", "shutdown_timeout: 500ms, log: {level: trace}")


@pytest.mark.parametrize("path", ["bad", "bad-worker"])
def test_wrong_arguments_are_refused(daemon, path):
    running = daemon(config())
    told = running.get(f"/{path}").text.splitlines()
    assert len(told) > 10 and [line for line in told if not line.endswith(": refused")] == ["released 1"]
    assert running.get("/here").text == "0\n"
    assert running.stop() == 0


def test_lengths_that_no_memory_has(daemon):
    running = daemon(config())
    assert running.get("/large").text == f"{ENOMEM} {ENOMEM} 0 0\n"
    assert running.stop() == 0


def test_a_question_with_all_the_time_there_is(daemon):
    assert daemon(config()).get("/ask").text == "0\n"


# Whatever else there is for workers to do

def flood(running, what):
    """Until no more are taken; how many were."""
    taken, result = map(int, running.get(f"/flood/{what}").text.split())
    assert result == EAGAIN
    return taken


@pytest.mark.parametrize("what", ["messages", "tasks"])
def test_a_flood_leaves_room_for_requests(daemon, gate, what):
    """They are neither refused nor last."""
    running = daemon(config(gate, "threads: 2\n    queue: 60\n    hub_capacity: 60"))
    waiting = flood(running, what)
    assert waiting >= 60
    raws = [running.raw() for _ in range(10)]
    for raw in raws:
        raw.send(b"GET /here HTTP/1.1\r\nHost: test\r\n\r\n")
    wait_until(lambda: flood(running, what) == 0, "the queue to be full")  # by then the requests have been read
    gate.open()
    for raw in raws:
        response = raw.response()
        assert response.status == 200 and int(response.text) < waiting / 2, response
        raw.close()
    wait_until(lambda: int(running.get("/here").text) >= waiting, "the flood to be over")


def test_messages_that_are_handled_in_order_let_others_in(daemon, gate):
    """All of them but the first are one task of the only worker."""
    running = daemon(config(gate, "threads: 1\n    hub_capacity: 500", handler="in-order"))
    waiting = flood(running, "messages")
    running.log_wait("handler in-order$", count=2)
    with running.raw() as raw:
        raw.send(b"GET /here HTTP/1.1\r\nHost: test\r\n\r\n")
        wait_until(lambda: flood(running, "messages") <= 1, "the queue to be full")  # by then it has been read
        gate.open()
        assert int(raw.response().text) < waiting / 2
    wait_until(lambda: int(running.get("/here").text) >= waiting, "the flood to be over")


# Start and end

def test_a_start_that_fails_while_a_worker_is_busy(daemon, gate):
    """The worker is left behind, and may use what it likes until the process ends."""
    route = "path: /, module: hub_edges, handler: here"
    running = daemon(config(more=f"""
  busy: {{listen: 127.0.0.1:0, routes: [{{{route}, options: {{gate: "{gate}", hold: true}}}}]}}
  late: {{listen: 127.0.0.1:0, routes: [{{{route}, options: {{gate: "{gate}", fail: true}}}}]}}
"""), wait=False)
    running.log_wait(r'server "late" cannot start: ')
    assert running.wait() == 1
    assert len(running.log.find(r'server "busy": busy/worker-\d+ is still in the handler of .*; it is left behind$')) == 1
    assert not re.search("stopped", running.log.text())


@pytest.mark.parametrize("model", ["serial", "parallel"])
def test_what_waits_behind_handlers_that_were_left_behind(daemon, gate, model):
    """It is not handled when they come back, but whoever has asked is told, and moved payloads are released."""
    running = daemon(hub_talk.config(gate, timeout="200ms"))
    inside = 4 if model == "parallel" else 1
    do(running, f"send {model} {inside} gate 1")
    wait_seen(running, inside, model)
    do(running, f"send {model} 20 plain 2\nmove {model} 3 plain 3\nask {model} answer 60000 4\nstop {model}")
    running.log_wait(f'server "{model}": .*; it is left behind$')
    gate.open()
    running.log_wait(f'messages to server "{model}": the queue is gone: {inside + 24} taken, 0 refused because it was full, 24 not handled$')
    running.log_wait(f'server "{model}": stopped$')
    assert len(seen(running, model)) == inside
    assert wait_seen(running, 1, "then")[0]["result"] == str(ECANCELED)
    assert sorted(line["number"] for line in wait_seen(running, 3, "released", tag=3)) == ["0", "1", "2"]
