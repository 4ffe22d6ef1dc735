"""Everybody sends to everybody and asks everybody while servers stop: in the end all the sums agree."""
import contextlib
import threading

import pytest

from bounds import SLOW
from common import fields, wait_until, with_test_modules
from raw import Closed

CONFIG = """
  a:
    protocol: worker
    threads: 4
    hub_capacity: 64
    modules: [{module: hub_stress, handler: a}]
  web:
    listen: 127.0.0.1:0
    loops: 2
    threads: 4
    hub_capacity: 64
    routes:
      - {path: /ask, module: hub_stress, handler: ask}
      - {path: /ask-worker, module: hub_stress, handler: ask-worker}
      - {path: "/stop/{name}", module: hub_stress, handler: stop}
      - {path: /tell, module: hub_stress, handler: tell}
    modules: [{module: hub_stress, handler: web}]
  b:
    protocol: worker
    threads: 4
    hub_capacity: 64
    modules: [{module: hub_stress, handler: b}]
  c:
    protocol: worker
    threads: 4
    hub_capacity: 64
    modules: [{module: hub_stress, handler: c}]
"""
SERVERS = ["a", "b", "c", "web"]


class Clients:
    """They ask all the time; some leave before the answer."""

    def __init__(self, running):
        self.running = running
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(4)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def _run(self, number):
        path = "/ask" if number % 2 else "/ask-worker"
        while not self.ending.is_set():
            with contextlib.suppress(Closed, OSError), self.running.raw("web") as raw:
                for _ in range(10):
                    raw.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")
                    if number < 2:
                        break
                    assert raw.response().status in (200, 502, 503)


def told(running):
    return int(fields(running.get("/tell", "web").text)["told"])


def check_sums(running):
    total = fields(running.log_wait(r"stress all: (.*)$")[1])
    assert (total["twice"], total["wrong"]) == ("0", "0")
    assert total["asked"] == total["told"] and total["moved"] == total["released"]
    for server in SERVERS:
        counts = fields(running.log_wait(f"stress {server}: (.*)$")[1])
        taken, refused, not_handled = running.log_wait(
            rf'messages to server "{server}": the queue is gone: (\d+) taken, (\d+) refused because it was full, '
            r"(\d+) not handled").groups()
        assert (taken, refused) == (counts["taken"], counts["refused"])
        assert int(taken) == int(counts["handled"]) + int(not_handled)


@pytest.mark.parametrize("order", ["abc", "cb", "b", "", "w"])
def test_stops_under_load(daemon, order):
    """`order` says which servers stop before the daemon does; w: the web server stops first, and a signal ends the others."""
    running = daemon(with_test_modules(CONFIG, "log: {level: notice}, shutdown_timeout: 10s"))
    enough = 5000 if SLOW == 1 else 2000
    with Clients(running):
        wait_until(lambda: told(running) > enough, "questions to be answered")
        for server in order:
            name = {"w": "web"}.get(server, server)
            assert running.get(f"/stop/{name}", "web").status == 204
            running.log_wait(f'server "{name}": stopped$')
            if server != "w":
                before = told(running)
                wait_until(lambda: told(running) > before + enough / 4, "the others to go on")
        assert running.stop() == 0
    check_sums(running)
