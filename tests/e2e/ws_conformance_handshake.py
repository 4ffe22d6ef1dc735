"""The opening handshake: what becomes a WebSocket, and what is answered to everything else.

Ask("no key", handshake(changes={"Sec-WebSocket-Key": None}), 400, "6455 4.2.1", more checks...)

The parts: what it is about, the bytes of the request, the status ({400, 426}: one of these), RFC and section, and functions of the
reply. With 101 the connection echoes; else it goes on as HTTP, unless the reply says that it ends.
"""
from conformance import body, has, lacks
from ws_raw import KEY, handshake


class Ask:
    """One opening handshake."""

    def __init__(self, name, sent, statuses, clause, *checks, head=False):
        self.name = name
        self.sent = sent
        self.statuses = statuses if isinstance(statuses, set) else {statuses}
        self.clause = clause
        self.checks = checks
        self.head = head

    def id(self):
        return "".join(c if c.isascii() and c.isprintable() else "?" for c in self.name).replace("/", "|")


def ask(name, changes, statuses, clause="6455 4.2.1", *checks, target="/ws"):
    return Ask(name, handshake(target, changes), statuses, clause, *checks)


def field(name, value, statuses, clause="6455 4.2.1", *checks):
    """A handshake that is sound but for one field; None: it is not there, a list: it is there several times."""
    what = "missing" if value is None else repr(value)
    return ask(f"{name}: {what}"[:100], {name: value}, statuses, clause, *checks)


def from_origin(origin, statuses, host="a"):
    return ask(f"from {origin!r}, Host {host}", {"Origin": origin, "Host": host}, statuses, "6455 4.2.2")


def begun(line, changes=None):
    return handshake(changes=changes, start=line)


SOUND = [
    ask("nothing special", {}, 101),
    Ask("a query", handshake("/ws?a=b&c"), 101, "6455 4.2.1"),
    Ask("without compression", handshake("/ws-plain"), 101, "6455 4.2.1", lacks("Sec-WebSocket-Extensions")),
    Ask("an absolute target", begun("GET http://a/ws HTTP/1.1"), 101, "9112 3.2.2"),
    Ask("names in lower case", handshake().replace(b"Upgrade:", b"upgrade:").replace(b"Connection", b"connection").replace(
        b"Sec-WebSocket", b"sec-websocket"), 101, "9110 5.1"),
    Ask("names in upper case", handshake().replace(b"Upgrade:", b"UPGRADE:").replace(b"Connection", b"CONNECTION").replace(
        b"Sec-WebSocket-Key", b"SEC-WEBSOCKET-KEY").replace(b"Sec-WebSocket-Version", b"SEC-WEBSOCKET-VERSION"), 101, "9110 5.1"),
    Ask("no space behind colons", handshake().replace(b": ", b":"), 101, "9112 5"),
    Ask("much space around values", handshake().replace(b": ", b":\t  ").replace(b"\r\n", b" \t \r\n", 5).replace(b" \t \r\n",
        b"\r\n", 1),
        101, "9112 5"),
    ask("what browsers send", {"User-Agent": "Mozilla/5.0", "Accept": "*/*", "Accept-Language": "en-US,en;q=0.5",
        "Origin": "http://a",
        "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive, Upgrade", "Pragma": "no-cache",
        "Cache-Control": "no-cache",
        "Sec-WebSocket-Extensions": "permessage-deflate", "Cookie": "a=b"}, 101),
    ask("no offer, no answer", {}, 101, "6455 4.2.2", lacks("Sec-WebSocket-Extensions"), lacks("Sec-WebSocket-Protocol")),
    ask("Content-Length: 0 is no body", {"Content-Length": "0"}, 101, "9110 8.6"),
    # Without content there is nothing to continue with (RFC 9110, 10.1.1).
    ask("Expect without a body", {"Expect": "100-continue"}, 101, "9110 10.1.1"),
    ask("the answer has no content", {}, 101, "9110 15.2", lacks("Content-Length"), lacks("Transfer-Encoding"),
        lacks("Content-Type"), body(b"")),
]

