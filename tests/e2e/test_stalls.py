"""Handlers that do not come back: they are named, their clients are answered in time, the server goes on without them."""
import json
import re
import signal

import pytest

from bounds import WAIT_BOUND
from common import Gate, halted, send_get, wait_until, with_test_modules
from metrics_text import Metrics
from test_memory import is_sanitized
from ws_talk import connect

SOON = "timeouts: {handler: 300ms}"


def config(gate, keys="threads: 2"):
    """Only handlers that are to be late have little time."""
    late = "\n".join(f"      - {{path: /{name}, module: stalls, handler: {name}, options: {{until: {gate}}}, {SOON}}}"
                     for name in ("hold", "serial", "blocked", "begin", "upload"))
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    access_log: {{to: log, level: notice}}
    timeouts: {{handler: 10m, idle: 10m}}
    {keys}
    routes:
{late}
      - {{path: /spin, module: stalls, handler: spin, options: {{until: {gate}}}}}
      - {{path: /quick, module: stalls, handler: quick}}
      - {{path: /quick-worker, module: stalls, handler: quick-worker}}
      - {{path: /quick-soon, module: stalls, handler: quick-worker, {SOON}}}
      - {{path: /crash, module: stalls, handler: crash}}
  other:
    listen: 127.0.0.1:0
    stall: 0
    threads: 1
    timeouts: {{handler: 10m}}
    routes:
      - {{path: /spin, module: stalls, handler: spin, options: {{until: {gate}}}}}
      - {{path: /quick, module: stalls, handler: quick-worker}}
      - {{path: /metrics, module: status, handler: metrics}}
      - {{path: /status.json, module: status, handler: json}}
  chat:
    listen: 127.0.0.1:0
    {SOON}
    routes:
      - {{path: /echo, module: stalls, handler: echo, options: {{until: {gate}}}}}
