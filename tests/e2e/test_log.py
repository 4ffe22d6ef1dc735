"""The log of the whole daemon: its forms, its levels, and that no client can write lines of its own."""
import errno
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest

import harness
from bounds import STOP_BOUND, WAIT_BOUND
from common import is_listening, wait_until, with_test_modules

TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (trace|debug|info|notice|warn|error|fatal) +"
                  r"([A-Za-z0-9-]+(?:/(?:loop|worker)-\d+)?)\[(\d+)\] (.+)")

SERVERS = """
  get:
    listen: 127.0.0.1:0
    log_level: info
    access_log: {level: info}
    routes:
      - {path: /, module: next, handler: loop}
      - {path: "/e/{what}", module: errors, handler: worker}
  quiet:
    listen: 127.0.0.1:0
    log_level: error
    access_log: {level: info}
    routes:
      - {path: "/e/{what}", module: errors, handler: worker}
      - {path: /next, module: next, handler: loop}
"""


def access_lines(running, server="get"):
    return running.log.find(rf'{server}/[\w-]+\[\d+\] \S+ "[A-Z]+ ')


def test_each_line_has_time_level_thread_and_text(daemon):
    running = daemon(with_test_modules(SERVERS))
    running.get("/e/eio")
    assert running.stop() == 0
    lines = [TEXT.fullmatch(line) for line in running.log.text().splitlines()]
    assert all(lines), running.log.text()
    # The loop tells that the connection ended with a handler that failed.
    assert {match[2] for match in lines} == {"main", "get/worker-0", "get/loop-0"}
    tids = {match[2]: match[3] for match in lines}
    assert tids["main"] == str(running.pid) and tids["get/worker-0"] != tids["main"]


def test_levels_belong_to_servers(daemon):
    running = daemon(with_test_modules(SERVERS))
    for server in ("get", "quiet"):
        assert running.get("/e/eio", server).status == 500
        running.get("/next", server)
        running.get("/", server)
    assert running.stop() == 0
    for server in ("get", "quiet"):
        failure = rf'error +{server}/worker-0\[\d+\] route "/e/{{what}}": module errors: .* Input/output error'
        assert len(running.log.find(failure)) == 1
    assert len(access_lines(running, "get")) == 3 and access_lines(running, "quiet") == []
    assert {match[0].split()[1].split("/")[0] for match in running.log.find(r"\w+ +quiet/.*")} <= {"quiet"}
    assert running.log.find("info +get/loop-0.* next: passing on /") and not running.log.find("quiet/loop-0.* next: passing")


@pytest.mark.parametrize("level, log_level, shown", [
    ("info", "info", True), ("debug", "info", False), ("debug", "debug", True), ("warn", "notice", True),
    ("none", "trace", False)])
def test_the_access_log_has_its_own_level(daemon, level, log_level, shown):
    text = SERVERS.replace("log_level: info", f"log_level: {log_level}", 1).replace("{level: info}", f"{{level: {level}}}", 1)
    running = daemon(with_test_modules(text))
    assert running.get("/e/eio?q=1").status == 500
    assert running.stop() == 0
    lines = running.log.find(rf'{level} +get/[\w-]+\[\d+\] 127\.0\.0\.1:\d+ "GET /e/eio\?q=1 HTTP/1\.1" 500 \d+ \d+\.\d{{3}}ms$')
    assert len(lines) == (1 if shown else 0)


def json_lines(running):
    return [json.loads(line) for line in running.log.text().splitlines()]


def test_json_lines(daemon):
    running = daemon(with_test_modules(SERVERS, "log: {format: json, level: info}"))
    running.get("/e/eio")
    running.get('/"quoted"\\')
    assert running.stop() == 0
    lines = json_lines(running)
    assert {line["level"] for line in lines} >= {"info", "notice", "error"}
    (failure,) = [line for line in lines if line["level"] == "error"]
    assert failure["server"] == "get" and failure["thread"] == "get/worker-0"
    assert isinstance(failure["tid"], int) and failure["message"].startswith('route "/e/{what}": ')
    assert any('"GET /"quoted"\\ HTTP/1.1" 40' in line["message"] for line in lines)
    assert all("server" not in line or line["server"] is None for line in lines if line["thread"] == "main")


