"""Reloads while clients are there: every kind of change, every way to fail, and what becomes of what was begun before.

The module remake says in all its answers of which edition it is, and what its instance is called; its file is swapped for one of
the other edition.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import threading
import time

import pytest

import harness
from bounds import WAIT_BOUND
from common import TEST_MODULES, Gate, is_listening, send_get, wait_until
from raw import Raw
from reload_talk import change_content, generation, mapped_modules, refused, reload, swap_module, wait_mapped, write
from ws_raw import CONTINUATION, PING, PONG, TEXT, frame
from ws_talk import connect

HOOKS = ["configure", "ready", "start", "thread_start", "quiesce", "thread_stop", "stop", "unload"]


class Site:
    """A daemon with a folder of modules of its own, in which remake is of edition one."""

    def __init__(self, daemon, tmp_path, servers, more=""):
        self.modules = tmp_path / "modules"
        self.modules.mkdir()
        self.module = self.modules / "remake.so"
        self.swap("one")
        self.more = more
        self.running = daemon(self.text(servers))

    def text(self, servers, more=None):
        more = self.more if more is None else more
        keys = f', {more}' if more else ""
        return f'daemon: {{modules: ["{self.modules}", "{harness.MODULES}", "{TEST_MODULES}"]{keys}}}\nservers:\n{servers}'

    def swap(self, edition):
        swap_module(self.module, pathlib.Path(TEST_MODULES) / f"remake_{edition}.so")

    def reload(self, servers, more=None, **options):
        return reload(self.running, self.text(servers, more), **options)

    def refused(self, servers):
        return refused(self.running, self.text(servers))

    def steps(self, name, edition="one"):
        """In their order; what several threads do, or several instances of the name, is there once."""
        return list(dict.fromkeys(match[1] for match in self.running.log.find(rf"remake {edition} {name}: ([a-z_]+)$")))


@pytest.fixture
def site(daemon, tmp_path):
    return lambda servers, more="": Site(daemon, tmp_path, servers, more)


def web(routes="", name="web", port="", keys="", listen=None):
    """A server with routes, a line each."""
    listen = listen or f"127.0.0.1:{{port{port}}}"
    lines = "".join(f"      - {{{route}}}\n" for route in routes.strip().splitlines())
    return f"  {name}:\n    listen: {listen}\n    threads: 2\n{keys}    routes:\n{lines or '      []'}"


def count(path="/count", name="it", more="", options=""):
    return f"path: {path}, module: remake, handler: count, options: {{name: {name}{options}}}{more}\n"


def talk(path="/talk", name="it", options=""):
    return f"path: {path}, module: remake, handler: talk, options: {{name: {name}{options}}}\n"


def say(end):
    """What a WebSocket is answered by: edition and name."""
    return end.ask("x").split(":")[0]


# Nothing, and how it is told


def test_a_reload_of_the_same_file_changes_nothing(site):
    place = site(web(count()))
    running = place.running
    assert running.get("/count").text == "one it 1 ticks=0\n"
    lines = reload(running)
    assert re.search("SIGHUP: nothing has changed; generation 1 stays in force", lines[-1])
    assert running.get("/count").text == "one it 2 ticks=0\n"
    assert place.steps("it") == ["configure", "ready", "start", "thread_start"]


def test_the_service_manager_is_told(site):
    running = site(web(count())).running
    reload(running, running.text.replace("/count", "/other"))
    running.notify_wait(r"^STATUS=.*generation 2")
    told = [message for message in running.notifications.messages]
    reloading = [i for i, message in enumerate(told) if message.startswith("RELOADING=1\nMONOTONIC_USEC=")]
    assert len(reloading) == 1 and int(told[reloading[0]].split("MONOTONIC_USEC=")[1]) > 0
    assert any(message.startswith("READY=1") for message in told[reloading[0]:])
    refused(running, "servers: [")
    wait_until(lambda: sum(message.startswith("RELOADING=1") for message in running.notifications.messages) == 2, "RELOADING")
    wait_until(lambda: sum(message.startswith("READY=1") for message in running.notifications.messages) == 3, "READY after a failure")


# Tuned live


def test_limits_change_on_connections_that_are_open(site):
    place = site(web(count() + "path: /echo, module: echo\n"))
    with place.running.raw() as raw, connect(place.running, "/echo") as end:
        assert raw.request("POST", "/echo", body=b"x" * 5000).status == 200
        assert end.ask("x" * 5000) == "x" * 5000
        place.reload(web(count() + "path: /echo, module: echo\n", keys="    limits: {body: 1KiB, message: 1KiB}\n"))
        assert raw.request("GET", "/count").status == 200
        assert raw.request("POST", "/echo", body=b"x" * 5000).status == 413
        assert end.ask("x" * 500) == "x" * 500
        end.text("x" * 5000)
        end.closed(1009)
    assert place.steps("it") == ["configure", "ready", "start", "thread_start"]


def test_a_limit_becomes_lower_while_a_frame_comes(site):
    """What had begun is allowed; nothing may follow it, however long it says it is."""
    place = site(web("path: /echo, module: echo\n"))
    for length in (1, 2 ** 40):
        place.reload(web("path: /echo, module: echo\n", keys="    limits: {message: 64KiB}\n"))
        with connect(place.running, "/echo") as end:
            whole = frame(TEXT, b"x" * 5000, fin=False)
            end.raw.send(frame(PING) + whole[:20])
            assert end.message(PONG) == b""
            place.reload(web("path: /echo, module: echo\n", keys="    limits: {message: 1KiB}\n"))
            end.raw.send(whole[20:] + frame(CONTINUATION, length=length, keep=0))
            end.closed(1009)


def test_more_threads_run_what_waits(site, tmp_path):
    gate = Gate(tmp_path)
    routes = f"path: /wait, module: remake, handler: wait, options: {{until: {gate}}}\n"
    place = site(web(routes).replace("threads: 2", "threads: 1"))
    running = place.running
    with running.raw() as one, running.raw() as other:
        send_get(one, "/wait")
        running.log_wait("remake one it: waits")
        send_get(other, "/wait")
        place.reload(web(routes))
        running.log_wait("remake one it: waits", count=2)
        gate.open()
        assert one.response().text == other.response().text == "one it 0 ticks=0\n"


def test_header_fields_levels_and_request_ids(site):
    routes = "path: \"/trace/{what}\", module: trace, handler: loop\n"
    place = site(web(routes))
    running = place.running
    with running.raw() as raw:
        assert raw.request("GET", "/trace/headers", [("User-Agent", "me")]).text == "hidden seen\n"
        place.reload(web(routes, keys="    header_fields: [host]\n    log_level: error\n    request_id: new\n"))
        assert raw.request("GET", "/trace/headers", [("User-Agent", "me")]).text == "hidden hidden\n"
        since = running.log.mark()
        assert raw.request("GET", "/trace/say").get("X-Request-Id")
        assert not running.log.find("trace: handles", since)
        place.reload(web(routes))
        assert raw.request("GET", "/trace/say").get("X-Request-Id") is None
        running.log_wait("trace: handles", since=since)


def test_the_level_of_the_daemon_is_the_level_of_its_servers(site):
    routes = "path: \"/trace/{what}\", module: trace, handler: loop\n"
    place = site(web(routes), 'log: {level: error}')
    write(place.running, place.text(web(routes), "log: {level: notice}"))
    place.running.signal(signal.SIGHUP)
    place.running.log_wait("SIGHUP: reloaded")
    assert place.running.get("/trace/say").status == 200
    place.running.log_wait("trace: handles")


def test_another_access_log(site, tmp_path):
    routes = "path: /, status: 204\n"
    log = tmp_path / "access"
    place = site(web(routes, keys="    access_log: {to: none}\n"))
    place.reload(web(routes, keys=f"    access_log: {{to: \"file:{log}\", flush: 10ms}}\n"))
    assert place.running.get("/?logged").status == 204
    wait_until(lambda: "GET /?logged" in log.read_text(encoding="utf-8"), "a line of the access log")
    place.reload(web(routes, keys="    access_log: {to: none}\n"))
    assert place.running.get("/?hidden").status == 204
    assert place.running.stop() == 0
    assert "hidden" not in log.read_text(encoding="utf-8")


def test_what_only_a_restart_of_the_daemon_changes_is_said(site):
    place = site(web(count()))
    lines = place.reload(web(count(name="other")), "log: {format: json}")
    assert any("daemon: log.format text -> json: needs a restart of the daemon" in line for line in lines)
    assert place.running.get("/count").text == "one other 1 ticks=0\n"


def test_what_is_in_use_needs_no_restart(site, tmp_path):
    first, second = (f"control: {tmp_path}/{name}, log: {{format: {form}}}" for name, form in (("one", "text"), ("two", "json")))
    place = site(web(count()), first)
    lines = "\n".join(place.reload(web(count()), second))
    assert f"daemon: control {tmp_path}/one -> {tmp_path}/two: needs a restart" in lines and "log.format text -> json: needs" in lines
    again = place.reload(web(count()), second)
    assert "nothing has changed; generation 2 stays in force" in again[-1] and "needs a restart" in "\n".join(again)
    back = place.reload(web(count()), first)
    assert generation(back) == 3 and "needs a restart" not in "\n".join(back)
    assert "needs a restart" not in "\n".join(place.reload(web(count()), first))


# Routes


def test_routes_come_go_and_stay(site):
    place = site(web(count("/stays", "stays") + count("/goes", "goes") + count("/changes", "before") + "path: /old, redirect: /a\n"))
    with place.running.raw() as raw:
        for path in ("/stays", "/goes", "/changes"):
            assert raw.request("GET", path).status == 200
        place.reload(web(count("/comes", "comes") + count("/changes", "after") + "path: /old, redirect: /b\n" + count("/stays", "stays")))
        assert raw.request("GET", "/stays").text == "one stays 2 ticks=0\n"
        assert raw.request("GET", "/goes").status == 404
        assert raw.request("GET", "/comes").text == "one comes 1 ticks=0\n"
        assert raw.request("GET", "/changes").text == "one after 1 ticks=0\n"
        assert raw.request("GET", "/old").get("Location") == "/b"
    for name in ("goes", "before"):
        place.running.log_wait(f"remake one {name}: unload")
        assert place.steps(name) == HOOKS
    assert place.steps("stays") == HOOKS[:4]


def test_a_request_in_flight_is_finished_by_what_it_began_with(site, tmp_path):
    gate = Gate(tmp_path)
    place = site(web(f"path: /wait, module: remake, handler: wait, options: {{name: before, until: {gate}}}\n"))
    running = place.running
    with running.raw() as raw:
        send_get(raw, "/wait")
        running.log_wait("remake one before: waits")
        place.swap("two")
        place.reload(web(count("/wait", "after")))
        assert running.get("/wait").text == "two after 1 ticks=0\n"
        assert "unload" not in place.steps("before")
        gate.open()
        assert raw.response().text == "one before 0 ticks=0\n"
        assert raw.request("GET", "/wait").text == "two after 2 ticks=0\n"
    running.log_wait("remake one before: unload")
    assert place.steps("before") == HOOKS[:4] + ["waits"] + HOOKS[4:]


def test_timers_of_what_stays_go_on_and_others_end(site):
    def ticks(name):
        return int(place.running.get(f"/{name}").text.split("=")[1])

    place = site(web(count("/stays", "stays", options=", tick: true") + count("/goes", "goes", options=", tick: true")))
    wait_until(lambda: ticks("stays") > 0, "ticks")
    place.reload(web(count("/stays", "stays", options=", tick: true")))
    place.running.log_wait("remake one goes: unload")
    assert [match[0] for match in place.running.log.find(r"timer ended")] == ["timer ended"]
    now = ticks("stays")
    wait_until(lambda: ticks("stays") > now, "more ticks")


# Modules


def test_a_swapped_module_serves_new_clients_and_leaves_old_sessions(site):
    place = site(web(talk() + count() + "path: /echo, module: echo\n"))
    running = place.running
    before = mapped_modules(running)
    old, echo = connect(running, "/talk"), connect(running, "/echo")
    assert say(old) == "one it"
    place.swap("two")
    lines = reload(running)
    assert any("/talk (module remake: new content)" in line and "1 WebSocket stays on generation 1" in line for line in lines)
    with connect(running, "/talk") as new:
        assert say(new) == "two it" and say(old) == "one it" and echo.ask("here") == "here"
        assert running.get("/count").text == "two it 1 ticks=0\n"
        wait_mapped(running, before + 1)
        old.close_and_wait()
        running.log_wait("remake one it: unload")
        wait_mapped(running, before)
        assert say(new) == "two it"
    echo.close_and_wait()
    assert place.steps("it", "two") == HOOKS[:4]


def test_a_swapped_module_of_a_line_server(site):
    def chat(more=""):
        return f"  chat:\n    protocol: line\n    listen: 127.0.0.1:{{port}}\n    modules: [{{module: remake, options: {{name: it{more}}}}}]\n"

    def line(raw, text):
        raw.send(f"{text}\r\n")
        return raw._line().decode()

    place = site(chat())
    with place.running.raw() as old:
        assert line(old, "a") == "one it: a"
        place.swap("two")
        lines = reload(place.running)
        assert any("module remake (new content); 1 line connection stays on generation 1" in text for text in lines)
        with place.running.raw() as new:
            assert line(new, "b") == "two it: b"
            assert line(old, "c") == "one it: c"
            place.reload(chat() + "    line_end: lf\n")
            assert line(old, "d") == "one it: d"
            with place.running.raw() as third:
                for raw in (new, third):
                    raw.send("e\r\n")
                    wait_until(lambda: raw.buffer.endswith(b"\n") or not raw._fill(), "a line")
                    assert raw.buffer == b"two it: e\n"
    place.running.log_wait("remake one it: unload")


def test_many_generations_leave_nothing_behind(site):
    place = site(web(talk() + count()))
    running = place.running
    for i in range(12):
        place.swap("two" if i % 2 == 0 else "one")
        assert generation(reload(running)) == i + 2
        with connect(running, "/talk") as end:
            assert say(end) == ("two it" if i % 2 == 0 else "one it")
    wait_mapped(running, 1)
    running.log_wait("unload", count=24)
    assert len(running.log.find("unload")) == 24 and len(running.log.find("configure")) == 26


# Addresses


def test_addresses_come_go_and_stay(site, tmp_path):
    path = tmp_path / "socket"
    place = site(web(count(), listen="[127.0.0.1:{port_stays}, 127.0.0.1:{port_goes}]"))
    running = place.running
    stays, goes, comes = (int(running.fill_in(f"{{port_{name}}}")) for name in ("stays", "goes", "comes"))
    kept = running.raw()
    gone = Raw(("127.0.0.1", goes))
    assert kept.request(target="/count").status == gone.request(target="/count").status == 200
    place.reload(web(count(), listen=f'[{{address: "unix:{path}", mode: 600}}, 127.0.0.1:{comes}, 127.0.0.1:{stays}]'))
    assert kept.request(target="/count").status == 200 and gone.request(target="/count").status == 200
    wait_until(lambda: not is_listening(goes), "nobody listens there any more")
    for address in (("127.0.0.1", comes), ("127.0.0.1", stays), str(path)):
        with Raw(address) as raw:
            assert raw.request(target="/count").status == 200
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    place.reload(web(count(), listen=f'[{{address: "unix:{path}", mode: 660}}, 127.0.0.1:{stays}]'))
    assert stat.S_IMODE(path.stat().st_mode) == 0o660 and is_listening(str(path))
    place.reload(web(count(), listen=f"127.0.0.1:{stays}"))
    wait_until(lambda: not path.exists(), "the socket file is gone")
    assert kept.request(target="/count").text.split()[2] == "8"


class Callers(threading.Thread):
    """Connects, asks, and hangs up, as fast as it can: nobody may be refused, and each gets an answer."""

    def __init__(self, address, path="/count"):
        super().__init__(daemon=True)
        self.address, self.path = address, path
        self.ended = threading.Event()
        self.answers, self.problem = [], None

    def run(self):
        try:
            while not self.ended.is_set():
                with Raw(self.address) as raw:
                    self.answers.append(raw.request(target=self.path).text)
        except (AssertionError, OSError) as problem:
            self.problem = problem

    def __enter__(self):
        self.start()
        self.more()
        return self

    def more(self, answer=""):
        """Waits for so much as one answer of that kind that is begun from now on."""
        seen = len(self.answers) + 1
        wait_until(lambda: self.problem or any(text.startswith(answer) for text in self.answers[seen:]), f"answers {answer}")
        assert self.problem is None, repr(self.problem)

    def __exit__(self, kind, *unused):
        self.ended.set()
        self.join(WAIT_BOUND)
        assert kind is not None or self.problem is None, repr(self.problem)


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "unix:{tmp}/socket"])
def test_nobody_is_refused_while_an_address_changes_hands(site, address):
    place = site(web(count(name="a"), "a", listen=address) + web(count(name="b"), "b", "_b"))
    running = place.running
    other = "127.0.0.1:{port_b}"
    target = running.unix("a") if address.startswith("unix") else ("127.0.0.1", running.port("a"))
    with Callers(target) as callers:
        for _ in range(3):
            place.reload(web(count(name="a"), "a", listen=other) + web(count(name="b"), "b", listen=address))
            callers.more("one b")
            place.reload(web(count(name="a"), "a", listen=address) + web(count(name="b"), "b", listen=other))
            callers.more("one a")


def test_nobody_is_refused_while_servers_are_restarted(site):
    """Other numbers of loops, and of sockets for them: 1, 3, 2, and without workers."""
    place = site(web(count()))
    running = place.running
    with Callers(("127.0.0.1", running.port())) as callers:
        for keys in ("loops: 3", "loops: 2", "loops: 2\n    queue: 5", "loops: 1"):
            lines = place.reload(web(count(), keys=f"    {keys}\n"))
            assert any(("restarted" if "queue" not in keys else "queue") in line for line in lines)
            callers.more("one it")
        place.reload(web(count()).replace("threads: 2", "threads: 0"))
        callers.more("one it")
    wait_until(lambda: len(running.log.find("remake one it: unload")) == 4, "the servers before have ended")
    assert [name for name in running.threads() if "loop" in name] == ["web/loop-0"]


def test_a_restart_closes_sessions_in_order(site):
    place = site(web(talk()))
    with connect(place.running, "/talk") as end:
        assert say(end) == "one it"
        place.reload(web(talk(), keys="    loops: 2\n"))
        end.closed(1001)
    with connect(place.running, "/talk") as end:
        assert say(end) == "one it"
    place.running.log_wait('server "web": stopped')


# Servers


def test_servers_come_and_go(site):
    place = site(web(count(name="a"), "a", "_a") + web(count(name="b"), "b", "_b"))
    running = place.running
    with running.raw("a") as stays, running.raw("b") as goes:
        assert stays.request(target="/count").status == goes.request(target="/count").status == 200
        gone = running.port("b")
        place.reload(web(count(name="c"), "c", "_c") + web(count(name="a"), "a", "_a"))
        assert stays.request(target="/count").text == "one a 2 ticks=0\n"
        assert running.get("/count", "c").text == "one c 1 ticks=0\n"
        running.log_wait('server "b": stopped')
        assert not is_listening(gone) and goes.closed() is not None or True
    assert place.steps("b") == HOOKS
    place.reload(web(count(name="b2"), "b", "_b") + web(count(name="a"), "a", "_a"))
    assert running.get("/count", "b").text == "one b2 1 ticks=0\n"
    assert running.stop() == 0
    assert place.steps("a") == HOOKS and place.steps("b2") == HOOKS and place.steps("c") == HOOKS


def test_a_server_that_was_stopped_stays_so_until_it_changes(site):
    jobs = web("path: \"/control/{what}/{server}\", module: control, handler: loop\n" + count(), "jobs", "_jobs")
    place = site(web(count(), "keep", "_keep") + jobs)
    running = place.running
    running.get("/control/stop/jobs", "jobs")
    running.log_wait('server "jobs": stopped')
    place.reload(web(count(name="other"), "keep", "_keep") + jobs)
    assert not is_listening(running.port("jobs"))
    place.reload(web(count(name="other"), "keep", "_keep") + web(count(name="again"), "jobs", "_jobs"))
    assert running.get("/count", "jobs").text == "one again 1 ticks=0\n"


# Failures


@pytest.fixture
def taken():
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        yield other.getsockname()[1]


GOOD = web(count() + talk(), "web") + web(count(name="second"), "second", "_second")
STARTING = r'retinued\.yaml:\d+:\d+: error: server "{}": route "/count": module remake: {} failed: \w'
FAILURES = {
    "syntax": ("  web: [", r"retinued\.yaml:\d+:\d+: error: "),
    "unknown key": (web(count(), keys="    thread: 1\n"), r'retinued\.yaml:6:5: error: server "web": unknown key "thread"'),
    "unknown module": (web("path: /, module: nosuch\n"), r'retinued\.yaml:\d+:\d+: error: module "nosuch"'),
    "unknown module of two servers": (web("path: /, module: nosuch\n") + web("path: /, module: nosuch\n", "new", "_new"),
                                      r'retinued\.yaml:\d+:\d+: error: module "nosuch"'),
    "unknown option": (web(count(options=", nosuch: 1")), r'retinued\.yaml:\d+:\d+: error: .*option.* "nosuch"'),
    "no module": (web("path: /, module: no_entry\n"), r"retinued\.yaml:\d+:\d+: error: module \"no_entry\""),
    "configure": (web(count(options=", fail: configure")), r"retinued\.yaml:\d+:\d+: error: .*told to fail"),
    "ready": (web(count(options=", fail: ready")), r"retinued\.yaml:\d+:\d+: error: .*told to fail"),
    "start": (web(count(name="bad", options=", fail: start")), STARTING.format("web", "start")),
    "thread_start": (web(count(name="bad", options=", fail: thread_start")), STARTING.format("web", "thread_start")),
    "start of a new server": (GOOD + web(count(name="bad", options=", fail: start"), "new", "_new"), STARTING.format("new", "start")),
    "thread_start of a new server": (GOOD + web(count(name="bad", options=", fail: thread_start"), "new", "_new"),
                                     STARTING.format("new", "thread_start")),
    "address": (web(count(), listen="[127.0.0.1:{port}, 127.0.0.1:TAKEN]"), r"retinued\.yaml:\d+:\d+: error: .*the address is in use"),
    "address of a new server": (GOOD + web(count(), "new", listen="127.0.0.1:TAKEN"), r"retinued\.yaml:\d+:\d+: error: .*the address is in use"),
    "wiring": (web(count()) + "    modules: [{module: wire_sender}]\n", r"retinued\.yaml:\d+:\d+: error: .*no server handles it"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_changes_nothing(site, taken, what):
    place = site(GOOD)
    running = place.running
    second = web(count(name="changed"), "second", "_second") if "GOOD" not in what else ""
    broken, told = FAILURES[what]
    broken = broken.replace("TAKEN", str(taken))
    with running.raw() as raw, connect(running, "/talk") as end:
        assert raw.request(target="/count").text == "one it 1 ticks=0\n" and say(end) == "one it"
        before = place.steps("it"), place.steps("second"), sorted(running.threads())
        said = place.refused(broken if "second" in broken else broken + second if broken.endswith("\n") else broken)
        assert re.search(told, said) and "memory" not in said and "log says why" not in said, said
        assert "the reload failed; generation 1 stays in force" in said
        assert raw.request(target="/count").text == "one it 2 ticks=0\n" and say(end) == "one it"
        assert running.get("/count", "second").text == "one second 1 ticks=0\n"
        wait_until(lambda: sorted(running.threads()) == before[2], "the threads of before")
        assert place.steps("second") == before[1]
        # The next one is as good as if nothing had been.
        lines = place.reload(GOOD.replace("name: second", "name: better"))
        assert generation(lines) == 2 and raw.request(target="/count").text == "one it 3 ticks=0\n" and say(end) == "one it"
        assert running.get("/count", "second").text == "one better 1 ticks=0\n"
    for name in ("bad", "changed"):
        steps = place.steps(name)
        assert steps.count("configure") == steps.count("unload") and steps.count("start") >= steps.count("stop")


def test_a_module_file_that_is_broken_changes_nothing(site):
    place = site(GOOD)
    running = place.running
    with connect(running, "/talk") as end:
        place.module.unlink()
        place.module.write_bytes(b"no module\n")
        assert "remake.so" in refused(running)
        assert say(end) == "one it" and running.get("/count").text == "one it 1 ticks=0\n"
        place.swap("two")
        reload(running)
        assert say(end) == "one it" and running.get("/count").text == "two it 1 ticks=0\n"


# Generations


def test_too_many_generations_are_ended(site):
    place = site(web(talk(name="n0") + count()), "generations: 2")
    ends = [connect(place.running, "/talk")]
    for i in range(1, 4):
        place.reload(web(talk(name=f"n{i}") + count()))
        ends.append(connect(place.running, "/talk"))
        assert say(ends[-1]) == f"one n{i}"
    ends[0].closed(1012)
    place.running.log_wait("remake one n0: unload")
    assert [say(end) for end in ends[1:]] == ["one n1", "one n2", "one n3"]


def test_generations_have_a_deadline(site):
    place = site(web(talk(name="n0") + "path: /echo, module: echo\n"), "generation_timeout: 100ms")
    with connect(place.running, "/talk") as old, connect(place.running, "/echo") as stays:
        place.reload(web(talk(name="n1") + "path: /echo, module: echo\n"))
        old.closed(1012)
        place.running.log_wait("remake one n0: unload")
        assert stays.ask("here") == "here"


# Watching


def test_changed_files_are_loaded_by_themselves(site):
    place = site(web(count()), "watch: true")
    running = place.running
    place.swap("two")
    running.log_wait("watch: reloaded: generation 2")
    assert running.get("/count").text == "two it 1 ticks=0\n"
    write(running, place.text(web(count(name="other"))))
    running.log_wait("watch: reloaded: generation 3")
    assert running.get("/count").text == "two other 1 ticks=0\n"
    write(running, place.text("  web: ["))
    running.log_wait("watch: the reload failed")
    write(running, place.text(web(count(name="third"))))
    running.log_wait("watch: reloaded: generation 4")
    write(running, place.text(web(count(name="last")), "watch: false"))
    running.log_wait("watch: reloaded: generation 5")
    since = running.log.mark()
    place.swap("one")
    time.sleep(0.5)
    assert not running.log.find("watch:", since)


def test_included_files_are_watched(site, tmp_path):
    folder = tmp_path / "conf.d"
    folder.mkdir()
    place = site(web(count()), f'watch: true, include: ["{folder}/*.yaml"]')
    running = place.running
    (folder / "more.yaml").write_text("servers:\n" + running.fill_in(web(count(name="more"), "more", "_more")), encoding="utf-8")
    running.log_wait("watch: reloaded: generation 2")
    running.log_wait('server "more": http on')
    with Raw(("127.0.0.1", int(running.fill_in("{port_more}")))) as raw:
        assert raw.request(target="/count").text == "one more 1 ticks=0\n"
    os.unlink(folder / "more.yaml")
    running.log_wait('server "more": stopped')


# Handlers that do not come back meanwhile


def waiting(gate, more="", name="it"):
    """A server with a handler that a worker is to be stuck in."""
    return web(f"path: /wait, module: remake, handler: wait, options: {{name: waits, until: {gate}}}, timeouts: {{handler: 300ms}}\n"
               + count(name=name) + more)


BROKEN = web(count(name="bad", options=", fail: start"), "second", "_second")
SECOND = web(count(name="second"), "second", "_second")
STUCK = r'web/worker-\d: route "/wait": module remake: handler wait'


@pytest.fixture
def stuck(site, tmp_path):
    """A site one of whose workers is in a handler until the gate opens, and the gate."""
    gate = Gate(tmp_path)
    place = site(waiting(gate) + SECOND)
    with place.running.raw() as raw:
        send_get(raw, "/wait")
        assert raw.response().status == 504
    place.running.log_wait('route "/wait": module remake: handler wait: has held')
    yield place, gate
    gate.open()


def test_a_failed_start_hook_waits_for_no_handler(stuck):
    """No thread was told of the new instances: those whose start was good are stopped at once."""
    place, gate = stuck
    said = place.refused(waiting(gate, count("/good", "good") + count("/bad", "bad", options=", fail: start")) + SECOND)
    assert re.search('route "/bad": module remake: start failed', said) and "taken back" not in said
    assert place.steps("good") == ["configure", "ready", "start", "stop", "unload"]
    place.reload(waiting(gate, count("/good", "better")) + SECOND)
    assert place.running.get("/good").text == "one better 1 ticks=0\n"


def test_taking_back_waits_for_a_stuck_handler_with_a_bound(stuck):
    """Threads have started what another server's failure takes back. What does not concern the server goes on."""
    place, gate = stuck
    running = place.running
    said = place.refused(waiting(gate, count("/good", "good")) + BROKEN)
    assert re.search(rf'server "web": what was begun is not taken back yet, which waits for {STUCK}; it takes no other reload before', said)
    assert "the reload failed; generation 1 stays in force" in said
    assert running.get("/count").text == "one it 1 ticks=0\n" and running.get("/good").status == 404
    assert "unload" not in place.steps("good")

    said = place.refused(waiting(gate, count("/good", "again")) + SECOND)
    assert re.search(rf'retinued\.yaml:\d+:\d+: error: server "web": a reload that failed is still being taken back, which waits for {STUCK}', said)
    assert "taken back" not in place.refused(waiting(gate) + BROKEN)
    place.reload(waiting(gate) + web(count(name="changed"), "second", "_second"))
    assert running.get("/count", "second").text == "one changed 1 ticks=0\n"

    gate.open()
    running.log_wait('server "web": the reload that failed has been taken back')
    assert place.steps("good")[-2:] == ["stop", "unload"]
    place.reload(waiting(gate, count("/good", "again")) + SECOND)
    assert running.get("/good").text == "one again 1 ticks=0\n"


