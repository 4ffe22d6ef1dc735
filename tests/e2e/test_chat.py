"""The chat: a hundred clients, one of whom does not read, one who is cut off; nc and retinue-chat as people use them."""
import contextlib
import json
import re
import selectors
import socket
import struct
import subprocess
import threading
import time

import pytest

import harness
from bounds import WAIT_BOUND
from common import wait_until, with_test_modules
from programs import Program
from raw import Raw

CHAT = harness.BUILD / "src" / "modules" / "chat" / "retinue-chat"
REPLACED = "\ufffd"


def server(name="chat", listen="127.0.0.1:0", options="", more=""):
    return f"""
  {name}:
    protocol: line
    listen: {listen}
    threads: 0
    log_level: info
{more}    modules: [{{module: chat, options: {{{options}}}}}]
""".lstrip("\n")


def spoken(name, words):
    return json.dumps({"username": name, "message": words}, ensure_ascii=False)


class Person:
    """A client of our own. It is there when the daemon has seen it."""

    def __init__(self, running, address, server="chat"):
        self.server = server
        self.running = running
        since = running.log.mark()
        self.raw = Raw(address)
        with_port = "unix:" if isinstance(address, str) else f"127.0.0.1:{self.raw.socket.getsockname()[1]}"
        self.peer = with_port
        self.id = int(running.log_wait(rf"\] (\d+) \({re.escape(with_port)}\S*\) has connected$", since=since)[1])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.raw.close()

    def say(self, line, end="\r\n"):
        self.raw.send((line if isinstance(line, bytes) else line.encode()) + end.encode())

    def hears(self):
        """The next line, which ends with CR LF."""
        return self.raw._line().decode()

    def hears_speech(self):
        heard = json.loads(self.hears())
        assert list(heard) == ["username", "message"]
        return heard["username"], heard["message"]


def join(running, server="chat", n=0):
    address = running.addresses(server)[n]
    return Person(running, address[5:] if address.startswith("unix:") else ("127.0.0.1", int(address.rsplit(":", 1)[1])), server)


@pytest.fixture
def both(daemon):
    """One chat, as JSON and as text."""
    return daemon(with_test_modules(server() + server("plain", options="format: text")))


# What is said, and what is heard

