"""Messages between servers: who may send, to whom, in which order, and what becomes of each."""
import errno
import signal
import threading
import time

import pytest

from common import Gate, in_time, wait_until, with_test_modules
from hub_talk import BY, MODELS, config, do, lines, seen, wait_seen
from ws_talk import connect

EACH = 1000


@pytest.fixture(params=BY)
def by(request):
    return request.param


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


def queue(running, server):
    """What the log says of a queue that is gone: taken, refused, not handled."""
    match = running.log_wait(rf'messages to server "{server}": the queue is gone: (\d+) taken, (\d+) refused because it was full, '
                             r"(\d+) not handled")
    return tuple(map(int, match.groups()))


def thread_of(model):
    """How the name of a thread begins that runs such a handler; names are cut to what the system shows."""
    return {"loop": "loop/loop-", "serial": "serial/worker-", "parallel": "parall/worker-"}[model]


def counts(words):
    return {word: words.split().count(word) for word in set(words.split())}


# Sending

def test_sent_from_any_thread_and_handled_under_any_model(daemon, by, model):
    running = daemon(config())
    assert do(running, f"send {model} 3 plain 1", by) == "0 0 0"
    found = wait_seen(running, 3, model)
    sender = "" if by == "thread" else "web"
    for message in found:
        assert message["on"].startswith(thread_of(model)) and message["in"] == model and message["from"] == sender, message
        assert message["asked"] == "0" and message["tag"] == "1"
    assert sorted(message["number"] for message in found) == ["0", "1", "2"]
    if model != "parallel":
        assert [message["number"] for message in found] == ["0", "1", "2"]


def test_each_message_is_told_at_trace(daemon, model):
    running = daemon(config())
    do(running, f"send {model} 1 plain 1")
    do(running, f"send {model} 1 plain 1", "thread")
    wait_seen(running, 2, model)
    running.log_wait(rf'trace +web/loop-0\S+ message hub_{model} \(24 bytes\) to server "{model}": sent$')
    running.log_wait(rf'trace +{thread_of(model)}\S+ message hub_{model} \(24 bytes\) from server "web": handler {model}$')
    running.log_wait(rf"trace +{thread_of(model)}\S+ message hub_{model} \(24 bytes\) from a thread of no server: handler {model}$")


def test_queues_are_told_at_notice(daemon):
    running = daemon(config(keys="hub_capacity: 77", log="notice"))
    for model in MODELS:
        running.log_wait(f'messages to server "{model}": a queue of 77 was made$')
    running.log_wait('messages to server "web": a queue of 1024 was made$')
    assert running.stop() == 0
    assert queue(running, "web") == (0, 0, 0)


def test_a_server_that_handles_nothing_has_no_queue(daemon):
    running = daemon(config(last="  quiet: {listen: 127.0.0.1:0, routes: [{path: /, module: hello}]}"))
    assert running.stop() == 0
    assert not running.log.find('messages to server "quiet"')


def test_from_messages_handled_on_a_worker_server(daemon, model):
    running = daemon(config())
    assert do(running, f"do send {model} 2 plain 5") == "0"
    for message in wait_seen(running, 2, model):
        assert message["from"] == "loop"
    assert seen(running, "did:") == [{"kind": "did:", "text": "0 0 in loop"}]


def test_to_itself(daemon, by):
    running = daemon(config(web="loops: 2"))
    assert do(running, "send web 2 plain 1", by) == "0 0"
    for message in wait_seen(running, 2, "web"):
        assert message["on"] == "web/loop-0" and message["in"] == "web"
    assert do(running, "do send loop 3 plain 9") == "0"
    assert [message["number"] for message in wait_seen(running, 3, "loop", tag=9)] == ["0", "1", "2"]


def test_of_another_size_is_refused(daemon, by):
    running = daemon(config())
    assert do(running, "short loop", by) == "-EINVAL -EINVAL"
    assert running.stop() == 0
    assert queue(running, "loop") == (0, 0, 0)


