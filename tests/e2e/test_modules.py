"""The loader through the daemon: what it refuses, with which words and where, and what loads from other headers."""
import os
import re
import shutil

import pytest

import harness
import ws_talk
from common import TEST_MODULES, with_test_modules


def config(module, more=""):
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    routes:
      - {{path: /, module: {module}{more}}}
""")


REFUSED = {
    "no_entry": "has no rtn_module_entry_v1: not a Retinue module, or RTN_REGISTER_MODULE is missing",
    "wrong_magic": "has a wrong magic number (0x12345678, not 0x52544e31): not a Retinue module, or damaged",
    "newer_level": "is compiled for API level 6, but this daemon offers 5: update the daemon or compile the module with the "
                   "header of this one",
    "newer_required": "requires API level 6, but this daemon offers 5: update the daemon",
    "bad_sizes": "states impossible struct sizes: it was not made by RTN_REGISTER_MODULE, or is damaged",
    "no_name": "has no valid name: .name takes letters, digits, '-' and '_'",
    "bad_name": "has no valid name: .name takes letters, digits, '-' and '_'",
    "no_threads": "does not state its thread model: .threads is mandatory",
    "odd_threads": "states thread model 9, which is none",
    "no_handlers": "has no handlers: .http, .websocket, .line and .messages are missing or empty, and there is no .start",
    "no_function": 'has handler "one" without a function: .handle is mandatory',
    "loud_handler": 'has handler "one", which promises more about threads than the module',
    "twin_handlers": 'has two handlers called "one"',
    "bad_option": 'has option "number" outside of the instance: is .instance_size the size of its struct?',
    "odd_option": 'has option "number" of kind 99, which this daemon does not know',
    "ws_no_size": "states impossible struct sizes: it was not made by RTN_REGISTER_MODULE, or is damaged",
    "ws_no_name": "has no valid name for WebSocket handler 1: .name takes letters, digits, '-' and '_'",
    "ws_odd_threads": 'has WebSocket handler "one" with thread model 9, which is none',
    "ws_loud": 'has WebSocket handler "one", which promises more about threads than the module',
    "ws_twins": 'has two WebSocket handlers called "one"',
    "ws_both": 'has WebSocket handler "one" with both .message and .fragment',
    "ws_protocol": 'has WebSocket handler "one" with subprotocol "not good", which is no token',
    "line_no_size": "states impossible struct sizes: it was not made by RTN_REGISTER_MODULE, or is damaged",
    "line_no_line": 'has line handler "one" without a function: .line is mandatory',
    "line_twins": 'has two line handlers called "one"',
    "message_no_row_size": "states impossible struct sizes: it was not made by RTN_REGISTER_MODULE, or is damaged",
    "message_no_on": 'has message handler "one" that takes nothing: .on is missing or empty',
    "message_no_type": 'has message handler "one" with no type in row 1: rows are made by RTN_ON',
    "message_twin_rows": 'has message handler "one" with two rows for "job"',
    "sends_endless": "has a list .sends that does not end with NULL",
    "type_bad_name": 'has a message type with no valid name in row 1 of message handler "one": a name is one of C, of 1 to '
                     "63 characters",
    "type_huge": 'has message type "other" with a payload of 1073741825 bytes, which cannot be right',
    "type_two_sizes": 'has two message types called "job" that differ in version or size: its files were compiled with '
                      "different declarations",
    "missing_symbol": "needs rtn_reply_hologram(), which this daemon does not have",
}


@pytest.mark.parametrize("module", REFUSED)
def test_a_broken_module_is_refused_at_its_place(retinued, module):
    result = retinued(text=config(module))
    message = f'retinued.yaml:6:27: error: module "{module}": {TEST_MODULES}/{module}.so {REFUSED[module]}\n'
    assert result.returncode == 1 and message in result.stderr
    assert f"{{path: /, module: {module}}}\n      | {' ' * 26}^{'~' * (len(module) - 1)}\n" in result.stderr
    assert result.stderr.count("error") == 1


def test_a_module_that_is_nowhere(retinued):
    result = retinued(text=config("helo"))
    assert result.returncode == 1
    assert (f'retinued.yaml:6:27: error: module "helo": no helo.so in {harness.MODULES}, {TEST_MODULES}; '
            'did you mean "hello"?\n') in result.stderr


@pytest.mark.parametrize("mode, who", [(0o666, "others"), (0o775, "its group"), (0o646, "others")])
def test_a_file_that_others_can_write(retinued, tmp_path, mode, who):
    path = tmp_path / "hello.so"
    shutil.copy(f"{harness.MODULES}/hello.so", path)
    os.chmod(path, mode)
    result = retinued(text=config(path))
    assert result.returncode == 1
    assert f"retinued.yaml:6:27: error: module {path} can be written by {who}; run: chmod go-w {path}\n" in result.stderr
    os.chmod(path, 0o755)
    assert retinued("-n", text=config(path)).returncode == 0


def make_folder(path):
    path.mkdir()


def make_fifo(path):
    os.mkfifo(path, 0o600)


def make_empty(path):
    path.touch(0o600)


def make_text(path):
    path.write_text("#include <retinue/module.h>\n")


def make_cut_short(path):
    whole = open(f"{harness.MODULES}/hello.so", "rb").read()
    path.write_bytes(whole[:len(whole) // 3])


@pytest.mark.parametrize("make, reason", [
    (make_folder, "is not a regular file"), (make_fifo, "is not a regular file"), (make_empty, "is empty"),
    (make_text, "is not a shared object (no ELF header)"), (make_cut_short, "is cut short"),
    (lambda path: None, "cannot be read: No such file or directory"),
], ids=["folder", "fifo", "empty", "text", "cut short", "nothing"])
def test_what_is_no_module_file(retinued, tmp_path, make, reason):
    path = tmp_path / "thing.so"
    make(path)
    if path.exists() and path.is_file():
        os.chmod(path, 0o600)
    result = retinued(text=config(path))
    assert result.returncode == 1
    assert f"retinued.yaml:6:27: error: module {path} {reason}\n" in result.stderr


@pytest.mark.parametrize("module, more, column, message", [
    ("hello", ", handler: helo", 43, 'module "hello" has no handler "helo"; did you mean "hello"?'),
    ("getandpost", ", handler: zebra", 48, 'module "getandpost" has no handler "zebra"; it has form, post'),
    ("getandpost", "", 27, 'module "getandpost" has several handlers; add handler: with one of form, post'),
    ("hello", ", options: {txt: a}", 44, 'options: unknown key "txt"; did you mean "text"?'),
    ("serial", ", options: {hold: soon}", 51, None),
    ("options", ", options: {string: a, flag: 3}", 63, None),
    ("options", ", options: {string: a, number: many}", 65, 'options: "number" must be a whole number, not "many"'),
    ("options", ", options: {string: a, number: 101}", 65, None),
    ("options", ", options: {string: a, size: 2MiB}", 63, None),
    ("options", ", options: {string: a, colour: gren}", 65, None),
    ("options", ", options: {string: a, strings: [a, b, c, d]}", 66, None),
    ("options", ", options: {number: 1}", 45, 'options: "string" is missing'),
    ("options", ", options: {string: a, number: 13, colour: red}", 65, "13 is not allowed together with red"),
    ("no_such", ", handler: x", 27, None),
])
def test_what_is_wrong_with_a_route_is_said_at_its_place(retinued, module, more, column, message):
    result = retinued(text=config(module, more))
    assert result.returncode == 1
    errors = re.findall(r"retinued\.yaml:6:(\d+): error: (.*)", result.stderr)
    assert len(errors) == 1, result.stderr
    assert int(errors[0][0]) == column
    if message:
        assert message in errors[0][1]


@pytest.mark.parametrize("module", ["small_head", "large_head"])
def test_modules_compiled_with_other_headers_work(daemon, module):
    running = daemon(with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    routes:
      - {{path: /one, module: {module}, handler: one, options: {{first: 5}}}}
      - {{path: /two, module: {module}, handler: two}}
"""))
    assert running.get("/one").text == "5 2\n"
    assert running.get("/two").text == "1 2\n"


