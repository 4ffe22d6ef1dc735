"""What an HTTP/1.1 server has to serve beside the conformance table: what handlers see of requests, connections and pipelines
through handlers of each kind, bodies of every size, and replies that are right however slowly they are read.
"""
import concurrent.futures
import re
import socket
import time

import pytest

from bounds import WAIT_BOUND
from http1 import running, send_pieces
from raw import Raw

SERVERS = """\
  main:
    listen: [127.0.0.1:0, "unix:{tmp}/main"]
    timeouts: {header: 10m, body: 10m}
    threads: 4
    limits: {body: 24MiB, header: 64KiB, header_count: 200}
    routes:
      - {path: /, module: inspect, handler: loop}
      - {path: /worker, module: inspect, handler: worker}
      - {path: /echo, module: echo}
      - {path: /slow, module: slow, handler: slow, options: {sleep: 2ms}}
      - {path: "/e/{what}", module: errors, handler: loop}
      - {path: "/e/{what}/{size}", module: errors, handler: loop}
      - {path: "/w/{what}/{size}", module: errors, handler: worker}
      - {path: /fixed, status: 204}
      - {path: /gone, status: 410}
      - {path: /moved, redirect: /fixed, status: 308}
      - {path: /get, methods: [GET], module: inspect, handler: loop}
      - {path: /post, methods: [POST], module: inspect, handler: loop}
      - {path: /a%20b, module: inspect, handler: loop}
      - {path: "/users/{id}", module: inspect, handler: loop}
      - {path: "/users/me", module: inspect, handler: worker}
      - {path: "/users/{id}/{name}", module: inspect, handler: loop}
      - {path: "/files/*", module: inspect, handler: loop}
      - {path: "/files/deep/*", module: inspect, handler: worker}
      - {path: "/n/{id}", module: next, handler: worker}
      - {path: "/n/*", module: inspect, handler: loop}
      - {path: "/m/{id}", module: next, handler: loop}
      - {path: "/m/*", module: inspect, handler: worker}
      - {path: "/dead/{id}", module: next, handler: serial}
      - {path: "/dead/*", module: next, handler: loop}
  none:
    listen: [127.0.0.1:0, "unix:{tmp}/none"]
    request_body: none
    header_fields: [X-Test, origin]
    limits: {body: 1MiB}
    routes:
      - {path: /, module: inspect, handler: all}
"""
HOST = "Host: test\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory, SERVERS) as daemon:
        yield daemon


@pytest.fixture
def alone(tmp_path_factory):
    """A daemon that nobody else has used: connections of other tests may still be ending on that of the module."""
    with running(tmp_path_factory, SERVERS) as daemon:
        yield daemon


@pytest.fixture
def raw(served):
    with served.raw() as connection:
        yield connection


@pytest.fixture
def unix(served):
    with Raw(served.unix()) as connection:
        yield connection


def check_fields(reply, keep=True, version="1.1"):
    """What must be right in every reply, whatever it is."""
    assert reply.version == "HTTP/1.1"
    assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", reply.get("Date"))
    assert reply.get("Transfer-Encoding") is None
    assert reply.get("Connection") == (None if keep and version == "1.1" else "keep-alive" if keep else "close")
    assert (reply.get("Content-Length") is None) == (reply.status in (204, 304))


def facts(reply, *names):
    """Lines that begin with one of the names, of what the inspect module says."""
    assert reply.status == 200, reply
    lines = reply.body.decode("latin-1").splitlines()
    return [line for line in lines if line.startswith(names)]


# Persistent connections

KEPT = [
    # Version, Connection fields, kept; more of them in the conformance table
    ("1.1", [], True),
    ("1.1", ["keep-alive, close"], False),
    ("1.1", ["foo", "close"], False),
    ("1.0", [], False),
    ("1.0", ["keep-alive"], True),
    ("1.0", ["close", "keep-alive"], False),
]


@pytest.mark.parametrize("path", ["/", "/worker", "/e/static/100000", "/w/static/100000", "/fixed", "/missing"])
@pytest.mark.parametrize("version, fields, kept", KEPT)
def test_keep_alive(raw, path, version, fields, kept):
    lines = "".join(f"Connection: {field}\r\n" for field in fields)
    request = f"GET {path} HTTP/{version}\r\n{HOST}{lines}\r\n"
    raw.send(request)
    check_fields(raw.response(), kept, version)
    if not kept:
        raw.closed()
        return
    raw.send(request)
    check_fields(raw.response(), kept, version)


