"""Sockets that the system cannot watch, as when epoll's room for a user is used up: their connections end at once."""
import contextlib
import errno

import pytest

import harness
import seccomp
from common import TEST_MODULES

FIRST = 90  # descriptor that is not watched
MORE = FIRST + 20  # connections than there is room for
NO_ROOM = seccomp.refuse({"x86_64": 233, "aarch64": 21}, 2, seccomp.AT_LEAST, FIRST, errno.ENOSPC)  # epoll_ctl
TEXT = "the system cannot watch it"

HTTP = "timeouts: {idle: 1h, header: 1h}\n    routes: [{path: /, module: hello}]"
LINES = "protocol: line\n    modules: [{module: line_probe, handler: loop, options: {name: x}}]"


@pytest.mark.parametrize("keys", [HTTP, LINES], ids=["http", "line"])
def test_a_connection_that_cannot_be_watched_is_closed(daemon, keys):
    """Though it may stay idle for longer than the test lasts."""
    running = daemon(f"""
daemon: {{modules: ["{TEST_MODULES}", "{harness.MODULES}"]}}
servers:
  main:
    listen: 127.0.0.1:0
    {keys}
""", preexec=NO_ROOM)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(running.raw()) for _ in range(MORE)]
        assert clients[-1].closed()
        running.log_wait(rf"closed \(network\).*{TEXT}", count=MORE - FIRST)
        if keys == HTTP:
            assert clients[0].request().status == 200


def test_who_asks_at_once_may_get_an_answer_before(daemon):
    """Whatever becomes of a request, which may come when its connection is being closed: nobody waits."""
    running = daemon(f"servers:\n  main:\n    listen: 127.0.0.1:0\n    {HTTP}\n", preexec=NO_ROOM)
    with contextlib.ExitStack() as stack:
        for _ in range(MORE):
            raw = stack.enter_context(running.raw())
            raw.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            raw.recv_until_close()