""")


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


@pytest.fixture
def running(daemon, gate):
    return daemon(config(gate))


def ask(running, path, server=None, method="GET", **options):
    raw = running.raw(server)
    raw.send(f"{method} {path} HTTP/1.1\r\nHost: test\r\n" + "".join(f"{k}: {v}\r\n" for k, v in options.items()) + "\r\n")
    return raw


def named(path, handler, thread, key="timeouts.handler is 0.3 s"):
    return (rf'server "\w+": route "{path}": module stalls: handler {handler}: has held {thread} for \d+\.\d s '
            rf'\({re.escape(key)}\); (no )?backtrace: ')


def workers(running, server="get"):
    return sum(name.startswith(f"{server}/worker") for name in running.threads())


def expect_timeout(raw):
    response = raw.response()
    assert response.status == 504 and response.get("Connection") == "close", response
    assert response.text == "504 Gateway Timeout: the handler took too long (timeouts.handler)\n"
    assert raw.closed()


# Loops

def test_a_handler_that_holds_its_loop_is_named(running, gate):
    with ask(running, "/spin") as raw:
        running.log_wait(named("/spin", "spin", "get/loop-0", "stall is 0.2 s")
                         + r".*\bstalls_spin\+0x[0-9a-f]+ \(/\S*/stalls\.so\)")
        assert running.get("/quick", "other").status == 200
        gate.open()
        assert raw.response().text == "spun\n"
    running.log_wait(r'server "get": route "/spin": module stalls: handler spin: came back after \d+\.\d s on get/loop-0')


def test_none_is_named_with_stall_off(running, gate):
    with ask(running, "/spin", "other") as quiet, ask(running, "/spin") as raw:
        running.log_wait(named("/spin", "spin", "get/loop-0", "stall is 0.2 s"))
        gate.open()
        assert (quiet.response().status, raw.response().status) == (200, 200)
    assert not running.log.find("has held other/loop")


def test_one_that_goes_on_is_named_again(running, gate):
    with ask(running, "/spin") as raw:
        running.log_wait(named("/spin", "spin", "get/loop-0", "stall is 0.2 s"), count=2)
        gate.open()
        assert raw.response().status == 200


# Workers

@pytest.mark.parametrize("handler", ["hold", "blocked", "serial"])
def test_the_client_of_a_handler_that_does_not_come_back_gets_504(running, gate, handler):
    with ask(running, f"/{handler}") as raw:
        expect_timeout(raw)
        running.log_wait(rf'route "/{handler}": the handler did not come back in time \(timeouts.handler\): the client gets 504')
        running.log_wait(named(f"/{handler}", handler, r"get/worker-\d") + r".*\(/\S*/stalls\.so\)")
        assert running.get("/quick").status == 200
        assert running.get("/quick-worker").status == 200
        assert running.get("/quick", "other").status == 200
        gate.open()
        running.log_wait(r"stalls: \w+ returned Connection timed out")
        running.log_wait(rf"handler {handler}: came back after \d+\.\d s")
        running.log_wait(rf'"GET /{handler} HTTP/1.1" 504 \d+')
    assert running.get(f"/{handler}").text == "held\n"


def test_it_learns_that_the_client_has_gone(running, gate):
    with ask(running, "/hold") as raw:
        expect_timeout(raw)
        gate.open()
        running.log_wait("stalls: gone 1")


def test_head_gets_no_content(running, gate):
    with ask(running, "/hold", method="HEAD") as raw:
        assert raw.response("HEAD").status == 504
        assert raw.closed()
        gate.open()
        running.log_wait("stalls: hold returned Connection timed out")


def test_its_bytes_are_counted(running, gate):
    """Those of the reply, and those that the client sends while its worker is still away."""
    def count(way):
        return Metrics(running.get("/metrics", "other").text).value(f"retinue_{way}_bytes_total", server="get")

    request = b"GET /hold HTTP/1.1\r\nHost: test\r\n\r\n"
    with running.raw() as raw:
        raw.send(request)
        reply = raw.recv_until_close()
        assert reply.startswith(b"HTTP/1.1 504 ")
        wait_until(lambda: count("sent") == len(reply), "the bytes of the reply")
        raw.send(b"x" * 1000)
        wait_until(lambda: count("received") == len(request) + 1000, "the bytes that are not read any more")
        gate.open()


@pytest.mark.parametrize("size", [5, 500000])
def test_in_the_middle_of_a_body(running, gate, size):
    with running.raw() as raw:
        raw.send(f"POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\nfirst")
        assert raw.response().status == 504
        gate.open()
        running.log_wait(r'"POST /upload HTTP/1.1" 504')
        assert not running.log.find("stalls: upload returned 0")


def test_a_reply_that_has_begun_is_cut_off(running, gate):
    with ask(running, "/begin") as raw:
        with pytest.raises(ConnectionResetError):
            raw.recv_until_close()
        running.log_wait(r'route "/begin": the handler did not come back in time \(timeouts.handler\): its reply is cut off')
        gate.open()
        running.log_wait("stalls: write returned Connection timed out")
    assert running.get("/quick").status == 200


def test_who_waits_behind_it_gets_504_and_is_not_handled(running, gate):
    with ask(running, "/serial") as first:
        running.log_wait("stalls: hold begins")
        with ask(running, "/serial") as second:
            expect_timeout(first)
            expect_timeout(second)
            running.log_wait(r'route "/serial": no worker took it in time \(timeouts.handler\): the client gets 504')
            gate.open()
            running.log_wait(r'"GET /serial HTTP/1.1" 504', count=2)
    assert running.get("/serial").status == 200
    running.log_wait("stalls: hold returned 0")
    assert len(running.log.find("stalls: hold begins")) == 2


def test_a_client_that_goes_first(running, gate):
    with ask(running, "/hold") as raw:
        running.log_wait("stalls: hold begins")
        raw.reset()
    running.log_wait("did not come back in time")
    gate.open()
    running.log_wait("stalls: hold returned Connection timed out")
    assert running.get("/quick").status == 200


def test_messages_have_no_504_but_are_named(running, gate):
    end = connect(running, "/echo", server="chat")
    end.text("hello")
    running.log_wait(named("/echo", "echo", r"chat/worker-\d"))
    gate.open()
    assert end.message() == "hello"
    end.close_and_wait()


def test_status_json_names_it(running, gate):
    def stuck():
        return json.loads(running.get("/status.json", "other").text)["stuck"]

    with ask(running, "/hold") as raw:
        row = wait_until(stuck, "the stuck worker")[0]
        assert row.pop("ms") >= 300 and re.fullmatch(r"get/worker-\d", row.pop("thread"))
        assert row == {"server": "get", "kind": "worker", "handler": 'route "/hold": module stalls: handler hold', "request_id": row["request_id"]}
        expect_timeout(raw)
        gate.open()
    wait_until(lambda: stuck() == [], "none is stuck")


# Pools

def test_stuck_workers_are_replaced_up_to_a_bound(daemon, gate):
    running = daemon(config(gate, "threads: 2\n    stuck_threads: 2"))
    held = [ask(running, "/hold") for _ in range(2)]
    for raw in held:
        expect_timeout(raw)
    assert running.get("/quick-worker").status == 200
    assert not running.log.find("no more than")
    held += [ask(running, "/hold") for _ in range(2)]
    running.log_wait(r'server "get": [34] workers are stuck, and no more than 2 are replaced \(stuck_threads\)')
    wait_until(lambda: workers(running) == 4, "two workers in the place of two")
    with ask(running, "/quick-soon") as raw:
        expect_timeout(raw)
    assert running.get("/quick", "other").status == 200
    gate.open()
    running.log_wait("stalls: hold returned Connection timed out", count=4)
    assert running.get("/quick-worker").status == 200
    wait_until(lambda: workers(running) <= 2, "surplus workers retire")
    for raw in held:
        raw.close()


def test_without_stuck_threads_none_is_replaced(daemon, gate):
    running = daemon(config(gate, "threads: 1\n    stuck_threads: 0"))
    with ask(running, "/hold") as raw:
        expect_timeout(raw)
        running.log_wait(named("/hold", "hold", "get/worker-0"))
        with ask(running, "/quick-soon") as late:
            expect_timeout(late)
        assert workers(running) == 1
        gate.open()
        running.log_wait("stalls: hold returned Connection timed out")
    assert running.get("/quick-worker").status == 200


def test_many_at_the_deadline(daemon, gate):
    """Some come back just as they are taken: each client gets one whole answer, or a reset, and nothing else."""
    running = daemon(config(gate, "threads: 16\n    stuck_threads: 16"))
    for _ in range(5):
        since = running.log.mark()
        clients = [ask(running, "/hold") for _ in range(16)]
        running.log_wait("did not come back in time|more requests? ran out of time|returned 0", since=since)
        gate.open()
        for raw in clients:
            assert raw.response().status in (200, 504)
            raw.close()
        gate.close()
    assert running.get("/quick").status == 200
    gate.open()


def test_a_flood_of_them_has_few_lines_and_none_is_lost(running, gate):
    """One worker holds the instance, the others wait behind it: all run out of time together."""
    clients = [running.raw() for _ in range(40)]
    with halted(running):
        for raw in clients:
            send_get(raw, "/serial")
    for raw in clients:
        expect_timeout(raw)
    alone = r"in time \(timeouts.handler\): the client gets 504; connection \d+$"
    others = r" warn +get/loop-0\[\d+\] (\d+) more requests? ran out of time \(timeouts.handler\): \1 got 504, 0 were cut off$"
    wait_until(lambda: len(running.log.find(alone)) + sum(int(match[1]) for match in running.log.find(others)) == 40, "all are told")
    assert len(running.log.find(alone)) < 40
    gate.open()
    running.log_wait(r'"GET /serial HTTP/1.1" 504', count=40)
    for raw in clients:
        raw.close()


# Crashes

def test_a_crash_names_the_handler_and_files(daemon, gate):
    """The linker knows a module by the name of its copy, which is gone by the time that somebody reads the backtrace. With a
    sanitizer it is the sanitizer that reports."""
    running = daemon(config(gate))
    with ask(running, "/crash"), pytest.raises(AssertionError, match="the daemon ended with|sanitizer reports"):
        running.wait(WAIT_BOUND)
    assert running.exit_code == -signal.SIGSEGV or is_sanitized()
    if is_sanitized():
        assert running.log.report
        return
    assert running.log.find(r'retinued: died of SIGSEGV in get/worker-\d: server "get": route "/crash": module stalls: handler crash; '
                            r'backtrace:')
    assert running.log.find(r"^/\S*/stalls\.so\(\+0x[0-9a-f]+\)\[0x[0-9a-f]+\]$")
    assert running.log.find(r"^\S*libc\S*\(\S*\+0x[0-9a-f]+\)\[0x[0-9a-f]+\]$")
    assert not running.log.find("/proc/|memfd")
