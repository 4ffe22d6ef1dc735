"""The daemon's own connections, from `clients:` and from modules, to servers of others and of the tests."""
import asyncio
import contextlib
import signal
import socket
import threading
import time

import pytest
import websockets

from bounds import WAIT_BOUND
from common import wait_until, with_test_modules
from harness import free_port
from raw import Raw
from test_ws_handler import checksum
from ws_raw import CONTINUATION, frame
from ws_talk import BINARY, CLOSE, MODELS, PING, PONG, TEXT, Acceptor, config, do, upgraded


# Who connects has to be an instance whose own handler promises no more.
DOORS = {"loop": "thread", "serial": "serial", "parallel": "worker"}


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


def clients(url, keys="", handler="client-loop", loops=1, options="name: out", server=""):
    """A server without listeners that has one row of clients, beside one that takes commands."""
    more = f", {keys}" if keys else ""
    return with_test_modules(f"""
  ws:
    listen: 127.0.0.1:0
    routes:
      - {{path: /do-loop, module: ws_probe, handler: do-loop}}
      - {{path: /loop, module: ws_probe, handler: echo-loop}}
  out:
    loops: {loops}
    {server}
    clients:
      - {{url: "{url}", module: ws_probe, handler: {handler}, options: {{{options}}}{more}}}
""")


def closes(running, name="out", count=1, since=0, **wanted):
    pattern = ".*".join(f"{key}={value}" for key, value in wanted.items())
    return running.log_wait(f"ws {name}: close .*{pattern}", count=count, since=since)[0]


class PythonServer:
    """A server of the websockets package, on a thread. `handle` is a coroutine of each connection."""

    def __init__(self, handle, port=0, **options):
        self.handle = handle
        self.port = port
        self.options = options
        self.seen = []
        self.failed = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    async def _handle(self, connection):
        self.seen.append(connection)
        try:
            await self.handle(connection)
        except websockets.ConnectionClosed:
            pass
        except Exception as error:  # the test is told, by the end of the with
            self.failed.append(error)
            raise

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(6 * WAIT_BOUND)

    def __enter__(self):
        self.thread.start()

        async def serve():
            return await websockets.serve(self._handle, "127.0.0.1", self.port, max_size=None, **self.options)

        self.server = self.run(serve())
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *unused):
        async def close():
            self.server.close()
            await self.server.wait_closed()

        self.run(close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WAIT_BOUND)
        self.loop.close()
        assert not self.failed, self.failed


async def wait_for_end(connection):
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            await connection.recv()


@contextlib.contextmanager
def closed_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


# Against the websockets package

@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "deflate"])
def test_a_conversation_with_websockets(daemon, model, deflate):
    """Messages of each kind there; what came is told. The answers go by number."""
    sent = ["hello", "", b"\0\1\2", b"", "\u20ac" * 50000, b"z" * (1 << 20), "a" * 5000]
    came = []

    async def talk(connection):
        for message in sent:
            await connection.send(message)
        while len(came) < 4:
            came.append(await connection.recv())
        await connection.ping()
        await connection.close(1000, "well done")

    with PythonServer(talk, subprotocols=["second"], compression="deflate" if deflate else None) as server:
        keys = "headers: ['X-One: 1', 'X-Two: two words'], protocols: [first, second], limits: {message: 2MiB}"
        keys += ", deflate: {}" if deflate else ""
        running = daemon(clients(f"ws://127.0.0.1:{server.port}/path?q=1", keys, f"client-{model}"))
        number = running.log_wait(r"ws out: open id=(\d+) data= protocol=second")[1]
        for kind, data in (("text", "first"), ("binary", "x" * 3000), ("text", ""), ("text", "y" * 60000)):
            assert do(running, f"send {number} {kind} {data}") in "01"
        closes(running, cause="client", code=1000, reason=r"\(well done\)", opened=1)
        [connection] = server.seen
    assert connection.path == "/path?q=1"
    assert connection.request_headers["X-One"] == "1" and connection.request_headers["X-Two"] == "two words"
    assert connection.request_headers["Host"] == f"127.0.0.1:{server.port}"
    assert connection.request_headers.get_all("Sec-WebSocket-Protocol") == ["first, second"]
    assert bool(connection.extensions) == deflate
    assert came == ["first", b"x" * 3000, "", "y" * 60000]
    told = [(int(m[1]), int(m[2]), int(m[3])) for m in running.log.find(r"ws out: message .* type=(\d) length=(\d+) sum=(\d+)")]
    as_bytes = [(message.encode(), TEXT) if isinstance(message, str) else (message, BINARY) for message in sent]
    assert told == [(kind, len(data), checksum(data)) for data, kind in as_bytes]


