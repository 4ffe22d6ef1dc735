"""Routes with `host:`: which names they take, in which order, and what is left for routes without one."""
import pytest

from http1 import configuration, running
import harness

SERVERS = """  web:
    listen: 127.0.0.1:0
    limits: {body: 1KiB}
    routes:
      - {path: /, module: hello, options: {text: "any\\n"}}
      - {path: /, host: example.org, module: hello, options: {text: "exact\\n"}}
      - {path: /, host: "*.example.org", module: hello, options: {text: "wildcard\\n"}}
      - {path: /, host: "*.deep.example.org", module: hello, options: {text: "deep\\n"}}
      - {path: /, host: "[::1]", module: hello, options: {text: "address\\n"}}
      - {path: /, host: "[::ffff:192.0.2.1]", module: hello, options: {text: "mapped\\n"}}
      - {path: /only, host: example.org, module: hello, options: {text: "only\\n"}}
      - {path: /shared, module: hello, options: {text: "shared\\n"}}
      - {path: "/n/*", host: example.org, module: next, handler: loop}
      - {path: "/n/*", module: hello, options: {text: "next\\n"}}
      - {path: /small, host: example.org, module: echo, limits: {body: 4B}}
      - {path: /small, host: "*.example.org", module: echo, limits: {body: 2KiB}}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory, SERVERS) as daemon:
        yield daemon


def ask(served, host, path="/", method="GET", body=b""):
    with served.raw() as raw:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        raw.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n".encode() + body)
        return raw.response(method)


@pytest.mark.parametrize("host, text", [
    ("example.org", "exact"),
    ("EXAMPLE.org", "exact"),
    ("example.org.", "exact"),
    ("example.org:8080", "exact"),
    ("www.example.org", "wildcard"),
    ("a.b.example.org", "wildcard"),
    ("a.deep.example.org", "deep"),
    ("deep.example.org", "wildcard"),
    ("notexample.org", "any"),
    ("example.org.evil.com", "any"),
    ("[::1]:80", "address"),
    ("[::1]", "address"),
    ("[0:0:0:0:0:0:0:1]", "address"),
    ("[0000:0000::0001]:80", "address"),
    ("[::FFFF:192.0.2.1]", "mapped"),
    ("[::ffff:c000:201]", "mapped"),
    ("192.0.2.1", "any"),
    ("[192.0.2.1]", "any"),
    ("[::1.]", "any"),
    ("[v1.x:y]", "any"),
    ("[::2]", "any"),
    ("", "any"),
])
def test_the_nearest_host_answers(served, host, text):
    response = ask(served, host)
    assert response.status == 200 and response.text == f"{text}\n"


def test_the_host_of_a_url_counts_more_than_the_field(served):
    response = ask(served, "example.org", "http://www.example.org/")
    assert response.text == "wildcard\n"


def test_http_1_0_without_host_gets_the_routes_for_every_host(served):
    with served.raw() as raw:
        raw.send("GET / HTTP/1.0\r\n\r\n")
        assert raw.response().text == "any\n"


def test_a_route_of_one_host_is_not_there_for_others(served):
    assert ask(served, "example.org", "/only").status == 200
    assert ask(served, "www.example.org", "/only").status == 404


def test_routes_without_host_are_there_for_all(served):
    for host in ("example.org", "www.example.org", "other"):
        assert ask(served, host, "/shared").text == "shared\n"


def test_next_goes_on_to_routes_of_less_exact_hosts(served):
    assert ask(served, "example.org", "/n/x").text == "next\n"


def test_each_host_has_its_own_limits(served):
    assert ask(served, "example.org", "/small", "POST", b"12345").status == 413
    assert ask(served, "www.example.org", "/small", "POST", b"x" * 2000).status == 200


def test_one_path_and_host_twice_is_an_error(retinued):
    twice = SERVERS + '      - {path: /only, host: EXAMPLE.org, module: hello}\n'
    result = retinued("-n", text=configuration(twice, "info").replace("{modules}", harness.MODULES))
    assert result.returncode == 1 and 'route "/only"' in result.stderr and "twice" in result.stderr