def test_a_type_that_is_not_listed(daemon, by):
    running = daemon(config())
    assert do(running, "send unlisted 2 plain 1\nmove unlisted 1 plain 1\nask unlisted answer 1000 1", by) == \
        ["-ENOENT -ENOENT", "-ENOENT", "-ENOENT"]
    line = "message hub_unlisted is not sent: the module has it neither in `sends` nor in a handler$"
    running.log_wait(rf"error +\S+ {line}", count=4)
    assert seen(running, "released") == [{"kind": "released", "tag": "1", "number": "0"}]


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 4096, 1 << 20, 10_000_000])
def test_bytes_of_any_length(daemon, length):
    running = daemon(config())
    assert do(running, f"bytes {length}\nmovebytes {length}", "worker") == ["0", "0"]
    found = wait_seen(running, 2, "bytes")
    assert [(message["length"], message["good"]) for message in found] == [(str(length), str(length))] * 2
    assert found[0]["aligned"] == "1"
    wait_until(lambda: "released bytes" in lines(running), "the release")
    assert lines(running).count("released bytes") == 1


# Hooks

def test_hooks_send(daemon):
    """The server is the last, so that those it sends to run already and end later."""
    hooks = 'start: "send loop 2 plain 1", quiesce: "send serial 1 plain 2"'
    running = daemon(config(options={"parallel": f", {hooks}"}))
    for message in wait_seen(running, 2, "loop", tag=1):
        assert message["from"] == "parallel"
    assert running.stop() == 0
    running.log_wait("hub probe start .*: 0 0$")
    running.log_wait('hub probe quiesce on "parallel/loop-0": 0$')
    assert queue(running, "serial") == (1, 0, 0)


def test_a_start_hook_sends_to_a_server_that_starts_later(daemon):
    running = daemon(config(options={"web": ', start: "send parallel 2 plain 1\\nask parallel answer 60000 3"'}))
    assert sorted(message["number"] for message in wait_seen(running, 3, "parallel")) == ["0", "1", "7"]
    running.log_wait("hub probe start .*: 0 0$")
    assert wait_seen(running, 1, "then")[0]["result"] == "0"


def test_a_stop_hook_finds_queues_closed(daemon):
    running = daemon(config(options={"loop": ', stop: "send loop 1 plain 1\\nask web answer 1000 1"'}))
    assert running.stop() == 0
    running.log_wait('hub probe stop on "loop/loop-0": -ECANCELED$', count=2)
    assert queue(running, "loop") == (0, 0, 0)


# Order

@pytest.mark.parametrize("to", ["loop", "serial"])
def test_the_order_of_each_sender_is_kept(daemon, to):
    running = daemon(config(log="notice", keys="hub_capacity: 16", web="loops: 2"))
    waited = [None] * len(BY)

    def pour(tag):
        waited[tag] = int(do(running, f"pour {to} {EACH} {tag}", BY[tag]))

    threads = [threading.Thread(target=pour, args=(tag,)) for tag in range(len(BY))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: len(lines(running)) == EACH * len(BY), "all to come")
    found = seen(running)
    for tag in range(len(BY)):
        assert [int(message["number"]) for message in found if message["tag"] == str(tag)] == list(range(EACH))
    assert running.stop() == 0
    assert queue(running, to) == (EACH * len(BY), sum(waited), 0)


# Full queues

def test_a_full_queue_refuses_exactly_what_does_not_fit(daemon, model, gate):
    """One message is in each handler; what waits for its handler is in the queue."""
    running = daemon(config(gate, keys="hub_capacity: 5"))
    inside = 4 if model == "parallel" else 1
    for number in range(inside):
        assert do(running, f"send {model} 1 gate {number}") == "0"
        wait_seen(running, number + 1, model)
    assert do(running, f"send {model} 10 plain 9", "worker") == "0 0 0 0 0 -EAGAIN -EAGAIN -EAGAIN -EAGAIN -EAGAIN"
    assert do(running, f"ask {model} answer 1000 8\nmove {model} 1 plain 7") == ["-EAGAIN", "-EAGAIN"]
    assert seen(running, "released", tag=7)
    gate.open()
    found = wait_seen(running, 5, model, tag=9)
    assert {message["number"] for message in found} == set("01234")
    assert do(running, f"send {model} 1 plain 6") == "0"
    wait_seen(running, 1, model, tag=6)
    assert running.stop() == 0
    assert queue(running, model) == (inside + 6, 7, 0)


def test_a_full_queue_counts_for_all_types_of_a_server(daemon, gate):
    running = daemon(config(gate, keys="hub_capacity: 3"))
    assert do(running, "send loop 1 gate 1") == "0"
    wait_seen(running, 1, "loop")
    assert do(running, "send loop 2 plain 2\nbytes 10\nbytes 10\nmovebytes 10") == ["0 0", "0", "-EAGAIN", "-EAGAIN"]
    assert do(running, "send serial 3 plain 2") == "0 0 0"
    gate.open()
    wait_seen(running, 1, "bytes")
    assert running.stop() == 0
    assert queue(running, "loop") == (4, 2, 0)