def test_fragmented_answers(daemon, model):
    async def talk(connection):
        await connection.send(["one ", "tw\u00f6 ", "", "three"])
        await connection.send([b"x" * 100000, b"y" * 100000])
        await wait_for_end(connection)

    with PythonServer(talk) as server:
        running = daemon(clients(f"ws://127.0.0.1:{server.port}/", "deflate: {}", f"client-{model}"))
        running.log_wait(r"ws out: message .*type=1 length=14 sum=\d+ \(one tw\u00f6 three\)")
        running.log_wait(f"ws out: message .*type=2 length=200000 sum={checksum(b'x' * 100000 + b'y' * 100000)} ")
        assert running.stop() == 0
    closes(running, cause="shutdown")


def test_connected_by_a_module(daemon, model):
    came = []

    async def talk(connection):
        await connection.send("!who")
        came.append(await connection.recv())
        await connection.send("from the server")
        await wait_for_end(connection)

    with PythonServer(talk, subprotocols=["best"]) as server:
        running = daemon(config())
        options = "protocol=best header=X-A:b deflate name=data"
        result, number = do(running, f"connect echo-{model} ws://127.0.0.1:{server.port}/x {options}", DOORS[model]).split()
        assert result == "0" and int(number) > 0
        running.log_wait(f"ws probe: open id={number} data=data protocol=best")
        wait_until(lambda: came, "an answer")
        assert f"id={number} " in came[0] and "data=data" in came[0] and f"peer=127.0.0.1:{server.port}" in came[0]
        assert do(running, "list 2 5") == f"1 {number}" and do(running, "list 1 5") == "0"
        assert do(running, f"close {number} 1000 enough") == "0"
        closes(running, "probe", id=number, cause="normal", code=1000)
        running.log_wait("ws probe: destroy data=data")
        [connection] = server.seen
        assert connection.request_headers["X-A"] == "b"
        wait_until(lambda: connection.close_code == 1000 and connection.close_reason == "enough", "the close to be told")
    assert do(running, f"send {number} text x") == "-ENOENT"


def test_the_protocols_of_the_handler_are_offered(daemon):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}"))
        end = acceptor.accept([("Sec-WebSocket-Protocol", "second")])
        target, fields = end.request
        assert target == "/"
        assert [word.strip() for word in fields["sec-websocket-protocol"].split(",")] == ["best", "second"]
        assert "sec-websocket-extensions" not in fields and "origin" not in fields
        running.log_wait("ws out: open .*protocol=second")
        end.raw.close()


def test_masks_and_keys_are_random(daemon):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "count: 5"))
        ends = [acceptor.accept() for _ in range(5)]
        assert len({end.request[1]["sec-websocket-key"] for end in ends}) == 5
        running.log_wait("ws out: open id=", count=5)
        masks = []
        for match in running.log.find(r"ws out: open id=(\d+)"):
            do(running, f"send {match[1]} text x\nsend {match[1]} text x\nping {match[1]} x")
        for end in ends:
            for _ in range(3):
                head = end.raw._take(7)
                assert head[1] == 0x81
                masks.append(head[2:6])
        assert len(set(masks)) == 15
        for end in ends:
            end.raw.close()


def test_a_unix_socket(daemon):
    """Its own server listens there."""
    running = daemon(with_test_modules("""
  ws:
    listen: [127.0.0.1:0, "unix:{tmp}/ws.sock"]
    routes:
      - {path: /do-loop, module: ws_probe, handler: do-loop}
      - {path: /loop, module: ws_probe, handler: echo-loop}
  out:
    clients: [{url: "ws+unix:{tmp}/ws.sock:/loop?name=u", module: ws_probe, handler: client-loop, options: {name: out}}]
"""))
    number = running.log_wait(r"ws out: open id=(\d+) .*protocol=best")[1]
    assert do(running, f"send {number} text over the socket") == "0"
    running.log_wait(r"ws out: message .*\(over the socket\)")


def test_thousands_between_two_servers_of_one_daemon(daemon):
    running = daemon(with_test_modules("""
  ws:
    listen: 127.0.0.1:{port}
    loops: 2
    routes:
      - {path: /do-loop, module: ws_probe, handler: do-loop}
      - {path: /loop, module: ws_probe, handler: echo-loop, options: {quiet: true}}
  out:
    loops: 2
    clients: [{url: "ws://127.0.0.1:{port}/loop", count: 1000, module: ws_trips, options: {clients: 1000, rounds: 5}}]
"""))
    running.log_wait("trips: 1000 connections are open", 6 * WAIT_BOUND)
    assert running.log_wait(r"trips: done=(\d+) wrong=(\d+)", 6 * WAIT_BOUND).groups() == ("5000", "0")
    assert running.stop() == 0
    running.log_wait("trips: open=1000 closed=1000")


