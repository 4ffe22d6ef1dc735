"""What a request costs in system calls: one read and one write, and nothing else on the loop."""
import collections
import re
import shutil
import time

import harness
from common import wait_until_steady, with_test_modules
from test_memory import is_sanitized

REQUESTS = 400
SLACK = 12  # to accept, to close, to start a worker

SERVERS = """
  get:
    listen: 127.0.0.1:0
    threads: 1
    log_level: warn
    routes:
      - {path: /, module: hello}
      - {path: /worker, module: slow, handler: slow, options: {sleep: 0}}
"""


def lines_of(trace):
    """All of them: the tracer writes what a call was when the client may have its reply already."""
    wait_until_steady(lambda: trace.stat().st_size, "the trace")
    return trace.read_text(encoding="utf-8").splitlines()


def trace_calls(daemon, monkeypatch, tmp_path, talk):
    """System calls of all threads during talk(running)."""
    assert shutil.which("strace"), "strace is missing: scripts/setup test"
    trace = tmp_path / "trace"
    # -D: the daemon stays our child, and the tracer goes when it goes.
    monkeypatch.setattr(harness, "WRAP", ["strace", "-D", "-f", "-qq", "-o", str(trace), *harness.WRAP])
    running = daemon(with_test_modules(SERVERS))
    before = len(lines_of(trace))
    talk(running)
    calls = collections.Counter(re.findall(r"^\d+ +(\w+)\(", "\n".join(lines_of(trace)[before:]), re.MULTILINE))
    assert running.stop() == 0
    return calls


def count_calls(daemon, monkeypatch, tmp_path, target, pipelined=1):
    """The same while one client sends REQUESTS requests over one connection."""
    def talk(running):
        request = f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" * pipelined
        with running.raw() as raw:
            for _ in range(REQUESTS // pipelined):
                raw.send(request)
                assert all(reply.status == 200 for reply in raw.responses(pipelined))
    return trace_calls(daemon, monkeypatch, tmp_path, talk)


def test_a_handler_on_the_loop(daemon, monkeypatch, tmp_path):
    if is_sanitized():
        return  # a sanitizer makes calls of its own, and cannot be traced
    calls = count_calls(daemon, monkeypatch, tmp_path, "/")
    assert REQUESTS <= calls["recvfrom"] <= REQUESTS + SLACK
    assert REQUESTS <= calls["sendto"] <= REQUESTS + SLACK
    assert calls["futex"] + calls["epoll_ctl"] + calls["mmap"] + calls["brk"] <= SLACK, calls
    # One client waits for each reply: every request is an iteration of its own.
    assert sum(calls.values()) - calls["epoll_wait"] <= 2 * REQUESTS + 2 * SLACK, calls


def test_pipelined_replies_leave_together(daemon, monkeypatch, tmp_path):
    if is_sanitized():
        return
    calls = count_calls(daemon, monkeypatch, tmp_path, "/", pipelined=8)
    assert calls["recvfrom"] <= REQUESTS // 8 + SLACK and calls["sendto"] <= REQUESTS // 8 + SLACK, calls


def test_a_worker_sends_its_reply_itself(daemon, monkeypatch, tmp_path):
    if is_sanitized():
        return
    calls = count_calls(daemon, monkeypatch, tmp_path, "/worker")
    assert calls["sendto"] <= REQUESTS + SLACK and calls["recvfrom"] <= REQUESTS + SLACK, calls
    # The loop hears of it only when the next request is there before the worker has let go, which tracing makes likelier.
    assert calls["write"] <= REQUESTS // 2 and calls["epoll_ctl"] <= REQUESTS, calls


def count_calls_of_short_connections(daemon, monkeypatch, tmp_path, target, pause=0):
    def talk(running):
        for _ in range(REQUESTS):
            with running.raw() as raw:
                time.sleep(pause)
                raw.send(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert raw.responses(1)[0].status == 200
    return trace_calls(daemon, monkeypatch, tmp_path, talk)


def test_a_short_connection(daemon, monkeypatch, tmp_path):
    if is_sanitized():
        return
    calls = count_calls_of_short_connections(daemon, monkeypatch, tmp_path, "/")
    assert calls["setsockopt"] <= SLACK and calls["sendto"] <= REQUESTS + SLACK, calls
    # Few calls find that nobody else has come. A client that is late with its request costs a second look.
    assert calls["accept4"] <= REQUESTS + REQUESTS // 8 + SLACK and calls["recvfrom"] <= 2 * REQUESTS + SLACK, calls
    assert calls["epoll_ctl"] <= REQUESTS + SLACK, calls
    # The end leaves with the reply, in one packet.
    assert REQUESTS <= calls["shutdown"] <= REQUESTS + SLACK, calls


def test_a_worker_ends_a_short_connection(daemon, monkeypatch, tmp_path):
    if is_sanitized():
        return
    calls = count_calls_of_short_connections(daemon, monkeypatch, tmp_path, "/worker")
    assert calls["sendto"] <= REQUESTS + SLACK, calls
    assert REQUESTS <= calls["shutdown"] <= REQUESTS + SLACK, calls


def test_clients_that_are_late_are_not_read_in_vain(daemon, monkeypatch, tmp_path):
    if is_sanitized():
        return
    calls = count_calls_of_short_connections(daemon, monkeypatch, tmp_path, "/", pause=0.005)
    # One look each would be twice as many, and one at every other client half as many more. In vain are those at one client
    # of 32, and some at first; clients of a slow machine that are not late lead to others.
    assert calls["recvfrom"] <= REQUESTS + REQUESTS // 5 + SLACK, calls
