"""retinuectl: what it prints, how it ends, what it says when nobody is there, and its completion."""
import json
import os
import pathlib
import subprocess

import pytest

from bounds import WAIT_BOUND
from common import Gate, send_get, wait_until
from control_talk import RETINUECTL, control_path, ctl, run_ctl, with_control
from harness import ROOT

SERVERS = """
  web:
    listen: 127.0.0.1:0
    routes:
      - {path: /, module: hello}
      - {path: /old, redirect: /, status: 308}
      - {host: example.org, path: /gone, status: 410}
  other:
    listen: 127.0.0.1:0
    routes: [{path: /, module: hello, options: {text: "x"}}]
"""
COMMANDS = ["status", "servers", "routes", "modules", "connections", "messages", "log-level", "reload", "stop", "drain", "top"]


def cells(text):
    """The rows of a table behind its titles, split at blanks."""
    return [line.split() for line in text.splitlines()[1:]]


# What it shows


def test_status(daemon):
    with daemon(with_control(SERVERS)) as running:
        text = ctl(running, "status")
        assert f"process {running.pid}, running for " in text.splitlines()[0]
        assert "generation  1\n" in text and "web serving, other serving" in text
        assert "stuck" not in text


def test_status_names_stuck_handlers(daemon, tmp_path):
    gate = Gate(tmp_path)
    bad = f"""
  bad:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: slow, handler: loop, options: {{until: {gate}}}}}]
"""
    with daemon(with_control(bad)) as running, running.raw() as raw:
        send_get(raw)
        running.log_wait("slow: begins")
        running.log_wait(r"main.* \w+ .*bad/loop-0|stuck|holds")
        assert "stuck       bad/loop-0: " in ctl(running, "status")
        assert "connections: no answer from bad/loop-0" in ctl(running, "servers")
        gate.open()
        assert raw.response().status == 200


def test_workers_that_are_replaced_are_told_apart(daemon, tmp_path):
    gate = Gate(tmp_path)
    bad = f"""
  bad:
    listen: 127.0.0.1:0
    threads: 1
    stuck_threads: 1
    routes: [{{path: /, module: slow, handler: slow, options: {{until: {gate}}}, timeouts: {{handler: 300ms}}}}]
"""
    with daemon(with_control(bad)) as running, running.raw() as raw:
        send_get(raw)
        wait_until(lambda: "0/1+1 stuck" in ctl(running, "servers"), "the worker is replaced")
        gate.open()
        wait_until(lambda: cells(ctl(running, "servers"))[0][5] == "0/1", "it has come back")


def test_tables(daemon):
    with daemon(with_control(SERVERS)) as running, running.raw("web") as raw:
        send_get(raw)
        assert raw.response().status == 200
        servers = cells(ctl(running, "servers"))
        assert [row[:4] for row in servers] == [["web", "serving", "http", f"127.0.0.1:{running.port('web')}"],
                                                ["other", "serving", "http", f"127.0.0.1:{running.port('other')}"]]
        assert [row[4] for row in servers] == ["1", "0"]
        assert ctl(running, "servers", "--names") == "web\nother\n"
        routes = ctl(running, "routes")
        assert "308 to /" in routes and "example.org/gone" in routes and "status 410" in routes
        assert [row[0] for row in cells(ctl(running, "routes", "other"))] == ["other"]
        assert [row[:1] + row[4:5] for row in cells(ctl(running, "modules"))] == [["hello", "web"], ["hello", "other"]]
        [row] = cells(ctl(running, "connections"))
        assert row[:4] == ["web", "%s:%d" % raw.socket.getsockname(), "http", "idle"]
        assert cells(ctl(running, "connections", "other")) == []
        assert "0 of 1 connections" in ctl(running, "connections", "--limit", "0")
        assert ctl(running, "messages").split() == ["MESSAGE", "FROM", "TO", "BYTES", "ANSWER", "SENT", "REFUSED", "WAITING"]


def test_messages(daemon):
    servers = """
  desk:
    protocol: worker
    modules: [{module: butler, handler: client, options: {server: jobs}}]
  jobs:
    protocol: worker
    modules:
      - {module: butler, handler: server}
      - {module: butler, handler: offload}
"""
    with daemon(with_control(servers)) as running:
        rows = {row[0]: row for row in cells(ctl(running, "messages"))}
        assert len(rows) >= 3
        assert all(row[2] in ("desk", "jobs") for row in rows.values())
        assert any(row[1:3] == ["desk", "jobs"] for row in rows.values())


