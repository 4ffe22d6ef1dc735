"""What an HTTP request costs: ours beside the floor and other servers, asked by wrk."""
import functools

from measure import Goal
from peers import PEERS, SITE, Floor, make_site
from server import Daemon
from wrk import Ask, WrkCase


def route(path, module, more=""):
    return f"routes: [{{path: {path}, module: {module}{more}}}]"


class Requests(WrkCase):
    """`lines` configure ours; `others` bear the same. One client counts instructions: with as many connections as are
    usual (Ask()) only, since others would tell the same."""

    def __init__(self, bench, key, title, ask, lines, others, goals=()):
        self.key, self.title, self.ask, self.goals = key, title, ask, goals
        if ask.connections != Ask.connections:
            self.counted = ()
        subjects = {"floor": Floor, "retinue": functools.partial(Daemon, lines=lines), **PEERS}
        self.subjects = {name: functools.partial(start, bench) for name, start in subjects.items()
                         if name in ("retinue", *others)}


def prepare(bench):
    bench.compile_module("worker")
    bench.compile("floor.c", "floor")
    make_site(bench.own / SITE)


def below(factor, other="floor"):
    """At most so many times what another takes."""
    return Goal("cpu_us", factor, of=other)


def cases(bench):
    everybody = ("floor", *PEERS)
    loop = ("threads: 0", route("/", "hello"))
    two, sixteen = ((f"threads: {threads}", route("/", "worker", ", handler: worker")) for threads in (2, 16))
    sleep = ("threads: 16", route("/", "worker", ", handler: sleep"))
    echo = ("threads: 0", route("/echo", "echo"))
    files = ("threads: 2", route('"/*"', "static", f", options: {{root: {bench.own / SITE}}}"))
    pool = Goal("cpu_us", 1.30, case="loop-64")
    case = functools.partial(Requests, bench)
    return [
        case("loop-1", "hello, 1 connection", Ask(connections=1), loop, everybody),
        case("loop-64", "hello, 64 connections", Ask(), loop, everybody,
             (below(1.10), Goal("calls", 2.05), Goal("instructions", 2500))),
        case("loop-512", "hello, 512 connections", Ask(connections=512), loop, everybody, (below(1.10),)),
        case("pool-1", "hello by 2 workers, 1 connection", Ask(connections=1), two, ()),
        case("pool-64", "hello by 2 workers, 64 connections", Ask(), two, (), (pool,)),
        case("pool-512", "hello by 2 workers, 512 connections", Ask(connections=512), two, ()),
        case("pool-64-16", "hello by 16 workers, 64 connections", Ask(), sixteen, (), (pool,)),
        case("pipelined", "hello, 16 in one write", Ask(burst=16), loop, everybody, (below(1.5),)),
        case("close", "hello, a connection each", Ask(close=True), loop, everybody, (below(1.05),)),
        case("echo", "1 KiB posted and echoed", Ask("/echo", body=1024), echo, ("floor",), (below(1.15),)),
        case("file", "file of 100 KiB", Ask("/file.bin"), files, everybody, (below(1.0, "nginx"),)),
        case("sleep", "5 ms asleep, 16 workers", Ask(), sleep, (),
             (Goal("per_second", 3120, least=True), Goal("cpu_us", 20))),
    ]
