"""Behind a proxy: PROXY headers, Forwarded and X-Forwarded fields; from peers that are trusted (127.0.0.1) and from others."""
import socket
import struct

import pytest

from bounds import WAIT_BOUND
from common import fields
from harness import Raw, curl
from http1 import running, send_pieces

SERVERS = """\
  proxied:
    listen: [{address: "127.0.0.1:0", proxy_protocol: true}, {address: "unix:{tmp}/proxied", proxy_protocol: true}]
    trusted_proxies: [127.0.0.1, 10.0.0.0/8, unix]
    routes: &routes
      - {path: /, module: client, handler: loop}
      - {path: /worker, module: client, handler: worker}
      - {path: /, host: inside.example, status: 204}
  slow:
    listen: [{address: "127.0.0.1:0", proxy_protocol: true}]
    trusted_proxies: [127.0.0.1]
    timeouts: {header: 2s}
    routes: *routes
  standard:
    access_log: {level: info}
    listen: [127.0.0.1:0, "unix:{tmp}/standard"]
    trusted_proxies: [127.0.0.1, 10.0.0.0/8]
    proxy_header: forwarded
    routes: *routes
  x:
    listen: [127.0.0.1:0]
    trusted_proxies: [127.0.0.1, 10.0.0.0/8]
    proxy_header: x-forwarded
    routes: *routes
  auto:
    listen: [127.0.0.1:0, "unix:{tmp}/auto"]
    trusted_proxies: [127.0.0.1, 10.0.0.0/8, unix]
    header_fields: [host]
    routes: *routes
  none:
    listen: [127.0.0.1:0]
    trusted_proxies: [127.0.0.1]
    proxy_header: none
    routes: *routes
"""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
V1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"


def v2(source, destination=("198.51.100.2", 443), tlvs=b"", command=1):
    """A header of version 2."""
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    if family == socket.AF_INET6:
        destination = ("2001:db8::2", destination[1])
    block = socket.inet_pton(family, source[0]) + socket.inet_pton(family, destination[0])
    block += struct.pack("!HH", source[1], destination[1]) + tlvs
    return SIGNATURE + bytes([0x20 | command, 0x21 if family == socket.AF_INET6 else 0x11]) + struct.pack("!H", len(block)) + block


class From(Raw):
    """A connection from another address of this machine."""

    def __init__(self, source, address):
        with socket.socket() as connected:
            connected.settimeout(WAIT_BOUND)
            connected.bind((source, 0))
            connected.connect(address)
            self.socket = connected.dup()
        self.socket.settimeout(WAIT_BOUND)
        self.buffer = b""
        self.ended = False


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    with running(tmp_path_factory, SERVERS, "info") as daemon:
        yield daemon


def stranger(daemon, server):
    return From("127.0.0.2", ("127.0.0.1", daemon.port(server)))


def said(response):
    assert response.status == 200, response
    return fields(response.text)


def ask(raw, *lines, path="/"):
    return said(raw.request(target=path, headers=[tuple(line.split(": ", 1)) for line in lines]))


# The PROXY protocol


@pytest.mark.parametrize("header, peer, client", [
    (V1, "192.0.2.1:56324", "192.0.2.1"),
    (b"PROXY TCP6 2001:db8::1 ::1 4000 80\r\n", "[2001:db8::1]:4000", "2001:db8::1"),
    (v2(("192.0.2.7", 1234)), "192.0.2.7:1234", "192.0.2.7"),
    (v2(("2001:db8::7", 1234)), "[2001:db8::7]:1234", "2001:db8::7"),
    (v2(("192.0.2.7", 1234), tlvs=b"\x04\x00\x03abc\xee\x00\x00"), "192.0.2.7:1234", "192.0.2.7"),
    (v2(("192.0.2.7", 1234), tlvs=b"\x04" + struct.pack("!H", 4000) + bytes(4000)), "192.0.2.7:1234", "192.0.2.7"),
    (SIGNATURE + b"\x21\x31\x00\xd8" + b"/tmp/x".ljust(216, b"\0"), "unix:", "unix:"),
], ids=["v1-4", "v1-6", "v2-4", "v2-6", "v2-extensions", "v2-long", "v2-unix"])
@pytest.mark.parametrize("path", ["/", "/worker"])
def test_the_header_names_the_peer(behind, header, peer, client, path):
    with behind.raw("proxied") as raw:
        raw.send(header + REQUEST.replace(b" / ", b" %s " % path.encode()))
        first = said(raw.response())
        assert (first["peer"], first["client"]) == (peer, client)
        assert ask(raw, path=path)["peer"] == peer


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN a b c\r\n", SIGNATURE + b"\x20\x00\x00\x00",
                                    v2(("192.0.2.7", 1234), command=0)], ids=["v1", "v1-more", "v2", "v2-with-address"])