# What does not come about

@pytest.mark.parametrize("status", ["403 Forbidden", "200 OK", "404 Not Found", "503 Service Unavailable"])
def test_refused(daemon, model, status):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", handler=f"client-{model}"))
        raw, _, _ = acceptor.accept_request()
        raw.send(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno")
        line = closes(running, opened=0)
        assert "code=1006" in line and status.split()[0] in running.log_wait(r"ws out: close .*detail=\((.+)\)")[1]
        assert raw.recv_until_close() == b""
        raw.close()


@pytest.mark.parametrize("answer", [
    [], [("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")], [("Sec-WebSocket-Protocol", "never offered")],
    [("Sec-WebSocket-Extensions", "permessage-deflate")],
], ids=["key", "twice", "protocol", "extension"])
def test_a_wrong_answer(daemon, answer):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/"))
        raw, _, fields = acceptor.accept_request()
        acceptor.answer(raw, fields, answer, key=None if answer else "another")
        closes(running, opened=0)
        assert running.log_wait(r"ws out: close .*detail=\((.+)\)")
        assert not running.log.find("ws out: open")
        raw.close()


def test_no_http_at_all(daemon):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/"))
        raw, _, _ = acceptor.accept_request()
        raw.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")
        closes(running, opened=0)
        raw.close()


def test_an_answer_without_end(daemon):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/"))
        raw, _, _ = acceptor.accept_request()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            raw.send("HTTP/1.1 101 x\r\n" + "X-Long: " + "x" * 100000)
        closes(running, opened=0)
        raw.close()


def test_nobody_listens(daemon, model):
    with closed_port() as port:
        running = daemon(clients(f"ws://127.0.0.1:{port}/", handler=f"client-{model}"))
        closes(running, code=1006, opened=0)
        assert "refused" in running.log_wait(r"ws out: close .*detail=\((.+)\)")[1]


def test_a_name_that_does_not_exist(daemon):
    running = daemon(clients("ws://no-such-host.invalid:80/"))
    running.log_wait(r"ws out: close .*opened=0.*detail=\((.+)\)", 3 * WAIT_BOUND)


def test_a_socket_file_that_does_not_exist(daemon):
    running = daemon(clients("ws+unix:/nonexistent/socket:/"))
    running.log_wait(r"ws out: close .*opened=0.*detail=\((.+)\)")


def test_a_server_that_does_not_answer(daemon):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "timeouts: {connect: 200ms}"))
        raw, _, _ = acceptor.accept_request()
        closes(running, cause="timeout", opened=0)
        assert raw.closed()
        raw.close()


@pytest.mark.parametrize("arguments,result", [
    ("client-loop http://127.0.0.1:1/", "-EINVAL"), ("client-loop wss://127.0.0.1:1/", "-EINVAL"),
    ("client-loop nonsense", "-EINVAL"), ("client-loop ws:///path", "-EINVAL"),
    ("client-loop ws://127.0.0.1:1/ header=Broken", "-EINVAL"), ("client-loop ws://127.0.0.1:1/ header=Host:x", "-EINVAL"),
    ("nothing ws://127.0.0.1:1/", "-ENOENT"), ("client-serial ws://127.0.0.1:1/", "-EINVAL"),
])
def test_connect_refuses(daemon, arguments, result):
    running = daemon(config())
    assert do(running, f"connect {arguments}") == f"{result} 0"
    assert do(running, f"connect {arguments} name=mine") == f"{result} 0"


# Again and again

def test_it_connects_again(daemon, model):
    """On the same port, under the same number; each pause is longer than the one before, and none is exactly as long."""
    port = free_port()  # which is nobody's while it is closed
    with Acceptor(port) as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{port}/", "reconnect: 20ms, reconnect_max: 200ms", f"client-{model}"))
        first = acceptor.accept()
        number = running.log_wait(r"ws out: open id=(\d+)")[1]
    first.raw.close()
    closes(running, id=number, opened=1)
    closes(running, id=number, opened=0, count=4)
    assert do(running, f"send {number} text x") == "-ENOTCONN"
    with Acceptor(port) as acceptor:
        second = acceptor.accept()
        assert running.log_wait(r"ws out: open id=(\d+)", count=2)[1] == number
        assert do(running, f"send {number} text here again") == "0"
        assert second.message() == "here again"
        second.text("welcome")
        running.log_wait(rf"ws out: message id={number} .*\(welcome\)")
        second.raw.close()
        third = acceptor.accept()
        running.log_wait("ws out: open", count=3)
        third.raw.close()