# Moved payloads

@pytest.mark.parametrize("deed", ["plain", "fail", "answer"])
def test_a_moved_payload_is_released_once(daemon, by, model, deed):
    running = daemon(config())
    assert do(running, f"move {model} 3 {deed} 4", by) == "0 0 0"
    wait_seen(running, 3, model)
    wait_seen(running, 3, "released")
    assert running.stop() == 0


def test_a_moved_payload_is_released_when_it_was_not_handled(daemon, gate):
    running = daemon(config(gate, keys="hub_capacity: 2", timeout="200ms"))
    do(running, "send loop 1 gate 1")
    wait_seen(running, 1, "loop")
    assert do(running, "move loop 3 plain 2", "thread") == "0 0 -EAGAIN"
    assert [message["number"] for message in wait_seen(running, 1, "released")] == ["2"]
    gate.open()
    assert {message["number"] for message in wait_seen(running, 3, "released")} == {"0", "1", "2"}


def test_kept_messages_stay_as_they_are(daemon, by, model):
    running = daemon(config())
    do(running, f"move {model} 2 keep 5\nsend {model} 2 keep 6")
    wait_seen(running, 4, model)
    do(running, f"send {model} 50 plain 1")
    wait_seen(running, 50, model, tag=1)
    assert seen(running, "released") == []
    assert do(running, "release", by) == "4"
    found = seen(running, "kept")
    assert sorted((message["tag"], message["number"], message["from"]) for message in found) == \
        [("5", "0", "web"), ("5", "1", "web"), ("6", "0", "web"), ("6", "1", "web")]
    wait_seen(running, 2, "released")


def test_messages_kept_to_the_end_are_released_after_their_servers(daemon):
    running = daemon(config())
    do(running, "move loop 1 keep 5\nmove serial 1 keep 5\nsend parallel 1 keep 6")
    for model in MODELS:
        wait_seen(running, 1, model)
    assert running.stop() == 0


# Handlers that fail

def test_a_handler_that_fails_is_logged_once(daemon, model):
    running = daemon(config(log="info"))
    assert do(running, f"send {model} 2 fail 1\nask {model} fail 60000 2") == ["0 0", "0"]
    assert wait_seen(running, 1, "then")[0]["result"] == str(-errno.EIO)
    pattern = rf'error +{thread_of(model)}\d\[\d+\] .*module "hub_probe": handler {model}: message hub_{model} failed: Input/output error$'
    running.log_wait(pattern, count=3)
    assert len(running.log.find("hub_probe.*failed")) == 3


# Questions

def outcome(running, tag=1, kind="then"):
    return wait_seen(running, 1, kind, tag=tag)[0]


def test_answered_in_the_handler(daemon, by, model):
    running = daemon(config())
    assert do(running, f"ask {model} answer 60000 1", by) == "0"
    message = wait_seen(running, 1, model)[0]
    told = outcome(running)
    assert message["asked"] == "1" and (told["result"], told["number"], told["answered"]) == ("0", "7", message["on"])
    assert told["on"].startswith("web/worker" if by in ("serial", "worker") else "web/loop-0"), told


def test_answered_later_by_a_thread(daemon, by, model, gate):
    running = daemon(config(gate))
    assert do(running, f"ask {model} later 60000 1", by) == "0"
    wait_seen(running, 1, model)
    assert seen(running, "then") == []
    gate.open()
    told = outcome(running)
    assert (told["result"], told["number"], told["answered"]) == ("0", "7", "")
    assert outcome(running, kind="late")["result"] == "0"


@pytest.mark.parametrize("deed,result", [
    ("fail", -errno.EIO), ("done", -errno.ENODATA), ("plain", -errno.ENODATA), ("refuse", -errno.EPROTO),
    ("short", -errno.EINVAL), ("never", -errno.ETIMEDOUT), ("other", -errno.ETIMEDOUT), ("twice", 0), ("both", 0),
])
def test_what_becomes_of_a_question(daemon, model, deed, result):
    running = daemon(config(web="loops: 2"))
    timeout = 100 if result == -errno.ETIMEDOUT else 60000
    assert do(running, f"ask {model} {deed} {timeout} 1") == "0"
    told = outcome(running)
    assert told["result"] == str(result)
    assert told["number"] == ("7" if result == 0 else "-1")
    assert do(running, f"ask {model} answer 60000 2") == "0"
    assert outcome(running, 2)["result"] == "0"
    assert len(seen(running, "then")) == 2
    if deed == "twice":
        assert wait_seen(running, 1, "twice")[0]["text"] == "tag=1 0 0"
    if deed == "other":
        running.log_wait(f"error +web/loop-.* question hub_{model}: the answer is one of hub_web$")


