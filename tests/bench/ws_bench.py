"""What WebSocket messages cost: echo, broadcast, the daemon's own clients; and what idle connections take.

A text has 100 bytes where nothing else is said. A broadcast counts what is delivered, a client's trip is a message there
and back: both ends are the daemon.
"""
import subprocess
import sys
import time
import urllib.request
from contextlib import nullcontext

from measure import CALLGRIND, CLIENT_CORE, Case, Daemon, compile_c, print_table

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

    def __init__(self, own, daemon, mode, path, connections, *arguments):
        deflate = ["-z"] if path.endswith("-deflate") else []
        self.process = subprocess.Popen(
            ["taskset", "-c", CLIENT_CORE, f"{own}/ws_load", mode, "-p", str(daemon.port), "-u", "/" + path,
             "-c", str(connections), *map(str, arguments), *deflate],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _line(self):
        line = self.process.stdout.readline()
        if line == "":
            sys.exit("bench: ws_load failed")
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


class Messages(Case):
    """Echo and broadcast: how many messages come back."""

    def __init__(self, build, own, case):
        self.name, self.mode, self.path, self.connections, self.depth, size = case
        self.build, self.own = build, own
        self.arguments = ["-d", self.depth, "-s", size]
        # Messages of each connection, or of the one that sends; or connections.
        few = {"broadcast": 4 * self.depth, "connect": 500}.get(self.mode, max(self.depth, 1000 // self.connections))
        self.counts = (few, 4 * few)

    def start(self, wrap=()):
        return Daemon(self.build, self.own, SERVER, wrap)

    def _run(self, daemon, around, *arguments):
        with Load(self.own, daemon, self.mode, self.path, self.connections, *self.arguments, *arguments) as load, around():
            return load.go()[:2]

    def load(self, daemon, seconds, around=nullcontext):
        return self._run(daemon, around, "-t", seconds)

    def exactly(self, count):
        daemon = self.start(CALLGRIND)
        return self._run(daemon, nullcontext, "-n", count)[0], daemon


class Clients(Case):
    """The daemon's own clients send to its own echo, from the start on."""

    counts = (2, 8)

    def __init__(self, build, own, case):
        self.name, self.connections, self.deflate = case
        self.build, self.own = build, own

    def start(self, wrap=(), trips=0):
        path, deflate = ("echo-deflate", ", deflate: {}") if self.deflate else ("echo", "")
        client = (f"clients: [{{url: \"ws://127.0.0.1:{{port}}/{path}\", module: ws_bench, handler: client, "
                  f"count: {self.connections}, options: {{trips: {trips}}}{deflate}}}]")
        return Daemon(self.build, self.own, (*SERVER, client), wrap)

    def _trips(self, daemon):
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/trips", timeout=60) as answer:
            return int(answer.read())

    def load(self, daemon, seconds, around=nullcontext):
        with around():
            before, start = self._trips(daemon), time.monotonic()
            time.sleep(seconds)
            return self._trips(daemon) - before, time.monotonic() - start

    def exactly(self, count):
        daemon = self.start(CALLGRIND, count)
        until = time.monotonic() + 120
        while self._trips(daemon) < count * self.connections:
            if time.monotonic() > until:
                sys.exit("bench: the daemon's clients do not come to their end")
            time.sleep(0.2)
        return count * self.connections, daemon


def measure_idle(build, own, case):
    """Bytes of resident memory for each connection."""
    _, path, connections, rounds = case
    daemon = Daemon(build, own, SERVER)
    before = daemon.resident()
    with Load(own, daemon, "idle", path, connections, "-n", rounds) as load:
        load.go()
        each = (daemon.resident() - before) / connections
    daemon.stop()
    return each


def print_idle(build, own):
    print(f"{'WebSocket, idle':<34} {'open':>9} {'bytes each':>11}", flush=True)
    for case in IDLE:
        print(f"{case[0]:<34} {case[2]:>9} {measure_idle(build, own, case):>11.0f}", flush=True)


def run(build, own, seconds, quick):
    compile_c("ws_bench.c", f"{own}/ws_bench.so", "-shared", "-fPIC")
    compile_c("ws_load.c", f"{own}/ws_load", "-D_GNU_SOURCE", "-O3", "-lz")
    print_table("WebSocket, echo", "msg", [Messages(build, own, case) for case in ECHO], seconds, quick)
    print_table("WebSocket, broadcast", "msg", [Messages(build, own, case) for case in BROADCAST], seconds, quick)
    print_table("WebSocket, connections", "conn", [Messages(build, own, case) for case in CONNECT], seconds, quick)
    print_table("WebSocket, own clients", "trip", [Clients(build, own, case) for case in CLIENTS], seconds, quick)
    print_idle(build, own)
