"""Reloads of configurations drawn at random, good and bad ones, while everything that a server can have runs: requests on loops and
workers, data on connections, WebSockets in both directions, lines, messages, timers, tasks, threads of
modules; and while others ask the daemon what it does, and try reloads. Whoever stays notices nothing, and nothing is left.

RETINUE_SEED draws others.
"""
import contextlib
import os
import pathlib
import random
import threading

import harness
from bounds import SLOW, WAIT_BOUND
from common import TEST_MODULES, fields, wait_until
from raw import Closed, Raw
from reload_talk import control, reload, swap_module, wait_mapped
from ws_talk import connect

SEED = int(os.environ.get("RETINUE_SEED", "7"))
ROUNDS = int(os.environ.get("RETINUE_ROUNDS", "40" if SLOW == 1 else "15"))
SHOWN = ["status", "servers", "routes", "modules", "connections", "messages", "metrics", "status.json"]
EMPTY = """
daemon: {{modules: ["{modules}"], control: "{{tmp}}/control", log: {{level: notice}}}}
servers: {{last: {{listen: "127.0.0.1:{{port_last}}", routes: [{{path: /, status: 204}}]}}}}
"""


class Drawn:
    """What may be in the configuration, and a good or bad one made of it."""

    def __init__(self, modules):
        self.modules = modules
        self.random = random.Random(SEED)
        self.edition = "one"

    def maybe(self, *rows):
        return "".join(f"      - {{{row}}}\n" for row in rows if self.random.random() < 0.5)

    def number(self, most):
        return self.random.randint(1, most)

    def routes(self):
        drawn = self.random.choice
        return self.maybe(
            f"path: /talk, module: remake, handler: {drawn(['talk', 'work'])}, options: {{name: n{self.number(3)}}}, "
            f"limits: {{message: {self.number(4)}KiB}}",
            f"path: /ticks, module: remake, handler: count, options: {{tick: true, name: n{self.number(2)}}}",
            f"path: /storm, module: storm, handler: {drawn(['loop', 'serial', 'parallel'])}",
            f"path: /data, module: counter, handler: {drawn(['loop', 'worker'])}",
            f"path: /kept, module: counter, handler: loop, limits: {{body: {self.number(9)}KiB}}",
            f"path: /gone{self.number(3)}, status: 410")

    def clients(self):
        row = (f"{{url: 'ws://127.0.0.1:{{port_web}}/echo', module: remake, handler: talk, count: {self.number(3)}, "
               f"limits: {{message: {self.number(4)}KiB}}, options: {{name: out}}}}")
        return f"    clients: [{row}]\n" if self.number(3) > 1 else ""

    def text(self, **wrong):
        number = self.number
        wrong = {"key": "", "route": "", "more": "", "owner": True, **wrong}
        owner = self.random.choice(["back", "other"])
        return f"""
daemon: {{modules: ["{self.modules}", "{harness.MODULES}", "{TEST_MODULES}"], control: "{{tmp}}/control", generations: {number(4)},
         log: {{level: notice}}}}
servers:
  web:
    listen: [127.0.0.1:{{port_web}}{self.random.choice(["", ", 127.0.0.1:{port_extra}"])}]
    loops: 2
    threads: {number(4)}
    queue: {99 + number(9)}
    request_id: {self.random.choice(["none", "new"])}
    header_fields: {self.random.choice(["all", "[host]", "[host, x-a]"])}
    limits: {{body: {number(9)}KiB, header_count: {60 + number(9)}, connections: {999 + number(2)}}}
    access_log: {self.random.choice(["{to: none}", "{to: 'file:{tmp}/access'}", "{to: 'file:{tmp}/access', format: combined}"])}{wrong["key"]}
{self.clients()}    routes:
      - {{path: /stays, module: hello}}
      - {{path: /work, module: counter, handler: worker}}
      - {{path: /echo, module: echo}}
      - {{path: /same, module: ws_probe, handler: echo-serial, limits: {{message: {number(9)}KiB}}}}
{self.routes()}{wrong["route"]}
  lines:
    protocol: line
    listen: 127.0.0.1:{{port_lines}}
    limits: {{line: {number(4)}KiB}}
    modules: [{{module: remake, options: {{name: n{number(2)}}}}}]
  front:
    protocol: line
    listen: 127.0.0.1:{{port_front}}
    hub_capacity: {99 + number(9)}
    modules: [{{module: butler, handler: client, options: {{end: false}}}}]
""" + (f"""  {owner}:
    protocol: worker
    threads: {number(2)}
    modules: [{{module: butler, handler: server}}, {{module: butler, handler: offload, options: {{slow: {number(9)}ms}}}}]
""" if wrong["owner"] else "") + wrong["more"]

    def bad(self):
        def row(keys):
            return f"      - {{path: /bad, module: {keys}}}\n"

        return self.text(**self.random.choice([
            {"key": "\n    nosuch: 1"}, {"owner": False}, {"route": row("nosuch")}, {"route": row("storm")},
            *({"route": row(f"remake, handler: count, options: {{tick: true, fail: {step}}}")}
              for step in ("configure", "ready", "start", "thread_start")),
            {"more": "  taken:\n    listen: 127.0.0.1:{port_web}\n"},
            {"more": "  bad:\n    listen: 127.0.0.1:{port_bad}\n    routes: [{path: /, module: remake, handler: count, "
                     "options: {fail: start}}]\n"}]))

    def swap(self):
        self.edition = "two" if self.edition == "one" else "one"
        swap_module(self.modules / "remake.so", pathlib.Path(TEST_MODULES) / f"remake_{self.edition}.so")


