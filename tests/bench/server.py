"""Servers under measurement: programs that listen on a port, on one core, with the load on another.

Processor time is that of all processes of a server. It is the sum that /proc/PID/stat rounds to hundredths of a second,
read from the processes' clocks, which tell nanoseconds: a run can be short.
"""
import atexit
import dataclasses
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = str(CORES[0]), str(CORES[-1])
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=yes")

# A thread that seems to stall below callgrind, where all takes long, would be asked for its backtrace by a signal, which can
# end callgrind itself.
PATIENT = "stall: 60s"

CONFIG = """
daemon: {{modules: ["{modules}", "{own}"], log: {{to: stderr, level: warn}}}}
servers:
  bench:
    listen: 127.0.0.1:{port}
    {patient}
"""


class Failure(Exception):
    """A measurement that went wrong; its text says how."""


@dataclasses.dataclass(frozen=True)
class Bench:
    """What the measurements share."""

    build: pathlib.Path  # of a release build
    own: pathlib.Path  # a folder for what is compiled here: modules, loads, the floor

    def compile(self, source, target, *arguments):
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", f"-I{ROOT}/src/include", str(HERE / source), "-o",
                        str(self.own / target), *arguments], check=True)

    def compile_module(self, name):
        self.compile(f"{name}.c", f"{name}.so", "-shared", "-fPIC")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_folder():
    """One that goes with the object, and that a server which has given up its rights can read."""
    folder = tempfile.TemporaryDirectory(prefix="rtn-bench-")
    os.chmod(folder.name, 0o755)
    return folder


class Server:
    """A running program that listens on `port`, maybe below another program (`wrap`). It has one core to itself, or,
    not pinned, all of them."""

    def __init__(self, command, port, folder=None, wrap=(), pinned=True):
        self.port, self.folder = port, folder
        cores = ["taskset", "-c", SERVER_CORE] if pinned else []
        self.process = subprocess.Popen([*cores, *wrap, *map(str, command)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)  # no server is left behind by a measurement that fails
        self._wait()

    def _wait(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise Failure(f"{self.process.args} ended: {self.process.stderr.read()}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.01)
        raise Failure(f"{self.process.args} does not answer")

    def pids(self):
        """Of the program and of all that it has started."""
        found, more = [], [self.process.pid]
        while more:
            found.append(more.pop())
            for children in pathlib.Path(f"/proc/{found[-1]}/task").glob("*/children"):
                more += map(int, children.read_text().split())
        return found

    def cpu(self):
        """Seconds that its processes have used."""
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids())  # as clock_getcpuclockid(3) has it

    def resident(self):
        """Bytes."""
        texts = (pathlib.Path(f"/proc/{pid}/status").read_text() for pid in self.pids())
        return sum(int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) for text in texts) * 1024

    def stop(self):
        """What it wrote."""
        self.process.send_signal(signal.SIGTERM)
        text = self.process.communicate(timeout=60)[1]
        atexit.unregister(self.process.kill)
        if self.folder:
            self.folder.cleanup()
        return text


class Daemon(Server):
    """A running retinued. `lines` are what its configuration says of the server, `more` are other servers. Files of its
    folder are called FOLDER/NAME in it; `files` are written there before, by name."""

    def __init__(self, bench, wrap=(), lines=(), more="", pinned=True):
        port, folder = free_port(), make_folder()
        path = pathlib.Path(folder.name) / "bench.yaml"
        text = CONFIG.format(modules=bench.build / "modules", own=bench.own, port=port, patient=PATIENT)
        path.write_text(text + "".join(f"    {line}\n" for line in lines).replace("{port}", str(port)) + more)
        super().__init__([bench.build / "src/daemon/retinued", "-c", path], port, folder, wrap, pinned)
