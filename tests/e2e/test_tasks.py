"""What modules do beside their handlers: tasks, timers, descriptors of their own and files, and the end of them all."""
import pathlib
import re
import threading
import time

import pytest

from bounds import SLOW
from common import Gate, fields, wait_until, with_test_modules

ROWS = ["loop", "serial", "parallel"]
STARTERS = ["handler", "thread"]
KINDS = ("begin", "ask", "cancel", "errors")
EAGAIN, EBADF, EEXIST, ECANCELED, EINVAL, ENOENT, ENOTSUP, EPERM = -11, -9, -17, -125, -22, -2, -95, -1


def config(path="/nowhere", rows=ROWS, keys="threads: 4", daemon="", option=""):
    routes = "\n".join(f'      - {{path: /{kind}-{row}, module: tasks, handler: {kind}-{row}, options: {{path: "{path}"}}}}'
                       for row in rows for kind in KINDS)
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    {keys}
    routes:
{routes}
      - {{path: /look, module: tasks, handler: look{option}}}
      - {{path: /poke, module: tasks, handler: poke}}
""", daemon=daemon)


@pytest.fixture(params=ROWS)
def row(request):
    return request.param


@pytest.fixture(params=STARTERS)
def by(request):
    return request.param


def look(running, key=0):
    told = fields(running.get(f"/look?key={key}").text)
    return {name: value if name == "thread" else int(value) for name, value in told.items()}


def begin(running, row, query):
    assert running.get(f"/begin-{row}?{query}").text == "result=0"


def thread_of(row):
    return "get/loop-" if row == "loop" else "get/worker-"


def wait_for(running, key=0, **least):
    """What came of the thing, once each of these has been reached."""
    return wait_until(lambda: (lambda told: all(told[name] >= value for name, value in least.items()) and told)(look(running, key)),
                      least)


def assert_good(told, row):
    assert (told["late"], told["wrong"]) == (0, 0), told
    assert told["thread"].startswith(thread_of(row)), told
    if row != "parallel":
        assert told["overlaps"] == 0


def stop_line(running):
    assert running.stop() == 0
    lines = [fields(match[1]) for match in running.log.find("tasks stopped: (.*)")]
    assert lines
    for told in lines:
        assert told["begun"] == told["ended"] and told["given"] == told["done"] and told["late"] == "0", told
        assert {told[name] for name in ("task", "timer", "file", "watch")} == {str(ECANCELED)}, told
    return {name: int(value) for name, value in lines[-1].items()}


# Timers

def test_a_timer_fires_once(daemon, row, by):
    running = daemon(config())
    begin(running, row, f"after=20&by={by}")
    told = wait_for(running, ends=1)
    assert (told["calls"], told["ends"]) == (1, 1)
    assert_good(told, row)
    assert running.get(f"/cancel-{row}").text == f"result={ENOENT if row == 'loop' else 0}"
    assert look(running)["ends"] == 1


def test_a_reply_that_a_timer_gives(daemon, row, by):
    with daemon(config()).raw() as raw:
        for after in (0, 1, 50):
            start = time.monotonic()
            assert raw.request(target=f"/ask-{row}?after={after}&by={by}").text == "fired"
            assert after / 1000 <= time.monotonic() - start < 5 * SLOW


def test_a_timer_that_goes_on_until_it_is_cancelled(daemon, row, by):
    running = daemon(config())
    begin(running, row, f"every=2&by={by}")
    assert wait_for(running, calls=5)["ends"] == 0
    assert running.get(f"/cancel-{row}").text == "result=0"
    told = wait_for(running, ends=1)
    assert_good(told, row)
    time.sleep(0.02)
    assert look(running)["calls"] == told["calls"]


def test_a_timer_that_ends_itself(daemon, row, by):
    running = daemon(config())
    begin(running, row, f"every=2&limit=3&by={by}")
    told = wait_for(running, ends=1)
    assert told["ends"] == 1 and told["calls"] == 3
    assert_good(told, row)


def test_calls_of_a_slow_timer_are_not_doubled(daemon, row):
    running = daemon(config(rows=[row]))
    begin(running, row, "every=1&takes=20&limit=5")
    told = wait_for(running, ends=1)
    assert (told["calls"], told["overlaps"]) == (5, 0)
    assert_good(told, row)


def test_many_timers(daemon, row):
    running = daemon(config())
    for key in range(60):
        begin(running, row, f"key={key}&after={key % 7}&by={STARTERS[key % 2]}")
    for key in range(60):
        assert_good(wait_for(running, key, ends=1), row)
    assert stop_line(running)["begun"] == 60


# Descriptors

def test_a_descriptor_that_can_be_read(daemon, row, by):
    running = daemon(config())
    begin(running, row, f"what=watch&by={by}")
    assert look(running)["calls"] == 0
    for calls in range(1, 4):
        assert running.get("/poke").text == "written=1"
        wait_for(running, calls=calls)
    told = look(running)
    assert (told["calls"], told["ends"]) == (3, 0)
    assert_good(told, row)
    assert running.get(f"/cancel-{row}").text == "result=0"
    assert_good(wait_for(running, ends=1), row)


def test_a_watch_that_ends_itself(daemon, row):
    running = daemon(config())
    begin(running, row, "what=watch&limit=2&takes=5")
    for _ in range(3):
        assert running.get("/poke").text == "written=1"
    told = wait_for(running, ends=1)
    assert told["calls"] == 2
    assert_good(told, row)


# Tasks and files

def test_a_task_and_its_end(daemon, row, by):
    with daemon(config()).raw() as raw:
        for returns in (0, 42):
            text = raw.request(target=f"/ask-{row}?what=run&returns={returns}&by={by}").text
            assert re.fullmatch(rf"result={returns} bytes=\[\] run=get/worker-\d+ done={thread_of(row)}\d+", text), text


def test_a_task_holds_up_nobody(daemon, tmp_path):
    """The loop goes on, and so do the other workers."""
    gate = Gate(tmp_path)
    running = daemon(config())
    with running.raw() as raw:
        raw.send(f"GET /ask-loop?key=1&what=run&gate={gate} HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(running, 1, calls=1)
        for row in ROWS:
            assert running.get(f"/ask-{row}?what=run").text.startswith("result=0 ")
        gate.open()
        assert raw.response().text.startswith("result=0 ")


def test_a_task_that_nobody_waits_for(daemon, row):
    running = daemon(config())
    begin(running, row, "what=forgotten")
    wait_for(running, calls=1)
    assert stop_line(running)["given"] == 0


def test_a_full_queue_refuses_tasks(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config(rows=["loop"], keys="threads: 2\n    queue: 3"))
    results = [running.get(f"/begin-loop?key={key}&what=run&gate={gate}").text for key in range(7)]
    assert results == ["result=0"] * 5 + [f"result={EAGAIN}"] * 2
    gate.open()
    for key in range(5):
        wait_for(running, key, ends=1)
    assert stop_line(running)["given"] == 5


def test_files(daemon, tmp_path, row, by):
    path = tmp_path / "file"
    with daemon(config(path)).raw() as raw:
        text = raw.request("POST", f"/ask-{row}?what=output&offset=3&by={by}", body=b"hello").text
        assert re.fullmatch(rf"result=5 bytes=\[hello\] run= done={thread_of(row)}\d+", text), text
        assert path.read_bytes() == b"\0\0\0hello"
        for offset, length, expected in ((3, 2, "2 bytes=[he]"), (4, 100, "4 bytes=[ello]"), (8, 5, "0 bytes=[]"), (3, 0, "0 bytes=[]")):
            text = raw.request(target=f"/ask-{row}?what=input&offset={offset}&length={length}&by={by}").text
            assert text.startswith(f"result={expected} "), text
        path.unlink()
        assert raw.request(target=f"/ask-{row}?what=input").text == f"refused={EBADF}"
        path.mkdir()
        assert raw.request(target=f"/ask-{row}?what=input").text.startswith("result=-21 ")


# What is wrong

def test_errors(daemon, tmp_path, row):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    running = daemon(config(path))
    results = [int(word) for word in running.get(f"/errors-{row}").text.split()]
    assert results == [EINVAL] * 10 + [EBADF, EPERM, 0, EEXIST, 0, ENOENT, ENOENT, EBADF, EINVAL, EINVAL, 0]
    for function in ("rtn_task", "rtn_timer_start", "rtn_task_file_write"):
        running.log_wait(f"error .*{function}: the instance is none of the server")
    running.log_wait("error .*rtn_watch_start: there is nothing to wait for")


def test_without_workers(daemon, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    running = daemon(config(path, rows=["loop"], keys="threads: 0"))
    assert running.get("/ask-loop?what=run").text == f"refused={ENOTSUP}"
    assert running.get("/ask-loop?what=input").text == f"refused={ENOTSUP}"
    assert running.get("/ask-loop?after=1").text == "fired"
    assert running.get("/ask-loop?after=1&by=thread").text == "fired"
    assert stop_line(running)["given"] == 0


def thread_names(running):
    return sorted(each.read_text(encoding="ascii").strip() for each in pathlib.Path(f"/proc/{running.pid}/task").glob("*/comm"))


def test_workers_come_with_the_first_task(daemon):
    """A server without a handler that needs workers has none until it has something for them."""
    running = daemon(config(rows=["loop"]))
    assert running.get("/ask-loop?after=1").text == "fired"
    assert not [name for name in thread_names(running) if "worker" in name]
    assert running.get("/ask-loop?what=run").text.startswith("result=0 ")
    assert [name for name in thread_names(running) if "worker" in name] == ["get/worker-0"]


# The end

def test_a_stop_ends_what_is_left(daemon, row, by):
    running = daemon(config(keys="threads: 4\n    loops: 2"))
    for key, query in enumerate(["every=1", "every=1&takes=3", "after=1000000", "what=watch", "what=watch"]):
        begin(running, row, f"key={key}&{query}&by={by}")
    running.get("/poke?key=3")
    wait_for(running, 0, calls=2)
    wait_for(running, 1, calls=2)
    told = stop_line(running)
    assert (told["begun"], told["ended"]) == (5, 5)


@pytest.mark.parametrize("rows", [["loop"], ["loop", "serial"], ["loop", "parallel"]])
def test_a_stop_cancels_tasks_that_have_not_begun(daemon, tmp_path, rows):
    gate = Gate(tmp_path)
    running = daemon(config(rows=rows, keys="threads: 1\n    queue: 10", daemon="shutdown_timeout: 1s"))
    begin(running, "loop", f"key=1&after=1000000&opens=yes&gate={gate}")
    begin(running, "loop", f"key=2&what=run&gate={gate}")
    wait_for(running, 2, calls=1)
    for key in range(3, 7):
        begin(running, "loop", f"key={key}&what=run")
    told = stop_line(running)
    assert (told["given"], told["cancelled"]) == (5, 4)


def test_what_the_start_hook_began(daemon):
    running = daemon(config(option=", options: {early: true}"))
    wait_for(running, ends=1)
    told = stop_line(running)
    assert (told["begun"], told["given"]) == (1, 1)


def test_what_a_failed_start_hook_began_ends_before_the_stop(daemon):
    # The instance of /look is asked before that of /poke, whose hook fails.
    text = config(option=", options: {early: true}").replace("handler: poke}", "handler: poke, options: {fail: true}}")
    running = daemon(text, wait=False)
    assert running.wait() == 1
    running.log_wait("module tasks: start failed: Protocol error")
    lines = [fields(match[1]) for match in running.log.find("tasks stopped: (.*)")]
    assert len(lines) == len(ROWS) * len(KINDS) + 1
    for told in lines:
        assert (told["begun"], told["ended"], told["given"], told["done"], told["late"]) == ("1", "1", "1", "1", "0"), told
        assert told["timer"] == str(ECANCELED)


def test_a_storm(daemon):
    """Threads of their own, handlers and callbacks begin and cancel at random, until and while the server stops."""
    routes = "\n".join(f"      - {{path: /{row}, module: storm, handler: {row}}}" for row in ROWS)
    running = daemon(with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    threads: 3
    queue: 100
    loops: 2
    routes:
{routes}
"""))
    until = time.monotonic() + 1.5
    replies = []

    def client():
        with running.raw() as raw:
            while time.monotonic() < until:
                replies.extend(raw.request(target=f"/{row}").status for row in ROWS)

    clients = [threading.Thread(target=client, daemon=True) for _ in range(3)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert set(replies) <= {200, 503} and 200 in replies
    assert running.stop() == 0
    told = [fields(match[1]) for match in running.log.find("stormed: (.*)")]
    assert len(told) == 3
    for each in told:
        assert each["begun"] == each["ended"] and each["wrong"] == "0", told
        assert int(each["begun"]) > 100 and int(each["refused"]) > 0, told
