"""The fan-out: an HTTP post, a typed message to a worker, a result that is the answer and goes to all who listen."""
import contextlib
import hashlib
import json
import re
import threading

import pytest

import harness
from common import with_test_modules
from programs import Program
from raw import Raw
from ws_talk import connect

WEBSOCKETS = """
import asyncio, sys, websockets

async def listen(url, count):
    async with websockets.connect(url) as connection:
        print("open", flush=True)
        for _ in range(count):
            print(await connection.recv(), flush=True)

asyncio.run(listen(sys.argv[1], int(sys.argv[2])))
"""


def config(timeout="30s", work="", capacity=1000, more="", topic="fanout"):
    """`work`: modules beside the worker's own, on the same one thread; `more`: servers."""
    return with_test_modules(f"""
  web:
    listen: 127.0.0.1:0
    threads: 0
    routes: [{{path: /, module: fanout, handler: post, options: {{timeout: {timeout}}}}}]
  worker:
    protocol: worker
    threads: 1
    hub_capacity: {capacity}
    log_level: info
    modules: [{{module: fanout, handler: work}}{work}]
  sockets:
    listen: 127.0.0.1:0
    threads: 0
    loops: 2
    routes: [{{path: /, module: fanout, handler: feed, options: {{topic: {topic}}}}}]
  lines:
    protocol: line
    listen: 127.0.0.1:0
    threads: 0
    modules: [{{module: fanout, handler: feed, options: {{topic: {topic}}}}}]
{more}""")


def facts(number, text):
    """The line that says what is to be found."""
    data = text.encode("utf-8")
    return json.dumps({"number": number, "bytes": len(data), "characters": len(text), "words": len(text.split()),
                       "lines": len(text.split("\n")) - text.endswith("\n"), "sha256": hashlib.sha256(data).hexdigest()})


def post(running, text, content_type="text/plain", server="web"):
    with running.raw(server) as raw:
        return raw.request("POST", "/", [("Content-Type", content_type)], text if isinstance(text, bytes) else text.encode("utf-8"))


def subscribed(running):
    """Both feeds, when they hear."""
    line = Raw(("127.0.0.1", running.port("lines")))
    socket = connect(running, "/", server="sockets")
    number = 0
    while not line.buffer or not socket.raw.buffer:
        number = json.loads(post(running, "is anybody there?").body)["number"]
        for raw in (line, socket.raw):
            raw.silent(0.05)
    return line, socket, number


