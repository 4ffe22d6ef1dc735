"""Cookies and content negotiation as a handler sees them: rtn_cookie_value, rtn_reply_cookie, rtn_negotiate."""
from urllib.parse import urlencode

import pytest

from common import with_test_modules

CONFIG = """
  web:
    listen: 127.0.0.1:0
    routes:
      - {path: /cookie, module: fields, handler: cookie}
      - {path: /set, module: fields, handler: set}
      - {path: /negotiate, module: fields, handler: negotiate}
      - {path: /unsized, module: fields, handler: unsized}
"""


@pytest.fixture
def web(daemon):
    return daemon(with_test_modules(CONFIG))


def ask(web, path, query, headers=()):
    with web.raw() as raw:
        response = raw.request("GET", f"{path}?{urlencode(query)}", headers)
    assert response.status == 200, response
    return response


@pytest.mark.parametrize("fields, value", [
    (["a=1; b=2"], "[2]"),
    (["a=1; b=2; b=3"], "[2]"),
    (["a=1", "b=2"], "[2]"),
    (['b="2 3"'], "[2 3]"),
    (["b="], "[]"),
    (["B=1"], "absent"),
    ([], "absent"),
])
def test_cookies_are_found(web, fields, value):
    assert ask(web, "/cookie", {"name": "b"}, [("Cookie", field) for field in fields]).text == value + "\n"


def test_cookies_are_set(web):
    query = {"name": "sid", "value": "x", "path": "/", "domain": "example.org", "age": "+", "same_site": "None", "secure": "",
             "http_only": ""}
    response = ask(web, "/set", query)
    assert response.text == "0 0\n"
    assert response.all("Set-Cookie") == [
        "sid=x; Path=/; Domain=example.org; Max-Age=60; SameSite=None; Secure; HttpOnly", "old=1"]
    assert ask(web, "/set", {"name": "sid", "value": "", "age": "-"}).all("Set-Cookie")[0] == "sid=; Max-Age=0"


@pytest.mark.parametrize("query, reason", [
    ({"name": "a b", "value": "1"}, "the name is not a token"),
    ({"name": "a", "value": "1\r\nX-Evil: 1"}, "the value is missing"),
    ({"name": "a"}, "the value is missing"),
    ({"name": "a", "value": "1", "path": "/;Secure"}, "the path does not begin"),
    ({"name": "a", "value": "1", "domain": "a b"}, "the domain is empty"),
    ({"name": "a", "value": "1", "same_site": "strict"}, "same_site is neither"),
    ({"name": "a", "value": "1", "same_site": "None"}, "None needs secure"),
])
def test_bad_cookies_are_refused_and_logged(web, query, reason):
    response = ask(web, "/set", query)
    assert (response.text, response.all("Set-Cookie")) == ("-22 0\n", ["old=1"])
    assert response.get("X-Evil") is None
    web.log_wait(f"rtn_reply_cookie: cookie \".*\" is refused: .*{reason}")


def test_structures_without_their_size_are_refused_and_logged(web):
    assert ask(web, "/unsized", {}).text == "-22 -22 -22\n"
    web.log_wait("rtn_reply_cookie: cookie .* is refused: struct_size is not set")
    web.log_wait("rtn_reply_fd: refused: struct_size is not set")
    web.log_wait("rtn_multipart_new: refused: struct_size is not set")


def test_header_fields_does_not_hide_cookies_and_what_is_accepted(daemon):
    web = daemon(with_test_modules(CONFIG.replace("    routes:", "    header_fields: [host]\n    routes:")))
    assert ask(web, "/cookie", {"name": "b"}, [("Cookie", "b=2")]).text == "[2]\n"
    assert chosen(web, "accept", ["text/html", "text/plain"], [("Accept", "text/plain")]) == 1


def chosen(web, field, offers, headers):
    return int(ask(web, "/negotiate", [("field", field), *(("offer", offer) for offer in offers)], headers).text)


@pytest.mark.parametrize("field, offers, values, index", [
    ("accept", ["text/html", "application/json"], ["application/json"], 1),
    ("Accept", ["text/html", "application/json"], ["*/*"], 0),
    ("accept", ["text/html", "application/json"], ["text/html;q=0.5, application/*;q=0.8"], 1),
    ("accept", ["text/html", "application/json"], ["text/html;q=0.5", "application/*;q=0.8"], 1),
    ("accept", ["text/html", "application/json"], ["image/png"], -1),
    ("accept", ["text/html", "application/json"], ["*/*, text/html;q=0"], 1),
    ("accept", ["text/html", "application/json"], [], 0),
    ("accept", ["text/html", "application/json"], [""], 0),
    ("accept", [], ["*/*"], -1),
    ("accept-language", ["en", "de-CH"], ["de, en;q=0.9"], 1),
    ("accept-language", ["en", "de-CH"], ["fr", "*;q=0.1"], 0),
    ("accept-language", ["en", "de-CH"], ["fr"], -1),
    ("accept-encoding", ["gzip", "identity"], ["gzip"], 0),
    ("accept-encoding", ["gzip", "identity"], ["br"], 1),
    ("accept-encoding", ["gzip", "identity"], [""], 1),
    ("accept-encoding", ["gzip", "br"], ["gzip;q=0.5, br"], 1),
    ("accept-encoding", ["gzip", "identity"], ["*;q=0"], -1),
    ("accept-encoding", ["gzip", "identity"], [], 1),
])
def test_the_best_offer_is_chosen(web, field, offers, values, index):
    assert chosen(web, field, offers, [(field, value) for value in values]) == index


def test_other_fields_are_not_negotiated(web):
    assert chosen(web, "accept-charset", ["utf-8"], []) == -1
    web.log_wait('rtn_negotiate: "accept-charset" is neither accept, accept-language nor accept-encoding')
