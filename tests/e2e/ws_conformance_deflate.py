"""permessage-deflate: what is agreed upon, and compressed messages made by hand. Groups 12 and 13 of the Autobahn suite, with
their many messages, are made from OFFERS, SIZES and CONTENTS by test_ws_deflate.py."""
import itertools
import zlib

from ws_conformance import BAD_DATA, PROTOCOL_ERROR, TOO_BIG, Row, given, letters, mixed, ponged, prose, said
from ws_raw import BINARY, TEXT, Deflater, binary, close, cut, fragments, frame, more, ping, pong, text

PLAIN = "permessage-deflate"


def packed(data, **options):
    """The payload of a message that knows nothing of those before it."""
    return Deflater(forgets=True, **options).message(data)


def stream(*messages, opcode=TEXT):
    """Frames of messages compressed one after the other, each with the ones before it as context."""
    deflater = Deflater()
    return b"".join(frame(opcode, deflater.message(data), rsv=4) for data in messages)


def row(name, clause, sent, back=(), *end, **options):
    return Row(f"compressed: {name}", clause, sent, back, *end, deflate=True, **options)


# The example of RFC 7692, 7.2.3
HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"
AGAIN = b"\xf2\x00\x11\x00\x00"
STORED = b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"
FINAL = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
TWO_BLOCKS = b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"

SOUND = [
    row("the example, one block", "7692 7.2.3.1", text(HELLO, rsv=4), [said("Hello")]),
    row("the example, two frames", "7692 7.2.3.1", fragments(TEXT, [HELLO[:3], HELLO[3:]], rsv=4), [said("Hello")]),
    row("the example, with the window", "7692 7.2.3.2", [text(HELLO, rsv=4), text(AGAIN, rsv=4)], [said("Hello")] * 2),
    row("the example, without compression", "7692 7.2.3.3", text(STORED, rsv=4), [said("Hello")]),
    row("the example, BFINAL set", "7692 7.2.3.4", text(FINAL, rsv=4), [said("Hello")]),
    row("the example, two blocks", "7692 7.2.3.5", text(TWO_BLOCKS, rsv=4), [said("Hello")]),
    row("BFINAL set, then another message", "7692 7.2.3.4", [text(FINAL, rsv=4), text(HELLO, rsv=4)], [said("Hello")] * 2),
    row("BFINAL set in a fragment that is not the last", "7692 7.2.3.4", fragments(TEXT, [FINAL[:-1], b"", FINAL[-1:]], rsv=4),
        [said("Hello")]),
    row("an empty message", "7692 7.2.3.6", text(b"\0", rsv=4), [said()]),
    row("an empty binary message", "7692 7.2.3.6", binary(b"\0", rsv=4), [given()]),
    row("an empty message in fragments", "7692 7.2.3.6", fragments(TEXT, [b"", b"\0", b""], rsv=4), [said()]),
    row("empty messages, between others", "7692 7.2.3.6", stream(b"a", b"", b"", b"a"), [said("a"), said(), said(), said("a")]),
    row("a message by zlib", "7692 7.2.1", stream(prose(3000)), [said(prose(3000))]),
    row("messages that share the window", "7692 7.2.1", stream(prose(900), prose(900), prose(1000)),
        [said(prose(900)), said(prose(900)), said(prose(1000))]),
    *[row(f"level {level}", "7692 7.2.1", binary(packed(mixed(3000), level=level), rsv=4),
        [given(mixed(3000))]) for level in range(10)],
    row("not compressed", "7692 6", text("Hello"), [said("Hello")]),
    row("not compressed, between compressed ones", "7692 6", [text(HELLO, rsv=4), text("plain"), binary(b"\xff"), text(AGAIN,
        rsv=4)],
        [said("Hello"), said("plain"), given(b"\xff"), said("Hello")]),
    row("not compressed, in fragments", "7692 6.1", fragments(TEXT, ["a", "b"]) + [text(HELLO, rsv=4)], [said("ab"),
        said("Hello")]),
    row("fragments of one byte", "7692 6.1", fragments(TEXT, cut(HELLO, 1), rsv=4), [said("Hello")]),
    row("fragments of one byte of much text", "7692 6.1", fragments(TEXT, cut(packed(prose(2000)), 1), rsv=4),
        [said(prose(2000))]),
    row("empty fragments among others", "7692 6.1", fragments(TEXT, [b"", HELLO[:3], b"", b"", HELLO[3:], b""], rsv=4),
        [said("Hello")]),
    row("pings between fragments", "7692 6.1", [text(HELLO[:3], fin=False, rsv=4), ping("a"), more(HELLO[3:5], fin=False),
        ping("b"), pong(),
        more(HELLO[5:])], [ponged("a"), ponged("b"), said("Hello")]),
    row("a ping is never compressed", "7692 6.1", [ping(HELLO), text(HELLO, rsv=4)], [ponged(HELLO), said("Hello")]),
    row("much text in a few bytes", "7692 7.2.2", text(packed(letters(1 << 20)), rsv=4), [said(letters(1 << 20))]),
    row("what cannot be compressed", "7692 7.2.3.3", binary(packed(zlib.compress(prose(200000), 9)), rsv=4),
        [given(zlib.compress(prose(200000), 9))]),
    row("a character cut by fragments", "7692 6.1", fragments(TEXT, cut(packed("€\U0001f600€".encode()), 2), rsv=4),
        [said("€\U0001f600€")]),
    row("many flushes inside a message", "7692 7.2.3.5", text(b"\0\0\0\xff\xff" * 50 + HELLO, rsv=4), [said("Hello")]),
    row("a message inside the window of 2^15 bytes", "7692 7.1.2.2",
        stream(mixed(1021)[::-1], zlib.compress(prose(90000), 9)[:30000], mixed(1021)[::-1], opcode=BINARY),
        [given(mixed(1021)[::-1]), given(zlib.compress(prose(90000), 9)[:30000]), given(mixed(1021)[::-1])]),
]

