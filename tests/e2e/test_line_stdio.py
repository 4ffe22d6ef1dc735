"""`listen: stdio`: one client on standard input and output, through pipes, files, sockets and terminals."""
import contextlib
import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest

import harness
from bounds import START_BOUND, STOP_BOUND, WAIT_BOUND
from common import wait_until
from line_talk import config


class Terminal:
    """A daemon whose standard input and output are ours. `fds` are what it gets for them."""

    def __init__(self, tmp_path, text, stdin, stdout):
        path = tmp_path / "retinued.yaml"
        path.write_text(text, encoding="utf-8")
        self.process = subprocess.Popen([*harness.WRAP, harness.RETINUED, "-c", str(path)], stdin=stdin, stdout=stdout,
                                        stderr=subprocess.PIPE)
        self.log = None

    def end(self, timeout=STOP_BOUND):
        """Waits for its end; the exit status and the log."""
        with contextlib.suppress(BrokenPipeError):
            _, log = self.process.communicate(timeout=timeout)
        self.log = log.decode()
        assert not harness.REPORT.search(self.log), self.log
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def terminal(tmp_path):
    started = []

    def start(text, stdin=subprocess.PIPE, stdout=subprocess.PIPE):
        started.append(Terminal(tmp_path, text, stdin, stdout))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def on_stdio(server="", options="ends_daemon: true", handler="loop", listen="stdio", more=""):
    return config(server=server, options=options, handler=handler, listen=listen, more=more)


def piped(terminal, text, said, timeout=WAIT_BOUND):
    """What it answers to all that is said at once."""
    running = terminal(text)
    out, log = running.process.communicate(said, timeout=timeout)
    assert running.process.returncode == 0, log.decode()
    assert not harness.REPORT.search(log.decode()), log.decode()
    return out, log.decode()


def read_line(fd):
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([fd], [], [], WAIT_BOUND)
        assert ready, f"nothing came behind {line!r}"
        byte = os.read(fd, 1)
        assert byte, f"closed behind {line!r}"
        line += byte
    return line.decode()


def wait_for_log(running, words):
    for line in running.process.stderr:
        if words in line:
            return
    raise AssertionError(f"it has ended without saying {words}")


@pytest.mark.parametrize("handler", ["loop", "serial", "parallel"])
def test_pipes(terminal, handler):
    out, log = piped(terminal, on_stdio('greeting: "220 ready"\nline_end: crlf', handler=handler), b"one\r\ntwo\n!who\nhalf")
    lines = out.decode().split("\n")
    assert lines[:3] == ["220 ready", "one", "two"] and lines[4:] == [""]
    assert " peer=stdio " in lines[3]
    assert "cause=client" in log and "detail=the peer closed the connection" in log
    assert "line on stdio, loops 1" in log


def test_nothing(terminal):
    out, log = piped(terminal, on_stdio(), b"")
    assert out == b"" and "cause=client" in log


def test_files(terminal, tmp_path):
    lines = [f"{n} " + "x" * (n % 300) for n in range(20000)]
    (tmp_path / "in").write_text("".join(line + "\n" for line in lines))
    with open(tmp_path / "in", "rb") as stdin, open(tmp_path / "out", "wb") as stdout:
        running = terminal(on_stdio("limits: {backlog: 64MiB}", options="quiet: true, ends_daemon: true"), stdin, stdout)
        assert running.end() == 0
    assert (tmp_path / "out").read_text().split("\n") == [*lines, ""]


def test_null(terminal):
    running = terminal(on_stdio(options="hello: true, ends_daemon: true"), subprocess.DEVNULL, subprocess.DEVNULL)
    assert running.end() == 0


def test_much_both_ways(terminal):
    """More than pipes and buffers take, by one who reads late."""
    lines = b"".join(b"%d %s\n" % (n, b"x" * 1000) for n in range(5000))
    running = terminal(on_stdio("limits: {backlog: 64MiB}", options="quiet: true, ends_daemon: true"))
    os.set_blocking(running.process.stdin.fileno(), False)
    sent, heard = 0, b""
    deadline = time.monotonic() + WAIT_BOUND
    while len(heard) < len(lines):
        assert time.monotonic() < deadline
        if sent < len(lines):
            with contextlib.suppress(BlockingIOError):
                sent += os.write(running.process.stdin.fileno(), lines[sent:sent + 100000])
                continue
        ready, _, _ = select.select([running.process.stdout], [], [], 0.05)
        heard += os.read(running.process.stdout.fileno(), 1 << 20) if ready else b""
    assert heard == lines
    running.process.stdin.close()
    running.process.stdin = None
    assert running.end() == 0