TOKENS = [
    *[field("Upgrade", value, 101, "9110 7.8") for value in (
        "WebSocket", "WEBSOCKET", "wEbSoCkEt", "h2c, websocket", "websocket, h2c", ", ,websocket,", ["h2c", "websocket"])],
    *[field("Connection", value, 101, "9110 7.6.1") for value in (
        "upgrade", "UPGRADE", "uPgRaDe", "keep-alive, Upgrade", "Upgrade, keep-alive", "keep-alive,Upgrade",
        "a, b\t,\tupgrade , c",
        ", ,Upgrade, ,", ["keep-alive", "Upgrade"], ["Upgrade", "x"], "Upgrade, Upgrade", "x-upgrade, upgrade",
        "Upgrade, HTTP2-Settings")],
    # Not a request for WebSocket: the HTTP handler of the route answers.
    *[field("Upgrade", value, 200, "9110 7.8", lacks("Sec-WebSocket-Accept"), lacks("Upgrade"))
      for value in (None, "h2c", "websockets", "web socket", "x-websocket", "websocket2", "TLS/1.0", "web, socket")],
    *[field("Connection", value, 400) for value in (None, "keep-alive", "x-upgrade", "upgrades", "up grade", "Up, grade",
        "upgrade=1")],
]

KEYS = [
    *[field("Sec-WebSocket-Key", value, 101, "6455 4.2.2") for value in (
        "dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w==", "+/+/+/+/+/+/+/+/+/+/+w==")],
    *[field("Sec-WebSocket-Key", value, 400) for value in (
        None, "", "a", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAA===",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAA AAAAAAAAAAAA==",
        "AAAAAAAAAAA-_AAAAAAAAA==", "AAAAAAAAAAAAAAAAAAA!AA==", "=AAAAAAAAAAAAAAAAAAAAA==", "AA==AAAAAAAAAAAAAAAAAA==",
        '"AAAAAAAAAAAAAAAAAAAAAA=="',
        "AAAAAAAAAAAAAAAAAAAAAA==,", "A" * 1000, "AAAAAAAAAAAAAAAAAAAAAA\u00e4\u00e4", [KEY, KEY], [KEY,
        "AAAAAAAAAAAAAAAAAAAAAA=="],
        f"{KEY}, {KEY}")],
]

# No version at all is wrong without being another one.
VERSIONS = [
    *[field("Sec-WebSocket-Version", value, 426, "6455 4.4") for value in ("0", "1", "7", "8", "12", "14", "130", "255")],
    *[field("Sec-WebSocket-Version", value, {400, 426}) for value in (
        None, "", "013", "13.0", "+13", "-13", "0x0d", "x", "13, 8", "8, 13", "13,", ["13", "13"], ["13", "8"], ["8", "13"],
        "256", "1 3",
        "99999999999999999999", "4294967309")],
]

