"""Limits per client address, told apart as 127.0.0.1 and 127.0.0.2, and the most requests on one connection."""
import contextlib
import re

import pytest

from common import fields, in_time, wait_until
from http1 import running
from test_proxy import REQUEST, V1, From

SERVERS = """\
  few:
    listen: [127.0.0.1:0, "unix:{tmp}/few"]
    limits: {connections_per_client: 2}
    timeouts: {linger: 1m}
    routes: &routes
      - {path: /, module: client, handler: loop}
      - {path: /worker, module: client, handler: worker}
      - {path: /echo, module: echo}
      - {path: /fixed, status: 204}
  one:
    listen: 127.0.0.1:0
    loops: 2
    limits: {connections_per_client: 1}
    routes: *routes
  few_proxied:
    listen: [{address: "127.0.0.1:0", proxy_protocol: true}]
    trusted_proxies: [127.0.0.1]
    limits: {connections_per_client: 2}
    routes: *routes
  slow:
    listen: [127.0.0.1:0, "unix:{tmp}/slow"]
    limits: {requests_per_second: 1, request_burst: 3}
    routes: *routes
  slow_proxied:
    listen: [127.0.0.1:0]
    trusted_proxies: [127.0.0.1]
    limits: {requests_per_second: 1, request_burst: 3}
    routes: *routes
  quick:
    listen: [127.0.0.1:0]
    limits: {requests_per_second: 20, request_burst: 1}
    routes: *routes
  short:
    listen: [127.0.0.1:0]
    limits: {requests_per_connection: 3}
    routes: *routes
"""


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    with running(tmp_path_factory, SERVERS, "info") as daemon:
        yield daemon


def source(daemon, server, address):
    return From(address, ("127.0.0.1", daemon.port(server)))


def is_too_many(response):
    assert response.status == 429, response
    assert response.reason == "Too Many Requests"
    assert re.fullmatch("[1-9][0-9]*", response.get("Retry-After")), response
    return True


# Each test has client addresses of its own: what one has used up does not matter to the next.


def test_connections_of_one_address(limited):
    with contextlib.ExitStack() as stack:
        first, _ = [stack.enter_context(source(limited, "few", "127.0.1.1")) for _ in range(2)]
        assert first.request().status == 200
        third = stack.enter_context(source(limited, "few", "127.0.1.1"))
        refused = third.response()  # nothing was asked
        assert is_too_many(refused)
        assert refused.get("Connection") == "close"
        assert third.recv_until_close() == b""
        other = stack.enter_context(source(limited, "few", "127.0.1.2"))
        assert other.request().status == 200
        assert first.request().status == 200


def test_a_refused_request_does_not_lose_the_answer(limited):
    """The bytes that the client sends meanwhile are read, or a reset would overtake the answer."""
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            assert stack.enter_context(source(limited, "few", "127.0.2.1")).request().status == 200
        for _ in range(20):
            with source(limited, "few", "127.0.2.1") as third:
                third.send(REQUEST * 100)
                assert is_too_many(third.response())
                third.half_close()
                assert third.closed()


def test_a_connection_that_ends_makes_room(limited):
    with source(limited, "few", "127.0.3.1") as kept:
        assert kept.request().status == 200
        for _ in range(5):
            with source(limited, "few", "127.0.3.1") as more:
                assert more.request().status == 200
                with source(limited, "few", "127.0.3.1") as refused:
                    assert is_too_many(refused.response())
                more.half_close()
                assert more.closed()


@pytest.mark.parametrize("target", ["/", "/worker"])
def test_whoever_sees_the_end_may_come_again(limited, target):
    """Whichever thread has ended the connection."""
    for _ in range(300):
        with source(limited, "one", "127.0.8.1") as raw:
            assert raw.request(target=target, headers=[("Connection", "close")]).status == 200
            assert raw.recv_until_close() == b""


def test_unix_sockets_have_no_address(limited):
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            assert stack.enter_context(limited.raw("few", 1)).request().status == 200


