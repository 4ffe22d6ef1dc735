"""Signals: what SIGTERM lets finish, what it cuts, and how the daemon ends."""
import os
import signal
import socket
import subprocess

import pytest

import harness
from bounds import SLOW
from common import Gate, fields, is_listening, send_get, wait_until, with_test_modules


def config(sleep="1s", timeout="10m", block="false", more="", gate=None):
    """The handler of /slow takes `sleep`, or as long as the gate is shut."""
    until = f', until: "{gate}"' if gate else ""
    return with_test_modules(f"""
  get:
    listen: [127.0.0.1:0, "unix:{{tmp}}/get.sock"]
    loops: 2
    routes:
      - {{path: /, module: hello}}
      - {{path: /slow, module: slow, handler: slow, options: {{sleep: {sleep}, block: {block}{until}}}}}
{more}""", f"shutdown_timeout: {timeout}")


def begin_slow(running, **options):
    """A connection whose handler runs now."""
    raw = running.raw(**options)
    raw.socket.settimeout(30 * SLOW)
    send_get(raw, "/slow")
    running.log_wait("slow: begins")
    return raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_daemon_ends_at_once_with_0(daemon, number):
    running = daemon(config())
    idle = running.raw()
    kept = running.raw()
    assert kept.request().status == 200
    running.signal(number)
    assert running.wait() == 0  # and not after shutdown_timeout: nothing was waited for
    assert idle.closed() and kept.closed()
    assert running.left_behind == []
    running.log.wait("goodbye$")


def test_a_handler_that_ends_after_the_timeout_but_before_the_daemon_harms_nothing(daemon):
    """The connection comes back to a loop that is about to end."""
    running = daemon(config(sleep="2s", timeout="1s"))
    slow = begin_slow(running)
    running.signal(signal.SIGTERM)
    assert running.wait() == 0 and running.left_behind == []
    slow.close()


def test_a_running_handler_finishes_and_its_reply_says_close(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config(gate=gate))
    slow = begin_slow(running)
    idle = running.raw(n=1)
    assert idle.request().status == 200
    port, path = running.port(), running.unix()
    running.signal(signal.SIGTERM)
    running.notify_wait("^STOPPING=1$")
    # New clients are refused and idle connections closed while the handler still runs.
    assert idle.closed()
    wait_until(lambda: not is_listening(port), "the port to be closed")
    wait_until(lambda: not is_listening(path), "the socket file to go")
    assert slow.silent(0.001)
    gate.open()
    response = slow.response()
    assert response.status == 200 and response.get("Connection") == "close"
    assert fields(response.text)["stopping"] == "1"
    assert slow.closed()
    slow.close()
    assert running.wait() == 0 and running.left_behind == []


def test_what_is_pipelined_behind_the_last_reply_is_not_handled(daemon, tmp_path):
    """The reply says close, by which the client knows."""
    gate = Gate(tmp_path)
    running = daemon(config(gate=gate))
    slow = begin_slow(running)
    send_get(slow, "/")
    running.signal(signal.SIGTERM)
    running.log.wait('server "get": accepts no more')
    gate.open()
    assert slow.response().get("Connection") == "close"
    assert slow.closed()
    slow.close()
    assert running.wait() == 0


def test_a_suspended_handler_is_told_to_come_to_an_end(daemon):
    running = daemon(config(sleep="10m", block="true"))
    slow = begin_slow(running)
    running.signal(signal.SIGTERM)
    assert fields(slow.response().text)["stopping"] == "1"
    assert running.wait() == 0


def test_a_handler_longer_than_shutdown_timeout_is_left_behind(daemon):
    running = daemon(config(sleep="10m", timeout="200ms"))
    slow = begin_slow(running)
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    running.log.wait(r'server "get": get/worker-0 is still in the handler of route "/slow"')
    assert running.left_behind == []
    assert slow.recv_until_close() == b""


