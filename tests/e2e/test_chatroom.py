"""The chatroom as people see it: two windows of a real browser. How it looks is for eyes: pictures are left in the test's folder."""
import json
import re

import pytest

from chromium import Chromium
from common import with_test_modules

INJECTION = "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script> & <b>bold</b>"


def chatroom(port="{port}", options="title: The office"):
    return with_test_modules(f"""
  chat:
    listen: "127.0.0.1:{port}"
    threads: 0
    routes:
      - {{path: "/chat/*", module: chatroom, options: {{{options}}}}}
""")


class Window:
    """The page in one window, as a person uses it."""

    def __init__(self, browser, url):
        self.browser = browser
        browser.go(url)

    def choose_name(self, name):
        self.browser.wait("document.getElementById('hello').open")
        self.browser.evaluate("document.getElementById('name').select()")
        self.browser.type(name)
        self.browser.enter()

    def enter(self, name):
        self.choose_name(name)
        self.connected()

    def connected(self):
        self.browser.wait("document.getElementById('status').textContent === 'Connected' && document.querySelector('#people li')")

    def say(self, text):
        self.browser.click("#text")
        self.browser.type(text)
        self.browser.enter()

    def sees(self, *texts):
        """The last messages in the room are these, none of them on its way any more."""
        self.browser.wait(f"!document.querySelector('.pending') && JSON.stringify([...document.querySelectorAll('.words span')]"
                          f".slice(-{len(texts)}).map((e) => e.textContent)) === {json.dumps(json.dumps(texts, ensure_ascii=False, separators=(',', ':')))}")

    def sees_people(self, *names):
        self.browser.wait("JSON.stringify([...document.querySelectorAll('#people bdi')].map((e) => e.textContent)) === "
                          f"{json.dumps(json.dumps(names, separators=(',', ':')))}")

    def sees_line(self, text):
        self.browser.wait(f"[...document.querySelectorAll('.line')].some((e) => e.textContent === {json.dumps(text)})")

    def open_room(self, room):
        self.browser.click("#room-input")
        self.browser.type(room)
        self.browser.enter()
        self.browser.wait(f"document.getElementById('room-name').textContent === {json.dumps(room)} && location.hash === '#{room}'")
        self.connected()

    def count(self, selector):
        return self.browser.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length")


@pytest.fixture
def browsers(tmp_path):
    with Chromium(tmp_path / "ann") as first, Chromium(tmp_path / "bob") as second:
        yield first, second


@pytest.fixture
def two(daemon, browsers):
    """Ann and Bob in the lobby of a new daemon."""
    running = daemon(chatroom())
    windows = [Window(browser, running.url("/chat/")) for browser in browsers]
    for window, name in zip(windows, ("Ann", "Bob")):
        window.enter(name)
    for window in windows:
        window.sees_people("Ann", "Bob")
    return running, *windows


def no_problems(*windows):
    for window in windows:
        assert window.browser.problems == []


def test_two_windows_talk(two, tmp_path):
    _, ann, bob = two
    assert ann.browser.evaluate("document.title") == "lobby \u00b7 The office"
    ann.sees_line("Bob is here")
    ann.say("hello Bob")
    bob.sees("hello Bob")
    bob.say("hello Ann")
    ann.sees("hello Bob", "hello Ann")
    ann.say("Gr\u00fc\u00dfe \U0001f600")
    for window in (ann, bob):
        window.sees("hello Bob", "hello Ann", "Gr\u00fc\u00dfe \U0001f600")
    assert (ann.count(".message.mine"), bob.count(".message.mine")) == (2, 1)
    for width, height, mobile in ((1280, 800, False), (390, 844, True)):
        for scheme in ("light", "dark"):
            ann.browser.show_as(width, height, scheme, mobile)
            picture = ann.browser.picture(tmp_path / f"chatroom-{'phone' if mobile else 'desktop'}-{scheme}.png")
            assert picture.startswith(b"\x89PNG") and len(picture) > 5000
            assert ann.browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"
    no_problems(ann, bob)


def test_markup_is_text(two):
    _, ann, bob = two
    ann.say(INJECTION)
    for window in (ann, bob):
        window.sees(INJECTION)
        assert window.count("#log img, #log script, #log b") == 0
        assert "broken in" not in window.browser.evaluate("document.title")
    no_problems(ann, bob)


def test_a_name_that_is_taken(two):
    _, ann, _ = two
    ann.browser.click("#rename")
    ann.browser.click("#hello-cancel")
    ann.browser.wait("!document.getElementById('hello').open")
    ann.browser.click("#rename")
    ann.choose_name("bob")
    ann.browser.wait("document.getElementById('hello-error').textContent.includes('taken')")
    ann.enter("Cleo")
    ann.sees_people("Bob", "Cleo")
    assert ann.browser.evaluate("document.getElementById('me-name').textContent") == "Cleo"
    no_problems(ann)


def test_a_reload_brings_the_history(two):
    _, ann, bob = two
    ann.say("one")
    bob.sees("one")
    bob.say("two")
    ann.sees("one", "two")
    bob.browser.reload()
    bob.connected()
    bob.sees("one", "two")
    for window in (ann, bob):
        window.sees_people("Ann", "Bob")
    assert (bob.count(".message.mine"), bob.count("#hello[open]")) == (1, 0)
    no_problems(ann, bob)


