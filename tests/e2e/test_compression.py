"""Compression of replies that handlers make: for whom, which, how it is said, and that what arrives is what was written."""
import http.client
import zlib
from urllib.parse import urlencode

import brotli
import pytest
import zstandard

from bounds import WAIT_BOUND
from common import with_test_modules
from harness import Closed, curl

ROUTES = "\n".join(f"      - {{path: /{place}/{name}, module: compressible, handler: {name}{suffix}}}"
                   for place, suffix in (("loop", ""), ("worker", "_worker")) for name in ("whole", "pieces", "wait"))
CONFIG = """
  web:
    listen: 127.0.0.1:0
    compression: {COMPRESSION}
    routes:
ROUTES
      - {path: /push, module: compressible, handler: push}
      - {path: /files/*, module: static, options: {root: FOLDER}}
"""
ALL = "{encodings: [gzip, br, zstd]}"
ENCODINGS = ("gzip", "br", "zstd")
PLACES = ("loop", "worker")
NO_TRANSFORM = "Cache-Control: max-age=1, No-Transform"


@pytest.fixture
def start(daemon, tmp_path):
    def start(compression=ALL):
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "page.html").write_text("a page\n" * 1000, encoding="utf-8")
        text = CONFIG.replace("{COMPRESSION}", compression).replace("ROUTES", ROUTES).replace("FOLDER", str(folder))
        return daemon(with_test_modules(text))

    return start


@pytest.fixture
def web(start):
    return start()


class Decoder:
    """Decodes as far as the input goes."""

    def __init__(self, encoding):
        self.encoding = encoding
        self.inner = {"gzip": lambda: zlib.decompressobj(31), "br": brotli.Decompressor,
                      "zstd": lambda: zstandard.ZstdDecompressor().decompressobj()}[encoding]()

    def __call__(self, data):
        return self.inner.process(data) if self.encoding == "br" else self.inner.decompress(data)

    @property
    def ended(self):
        return self.inner.is_finished() if self.encoding == "br" else self.inner.eof


def decode(encoding, data):
    decoder = Decoder(encoding)
    content = decoder(data)
    assert decoder.ended, f"{encoding}: no end in {len(data)} bytes"
    return content


def decoded(response):
    encoding = response.get("Content-Encoding")
    return decode(encoding, response.body) if encoding else response.body


def content(size):
    lines, i = b"", 0
    while len(lines) < size:
        lines += b"line %d\n" % i
        i += 1
    return lines[:size]


def ask(web, path, accept=None, method="GET", headers=(), **query):
    headers = list(headers) + ([("Accept-Encoding", accept)] if accept is not None else [])
    with web.raw() as raw:
        return raw.request(method, f"{path}?{urlencode(query, doseq=True)}", headers)


# What arrives


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
def test_content_at_once(web, place, encoding):
    response = ask(web, f"/{place}/whole", encoding, size=5000)
    assert response.get("Content-Encoding") == encoding
    assert response.get("Vary") == "Accept-Encoding"
    assert int(response.get("Content-Length")) == len(response.body) < 2500
    assert decode(encoding, response.body) == content(5000)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("announced", [{}, {"length": ""}])
def test_content_in_pieces(web, place, encoding, announced):
    response = ask(web, f"/{place}/pieces", encoding, size=50000, piece=999, **announced)
    assert response.get("Content-Encoding") == encoding
    assert response.get("Content-Length") is None
    assert response.get("Transfer-Encoding") == "chunked"
    assert decode(encoding, response.body) == content(50000)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_much_content(web, encoding):
    """More than the sink and the encoder's own buffers hold; random bytes are larger than before."""
    response = ask(web, "/worker/pieces", encoding, size=3000000, piece=70001, random="")
    body = decode(encoding, response.body)
    assert len(body) == 3000000 and len(response.body) > 2900000
    assert body == ask(web, "/worker/whole", size=3000000, random="").body
    for size in (1023, 1024, 16384, 65536, 1000000):
        for path in ("/loop/whole", "/worker/pieces"):
            assert decoded(ask(web, path, encoding, size=size, piece=4096)) == content(size), (path, size)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_piece_may_be_flushed(web, encoding):
    response = ask(web, "/loop/pieces", encoding, size=3000, piece=10, flush="")
    assert decode(encoding, response.body) == content(3000)
    assert decode(encoding, ask(web, "/loop/pieces", encoding, size=0).body) == b""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_curl_decodes(web, encoding):
    for path in ("/loop/whole", "/worker/pieces"):
        result = curl("--compressed", "-H", f"Accept-Encoding: {encoding}", "-i", web.url(f"{path}?size=30000"), text=False)
        head, body = result.stdout.split(b"\r\n\r\n", 1)
        assert f"\r\nContent-Encoding: {encoding}\r\n".encode() in head
        assert body == content(30000)


