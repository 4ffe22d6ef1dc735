"""What an HTTP request costs: wrk asks, and for callgrind a client of one connection."""
import re
import socket
import subprocess
import sys
from contextlib import nullcontext

from measure import CALLGRIND, CLIENT_CORE, HERE, Case, Daemon, compile_c, print_table

# name, module, threads, connections, requests in one write
CASES = (
    ("loop", "hello", 0, 64, 1),
    ("loop, pipelined", "hello", 0, 64, 16),
    ("worker, 2 threads", "worker", 2, 64, 1),
    ("worker, 16 threads", "worker", 16, 64, 1),
    ("worker, 16 threads, pipelined", "worker", 16, 64, 16),
)


def wrk(port, seconds, connections, burst):
    """The number of requests, and seconds. Any error ends the measurement."""
    command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
               f"http://127.0.0.1:{port}/"]
    if burst > 1:
        command[-1:-1] = ["-s", str(HERE / "pipeline.lua")]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Socket errors" in text or "Non-2xx" in text:
        sys.exit("bench: wrk reports errors:\n" + text)
    count = int(re.search(r"(\d+) requests in", text)[1])
    return count, count / float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])


def ask(port, count, burst):
    """A client of one connection."""
    request = b"GET / HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n" * burst
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count // burst):
            connection.sendall(request)
            seen = b""
            while seen.count(b"hello world\n") < burst:
                seen += connection.recv(65536)


class Requests(Case):
    def __init__(self, build, own, case):
        self.name, module, threads, self.connections, self.burst = case
        self.build, self.own = build, own
        self.lines = (f"threads: {threads}", f"routes: [{{path: /, module: {module}}}]")

    def start(self, wrap=()):
        return Daemon(self.build, self.own, self.lines, wrap)

    def load(self, daemon, seconds, around=nullcontext):
        with around():
            return wrk(daemon.port, seconds, self.connections, self.burst)

    def exactly(self, count):
        count -= count % self.burst
        daemon = self.start(CALLGRIND)
        ask(daemon.port, count, self.burst)
        return count, daemon


def run(build, own, seconds, quick):
    compile_c("worker.c", f"{own}/worker.so", "-shared", "-fPIC")
    print_table("HTTP", "req", [Requests(build, own, case) for case in CASES], seconds, quick)
