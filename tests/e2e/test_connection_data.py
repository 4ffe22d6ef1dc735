"""What a module keeps on a connection, and what it is told when the connection ends."""
import signal

import pytest

from common import with_test_modules

CONFIG = """
  get:
    listen: 127.0.0.1:0
    timeouts: {idle: 200ms}
    routes:
      - {path: /loop, module: counter, handler: loop}
      - {path: /worker, module: counter, handler: worker}
      - {path: /again, module: counter, handler: loop}
"""
PATIENT = CONFIG.replace("timeouts: {idle: 200ms}", "log_level: info")


def closed(running, cause, requests, times=1):
    """Waits for the line of connection_closed, and for the destructor's line behind it."""
    line = rf"counter: connection closed: {cause} \((.*)\) after {requests} requests$"
    match = running.log_wait(line, count=times)
    running.log_wait(rf"counter: data destroyed after {requests} requests$", count=times)
    lines = [text for text in running.log.text().splitlines() if "counter: " in text]
    for before, after in zip(lines[::2], lines[1::2]):
        assert "connection closed" in before and "data destroyed" in after
    return match[1]


@pytest.mark.parametrize("path", ["/loop", "/worker"])
def test_data_lives_as_long_as_the_connection(daemon, path):
    running = daemon(with_test_modules(PATIENT))
    for _ in range(2):
        with running.raw() as raw:
            assert [raw.request(target=path).text for _ in range(3)] == ["1\n", "2\n", "3\n"]
    closed(running, "client", 3, times=2)
    assert running.stop() == 0
    assert len(running.log.find("data destroyed")) == 2


def test_each_instance_has_data_of_its_own(daemon):
    running = daemon(with_test_modules(PATIENT))
    with running.raw() as raw:
        texts = [raw.request(target=path).text for path in ("/loop", "/again", "/loop", "/worker", "/again", "/loop")]
    assert texts == ["1\n", "1\n", "2\n", "1\n", "2\n", "3\n"]
    for requests in (1, 2, 3):
        closed(running, "client", requests)


def test_a_connection_the_module_never_saw_is_none_of_its_business(daemon):
    running = daemon(with_test_modules(PATIENT))
    with running.raw() as raw:
        assert raw.request(target="/nothing").status == 404
    assert running.stop() == 0
    assert not running.log.find("counter: ")


@pytest.mark.parametrize("path", ["/loop", "/worker"])
def test_close_by_request(daemon, path):
    running = daemon(with_test_modules(PATIENT))
    with running.raw() as raw:
        assert raw.request(target=path, headers=[("Connection", "close")]).text == "1\n"
        assert raw.closed()
    closed(running, "normal", 1)


@pytest.mark.parametrize("path", ["/loop", "/worker"])
def test_close_by_timeout(daemon, path):
    running = daemon(with_test_modules(CONFIG))
    with running.raw() as raw:
        assert raw.request(target=path).text == "1\n"
        assert raw.closed()
    assert "timeouts.idle" in closed(running, "timeout", 1)


@pytest.mark.parametrize("path", ["/loop", "/worker"])
def test_close_by_protocol_error(daemon, path):
    running = daemon(with_test_modules(PATIENT))
    with running.raw() as raw:
        assert raw.request(target=path).text == "1\n"
        raw.send("NONSENSE\r\n\r\n")
        assert raw.response().status == 400
        assert raw.closed()
    assert closed(running, "(?:protocol|security)", 1)


def test_close_in_the_middle_of_a_request(daemon):
    running = daemon(with_test_modules(PATIENT))
    with running.raw() as raw:
        assert raw.request(target="/loop").text == "1\n"
        raw.send("GET / HTTP/1.1\r\nHo")
    closed(running, "lost", 1)


def test_close_by_reset(daemon):
    running = daemon(with_test_modules(PATIENT))
    raw = running.raw()
    assert raw.request(target="/loop").text == "1\n"
    raw.reset()
    closed(running, "lost", 1)


def test_close_by_shutdown(daemon):
    running = daemon(with_test_modules(PATIENT))
    raws = [running.raw() for _ in range(2)]
    assert [raw.request(target=path).text for raw, path in zip(raws, ("/loop", "/worker"))] == ["1\n", "1\n"]
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    assert len(running.log.find(r"counter: connection closed: shutdown \(the server is stopping\) after 1 requests$")) == 2
    assert len(running.log.find("data destroyed after 1 requests$")) == 2
