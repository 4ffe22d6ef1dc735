"""What the WebSocket handler of a module is promised: each callback, in order, on its kind of thread, one at a time."""
import threading

import pytest

from bounds import SLOW, WAIT_BOUND
from common import Gate
from test_flat_memory import Memory, assert_flat
from ws_raw import fragments, handshake, text
from ws_talk import BINARY, MODELS, PING, PONG, TEXT, End, asked, config, connect, do, upgraded

THREADS = {"loop": r"ws/loop\S*", "serial": r"ws/worker-\d+", "parallel": r"ws/worker-\d+"}


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


def closes(running, **wanted):
    """The line of the close callback with these values."""
    pattern = ".*".join(f"{name}={value}" for name, value in wanted.items())
    return running.log_wait(f"ws probe: close .*{pattern}")[0]


# upgrade

@pytest.mark.parametrize("status", [200, 400, 403, 503])
def test_refused_with_status_body_and_fields(daemon, model, status):
    running = daemon(config())
    with running.raw() as raw:
        response = asked(raw, f"/{model}?refuse={status}&field=why")
        assert (response.status, response.text, response.get("X-Probe")) == (status, "refused\n", "why")
        assert response.get("Upgrade") is None and response.get("Sec-WebSocket-Accept") is None
        # It has remained an HTTP connection.
        assert raw.request(target=f"/{model}").text == "plain\n"
        assert upgraded(raw, f"/{model}").ask("hello") == "hello"
    running.log_wait("ws probe: close")
    assert len(running.log.find("ws probe: open")) == 1


def test_accepted_later(daemon, model):
    with connect(daemon(config()), f"/{model}?later=50&name=late&field=x") as end:
        assert end.response.get("X-Probe") == "x"
        assert end.who()["data"] == "late"


def test_what_comes_before_a_later_answer_is_kept(daemon, model):
    running = daemon(config())
    with running.raw() as raw:
        raw.send(handshake(f"/{model}?later=100") + text("early"))
        assert raw.response().status == 101
        assert End(raw).message() == "early"


def test_refused_later(daemon, model):
    with daemon(config()).raw() as raw:
        response = asked(raw, f"/{model}?later=20&refuse=403")
        assert (response.status, response.text) == (403, "refused\n")


def test_a_client_that_goes_before_the_answer(daemon, model, tmp_path):
    running, gate = daemon(config()), Gate(tmp_path)
    raw = running.raw()
    raw.send(handshake(f"/{model}?later=0&until={gate}&name=gone"))
    running.log_wait("ws probe: upgrade")
    raw.close()
    running.log_wait("ws probe: destroy data=gone")
    gate.open()
    with connect(running, f"/{model}?later=1") as end:
        assert end.ask("there") == "there"
    assert not running.log.find("ws probe: open .*data=gone")


def test_a_failing_upgrade_is_500(daemon, model):
    running = daemon(config())
    with running.raw() as raw:
        assert asked(raw, f"/{model}?next=1").status == 404
        assert asked(raw, f"/{model}?fail=1").status == 500
        assert upgraded(raw, f"/{model}").ask("again") == "again"
    running.log_wait(f'error.*route "/{model}".*Input/output error')


def test_passed_on_to_the_next_route(daemon, model):
    running = daemon(config(more='      - {path: "/*", module: echo}\n'))
    with connect(running, f"/{model}?next=1") as end:
        assert end.ask("!who") == "!who"


def test_an_upgrade_does_not_move_to_a_worker(daemon):
    running = daemon(config())
    with running.raw() as raw:
        assert asked(raw, "/loop?worker=1").status == 500
    running.log_wait('error.*route "/loop".*RTN_WORKER')


@pytest.mark.parametrize("offers,chosen", [("x, second, best", "best"), ("second", "second"), ("x,y", None), (None, None)])
def test_a_subprotocol_is_chosen(daemon, model, offers, chosen):
    running = daemon(config())
    headers = [("Sec-WebSocket-Protocol", offers)] if offers else []
    with connect(running, f"/{model}", headers) as end:
        assert end.response.get("Sec-WebSocket-Protocol") == chosen
        assert end.who()["protocol"] == (chosen or "")


