"""Many at once: multicasts, ten thousand connections, slow receivers among fast ones, and everybody's end."""
import contextlib
import resource
import selectors
import signal
import time

import pytest

from bounds import SLOW, WAIT_BOUND
from common import wait_until, with_test_modules
from raw import Raw
from test_flat_memory import status
from test_memory import is_sanitized
from test_ws_sending import narrow
from ws_raw import TEXT, frame
from ws_talk import CLOSE, config, do, upgraded

MIB = 1 << 20


def opened(running, count, stack, path="/loop"):
    """Clients that have told their numbers."""
    address = ("127.0.0.1", running.port())  # once: the harness looks it up in the configuration
    ends = [stack.enter_context(upgraded(Raw(address), path)) for _ in range(count)]
    for end in ends:
        end.text("!who")
    for end in ends:
        end.id = int(end.message().split(" ")[0].split("=")[1])
    return ends


def listed(ends):
    return ",".join(str(end.id) for end in ends)


def test_a_multicast_to_odds_and_evens(daemon):
    """200 clients, some of which have gone: those are told apart from all the others."""
    with contextlib.ExitStack() as stack:
        running = daemon(config(loops=2, options="quiet: true"))
        ends = opened(running, 200, stack)
        gone = ends[3::50] + ends[10::40]
        for end in gone:
            end.raw.close() if end.id % 2 else end.raw.reset()
        wait_until(lambda: do(running, "list 1 1").split(" ")[0] == str(200 - len(gone)), "those to be gone")
        for name, group in (("odds", ends[1::2]), ("evens", ends[0::2])):
            lost = [end for end in group if end in gone]
            count, failed = do(running, f"many {listed(group)} text to the {name}", "thread").split(" ")
            assert int(count) == len(lost) > 0 and set(failed.split(",")) == set(listed(lost).split(","))
        for number, end in enumerate(ends):
            if end not in gone:
                assert end.message() == ("to the odds" if number % 2 else "to the evens")
                end.close_and_wait()


# Ten thousand

CLIENTS = 10000
TRIPS = 10


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS + 500
    assert hard == resource.RLIM_INFINITY or hard >= wanted, f"this test needs {wanted} descriptors, not {hard}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_clients_do_a_hundred_thousand_round_trips(daemon, many_descriptors):
    """Two daemons, since both ends of so many are more descriptors than one process has everywhere."""
    server = daemon(with_test_modules(f"""
  ws:
    listen: 127.0.0.1:0
    limits: {{connections: {CLIENTS + 100}}}
    timeouts: {{header: 10m, ping: 10m, close: 10m}}
    routes:
      - {{path: /, module: ws_probe, handler: echo-loop, options: {{quiet: true}}}}
      - {{path: /do-loop, module: ws_probe, handler: do-loop}}
""", "shutdown_timeout: 10m"))
    clients = daemon(with_test_modules(f"""
  out:
    limits: {{connections: {CLIENTS + 100}}}
    clients:
      - {{url: "ws://127.0.0.1:{server.port()}/", count: {CLIENTS}, reconnect: 0s, module: ws_trips, handler: trips,
         options: {{clients: {CLIENTS}, rounds: {TRIPS}}}, timeouts: {{connect: 2m, ping: 10m}}}}
""", "shutdown_timeout: 10m"))
    clients.log_wait(f"trips: {CLIENTS} connections are open", 300 * SLOW)
    assert do(server, "list 1 0") == str(CLIENTS)
    done = clients.log_wait(r"trips: done=(\d+) wrong=(\d+)", 300 * SLOW)
    assert done.groups() == (str(CLIENTS * TRIPS), "0")
    # The server goes: each of them is told.
    assert server.stop(300 * SLOW) == 0
    assert clients.stop(300 * SLOW) == 0
    assert clients.log_wait(r"trips: open=(\d+) closed=(\d+) going_away=(\d+)").groups() == (str(CLIENTS),) * 3


# The button

def test_a_button_that_ends_the_daemon(daemon):
    with contextlib.ExitStack() as stack:
        running = daemon(config(loops=2))
        ends = [end for path in ("/loop", "/serial", "/parallel") for end in opened(running, 7, stack, path)]
        ends[3].text("!button")
        running.log_wait("the button was pressed")
        running.signal(signal.SIGTERM)
        assert ends[3].message() == "pressed"
        for end in ends:
            end.closed(1001)
        assert running.wait() == 0
    assert len(running.log.find("ws probe: close .*cause=shutdown code=1001")) == len(ends)


# One that stalls

SUBSCRIBERS = 1000
BURST = 10
SIZE = 1000


class Crowd:
    """Subscribers that read what comes and compare it, byte by byte."""

    def __init__(self, ends):
        self.selector = selectors.EpollSelector()
        self.ends = ends
        for end in ends:
            end.raw.socket.setblocking(False)
            end.due = b""
            self.selector.register(end.raw.socket, selectors.EVENT_READ, end)

    def expect(self, data):
        """Waits until all have got exactly this; how long it took."""
        started = time.monotonic()
        left = len(self.ends)
        for end in self.ends:
            end.due = data
        while left:
            ready = self.selector.select(WAIT_BOUND)
            assert ready, f"{left} receivers wait for their messages"
            for key, _ in ready:
                end = key.data
                came = end.raw.socket.recv(1 << 18)
                assert came and end.due.startswith(came), "lost or mixed up"
                end.due = end.due[len(came):]
                left -= not end.due
        return time.monotonic() - started

    def close(self):
        self.selector.close()