def test_a_failed_thread_start_is_taken_back_with_the_same_bound(stuck):
    """Of its own server, whose worker may have started the others."""
    place, gate = stuck
    said = place.refused(waiting(gate, count("/good", "good") + count("/bad", "bad", options=", fail: thread_start")) + SECOND)
    assert re.search('route "/bad": module remake: thread_start failed', said)
    assert re.search(rf'server "web": what was begun is not taken back yet, which waits for {STUCK}', said)
    gate.open()
    place.running.log_wait('server "web": the reload that failed has been taken back')
    place.reload(waiting(gate, count("/good", "better")) + SECOND)
    assert place.running.get("/good").text == "one better 1 ticks=0\n"


def test_a_failed_start_hook_waits_for_no_instance_that_ends(stuck):
    """The stuck worker holds up the end of what reloads took away meanwhile, and of nothing else."""
    place, gate = stuck
    place.reload(waiting(gate, name="other") + SECOND)
    place.reload(waiting(gate, name="third") + SECOND)
    place.running.log_wait("remake one other: thread_stop")
    said = place.refused(waiting(gate, count("/bad", "bad", options=", fail: start"), "third") + SECOND)
    assert re.search('route "/bad": module remake: start failed', said) and "taken back" not in said
    assert "stop" not in place.steps("other")
    place.reload(waiting(gate, name="fourth") + SECOND)
    assert place.running.get("/count").text == "one fourth 1 ticks=0\n"
    gate.open()
    for name in ("it", "other", "third"):
        place.running.log_wait(f"remake one {name}: unload")
        assert place.steps(name)[-2:] == ["stop", "unload"]