BROKEN = [
    row("garbage", "7692 7.2.2", binary(b"\xff" * 20, rsv=4), end=BAD_DATA),
    row("garbage in text", "7692 7.2.2", text("Hello", rsv=4), end=BAD_DATA),
    row("garbage behind a sound message", "7692 7.2.2", [text(HELLO, rsv=4), text(b"\xfe\xff\xff", rsv=4)], [said("Hello")],
        BAD_DATA),
    row("a block of the reserved type", "7692 7.2.2", binary(b"\x06\x00", rsv=4), end=BAD_DATA),
    row("a stored block whose lengths differ", "7692 7.2.2", binary(b"\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00", rsv=4),
        end=BAD_DATA),
    row("a distance before the beginning", "7692 7.2.2", text(AGAIN, rsv=4), end=BAD_DATA),
    row("the format of zlib", "7692 7.2.1", binary(zlib.compress(mixed(100)), rsv=4), end=BAD_DATA),
    row("the format of gzip", "7692 7.2.1", binary(b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + HELLO, rsv=4), end=BAD_DATA),
    row("garbage, seen inside a message", "7692 7.2.2", binary(b"\xff" * 20, rsv=4, fin=False), end=BAD_DATA, bare=True),
    row("not UTF-8", "6455 8.1", text(packed(b"Hello \xff"), rsv=4), end=BAD_DATA),
    row("half a character at the end", "6455 8.1", text(packed(b"a\xe2\x82"), rsv=4), end=BAD_DATA),
    row("a surrogate", "6455 8.1", text(packed(b"a\xed\xa0\x80b" * 10), rsv=4), end=BAD_DATA),
    row("not UTF-8, in fragments", "6455 8.1", fragments(TEXT, cut(packed(b"a\xc0\x80"), 1), rsv=4), end=BAD_DATA),
    row("not UTF-8, but binary", "6455 5.6", binary(packed(b"\xff\xfe"), rsv=4), [given(b"\xff\xfe")]),
    *[row(f"reserved bits {rsv:03b}", "6455 5.2", text(HELLO, rsv=rsv), end=PROTOCOL_ERROR) for rsv in (1, 2, 3, 5, 6, 7)],
    *[row(f"{name} with RSV1", "7692 6.1", each, end=PROTOCOL_ERROR) for name, each in (
        ("ping", ping(rsv=4)), ("pong", pong(rsv=4)), ("close", close(rsv=4)), ("ping with data", ping(HELLO, rsv=4)))],
    row("a continuation with RSV1", "7692 6.1", [text(HELLO[:3], fin=False, rsv=4), more(HELLO[3:], rsv=4)], end=PROTOCOL_ERROR),
    row("RSV1 with the continuation only", "7692 6.1", [text("a", fin=False), more(HELLO, rsv=4)], end=PROTOCOL_ERROR),
    row("an unknown opcode with RSV1", "6455 5.2", frame(3, HELLO, rsv=4), end=PROTOCOL_ERROR),
    row("compressed without mask", "6455 5.1", text(HELLO, rsv=4, mask=None), end=PROTOCOL_ERROR),
]

