"""Clients that others have written: websockets of Python and ws of Node, with and without compression."""
import asyncio
import json
import os
import pathlib
import subprocess

import pytest
import websockets

from bounds import SLOW, WAIT_BOUND
from harness import clean_environment
from ws_talk import config

ECHO = """
      - {path: /echo, module: echo, limits: {message: 64MiB}}
      - {path: /echo-deflate, module: echo, deflate: {}, limits: {message: 64MiB}}
"""
PATHS = ["/echo", "/echo-deflate", "/loop", "/serial", "/parallel"]
MESSAGES = ["hello", "", "\u20ac" * 1000, "x" * 125, "x" * 126, "y" * 65536, "z" * (1 << 20), b"", b"\0", bytes(range(256)) * 300,
            bytes(1 << 20), os.urandom(1 << 20)]


@pytest.fixture
def running(daemon):
    return daemon(config(route="deflate: {}, limits: {message: 64MiB, backlog: 16MiB}", loops=2, more=ECHO))


@pytest.fixture(params=PATHS)
def path(request):
    return request.param


@pytest.fixture(params=[None, "deflate"], ids=["plain", "deflate"])
def compression(request):
    return request.param


def talk(running, path, coroutine, **options):
    """Runs coroutine(connection) and returns what it does."""
    async def run():
        url = f"ws://127.0.0.1:{running.port()}{path}"
        async with websockets.connect(url, max_size=64 << 20, open_timeout=WAIT_BOUND, **options) as connection:
            return await coroutine(connection)

    return asyncio.run(asyncio.wait_for(run(), 6 * WAIT_BOUND))


# websockets

def test_websockets_echo(running, path, compression):
    async def converse(connection):
        names = [extension.name for extension in connection.extensions]
        assert names == (["permessage-deflate"] if compression and path != "/echo" else [])
        for message in MESSAGES:
            await connection.send(message)
            assert await connection.recv() == message

    talk(running, path, converse, compression=compression)


def test_websockets_sends_without_waiting(running, path, compression):
    async def converse(connection):
        sent = [f"{i} " + "x" * (i * 37 % 5000) for i in range(500)]

        async def send():
            for message in sent:
                await connection.send(message)

        sender = asyncio.ensure_future(send())
        assert [await connection.recv() for _ in sent] == sent
        await sender

    talk(running, path, converse, compression=compression)


def test_websockets_fragments(running, path, compression):
    async def converse(connection):
        for _ in range(5):
            await connection.send(["one ", "", "tw\u00f6 ", "x" * 100000])
            assert await connection.recv() == "one tw\u00f6 " + "x" * 100000
            await connection.send([b"\0" * 100000, os.urandom(1000)[:0], b"end"])
            assert await connection.recv() == b"\0" * 100000 + b"end"

    talk(running, path, converse, compression=compression)


def test_websockets_ping(running, path):
    async def converse(connection):
        for data in (b"", b"x" * 125, "\u00e4"):
            await asyncio.wait_for(await connection.ping(data), WAIT_BOUND)
        assert connection.latency >= 0

    talk(running, path, converse)


@pytest.mark.parametrize("code,reason", [(1000, ""), (1001, "going"), (3000, "w\u00f6rds"), (4999, "x" * 123)])
def test_websockets_closes(running, path, code, reason):
    async def converse(connection):
        await connection.close(code, reason)
        return connection.close_code, connection.close_reason

    assert talk(running, path, converse)[0] == code


@pytest.mark.parametrize("code", [1000, 1001, 1008, 3000, 4999])
def test_websockets_is_closed(running, path, code):
    if path.startswith("/echo"):
        path = "/loop"

    async def converse(connection):
        await connection.send(f"!do close @ {code} w\u00f6rds")
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                await connection.recv()
        return connection.close_code, connection.close_reason

    assert talk(running, path, converse) == (code, "w\u00f6rds")


@pytest.mark.parametrize("offered,chosen", [(["second", "best"], "best"), (["other"], None), (["x", "second"], "second")])
def test_websockets_subprotocols(running, offered, chosen):
    async def converse(connection):
        return connection.subprotocol

    for path in ("/loop", "/serial", "/parallel"):
        assert talk(running, path, converse, subprotocols=offered) == chosen


@pytest.mark.parametrize("offer", [
    {"server_max_window_bits": 9}, {"client_max_window_bits": 9}, {"server_no_context_takeover": True},
    {"client_no_context_takeover": True},
    {"server_max_window_bits": 10, "client_max_window_bits": 10, "server_no_context_takeover": True, "client_no_context_takeover": True},
])
def test_websockets_parameters(running, offer):
    from websockets.extensions import permessage_deflate
    extension = permessage_deflate.ClientPerMessageDeflateFactory(**offer)

    async def converse(connection):
        assert [each.name for each in connection.extensions] == ["permessage-deflate"]
        for message in MESSAGES:
            await connection.send(message)
            assert await connection.recv() == message

    for path in ("/echo-deflate", "/parallel"):
        talk(running, path, converse, compression=None, extensions=[extension])


def test_websockets_refused(running):
    with pytest.raises(websockets.InvalidStatusCode, match="403"):
        talk(running, "/loop?refuse=403", None)


# ws

def node(running, path, conversation, **options):
    script = pathlib.Path(__file__).with_name("ws_node.cjs")
    url = f"ws://127.0.0.1:{running.port()}{path}"
    result = subprocess.run(["node", script, url, conversation, json.dumps(options)], capture_output=True, text=True, check=False,
                            timeout=60 * SLOW, env=dict(clean_environment(), NODE_PATH="/usr/share/nodejs"))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "deflate"])
def test_ws_echo(running, path, deflate):
    # Without a threshold every message is compressed.
    told = node(running, path, "echo", perMessageDeflate={"threshold": 0} if deflate else False)
    assert told["messages"] == [True] * 9 and "error" not in told
    assert (told["code"], told["reason"]) in ((1000, ""), (1000, "all came"))
    assert told["extensions"] == ("permessage-deflate" if deflate and path != "/echo" else "")


@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "deflate"])
def test_ws_fragments(running, path, deflate):
    told = node(running, path, "fragments", perMessageDeflate={"threshold": 0} if deflate else False)
    text = "\u20ac uro " * 20
    lengths = [len((text[:i] + text[:100]).encode()) for i in range(20)]
    assert told["messages"] == [each for length in lengths for each in ([False, length], [True, 100000])]
    assert told["code"] == 1000 and "error" not in told


def test_ws_ping_and_close(running, path):
    told = node(running, path, "ping")
    assert told["messages"] == ["are you there?"] and told["code"] == 3000


@pytest.mark.parametrize("path", ["/loop", "/serial", "/parallel"], indirect=True)
def test_ws_is_pinged_and_closed(running, path):
    told = node(running, path, "told", protocols=["second", "x"])
    assert told["messages"] == ["hello"] and told["protocol"] == "second"
    assert (told["code"], told["reason"]) == (4001, "by the module")


def test_ws_closes_without_a_code(running, path):
    assert node(running, path, "nothing")["code"] == 1005


def test_ws_refused(running):
    told = node(running, "/loop?refuse=403", "nothing")
    assert "403" in told["error"] and told["code"] == 1006
