"""What messages between servers cost: how many a second, and how long each takes, one way or there and back.

Senders are the loops of servers, or workers of them; one loop receives. There and back is a pair of plain messages: the
loop that receives one sends another. At full speed a message waits behind those before it: how long says more about the
queue than about the hub. So latencies are told twice, the second time with one message a millisecond from a loop, or
one and a pause of 100 us from a worker: that is the way to a loop that sleeps.
"""
import dataclasses
import functools
import re
import time
import urllib.request
from contextlib import nullcontext

from measure import Done, LoadCase
from server import Daemon, Failure

SENDERS = 4

# name, what, from, senders, size, under way
CASES = (
    ("loop, 16 B", "send", "loop", 1, 16, 0),
    ("loop, 1 KiB", "send", "loop", 1, 1024, 0),
    ("loop, 1 MiB", "send", "loop", 1, 1 << 20, 0),
    ("4 loops, 16 B", "send", "loop", 4, 16, 0),
    ("worker, 16 B", "send", "worker", 1, 16, 0),
    ("worker, 1 KiB", "send", "worker", 1, 1024, 0),
    ("worker, 1 MiB", "send", "worker", 1, 1 << 20, 0),
    ("worker, 1 MiB moved", "move", "worker", 1, 1 << 20, 0),
    ("4 workers, 16 B", "send", "worker", 4, 16, 0),
    ("there and back, 64 under way", "pair", "loop", 1, 16, 64),
    ("there and back, 1,024", "pair", "loop", 1, 16, 1024),
    ("question, 1,024 under way", "ask", "loop", 1, 16, 1024),
    ("question, loop, 16 B", "ask", "loop", 1, 16, 64),
    ("question, loop, 1 KiB", "ask", "loop", 1, 1024, 64),
    ("question, loop, 1 MiB", "ask", "loop", 1, 1 << 20, 64),
    ("question, 4 loops, 16 B", "ask", "loop", 4, 16, 64),
    ("question, worker, 16 B", "ask", "worker", 1, 16, 64),
    ("question, 4 workers, 16 B", "ask", "worker", 4, 16, 64),
)

LINES = (
    "routes:",
    '  - {path: "/begin/*", module: hub_bench, handler: begin}',
    "  - {path: /end, module: hub_bench, handler: end}",
    "  - {path: /tell, module: hub_bench, handler: tell}",
)


def servers(size):
    """A queue of messages of 1 MiB is short, so that it stays in memory."""
    capacity = 16 if size > 65536 else 2048
    sink = f"  sink: {{protocol: worker, hub_capacity: {capacity}, modules: [{{module: hub_bench, handler: loop}}]}}\n"
    first = ("  from1: {protocol: worker, threads: 1, hub_capacity: 2048, "
             "modules: [{module: hub_bench, handler: back, options: {number: 1}}]}\n")
    others = (f"  from{n}: {{listen: [], threads: 1, routes: [{{path: /, module: hub_bench, handler: tell, "
              f"options: {{number: {n}}}}}]}}\n" for n in range(2, SENDERS + 1))
    return sink + first + "".join(others)


class Messages(LoadCase):
    unit = "message"
    counts = (2000, 10000)

    def __init__(self, bench, case):
        self.title, self.what, self.sender, self.senders, self.size, self.window = case
        self.title = "hub, " + self.title
        self.key = re.sub(r"\W+", "-", self.title.replace("1,024", "1024"))
        self.subjects = {"retinue": functools.partial(Daemon, bench, lines=LINES, more=servers(self.size),
                                                      pinned=False)}

    @staticmethod
    def _ask(daemon, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}{path}", timeout=60) as answer:
            return answer.read().decode()

    def _begin(self, daemon, what, count):
        self._ask(daemon, f"/begin/{what}/{self.sender}/{self.senders}/{self.size}/{self.window}/{count}")

    def _tell(self, daemon):
        """How many, and nanoseconds: the median, and what 99 of 100 take at most."""
        return tuple(map(int, self._ask(daemon, "/tell").split()))

    def _run(self, daemon, what, seconds, around=nullcontext):
        """What is done, and nanoseconds."""
        self._begin(daemon, what, 0)
        with around():
            before, begun = self._tell(daemon)[0], time.monotonic()
            time.sleep(seconds)
            count, *latency = self._tell(daemon)
            took = time.monotonic() - begun
        self._ask(daemon, "/end")
        time.sleep(0.2)
        return Done(count - before, took), latency

    def load(self, server, seconds, around=nullcontext):
        done, (p50, p99) = self._run(server, self.what, seconds, around)
        return dataclasses.replace(done, figures={"p50_us": p50 / 1e3, "p99_us": p99 / 1e3})

    def sample(self, start, seconds):
        figures = super().sample(start, seconds)
        daemon = start()
        p50, p99 = self._run(daemon, self.what + "-paced", seconds)[1]
        daemon.stop()
        return {**figures, "idle_p50_us": p50 / 1e3, "idle_p99_us": p99 / 1e3}

    def exactly(self, start, count):
        if self.size > 65536:
            count //= 50
        daemon = start()
        self._begin(daemon, self.what, count)
        until = time.monotonic() + 120
        while self._tell(daemon)[0] < count * self.senders:
            if time.monotonic() > until:
                raise Failure("the messages do not come")
            time.sleep(0.2)
        return count * self.senders, daemon


def prepare(bench):
    bench.compile_module("hub_bench")


def cases(bench):
    return [Messages(bench, case) for case in CASES]