HEARD = {
    "as programs speak": (spoken("Ann", "hello"), ("Ann", "hello"), "Ann: hello"),
    "without spaces": ('{"username":"Ann","message":"hello"}', ("Ann", "hello"), "Ann: hello"),
    "the other way round, and more": ('{"message": "hello", "x": [1], "username": "Ann"}', ("Ann", "hello"), "Ann: hello"),
    "all kinds of letters": (spoken("\u00c4nne", "gr\u00fc\u00df dich \U0001f600"), ("\u00c4nne", "gr\u00fc\u00df dich \U0001f600"),
                             "\u00c4nne: gr\u00fc\u00df dich \U0001f600"),
    "escapes": ('{"username": "\\u0041nn", "message": "a\\"b\\\\c\\ud83d\\ude00"}', ("Ann", 'a"b\\c\U0001f600'), 'Ann: a"b\\c\U0001f600'),
    "nothing": (spoken("Ann", ""), ("Ann", ""), "Ann: "),
    "no name": (spoken("", "hello"), ("GUEST", "hello"), "GUEST: hello"),
    "several lines": (spoken("Ann", "one\ntwo\r\nBob: three"), ("Ann", "one\ntwo\r\nBob: three"), "Ann: one two  Bob: three"),
    "an escape sequence": (spoken("A\x1b[31mnn", "\x1b]0;title\x07\x9b2J\x7f"), ("A\x1b[31mnn", "\x1b]0;title\x07\x9b2J\x7f"),
                           f"A{REPLACED}[31mnn: {REPLACED}]0;title{REPLACED}{REPLACED}2J{REPLACED}"),
    "marks of direction": (spoken("Ann", "a\u202eb\u2066c"), ("Ann", "a\u202eb\u2066c"), f"Ann: a{REPLACED}b{REPLACED}c"),
    "plain": ("hello", ("GUEST", "hello"), "GUEST: hello"),
    "plain, with a tab": ("a\tb", ("GUEST", "a\tb"), "GUEST: a\tb"),
    "plain, to be taken for more": ('{"a": 1}', ("GUEST", '{"a": 1}'), 'GUEST: {"a": 1}'),
    "a number for a name": ('{"username": 1, "message": "m"}', ("GUEST", '{"username": 1, "message": "m"}'),
                            'GUEST: {"username": 1, "message": "m"}'),
    "a name twice": ('{"username":"a","username":"b","message":"m"}', ("GUEST", '{"username":"a","username":"b","message":"m"}'),
                     'GUEST: {"username":"a","username":"b","message":"m"}'),
    "a list": ('["username", "message"]', ("GUEST", '["username", "message"]'), 'GUEST: ["username", "message"]'),
    "half of an object": ('{"username": "Ann", "mess', ("GUEST", '{"username": "Ann", "mess'), 'GUEST: {"username": "Ann", "mess'),
    "plain with an escape sequence": ("\x1b[2Jhello", ("GUEST", f"{REPLACED}[2Jhello"), f"GUEST: {REPLACED}[2Jhello"),
    "a zero": (b"a\0b", ("GUEST", f"a{REPLACED}b"), f"GUEST: a{REPLACED}b"),
    "a CR within": (b"a\rb", ("GUEST", "a b"), "GUEST: a b"),
    "no UTF-8": (b"\xff\xc3(\xe2\x82\xf0\x9f\x98", ("GUEST", f"{REPLACED}{REPLACED}({5 * REPLACED}"), f"GUEST: {REPLACED}{REPLACED}({5 * REPLACED}"),
    "no UTF-8 in JSON": (b'{"username": "\xff", "message": "m"}', ("GUEST", f'{{"username": "{REPLACED}", "message": "m"}}'),
                         f'GUEST: {{"username": "{REPLACED}", "message": "m"}}'),
    "overlong, surrogate, too high": (b"\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", ("GUEST", 9 * REPLACED), f"GUEST: {9 * REPLACED}"),
    "the highest and the mark itself": ("\U0010ffff\ufffd\ud7ff\ue000", ("GUEST", "\U0010ffff\ufffd\ud7ff\ue000"),
                                        "GUEST: \U0010ffff\ufffd\ud7ff\ue000"),
}


@pytest.mark.parametrize("kind", HEARD)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("place", ["chat", "plain"])
def test_what_is_said_is_heard_by_programs_and_people(both, kind, end, place):
    said, speech, text = HEARD[kind]
    with join(both, place) as speaker, join(both) as program, join(both, "plain") as person:
        guest = f"guest-{speaker.id}"
        speaker.say(said, end)
        assert program.hears_speech() == tuple(part.replace("GUEST", guest) for part in speech)
        assert person.hears() == text.replace("GUEST", guest)
        # In order, and nothing of it to the speaker.
        program.say(spoken("P", "next"))
        assert speaker.hears() in (spoken("P", "next"), "P: next")
        assert person.hears() == "P: next"


def test_empty_lines_say_nothing(both):
    with join(both) as speaker, join(both) as other:
        speaker.raw.send(b"\n\r\n\n")
        speaker.say("hello")
        assert other.hears_speech() == (f"guest-{speaker.id}", "hello")


def test_rooms_are_apart(daemon):
    running = daemon(with_test_modules(server() + server("cellar", options="room: cellar") + server("door", options="room: cellar")))
    with join(running) as above, join(running, "cellar") as below, join(running, "door") as beside:
        above.say("up here")
        below.say("down here")
        assert beside.hears_speech() == (f"guest-{below.id}", "down here")
        beside.say("at the door")
        assert below.hears_speech() == (f"guest-{beside.id}", "at the door")
        assert above.raw.buffer == b""
        beside.raw.close()
        with join(running) as other:
            other.say("me too")
            assert above.hears_speech() == (f"guest-{other.id}", "me too")


