"""Edges of the core: what handlers keep, bodies and limits from route to route, and who may hold up whom."""
import pathlib
import socket
import threading

import pytest

from bounds import WAIT_BOUND
from common import fields, wait_until, with_test_modules
from raw import ProtocolError

HANDLERS = ["drain", "flood", "tail", "release", "stats", "careless", "to-worker", "short-end", "too-much", "bad-redirect"]
ROUTES = "\n".join(f"      - {{path: /{name}, module: edges, handler: {name}}}" for name in HANDLERS)
KEEPERS = ["views-loop", "views-parallel", "whole-loop", "whole-parallel"]
NAMED = "\n".join(f'      - {{path: "/{name}/{{name}}", module: edges, handler: {name}}}' for name in KEEPERS)
PASSING = """
      - {path: /pass/some, module: edges, handler: pass}
      - {path: "/pass/{name}", module: edges, handler: whole-loop, limits: {body: 100KiB}}
"""
TELLING = b"POST /%s/some?a=1&b=2 HTTP/1.1\r\nHost: test\r\nX-Mark: here\r\nX-Long: %s\r\n%s\r\n\r\n"


@pytest.fixture
def running(daemon):
    return daemon(with_test_modules(f"""
  edges:
    listen: 127.0.0.1:0
    loops: 1
    threads: 4
    log_level: debug
    limits: {{body: 8MiB}}
    routes:
{PASSING}{ROUTES}
{NAMED}
"""))


def told(name):
    return f"/{name}/some?a=1&b=2 /{name}/some a=1&b=2 some here\n"


@pytest.mark.parametrize("long", [10, 12000], ids=["short", "long"])
@pytest.mark.parametrize("name", KEEPERS)
def test_strings_of_the_head_last_while_the_body_comes(running, name, long):
    """The buffer of a request grows with its body. With a long head it is not the first one, which is never freed."""
    with running.raw() as raw:
        raw.send(TELLING % (name.encode(), b"x" * long, b"Content-Length: 300000"))
        for size in (1, 9, 6990, 3000, 90000, 200000):
            raw.send(b"b" * size)
        response = raw.response()
        assert (response.status, response.text) == (200, told(name))


@pytest.mark.parametrize("name", KEEPERS)
def test_strings_of_a_pipelined_head_last_while_the_body_comes(running, name):
    """A request that begins in the middle of the buffer is moved to its front when its body needs the room."""
    with running.raw() as raw:
        raw.send(b"GET /stats HTTP/1.1\r\nHost: test\r\n\r\n" + TELLING % (name.encode(), b"y", b"Content-Length: 8100"))
        assert raw.response().status == 200
        raw.send(b"b" * 100)
        raw.send(b"c" * 8000)
        response = raw.response()
        assert (response.status, response.text) == (200, told(name))


@pytest.mark.parametrize("name", KEEPERS)
def test_strings_of_the_head_last_while_chunks_come(running, name):
    with running.raw() as raw:
        raw.send(TELLING % (name.encode(), b"z" * 9000, b"Transfer-Encoding: chunked"))
        for size in (1, 5000, 20000, 70000, 150000):
            raw.send(b"%x\r\n%s\r\n" % (size, b"c" * size))
        raw.send(b"0\r\n\r\n")
        response = raw.response()
        assert (response.status, response.text) == (200, told(name))


def test_route_is_found_again_after_the_body_has_come(running):
    with running.raw() as raw:
        raw.send(TELLING % (b"pass", b"x" * 12000, b"Content-Length: 90000"))
        raw.send(b"b" * 90000)
        response = raw.response()
        assert (response.status, response.text) == (200, told("pass"))


def test_body_that_never_came_does_not_count_for_the_next_request(running):
    """The object of a broken-off upload is used again."""
    with running.raw() as raw:
        raw.send(TELLING % (b"views-loop", b"x", b"Content-Length: 8000000"))
        raw.send(b"b" * 1000)
    running.log.wait(r"closed \(lost\)")
    with running.raw() as raw:
        raw.send(b"GET /pass/some HTTP/1.1\r\nHost: test\r\n\r\n")
        assert raw.response().status == 200


