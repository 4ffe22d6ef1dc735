"""What messages between servers cost: how many a second, and how long each takes, one way or there and back.

Senders are the loops of servers, or workers of them; one loop receives. There and back is a pair of plain messages: the
loop that receives one sends another. At full speed a message waits behind those before it: how long says more about the
queue than about the hub. So latencies are told twice, the second time with one message a millisecond from a loop, or
one and a pause of 100 us from a worker: that is the way to a loop that sleeps.
"""
import sys
import time
import urllib.request
from contextlib import nullcontext

from measure import CALLGRIND, Case, Daemon, compile_c, measure_instructions, measure_speed

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


class Messages(Case):
    counts = (2000, 10000)

    def __init__(self, build, own, case):
        self.name, self.what, self.sender, self.senders, self.size, self.window = case
        self.build, self.own = build, own
        self.latency = None

    def start(self, wrap=()):
        return Daemon(self.build, self.own, LINES, wrap, more=servers(self.size), pinned=False)

    @staticmethod
    def _ask(daemon, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}{path}", timeout=60) as answer:
            return answer.read().decode()

    def _begin(self, daemon, what, count):
        self._ask(daemon, f"/begin/{what}/{self.sender}/{self.senders}/{self.size}/{self.window}/{count}")

    def _tell(self, daemon):
        """How many, and nanoseconds: the median, and what 99 of 100 take at most."""
        return tuple(map(int, self._ask(daemon, "/tell").split()))

    def run(self, daemon, what, seconds, around=nullcontext):
        self._begin(daemon, what, 0)
        with around():
            before, begun = self._tell(daemon)[0], time.monotonic()
            time.sleep(seconds)
            count, *self.latency = self._tell(daemon)
            took = time.monotonic() - begun
        self._ask(daemon, "/end")
        time.sleep(0.2)
        return count - before, took

    def load(self, daemon, seconds, around=nullcontext):
        return self.run(daemon, self.what, seconds, around)

    def exactly(self, count):
        if self.size > 65536:
            count //= 50
        daemon = self.start(CALLGRIND)
        self._begin(daemon, self.what, count)
        until = time.monotonic() + 120
        while self._tell(daemon)[0] < count * self.senders:
            if time.monotonic() > until:
                sys.exit("bench: the messages do not come")
            time.sleep(0.2)
        return count * self.senders, daemon


def run(build, own, seconds, quick):
    compile_c("hub_bench.c", f"{own}/hub_bench.so", "-shared", "-fPIC")
    print(f"{'Hub':<28} {'msg/s':>9} {'cpu us':>7} {'p50 us':>8} {'p99 us':>8} {'idle p50':>8} {'p99 us':>8} {'instr':>8}",
          flush=True)
    for case in (Messages(build, own, case) for case in CASES):
        rate, micros = measure_speed(case, seconds)
        row = f"{case.name:<28} {rate:>9.0f} {micros:>7.2f}" + "".join(f" {ns / 1e3:>8.1f}" for ns in case.latency)
        daemon = case.start()
        case.run(daemon, case.what + "-paced", max(1, seconds // 2))
        daemon.stop()
        row += "".join(f" {ns / 1e3:>8.1f}" for ns in case.latency)
        if not quick:
            row += f" {measure_instructions(case):>8.0f}"
        print(row, flush=True)
