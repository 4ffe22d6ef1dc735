"""What WebSocket messages cost: echo, broadcast, the daemon's own clients; and what idle connections take.

The text has 100 bytes. A broadcast counts what is delivered, a client's trip is a message there and back: both ends are
the daemon.
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

# name, path, connections, messages of each on their way
ECHO = (
    ("loop, 1 connection", "echo", 1, 1),
    ("loop, 64 connections", "echo", 64, 1),
    ("loop, 64, pipelined", "echo", 64, 16),
    ("loop, 64, deflate", "echo-deflate", 64, 1),
    ("loop, 64, deflate, pipelined", "echo-deflate", 64, 16),
    ("worker, 1 connection", "worker", 1, 1),
    ("worker, 64 connections", "worker", 64, 1),
    ("worker, 64, pipelined", "worker", 64, 16),
    ("worker, 64, deflate", "worker-deflate", 64, 1),
    ("worker, 64, deflate, pipelined", "worker-deflate", 64, 16),
)

# name, path, subscribers, messages on their way
BROADCAST = (
    ("to 1,000", "topic", 1000, 1),
    ("to 1,000, 16 at once", "topic", 1000, 16),
    ("to 1,000, deflate", "topic-deflate", 1000, 1),
)

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

    def __init__(self, own, daemon, path, connections, *arguments):
        deflate = ["-z"] if path.endswith("-deflate") else []
        self.process = subprocess.Popen(
            ["taskset", "-c", CLIENT_CORE, f"{own}/ws_load", "-p", str(daemon.port), "-u", "/" + path,
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
        """Has it send. How many messages came back, and in how many seconds."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        count, took = self._line().split()
        return int(count), float(took)


class Messages(Case):
    """Echo and broadcast: how many messages come back."""

    def __init__(self, build, own, case, broadcast):
        self.name, self.path, self.connections, self.depth = case
        self.build, self.own = build, own
        self.arguments = ["-d", self.depth] + (["-b"] if broadcast else [])
        # Messages of each connection, or of the one that sends.
        few = 4 * self.depth if broadcast else max(self.depth, 1000 // self.connections)
        self.counts = (few, 4 * few)

    def start(self, wrap=()):
        return Daemon(self.build, self.own, SERVER, wrap)

    def _run(self, daemon, around, *arguments):
        with Load(self.own, daemon, self.path, self.connections, *self.arguments, *arguments) as load, around():
            return load.go()

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
    with Load(own, daemon, path, connections, "-n", rounds) as load:
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
    compile_c("ws_load.c", f"{own}/ws_load", "-D_GNU_SOURCE", "-lz")
    print_table("WebSocket, echo", "msg", [Messages(build, own, case, False) for case in ECHO], seconds, quick)
    print_table("WebSocket, broadcast", "msg", [Messages(build, own, case, True) for case in BROADCAST], seconds, quick)
    print_table("WebSocket, own clients", "trip", [Clients(build, own, case) for case in CLIENTS], seconds, quick)
    print_idle(build, own)