def test_the_log_tells_who_comes_says_and_goes(both):
    with join(both) as ann, join(both, "plain") as bob:
        assert ann.id != bob.id
        since = both.log.mark()
        ann.say(spoken("Ann", "one\x1b[31m\ntwo"))
        bob.hears()
        line = both.log_wait(rf"info +chat/loop-0\[\d+\] {ann.id} \({re.escape(ann.peer)}\) (.*)$", since=since)
        assert line[1] == f"Ann: one{REPLACED}[31m two"
        ann.raw.close()
        both.log_wait(rf"info +chat/loop-0\[\d+\] {ann.id} \({re.escape(ann.peer)}\) has gone: client", since=since)
        assert not both.log.find(rf"\] {bob.id} \(.*has gone")


@pytest.mark.parametrize("options", ["room: ''", f"room: {65 * 'x'}", "format: html"])
def test_bad_options_are_errors(retinued, options):
    result = retinued("-n", text=with_test_modules(server(options=options)))
    assert result.returncode == 1 and options.split(":")[0] in result.stderr, result.stderr


# A hundred clients

class Crowd:
    """Many clients that are read at the same time."""

    def __init__(self, people):
        self.people = people
        self.heard = {person.id: [] for person in people}
        self.rest = {person.id: b"" for person in people}
        self.selector = selectors.DefaultSelector()
        for person in people:
            self.selector.register(person.raw.socket, selectors.EVENT_READ, person)

    def _read(self, person):
        data = person.raw.socket.recv(1 << 20)
        assert data != b"", f"{person.id} was cut off"
        *lines, self.rest[person.id] = (self.rest[person.id] + data).split(b"\r\n")
        self.heard[person.id] += lines

    def hear(self, expected):
        """Reads until everybody has heard so many lines: expected(id)."""
        deadline = time.monotonic() + 3 * WAIT_BOUND
        while any(len(lines) < expected(id) for id, lines in self.heard.items()):
            assert time.monotonic() < deadline, {id: len(lines) for id, lines in self.heard.items()}
            for key, _ in self.selector.select(1):
                self._read(key.data)

    def check(self, expected):
        """Everybody has heard exactly this."""
        for id, lines in self.heard.items():
            assert [line.decode() for line in lines] == expected(id)
            assert self.rest[id] == b""


@pytest.mark.parametrize("loops", [1, 2])
def test_a_hundred_clients(daemon, loops):
    """98 who talk and hear, one who is cut off in the middle of a line, and one who does not read: on a unix socket, where the
    kernel keeps little for it."""
    running = daemon(with_test_modules(server(
        listen='[127.0.0.1:0, "unix:{tmp}/s"]',
        more=f"    loops: {loops}\n    limits: {{connections: 1000, line: 8KiB, backlog: 256KiB}}\n    timeouts: {{write: 1h}}\n")))
    with contextlib.ExitStack() as stack:
        people = [stack.enter_context(join(running)) for _ in range(98)]
        stalled = stack.enter_context(join(running, n=1))
        cut = stack.enter_context(join(running))
        crowd = Crowd(people)
        assert len({person.id for person in [*people, stalled, cut]}) == 100

        cut.raw.send(spoken("Cut", "this has no end")[:-1])
        # Each says a line, which the others have before the next one speaks, so that all hear the same order.
        told = []
        for n, person in enumerate(people):
            told.append((person.id, spoken(f"person {n}", f"hello from {n}")))
            person.say(told[-1][1])
            crowd.hear(lambda id: sum(speaker != id for speaker, _ in told))
            if n == 49:
                cut.raw.reset()
                running.log_wait(rf"\] {cut.id} \(.*\) has gone: ")

        # More than fits into the kernel and the backlog. Who reads does not notice.
        rounds = 0
        while not running.log.find(rf"\] {stalled.id} \(.*\) has gone: backlog"):
            assert rounds < 1000, "the one who does not read is never cut off"
            speaker = people[rounds % len(people)]
            told.append((speaker.id, spoken("much", f"{rounds} " + 7000 * "x")))
            speaker.say(told[-1][1])
            crowd.hear(lambda id: sum(speaker != id for speaker, _ in told))
            rounds += 1
        crowd.check(lambda id: [line for speaker, line in told if speaker != id])
        assert rounds * 7000 > 256 * 1024

        # What it had not read before is still there for it, in order and from the beginning, up to where it was cut.
        rest = stalled.raw.recv_until_close().split(b"\r\n")
        everything = [line.encode() for _, line in told]
        assert rest[:-1] == everything[:len(rest) - 1] and everything[len(rest) - 1].startswith(rest[-1])
        assert len(people) < len(rest) < len(told)
        assert "this has no end" not in running.log.text()