def test_the_handler_chooses_a_subprotocol(daemon, model):
    running = daemon(config())
    headers = [("Sec-WebSocket-Protocol", "best, special")]
    with connect(running, f"/{model}?choose=special", headers) as end:
        assert end.response.get("Sec-WebSocket-Protocol") == "special"
        assert end.who()["protocol"] == "special"
    with running.raw() as raw:
        response = asked(raw, f"/{model}?choose=nothing", headers)
        assert (response.status, response.text) == (400, "-EINVAL")


def test_fields_in_the_answer(daemon, model):
    with connect(daemon(config()), f"/{model}?field=one%20two") as end:
        assert end.response.get("X-Probe") == "one two"
        assert end.response.get("Content-Length") is None


# The order of calls, and data

def test_calls_and_their_order(daemon, model):
    running = daemon(config())
    with connect(running, f"/{model}?name=mine") as end:
        who = end.who()
        assert who["data"] == "mine" and who["server"] == "ws"
        assert who["peer"] == f"127.0.0.1:{end.raw.socket.getsockname()[1]}"
        end.close_and_wait(1000, "bye")
    running.log_wait("ws probe: destroy data=mine")
    steps = [match[1] for match in running.log.find("ws probe: (upgrade|open|close|destroy)")]
    assert steps == ["upgrade", "open", "close", "destroy"]
    assert running.log.find(rf"open id={end.id} data=mine protocol= thread={THREADS[model]}$")
    assert running.log.find(rf"close id={end.id} data=mine cause=client code=1000 reason=\(bye\) opened=1 late=-\d+ ")


def test_a_connection_without_data(daemon, model):
    with connect(daemon(config()), f"/{model}") as end:
        assert end.who()["data"] == ""


def test_open_may_send(daemon, model):
    with connect(daemon(config()), f"/{model}?name=greets") as end:
        assert end.message() == "welcome"
        assert end.ask("thanks") == "thanks"


def test_open_may_fail(daemon, model):
    running = daemon(config())
    with connect(running, f"/{model}?name=fails-open") as end:
        end.closed(1011)
    closes(running, cause="handler", opened=1)
    running.log_wait("error.*Input/output error")


def test_a_handler_without_callbacks(daemon):
    with connect(daemon(config()), "/bare") as end:
        end.text("dropped")
        end.send(PING, b"there?")
        assert end.message(PONG) == b"there?"
        end.close_and_wait()


def test_many_connections_one_after_the_other(daemon, model):
    running = daemon(config(loops=2))
    for turn in range(30):
        with connect(running, f"/{model}?name=n{turn}") as end:
            assert end.ask(f"turn {turn}") == f"turn {turn}"
            if turn % 2:
                end.close_and_wait()
    running.log_wait("ws probe: destroy", count=30)


# Threads

def test_the_kind_of_thread(daemon, model):
    running = daemon(config(loops=2))
    with connect(running, f"/{model}") as end:
        end.who()
        for _ in range(5):
            assert end.who()["thread"].split("/")[1].startswith("loop" if model == "loop" else "worker")


def test_messages_in_order_and_one_at_a_time(daemon, model):
    running = daemon(config(loops=2))
    ends = [connect(running, f"/{model}?name=n{i}") for i in range(4)]
    for end in ends:
        end.raw.send(b"".join(text(f"!sleep {i % 3}") + text(f"number {i}") for i in range(100)))
    for end in ends:
        for i in range(100):
            assert end.message() == f"slept {i % 3}"
            assert end.message() == f"number {i}"
        end.close_and_wait()
    assert not running.log.find("two at once")


def test_serial_is_one_at_a_time_for_the_instance(daemon):
    running = daemon(config(loops=2))
    ends = [connect(running, "/serial") for _ in range(6)]
    for end in ends:
        end.raw.send(text("!sleep 20") * 3)
    for end in ends:
        assert [end.message() for _ in range(3)] == ["slept 20"] * 3
    assert ends[0].ask("!peak") == "1"


