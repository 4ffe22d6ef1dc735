"""One server stops and the others go on: who may ask for it and when, what is finished, and what is left afterwards."""
import errno
import os
import signal
import socket
import threading
import time

import pytest

from bounds import SLOW, WAIT_BOUND
from common import Gate, fields, is_listening, send_get, wait_until, with_test_modules
from raw import Closed
from ws_talk import connect

HOOKS = ["configure", "ready", "start", "quiesce", "thread_stop", "stop", "unload"]


def control(name, route="/control/{what}/{server}", handler="loop", **options):
    options = "".join(f", {key}: {value}" for key, value in options.items())
    return f'{{path: "{route}", module: control, handler: {handler}, options: {{name: {name}{options}}}}}'


def server(name, *routes, more=""):
    listed = "".join(f"      - {route}\n" for route in routes)
    return f"  {name}:\n    listen: 127.0.0.1:0\n{more}    routes:\n{listed}"


def config(*servers, timeout="1m"):
    return with_test_modules("".join(servers), f"shutdown_timeout: {timeout}")


def keeper(handler="loop", **options):
    """The server that is asked to stop others."""
    return server("keep", control("keep", handler=handler, **options), "{path: /, module: hello}")


def ask(running, what, at="keep"):
    """What control answers: the result and the thread."""
    response = running.get(f"/control/{what}", at)
    assert response.status == 200
    result, _, thread = response.text.strip().partition(" ")
    return int(result), thread


def stopped(running, name, since=0):
    running.log_wait(f'server "{name}": stopped$', since=since)


def hooks(running, name):
    """The hooks of an instance of control in their order, thread_stop once for however many threads."""
    steps = [match[1] for match in running.log.find(rf"control {name}: (\w+) on ")]
    return [step for n, step in enumerate(steps) if step != "thread_stop" or steps[n - 1] != step]


