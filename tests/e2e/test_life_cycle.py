"""The hooks of a module: each once, in order, on the thread that was promised, and undone when a later one fails."""
import re

import pytest

from common import is_listening, with_test_modules
import harness

LINE = re.compile(r"lifecycle (\w+): (\w+) on \"([^\"]*)\"")
GET_THREADS = ["get/loop-0", "get/loop-1"]


def route(name, handler="loop", fail="never"):
    return f"{{path: /{name}, module: lifecycle, handler: {handler}, options: {{name: {name}, fail: {fail}}}}}"


def config(*get_routes, other=None, listen="127.0.0.1:0"):
    routes = "".join(f"      - {text}\n" for text in get_routes)
    servers = f"  get:\n    listen: {listen}\n    loops: 2\n    threads: 4\n    routes:\n{routes}"
    if other:
        servers += f"  other:\n    listen: 127.0.0.1:0\n    routes:\n      - {other}\n"
    return with_test_modules(servers)


def steps(text):
    """[(name, step, thread)] in the order logged."""
    return [match.groups() for match in map(LINE.search, text.splitlines()) if match]


def of(all_steps, name):
    return [(step, thread) for who, step, thread in all_steps if who == name]


def test_every_hook_runs_once_and_in_order(daemon):
    running = daemon(config(route("a"), route("b", "worker"), other=route("c")))
    assert running.get("/a").text.startswith("get/loop-")
    assert running.get("/b").text == "get/worker-0\n"
    workers = sorted(name for name in running.threads() if name.startswith("get/worker-"))
    assert running.stop() == 0

    everything = steps(running.log.text())
    for name in ("a", "b"):
        own = of(everything, name)
        threads = GET_THREADS + workers
        assert own[:4] == [("configure", "main"), ("ready", "main"), ("start", "get/loop-0"), ("thread_start", "get/loop-0")]
        assert sorted(thread for step, thread in own if step == "thread_start") == sorted(threads)
        assert sorted(thread for step, thread in own if step == "thread_stop") == sorted(threads)
        assert [thread for step, thread in own if step in ("quiesce", "stop")] == ["get/loop-0", "get/loop-0"]
        assert own[-2:] == [("stop", "get/loop-0"), ("unload", "main")]
        order = [step for step, _ in own]
        assert len(order) - order.count("thread_start") - order.count("thread_stop") == 7
        last_start = max(n for n, step in enumerate(order) if step == "thread_start")
        first_stop = min(n for n, step in enumerate(order) if step == "thread_stop")
        assert last_start < order.index("handle") < order.index("quiesce") < first_stop
    assert [step for step, _ in of(everything, "c")] == [
        "configure", "ready", "start", "thread_start", "quiesce", "thread_stop", "stop", "unload"]


def test_each_step_is_taken_by_all_before_the_next(daemon):
    running = daemon(config(route("a"), route("b"), other=route("c")))
    assert running.stop() == 0
    order = [step for _, step, thread in steps(running.log.text()) if thread == "main"]
    assert order == 3 * ["configure"] + 3 * ["ready"] + 3 * ["unload"]


def test_a_worker_runs_thread_start_before_its_first_handler(daemon):
    running = daemon(config(route("a", "worker")))
    running.get("/a")
    running.log_wait("lifecycle a: handle")
    own = [step for step, thread in of(steps(running.log.text()), "a") if thread == "get/worker-0"]
    assert own == ["thread_start", "handle"]


def fails(daemon, text):
    """Starts what cannot start; its log and port. Nobody may answer there at any time after."""
    running = daemon(text, wait=False)
    assert running.wait() == 1
    assert not any("READY=1" in message for message in running.notifications.messages)
    assert running.left_behind == []
    assert "lifecycle a: handle" not in running.log.text()
    return running.log.text()


def counts(text):
    """How often each step of each instance ran: {"a": {"configure": 1}}."""
    result = {}
    for name, step, _ in steps(text):
        result.setdefault(name, {}).setdefault(step, 0)
        result[name][step] += 1
    return result


def test_a_failing_configure_stops_the_start_with_its_words_at_its_option(daemon):
    text = fails(daemon, config(route("a"), route("b", fail="configure"), other=route("c")))
    assert re.search(r'retinued\.yaml:9:79: error: .*option "fail": told to fail in configure of get$', text, re.M)
    assert counts(text) == {"a": {"configure": 1, "unload": 1}, "b": {"configure": 1},
                            "c": {"configure": 1, "unload": 1}}


def test_a_configure_that_fails_without_words_is_still_an_error_at_its_route(daemon):
    text = fails(daemon, config(route("a", fail="quietly")))
    assert re.search(r'retinued\.yaml:8:28: error: .*configure failed: Input/output error$', text, re.M)


def test_a_failing_ready_stops_the_start_and_undoes_the_others(daemon):
    port = harness.free_port()
    text = fails(daemon, config(route("a"), route("b", fail="ready"), other=route("c"), listen=f"127.0.0.1:{port}"))
    assert re.search(r"retinued\.yaml:9:28: error: .*told to fail at /b$", text, re.M)
    once = {"configure": 1, "ready": 1, "unload": 1}
    assert counts(text) == {"a": once, "b": once, "c": once}
    assert not is_listening(port)


def test_a_failing_start_undoes_what_was_started(daemon):
    text = fails(daemon, config(route("a"), route("b"), other=route("c", fail="start")))
    assert re.search(r'route "/c": module lifecycle: start failed: Input/output error$', text, re.M)
    assert re.search(r'server "other" cannot start: Input/output error$', text, re.M)
    own = counts(text)
    assert own["c"] == {"configure": 1, "ready": 1, "start": 1, "unload": 1}
    for name in ("a", "b"):
        assert own[name]["start"] == own[name]["stop"] == own[name]["unload"] == 1
        assert own[name]["thread_start"] == own[name]["thread_stop"] > 0


def test_a_failing_start_undoes_the_routes_before_it(daemon):
    text = fails(daemon, config(route("a"), route("b", fail="start"), route("c")))
    own = counts(text)
    assert own["a"]["start"] == own["a"]["stop"] == 1
    assert "stop" not in own["b"] and "start" not in own["c"] and "stop" not in own["c"]
    assert all(own[name]["unload"] == 1 for name in "abc")


@pytest.mark.parametrize("handler", ["loop", "worker"])
def test_a_failing_thread_start_undoes_what_was_started(daemon, handler):
    text = fails(daemon, config(route("a", handler), route("b", handler, fail="thread_start")))
    assert re.search(r'route "/b": module lifecycle: thread_start failed: Input/output error$', text, re.M)
    own = counts(text)
    for name in ("a", "b"):
        assert own[name]["start"] == own[name]["stop"] == own[name]["unload"] == 1
    assert own["a"]["thread_start"] == own["a"]["thread_stop"]
    assert "thread_stop" not in own["b"]


def test_n_runs_configure_and_ready_and_nothing_else(retinued):
    assert retinued("-n", text=config(route("a"))).returncode == 0
    for step in ("configure", "ready", "quietly"):
        result = retinued("-n", text=config(route("a", fail=step)))
        assert result.returncode == 1 and "retinued.yaml:8:" in result.stderr
    # These steps belong to threads, which -n does not start.
    for step in ("start", "thread_start"):
        assert retinued("-n", text=config(route("a", fail=step))).returncode == 0
