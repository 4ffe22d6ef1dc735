"""The conformance tables of WebSocket (ws_conformance.py), against conf/conformance.yaml: every group of the Autobahn suite, and more.

Each row is sent whole, with messages behind it that must not be answered once the connection ends, and then byte by byte, each
byte when the daemon has read the one before it. Both ways have to give the same frames, read by a strict client (ws_raw.py), and
then the end of the connection, which the daemon makes. Rows of more than a few thousand bytes come in pieces of uneven size.
"""
import re

import pytest

import ws_conformance_close
import ws_conformance_deflate
import ws_conformance_frames
import ws_conformance_handshake
import ws_conformance_text
from bounds import SLOW, WAIT_BOUND
from http1 import send_pieces, split_all, without_date
from ws_conformance import CLEAN, brief, dial, dial_unix, given, letters, mixed, ponged, prose, said, serving
from ws_raw import BINARY, TEXT, Event, WebSocket, accept_of, binary, check_upgraded, close, cut, fragments, handshake, ping, text

ROWS = ws_conformance_frames.ROWS + ws_conformance_text.ROWS + ws_conformance_close.ROWS + ws_conformance_deflate.ROWS
ASKS = ws_conformance_handshake.ROWS
BYTE_BY_BYTE = 3000
BEHIND = text("behind the end") + ping("behind the end")
NEXT = b"GET /empty HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    with serving(tmp_path_factory) as daemon:
        yield daemon


# Frames


def uneven(data):
    """Every byte on its own at both ends, pieces of a size that fits nothing in the middle."""
    return split_all(data[:300]) + cut(data[300:-20], 1301) + split_all(data[-20:])


def pieces_of(data):
    return split_all(data) if len(data) <= BYTE_BY_BYTE else uneven(data)


def begin(web_socket, row):
    target = row.target or ("/ws" if row.deflate else "/ws-plain")
    web_socket.open(target, "permessage-deflate" if row.deflate else None)
    assert (web_socket.terms is not None) == bool(row.deflate)


def check(row, events, how):
    """These events, then a close frame with the right code, and nothing else."""
    what = f"{row.name} (RFC {row.clause}), {how}: {row.sent[:300]!r} gave {events!r:.2000}"
    assert events and events[-1].kind == "close", what
    assert brief(events[:-1]) == brief(row.back), what
    assert events[-1].data in row.ends(), what


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id())
def test_row(echo, row):
    sent = row.sent + (close() if row.end == CLEAN else b"")
    with dial(echo) as web_socket:
        begin(web_socket, row)
        check(row, web_socket.exchange([sent + (b"" if row.bare else BEHIND)]), "whole")
    with dial_unix(echo) as web_socket:
        begin(web_socket, row)
        if len(sent) <= BYTE_BY_BYTE:
            send_pieces(web_socket, split_all(sent))
            check(row, web_socket.exchange([], forgive=row.end != CLEAN), "byte by byte")
        else:
            check(row, web_socket.exchange(uneven(sent), forgive=row.end != CLEAN), "in pieces")


@pytest.mark.parametrize("row", [row for row in ws_conformance_frames.ROWS + ws_conformance_close.ROWS if not row.target],
                         ids=lambda row: row.id())
def test_row_where_compression_is_possible(echo, row):
    """Without an offer there is none, though the route would have it: the same bytes have the same outcome. On the other server."""
    with dial(echo, "open") as web_socket:
        web_socket.open("/ws")
        assert web_socket.terms is None
        check(row, web_socket.exchange([row.sent + (close() if row.end == CLEAN else b"")], forgive=row.end != CLEAN), "at /ws")


def test_the_table():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names) > 1500
    assert not [row.name for row in ROWS + ASKS if not re.fullmatch(r"\d{4} [\d.]+", row.clause)]
    groups = {match[0] for name in names if (match := re.match(r"\d+\.\d+", name))}
    wanted = {"1.1", "1.2", "4.1", "4.2", "7.1", "7.3", "7.5", "7.7", "7.9", "7.13", "10.1"}
    wanted |= {f"2.{i}" for i in range(1, 12)} | {f"3.{i}" for i in range(1, 8)}
    wanted |= {f"5.{i}" for i in range(1, 21)} | {f"6.{i}" for i in range(1, 24)}
    assert wanted <= groups, sorted(wanted - groups)


@pytest.mark.parametrize("sent", ws_conformance_frames.UNFINISHED, ids=lambda sent: f"{len(sent)}-{sent[:2].hex()}")
def test_what_is_not_finished_is_waited_for(echo, sent):
    """No answer to half a frame; the client ends its side, and so does the daemon, with nothing left to say but that it closes."""
    with dial_unix(echo) as web_socket:
        web_socket.open("/ws-plain")
        send_pieces(web_socket, split_all(sent))
        assert web_socket.silent(0.05)
        web_socket.abandon()
        assert [event.kind for event in web_socket.exchange([])] in ([], ["close"])


