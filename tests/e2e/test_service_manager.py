"""What the daemon and its service manager tell each other: listening sockets that are kept, signs of life, time to stop."""
import os
import re
import signal
import socket
import sys

import pytest

import harness
from common import Gate, is_listening, send_get, wait_until, with_test_modules
from test_listeners import WRAPPER

STORE = {"FDSTORE": "64"}


def config(port, more=""):
    return with_test_modules(f"""
  web:
    listen: ["127.0.0.1:{port}", "unix:{{tmp}}/web.sock"]
    loops: 2
    routes: [{{path: /, module: hello}}]
{more}""")


JOBS = """
  jobs:
    listen: 127.0.0.1:PORT
    routes: [{path: "/control/{what}/{server}", module: control, handler: loop, options: {name: jobs}}]
"""


def names(running):
    """Of the sockets that the manager has now, one for each socket."""
    kept = []
    for message in list(running.notifications.messages):
        name = re.search("^FDNAME=(.*)$", message, re.M)
        if name and message.startswith("FDSTORE=1\n"):
            kept.append(name[1])
        elif name and message.startswith("FDSTOREREMOVE=1\n"):
            kept = [other for other in kept if other != name[1]]
    return sorted(kept)


@pytest.fixture
def successor(daemon, monkeypatch):
    """A function that starts the next daemon with the sockets that the manager has got from one before."""
    copies = []

    def start(before, text, **options):
        copies.extend(os.dup(descriptor) for _, descriptor in before.notifications.passed)
        passed = [re.search("FDNAME=(.*)", message)[1] for message, _ in before.notifications.passed]
        before.kill()
        wrapper = [sys.executable, "-c", WRAPPER, ",".join(map(str, copies)), ":".join(passed), ""]
        monkeypatch.setattr(harness, "WRAP", [*wrapper, *harness.WRAP])
        return daemon(text, pass_fds=copies, env=STORE, **options)

    yield start
    for descriptor in copies:
        os.close(descriptor)


def test_listening_sockets_are_kept_before_ready_when_that_is_offered(daemon):
    port = harness.free_port()
    running = daemon(config(port), env=STORE)
    messages = running.notifications.messages
    ready = next(n for n, message in enumerate(messages) if message.startswith("READY=1\n"))
    assert len([message for message in messages[:ready] if message.startswith("FDSTORE=1\n")]) == 3
    assert names(running) == [f"listen-127.0.0.1,{port}", f"listen-127.0.0.1,{port}", f"listen-unix,{running.tmp}/web.sock"]


@pytest.mark.parametrize("env", [{}, {"FDSTORE": "0"}, {"FDSTORE": "much"}])
def test_nothing_is_kept_when_that_is_not_offered(daemon, env):
    running = daemon(config(harness.free_port()), env=env)
    path = running.unix()
    assert running.stop() == 0
    assert not running.notifications.passed and not names(running)
    assert not is_listening(path)


def test_the_next_daemon_serves_who_has_waited_since_the_crash(daemon, successor):
    port = harness.free_port()
    before = daemon(config(port), env=STORE)
    before.signal(signal.SIGKILL)
    before.process.wait()
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        running = successor(before, config(port))
        waiting.settimeout(harness.WAIT_BOUND)
        assert waiting.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert running.get().status == 200
    # The unix socket was at another path, which nobody wants any more; that of this daemon is new.
    assert [message for message in running.notifications.messages if message.startswith("FDSTOREREMOVE=1\nFDNAME=listen-unix,")]
    assert names(running) == [f"listen-unix,{running.tmp}/web.sock"]


def test_a_stop_leaves_kept_sockets_to_the_next_daemon(daemon):
    port = harness.free_port()
    running = daemon(config(port), env=STORE)
    path = running.unix()
    running.signal(signal.SIGTERM)
    running.process.wait(harness.STOP_BOUND)
    assert is_listening(port) and is_listening(path)
    assert len(names(running)) == 3
    assert running.wait() == 0


def test_a_server_that_stops_alone_is_not_kept(daemon):
    other = harness.free_port()
    running = daemon(config(harness.free_port(), JOBS.replace("PORT", str(other))), env=STORE)
    assert f"listen-127.0.0.1,{other}" in names(running)
    assert running.get("/control/stop/jobs", "jobs").status == 200
    wait_until(lambda: f"listen-127.0.0.1,{other}" not in names(running), "the socket to be given up")
    wait_until(lambda: not is_listening(other), "the port to be closed")
    assert len(names(running)) == 3


def test_a_stop_asks_for_as_much_time_as_shutdown_timeout(daemon):
    running = daemon(with_test_modules("""
  web:
    listen: 127.0.0.1:0
    routes: [{path: /, module: hello}]
""", "shutdown_timeout: 7m"))
    running.signal(signal.SIGTERM)
    message = running.notify_wait("^STOPPING=1$")
    assert int(re.search(r"^EXTEND_TIMEOUT_USEC=(\d+)$", message, re.M)[1]) > 7 * 60 * 1_000_000
    assert running.wait() == 0


# The watchdog


def lives(running):
    return running.notifications.messages.count("WATCHDOG=1")


def stands_still(running, times):
    """So often that has been said last, and not that all is well."""
    last = running.notifications.messages[-times:]
    return len(last) == times and all(message.startswith("STATUS=no progress: ") for message in last)


def watched(daemon, gate, **env):
    return daemon(with_test_modules(f"""
  web:
    listen: 127.0.0.1:0
    routes:
      - {{path: /, module: hello}}
      - {{path: /loop, module: slow, handler: loop, options: {{until: "{gate}"}}}}
"""), env=env)


def test_signs_of_life_are_sent_while_loops_make_progress(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = watched(daemon, gate, WATCHDOG_USEC="400000")
    wait_until(lambda: lives(running) >= 2, "two signs of life")
    with running.raw() as raw:
        send_get(raw, "/loop")
        wait_until(lambda: stands_still(running, 4), "nothing but that")
        running.log_wait("no progress: ")
        count = lives(running)
        gate.open()
        assert raw.response().status == 200
    wait_until(lambda: lives(running) >= count + 2, "more signs of life")
    running.notify_wait("^STATUS=serving web ")
    running.log_wait("all makes progress again")


@pytest.mark.parametrize("env", [{"WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}])
def test_no_signs_of_life_for_who_does_not_want_them(daemon, tmp_path, env):
    running = watched(daemon, Gate(tmp_path), **env)
    assert running.get().status == 200
    assert running.stop() == 0
    assert lives(running) == 0