def test_rooms_and_what_is_unread(two):
    _, ann, bob = two
    ann.open_room("design")
    bob.browser.wait("document.querySelector('#others a[href=\"#design\"]')")
    bob.say("are you there?")
    bob.say("Ann?")
    ann.browser.wait("document.querySelector('#rooms a[href=\"#lobby\"] .badge')?.firstChild.textContent === '2'")
    assert ann.browser.evaluate("document.title").startswith("(2) design")
    ann.browser.click("#rooms a[href=\"#lobby\"]")
    ann.sees("are you there?", "Ann?")
    assert (ann.count(".line.new"), ann.count(".badge")) == (1, 0)
    bob.browser.click("#others a[href=\"#design\"]")
    bob.sees_people("Ann", "Bob")
    bob.say("over here")
    bob.sees("over here")
    ann.browser.wait("document.querySelector('#rooms a[href=\"#design\"] .badge')")
    ann.browser.click("#rooms a[href=\"#design\"]")
    ann.sees("over here")
    ann.browser.click("[aria-label='Leave design']")
    ann.browser.wait("location.hash === '#lobby'")
    bob.sees_people("Bob")
    bob.sees_line("Ann has left")
    no_problems(ann, bob)


def test_a_new_daemon_is_found_again(daemon, two):
    running, ann, bob = two
    ann.say("before")
    bob.sees("before")
    port = running.port()
    assert running.stop() == 0
    for window in (ann, bob):
        window.browser.wait("document.getElementById('status').dataset.state !== 'open' && document.getElementById('send').disabled")
    daemon(chatroom(port))
    for window in (ann, bob):
        window.connected()
        window.sees_people("Ann", "Bob")
    bob.say("after")
    for window in (ann, bob):
        window.sees("before", "after")
        # The browser itself tells of each attempt that found no daemon; nothing else may be wrong.
        assert [problem for problem in window.browser.problems if not re.search("^WebSocket connection to 'ws://127", problem)] == []


def test_one_window_per_name(two, tmp_path):
    """The same tab twice, as browsers make it with "duplicate": the newer one goes on, the older one waits."""
    running, ann, bob = two
    known = ann.browser.evaluate("JSON.stringify({...sessionStorage})")
    with Chromium(tmp_path / "twin") as browser:
        twin = Window(browser, running.url("/chat/"))
        browser.evaluate(f"Object.assign(sessionStorage, {known})")
        browser.reload()
        twin.connected()
        ann.browser.wait("document.getElementById('hello').open && document.getElementById('hello-error').textContent.includes('another window')")
        bob.sees_people("Ann", "Bob")
        twin.say("here now")
        bob.sees("here now")
        ann.enter("Ann")
        twin.browser.wait("document.getElementById('hello').open")
        no_problems(ann, bob, twin)


def test_a_room_that_cannot_be_joined(daemon, browsers):
    """The page says why, and asks no more than once."""
    running = daemon(chatroom(options="people: 1"))
    ann, bob = (Window(browser, running.url("/chat/")) for browser in browsers)
    ann.enter("Ann")
    bob.choose_name("Bob")
    bob.browser.wait("document.getElementById('notice').textContent === 'This room is full.'")
    bob.open_room("design")
    bob.sees_people("Bob")
    bob.browser.evaluate("location.hash = '#%20a%20%20b'")
    bob.browser.wait("document.getElementById('notice').textContent.startsWith('The name of a room')")
    bob.browser.wait("document.getElementById('room-name').textContent === 'design'")
    no_problems(ann, bob)


def test_many_messages_at_once_all_arrive(daemon, browsers):
    """More than may be sent in a second: the page holds them back and loses none."""
    running = daemon(chatroom(options="messages_per_second: 2"))
    ann, bob = (Window(browser, running.url("/chat/")) for browser in browsers)
    ann.enter("Ann")
    bob.enter("Bob")
    texts = [f"message {i}" for i in range(6)]
    for text in texts:
        ann.say(text)
    for window in (ann, bob):
        window.sees(*texts)
    no_problems(ann, bob)


def test_the_keyboard_is_enough(two):
    _, ann, bob = two
    ann.browser.evaluate("document.getElementById('text').focus()")
    ann.browser.type("first line")
    ann.browser.press("Enter", 13, modifiers=8)
    ann.browser.type("second line")
    ann.browser.enter()
    bob.sees("first line\nsecond line")
    ann.browser.press("Tab", 9)
    assert ann.browser.evaluate("document.activeElement.id") == "send"


def test_the_side_opens_on_a_phone(two):
    _, ann, _ = two
    ann.browser.show_as(390, 844, mobile=True)
    ann.browser.wait("getComputedStyle(document.getElementById('side')).visibility === 'hidden'")
    ann.browser.click("#side-open")
    ann.browser.wait("document.getElementById('side').getBoundingClientRect().left === 0")
    # Large enough for fingers.
    assert ann.browser.evaluate("[...document.querySelectorAll('button, #rooms a, input, textarea')].filter((e) => e.checkVisibility())"
                                ".filter((e) => e.getBoundingClientRect().height < 40).map((e) => e.outerHTML)") == []
    ann.browser.press("Escape", 27)
    ann.browser.wait("getComputedStyle(document.getElementById('side')).visibility === 'hidden'")
    assert ann.browser.evaluate("document.activeElement.id") == "side-open"