def test_connections_count_for_the_client_of_the_proxy_header(limited):
    def connect(stack, header):
        raw = stack.enter_context(limited.raw("few_proxied"))
        raw.send(header + REQUEST)
        return raw, raw.response()

    with contextlib.ExitStack() as stack:
        first, response = connect(stack, V1)
        assert response.status == 200
        assert connect(stack, V1)[1].status == 200
        third, response = connect(stack, V1)
        assert is_too_many(response)
        assert third.recv_until_close() == b""
        assert connect(stack, V1.replace(b"192.0.2.1", b"192.0.2.2"))[1].status == 200
        for _ in range(4):  # the proxy itself is no client
            assert connect(stack, b"PROXY UNKNOWN\r\n")[1].status == 200
        first.half_close()
        assert first.closed()
        assert connect(stack, V1)[1].status == 200


SOON = 0.9
"""A second after the first request the fourth one is taken, too."""


def test_requests_of_one_address(limited):
    def attempt(number):
        address = f"127.0.4.{2 * number + 1}"
        with source(limited, "slow", address) as raw, source(limited, "slow", address) as again:
            assert [raw.request().status for _ in range(2)] == [200, 200]
            assert again.request(target="/fixed").status == 204
            refused = again.request()
            assert is_too_many(refused)
            assert refused.get("Retry-After") == "1"
            assert refused.get("Connection") is None
            assert is_too_many(raw.request(target="/fixed"))
            assert is_too_many(raw.request(target="/unknown"))
            with source(limited, "slow", f"127.0.4.{2 * number + 2}") as other:
                assert other.request().status == 200

    in_time(SOON, attempt)


def test_the_body_of_a_refused_request_is_thrown_away(limited):
    def attempt(number):
        with source(limited, "slow", f"127.0.5.{number + 1}") as raw:
            raw.send(REQUEST * 3)
            assert [response.status for response in raw.responses(3)] == [200] * 3
            assert is_too_many(raw.request("POST", "/echo", body=b"x" * 200000))
            raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + REQUEST)
            assert all(is_too_many(response) for response in raw.responses(2))

    in_time(SOON, attempt)


def test_tokens_come_back(limited):
    with source(limited, "quick", "127.0.6.1") as raw:
        raw.send(REQUEST * 1000)  # for which there are tokens in 50 seconds
        assert {response.status for response in raw.responses(1000)} == {200, 429}
        wait_until(lambda: raw.request().status == 200, "a request that is taken after those that were not")


def test_the_rate_is_that_of_the_client_behind_a_trusted_proxy(limited):
    def ask(raw, client):
        return raw.request(headers=[("Forwarded", f"for={client}")])

    def attempt(number):
        first, second, third = (f"192.0.2.{10 * number + i}" for i in (1, 2, 3))
        with limited.raw("slow_proxied") as raw:
            for client in (first, second):
                answers = [ask(raw, client) for _ in range(3)]
                assert [fields(answer.text)["client"] for answer in answers] == [client] * 3
            assert is_too_many(ask(raw, first))
            assert is_too_many(ask(raw, second))
            assert ask(raw, third).status == 200
            assert ask(raw, f'"[2001:db8:0:{number}::1]"').status == 200
            assert [ask(raw, f'"[2001:db8:0:{number}::ffff:2]"').status for _ in range(3)] == [200, 200, 429]  # one network
        with source(limited, "slow_proxied", f"127.0.7.{number + 1}") as raw:  # who says so, but is not trusted
            assert [ask(raw, f"192.0.3.{i}").status for i in range(4)] == [200, 200, 200, 429]

    in_time(SOON, attempt)


def test_the_proxy_does_not_pay_for_fields_that_nobody_believes(limited):
    with limited.raw("slow_proxied") as raw:
        assert [raw.request(headers=[("Forwarded", 'for="')]).status for _ in range(5)] == [400] * 5
        assert raw.request().status == 200


def test_no_rate_on_unix_sockets(limited):
    with limited.raw("slow", 1) as raw:
        assert [raw.request().status for _ in range(10)] == [200] * 10


def test_the_last_request_of_a_connection(limited):
    with limited.raw("short") as raw:
        answers = [raw.request() for _ in range(3)]
        assert [answer.status for answer in answers] == [200] * 3
        assert [answer.get("Connection") for answer in answers] == [None, None, "close"]
        assert raw.closed()
    with limited.raw("short") as raw:
        raw.send(REQUEST * 5)
        assert [response.status for response in raw.responses(3)] == [200] * 3
        assert raw.closed()
    with limited.raw("short") as raw:
        answers = [raw.request("POST", "/echo", body=b"x" * 10) for _ in range(3)]
        assert [answer.get("Connection") for answer in answers] == [None, None, "close"]