@pytest.mark.parametrize("after", [SECOND, None], ids=["removed", "restarted"])
def test_a_server_goes_while_it_is_being_taken_back(stuck, after):
    place, gate = stuck
    running = place.running
    assert "is not taken back yet" in place.refused(waiting(gate, count("/good", "good")) + BROKEN)
    place.reload(after or waiting(gate).replace("    threads: 2\n", "    threads: 2\n    loops: 2\n") + SECOND)
    gate.open()
    running.log_wait('server "web": stopped')
    assert place.steps("good")[-2:] == ["stop", "unload"]
    place.reload(waiting(gate, count("/good", "again")) + SECOND)
    assert running.get("/good").text == "one again 1 ticks=0\n"


def test_a_stop_gives_up_what_is_being_taken_back(stuck):
    """With the handler, as without a reload."""
    place, gate = stuck
    running = place.running
    place.reload(waiting(gate) + SECOND, more="shutdown_timeout: 200ms")
    assert "is not taken back yet" in place.refused(waiting(gate, count("/good", "good")) + BROKEN)
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    running.log_wait(r'server "web": web/worker-\d is still in the handler of route "/wait"')


def test_a_stop_does_not_wait_for_what_is_being_taken_back(stuck):
    place, gate = stuck
    running = place.running
    assert "is not taken back yet" in place.refused(waiting(gate, count("/good", "good")) + BROKEN)
    running.signal(signal.SIGTERM)
    running.log_wait("stops")
    gate.open()
    assert running.wait() == 0