def test_the_pauses_grow_and_differ(daemon):
    times = []
    with Acceptor() as acceptor:
        started = time.monotonic()
        daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "reconnect: 100ms, reconnect_max: 1s, count: 2"))
        for _ in range(10):
            raw, _, fields = acceptor.accept_request()
            times.append(time.monotonic())
            raw.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            raw.close()
    # Two that began together do not stay together; five tries take at least their four pauses, less what jitter takes off.
    assert times[-1] - started > 0.4
    assert len({round(each - times[0], 3) for each in times[2:]}) > 4


def test_the_longest_pause(daemon):
    """reconnect_max bounds what doubling makes of it."""
    with Acceptor() as acceptor:
        daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "reconnect: 50ms, reconnect_max: 100ms"))
        started = time.monotonic()
        for _ in range(12):
            raw, _, _ = acceptor.accept_request()
            raw.close()
        # Doubled without end it would be 100 s, less the half of each that is left to chance.
        assert time.monotonic() - started < 45


def test_the_pauses_grow_when_connections_do_not_last(daemon):
    """A server that ends each connection as soon as it is open is no better than none."""
    times = []
    with Acceptor() as acceptor:
        started = time.monotonic()
        daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "reconnect: 50ms, reconnect_max: 10s"))
        for _ in range(6):
            end = acceptor.accept()
            times.append(time.monotonic())
            end.close(4010, "go away")
            end.raw.close()
    # Five pauses that double, less the half of each that is left to chance; without doubling they are 0.25 s at most.
    assert times[-1] - started > 0.5 * (0.05 + 0.1 + 0.2 + 0.4 + 0.8)


def test_without_reconnect_it_stays_away(daemon):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "reconnect: 0s"))
        end = acceptor.accept()
        number = running.log_wait(r"ws out: open id=(\d+)")[1]
        end.close(1001)
        assert end.frame()[0] == CLOSE
        end.raw.close()
        closes(running, id=number, cause="client", code=1001)
        wait_until(lambda: do(running, f"send {number} text x") == "-ENOENT", "the number to be gone")
        acceptor.socket.settimeout(0.3)
        with pytest.raises(socket.timeout):
            acceptor.accept_raw()


def test_a_closed_one_does_not_connect_again(daemon, model):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "reconnect: 20ms", f"client-{model}"))
        end = acceptor.accept()
        number = running.log_wait(r"ws out: open id=(\d+)")[1]
        assert do(running, f"close {number} 1000 enough") == "0"
        assert end.closing() == (1000, "enough")
        end.close(1000)
        end.raw.half_close()
        end.ended()
        closes(running, id=number, cause="normal", code=1000)
        acceptor.socket.settimeout(0.3)
        with pytest.raises(socket.timeout):
            acceptor.accept_raw()
    assert do(running, f"send {number} text x") == "-ENOENT"


def test_closed_while_it_pauses(daemon):
    with closed_port() as port:
        running = daemon(config())
        number = do(running, f"connect client-loop ws://127.0.0.1:{port}/ reconnect=60000 name=pausing").split()[1]
        closes(running, "probe", id=number, opened=0)
        assert not running.log.find("destroy data=pausing")
        assert do(running, f"close {number} 1000") == "0"
        running.log_wait("ws probe: destroy data=pausing")


def test_data_stays_over_connecting_again(daemon, model):
    with Acceptor() as acceptor:
        running = daemon(config())
        number = do(running, f"connect client-{model} ws://127.0.0.1:{acceptor.port}/ reconnect=20 name=kept", DOORS[model]).split()[1]
        for turn in range(3):
            end = acceptor.accept()
            running.log_wait(f"ws probe: open id={number} data=kept", count=turn + 1)
            end.raw.close()
            running.log_wait(f"ws probe: close id={number} data=kept", count=turn + 1)
        assert not running.log.find("destroy")
        end = acceptor.accept()
        running.log_wait(f"ws probe: open id={number} data=kept", count=4)
        running.signal(signal.SIGTERM)
        assert end.closing()[0] == 1001
        end.raw.close()
        assert running.wait() == 0
        assert len(running.log.find("ws probe: destroy data=kept")) == 1


