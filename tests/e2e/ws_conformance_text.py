"""UTF-8 in text messages: group 6 of the Autobahn suite. Each sequence is sent whole, in fragments of one byte, in two fragments,
and, when it is wrong, cut behind the byte that shows it, with more announced that never comes."""
from ws_conformance import BAD_DATA, CLEAN, Row, first_wrong, given, is_whole, ponged, said
from ws_raw import BINARY, TEXT, binary, cut, fragments, more, ping, text

HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()
KOSME = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"  # Greek, with a character of three bytes


def starts(first, last):
    return b"".join(bytes([byte, 0x20]) for byte in range(first, last + 1))


MISSING = [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80", b"\xdf", b"\xef\xbf",
b"\xf7\xbf\xbf",
           b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"]
HALVES = [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf"]
PAIRS = [(0, 4), (0, 6), (1, 4), (1, 6), (2, 4), (2, 6), (3, 4), (3, 6)]

# By the number of the group; each sequence is a case of it, in the order of the suite.
SEQUENCES = {
    "6.2": [HELLO],
    "6.3": [KOSME + b"\xed\xa0\x80edited"],
    "6.4": [KOSME + b"\xf4\x90\x80\x80edited"],
    "6.5": [KOSME[:2], KOSME[:5], KOSME[:7], KOSME[:9], KOSME],
    "6.6": [KOSME[:size] for size in range(1, len(KOSME) + 1)],
    "6.7": [b"\0", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    "6.8": [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    "6.9": [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    "6.10": [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    "6.11": [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"],
    "6.12": [b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf", b"\x80\xbf\x80\xbf\x80",
             b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xc0))],
    "6.13": [starts(0xc0, 0xdf), starts(0xe0, 0xef), starts(0xf0, 0xf7), starts(0xf8, 0xfb), starts(0xfc, 0xfd)],
    "6.14": MISSING,
    "6.15": [b"".join(MISSING)],
    "6.16": [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    "6.17": [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"],
    "6.18": [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"],
    "6.19": [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"],
    "6.20": HALVES,
    "6.21": [HALVES[high] + HALVES[low] for high, low in PAIRS],
    "6.22": [chr(plane << 16 | last).encode() for plane in range(17) for last in (0xfffe, 0xffff)],
    "6.23": [chr(0xfff9 + i).encode() for i in range(7)],
}

# Beyond the suite: what lies next to a border, behind much text, at the borders of the words that fast checks work on.
MORE = {
    "border": [b"\xc2\x7f", b"\xc2\xc0", b"\xdf\xbf\x80", b"\xe0\x9f\x80", b"\xe0\xa0\x7f", b"\xe1\x80\xc0", b"\xed\x9f\xbf\xed",
    b"\xf0\x8f\x80\x80",
               b"\xf0\x90\x80\x7f", b"\xf1\x7f", b"\xf4\x8f\xbf\xc0", b"\xf5\x80\x80\x80", b"\xee\x80", b"\xf0\x90\x80",
               b"\xf4\x8f\xbf",
               b"a\x00\xc2", b"\xf3\xbf\xbf\xbf", b"\xf1\x80\x80\x80", b"\xc3\xa4" * 40],
    "offset": [b"a" * size + tail for size in (*range(1, 18), 31, 32, 33, 63, 64, 65) for tail in (b"\xf0\x9f\x98\x80", b"\x80",
    b"\xe2\x82", b"\xc0z")],
}


def verdict(data):
    """(events, end) for one text message with this content."""
    return ([said(data)], CLEAN) if is_whole(data) else ([], BAD_DATA)


def rows_of(name, data):
    back, end = verdict(data)
    half = len(data) // 2
    yield Row(f"{name}, whole", "6455 8.1", text(data), back, end)
    yield Row(f"{name}, in fragments of one byte", "6455 8.1", fragments(TEXT, cut(data, 1)), back, end)
    yield Row(f"{name}, in two fragments", "6455 8.1", fragments(TEXT, [data[:half], data[half:]]), back, end)
    wrong = first_wrong(data)
    if wrong:
        yield from early(name, data, wrong)
    elif not is_whole(data):
        # Known with the end of the message only.
        yield Row(f"{name}, not earlier than the end", "6455 8.1", [text(data, fin=False), ping("still"), more()],
            [ponged("still")], BAD_DATA)


def early(name, data, wrong):
    """Sequences that are seen to be wrong with byte number `wrong`: not before, and not later."""
    good, last = data[:wrong - 1], data[wrong - 1:wrong]
    yield Row(f"{name}, not earlier", "6455 8.1", [text(good, fin=False), ping("still"), more(data[wrong - 1:])],
        [ponged("still")], BAD_DATA)
    yield Row(f"{name}, seen inside a message", "6455 8.1", [text(good, fin=False), more(last, fin=False)], [], BAD_DATA,
        bare=True)
    yield Row(f"{name}, seen inside a frame", "6455 8.1", text(data[:wrong], length=wrong + 70000), [], BAD_DATA, bare=True)


NUMBERED = [row for group, sequences in {**SEQUENCES, **MORE}.items() for i, data in enumerate(sequences, 1)
            for row in rows_of(f"{group}.{i}" if group[0] == "6" else f"{group} {i}", data)]

OTHERS = [
    Row("6.1.1 empty text", "6455 8.1", text(), [said()]),
    Row("6.1.2 three empty fragments", "6455 8.1", fragments(TEXT, ["", "", ""]), [said()]),
    Row("6.1.3 three fragments, the middle one not empty", "6455 8.1", fragments(TEXT, ["", "middle frame payload", ""]),
        [said("middle frame payload")]),
    Row("6.2.2 fragments cut between characters", "6455 8.1", fragments(TEXT, ["Hello-µ@ßöä", "üàá-UTF-8!!"]), [said(HELLO)]),
    Row("6.4.1 wrong in the second fragment", "6455 8.1", [text(KOSME, fin=False), more(b"\xf4\x90\x80\x80", fin=False)], [],
        BAD_DATA,
        bare=True),
    Row("6.4.2 wrong with the first byte of the third fragment", "6455 8.1", [text(KOSME + b"\xf4", fin=False), more(b"\x90",
        fin=False)],
        [], BAD_DATA, bare=True),
    Row("6.4.3 wrong inside the only frame", "6455 8.1", text(KOSME + b"\xf4\x90\x80\x80edited", keep=len(KOSME) + 4), [],
        BAD_DATA,
        bare=True),
    Row("6.4.4 wrong with the second byte of a character", "6455 8.1", text(KOSME + b"\xf4\x90\x80\x80edited",
        keep=len(KOSME) + 2), [],
        BAD_DATA, bare=True),
    Row("a character cut by a ping", "6455 8.1", [text(b"\xf0\x9f", fin=False), ping(b"\xff"), more(b"\x98\x80")],
        [ponged(b"\xff"), said(b"\xf0\x9f\x98\x80")]),
    Row("a character cut by empty fragments", "6455 8.1", fragments(TEXT, [b"\xe2", b"", b"\x82", b"", b"\xac", b""]),
        [said("€")]),
    Row("half a character, then a last empty fragment", "6455 8.1", fragments(TEXT, [b"a\xe2\x82", b""]), [], BAD_DATA),
    Row("half a character does not wait for the next message", "6455 8.1", [text(b"\xe2\x82"), text(b"\xac")], [], BAD_DATA),
    Row("a sound message, then a wrong one", "6455 8.1", [text("a"), text(b"\xff")], [said("a")], BAD_DATA),
    Row("binary is not checked", "6455 5.6", binary(b"\xff\xfe\xc0\x80\xed\xa0\x80"), [given(b"\xff\xfe\xc0\x80\xed\xa0\x80")]),
    Row("fragments of binary are not checked", "6455 5.6", fragments(BINARY, [b"\xff", b"\xf4\x90", b"\xc0"]),
        [given(b"\xff\xf4\x90\xc0")]),
    Row("text behind binary starts afresh", "6455 5.6", [binary(b"\xe2\x82"), text("a")], [given(b"\xe2\x82"), said("a")]),
    Row("every character of two bytes", "6455 8.1", text("".join(map(chr, range(0x80, 0x800)))), [said("".join(map(chr,
        range(0x80, 0x800))))]),
    Row("some characters of each block of the first plane", "6455 8.1", text("".join(map(chr, range(0x800, 0xd800, 41)))),
        [said("".join(map(chr, range(0x800, 0xd800, 41))))]),
]

ROWS = NUMBERED + OTHERS