def gates(folder, *names):
    """Several of them."""
    for name in names:
        (folder / name).mkdir()
        yield Gate(folder / name)


LOOP_STUCK = r'web/loop-0: route "/wait": module remake: handler halt'


def on_loop(servers):
    """It is a loop that is to be stuck."""
    return servers.replace("handler: wait,", "handler: halt,", 1).replace(", timeouts: {handler: 300ms}", "", 1)


def hold_up_the_loop(place, raw):
    send_get(raw, "/wait")
    place.running.log_wait('route "/wait": module remake: handler halt: has held')


def test_a_reload_waits_for_a_stuck_loop_with_a_bound(site, tmp_path):
    """New instances are not even started; what does not concern the server goes on."""
    gate = Gate(tmp_path)
    place = site(on_loop(waiting(gate)) + SECOND)
    running = place.running
    with running.raw() as raw:
        hold_up_the_loop(place, raw)
        said = place.refused(on_loop(waiting(gate, count("/good", "good"))) + SECOND)
        assert re.search(rf'retinued\.yaml:\d+:\d+: error: server "web": does not come to what is to be begun, which waits for {LOOP_STUCK}', said)
        assert re.search(rf'server "web": what was begun is not taken back yet, which waits for {LOOP_STUCK}; it takes no other reload before', said)
        assert "the reload failed; generation 1 stays in force" in said

        said = place.refused(on_loop(waiting(gate, count("/good", "again"))) + SECOND)
        assert re.search(rf'server "web": a reload that failed is still being taken back, which waits for {LOOP_STUCK}', said)
        place.reload(on_loop(waiting(gate)) + web(count(name="changed"), "second", "_second"))
        assert running.get("/count", "second").text == "one changed 1 ticks=0\n"
        gate.open()
        assert raw.response().status == 200
    running.log_wait('server "web": the reload that failed has been taken back')
    running.log_wait("remake one good: unload")
    assert place.steps("good") == ["configure", "ready", "unload"]
    place.reload(on_loop(waiting(gate, count("/good", "last"))) + SECOND)
    assert running.get("/good").text == "one last 1 ticks=0\n"


