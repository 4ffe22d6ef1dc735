"""Framing, pings, reserved bits, opcodes, fragmentation, masks, lengths: groups 1 to 5 of the Autobahn suite, and more."""
from ws_conformance import PROTOCOL_ERROR, TOO_BIG, Row, given, letters, mixed, ponged, said
from ws_raw import BINARY, CLOSE, PING, PONG, TEXT, binary, close, cut, fragments, frame, more, ping, pong, text

SIZES = [0, 125, 126, 127, 128, 65535, 65536]
CHOPS = [997, 1000, 4096]

FRAMING = [
    *[Row(f"1.1.{i} text of {size} bytes", "6455 5.2", text(letters(size)), [said(letters(size))]) for i,
        size in enumerate(SIZES, 1)],
    *[Row(f"1.2.{i} binary of {size} bytes", "6455 5.2", binary(mixed(size)), [given(mixed(size))]) for i,
        size in enumerate(SIZES, 1)],
    *[Row(f"1.1.8 text of 65536 bytes in frames of {size}", "6455 5.4", fragments(TEXT, cut(letters(65536), size)),
          [said(letters(65536))]) for size in CHOPS],
    *[Row(f"1.2.8 binary of 65536 bytes in frames of {size}", "6455 5.4", fragments(BINARY, cut(mixed(65536), size)),
          [given(mixed(65536))]) for size in CHOPS],
    *[Row(f"text of {size} bytes", "6455 5.2", text(letters(size)), [said(letters(size))]) for size in (1, 2, 3, 4, 5, 7, 8, 9,
        124)],
    *[Row(f"binary of {size} bytes", "6455 5.2", binary(mixed(size)), [given(mixed(size))]) for size in (
        *range(1, 34), 63, 64, 65, 129, 255, 256, 4095, 4096, 4097, 16383, 16384, 16385, 65534, 65537, 131072)],
    Row("three messages", "6455 5.4", [text("a"), binary(b"\0"), text("b")], [said("a"), given(b"\0"), said("b")]),
    Row("empty messages", "6455 5.2", [text(), binary(), text()], [said(), given(), said()]),
    Row("NUL in text", "6455 5.6", text(b"a\0b\0"), [said(b"a\0b\0")]),
    Row("what looks like frames", "6455 5.2", binary(frame(CLOSE, b"\3\xe8", mask=None) * 9), [given(b"\x88\2\3\xe8" * 9)]),
    Row("no frame at all", "6455 5.2", b""),
]

MASKS = [
    *[Row(f"mask {mask.hex()}", "6455 5.3", [binary(mixed(size), mask=mask) for size in (1, 3, 4, 5, 8, 130)],
          [given(mixed(size)) for size in (1, 3, 4, 5, 8, 130)])
      for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"\1\0\0\0", b"\x80\x81\x82\x83")],
    Row("another mask for each fragment", "6455 5.3", [text("abc", fin=False, mask=b"\1\2\3\4"), more("defgh", fin=False,
        mask=b"\5\6\7\x08"),
        ping("p", mask=b"\x09\0\0\0"), more("i", mask=b"\0\0\0\0")], [ponged("p"), said("abcdefghi")]),
    Row("text without mask", "6455 5.1", text("a", mask=None), end=PROTOCOL_ERROR),
    Row("empty text without mask", "6455 5.1", text(mask=None), end=PROTOCOL_ERROR),
    Row("binary without mask", "6455 5.1", binary(mixed(200), mask=None), end=PROTOCOL_ERROR),
    Row("large binary without mask", "6455 5.1", binary(mixed(70000), mask=None), end=PROTOCOL_ERROR),
    Row("ping without mask", "6455 5.1", ping("a", mask=None), end=PROTOCOL_ERROR),
    Row("pong without mask", "6455 5.1", pong(mask=None), end=PROTOCOL_ERROR),
    Row("close without mask", "6455 5.1", close(mask=None), end=PROTOCOL_ERROR),
    Row("a continuation without mask", "6455 5.1", [text("a", fin=False), more("b", mask=None)], end=PROTOCOL_ERROR),
    Row("the second message without mask", "6455 5.1", [text("a"), text("b", mask=None)], [said("a")], PROTOCOL_ERROR),
    Row("no mask, known from two bytes", "6455 5.1", b"\x81\x05", end=PROTOCOL_ERROR, bare=True),
]


