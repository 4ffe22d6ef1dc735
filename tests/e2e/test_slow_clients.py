"""Ten thousand clients that send a byte a second: others are served meanwhile, each one is cut, and nothing is left over."""
import contextlib
import os
import resource
import selectors
import socket
import time

import pytest

from bounds import SLOW, WAIT_BOUND
from common import wait_until, with_test_modules

CLIENTS = 10000
PER_ADDRESS = 1000
TIMEOUT = 6 * SLOW
"""After this each one has to be cut, and not before."""

CONFIG = f"""
  busy:
    listen: 127.0.0.1:0
    threads: 2
    limits: {{connections: {CLIENTS + 100}}}
    timeouts: {{header: {int(TIMEOUT * 1000)}ms, body: {int(TIMEOUT * 1000)}ms, idle: 10m, linger: 1m}}
    routes:
      - {{path: /, module: inspect, handler: loop}}
      - {{path: /worker, module: inspect, handler: worker}}
      - {{path: /echo, module: echo}}
"""
ALWAYS = b"x" * 1000
STARTS = [
    # What comes at once, and what comes a byte at a time
    (b"", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + ALWAYS),
    (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: " + ALWAYS),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n", ALWAYS),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1388\r\n" + ALWAYS),
]


class Slow:
    """One of them. It has been served once before it becomes slow, so that all of them are there before the first is."""

    def __init__(self, port, number):
        self.start, self.drips = STARTS[number % len(STARTS)]
        self.sent = 0
        self.data = b""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Ports of one address would run out.
        self.socket.bind((f"127.0.1.{1 + number // PER_ADDRESS}", 0))
        self.socket.settimeout(WAIT_BOUND)
        self.socket.connect(("127.0.0.1", port))

    def ask(self):
        self.socket.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")

    def listen(self):
        reply = b""
        while not reply.endswith(b"\r\n\r\nok"):
            piece = self.socket.recv(4096)
            assert piece and b"HTTP/1.1 200 OK" in reply + piece
            reply += piece
        self.socket.setblocking(False)

    def drip(self):
        """Sends its next byte. It may have been cut already: that is for hear() to find out."""
        begun = self.sent > 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.send((b"" if begun else self.start) + self.drips[self.sent:self.sent + 1])
        self.sent += 1

    def hear(self):
        """Takes what came. True at the end of the connection."""
        piece = self.socket.recv(4096)
        self.data += piece
        return not piece


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard > CLIENTS + 500, f"this test needs {CLIENTS + 500} descriptors, not {hard}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (CLIENTS + 500 if hard == resource.RLIM_INFINITY else hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def descriptors(running):
    return len(os.listdir(f"/proc/{running.pid}/fd"))


def connect_all(port, stack):
    clients = []
    for number in range(CLIENTS):
        client = Slow(port, number)
        stack.callback(client.socket.close)
        client.ask()
        clients.append(client)
    for client in clients:
        client.listen()
    return clients


def serve_others(running):
    """200 requests, on a connection that stays and on new ones, for a loop and for workers."""
    with running.raw() as kept:
        for i in range(180):
            assert kept.request(target="/worker" if i % 2 else "/").status == 200
    for i in range(20):
        assert running.get("/worker" if i % 2 else "/").status == 200


def wait_for_cuts(clients, selector):
    """Goes on with a byte each second for each that is there still. Returns when all are cut."""
    left = set(clients)
    deadline = time.monotonic() + TIMEOUT + 3 * WAIT_BOUND
    next_drip = time.monotonic() + 1
    while left:
        assert time.monotonic() < deadline, f"{len(left)} of {len(clients)} clients were not cut"
        for key, _ in selector.select(max(0, next_drip - time.monotonic())):
            if key.data.hear():
                selector.unregister(key.fileobj)
                key.fileobj.close()
                left.remove(key.data)
        if time.monotonic() >= next_drip:
            for client in left:
                client.drip()
            next_drip += 1


def test_ten_thousand_slow_clients(daemon, many_descriptors):
    running = daemon(with_test_modules(CONFIG))
    running.log_wait("is ready")  # READY=1 comes before it, and with it a descriptor that goes again
    before = descriptors(running)
    with contextlib.ExitStack() as stack:
        clients = connect_all(running.port(), stack)
        assert descriptors(running) == before + CLIENTS
        selector = stack.enter_context(selectors.EpollSelector())
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        begun = time.monotonic()
        for client in clients:
            client.drip()
        serve_others(running)
        assert not selector.select(0) or time.monotonic() - begun >= TIMEOUT, "some were cut before their time"
        wait_for_cuts(clients, selector)
    # None was left without a reason.
    odd = [client.data for client in clients
           if not client.data.startswith(b"HTTP/1.1 408 ") or b"\r\nConnection: close\r\n" not in client.data]
    assert not odd, f"{len(odd)} were cut in another way: {odd[:5]}"
    assert running.get("/").status == 200
    wait_until(lambda: descriptors(running) == before, "descriptors are left over")