def test_drain_that_is_not_waited_for_does_not_spin(running):
    """The loop sleeps while the body is out, and the drain comes when it is waited for."""
    with running.raw() as raw:
        raw.send(b"POST /drain HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\n")
        raw.send(b"a")
        assert running.get("/stats").status == 200
        wait_until(lambda: all(is_asleep(running.pid) for _ in range(50)), "every thread sleeps")
        raw.send(b"bc")
        assert raw.response().status == 200
    assert fields(running.get("/stats").text)["drains"] == "1"


def is_asleep(pid):
    states = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        states.append((task / "stat").read_text().rpartition(")")[2].split()[0])
    return set(states) == {"S"}


def test_reply_without_end_leaves_the_loop_to_others(running):
    """A client that reads as fast as the handler writes never makes it wait."""
    address = ("127.0.0.1", running.port())
    with socket.create_connection(address, timeout=WAIT_BOUND) as client:
        client.sendall(b"GET /flood HTTP/1.1\r\nHost: test\r\n\r\n")
        assert client.recv(65536)
        done = threading.Event()
        reader = threading.Thread(target=read_until, args=(client, done), daemon=True)
        reader.start()
        try:
            for _ in range(5):
                assert running.get("/stats").status == 200
        finally:
            done.set()
            reader.join()


def read_until(client, done):
    while not done.is_set() and client.recv(1 << 20):
        pass


def test_flush_on_a_worker_sends_what_waits_for_a_slow_client(running):
    """What a full socket did not take goes out when the handler flushes, though it writes nothing more."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(WAIT_BOUND)
        client.connect(("127.0.0.1", running.port()))
        client.sendall(b"GET /tail HTTP/1.1\r\nHost: test\r\n\r\n")
        got = b""
        while b"\r\n\r\n" not in got:
            got += client.recv(1024)
        got = len(got.partition(b"\r\n\r\n")[2])
        while got < 16 << 20:
            got += len(client.recv(65536))
        assert int(fields(running.get("/stats").text)["flushes"]) > 0
        assert running.get("/release").status == 204
        assert client.recv(10) == b"!"


# Mistakes are named

@pytest.mark.parametrize("handler, line", [
    ("careless", "returned RTN_DONE after a write that was refused; the connection is cut"),
    ("short-end", r"rtn_reply_end: 3 bytes of the 10 that were announced; the connection is cut"),
    ("too-much", r"rtn_reply_write: refused: 3 bytes after 0 of the 2 that were announced"),
])
def test_a_reply_that_is_not_whole_is_cut_and_named(running, handler, line):
    with running.raw() as raw:
        raw.send(f"GET /{handler} HTTP/1.1\r\nHost: test\r\n\r\n")
        with pytest.raises((ConnectionResetError, ProtocolError)):
            raw.response()
    running.log_wait(line)


@pytest.mark.parametrize("handler, line", [
    ("to-worker", "returned RTN_WORKER, but its row in the table of handlers does not say .worker = true"),
    ("bad-redirect", "rtn_reply_redirect: refused: status 200 is none of 301, 302, 303, 307 and 308"),
])
def test_a_mistake_is_a_500_and_named(running, handler, line):
    assert running.get(f"/{handler}").status == 500
    running.log_wait(line)


def test_a_handler_that_reads_the_body_needs_one(retinued):
    text = with_test_modules("""
  a:
    listen: 127.0.0.1:0
    request_body: none
    routes: [{path: /, module: edges, handler: pass}]
  b:
    listen: 127.0.0.1:0
    routes: [{path: /, module: edges, handler: pass, request_body: none}]
""")
    result = retinued("-n", text=text)
    assert result.returncode == 1
    assert 'handler "pass" of module "edges" reads the body, but request_body is none on this server\n' in result.stderr
    assert 'handler "pass" of module "edges" reads the body, but request_body is none\n' in result.stderr
