"""What the header files promise to authors of WebSocket handlers, in places where it is easy to get wrong."""
import json
import re
import signal

import pytest

from bounds import SLOW, WAIT_BOUND
from common import Gate, wait_until, with_test_modules
from harness import free_port
from test_access_log import lines_of, wait_for_lines
from test_flat_memory import Memory
from test_memory import is_sanitized
from ws_raw import close, handshake, text
from ws_talk import Acceptor, End, asked, connect, upgraded


def config(routes, server="", more=""):
    """Routes are handlers of the module ws_contract: "take" or ("take", "options: {fails: true}")."""
    pairs = [(row, "") if isinstance(row, str) else row for row in routes]
    rows = [f"      - {{path: /{name}, module: ws_contract, handler: {name}{', ' + keys if keys else ''}}}" for name, keys in pairs]
    lines = "\n".join(rows) or "      []"
    return with_test_modules(f"""
  ws:
    listen: 127.0.0.1:0
    {server}
    routes:
{lines}
{more}""")


# Plain requests on routes with both kinds of handlers

def test_a_plain_handler_gets_only_its_methods(daemon):
    """The WebSocket handler brings GET to the route, which is not for the other handler."""
    running = daemon(config(["post"]))
    with running.raw() as raw:
        for method in ("GET", "HEAD"):
            response = raw.request(method, "/post")
            assert (response.status, response.get("Upgrade"), response.get("Sec-WebSocket-Version")) == (426, "websocket", "13")
        assert raw.request("POST", "/post").text == "plain"
        response = raw.request("PUT", "/post")
        assert (response.status, response.get("Allow")) == (405, "GET, HEAD, POST, OPTIONS")
        response = raw.request("OPTIONS", "/post")
        assert (response.status, response.get("Allow")) == (204, "GET, HEAD, POST, OPTIONS")
        assert upgraded(raw, "/post").message() == "welcome"


def test_a_handshake_with_a_body_on_a_streamed_route(daemon):
    """It is refused before its body is read, and not passed on to the handler."""
    running = daemon(config(["pieces"]))
    with running.raw() as raw:
        raw.send(handshake("/pieces", {"Content-Length": "100000"}))
        assert raw.response().status == 400
    with running.raw() as raw:
        assert raw.request("POST", "/pieces", body=b"x" * 1000).text == "plain"
        assert upgraded(raw, "/pieces").message() == "welcome"
    running.log_wait("contract: body of")
    assert len(running.log.find("contract: body of")) == 1


@pytest.mark.parametrize("model", ["loop", "serial"])
@pytest.mark.parametrize("by,status,content", [("pieces", 403, "in pieces"), ("events", 200, "data: no\n\n"), ("redirect", 307, "")])
def test_refused_by_any_reply(daemon, model, by, status, content):
    running = daemon(config([f"refuse-{model}"]))
    with running.raw() as raw:
        response = asked(raw, f"/refuse-{model}?by={by}")
        assert (response.status, response.text) == (status, content)
        assert asked(raw, f"/refuse-{model}?by={by}").status == status


def test_refused_by_a_file(daemon):
    running = daemon(config(["refuse-serial"]))
    with running.raw() as raw:
        assert asked(raw, "/refuse-serial?by=file").status in (200, 404)


# The request that asks for a WebSocket

@pytest.mark.parametrize("model,thread", [("loop", "loop"), ("serial", "worker")])
def test_what_an_upgrade_leaves_on_the_request(daemon, model, thread):
    """Cookies go into the 101; the request's data ends on the kind of thread that handlers run on, before the WebSocket ends."""
    running = daemon(config([f"data-{model}"]))
    with connect(running, f"/data-{model}") as end:
        assert end.response.get("Set-Cookie") == "taste=sweet"
        running.log_wait(f"contract: destroy of the request's data on {thread}$")
        end.close_and_wait()
    running.log_wait("contract: connection_closed cause=1")
    assert len(running.log.find("contract: destroy of")) == 1


@pytest.mark.parametrize("model,thread", [("loop", "loop"), ("serial", "worker")])
def test_an_upgrade_that_never_comes(daemon, model, thread):
    running = daemon(config([(f"never-{model}", "timeouts: {handler: 100ms}")]))
    with running.raw() as raw:
        assert asked(raw, f"/never-{model}").status == 504
        running.log_wait(f"contract: cancel of the upgrade on {thread}$")
    running.log_wait("contract: connection_closed")
    assert len(running.log.find("contract: cancel")) == 1
    assert not running.log.find("contract: close ")


