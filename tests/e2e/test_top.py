"""retinuectl top: as plain text, and in a terminal with its keys."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

from bounds import WAIT_BOUND
from common import Gate, send_get
from control_talk import RETINUECTL, control_path, ctl, with_control
from harness import clean_environment

SERVERS = """
  web:
    listen: 127.0.0.1:0
    threads: 4
    routes:
      - {path: /, module: hello}
      - {path: /b, module: hello}
      - {path: /c, module: hello}
  talk:
    protocol: line
    listen: 127.0.0.1:0
    modules: [{module: line_only}]
"""


class Load:
    """Requests as fast as one client makes them, until the end of the with block."""

    def __init__(self, running, path="/b"):
        self.running = running
        self.path = path
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        with self.running.raw("web") as raw:
            while not self.over.is_set():
                send_get(raw, self.path)
                assert raw.response().status == 200

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()


def table(text, title):
    """Rows of the table whose first title that is, as a map by their first cells."""
    lines = text.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(title))
    rows = {}
    for line in lines[begin + 1:]:
        if not line.strip() or not line[0].strip():
            break
        rows[line.split()[0]] = line.split()
    return lines[begin].split(), rows


def test_once(daemon):
    with daemon(with_control(SERVERS)) as running, Load(running):
        text = ctl(running, "top", "--once", "--interval", "500ms", env={"LC_ALL": "C.UTF-8"})
        assert "\x1b" not in text
        assert text.startswith("retinued ") and "generation 1" in text and "cpu " in text and "memory " in text
        titles, rows = table(text, "SERVER")
        assert titles[:4] == ["SERVER", "REQ/S", "P50", "P99"]
        assert rows["web"][1] != "0" and rows["web"][2].endswith(("us", "ms", "s"))
        assert rows["talk"][1] == "0" and rows["talk"][2] == "-"
        _, routes = table(text, "ROUTE")
        assert list(routes)[0] == "/b" and routes["/b"][3] != "0"


def test_ascii_without_utf8(daemon):
    with daemon(with_control(SERVERS)) as running:
        assert ctl(running, "top", "--once", "--interval", "100ms", env={"LC_ALL": "C"}).isascii()
        assert not ctl(running, "top", "--once", "--interval", "100ms", env={"LC_ALL": "C.UTF-8"}).isascii()


def test_rounds_and_json(daemon):
    with daemon(with_control(SERVERS)) as running:
        assert ctl(running, "top", "-n", "3", "--interval", "100ms").count("retinued ") == 3
        lines = ctl(running, "top", "-n", "2", "--interval", "100ms", "--json").splitlines()
        assert ["web" in {server["name"] for server in json.loads(line)["servers"]} for line in lines] == [True, True]


def test_it_ends_with_the_daemon(daemon):
    with daemon(with_control(SERVERS)) as running:
        command = [RETINUECTL, "--socket", control_path(running), "top", "-n", "1000000", "--interval", "100ms"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as top:
            assert top.stdout.readline().startswith("retinued ")
            running.stop()
            _, error = top.communicate(timeout=WAIT_BOUND)
            assert top.returncode == 3 and "no daemon at" in error


def relay(listener, path, count):
    """Gives `count` questions to the daemon at that path; the next one finds that it ends."""
    for _ in range(count):
        with listener.accept()[0] as asking, socket.socket(socket.AF_UNIX) as asked:
            asked.connect(path)
            asked.sendall(asking.recv(65536))
            while piece := asked.recv(65536):
                asking.sendall(piece)
    asking = listener.accept()[0]
    os.unlink(listener.getsockname())
    listener.close()
    asking.close()


def test_it_ends_with_a_daemon_that_ends_while_it_is_asked(daemon):
    with daemon(with_control(SERVERS)) as running, socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(running.tmp, "relay.sock")
        listener.bind(path)
        listener.listen()
        relaying = threading.Thread(target=relay, args=(listener, control_path(running), 4), daemon=True)
        relaying.start()
        top = subprocess.run([RETINUECTL, "--socket", path, "top", "-n", "100", "--interval", "100ms"], capture_output=True, text=True,
                             timeout=WAIT_BOUND, check=False)
        relaying.join(WAIT_BOUND)
        assert top.returncode == 3 and "no daemon at" in top.stderr


# In a terminal


class Terminal:
    """retinuectl top in a pty, whose screen is kept as lines of text."""

    def __init__(self, running, *arguments, columns=80, lines=24):
        self.lines = lines
        self.bytes = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            time.sleep(0)
            environment = dict(clean_environment(), TERM="xterm", LC_ALL="C.UTF-8")
            environment.pop("NO_COLOR", None)
            os.execve(RETINUECTL, [RETINUECTL, "--socket", control_path(running), "top", "--interval", "200ms", *arguments], environment)
        self.resize(columns, lines)

    def resize(self, columns, lines):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, timeout):
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return False
        with contextlib.suppress(OSError):
            data = os.read(self.fd, 65536)
            self.bytes += data
            return bool(data)
        return False

    def frame(self):
        """The last frame that is complete, without colours."""
        frames = self.bytes.decode("utf-8", "replace").split("\x1b[H")
        complete = [frame for frame in frames[1:] if "\x1b[J" in frame]
        if not complete:
            return ""
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", complete[-1].split("\x1b[J")[0]).replace("\r", "")

    def wait(self, condition, what):
        deadline = time.monotonic() + WAIT_BOUND
        while not condition(self.frame()):
            assert time.monotonic() < deadline, f"{what}:\n{self.frame()}"
            self.read(0.1)
        return self.frame()

    def key(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        """The exit status, when it ends by itself."""
        deadline = time.monotonic() + WAIT_BOUND
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.pid = 0
                while self.read(0):
                    pass
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, "it did not end"
            self.read(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def test_screen(daemon):
    with daemon(with_control(SERVERS)) as running, Load(running), Terminal(running) as top:
        frame = top.wait(lambda text: "REQ/S" in text and table(text, "SERVER")[1]["web"][1] != "0", "rates")
        assert frame.splitlines()[-1].startswith("sorted by requests; keys: q quit")
        assert max(map(len, frame.splitlines())) <= 80
        assert b"\x1b[?1049h" in top.bytes and b"\x1b[1m" in top.bytes
        top.key("q")
        assert top.end() == 0
        # The terminal is as it was.
        assert top.bytes.endswith(b"\x1b[?25h\x1b[?1049l")


def test_sorting_and_scrolling(daemon):
    with daemon(with_control(SERVERS)) as running, Terminal(running) as top:
        top.wait(lambda text: "sorted by requests" in text, "the first frame")
        top.key("s")
        top.wait(lambda text: "sorted by p99" in text, "the next order")
        top.key("\x1b[D\x1b[D"[:3])
        top.wait(lambda text: "sorted by requests" in text, "the order before")
        top.key("\x1b[D")
        top.wait(lambda text: "sorted by name" in text, "the last order")
        top.wait(lambda text: list(table(text, "SERVER")[1]) == ["talk", "web"], "servers by name")
        first = list(table(top.frame(), "ROUTE")[1])[0]
        top.key("\x1b[B")
        top.wait(lambda text: list(table(text, "ROUTE")[1])[0] != first, "scrolled down")
        top.key("\x1b[A")
        top.wait(lambda text: list(table(text, "ROUTE")[1])[0] == first, "scrolled up")


def test_pause(daemon):
    with daemon(with_control(SERVERS)) as running, Terminal(running) as top:
        top.wait(lambda text: "sorted by" in text, "the first frame")
        top.key("p")
        paused = top.wait(lambda text: "paused; " in text, "paused")
        top.key("s")
        again = top.wait(lambda text: "paused; sorted by p99" in text, "keys go on working")
        assert again.splitlines()[0] == paused.splitlines()[0]
        top.key("p")
        top.wait(lambda text: "paused" not in text, "it goes on")


def test_resize(daemon):
    with daemon(with_control(SERVERS)) as running, Terminal(running) as top:
        top.wait(lambda text: "ROUTE" in text, "the first frame")
        top.resize(60, 6)
        frame = top.wait(lambda text: len(text.splitlines()) <= 6 and "ROUTE" not in text, "a small frame")
        assert frame.splitlines()[-1].startswith("sorted by")
        top.resize(120, 40)
        top.wait(lambda text: "ROUTE" in text, "a large frame")


def test_stuck_handlers_are_shown(daemon, tmp_path):
    gate = Gate(tmp_path)
    bad = SERVERS + f"""
  bad:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: slow, handler: loop, options: {{until: {gate}}}}}]
"""
    with daemon(with_control(bad)) as running, running.raw("bad") as raw, Terminal(running) as top:
        send_get(raw)
        top.wait(lambda text: re.search(r"stuck for \S+( \S+)?: bad/loop-0: ", text), "the stuck handler")
        gate.open()
        assert raw.response().status == 200
        top.wait(lambda text: "stuck for" not in text, "it has come back")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_give_the_terminal_back(daemon, number):
    with daemon(with_control(SERVERS)) as running, Terminal(running) as top:
        top.wait(lambda text: "sorted by" in text, "the first frame")
        os.kill(top.pid, number)
        assert top.end() == 0
        assert top.bytes.endswith(b"\x1b[?25h\x1b[?1049l")


def test_the_daemon_goes_away_and_comes_back(daemon):
    with daemon(with_control(SERVERS)) as running:
        with Terminal(running) as top:
            top.wait(lambda text: "sorted by" in text, "the first frame")
            running.stop()
            top.wait(lambda text: "no answer from the daemon" in text, "it says so")
            top.key("q")
            assert top.end() == 0