def test_requests_follow_each_other(web):
    """Encoders are used again, also after a reply that was given up."""
    with web.raw() as raw:
        for i in range(30):
            encoding = ENCODINGS[i % 3]
            path = f"/{PLACES[i % 2]}/{('whole', 'pieces')[i // 2 % 2]}?size={1024 + i * 777}"
            response = raw.request("GET", path, [("Accept-Encoding", encoding)])
            assert response.get("Content-Encoding") == encoding
            assert decode(encoding, response.body) == content(1024 + i * 777)
    for encoding in ENCODINGS:
        with web.raw() as raw:
            raw.send(f"GET /loop/pieces?size=9000&length=&short= HTTP/1.1\r\nHost: t\r\nAccept-Encoding: {encoding}\r\n\r\n")
            with pytest.raises((Closed, ConnectionResetError)):
                raw.response()
        assert decoded(ask(web, "/loop/whole", encoding, size=2000)) == content(2000)
    web.log_wait("shorter than it announced", count=3)


def test_http_1_0_ends_by_the_connection(web):
    with web.raw() as raw:
        raw.send("GET /loop/pieces?size=9000 HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n")
        response = raw.response()
        assert response.get("Transfer-Encoding") is None and response.get("Content-Length") is None
        assert response.get("Connection") == "close"
        assert decode("gzip", response.body) == content(9000)
    with web.raw() as raw:
        raw.send("GET /loop/whole?size=9000 HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n")
        response = raw.response()
        assert response.get("Connection") == "keep-alive"
        assert decode("gzip", response.body) == content(9000)


# For whom


@pytest.mark.parametrize("accept, encoding", [
    (None, None),
    ("", None),
    ("gzip", "gzip"),
    ("GZip", "gzip"),
    ("x-gzip", "gzip"),
    ("br", "br"),
    ("zstd", "zstd"),
    ("gzip, deflate, br, zstd", "zstd"),
    ("gzip, deflate, br", "br"),
    ("gzip;q=1, br;q=0.9, zstd;q=0.9", "gzip"),
    ("gzip;q=0.5, br;q=0.9, zstd;q=0.7", "br"),
    ("gzip;q=0.5, *;q=0.1", "gzip"),
    ("*", "zstd"),
    ("*, zstd;q=0", "br"),
    ("deflate", None),
    ("gzip;q=0", None),
    ("identity", None),
    ("identity, gzip", "gzip"),
    ("identity;q=1, gzip;q=0.5", None),
    ("identity;q=0.5, gzip;q=0.5", "gzip"),
    ("identity;q=0", None),
    ("gzip;q=", None),
])
def test_the_client_chooses(web, accept, encoding):
    response = ask(web, "/loop/whole", accept)
    assert response.get("Content-Encoding") == encoding
    assert response.get("Vary") == "Accept-Encoding"
    assert decoded(response) == content(5000)


def test_several_fields_are_one_list(web):
    fields = [("Accept-Encoding", "zstd;q=0"), ("Accept-Encoding", "br;q=0.1"), ("Accept-Encoding", "gzip")]
    assert ask(web, "/loop/whole", headers=fields).get("Content-Encoding") == "gzip"


def test_only_what_the_operator_names(start):
    web = start("{encodings: gzip}")
    assert ask(web, "/loop/whole", "br, zstd").get("Content-Encoding") is None
    assert ask(web, "/loop/whole", "br, zstd, gzip;q=0.1").get("Content-Encoding") == "gzip"


@pytest.mark.parametrize("effort", ["fast", "default", "best"])
def test_efforts(start, effort):
    web = start(f"{{encodings: [gzip, br, zstd], effort: {effort}}}")
    for encoding in ENCODINGS:
        assert decode(encoding, ask(web, "/worker/pieces", encoding, size=300000).body) == content(300000)


