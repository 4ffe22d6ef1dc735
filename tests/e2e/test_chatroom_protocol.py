"""The chatroom without its page: how the parts of the page are served, and what is said over the WebSocket."""
import json
import re
import threading

import pytest

from common import with_test_modules
from ws_talk import BINARY, CLOSE, TEXT, asked, connect

KEY = "0123456789abcdef"


def chatroom(options="", path="/", loops=1, server=""):
    return with_test_modules(f"""
  chat:
    listen: 127.0.0.1:0
    loops: {loops}
    threads: 0
    log_level: info
    {server}
    routes:
      - {{path: "{path}", module: chatroom, options: {{{options}}}}}
""")


class Guest:
    """One who talks JSON. `seen` has what came and was not asked for yet."""

    def __init__(self, running, name=None, room=None, path="/", key=KEY):
        self.end = connect(running, path)
        self.seen = []
        if name:
            self.name = name
            self.welcome = self.hello(name, key)
        if room:
            self.joined = self.join(room)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end.raw.close()

    def send(self, **command):
        self.end.text(json.dumps(command))

    def event(self, kind, **wanted):
        """The next event of that type with these members. Others are kept for later."""
        def fits(event):
            return event["type"] == kind and all(event.get(name) == value for name, value in wanted.items())
        for event in filter(fits, self.seen):
            self.seen.remove(event)
            return event
        while True:
            event = json.loads(self.end.message())
            if fits(event):
                return event
            self.seen.append(event)

    def hello(self, name, key=KEY):
        self.send(type="hello", name=name, key=key)
        return self.event("welcome")

    def join(self, room):
        self.send(type="join", room=room)
        return self.event("joined", room=room)

    def say(self, room, text, **more):
        self.send(type="say", room=room, text=text, **more)

    def error(self, code, **wanted):
        return self.event("error", code=code, **wanted)

    def refused(self, code, **command):
        self.send(**command)
        return self.error(code)


# The page

@pytest.mark.parametrize("path, at", [("/", "/"), ("/chat/*", "/chat/"), ("/chat", "/chat")])
def test_one_route_serves_everything(daemon, path, at):
    running = daemon(chatroom("title: 'Tea & <cake>'", path))
    page = running.get(at)
    assert (page.status, page.get("Content-Type")) == (200, "text/html; charset=utf-8")
    assert "<title>Tea &amp; &lt;cake></title>" in page.text
    for pattern, kind in ((r'href="(\?style\.css&amp;v=\w+)"', "text/css"), (r'src="(\?script\.js&amp;v=\w+)"', "text/javascript")):
        part = running.get(at + re.search(pattern, page.text)[1].replace("&amp;", "&"))
        assert (part.status, part.get("Content-Type")) == (200, f"{kind}; charset=utf-8")
        assert "immutable" in part.get("Cache-Control") and len(part.body) > 1000
    for response in (page, part):
        assert "default-src 'none'" in response.get("Content-Security-Policy")
        assert "unsafe" not in response.get("Content-Security-Policy")
        assert response.get("X-Content-Type-Options") == "nosniff"
    with Guest(running, "Ann", "lobby", at) as ann:
        assert ann.joined["people"] == ["Ann"]


def test_nothing_else_is_there(daemon):
    running = daemon(chatroom(path="/chat/*"))
    assert running.get("/chat/more").status == 404
    with running.raw() as raw:
        assert asked(raw, "/chat/more").status == 404
    with running.raw() as raw:
        assert raw.request("POST", "/chat/", body=b"x").status == 405


def test_the_page_is_asked_for_again_and_its_parts_are_not(daemon):
    running = daemon(chatroom())
    for path, cache in (("/", "no-cache"), ("/?script.js", "public, max-age=31536000, immutable")):
        first = running.get(path)
        assert first.get("Cache-Control") == cache
        with running.raw() as raw:
            again = raw.request("GET", path, [("If-None-Match", f'"other", W/{first.get("ETag")}')])
            assert (again.status, again.body, again.get("ETag")) == (304, b"", first.get("ETag"))
            assert raw.request("GET", path, [("If-None-Match", '"other"')]).body == first.body
            head = raw.request("HEAD", path)
            assert (head.status, head.get("Content-Length")) == (200, str(len(first.body)))


def test_another_title_is_another_page(daemon):
    tags = {daemon(chatroom(f"title: {title}")).get("/").get("ETag") for title in ("One", "Two")}
    assert len(tags) == 2