def test_modinfo_of_what_is_shipped():
    lines = [line.strip() for line in modinfo("hello").splitlines()]
    assert lines[0] == "hello 1.0 - Answers every request with a greeting."
    assert "threads    loop: never blocks, runs on the server's loops" in lines
    assert "API level  5" in " ".join(lines)
    assert 'text  string, default "hello world\\n"' in lines

    lines = [line.strip() for line in modinfo("echo").splitlines()]
    assert "threads: loop, methods: all" in lines and "headers  bool, default false" in lines

    lines = [line.strip() for line in modinfo("getandpost").splitlines()]
    assert lines[lines.index("form  Shows the form.") + 1] == "threads: parallel, methods: GET"
    assert lines[lines.index("post  Takes the post.") + 1] == "threads: parallel, methods: POST"
    assert 'action  string, default "/"' in lines and "origin  string" in lines


def modinfo(name):
    result = harness.run("--modinfo", f"{harness.MODULES}/{name}.so")
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_modinfo_finds_modules_of_the_configuration(retinued):
    result = retinued("--modinfo", "options", text=config("hello"))
    assert result.returncode == 0
    assert result.stdout.startswith("options 1.0\n")


def test_modinfo_of_a_broken_module():
    result = harness.run("--modinfo", f"{TEST_MODULES}/no_threads.so")
    assert result.returncode == 1 and result.stdout == ""
    assert f"error: module {TEST_MODULES}/no_threads.so {REFUSED['no_threads']}\n" in result.stderr