def test_off_by_default(daemon, tmp_path):
    text = CONFIG.replace("    compression: {COMPRESSION}\n", "").replace("ROUTES", ROUTES).replace("FOLDER", str(tmp_path))
    response = ask(daemon(with_test_modules(text)), "/loop/whole", "gzip")
    assert response.get("Content-Encoding") is None and response.get("Vary") is None
    assert response.body == content(5000)


# Which replies


@pytest.mark.parametrize("path", ["/loop/whole", "/loop/pieces"])
@pytest.mark.parametrize("query", [
    {"type": "image/png"},
    {"type": ""},
    {"type": "texts/plain"},
    {"type": "application/jsonx"},
    {"type": "text/event-stream"},
    {"h": "Content-Encoding: br"},
    {"h": NO_TRANSFORM},
    {"h": "Content-Range: bytes 0-4999/9000"},
    {"h": "Content-Digest: sha-256=:AAAA:"},
    {"status": 206},
    {"size": 1023, "length": ""},
])
def test_some_are_never_compressed(web, path, query):
    response = ask(web, path, "gzip", **query)
    assert response.get("Content-Encoding") in (None, "br")
    assert response.get("Vary") is None
    assert response.body == content(query.get("size", 5000))


@pytest.mark.parametrize("path", ["/loop/whole", "/loop/pieces"])
@pytest.mark.parametrize("query", [
    {"type": "text/html; charset=utf-8"},
    {"type": "TEXT/CSV"},
    {"type": "application/json"},
    {"type": "application/json ; a=b"},
    {"type": "image/svg+xml"},
    {"h": "Cache-Control: private, max-age=9"},
    {"status": 404},
    {"size": 1024, "length": ""},
])
def test_some_are(web, path, query):
    response = ask(web, path, "gzip", **query)
    assert response.get("Content-Encoding") == "gzip"
    assert decode("gzip", response.body) == content(query.get("size", 5000))


def test_types_and_size_are_the_operators(start):
    web = start("{encodings: gzip, types: [image/*, text/event-stream], min_size: 10B}")
    table = [("text/plain", 5000, None), ("image/bmp", 5000, "gzip"), ("image/bmp", 100, "gzip"), ("image/bmp", 9, None),
             ("text/event-stream", 5000, "gzip")]
    for type_, size, encoding in table:
        assert ask(web, "/loop/whole", "gzip", type=type_, size=size).get("Content-Encoding") == encoding, (type_, size)
    assert ask(web, "/loop/pieces", "gzip", type="image/bmp", size=5).get("Content-Encoding") == "gzip", "of unknown length"


def test_what_gets_no_smaller_is_sent_as_it_is(web):
    plain = ask(web, "/loop/whole", random="", h="ETag: \"a\"")
    response = ask(web, "/loop/whole", "gzip", random="", h="ETag: \"a\"")
    assert response.get("Content-Encoding") is None
    assert response.get("ETag") == '"a"'
    assert response.get("Vary") == "Accept-Encoding"
    assert response.body == plain.body and len(plain.body) == 5000


def test_files_go_as_they_are(web):
    response = ask(web, "/files/page.html", "gzip")
    assert response.get("Content-Encoding") is None
    assert response.get("Accept-Ranges") == "bytes"
    assert response.body == b"a page\n" * 1000


def test_replies_without_content(web):
    for status in (204, 304):
        response = ask(web, "/loop/whole", "gzip", size=0, status=status, h='ETag: "a"')
        assert response.get("Content-Encoding") is None and response.get("ETag") == '"a"'
    response = ask(web, "/loop/whole", "gzip", size=0)
    assert response.get("Content-Encoding") is None and response.get("Content-Length") == "0"


@pytest.mark.parametrize("accept", ["gzip", "br", "zstd", "identity"])
@pytest.mark.parametrize("path, query", [("/loop/whole", {}), ("/worker/whole", {"random": ""}), ("/loop/pieces", {}),
                                         ("/worker/pieces", {"length": ""})])
def test_head_says_what_get_says(web, accept, path, query):
    def fields(method):
        response = ask(web, path, accept, method=method, h=['ETag: "a"', "Accept-Ranges: bytes", "Vary: Cookie"], **query)
        assert method == "GET" or response.body == b""
        return [field for field in response.headers if field[0] != "Date"]

    assert fields("HEAD") == fields("GET")


