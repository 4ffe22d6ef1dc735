"""Bodies that handlers take in pieces: what they get, in which order, how they hold the client back, and how it ends."""
import re
import socket
import threading
import time

import pytest

from bounds import WAIT_BOUND
from common import fields, wait_until, with_test_modules

ROUTES = "\n".join(f"      - {{path: /{row}, module: stream, handler: sum-{row}}}" for row in ("loop", "serial", "parallel"))
CONTROL = """
      - {path: /stats, module: stream, handler: stats}
      - {path: /go, module: stream, handler: go}
"""
ROWS = ["loop", "serial", "parallel"]


def config(more="", server=""):
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    loops: 1
    threads: 4
    {server}
    routes:
{ROUTES}{CONTROL}{more}
""")


@pytest.fixture(params=ROWS)
def row(request):
    return request.param


def weigh(data):
    """What the module says of a body: each byte times its place."""
    return sum(byte * place for place, byte in enumerate(data, 1))


def content(length):
    return bytes(i * 7 % 256 for i in range(length))


def chunked(data, size, trailer=b""):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + size]), data[i:i + size]) for i in range(0, len(data), size))
    return chunks + b"0\r\n" + trailer + b"\r\n"


def head(path, *more, length=None):
    framing = [f"Content-Length: {length}"] if length is not None else ["Transfer-Encoding: chunked"]
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: test", *framing, *more, "", ""]).encode()


def told(response):
    assert response.status == 200, response
    return fields(response.text)


def stats(running):
    return {name: int(value) for name, value in fields(running.get("/stats").text).items()}


def release(running, count=1):
    wait_until(lambda: stats(running)["held"] >= count, "the body is held")
    assert running.get("/go").status == 200


def send_in_thread(raw, data):
    """Sends what may have to wait for the daemon to read; errors are for the reader to see."""

    def run():
        try:
            raw.socket.sendall(data)
        except OSError:
            pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


# What comes

@pytest.mark.parametrize("length", [0, 1, 1000, 70000, 900000])
def test_pieces_add_up(daemon, row, length):
    running = daemon(config())
    data = content(length)
    with running.raw() as raw:
        got = told(raw.request("POST", f"/{row}", body=data))
        assert (int(got["length"]), int(got["sum"])) == (length, weigh(data))
        assert got["whole"] == "0" and (int(got["pieces"]) > 0) == (length > 0)
        for size in (1 + length // 50, 65536):
            raw.send(head(f"/{row}") + chunked(data, size))
            got = told(raw.response())
            assert (int(got["length"]), int(got["sum"])) == (length, weigh(data))
    wait_until(lambda: stats(running)["destroyed"] == 3, "destroyed")
    seen = stats(running)
    assert seen["begun"] == seen["handled"] == seen["destroyed"] == 3 and seen["cancelled"] == 0


def test_runs_on_its_kind_of_thread(daemon, row):
    thread = told(daemon(config()).raw().request("POST", f"/{row}", body=b"x"))["thread"]
    assert re.fullmatch("get/loop.*" if row == "loop" else r"get/worker-\d+", thread), thread


def test_a_piece_is_given_when_it_comes(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        raw.send(head(f"/{row}", length=6))
        wait_until(lambda: stats(running)["begun"] == 1, "begin is called with the head alone")
        for i, piece in enumerate((b"ab", b"cd"), 1):
            raw.send(piece)
            wait_until(lambda count=i: stats(running)["pieces"] == count, "the piece is given")
        assert stats(running)["handled"] == 0
        raw.send(b"ef")
        got = told(raw.response())
        assert (got["length"], got["pieces"]) == ("6", "3")


def test_trailers_are_there_in_the_end(daemon, row):
    with daemon(config()).raw() as raw:
        raw.send(head(f"/{row}") + chunked(b"hello", 2, b"X-Sum: 1 2\r\nOther: x\r\n"))
        assert "trailer=[1 2]" in raw.response().text
        raw.send(head(f"/{row}") + chunked(b"hello", 2))
        assert "trailer=[]" in raw.response().text


def test_requests_follow_in_the_same_bytes(daemon, row):
    with daemon(config()).raw() as raw:
        one, two = content(3000), content(40000)
        raw.send(head(f"/{row}", length=3000) + one + head(f"/{row}") + chunked(two, 999) + head(f"/{row}", length=0) +
                 head(f"/{row}", length=1) + b"z")
        got = [told(response) for response in raw.responses(4)]
        assert [int(each["length"]) for each in got] == [3000, 40000, 0, 1]
        assert [int(each["sum"]) for each in got] == [weigh(one), weigh(two), 0, ord("z")]


def test_many_at_once(daemon, row):
    running = daemon(config())
    data = content(300000)
    clients = [running.raw() for _ in range(40)]
    for client in clients:
        client.send(head(f"/{row}", length=len(data)))
    for start in range(0, len(data), 50000):
        for client in clients:
            client.send(data[start:start + 50000])
    for client in clients:
        got = told(client.response())
        assert (int(got["length"]), int(got["sum"])) == (len(data), weigh(data))
        client.close()
    wait_until(lambda: stats(running)["destroyed"] == 40, "all are destroyed")


# 100 Continue

def test_continue_comes_when_begin_has_agreed(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        raw.send(head(f"/{row}", "Expect: 100-continue", length=5))
        assert raw.response().status == 100
        raw.send(b"12345")
        assert told(raw.response())["length"] == "5"
    with running.raw() as raw:
        raw.send(head(f"/{row}?begin=early", "Expect: 100-continue", length=5))
        response = raw.response()
        assert (response.status, response.text) == (403, "early\n")
        assert response.get("Connection") == "close"
        assert raw.closed()


def test_continue_waits_while_begin_is_not_done(daemon, row):
    running = daemon(config())
    with running.raw() as raw:
        raw.send(head(f"/{row}?begin=hold", "Expect: 100-continue", length=5))
        wait_until(lambda: stats(running)["held"] == 1, "begin is held")
        assert raw.silent(0.2)
        release(running)
        assert raw.response().status == 100
        raw.send(b"12345")
        assert told(raw.response())["length"] == "5"


# Answers before the end

@pytest.mark.parametrize("query", ["begin=early", "early=1000"])
def test_an_early_answer_is_not_lost(daemon, row, query):
    running = daemon(config(server="limits: {body: 100MiB}"))
    with running.raw() as raw:
        sender = send_in_thread(raw, head(f"/{row}?{query}", length=50 << 20) + bytes(8 << 20))
        response = raw.response()
        assert response.status == (403 if "begin" in query else 413)
        assert response.get("Connection") == "close"
        sender.join(WAIT_BOUND)
        assert not sender.is_alive()
    wait_until(lambda: stats(running)["destroyed"] == 1, "what was begun is destroyed")
    assert stats(running)["handled"] == stats(running)["cancelled"] == 0


def test_an_early_answer_closes_after_it(daemon, row):
    with daemon(config()).raw() as raw:
        raw.send(head(f"/{row}?early=10", length=1000) + bytes(10))
        assert raw.response().text == "enough\n"
        assert raw.closed()


@pytest.mark.parametrize("query", ["begin=fail", "fail=1", "handle=fail"])
def test_a_failure_is_a_500(daemon, row, query):
    running = daemon(config())
    with running.raw() as raw:
        assert raw.request("POST", f"/{row}?{query}", body=b"12345").status == 500
    running.log_wait(f'error.*route "/{row}": module stream: handler sum-{row} failed: Input/output error')
    seen = stats(running)
    assert seen["destroyed"] == seen["begun"] == (0 if "begin" in query else 1)


# RTN_NEXT

NEXT = """
      - {path: "/*", module: stream, handler: whole, methods: [POST], request_body: %s, limits: {body: 20B}}
