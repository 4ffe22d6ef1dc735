"""Programs that somebody uses through their standard input and output."""
import contextlib
import os
import pty
import subprocess
import termios

import harness
from bounds import STOP_BOUND


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
        self.output = os.fdopen(self.terminal, "rb", buffering=0) if terminal else self.process.stdout
        self.out.follow(self.output)
        self.err.follow(self.process.stderr)

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
        self.out.join()
        self.err.join()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._end()
        self.output.close()
        if self.terminal is None:
            # What it did not read any more is lost.
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()


def without_echo(terminal):
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
