"""Drives the real daemon: starts it on free ports, speaks raw bytes to it, and looks at what it says and how it ends.

Daemon   one running retinued: addresses, log, notifications to the service manager, stop
Raw      one TCP or unix connection with a strict HTTP/1.1 response parser (raw.py)
curl     the tool, without proxies and with a bound on its time
run      retinued run to its end (-n, --schema, bad configurations)

The environment says what is driven: RETINUED (the daemon), RETINUE_BUILD (default build), RETINUE_MODULES (default
RETINUE_BUILD/modules), and what bounds.py says.
"""
import collections
import contextlib
import errno
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import yaml

from bounds import START_BOUND, STOP_BOUND, WAIT_BOUND, WRAP
from raw import Closed, ProtocolError, Raw, Response

__all__ = ["Closed", "Daemon", "ProtocolError", "Raw", "Response", "curl", "free_port", "run", "with_modules"]

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("RETINUE_BUILD", ROOT / "build")).resolve()
RETINUED = os.environ.get("RETINUED", str(BUILD / "src" / "daemon" / "retinued"))
MODULES = os.environ.get("RETINUE_MODULES", str(BUILD / "modules"))

LOG_LINES = 5000
LOG_LINE_BYTES = 64 * 1024
READ_BYTES = 1024 * 1024  # more than a pipe holds
REPORT_LINES = 400

REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|: runtime error: |ERROR SUMMARY: [1-9]")
# 99 is what the test script tells sanitizers to exit with, 66 and 23 are their own choices.
REPORT_STATUS = {99, 66, 23}
CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE, -signal.SIGTRAP}
ADDRESS = re.compile(r"unix:[^\s,]+|\[[^\]]+\]:\d+|[\w.*-]+:\d+")
PLACEHOLDER = re.compile(r"\{(port\w*|tmp|modules)\}")


def _ports():
    """Those of this process of the tests: others must not choose one between our choice and its use. They begin anywhere, for the
    sake of other runs."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 20
    begin = random.randrange(1000)
    while True:
        for n in range(1000):
            yield 10000 + worker * 1000 + (begin + n) % 1000


PORTS = _ports()


def free_port():
    """A port that was free a moment ago, on all addresses, below those that the system gives to outgoing connections, of which tests
    make thousands. Prefer "listen: 127.0.0.1:0" in configurations: that cannot collide."""
    for port in PORTS:
        with socket.socket() as v4, socket.socket(socket.AF_INET6) as v6, contextlib.suppress(OSError):
            v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            v4.bind(("", port))
            v6.bind(("::", port))
            return port


def with_modules(text, folder=MODULES):
    """The configuration with a module folder, unless it names its own or cannot be read; lines keep their numbers if possible."""
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if not isinstance(tree, dict):
        return text
    daemon = tree.get("daemon")
    if "daemon" not in tree or daemon is None:
        text = re.sub(r"(?m)^daemon:[^\n]*\n?", "\n", text)
        return text.rstrip("\n") + f'\ndaemon: {{modules: ["{folder}"]}}\n'
    if not isinstance(daemon, dict) or "modules" in daemon:
        return text
    if re.search(r"(?m)^daemon:\s*\{", text):
        return re.sub(r"(?m)^(daemon:\s*\{)", rf'\1modules: ["{folder}"], ', text, count=1)
    return re.sub(r"(?m)^daemon:[^\n]*\n((?:\s*(?:#[^\n]*)?\n)*)( +)", rf'daemon:\n\1\2modules: ["{folder}"]\n\2', text, count=1)


def is_readable(stream, timeout=None):
    """Waits until there is something to read, or the end; for no longer than so many ms."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(timeout))