def test_half_closed_client_gets_its_replies(raw):
    raw.send(f"GET / HTTP/1.1\r\n{HOST}\r\nGET /slow HTTP/1.1\r\n{HOST}\r\nGET /e/static/5000000 HTTP/1.1\r\n{HOST}\r\n")
    raw.half_close()
    assert [reply.status for reply in raw.responses(3)] == [200] * 3
    raw.closed()


# Pipelining


def requests(targets):
    return "".join(f"GET {target} HTTP/1.1\r\n{HOST}\r\n" for target in targets)


MIXED = ["/?n={}", "/worker?n={}", "/?n={}", "/?n={}", "/users/me?n={}", "/n/x?n={}", "/m/x?n={}"]


@pytest.mark.parametrize("mix", [["/?n={}"], ["/worker?n={}"], MIXED], ids=["loop", "worker", "mixed"])
@pytest.mark.parametrize("count", [100, 1000])
def test_pipelined_replies_come_in_order(raw, mix, count):
    targets = [mix[i % len(mix)].format(i) for i in range(count)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        sending = pool.submit(raw.send, requests(targets))
        replies = raw.responses(count)
        sending.result()
    assert [facts(reply, "target") for reply in replies] == [[f"target [{target}]"] for target in targets]
    connections = {line for reply in replies for line in facts(reply, "connection")}
    assert len(connections) == 1


def test_pipelined_slow_and_fast_handlers(raw):
    raw.send(requests(["/slow", "/e/204", "/slow", "/missing", "/slow", "/moved"]))
    assert [reply.status for reply in raw.responses(6)] == [200, 204, 200, 404, 200, 308]


def test_pipelining_of_many_clients(served):
    """Each keeps its order while all are mixed on the same threads."""

    def talk(client):
        targets = [MIXED[(i + client) % len(MIXED)].format(f"{client}-{i}") for i in range(100)]
        with served.raw() as raw:
            raw.send(requests(targets))
            return [facts(reply, "target")[0] for reply in raw.responses(100)] == [f"target [{target}]" for target in targets]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(talk, range(24)))