def short(opcode, size, form, **options):
    return frame(opcode, letters(size), form=form, **options)


LENGTHS = [
    *[Row(f"{size} bytes in a length of 16 bits", "6455 5.2", short(TEXT, size, 16), end=PROTOCOL_ERROR) for size in (0, 1, 5,
        124, 125)],
    *[Row(f"{size} bytes in a length of 64 bits", "6455 5.2", short(BINARY, size, 64), end=PROTOCOL_ERROR)
      for size in (0, 1, 125, 126, 127, 65534, 65535)],
    *[Row(f"ping with {size} bytes in a length of {form} bits", "6455 5.2", short(PING, size, form), end=PROTOCOL_ERROR)
      for size in (0, 5) for form in (16, 64)],
    Row("close in a length of 16 bits", "6455 5.2", close(form=16), end=PROTOCOL_ERROR),
    Row("a continuation in a length of 16 bits", "6455 5.2", [text("a", fin=False), more("b", form=16)], end=PROTOCOL_ERROR),
    Row("too wide a length behind a sound message", "6455 5.2", [text("a"), short(TEXT, 5, 64)], [said("a")], PROTOCOL_ERROR),
    Row("too wide a length, known from the header", "6455 5.2", text("a" * 100, form=16, keep=0), end=PROTOCOL_ERROR, bare=True),
    *[Row(f"length {length:#x}, opcode {opcode}", "6455 5.2", frame(opcode, form=64, length=length), end=PROTOCOL_ERROR,
        bare=True)
      for opcode in (TEXT, BINARY) for length in (1 << 63, (1 << 63) + 1, (1 << 64) - 1)],
    *[Row(f"length {length:#x}", "6455 7.4.1", frame(BINARY, form=64, length=length), end=TOO_BIG, bare=True)
      for length in ((1 << 63) - 1, 1 << 62, 1 << 32, (1 << 32) + 5, 1 << 31, (64 << 20) + 1)],
]

SMALL = [
    Row("a message at the limit", "6455 7.4.1", text(letters(1024)), [said(letters(1024))], target="/ws-small"),
    Row("a message above the limit", "6455 7.4.1", text(letters(1025)), end=TOO_BIG, target="/ws-small"),
    Row("above the limit, known from the header", "6455 7.4.1", binary(length=1025), end=TOO_BIG, bare=True, target="/ws-small"),
    Row("far above the limit", "6455 7.4.1", binary(mixed(70000)), end=TOO_BIG, target="/ws-small"),
    Row("fragments at the limit", "6455 7.4.1", fragments(BINARY, [mixed(512), mixed(511), b"a", b""]),
        [given(mixed(512) + mixed(511) + b"a")],
        target="/ws-small"),
    Row("fragments above the limit", "6455 7.4.1", fragments(BINARY, [mixed(512), mixed(513)]), end=TOO_BIG, target="/ws-small"),
    Row("fragments above the limit, known from the header", "6455 7.4.1", [text(letters(1000), fin=False), more(length=25,
        fin=False)],
        end=TOO_BIG, bare=True, target="/ws-small"),
    Row("fragments of one byte above the limit", "6455 7.4.1", fragments(TEXT, cut(letters(1025), 1)), end=TOO_BIG,
        target="/ws-small"),
    Row("two messages at the limit", "6455 7.4.1", text(letters(1024)) * 2, [said(letters(1024))] * 2, target="/ws-small"),
    Row("a control frame does not count", "6455 5.4", [text(letters(1000), fin=False), ping(letters(125)), more(letters(24))],
        [ponged(letters(125)), said(letters(1024))], target="/ws-small"),
    Row("a sound message, then one above the limit", "6455 7.4.1", [text("a"), text(letters(1025))], [said("a")], TOO_BIG,
        target="/ws-small"),
]

