"""`modules` of servers: hooks that run there, in which order, and what -n says of modules that have no business there."""
import re

import pytest

from common import with_test_modules


def test_hooks_of_a_worker_without_handlers(daemon):
    running = daemon(with_test_modules("""
  work:
    protocol: worker
    modules: [{module: hook_only}]
"""))
    running.log_wait("hook_only: start on work")
    assert running.stop() == 0
    running.log_wait("hook_only: stop on work")


def test_hooks_run_in_the_order_of_routes_clients_and_modules(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    modules:
      - {module: ws_kinds, options: {word: third}}
      - {module: ws_kinds, options: {word: fourth}}
    clients:
      - {url: "ws://127.0.0.1:1/", module: ws_kinds, handler: both, options: {word: second}}
    routes:
      - {path: /, module: ws_kinds, handler: plain, options: {word: first}}
"""))
    assert running.get().text == "first"
    running.log_wait("ws_kinds: start of fourth on get")
    assert running.stop() == 0
    running.log_wait("ws_kinds: stop of first on get")
    told = re.findall(r"ws_kinds: (start|stop) of (\w+) on get", running.log.text())
    words = ["first", "second", "third", "fourth"]
    assert told == [*(("start", word) for word in words), *(("stop", word) for word in reversed(words))]


LINE = """
  chat:
    protocol: line
    listen: 127.0.0.1:0
    modules:
      - {module: line_only}
"""

REFUSED = {
    "two that take lines": (LINE + "      - {module: hub_kinds, handler: lines}\n", 8, 18,
                            'server "chat": module "hub_kinds" has a line handler, but "line_only" takes the lines already'),
    "none that takes lines": (LINE.replace("line_only", "message_only"), 6, 5,
                              'server "chat": none of its modules has a line handler, which "protocol: line" needs'),
    "nothing to do there": (LINE + "      - {module: serial}\n", 8, 18,
                            'server "chat": module "serial" has nothing for this place: no line handler, no message handler '
                            "and no start hook"),
    "lines on a worker": (LINE.replace("protocol: line", "protocol: worker").replace(
        "    listen: 127.0.0.1:0\n", ""), 6, 18,
        'server "chat": module "line_only" has nothing for this place: no message handler and no start hook; a line handler '
        'needs "protocol: line"'),
    "a module that is not there": (LINE.replace("line_only", "line_onyl"), 7, 18, 'module "line_onyl": no line_onyl.so in '),
    "an unknown handler": (LINE.replace("line_only", "hub_kinds, handler: line"), 7, 38,
                           'server "chat": module "hub_kinds" has no line or message handler "line"; did you mean "lines"?'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_belong_there_is_refused(retinued, what):
    servers, line, column, message = REFUSED[what]
    result = retinued("-n", text=with_test_modules(servers))
    assert result.returncode == 1
    assert f"retinued.yaml:{line}:{column}: error: {message}" in result.stderr
    assert result.stderr.count(" error: ") == 1, result.stderr


def test_both_who_take_lines_are_shown(retinued):
    result = retinued("-n", text=with_test_modules(REFUSED["two that take lines"][0]))
    assert re.search(r"retinued\.yaml:7:18: note: the first one is here\n", result.stderr)


def test_modules_are_checked_when_something_else_is_wrong(retinued):
    """All mistakes in one run: a wrong key keeps the server from being made, its modules are looked at all the same."""
    text = REFUSED["two that take lines"][0] + "      - {module: serial}\n    nmae: x\n"
    result = retinued("-n", text=with_test_modules(text))
    places = re.findall(r"retinued\.yaml:(\d+):\d+: error: ", result.stderr)
    assert places == ["8", "9", "10"], result.stderr