def test_pipelined_bodies(raw):
    bodies = [bytes([65 + i]) * (i * 977 % 9000) for i in range(50)]
    sent = b"".join(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(raw.send, sent)
        assert [reply.body for reply in raw.responses(50)] == bodies


def test_a_refused_request_ends_the_pipeline(raw):
    raw.send(requests(["/", "/worker", "/"]) + "GET / HTTP/1.1\r\n\r\n" + requests(["/"]))
    replies = raw.responses(4)
    assert [reply.status for reply in replies] == [200, 200, 200, 400]
    check_fields(replies[3], keep=False)
    raw.closed()


# Methods and routes


@pytest.mark.parametrize("path", ["/e/static/0", "/e/static/5", "/e/static/1000000", "/w/static/1000000", "/gone", "/missing",
                                  "/slow", "/e/release/70000"])
def test_head_is_get_without_content(raw, path):
    get, head = raw.request("GET", path), raw.request("HEAD", path)
    check_fields(head)
    assert head.body == b"" and head.status == get.status
    skip = {"Date", "Content-Length"} if path == "/slow" else {"Date"}
    assert [field for field in head.headers if field[0] not in skip] == [field for field in get.headers if field[0] not in skip]
    if path != "/slow":
        assert int(head.get("Content-Length")) == len(get.body)


@pytest.mark.parametrize("path, status", [("/files", 404), ("/users/", 404), ("/users/a/b/c", 404), ("/dead/x", 404)])
def test_errors_are_short_text(raw, path, status):
    reply = raw.request("GET", path)
    check_fields(reply)
    assert reply.status == status and reply.get("Content-Type") == "text/plain; charset=utf-8"
    assert re.fullmatch(rf"{status} [\w ]+\n", reply.text)


ROUTES = [
    ("/users/7", "loop", "param id=[7]"),
    ("/users/a%20%C3%A9%2Bb", "loop", "param id=[a \xc3\xa9+b]"),
    ("/users/me", "worker", None),
    ("/users/me/x", "loop", "param id=[me]"),
    ("/files/", "loop", "param *=[]"),
    ("/files/a/b", "loop", "param *=[a/b]"),
    ("/files/deep", "loop", "param *=[deep]"),
    ("/files/deep/", "worker", "param *=[]"),
    ("/files/deep/x/y", "worker", "param *=[x/y]"),
    ("/n/1", "loop", "param *=[1]"),
    ("/m/1", "worker", "param *=[1]"),
]


@pytest.mark.parametrize("path, thread, param", ROUTES)
def test_routes(raw, path, thread, param):
    reply = raw.request("GET", path)
    assert facts(reply, "thread")[0].startswith(f"thread main/{thread}-")
    assert [param] == facts(reply, "param")[:1] or (param is None and not facts(reply, "param"))


PATHS = [
    # Target, path, query
    ("/", "[/]", "absent"),
    ("/?", "[/]", "[]"),
    ("/?a=b", "[/]", "[a=b]"),
    ("/?/../%00?#"[:-1], "[/]", "[/../%00?]"),
    ("//", None, None),
    ("/a%20b", "[/a b]", "absent"),
    ("/%61%20b", "[/a b]", "absent"),
    ("/a%20b?c%20d", "[/a b]", "[c%20d]"),
    ("/./", "[/]", "absent"),
    ("/.", "[/]", "absent"),
    ("/x/..", "[/]", "absent"),
    ("/x/../", "[/]", "absent"),
    ("/x/../get", "[/get]", "absent"),
    ("/x/%2e%2E/get", "[/get]", "absent"),
    ("/x/y/.././../%67et", "[/get]", "absent"),
    ("/files/a/./b/../c", "[/files/a/c]", "absent"),
    ("/files/a%2Fb", "[/files/a/b]", "absent"),
    ("/files/a+b", "[/files/a+b]", "absent"),
    ("/files/...", "[/files/...]", "absent"),
    ("/files/.a/..b", "[/files/.a/..b]", "absent"),
    ("/files/%25", "[/files/%]", "absent"),
    ("/files/%C3%A9", "[/files/\xc3\xa9]", "absent"),
    ("/files/!$&'()*+,;=:@-._~", "[/files/!$&'()*+,;=:@-._~]", "absent"),
    ("http://a", "[/]", "absent"),
    ("http://a/", "[/]", "absent"),
    ("HTTP://a/get", "[/get]", "absent"),
    ("https://example.org:8443/get?q=1", "[/get]", "[q=1]"),
    ("http://[::1]:80/get", "[/get]", "absent"),
    ("http://a?q=1", "[/]", "[q=1]"),
    ("http://a/x/../get", "[/get]", "absent"),
]


@pytest.mark.parametrize("target, path, query", PATHS)
def test_targets(raw, target, path, query):
    reply = raw.request("GET", target)
    if path is None:
        assert reply.status == 404
        return
    assert facts(reply, "target ", "path ") == [f"target [{target}]", f"path {path}"]
    assert facts(reply, "query ")[0] == f"query {query}"


def test_longest_target_and_head(raw):
    assert facts(raw.request("GET", "/?" + "a" * 8190), "query ")
    value = "v" * (65536 - len("GET / HTTP/1.1\r\nHost: test\r\nX-Test: \r\n\r\n"))
    reply = raw.request("GET", "/", headers=[("X-Test", value)])
    assert facts(reply, "first-x-test") == [f"first-x-test [{value}]"]
    reply = raw.request("GET", "/", headers=[(f"X-{i}", str(i)) for i in range(199)])
    assert len(facts(reply, "header ")) == 200


# Fields


def test_field_values(raw):
    raw.send(b"GET / HTTP/1.1\r\nHost:test\r\nX-Test:\xe9\xff \x80\r\nX-TEST: second\r\nEmpty:\r\n\r\n")
    reply = raw.response()
    assert facts(reply, "header ") == [
        "header 0 [host]=[test]", "header 1 [x-test]=[\xe9\xff \x80]", "header 2 [x-test]=[second]", "header 3 [empty]=[]"]
    assert facts(reply, "first-x-test") == ["first-x-test [\xe9\xff \x80]"]


def test_header_fields_leaves_out_the_others(served):
    with served.raw("none") as raw:
        reply = raw.request("GET", "/", headers=[("User-Agent", "u"), ("x-test", "1"), ("ORIGIN", "o"), ("X-Tester", "2")])
        assert facts(reply, "header ") == ["header 0 [x-test]=[1]", "header 1 [origin]=[o]"]
        # They are still looked at.
        assert raw.request("GET", "/", headers=[("Connection", "close"), ("Host", "a b")]).status == 400


def test_reply_fields_that_cannot_be_sent(raw):
    reply = raw.request("GET", "/e/headers")
    check_fields(reply)
    assert reply.text == "refused refused refused refused refused refused refused taken \n"
    assert reply.get("X-Good") == "fine" and reply.get("X-Evil") is None


# Bodies

SIZES = [0, 1, 100, 2047, 2048, 2049, 2050, 8191, 8192, 8193, 65535, 65536, 65537, 1 << 20]


def pattern(size):
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def chunked(body, size, extension=b"", trailers=b""):
    chunks = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks) + b"0\r\n" + trailers + b"\r\n"


