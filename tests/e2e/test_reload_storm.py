"""A storm of reloads under load: requests on connections that stay and on new ones, 200 WebSockets and 50 line clients, while
configuration and module files change all the time, some of them to what is wrong. Nobody may notice, and nothing may be left.
"""
import pathlib
import random
import re
import signal
import subprocess
import threading

import harness
from bounds import SLOW, WAIT_BOUND
from common import TEST_MODULES, wait_until
from raw import Raw
from reload_talk import generation, mapped_modules, reload, swap_module, wait_mapped
from test_flat_memory import status
from test_memory import is_sanitized
from ws_talk import connect

ROUNDS = 200 if SLOW == 1 and not is_sanitized() else 30
WEBSOCKETS = 200
LINES = 50
WARM = ROUNDS // 4
GROWTH = 8 * 1024 * 1024
SEED = 20


class Load(threading.Thread):
    """Asks again and again; each answer has to be a 200 with a text that one of the editions gives."""

    def __init__(self, addresses, keep):
        super().__init__(daemon=True)
        self.addresses, self.keep = addresses, keep
        self.ended = threading.Event()
        self.answers, self.problem = 0, None

    def run(self):
        raws = {}
        try:
            while not self.ended.is_set():
                for address, path in self.addresses:
                    raw = raws.pop(address, None) or Raw(address)
                    answer = raw.request(target=path)
                    assert answer.status == 200 and answer.text.split()[0] in ("one", "two", "hello"), answer
                    self.answers += 1
                    if self.keep and answer.get("Connection") != "close":
                        raws[address] = raw
                    else:
                        raw.close()
        except (AssertionError, OSError) as problem:
            self.problem = f"after {self.answers} answers: {problem!r}"

    def end(self):
        self.ended.set()
        self.join(WAIT_BOUND)
        assert self.problem is None, self.problem
        assert self.answers > 0


class Wrk:
    """wrk asks as fast as it can, on connections that stay; it counts what was not answered, and answers that are not 2xx."""

    problem = None

    def __init__(self, address, path):
        self.command = ["wrk", "-t1", "-c4", "-d1h", "--timeout", f"{int(WAIT_BOUND)}s", f"http://{address[0]}:{address[1]}{path}"]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        text, _ = self.process.communicate(timeout=WAIT_BOUND)
        assert "Socket errors" not in text and "Non-2xx" not in text, text
        count = re.search(r"(\d+) requests in", text)
        assert count and int(count[1]) > 0, text