def test_parallel_is_several_at_once_but_not_for_one_connection(daemon, tmp_path):
    running = daemon(config())
    ends = [connect(running, "/parallel?name=x")]
    ends[0].raw.send(text("!sleep 50") * 4)
    assert [ends[0].message() for _ in range(4)] == ["slept 50"] * 4
    assert ends[0].ask("!peak") == "1"
    ends.append(connect(running, "/parallel?name=x"))  # only now: its open handler is at work, too
    # The two meet when both are at work until the gate opens.
    gate = Gate(tmp_path)
    for end in ends:
        end.text(f"!until {gate}")
    running.log_wait("ws probe: sleeps", count=4 + 2)
    gate.open()
    for end in ends:
        end.message()
    assert ends[0].ask("!peak") == "2"
    assert not running.log.find("two at once")


def test_an_idle_connection_holds_no_worker(daemon):
    """20 connections, 4 workers."""
    running = daemon(config())
    ends = [connect(running, "/parallel") for _ in range(20)]
    for end in ends:
        assert end.ask("x") == "x"
    assert sum(name.startswith("ws/worker") for name in running.threads()) <= 4


def test_control_frames_do_not_wait_for_a_handler(daemon, tmp_path):
    """A ping is answered while a worker is at work for the same connection."""
    gate = Gate(tmp_path)
    running = daemon(config())
    with connect(running, "/parallel") as end:
        end.text(f"!until {gate}")
        end.send(PING, b"now")
        assert end.message(PONG) == b"now"
        gate.open()
        assert end.message().startswith("slept")


# Fragments

def pieces(answer):
    return {name: int(value) for name, value in (pair.split("=") for pair in answer.split(" "))}