TEXTS = {
    "a line": "to be or not to be",
    "one word": "x",
    "spaces around": "  to   be \t or\u000bnot\r\n",
    "lines": "one\ntwo\n\nfour",
    "an end of line": "\n",
    "all kinds of letters": "gr\u00fc\u00df dich \U0001f600",
    "a zero": "a\0b",
    "as long as may be": 4096 * "x",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_facts_are_found(daemon, kind):
    running = daemon(config())
    text = TEXTS[kind]
    response = post(running, text)
    assert (response.status, response.get("Content-Type"), response.text) == (200, "application/json", facts(1, text) + "\n")
    if "\0" not in text:
        for number, content_type in ((2, "application/json"), (3, "Application/JSON; charset=utf-8"), (4, "application/json;a=b")):
            for_json = json.dumps({"more": 1, "text": text}, ensure_ascii=number % 2 == 0)
            assert post(running, for_json, content_type).text == facts(number, text) + "\n"
    # What only begins like JSON's type is text.
    assert json.loads(post(running, '{"text": "x"}', "application/json5").body)["bytes"] == 13


@pytest.mark.parametrize("body, content_type, status, words", [
    ("", "text/plain", 400, "UTF-8 text"),
    ("", "application/json", 400, "UTF-8 text"),
    (b"\xff", "text/plain", 400, "UTF-8 text"),
    (b"a\xc3", "text/plain", 400, "UTF-8 text"),
    (b"\xed\xa0\x80", "text/plain", 400, "UTF-8 text"),
    (4097 * "x", "text/plain", 413, "4096 bytes"),
    (json.dumps({"text": 4097 * "x"}), "application/json", 413, "4096 bytes"),
    ('{"text": ""}', "application/json", 400, "UTF-8 text"),
    ('{"text": 1}', "application/json", 400, "UTF-8 text"),
    ('{"txt": "x"}', "application/json", 400, "UTF-8 text"),
    ('["text"]', "application/json", 400, "UTF-8 text"),
    ('"text"', "application/json", 400, "UTF-8 text"),
    ('{"text": "x", "text": "y"}', "application/json", 400, "UTF-8 text"),
    ('{"text": "x"', "application/json", 400, "UTF-8 text"),
    (b'{"text": "\xff"}', "application/json", 400, "UTF-8 text"),
])
def test_what_is_no_text_is_refused(daemon, body, content_type, status, words):
    running = daemon(config())
    response = post(running, body, content_type)
    assert response.status == status and words in response.text
    assert post(running, "x").text == facts(1, "x") + "\n"


def test_only_post(daemon):
    response = daemon(config()).get("/")
    assert response.status == 405 and response.get("Allow") == "POST, OPTIONS"


def test_everybody_hears_of_everything_in_order(daemon):
    """Posts from many at once; each gets its own answer, and each listener all of them, in the order of their numbers."""
    running = daemon(config())
    line, socket, number = subscribed(running)
    first = number + 1
    answers = {}

    def ask(n):
        for m in range(10):
            text = f"{n} says {m}"
            answers[text] = post(running, text).text

    with line, socket:
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = {}
        for text, answer in answers.items():
            at = json.loads(answer)["number"]
            assert answer == facts(at, text) + "\n"
            expected[at] = answer[:-1]
        assert sorted(expected) == list(range(first, first + 100))
        for read in (socket.message, lambda: line._line().decode()):
            while json.loads(heard := read())["number"] < first:
                pass
            assert heard == expected[first]
            for at in range(first + 1, first + 100):
                assert read() == expected[at]


def test_listeners_have_nothing_to_say(daemon):
    running = daemon(config())
    line, socket, number = subscribed(running)
    with line, socket:
        line.send("hello\n\n")
        socket.text("hello")
        response = post(running, "x").text
        while json.loads(heard := socket.message())["number"] <= number:
            pass
        assert heard + "\n" == response


def test_another_topic_is_another_feed(daemon):
    running = daemon(config(more="""
  others:
    protocol: line
    listen: 127.0.0.1:0
    threads: 0
    modules: [{module: fanout, handler: feed, options: {topic: other}}]
"""))
    with Raw(("127.0.0.1", running.port("others"))) as other:
        line, socket, _ = subscribed(running)
        line.close()
        socket.raw.close()
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        assert other.closed()
        other.close()
        stopping.join()


# The worker does something else: another module on its one thread, which never ends.
BUSY = ", {module: butler, handler: offload, options: {slow: 1h}}, {module: butler, handler: server, options: {patience: 1h}}"
BUSY_SERVER = """
  desk:
    protocol: line
    listen: 127.0.0.1:0
    threads: 0
    modules: [{module: butler, handler: client, options: {server: worker, end: false}}]
"""


@contextlib.contextmanager
def busy(running):
    with Raw(("127.0.0.1", running.port("desk"))) as desk:
        desk.send("slow work\n")
        running.log_wait("slow work for worker: slow work$")
        yield desk


def test_a_worker_that_does_not_answer(daemon):
    running = daemon(config(timeout="100ms", work=BUSY, more=BUSY_SERVER))
    with busy(running):
        response = post(running, "x")
        assert (response.status, response.text) == (504, "the worker did not answer in time\n")


def test_a_worker_that_has_enough_to_do(daemon):
    running = daemon(config(capacity=2, timeout="100ms", work=BUSY, more=BUSY_SERVER))
    with busy(running):
        # Those that wait are handled when there is time, though nobody waits for them any more.
        assert [post(running, "x").status for _ in range(3)] == [504, 504, 503]
        response = post(running, "x")
        assert (response.status, response.get("Retry-After")) == (503, "1")
        assert response.text == "the worker cannot take more now\n"


def test_a_worker_that_has_stopped(daemon):
    running = daemon(config(work=BUSY, more=BUSY_SERVER))
    with busy(running) as desk, running.raw("web") as raw:
        # One that waits for its answer gets it in the end, or is told at once that there will be none.
        raw.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx")
        desk.send("kill\n")
        running.log_wait('server "worker": stopped$')
        assert raw.response().status in (200, 503)
        response = post(running, "x")
        assert (response.status, response.get("Retry-After")) == (503, "1")
    assert running.get("/").status == 405


@pytest.mark.parametrize("text, option", [(config(timeout="1ms"), "timeout"), (config(topic="''"), "topic"),
                                          (config(topic=256 * "x"), "topic")])
def test_bad_options_are_errors(retinued, text, option):
    result = retinued("-n", text=text)
    assert result.returncode == 1 and f'option "{option}"' in result.stderr.replace(f'"{option}" must', f'option "{option}" must'), result.stderr


def test_without_the_worker_nothing_starts(retinued):
    text = re.sub(r"(?s)  worker:.*?(?=  sockets:)", "", config())
    result = retinued("-n", text=text)
    assert result.returncode == 1
    assert re.search(r'error: server "web": route "/": message "fanout_text" is sent here, but no server handles it', result.stderr), result.stderr


# With the programs that the configuration names

def test_the_shipped_configuration_does_what_it_says(daemon):
    text = (harness.ROOT / "conf" / "fanout.yaml").read_text(encoding="utf-8")
    for port in ("8085", "8086", "8087"):
        assert text.count(f"listen: 127.0.0.1:{port}") == 1
        text = text.replace(f"listen: 127.0.0.1:{port}", f'listen: "127.0.0.1:{{port_{port}}}"')
    running = daemon(text, env={"RETINUE_MODULES": harness.MODULES})
    url = running.url("/", "web")
    with Program("nc", "127.0.0.1", running.port("lines")) as line, \
            Program("/usr/bin/python3", "-c", WEBSOCKETS, f"ws://127.0.0.1:{running.port('sockets')}/", 1000) as socket:
        socket.out.wait("^open$")
        sent = 0
        # Until nc is there too.
        while not line.out.find("number"):
            assert harness.curl("--data-binary", "to be or not to be", url).stdout == facts(sent + 1, "to be or not to be") + "\n"
            sent += 1
            with line.out.changed:
                line.out.changed.wait(0.1)
        answer = harness.curl("-H", "Content-Type: application/json", "-d", '{"text": "the same as JSON"}', url).stdout
        assert answer == facts(sent + 1, "the same as JSON") + "\n"
        wanted = "^" + re.escape(answer[:-1]) + "\r?$"
        line.out.wait(wanted)
        socket.out.wait(wanted)
        assert harness.curl("-o", "/dev/null", "-w", "%{http_code}", "--data-binary", 5000 * "x", url).stdout == "413"