def test_all_talk_at_once(daemon):
    """A hundred clients on threads of their own sending; each is heard by all others in its own order, once."""
    count, lines = 100, 20
    running = daemon(with_test_modules(server(more="    loops: 2\n    limits: {backlog: 64MiB}\n")))
    with contextlib.ExitStack() as stack:
        people = [stack.enter_context(join(running)) for _ in range(count)]
        crowd = Crowd(people)
        senders = [threading.Thread(target=lambda person=person: [person.say(spoken(str(person.id), str(n))) for n in range(lines)])
                   for person in people]
        for sender in senders:
            sender.start()
        crowd.hear(lambda id: (count - 1) * lines)
        for sender in senders:
            sender.join()
        for id, heard in crowd.heard.items():
            by = {}
            for speech in map(json.loads, heard):
                by.setdefault(speech["username"], []).append(speech["message"])
            assert by == {str(person.id): [str(n) for n in range(lines)] for person in people if person.id != id}


@pytest.mark.parametrize("how", ["end", "reset", "half"])
def test_a_line_that_is_cut_is_not_heard(both, how):
    with join(both) as other, join(both) as cut:
        cut.raw.send(b"a whole line\r\n" + spoken("Cut", "no end").encode())
        assert other.hears_speech() == (f"guest-{cut.id}", "a whole line")
        {"end": cut.raw.close, "reset": cut.raw.reset, "half": cut.raw.half_close}[how]()
        both.log_wait(rf"\] {cut.id} \(.*\) has gone: ")
        with join(both) as last:
            last.say("last")
            assert other.hears_speech() == (f"guest-{last.id}", "last")


# Programs

@contextlib.contextmanager
def program(running, server, *command, **options):
    """One that connects to that server: with its number among the connections."""
    since = running.log.mark()
    words = [word.format(port=running.port(server)) for word in command]
    with Program(*words, **options) as started:
        started.id = int(running.log_wait(rf"{server}/loop-\d+\[\d+\] (\d+) \(.*\) has connected$", since=since)[1])
        yield started


def nc(running, server="plain"):
    return program(running, server, "nc", "-N", "127.0.0.1", "{port}")


def chat(running, name, server="chat", **options):
    return program(running, server, str(CHAT), "127.0.0.1", "{port}", name, **options)


def test_nc_is_all_one_needs(both):
    with nc(both) as one, nc(both) as two, nc(both, "chat") as three:
        one.type("hello from nc\n")
        two.out.wait(rf"^guest-{one.id}: hello from nc\r$")
        three.out.wait("^" + re.escape(spoken(f"guest-{one.id}", "hello from nc")) + r"\r$")
        three.type("and back\n")
        one.out.wait(rf"^guest-{three.id}: and back\r$")
        one.type("this has no end")
        one.end_input()
        assert one.wait() == 0
        both.log_wait(rf"\] {one.id} \(.*\) has gone: ")
        two.type("last\n")
        three.out.wait("last")
        assert three.lines() == [spoken(f"guest-{one.id}", "hello from nc"), spoken(f"guest-{two.id}", "last")]


