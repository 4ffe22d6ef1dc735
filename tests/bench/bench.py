"""Measures a release build of retinued: requests per second, and what each request costs.

The daemon runs on one core and wrk on another. Processor time is the daemon's own (/proc/PID/stat); system calls are
counted by strace in a short run of their own; instructions by callgrind, as the difference between two runs with a
small client, so that start and stop do not count.
"""
import argparse
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CALLGRIND_REQUESTS = (500, 2500)
TICK = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
DAEMON_CORE, CLIENT_CORE = str(CORES[0]), str(CORES[-1])

# name, module, threads, connections, requests in one write
CASES = (
    ("loop", "hello", 0, 64, 1),
    ("loop, pipelined", "hello", 0, 64, 16),
    ("worker, 2 threads", "worker", 2, 64, 1),
    ("worker, 16 threads", "worker", 16, 64, 1),
    ("worker, 16 threads, pipelined", "worker", 16, 64, 16),
)

CONFIG = """
daemon: {{modules: ["{modules}", "{own}"], log: {{to: stderr, level: warn}}}}
servers:
  bench:
    listen: 127.0.0.1:{port}
    threads: {threads}
    routes: [{{path: /, module: {module}}}]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """A running retinued, maybe below another program."""

    def __init__(self, build, own, module, threads, wrap=()):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="rtn-bench-")
        path = pathlib.Path(self.folder.name) / "bench.yaml"
        path.write_text(CONFIG.format(modules=build / "modules", own=own, port=self.port, threads=threads, module=module))
        command = ["taskset", "-c", DAEMON_CORE, *wrap, str(build / "src/daemon/retinued"), "-c", str(path)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._wait()

    def _wait(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.process.poll() is not None:
                sys.exit("bench: the daemon ended: " + self.process.stderr.read())
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit("bench: the daemon does not answer")

    def ticks(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def stop(self):
        """What it wrote."""
        self.process.send_signal(signal.SIGTERM)
        text = self.process.communicate(timeout=60)[1]
        self.folder.cleanup()
        return text


def wrk(port, seconds, connections, burst):
    """Requests per second, and their number. Any error ends the measurement."""
    command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
    if burst > 1:
        command[-1:-1] = ["-s", str(HERE / "pipeline.lua")]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Socket errors" in text or "Non-2xx" in text:
        sys.exit("bench: wrk reports errors:\n" + text)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), int(re.search(r"(\d+) requests in", text)[1])


def measure_speed(start, case, seconds):
    _, module, threads, connections, burst = case
    daemon = start(module, threads)
    wrk(daemon.port, 1, connections, burst)
    before = daemon.ticks()
    rate, count = wrk(daemon.port, seconds, connections, burst)
    micros = (daemon.ticks() - before) * 1e6 / TICK / count
    daemon.stop()
    return rate, micros


def measure_calls(start, case):
    """System calls per request by name, most frequent first."""
    _, module, threads, connections, burst = case
    daemon = start(module, threads)
    wrk(daemon.port, 1, connections, burst)
    with tempfile.NamedTemporaryFile("r") as table:
        strace = subprocess.Popen(["strace", "-f", "-c", "-o", table.name, "-p", str(daemon.process.pid)],
                                  stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        _, count = wrk(daemon.port, 2, connections, burst)
        strace.send_signal(signal.SIGINT)
        strace.wait()
        rows = [line.split() for line in table.read().splitlines()]
    daemon.stop()
    calls = {row[-1]: int(row[3]) / count for row in rows if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"}
    return dict(sorted(calls.items(), key=lambda item: -item[1]))


def ask(port, count, burst):
    """A client of one connection."""
    request = b"GET / HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n" * burst
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count // burst):
            connection.sendall(request)
            seen = b""
            while seen.count(b"hello world\n") < burst:
                seen += connection.recv(65536)


def measure_instructions(start, case):
    _, module, threads, _, burst = case
    collected = []
    for count in CALLGRIND_REQUESTS:
        count -= count % burst
        daemon = start(module, threads, ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"))
        ask(daemon.port, count, burst)
        collected.append((count, int(re.search(r"Collected : (\d+)", daemon.stop())[1])))
    (few, base), (many, total) = collected
    return (total - base) / (many - few)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=5, help="length of each run of wrk (default: %(default)s)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-bench", help="a release build")
    parser.add_argument("--quick", action="store_true", help="only requests per second and processor time")
    options = parser.parse_args()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="rtn-bench-modules-") as own:
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", f"-I{ROOT}/src/include", str(HERE / "worker.c"),
                        "-o", f"{own}/worker.so"], check=True)

        def start(module, threads, wrap=()):
            return Daemon(build, own, module, threads, wrap)

        print(f"{'case':<30} {'req/s':>8} {'cpu us':>7} {'calls':>6} {'instr':>7}  calls per request", flush=True)
        for case in CASES:
            rate, micros = measure_speed(start, case, options.seconds)
            row = f"{case[0]:<30} {rate:>8.0f} {micros:>7.2f}"
            if not options.quick:
                calls = measure_calls(start, case)
                names = ", ".join(f"{name} {number:.2f}" for name, number in calls.items() if number >= 0.005)
                row += f" {sum(calls.values()):>6.2f} {measure_instructions(start, case):>7.0f}  {names}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