@pytest.mark.parametrize("options", ["history: 1001", "rooms: 0", "people: 0", "name_length: 65", "message_length: 10001",
                                     "messages_per_second: 0", "colour: red"])
def test_bad_options_are_errors(retinued, options):
    result = retinued("-n", text=chatroom(options))
    assert result.returncode == 1 and options.split(":")[0] in result.stderr, result.stderr


# Talking

@pytest.mark.parametrize("loops", [1, 2])
def test_people_hear_each_other(daemon, loops):
    running = daemon(chatroom(loops=loops))
    with Guest(running, "Ann", "lobby", key="a" * 16) as ann, Guest(running, "Bob", "lobby", key="b" * 16) as bob:
        assert (ann.welcome["name"], ann.welcome["rooms"]) == ("Ann", [])
        assert ann.welcome["limits"] == {"name": 24, "message": 1000, "room": 32, "rooms": 8, "per_second": 5}
        assert bob.welcome["rooms"] == [{"room": "lobby", "people": 1}]
        assert bob.welcome["epoch"] == ann.welcome["epoch"]
        assert sorted(bob.joined["people"]) == ["Ann", "Bob"]
        ann.event("came", room="lobby", name="Bob")
        for i, (who, text) in enumerate([(ann, "hi <b>Bob</b> & \"all\""), (bob, "gr\u00fc\u00df dich \U0001f600\nzwei Zeilen\t!")]):
            who.say("lobby", text, ref=f"r{i}")
            for each in (ann, bob):
                event = each.event("said")
                assert event["time"] > 1.6e12
                assert {name: event[name] for name in event if name != "time"} == {
                    "type": "said", "room": "lobby", "id": i + 1, "name": who.name, "text": text, "ref": f"r{i}"}
        bob.send(type="leave", room="lobby")
        bob.event("left", room="lobby")
        ann.event("went", room="lobby", name="Bob")
        assert bob.refused("not_here", type="say", room="lobby", text="still there?", ref="x")["ref"] == "x"
    running.log_wait("Ann has come to the chat")
    running.log_wait("Bob has left the chat")


def test_rooms_do_not_hear_each_other(daemon):
    running = daemon(chatroom())
    with Guest(running, "Ann", "one", key="a" * 16) as ann, Guest(running, "Bob", "two", key="b" * 16) as bob:
        ann.join("two")
        bob.event("came", room="two", name="Ann")
        bob.event("room", room="two", people=2)
        ann.say("one", "for one")
        ann.say("two", "for two")
        assert ann.event("said")["text"] == "for one"
        assert bob.event("said")["text"] == "for two"
        bob.say("one", "from outside")
        bob.error("not_here", room="one")
        assert not [event for event in bob.seen if event["type"] == "said"]


def test_two_chatrooms_do_not_mix(daemon):
    running = daemon(with_test_modules("""
  chat:
    listen: 127.0.0.1:0
    routes:
      - {path: /a, module: chatroom}
      - {path: /a, host: other.example, module: chatroom}
      - {path: /b, module: chatroom}
"""))
    with Guest(running, "Ann", "lobby", "/a", "a" * 16) as ann, Guest(running, "Ann", "lobby", "/b", "b" * 16) as other:
        assert (ann.joined["people"], other.joined["people"]) == (["Ann"], ["Ann"])
        for who, text in ((ann, "in a"), (other, "in b")):
            who.say("lobby", text)
            assert who.event("said")["text"] == text
        third = connect(running, "/a", {"Host": "other.example"})
        third.text(json.dumps({"type": "hello", "name": "Ann", "key": "c" * 16}))
        assert json.loads(third.message())["type"] == "welcome"
        third.raw.close()


def test_newcomers_get_the_last_messages(daemon):
    running = daemon(chatroom("history: 3, messages_per_second: 1000"))
    with Guest(running, "Ann", "lobby") as ann:
        for i in range(5):
            ann.say("lobby", f"message {i}")
            ann.event("said", id=i + 1)
        with Guest(running, "Bob", "lobby", key="b" * 16) as bob:
            assert [(event["id"], event["text"]) for event in bob.joined["messages"]] == [(i + 1, f"message {i}") for i in (2, 3, 4)]
            # Joining again gives the same again, and nobody has come.
            assert bob.join("lobby")["messages"] == bob.joined["messages"]
    with Guest(running, "Cleo", "lobby", key="c" * 16) as cleo:
        assert len(cleo.joined["messages"]) == 3


