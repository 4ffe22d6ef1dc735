"""One message to many connections that compress: what is compressed once must read well everywhere, between messages that each
connection compresses on its own."""
import pytest

from test_flat_memory import status
from test_memory import is_sanitized
from ws_raw import WebSocket, text
from ws_talk import config, do

OFFERS = {
    "takeover": "permessage-deflate",
    "forgets": "permessage-deflate; server_no_context_takeover",
    "narrow": "permessage-deflate; server_max_window_bits=9",
    "plain": None,
}
ROUND = "all work and no play makes a dull boy, "


def dial(running, offer):
    web_socket = WebSocket(("127.0.0.1", running.port()))
    web_socket.open("/loop", OFFERS[offer])
    assert (web_socket.terms is not None) == (offer != "plain")
    web_socket.send(text("!who"))
    web_socket.number = int(dict(pair.split("=", 1) for pair in web_socket.next().data.decode().split(" "))["id"])
    return web_socket


def own(web_socket, words):
    """A message that comes back on its connection alone, compressed in the context of that connection."""
    web_socket.send(text(words))
    assert web_socket.next().data == words.encode()


@pytest.mark.parametrize("order", [("takeover", "forgets", "narrow", "plain"), ("narrow", "takeover", "plain", "forgets"),
                                   ("plain", "takeover", "takeover", "forgets")], ids="-".join)
@pytest.mark.parametrize("how", ["pub", "many"])
@pytest.mark.parametrize("by", ["loop", "worker"])
def test_shared_between_own_messages(daemon, order, how, by):
    running = daemon(config(route="deflate: {min_size: 1B}"))
    web_sockets = [dial(running, offer) for offer in order]
    ids = ",".join(str(each.number) for each in web_sockets)
    for each in web_sockets:
        assert do(running, f"sub {each.number} news") == "0"
    for turn in range(5):
        for number, each in enumerate(web_sockets):
            if (turn + number) % 2:
                own(each, ROUND * 20 + str(turn))
        words = f"{turn}: " + ROUND * (1 + 40 * turn)
        assert do(running, f"pub news 0 text {words}" if how == "pub" else f"many {ids} text {words}", by=by) == "0"
        for each in web_sockets:
            assert each.next().data == words.encode()
    for offer, each in zip(order, web_sockets):
        assert (each.receiver.compressed >= 5) == (offer != "plain")


def test_it_is_compressed_once(daemon):
    """A sending stream takes a quarter of a MiB: only the first of them gets one."""
    running = daemon(config(route="deflate: {min_size: 1KiB}"))
    web_sockets = [dial(running, "takeover") for _ in range(200)]
    for each in web_sockets:
        assert do(running, f"sub {each.number} news") == "0"
    before = status(running, "VmRSS")
    words = (ROUND * 50).strip()
    for _ in range(3):
        assert do(running, f"pub news 0 text {words}") == "0"
        for each in web_sockets:
            assert each.next().data == words.encode()
    assert all(each.receiver.compressed == 3 for each in web_sockets)
    assert is_sanitized() or status(running, "VmRSS") - before < 4 << 20