def checksum(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xffffffff
    return total


def test_a_message_in_pieces(daemon, model):
    with connect(daemon(config()), f"/pieces-{model}?name=x") as end:
        texts, binaries = ["one ", "tw\u00f6 ", "", "three"], [b"\0" * 1000, b"\xff" * 70000]
        for opcode, parts in ((TEXT, texts), (BINARY, binaries), (TEXT, [""])):
            whole = "".join(parts).encode() if opcode == TEXT else b"".join(parts)
            end.raw.send(b"".join(fragments(opcode, parts)))
            told = pieces(end.message())
            assert (told["type"], told["bytes"], told["sum"]) == (opcode, len(whole), checksum(whole))
            assert told["pieces"] >= 1


def test_pieces_come_before_the_end(daemon, model):
    """What is there is handed on: the handler does not wait for the rest of a frame."""
    running = daemon(config())
    with connect(running, f"/pieces-{model}?name=x") as end:
        frame = text(bytes(60000))
        for pause in (0.2, 1, 5):  # in which the daemon reads what is there, unless the machine stands still for so long
            end.raw.send(frame[:30000])
            assert end.silent(pause)
            end.raw.send(frame[30000:])
            told = pieces(end.message())
            assert told["bytes"] == 60000
            if told["pieces"] >= 2:
                break
        assert told["pieces"] >= 2


def test_a_long_message_in_pieces_takes_no_memory(daemon, model):
    running = daemon(config(route="limits: {message: 64MiB}"))
    with connect(running, f"/pieces-{model}?name=x", timeout=60 * SLOW) as end:
        end.raw.send(text(bytes(100000)))
        end.message()
        memory = Memory(running)
        size = 48 << 20
        end.raw.send(text(bytes(size), mask=b"\0\0\0\0"))
        told = pieces(end.message())
        assert told["bytes"] == size
    assert_flat(memory)


def test_pieces_are_limited_too(daemon, model):
    running = daemon(config(route="limits: {message: 10KiB}"))
    with connect(running, f"/pieces-{model}?name=x") as end:
        first, second, third = fragments(TEXT, ["x" * 5000, "y" * 5000, "z" * 5000])
        end.raw.send(first + second)
        assert end.silent(0.05)
        end.raw.send(third)
        end.closed(1009)
    closes(running, cause="protocol", opened=1)


# Ends

def test_a_failing_handler_is_1011(daemon, model):
    running = daemon(config())
    with connect(running, f"/{model}") as end:
        end.text("!fail")
        end.text("never seen")
        end.closed(1011)
    closes(running, cause="handler", code=1011)
    running.log_wait(f'error.*route "/{model}".*Input/output error')


def test_a_message_that_is_too_long_is_1009(daemon, model):
    running = daemon(config(route="limits: {message: 1KiB}"))
    with connect(running, f"/{model}") as end:
        assert end.ask("x" * 1024) == "x" * 1024
        end.text("x" * 1025)
        end.closed(1009)
    closes(running, cause="protocol", opened=1)


@pytest.mark.parametrize("code,reason,told", [
    (1000, "bye", 1000), (1001, "", 1001), (3999, "w\u00f6rds", 3999), (None, "", 1005),
])
def test_closed_by_the_peer(daemon, model, code, reason, told):
    running = daemon(config())
    with connect(running, f"/{model}") as end:
        end.close(code, reason)
        assert end.closing()[0] == code
        end.ended()
    closes(running, cause="client", code=told, reason=rf"\({reason}\)", opened=1)


@pytest.mark.parametrize("code,reason", [(1000, ""), (3001, "as agreed"), (4999, "x" * 123), (0, "")])
def test_closed_by_the_module(daemon, model, code, reason):
    running = daemon(config())
    with connect(running, f"/{model}") as end:
        end.who()
        assert do(running, f"close {end.id} {code} {reason}") == "0"
        assert end.closed(code or None) == reason
    closes(running, cause="normal", code=code or 1005)


def test_words_of_the_peers_answer(daemon):
    """Which need not be the code that it was closed with."""
    running = daemon(config())
    with connect(running) as end:
        end.who()
        do(running, f"close {end.id} 1000")
        assert end.closing() == (1000, "")
        end.close(1011, "on our side")
        end.ended()
    closes(running, cause="normal", code=1011, reason=r"\(on our side\)")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_lost(daemon, model, how):
    running = daemon(config())
    end = connect(running, f"/{model}")
    assert end.ask("x") == "x"
    getattr(end.raw, how)()
    closes(running, cause="(lost|network)", code=1006, opened=1)


def test_a_broken_frame_is_1002(daemon, model):
    running = daemon(config())
    with connect(running, f"/{model}") as end:
        end.raw.send(text("not masked", mask=None))
        end.closed(1002, answer=False)
    closes(running, cause="(protocol|security)", opened=1)


def test_nothing_can_be_sent_from_close(daemon, model):
    running = daemon(config())
    with connect(running, f"/{model}") as end:
        end.close_and_wait()
    closes(running, late="-2")


def test_messages_before_the_close_are_all_handled(daemon, model):
    """The peer closes behind its messages: each is answered, then the close."""
    running = daemon(config())
    with connect(running, f"/{model}") as end:
        end.raw.send(b"".join(text(f"{i}") for i in range(200)))
        end.close(1000)
        answers = []
        while (got := end.frame())[0] == TEXT:
            answers.append(got[1])
        assert answers == [str(i).encode() for i in range(200)][:len(answers)]
        assert model != "loop" or len(answers) == 200
        end.ended()
    closes(running, cause="client", code=1000)


# One path for both

def test_http_and_websocket_on_one_path(daemon, model):
    running = daemon(config())
    with running.raw() as raw:
        for _ in range(3):
            assert raw.request(target=f"/{model}").text == "plain\n"
        end = upgraded(raw, f"/{model}")
        assert end.ask("hello") == "hello"
    assert running.get(f"/{model}").text == "plain\n"


def test_a_route_that_is_only_for_websocket(daemon, model):
    running = daemon(config())
    with running.raw() as raw:
        response = raw.request(target=f"/pieces-{model}")
        assert response.status == 426 and response.get("Upgrade") == "websocket"
        assert upgraded(raw, f"/pieces-{model}?name=x").response.status == 101


def test_frames_behind_the_handshake(daemon, model):
    """In the same packet."""
    with daemon(config()).raw() as raw:
        raw.send(handshake(f"/{model}") + text("one") + text("two"))
        assert raw.response().status == 101
        end = End(raw)
        assert [end.message(), end.message()] == ["one", "two"]


def test_echo_of_every_kind(daemon, model):
    with connect(daemon(config(loops=2)), f"/{model}", timeout=6 * WAIT_BOUND) as end:
        for data in ("", "x", "\u20ac" * 30000, "y" * 125, "y" * 126, "y" * 65535, "y" * 65536):
            assert end.ask(data) == data
        for size in (0, 1, 100000, 1 << 20):
            sender = threading.Thread(target=end.send, args=(BINARY, bytes(size)), daemon=True)
            sender.start()
            assert end.message(BINARY) == bytes(size)
            sender.join(WAIT_BOUND)
