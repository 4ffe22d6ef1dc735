"""Measures a release build of retinued beside other servers: what a request or a message costs, and more."""
import argparse
import fnmatch
import json
import pathlib
import resource
import sys
import tempfile
import time

import hub_bench
import http_bench
import idle_bench
import report_readme
import report_svg
import report_text
import routes_bench
import ws_bench
from about import about
from measure import Measurement
from server import ROOT, Bench, Failure

README, CHART = ROOT / "README.md", ROOT / "tests/bench/speed.svg"
SUITES = {"http": http_bench, "routes": routes_bench, "ws": ws_bench, "idle": idle_bench, "hub": hub_bench}


def choose(suites, words):
    """The cases that the words name, in order; of each suite those for everybody when there is none."""
    cases = [case for suite in suites.values() for case in suite]
    for word in words:
        if word not in suites and not fnmatch.filter([case.key for case in cases], word):
            raise Failure(f"no case {word!r}: scripts/bench --list names them")
    if not words:
        return [case for case in cases if case.main]
    return [case for name, suite in suites.items() for case in suite
            if any(word == name or fnmatch.fnmatch(case.key, word) for word in words)]


def prepare(suites, chosen, bench):
    for name, suite in SUITES.items():
        if any(case in chosen for case in suites[name]):
            suite.prepare(bench)


def make_teller():
    begun = time.monotonic()

    def tell(done, steps, what):
        left = f"{(time.monotonic() - begun) / done * (steps - done):4.0f} s left" if done else ""
        print(f"[{done + 1}/{steps}] {what:<50} {left}", file=sys.stderr, flush=True)
    return tell


def raise_limits():
    """Thousands of connections, at both ends."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def measure(options):
    with tempfile.TemporaryDirectory(prefix="rtn-bench-own-") as own:
        bench = Bench(options.build.resolve(), pathlib.Path(own))
        bench.own.chmod(0o755)
        suites = {name: suite.cases(bench) for name, suite in SUITES.items()}
        chosen = choose(suites, options.what)
        if options.list:
            print("\n".join(f"{case.key:<28} {case.title}" for case in chosen))
            return None
        prepare(suites, chosen, bench)
        measurement = Measurement(chosen)
        measurement.run(options.rounds, options.seconds, not options.quick, make_teller())
        return {"about": about(bench.build), "rounds": options.rounds, "seconds": options.seconds,
                "cases": measurement.results(), "failures": measurement.failures}


def positive(text):
    value = float(text)
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError("must be above 0 and at most 60")
    return value


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("what", nargs="*", help="suites (" + ", ".join(SUITES) + ") or cases, patterns as ws-* too; "
                                                "default: the main cases of all")
    parser.add_argument("--list", action="store_true", help="only name the cases")
    parser.add_argument("--rounds", type=int, help="how often each is measured (default: 5); 0: only counts")
    parser.add_argument("--seconds", type=positive, help="length of each measurement (default: 0.8)")
    parser.add_argument("--quick", action="store_true", help="one round of 0.5 s; no system calls and instructions")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the results there as well")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draw a chart there")
    parser.add_argument("--readme", action="store_true", help="put the results into README.md and its chart")
    parser.add_argument("--from", dest="source", type=pathlib.Path, metavar="FILE",
                        help="measure nothing: take the results that --json wrote")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-bench", help="a release build")
    options = parser.parse_args()
    rounds, seconds = (1, 0.5) if options.quick else (5, 0.8)
    options.rounds = rounds if options.rounds is None else options.rounds
    options.seconds = options.seconds or seconds
    if options.rounds < 0:
        parser.error("argument --rounds: must be 0 or more")
    return options


def write(result, options):
    print(report_text.write(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.svg:
        options.svg.write_text(report_svg.write(result))
    if options.readme:
        README.write_text(report_readme.replace(README.read_text(), result))
        CHART.write_text(report_svg.write(result))


def main():
    options = parse()
    raise_limits()
    try:
        result = json.loads(options.source.read_text()) if options.source else measure(options)
    except (Failure, OSError) as failure:
        sys.exit(f"bench: {failure}")
    if result is None:
        return
    write(result, options)
    for failure in result["failures"]:
        print(f"bench: {failure}", file=sys.stderr)
    sys.exit(1 if result["failures"] else 0)


if __name__ == "__main__":
    main()