class Work(threading.Thread):
    """Calls a function again and again."""

    ended = None  # an event, of all

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.rounds, self.problem = function, 0, None

    def run(self):
        try:
            while not self.ended.is_set():
                self.function()
                self.rounds += 1
        except Exception as problem:  # the test looks at it
            self.problem = f"{self.function.__name__}, after {self.rounds} rounds: {problem!r}"


class Users:
    """Everybody who is there meanwhile."""

    def __init__(self, running):
        self.running = running
        self.random = random.Random(SEED + 1)
        self.ended = Work.ended = threading.Event()
        self.web, self.lines, self.front = (("127.0.0.1", int(running.fill_in(f"{{port_{name}}}")))
                                            for name in ("web", "lines", "front"))
        self.stays = [connect(running, path, server="web") for path in ("/echo", "/same") for _ in range(3)]
        self.works = [Work(function) for function in (
            self.ask, self.ask, self.ask_many, self.talk, self.talk_to_what_stays, self.line, self.send, self.look, self.try_it)]

    def __enter__(self):
        for work in self.works:
            work.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        for work in self.works:
            work.join(WAIT_BOUND)
        for end in self.stays:
            end.raw.close()

    def check(self):
        problems = [work.problem for work in self.works if work.problem is not None]
        assert not problems, problems

    def ask(self):
        """What comes and goes is there or not; what stays is."""
        with Raw(self.web) as raw:
            for path in self.random.choices(["/stays", "/work", "/ticks", "/storm", "/data", "/kept", "/gone1"], k=8):
                answer = raw.request(target=path)
                assert answer.status in ((200,) if path in ("/stays", "/work") else (200, 404, 410)), (path, answer)
                if answer.get("Connection") == "close":
                    return

    def ask_many(self):
        """One after the other without waiting."""
        with Raw(self.web) as raw:
            raw.send("GET /stays HTTP/1.1\r\nHost: x\r\n\r\nGET /work HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
            with contextlib.suppress(Closed):
                for _ in range(8):
                    answer = raw.response()
                    assert answer.status == 200
                    if answer.get("Connection") == "close":
                        return

    def talk(self):
        """On a route that changes: may be closed."""
        with contextlib.suppress(AssertionError, OSError), connect(self.running, "/talk", server="web") as end:
            for _ in range(5):
                assert end.ask("x").endswith("x")

    def talk_to_what_stays(self):
        for end in self.stays:
            assert end.ask("x").endswith("x")

    def line(self):
        with contextlib.suppress(Closed, OSError), Raw(self.lines) as raw:
            for _ in range(5):
                raw.send("x\r\n")
                assert raw._line().endswith(b": x")

    def send(self):
        """Whoever has the words now."""
        with contextlib.suppress(Closed, OSError), Raw(self.front) as raw:
            for text in ("a", "slow b"):
                raw.send(f"{text}\r\n")
                assert f'"{text}"'.encode() in raw._line()

    def look(self):
        with Raw(os.path.join(self.running.tmp, "control")) as raw:
            assert raw.request(target=f"/{self.random.choice(SHOWN)}").status == 200

    def try_it(self):
        """The file may be good or bad just now."""
        with Raw(os.path.join(self.running.tmp, "control")) as raw:
            assert raw.request("POST", "/reload?dry_run=1", body=b"").status in (200, 422)


def alive(running):
    return control(running, "GET", "/status")[1]["generation"]["alive"]


def test_reloads_at_random(tmp_path):
    modules = tmp_path / "modules"
    modules.mkdir()
    drawn = Drawn(modules)
    swap_module(modules / "remake.so", pathlib.Path(TEST_MODULES) / "remake_one.so")
    running = harness.Daemon(drawn.text(), tmp_path)
    with running:
        with Users(running) as users:
            for _ in range(ROUNDS):
                if drawn.number(4) == 1:
                    drawn.swap()
                is_bad = drawn.number(4) == 1
                reload(running, drawn.bad() if is_bad else drawn.text(), "failed" if is_bad else "reloaded|nothing has changed")
                users.check()
            users.check()
        for work in users.works:
            assert not work.is_alive() and work.problem is None and work.rounds > 0, (work.function.__name__, work.problem)
        reload(running, EMPTY.format(modules=harness.MODULES), "reloaded")
        wait_until(lambda: alive(running) == 1, "all but the last generation to go")
        wait_mapped(running, 0)
        for match in running.log.find("stormed: (.*)"):
            storm = fields(match[1])
            assert (storm["begun"], storm["wrong"]) == (storm["ended"], "0")