WRONG = [
    *[Ask(f"{method}", begun(f"{method} /ws HTTP/1.1"), 400, "6455 4.2.1") for method in ("PUT", "DELETE", "OPTIONS", "PATCH")],
    Ask("HEAD", begun("HEAD /ws HTTP/1.1"), 400, "6455 4.2.1", head=True),
    Ask("POST", begun("POST /ws HTTP/1.1", {"Content-Length": "0"}), 400, "6455 4.2.1"),
    Ask("POST with a body", begun("POST /ws HTTP/1.1", {"Content-Length": "5"}) + b"abcde", 400, "6455 4.2.1"),
    Ask("POST with chunks", begun("POST /ws HTTP/1.1", {"Transfer-Encoding": "chunked"}) + b"5\r\nabcde\r\n0\r\n\r\n", 400,
        "6455 4.2.1"),
    Ask("GET with a body", begun("GET /ws HTTP/1.1", {"Content-Length": "5"}) + b"abcde", 400, "6455 4.2.1"),
    Ask("GET with chunks", begun("GET /ws HTTP/1.1", {"Transfer-Encoding": "chunked"}) + b"5\r\nabcde\r\n0\r\n\r\n", 400,
        "6455 4.2.1"),
    Ask("GET with a body like a frame", begun("GET /ws HTTP/1.1", {"Content-Length": "6"}) + b"\x89\x80\0\0\0\0", 400,
        "6455 4.2.1"),
    # RFC 9110 says that Upgrade is ignored then, so that this is not the beginning of a handshake.
    Ask("HTTP/1.0", begun("GET /ws HTTP/1.0"), 200, "9110 7.8", lacks("Upgrade"), lacks("Sec-WebSocket-Accept")),
    Ask("HTTP/1.0 without Host", begun("GET /ws HTTP/1.0", {"Host": None}), 200, "9110 7.8", lacks("Upgrade")),
    Ask("no Host", handshake(changes={"Host": None}), 400, "9112 3.2"),
    Ask("two Hosts", handshake(changes={"Host": ["a", "a"]}), 400, "9112 3.2"),
    Ask("nothing there", handshake("/missing"), 404, "9110 15.5.5"),
    Ask("below it there is nothing", handshake("/ws/"), 404, "9110 15.5.5"),
    Ask("a route without WebSocket", handshake("/"), 200, "9110 7.8", body(b"hello world\n"), lacks("Upgrade")),
    Ask("a route with a fixed status", handshake("/gone"), 410, "9110 7.8", lacks("Upgrade")),
    Ask("a redirect", handshake("/moved"), 308, "9110 7.8", has("Location", "/empty")),
    ask("everything wrong", {"Connection": None, "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": None}, {400, 426}),
]

ORIGINS = [
    *[from_origin(origin, 101, host) for origin, host in (
        (None, "a"), ("http://a", "a"), ("https://a", "a"), ("http://a", "A"), ("http://a:8080", "a:8080"), ("http://a:80", "a"),
        ("http://a", "a:80"), ("http://127.0.0.1:8091", "127.0.0.1:8091"), ("http://[::1]:8091", "[::1]:8091"), ("http://[::1]",
        "[::1]"))],
    *[from_origin(origin, 403, host) for origin, host in (
        ("null", "a"), ("", "a"), ("http://b", "a"), ("http://a.b", "a"), ("http://b.a", "a"), ("http://aa", "a"), ("http://a",
        "aa"),
        ("http://a:8080", "a"), ("http://a", "a:8080"), ("http://a:8081", "a:8080"), ("http://a:808", "a:8080"),
        ("http://a:8080", "a:808"),
        ("http://a/", "a"), ("http://a/b", "a"), ("http://a@b", "a"), ("http://b@a", "a"), ("http://a#b", "a"), ("a", "a"),
        ("//a", "a"),
        ("http:a", "a"), ("http://", "a"), ("http://a http://b", "a"), ("http://a, http://a", "a"), ("http://a:", "a:8080"),
        (["http://a", "http://a"], "a"), (["http://a", "http://b"], "a"), (["http://b", "http://a"], "a"), ("http://[::2]",
        "[::1]"))],
    Ask("an origin that plain HTTP does not look at", handshake("/ws", {"Upgrade": None, "Connection": None,
        "Origin": "http://b"}), 200,
        "6455 4.2.2"),
]

# The handler of the route speaks none, so that none is chosen, and the client decides (RFC 6455, 4.2.2, 5.5).
PROTOCOLS = [
    *[ask(f"subprotocols {name}", {"Sec-WebSocket-Protocol": value}, 101, "6455 4.2.2",
        lacks("Sec-WebSocket-Protocol")) for name, value in (
        ("chat", "chat"), ("two", "chat, superchat"), ("fields", ["chat", "superchat", "x"]), ("sixty",
        ", ".join(f"p{i}" for i in range(60))),
        ("odd", "!#$%&'*+-.^_`|~"), ("twice", "chat, chat"))],
]

ROWS = SOUND + TOKENS + KEYS + VERSIONS + WRONG + ORIGINS + PROTOCOLS