@pytest.mark.parametrize("model,thread", [("loop", "loop"), ("serial", "worker")])
def test_a_stop_while_an_upgrade_waits(daemon, model, thread):
    """It is given its time, and then cancelled."""
    running = daemon(config([f"never-{model}"]).replace("daemon: {", "daemon: {shutdown_timeout: 500ms, ", 1))
    with running.raw() as raw:
        raw.send(handshake(f"/never-{model}"))
        running.log_wait("contract: upgrade waits")
        assert running.stop() in (0, 1)
    assert len(running.log.find("contract: cancel of the upgrade")) == 1


def test_passed_on_to_a_route_with_websocket(daemon):
    """Fields of the first do not get into the answer of the second; what it left on the connection ends with it."""
    running = daemon(config(["pass"], more="""
      - {path: "/*", module: ws_contract, handler: data-serial}"""))
    with connect(running, "/pass") as end:
        assert end.response.get("X-Passed") is None
        assert end.response.get("Set-Cookie") == "taste=sweet"
        end.text("x")
        running.log_wait(r"contract: message \(x\)")
        assert not running.log.find("destroy of what passed")
        end.close_and_wait()
    running.log_wait("contract: close cause=1 .* data=none on worker")
    running.log_wait("contract: destroy of what passed")


def welcomed(running):
    """A WebSocket, or None when there is no room for it."""
    raw = running.raw()
    try:
        return upgraded(raw, "/greet")
    except (AssertionError, OSError):
        raw.close()
        return None


def test_upgraded_connections_count_for_their_client(daemon):
    running = daemon(config(["greet"], server="limits: {connections_per_client: 1}"))
    with connect(running, "/greet") as end:
        assert end.message() == "welcome"
        with running.raw() as raw:
            assert asked(raw, "/greet").status in (429, 503)
        end.close_and_wait()
    running.log_wait("contract: close")
    with wait_until(lambda: welcomed(running), "room for the client again") as end:
        assert end.message() == "welcome"


def test_the_last_request_may_be_an_upgrade(daemon):
    """limits.requests_per_connection and "Connection: close" are about requests."""
    running = daemon(config(["greet"], server="limits: {requests_per_connection: 1}"))
    with connect(running, "/greet", {"Connection": "close, Upgrade"}.items()) as end:
        assert end.response.all("Connection") == ["Upgrade"]
        assert end.message() == "welcome"
        end.text("kept")
        running.log_wait(r"contract: message \(kept\)")
        end.close_and_wait()


def test_an_upgrade_behind_a_request_that_is_refused(daemon, tmp_path):
    """Of two requests that came together the first finds the queue full, the second becomes a WebSocket."""
    gate = Gate(tmp_path)
    running = daemon(config([("sleep", f'options: {{until: "{gate}"}}'), "greet"],
                            server="threads: 1\n    queue: 1\n    loops: 1\n    timeouts: {ping: 1h}"))
    with running.raw() as busy, running.raw() as waits, running.raw() as raw:
        busy.send("GET /sleep HTTP/1.1\r\nHost: test\r\n\r\n")
        running.log_wait("contract: sleeps")
        waits.send("GET /sleep HTTP/1.1\r\nHost: test\r\n\r\n")
        assert running.get("/nowhere").status == 404  # so the loop has read the one before it
        raw.send(b"GET /sleep HTTP/1.1\r\nHost: test\r\n\r\n" + handshake("/greet"))
        assert raw.response().status == 503
        assert raw.response().status == 101
        assert End(raw).message() == "welcome"
        gate.open()
        assert busy.response().text == waits.response().text == "slept"


def test_an_upgrade_in_the_access_log(daemon, tmp_path):
    """Once, when the answer has left: how long the WebSocket lasts has nothing to do with it."""
    path = tmp_path / "access.log"
    running = daemon(config(["greet"], server=f'access_log: {{to: "file:{path}", format: json, flush: 10ms}}'))
    with connect(running, "/greet?a=b") as end:
        assert end.message() == "welcome"
        (line,) = wait_for_lines(path, 1)
        end.close_and_wait()
    entry = json.loads(line)
    assert (entry["status"], entry["bytes"], entry["target"]) == (101, 0, "/greet?a=b")
    running.stop()
    assert len(lines_of(path)) == 1