def burst(first):
    messages = [f"{number} ".encode().ljust(SIZE, b".") for number in range(first, first + BURST)]
    return b"".join(frame(TEXT, message, mask=None) for message in messages)


def flood(running, crowd, turn):
    assert do(running, f"flood topic {turn * BURST} {BURST} {SIZE}") == "0"
    took = crowd.expect(burst(turn * BURST))
    assert took < WAIT_BOUND, f"a burst took {took} s"


def crowded(running, stack):
    """999 that read, and one that does not."""
    stalled = stack.enter_context(narrow(running))
    ends = opened(running, SUBSCRIBERS - 1, stack)
    results = do(running, "\n".join(f"sub {end.id} topic" for end in [stalled, *ends]))
    assert set(results) == {"0"}
    crowd = Crowd(ends)
    stack.callback(crowd.close)
    return stalled, crowd


@pytest.mark.parametrize("loops", [1, 2])
def test_a_stalled_receiver_is_closed_and_slows_nobody(daemon, loops):
    with contextlib.ExitStack() as stack:
        running = daemon(config(loops=loops, server="limits: {connections: 1100, backlog: 128KiB}",
                                route="timeouts: {close: 500ms, write: 1h, ping: 0s}", options="quiet: true"))
        stalled, crowd = crowded(running, stack)
        turns = 0
        while do(running, f"open {stalled.id}") == "1":
            flood(running, crowd, turns)
            turns += 1
            assert turns < 500, "the stalled one was never closed"
        assert turns * BURST * SIZE > 128 << 10
        for turn in range(turns, turns + 5):
            flood(running, crowd, turn)
        assert do(running, f"send {stalled.id} text x") == "-ENOENT"
        wait_until(lambda: do(running, "list 1 0") == str(SUBSCRIBERS - 1), "the stalled one to be gone")


def test_a_stalled_receiver_misses_messages(daemon):
    """backlog_policy: drop. It stays, gets what fits, and later goes on."""
    with contextlib.ExitStack() as stack:
        running = daemon(config(server="limits: {connections: 1100, backlog: 128KiB}\n    backlog_policy: drop",
                                route="timeouts: {write: 10m, ping: 0s}", options="quiet: true"))
        stalled, crowd = crowded(running, stack)
        turns = 0
        while do(running, f"ping {stalled.id} x") != "-ENOBUFS":
            flood(running, crowd, turns)
            turns += 1
            assert turns < 500, "it was never full"
        for turn in range(turns, turns + 10):
            flood(running, crowd, turn)
        assert do(running, f"open {stalled.id}") == "1"
        # What it has is in order and from the start. Some is missing, where it did not fit: the system may make room in between.
        received = []
        later = 7000
        while not received or received[-1] < 7000:
            if stalled.silent(0.5 * SLOW):
                # It has all by now, and then it gets the next one; or the machine stands still.
                assert later < 7030, "it does not go on"
                assert do(running, f"flood topic {later} 1 {SIZE}") == "0"
                later += 1
            opcode, data = stalled.frame()
            if opcode == TEXT:
                received.append(int(data.split(b" ")[0]))
        assert received[0] == 0 and received == sorted(set(received))
        assert len([number for number in received if number < 7000]) < (turns + 10) * BURST


@pytest.mark.parametrize("policy", ["close", "drop"])
def test_memory_returns(daemon, policy):
    """What waits for stalled ones is freed with them, time after time."""
    running = daemon(config(server=f"limits: {{backlog: 16MiB}}\n    backlog_policy: {policy}",
                            route="timeouts: {close: 100ms, ping: 0s}", options="quiet: true"))
    after = []
    for _ in range(4):
        with contextlib.ExitStack() as stack:
            ends = [stack.enter_context(narrow(running)) for _ in range(3)]
            for end in ends:
                assert do(running, f"fill {end.id} 3000 16000").endswith("last=-ENOBUFS")
            if policy == "drop":
                assert is_sanitized() or status(running, "VmRSS") > 40 * MIB
        wait_until(lambda: do(running, "list 1 0") == "0", "them to be gone")
        after.append(status(running, "VmRSS"))
    assert is_sanitized() or SLOW > 1 or after[-1] < after[0] + 4 * MIB, after
    assert is_sanitized() or SLOW > 1 or after[-1] < 40 * MIB, after


def test_many_receivers_of_large_messages_share_them(daemon):
    """A message of 1 MiB waits for 40 stalled receivers: it is there once."""
    running = daemon(config(server="limits: {backlog: 4MiB}", route="timeouts: {ping: 0s}", options="quiet: true"))
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(narrow(running)) for _ in range(40)]
        assert set(do(running, "\n".join(f"sub {end.id} topic" for end in ends))) == {"0"}
        before = status(running, "VmRSS")
        assert do(running, f"flood topic 0 2 {MIB}") == "0"
        assert do(running, "list 1 0") == "40"
        growth = status(running, "VmRSS") - before
        assert is_sanitized() or SLOW > 1 or growth < 20 * MIB, growth
        for end in ends:
            assert end.message().startswith("0 .") and end.message().startswith("1 .")
            end.close()
            assert end.frame()[0] == CLOSE