class Log:
    """What the daemon wrote, line by line, kept within bounds. A thread reads it as it comes, and whoever looks first reads what
    is there by then: every line that was written before is seen, such as those a handler wrote before it answered."""

    def __init__(self):
        self.changed = threading.Condition()
        self.lines = collections.deque(maxlen=LOG_LINES)
        self.begun = b""  # a line whose end has not come
        self.dropped = 0
        self.closed = False
        self.report = []
        self.stream = self.thread = None

    def follow(self, stream):
        """Begins to read: a pipe, or a terminal's outer end."""
        self.stream = stream
        self.thread = threading.Thread(target=self._read_all, daemon=True)
        self.thread.start()

    def join(self, timeout=WAIT_BOUND):
        """Waits until everything has been read."""
        self.thread.join(timeout)

    def _read_all(self):
        while not self.closed:
            is_readable(self.stream)
            with self.changed:
                self._read()

    def _read(self):
        """Takes what is there; with the lock held."""
        if self.stream is None or self.closed or self.stream.closed or not is_readable(self.stream, 0):
            return
        try:
            piece = os.read(self.stream.fileno(), READ_BYTES)
        except OSError as error:
            assert error.errno == errno.EIO  # of a terminal whose other end is gone
            piece = b""
        self.closed = not piece
        self._take(piece)
        self.changed.notify_all()

    def _take(self, piece):
        *lines, self.begun = (self.begun + piece).split(b"\n")
        if self.closed or len(self.begun) > LOG_LINE_BYTES:
            lines, self.begun = lines + [self.begun] * bool(self.begun), b""
        for line in lines:
            self._add(line.decode("utf-8", "replace"))

    def _add(self, line):
        if len(self.lines) == LOG_LINES:
            self.dropped += 1
        self.lines.append(line)
        if (self.report or REPORT.search(line)) and len(self.report) < REPORT_LINES:
            self.report.append(line)

    def mark(self):
        """The number of lines so far, for the `since` of find and wait."""
        with self.changed:
            self._read()
            return self.dropped + len(self.lines)

    def text(self):
        with self.changed:
            self._read()
            return "\n".join(self.lines)

    def find(self, pattern, since=0):
        """All matches of a pattern, at most one per line."""
        with self.changed:
            self._read()
            return self._find(re.compile(pattern), since)

    def _find(self, pattern, since):
        lines = list(self.lines)[max(0, since - self.dropped):]
        return [match for match in map(pattern.search, lines) if match]

    def wait(self, pattern, timeout=WAIT_BOUND, since=0, count=1):
        """The count-th match; fails when it does not come in time or the daemon has closed its log without it."""
        pattern = re.compile(pattern)
        with self.changed:
            self.changed.wait_for(lambda: self.closed or len(self._find(pattern, since)) >= count, timeout)
            found = self._find(pattern, since)
        assert len(found) >= count, f"no log line {pattern.pattern!r} ({len(found)} of {count}) in:\n{self.text()}"
        return found[count - 1]


class Notifications:
    """The service manager's end of the notification socket."""

    def __init__(self, path):
        self.path = path
        self.changed = threading.Condition()
        self.messages = []
        self.passed = []  # (message, descriptor), as they came
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def _receive(self):
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.socket, 4096, 4)
            if message == b"harness-end":
                return
            with self.changed:
                self.messages.append(message.decode("utf-8", "replace"))
                self.passed += [(self.messages[-1], descriptor) for descriptor in descriptors]
                self.changed.notify_all()

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"harness-end", self.path)
        self.thread.join()
        self.socket.close()
        for _, descriptor in self.passed:
            os.close(descriptor)

    def wait(self, pattern, timeout=WAIT_BOUND):
        """The first message with a line that matches; fails when none comes in time."""
        pattern = re.compile(pattern, re.M)

        def find():
            return next((message for message in self.messages if pattern.search(message)), None)

        with self.changed:
            self.changed.wait_for(lambda: find() is not None, timeout)
            message = find()
        assert message is not None, f"no notification {pattern.pattern!r} in {self.messages}"
        return message