@pytest.mark.parametrize("row", MODELS)
@pytest.mark.parametrize("deed,status,text", [
    ("answer", 200, "7 loop/loop-0"), ("fail", 502, "-EIO"), ("done", 502, "-ENODATA"), ("never", 502, "-ETIMEDOUT"),
    ("refuse", 502, "-EPROTO"), ("twice", 200, "7 loop/loop-0"),
])
def test_questions_of_requests(daemon, row, deed, status, text):
    running = daemon(config())
    timeout = 50 if deed == "never" else 60000
    path = "ask-" + row.replace("parallel", "worker")
    for turn in range(3):
        response = running.get(f"/{path}/loop/{deed}/{timeout}/turn{turn}", "web")
        assert (response.status, response.text) == (status, text)
    on = "web/loop-0" if row == "loop" else "web/worker"
    assert all(told["on"].startswith(on) for told in wait_seen(running, 3, "then"))
    assert seen(running, "drop") == []


def test_a_request_that_cannot_ask_answers_itself(daemon, gate):
    running = daemon(config(gate, keys="hub_capacity: 1"))
    do(running, "send loop 1 gate 1")
    wait_seen(running, 1, "loop")
    do(running, "send loop 1 plain 1")
    assert running.get("/ask-loop/loop/answer/60000/x", "web").text == "-EAGAIN"
    assert running.get("/ask-worker/unlisted/answer/60000/x", "web").text == "-ENOENT"
    assert running.get("/ask-worker/serial/answer/0/x", "web").text == "-EINVAL"
    assert seen(running, "then") + seen(running, "drop") == []
    gate.open()


@pytest.mark.parametrize("row", ["loop", "serial", "worker"])
def test_a_request_that_is_gone_is_dropped(daemon, row, gate):
    running = daemon(config(gate))
    with running.raw("web") as raw:
        raw.send(f"GET /ask-{row}/loop/later/60000/gone HTTP/1.1\r\nHost: test\r\n\r\n")
        wait_seen(running, 1, "loop")
    running.log_wait(r'"GET /ask-\w+/loop/later/60000/gone HTTP/1.1" ')
    gate.open()
    assert wait_seen(running, 1, "drop", **{"for": "gone"})
    assert seen(running, "then") == []


def test_a_request_that_waits_too_long_is_dropped(daemon, gate):
    running = daemon(config(gate, web="timeouts: {handler: 100ms}"))
    assert running.get("/ask-loop/loop/later/60000/slow", "web").status == 504
    gate.open()
    wait_seen(running, 1, "drop", **{"for": "slow"})


def test_a_question_to_itself(daemon, by):
    running = daemon(config(web="loops: 2"))
    assert do(running, "ask web answer 60000 1", by) == "0"
    assert outcome(running)["result"] == "0"
    assert running.get("/ask-worker/web/answer/60000/x", "web").text == "7 web/loop-0"


# Servers that stop

def stopped(running, server):
    running.log_wait(f'server "{server}": stopped$')


def test_a_receiver_that_has_stopped(daemon, by, model):
    running = daemon(config())
    assert do(running, f"stop {model}") == "0"
    stopped(running, model)
    assert do(running, f"send {model} 2 plain 1\nmove {model} 1 plain 1\nask {model} answer 1000 1", by) == \
        ["-ECANCELED -ECANCELED", "-ECANCELED", "-ECANCELED"]
    wait_seen(running, 1, "released")
    assert seen(running, "then") == []
    assert queue(running, model) == (0, 0, 0)
    assert running.get(f"/ask-loop/{model}/answer/1000/x", "web").text == "-ECANCELED"