@pytest.mark.parametrize("terminal", [False, True], ids=["pipes", "terminal"])
def test_retinue_chat_talks(both, terminal):
    with chat(both, "Ann", terminal=terminal) as ann, chat(both, "B\u00f6b") as bob, nc(both) as person, join(both) as raw:
        ann.type("hello \"all\" \u20ac\n\n")
        for other in (bob, person):
            other.out.wait('^Ann: hello "all" \u20ac')
        assert raw.hears_speech() == ("Ann", 'hello "all" \u20ac')
        person.type("from nc\n")
        bob.out.wait(f"^guest-{person.id}: from nc$")
        bob.type("bye")
        bob.end_input()
        assert bob.wait() == 0
        ann.out.wait("^B\u00f6b: bye")
        assert bob.err.text() == ""
        ann.end_input()
        assert ann.wait() == 0
        assert ("Connected to 127.0.0.1" in ann.err.text()) == terminal
        assert raw.hears_speech()[1] == "from nc" and raw.hears_speech() == ("B\u00f6b", "bye")
        both.log_wait(r"has gone: client", count=2)


def test_retinue_chat_sends_all_of_a_file(both, tmp_path):
    text = "".join(f"line {n} {n % 300 * 'x'}\n" for n in range(5000))
    (tmp_path / "text").write_text(text)
    port = both.port("plain")
    with join(both, "plain") as reader:
        with open(tmp_path / "text", encoding="utf-8") as file:
            sending = subprocess.Popen([CHAT, "127.0.0.1", str(port), "Ann"], stdin=file, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            heard = [reader.hears() for _ in range(5000)]
            assert (sending.communicate(timeout=WAIT_BOUND)[1], sending.returncode) == (b"", 0)
    assert heard == [f"Ann: {line}" for line in text.splitlines()]


def test_retinue_chat_leaves_out_what_is_too_long(both):
    with chat(both, "Ann") as ann, join(both) as other:
        ann.type(3500 * "\"" + "\n" + 3501 * "a" + "\nshort\n")
        assert other.hears_speech() == ("Ann", 3500 * "\"")
        assert other.hears_speech() == ("Ann", "short")
        ann.err.wait("^retinue-chat: a line longer than 3500 bytes was left out$")


@pytest.fixture
def hostile():
    """A server of our own, that says whatever we like."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_BOUND)
        yield listener


@contextlib.contextmanager
def visitor(listener, *arguments):
    with Program(CHAT, "127.0.0.1", listener.getsockname()[1], "Ann", *arguments) as started:
        with listener.accept()[0] as connection:
            connection.settimeout(WAIT_BOUND)
            yield started, connection


def test_retinue_chat_shows_no_control_characters(hostile):
    with visitor(hostile) as (ann, connection):
        connection.sendall(spoken("\x1b[31mEve\x07", "\x1b]0;x\x1b\\ \x9bm \u202e a\nBob: b").encode() + b"\r\n")
        connection.sendall(b"\x1b[2J plain \xff\x00\r\n" + b'{"username": "x"}\n' + 70_000 * b"x" + b"\nend\n")
        connection.shutdown(socket.SHUT_WR)
        assert ann.wait() == 0
    assert ann.lines() == [f"{REPLACED}[31mEve{REPLACED}: {REPLACED}]0;x{REPLACED}\\ {REPLACED}m {REPLACED} a Bob: b",
                           f"{REPLACED}[2J plain {REPLACED}{REPLACED}", '{"username": "x"}', "end"]
    assert ann.err.text() == ("retinue-chat: a line longer than 65536 bytes was left out\n"
                              "retinue-chat: the server has closed the connection")


def test_retinue_chat_tells_a_break_from_an_end(hostile):
    with visitor(hostile) as (ann, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        assert ann.wait() == 1
    assert ann.err.text() == "retinue-chat: the connection is lost: Connection reset by peer"


def test_retinue_chat_cleans_what_it_sends(hostile):
    with visitor(hostile) as (ann, connection):
        ann.type("a\x1b[31mb\tc\n")
        with connection.makefile("rb") as lines:
            assert lines.readline() == spoken("Ann", f"a{REPLACED}[31mb\tc").replace("\t", "\\t").encode() + b"\r\n"


def test_retinue_chat_ends_though_the_server_does_not(hostile):
    with visitor(hostile) as (ann, connection):
        ann.type("bye\n")
        ann.end_input()
        assert ann.wait() == 0
        with connection.makefile("rb") as lines:
            assert [json.loads(line) for line in lines] == [{"username": "Ann", "message": "bye"}]


def test_retinue_chat_hears_while_the_server_does_not_read(hostile):
    """Neither end waits for the other."""
    with visitor(hostile) as (ann, connection):
        typing = threading.Thread(target=lambda: [ann.type(3000 * "x" + "\n") for _ in range(5000)], daemon=True)
        typing.start()
        for n in range(100):
            connection.sendall(spoken("Bob", str(n)).encode() + b"\n")
        ann.out.wait("^Bob: 99$")
        with connection.makefile("rb") as lines:
            for _ in range(5000):
                assert json.loads(lines.readline())["message"] == 3000 * "x"
        typing.join()


USAGE = "\nUsage: retinue-chat HOST PORT NAME\n"


@pytest.mark.parametrize("arguments, status, words", [
    (["127.0.0.1", "7687"], 2, "retinue-chat: HOST, PORT and NAME are needed" + USAGE),
    (["127.0.0.1", "7687", "Ann", "Bob"], 2, "retinue-chat: HOST, PORT and NAME are needed" + USAGE),
    (["127.0.0.1", "7687", ""], 2, "NAME must have 1 to 64 bytes"),
    (["127.0.0.1", "7687", 65 * "x"], 2, "NAME must have 1 to 64 bytes"),
    (["127.0.0.1", "7687", "A\x1bnn"], 2, "NAME must have 1 to 64 bytes"),
    (["127.0.0.1", "7687", b"\xff"], 2, "NAME must have 1 to 64 bytes"),
    (["--port", "7687"], 2, "--port"),
    (["127.0.0.1", "nowhere", "Ann"], 1, "retinue-chat: cannot find 127.0.0.1, port nowhere: "),
    (["unix:/tmp/x", "7687", "Ann"], 1, "retinue-chat: cannot find unix:/tmp/x, port 7687: "),
    (["127.0.0.1", "FREE", "Ann"], 1, "retinue-chat: cannot connect to 127.0.0.1, port FREE: Connection refused\n"),
])
def test_retinue_chat_says_what_is_wrong(arguments, status, words):
    free = str(harness.free_port())
    arguments = [free if word == "FREE" else word for word in arguments]
    result = subprocess.run([CHAT, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_BOUND, check=False)
    assert (result.returncode, result.stdout) == (status, b"")
    assert words.replace("FREE", free) in result.stderr.decode()


def test_retinue_chat_tells_of_itself():
    for option, words in (("--help", "Usage: retinue-chat HOST PORT NAME\n"), ("-h", "Ctrl-D"), ("--version", "retinue-chat 0."), ("-V", "retinue-chat 0.")):
        result = subprocess.run([CHAT, option], capture_output=True, text=True, timeout=WAIT_BOUND, check=False)
        assert (result.returncode, result.stderr) == (0, "") and words in result.stdout


def test_the_shipped_configuration_does_what_it_says(daemon):
    text = (harness.ROOT / "conf" / "chat.yaml").read_text(encoding="utf-8")
    for port in ("7687", "7688"):
        assert text.count(f"listen: 127.0.0.1:{port}") == 1
        text = text.replace(f"listen: 127.0.0.1:{port}", f'listen: "127.0.0.1:{{port_{port}}}"')
    running = daemon(text, env={"RETINUE_MODULES": harness.MODULES})
    with chat(running, "Ann") as ann, chat(running, "Bob") as bob, nc(running) as person:
        person.out.wait(r"^Hello\. What you type, everyone here can read\.\r$")
        ann.type("hi\n")
        person.out.wait(r"^Ann: hi\r$")
        bob.out.wait("^Ann: hi$")
        person.type(1025 * "x" + "\n")
        person.out.wait("^error: line longer than 1KiB\r$")
        person.type("hi Ann\n")
        ann.out.wait(f"^guest-{person.id}: hi Ann$")
    wait_until(lambda: len(running.log.find("has gone: ")) == 3, "all have gone")