def test_line_by_line(terminal):
    running = terminal(on_stdio())
    for n in range(20):
        running.process.stdin.write(f"{n}\n".encode())
        running.process.stdin.flush()
        assert read_line(running.process.stdout.fileno()) == f"{n}\n"
    running.process.stdin.close()
    running.process.stdin = None
    assert running.end() == 0


def test_terminal(terminal):
    """Flags of the terminal, and of its open file, stay as they are: the shell has them too."""
    outer, inner = pty.openpty()
    attributes = termios.tcgetattr(inner)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(inner, termios.TCSANOW, attributes)
    running = terminal(on_stdio("greeting: hello"), inner, inner)
    assert read_line(outer) == "hello\r\n"
    assert os.get_blocking(inner)
    os.write(outer, b"one\ntwo\n")
    assert (read_line(outer), read_line(outer)) == ("one\r\n", "two\r\n")
    assert termios.tcgetattr(inner)[:4] == attributes[:4]
    os.write(outer, b"\x04")  # the end of input
    assert running.end() == 0
    assert "cause=client" in running.log
    os.close(outer)
    os.close(inner)


def test_terminal_hangs_up(terminal):
    outer, inner = pty.openpty()
    running = terminal(on_stdio("greeting: hello"), inner, inner)
    os.close(inner)
    assert read_line(outer) == "hello\r\n"
    os.close(outer)
    assert running.end() == 0
    assert "close id=" in running.log


def test_closed_by_the_handler(terminal):
    running = terminal(on_stdio())
    running.process.stdin.write(b"!send @ good-bye\n!close @\n")
    running.process.stdin.flush()
    assert [read_line(running.process.stdout.fileno()) for _ in range(2)] == ["good-bye\n", "send 0\n"]
    assert running.end() == 0
    assert "cause=normal" in running.log


def test_nobody_reads_any_more(terminal):
    running = terminal(on_stdio("greeting: hello"))
    assert read_line(running.process.stdout.fileno()) == "hello\n"
    running.process.stdout.close()
    running.process.stdout = None
    assert running.process.wait(WAIT_BOUND) == 0, "it has not noticed that nobody reads"


def test_beside_others(terminal):
    """The connection on stdio is one of many, and when it has ended nothing else comes there; the server goes on."""
    running = terminal(config(listen='["unix:@retinue-test-%d", stdio]' % os.getpid()))
    wait_for_log(running, b"is ready")
    running.process.stdin.write(b"!list 0\n")
    running.process.stdin.flush()
    assert read_line(running.process.stdout.fileno()) == "list 1 mine 0 ws 0\n"
    with harness.Raw("\0retinue-test-%d" % os.getpid()) as raw:
        raw.send("!list 0\n")
        assert raw._line() == b"list 2 mine 0 ws 0"
        running.process.stdin.close()
        running.process.stdin = None
        wait_until(lambda: ask(raw, "!list 0\n") == b"list 1 mine 0 ws 0", "the terminal has gone")
    os.kill(running.process.pid, signal.SIGTERM)
    assert running.end() == 0


def ask(raw, text):
    raw.send(text)
    return raw._line()


@pytest.mark.parametrize("reads", [True, False])
def test_stop(terminal, reads):
    """What was said before is still written, if somebody takes it."""
    running = terminal(on_stdio("greeting: hello\nlimits: {backlog: 64MiB}\ntimeouts: {write: 1s}",
                                options="farewell: true, quiet: true"))
    assert read_line(running.process.stdout.fileno()) == "hello\n"
    running.process.stdin.write(b"!fill @ 300 1000\n")
    running.process.stdin.flush()
    wait_for_log(running, b"filled")
    os.kill(running.process.pid, signal.SIGTERM)
    if reads:
        out = running.process.stdout.read().split(b"\n")
        assert out[-2:] == [b"good-bye", b""] and len(out) == 302
    assert running.process.wait(STOP_BOUND) == 0


def test_checked_with_n(retinued):
    result = retinued("-n", text=on_stdio(), timeout=START_BOUND)
    assert result.returncode == 0, result.stderr
