"""permessage-deflate (RFC 7692) against conf/conformance.yaml: what is agreed upon, groups 12 and 13 of the Autobahn suite, and
bombs. The client's streams are zlib's, with no larger windows than were agreed upon; see also ws_conformance_deflate.py.
"""
import json
import random
import zlib

import pytest

from bounds import WAIT_BOUND
from test_flat_memory import Memory, assert_flat
from ws_conformance import brief, dial, given, mixed, prose, said, serving
from ws_conformance_deflate import AGREEMENTS, FRAGMENT_SIZES, MALFORMED, OFFERS, PLAIN, SIZES, words
from ws_raw import (BINARY, TEXT, Deflater, Event, ProtocolError, Terms, binary, check_upgraded, close, cut, fragments, frame,
    handshake, ping, text)

NOISE = random.Random(7692).randbytes(1 << 17)


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    with serving(tmp_path_factory) as daemon:
        yield daemon


# Agreements


def settle(terms, offers):
    """Fails unless the answer is one to an offer that should be accepted; none: there must not be one."""
    if not offers:
        assert terms is None, f"what cannot be accepted was: {terms.parameters}"
        return
    assert terms is not None, "declined"
    problems = [terms.check(offer) for offer in offers]
    assert None in problems, f"{terms.parameters}: {problems}"
    if len(offers) == 1:
        # A fallback that the client does not want would have other parameters.
        assert terms.server_forgets == ("server_no_context_takeover" in offers[0])
        assert ("server_max_window_bits" in terms.parameters) == ("server_max_window_bits" in offers[0])


def talk(web_socket, bits):
    """Messages that repeat themselves near and far, in both directions, within the windows that were agreed upon."""
    messages = [b"", b"a", b"a", prose(1000), NOISE[:600] * 3, NOISE[:600], NOISE[:20000], NOISE[:40000] + NOISE[:600],
    bytes(70000)]
    deflater = web_socket.deflater(bits=bits)
    sent = [frame(BINARY, deflater.message(data), rsv=4) for data in messages]
    events = web_socket.exchange([b"".join(sent) + text("plain") + close()])
    assert brief(events) == brief([given(data) for data in messages] + [said("plain"), Event("close", 1000)])


@pytest.mark.parametrize("values, offers", [row[1:] for row in AGREEMENTS], ids=[row[0] for row in AGREEMENTS])
def test_agreement(echo, values, offers):
    with dial(echo) as web_socket:
        web_socket.open("/ws", values)
        settle(web_socket.terms, offers)
        if web_socket.terms is None:
            assert web_socket.exchange([text("a") + close()]) == [said("a"), Event("close", 1000)]
            return
        numbers = [bits for offer in offers if not isinstance(bits := offer.get("client_max_window_bits", True), bool)]
        talk(web_socket, min(numbers, default=15))
        assert web_socket.receiver.compressed > 0, "nothing was compressed"


@pytest.mark.parametrize("values, offers", [row[1:] for row in AGREEMENTS], ids=[row[0] for row in AGREEMENTS])
def test_no_agreement_where_it_is_off(echo, values, offers):
    """deflate: is left out for this route."""
    del offers
    with dial(echo) as web_socket:
        web_socket.open("/ws-plain", values)
        assert web_socket.terms is None
        assert web_socket.exchange([text("a", rsv=4)]) == [Event("close", 1002)]


@pytest.mark.parametrize("value", MALFORMED, ids=[f"{i}-{value!r}" for i, value in enumerate(MALFORMED)])
def test_malformed_offers(echo, value):
    """RFC 6455, 9.1: what does not follow the grammar fails the connection, so that the handshake is refused."""
    with dial(echo) as web_socket:
        web_socket.send(handshake("/ws", {"Sec-WebSocket-Extensions": value}))
        assert web_socket.response().status == 400


def test_what_the_client_leaves_out_is_not_used(echo):
    """client_no_context_takeover is the client's to announce and to keep; the daemon need not answer it to understand."""
    with dial(echo) as web_socket:
        web_socket.open("/ws", f"{PLAIN}; client_no_context_takeover")
        deflater = Deflater(forgets=True)
        messages = b"".join(frame(TEXT, deflater.message(b"Hello Hello"), rsv=4) for _ in range(3))
        assert web_socket.exchange([messages + close()]) == [said("Hello Hello")] * 3 + [Event("close", 1000)]


