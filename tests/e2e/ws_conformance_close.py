"""The closing handshake: group 7 of the Autobahn suite. The daemon answers with the code that it got and ends the connection."""
from ws_conformance import BAD_DATA, PROTOCOL_ERROR, Row, given, mixed, ponged, said
from ws_raw import CLOSE, TEXT, binary, close, fragments, frame, more, ping, pong, text

EITHER = {None, 1000}  # the answer to a close frame without code
VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
ASSIGNED_LATER = [1012, 1013, 1014]
INVALID = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999]
BEYOND = [5000, 65535]

HANDSHAKES = [
    Row("7.1.1 text, then close", "6455 5.5.1", [text("Hello World!"), close()], [said("Hello World!")], 1000),
    Row("7.1.2 close twice", "6455 5.5.1", [close(), close()], end=1000),
    Row("7.1.3 ping behind close", "6455 5.5.1", [close(), ping("a")], end=1000),
    Row("7.1.4 text behind close", "6455 5.5.1", [close(), text("Hello World!")], end=1000),
    Row("7.1.5 the rest of a message behind close", "6455 5.5.1", [text("fragment1", fin=False), close(), more("fragment2")],
        end=1000),
    Row("7.1.6 a large message, then close, then ping", "6455 5.5.1", [binary(mixed(262144)), close(), ping("a")],
        [given(mixed(262144))],
        1000),
    Row("close with another code behind close", "6455 5.5.1", [close(1001), close(1002)], end=1001),
    Row("a broken frame behind close", "6455 5.5.1", [close(1001), frame(3), text("a", mask=None)], end=1001),
    Row("garbage behind close", "6455 5.5.1", [close(), b"\xff" * 3000], end=1000),
    Row("messages, pings, then close", "6455 5.5.1", [text("a"), ping("b"), binary(b"c"), pong(), close(3000)],
        [said("a"), ponged("b"), given(b"c")], 3000),
    Row("fragments, then close", "6455 5.5.1", [*fragments(TEXT, ["a", "b", "c"]), close(1001, "going")], [said("abc")], 1001),
    Row("close first of all", "6455 5.5.1", close(), end=1000),
    # Nothing has to come behind the close frame for the connection to end.
    Row("close, and no more", "6455 7.1.1", close(), end=1000, bare=True),
    Row("an empty close, and no more", "6455 7.1.1", close(None), end=EITHER, bare=True),
    Row("a broken frame, and no more", "6455 7.1.7", frame(3), end=PROTOCOL_ERROR, bare=True),
    Row("no text, and no more", "6455 8.1", text(b"\xff"), end=BAD_DATA, bare=True),
]

CONTENT = [
    Row("7.3.1 close without code", "6455 5.5.1", close(None), end=EITHER),
    Row("7.3.2 close with one byte", "6455 5.5.1", frame(CLOSE, b"\3"), end=PROTOCOL_ERROR),
    Row("7.3.3 close with code", "6455 5.5.1", close(1000), end=1000),
    Row("7.3.4 close with reason", "6455 5.5.1", close(1000, "Hello World!"), end=1000),
    Row("7.3.5 close with a reason of 123 bytes", "6455 5.5.1", close(1000, "*" * 123), end=1000),
    Row("7.3.6 close with a reason of 124 bytes", "6455 5.5", close(1000, "*" * 124), end=PROTOCOL_ERROR),
    Row("7.5.1 a reason that is not text", "6455 8.1", close(1000,
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"),
        end=BAD_DATA),
    Row("half a character as reason", "6455 8.1", close(1000, b"a\xe2\x82"), end=BAD_DATA),
    Row("one wrong byte as reason", "6455 8.1", close(4000, b"\xff"), end=BAD_DATA),
    Row("a reason of many scripts", "6455 5.5.1", close(1001, "größer κόσμε 日本語 \U0001f600"), end=1001),
    Row("a reason with NUL", "6455 5.5.1", close(1001, b"a\0b"), end=1001),
    Row("close with one byte behind a message", "6455 5.5.1", [text("a"), frame(CLOSE, b"\3")], [said("a")], PROTOCOL_ERROR),
]

CODES = [
    *[Row(f"7.7.{i} code {code}", "6455 7.4", close(code), end=code) for i, code in enumerate(VALID, 1)],
    *[Row(f"7.7 code {code} with a reason", "6455 7.4", close(code, "reason"), end=code) for code in VALID],
    *[Row(f"code {code}", "6455 7.4.2", close(code), end=code) for code in ASSIGNED_LATER],
    *[Row(f"7.9.{i} code {code}", "6455 7.4", close(code), end=PROTOCOL_ERROR) for i, code in enumerate(INVALID, 1)],
    *[Row(f"7.9 code {code} with a reason", "6455 7.4", close(code, "reason"), end=PROTOCOL_ERROR) for code in INVALID],
    *[Row(f"7.13.{i} code {code}", "6455 7.4", close(code), end=PROTOCOL_ERROR) for i, code in enumerate(BEYOND, 1)],
    *[Row(f"code {code}", "6455 7.4", close(code), end=PROTOCOL_ERROR) for code in (1, 125, 256, 998, 1099, 1500, 32768, 0xe803)],
]

ROWS = HANDSHAKES + CONTENT + CODES