@pytest.mark.parametrize("size", SIZES)
def test_bodies_come_back(raw, size):
    body = pattern(size)
    check_fields(raw.request("POST", "/echo", body=body))
    raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + body)
    assert raw.response().body == body
    for chunk in (size + 1, 4096, 1000):
        raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, chunk))
        assert raw.response().body == body
    raw.send(requests(["/fixed"]))
    assert raw.response().status == 204


def test_heads_around_the_edges_of_the_buffer(raw):
    """The body begins at each offset near the ends of the first buffer."""
    for edge in (2048, 8192, 16384):
        for head in range(edge - 4, edge + 5):
            start = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\nX: "
            raw.send(start + b"x" * (head - len(start) - 4) + b"\r\n\r\n" + pattern(9000) + b"\r\n" + requests(["/"]).encode())
            assert raw.response().body == pattern(9000)
            assert raw.response().status == 200


def test_large_body(raw):
    body = pattern(20 << 20)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for data in (b"Content-Length: %d\r\n\r\n" % len(body) + body, b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 70000)):
            pool.submit(raw.send, b"POST /echo HTTP/1.1\r\nHost: a\r\n" + data)
            assert raw.response().body == body
    assert raw.request("GET", "/").status == 200


@pytest.mark.parametrize("path", ["/", "/worker"])
def test_half_a_million_pairs_of_a_form(raw, path):
    """Handlers that ask for one after the other get all of them in time that grows with their number, not its square."""
    count = 1 << 19
    started = time.monotonic()
    reply = raw.request("POST", path, headers=[("Content-Type", "application/x-www-form-urlencoded")], body=b"a&" * count)
    assert time.monotonic() - started < WAIT_BOUND
    pairs = facts(reply, "form ")
    assert len(pairs) == count and pairs[-1] == f"form {count - 1} [a]=[]"


def test_ten_thousand_small_chunks(raw):
    body = pattern(10000)
    raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, 1, b";e=f"))
    assert raw.response().body == body


@pytest.mark.parametrize("size", [0, 1, 5000, 100000, 1 << 20])
def test_request_body_none(served, size):
    with served.raw("none") as raw:
        for framing in (b"Content-Length: %d\r\n\r\n" % size + pattern(size),
                        b"Transfer-Encoding: chunked\r\n\r\n" + chunked(pattern(size), 3000)):
            raw.send(b"POST / HTTP/1.1\r\nHost: a\r\nX-Test: 1\r\n" + framing + b"GET /?next HTTP/1.1\r\nHost: a\r\n\r\n")
            reply, following = raw.responses(2)
            assert facts(reply, "body", "header") == ["header 0 [x-test]=[1]", "body absent 0"]
            assert facts(following, "target") == ["target [/?next]"]


# Expect

