"""1 GiB through a handler, up and down: the daemon's memory stays where it was."""
import pathlib
import socket
import time

import pytest

from bounds import SLOW
from common import fields, with_test_modules
from test_memory import is_sanitized

GIB = 1 << 30
GROWTH = 4 << 20
BLOCK = 1 << 20

SERVERS = """
  get:
    listen: 127.0.0.1:0
    loops: 1
    threads: 2
    limits: {body: 2GiB}
    timeouts: {write: 1m}
    routes:
      - {path: /down-loop, module: stream, handler: gen-loop}
      - {path: /down-parallel, module: stream, handler: gen-parallel}
      - {path: /up-loop, module: stream, handler: count-loop}
      - {path: /up-parallel, module: stream, handler: count-parallel}
"""


def status(running, name):
    text = pathlib.Path(f"/proc/{running.pid}/status").read_text(encoding="utf-8")
    return int(text.split(f"{name}:", 1)[1].split()[0]) * 1024


class Memory:
    """What the daemon's peak has grown by since this was made."""

    def __init__(self, running):
        self.running = running
        pathlib.Path(f"/proc/{running.pid}/clear_refs").write_text("5", encoding="ascii")
        self.before = status(running, "VmRSS")

    def growth(self):
        return status(self.running, "VmHWM") - self.before


@pytest.fixture
def running(daemon):
    return daemon(with_test_modules(SERVERS))


@pytest.fixture(params=["loop", "parallel"])
def row(request):
    return request.param


def amount():
    """Sanitizers and valgrind are slow, and keep memory for themselves."""
    return GIB if SLOW == 1 and not is_sanitized() else GIB // 16


def assert_flat(memory):
    growth = memory.growth()
    print(f"grew by {growth / 1024:.0f} KiB")
    assert growth < GROWTH or is_sanitized() or SLOW > 1, f"the daemon grew by {growth} bytes"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upload(running, row, framing):
    block = bytes(BLOCK)
    count = amount() // BLOCK
    if framing == "chunked":
        head, block, tail = "Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (BLOCK, block), b"0\r\n\r\n"
    else:
        head, tail = f"Content-Length: {count * BLOCK}", b""
    with running.raw(timeout=60 * SLOW) as raw:
        raw.request("POST", f"/up-{row}", body=bytes(100000))
        memory = Memory(running)
        raw.send(f"POST /up-{row} HTTP/1.1\r\nHost: test\r\n{head}\r\n\r\n")
        for _ in range(count):
            raw.send(block)
        raw.send(tail)
        assert fields(raw.response().text)["length"] == str(count * BLOCK)
    assert_flat(memory)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_download(running, row, framing):
    """The client does not read for a second, then as fast as it can, with a pause now and then."""
    size = amount()
    with running.raw(timeout=60 * SLOW) as raw:
        raw.request(target=f"/down-{row}?size=100000")
        memory = Memory(running)
        announce = f"&announce={size}" if framing == "length" else ""
        raw.send(f"GET /down-{row}?size={size}{announce} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        time.sleep(1)
        buffer = memoryview(bytearray(BLOCK))
        received = 0
        while (n := raw.socket.recv_into(buffer)) > 0:
            if received // (size // 8) != (received + n) // (size // 8):
                time.sleep(0.1)
            received += n
        assert size < received < size * 1.01
        raw.socket.shutdown(socket.SHUT_RDWR)
    assert_flat(memory)
