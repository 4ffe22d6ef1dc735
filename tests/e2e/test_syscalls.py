"""What a request costs in system calls: one read and one write, and nothing else on the loop."""
import collections
import re
import shutil

import harness
from common import with_test_modules
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


def count_calls(daemon, monkeypatch, tmp_path, target, pipelined=1):
    """System calls of all threads while one client sends REQUESTS requests over one connection."""
    assert shutil.which("strace"), "strace is missing: scripts/setup test"
    trace = tmp_path / "trace"
    # -D: the daemon stays our child, and the tracer goes when it goes.
    monkeypatch.setattr(harness, "WRAP", ["strace", "-D", "-f", "-qq", "-o", str(trace), *harness.WRAP])
    running = daemon(with_test_modules(SERVERS))
    with running.raw() as raw:
        request = f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" * pipelined
        before = len(trace.read_text().splitlines())
        for _ in range(REQUESTS // pipelined):
            raw.send(request)
            assert all(reply.status == 200 for reply in raw.responses(pipelined))
    calls = collections.Counter(re.findall(r"^\d+ +(\w+)\(", "\n".join(trace.read_text().splitlines()[before:]), re.MULTILINE))
    assert running.stop() == 0
    return calls


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
