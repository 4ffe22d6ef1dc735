"""What idle connections cost: memory, and no processor time.

All were used before, each for one request or message, so that they have given back what they took for that. Memory is
what the kernel counts as resident with all of them open, minus that when one had come and gone; the kernel's own
memory for sockets is not in it, nor are the places for all connections that nginx makes and fills when it starts,
about 420 bytes for each.
"""
import functools
import re
import pathlib
import time

import ws_load
from measure import Case, Goal
from peers import Nginx
from server import Daemon
from ws_load import Load

SETTLE = 0.5  # seconds until all that follows a message is done
WATCHED = 2  # seconds in which an idle server does nothing

LINES = (
    "limits: {connections: 20000}",
    "timeouts: {idle: 10m}",
    "routes:",
    "  - {path: /, module: hello}",
    "  - {path: /echo, module: echo}",
    "  - {path: /echo-deflate, module: echo, deflate: {}}",
)


def resident(server):
    """Bytes of all its processes, exactly: /proc/PID/status may be some pages behind."""
    texts = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in server.pids())
    return sum(int(re.search(r"^Rss:\s+(\d+) kB", text, re.MULTILINE)[1]) for text in texts) * 1024


class Idle(Case):
    """Connections that ws_load opens, uses once and holds."""

    unit = "connection"

    def __init__(self, bench, key, title, mode, path, connections=10000, others=(), goals=(), main=True):
        self.bench, self.key, self.title, self.goals, self.main = bench, key, title, goals, main
        self.mode, self.path, self.connections = mode, path, connections
        self.subjects = {"retinue": functools.partial(Daemon, bench, lines=LINES),
                         **{name: functools.partial(start, bench) for name, start in others}}

    def _open(self, server, connections):
        return Load(self.bench, server, self.mode, self.path, connections, "-n", 1)

    def sample(self, start, seconds):
        server = start()
        with self._open(server, 1) as one:
            one.go()
        time.sleep(SETTLE)
        before = resident(server)
        with self._open(server, self.connections) as load:
            load.go()
            time.sleep(SETTLE)
            used = server.cpu()
            time.sleep(WATCHED)
            figures = {"each_bytes": (resident(server) - before) / self.connections,
                       "idle_cpu_us": (server.cpu() - used) * 1e6 / WATCHED}
        server.stop()
        return figures

    def count(self, name, start):
        return {}


def prepare(bench):
    ws_load.prepare(bench)


def cases(bench):
    case = functools.partial(Idle, bench)
    little = (Goal("each_bytes", 512), Goal("idle_cpu_us", 1000))
    return [
        case("idle", "10,000 idle keep-alive connections", "requests", "/", others=[("nginx", Nginx)], goals=little),
        case("idle-ws", "10,000 idle WebSockets", "idle", "/echo", goals=little),
        case("idle-ws-deflate", "1,000 idle WebSockets, deflate", "idle", "/echo-deflate", 1000, main=False),
    ]