EXPECT = b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize("request_head, body", [
    (EXPECT, b"abcde"),
    (EXPECT.replace(b"100-continue", b"100-Continue"), b"abcde"),
    (EXPECT.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked"), b"5\r\nabcde\r\n0\r\n\r\n"),
])
def test_continue_comes_before_the_body(raw, request_head, body):
    for _ in range(2):
        raw.send(request_head)
        reply = raw.response()
        assert (reply.status, reply.reason, reply.headers) == (100, "Continue", [])
        raw.send(body)
        assert raw.response().body == b"abcde"


def test_continue_behind_pipelined_requests(raw):
    raw.send(requests(["/", "/worker"]).encode() + EXPECT)
    assert [reply.status for reply in raw.responses(3)] == [200, 200, 100]
    raw.send(b"abcde")
    assert raw.response().body == b"abcde"


@pytest.mark.parametrize("pieces", [
    [EXPECT + b"a", b"bcde"],
    [EXPECT.replace(b"HTTP/1.1", b"HTTP/1.0"), b"abcde"],
], ids=["some of the body in the same read", "HTTP/1.0"])
def test_no_continue(unix, pieces):
    send_pieces(unix, pieces)
    assert unix.response().status == 200


# Replies of every size


@pytest.mark.parametrize("kind", ["e/static", "w/static", "e/release", "w/release"])
def test_reply_sizes(raw, kind):
    letters = bytes(97 + i % 26 for i in range(70000))
    for size in (0, 1, 2, 1000, 4096, 32768, 65000, 65300, 65400, 65500, 65535, 65536, 65537, 70000):
        reply = raw.request("GET", f"/{kind}/{size}")
        check_fields(reply)
        assert reply.body == letters[:size]


@pytest.mark.parametrize("kind", ["e/static", "w/static", "e/release", "w/release"])
def test_slow_reader(served, kind):
    """Large replies with more requests behind them, to a client with a small window that reads in small pieces."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(30)
    slow.connect(("127.0.0.1", served.port()))
    with slow:
        slow.sendall(requests([f"/{kind}/1500000", "/gone", "/w/static/10", f"/{kind}/700000"]).encode() +
                     b"GET /gone HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        data = bytearray()
        while piece := slow.recv(3000):
            data += piece
    bodies = re.findall(rb"\r\nContent-Length: (\d+)\r\n", data)
    assert [int(size) for size in bodies] == [1500000, 9, 10, 700000, 9]
    at = data.index(b"\r\n\r\n") + 4
    assert data[at:at + 1500000] == (b"abcdefghijklmnopqrstuvwxyz" * 57693)[:1500000]
    assert data[at + 1500000:].startswith(b"HTTP/1.1 410 Gone\r\n") and data.endswith(b"\r\n\r\n410 Gone\n")


def test_released_bodies_are_released_once(alone):
    with alone.raw() as raw:
        for path in ("/e/release/100", "/w/release/100", "/e/release/5000000", "/w/release/5000000", "/e/release-twice/10"):
            assert raw.request("GET", path).status == 200
        assert raw.request("HEAD", "/e/release/100").status == 200
    with alone.raw() as raw:
        raw.send(requests(["/e/release/16000000"]))
        assert raw.socket.recv(1000)
        raw.reset()
    alone.log.wait("errors: body released", count=8)
    assert alone.get("/").status == 200
    assert len(alone.log.find("errors: body released")) == 8


# Queries and forms

PAIRS = [
    # Text, the pairs, first two values of q
    ("q=1", ["[q]=[1]"], ["[1]", "absent"]),
    ("q=1&q=2", ["[q]=[1]", "[q]=[2]"], ["[1]", "[2]"]),
    ("q=&q", ["[q]=[]", "[q]=[]"], ["[]", "[]"]),
    ("a=b=c&&d", ["[a]=[b=c]", "[d]=[]"], ["absent", "absent"]),
    ("%71=a%20b+c%2B", ["[q]=[a b c+]"], ["[a b c+]", "absent"]),
    ("q=%C3%A9&Q=x", ["[q]=[\xc3\xa9]", "[Q]=[x]"], ["[\xc3\xa9]", "absent"]),
    ("q=%zz%4", ["[q]=[%zz%4]"], ["[%zz%4]", "absent"]),
    ("=x&q=1", ["[]=[x]", "[q]=[1]"], ["[1]", "absent"]),
]


@pytest.mark.parametrize("text, pairs, values", PAIRS)
def test_query(raw, text, pairs, values):
    reply = raw.request("GET", f"/?{text}")
    assert facts(reply, "query 0", "query 1", "query 2") == [f"query {i} {pair}" for i, pair in enumerate(pairs)]
    assert facts(reply, "query-q") == [f"query-q-{i} {value}" for i, value in enumerate(values)]


@pytest.mark.parametrize("text, pairs, values", PAIRS)
@pytest.mark.parametrize("kind, is_form", [("application/x-www-form-urlencoded", True),
                                           ("Application/X-WWW-Form-Urlencoded; charset=utf-8", True),
                                           ("text/plain", False)])
def test_form(raw, text, pairs, values, kind, is_form):
    reply = raw.request("POST", "/post", headers=[("Content-Type", kind)], body=text.encode())
    shown = [f"form {i} {pair}" for i, pair in enumerate(pairs)] if is_form else []
    assert facts(reply, "form ") == shown
    assert facts(reply, "form-q") == [f"form-q-{i} {value if is_form else 'absent'}" for i, value in enumerate(values)]



def test_many_connections_at_once(served):
    connections = [served.raw() for _ in range(200)]
    for i, raw in enumerate(connections):
        raw.send(requests([f"/worker?n={i}" if i % 2 else f"/?n={i}"]))
    for i, raw in enumerate(connections):
        assert facts(raw.response(), "query 0") == [f"query 0 [n]=[{i}]"]
        raw.close()