SMALL = [
    row("at the limit", "6455 7.4.1", text(packed(letters(1024)), rsv=4), [said(letters(1024))], target="/ws-small"),
    row("above the limit", "6455 7.4.1", text(packed(letters(1025)), rsv=4), end=TOO_BIG, target="/ws-small"),
    row("above the limit in two fragments", "6455 7.4.1", fragments(BINARY, cut(packed(mixed(1025)), 600), rsv=4), end=TOO_BIG,
        target="/ws-small"),
    row("fragments at the limit", "6455 7.4.1", fragments(BINARY, cut(packed(prose(1024)), 7), rsv=4), [given(prose(1024))],
        target="/ws-small"),
    row("at the limit, though more with its own bytes", "6455 7.4.1", binary(packed(mixed(1024), level=0), rsv=4),
        [given(mixed(1024))],
        target="/ws-small"),
    row("1 MiB in a few bytes", "6455 7.4.1", binary(packed(bytes(1 << 20)), rsv=4), end=TOO_BIG, target="/ws-small"),
    row("1 MiB in a few bytes behind a sound message", "6455 7.4.1", [text(HELLO, rsv=4), binary(packed(bytes(1 << 20)), rsv=4)],
        [said("Hello")], TOO_BIG, target="/ws-small"),
    row("1 MiB in a few bytes, seen inside a message", "6455 7.4.1", binary(packed(bytes(1 << 20))[:900], rsv=4, fin=False),
        end=TOO_BIG,
        bare=True, target="/ws-small"),
]

ROWS = SOUND + BROKEN + SMALL

# What may be agreed upon. (what it is about, values of Sec-WebSocket-Extensions, the offers of which one has to be accepted); no
# offers: the connection goes without.


def words(offer):
    """A sound offer as it is written."""
    return "; ".join([PLAIN, *(name if value is True else f"{name}={value}" for name, value in offer.items())])


def offers():
    """All combinations; the suite has some of them as 13.1 to 13.6."""
    for server, client, mine, yours in itertools.product((False, True), (False, True), (None, 9, 12, 15), (None, True, 9, 12,
    15)):
        offer = {"server_no_context_takeover": server or None, "client_no_context_takeover": client or None,
                 "server_max_window_bits": mine, "client_max_window_bits": yours}
        yield {name: value for name, value in offer.items() if value is not None}


OFFERS = list(offers())
NO_TAKEOVER = {"server_no_context_takeover": True}
BOTH_FORGET = {"server_no_context_takeover": True, "client_no_context_takeover": True}
NINE = {"server_max_window_bits": 9}
FALLBACK = {"server_no_context_takeover": True, "server_max_window_bits": 9}


def declined(parameter):
    return f"declined: {parameter}", [f"{PLAIN}; {parameter}"], []