ATTACKS = [b"/a\x1b[31mred", b"/\xc3\xa9", b"/\xff\xfe", b"/a\x7fb", b"/\xc2\x9b31m", b"/%1b[2J",
           b"/a%0d%0aerror%20main[1]%20forged"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_client_cannot_write_lines_or_escapes(daemon, form):
    servers = SERVERS.replace("log_level: info", "log_level: trace")
    running = daemon(with_test_modules(servers, f"log: {{format: {form}, level: trace}}"))
    for target in ATTACKS:
        with running.raw() as raw:
            raw.send(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert raw.response().status in (400, 404)
    with running.raw() as raw:
        raw.send(b"GET /x\r\nerror main[1] forged HTTP/1.1\r\n\r\n")
        raw.recv_until_close()
    running.get("/e/eio")
    assert running.stop() == 0
    text = running.log.text()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    for line in text.splitlines():
        message = json.loads(line)["message"] if form == "json" else TEXT.fullmatch(line)[4]
        assert not message.startswith("error main"), line
    assert text.count("forged") <= 2 and "\nerror" not in text


def test_a_body_cannot_write_lines_either(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes: [{path: /, module: getandpost, handler: post}]
"""))
    with running.raw() as raw:
        body = b"say=a%0Aerror+main[1]+forged%1b[2J%00b%0D"
        raw.request("POST", headers=[("Content-Type", "application/x-www-form-urlencoded")], body=body)
    running.log_wait(r"somebody said: a\\nerror main\[1\] forged\\x1b\[2J")


def test_a_file_is_opened_again_on_sigusr1(daemon, tmp_path):
    path = tmp_path / "retinue.log"
    running = daemon(with_test_modules(SERVERS, f"log: {{to: file:{path}, level: info}}"))
    ports = re.findall(r"http on 127\.0\.0\.1:(\d+)", path.read_text())
    assert len(ports) == 2
    wait_until(lambda: "is ready" in path.read_text(), "the last line of the start")
    assert running.log.text() == ""

    def ask():
        with harness.Raw(("127.0.0.1", int(ports[0]))) as raw:
            return raw.request(target="/e/eio").status

    assert ask() == 500
    old = tmp_path / "retinue.log.1"
    path.rename(old)
    assert ask() == 500
    wait_until(lambda: old.read_text().count('"GET /e/eio') == 2, "the second request in the renamed file")
    running.signal(signal.SIGUSR1)
    wait_until(path.exists, "the new file")
    wait_until(lambda: "opened again" in path.read_text(), "the first line of the new file")
    assert ask() == 500
    wait_until(lambda: path.read_text().count('"GET /e/eio') == 1, "the request in the new file")
    assert running.stop() == 0
    assert path.read_text().rstrip().endswith("goodbye") and old.read_text().count('"GET /e/eio') == 2


def test_a_file_that_cannot_be_opened_again_stays_in_use(daemon, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "retinue.log"
    running = daemon(with_test_modules(SERVERS, f"log: {{to: file:{path}, level: info}}"))
    moved = tmp_path / "moved"
    folder.rename(moved)
    running.signal(signal.SIGUSR1)
    wait_until(lambda: "cannot open the log again" in (moved / "retinue.log").read_text(), "the complaint in the old file")
    assert running.stop() == 0
    assert "goodbye" in (moved / "retinue.log").read_text()


def test_sigusr1_does_nothing_to_standard_error(daemon):
    running = daemon(with_test_modules(SERVERS))
    running.signal(signal.SIGUSR1)
    assert running.get("/e/eio").status == 500
    assert running.stop() == 0
    assert not running.log.find("opened again")


@pytest.mark.parametrize("level, shown", [("info", True), ("notice", False)])
def test_threads_of_modules_log_by_the_level_of_the_daemon(daemon, level, shown):
    """Under the name that the system knows them by: nobody but the module can give them one."""
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    log_level: trace
    routes: [{path: /, module: later, handler: wait-loop}]
""", f"log: {{level: {level}}}"))
    assert running.stop() == 0
    assert bool(running.log.find(r"Z info +later-thread\[\d+\] later: the thread of the module runs")) == shown


def test_a_client_that_goes_before_there_is_a_status_counts_as_499(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    access_log: {level: info}
    routes: [{path: /, module: later, handler: wait-loop}]
"""))
    with running.raw() as raw:
        raw.send("GET /?key=1 HTTP/1.1\r\nHost: test\r\n\r\n")
    running.log_wait(r'"GET /\?key=1 HTTP/1.1" 499 0 \d+\.\d{3}ms aborted')


def run_with_stderr(tmp_path, stderr, log="", **env):
    """Runs a daemon until it has said that it is ready, with a standard error of our own."""
    port = harness.free_port()
    path = tmp_path / "retinued.yaml"
    text = f"\n  get:\n    listen: 127.0.0.1:{port}\n    routes: [{{path: /, module: hello}}]\n"
    path.write_text(with_test_modules(text, log))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "JOURNAL_STREAM")}
    process = subprocess.Popen([*harness.WRAP, harness.RETINUED, "-c", str(path)], stderr=stderr, env={**environment, **env})
    try:
        wait_until(lambda: is_listening(port), "the daemon")
    finally:
        process.terminate()
        assert process.wait(60) == 0


def read_terminal(master):
    """What a terminal is given may come behind the end of the program: it has come when there is an error, since nobody is left."""
    try:
        return os.read(master, 65536)
    except OSError as error:
        assert error.errno == errno.EIO
        return b""


@pytest.mark.parametrize("no_color, colored", [("", True), ("1", False)])
def test_colour_on_a_terminal_only(tmp_path, no_color, colored):
    master, slave = pty.openpty()
    try:
        run_with_stderr(tmp_path, slave, NO_COLOR=no_color)
        os.close(slave)
        output = b"".join(iter(lambda: read_terminal(master), b""))
    finally:
        os.close(master)
    assert b"is ready" in output
    assert (b"\x1b[" in output) == colored
    assert (b"\x1b[1;34mnotice\x1b[0m" in output) == colored


def test_no_colour_in_a_file_or_pipe(daemon, tmp_path):
    running = daemon(with_test_modules(SERVERS))
    assert running.stop() == 0 and "\x1b" not in running.log.text()
    with open(tmp_path / "stderr", "wb") as stderr:
        run_with_stderr(tmp_path, stderr)
    assert b"\x1b" not in (tmp_path / "stderr").read_bytes()


@pytest.mark.parametrize("right", [True, False])
def test_the_priority_prefix_when_stderr_is_the_journal(tmp_path, right):
    """JOURNAL_STREAM names standard error by device and inode; what names something else was inherited."""
    ours, theirs = socket.socketpair()
    info = os.fstat(theirs.fileno())
    stream = f"{info.st_dev}:{info.st_ino + (0 if right else 1)}"
    run_with_stderr(tmp_path, theirs, "log: {to: stderr}", JOURNAL_STREAM=stream)
    theirs.close()
    lines = b"".join(iter(lambda: ours.recv(65536), b"")).decode().splitlines()
    ours.close()
    assert lines
    for line in lines:
        if right:
            assert re.match(r"<[2-7]>(info|notice|warn|error) +\S+\[\d+\] ", line), line
        else:
            assert TEXT.fullmatch(line), line
    if right:
        assert any(line.startswith("<5>notice") for line in lines) and any(line.startswith("<6>info") for line in lines)


STUCK_SERVERS = """
  one:
    listen: 127.0.0.1:{}
    log_level: info
    access_log: {{level: info}}
    routes: &routes
      - {{path: /, module: next, handler: loop}}
      - {{path: "/e/{{what}}", module: errors, handler: worker}}
  two:
    listen: 127.0.0.1:{}
    log_level: info
    access_log: {{level: info}}
    routes: *routes
"""


def fill(pipe):
    """Writes to the pipe until it takes no more, by a description of our own: the daemon's stays a blocking one."""
    ours = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(ours, b"x" * 4095 + b"\n")
    except BlockingIOError:
        pass
    finally:
        os.close(ours)


@pytest.fixture
def stuck(tmp_path):
    """A daemon whose standard error is a blocking pipe, full, that nobody reads; its servers' ports, and the end to read."""
    ports = [harness.free_port(), harness.free_port()]
    path = tmp_path / "retinued.yaml"
    path.write_text(with_test_modules(STUCK_SERVERS.format(*ports)))
    read, write = os.pipe()
    assert os.get_blocking(write)
    process = subprocess.Popen([*harness.WRAP, harness.RETINUED, "-c", str(path)], stderr=write)
    try:
        wait_until(lambda: all(is_listening(port) for port in ports), "the daemon")
        fill(write)
        os.close(write)
        yield process, ports, read
    finally:
        process.kill()
        process.wait()
        os.close(read)


def ask_all(ports, times):
    """Three log lines at least for each round and port."""
    for _ in range(times):
        for port in ports:
            with harness.Raw(("127.0.0.1", port)) as raw:
                assert raw.request(target="/").status == 404
                assert raw.request(target="/e/eio").status == 500


def test_a_log_that_is_not_read_does_not_stop_the_service(stuck):
    """Lines are lost rather than requests, and not each of them costs a wait."""
    process, ports, _ = stuck
    started = time.monotonic()
    ask_all(ports, 50)
    assert time.monotonic() - started < WAIT_BOUND
    process.terminate()
    assert process.wait(STOP_BOUND) == 0


def test_a_log_that_is_read_again_tells_what_was_lost(stuck):
    process, ports, read = stuck
    ask_all(ports, 5)
    os.set_blocking(read, False)
    text = b""

    def report():
        nonlocal text
        ask_all(ports, 1)
        while select.select([read], [], [], 0)[0]:
            text += os.read(read, 1 << 20)
        return re.search(rb"Z warn +\S+\[\d+\] log lines lost before this one: (\d+)\n", text)

    assert int(wait_until(report, "the report")[1]) >= 30
    process.terminate()
    assert process.wait(STOP_BOUND) == 0
    os.set_blocking(read, True)
    while chunk := os.read(read, 1 << 20):
        text += chunk
    assert text.count(b"log lines lost") == 1 and text.endswith(b"goodbye\n")
