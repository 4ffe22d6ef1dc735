"""What many routes cost: the same requests, with their routes among 1,000 and with one route alone."""
import functools

from measure import Goal
from server import Daemon
from wrk import Ask, WrkCase

COUNT = 333  # of each kind
ASKED = 166  # what is asked is in the middle

# kind of route: its path, number %d, and what is asked of number ASKED
KINDS = {
    "exact": ("/pages/%d/index", f"/pages/{ASKED}/index"),
    "pattern": ("/people/{name}/list%d", f"/people/anybody/list{ASKED}"),
    "prefix": ("/files/%d/*", f"/files/{ASKED}/a.txt"),
}


def routes(kinds, numbers):
    rows = (f"  - {{path: \"{KINDS[kind][0] % number}\", module: hello}}" for number in numbers for kind in kinds)
    return ("threads: 0", "routes:", *rows)


class Routes(WrkCase):
    counted = ("retinue", "one route")

    def __init__(self, bench, kind, main=False):
        self.key, self.title, self.main = f"routes-{kind}", f"1,000 routes, {kind}", main
        self.goals = (Goal("cpu_us", 1.05, of="one route"), Goal("instructions", 1.05, of="one route"))
        self.ask = Ask(KINDS[kind][1])
        many = (*routes(KINDS, range(COUNT)), "  - {path: /, module: hello}")
        self.subjects = {"one route": functools.partial(Daemon, bench, lines=routes([kind], [ASKED])),
                         "retinue": functools.partial(Daemon, bench, lines=many)}


def prepare(_):
    """What is measured comes with the daemon."""


def cases(bench):
    return [Routes(bench, "exact"), Routes(bench, "pattern", main=True), Routes(bench, "prefix")]