def test_the_server_that_was_there_before_is_not_waited_for(stuck, tmp_path):
    """It has the same name, and a worker that is stuck as well."""
    place, _ = stuck
    (tmp_path / "new").mkdir()
    gate = Gate(tmp_path / "new")

    def after(more=""):
        return on_loop(waiting(gate, more)).replace("    threads: 2\n", "    threads: 2\n    loops: 2\n") + SECOND

    place.reload(after())
    with place.running.raw() as raw:
        hold_up_the_loop(place, raw)
        said = place.refused(after(count("/good", "good")))
        assert re.search(r'to what is to be begun, which waits for web/loop-\d: route "/wait": module remake: handler halt$', said, re.MULTILINE)
        gate.open()
        assert raw.response().status == 200


def test_only_one_of_the_loops_is_stuck(site, tmp_path):
    """The other one has started what is taken back."""
    gate = Gate(tmp_path)

    def both(more=""):
        return on_loop(waiting(gate, more)).replace("    threads: 2\n", "    threads: 2\n    loops: 2\n") + SECOND

    place = site(both())
    running = place.running
    with running.raw() as raw:
        hold_up_the_loop(place, raw)
        assert 'server "web": does not come to what is to be begun' in place.refused(both(count("/good", "good")))
        gate.open()
        assert raw.response().status == 200
    running.log_wait("remake one good: unload")
    place.reload(both(count("/good", "last")))
    assert running.get("/good").text == "one last 1 ticks=0\n"