def test_what_was_sent_before_the_end_is_answered(echo):
    """The client ends its side without a close frame: what it sent is echoed all the same."""
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        web_socket.send(text("a") + binary(mixed(200000)))
        web_socket.abandon()
        events = web_socket.exchange([])
        assert brief(events[:2]) == brief([said("a"), given(mixed(200000))]) and [event.kind for event in events[2:]] in ([],
        ["close"])


# Chopped, many, large: groups 1, 9 and 10


@pytest.mark.parametrize("size", [1, 2, 3, 13, 64, 997, 2048])
def test_chopped_text(echo, size):
    """1.1.8, 2.6, 9.5: one frame in TCP segments of this size."""
    content = prose(min(65536, size * 4000))
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        events = web_socket.exchange(cut(text(content) + ping(letters(125)) + close(), size))
    assert brief(events) == brief([said(content), ponged(letters(125)), Event("close", 1000)])


LARGE = [(64 << 10, TEXT), (64 << 10, BINARY), (256 << 10, TEXT), (256 << 10, BINARY), (1 << 20, TEXT), (1 << 20, BINARY),
         (4 << 20, TEXT), (4 << 20, BINARY), (16 << 20, BINARY)]


@pytest.mark.parametrize("size, opcode", LARGE)
def test_9_large_messages(echo, size, opcode):
    """9.1, 9.2"""
    content = letters(size) if opcode == TEXT else mixed(size)
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        events = web_socket.exchange([b"".join(fragments(opcode, [content])), close()], 12 * WAIT_BOUND)
    assert brief(events) == brief([Event("text" if opcode == TEXT else "binary", content), Event("close", 1000)])


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10])
def test_9_large_messages_in_fragments(echo, size, opcode):
    """9.3, 9.4: 4 MiB, and 1 MiB of small fragments."""
    content = (letters if opcode == TEXT else mixed)(4 << 20 if size > 256 else 1 << 20)
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        events = web_socket.exchange([b"".join(fragments(opcode, cut(content, size))), close()], 12 * WAIT_BOUND)
    assert brief(events) == brief([Event("text" if opcode == TEXT else "binary", content), Event("close", 1000)])


@pytest.mark.parametrize("size", [128, 256, 512, 1024])
def test_9_large_messages_in_segments(echo, size):
    """9.5, 9.6: 1 MiB in one frame, a write for each piece."""
    content = letters(1 << 20)
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        events = web_socket.exchange(cut(text(content) + close(), size), 12 * WAIT_BOUND)
    assert brief(events) == brief([said(content), Event("close", 1000)])


@pytest.mark.parametrize("make, event", [(text, said), (binary, given)], ids=["text", "binary"])
@pytest.mark.parametrize("size", [0, 16, 64, 256, 1024, 4096, 16384])
def test_9_many_messages(echo, size, make, event):
    """9.7, 9.8: a thousand, each when the one before it has come back, and then a thousand at once."""
    content = letters(size)
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        for _ in range(1000):
            web_socket.send(make(content))
            assert web_socket.next() == event(content)
        events = web_socket.exchange([make(content) * 1000, close()])
    assert brief(events) == brief([event(content)] * 1000 + [Event("close", 1000)])


@pytest.mark.parametrize("target", ["/ws-plain", "/ws"])
def test_many_pings(echo, target):
    """5.5.3: of many pings in one packet the last must be answered, the ones before it may be left out; none is answered twice."""
    with dial(echo) as web_socket:
        web_socket.open(target)
        events = web_socket.exchange([b"".join(ping(str(i)) for i in range(5000)) + close()])
    numbers = [int(event.data) for event in events[:-1]]
    assert events[-1] == Event("close", 1000) and numbers[-1] == 4999
    assert numbers == sorted(set(numbers)) and numbers[0] >= 0


def test_messages_of_all_sizes(echo):
    """Around the borders of the lengths, of the words that masks are applied in, and of buffers."""
    sizes = [*range(0, 300), *range(16370, 16400), *range(65500, 65570)]
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        events = web_socket.exchange([b"".join(binary(mixed(size)) for size in sizes) + close()])
    assert brief(events) == brief([given(mixed(size)) for size in sizes] + [Event("close", 1000)])


# The opening handshake


def check_refused(reply, head):
    """What must be right in every reply that is not the 101."""
    assert reply.get("Sec-WebSocket-Accept") is None
    if reply.status == 426:
        assert reply.get("Sec-WebSocket-Version") == "13"
        assert reply.get("Upgrade").lower() == "websocket"
        assert "upgrade" in [word.strip().lower() for word in reply.get("Connection", "").split(",")]
    else:
        assert reply.get("Upgrade") is None
    if reply.status >= 400 and not head:
        assert reply.get("Content-Type") == "text/plain; charset=utf-8"
        assert reply.text.startswith(f"{reply.status} {reply.reason}") and reply.text.endswith("\n")


def follow(web_socket, reply, ask):
    """The connection goes on as HTTP, unless the reply says otherwise."""
    check_refused(reply, ask.head)
    if "close" in [word.strip().lower() for word in reply.get("Connection", "").split(",")]:
        return web_socket.closed()
    next_reply = web_socket.response()
    assert next_reply.status == 204 and next_reply.get("Connection") == "close"
    return web_socket.closed()