PINGS = [
    Row("2.1 ping without data", "6455 5.5.2", ping(), [ponged()]),
    Row("2.2 ping with text", "6455 5.5.2", ping("Hello, world!"), [ponged("Hello, world!")]),
    Row("2.3 ping with bytes", "6455 5.5.2", ping(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
        [ponged(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")]),
    Row("2.4 ping with 125 bytes", "6455 5.5", ping(b"\xfe" * 125), [ponged(b"\xfe" * 125)]),
    Row("2.5 ping with 126 bytes", "6455 5.5", ping(b"\xfe" * 126), end=PROTOCOL_ERROR),
    Row("2.5 ping with 126 bytes behind a message", "6455 5.5", [text("a"), ping(b"\xfe" * 126)], [said("a")], PROTOCOL_ERROR),
    Row("2.6 ping with 125 bytes, in pieces", "6455 5.5.2", [ping(b"\xfe" * 125), ping()], [ponged(b"\xfe" * 125), ponged()]),
    Row("2.7 pong nobody asked for", "6455 5.5.3", pong()),
    Row("2.8 pong with data nobody asked for", "6455 5.5.3", pong("unsolicited pong payload")),
    Row("2.9 pong, then ping", "6455 5.5.3", [pong("unsolicited"), ping("ping payload")], [ponged("ping payload")]),
    Row("2.10 ten pings", "6455 5.5.2", [ping(f"payload-{i}") for i in range(10)], [ponged(f"payload-{i}") for i in range(10)]),
    Row("2.11 ten pings with much data", "6455 5.5.2", [ping(letters(115) + b"%d" % i) for i in range(10)],
        [ponged(letters(115) + b"%d" % i) for i in range(10)]),
    Row("pong with 125 bytes", "6455 5.5", pong(letters(125))),
    Row("pong with 126 bytes", "6455 5.5", pong(letters(126)), end=PROTOCOL_ERROR),
    Row("close with 126 bytes", "6455 5.5", close(1000, letters(124)), end=PROTOCOL_ERROR),
    *[Row(f"{name} with {size} bytes, known from the header", "6455 5.5", frame(opcode, length=size), end=PROTOCOL_ERROR,
        bare=True)
      for name, opcode in (("ping", PING), ("pong", PONG), ("close", CLOSE)) for size in (126, 65536, 1 << 40)],
    Row("ping is not text", "6455 5.5.2", ping(b"\xff\xc0\x80"), [ponged(b"\xff\xc0\x80")]),
    Row("pings among messages", "6455 5.5.2", [ping("1"), text("a"), ping("2"), binary(b"b"), ping("3")],
        [ponged("1"), said("a"), ponged("2"), given(b"b"), ponged("3")]),
    Row("pongs among messages", "6455 5.5.3", [pong("1"), text("a"), pong("2"), pong(), text("b")], [said("a"), said("b")]),
]


def reserved(number, rsv, frames, back, **options):
    return Row(f"{number} reserved bits {rsv:03b} in {options.pop('what')}".lstrip(), "6455 5.2", frames, back, PROTOCOL_ERROR,
        **options)


RESERVED = [
    *[reserved("3.1", rsv, text("Hello", rsv=rsv), [], what="text") for rsv in range(1, 8)],
    *[reserved("3.2", rsv, [text("a"), text("Hello", rsv=rsv), ping()], [said("a")], what="the second text") for rsv in range(1,
        8)],
    *[reserved("3.3", rsv, [text("a"), text(letters(200), rsv=rsv), ping()], [said("a")], what="longer text") for rsv in range(1,
        8)],
    *[reserved("3.4", rsv, [text("a"), ping("p"), text(rsv=rsv)], [said("a"), ponged("p")],
        what="empty text") for rsv in range(1, 8)],
    *[reserved("3.5", rsv, binary(mixed(8), rsv=rsv), [], what="binary") for rsv in range(1, 8)],
    *[reserved("3.6", rsv, ping("Hello", rsv=rsv), [], what="ping") for rsv in range(1, 8)],
    *[reserved("3.7", rsv, close(rsv=rsv), [], what="close") for rsv in range(1, 8)],
    *[reserved("", rsv, pong(rsv=rsv), [], what="pong") for rsv in range(1, 8)],
    *[reserved("", rsv, [text("a", fin=False), more("b", rsv=rsv)], [], what="a continuation") for rsv in range(1, 8)],
    *[reserved("", rsv, [text("a", fin=False), more("b", fin=False, rsv=rsv)], [],
        what="a middle continuation") for rsv in range(1, 8)],
    *[reserved("", rsv, [text("a", fin=False), ping("b", rsv=rsv)], [], what="a ping inside a message") for rsv in range(1, 8)],
    *[reserved("", rsv, text(letters(500), rsv=rsv, keep=0), [], what="text, known from the header", bare=True) for rsv in (1, 2,
        4)],
]

OPCODES = [
    row for group, codes in (("4.1", range(3, 8)), ("4.2", range(11, 16))) for i, code in enumerate(codes, 1) for row in (
        Row(f"{group}.{i} opcode {code}, empty", "6455 5.2", frame(code), end=PROTOCOL_ERROR),
        Row(f"{group}.{i} opcode {code} with data", "6455 5.2", frame(code, b"reserved opcode payload"), end=PROTOCOL_ERROR),
        Row(f"{group}.{i} opcode {code} behind text", "6455 5.2", [text("Hello"), frame(code), ping()], [said("Hello")],
            PROTOCOL_ERROR),
        Row(f"{group}.{i} opcode {code} with data behind text", "6455 5.2", [text("Hello"), frame(code, b"data"), ping()],
            [said("Hello")],
            PROTOCOL_ERROR),
        Row(f"{group}.{i} opcode {code} inside a message", "6455 5.2", [text("a", fin=False), frame(code, b"b"), more("c")],
            end=PROTOCOL_ERROR),
        Row(f"{group}.{i} opcode {code} without FIN", "6455 5.2", frame(code, b"a", fin=False), end=PROTOCOL_ERROR),
        Row(f"{group}.{i} opcode {code}, known from the header", "6455 5.2", frame(code, length=100), end=PROTOCOL_ERROR,
            bare=True))
]


def interleaved(pieces, between, opcode=TEXT):
    """Fragments with a ping behind each but the last."""
    frames = fragments(opcode, pieces)
    return [part for i, each in enumerate(frames) for part in ([each, ping(between(i))] if i < len(frames) - 1 else [each])]


FRAGMENTS = [
    Row("5.1 ping in two fragments", "6455 5.5", fragments(PING, ["fragment1", "fragment2"]), end=PROTOCOL_ERROR),
    Row("5.2 pong in two fragments", "6455 5.5", fragments(PONG, ["fragment1", "fragment2"]), end=PROTOCOL_ERROR),
    Row("close in two fragments", "6455 5.5", fragments(CLOSE, [b"\3\xe8", b"bye"]), end=PROTOCOL_ERROR),
    *[Row(f"empty {name} without FIN", "6455 5.5", frame(opcode, fin=False), end=PROTOCOL_ERROR)
      for name, opcode in (("ping", PING), ("pong", PONG), ("close", CLOSE))],
    Row("ping without FIN inside a message", "6455 5.5", [text("a", fin=False), ping("b", fin=False), more("c")],
        end=PROTOCOL_ERROR),
    Row("5.3 text in two fragments", "6455 5.4", fragments(TEXT, ["fragment1", "fragment2"]), [said("fragment1fragment2")]),
    Row("5.4 text in two fragments, in pieces", "6455 5.4", fragments(TEXT, ["fragment1", "fragment2"]) + fragments(TEXT, ["a",
        "b"]),
        [said("fragment1fragment2"), said("ab")]),
    Row("5.5 binary in two fragments", "6455 5.4", fragments(BINARY, [b"\0\1", b"\xff"]), [given(b"\0\1\xff")]),
    Row("5.6 ping between two fragments", "6455 5.4", interleaved(["fragment1", "fragment2"], "ping {}".format),
        [ponged("ping 0"), said("fragment1fragment2")]),
    Row("5.7 ping between two fragments, twice", "6455 5.4", interleaved(["a", "b"], "{}".format) * 2,
        [ponged("0"), said("ab"), ponged("0"), said("ab")]),
    Row("5.8 pings between fragments of bytes", "6455 5.4", interleaved([b"\0", b"\1", b"\2", b"\3"], "{}".format, BINARY),
        [ponged("0"), ponged("1"), ponged("2"), given(b"\0\1\2\3")]),
    Row("pong between two fragments", "6455 5.4", [text("a", fin=False), pong("p"), more("b")], [said("ab")]),
    Row("close between two fragments", "6455 5.5.1", [text("a", fin=False), close(1001), more("b")], end=1001),
    Row("5.9 a last continuation of nothing", "6455 5.4", [more("non-continuation payload"), text("Hello")], end=PROTOCOL_ERROR),
    Row("5.10 an empty last continuation of nothing", "6455 5.4", [more(), text("Hello")], end=PROTOCOL_ERROR),
    Row("5.11 a last continuation of nothing behind a message", "6455 5.4", [text("a"), more("b"), text("Hello")], [said("a")],
        PROTOCOL_ERROR),
    Row("5.12 a continuation of nothing", "6455 5.4", [more("non-continuation payload", fin=False), text("Hello")],
        end=PROTOCOL_ERROR),
    Row("5.13 an empty continuation of nothing", "6455 5.4", [more(fin=False), text("Hello")], end=PROTOCOL_ERROR),
    Row("5.14 a continuation of nothing behind a message", "6455 5.4", [binary(b"a"), more("b", fin=False)], [given(b"a")],
        PROTOCOL_ERROR),
    Row("5.15 a continuation behind a fragmented message", "6455 5.4", fragments(TEXT, ["fragment1", "fragment2"]) +
        [more("fragment3", fin=False), text("fragment4")], [said("fragment1fragment2")], PROTOCOL_ERROR),
    Row("5.16 continuations before a message, twice", "6455 5.4", [more("fragment1", fin=False), text("fragment2", fin=False),
        more("fragment3")] * 2, end=PROTOCOL_ERROR),
    Row("5.17 last continuations before a message, twice", "6455 5.4", [more("fragment1"), text("fragment2", fin=False),
        more("fragment3")] * 2, end=PROTOCOL_ERROR),
    Row("5.18 text inside text", "6455 5.4", [text("fragment1", fin=False), text("fragment2")], end=PROTOCOL_ERROR),
    *[Row(f"a message inside a message, {first} and {second}, FIN {fin}", "6455 5.4",
          [frame(first, b"a", fin=False), frame(second, b"b", fin=fin)], end=PROTOCOL_ERROR)
      for first in (TEXT, BINARY) for second in (TEXT, BINARY) for fin in (False, True)],
    Row("text inside text, known from the header", "6455 5.4", [text("a", fin=False), text(length=100)], end=PROTOCOL_ERROR,
        bare=True),
    Row("a continuation of nothing, known from the header", "6455 5.4", more(length=100), end=PROTOCOL_ERROR, bare=True),
    Row("5.19 five fragments with pings between them", "6455 5.4", [*fragments(TEXT, ["fragment1", "fragment2", "fragment3",
        ""])[:2],
        ping("pongme 1!"), more("fragment3", fin=False), more("fragment4", fin=False), ping("pongme 2!"), more("fragment5")],
        [ponged("pongme 1!"), ponged("pongme 2!"), said("fragment1fragment2fragment3fragment4fragment5")]),
    Row("5.20 the same, twice", "6455 5.4", interleaved(["1", "2", "3", "4", "5"], "pongme {}!".format) * 2,
        ([ponged(f"pongme {i}!") for i in range(4)] + [said("12345")]) * 2),
    Row("an empty first fragment", "6455 5.4", fragments(TEXT, ["", "a"]), [said("a")]),
    Row("an empty last fragment", "6455 5.4", fragments(TEXT, ["a", ""]), [said("a")]),
    Row("empty fragments only", "6455 5.4", fragments(BINARY, [b""] * 50), [given()]),
    Row("empty fragments with pings between them", "6455 5.4", interleaved(["", "", ""], "{}".format), [ponged("0"), ponged("1"),
        said()]),
    Row("fragments of one byte", "6455 5.4", fragments(BINARY, cut(mixed(300), 1)), [given(mixed(300))]),
    Row("fragments of all lengths", "6455 5.4", fragments(BINARY, [mixed(size) for size in (0, 125, 126, 127, 1, 65535, 0, 65536,
        3)]),
        [given(b"".join(mixed(size) for size in (0, 125, 126, 127, 1, 65535, 0, 65536, 3)))]),
    Row("10.1.1 text of 65536 bytes in frames of 1300", "6455 5.4", fragments(TEXT, cut(letters(65536), 1300)),
        [said(letters(65536))]),
]

ROWS = FRAMING + MASKS + LENGTHS + SMALL + PINGS + RESERVED + OPCODES + FRAGMENTS

# Beginnings whose end never comes, and at which nothing is wrong yet.
UNFINISHED = [b"", b"\x81", frame(TEXT, b"abc", keep=2), text("a", fin=False), text("a", fin=False) + more(length=5),
ping(length=5),
              frame(CLOSE, length=2), binary(length=64 << 20), b"\x82\xfe\x00", b"\x88"]
