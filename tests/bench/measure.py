"""How a case is measured: in rounds, and counted once.

A case is one load and the servers that can be asked to bear it, each by its name. In every round each of them is
started anew and loaded for a short time, one after the other, so that what disturbs the machine for a while disturbs
all of them alike; of all rounds the median counts. System calls and instructions do not wobble: calls are counted by
strace, instructions by callgrind, as the difference between two runs, so that start and stop do not count.
"""
import contextlib
import dataclasses
import functools
import re
import signal
import statistics
import subprocess
import tempfile

from server import CALLGRIND, Failure

WARM = 0.2  # seconds of load before those that count
STRACED = (0.2, 0.6)  # seconds of load under strace


@dataclasses.dataclass(frozen=True)
class Figure:
    """How a figure is called and written."""

    title: str
    decimals: int = 0


FIGURES = {
    "cpu_us": Figure("CPU us", 2),
    "per_second": Figure("per second"),
    "p50_us": Figure("p50 us"),
    "p99_us": Figure("p99 us"),
    "idle_p50_us": Figure("idle p50", 1),
    "idle_p99_us": Figure("idle p99", 1),
    "each_bytes": Figure("bytes each"),
    "idle_cpu_us": Figure("us/s idle"),
    "load_percent": Figure("load %"),
    "resident_kib": Figure("KiB"),
    "calls": Figure("calls", 2),
    "instructions": Figure("instr"),
}


@dataclasses.dataclass(frozen=True)
class Goal:
    """What a figure of ours shall be: at most so much, with `least` at least so much; with `of` so many times that of
    another server in the same case, or with `case` so many times our own in another case."""

    figure: str
    limit: float
    of: str = ""
    case: str = ""
    least: bool = False


class Case:
    """What is measured. What is counted is up to it: requests, messages."""

    key = ""  # its word on the command line
    title = ""
    unit = "request"
    main = True  # measured although nobody asks for it by name
    subjects = {}  # for each name a function that starts a Server below wrap: start(wrap=())
    goals = ()

    def sample(self, start, seconds):
        """The figures of one round."""
        raise NotImplementedError

    def count(self, name, start):
        """Figures that do not wobble."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Done:
    """What a load did: how much, in what time, and figures of its own."""

    count: int
    seconds: float
    figures: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.count <= 0:
            raise Failure("nothing was done in time")


class LoadCase(Case):
    """A server under load."""

    counts = (500, 2500)  # the runs under callgrind
    counted = ("retinue", "floor")  # the subjects whose instructions are counted

    def load(self, server, seconds, around=contextlib.nullcontext):
        """Loads it for so long, inside of around(): a Done."""
        raise NotImplementedError

    def exactly(self, start, count):
        """Starts a server that is slow and loads it with about so many: how many, and the server."""
        raise NotImplementedError

    def sample(self, start, seconds):
        server, clock = start(), []

        @contextlib.contextmanager
        def around():
            clock.append(server.cpu())
            yield
            clock.append(server.cpu())

        self.load(server, WARM)
        done = self.load(server, seconds, around)
        if done.count == 0:
            raise Failure("nothing was done")
        resident = server.resident() / 1024
        server.stop()
        return {"cpu_us": (clock[1] - clock[0]) * 1e6 / done.count, "per_second": done.count / done.seconds,
                **done.figures, "resident_kib": resident}

    def count(self, name, start):
        calls = self._count_calls(start)
        figures = {"calls": sum(calls.values()), "calls_by_name": calls}
        if name in self.counted:
            figures["instructions"] = self._count_instructions(start)
        return figures

    def _count_calls(self, start):
        """For each request, by name, most frequent first."""
        server = start()
        self.load(server, WARM)
        (few, base), (many, total) = (self._trace(server, seconds) for seconds in STRACED)
        server.stop()
        calls = {name: (total[name] - base.get(name, 0)) / (many - few) for name in total}
        return dict(sorted(calls.items(), key=lambda item: -item[1]))

    def _trace(self, server, seconds):
        """How much was done, and the number of system calls by name."""
        with tempfile.NamedTemporaryFile("r") as table:
            done = self.load(server, seconds, lambda: strace(server, table))
            rows = [line.split() for line in table.read().splitlines()]
        return done.count, {row[-1]: int(row[3]) for row in rows
                            if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"}

    def _count_instructions(self, start):
        collected = []
        for wanted in self.counts:
            count, server = self.exactly(functools.partial(start, CALLGRIND), wanted)
            collected.append((count, sum(map(int, re.findall(r"Collected : (\d+)", server.stop())))))
        (few, base), (many, total) = collected
        return (total - base) / (many - few)


@contextlib.contextmanager
def strace(server, table):
    pids = server.pids()
    command = ["strace", "-f", "-c", "-o", table.name, *(word for pid in pids for word in ("-p", str(pid)))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for _ in pids:
            attached = process.stderr.readline()
            if "attached" not in attached:
                raise Failure(attached)
        yield
        process.send_signal(signal.SIGINT)


def summarize(samples):
    """Of the samples of all rounds: for each figure the median, the least, the most."""
    rounds = {name: [sample[name] for sample in samples] for name in samples[0]}
    return {name: {"median": statistics.median(values), "low": min(values), "high": max(values), "rounds": values}
            for name, values in rounds.items()}


class Measurement:
    """What is measured so far, by key of the case and name of the server."""

    def __init__(self, cases):
        self.cases = cases
        self.samples = {(case.key, name): [] for case in cases for name in case.subjects}
        self.exact = {pair: {} for pair in self.samples}
        self.failures = []

    def run(self, rounds, seconds, counting, tell):
        """tell() is called with each step."""
        pairs = [(case, name) for case in self.cases for name in case.subjects]
        steps = [(number + 1, *pair) for number in range(rounds) for pair in pairs]
        steps += [(0, *pair) for pair in pairs if counting]
        for done, (number, case, name) in enumerate(steps):
            what = f"round {number} of {rounds}" if number else "counts"
            tell(done, len(steps), f"{what}: {case.key}, {name}")
            try:
                self._step(case, name, seconds if number else 0)
            except (Failure, OSError, subprocess.SubprocessError) as failure:
                self.failures.append(f"{case.key}, {name}, {what}: {failure}")

    def _step(self, case, name, seconds):
        if seconds:
            self.samples[case.key, name].append(case.sample(case.subjects[name], seconds))
        else:
            self.exact[case.key, name] = case.count(name, case.subjects[name])

    def results(self):
        """By key: all that can be said of each case."""
        return {case.key: self._result(case) for case in self.cases}

    def _result(self, case):
        subjects = {name: {"measured": summarize(self.samples[case.key, name] or [{}]),
                           "counted": self.exact[case.key, name]} for name in case.subjects}
        return {"title": case.title, "unit": case.unit, "subjects": subjects,
                "goals": [dataclasses.asdict(goal) for goal in case.goals]}
