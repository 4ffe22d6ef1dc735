"""What messages between servers cost: how many a second, and how long each takes, one way or there and back.

Senders are the loops of servers, or workers of them; one loop receives. A pair is two plain messages: the loop that
receives one sends another. At full speed a message waits behind those before it: how long says more about the queue
than about the hub. So latencies are told twice, the second time with one message a millisecond from a loop, or one and
a pause of 100 us from a worker: that is the way to a loop that sleeps.
"""
import dataclasses
import functools
import time
import urllib.request
from contextlib import nullcontext

from measure import Done, Goal, LoadCase
from server import PATIENT, Daemon, Failure

SENDERS = 4
PACED = 0.2  # seconds

LINES = (
    "routes:",
    '  - {path: "/begin/*", module: hub_bench, handler: begin}',
    "  - {path: /end, module: hub_bench, handler: end}",
    "  - {path: /tell, module: hub_bench, handler: tell}",
)


def servers(size):
    """A queue of messages of 1 MiB is short, so that it stays in memory."""
    capacity = 16 if size > 65536 else 2048
    sink = f"  sink: {{protocol: worker, {PATIENT}, hub_capacity: {capacity}, modules: [{{module: hub_bench, handler: loop}}]}}\n"
    first = (f"  from1: {{protocol: worker, threads: 1, {PATIENT}, hub_capacity: 2048, "
             "modules: [{module: hub_bench, handler: back, options: {number: 1}}]}\n")
    others = (f"  from{n}: {{listen: [], threads: 1, {PATIENT}, routes: [{{path: /, module: hub_bench, handler: tell, "
              f"options: {{number: {n}}}}}]}}\n" for n in range(2, SENDERS + 1))
    return sink + first + "".join(others)


class Messages(LoadCase):
    """`way` is send, move, ask or pair; of the last two so many as `window` says are under way. `sender` is loop or
    worker."""

    counts = (4000, 40000)

    def __init__(self, bench, key, title, way, sender="loop", senders=1, size=16, window=64, goals=(), main=True):
        self.key, self.title, self.goals, self.main = key, "hub, " + title, goals, main
        self.way, self.sender, self.senders, self.size, self.window = way, sender, senders, size, window
        self.unit = {"ask": "question", "pair": "pair"}.get(way, "message")
        self.subjects = {"retinue": functools.partial(Daemon, bench, lines=LINES, more=servers(size), pinned=False)}

    @staticmethod
    def _ask(daemon, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}{path}", timeout=60) as answer:
            return answer.read().decode()

    def _begin(self, daemon, way, count):
        self._ask(daemon, f"/begin/{way}/{self.sender}/{self.senders}/{self.size}/{self.window}/{count}")

    def _tell(self, daemon):
        """How many, and nanoseconds: the median, and what 99 of 100 take at most."""
        return tuple(map(int, self._ask(daemon, "/tell").split()))

    def _run(self, daemon, way, seconds, around=nullcontext):
        """What is done, and nanoseconds."""
        self._begin(daemon, way, 0)
        with around():
            before, begun = self._tell(daemon)[0], time.monotonic()
            time.sleep(seconds)
            count, *latency = self._tell(daemon)
            took = time.monotonic() - begun
        self._ask(daemon, "/end")
        time.sleep(0.2)  # until those under way have come
        return Done(count - before, took), latency

    def load(self, server, seconds, around=nullcontext):
        done, (p50, p99) = self._run(server, self.way, seconds, around)
        return dataclasses.replace(done, figures={"p50_us": p50 / 1e3, "p99_us": p99 / 1e3})

    def sample(self, start, seconds):
        figures = super().sample(start, seconds)
        daemon = start()
        p50, p99 = self._run(daemon, self.way + "-paced", PACED)[1]
        daemon.stop()
        return {**figures, "idle_p50_us": p50 / 1e3, "idle_p99_us": p99 / 1e3}

    def exactly(self, start, count):
        if self.size > 65536:
            count //= 50
        daemon = start()
        self._begin(daemon, self.way, count)
        until = time.monotonic() + 120
        while self._tell(daemon)[0] < count * self.senders:
            if time.monotonic() > until:
                raise Failure("the messages do not come")
            time.sleep(0.1)
        return count * self.senders, daemon


def prepare(bench):
    bench.compile_module("hub_bench")


def cases(bench):
    case = functools.partial(Messages, bench)
    more = functools.partial(case, main=False)
    kib, mib = 1024, 1 << 20
    return [
        case("hub-pair", "pairs there and back, 16 B, 1,024 under way", "pair", window=1024,
             goals=(Goal("per_second", 2e6, least=True),)),
        case("hub-ask", "questions answered, 16 B, 1,024 under way", "ask", window=1024),
        case("hub-16", "from a loop, 16 B", "send"),
        case("hub-1k", "from a loop, 1 KiB", "send", size=kib),
        case("hub-1m", "from a loop, 1 MiB", "send", size=mib),
        more("hub-16-4", "from 4 loops, 16 B", "send", senders=4),
        more("hub-worker-16", "from a worker, 16 B", "send", "worker"),
        more("hub-worker-1k", "from a worker, 1 KiB", "send", "worker", size=kib),
        more("hub-worker-1m", "from a worker, 1 MiB", "send", "worker", size=mib),
        more("hub-worker-1m-moved", "from a worker, 1 MiB moved", "move", "worker", size=mib),
        more("hub-worker-16-4", "from 4 workers, 16 B", "send", "worker", senders=4),
        more("hub-pair-64", "pairs there and back, 16 B, 64 under way", "pair"),
        more("hub-ask-64", "questions of a loop, 16 B, 64 under way", "ask"),
        more("hub-ask-1k", "questions of a loop, 1 KiB, 64 under way", "ask", size=kib),
        more("hub-ask-1m", "questions of a loop, 1 MiB, 64 under way", "ask", size=mib),
        more("hub-ask-4", "questions of 4 loops, 16 B", "ask", senders=4),
        more("hub-ask-worker", "questions of a worker, 16 B", "ask", "worker"),
        more("hub-ask-worker-4", "questions of 4 workers, 16 B", "ask", "worker", senders=4),
    ]