def test_what_is_decided_waits_for_a_stuck_loop_with_the_same_bound(site, tmp_path):
    """It stands, while the loop of the one server begins a long handler."""
    first, second = gates(tmp_path, "first", "second")
    place = site(on_loop(waiting(second)) + SECOND)
    running = place.running
    held = web(count("/held", "held", options=f", hold: true, until: {first}"), "held", "_held")
    after = on_loop(waiting(second, count("/good", "good"))).replace(
        "listen: 127.0.0.1:{port}\n", "listen: [127.0.0.1:{port}, 127.0.0.1:{port_more}]\n") + SECOND
    write(running, place.text(after + held))
    running.signal(signal.SIGHUP)
    running.log_wait("remake one held: start")
    running.log_wait("remake one good: thread_start")
    with running.raw() as raw:
        hold_up_the_loop(place, raw)
        first.open()
        running.log_wait(rf'server "web": not all of it is done yet, which waits for {LOOP_STUCK}; it takes no other reload before')
        running.log_wait("SIGHUP: reloaded: generation 2 is in force")
        assert running.get("/held", "held").text == "one held 1 ticks=0\n"
        said = place.refused(after.replace("name: good", "name: better") + held)
        assert re.search(rf'server "web": a reload is still being carried out, which waits for {LOOP_STUCK}', said)
        second.open()
        assert raw.response().status == 200
    running.log_wait('server "web": all of the reload is done')
    assert running.get("/good").text == "one good 1 ticks=0\n"
    place.reload(after.replace("name: good", "name: better") + held)
    assert running.get("/good").text == "one better 1 ticks=0\n"