class Daemon:
    """One retinued with its configuration. In the text {port}, {port_x} become free ports (equal names, equal ports), {tmp} a
    short folder for unix sockets that goes away with the daemon, {modules} the module folder. A configuration that names no
    module folder gets ours."""

    def __init__(self, text, path, args=(), env=None, modules=MODULES, pass_fds=(), preexec=None, config=None):
        self.folder = pathlib.Path(path)
        self.tmp = tempfile.mkdtemp(prefix="rtn-")
        self.placeholders = {"tmp": self.tmp, "modules": str(modules)}
        self.text = with_modules(self.fill_in(text), modules)
        self.config = pathlib.Path(config) if config else self.folder / "retinued.yaml"
        self.args = list(args)
        self.env = dict(os.environ, **(env or {}))
        self.pass_fds = pass_fds
        self.preexec = preexec
        self.log = Log()
        self.process = None
        self.exit_code = None

    def fill_in(self, text):
        """Replaces the place-holders; for text that is written later, such as a changed configuration."""

        def value(match):
            name = match[1]
            if name not in self.placeholders:
                self.placeholders[name] = str(free_port())
            return self.placeholders[name]

        return PLACEHOLDER.sub(value, text)

    # Life

    def start(self, wait=True):
        self.config.write_text(self.text, encoding="utf-8")
        self.notifications = Notifications(os.path.join(self.tmp, "notify"))
        self.env["NOTIFY_SOCKET"] = self.notifications.path
        self.process = subprocess.Popen(
            [*WRAP, RETINUED, "-c", str(self.config), *self.args], env=self.env, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, pass_fds=self.pass_fds, preexec_fn=self.preexec, cwd=self.folder)
        self.log.follow(self.process.stderr)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        """Returns once the daemon has said READY=1; fails at once when it ends before that."""
        deadline = time.monotonic() + START_BOUND
        while not any("READY=1" in message for message in list(self.notifications.messages)):
            ended = self.log.closed and self.process.poll() is not None
            assert not ended, f"the daemon ended with {self.process.returncode} before it was ready:\n{self.log.text()}"
            assert time.monotonic() < deadline, f"the daemon was not ready in {START_BOUND} s:\n{self.log.text()}"
            with self.notifications.changed:
                self.notifications.changed.wait(0.05)

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=STOP_BOUND):
        """Waits for the end and returns the exit status (negative: the signal that ended it)."""
        if self.exit_code is None:
            try:
                self.exit_code = self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the daemon did not end in {timeout} s:\n{self.log.text()}") from None
            self._clean_up()
            self.assert_clean()
        return self.exit_code

    def stop(self, timeout=STOP_BOUND):
        """SIGTERM, then the exit status. Fails when it does not end in time, crashes, or a sanitizer has something to say."""
        if self.exit_code is None and self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        """For tests of sudden death and for cleaning up; nothing is asserted."""
        if self.process is None or self.exit_code is not None:
            return
        self.process.kill()
        self.exit_code = self.process.wait()
        self._clean_up()

    def _clean_up(self):
        self.log.join()
        self.notifications.close()
        self.left_behind = sorted(set(os.listdir(self.tmp)) - {"notify"})
        shutil.rmtree(self.tmp, ignore_errors=True)

    def assert_clean(self):
        assert not self.log.report, "the daemon's sanitizer reports:\n" + "\n".join(self.log.report)
        bad = self.exit_code in CRASHES or self.exit_code in REPORT_STATUS
        assert not bad, f"the daemon ended with {self.exit_code}:\n{self.log.text()}"

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.stop()
        else:
            self.kill()

    # Addresses

    def addresses(self, server=None):
        """Where a server (the first, when none is named) listens: what the configuration says, or, when a port there is 0 or the
        server is not there, what its start-up line says."""
        servers = yaml.safe_load(self.text)["servers"]
        server = server or next(iter(servers))
        listen = (servers.get(server) or {}).get("listen")
        listen = [str(address) for address in (listen if isinstance(listen, list) else [listen])]
        if all(re.search(r"^unix:|^systemd:|^[1-9]\d*$|:[1-9]\d*$", address) for address in listen):
            return [f"127.0.0.1:{address}" if address.isdigit() else address for address in listen]
        # In JSON lines the quotes have backslashes.
        self.log.wait(rf'server \\?"{re.escape(server)}\\?": \w+ on ')
        line = self.log.find(rf'server \\?"{re.escape(server)}\\?": \w+ on (.*?), loops\b')[-1]
        return ADDRESS.findall(line[1])

    def port(self, server=None, n=0):
        """The n-th TCP port of a server."""
        ports = [int(address.rsplit(":", 1)[1]) for address in self.addresses(server) if not address.startswith("unix:")]
        return ports[n]

    def unix(self, server=None, n=0):
        """The path of the n-th unix socket of a server."""
        return [address[5:] for address in self.addresses(server) if address.startswith("unix:")][n]

    def url(self, path="/", server=None, n=0):
        return f"http://127.0.0.1:{self.port(server, n)}{path}"

    # Talking

    def raw(self, server=None, n=0, **options):
        """A Raw connection to the n-th address of a server, of whatever kind."""
        address = self.addresses(server)[n]
        if address.startswith("unix:"):
            return Raw(address[5:], **options)
        host = "::1" if address.startswith("[") else "127.0.0.1"
        return Raw((host, int(address.rsplit(":", 1)[1])), **options)

    def get(self, path="/", server=None, n=0):
        """One simple GET on a connection of its own."""
        with self.raw(server, n) as raw:
            raw.send(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
            return raw.response()

    def log_wait(self, pattern, timeout=WAIT_BOUND, since=0, count=1):
        return self.log.wait(pattern, timeout, since, count)

    def notify_wait(self, pattern, timeout=WAIT_BOUND):
        return self.notifications.wait(pattern, timeout)

    def threads(self):
        """The names of the daemon's threads, as ps -L shows them."""
        names = []
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                names.append(pathlib.Path(f"/proc/{self.pid}/task/{task}/comm").read_text(encoding="utf-8").rstrip("\n"))
            except (FileNotFoundError, ProcessLookupError):
                continue  # this thread has just ended
        return sorted(names)


def clean_environment():
    """The environment without what would make a tool leave the loopback or read its user's settings."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def curl(*args, timeout=WAIT_BOUND, check=True, text=True):
    """Runs curl and returns its CompletedProcess; fails on an exit status other than 0 unless check is False."""
    result = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "--max-time", str(timeout), *map(str, args)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=text,
                            env=clean_environment(), timeout=timeout + 10, check=False)
    assert not check or result.returncode == 0, f"curl {args}: {result.returncode} {result.stderr}"
    return result


def run(*args, env=None, timeout=START_BOUND, cwd=None, preexec=None):
    """Runs retinued to its end; the CompletedProcess has text. Fails on a crash or a sanitizer's report, whatever is expected."""
    result = subprocess.run([*WRAP, RETINUED, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, text=True, errors="replace", timeout=timeout, cwd=cwd,
                            env=dict(os.environ, **(env or {})), preexec_fn=preexec, check=False)
    assert not REPORT.search(result.stderr), result.stderr
    assert result.returncode not in CRASHES | REPORT_STATUS, f"ended with {result.returncode}:\n{result.stderr}"
    return result
