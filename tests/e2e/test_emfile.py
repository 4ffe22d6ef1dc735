"""Without free descriptors or places for connections, accepting pauses, says so once, and goes on later."""
import contextlib
import os
import resource
import time

import pytest

from common import halted, send_get, wait_until, with_test_modules

LIMIT = 48

CONFIG = """
  get:
    listen: 127.0.0.1:0
    loops: {loops}
    routes:
      - {{path: /, module: inspect, handler: loop}}
      - {{path: /worker, module: inspect, handler: worker}}
"""

PAUSE = r"accepting pauses: too many open files \(limit \d+ descriptors\); \d+ connections go on"


def lower_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))


def descriptors(running):
    return len(os.listdir(f"/proc/{running.pid}/fd"))


def fill(running, stack, path="/"):
    """Connections that are served, then some that wait since no descriptor is left for them."""
    running.log_wait("is ready")  # READY=1 comes before it, and with it a descriptor that goes again
    served = []
    while descriptors(running) < LIMIT:
        assert len(served) < LIMIT, "the limit was never reached"
        served.append(stack.enter_context(running.raw()))
        assert served[-1].request(target=path).status == 200
    waiting = [stack.enter_context(running.raw()) for _ in range(5)]
    for raw in waiting:
        send_get(raw, path)
    return served, waiting


@pytest.mark.parametrize("path", ["/", "/worker"])
def test_accepting_pauses_without_descriptors_and_goes_on(daemon, path):
    running = daemon(with_test_modules(CONFIG.format(loops=1)), preexec=lower_limit)
    with contextlib.ExitStack() as stack:
        served, waiting = fill(running, stack, path)
        running.log_wait(PAUSE)
        # Who is connected is served on and on, which takes longer than a new try to accept.
        for _ in range(30):
            for raw in served:
                assert raw.request(target=path).status == 200
        assert all(raw.silent(0.001) for raw in waiting)
        assert len(running.log.find("accepting")) == 1

        # All of them at once: were there room for some of those that wait only, it would pause again.
        with halted(running):
            for raw in served:
                raw.close()
        for raw in waiting:
            assert raw.response().status == 200
        running.log_wait("accepting goes on$")
    assert running.get().status == 200
    assert running.stop() == 0
    assert len(running.log.find(PAUSE)) == 1 and len(running.log.find("accepting goes on")) == 1


def test_descriptors_that_come_free_elsewhere_are_noticed(daemon):
    """All connections belong to one server; the other one is told by nobody that descriptors are free again."""
    running = daemon(with_test_modules(CONFIG.format(loops=1) + CONFIG.format(loops=1).replace("  get:", "  other:")),
                     preexec=lower_limit)
    with contextlib.ExitStack() as stack:
        served, _ = fill(running, stack)
        starved = stack.enter_context(running.raw("other"))
        send_get(starved)
        running.log_wait(r"other/loop-0\[\d+\] accepting pauses: ")
        assert starved.silent(0.01)
        for raw in served:
            raw.close()
        assert starved.response().status == 200
        running.log_wait(r"other/loop-0\[\d+\] accepting goes on$")


def test_a_daemon_without_descriptors_stops_as_ever(daemon):
    running = daemon(with_test_modules(CONFIG.format(loops=2)), preexec=lower_limit)
    with contextlib.ExitStack() as stack:
        for _ in range(LIMIT + 10):
            send_get(stack.enter_context(running.raw()))
        running.log_wait(PAUSE)
        assert running.stop() == 0


def test_the_pause_does_not_turn_in_circles(daemon):
    """A loop that asked again and again would burn its core."""
    running = daemon(with_test_modules(CONFIG.format(loops=1)), preexec=lower_limit)
    with contextlib.ExitStack() as stack:
        served, _ = fill(running, stack)
        running.log_wait(PAUSE)

        def switches():
            status = open(f"/proc/{running.pid}/task/{loop_task(running)}/status", encoding="ascii").read()
            return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

        before, begun = switches(), time.monotonic()
        for _ in range(50):
            assert served[0].request().status == 200
        # About one wait per request, and four tries a second.
        assert switches() - before < 50 * 4 + 8 * (time.monotonic() - begun)


def loop_task(running):
    for task in os.listdir(f"/proc/{running.pid}/task"):
        if open(f"/proc/{running.pid}/task/{task}/comm", encoding="ascii").read().strip() == "get/loop-0":
            return task
    raise AssertionError("no loop")


def test_the_connection_limit_pauses_and_goes_on(daemon):
    running = daemon(with_test_modules(CONFIG.format(loops=1).replace("    routes", "    limits: {connections: 3}\n    routes")))
    raws = [running.raw() for _ in range(5)]
    for raw in raws:
        send_get(raw)
    assert [raw.response().status for raw in raws[:3]] == [200, 200, 200]
    running.log_wait(r"accepting pauses: 3 connections are open \(limits\.connections\)")
    assert raws[3].silent(0.01) and raws[4].silent(0.01)
    raws[0].close()
    # Which of the two is next is the kernel's choice.
    wait_until(lambda: not raws[3].silent(0.01) or not raws[4].silent(0.01), "the next connection")
    raws[1].close()
    assert raws[3].response().status == raws[4].response().status == 200
    for raw in raws:
        raw.close()
    assert running.stop() == 0