def test_a_client_that_sends_slowly_is_cut_at_shutdown_timeout(daemon):
    running = daemon(config(timeout="200ms"))
    with running.raw() as raw:
        raw.send("GET / HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\n")
        assert raw.response().status == 200  # so what came with it has been read
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
        assert raw.closed()
    running.log.wait("shutdown_timeout has passed")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(daemon, second):
    running = daemon(config(sleep="10m", timeout="1h"))
    begin_slow(running)
    running.signal(signal.SIGTERM)
    running.notify_wait("^STOPPING=1$")
    running.signal(second)
    assert running.wait() == 128 + second
    assert running.left_behind == []


def test_sighup_does_not_end_the_daemon(daemon):
    running = daemon(config())
    running.signal(signal.SIGHUP)
    running.log_wait("SIGHUP: ")
    assert running.get().status == 200


def test_sigpipe_and_a_closed_stderr_do_not_end_the_daemon(tmp_path):
    """Whoever reads the log goes away; the daemon serves on."""
    port = harness.free_port()
    path = tmp_path / "retinued.yaml"
    path.write_text(with_test_modules(f"""
  get:
    listen: 127.0.0.1:{port}
    log_level: trace
    routes: [{{path: /, module: hello}}]
"""))
    process = subprocess.Popen([*harness.WRAP, harness.RETINUED, "-c", str(path)], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: is_listening(port), "the daemon")
        process.stderr.close()
        for _ in range(3):
            with harness.Raw(("127.0.0.1", port)) as raw:
                assert raw.request().status == 200
        process.terminate()
        assert process.wait(30 * SLOW) == 0
    finally:
        process.kill()


def test_the_service_manager_hears_of_every_step(daemon):
    running = daemon(config())
    assert running.stop() == 0
    lines = [message.splitlines() for message in running.notifications.messages]
    assert [first for first, *_ in lines] == ["READY=1", "STOPPING=1"]
    assert all(second.startswith("STATUS=") for _, second, *_ in lines)


def test_an_abstract_notification_socket(tmp_path):
    config_file = tmp_path / "retinued.yaml"
    config_file.write_text(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes: [{path: /, module: hello}]
"""))
    name = f"retinue-notify-{tmp_path.name}-{harness.free_port()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        manager.settimeout(30 * SLOW)
        process = subprocess.Popen([*harness.WRAP, harness.RETINUED, "-c", str(config_file)], stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, NOTIFY_SOCKET=f"@{name}"))
        try:
            assert manager.recv(4096).startswith(b"READY=1\nSTATUS=")
            process.terminate()
            assert manager.recv(4096).startswith(b"STOPPING=1\n")
            assert process.wait(30 * SLOW) == 0
        finally:
            process.kill()


def test_a_handler_that_holds_its_loop_does_not_keep_the_daemon(daemon):
    """It is named, the socket file goes, and the exit status is that of a stop."""
    running = daemon(with_test_modules("""
  get:
    listen: "unix:{tmp}/get.sock"
    routes: [{path: /, module: slow, handler: loop, options: {sleep: 10m}}]
""", "shutdown_timeout: 1s"))
    stuck = running.raw()
    send_get(stuck, "/")
    running.log_wait("slow: begins")
    running.signal(signal.SIGTERM)
    assert running.wait() == 0 and running.left_behind == []
    running.log.wait(r"get/loop-0 does not come back from a handler or hook")
    stuck.close()


def test_a_second_signal_ends_at_once_even_after_the_timeout(daemon):
    running = daemon(config(sleep="10m", timeout="10ms"))
    begin_slow(running)
    running.signal(signal.SIGTERM)
    running.log.wait("shutdown_timeout has passed")
    running.signal(signal.SIGTERM)
    assert running.wait() in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def test_a_suspend_of_no_time_is_none(daemon):
    """A deadline that has passed gives a negative time."""
    running = daemon(config(sleep="0", block="true"))
    assert running.get("/slow").status == 200
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
