"""The butler: a terminal on standard input and output, through pipes and a real one, and the servers behind it."""
import contextlib
import fcntl
import os
import re
import termios
import time

import pytest

import harness
from bounds import START_BOUND, STOP_BOUND, WRAP
from common import with_test_modules
from programs import Program
from raw import Raw

READY = r"retinued \S+ is ready$"
STOPPED = 'server "server": stopped$'
CONFIGURATIONS = ["butler.yaml", "butler-offload.yaml", "butler-tasks.yaml"]


def config(slow="1h", offload="", patience="1h", threads=1, more="", capacity=100, client="", listen="stdio"):
    """`offload`: a server of that name does the slow work, else it is the same one. `more`: options of offload."""
    work = f"{{module: butler, handler: offload, options: {{slow: {slow}{more}}}}}"
    here = f", {work}" if not offload else ""
    there = f"  {offload}:\n    protocol: worker\n    threads: 1\n    log_level: info\n    modules: [{work}]\n" if offload else ""
    return with_test_modules(f"""
  client:
    protocol: line
    listen: {listen}
    threads: 0
    modules: [{{module: butler, handler: client, options: {{{client}}}}}]
  server:
    protocol: worker
    threads: {threads}
    hub_capacity: {capacity}
    log_level: info
    modules: [{{module: butler, handler: server, options: {{patience: {patience}}}}}{here}]
{there}""")


class Terminal(Program):
    """The daemon on it; its log is on standard error."""

    def __init__(self, folder, text, terminal=False):
        config = folder / "retinued.yaml"
        config.write_text(text, encoding="utf-8")
        super().__init__(*WRAP, harness.RETINUED, "-c", config, terminal=terminal,
                         env=dict(os.environ, RETINUE_MODULES=harness.MODULES))
        self.log = self.err
        self.seen = 0

    def reads(self, *lines):
        """These are the next lines on the terminal, and nothing else has come."""
        for line in lines:
            assert self.out.wait("^(.*?)\r?$", since=self.seen)[1] == line
            self.seen += 1

    def stop_server(self):
        self.type("kill\n")
        self.log.wait(STOPPED)

    def __exit__(self, *unused):
        super().__exit__(*unused)
        print(f"-- terminal\n{self.out.text()}\n-- log\n{self.log.text()}")


@pytest.fixture
def butler(tmp_path):
    with contextlib.ExitStack() as stack:
        def start(text, terminal=False):
            started = stack.enter_context(Terminal(tmp_path, text, terminal))
            started.log.wait(READY, START_BOUND)
            return started

        yield start


@pytest.fixture(params=[False, True], ids=["pipes", "terminal"])
def kind(request):
    return request.param


def test_requests_are_answered_until_quit(butler, kind):
    running = butler(config(), kind)
    running.type("hello\n")
    running.reads('Handled: "hello" (request 1).')
    running.type("one\r\ntwo\n\nthr")
    running.reads('Handled: "one" (request 2).', 'Handled: "two" (request 3).')
    running.type("ee gr\u00fc\u00df\n")
    running.reads('Handled: "three gr\u00fc\u00df" (request 4).')
    running.type("quit\n")
    running.reads("Goodbye.")
    assert running.wait() == 0
    assert running.out.text().replace("\r", "").count("\n") == 4
    assert running.log.find(STOPPED) and not running.log.find(r" (warn|error|fatal) ")


def test_kill_stops_the_server_alone(butler, kind):
    running = butler(config(), kind)
    running.type("hello\n")
    running.reads('Handled: "hello" (request 1).')
    running.stop_server()
    running.reads("The server is told to stop.")
    for _ in range(3):
        running.type("hello\n")
        running.reads("The server has stopped.")
    running.type("kill\nquit\n")
    running.reads("The server is told to stop.", "Goodbye.")
    assert running.wait() == 0


def test_the_end_of_the_input_ends_the_daemon(butler, kind):
    running = butler(config(), kind)
    running.type("hello\n")
    running.reads('Handled: "hello" (request 1).')
    running.end_input()
    assert running.wait() == 0
    assert running.log.find(STOPPED)


def test_the_end_of_the_input_right_away(tmp_path):
    """As from /dev/null: it starts, and ends well."""
    result = harness.run("-c", harness.ROOT / "conf" / "butler.yaml", env={"RETINUE_MODULES": harness.MODULES})
    assert result.returncode == 0 and re.search(f"(?m){READY}", result.stderr), result.stderr


def test_the_terminal_is_left_as_it_was(butler):
    running = butler(config(), terminal=True)
    before = termios.tcgetattr(running.inner)
    running.type("hello\nquit\n")
    assert running.process.wait(STOP_BOUND) == 0
    assert fcntl.fcntl(running.inner, fcntl.F_GETFL) & os.O_NONBLOCK == 0
    assert termios.tcgetattr(running.inner) == before


def test_a_server_that_is_not_there(butler):
    running = butler(config(client="server: cellar"))
    running.type("kill\nhello\n")
    running.reads('There is no server "cellar".', 'Handled: "hello" (request 1).')


