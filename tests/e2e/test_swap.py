"""What becomes of connections and of what is kept on them when a server gets another program: connections that the daemon makes
itself, data of handlers that are gone, and a change while workers are busy.
"""
import threading

import pytest

from bounds import WAIT_BOUND
from common import wait_until, with_test_modules
from reload_talk import reload
from test_ws_outgoing import clients, closes
from ws_talk import Acceptor

BOUND = 6 * WAIT_BOUND


def opened(running, count=1):
    return running.log_wait(r"ws out: open id=(\d+)", count=count)


# Connections of `clients`

def test_a_row_that_is_as_before_keeps_its_connection(daemon):
    with Acceptor() as acceptor:
        url = f"ws://127.0.0.1:{acceptor.port}/"
        running = daemon(clients(url))
        end = acceptor.accept()
        opened(running)
        reload(running, clients(url, server="log_level: debug"))
        end.text("still here")
        running.log_wait(r"ws out: message .*\(still here\)")
        reload(running, clients(url, "limits: {message: 1KiB}"))
        end.text("x" * 2000)
        assert end.closing()[0] == 1009, "the new limit holds"


def test_a_row_that_changes_is_made_anew(daemon):
    with Acceptor() as acceptor:
        url = f"ws://127.0.0.1:{acceptor.port}/"
        running = daemon(clients(url))
        end = acceptor.accept()
        opened(running)
        write_and_forget = threading.Thread(target=reload, args=(running, clients(url, 'headers: ["X-New: yes"]')))
        write_and_forget.start()
        raw, _, fields = acceptor.accept_request()
        assert fields["x-new"] == "yes"
        acceptor.answer(raw, fields)
        assert end.closing()[0] == 1001
        end.close(1001)
        write_and_forget.join()
        opened(running, count=2)
        raw.close()
        end.raw.close()


def test_a_row_that_goes_is_closed_and_its_instance_ends(daemon):
    with Acceptor() as acceptor:
        text = clients(f"ws://127.0.0.1:{acceptor.port}/")
        running = daemon(text)
        end = acceptor.accept()
        opened(running)
        reload(running, text[:text.index("    clients:")] + "    listen: []\n")
        assert end.closing()[0] == 1001
        end.close(1001)
        end.raw.close()
        closes(running, cause="shutdown")
        acceptor.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            acceptor.accept_raw()


# What handlers keep

COUNTED = with_test_modules("""
  get:
    listen: 127.0.0.1:{port}
    routes:
      - {path: /counted, module: counter, handler: loop}
      - {path: /other, status: 204}
""")


def test_a_connection_that_a_gone_handler_has_data_on_is_not_kept_for_ever(daemon):
    running = daemon(COUNTED)
    with running.raw() as kept, running.raw() as other:
        assert kept.request("GET", "/counted").status == 200
        assert other.request("GET", "/other").status == 204
        reload(running, COUNTED.replace("      - {path: /counted, module: counter, handler: loop}\n", ""))
        answer = kept.request("GET", "/other")
        assert (answer.status, answer.all("connection")) == (204, ["close"])
        answer = other.request("GET", "/other")
        assert (answer.status, answer.all("connection")) == (204, [])


# Under load

BUSY = with_test_modules("""
  get:
    listen: 127.0.0.1:{port}
    loops: 2
    threads: 4
    routes:
      - {path: /loop, module: hello}
      - {path: /work, module: counter, handler: worker}
      - {path: /more, status: CODE}
""")


def test_no_request_fails_while_programs_change(daemon):
    running = daemon(BUSY.replace("CODE", "204"))
    stop = threading.Event()
    problems = []

    def ask(path):
        try:
            with running.raw() as raw:
                while not stop.is_set():
                    answer = raw.request("GET", path)
                    assert answer.status in (200, 204, 205, 404)
                    assert not answer.all("connection")
        except Exception as error:  # the test looks at them
            problems.append(error)

    callers = [threading.Thread(target=ask, args=(path,)) for path in ("/loop", "/work", "/more") for _ in range(2)]
    for caller in callers:
        caller.start()
    for i in range(20):
        reload(running, BUSY.replace("CODE", "205" if i % 2 == 0 else "204").replace("threads: 4", f"threads: {1 + i % 4}"))
    stop.set()
    for caller in callers:
        caller.join(BOUND)
    assert not problems
    wait_until(lambda: running.raw().request("GET", "/more").status == 204, "the last program to be in force")
