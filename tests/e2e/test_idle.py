"""A daemon that nobody asks for anything sleeps, however many connections are open."""
import os
import pathlib
import re
import time

import pytest

from bounds import SLOW
from common import wait_until, with_test_modules
from test_memory import is_sanitized

CONNECTIONS = 500
WAKES = 10  # in SECONDS; main looks ten times in two of them as long as there is something to see
SECONDS = 3

SERVERS = """
  get:
    listen: 127.0.0.1:0
    loops: 2
    threads: 2
    limits: {connections: 1000}
    timeouts: {idle: 10m}
    routes:
      - {path: /, module: hello}
      - {path: /worker, module: slow, handler: slow, options: {sleep: 0}}
  other:
    listen: 127.0.0.1:0
    routes: [{path: /, status: 204}]
"""


def wakes(running):
    """How often its threads have gone to sleep so far."""
    total = 0
    for task in os.listdir(f"/proc/{running.pid}/task"):
        text = pathlib.Path(f"/proc/{running.pid}/task/{task}/status").read_text(encoding="utf-8")
        total += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)[1])
    return total


def sleeps(running):
    before = wakes(running)
    time.sleep(SECONDS)
    return wakes(running) - before < WAKES


@pytest.mark.parametrize("connections", [0, CONNECTIONS])
def test_it_sleeps(daemon, connections):
    """Each connection has made a request, on the loop and on a worker."""
    running = daemon(with_test_modules(SERVERS))
    opened = [running.raw() for _ in range(connections)]
    for raw in opened:
        assert raw.request(target="/").status == 200
    if connections > 0:
        assert opened[0].request(target="/worker").status == 200
    if is_sanitized():
        return  # whose threads wake by themselves
    # Once a worker that has nothing to do has ended, and main has seen that all is quiet.
    wait_until(lambda: sleeps(running), "it sleeps", timeout=60 * SLOW)
    for raw in opened:
        assert raw.request(target="/").status == 200
        raw.close()
