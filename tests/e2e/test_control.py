"""The control socket: where it is, who may do what there, what it says, and that nobody can hang the daemon by it."""
import contextlib
import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest

from bounds import WAIT_BOUND
from common import Gate, send_get, wait_until
from control_talk import control_path, get, order, with_control
from harness import Raw, run, with_modules
from reload_talk import reload
from ws_talk import connect

HELLO = """
  web:
    listen: 127.0.0.1:0
    routes: [{path: /, module: hello}]
"""


# The socket


def test_the_socket_is_private_and_goes_away(daemon):
    with daemon(with_control(HELLO)) as running:
        mode = os.stat(control_path(running)).st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    assert not running.left_behind


def test_a_second_signal_removes_it_too(daemon, tmp_path):
    gate = Gate(tmp_path)
    web = f"""
  web:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: slow, handler: slow, options: {{until: {gate}}}}}]
"""
    with daemon(with_control(web, "shutdown_timeout: 10m")) as running, running.raw() as raw:
        send_get(raw)
        running.log_wait("slow: begins")
        running.signal(signal.SIGTERM)
        running.log_wait("SIGTERM: stops")
        running.signal(signal.SIGTERM)
        assert running.wait() == 128 + signal.SIGTERM
    assert not running.left_behind


def test_a_stale_socket_is_replaced(daemon, tmp_path):
    path = str(tmp_path / "control")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    with daemon(with_modules(f"daemon: {{control: {path}}}\nservers:{HELLO}")), Raw(path) as raw:
        send_get(raw, "/status")
        assert raw.response().status == 200
    assert not os.path.exists(path)


def test_a_socket_in_use_is_an_error_with_its_place(daemon, tmp_path):
    with daemon(with_control(HELLO)) as running:
        text = with_modules(f"daemon: {{control: {control_path(running)}}}\nservers:{HELLO}")
        config = tmp_path / "second.yaml"
        config.write_text(text, encoding="utf-8")
        second = run("-c", config)
        assert second.returncode == 1
        assert f"second.yaml:1:{text.index(control_path(running)) + 1}: error: cannot make the control socket" in second.stderr
        assert "a daemon that runs has it" in second.stderr
        checked = run("-n", "-c", config)
        assert checked.returncode == 0 and "warning: cannot make the control socket" in checked.stderr
        assert get(running, "/status")["state"] == "running"


@pytest.mark.parametrize("path, problem", [("no/such/folder/socket", "its folder does not exist"),
                                           ("second.yaml", "there is a file that is not a socket")])
def test_a_place_that_cannot_be_is_found_by_the_check(tmp_path, path, problem):
    config = tmp_path / "second.yaml"
    config.write_text(with_modules(f"daemon: {{control: {path}}}\nservers:{HELLO}"), encoding="utf-8")
    for arguments in (["-n"], []):
        result = run(*arguments, "-c", config)
        assert result.returncode == 1
        assert problem in result.stderr and "second.yaml:1:" in result.stderr


def test_the_check_leaves_no_socket(tmp_path):
    config = tmp_path / "retinued.yaml"
    config.write_text(with_modules(f"daemon: {{control: socket}}\nservers:{HELLO}"), encoding="utf-8")
    result = run("-n", "-c", config)
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "socket").exists()


def test_a_relative_path_starts_at_the_file(daemon, tmp_path):
    with daemon(with_modules(f"daemon: {{control: socket}}\nservers:{HELLO}")) as running:
        assert stat.S_ISSOCK(os.stat(running.config.parent / "socket").st_mode)


def test_none_is_none(daemon):
    with daemon(with_modules(f"daemon: {{control: none}}\nservers:{HELLO}")) as running:
        assert os.listdir(running.tmp) == ["notify"]


# Requests


def test_every_question_has_an_answer(daemon):
    with daemon(with_control(HELLO)) as running:
        running.get("/")
        status = get(running, "/status")
        assert status["pid"] == running.pid and status["servers"] == [{"name": "web", "state": "serving"}]
        assert status["generation"]["current"] == 1 and status["generation"]["alive"] == 1
        assert status["uptime_ms"] >= 0 and status["resident"] > 100000 and status["stuck"] == []
        [server] = get(running, "/servers")["servers"]
        assert server["listen"] == [f"127.0.0.1:{running.port()}"] and server["protocol"] == "http"
        assert server["routes"] == 1 and server["generation"] == 1 and server["log_level"] == "info"
        [route] = get(running, "/routes")["routes"]
        assert (route["server"], route["path"], route["module"], route["threads"]) == ("web", "/", "hello", "loop")
        [module] = get(running, "/modules")["modules"]
        assert module["name"] == "hello" and module["path"].endswith("/hello.so") and module["api_level"] >= 1
        assert module["instances"] == [{"server": "web", "place": 'route "/"', "threads": "loop", "generation": 1}]
        assert get(running, "/messages") == {"messages": []}
        assert "web" in {server["name"] for server in get(running, "/status.json")["servers"]}


