"""Counts what a request costs, and compares it with what it is known to cost (counts.json).

Instructions and calls of functions are callgrind's, system calls are strace's: neither depends on the machine's speed or
load. What is counted is the difference between a short run and a long one, so that connecting does not count. A
client sends one request at a time, the next one when all threads of the daemon sleep: so the same happens every time.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import sys
import tempfile

from counts_cases import CASES, connect, get, receive_head
from server import HERE, ROOT, Bench, Daemon

KNOWN = HERE / "counts.json"
CALLS_TOLERANCE = 0.25  # the daemon has a timer or two of its own
WAKING_TOLERANCE = 1.5  # where threads wake each other, the kernel decides how often they sleep
FUNCTIONS = {
    "allocations": ("malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "reallocarray"),
    "locks": ("pthread_mutex_lock", "pthread_mutex_trylock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock"),
}

# Which copy of memcpy() runs depends on the processor: the one that all have.
ENVIRONMENT = ("env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C",
               "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-BMI2,-ERMS,-FSRM,-SSE4_2,-RTM")

SERVER = (
    "loops: 1",
    "threads: 1",
    "routes:",
    "  - {path: /, module: hello}",
    "  - {path: /hello, module: hello}",
    "  - {path: /mark, module: counts, handler: mark}",
    "  - {path: /worker, module: counts, handler: worker}",
    "  - {path: /topic, module: counts, handler: topic}",
    '  - {path: "/talk/{messages}/{questions}", module: counts, handler: talk}',
    "  - {path: /echo, module: echo}",
    '  - {path: "/files/*", module: static, options: {root: FILES}}',
)
OTHER = "  other: {protocol: worker, hub_capacity: 4096, modules: [{module: counts, handler: hub}]}\n"


class Sleep:
    """Waits until all threads of a process sleep, and have not run between two looks at them."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}/task")

    def _look(self):
        """For each thread whether it sleeps, and how often it has begun to."""
        texts = (self._status(task) for task in sorted(os.listdir(self.folder)))
        return [("\nState:\tS" in text, text.partition("\nvoluntary")[2]) for text in texts]

    def _status(self, task):
        try:
            return (self.folder / task / "status").read_text()
        except OSError:
            return ""  # it has just ended

    def wait(self):
        before = None
        while True:
            now = self._look()
            if now == before and all(sleeps for sleeps, _ in now):
                return
            before = now


def drive(daemon):
    """All cases, with marks: one before the short run, one between, one behind the long. What they ran."""
    done = []
    sleep = Sleep(daemon.process.pid)
    for case in CASES:
        with connect(daemon.port) as control, case.open(daemon.port):

            def mark():
                sleep.wait()
                control.sendall(get("/mark").encode())
                receive_head(control)
                sleep.wait()

            mark()
            runs = []
            for count in case.counts:
                runs.append(case.run(count, sleep.wait))
                mark()
            done.append(runs[1] - runs[0])
    return done


def run(bench, wrap):
    lines = [line.replace("FILES", f"{bench.own}/files") for line in SERVER]
    daemon = Daemon(bench, (*ENVIRONMENT, *wrap), lines, more=OTHER)
    done = drive(daemon)
    daemon.stop()
    return done


def differences(parts, done):
    """Of three counters for each case: what was before its first mark, then the short run and the long one."""
    for n, count in enumerate(done):
        _, few, many = parts[3 * n:3 * n + 3]
        yield {name: (many[name] - few[name]) / count for name in many}


def read_profile(path):
    """Instructions, and calls by function."""
    names, counts = {}, collections.Counter()
    for line in path.read_text(errors="replace").splitlines():
        if match := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            if match[2]:
                names[match[1]] = re.sub(r"[@'].*", "", match[2])
            name = names[match[1]]
        elif line.startswith("calls="):
            counts[name] += int(line[6:].split()[0])
        elif line.startswith(("totals:", "summary:")):
            counts["instructions"] = int(line.split()[1])
    return counts