@pytest.mark.parametrize("command", ["status", "servers", "routes", "modules", "connections", "messages"])
def test_json_is_what_the_daemon_says(daemon, command):
    with daemon(with_control(SERVERS)) as running:
        assert isinstance(json.loads(ctl(running, command, "--json")), dict)


def test_the_environment_names_the_socket(daemon):
    with daemon(with_control(SERVERS)) as running:
        result = run_ctl("servers", "--names", env={"RETINUE_CONTROL": control_path(running)})
        assert (result.returncode, result.stdout) == (0, "web\nother\n")


def test_no_colors_without_a_terminal(daemon):
    with daemon(with_control(SERVERS)) as running:
        for command in ("status", "servers", "routes"):
            assert "\x1b" not in ctl(running, command, env={"TERM": "xterm"})


# Orders


def test_log_level(daemon):
    with daemon(with_control(SERVERS)) as running:
        assert ctl(running, "log-level", "web", "debug") == "web: debug, was info\n"
        assert ctl(running, "log-level", "web", "trace", "--for", "10m") == "web: trace, was debug; for 10m, then as before\n"
        assert ctl(running, "log-level", "warn") == "daemon: warn, was info\n"
        assert "level must be trace, debug" in ctl(running, "log-level", "web", "loud", status=1)
        assert 'there is no server "wbe"; there are: web, other' in ctl(running, "log-level", "wbe", "debug", status=1)


def test_stop_and_drain(daemon):
    with daemon(with_control(SERVERS)) as running:
        assert ctl(running, "stop", "other") == "other: stops; waits up to 10s for what runs\n"
        running.log_wait('server "other": stopped')
        assert "does not serve: it is stopped" in ctl(running, "stop", "other", status=1)
        assert ctl(running, "drain") == "daemon: stops; waits up to 10s for what runs\n"
        assert running.wait() == 0


# Reload


def change(running, text):
    running.config.write_text(text, encoding="utf-8")


def test_reload(daemon):
    with daemon(with_control(SERVERS)) as running:
        assert running.get("/", "other").text == "x"
        change(running, running.text.replace('text: "x"', 'text: "y"'))
        plan = ctl(running, "reload", "--dry-run")
        assert "other" in plan and "is in force" not in plan
        assert running.log.find("dry run: server \"other\": ")
        assert running.get("/", "other").text == "x"
        assert "generation  1\n" in ctl(running, "status")
        said = ctl(running, "reload")
        assert "other" in said and said.endswith("\ngeneration 2 is in force\n")
        assert running.get("/", "other").text == "y"
        assert "generation  2" in ctl(running, "status")


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_a_bad_reload_says_where(daemon, arguments):
    with daemon(with_control(SERVERS)) as running:
        change(running, running.text.replace("module: hello, options", "modul: hello, options"))
        said = ctl(running, "reload", *arguments, status=1)
        line = running.text.splitlines().index(next(line for line in running.text.splitlines() if 'text: "x"' in line)) + 1
        assert f"retinued.yaml:{line}:" in said and 'unknown key "modul"; did you mean "module"?' in said
        assert "generation 1 stays in force" in said
        assert running.get("/", "other").text == "x"
        answer = json.loads(run_ctl("--socket", control_path(running), "reload", "--json", *arguments).stdout)
        assert answer["good"] is False and answer["generation"] == 1


# Nobody there


@pytest.mark.parametrize("command", [["status"], ["reload"], ["top", "--once"], ["servers", "--names"]])
def test_nobody_is_there(tmp_path, command):
    result = run_ctl("--socket", tmp_path / "nothing", *command)
    assert result.returncode == 3 and result.stdout == ""
    assert f"no daemon at {tmp_path}/nothing: there is no such file" in result.stderr and "daemon.control" in result.stderr


def test_a_full_disk(daemon):
    with daemon(with_control(SERVERS)) as running, open("/dev/full", "w", encoding="ascii") as full:
        for arguments in ([], ["--json"]):
            result = subprocess.run([RETINUECTL, "--socket", control_path(running), "status", *arguments], stdout=full,
                                    stderr=subprocess.PIPE, encoding="utf-8", check=False)
            assert (result.returncode, result.stderr) == (1, "retinuectl: cannot write: No space left on device\n")