def test_what_is_no_request(butler):
    running = butler(config())
    running.type(1024 * "x" + "\na\0b\n\n" + 900 * "y" + "\n")
    running.reads("A request is text of up to 1023 bytes.", "A request is text of up to 1023 bytes.",
                  f'Handled: "{900 * "y"}" (request 1).')
    running.type(1023 * "z" + "\n")
    running.reads(f'Handled: "{900 * "z"}" (request 2).')


# Slow work

def begin_slow(running, *texts):
    for text in texts:
        running.type(f"slow {text}\n")
        running.log.wait(rf"slow work for server: slow {text}$")


def test_slow_work_on_the_same_worker_holds_up_the_server(butler):
    running = butler(config(slow="500ms"))
    begun = time.monotonic()
    begin_slow(running, "a")
    running.type("hello\n")
    running.out.wait(r'^Handled: "hello" \(request 2\)\.$')
    assert time.monotonic() - begun >= 0.5
    assert int(running.out.wait(r'^Done: "slow a" \((\d+) ms of slow work\)\.$')[1]) >= 500


def test_slow_work_on_another_server_does_not(butler):
    running = butler(config(offload="offload"))
    begin_slow(running, "a")
    running.type("slow b\nhello\n")
    running.reads('Handled: "hello" (request 3).')
    # One after the other: b is not begun.
    assert len(running.log.find("slow work for")) == 1
    running.stop_server()
    running.out.wait('^Not done: "slow a": a server stops\\.$')
    running.out.wait('^Not done: "slow b": a server stops\\.$')
    running.type("quit\n")
    assert running.wait() == 0


def test_slow_work_on_another_server_is_done(butler):
    running = butler(config(slow="50ms", offload="offload"))
    running.type("slow a\nslow b\n")
    for text in "ab":
        assert int(running.out.wait(rf'^Done: "slow {text}" \((\d+) ms of slow work\)\.$')[1]) >= 50


def test_tasks_are_done_at_once(butler):
    """None of them ends by itself, so all have begun while the others go on; and there is a worker left for requests."""
    running = butler(config(threads=4, more=", tasks: true"))
    running.type("slow a\nslow b\nslow c\n")
    running.log.wait("slow work for", count=3)
    running.type("hello\n")
    running.reads('Handled: "hello" (request 4).')
    running.stop_server()
    for text in "abc":
        running.out.wait(f'^Not done: "slow {text}": a server stops\\.$')
    running.type("quit\n")
    assert running.wait() == 0


def test_tasks_are_answered(butler):
    running = butler(config(slow="50ms", threads=4, more=", tasks: true"))
    running.type("slow a\nslow b\nslow c\n")
    for text in "abc":
        assert int(running.out.wait(rf'^Done: "slow {text}" \((\d+) ms of slow work\)\.$')[1]) >= 50


@pytest.mark.parametrize("more", ["", ", tasks: true"], ids=["handler", "task"])
def test_patience_has_an_end(butler, more):
    running = butler(config(offload="offload", patience="50ms", more=more))
    running.type("slow a\n")
    running.reads('Not done: "slow a": it took too long.')
    running.type("hello\n")
    running.reads('Handled: "hello" (request 2).')
    running.type("quit\n")
    running.reads("Goodbye.")
    assert running.wait() == 0


def test_a_full_queue_is_told(butler):
    running = butler(config(capacity=2))
    begin_slow(running, "a")
    running.type(10 * "hello\n")
    running.reads(*8 * ["The server is busy. Try again later."])
    running.type("quit\n")
    running.reads("Goodbye.")
    assert running.wait() == 0


def test_terminals_may_be_many(daemon):
    """As connections: each gets its own answers, and may go."""
    running = daemon(config(listen="127.0.0.1:0", client="end: false"))
    port = running.port("client")
    with Raw(("127.0.0.1", port)) as one, Raw(("127.0.0.1", port)) as two:
        for n in range(1, 10, 2):
            one.send(f"one {n}\n")
            assert one._line() == f'Handled: "one {n}" (request {n}).'.encode()
            two.send(f"two {n}\n")
            assert two._line() == f'Handled: "two {n}" (request {n + 1}).'.encode()
        one.close()
        two.send("still here\n")
        assert two._line() == b'Handled: "still here" (request 11).'


@pytest.mark.parametrize("wrong", ["server: ''", "end: 7", "patience: 1ms"])
def test_bad_options_are_errors(retinued, wrong):
    result = retinued("-n", text=config(client=wrong))
    assert result.returncode == 1 and f'"{wrong.split(":")[0]}"' in result.stderr, result.stderr


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_shipped_configurations_do_what_they_say(butler, name):
    text = (harness.ROOT / "conf" / name).read_text(encoding="utf-8")
    assert text.count("slow: 3s") == 1
    running = butler(text.replace("slow: 3s", "slow: 300ms"))
    running.reads('Ask something. "slow" at its beginning makes it slow; kill stops the server; quit ends.')
    running.type("slow question\n")
    running.out.wait(r'^Done: "slow question" \(\d+ ms of slow work\)\.$')
    running.type("hello\n")
    running.out.wait(r'^Handled: "hello" \(request 2\)\.$')
    running.stop_server()
    running.type("hello\nquit\n")
    running.out.wait(r"^The server has stopped\.$")
    running.out.wait(r"^Goodbye\.$")
    assert running.wait() == 0