def test_the_context_is_taken_over(echo):
    """7.1.1.1: with a window that goes on, the second copy of what cannot be compressed takes a few bytes; else as many again."""
    for offer, most in ((PLAIN, 200), (f"{PLAIN}; server_no_context_takeover", None)):
        with dial(echo) as web_socket:
            web_socket.open("/ws", offer)
            deflater, sizes = web_socket.deflater(), []
            for _ in range(2):
                web_socket.send(frame(BINARY, deflater.message(NOISE[:8000]), rsv=4))
                sizes.append(read_sizes(web_socket))
                assert brief([web_socket.next()]) == brief([given(NOISE[:8000])])
        assert sizes[0] > 7900 and (sizes[1] < most if most else sizes[1] > 7900), f"{offer}: {sizes}"


def read_sizes(web_socket):
    """Reads one message; how many bytes it took."""
    size = 0
    while not web_socket.receiver.events:
        data = web_socket.socket.recv(65536)
        size += len(data)
        assert data
        web_socket.receiver.feed(data)
    return size


def test_the_client_would_notice():
    """Answers that no client may accept are not accepted by this one."""
    for value in ("x", "permessage-deflate; x", "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=16",
                  "permessage-deflate; server_no_context_takeover=1", "permessage-deflate, permessage-deflate",
                  "permessage-deflate; client_max_window_bits=9; client_max_window_bits=9"):
        with pytest.raises(ProtocolError):
            Terms(value)
    assert Terms("permessage-deflate").check({"server_no_context_takeover": True})
    assert Terms("permessage-deflate; server_max_window_bits=10").check({"server_max_window_bits": 9})
    assert Terms("permessage-deflate; client_max_window_bits=10").check({})
    assert not Terms("permessage-deflate; client_max_window_bits=10; server_max_window_bits=9").check(
        {"client_max_window_bits": True, "server_max_window_bits": 9})


# Data