def test_subscriptions_do_not_outlive_a_connection(daemon):
    with Acceptor() as acceptor:
        running = daemon(config())
        number = do(running, f"connect client-loop ws://127.0.0.1:{acceptor.port}/ reconnect=20").split()[1]
        end = acceptor.accept()
        running.log_wait("ws probe: open")
        assert do(running, f"sub {number} t\npub t 0 text one") == ["0", "0"]
        assert end.message() == "one"
        end.raw.close()
        end = acceptor.accept()
        running.log_wait("ws probe: open", count=2)
        assert do(running, f"pub t 0 text two\nsend {number} text three") == ["0", "0"]
        assert end.message() == "three"
        end.raw.close()


def test_a_stop_while_connecting(daemon):
    """Neither one that waits for an answer nor one that pauses holds up the end."""
    with Acceptor() as acceptor, closed_port() as port:
        running = daemon(config(daemon="shutdown_timeout: 10m"))
        do(running, f"connect client-loop ws://127.0.0.1:{acceptor.port}/ connect_timeout=600000 name=waits\n"
                    "connect client-loop ws://no-such-host.invalid/ reconnect=60000 name=looks")
        do(running, f"connect client-serial ws://127.0.0.1:{port}/ reconnect=60000 name=pauses", "serial")
        raw, _, _ = acceptor.accept_request()
        closes(running, "probe", data="pauses", opened=0)
        assert running.stop() == 0
        assert {match[1] for match in running.log.find(r"destroy data=(\w+)")} == {"waits", "pauses", "looks"}
        raw.close()


# Sockets that are there already

def test_a_connected_socket(daemon, model):
    with Acceptor() as acceptor:
        running = daemon(config())
        answers = []
        sender = threading.Thread(target=lambda: answers.append(
            do(running, f"connect client-{model} ws://somewhere.example/path port={acceptor.port} reconnect=20 name=given", DOORS[model])))
        sender.start()
        end = acceptor.accept()
        sender.join(WAIT_BOUND)
        result, number = answers[0].split()
        assert result == "0" and end.request[0] == "/path" and end.request[1]["host"] == "somewhere.example"
        running.log_wait(f"ws probe: open id={number} data=given")
        end.text("hello")
        running.log_wait(r"ws probe: message .*\(hello\)")
        end.raw.close()
        # There is nothing that it could be connected to again.
        running.log_wait("ws probe: destroy data=given")
        assert do(running, f"send {number} text x") == "-ENOENT"


def test_an_adopted_socket(daemon):
    """The daemon serves what the module has connected."""
    with Acceptor() as acceptor:
        running = daemon(config(loops=2))
        for turn in range(4):
            assert do(running, f"adopt {acceptor.port}", "thread" if turn % 2 else "loop") == "0"
            raw = acceptor.accept_raw()
            assert isinstance(raw, Raw)
            assert raw.request(target="/loop").text == "plain\n"
            end = upgraded(raw, "/parallel")
            assert end.ask("hello") == "hello"
            assert end.who()["peer"] == f"127.0.0.1:{acceptor.port}"
            end.close_and_wait()
        assert do(running, "adopt 1") == "-ENOTSOCK"


# What a server must not send

@pytest.mark.parametrize("data,code", [
    (frame(TEXT, b"masked"), 1002), (frame(3, b"x", mask=None), 1002), (frame(TEXT, b"x", rsv=4, mask=None), 1002),
    (frame(TEXT, b"\xff", mask=None), 1007), (frame(BINARY, bytes(1025), mask=None), 1009),
    (frame(CLOSE, b"\x03", mask=None), 1002), (frame(PING, bytes(126), mask=None), 1002),
], ids=["masked", "opcode", "reserved", "utf8", "long", "code", "ping"])
def test_a_server_that_breaks_the_protocol(daemon, data, code):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", "limits: {message: 1KiB}"))
        end = acceptor.accept()
        end.raw.send(data)
        assert end.closing()[0] == code
        closes(running, cause="(protocol|security)", opened=1)
        end.raw.close()


def test_control_frames_between_fragments(daemon, model):
    with Acceptor() as acceptor:
        running = daemon(clients(f"ws://127.0.0.1:{acceptor.port}/", handler=f"client-{model}"))
        end = acceptor.accept()
        end.send(TEXT, "first ", fin=False)
        end.send(PING, "p")
        end.send(CONTINUATION, "last")
        assert end.message(PONG) == b"p"
        running.log_wait(r"ws out: message .*\(first last\)")
        end.raw.close()
