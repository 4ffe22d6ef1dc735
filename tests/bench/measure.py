"""How the daemon is run and measured.

It runs on one core and what loads it on another. Processor time is the daemon's own (/proc/PID/stat); system calls are
counted by strace in a short run of their own; instructions by callgrind, as the difference between two runs of known
length, so that start and stop do not count.
"""
import atexit
import contextlib
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
TICK = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
DAEMON_CORE, CLIENT_CORE = str(CORES[0]), str(CORES[-1])
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")

CONFIG = """
daemon: {{modules: ["{modules}", "{own}"], log: {{to: stderr, level: warn}}}}
servers:
  bench:
    listen: 127.0.0.1:{port}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def compile_c(source, target, *arguments):
    subprocess.run(["cc", "-O2", f"-I{ROOT}/src/include", str(HERE / source), "-o", str(target), *arguments],
                   check=True)


class Daemon:
    """A running retinued, maybe below another program. `lines` are what its configuration says of the server, `more` are
    other servers. It has one core to itself, or, not pinned, all of them."""

    def __init__(self, build, own, lines, wrap=(), more="", pinned=True):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="rtn-bench-")
        path = pathlib.Path(self.folder.name) / "bench.yaml"
        text = CONFIG.format(modules=build / "modules", own=own, port=self.port)
        path.write_text(text + "".join(f"    {line}\n" for line in lines).replace("{port}", str(self.port)) + more)
        cores = ["taskset", "-c", DAEMON_CORE] if pinned else []
        command = [*cores, *wrap, str(build / "src/daemon/retinued"), "-c", str(path)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)  # no daemon is left behind by a measurement that fails
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

    def resident(self):
        """Bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def stop(self):
        """What it wrote."""
        self.process.send_signal(signal.SIGTERM)
        text = self.process.communicate(timeout=60)[1]
        self.folder.cleanup()
        return text


class Case:
    """One line of a table. What is counted is up to it: requests, messages."""

    name = ""
    counts = (500, 2500)  # the runs under callgrind

    def start(self, wrap=()):
        """A daemon."""
        raise NotImplementedError

    def load(self, daemon, seconds, around=contextlib.nullcontext):
        """Loads it for so long, inside of around(): how many there were, and in how many seconds."""
        raise NotImplementedError

    def exactly(self, count):
        """Starts a daemon under callgrind and loads it with about so many: how many, and the daemon."""
        raise NotImplementedError


def measure_speed(case, seconds):
    """How many a second, and microseconds of the processor for each."""
    daemon = case.start()
    ticks = []

    @contextlib.contextmanager
    def around():
        ticks.append(daemon.ticks())
        yield
        ticks.append(daemon.ticks())

    case.load(daemon, 1)
    count, took = case.load(daemon, seconds, around)
    daemon.stop()
    return count / took, (ticks[1] - ticks[0]) * 1e6 / TICK / count


@contextlib.contextmanager
def strace(daemon, table):
    command = ["strace", "-f", "-c", "-o", table.name, "-p", str(daemon.process.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        attached = process.stderr.readline()
        if "attached" not in attached:
            sys.exit("bench: " + attached)
        yield
        process.send_signal(signal.SIGINT)


def measure_calls(case):
    """System calls for each by name, most frequent first."""
    daemon = case.start()
    case.load(daemon, 1)
    with tempfile.NamedTemporaryFile("r") as table:
        count, _ = case.load(daemon, 2, lambda: strace(daemon, table))
        rows = [line.split() for line in table.read().splitlines()]
    daemon.stop()
    calls = {row[-1]: int(row[3]) / count for row in rows if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"}
    return dict(sorted(calls.items(), key=lambda item: -item[1]))


def measure_instructions(case):
    collected = []
    for wanted in case.counts:
        count, daemon = case.exactly(wanted)
        collected.append((count, int(re.search(r"Collected : (\d+)", daemon.stop())[1])))
    (few, base), (many, total) = collected
    return (total - base) / (many - few)


def print_table(title, what, cases, seconds, quick):
    print(f"{title:<34} {what + '/s':>9} {'cpu us':>7} {'calls':>6} {'instr':>7}  calls per {what}", flush=True)
    for case in cases:
        rate, micros = measure_speed(case, seconds)
        row = f"{case.name:<34} {rate:>9.0f} {micros:>7.2f}"
        if not quick:
            calls = measure_calls(case)
            names = ", ".join(f"{name} {number:.2f}" for name, number in calls.items() if number >= 0.005)
            row += f" {sum(calls.values()):>6.2f} {measure_instructions(case):>7.0f}  {names}"
        print(row, flush=True)