def test_what_was_taken_before_a_stop_is_handled(daemon, model, gate):
    running = daemon(config(gate, keys="hub_capacity: 100"))
    inside = 4 if model == "parallel" else 1
    do(running, f"send {model} {inside} gate 1")
    wait_seen(running, inside, model)
    assert counts(do(running, f"send {model} 20 plain 2")) == {"0": 20}
    assert do(running, f"ask {model} answer 60000 3") == "0"
    assert do(running, f"stop {model}") == "0"
    running.log_wait(f'server "{model}": stops')
    gate.open()
    stopped(running, model)
    assert len(seen(running, model, tag=2)) == 20
    assert outcome(running, 3)["result"] == "0"
    assert queue(running, model) == (inside + 21, 0, 0)


def test_deadlines_come_in_their_order_and_never_early(daemon):
    """Those of questions that have waited a little get timers of their own; one that has been answered does not."""
    running = daemon(config())

    def attempt(number):
        begun, tags = time.monotonic(), [str(10 * number + n) for n in range(6)]
        assert do(running, f"ask loop answer 5000 {tags[5]}") == "0"
        for n, timeout in ((1, 2400), (2, 400), (3, 1600), (4, 800)):
            assert do(running, f"ask loop never {timeout} {tags[n]}") == "0"
        assert outcome(running, tags[5])["result"] == "0"
        assert time.monotonic() - begun < 0.4
        return begun, tags

    # In less than that the order in which they end is known.
    begun, tags = in_time(0.4, attempt)
    for n, timeout in ((2, 400), (4, 800), (3, 1600), (1, 2400)):
        assert outcome(running, tags[n])["result"] == str(-errno.ETIMEDOUT)
        assert time.monotonic() - begun >= timeout / 1000
    assert [told["tag"] for told in seen(running, "then") if told["tag"] in tags] == [tags[n] for n in (5, 2, 4, 3, 1)]


def test_a_question_whose_answerer_stops(daemon, by, model):
    """It was given to the handler, which never answers: the deadline is what ends it. One in the queue is handled first."""
    running = daemon(config())
    assert do(running, f"ask {model} never 300 1", by) == "0"
    wait_seen(running, 1, model)
    assert do(running, f"stop {model}") == "0"
    stopped(running, model)
    assert outcome(running)["result"] == str(-errno.ETIMEDOUT)


def test_questions_of_a_server_that_stops(daemon, model):
    running = daemon(config())
    assert do(running, f"do ask {model} never 60000 1") == "0"
    wait_seen(running, 1, model)
    assert do(running, "stop loop") == "0"
    stopped(running, "loop")
    told = outcome(running)
    assert told["result"] == str(-errno.ECANCELED) and told["on"] == "loop/loop-0"


def test_questions_at_the_end_of_the_daemon(daemon, gate):
    """Whatever is under way: each then() is called once, before the stop hook of its server."""
    running = daemon(config(gate, log="debug", options={"web": ', stop: "release"', "loop": ', stop: "release"'}))
    asked = [f"ask {model} {deed} 60000 {tag}" for tag, (model, deed) in
             enumerate((model, deed) for model in MODELS for deed in ("never", "later"))]
    for by in BY:
        assert do(running, "\n".join(asked), by) == ["0"] * len(asked)
    assert do(running, "do ask serial never 60000 90\ndo ask web later 60000 91") == ["0", "0"]
    total = len(asked) * len(BY) + 2
    wait_until(lambda: len(seen(running, asked=1)) == total, "all to be asked")
    gate.open()
    assert running.stop() == 0
    told = told_by_log(running)
    for server, count in (("web", total - 2), ("loop", 2)):
        ends = [n for n, line in enumerate(told) if line.startswith("then ") and f"on={server}/" in line]
        stops = [n for n, line in enumerate(told) if line.startswith("stop: ") and line.endswith(server)]
        assert len(ends) == count and len(stops) == 1 and max(ends) < stops[0], told
    for tag in range(len(asked)):
        results = {line.split()[2] for line in told if line.startswith(f"then tag={tag} ")}
        assert results <= ({f"result={-errno.ECANCELED}"} if tag % 2 == 0 else {f"result={-errno.ECANCELED}", "result=0"})


def told_by_log(running):
    return [match[1] for match in running.log.find(r"hub probe saw: (.*)$")]