def test_a_handler_has_its_time_at_each_step(site, tmp_path):
    """It holds up what follows a long start hook for a moment, and the time of that is not its own."""
    first, second = gates(tmp_path, "first", "second")

    def both(more=""):
        return on_loop(waiting(second, more)).replace("    threads: 2\n", "    threads: 2\n    loops: 2\n") + SECOND

    place = site(both())
    running = place.running
    write(running, place.text(both(count("/good", "good", options=f", hold: true, until: {first}"))))
    running.signal(signal.SIGHUP)
    running.log_wait("remake one good: start")
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        while not running.log.find("remake one waits: waits"):  # loop 0 does not answer
            send_get(stack.enter_context(running.raw()), "/wait")
            time.sleep(0.05)
        time.sleep(max(0, began + 4 - time.monotonic()))
        first.open()
        time.sleep(2)
        second.open()
        running.log_wait("SIGHUP: (reloaded|the reload failed)")
    assert running.log.find("SIGHUP: reloaded")


def test_a_quiesce_hook_is_waited_for_with_the_same_bound(site, tmp_path):
    gate = Gate(tmp_path)
    place = site(web(count() + count("/old", "old", options=f", linger: true, until: {gate}")) + SECOND)
    said = "\n".join(place.reload(web(count()) + SECOND))
    stuck = 'web/loop-0: route "/old": module remake: quiesce'
    assert f'server "web": not all of it is done yet, which waits for {stuck}; it takes no other reload before' in said
    assert f'server "web": a reload is still being carried out, which waits for {stuck}' in place.refused(web(count(name="next")) + SECOND)
    gate.open()
    place.running.log_wait('server "web": all of the reload is done')
    place.reload(web(count(name="next")) + SECOND)


