"""A run of everything under valgrind: no leak, no error. In a sanitizer build the same run, watched by the sanitizer."""
import os
import shutil
import subprocess


import bounds
import harness
from common import with_test_modules

SERVERS = """
  get:
    listen: [127.0.0.1:0, "unix:{tmp}/get.sock"]
    loops: 2
    threads: 4
    access_log: {level: info}
    limits: {body: 100KiB}
    routes:
      - {path: /, module: hello}
      - {path: /echo, module: echo, options: {headers: true}}
      - {path: /old, redirect: /new, status: 308}
      - {path: /form, module: getandpost, handler: form}
      - {path: /post, module: getandpost, handler: post}
      - {path: "/inspect/{id}/*", module: inspect, handler: worker}
      - {path: /count, module: counter, handler: loop}
      - {path: /count-worker, module: counter, handler: worker}
      - {path: /serial, module: serial}
      - {path: /next, module: next, handler: serial}
      - {path: "/errors/{what}", module: errors, handler: loop}
      - {path: "/errors/{what}/{size}", module: errors, handler: worker}
      - {path: /options, module: options, options: {string: a, path: b, strings: [c, d]}}
      - {path: /life, module: lifecycle, handler: worker, options: {name: life}}
  other:
    listen: 127.0.0.1:0
    threads: 0
    routes: [{path: /, status: 204}]
"""

GETS = ["/", "/old", "/form", "/inspect/5/a/b?q=1&q=%32&r", "/count", "/count-worker", "/serial", "/next", "/options", "/life",
        "/nothing", "/%zz", "/errors/eio", "/errors/silent", "/errors/twice", "/errors/then-eio", "/errors/then-next",
        "/errors/headers", "/errors/release", "/errors/release-twice/1000", "/errors/static/2000000", "/errors/release/500000",
        "/errors/eio/1", "/errors/silent/1", "/errors/204/5"]
BROKEN = [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
          b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX"]


def is_sanitized():
    """By what the scripts say, or by what the linker put in."""
    if os.environ.get("RETINUE_SANITIZE"):
        return True
    symbols = subprocess.run(["nm", "-D", harness.RETINUED], capture_output=True, text=True, check=True).stdout
    return "__asan_init" in symbols or "__tsan_init" in symbols or "__ubsan_handle" in symbols


def use_everything(running):
    for n in (0, 1):
        with running.raw(n=n) as raw:
            for path in GETS:
                assert raw.request(target=path).status >= 200, path
            for size in (0, 1, 5000, 90000):
                assert raw.request("POST", "/echo", body=b"x" * size).status == 200
            form = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "http://a")]
            assert raw.request("POST", "/post", form, b"say=hi%21").status == 303
            assert raw.request("DELETE", "/form").status == 405
    for data in BROKEN:
        with running.raw() as raw:
            raw.send(data)
            raw.half_close()
            raw.recv_until_close()
    with running.raw() as raw:
        raw.send("".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in GETS[:10]))
        assert len(raw.responses(10)) == 10
    with running.raw() as raw:
        # The client goes in the middle of a large reply.
        raw.send("GET /errors/static/16000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        raw.socket.recv(1000)
        raw.reset()
    assert running.get(server="other").status == 204


def test_no_leak_and_no_error(daemon, monkeypatch):
    slow = bounds.SLOW
    if not is_sanitized() and not any("valgrind" in word for word in harness.WRAP):
        assert shutil.which("valgrind"), "valgrind is missing: scripts/setup test"
        slow *= 5
        valgrind = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
                    "--errors-for-leak-kinds=definite,indirect,possible", "--error-exitcode=9", "--num-callers=30"]
        monkeypatch.setattr(harness, "WRAP", [*valgrind, *harness.WRAP])
        monkeypatch.setattr(harness, "START_BOUND", slow * 20)
    running = daemon(with_test_modules(SERVERS))
    use_everything(running)
    kept = [running.raw(n=n) for n in (0, 1, 0)]
    for raw in kept:
        assert raw.request(target="/count-worker").text == "1\n"
    assert running.stop(slow * 30) == 0, running.log.text()
    assert "==" not in "".join(line[:2] for line in running.log.text().splitlines()), running.log.text()
    assert running.left_behind == []


def test_a_start_that_fails_leaks_nothing(retinued, monkeypatch):
    """Half of the way up and back again."""
    if not is_sanitized():
        assert shutil.which("valgrind"), "valgrind is missing: scripts/setup test"
        monkeypatch.setattr(harness, "WRAP", ["valgrind", "--quiet", "--leak-check=full", "--error-exitcode=9"])
    text = with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: /, module: hello}
      - {path: /a, module: lifecycle, handler: worker, options: {fail: thread_start}}
""")
    result = retinued(text=text, timeout=100 * bounds.SLOW)
    assert result.returncode == 1, result.stderr
    for broken in (text.replace("thread_start", "ready"), text.replace("hello", "no_threads"), text.replace("worker", "wrker")):
        result = retinued(text=broken, timeout=100 * bounds.SLOW)
        assert result.returncode == 1 and "\n==" not in result.stderr, result.stderr