# Failures

def test_a_failure_is_told_once(daemon):
    """However much the peer sends behind the message that fails."""
    running = daemon(config(["fail"]))
    with connect(running, "/fail") as end:
        end.text("first")
        running.log_wait("contract: is about to fail")
        end.text("second")
        end.closing()
        end.text("third")
        end.close(1011)
        end.ended()
    running.log_wait("contract: close cause=7 code=1011")
    assert len(running.log.find("handler fail failed: Input/output error")) == 1


def test_a_failure_is_told_though_the_peer_has_gone(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config([("fail", f'options: {{until: "{gate}"}}')]))
    with connect(running, "/fail") as end:
        end.text("first")
        running.log_wait("contract: is about to fail")
        end.raw.reset()
    assert running.get("/nowhere").status == 404  # so the loop has seen it
    gate.open()
    running.log_wait("contract: close cause=2 code=1006")
    assert len(running.log.find("handler fail failed: Input/output error")) == 1


def test_no_message_after_our_close(daemon):
    """A handler on the loop that has closed the connection gets nothing of what was read with the message."""
    running = daemon(config(["close-loop"]))
    with connect(running, "/close-loop") as end:
        end.raw.send(text("first") + text("second"))
        assert end.closing() == (1000, "enough")
        end.raw.send(text("third") + close(1000))
        end.ended()
    running.log_wait("contract: close cause=0 code=1000 opened=1")
    assert len(running.log.find("contract: message")) == 1


# A full queue

def test_messages_before_a_close_are_handled_though_the_queue_is_full(daemon):
    """Nobody could tell the peer, who has said good-bye, that they were not."""
    running = daemon(config(["sleep", "take"], server="threads: 1\n    queue: 1"))
    with connect(running, "/take") as end:
        end.text("first")
        running.log_wait(r"contract: message \(first\)")
        with running.raw() as busy, running.raw() as waits:
            busy.send(f"GET /sleep?ms={int(1000 * SLOW)} HTTP/1.1\r\nHost: test\r\n\r\n")
            running.log_wait("contract: sleeps")
            waits.send("GET /sleep HTTP/1.1\r\nHost: test\r\n\r\n")
            assert running.get("/nowhere").status == 404  # so the loop has read the one before it
            end.raw.send(text("last words") + close(1000, "bye"))
            assert end.closing() == (1000, "")
            end.ended()
            assert busy.response().text == waits.response().text == "slept"
    running.log_wait("contract: close cause=1 code=1000")
    assert running.log.find(r"contract: message \(last words\)")


def test_empty_messages_take_memory_too(daemon):
    """A client whose handler is at work is not read without end, whatever its messages are like."""
    running = daemon(config(["fail"]))
    with connect(running, "/fail") as end:
        end.text("first")
        running.log_wait("contract: is about to fail")
        memory = Memory(running)
        end.raw.socket.settimeout(0.1)
        block = text() * 10000
        try:
            for _ in range(500):
                end.raw.socket.sendall(block)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        end.raw.socket.settimeout(WAIT_BOUND)
        assert memory.growth() < 8 << 20 or is_sanitized()


# Outgoing connections

def test_the_peer_of_an_outgoing_connection(daemon):
    """Asked by callbacks on workers while the loop closes it."""
    with Acceptor() as acceptor:
        running = daemon(config([("take", f'options: {{connects: "ws://127.0.0.1:{acceptor.port}/"}}')]))
        with acceptor.accept() as end:
            for _ in range(200):
                end.text("x")
            end.close(1000)
            end.closing()
            end.raw.close()
        line = running.log_wait(r"contract: close .* peer=(\S+) data=the order's data on worker")
        assert line[1] == f"127.0.0.1:{acceptor.port}"
        running.log_wait("contract: destroy of the order's data on worker")
        # This is about connections on which requests came.
        assert not running.log.find("connection_closed")


def test_an_attempt_that_fails_is_logged_by_its_url(daemon):
    running = daemon(config([], server="log_level: trace", more="""
    clients:
      - {url: "ws://127.0.0.1:1/", module: ws_contract, handler: peer}"""))
    running.log_wait(r'client "ws://127\.0\.0\.1:1/": connection refused; tries again')