def as_json(size):
    """What programs send."""
    rows = [{"id": i, "name": f"row {i * 7919 % 1000}", "tags": ["a", "b"], "value": i / 7} for i in range(size // 60 + 2)]
    return json.dumps(rows).encode()[:size]


def as_picture(size):
    """Rows of pixels that change slowly."""
    return (bytes((x // 3 + y) % 256 for y in range(97) for x in range(331)) * (size // 32107 + 1))[:size]


CONTENTS = {"12.1 json": (TEXT, as_json), "12.2 picture": (BINARY, as_picture), "12.3 prose": (TEXT, prose),
            "12.4 bytes": (BINARY, mixed), "12.5 noise": (BINARY, lambda size: NOISE[:size])}


def event(opcode, data):
    return Event("text" if opcode == TEXT else "binary", data)


@pytest.mark.parametrize("opcode, make", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("size", SIZES)
def test_12_messages(echo, size, opcode, make):
    """One after the other, and many at once."""
    data, count = make(size), max(10, min(200, (1 << 20) // max(size, 1)))
    with dial(echo) as web_socket:
        web_socket.open("/ws", f"{PLAIN}; client_max_window_bits")
        deflater = web_socket.deflater()
        for _ in range(10):
            web_socket.send(frame(opcode, deflater.message(data), rsv=4))
            assert brief([web_socket.next()]) == brief([event(opcode, data)])
        events = web_socket.exchange([frame(opcode, deflater.message(data), rsv=4) for _ in range(count)] + [close()])
    assert brief(events) == brief([event(opcode, data)] * count + [Event("close", 1000)])


@pytest.mark.parametrize("opcode, make", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("size", FRAGMENT_SIZES)
def test_12_fragments(echo, size, opcode, make):
    """Messages of 128 KiB in fragments of this size, as they are on the wire, with pings between them."""
    data = make(131072)
    with dial(echo) as web_socket:
        web_socket.open("/ws", PLAIN)
        deflater, pieces = web_socket.deflater(), []
        for _ in range(5):
            pieces += [part for each in fragments(opcode, cut(deflater.message(data), size), rsv=4) for part in (each, ping("p"))]
        events = web_socket.exchange([*pieces, close()])
    messages = [each for each in events if each.kind != "pong"]
    assert brief(messages) == brief([event(opcode, data)] * 5 + [Event("close", 1000)])


@pytest.mark.parametrize("offer", OFFERS, ids=words)
def test_13_messages(echo, offer):
    """Each agreement with messages of all sizes; the windows are full after some of them."""
    with dial(echo) as web_socket:
        web_socket.open("/ws", words(offer))
        assert web_socket.terms is not None and web_socket.terms.check(offer) is None
        bits = offer.get("client_max_window_bits", 15)
        deflater, messages = web_socket.deflater(bits=15 if bits is True else bits), []
        for size in SIZES:
            messages += [(TEXT, prose(size)), (BINARY, NOISE[:size]), (TEXT, as_json(size))]
        events = web_socket.exchange([frame(opcode, deflater.message(data), rsv=4) for opcode, data in messages] + [close()])
    assert brief(events) == brief([event(*each) for each in messages] + [Event("close", 1000)])


def test_a_message_of_16_mib(echo):
    data = prose(1 << 20) * 16
    with dial(echo) as web_socket:
        web_socket.open("/ws", PLAIN)
        events = web_socket.exchange([frame(TEXT, web_socket.deflater().message(data), rsv=4), close()], 12 * WAIT_BOUND)
    assert brief(events) == brief([said(data), Event("close", 1000)])


def test_short_segments(echo):
    """A compressed message in segments of a few bytes."""
    data = prose(20000)
    with dial(echo) as web_socket:
        web_socket.open("/ws", PLAIN)
        events = web_socket.exchange(cut(frame(TEXT, web_socket.deflater().message(data), rsv=4) + close(), 7))
    assert brief(events) == brief([said(data), Event("close", 1000)])


# Bombs


def bomb(size):
    """A message of zeros, a thousandth of its size."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [stream.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join(parts) + stream.flush(zlib.Z_SYNC_FLUSH)[:-4]


@pytest.mark.parametrize("way", ["one frame", "fragments"])
def test_a_bomb_ends_at_the_limit(echo, way):
    """256 MiB for a limit of 1 KiB, many times: 1009 each time, and the daemon's memory stays where it was. In one frame the
    compressed bytes alone are more than the limit; in fragments the first is not."""
    payload = bomb(256 << 20)
    frames = [frame(BINARY, payload, rsv=4)] if way == "one frame" else fragments(BINARY, cut(payload, 1000), rsv=4)
    for turn in range(6):
        with dial(echo) as web_socket:
            web_socket.open("/ws-small", PLAIN)
            assert web_socket.exchange([b"".join(frames)], forgive=True) == [Event("close", 1009)]
        if turn == 0:
            memory = Memory(echo)
    assert_flat(memory)


def test_a_bomb_among_messages(echo):
    """1 GiB at /ws ends at 64 MiB. Another connection does not notice."""
    payload = bomb(1 << 30)
    with dial(echo) as other, dial(echo) as web_socket:
        other.open("/ws", PLAIN)
        web_socket.open("/ws", PLAIN)
        events = web_socket.exchange([text("a") + frame(BINARY, payload, rsv=4) + binary(b"b")], 12 * WAIT_BOUND, forgive=True)
        assert events == [said("a"), Event("close", 1009)]
        assert other.exchange([text("still here") + close()]) == [said("still here"), Event("close", 1000)]


def test_a_refused_offer_is_no_error(echo):
    """The connection goes without; RSV1 is an error then."""
    with dial(echo) as web_socket:
        web_socket.send(handshake("/ws", {"Sec-WebSocket-Extensions": f"{PLAIN}; x"}) + text("a") + text(b"\0", rsv=4))
        reply = web_socket.response()
        check_upgraded(reply)
        web_socket.begin(reply)
        assert web_socket.exchange([], forgive=True) == [said("a"), Event("close", 1002)]