def test_a_room_without_history(daemon):
    running = daemon(chatroom("history: 0"))
    with Guest(running, "Ann", "lobby") as ann:
        ann.say("lobby", "gone with the wind")
        ann.event("said")
        assert ann.join("lobby")["messages"] == []


def test_the_history_of_a_room_is_limited_in_bytes(daemon):
    running = daemon(chatroom("history: 1000, message_length: 10000, messages_per_second: 1000"))
    with Guest(running, "Ann", "lobby") as ann:
        for i in range(60):
            ann.say("lobby", 9990 * "x")
            ann.event("said", id=i + 1)
        kept = [event["id"] for event in ann.join("lobby")["messages"]]
        assert kept == list(range(61 - len(kept), 61)) and 25 <= len(kept) <= 26


def test_empty_rooms_make_place(daemon):
    running = daemon(chatroom("rooms: 2"))
    with Guest(running, "Ann", "one") as ann:
        ann.say("one", "remember")
        ann.join("two")
        ann.refused("rooms_full", type="join", room="three")
        ann.send(type="leave", room="one")
        ann.event("left")
        assert len(ann.join("one")["messages"]) == 1
        ann.send(type="leave", room="one")
        ann.event("left")
        ann.join("three")
        ann.send(type="leave", room="two")
        ann.event("left")
        assert ann.join("one")["messages"] == []


def test_a_room_can_be_full_and_so_can_a_person(daemon):
    running = daemon(chatroom("people: 1"))
    with Guest(running, "Ann", "r0") as ann, Guest(running, "Bob", key="b" * 16) as bob:
        assert bob.refused("room_full", type="join", room="r0")["room"] == "r0"
        for i in range(1, 8):
            ann.join(f"r{i}")
        ann.refused("too_many_rooms", type="join", room="r8")


# Names and presence

def test_a_name_has_one_owner(daemon):
    running = daemon(chatroom())
    with Guest(running, "Ann", "lobby") as ann, Guest(running) as other:
        for name in ("Ann", "ANN"):
            assert "taken" in other.refused("name_taken", type="hello", name=name, key="b" * 16)["text"]
        other.refused("no_name", type="join", room="lobby")
        other.hello("Bob", "b" * 16)
        other.refused("named", type="hello", name="Cleo", key="b" * 16)
        ann.say("lobby", "still me")
        assert ann.event("said")["name"] == "Ann"
    with Guest(running, "ann", "lobby", key="c" * 16) as again:
        assert again.joined["people"] == ["ann"]


def test_who_has_the_key_gets_the_name_back(daemon):
    """After a break of the network that only the browser has noticed; the old connection is still there."""
    running = daemon(chatroom())
    with Guest(running, "Bob", "lobby", key="b" * 16) as bob, Guest(running, "Ann", "lobby") as old:
        bob.event("came", name="Ann")
        with Guest(running, "Ann", "lobby") as new:
            assert sorted(new.joined["people"]) == ["Ann", "Bob"]
            bob.event("went", name="Ann")
            bob.event("came", name="Ann")
            while (frame := old.end.frame())[0] == TEXT:
                pass
            assert frame == (CLOSE, b"\x0f\xa1you are here in another window")
            old.end.close(4001)
            old.end.ended()
            # The end of the old one takes nothing from the new one.
            bob.say("lobby", "there?")
            new.event("said")
            assert sorted(bob.join("lobby")["people"]) == ["Ann", "Bob"]


@pytest.mark.parametrize("how", ["close", "reset", "handshake"])
def test_who_vanishes_is_gone(daemon, how):
    running = daemon(chatroom())
    with Guest(running, "Ann", "lobby") as ann, Guest(running, "Bob", "lobby", key="b" * 16) as bob:
        ann.event("came")
        if how == "handshake":
            bob.end.close(1001)
        else:
            getattr(bob.end.raw, how)()
        ann.event("went", name="Bob")
        ann.event("room", people=1)
        assert ann.join("lobby")["people"] == ["Ann"]


@pytest.mark.parametrize("name", ["", " Ann", "Ann ", "A  nn", "A\nnn", "A\u0001nn", "\u200bAnn", "A\u202enn",
                                  "\u3164", 65 * "x", "A\u00a0nn", "A\U000e0041"])
def test_bad_names_are_refused(daemon, name):
    running = daemon(chatroom())
    with Guest(running) as guest:
        assert guest.refused("bad_name", type="hello", name=name, key=KEY)["text"].startswith("A name ")
        guest.hello("\u00c4nn \u674e \U0001f600")
        guest.refused("bad_room", type="join", room=name)


