"""What an HTTP/1.1 server has to refuse, as a table: malformed requests, ways to make two servers see different requests (request
smuggling), and what is too large. Each row is sent whole and byte by byte, with a request behind it that must not be served
where the connection has to be closed; both ways have to give the same reply.
"""
import pytest

from http1 import running, send_pieces, split_all, without_date
from raw import Raw

SERVERS = """\
  strict:
    listen: [127.0.0.1:0, "unix:{tmp}/strict"]
    threads: 0
    limits: {target: 256B, header: 2KiB, header_count: 20, body: 4KiB}
    timeouts: {linger: 20s}
    routes:
      - {path: /, module: inspect, handler: all}
      - {path: /next, status: 204}
"""
NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n"
HOST = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


def field(line, end=b"\r\n\r\n"):
    """A GET that is sound but for one field line."""
    return b"GET / HTTP/1.1\r\nHost: a\r\n" + line + end


def line(text):
    """A request that is sound but for its first line."""
    return text + b"\r\nHost: a\r\n\r\n"


def target(text):
    return line(b"GET " + text + b" HTTP/1.1")


def host(value):
    return b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


def length(value):
    return POST + b"Content-Length: " + value + b"\r\n\r\nabcde"


def coding(value, body=b"5\r\nabcde\r\n0\r\n\r\n"):
    return POST + b"Transfer-Encoding: " + value + b"\r\n\r\n" + body


def chunks(body):
    return coding(b"chunked", body)


CLOSES, STAYS = True, False

