"""Requests to the daemon, and clients that never stop making them. Only modules of python3-minimal."""
import socket
import threading
import time

from manager import BOUND, wait_until


def connect(address):
    """("127.0.0.1", 80), ("::1", 80) or the path of a unix socket."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    peer = socket.socket(family, socket.SOCK_STREAM)
    peer.settimeout(BOUND)
    try:
        peer.connect(address)
    except OSError:
        peer.close()
        raise
    return peer


def send(peer, path="/"):
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())


def receive(peer):
    """All that comes: (status, body)."""
    data = b""
    while piece := peer.recv(65536):
        data += piece
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise ConnectionResetError(f"no whole reply: {data!r}")
    return int(head.split()[1]), body.decode()


def get(address, path="/"):
    with connect(address) as peer:
        send(peer, path)
        return receive(peer)


def is_refused(address):
    try:
        connect(address).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    return False


class Load:
    """Clients at all addresses, each with one new connection after the other. A connection that is not accepted is what must
    not happen; one that breaks after that belongs to a daemon that was killed."""

    def __init__(self, *addresses):
        self.refused = []
        self.broken = 0
        self.good = {address: 0 for address in addresses}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(address,)) for address in addresses for _ in range(2)]

    def work(self, address):
        while not self.stopping.is_set():
            try:
                peer = connect(address)
            except OSError as error:
                self.refused.append(f"{address}: {error!r}")
                time.sleep(0.01)
                continue
            self.talk(peer, address)

    def talk(self, peer, address):
        try:
            with peer:
                send(peer)
                status, _ = receive(peer)
            assert status == 200
            self.good[address] += 1
        except OSError:
            self.broken += 1

    def wait_for_more(self, count=20):
        """Until each address has answered that often from now on."""
        before = dict(self.good)
        wait_until(lambda: all(self.good[address] >= before[address] + count for address in before),
                   f"{count} more replies at each address; refused so far: {self.refused[:3]}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for_more()
        return self

    def __exit__(self, kind, value, trace):
        self.stopping.set()
        for thread in self.threads:
            thread.join(BOUND)
        assert kind or not self.refused, f"{len(self.refused)} connections were refused: {self.refused[:5]}"