"""


@pytest.mark.parametrize("body", ["", "12345"])
def test_next_from_begin_gives_it_to_another(daemon, row, body):
    with daemon(config(NEXT % "buffered")).raw() as raw:
        text = raw.request("POST", f"/{row}?begin=next", body=body.encode()).text
        assert text.startswith(f"whole length={len(body)} ")
        assert f"sum={weigh(body.encode())}\n" in text
        raw.send(head(f"/{row}?begin=next") + chunked(b"0123456789", 3))
        assert raw.response().text.startswith("whole length=10 ")


def test_next_from_begin_brings_the_limit_of_the_next(daemon, row):
    running = daemon(config(NEXT % "buffered"))
    for message in (head(f"/{row}?begin=next", length=21) + bytes(21), head(f"/{row}?begin=next", length=5000),
                    head(f"/{row}?begin=next") + chunked(bytes(30), 30), head(f"/{row}?begin=next") + chunked(bytes(40), 4)):
        with running.raw() as raw:
            raw.send(message)
            assert raw.response().status == 413, message
            assert raw.closed()


def test_next_from_begin_brings_the_mode_of_the_next(daemon, row):
    running = daemon(config(NEXT % "none"))
    with running.raw() as raw:
        assert raw.request("POST", f"/{row}?begin=next", body=b"12345").text.startswith("whole length=0 absent=1 ")
        raw.send(head(f"/{row}?begin=next", length=10) + b"12345")
        time.sleep(0.05)
        raw.send(b"67890")
        assert raw.response().text.startswith("whole length=0 absent=1 ")


def test_next_after_the_body_is_refused(daemon, row):
    running = daemon(config(NEXT % "buffered"))
    with running.raw() as raw:
        assert raw.request("POST", f"/{row}?handle=next", body=b"12345").status == 500
    running.log_wait("returned RTN_NEXT after it had begun to reply or to read the body")


def test_next_from_all_is_404(daemon, row):
    with daemon(config()).raw() as raw:
        assert raw.request("POST", f"/{row}?begin=next", body=b"12345").status == 404
        assert raw.request("POST", f"/{row}", body=b"1").status == 200


# Back-pressure

def test_a_handler_that_holds_back_is_sent_no_more(daemon, row):
    running = daemon(config(server="limits: {body: 100MiB}"))
    data = content(1 << 20) * 24
    with running.raw() as raw:
        sender = send_in_thread(raw, head(f"/{row}?hold=1000", length=len(data)) + data)
        wait_until(lambda: stats(running)["held"] == 1, "the body is held")
        sender.join(0.5)
        assert sender.is_alive(), "24 MiB went into buffers"
        before = stats(running)["pieces"]
        assert raw.silent(0.3)
        assert stats(running)["pieces"] == before
        release(running)
        got = told(raw.response())
        sender.join(WAIT_BOUND)
        assert int(got["length"]) == len(data)


def test_a_body_may_be_held_again_and_again(daemon, row):
    """Time that the client takes does not count against the handler."""
    running = daemon(config(server="timeouts: {handler: 2s}"))
    with running.raw() as raw:
        raw.send(head(f"/{row}?hold=1", length=3) + b"a")
        release(running)
        wait_until(lambda: stats(running)["held"] == 1, "held once")
        time.sleep(3)
        raw.send(b"bc")
        assert told(raw.response())["length"] == "3"


def test_a_held_body_has_the_handlers_timeout(daemon, row):
    running = daemon(config(server="timeouts: {handler: 200ms}"))
    with running.raw() as raw:
        raw.send(head(f"/{row}?hold=1", length=3) + b"a")
        assert raw.response().status == 504
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")
    assert stats(running)["cancelled"] == 1


# Timeouts

def test_the_client_has_its_time(daemon, row):
    running = daemon(config(server="timeouts: {body: 200ms}"))
    with running.raw() as raw:
        raw.send(head(f"/{row}", length=10) + b"12345")
        response = raw.response()
        assert response.status == 408 and response.get("Connection") == "close"
        assert raw.closed()
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")


def test_time_of_the_handler_does_not_count(daemon, row):
    running = daemon(config(server="timeouts: {body: 2s}"))
    with running.raw() as raw:
        raw.send(head(f"/{row}?hold=1", length=10) + b"12345")
        wait_until(lambda: stats(running)["held"] == 1, "held")
        time.sleep(3)
        release(running)
        time.sleep(0.1)
        raw.send(b"67890")
        assert told(raw.response())["length"] == "10"


def test_a_worker_that_takes_its_time_is_no_late_client(daemon):
    running = daemon(config(server="timeouts: {body: 2s}"))
    with running.raw() as raw:
        raw.send(head("/parallel?nap=3000", length=10) + b"12345")
        wait_until(lambda: stats(running)["pieces"] == 1, "the first piece is taken")
        raw.send(b"67890")
        assert told(raw.response())["length"] == "10"


# Broken bodies and clients that go

@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nabcdeX\r\n", b"5 5\r\n", b"3;=\r\nabc\r\n"])
def test_a_broken_chunk_in_the_middle(daemon, row, broken):
    running = daemon(config())
    with running.raw() as raw:
        raw.send(head(f"/{row}") + b"3\r\nabc\r\n")
        wait_until(lambda: stats(running)["pieces"] == 1, "the first chunk is given")
        raw.send(broken)
        response = raw.response()
        assert response.status == 400 and response.get("Connection") == "close"
        assert raw.closed()
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")
    assert stats(running)["handled"] == 0


@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_a_client_that_goes(daemon, row, how):
    running = daemon(config())
    raw = running.raw()
    raw.send(head(f"/{row}", length=1000) + bytes(100))
    wait_until(lambda: stats(running)["pieces"] == 1, "a piece is given")
    getattr(raw, how)()
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")
    assert stats(running)["handled"] == 0
    raw.close()


@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_a_client_that_goes_while_its_body_is_held_back(daemon, row, how):
    """Nothing is read then, so that the daemon has to look after it."""
    running = daemon(config())
    raw = running.raw()
    raw.send(head(f"/{row}?hold=1", length=1000) + bytes(100))
    wait_until(lambda: stats(running)["held"] == 1, "the body is held")
    getattr(raw, how)()
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")
    raw.close()


def test_a_client_that_goes_while_the_worker_works(daemon):
    running = daemon(config())
    raw = running.raw()
    raw.send(head("/parallel?nap=300", length=1000) + bytes(100))
    wait_until(lambda: stats(running)["pieces"] == 1, "a piece is given")
    raw.reset()
    wait_until(lambda: stats(running)["destroyed"] == 1, "destroyed")
    assert stats(running)["handled"] == 0


def test_a_stop_in_the_middle_of_a_body(daemon, row):
    running = daemon(with_test_modules(config().split("servers:\n", 1)[1], daemon="shutdown_timeout: 300ms"))
    raw = running.raw()
    raw.send(head(f"/{row}", length=1000) + bytes(100))
    wait_until(lambda: stats(running)["pieces"] == 1, "a piece is given")
    assert running.stop() == 0
    raw.close()


# Limits and modes

def test_the_limit_of_the_route(daemon, row):
    running = daemon(config(f"      - {{path: /small, module: stream, handler: sum-{row}, limits: {{body: 10B}}}}"))
    with running.raw() as raw:
        assert told(raw.request("POST", "/small", body=bytes(10)))["length"] == "10"
        assert raw.request("POST", "/small", body=bytes(11)).status == 413
        assert raw.closed()
    with running.raw() as raw:
        raw.send(head("/small") + b"8\r\n12345678\r\n3\r\n")
        assert raw.response().status == 413
    with running.raw() as raw:
        assert told(raw.request("POST", f"/{row}", body=bytes(11)))["length"] == "11"
    wait_until(lambda: stats(running)["destroyed"] == stats(running)["begun"], "all are destroyed")


def test_the_mode_of_the_route(daemon, row):
    modes = "\n".join(f"      - {{path: /{mode}, module: stream, handler: sum-{row}, request_body: {mode}}}"
                      for mode in ("buffered", "streamed"))
    running = daemon(config(modes))
    data = content(300000)
    with running.raw() as raw:
        got = told(raw.request("POST", "/buffered", body=data))
        assert (int(got["length"]), got["pieces"], int(got["sum"])) == (len(data), "1", weigh(data))
        assert told(raw.request("POST", "/buffered", body=b""))["pieces"] == "0"
        raw.send(head("/buffered") + chunked(data, 1000))
        assert told(raw.response())["pieces"] == "1"
        assert int(told(raw.request("POST", "/streamed", body=data))["pieces"]) > 1


def test_a_handler_that_cannot_take_pieces_is_refused_streamed(retinued):
    text = config("      - {path: /whole, module: stream, handler: whole, request_body: streamed}")
    result = retinued("-n", text=text)
    assert result.returncode == 1 and "streamed" in result.stderr, result.stderr


def test_one_byte_after_the_other(daemon, row):
    with daemon(config()).raw() as raw:
        for byte in head(f"/{row}") + chunked(b"hello world", 4, b"X-Sum: 1\r\n"):
            raw.send(bytes([byte]))
        text = raw.response().text
        assert text.startswith(f"length=11 sum={weigh(b'hello world')} ") and "trailer=[1]" in text


def test_a_slow_upload_does_not_hold_up_others(daemon, row):
    running = daemon(config(server="timeouts: {body: 1h, handler: 1h}"))
    with running.raw() as raw:
        raw.send(head(f"/{row}", length=10) + b"1")
        wait_until(lambda: stats(running)["pieces"] == 1, "a piece is given")
        for _ in range(20):
            assert running.get(f"/{row}").status == 200
        raw.socket.shutdown(socket.SHUT_RDWR)
