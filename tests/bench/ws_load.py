"""ws_load, which loads with WebSocket messages, and holds idle connections."""
import subprocess

from measure import Done
from server import CLIENT_CORE, Failure


class Load:
    """A running ws_load, whose connections are open inside of `with`."""

    def __init__(self, bench, server, mode, path, connections, *arguments):
        deflate = ["-z"] if path.endswith("-deflate") else []
        self.process = subprocess.Popen(
            ["taskset", "-c", CLIENT_CORE, bench.own / "ws_load", mode, "-p", str(server.port), "-u", path,
             "-c", str(connections), *map(str, arguments), *deflate],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def _line(self):
        line = self.process.stdout.readline()
        if line == "":
            raise Failure("ws_load: " + self.process.stderr.read())
        return line

    def __enter__(self):
        self._line()
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def go(self):
        """Has it send: a Done. Its own part of the processor tells what was the bottleneck."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        count, took, used = self._line().split()
        return Done(int(count), float(took), {"load_percent": float(used) * 100 / float(took)})


def prepare(bench):
    if not (bench.own / "ws_load").exists():
        bench.compile("ws_load.c", "ws_load", "-O3", "-lz")