AGREEMENTS = [
    ("none is offered", [], []),
    ("the bare offer", [PLAIN], [{}]),
    *[(f"13 {words(offer)[len(PLAIN) + 2:]}", [words(offer)], [offer]) for offer in OFFERS if offer],
    ("13.7 the first of three", [f"{words(FALLBACK)}, {words(NO_TAKEOVER)}, {PLAIN}"], [FALLBACK]),
    ("the first of two fields", [words(BOTH_FORGET), PLAIN], [BOTH_FORGET]),
    ("the second of two fields", ["x-unknown", words(NINE)], [NINE]),
    ("an unknown extension", ["x-webkit-deflate-frame"], []),
    ("an unknown extension with parameters", ['foo; a=1; b="c"; e'], []),
    ("an unknown extension first", [f"foo; server_max_window_bits=9, {words(NO_TAKEOVER)}"], [NO_TAKEOVER]),
    ("an unknown extension last", [f"{words(NO_TAKEOVER)}, foo"], [NO_TAKEOVER]),
    ("a quoted number", [f'{PLAIN}; server_max_window_bits="10"'], [{"server_max_window_bits": 10}]),
    ("a quoted number of the client", [f'{PLAIN}; client_max_window_bits="10"'], [{"client_max_window_bits": 10}]),
    ("a number with a quoted pair", [f'{PLAIN}; server_max_window_bits="1\\0"'], [{"server_max_window_bits": 10}]),
    ("no space", [f"{PLAIN};server_no_context_takeover;server_max_window_bits=9,foo"], [FALLBACK]),
    ("much space", [f"  {PLAIN} \t;\t server_no_context_takeover  ; server_max_window_bits=9 \t, foo"], [FALLBACK]),
    ("empty elements", [f", ,{words(NO_TAKEOVER)}, ,"], [NO_TAKEOVER]),
    ("parameters in another order", [f"{PLAIN}; server_max_window_bits=9; server_no_context_takeover"], [FALLBACK]),
    ("the same offer twice", [f"{PLAIN}, {PLAIN}"], [{}]),
    # A server need not have a window of 2^8 bytes; it takes the fallback then.
    ("a window of 8, then the bare offer", [f"{PLAIN}; server_max_window_bits=8, {words(NO_TAKEOVER)}"],
     [{"server_max_window_bits": 8}, NO_TAKEOVER]),
    ("a client's window of 8", [f"{PLAIN}; client_max_window_bits=8"], [{"client_max_window_bits": 8}]),
    ("a broken offer, then a sound one", [f"{PLAIN}; server_max_window_bits=16, {words(NO_TAKEOVER)}"], [NO_TAKEOVER]),
    ("an unknown parameter, then a sound offer", [f"{PLAIN}; x=1, {words(NINE)}"], [NINE]),
    *map(declined, ["x", "x=1", "server_no_context_takeover=1", "client_no_context_takeover=true", "server_max_window_bits",
                    "server_no_context_takeover; server_no_context_takeover",
                    "client_no_context_takeover; client_no_context_takeover",
                    "server_max_window_bits=9; server_max_window_bits=9", "client_max_window_bits; client_max_window_bits",
                    "client_max_window_bits=9; client_max_window_bits", "server_no_context_takeover; x"]),
    *map(declined, [f"{name}={value}" for name in ("server_max_window_bits", "client_max_window_bits")
                    for value in ("0", "1", "7", "16", "09", "015", "+9", "9x", "0x9", "-9", "99999999999999999999", "1e1",
                    "10.0", '"16"', '"09"')]),
]

# Not what the grammar of the field allows (RFC 6455, 9.1): the handshake fails.
MALFORMED = ["permessage-deflate;", "permessage-deflate; ;server_no_context_takeover", "permessage-deflate; =1", "; a", "a b",
"a;b c",
             'a; b="c', 'a; b="c d"', 'a; b=""', 'a; b="x, permessage-deflate; y"', "a; b=", "a/b", "a; b=c=d",
             "permessage-deflate; server_max_window_bits=", "permessage-deflate; a=\x01"]

# The data of groups 12 and 13
SIZES = [0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072]
FRAGMENT_SIZES = [256, 1024, 4096, 8192, 16384, 32768]