@pytest.mark.parametrize("turn", range(3))
def test_what_waits_when_the_time_has_passed(daemon, model, gate, turn):
    """The handler comes back after shutdown_timeout: what is behind it is handled all the same, or counted as not handled."""
    running = daemon(config(gate, log="debug", keys="hub_capacity: 100", timeout="200ms"))
    inside = 4 if model == "parallel" else 1
    do(running, f"send {model} {inside} gate 1")
    wait_seen(running, inside, model)
    assert counts(do(running, f"send {model} 20 plain 2")) == {"0": 20}
    assert do(running, f"ask {model} answer 60000 3") == "0"
    running.signal(signal.SIGTERM)
    running.log_wait('server "web": stopped$|shutdown_timeout has passed')
    gate.open()
    assert running.wait() == 0
    taken, refused, dropped = queue(running, model)
    handled = [line for line in told_by_log(running) if line.startswith(model + " ")]
    assert (taken, refused) == (inside + 21, 0)
    assert len(handled) + dropped == taken
    assert len([line for line in told_by_log(running) if line.startswith("then tag=3 ")]) == 1


def test_what_waits_behind_a_loop_that_is_stuck(daemon, tmp_path):
    """The end of a worker's task and the end of the server reach the loop together: what waits for the next task is not lost.
    The loop has a second to come back; the machine may be slower."""
    for turn in range(10):
        worker_gate, loop_gate = tmp_path / f"worker-{turn}", tmp_path / f"loop-{turn}"
        running = daemon(mixed(worker_gate, loop_gate))
        do(running, "send serial 1 gate 1")
        wait_seen(running, 1, "serial")
        do(running, "move serial 5 plain 2\nbytes 1")
        wait_seen(running, 1, "bytes")  # so the loop has had the five
        do(running, "send loop 1 gate 1")
        wait_seen(running, 1, "loop")
        running.signal(signal.SIGTERM)
        running.log_wait('server "mixed": shutdown_timeout has passed')
        worker_gate.touch()
        wait_until(lambda: not any(name.startswith("mixed/worker") for name in running.threads()), "the workers to end")
        loop_gate.touch()
        assert running.wait() == 0
        if not running.log.find("is left behind"):
            break
    handled = [line for line in told_by_log(running) if line.startswith(("serial ", "loop ", "bytes "))]
    taken, _, dropped = queue(running, "mixed")
    assert taken == 8 == len(handled) + dropped
    assert len([line for line in told_by_log(running) if line.startswith("released ")]) == 5


def mixed(worker_gate, loop_gate):
    return with_test_modules(f"""
  web:
    listen: 127.0.0.1:0
    routes:
      - {{path: /loop, module: hub_probe, handler: do-loop}}
      - {{path: /seen, module: hub_probe, handler: seen}}
    modules: [{{module: hub_probe, handler: web}}]
  parallel: {{protocol: worker, modules: [{{module: hub_probe, handler: parallel}}]}}
  mixed:
    protocol: worker
    modules:
      - {{module: hub_probe, handler: serial, options: {{gate: "{worker_gate}"}}}}
      - {{module: hub_probe, handler: loop, options: {{gate: "{loop_gate}"}}}}
""", "log: {level: debug}, shutdown_timeout: 200ms")


def test_a_server_that_cannot_start(daemon):
    """Those before it run already and send to it, and to those behind it that never begin."""
    options = {"web": ', start: "send serial 3 plain 1\\nmove parallel 2 plain 2\\nask serial answer 60000 3\\nmove loop 1 plain 4"',
               "serial": ", fail: true"}
    running = daemon(config(options=options, log="debug"), wait=False)
    assert running.wait() == 1
    running.log_wait("hub probe start .*: 0 0 0$")
    told = told_by_log(running)
    assert queue(running, "serial") == (4, 0, 4)
    assert queue(running, "parallel") == (2, 0, 2)
    assert sorted(line for line in told if line.startswith("released")) == \
        ["released tag=2 number=0", "released tag=2 number=1", "released tag=4 number=0"]
    assert len([line for line in told if line.startswith("then tag=3 ")]) == 1


# To browsers

def test_a_message_becomes_one_to_browsers(daemon, by):
    running = daemon(config(web="loops: 2"))
    ends = [connect(running, "/socket", server="web") for _ in range(5)]
    wait_until(lambda: pushed(running, ends[0], "first"), "the first")
    for turn in range(20):
        assert do(running, f"do push from a worker {turn}", by) == "0"
    assert do(running, "do push last", by) == "0"
    for end in ends:
        texts = [text for text in iter(end.message, "last") if text != "first"]
        assert texts == [f"from a worker {turn}" for turn in range(20)]
        end.raw.close()


def pushed(running, end, text):
    do(running, f"push {text}")
    return end.message() == text
