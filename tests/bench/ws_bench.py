"""What WebSocket messages cost: echo, broadcast, the daemon's own clients; and what idle connections take.

A text has 100 bytes where nothing else is said. A broadcast counts what is delivered, a client's trip is a message there
and back: both ends are the daemon.
"""
import functools
import re
import subprocess
import time
import urllib.request
from contextlib import nullcontext

from measure import Case, Done, LoadCase
from server import CLIENT_CORE, Daemon, Failure

SERVER = (
    "threads: 2",
    "limits: {connections: 20000}",
    "routes:",
    "  - {path: /echo, module: echo}",
    "  - {path: /echo-deflate, module: echo, deflate: {}}",
    "  - {path: /worker, module: ws_bench, handler: worker}",
    "  - {path: /worker-deflate, module: ws_bench, handler: worker, deflate: {}}",
    "  - {path: /topic, module: ws_bench, handler: topic}",
    "  - {path: /topic-deflate, module: ws_bench, handler: topic, deflate: {}}",
    "  - {path: /trips, module: ws_bench, handler: trips}",
)

# name, mode of ws_load, path, connections, messages of each on their way, bytes
ECHO = (
    ("loop, 16 B", "echo", "echo", 64, 1, 16),
    ("loop, 1 KiB", "echo", "echo", 64, 1, 1024),
    ("loop, 64 KiB", "echo", "echo", 64, 1, 65536),
    ("loop, 1 connection", "echo", "echo", 1, 1, 100),
    ("loop, pipelined", "echo", "echo", 64, 16, 100),
    ("loop, deflate", "echo", "echo-deflate", 64, 1, 100),
    ("loop, deflate, pipelined", "echo", "echo-deflate", 64, 16, 100),
    ("worker", "echo", "worker", 64, 1, 100),
    ("worker, pipelined", "echo", "worker", 64, 16, 100),
    ("worker, deflate", "echo", "worker-deflate", 64, 1, 100),
)

# the same
BROADCAST = (
    ("to 100", "broadcast", "topic", 100, 1, 100),
    ("to 100, 16 at once", "broadcast", "topic", 100, 16, 100),
    ("to 1,000", "broadcast", "topic", 1000, 1, 100),
    ("to 1,000, 4 at once", "broadcast", "topic", 1000, 4, 100),
    ("to 1,000, 16 at once", "broadcast", "topic", 1000, 16, 100),
    ("to 1,000, deflate", "broadcast", "topic-deflate", 1000, 1, 100),
)

# the same; what is counted are connections
CONNECT = (("opened and closed", "connect", "echo", 64, 1, 100),)

# name, connections, deflate
CLIENTS = (
    ("1,000 clients", 1000, False),
    ("1,000 clients, deflate", 1000, True),
)

# name, path, connections, messages that each has sent before
IDLE = (
    ("open", "echo", 10000, 0),
    ("open, deflate", "echo-deflate", 10000, 0),
    ("after a message", "echo", 10000, 1),
    ("after a message, deflate", "echo-deflate", 1000, 1),
)


class Load:
    """ws_load, whose connections are open inside of `with`."""

    def __init__(self, bench, daemon, mode, path, connections, *arguments):
        deflate = ["-z"] if path.endswith("-deflate") else []
        self.process = subprocess.Popen(
            ["taskset", "-c", CLIENT_CORE, f"{bench.own}/ws_load", mode, "-p", str(daemon.port), "-u", "/" + path,
             "-c", str(connections), *map(str, arguments), *deflate],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _line(self):
        line = self.process.stdout.readline()
        if line == "":
            raise Failure("ws_load failed")
        return line

    def __enter__(self):
        self._line()
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def go(self):
        """Has it send. How many messages came back, in how many seconds, and in how many of the processor."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        count, took, used = self._line().split()
        return int(count), float(took), float(used)


def make_key(title):
    return "ws-" + re.sub(r"\W+", "-", title.replace("1,000", "1000"))


class Messages(LoadCase):
    """Echo and broadcast: how many messages come back."""

    unit = "message"

    def __init__(self, bench, case):
        self.title, self.mode, self.path, self.connections, self.depth, size = case
        self.key = make_key(self.title)
        self.title = f"WebSocket, {self.mode} {self.title}"
        self.bench = bench
        self.subjects = {"retinue": functools.partial(Daemon, bench, lines=SERVER)}
        self.arguments = ["-d", self.depth, "-s", size]
        # Messages of each connection, or of the one that sends; or connections.
        few = {"broadcast": 4 * self.depth, "connect": 500}.get(self.mode, max(self.depth, 1000 // self.connections))
        self.counts = (few, 4 * few)

    def _run(self, daemon, around, *arguments):
        arguments = (*self.arguments, *arguments)
        with Load(self.bench, daemon, self.mode, self.path, self.connections, *arguments) as load, around():
            return load.go()[:2]

    def load(self, server, seconds, around=nullcontext):
        return Done(*self._run(server, around, "-t", seconds))

    def exactly(self, start, count):
        daemon = start()
        return self._run(daemon, nullcontext, "-n", count)[0], daemon


class Clients(LoadCase):
    """The daemon's own clients send to its own echo, from the start on."""

    unit = "trip"
    counts = (2, 8)
    main = False

    def __init__(self, bench, case):
        self.title, self.connections, self.deflate = case
        self.key = make_key(self.title)
        self.title = "WebSocket, " + self.title
        self.bench = bench
        self.subjects = {"retinue": self._start}

    def _start(self, wrap=(), trips=0):
        path, deflate = ("echo-deflate", ", deflate: {}") if self.deflate else ("echo", "")
        client = (f"clients: [{{url: \"ws://127.0.0.1:{{port}}/{path}\", module: ws_bench, handler: client, "
                  f"count: {self.connections}, options: {{trips: {trips}}}{deflate}}}]")
        return Daemon(self.bench, wrap, (*SERVER, client))

    @staticmethod
    def _trips(daemon):
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/trips", timeout=60) as answer:
            return int(answer.read())

    def load(self, server, seconds, around=nullcontext):
        with around():
            before, start = self._trips(server), time.monotonic()
            time.sleep(seconds)
            return Done(self._trips(server) - before, time.monotonic() - start)

    def exactly(self, start, count):
        daemon = start(trips=count)
        until = time.monotonic() + 120
        while self._trips(daemon) < count * self.connections:
            if time.monotonic() > until:
                raise Failure("the daemon's clients do not come to their end")
            time.sleep(0.2)
        return count * self.connections, daemon


class Idle(Case):
    """Resident memory of each connection."""

    unit = "connection"

    def __init__(self, bench, case):
        self.title, self.path, self.connections, self.trips = case
        self.key = make_key("idle, " + self.title)
        self.title = f"WebSocket, {self.connections:,} idle, {self.title}"
        self.bench = bench
        self.subjects = {"retinue": functools.partial(Daemon, bench, lines=SERVER)}

    def sample(self, start, seconds):
        daemon = start()
        before = daemon.resident()
        with Load(self.bench, daemon, "idle", self.path, self.connections, "-n", self.trips) as load:
            load.go()
            each = (daemon.resident() - before) / self.connections
        daemon.stop()
        return {"each_bytes": each}

    def count(self, name, start):
        return {}


def prepare(bench):
    bench.compile_module("ws_bench")
    bench.compile("ws_load.c", "ws_load", "-O3", "-lz")


def cases(bench):
    return [*(Messages(bench, case) for case in (*ECHO, *BROADCAST, *CONNECT)),
            *(Clients(bench, case) for case in CLIENTS), *(Idle(bench, case) for case in IDLE)]
