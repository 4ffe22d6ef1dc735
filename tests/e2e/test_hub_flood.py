"""Ten million small messages from one server to another: none is lost, each sender's order is kept, memory stays flat."""
import time

import pytest

from bounds import SLOW, WAIT_BOUND
from common import fields, wait_until, with_test_modules
from test_flat_memory import Memory
from test_memory import is_sanitized

TEN_MILLION = 10_000_000
GROWTH = 4 << 20
SANITIZED_GROWTH = 400 << 20  # they keep freed memory for a while

CONFIG = """
  web:
    listen: 127.0.0.1:0
    threads: 8
    routes:
      - {path: "/begin/{senders}/{count}", module: hub_flood, handler: begin}
      - {path: "/turn/{count}", module: hub_flood, handler: turn}
      - {path: /tell, module: hub_flood, handler: tell}
  sink:
    protocol: worker
    hub_capacity: %d
    modules: [{module: hub_flood, handler: %s}]
"""


def amount():
    """Sanitizers and valgrind are slow."""
    return TEN_MILLION if SLOW == 1 and not is_sanitized() else TEN_MILLION // 50


def told(running):
    return {name: int(value) for name, value in fields(running.get("/tell").text).items()}


def poured(running, total):
    """Waits until all have come, however long it takes as long as some do."""
    handled, until = 0, time.monotonic() + WAIT_BOUND
    while handled < total:
        now = told(running)["handled"]
        if now > handled:
            handled, until = now, time.monotonic() + WAIT_BOUND
        assert time.monotonic() < until, f"{handled} of {total}"
        time.sleep(0.05)
    wait_until(lambda: told(running)["running"] == 0, "the workers to end")


def gone(running):
    match = running.log_wait(r'messages to server "sink": the queue is gone: (\d+) taken, (\d+) refused because it was full, '
                             r"(\d+) not handled")
    return tuple(map(int, match.groups()))


@pytest.mark.parametrize("model,senders,share", [("loop", 1, 1), ("loop", 4, 5), ("serial", 4, 10)])
def test_ten_million_messages(daemon, model, senders, share):
    """All ten million once, parts of them from several senders and to workers."""
    running = daemon(with_test_modules(CONFIG % (1024, model)))
    each = amount() // share // senders
    assert running.get(f"/begin/{senders}/1000").status == 204
    poured(running, senders * 1000)
    memory = Memory(running)
    assert running.get(f"/begin/{senders}/{each}").status == 204
    poured(running, senders * (1000 + each))
    after = told(running)
    assert memory.growth() < (SANITIZED_GROWTH if is_sanitized() else GROWTH)
    assert (after["sent"], after["failed"], after["disorders"]) == (senders * (1000 + each), 0, 0)
    assert running.stop() == 0
    assert gone(running) == (after["sent"], after["refused"], 0)


def test_from_loop_to_loop(daemon):
    """In turns of a timer, which sends no more than the queue takes; two servers' loops and no other thread."""
    running = daemon(with_test_modules(CONFIG % (100, "loop")))
    total = 100_000 if SLOW == 1 else 10_000
    assert running.get(f"/turn/{total}").status == 204
    poured(running, total)
    counts = told(running)
    assert (counts["sent"], counts["handled"], counts["failed"], counts["disorders"]) == (total, total, 0, 0)
    assert counts["refused"] > 0
    assert running.stop() == 0
    assert gone(running) == (total, counts["refused"], 0)