def test_a_module_of_level_1_runs(daemon):
    """Compiled against the headers of then: shorter structures, and nothing of what was added since."""
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: "/loop/{id}", module: level1, handler: loop, options: {text: given, times: 7}}
      - {path: "/worker/{id}", module: level1, handler: worker}
      - {path: /next, module: level1, handler: pass}
      - {path: /fail, module: level1, handler: fail}
"""))
    with running.raw() as raw:
        for path, told in (("loop", "text=given times=7 configured=2"), ("worker", "text=none times=1 configured=1")):
            response = raw.request("POST", f"/{path}/5?q=6", body=b"seven")
            assert response.get("X-Level") == "1"
            assert response.text == f"{told} body=seven id=5 q=6 level=1\n"
        assert raw.request(target="/next").status == 404
        assert raw.request(target="/fail").status == 500
    running.log_wait("level1: connection closed, cause 1, data kept", count=2)
    result = harness.run("--modinfo", f"{TEST_MODULES}/level1.so")
    lines = " ".join(result.stdout.split())
    assert "API level 1" in lines and "worker threads: parallel" in lines, lines


def test_a_module_of_level_2_runs(daemon):
    """Compiled against the headers of before WebSocket: bodies and replies in pieces, later replies, workers."""
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: /count, module: level2, handler: count, options: {word: given, times: 7}}
      - {path: /pieces, module: level2, handler: pieces, options: {word: ab, times: 3}}
      - {path: /later, module: level2, handler: later}
      - {path: /worker, module: level2, handler: worker}
"""))
    with running.raw() as raw:
        response = raw.request("POST", "/count", body=b"x" * 100000)
        assert response.text == "word=given times=7 body=100000 host=test scheme=http level=1\n"
        assert raw.request(target="/pieces").text == "ababab"
        assert raw.request(target="/later").text == "later\n"
        assert raw.request(target="/worker").text == "on a worker\n"
        refused = raw.request(target="/count", headers=[("X-Refuse", "1")])
        assert (refused.status, refused.text) == (403, "refused\n")
    lines = " ".join(harness.run("--modinfo", f"{TEST_MODULES}/level2.so").stdout.split())
    assert "API level 2" in lines and "pieces threads: parallel" in lines, lines
    assert "WebSocket handlers" not in lines


def test_a_module_of_level_3_runs(daemon):
    """Compiled against the headers of before messages: WebSocket in both directions, and topics."""
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: /talk, module: level3, handler: talk, options: {word: given}}
      - {path: /pieces, module: level3, handler: pieces}
      - {path: /publish, module: level3, handler: publish}
      - {path: /connect, module: level3, handler: connect, options: {word: out}}