def count_instructions(bench):
    with tempfile.TemporaryDirectory() as folder:
        done = run(bench, ("valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={folder}/out"))
        paths = sorted(pathlib.Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        return list(differences([read_profile(path) for path in paths], done))


def count_system_calls(bench):
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "trace"
        # -D: the daemon stays our child.
        done = run(bench, ("strace", "-D", "-f", "-qq", "-o", str(trace)))
        parts = [collections.Counter()]
        for name in re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE):
            if name == "getppid":
                parts.append(collections.Counter())
            else:
                parts[-1][name] += 1
        return list(differences(parts, done))


def rounded(figure):
    """A timer in hundreds of requests is none of a request's calls."""
    return round(figure, 1) + 0.0


def count_all(build):
    """For each case the figures by name."""
    with tempfile.TemporaryDirectory(prefix="rtn-counts-") as own:
        bench = Bench(build, pathlib.Path(own))
        bench.compile_module("counts")
        files = bench.own / "files"
        files.mkdir()
        (files / "small.txt").write_bytes(b"0123456789abcdef" * 64)
        (files / "large.bin").write_bytes(b"0123456789abcdef" * 6400)
        profiles, calls = count_instructions(bench), count_system_calls(bench)
    found = {}
    for case, profile, made in zip(CASES, profiles, calls):
        figures = {"instructions": round(profile["instructions"])}
        for name, functions in FUNCTIONS.items():
            figures[name] = rounded(sum(profile.get(function, 0) for function in functions))
        figures |= {name: round(made[name] * case.burst, 1) for name in sorted(made) if round(made[name] * case.burst, 1)}
        found[case.name] = figures
    return found


def allowed(case, figure, known):
    """By how much a figure may differ."""
    if figure == "instructions":
        return case.tolerance * known
    return CALLS_TOLERANCE if case.on_loop or figure in FUNCTIONS else WAKING_TOLERANCE


def compare(found, known):
    """Lines about what differs: case, figure, expected, found, percent."""
    for case in CASES:
        expected = known.get(case.name, {})
        for figure in sorted(expected.keys() | found[case.name].keys()):
            was, now = expected.get(figure, 0), found[case.name].get(figure, 0)
            if abs(now - was) > allowed(case, figure, was):
                percent = f"{(now - was) / was * 100:+.1f} %" if was else "new"
                yield f"{case.name:<28} {figure:<14} {was:>9} {now:>9} {percent:>9}"


def check(found):
    """Whether all is as it is known to be."""
    different = list(compare(found, json.loads(KNOWN.read_text()) if KNOWN.exists() else {}))
    if different:
        print(f"{'case':<28} {'figure':<14} {'expected':>9} {'found':>9} {'change':>9}", *different, sep="\n")
        print("\nWhat a request costs has changed. More than before is to be mended, or its reason told in the commit that",
              "takes it over; less is to be kept. Take the new figures over with: scripts/bench counts --update", sep="\n")
    failed = len({line[:28] for line in different})
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return failed == 0


def show(found):
    print(f"{'case':<28} {'instr':>7} {'alloc':>6} {'locks':>6}  system calls")
    for name, figures in found.items():
        calls = ", ".join(f"{call} {count:g}" for call, count in figures.items() if call not in FUNCTIONS and call != "instructions")
        print(f"{name:<28} {figures['instructions']:>7} {figures['allocations']:>6g} {figures['locks']:>6g}  {calls}")


def require_release(build):
    """Figures of other builds say nothing."""
    options = {row["name"]: row["value"] for row in json.loads((build / "meson-info/intro-buildoptions.json").read_text())}
    if not options["b_lto"] or options["b_sanitize"] != "none" or options["optimization"] != "2":
        sys.exit(f"counts: {build} is no release build with link-time optimisation: make it anew with scripts/build")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench counts", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="default: %(default)s")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="compare with the known figures; the exit status tells")
    how.add_argument("--update", action="store_true", help="make these the known figures")
    options = parser.parse_args()
    build = options.build.resolve()
    require_release(build)
    found = count_all(build)
    show(found)
    if options.update:
        KNOWN.write_text(json.dumps(found, indent=2) + "\n")
    if options.check and not check(found):
        sys.exit(1)


if __name__ == "__main__":
    main()