# What it says of itself


@pytest.mark.parametrize("before, after", [
    ([], "Accept-Encoding"),
    (["Cookie"], "Cookie, Accept-Encoding"),
    (["Cookie, Origin"], "Cookie, Origin, Accept-Encoding"),
    (["Cookie", "Origin"], "Cookie, Origin, Accept-Encoding"),
    (["accept-encoding"], "accept-encoding"),
    (["Cookie, ACCEPT-Encoding"], "Cookie, ACCEPT-Encoding"),
    (["*"], "*"),
])
@pytest.mark.parametrize("accept", ["gzip", None])
def test_vary_is_merged(web, before, after, accept):
    assert ask(web, "/loop/whole", accept, h=[f"Vary: {value}" for value in before]).get("Vary") == after


@pytest.mark.parametrize("path", ["/loop/whole", "/loop/pieces"])
def test_etag_becomes_weak(web, path):
    fields = ['ETag: "a b"', "Accept-Ranges: bytes", "X-Other: 1"]
    response = ask(web, path, "gzip", h=fields)
    assert response.get("ETag") == 'W/"a b"'
    assert response.get("Accept-Ranges") is None
    assert response.get("X-Other") == "1"
    assert ask(web, path, "gzip", h='etag: W/"a"').get("ETag") == 'W/"a"'
    response = ask(web, path, h=fields)
    assert response.get("ETag") == '"a b"' and response.get("Accept-Ranges") == "bytes"


@pytest.mark.parametrize("asked, etag, vary", [
    ('W/"a"', 'W/"a"', "Accept-Encoding"),
    ('"x", W/"a"', 'W/"a"', "Accept-Encoding"),
    ('"a"', '"a"', None),
    ('W/"ab"', '"a"', None),
    (None, '"a"', None),
])
def test_not_modified_names_the_tag_that_was_asked_for(web, asked, etag, vary):
    headers = [("If-None-Match", asked)] if asked else []
    response = ask(web, "/loop/whole", "gzip", headers=headers, size=0, status=304, h='ETag: "a"')
    assert response.status == 304
    assert (response.get("ETag"), response.get("Vary")) == (etag, vary)


# By and by


class Client:
    """A reply that is read while it is made."""

    def __init__(self, web, path, encoding):
        self.web = web
        self.connection = http.client.HTTPConnection("127.0.0.1", web.port(), timeout=WAIT_BOUND)
        self.connection.request("GET", path, headers={"Accept-Encoding": encoding})
        self.response = self.connection.getresponse()
        assert self.response.getheader("Content-Encoding") == encoding, self.response.headers
        self.decoder = Decoder(encoding)
        self.pending = b""

    def push(self, text):
        assert self.web.get(f"/push?text={text}").text == "0\n"

    def expect(self, text):
        """All that can be decoded by now; waits for bytes only as long as it is not enough."""
        while len(self.pending) < len(text):
            data = self.response.read1(65536)
            assert data, f"ended: {self.pending!r}"
            self.pending += self.decoder(data)
        assert self.pending == text
        self.pending = b""

    def expect_end(self):
        rest = b"".join(iter(lambda: self.response.read1(65536), b""))
        assert self.decoder(rest) == b"" and self.decoder.ended
        self.connection.close()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
def test_what_was_written_arrives_when_the_handler_waits(web, place, encoding):
    client = Client(web, f"/{place}/wait", encoding)
    for text in ("first", "second", "x" * 3000):
        client.push(text)
        client.expect(text.encode())
    client.push("end")
    client.expect_end()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
def test_events_arrive_one_by_one(start, place, encoding):
    web = start("{encodings: [gzip, br, zstd], types: text/event-stream}")
    client = Client(web, f"/{place}/wait?events=", encoding)
    for i in range(20):
        client.push(f"event-{i}")
        client.expect(b"data: event-%d\n\n" % i)
    client.push("end")
    client.expect_end()


def test_a_client_that_goes_away(web):
    """The encoder goes with the request; a sanitizer would tell."""
    for place in PLACES:
        for encoding in ENCODINGS:
            client = Client(web, f"/{place}/wait", encoding)
            client.push("first")
            client.expect(b"first")
            client.connection.close()
    assert decoded(ask(web, "/loop/whole", "gzip")) == content(5000)