def bind_again(port):
    """As a server that is started anew does."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen(1)


# Others go on


class Load:
    """Clients that ask all the time: those of even number on one connection, the others on a new one for each request."""

    def __init__(self, running, servers, count=6):
        self.running = running
        self.servers = servers
        self.answers = [0] * count
        self.errors = []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_more(20)
        return self

    def __exit__(self, *unused):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def _run(self, n):
        try:
            with self.running.raw(self.servers[n % len(self.servers)]) as kept:
                while not self.ending.is_set():
                    self._once(n, kept)
                    self.answers[n] += 1
        except (OSError, AssertionError) as error:
            self.errors.append(f"client {n}: {error!r}")

    def _once(self, n, kept):
        if n % 2:
            assert self.running.get("/", self.servers[n % len(self.servers)]).status == 200
        else:
            response = kept.request()
            assert response.status == 200 and response.get("Connection") is None

    def wait_more(self, count):
        """Until every client has had so many more answers."""
        goal = [answers + count for answers in self.answers]
        wait_until(lambda: self.errors or all(map(int.__ge__, self.answers, goal)), "answers to every client")
        assert not self.errors


def test_others_serve_without_an_error_while_one_stops(daemon):
    running = daemon(config(
        keeper(),
        server("web", "{path: /, module: slow, handler: slow, options: {sleep: 0}}", more="    loops: 2\n"),
        server("jobs", control("jobs", "/worker/{what}/{server}", "worker"), "{path: /, module: hello}",
               more='    loops: 2\n').replace("127.0.0.1:0", '[127.0.0.1:0, "unix:{tmp}/jobs.sock"]', 1)))
    with running.raw("jobs") as raw:
        assert raw.request(target="/worker/stopping/x").text == "0\n"
    port, path = running.port("jobs"), running.unix("jobs")
    idle = running.raw("jobs")
    assert idle.request().status == 200
    with Load(running, ["keep", "web"]) as load:
        assert ask(running, "stop/jobs")[0] == 0
        stopped(running, "jobs")
        assert idle.closed() and not is_listening(port) and not is_listening(path)
        bind_again(port)
        load.wait_more(20)
    assert load.errors == []
    # All hooks have run, each once; nothing of it is left but what the daemon shares.
    assert hooks(running, "jobs") == HOOKS
    assert not any(name.startswith("jobs/") for name in running.threads())
    idle.close()
    assert running.stop() == 0
    assert running.left_behind == []
    assert hooks(running, "jobs") == HOOKS and hooks(running, "keep") == HOOKS
    assert len(running.log.find('server "jobs": stopped')) == 1


def test_many_servers_stop_one_after_the_other_under_load(daemon):
    names = [f"s{n}" for n in range(8)]
    running = daemon(config(keeper("worker"), *(server(name, control(name), "{path: /, module: hello}") for name in names)))
    with Load(running, ["keep"]) as load:
        for name in names:
            assert ask(running, f"stop/{name}")[0] == 0
        for name in names:
            stopped(running, name)
            assert hooks(running, name) == HOOKS
        load.wait_more(20)
    assert load.errors == []


def test_clients_of_the_stopped_server_lose_no_answer(daemon):
    """Under load it refuses new clients and closes idle ones, but what it has begun to answer is whole."""
    running = daemon(config(keeper(), server("web", "{path: /, module: hello}", more="    loops: 2\n")))
    port, whole, broken = running.port("web"), [0] * 8, []

    def hammer(n):
        while True:
            try:
                with running.raw("web") as raw:
                    for _ in range(20):
                        assert raw.request().status == 200
                        whole[n] += 1
            except Closed as error:
                # Between two answers: nothing of one may have come.
                if raw.buffer:
                    broken.append(repr(error))
            except ConnectionRefusedError:
                return
            except ConnectionError:
                continue

    threads = [threading.Thread(target=hammer, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: min(whole) > 20, "answers to every client")
    assert ask(running, "stop/web")[0] == 0
    for thread in threads:
        thread.join(WAIT_BOUND)
        assert not thread.is_alive()
    stopped(running, "web")
    assert broken == [] and not is_listening(port)


# Who asks


@pytest.mark.parametrize("handler", ["loop", "worker"])
def test_a_handler_stops_another_server(daemon, handler):
    running = daemon(config(keeper(handler), server("jobs", control("jobs"))))
    result, thread = ask(running, "stop/jobs")
    assert result == 0 and thread.startswith(f"keep/{handler}-0")
    stopped(running, "jobs")
    running.log_wait('server "jobs": stops, server "keep" asks; waits up to 1m for what runs$')
    assert running.get("/", "keep").status == 200


@pytest.mark.parametrize("handler", ["loop", "worker"])
def test_a_handler_stops_its_own_server_in_the_middle_of_a_request(daemon, handler):
    """It goes on until it is told to come to an end, and its reply is sent."""
    running = daemon(config(keeper(), server("jobs", control("jobs", handler=handler))))
    with running.raw("jobs") as raw:
        send_get(raw, "/control/wait/jobs")
        assert raw.response().text == f"0 jobs/{handler}-0\n"
        assert raw.closed()
    stopped(running, "jobs")
    assert hooks(running, "jobs") == HOOKS
    assert running.get("/", "keep").status == 200


def test_a_thread_that_the_daemon_does_not_know_stops_a_server(daemon):
    running = daemon(config(keeper("worker"), server("jobs", control("jobs"))))
    assert running.get("/control/thread/jobs", "keep").text == "joined\n"
    running.log_wait("control: a thread stops jobs: 0 stopping=0")
    running.log_wait('server "jobs": stops, a module asks; ')
    stopped(running, "jobs")
    assert running.get("/", "keep").status == 200


def test_names_that_are_not_there_and_servers_that_have_stopped(daemon):
    running = daemon(config(keeper(), server("jobs", control("jobs"))))
    for name in ("nobody", "job", "jobss", "JOBS"):
        assert ask(running, f"stop/{name}")[0] == -errno.ENOENT
    for _ in range(3):
        assert ask(running, "stop/jobs")[0] == 0
    stopped(running, "jobs")
    assert ask(running, "stop/jobs")[0] == 0
    assert running.get("/control/stopping/x", "keep").text == "0\n"
    assert len(running.log.find('server "jobs": stops, ')) == 1
    assert hooks(running, "jobs") == HOOKS


@pytest.mark.parametrize("place", ["configure", "ready", "start", "quiesce", "thread_stop", "stop", "unload"])
def test_every_hook_may_stop_a_server(daemon, place):
    """One of `first` stops `second`: the early ones before the daemon is ready, the late ones while `first` stops itself."""
    running = daemon(config(keeper(), server("first", control("first", server="second", at=place)),
                            server("second", control("second"))))
    if place in ("quiesce", "thread_stop", "stop", "unload"):
        assert ask(running, "stop/first")[0] == 0
        stopped(running, "first")
    running.log_wait("control first: stopping second: 0$")
    stopped(running, "second")
    assert hooks(running, "second") == HOOKS
    assert running.get("/", "keep").status == 200


@pytest.mark.parametrize("place", HOOKS)
def test_every_hook_may_stop_its_own_server(daemon, place):
    running = daemon(config(keeper(), server("jobs", control("jobs", server="jobs", at=place))))
    assert ask(running, "stop/jobs")[0] == 0
    stopped(running, "jobs")
    running.log_wait("control jobs: stopping jobs: 0$")
    assert hooks(running, "jobs") == HOOKS
    assert running.get("/", "keep").status == 200


@pytest.mark.parametrize("what", ['"*"', "jobs", "keep"])
@pytest.mark.parametrize("place", ["quiesce", "thread_stop", "stop", "unload"])
def test_stops_that_are_asked_for_while_the_daemon_stops_change_nothing(daemon, place, what):
    running = daemon(config(keeper(server=what, at=place), server("jobs", control("jobs"))))
    assert running.stop() == 0
    running.log.wait(r"control keep: stopping \S+: 0$")
    assert hooks(running, "keep") == HOOKS and hooks(running, "jobs") == HOOKS


@pytest.mark.parametrize("place", ["configure", "ready", "start"])
def test_a_daemon_that_is_shut_down_before_it_is_ready_ends_with_0(daemon, place):
    running = daemon(config(server("jobs", control("jobs", at=place))), wait=False)
    assert running.wait() == 0
    assert hooks(running, "jobs") == HOOKS
    running.log.wait("asks: stops; waits up to 1m")


def test_a_start_that_fails_after_a_stop_was_asked_for(daemon):
    running = daemon(config(server("jobs", control("jobs", server="jobs", at="start")),
                            server("bad", "{path: /, module: lifecycle, handler: loop, options: {fail: start}}")), wait=False)
    assert running.wait() == 1
    assert hooks(running, "jobs") == [hook for hook in HOOKS if hook != "quiesce"]


def test_checking_a_configuration_stops_nothing(retinued):
    for place in ("configure", "ready"):
        result = retinued("-n", text=config(server("jobs", control("jobs", at=place)),
                                            server("more", control("more", server="jobs", at=place))))
        assert result.returncode == 0 and "good: 2 servers" in result.stdout


# The end of the daemon


@pytest.mark.parametrize("handler", ["loop", "worker"])
def test_rtn_shutdown_is_what_sigterm_does(daemon, handler):
    running = daemon(config(keeper(handler), server("jobs", control("jobs"))))
    assert ask(running, "stop/*")[0] == 0
    assert running.wait() == 0
    running.log.wait('server "keep" asks: stops; waits up to 1m for what runs$')
    assert any(message.startswith("STOPPING=1\n") for message in running.notifications.messages)
    assert hooks(running, "keep") == HOOKS and hooks(running, "jobs") == HOOKS


def test_a_thread_shuts_the_daemon_down(daemon):
    running = daemon(config(keeper("worker")))
    assert running.get("/control/thread/*", "keep").text == "joined\n"
    assert running.wait() == 0
    running.log.wait("a module asks: stops; ")


def test_with_the_last_server_the_daemon_ends(daemon):
    running = daemon(config(keeper(), server("jobs", control("jobs"))))
    assert ask(running, "stop/jobs")[0] == 0
    stopped(running, "jobs")
    assert ask(running, "stop/keep")[0] == 0
    assert running.wait() == 0
    running.log.wait("no server is left: stops; ")
    assert hooks(running, "keep") == HOOKS
    assert any(message.startswith("STOPPING=1\n") for message in running.notifications.messages)


def test_two_servers_stop_at_once_and_with_them_the_daemon(daemon):
    running = daemon(config(keeper("worker"), server("jobs", control("jobs", handler="worker"))))
    clients = [(running.raw(name), name) for name in ("jobs", "keep")]
    for raw, name in clients:
        send_get(raw, f"/control/wait/{name}")
    for raw, name in clients:
        assert raw.response().text == f"0 {name}/worker-0\n"
        raw.close()
    assert running.wait() == 0
    assert hooks(running, "keep") == HOOKS and hooks(running, "jobs") == HOOKS


# What is finished


def slow_server(name="jobs", **options):
    options = ", ".join(f"{key}: {value}" for key, value in options.items())
    return server(name, f"{{path: /, module: slow, handler: slow, options: {{{options}}}}}", control(name))


def begin_slow(running, name="jobs"):
    since = running.log.mark()
    raw = running.raw(name)
    send_get(raw)
    running.log_wait("slow: begins", since=since)
    return raw


def test_a_long_request_is_finished(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config(keeper(), slow_server(until=gate)))
    raw, port = begin_slow(running), running.port("jobs")
    assert ask(running, "stop/jobs")[0] == 0
    wait_until(lambda: not is_listening(port), "the port to be closed")
    running.notify_wait(r"^STATUS=serving keep 127\.0\.0\.1:\d+; stopping jobs 127\.0\.0\.1:\d+$")
    assert raw.silent(0.01) and running.get("/control/stopping/x", "keep").text == "0\n"
    gate.open()
    response = raw.response()
    # Threads of the server see that it stops; those of others do not.
    assert response.status == 200 and fields(response.text)["stopping"] == "1" and response.get("Connection") == "close"
    assert running.get("/control/stopping/x", "keep").text == "0\n"
    raw.close()
    stopped(running, "jobs")
    running.notify_wait(r"^STATUS=serving keep 127\.0\.0\.1:\d+$")
    assert hooks(running, "jobs") == HOOKS


def test_a_handler_that_suspends_wakes_up_when_its_server_stops(daemon):
    running = daemon(config(keeper(), slow_server(sleep="10m", block="true"), slow_server("other", sleep="10m", block="true")))
    raw, other = begin_slow(running), begin_slow(running, "other")
    assert ask(running, "stop/jobs")[0] == 0
    assert fields(raw.response().text)["stopping"] == "1"
    stopped(running, "jobs")
    assert other.silent(0.05)
    assert running.stop() == 0
    assert fields(other.response().text)["stopping"] == "1"
    raw.close()
    other.close()


def test_websockets_of_the_stopped_server_are_told_1001_and_others_go_on(daemon):
    probes = "{path: /ws, module: ws_probe, handler: echo-parallel}"
    running = daemon(config(keeper(), server("push", probes, control("push"), more="    loops: 2\n"), server("chat", probes)))
    told = [connect(running, "/ws", server="push") for _ in range(20)]
    stays = connect(running, "/ws", server="chat")
    assert ask(running, "stop/push")[0] == 0
    for end in told:
        assert end.closing()[0] == 1001
        end.close(1001)
        assert end.ended()
        end.raw.close()
    stopped(running, "push")
    stays.who()
    stays.raw.close()


@pytest.mark.parametrize("all_stop", [False, True])
def test_a_task_is_finished_although_there_are_no_connections(daemon, tmp_path, all_stop):
    """For longer than threads are given to end, and main hears signals meanwhile."""
    gate = Gate(tmp_path)
    running = daemon(config(keeper(), server("jobs", control("jobs", until=gate))))
    assert ask(running, "task/x", "jobs")[0] == 0 and ask(running, "timer/x", "jobs")[0] == 0
    running.log_wait("control jobs: task begins")
    assert ask(running, f"stop/{'*' if all_stop else 'jobs'}")[0] == 0
    running.log_wait("control jobs: timer ended")
    # The threads of a server get two seconds when nothing runs.
    assert not running.log.find("control jobs: task done") and running.process.poll() is None
    time.sleep(2.5)
    running.signal(signal.SIGHUP)
    running.log_wait("SIGHUP: ")
    assert not running.log.find("left behind|shutdown_timeout")
    gate.open()
    running.log_wait('control jobs: task done: 1 on "jobs/loop-0"')
    stopped(running, "jobs")
    assert (running.wait() if all_stop else running.stop()) == 0
    assert hooks(running, "jobs") == HOOKS


def test_a_task_that_does_not_end_is_left_behind_after_shutdown_timeout(daemon, tmp_path):
    running = daemon(config(keeper(), server("jobs", control("jobs", until=Gate(tmp_path))), timeout="200ms"))
    assert ask(running, "task/x", "jobs")[0] == 0
    running.log_wait("control jobs: task begins")
    assert ask(running, "stop/jobs")[0] == 0
    running.log_wait('server "jobs": shutdown_timeout has passed: waits for workers no longer')
    running.log_wait('server "jobs": jobs/worker-0 is still in the handler of .*; it is left behind$')
    assert running.get("/", "keep").status == 200
    assert running.stop() == 0


def test_what_takes_longer_than_shutdown_timeout_is_cut(daemon):
    running = daemon(config(keeper(), server("jobs", control("jobs"), "{path: /, module: hello}"), timeout="200ms"))
    with running.raw("jobs") as raw:
        raw.send("GET / HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\n")
        assert raw.response().status == 200  # so what came with it has been read
        assert ask(running, "stop/jobs")[0] == 0
        running.log_wait('server "jobs": shutdown_timeout has passed: closes what is left')
        assert raw.closed()
    stopped(running, "jobs")
    assert running.get("/", "keep").status == 200


# What does not come back


def test_a_handler_that_does_not_come_back_is_named_and_left_behind(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config(keeper(), slow_server(until=gate), server("more", control("more"), "{path: /, module: hello}"), timeout="200ms"))
    raw, port = begin_slow(running), running.port("jobs")
    assert ask(running, "stop/jobs")[0] == 0
    running.log_wait(r'server "jobs": jobs/worker-0 is still in the handler of route "/"')
    running.notify_wait(r"^STATUS=serving keep \S+, more \S+; stopping jobs")
    assert not is_listening(port)
    # Others go on, and can be stopped as well.
    with Load(running, ["keep", "more"]) as load:
        load.wait_more(10)
    assert load.errors == [] and ask(running, "stop/more")[0] == 0 and ask(running, "stop/jobs")[0] == 0
    stopped(running, "more")
    assert running.stop(20 * SLOW) == 0
    assert running.log.find("goodbye$") and not running.log.find('server "jobs": stopped')
    assert "unload" not in hooks(running, "jobs") and hooks(running, "keep")[-2:] == ["thread_stop", "stop"]
    raw.close()


@pytest.mark.parametrize("stays", [False, True])
def test_a_handler_that_comes_back_after_it_was_left_behind(daemon, tmp_path, stays):
    """The stop of its server goes on, or is made up for when the daemon stops; all hooks run."""
    gate = Gate(tmp_path)
    running = daemon(config(keeper(), slow_server(until=gate), timeout="50ms"))
    raw = begin_slow(running)
    assert ask(running, "stop/jobs")[0] == 0
    running.log_wait(r'server "jobs": jobs/worker-0 is still in the handler of route "/"')
    gate.open()
    if stays:
        stopped(running, "jobs")
        assert running.get("/", "keep").status == 200
        assert not any(name.startswith("jobs/") for name in running.threads())
    else:
        wait_until(lambda: "jobs/worker-0" not in running.threads(), "the worker to end")
    assert running.stop() == 0
    stopped(running, "jobs")
    assert hooks(running, "jobs") == HOOKS
    raw.close()


def test_a_stop_hook_that_does_not_come_back_holds_nobody_else(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config(keeper(), server("jobs", control("jobs", hang=gate))))
    assert ask(running, "stop/jobs")[0] == 0
    running.log_wait(r'server "jobs": jobs/loop-0 does not come back from a handler or hook')
    with Load(running, ["keep"]) as load:
        load.wait_more(10)
    assert load.errors == []
    assert ask(running, "stop/keep")[0] == 0
    assert running.wait(20 * SLOW) == 0


# Signals meanwhile


def test_sigterm_while_a_server_stops(daemon, tmp_path):
    """It goes for the others; what runs in any of them is finished, and the first signal is not taken for a second."""
    gate, running_gate = Gate(tmp_path), tmp_path / "other"
    running_gate.mkdir()
    other_gate = Gate(running_gate)
    running = daemon(config(keeper(), slow_server(until=gate), slow_server("other", until=other_gate)))
    first, second = begin_slow(running), begin_slow(running, "other")
    assert ask(running, "stop/jobs")[0] == 0
    running.log_wait('server "jobs": stops')
    running.signal(signal.SIGTERM)
    running.notify_wait("^STOPPING=1$")
    other_gate.open()
    assert second.response().status == 200
    assert first.silent(0.01)
    gate.open()
    assert first.response().status == 200
    first.close()
    second.close()
    assert running.wait() == 0
    assert hooks(running, "jobs") == hooks(running, "other") == HOOKS


def test_sigterm_after_rtn_shutdown_is_the_first_signal(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config(keeper(), slow_server(until=gate)))
    raw = begin_slow(running)
    assert ask(running, "stop/*")[0] == 0
    running.notify_wait("^STOPPING=1$")
    running.signal(signal.SIGTERM)
    running.log_wait("SIGTERM: stops already")
    gate.open()
    assert raw.response().status == 200
    raw.close()
    assert running.wait() == 0


def test_a_second_sigterm_ends_a_daemon_that_was_shut_down_by_a_module(daemon):
    running = daemon(config(keeper(), slow_server(sleep="10m")))
    raw = begin_slow(running)
    assert ask(running, "stop/*")[0] == 0
    running.notify_wait("^STOPPING=1$")
    running.signal(signal.SIGTERM)
    running.log_wait("SIGTERM: stops already")
    running.signal(signal.SIGTERM)
    assert running.wait(10 * SLOW) == 128 + signal.SIGTERM
    raw.close()


def test_a_first_sigterm_while_threads_end_does_no_harm(daemon, tmp_path):
    """Main waits for a stop hook and hears no signals."""
    gate = Gate(tmp_path)
    running = daemon(config(keeper(hang=gate)))
    assert ask(running, "stop/*")[0] == 0
    running.log_wait("control keep: stop on")
    running.signal(signal.SIGTERM)
    gate.open()
    assert running.wait() == 0


def test_signals_are_heard_after_a_server_was_stopped(daemon):
    running = daemon(config(keeper(), server("jobs", control("jobs"))))
    assert ask(running, "stop/jobs")[0] == 0
    stopped(running, "jobs")
    running.signal(signal.SIGHUP)
    running.log_wait("SIGHUP: ")
    running.signal(signal.SIGTERM)
    assert running.wait() == 0


# Memory


def test_a_stopped_server_gives_its_memory_back(daemon, tmp_path):
    """Its instance is unloaded by main while the daemon runs on, and tells so in a file of its own."""
    told = tmp_path / "told"
    running = daemon(config(keeper(), server("jobs", control("jobs", tell=told), "{path: /, module: hello}", more="    loops: 4\n")))
    port, descriptors = running.port("jobs"), count_descriptors(running)
    kept = [running.raw("jobs") for _ in range(50)]
    for raw in kept:
        assert raw.request().status == 200
    assert ask(running, "stop/jobs")[0] == 0
    stopped(running, "jobs")
    assert told.read_text().split()[1::2][-2:] == ["stop", "unload"]
    running.log_wait('control jobs: unload on "main"')
    for raw in kept:
        raw.close()
    bind_again(port)
    # Four listening sockets and what four loops need for themselves.
    wait_until(lambda: count_descriptors(running) < descriptors - 8, "descriptors to be closed")


def count_descriptors(running):
    return len(list(os.scandir(f"/proc/{running.pid}/fd")))