ROWS = [
    # Line ends
    ("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n", 400, "9112 2.2", CLOSES),
    ("bare LF after the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("bare LF after the first field", b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("bare LF after the last field", b"GET / HTTP/1.1\r\nX: b\r\nHost: a\n\r\n", 400, "9112 2.2", CLOSES),
    ("bare LF after an empty value", b"GET / HTTP/1.1\r\nHost: a\r\nX:\nY: b\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("bare LF after a last empty value", b"GET / HTTP/1.1\r\nHost: a\r\nX:\n\r\n", 400, "9112 2.2", CLOSES),
    ("bare LF after Content-Length", POST + b"Content-Length: 5\n\r\nabcde", 400, "9112 2.2", CLOSES),
    ("bare LF after Transfer-Encoding", POST + b"Transfer-Encoding: chunked\n\r\n0\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("bare LF after Connection", field(b"Connection: close\nX: b"), 400, "9112 2.2", CLOSES),
    ("bare LF as end of head", b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "9112 2.2", CLOSES),
    ("bare LF as end of a head with a body", POST + b"Content-Length: 5\r\n\nabcde", 400, "9112 2.2", CLOSES),
    ("LF before the request line", b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("CR before the request line", b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("LF after an empty line", b"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("CR everywhere", b"GET / HTTP/1.1\rHost: a\r\r", 400, "9112 2.2", CLOSES),
    ("CR after the request line", b"GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("CR after a field", b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("CR after an empty value", b"GET / HTTP/1.1\r\nHost: a\r\nX:\rY: b\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("CR CR LF", b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("CR CR as end of head", b"GET / HTTP/1.1\r\nHost: a\r\n\r\r", 400, "9112 2.2", CLOSES),
    ("bare CR in a value", field(b"X: a\rb"), 400, "9110 5.5", CLOSES),
    ("bare CR in a name", field(b"X\rY: a"), 400, "9110 5.1", CLOSES),
    ("bare CR in the target", target(b"/a\rb"), 400, "9112 2.2", CLOSES),
    ("LF in the target", target(b"/a\nb"), 400, "9112 2.2", CLOSES),
    # Folding and spaces around fields
    ("folding with a space", field(b"X: a\r\n b"), 400, "9112 5.2", CLOSES),
    ("folding with a tab", field(b"X: a\r\n\tb"), 400, "9112 5.2", CLOSES),
    ("folding behind an empty value", field(b"X:\r\n b"), 400, "9112 5.2", CLOSES),
    ("folding behind a blank value", field(b"X: \t\r\n b"), 400, "9112 5.2", CLOSES),
    ("folding into an empty line", field(b"X: a\r\n "), 400, "9112 5.2", CLOSES),
    ("folding twice", field(b"X:\r\n \r\n b"), 400, "9112 5.2", CLOSES),
    ("folding of an empty value into an empty line", field(b"X:\r\n \r\nY: b"), 400, "9112 5.2", CLOSES),
    ("folding of Host", b"GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", 400, "9112 5.2", CLOSES),
    ("folding of Content-Length", POST + b"Content-Length:\r\n 5\r\n\r\nabcde", 400, "9112 5.2", CLOSES),
    ("folding in Content-Length", POST + b"Content-Length: 1\r\n 0\r\n\r\nabcde", 400, "9112 5.2", CLOSES),
    ("folding of Transfer-Encoding", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, "9112 5.2", CLOSES),
    ("folding in Transfer-Encoding", POST + b"Transfer-Encoding: gzip,\r\n chunked\r\n\r\n0\r\n\r\n", 400, "9112 5.2", CLOSES),
    ("folding of Connection", field(b"Connection:\r\n close"), 400, "9112 5.2", CLOSES),
    ("folding in Connection", field(b"Connection: keep-alive,\r\n close"), 400, "9112 5.2", CLOSES),
    ("folding of Expect", POST + b"Expect:\r\n 100-continue\r\nContent-Length: 5\r\n\r\n", 400, "9112 5.2", CLOSES),
    ("space before the colon", field(b"X : a"), 400, "9112 5.1", CLOSES),
    ("tab before the colon", field(b"X\t: a"), 400, "9112 5.1", CLOSES),
    ("space before the colon of Content-Length", POST + b"Content-Length : 5\r\n\r\nabcde", 400, "9112 5.1", CLOSES),
    ("space before the colon of Transfer-Encoding", POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "9112 5.1",
     CLOSES),
    ("space before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("tab before the first field", b"GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("a blank line instead of the first field", b"GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n", 400, "9112 2.2", CLOSES),
    ("no colon", field(b"novalue"), 400, "9112 5", CLOSES),
    # Names and values
    ("empty name", field(b": a"), 400, "9112 5", CLOSES),
    ("NUL in a name", field(b"X\0Y: a"), 400, "9110 5.1", CLOSES),
    ("control character in a name", field(b"X\x01Y: a"), 400, "9110 5.1", CLOSES),
    ("DEL in a name", field(b"X\x7fY: a"), 400, "9110 5.1", CLOSES),
    ("non-ASCII name", field(b"X\xe9: a"), 400, "9110 5.1", CLOSES),
    *[(f"{c} in a name", field(b"X" + c.encode() + b"Y: a"), 400, "9110 5.6.2", CLOSES) for c in '"(),/;<=>?@[\\]{} '],
    ("NUL in a value", field(b"X: a\0b"), 400, "9110 5.5", CLOSES),
    ("NUL as a value", field(b"X: \0"), 400, "9110 5.5", CLOSES),
    ("SOH in a value", field(b"X: a\x01b"), 400, "9110 5.5", CLOSES),
    ("VT in a value", field(b"X: a\x0bb"), 400, "9110 5.5", CLOSES),
    ("FF in a value", field(b"X: a\x0cb"), 400, "9110 5.5", CLOSES),
    ("ESC in a value", field(b"X: a\x1b[0m"), 400, "9110 5.5", CLOSES),
    ("DEL in a value", field(b"X: a\x7fb"), 400, "9110 5.5", CLOSES),
    ("control character in Connection", field(b"Connection: close\x0b"), 400, "9110 5.5", CLOSES),
    # Host
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400, "9112 3.2", CLOSES),
    ("no Host, other fields", b"GET / HTTP/1.1\r\nX: a\r\n\r\n", 400, "9112 3.2", CLOSES),
    ("no Host with an absolute target", b"GET http://a/ HTTP/1.1\r\n\r\n", 400, "9112 3.2", CLOSES),
    ("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "9112 3.2", CLOSES),
    ("the same Host twice", b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, "9112 3.2", CLOSES),
    ("two Hosts in HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "9112 3.2", CLOSES),
    ("two Hosts, the first one empty", b"GET / HTTP/1.1\r\nHost:\r\nHost: b\r\n\r\n", 400, "9112 3.2", CLOSES),
    *[(f"Host {value!r}", host(value), 400, "9112 3.2", CLOSES) for value in (
        b"a b", b"a, b", b"a,b", b"a@b", b"a/b", b"/", b"a\\b", b"a?b", b"a#b", b"a|b", b"a\xe9", b"http://a", b"a:b", b"a:80:80",
        b"a:-1", b"a%zz", b"[::1", b"::1]", b"[]", b"[::1]x", b"[::1]:x", b"[a/b]", b"a[b]")],
    # Content-Length
    ("Content-Length twice", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400, "9112 6.3", CLOSES),
    ("two Content-Lengths", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400, "9112 6.3", CLOSES),
    ("two Content-Lengths, zero first", POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde", 400, "9112 6.3", CLOSES),
    *[(f"Content-Length {value!r}", length(value), 400, "9112 6.3", CLOSES) for value in (
        b"5, 5", b"5,5", b"5 5", b"+5", b"-5", b"-0", b"0x5", b"5x", b"5.0", b"5e0", b"", b" ", b"abc", b"5;", b'"5"', b"\xb2",
        b"18446744073709551616", b"18446744073709551621", b"99999999999999999999999999", b"5\t\x0b")],
    ("Content-Length over 63 bits", length(b"9223372036854775808"), 413, "9110 15.5.14", CLOSES),
    ("Content-Length of 64 bits", length(b"18446744073709551615"), 413, "9110 15.5.14", CLOSES),
    # Transfer-Encoding
    ("Content-Length, then Transfer-Encoding",
     POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    ("Transfer-Encoding, then Content-Length",
     POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    ("Content-Length 0 and Transfer-Encoding",
     POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    ("Transfer-Encoding, then Content-Length 0",
     POST + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    ("Transfer-Encoding twice",
     POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.3", CLOSES),
    ("two Transfer-Encodings",
     POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, "9112 6.3", CLOSES),
    *[(f"Transfer-Encoding {value!r}", coding(value), 400, "9112 6.3", CLOSES) for value in (
        b"chunked, chunked", b"chunked,chunked", b"chunked, gzip", b"chunked, identity", b"identity", b"gzip", b"xchunked",
        b"chunkedx", b"x chunked", b"chunked x", b"chunked;q=1", b'"chunked"', b"chunked\0", b"\x0bchunked", b"chunked\x0c", b"")],
    ("Transfer-Encoding gzip, chunked", coding(b"gzip, chunked"), 501, "9112 6.1", CLOSES),
    ("Transfer-Encoding gzip,chunked", coding(b"gzip,chunked"), 501, "9112 6.1", CLOSES),
    ("Transfer-Encoding in HTTP/1.0",
     b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    ("Transfer-Encoding in a kept HTTP/1.0",
     b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    # Chunks
    *[(f"chunk size {size!r}", chunks(size + b"\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES) for size in (
        b"0x5", b" 5", b"\t5", b"5 ", b"5\t", b"+5", b"-5", b"", b" ", b"g", b"5g", b"5,", b"5:", b"5\0", b"\xb2", b"5 5",
        b"10000000000000005", b"fffffffffffffffff", b"5\r", b"5;a\0", b"5;a=\x01")],
    ("chunk longer than its size", chunks(b"4\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    ("chunk shorter than its size", chunks(b"6\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    ("chunk without an end", chunks(b"5\r\nabcde0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    ("LF after a chunk size", chunks(b"5\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    ("LF after a chunk extension", chunks(b"5;a=b\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    ("LF after a chunk extension's name", chunks(b"5;a\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    ("LF after a quoted chunk extension", chunks(b'5;a="b"\nabcde\r\n0\r\n\r\n'), 400, "9112 7.1.1", CLOSES),
    ("LF after a semicolon", chunks(b"5;\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    ("LF after a name and a semicolon", chunks(b"5;a;\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    ("LF after a value and a semicolon", chunks(b"5;a=b;\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    ("LF after a quoted value and a semicolon", chunks(b'5;a="b";\nabcde\r\n0\r\n\r\n'), 400, "9112 7.1.1", CLOSES),
    ("LF in a quoted chunk extension", chunks(b'5;a="\n"\r\nabcde\r\n0\r\n\r\n'), 400, "9112 7.1.1", CLOSES),
    ("LF in a chunk extension", chunks(b"5;a\nb\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    ("CR in a chunk extension", chunks(b"5;a\rb\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    ("LF after chunk data", chunks(b"5\r\nabcde\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    ("CR after chunk data", chunks(b"5\r\nabcde\r0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    ("LF after the last chunk", chunks(b"5\r\nabcde\r\n0\n\r\n"), 400, "9112 7.1", CLOSES),
    ("LF as end of the trailers", chunks(b"5\r\nabcde\r\n0\r\n\n"), 400, "9112 7.1", CLOSES),
    ("LF after a trailer", chunks(b"5\r\nabcde\r\n0\r\nX: a\n\r\n"), 400, "9112 7.1.2", CLOSES),
    ("LF between trailers", chunks(b"5\r\nabcde\r\n0\r\nX: a\nY: b\r\n\r\n"), 400, "9112 7.1.2", CLOSES),
    ("LF after an empty trailer", chunks(b"5\r\nabcde\r\n0\r\nX:\nY: b\r\n\r\n"), 400, "9112 7.1.2", CLOSES),
    ("LF as end of the head of trailers", chunks(b"5\r\nabcde\r\n0\r\nX: a\r\n\n"), 400, "9112 7.1.2", CLOSES),
    ("space before the colon of a trailer", chunks(b"0\r\nX : a\r\n\r\n"), 400, "9112 5.1", CLOSES),
    ("folded trailer", chunks(b"0\r\nX: a\r\n b\r\n\r\n"), 400, "9112 5.2", CLOSES),
    ("folded empty trailer", chunks(b"0\r\nX:\r\n b\r\n\r\n"), 400, "9112 5.2", CLOSES),
    ("trailer without a colon", chunks(b"0\r\nGET / HTTP/1.1\r\n\r\n"), 400, "9112 7.1.2", CLOSES),
    ("NUL in a trailer", chunks(b"0\r\nX: \0\r\n\r\n"), 400, "9110 5.5", CLOSES),
    ("Transfer-Encoding as a trailer", chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, "9110 6.5.1", CLOSES),
    # The request line
    ("two spaces before the target", line(b"GET  / HTTP/1.1"), 400, "9112 3", CLOSES),
    ("two spaces before the version", line(b"GET /  HTTP/1.1"), 400, "9112 3", CLOSES),
    ("tab before the target", line(b"GET\t/ HTTP/1.1"), 400, "9112 3", CLOSES),
    ("tab before the version", line(b"GET /\tHTTP/1.1"), 400, "9112 3", CLOSES),
    ("space at the end", line(b"GET / HTTP/1.1 "), 400, "9112 3", CLOSES),
    ("tab at the end", line(b"GET / HTTP/1.1\t"), 400, "9112 3", CLOSES),
    ("space at the start", line(b" GET / HTTP/1.1"), 400, "9112 3", CLOSES),
    ("VT before the target", line(b"GET\x0b/ HTTP/1.1"), 400, "9112 3", CLOSES),
    ("NUL at the start", line(b"\0GET / HTTP/1.1"), 400, "9112 3", CLOSES),
    ("no version", line(b"GET /"), 400, "9112 3", CLOSES),
    ("no version but a space", line(b"GET / "), 400, "9112 3", CLOSES),
    ("HTTP/0.9", b"GET /\r\n", 400, "9112 3", CLOSES),
    ("no target", line(b"GET HTTP/1.1"), 400, "9112 3", CLOSES),
    ("no target but spaces", line(b"GET  HTTP/1.1"), 400, "9112 3", CLOSES),
    ("a method only", line(b"GET"), 400, "9112 3", CLOSES),
    ("a fourth word", line(b"GET / HTTP/1.1 x"), 400, "9112 3", CLOSES),
    ("two targets", line(b"GET / /a HTTP/1.1"), 400, "9112 3", CLOSES),
    *[(f"version {version!r}", line(b"GET / " + version), 400, "9112 2.3", CLOSES) for version in (
        b"http/1.1", b"Http/1.1", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/1.1.1", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/10.1",
        b"HTTP/1,1", b"HTTP/a.b", b"HTTP 1.1", b"HTTP/-1.1", b"HTTP/ 1.1", b"HTTPS/1.1", b"XHTTP/1.1", b"HTTP", b"ICE/1.0",
        b"ICY", b"RTSP/1.0", b"SIP/2.0")],
    *[(f"version {version!r}", line(b"GET / " + version), 505, "9110 15.6.6", CLOSES) for version in (
        b"HTTP/0.9", b"HTTP/0.0", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/2.1", b"HTTP/3.0", b"HTTP/9.9")],
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 501, 505}, "9113 3.4", CLOSES),
    ("half of the HTTP/2 preface", b"PRI * HTTP/2.0\r\nHost: a\r\n\r\n", {400, 501, 505}, "9113 3.4", CLOSES),
    ("SOURCE ICE", line(b"SOURCE / ICE/1.0"), {400, 501}, "9112 3", CLOSES),
    ("ICY reply", b"ICY 200 OK\r\nHost: a\r\n\r\n", {400, 501}, "9112 3", CLOSES),
    ("an HTTP reply", b"HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", {400, 501}, "9112 3", CLOSES),
    ("DESCRIBE RTSP", line(b"DESCRIBE rtsp://a/b RTSP/1.0"), {400, 501}, "9112 3", CLOSES),
    ("OPTIONS RTSP", line(b"OPTIONS * RTSP/1.0"), 400, "9112 3", CLOSES),
    # Methods
    *[(f"method {method}", line(method.encode() + b" / HTTP/1.1"), 501, "9110 9.1", CLOSES) for method in (
        "TRACE", "BREW", "get", "Get", "GETX", "G", "PRI", "SOURCE", "DESCRIBE", "ANNOUNCE", "SETUP", "PLAY", "PAUSE", "TEARDOWN",
        "GET_PARAMETER", "SET_PARAMETER", "REDIRECT", "RECORD", "FLUSH", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PURGE",
        "MKACTIVITY", "CHECKOUT", "MERGE", "BIND", "REBIND", "UNBIND", "ACL", "LINK", "UNLINK", "MKCALENDAR", "QUERY",
        "!#$%&'*+-.^_`|~09")],
    ("CONNECT", line(b"CONNECT a:443 HTTP/1.1"), 501, "9110 9.3.6", CLOSES),
    ("CONNECT with a body", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 5\r\n\r\nabcde", 501, "9110 9.3.6", CLOSES),
    ("CONNECT of a path", line(b"CONNECT / HTTP/1.1"), {400, 501}, "9110 9.3.6", CLOSES),
    ("method with a slash", line(b"G/T / HTTP/1.1"), 400, "9110 9.1", CLOSES),
    ("method with a colon", line(b"Host: / HTTP/1.1"), 400, "9110 9.1", CLOSES),
    ("method with NUL", line(b"G\0T / HTTP/1.1"), 400, "9110 9.1", CLOSES),
    ("method with a non-ASCII byte", line(b"G\xc9T / HTTP/1.1"), 400, "9110 9.1", CLOSES),
    ("garbage", b"\x80\x01\x02\x03\xff\xfe\r\n\r\n", 400, "9112 3", CLOSES),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)), 400, "9112 3", CLOSES),
    ("JSON", b'{"jsonrpc": "2.0"}\r\n\r\n', 400, "9112 3", CLOSES),
    # Targets
    *[(f"target {text!r}", target(text), 400, "9112 3.2", CLOSES) for text in (
        b"/a#b", b"/#", b"#a", b"/a?b#c", b"/a\x01", b"/a\x7f", b"/a\0b", b"/\xe4", b"/a?\xff", b"/a\x0bb", b"a", b"a/b", b"?a",
        b"*", b"**", b"a:80", b"a:443", b"[::1]:80", b"ftp://a/", b"file:///etc/passwd", b"http:", b"http:/", b"http://",
        b"http:///", b"http:///a", b"http://?a", b"https://", b"https:///a", b"http:a", b"httpx://a/", b"http://a b/",
        b"http://user@a/", b"http://user:pass@a/", b"http://a:b/", b"http://[::1/", b"http://a#b")],
    ("OPTIONS **", line(b"OPTIONS ** HTTP/1.1"), 400, "9112 3.2.4", CLOSES),
    ("OPTIONS with an authority", line(b"OPTIONS a:80 HTTP/1.1"), 400, "9112 3.2.3", CLOSES),
    *[(f"path {text!r}", target(text), 400, "3986 2.1, 5.2.4", STAYS) for text in (
        b"/%00", b"/a%00b", b"/%zz", b"/%", b"/%a", b"/a%2", b"/%%41", b"/%0a", b"/%0d%0aX:b", b"/%7f", b"/../x", b"/..", b"/a/../..",
        b"/%2e%2e/x", b"/%2E%2E/x", b"/.%2e/x", b"/..%2fx", b"/a/..%2f..%2fx", b"http://a/../x", b"http://a/%00")],
    # Limits
    ("target too long", target(b"/" + b"a" * 256), 414, "9112 3", CLOSES),
    ("target far too long", target(b"/" + b"a" * 3000), 414, "9112 3", CLOSES),
    ("query too long", target(b"/?" + b"a" * 255), 414, "9112 3", CLOSES),
    ("absolute target too long", target(b"http://a/" + b"a" * 248), 414, "9112 3", CLOSES),
    ("field too large", field(b"X: " + b"a" * 2040), 431, "6585 5", CLOSES),
    ("field far too large", field(b"X: " + b"a" * 20000), 431, "6585 5", CLOSES),
    ("name too large", field(b"X" * 3000 + b": a"), 431, "6585 5", CLOSES),
    ("head one byte too large", field(b"X: " + b"a" * (2049 - len(field(b"X: ")))), 431, "6585 5", CLOSES),
    ("value of spaces too large", field(b"X:" + b" " * 3000 + b"a"), 431, "6585 5", CLOSES),
    ("21 fields", field(b"X: a\r\n" * 19 + b"Y: b"), 431, "6585 5", CLOSES),
    ("100 empty fields", field(b"X:\r\n" * 99 + b"Y:"), 431, "6585 5", CLOSES),
    ("Expect other", POST + b"Expect: other\r\nContent-Length: 5\r\n\r\nabcde", 417, "9110 10.1.1", CLOSES),
    ("Expect 100-continue, other", POST + b"Expect: 100-continue, other\r\nContent-Length: 5\r\n\r\nabcde", 417, "9110 10.1.1",
     CLOSES),
    ("Content-Length over the limit", POST + b"Content-Length: 4097\r\n\r\n" + b"a" * 4097, 413, "9110 15.5.14", CLOSES),
    ("one chunk over the limit", chunks(b"1001\r\n" + b"a" * 4097 + b"\r\n0\r\n\r\n"), 413, "9110 15.5.14", CLOSES),
    ("many chunks over the limit", chunks(b"100\r\n" + b"a" * 256 + b"\r\n" + (b"f00\r\n" + b"a" * 3840 + b"\r\n") * 2), 413,
     "9110 15.5.14", CLOSES),
    ("a chunk size over the limit", chunks(b"ffffffffffffffff\r\n" + b"a" * 4097), 413, "9110 15.5.14", CLOSES),
    ("chunk extension too large", chunks(b"5;" + b"a" * 30000 + b"\r\nabcde\r\n0\r\n\r\n"), {413, 431}, "9112 7.1.1", CLOSES),
    ("chunk extensions too large", chunks((b"1;" + b"a" * 500 + b"\r\na\r\n") * 100), {413, 431}, "9112 7.1.1", CLOSES),
    ("trailer too large", chunks(b"0\r\nX: " + b"a" * 30000 + b"\r\n\r\n"), {413, 431}, "9112 7.1.2", CLOSES),
    ("too many trailers", chunks(b"0\r\n" + b"X: a\r\n" * 5000 + b"\r\n"), {413, 431}, "9112 7.1.2", CLOSES),
]


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    with running(tmp_path_factory, SERVERS, "info") as daemon:
        yield daemon


def named(row):
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in row[0]).replace("/", "|")


def replies(raw):
    """All replies until the daemon closes: the bytes, and how many there were, none of them a surprise to a strict parser."""
    data = raw.recv_until_close()
    raw.buffer, seen = data, []
    while raw.buffer:
        seen.append(raw.response())
    return without_date(data), seen


def whole(daemon, data):
    with daemon.raw(n=0) as raw:
        raw.send(data)
        return replies(raw)


def byte_by_byte(daemon, data):
    with Raw(daemon.unix()) as raw:
        send_pieces(raw, split_all(data))
        return replies(raw)


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_refused(strict, row):
    name, data, status, clause, closes = row
    statuses = status if isinstance(status, set) else {status}
    sent, seen = whole(strict, data + NEXT)
    assert seen[0].status in statuses, f"{name} (RFC {clause}): {seen}"
    assert seen[0].get("Content-Type") == "text/plain; charset=utf-8"
    assert seen[0].text.startswith(f"{seen[0].status} {seen[0].reason}") and seen[0].text.endswith("\n")
    if closes:
        assert len(seen) == 1, f"{name}: went on after it: {seen}"
        assert seen[0].get("Connection") == "close"
    else:
        assert [reply.status for reply in seen[1:]] == [204]
        assert seen[0].get("Connection") is None
    assert byte_by_byte(strict, data + NEXT)[0] == sent


def test_names_are_unique():
    names = [row[0] for row in ROWS]
    assert len(set(names)) == len(names)


def test_head_is_answered_without_content(strict):
    """RFC 9110, 9.3.2: also when it is refused."""
    with strict.raw() as raw:
        raw.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert raw.response("HEAD").status == 400
        raw.closed()


def test_refusals_go_to_the_log(strict):
    since = strict.log.mark()
    whole(strict, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
    strict.log.wait(r"info.*closed \(protocol\): the Host field is not a host name", since=since)
    whole(strict, coding(b"chunked, chunked"))
    strict.log.wait(r"warn.*closed \(security\): chunked must be the last", since=since)


def test_bytes_of_the_client_stay_out_of_the_reply(strict):
    """Nothing that could be taken for a field or markup of ours comes back."""
    for data in (target(b"/<script>"), line(b"<script> / HTTP/1.1"), field(b"X<script>: a"), host(b"<script>")):
        assert b"<script>" not in whole(strict, data + NEXT)[0].split(b"\r\n\r\nmethod ")[0]