def test_a_local_connection_keeps_its_peer(behind, header):
    with behind.raw("proxied") as raw:
        raw.send(header + REQUEST)
        first = said(raw.response())
        assert first["client"] == "127.0.0.1"
        assert first["peer"] == "127.0.0.1:%d" % raw.socket.getsockname()[1]


@pytest.mark.parametrize("header, peer", [(V1, "192.0.2.1:56324"), (v2(("192.0.2.7", 1234), tlvs=b"\x04\x00\x01x"), "192.0.2.7:1234")],
                         ids=["v1", "v2"])
def test_the_header_may_come_byte_by_byte(behind, header, peer):
    data = header + REQUEST
    with behind.raw("proxied", 1) as raw:
        send_pieces(raw, [data[i:i + 1] for i in range(len(data))])
        assert said(raw.response())["peer"] == peer
    for cut in range(1, len(header) + 2):
        with behind.raw("proxied", 1) as raw:
            send_pieces(raw, [data[:cut], data[cut:]])
            assert said(raw.response())["peer"] == peer


def test_bytes_behind_the_header_are_pipelined_requests(behind):
    with behind.raw("proxied") as raw:
        raw.send(V1 + REQUEST * 3)
        assert [said(response)["client"] for response in raw.responses(3)] == ["192.0.2.1"] * 3


@pytest.mark.parametrize("data, problem", [
    (REQUEST, "the connection does not begin with a PROXY header"),
    (b"\0", "the connection does not begin with a PROXY header"),
    (b"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n", "the addresses or ports in the PROXY header are malformed"),
    (b"PROXY UNKNOWN " + b"x" * 200, "the PROXY header is longer than 107 bytes"),
    (V1.replace(b"\r", b""), "the PROXY header does not end with CR LF"),
    (SIGNATURE + b"\x11\x11\x00\x0c", "the PROXY header has an unknown version"),
    (SIGNATURE + b"\x21\x11\xff\xff", "the PROXY header is longer than 4096 bytes"),
    (v2(("192.0.2.7", 1234), tlvs=b"\x03\x00\x04\0\0\0\0"), "the checksum of the PROXY header is wrong"),
    (v2(("192.0.2.7", 1234), tlvs=b"\x04\x00\x09x"), "an extension reaches over the end of the PROXY header"),
], ids=["http", "nul", "v1-short", "v1-long", "v1-lf", "v2-version", "v2-long", "v2-checksum", "v2-extension"])
def test_what_is_no_header_ends_the_connection(behind, data, problem):
    since = behind.log.mark()
    with behind.raw("proxied") as raw:
        raw.send(data)
        try:
            assert raw.recv_until_close() == b""
        except ConnectionResetError:
            pass  # more had come than was read
        port = raw.socket.getsockname()[1]
    behind.log_wait(rf"127\.0\.0\.1:{port} closed \(protocol\): {problem}", since=since)


@pytest.mark.parametrize("part", [b"", b"PROXY TCP4", SIGNATURE + b"\x21"], ids=["nothing", "v1", "v2"])
def test_a_header_that_does_not_come_in_time_ends_the_connection(behind, part):
    with behind.raw("slow") as raw:
        raw.send(part)
        assert raw.closed()


def test_behind_the_header_there_is_time_for_the_request(behind):
    with behind.raw("slow") as raw:
        raw.send(V1 + b"GET / HT")
        assert raw.response().status == 408
        assert raw.closed()


def test_a_probe_that_connects_and_closes_says_nothing(behind):
    since = behind.log.mark()
    with behind.raw("proxied"):
        pass
    assert said(get_with_header(behind))["client"] == "192.0.2.1"
    assert not behind.log.find(r"closed \(protocol\)", since)


def get_with_header(daemon):
    with daemon.raw("proxied") as raw:
        raw.send(V1 + REQUEST)
        return raw.response()


def test_peers_that_are_not_trusted_are_ordinary_clients(behind):
    with stranger(behind, "proxied") as raw:
        assert ask(raw)["client"] == "127.0.0.2"
        assert ask(raw, "Forwarded: for=192.0.2.1;proto=https")["client"] == "127.0.0.2"
    with stranger(behind, "proxied") as raw:
        raw.send(V1 + REQUEST)
        assert raw.response().status == 501  # a method of that name


def test_listeners_without_proxy_protocol_take_no_header(behind):
    with behind.raw("standard") as raw:
        raw.send(V1 + REQUEST)
        assert raw.response().status == 501  # a method of that name


def test_curl_sends_a_header(behind):
    text = curl("--haproxy-protocol", behind.url("/", "proxied")).stdout
    assert fields(text)["client"] == "127.0.0.1"