def test_bad_keys_are_refused(daemon):
    running = daemon(chatroom())
    with Guest(running) as guest:
        for key in ("", "short", "x" * 65, "has spaces in it!"):
            guest.refused("bad_key", type="hello", name="Ann", key=key)


# What is wrong

@pytest.mark.parametrize("text", [
    "", "{", "null", "[]", "1", '"x"', "{}", '{"type":1}', '{"type":"dance"}', '{"type":"hello"}', '{"type":"hello","name":"A"}',
    '{"type":"hello","name":"A","key":1}', '{"type":"hello","name":"A","key":"0123456789abcdef","more":"x"}',
    '{"type":"hello","name":"A","name":"B","key":"0123456789abcdef"}', '{"type":"join","room":"r","text":"x"}',
    '{"type":"say","room":"r","text":null}', '{"type":"say","room":"r","text":"\\u0000"}', '{"type":"say","room":"r"} x',
    '{"type":"say","room":"r","text":"\\ud800"}', '{"type":"say","room":"r","text":"x","ref":"' + 33 * "x" + '"}', "[" * 5000, '{"a":' * 5000,
])
def test_what_is_not_understood_is_answered(daemon, text):
    running = daemon(chatroom("message_length: 10000"))
    with Guest(running, "Ann", "lobby") as ann, Guest(running) as other:
        other.end.text(text)
        assert other.error("not_understood")["text"]
        other.hello("Bob", "b" * 16)
        ann.say("lobby", "unharmed")
        ann.event("said")
        assert not [event for event in ann.seen if event["type"] == "error"]


def test_messages_have_to_be_good(daemon):
    running = daemon(chatroom("message_length: 10"))
    with Guest(running, "Ann", "lobby") as ann:
        for text in ("", " \n\t", "\u200b", "a\u0007b", "a\u0085b", 11 * "x", 11 * "\U0001f600"):
            assert ann.refused("bad_text", type="say", room="lobby", text=text, ref="r")["ref"] == "r"
        ann.say("lobby", 10 * "\U0001f600")
        ann.event("said", text=10 * "\U0001f600")
        ann.end.text(json.dumps({"type": "say", "room": "lobby", "text": 3000 * "x"}))
        ann.error("too_long")
        ann.end.send(BINARY, b"{}")
        ann.error("not_text")


def test_who_is_too_fast_is_slowed_and_then_closed(daemon):
    running = daemon(chatroom("messages_per_second: 1"))
    with Guest(running, "Ann", "lobby") as ann, Guest(running, "Bob", "lobby", key="b" * 16) as bob:
        for i in range(40):
            ann.say("lobby", f"{i}", ref=f"{i}")
        late = ann.error("too_fast")
        assert 0 < late["wait"] <= 1001 and late["room"] == "lobby" and int(late["ref"]) > 10
        heard = [bob.event("said")["text"] for _ in range(int(late["ref"]))]
        assert heard == [f"{i}" for i in range(int(late["ref"]))]
        for i in range(100):
            ann.say("lobby", "again")
        while (frame := ann.end.frame())[0] == TEXT:
            pass
        assert frame == (CLOSE, b"\x03\xf0too many messages")
        bob.event("went", name="Ann")


@pytest.mark.parametrize("loops", [1, 2])
def test_many_at_once_stay_in_step(daemon, loops):
    """Everyone sees the same order, and what each one sees has no holes: history and what follows fit together."""
    running = daemon(chatroom("history: 1000, messages_per_second: 1000", loops=loops))
    guests, failed = 8, []

    def talk(number):
        try:
            with Guest(running, f"G{number}", "lobby", key=f"{number:016}") as guest:
                texts = {event["id"]: event["text"] for event in guest.joined["messages"]}
                for i in range(25):
                    guest.say("lobby", f"{number}.{i}")
                while len(texts) < 25 * guests:
                    event = guest.event("said")
                    texts.setdefault(event["id"], event["text"])
                assert sorted(texts) == list(range(1, 25 * guests + 1))
                order = [texts[i] for i in sorted(texts)]
                assert [text for text in order if text.startswith(f"{number}.")] == [f"{number}.{i}" for i in range(25)]
                orders.append(order)
        except BaseException as error:  # told by the main thread
            failed.append(error)

    orders = []
    threads = [threading.Thread(target=talk, args=(number,)) for number in range(guests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert all(order == orders[0] for order in orders) and len(orders) == guests