@pytest.mark.parametrize("whole", [False, True], ids=["server", "daemon"])
def test_a_server_ends_before_all_of_a_reload_is_done(site, tmp_path, whole):
    """Sockets that go are still to be closed when its loop comes back, which is the last that it does."""
    first, second = gates(tmp_path, "first", "second")
    before = on_loop(waiting(second)).replace("listen: 127.0.0.1:{port}\n", "listen: [127.0.0.1:{port}, 127.0.0.1:{port_more}]\n")
    held = SECOND + web(count("/held", "held", options=f", hold: true, until: {first}"), "held", "_held")
    place = site(before + SECOND, "shutdown_timeout: 200ms")
    running = place.running
    write(running, place.text(on_loop(waiting(second, count("/good", "good"))) + held))
    running.signal(signal.SIGHUP)
    running.log_wait("remake one held: start")
    running.log_wait("remake one good: thread_start")
    with running.raw() as raw:
        hold_up_the_loop(place, raw)
        first.open()
        running.log_wait("SIGHUP: reloaded: generation 2 is in force")
        if whole:
            running.signal(signal.SIGTERM)
        else:
            place.reload(held)
        running.log_wait('server "web": shutdown_timeout has passed: closes what is left')
        time.sleep(1)  # half of that passes before main waits for the thread
        second.open()
    running.log_wait('server "web": all of the reload is done')
    running.log_wait('server "web": stopped')
    if whole:
        assert running.wait() == 0


def test_who_waits_is_served_though_the_server_goes_before_all_is_done(site, tmp_path):
    """At an address that stays, while another one goes."""
    first, second = gates(tmp_path, "first", "second")
    before = on_loop(waiting(second)).replace("listen: 127.0.0.1:{port}\n", "listen: [127.0.0.1:{port}, 127.0.0.1:{port_more}]\n")
    held = SECOND + web(count("/held", "held", options=f", hold: true, until: {first}"), "held", "_held")
    place = site(before + SECOND)
    running = place.running
    write(running, place.text(on_loop(waiting(second, count("/good", "good"))) + held))
    running.signal(signal.SIGHUP)
    running.log_wait("remake one held: start")
    running.log_wait("remake one good: thread_start")
    with running.raw() as raw:
        hold_up_the_loop(place, raw)
        with running.raw() as waits:
            send_get(waits, "/count")
            first.open()
            running.log_wait("SIGHUP: reloaded: generation 2 is in force")
            place.reload(held)
            second.open()
            assert waits.response().status == 200


# Stopping meanwhile


def hold(gate):
    """A new server, whose start hook waits."""
    return web(count()) + web(count("/held", "held", options=f", hold: true, until: {gate}"), "held", "_held")


def test_a_stop_waits_for_the_reload(site, tmp_path):
    gate = Gate(tmp_path)
    place = site(web(count()))
    running = place.running
    write(running, place.text(hold(gate)))
    running.signal(signal.SIGHUP)
    running.log_wait("remake one held: start")
    running.signal(signal.SIGTERM)
    running.log_wait("SIGTERM: stops when the reload has come to its end")
    gate.open()
    assert running.wait() == 0
    assert place.steps("it") == HOOKS and place.steps("held")[-1] == "unload"
    assert running.log.find("the daemon stops")


def test_a_stop_does_not_wait_for_ever(site, tmp_path):
    place = site(web(count()), "shutdown_timeout: 200ms")
    running = place.running
    write(running, place.text(hold(Gate(tmp_path)), "shutdown_timeout: 200ms"))
    running.signal(signal.SIGHUP)
    running.log_wait("remake one held: start")
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    assert running.log.find("waits for the reload no longer")


def test_one_reload_after_the_other(site, tmp_path):
    """Main goes on while hooks wait, and what is asked for meanwhile is done afterwards, once."""
    gate = Gate(tmp_path)
    place = site(web(count()))
    running = place.running
    write(running, place.text(hold(gate)))
    running.signal(signal.SIGHUP)
    running.log_wait("remake one held: start")
    write(running, place.text(web(count(name="last"))))
    for _ in range(3):
        running.signal(signal.SIGHUP)
        running.signal(signal.SIGUSR1)
        time.sleep(0.02)
    assert running.get("/count").text == "one it 1 ticks=0\n"
    gate.open()
    running.log_wait("SIGHUP: reloaded: generation 3")
    assert running.get("/count").text == "one last 1 ticks=0\n"
    assert len(running.log.find("SIGHUP: reloaded")) == 2


# Messages


def butler(name, threads=1, module="butler"):
    return f"""  front:
    protocol: line
    listen: 127.0.0.1:{{port}}
    threads: 0
    modules: [{{module: butler, handler: client, options: {{end: false}}}}]
  {name}:
    protocol: worker
    threads: {threads}
    modules:
      - {{module: {module}, handler: server}}
      - {{module: {module}, handler: offload, options: {{slow: 1ms}}}}
"""


def test_messages_go_on_to_whoever_takes_them_now(site):
    """Another server, a restarted one, another module file: who sends notices nothing."""
    place = site(butler("back"))
    shutil.copy(pathlib.Path(harness.MODULES) / "butler.so", place.modules)
    running = place.running

    def ask(raw, text):
        raw.send(f"{text}\r\n")
        return raw._line().decode()

    with running.raw("front") as raw:
        assert ask(raw, "a") == 'Handled: "a" (request 1).'
        for text in (butler("other"), butler("other", threads=2), butler("back"), butler("back")):
            for word in ("plain", "slow work"):
                assert word in ask(raw, word)
            place.reload(text)
            assert 'Handled: "b"' in ask(raw, "b")
            assert 'Done: "slow c"' in ask(raw, "slow c")
        change_content(place.modules / "butler.so")
        lines = reload(running)
        assert any("module butler (new content)" in line for line in lines)
        assert 'Handled: "d"' in ask(raw, "d")
        with running.raw("front") as new:
            assert 'Handled: "e"' in ask(new, "e") and 'Handled: "f"' in ask(raw, "f")