def upgraded(web_socket, reply, sent):
    """It echoes: what stood behind the handshake, in the same packet, is the first message."""
    key = re.search(rb"(?i)sec-websocket-key:[ \t]*(\S+)", sent)[1].decode()
    check_upgraded(reply, key)
    web_socket.begin(reply)
    assert web_socket.exchange([]) == [said("same packet"), ponged("p"), Event("close", 1001)]


def behind(ask):
    """What comes next on the connection, which in HTTP/1.0 ends with the reply."""
    if b" HTTP/1.0\r\n" in ask.sent:
        return b""
    return text("same packet") + ping("p") + close(1001) if ask.statuses == {101} else NEXT


@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.id())
@pytest.mark.parametrize("way", ["whole", "byte by byte"])
def test_handshake(echo, ask, way):
    with dial(echo) if way == "whole" else dial_unix(echo) as web_socket:
        data = ask.sent + behind(ask)
        web_socket.send(data) if way == "whole" else send_pieces(web_socket, split_all(data))
        reply = web_socket.response("HEAD" if ask.head else "GET")
        assert reply.status in ask.statuses, f"{ask.name} (RFC {ask.clause}): {ask.sent!r} gave {reply}"
        assert reply.version == "HTTP/1.1"
        for each in ask.checks:
            each([reply])
        upgraded(web_socket, reply, ask.sent) if reply.status == 101 else follow(web_socket, reply, ask)


def test_the_handshake_table():
    names = [ask.name for ask in ASKS]
    assert len(set(names)) == len(names) > 150


def test_the_example(echo):
    """RFC 6455, 1.3"""
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    with dial(echo) as web_socket:
        web_socket.open("/ws", changes={"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})


def test_cut_anywhere(echo):
    """The handshake and what follows it, cut in two at every byte; nothing changes but the date."""
    sent = handshake("/ws-plain") + text("a") + ping("b") + close()
    with dial_unix(echo) as web_socket:
        send_pieces(web_socket, [sent])
        whole = without_date(web_socket.recv_until_close())
    assert whole.startswith(b"HTTP/1.1 101 ") and whole.endswith(b"\x81\x01a\x8a\x01b\x88\x02\x03\xe8")
    for i in range(1, len(sent)):
        with dial_unix(echo) as web_socket:
            send_pieces(web_socket, [sent[:i], sent[i:]])
            assert without_date(web_socket.recv_until_close()) == whole, f"cut at {i}"


def test_requests_before_the_handshake(echo):
    """Pipelined in one packet: plain HTTP, also at the same path, then the upgrade, then frames."""
    with dial(echo) as web_socket:
        web_socket.send(b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n" +
                        b"POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
                        handshake(changes={"Sec-WebSocket-Version": "8"}) +
                        handshake("/ws", {"Sec-WebSocket-Extensions": "permessage-deflate"}) + text("a") + binary(b"\0") + close())
        replies = [web_socket.response() for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 426, 101]
        assert replies[0].body == b"" and replies[1].body == b"hello"
        check_upgraded(replies[3])
        web_socket.begin(replies[3])
        assert web_socket.exchange([]) == [said("a"), given(b"\0"), Event("close", 1000)]


def test_plain_http_at_the_same_path(echo):
    with dial(echo) as web_socket:
        for target in ("/ws", "/ws-plain", "/ws-small"):
            assert web_socket.request(target=target).status == 200
            reply = web_socket.request("PUT", target, body=b"content")
            assert (reply.status, reply.body) == (200, b"content")


def test_frames_before_the_handshake(echo):
    """They are no HTTP."""
    with dial(echo) as web_socket:
        web_socket.send(text("a") + handshake())
        assert web_socket.response().status == 400
        web_socket.closed()


def test_frames_behind_a_refused_handshake(echo):
    with dial(echo) as web_socket:
        web_socket.send(handshake(changes={"Origin": "http://b"}) + text("a"))
        reply = web_socket.response()
        assert reply.status == 403
        assert reply.get("Connection") == "close" or web_socket.response().status == 400
        web_socket.closed()


def test_no_http_behind_the_upgrade(echo):
    """A request is a broken frame now: G is a reserved bit and opcode 7."""
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain")
        assert web_socket.exchange([NEXT], forgive=True) == [Event("close", 1002)]


# Many at once


def test_many_connections(echo):
    """None hears what another one says."""
    count = int(200 / SLOW)
    web_sockets = [WebSocket(echo.unix("open")) for _ in range(count)]
    try:
        for each in web_sockets:
            each.open("/ws")
        for turn in range(3):
            for i, each in enumerate(web_sockets):
                each.send(text(f"{turn} {i}", fin=False))
            for each in web_sockets:
                each.send(b"".join(fragments(0, [b"", "."])))
            for i, each in enumerate(web_sockets):
                assert each.next() == said(f"{turn} {i}.")
        for each in web_sockets:
            assert each.exchange([close()]) == [Event("close", 1000)]
    finally:
        for each in web_sockets:
            each.close()
