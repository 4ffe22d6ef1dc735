"""WebSocket and plain requests through one `location` of a proxy: what retinued.yaml(5) tells nginx to send, sent from here.

nginx itself is not needed: a header field with an empty value is not sent, variables are what the client said, and fields of the
client that are not named pass through.
"""
import re

import pytest

import harness
from common import with_test_modules
from ws_raw import WebSocket, check_upgraded

HOST = "chat.example.org:8443"
SERVERS = """
  web:
    listen: 127.0.0.1:0
    trusted_proxies: [127.0.0.1]
    proxy_header: x-forwarded
    routes:
      - {path: /, module: echo, options: {headers: true}}
"""
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
           "Sec-WebSocket-Version": "13"}


def location_of_manual():
    """{field: value} of the example's proxy_set_header lines."""
    text = (harness.ROOT / "man/retinued.yaml.5.in").read_text(encoding="utf-8")
    block = re.search(r"(?ms)^location / \{$.*?^\}$", text)[0]
    assert "proxy_http_version 1.1;" in block
    return dict(re.findall(r"proxy_set_header (\S+) (\S+);", block))


def forwarded(client, location):
    """The request of a client as it leaves the proxy."""
    variables = {"$host": client["Host"].partition(":")[0], "$http_host": client["Host"], "$remote_addr": "192.0.2.7",
                 "$http_upgrade": client.get("Upgrade", ""), "$scheme": "https"}
    fields = {name: value for name, value in client.items() if name not in ("Host", "Connection", "Upgrade", *location)}
    fields.update({name: variables.get(value, value) for name, value in location.items()})
    lines = ["GET / HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return "\r\n".join(lines) + "\r\n\r\n"


def ask(running, fields, **changes):
    """The answer to a client, whose connection stays open in `with`."""
    connection = WebSocket(("127.0.0.1", running.port()))
    connection.send(forwarded({"Host": HOST, **fields}, {**location_of_manual(), **changes}).encode("latin-1"))
    return connection


@pytest.fixture
def behind(daemon):
    return daemon(with_test_modules(SERVERS))


def test_a_web_socket_of_the_same_host_and_port(behind):
    with ask(behind, {**UPGRADE, "Origin": f"https://{HOST}"}) as connection:
        check_upgraded(connection.response(), UPGRADE["Sec-WebSocket-Key"])


@pytest.mark.parametrize("origin", ["https://chat.example.org", "https://evil.example:8443", "https://evil.example", "null"])
def test_other_origins_are_refused(behind, origin):
    with ask(behind, {**UPGRADE, "Origin": origin}) as connection:
        assert connection.response().status == 403


def test_nobody_brings_a_host_along(behind):
    with ask(behind, {**UPGRADE, "Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}) as connection:
        assert connection.response().status == 403


def test_a_host_without_its_port_is_another_one(behind):
    """Why the example has $http_host."""
    changes = {"Host": "$host", "X-Forwarded-Host": "$host"}
    with ask(behind, {**UPGRADE, "Origin": f"https://{HOST}"}, **changes) as connection:
        assert connection.response().status == 403


def test_the_host_that_was_asked_for_counts_beside_another_one(behind):
    with ask(behind, {**UPGRADE, "Origin": f"https://{HOST}"}, Host="inside") as connection:
        assert connection.response().status == 101


def test_plain_requests_take_the_same_way(behind):
    """Connection: upgrade without an Upgrade does nothing, and the connection stays for the next one."""
    with ask(behind, {}) as connection:
        response = connection.response()
        assert response.status == 200 and "x-forwarded-for: 192.0.2.7" in response.text
        connection.send(forwarded({"Host": HOST}, location_of_manual()).encode("latin-1"))
        assert connection.response().status == 200