def row_of(port, keys=""):
    """A row of connections with a secret in their URL, and everything in the log."""
    return config([], server="log_level: trace", more=f"""
    clients:
      - {{url: "ws://127.0.0.1:{port}/feed?token=secret", module: ws_contract, handler: peer{keys}}}""")


def test_failures_of_a_row_are_told_once(daemon):
    """The first at warn and the others at debug, until one of them opens again. The query is never told."""
    port = free_port()  # which is nobody's while it is closed
    running = daemon(row_of(port, ", count: 5, reconnect: 50ms, reconnect_max: 50ms"))
    row = rf'client "ws://127\.0\.0\.1:{port}/feed"'
    running.log_wait(rf"debug.*{row}: connection refused; tries again", count=8)
    assert len(running.log.find(rf"warn.*{row}: connection refused; tries again")) == 1
    with Acceptor(port) as acceptor, acceptor.accept() as end:
        running.log_wait(rf"debug.*{row}: open: WebSocket \d+$")
        again = int(running.log_wait(rf"info.*{row}: open again after (\d+) failures$")[1])
        assert again >= 9
        end.raw.reset()
        running.log_wait(rf"{row} closed \((?:lost|network)\): .*; WebSocket \d+, code 1006, open for \d+\.\d{{3}}s; tries again$")
    running.stop()
    assert not running.log.find("secret")


@pytest.mark.parametrize("code,level", [(1000, "debug"), (1001, "debug"), (None, "debug"), (4000, "debug"), (1011, "warn")])
def test_the_end_of_an_outgoing_connection_in_the_log(daemon, code, level):
    """It is a failure when the peer says that something is wrong."""
    with Acceptor() as acceptor:
        running = daemon(row_of(acceptor.port, ", reconnect: 1h"))
        with acceptor.accept() as end:
            end.close(code, "" if code is None else "bye")
            end.closing()
            end.raw.close()
        words = "1005" if code is None else f'{code} "bye"'
        running.log_wait(rf'{level}.*client "ws://127\.0\.0\.1:{acceptor.port}/feed" closed \(client\): the peer closed the connection; '
                         rf"WebSocket \d+, code {words}, open for \d+\.\d{{3}}s; tries again$")


def test_a_failing_handler_of_an_outgoing_connection_in_the_log(daemon):
    with Acceptor() as acceptor:
        running = daemon(row_of(acceptor.port).replace("peer", "fail"))
        with acceptor.accept() as end:
            end.text("x")
            running.log_wait(rf'error.*client "ws://127\.0\.0\.1:{acceptor.port}/feed": module ws_contract: handler fail failed')


# Accepted connections in the log

@pytest.mark.parametrize("path,headers,status,why", [
    ("/greet", {"Origin": "http://x"}, 403, 'the origin "http://x" is not welcome at "127.0.0.1:1234" (origins)'),
    ("/listed", {"Origin": "http://x"}, 403, 'the origin "http://x" is not welcome (origins)'),
    ("/greet", {"Origin": "http://" + "a" * 1000}, 403, 'the origin "http://' + "a" * 193 + '..." is not welcome at "127.0.0.1:1234" (origins)'),
    ("/greet", {"Origin": "http://\x80"}, 403, 'the origin "http://\\x80" is not welcome at "127.0.0.1:1234" (origins)'),
    ("/greet", {"Sec-WebSocket-Version": "12"}, 426, ""),
    ("/greet", {"Sec-WebSocket-Key": "short"}, 400, ""),
])
def test_a_refused_handshake_says_why(daemon, path, headers, status, why):
    running = daemon(config(["greet"], more="""
      - {path: /listed, module: ws_contract, handler: greet, origins: ["https://example.org"]}"""))
    with running.raw() as raw:
        raw.send(handshake(path, {"Host": "127.0.0.1:1234", **headers}))
        assert raw.response().status == status
        peer = "127.0.0.1:%d" % raw.socket.getsockname()[1]
    line = running.log_wait(rf'info.*route "{path}": {re.escape(peer)}: WebSocket refused: {status}: (.+?)(?: request=\S+)?$')
    assert line[1] == why or not why


def test_a_plain_request_for_a_websocket_says_why(daemon):
    running = daemon(config(["greet"]))
    assert running.get("/greet").status == 426
    running.log_wait(r'info.*route "/greet": .*: WebSocket refused: 426: this path speaks WebSocket')


