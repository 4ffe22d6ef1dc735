"""Programs that somebody uses through their standard input and output."""
import contextlib
import errno
import os
import pty
import subprocess
import termios
import threading

import harness
from bounds import STOP_BOUND, WAIT_BOUND


class Program:
    """A program with pipes at its ends, or a terminal that does not echo; its standard error is a pipe in any case."""

    def __init__(self, *command, terminal=False, env=None):
        self.out, self.err = harness.Log(), harness.Log()
        self.terminal = self.inner = None
        ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        if terminal:
            self.terminal, self.inner = pty.openpty()
            without_echo(self.inner)
            ends = {"stdin": self.inner, "stdout": self.inner}
        self.process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, env=env, **ends)
        output = os.fdopen(self.terminal, "rb", buffering=0, closefd=False) if terminal else self.process.stdout
        self.threads = [threading.Thread(target=fill, args=pair, daemon=True)
                        for pair in ((self.out, output), (self.err, self.process.stderr))]
        for thread in self.threads:
            thread.start()

    def type(self, text):
        if self.terminal is not None:
            os.write(self.terminal, text.encode())
        else:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()

    def end_input(self):
        if self.terminal is not None:
            os.write(self.terminal, b"\x04")
        else:
            self.process.stdin.close()

    def lines(self):
        return self.out.text().replace("\r", "").split("\n")

    def wait(self):
        """The exit status, once everything that was written has been read."""
        status = self.process.wait(STOP_BOUND)
        self._end()
        assert not self.err.report, self.err.text()
        return status

    def _end(self):
        if self.inner is not None:
            os.close(self.inner)
            self.inner = None
        for thread in self.threads:
            thread.join(WAIT_BOUND)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._end()
        if self.terminal is not None:
            os.close(self.terminal)
            return
        # What it did not read any more is lost.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


def without_echo(terminal):
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def fill(log, stream):
    """A terminal whose other end is gone gives an error instead of an end."""
    try:
        log.fill(stream)
    except OSError as error:
        assert error.errno == errno.EIO
        with log.changed:
            log.closed = True
            log.changed.notify_all()
