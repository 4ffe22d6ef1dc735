"""Measures a release build of retinued: how many requests or messages a second, and what each of them costs."""
import argparse
import pathlib
import tempfile

import http_bench
import hub_bench
import ws_bench
from measure import ROOT

TABLES = {"http": http_bench.run, "ws": ws_bench.run, "hub": hub_bench.run}


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__,
        epilog="http: requests to a handler on the loop and on workers. ws: WebSocket messages echoed, published to "
               "1,000 subscribers, and sent by the daemon's own clients; memory of idle connections. hub: messages and "
               "questions between servers, of 16 B to 1 MiB, with their latencies.")
    parser.add_argument("what", nargs="?", choices=TABLES, default="http", help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=5,
                        help="length of each run at full speed (default: %(default)s)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-bench", help="a release build")
    parser.add_argument("--quick", action="store_true", help="no system calls and instructions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rtn-bench-modules-") as own:
        TABLES[options.what](options.build.resolve(), own, options.seconds, options.quick)


if __name__ == "__main__":
    main()
