"""The modules that ship, by their own words: hello, echo over HTTP and WebSocket, and the form of getandpost with its post."""
import re

import pytest

from common import with_test_modules
from harness import curl
from ws_talk import BINARY, PING, PONG, TEXT, connect

HELLO_AND_ECHO = """
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: /, module: hello}
      - {path: /bye, module: hello, options: {text: "bye"}}
      - {path: /echo, module: echo}
      - {path: /headers, module: echo, options: {headers: true}}
"""


def test_hello(daemon):
    running = daemon(with_test_modules(HELLO_AND_ECHO))
    response = running.get("/")
    assert (response.status, response.text) == (200, "hello world\n")
    assert response.get("Content-Type") == "text/plain; charset=utf-8"
    assert running.get("/bye").text == "bye"


def test_echo_gives_back_body_and_type(daemon):
    running = daemon(with_test_modules(HELLO_AND_ECHO))
    body = bytes(range(256)) * 300
    with running.raw() as raw:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "REPORT"):
            response = raw.request(method, "/echo", [("Content-Type", "application/x-test")], body)
            assert (response.status, response.get("Content-Type"), response.body) == (200, "application/x-test", body), method
        assert raw.request("GET", "/echo").body == b""


def test_echo_can_show_the_head(daemon):
    running = daemon(with_test_modules(HELLO_AND_ECHO))
    with running.raw() as raw:
        response = raw.request("POST", "/headers?a=b", [("X-Test", "one"), ("x-test", "two")], b"body")
    assert response.status == 200
    assert response.text.startswith("POST /headers?a=b HTTP/1.1\n")
    # The head ends with an empty line, as it does on the wire.
    assert re.search(r"(?i)X-Test: one\nx-test: two\n(.*\n)*\nbody$", response.text), response.text


def test_echo_sends_messages_back(daemon):
    running = daemon(with_test_modules(HELLO_AND_ECHO))
    for path in ("/echo", "/headers"):
        with connect(running, path) as end:
            for text in ("hi", "", "gr\u00fc\u00df dich \U0001f600", 70_000 * "x"):
                assert end.ask(text) == text
            data = bytes(range(256)) * 300
            end.send(BINARY, data)
            assert end.frame() == (BINARY, data)
            end.send(TEXT, b"in ", fin=False)
            end.send(PING, b"?")
            end.send(0, b"pieces")
            assert (end.frame(), end.frame()) == ((PONG, b"?"), (TEXT, b"in pieces"))
            end.close_and_wait(1000)
        assert running.get(path).status == 200


def test_echo_keeps_the_order_of_many(daemon):
    running = daemon(with_test_modules(HELLO_AND_ECHO))
    with connect(running, "/echo") as one, connect(running, "/echo") as other:
        for i in range(500):
            one.text(f"one {i}")
            other.send(BINARY, f"other {i}".encode())
        for i in range(500):
            assert one.message() == f"one {i}"
            assert other.message(BINARY) == f"other {i}".encode()


@pytest.fixture
def form(daemon):
    """The form on one server, its post on another, as in the demo."""
    return daemon(with_test_modules("""
  page:
    listen: "127.0.0.1:{port_page}"
    routes:
      - {path: /, module: getandpost, handler: form, options: {action: "http://127.0.0.1:{port_post}/?a=1&b=<2>"}}
  post:
    listen: "127.0.0.1:{port_post}"
    header_fields: [origin]
    routes:
      - {path: /, module: getandpost, handler: post}
      - {path: /only, module: getandpost, handler: post, options: {origin: "http://127.0.0.1:{port_page}", back: "/thanks"}}
"""))


def post(running, path="/", *args):
    """Status, Location and body of a form posted by curl."""
    text = curl("-o", "-", "-w", "\n%{http_code} %{redirect_url}", *args, running.url(path, "post")).stdout
    body, _, last = text.rpartition("\n")
    status, _, location = last.partition(" ")
    return int(status), location, body


def test_the_form_is_a_page_with_an_escaped_action(form):
    result = curl("-i", form.url("/", "page")).stdout
    assert re.search(r"(?mi)^content-type: text/html; charset=utf-8\s*$", result)
    assert f'action="http://127.0.0.1:{form.port("post")}/?a=1&amp;b=&lt;2&gt;"' in result


def test_a_post_leads_back_to_its_page(form):
    origin = f"http://127.0.0.1:{form.port('page')}"
    status, location, _ = post(form, "/", "-H", f"Origin: {origin}", "--data-urlencode", "say=héllo & bye+")
    assert (status, location) == (303, f"{origin}/")
    form.log_wait(r"post/worker-\d+\[\d+\] somebody said: héllo & bye\+$")
    # Followed as a browser does: by a GET of the page.
    followed = curl("-L", "-H", f"Origin: {origin}", "-d", "say=hi", form.url("/", "post")).stdout
    assert "<form " in followed


def test_a_post_from_nowhere_or_without_its_field(form):
    assert post(form, "/", "-d", "say=hi") == (204, "", "")
    assert post(form, "/", "-H", "Origin: null", "-d", "say=hi")[0] == 204
    status, _, body = post(form, "/", "-d", "tell=hi")
    assert status == 400 and 'no field "say"' in body
    assert post(form, "/", "-d", "say=") == (204, "", "")


def test_a_post_is_taken_from_its_page_only(form):
    origin = f"http://127.0.0.1:{form.port('page')}"
    status, location, _ = post(form, "/only", "-H", f"Origin: {origin}", "-d", "say=hi")
    assert (status, location) == (303, f"http://127.0.0.1:{form.port('post')}/thanks")
    for other in ("http://evil.example", f"{origin}0", origin[:-1], "null"):
        status, location, body = post(form, "/only", "-H", f"Origin: {other}", "-d", "say=hi")
        assert (status, location) == (403, "") and "origin" in body
    assert post(form, "/only", "-d", "say=hi")[0] == 403
    assert form.log.find("somebody said")[1:] == []


def test_the_form_takes_no_post_and_the_post_no_get(form):
    assert curl("-o", "/dev/null", "-w", "%{http_code}", "-d", "say=hi", form.url("/", "page")).stdout == "405"
    response = form.get("/", "post")
    assert response.status == 405 and response.get("Allow") == "POST, OPTIONS"


def test_two_servers_of_one_module_have_their_own_header_fields(form):
    """post sees Origin alone; that is what header_fields says, and enough for the handler."""
    origin = f"http://127.0.0.1:{form.port('page')}"
    assert post(form, "/only", "-H", f"ORIGIN: {origin}", "-H", "X-Other: 1", "-d", "say=hi")[0] == 303
