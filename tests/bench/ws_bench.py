"""What WebSocket messages cost: echo, broadcast, the daemon's own clients; and opening connections.

A broadcast counts what is delivered, a client's trip is a message there and back: both ends are the daemon. The load
and a server of echoes have as much to do: a read and a write for each message; the column "load %" says how much of its
core that took. Near 100 the server is not alone in being the bottleneck; its processor time is its own all the same.
"""
import functools
import time
import urllib.request
from contextlib import nullcontext

import ws_load
from measure import Done, Goal, LoadCase
from server import Daemon, Failure, Server, free_port
from ws_load import Load

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


class Floor(Server):
    def __init__(self, bench, wrap=()):
        port = free_port()
        super().__init__([bench.own / "ws_floor", port], port, wrap=wrap)


class Messages(LoadCase):
    """What comes back to ws_load in one of its modes: echoes, or what was broadcast; or connections."""

    unit = "message"

    def __init__(self, bench, key, title, mode="echo", path="/echo", connections=64, depth=1, size=100, goals=(),
                 main=True):
        self.bench, self.key, self.title, self.goals, self.main = bench, key, "WebSocket, " + title, goals, main
        self.mode, self.path, self.connections = mode, path, connections
        self.arguments = ["-d", depth, "-s", size]
        self.subjects = {"floor": functools.partial(Floor, bench),
                         "retinue": functools.partial(Daemon, bench, lines=SERVER)}
        if not goals:
            del self.subjects["floor"]
        # Messages of each connection, or of the one that sends; or connections.
        few = {"broadcast": 4 * depth, "connect": 500}.get(mode, max(depth, 1000 // connections))
        self.counts = (few, 4 * few)

    def _run(self, server, around, *arguments):
        with Load(self.bench, server, self.mode, self.path, self.connections, *self.arguments, *arguments) as load, \
                around():
            return load.go()

    def load(self, server, seconds, around=nullcontext):
        return self._run(server, around, "-t", seconds)

    def exactly(self, start, count):
        server = start()
        return self._run(server, nullcontext, "-n", count).count, server

    def count(self, name, start):
        """What the floor does is known."""
        return {} if name == "floor" else super().count(name, start)


class Clients(LoadCase):
    """The daemon's own clients send to its own echo, from the start on."""

    unit = "trip"
    counts = (2, 8)
    main = False

    def __init__(self, bench, key, title, path):
        self.bench, self.key, self.title, self.path = bench, key, "WebSocket, " + title, path
        self.connections = 1000
        self.subjects = {"retinue": self._start}

    def _start(self, wrap=(), trips=0):
        deflate = ", deflate: {}" if self.path.endswith("-deflate") else ""
        client = (f"clients: [{{url: \"ws://127.0.0.1:{{port}}{self.path}\", module: ws_bench, handler: client, "
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


def prepare(bench):
    ws_load.prepare(bench)
    bench.compile_module("ws_bench")
    bench.compile("ws_floor.c", "ws_floor", "-O3")


def cases(bench):
    case = functools.partial(Messages, bench)
    topic = functools.partial(case, mode="broadcast", path="/topic")
    more = functools.partial(case, main=False)
    clients = functools.partial(Clients, bench)
    return [
        case("ws-echo-16", "echo of 16 B, 64 connections", size=16, goals=(Goal("cpu_us", 4.0),)),
        case("ws-echo-1k", "echo of 1 KiB, 64 connections", size=1024),
        case("ws-echo-64k", "echo of 64 KiB, 64 connections", size=65536, goals=(Goal("cpu_us", 20),)),
        topic("ws-100-1", "broadcast to 100", connections=100),
        topic("ws-100-16", "broadcast to 100, 16 under way", connections=100, depth=16,
              goals=(Goal("cpu_us", 0.40),)),
        topic("ws-1000-1", "broadcast to 1,000", connections=1000),
        topic("ws-1000-4", "broadcast to 1,000, 4 under way", connections=1000, depth=4, goals=(Goal("cpu_us", 1.4),)),
        topic("ws-1000-16", "broadcast to 1,000, 16 under way", connections=1000, depth=16),
        more("ws-connect", "connections opened and closed", mode="connect"),
        more("ws-echo-one", "echo, 1 connection", connections=1),
        more("ws-echo-pipelined", "echo, 16 under way", depth=16),
        more("ws-echo-deflate", "echo, deflate", path="/echo-deflate"),
        more("ws-echo-deflate-16", "echo, deflate, 16 under way", path="/echo-deflate", depth=16),
        more("ws-worker", "echo by a worker", path="/worker"),
        more("ws-worker-16", "echo by a worker, 16 under way", path="/worker", depth=16),
        more("ws-worker-deflate", "echo by a worker, deflate", path="/worker-deflate"),
        more("ws-1000-deflate", "broadcast to 1,000, deflate", mode="broadcast", path="/topic-deflate",
             connections=1000),
        clients("ws-clients", "1,000 clients of its own", "/echo"),
        clients("ws-clients-deflate", "1,000 clients of its own, deflate", "/echo-deflate"),
    ]