def test_metrics(daemon):
    with daemon(with_control(HELLO)) as running, Raw(control_path(running)) as raw:
        send_get(raw, "/metrics")
        response = raw.response()
        assert response.status == 200 and response.get("content-type").startswith("text/plain; version=0.0.4")
        assert b"retinue_server_up" in response.body


def test_connections_are_kept_and_requests_pipelined(daemon):
    with daemon(with_control(HELLO)) as running, Raw(control_path(running)) as raw:
        for _ in range(3):
            send_get(raw, "/status")
            assert json.loads(raw.response().body)["pid"] == running.pid
        raw.send("GET /servers HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert [raw.response().status for _ in range(4)] == [200, 200, 200, 404]
        assert raw.closed()


@pytest.mark.parametrize("request_text, status, words", [
    ("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404, "/status, /servers"),
    ("POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "asked for with GET"),
    ("GET /drain HTTP/1.1\r\nHost: x\r\n\r\n", 405, "asked for with POST"),
    ("DELETE /drain HTTP/1.1\r\nHost: x\r\n\r\n", 405, "GET and POST"),
    ("GET /status?verbose=1 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "no parameter verbose"),
    ("GET /routes?server=wbe HTTP/1.1\r\nHost: x\r\n\r\n", 404, "there are: web"),
    ("GET /connections?limit=many HTTP/1.1\r\nHost: x\r\n\r\n", 400, "a number from 0"),
    ("hello\r\n\r\n", 400, "no HTTP/1.1"),
    (f"GET /{'x' * 3000} HTTP/1.1\r\nHost: x\r\n\r\n", 414, "too long"),
    (f"GET / HTTP/1.1\r\nX: {'x' * 9000}\r\n\r\n", 431, "too large"),
    ("POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 413, "too large"),
])
def test_what_is_wrong_is_said_in_a_sentence(daemon, request_text, status, words):
    with daemon(with_control(HELLO)) as running, Raw(control_path(running)) as raw:
        raw.send(request_text)
        response = raw.response()
        assert response.status == status
        assert words in json.loads(response.body)["error"]
        assert get(running, "/status")["state"] == "running"


# Who may do what

AS_ANOTHER = """
import os, socket, sys
if int(sys.argv[2]) != os.getuid():
    os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
for request in ("GET /status", "POST /log-level"):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall((request + " HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n").encode())
    print(s.makefile().readline().split()[1])
"""


def test_others_may_only_look(daemon):
    """Without a file mode that lets them in, not even that. Only root can become somebody else; who cannot is ourselves."""
    other = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.getuid()
    with daemon(with_control(HELLO)) as running:
        command = [sys.executable, "-c", AS_ANOTHER, control_path(running), str(other)]
        os.chmod(running.tmp, 0o755)
        first = subprocess.run(command, check=False, capture_output=True, text=True, timeout=WAIT_BOUND)
        assert ("PermissionError" in first.stderr) == (other != os.getuid()), first.stderr
        os.chmod(control_path(running), 0o666)
        second = subprocess.run(command, check=True, capture_output=True, text=True, timeout=WAIT_BOUND)
        # The order is a bad one, which is seen only by those who may give it.
        assert second.stdout.split() == ["200", "403" if other != os.getuid() else "400"]
        assert get(running, "/status")["state"] == "running"


# Nobody can hang it


def test_silent_clients_make_room(daemon):
    with daemon(with_control(HELLO)) as running, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(Raw(control_path(running))) for _ in range(100)]
        for number, raw in enumerate(silent):
            with contextlib.suppress(BrokenPipeError):  # it has made room already
                raw.send("GET /status HTTP/1.1\r\n" if number % 2 else "")
        for _ in range(5):
            assert get(running, "/status")["state"] == "running"
        assert silent[0].closed()
        running.get("/")


def test_a_client_that_takes_nothing_does_no_harm(daemon):
    """Its answers are more than its socket takes; no more of its requests are read meanwhile."""
    with daemon(with_control(HELLO)) as running, Raw(control_path(running)) as raw:
        raw.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(10000):
                raw.socket.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        for _ in range(5):
            assert get(running, "/status")["state"] == "running"
        raw.socket.setblocking(True)
        raw.socket.settimeout(WAIT_BOUND)
        assert raw.response().status == 200


def test_a_stuck_loop_is_named(daemon, tmp_path):
    gate = Gate(tmp_path)
    servers = HELLO + f"""
  bad:
    listen: 127.0.0.1:0
    loops: 1
    routes: [{{path: /, module: slow, handler: loop, options: {{until: {gate}}}}}]
"""
    with daemon(with_control(servers)) as running, running.raw("bad") as stuck, running.raw("web") as idle:
        send_get(idle)
        assert idle.response().status == 200
        send_get(stuck)
        running.log_wait("slow: begins")
        for _ in range(3):
            answer = get(running, "/connections")
            assert answer["silent"] == ["bad/loop-0"]
            assert [row["server"] for row in answer["connections"]] == ["web"]
        servers = {server["name"]: server for server in get(running, "/servers")["servers"]}
        assert servers["bad"]["loops"][0]["accepted"] is None and servers["web"]["connections"] == 1
        row = wait_until(lambda: get(running, "/status")["stuck"], "the stuck handler")[0]
        assert (row["server"], row["kind"]) == ("bad", "loop") and "slow" in row["handler"]
        gate.open()
        assert stuck.response().status == 200
        wait_until(lambda: get(running, "/connections")["silent"] == [], "the loop answers again")
        assert wait_until(lambda: get(running, "/status")["stuck"] == [], "no handler is stuck")


# Connections


def rows(running, **wanted):
    found = get(running, "/connections")["connections"]
    return [row for row in found if all(row[key] == value for key, value in wanted.items())]


def test_connections(daemon, tmp_path):
    gate = Gate(tmp_path)
    servers = f"""
  web:
    listen: 127.0.0.1:0
    loops: 2
    routes:
      - {{path: /, module: hello}}
      - {{path: /ws, module: echo}}
      - {{path: /slow, module: slow, handler: slow, options: {{until: {gate}}}}}
  talk:
    protocol: line
    listen: 127.0.0.1:0
    modules: [{{module: line_only}}]
"""
    with daemon(with_control(servers)) as running, contextlib.ExitStack() as stack:
        kept = stack.enter_context(running.raw("web"))
        send_get(kept)
        assert kept.response().status == 200
        busy = stack.enter_context(running.raw("web"))
        send_get(busy, "/slow")
        running.log_wait("slow: begins")
        stack.enter_context(connect(running, "/ws", server="web"))
        line = stack.enter_context(socket.create_connection(("127.0.0.1", running.port("talk"))))
        wait_until(lambda: get(running, "/connections")["total"] == 4, "four connections")
        [row] = rows(running, state="idle")
        assert row["server"] == "web" and row["protocol"] == "http" and row["requests"] == 1
        assert row["peer"] == "%s:%d" % kept.socket.getsockname() and row["age_ms"] >= 0
        [row] = rows(running, state="handled")
        assert row["route"] == 'route "/slow"'
        [row] = rows(running, protocol="websocket")
        assert row["state"] == "open" and row["route"] == 'route "/ws"' and row["generation"] == 1
        [row] = rows(running, protocol="line")
        assert row["server"] == "talk" and row["peer"] == "%s:%d" % line.getsockname()
        assert len({row["id"] for row in rows(running)}) == 4
        limited = get(running, "/connections?server=web&limit=1")
        assert limited["total"] == 3 and 1 <= limited["listed"] <= 2
        gate.open()
        assert busy.response().status == 200


def test_connections_name_no_handler_that_is_gone(daemon, tmp_path):
    """A worker sends a file on a connection whose last handler on a worker has ended with a reload."""
    gate = Gate(tmp_path)
    (tmp_path / "large").write_bytes(bytes(8 << 20))

    def servers(sleep):
        return with_control(f"""
  web:
    listen: 127.0.0.1:0
    threads: 1
    routes:
      - {{path: "/files/*", module: static, options: {{root: {tmp_path}, cache_time: 1h}}}}
      - {{path: /gate, module: slow, handler: slow, options: {{until: {gate}}}}}
      - {{path: /other, module: slow, handler: slow, options: {{sleep: {sleep}}}}}
""")

    with daemon(servers("1ms")) as running, running.raw() as kept, running.raw() as busy:
        for raw, path in [(kept, "/other"), (busy, "/files/large")]:
            send_get(raw, path)
            assert raw.response().status == 200
        reload(running, servers("2ms"))
        send_get(busy, "/gate")
        running.log_wait("slow: begins", count=2)
        send_get(kept, "/files/large")
        wait_until(lambda: len(rows(running, state="handled")) == 2, "the file waits for the worker")
        assert sorted(row["route"] or "" for row in rows(running, state="handled")) == ["", 'route "/gate"']
        gate.open()
        for raw in (busy, kept):
            assert raw.response().status == 200


# Orders


def levels(running):
    return {server["name"]: server["log_level"] for server in get(running, "/servers")["servers"]}


def test_log_level(daemon):
    with daemon(with_control(HELLO)) as running:
        assert order(running, "/log-level?server=web&level=debug") == {
            "server": "web", "before": "info", "level": "debug", "for_ms": None}
        running.get("/")
        running.log_wait('"GET / HTTP/1.1" 200')
        assert levels(running) == {"web": "debug"}
        assert order(running, "/log-level?level=warn")["server"] is None
        assert get(running, "/status")["log_level"] == "warn"


def test_log_level_returns(daemon):
    with daemon(with_control(HELLO)) as running:
        order(running, "/log-level?server=web&level=debug&for=10m")
        assert order(running, "/log-level?server=web&level=trace&for=200ms")["before"] == "debug"
        # Not to what was there for a while, but to what was before both.
        wait_until(lambda: levels(running) == {"web": "info"}, "the level returns")
        running.log_wait("log level: info, as before")


def test_log_level_changed_meanwhile_stays(daemon):
    with daemon(with_control(HELLO)) as running:
        order(running, "/log-level?server=web&level=debug&for=300ms")
        begun = time.monotonic()
        order(running, "/log-level?server=web&level=error")
        wait_until(lambda: time.monotonic() - begun > 0.6, "the time has passed")
        assert levels(running) == {"web": "error"}


@pytest.mark.parametrize("target, status", [("/log-level", 400), ("/log-level?level=loud", 400), ("/log-level?level=debug&for=soon", 400),
                                            ("/log-level?server=x&level=debug", 404), ("/stop", 400), ("/stop?server=x", 404)])
def test_bad_orders_change_nothing(daemon, target, status):
    with daemon(with_control(HELLO)) as running:
        assert "error" in order(running, target, status)
        assert levels(running) == {"web": "info"}


def test_stop_one_server(daemon):
    with daemon(with_control(HELLO + HELLO.replace("web", "other"))) as running:
        assert order(running, "/stop?server=other", 202)["state"] == "draining"
        running.log_wait('server "other": stopped')
        assert "does not serve" in order(running, "/stop?server=other", 409)["error"]
        assert {server["name"]: server["state"] for server in get(running, "/status")["servers"]} == {
            "web": "serving", "other": "stopped"}
        assert "other" not in {row["server"] for row in get(running, "/routes")["routes"]}
        assert running.get("/", "web").status == 200


def test_drain(daemon, tmp_path):
    gate = Gate(tmp_path)
    web = f"""
  web:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: slow, handler: slow, options: {{until: {gate}}}}}]
"""
    with daemon(with_control(web, "shutdown_timeout: 10m")) as running, running.raw() as raw:
        send_get(raw)
        running.log_wait("slow: begins")
        order(running, "/drain", 202)
        running.log_wait("retinuectl: stops")
        # It still answers while it waits.
        assert get(running, "/status")["state"] == "stopping"
        assert "stops already" in order(running, "/drain", 409)["error"]
        gate.open()
        assert raw.response().status == 200
        assert running.wait() == 0
    assert not running.left_behind


def test_a_client_that_goes_before_its_answer(daemon, tmp_path):
    """While a loop is stuck, answers take their time: nobody is there for them any more."""
    gate = Gate(tmp_path)
    bad = f"""
  bad:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: slow, handler: loop, options: {{until: {gate}}}}}]
"""
    with daemon(with_control(bad)) as running, running.raw() as stuck:
        send_get(stuck)
        running.log_wait("slow: begins")
        for _ in range(10):
            with Raw(control_path(running)) as raw:
                send_get(raw, "/connections")
        assert get(running, "/status")["state"] == "running"
        gate.open()
        assert stuck.response().status == 200
        assert get(running, "/connections")["total"] == 1