"""))
    with ws_talk.connect(running, "/talk", [("Sec-WebSocket-Protocol", "other, level.two")]) as end, running.raw() as raw, \
            ws_talk.Acceptor() as acceptor:
        assert end.response.get("Sec-WebSocket-Protocol") == "level.two" and end.response.get("X-Word") == "given"
        end.text("hi")
        assert (end.message(), end.message()) == ("given", "hi")
        assert raw.request("POST", "/publish", body=b"to all").text == "published\n"
        assert end.message() == "to all"
        url = f"ws://127.0.0.1:{acceptor.port}/there"
        assert raw.request("POST", "/connect", body=url.encode()).text == "connecting\n"
        with acceptor.accept() as outgoing:
            assert outgoing.request[0] == "/there" and outgoing.request[1]["x-from"] == "level3"
            outgoing.text("hello")
            assert (outgoing.message(), outgoing.message()) == ("out", "hello")
        end.close_and_wait(1000, "bye")
        running.log_wait("level3: level.two closed, cause 1, code 1000, bye")
    with ws_talk.connect(running, "/pieces") as end:
        end.text("some")
        assert end.message() == "bytes"
    with running.raw() as raw:
        refused = ws_talk.asked(raw, "/talk", [("X-Refuse", "1")])
        assert (refused.status, refused.text) == (403, "refused\n")
    lines = " ".join(harness.run("--modinfo", f"{TEST_MODULES}/level3.so").stdout.split())
    assert "API level 3" in lines and "talk Answers. threads: parallel, callbacks: upgrade, open, message, close" in lines, lines
    assert "line handlers" not in lines and "messages" not in lines.replace("before messages", ""), lines


def test_a_module_of_level_4_runs(daemon):
    """Compiled against the headers of before metrics: messages, lines and tasks."""
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: /ask, module: level4, handler: ask}
      - {path: /timer, module: level4, handler: timer}
  lines:
    protocol: line
    listen: 127.0.0.1:0
    modules: [{module: level4, handler: lines}]
  jobs:
    protocol: worker
    modules: [{module: level4, handler: all}]
"""))
    assert running.get("/ask", server="get").text == "42\n"
    assert running.get("/timer", server="get").text == "set\n"
    running.log_wait("level4: got the timer")
    with running.raw(server="lines") as raw:
        raw.send(b"hello\r\n")
        while raw.buffer.count(b"\n") < 2 and raw._fill():
            pass
        assert raw.buffer == b"welcome\r\n5: hello\r\n"
    running.log_wait("level4: closed, cause 1")
    lines = " ".join(harness.run("--modinfo", f"{TEST_MODULES}/level4.so").stdout.split())
    assert "API level 4" in lines and "lines Counts. threads: loop, callbacks: open, line, close" in lines, lines
    assert "takes level4_sum: 8 bytes, version 1, answer 4 bytes" in lines, lines


def test_modinfo_of_lines_and_messages():
    result = harness.run("--modinfo", f"{TEST_MODULES}/hub_kinds.so")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout[result.stdout.index("\nline handlers"):result.stdout.index("\noptions")] == """
line handlers
  all    Takes lines.
         threads: parallel, callbacks: line
  lines  threads: loop, callbacks: line, close

message handlers
  all   threads: serial
        takes kinds_text: any number of bytes, version 1
  jobs  Takes jobs.
        threads: loop
        takes kinds_job: 40 bytes, version 1, answer 16 bytes
        takes kinds_text: any number of bytes, version 1
        sends kinds_done: 16 bytes, version 3

messages sent
  kinds_text: any number of bytes, version 1
  kinds_job: 40 bytes, version 1, answer 16 bytes
"""


def test_modinfo_of_websocket_handlers():
    result = harness.run("--modinfo", f"{TEST_MODULES}/ws_kinds.so")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.strip() for line in result.stdout.split("\nWebSocket handlers\n")[1].splitlines()]
    assert lines[lines.index("both    Takes whole messages.") + 1] == (
        "threads: loop, callbacks: open, message, subprotocols: chat.v2, chat")
    assert "stream  threads: loop, callbacks: fragment" in lines
    assert "worker  threads: parallel, callbacks: message" in lines