@pytest.mark.parametrize("code,reason,words", [
    (1000, "", "code 1000"), (1001, "", "code 1001"), (4000, "by\x1be \u20ac", 'code 4000 "by\\x1be \u20ac"'), (None, "", "code 1005")])
def test_the_end_of_an_accepted_connection_in_the_log(daemon, code, reason, words):
    running = daemon(config(["greet"], server="log_level: debug"))
    with connect(running, "/greet") as end:
        assert end.message() == "welcome"
        end.close(code, reason)
        end.closing()
        end.ended()
    line = running.log_wait(r'debug.*route "/greet": 127\.0\.0\.1:\d+ closed \(client\): the peer closed the connection; WebSocket \d+, (.*)$')
    assert re.fullmatch(re.escape(words) + r", open for \d+\.\d{3}s", line[1]), line[1]


def test_other_ends_of_accepted_connections_in_the_log(daemon):
    """Each at the level of its cause, at debug at least."""
    running = daemon(config(["greet", "close-loop"], server="log_level: debug"))
    with connect(running, "/greet") as end:
        end.raw.send(b"\xff\x80")
        running.log_wait(r'info.*route "/greet": 127\.0\.0\.1:\d+ closed \(protocol\): .*; WebSocket \d+, code 1006')
    with connect(running, "/close-loop") as end:
        end.text("x")
        end.close(1000)
        running.log_wait(r'debug.*route "/close-loop": 127\.0\.0\.1:\d+ closed \(normal\).*; WebSocket \d+, code 1000')
    with connect(running, "/greet") as end:
        assert end.message() == "welcome"
        running.signal(signal.SIGTERM)
        assert end.closing()[0] == 1001
        end.close(1001)
        end.ended()
    running.log_wait(r'debug.*route "/greet": 127\.0\.0\.1:\d+ closed \(shutdown\): the server is stopping; WebSocket \d+, code 1001')
    assert running.wait() == 0


# Arguments

def test_null_arguments_are_refused(daemon):
    running = daemon(config(["nulls", "greet"]))
    with running.raw() as raw:
        told = dict(pair.split("=") for pair in asked(raw, "/nulls").text.split(" "))
    assert len(told) == 9 and set(told.values()) == {"EINVAL"}, told
    running.log_wait('rtn_ws_connect: "": there is no URL')
    with connect(running, "/greet") as end:
        assert end.message() == "welcome"


def test_names_of_causes(daemon):
    running = daemon(config(["causes"]))
    names = "unknown normal client lost timeout protocol security network handler shutdown backlog unknown"
    assert running.get("/causes").text == names


def test_options_of_connect(daemon):
    running = daemon(config(["odd"]))
    assert running.get("/odd").text == "unsized=EINVAL huge=0 none=0 socket=ENOTSOCK"
    running.log_wait(r'rtn_ws_connect: "ws://127\.0\.0\.1:1/": the options have no struct_size')


def test_a_start_that_fails_after_it_has_connected(daemon):
    """Nothing is left of the connection that was ordered; its data is destroyed."""
    running = daemon(config([("take", 'options: {connects: "ws://127.0.0.1:1/", fails: true}')]), wait=False)
    assert running.wait() == 1
    assert len(running.log.find("contract: destroy of the order's data")) == 1
    assert not running.log.find("contract: close")


def test_an_adopted_socket_sends_at_once(daemon):
    with Acceptor() as acceptor:
        running = daemon(config(["adopt"]))
        assert running.get(f"/adopt?port={acceptor.port}").text == "at once"
        raw = acceptor.accept_raw()
        assert raw.request("POST", "/adopt?port=0").status == 500
        raw.close()


# Threads of modules

def test_a_thread_of_a_module_from_start_to_stop(daemon):
    """It counts connections and publishes while the other loops start, and when they stop."""
    running = daemon(config([("take", "options: {watches: true}"), "greet"], server="loops: 4"))
    with connect(running, "/greet") as end:
        assert end.message() == "welcome"
    assert running.stop() == 0


def test_a_stop_while_a_failed_attempt_is_told(daemon):
    """The close callback of a connection that never opened is at work on a worker."""
    running = daemon(config([], server="log_level: trace", more="""
    clients:
      - {url: "ws://127.0.0.1:1/", module: ws_contract, handler: slow-close}"""))
    running.log_wait("contract: slow close")
    assert running.stop() == 0
    assert running.log.find("contract: close cause=6 code=1006 opened=0")