def test_that_is_no_socket(tmp_path):
    result = run_ctl("--socket", str(tmp_path), "status")
    assert result.returncode == 3
    assert result.stderr.startswith(f"retinuectl: no daemon at {tmp_path}: that is no socket\n")


def test_nobody_listens(daemon, tmp_path):
    path = tmp_path / "control"
    subprocess.run(["/usr/bin/python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).bind('{path}')"], check=True)
    result = run_ctl("--socket", path, "status")
    assert result.returncode == 3 and "nobody listens" in result.stderr


# The command line


@pytest.mark.parametrize("arguments, words", [
    ([], "say what is to be done"),
    (["statsu"], 'unknown command "statsu"; did you mean "status"?'),
    (["frobnicate"], 'unknown command "frobnicate"'),
    (["status", "web"], "status takes no arguments"),
    (["stop"], "stop needs SERVER"),
    (["log-level", "a", "b", "c"], "log-level takes [SERVER] LEVEL"),
    (["status", "--dry-run"], "status takes no --dry-run"),
    (["reload", "--for", "10m"], "reload takes no --for"),
    (["log-level", "debug", "--for", "soon"], '--for must be a time from 1ms to 7d, such as 10m, not "soon"'),
    (["log-level", "debug", "--for", "0s"], "--for must be a time"),
    (["log-level", "debug", "--for", "8d"], "--for must be a time"),
    (["connections", "--limit", "all"], '--limit must be a number from 0 to 100000, not "all"'),
    (["connections", "--limit", "-1"], "--limit must be a number"),
    (["top", "-n", "0"], "from 1 on"),
    (["top", "--interval", "soon"], "a time from 100ms"),
    (["status", "--frob"], "unrecognized option"),
])
def test_usage(arguments, words):
    result = run_ctl(*arguments)
    assert result.returncode == 2 and words in result.stderr and "--help" in result.stderr


def test_help():
    overview = run_ctl("--help")
    assert overview.returncode == 0 and overview.stderr == ""
    assert all(f"  {command} " in overview.stdout for command in COMMANDS)
    for command in COMMANDS:
        result = run_ctl(command, "--help")
        assert result.returncode == 0 and result.stdout.startswith(f"usage: retinuectl {command}")
    for text in [overview.stdout] + [run_ctl(command, "--help").stdout for command in COMMANDS]:
        assert max(map(len, text.splitlines())) <= 90
    assert run_ctl("--version").stdout.startswith("retinuectl ")


# Completion


def complete(line, socket):
    """What bash would offer for the last word of a line."""
    words = line.split(" ")
    script = f"""
source {ROOT}/src/ctl/retinuectl.bash
retinuectl() {{ {RETINUECTL} "$@"; }}
COMP_WORDS=({' '.join(repr(word) for word in words)})
COMP_CWORD={len(words) - 1}
_retinuectl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    result = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True, timeout=WAIT_BOUND,
                            env=dict(os.environ, RETINUE_CONTROL=str(socket)))
    assert result.stderr == ""
    return result.stdout.split()


def test_completion(daemon, tmp_path):
    with daemon(with_control(SERVERS)) as running:
        control = control_path(running)
        assert complete("retinuectl st", control) == ["status", "stop"]
        assert complete("retinuectl ", control) == COMMANDS
        assert complete("retinuectl stop ", control) == ["web", "other"]
        assert complete("retinuectl stop web ", control) == []
        assert complete("retinuectl log-level o", control) == ["other"]
        assert complete("retinuectl log-level web d", control) == ["debug"]
        assert complete("retinuectl --json connections w", control) == ["web"]
        assert complete(f"retinuectl --socket {control} routes w", "/nothing") == ["web"]
        assert complete("retinuectl reload --d", control) == ["--dry-run"]
        assert complete("retinuectl status --", control) == ["--socket", "--json", "--help"]
    assert complete("retinuectl stop ", tmp_path / "nothing") == []


def test_the_completion_knows_all_commands_and_options():
    text = pathlib.Path(ROOT, "src/ctl/retinuectl.bash").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert command in text
    words = {word for command in ["--help"] + COMMANDS for word in run_ctl(*([command] if command == "--help" else [command, "--help"])).stdout.split()}
    for word in words:
        if word.startswith("--") and word.strip("[],;:-").isalpha():
            assert word.strip("[],;:") in text, word