def test_fields_count_when_the_peer_of_the_header_is_trusted_too(behind):
    """A balancer that speaks PROXY in front of a proxy that adds fields; and then a client that only says that it is one."""
    field = b"Forwarded: for=203.0.113.9;proto=https\r\n\r\n"
    with behind.raw("proxied") as raw:
        raw.send(V1.replace(b"192.0.2.1", b"10.0.0.5") + REQUEST[:-2] + field)
        answer = said(raw.response())
        assert (answer["client"], answer["scheme"]) == ("203.0.113.9", "https")
        assert answer["peer"] == "10.0.0.5:56324"
    with behind.raw("proxied") as raw:
        raw.send(V1 + REQUEST[:-2] + field)
        answer = said(raw.response())
        assert (answer["client"], answer["scheme"]) == ("192.0.2.1", "http")
    with behind.raw("proxied") as raw:
        raw.send(SIGNATURE + b"\x21\x31\x00\xd8" + b"/tmp/x".ljust(216, b"\0") + REQUEST[:-2] + field)
        assert said(raw.response())["client"] == "unix:"


def test_the_log_names_the_client_of_the_header(behind):
    since = behind.log.mark()
    with behind.raw("proxied") as raw:
        raw.send(V1 + b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert raw.response().status == 400
    behind.log_wait(r"192\.0\.2\.1:56324 closed", since=since)


# Fields

UNTOLD = {"client": "127.0.0.1", "scheme": "http", "host": "test"}


@pytest.mark.parametrize("server, lines, expected", [
    ("standard", [], {}),
    ("standard", ["Forwarded: for=192.0.2.1"], {"client": "192.0.2.1"}),
    ("standard", ["Forwarded: for=192.0.2.1;proto=https;host=EXAMPLE.org:8443"],
     {"client": "192.0.2.1", "scheme": "https", "host": "example.org"}),
    ("standard", ['Forwarded: for="[2001:db8::17]:4711";proto=http'], {"client": "2001:db8::17"}),
    ("standard", ["Forwarded: for=6.6.6.6;host=evil, for=192.0.2.1;proto=https, for=10.0.0.1"],
     {"client": "192.0.2.1", "scheme": "https"}),
    ("standard", ["Forwarded: for=6.6.6.6", "Forwarded: for=192.0.2.1", "Forwarded: for=10.0.0.1"], {"client": "192.0.2.1"}),
    ("standard", ["Forwarded: for=6.6.6.6, for=unknown, for=10.0.0.1"], {"client": "10.0.0.1"}),
    ("standard", ["Forwarded: for=_hidden;proto=https"], {"scheme": "https"}),
    ("standard", ['Forwarded: for=192.0.2.1;host="a b"'], {"client": "192.0.2.1"}),
    ("standard", ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil"], {}),
    ("x", ["X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.1"], {"client": "192.0.2.1"}),
    ("x", ["X-Forwarded-For: 2001:db8::17"], {"client": "2001:db8::17"}),
    ("x", ["X-Forwarded-For: 192.0.2.1:80", "X-Forwarded-Proto: HTTPS", "X-Forwarded-Host: example.org"],
     {"client": "192.0.2.1", "scheme": "https", "host": "example.org"}),
    ("x", ["X-Forwarded-Proto: https, gopher"], {}),
    ("x", ["X-Forwarded-Host: evil, example.org"], {"host": "example.org"}),
    ("x", ["Forwarded: for=6.6.6.6;proto=https"], {}),
    ("auto", ["Forwarded: for=192.0.2.1;proto=https"], {"client": "192.0.2.1", "scheme": "https"}),
    ("auto", ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"], {"client": "192.0.2.1", "scheme": "https"}),
    ("auto", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"], {"client": "192.0.2.1"}),
    ("auto", ["X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1"], {"client": "192.0.2.1"}),
    ("auto", ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 10.0.0.1"], {"client": "192.0.2.1"}),
    ("x", ["X-Forwarded-For: 192.0.2.1", 'Forwarded: for="x'], {"client": "192.0.2.1"}),
    ("none", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=6.6.6.6;proto=https;host=evil"], {}),
    ("none", ['Forwarded: for="x'], {}),
])
@pytest.mark.parametrize("path", ["/", "/worker"])
def test_fields_of_a_trusted_peer(behind, server, lines, expected, path):
    with behind.raw(server) as raw:
        answer = ask(raw, *lines, path=path)
        assert {key: answer[key] for key in UNTOLD} == {**UNTOLD, **expected}
        assert answer["peer"] == "127.0.0.1:%d" % raw.socket.getsockname()[1]


@pytest.mark.parametrize("server", ["standard", "x", "auto", "none"])
def test_fields_of_others_are_ignored(behind, server):
    with stranger(behind, server) as raw:
        answer = ask(raw, "Forwarded: for=192.0.2.1;proto=https;host=evil")
        assert {key: answer[key] for key in UNTOLD} == {**UNTOLD, "client": "127.0.0.2"}
        answer = ask(raw, "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil")
        assert {key: answer[key] for key in UNTOLD} == {**UNTOLD, "client": "127.0.0.2"}
        answer = ask(raw, "X-Forwarded-For: 127.0.0.1", 'Forwarded: for="x')
        assert {key: answer[key] for key in UNTOLD} == {**UNTOLD, "client": "127.0.0.2"}


MALFORMED = "400 Bad Request: the Forwarded field is malformed\n"
DIFFERENT = "400 Bad Request: Forwarded and X-Forwarded-For name different clients; set proxy_header\n"


@pytest.mark.parametrize("server, lines, text", [
    ("standard", ['Forwarded: for="x, for=9.9.9.9'], MALFORMED),
    ("standard", ["Forwarded: for=1.1.1.1 bad, for=9.9.9.9"], MALFORMED),
    ("standard", ['Forwarded: for="x', "Forwarded: for=192.0.2.1"], MALFORMED),
    ("auto", ['Forwarded: for="x', "X-Forwarded-For: 192.0.2.1"], MALFORMED),
    ("auto", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=6.6.6.6;proto=https;host=evil"], DIFFERENT),
    ("auto", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=127.0.0.1"], DIFFERENT),
    ("auto", ["X-Forwarded-For: unknown", "Forwarded: for=192.0.2.1"], DIFFERENT),
])
def test_nobody_passes_for_the_proxy(behind, server, lines, text):
    """The proxy's connection goes on: others use it too."""
    with behind.raw(server) as raw:
        response = raw.request("POST", headers=[tuple(line.split(": ", 1)) for line in lines], body=b"some")
        assert (response.status, response.text) == (400, text)
        assert ask(raw, "Forwarded: for=192.0.2.1")["client"] == "192.0.2.1"


def test_each_request_of_a_connection_has_its_own_client(behind):
    with behind.raw("standard") as raw:
        clients = [ask(raw, f"Forwarded: for=192.0.2.{i}")["client"] for i in range(1, 4)] + [ask(raw)["client"]]
        assert clients == ["192.0.2.1", "192.0.2.2", "192.0.2.3", "127.0.0.1"]


def test_handlers_need_not_see_the_fields(behind):
    with behind.raw("auto") as raw:
        answer = ask(raw, "Forwarded: for=192.0.2.1")
        assert (answer["client"], answer["forwarded"]) == ("192.0.2.1", "hidden")
    with behind.raw("standard") as raw:
        assert ask(raw, "Forwarded: for=192.0.2.1")["forwarded"] == "seen"


def test_unix_peers_are_trusted_when_it_says_so(behind):
    with behind.raw("auto", 1) as raw:
        assert ask(raw)["client"] == "unix:"
        assert ask(raw, "X-Forwarded-For: 192.0.2.1")["client"] == "192.0.2.1"
    with behind.raw("standard", 1) as raw:
        assert ask(raw, "Forwarded: for=192.0.2.1")["client"] == "unix:"


def test_routes_go_by_the_host_that_the_client_asked_for(behind):
    with behind.raw("standard") as raw:
        assert raw.request(headers=[("Forwarded", "for=192.0.2.1;host=inside.example")]).status == 204
    with stranger(behind, "standard") as raw:
        assert raw.request(headers=[("Forwarded", "for=192.0.2.1;host=inside.example")]).status == 200


def test_a_stop_does_not_wait_for_headers(daemon):
    running_daemon = daemon("servers:\n  a:\n    listen: [{address: \"127.0.0.1:0\", proxy_protocol: true}]\n"
                            "    trusted_proxies: [127.0.0.1]\n    timeouts: {header: 500ms}\n    routes: [{path: /, status: 204}]\n")
    with running_daemon.raw() as silent, running_daemon.raw() as half:
        half.send(V1[:10])
        assert running_daemon.stop(timeout=5 + WAIT_BOUND) == 0
        assert silent.recv_until_close() == b""


def test_the_access_log_names_the_client_of_the_fields(behind):
    since = behind.log.mark()
    with behind.raw("standard") as raw:
        ask(raw, "Forwarded: for=192.0.2.77")
    behind.log_wait(r'192\.0\.2\.77 "GET / HTTP/1\.1" 200', since=since)


def test_the_access_log_names_the_peer_when_the_fields_are_refused(behind):
    since = behind.log.mark()
    with behind.raw("standard") as raw:
        assert raw.request(headers=[("Forwarded", 'for=192.0.2.78, "')]).status == 400
    behind.log_wait(r'127\.0\.0\.1 "GET / HTTP/1\.1" 400', since=since)
