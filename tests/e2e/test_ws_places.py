"""WebSocket handlers on routes and of clients: which are chosen, and what the configuration may say of them."""
import re

import pytest

from common import with_test_modules

KINDS = "both, mixed, plain, stream, worker, silent"
WS_KINDS = "both, mixed, stream, worker, silent"


def on_route(route, more=""):
    return with_test_modules(f"\n  get:\n    listen: 127.0.0.1:0\n{more}    routes:\n      - {route}\n")


def on_client(client, more=""):
    return with_test_modules(f"\n  get:\n{more}    clients:\n      - {client}\n")


def client(url="ws://127.0.0.1:1/", more=""):
    return f'{{url: "{url}", module: ws_only{more}}}'


def in_text(text, words):
    """Line and column of `words` in a configuration; the last place where they are."""
    before = text[:text.rindex(words)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


# The configuration, the words at whose place the error is, and its text behind the server's name.
REFUSED = {
    "several handlers": (
        on_route("{path: /, module: ws_kinds}"), "ws_kinds",
        f'route "/": module "ws_kinds" has several handlers; add handler: with one of {KINDS}'),
    "several of one kind": (
        on_client('{url: "ws://a/", module: ws_kinds}'), "ws_kinds",
        f'client "ws://a/": module "ws_kinds" has several WebSocket handlers; add handler: with one of {WS_KINDS}'),
    "misspelled": (
        on_route("{path: /, module: ws_kinds, handler: strem}"), "strem",
        'route "/": module "ws_kinds" has no handler "strem"; did you mean "stream"?'),
    "unknown": (
        on_route("{path: /, module: ws_only, handler: zebra}"), "zebra",
        'route "/": module "ws_only" has no handler "zebra"; it has only'),
    "an HTTP handler for a client": (
        on_client('{url: "ws://a/", module: ws_kinds, handler: plain}'), "plain",
        f'client "ws://a/": module "ws_kinds" has no WebSocket handler "plain"; it has {WS_KINDS}'),
    "a client of a module without": (
        on_client('{url: "ws://a/", module: hello}'), "hello",
        'client "ws://a/": module "hello" has no WebSocket handler'),
    "no workers": (
        on_route("{path: /, module: ws_kinds, handler: mixed}", "    threads: 0\n"), "mixed",
        'route "/": handler "mixed" of module "ws_kinds" runs on workers (serial), but this server has none (threads: 0)'),
    "no workers for a client": (
        on_client('{url: "ws://a/", module: ws_kinds, handler: worker}', "    threads: 0\n"), "worker",
        'client "ws://a/": handler "worker" of module "ws_kinds" runs on workers (parallel), but this server has none '
        '(threads: 0)'),
    "methods without GET": (
        on_route("{path: /, module: ws_only, methods: HEAD}"), "HEAD",
        'route "/": handler "only" of module "ws_only" is for WebSocket, which needs GET'),
    "methods of HTTP": (
        on_route("{path: /, module: ws_only, methods: [GET, POST]}"), "methods",
        'route "/": handler "only" of module "ws_only" does not take POST; it takes GET, HEAD'),
    "unknown option of a client": (
        on_client('{url: "ws://a/", module: ws_kinds, handler: both, options: {wrod: a}}'), "wrod",
        'client "ws://a/": options: unknown key "wrod"; did you mean "word"?'),
    "options for none": (
        on_client(client(more=", options: {a: b}")), "options",
        'client "ws://127.0.0.1:1/": module "ws_only" has no options'),
    "configure of a client": (
        on_client('{url: "ws://a/", module: ws_kinds, handler: both, options: {word: bad}}'), "bad",
        'client "ws://a/": option "word": bad is not for ws://a/'),
    "ready of a client": (
        on_client('{url: "ws://a/", module: ws_kinds, handler: both, options: {word: late}}'), "ws_kinds",
        'client "ws://a/": module "ws_kinds": it is too late'),
}

OF_WEBSOCKET = ["origins: all", "backlog_policy: drop", "deflate: {effort: fast}", "limits: {message: 1KiB}",
                "limits: {backlog: 1MiB}", "timeouts: {ping: 1s}", "timeouts: {pong: 1s}", "timeouts: {close: 1s}"]
OF_HTTP = ["request_body: buffered", "limits: {body: 1KiB}", "timeouts: {body: 1s}"]


def refused(result, text, words, message):
    assert result.returncode == 1
    errors = re.findall(r"retinued\.yaml:(\d+):(\d+): error: (.*)", result.stderr)
    line, column = in_text(text, words)
    assert errors == [(str(line), str(column), f'server "get": {message}')], result.stderr


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_at_its_place(retinued, name):
    text, words, message = REFUSED[name]
    refused(retinued("-n", text=text), text, words, message)
    refused(retinued(text=text), text, words, message)


@pytest.mark.parametrize("more, module, kind", [(more, "hello", "WebSocket") for more in OF_WEBSOCKET] +
                         [(more, "ws_only", "plain requests") for more in OF_HTTP])
def test_keys_that_no_handler_of_the_route_needs(retinued, more, module, kind):
    text = on_route(f"{{path: /, module: {module}, {more}}}")
    names = re.findall(r"(\w+):", more)
    path = ".".join(names if names[0] in ("limits", "timeouts") else names[:1])
    key = path.split(".")[-1]
    value = re.search(rf"{key}: (\w*)", more)[1]
    handler = "WebSocket" if kind == "WebSocket" else "HTTP"
    refused(retinued("-n", text=text), text, value if value else key,
            f'route "/": "{path}" is for {kind}, but the route has no {handler} handler')


def test_all_mistakes_come_in_one_run(retinued):
    """Those of routes and clients, in a configuration that is wrong elsewhere too."""
    text = with_test_modules("""
  get:
    listen: 127.0.0.1:0
    thread: 4
    routes:
      - {path: /, module: ws_only, handler: none}
    clients:
      - {url: "ws://a/", module: hello}
      - {url: "ws://b/", module: ws_kinds}
""")
    result = retinued("-n", text=text)
    assert result.returncode == 1
    errors = re.findall(r"retinued\.yaml:(\d+):\d+: error: (.*)", result.stderr)
    assert [line for line, _ in errors] == ["5", "7", "9", "10"], result.stderr


GOOD = {
    "both kinds": on_route("{path: /, module: ws_kinds, handler: both, origins: all, methods: [GET, POST]}"),
    "a route for WebSocket only": on_route("{path: /, module: ws_only, deflate: {}, limits: {message: 1KiB}}"),
    "HTTP only": on_route("{path: /, module: ws_kinds, handler: plain, limits: {body: 1KiB}}"),
    "on the loop without workers": on_route("{path: /, module: ws_kinds, handler: both}", "    threads: 0\n"),
    "a client": on_client(client()),
    "a client with everything": on_client(client(more=', headers: ["X-A: b"], protocols: [a], reconnect: 0, deflate: {}')),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_taken(retinued, name):
    result = retinued("-n", text=GOOD[name])
    assert (result.returncode, result.stderr) == (0, "")


def test_hooks_run_for_clients_after_routes(daemon):
    """And a server that only has clients needs no listener."""
    running = daemon(with_test_modules("""
  in:
    listen: "unix:{tmp}/s"
    routes:
      - {path: /, module: ws_kinds, handler: both, options: {word: route}}
    clients:
      - {url: "ws+unix:{tmp}/s:/", module: ws_kinds, handler: both, options: {word: first}}
      - {url: "ws+unix:{tmp}/s:/", module: ws_only}
  out:
    threads: 0
    clients:
      - {url: "ws+unix:{tmp}/s:/", module: ws_kinds, handler: silent, options: {word: third}}
"""))
    assert running.log.wait(r'server "in": http on unix:\S+, loops 1, threads \d+, routes 1, clients 2, modules ws_kinds '
                            r'ws_only$')
    assert running.log.wait(r'server "out": http without listeners, loops 1, threads 0, routes 0, clients 1, modules '
                            r'ws_kinds$')
    assert running.stop() == 0
    hooks = re.findall(r"ws_kinds: (\w+) of (\w+) on in", running.log.text())
    assert hooks == [("start", "route"), ("start", "first"), ("stop", "first"), ("stop", "route")]
    assert re.findall(r"ws_kinds: (\w+) of third on out", running.log.text()) == ["start", "stop"]


def test_a_plain_request_where_a_name_has_both_kinds(daemon):
    """The HTTP handler of a route that has a WebSocket handler too."""
    running = daemon(on_route("{path: /, module: ws_kinds, handler: both, options: {word: here}}"))
    with running.raw() as raw:
        response = raw.request("POST", "/", body=b"x")
        assert (response.status, response.text) == (200, "here")