class Storm:
    """The configuration as it is now: what is drawn changes one thing of it."""

    def __init__(self, modules):
        self.modules = modules
        self.random = random.Random(SEED)
        self.edition = "one"
        self.values = {"body": 1024, "threads": 2, "name": "n0", "loops": 1, "extra": False, "more": False, "fields": "all",
                       "line_end": "crlf", "queue": 100}

    def text(self, **wrong):
        values = {**self.values, "broken": "", "option": "", **wrong}
        extra = ", 127.0.0.1:{port_extra}" if values["extra"] else ""
        more = """
  more:
    listen: 127.0.0.1:{port_more}
    routes: [{path: /, module: hello}]""" if values["more"] else ""
        return f"""
daemon: {{modules: ["{self.modules}", "{harness.MODULES}"], generations: 1000, log: {{level: notice}}}}
servers:{more}
  web:
    listen: [127.0.0.1:{{port_web}}{extra}]
    loops: 2
    threads: {values["threads"]}
    queue: {values["queue"]}
    header_fields: {values["fields"]}
    limits: {{body: {values["body"]}B}}{values["broken"]}
    routes:
      - {{path: /stays, module: hello}}
      - {{path: /worker, module: remake, handler: worker, options: {{name: {values["name"]}{values["option"]}}}}}
      - {{path: /count, module: remake, handler: count}}
      - {{path: /talk, module: remake, handler: talk}}
      - {{path: /work, module: remake, handler: work}}
      - {{path: /echo, module: echo}}
  restarts:
    listen: 127.0.0.1:{{port_restarts}}
    loops: {values["loops"]}
    routes: [{{path: /, module: hello}}]
  lines:
    protocol: line
    listen: 127.0.0.1:{{port_lines}}
    line_end: {values["line_end"]}
    modules: [{{module: remake}}]
"""

    def swap(self):
        self.edition = "two" if self.edition == "one" else "one"
        swap_module(self.modules / "remake.so", pathlib.Path(TEST_MODULES) / f"remake_{self.edition}.so")

    def change(self, number):
        """The next text, and whether it is good."""
        kind = self.random.choice(["body", "threads", "name", "loops", "extra", "more", "fields", "queue", "swap", "swap", "wrong"])
        if kind == "wrong":
            return self.text(**self.random.choice([
                {"broken": "\n    nosuch: 1"}, {"option": ", fail: configure"}, {"option": ", fail: ready"},
                {"option": ", fail: start"}, {"option": ", fail: thread_start"}, {"threads": "many"}])), False
        if kind == "swap":
            self.swap()
        elif kind in ("extra", "more"):
            self.values[kind] = not self.values[kind]
        else:
            self.values[kind] = {"body": 1000 + number, "threads": 1 + number % 4, "name": f"n{number}", "queue": 100 + number,
                                 "loops": self.values["loops"] % 3 + 1, "fields": f"[host, x-{number}]"}[kind]
        return self.text(), True


def ask_all(ends, lines):
    """Every one of them answers, as it was opened: what was swapped since goes on for them."""
    for end, path in ends:
        end.text("x")
        end.answer = None
    for end, path in ends:
        wanted = "x" if path == "/echo" else "one it: x"
        assert end.message() == wanted, path
    for raw in lines:
        raw.send("y\r\n")
    for raw in lines:
        assert raw._line() == b"one it: y"


def test_nobody_notices_a_storm_of_reloads(tmp_path):
    modules = tmp_path / "modules"
    modules.mkdir()
    swap_module(modules / "remake.so", pathlib.Path(TEST_MODULES) / "remake_one.so")
    storm = Storm(modules)
    running = harness.Daemon(storm.text(), tmp_path)
    with running:
        ports = {name: ("127.0.0.1", int(running.fill_in(f"{{port_{name}}}"))) for name in ("web", "restarts", "lines")}
        mapped = mapped_modules(running)
        paths = ["/talk", "/work", "/echo"]
        ends = [(connect(running, paths[i % 3], server="web"), paths[i % 3]) for i in range(WEBSOCKETS)]
        lines = [Raw(ports["lines"]) for _ in range(LINES)]
        ask_all(ends, lines)
        web = [(ports["web"], path) for path in ("/stays", "/worker", "/count")]
        loads = [Load(web, True), Load(web, False), Load([(ports["restarts"], "/")], False),
                 Wrk(ports["web"], "/stays"), Wrk(ports["web"], "/worker")]
        for load in loads:
            load.start()
        good = bad = 0
        memory = 0
        for number in range(ROUNDS):
            text, is_good = storm.change(number)
            reload(running, text, "reloaded|nothing has changed" if is_good else "failed")
            good, bad = good + is_good, bad + (not is_good)
            if number == WARM:
                memory = status(running, "VmRSS")
            if number % (ROUNDS // 5) == 0:
                ask_all(ends, lines)
            assert not any(load.problem for load in loads), [load.problem for load in loads]
        for load in loads:
            load.end()
        ask_all(ends, lines)
        assert bad > 0 and good > bad
        if not is_sanitized() and SLOW == 1:
            wait_until(lambda: status(running, "VmRSS") < memory + GROWTH, f"memory as it was, {memory}")
        for end, _ in ends:
            end.close_and_wait()
        for raw in lines:
            raw.close()
        wait_mapped(running, mapped)
        assert generation(reload(running)) > ROUNDS // 2
