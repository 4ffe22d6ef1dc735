"""Access logs: what each format says, read back by a parser; files under rotation, load, and a disk that fails."""
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

from bounds import STOP_BOUND, WAIT_BOUND
from common import wait_until, with_test_modules

STAMP = r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]"
QUOTED = r'"((?:[ !#-\[\]-~]|\\x[0-9A-F]{2})*)"'
COMMON = re.compile(rf"(\S+) - - {STAMP} {QUOTED} (\d{{3}}) (\d+)")
COMBINED = re.compile(rf"{COMMON.pattern} {QUOTED} {QUOTED}")
LOST = re.compile(r"access log \S+: (\d+) lines? lost: ")


def server(options, name="get", more=""):
    return f"""
  {name}:
    listen: 127.0.0.1:0
    log_level: info
    access_log: {{{options}}}
    {more}
    routes:
      - {{path: /, module: hello}}
      - {{path: "/trace/{{what}}", module: trace, handler: worker}}
      - {{path: "/e/{{what}}", module: errors, handler: worker}}
      - {{path: /post, module: getandpost, handler: post}}
"""


def start(daemon, path, options="flush: 10ms", **more):
    return daemon(with_test_modules(server(f'to: "file:{path}", {options}', **more)))


def lines_of(path):
    """Lines end in a newline, and in nothing else that Unicode knows; what is behind the last one is not a line yet."""
    return path.read_bytes().decode("utf-8").split("\n")[:-1]


def wait_for_lines(path, count):
    return wait_until(lambda: path.exists() and len(lines_of(path)) >= count and lines_of(path), f"{count} lines in {path}")


def get(raw, target, *headers, method="GET"):
    return raw.request(method, target, headers)


# Formats


def test_common(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "format: common, flush: 10ms")
    assert running.get("/?q=1").status == 200
    (line,) = wait_for_lines(path, 1)
    match = COMMON.fullmatch(line)
    assert match[1] == "127.0.0.1" and match[3] == "GET /?q=1 HTTP/1.1" and match[4] == "200" and match[5] == "12"
    written = time.mktime(time.strptime(match[2][:20], "%d/%b/%Y:%H:%M:%S"))
    assert abs(time.time() - written) < 60
    assert match[2][21:] == time.strftime("%z")


def test_combined_is_the_default(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path)
    with running.raw() as raw:
        get(raw, "/", ("Referer", "http://example.org/a?b"), ("User-Agent", "curl/8.0 (x; y)"))
        get(raw, "/nowhere")
    first, second = wait_for_lines(path, 2)
    assert COMBINED.fullmatch(first)[6] == "http://example.org/a?b" and COMBINED.fullmatch(first)[7] == "curl/8.0 (x; y)"
    assert COMBINED.fullmatch(second).groups()[2:4] == ("GET /nowhere HTTP/1.1", "404") and second.endswith(' "-" "-"')


def test_json(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "format: json, flush: 10ms")
    with running.raw() as raw:
        get(raw, "/?a=%22", ("User-Agent", 'with "quotes" \\ and \xff'), ("Host", "Example.org:80"))
        get(raw, "/trace/say")
    first, second = map(json.loads, wait_for_lines(path, 2))
    assert {name: first[name] for name in first if name not in ("time", "duration_us", "connection")} == {
        "server": "get", "client": "127.0.0.1", "host": "example.org", "method": "GET", "target": "/?a=%22",
        "version": "HTTP/1.1", "status": 200, "bytes": 12, "referer": None, "user_agent": 'with "quotes" \\ and \ufffd',
        "route": "/", "request_id": None, "aborted": False}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert 0 < first["duration_us"] < WAIT_BOUND * 1e6
    assert first["connection"] == second["connection"] and int(first["connection"]) > 0 and second["route"] == "/trace/{what}"


def test_custom(daemon, tmp_path):
    path = tmp_path / "access.log"
    pattern = "{{{client}|{host}|{method}|{path}|{query}|{version}|{status}|{bytes}|{duration_us}|{duration_ms}|{time_iso}|" \
              "{server}|{route}|{header:X-Tenant}|{header:X-None}|{connection}|{request_id}|{target}"
    running = start(daemon, path, f"format: custom, pattern: '{pattern}', flush: 10ms")
    with running.raw() as raw:
        get(raw, "/trace/say?a=b", ("X-Tenant", 'blue"'))
    (line,) = wait_for_lines(path, 1)
    values = line.split("|")
    assert values[:8] == ["{127.0.0.1", "test", "GET", "/trace/say", "a=b", "HTTP/1.1", "200", "1"]
    assert int(values[8]) // 1000 == int(values[9])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", values[10])
    assert values[11:15] == ["get", "/trace/{what}", "blue\\x22", "-"] and int(values[15]) > 0
    assert values[16:] == ["-", "/trace/say?a=b"]


def test_what_was_not_a_whole_reply_or_request(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "format: json, flush: 10ms", more="timeouts: {header: 2s}")
    with running.raw() as raw:
        get(raw, "/", method="HEAD")
        # Of a later request, whose time begins with its first byte.
        raw.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n")
        assert raw.response().status == 408
    with running.raw() as raw:
        raw.send(b"BROKEN\r\n\r\n")
        assert raw.response().status == 400
    with running.raw() as raw:
        raw.send(b"GET /trace/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        raw.socket.recv(1000)
        raw.reset()
    head, slow, broken, endless = map(json.loads, wait_for_lines(path, 4))
    assert head["method"] == "HEAD" and head["status"] == 200 and head["bytes"] == 0
    assert slow["status"] == 408 and not slow["aborted"]
    assert broken["status"] == 400 and broken["method"] is None and broken["target"] is None
    assert endless["status"] == 200 and endless["aborted"] and endless["bytes"] >= 16384
    assert not any(line["aborted"] for line in (head, slow, broken))


def test_a_unix_client(daemon, tmp_path):
    path = tmp_path / "access.log"
    text = server(f'to: "file:{path}", flush: 10ms').replace("127.0.0.1:0", "unix:{tmp}/socket")
    running = daemon(with_test_modules(text))
    running.get("/")
    assert wait_for_lines(path, 1)[0].startswith("unix: - - [")


def test_behind_a_proxy_the_real_client(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, more="trusted_proxies: [127.0.0.1]")
    with running.raw() as raw:
        get(raw, "/", ("X-Forwarded-For", "192.0.2.7"))
    assert wait_for_lines(path, 1)[0].startswith("192.0.2.7 - - [")


def test_fields_that_handlers_do_not_see_are_logged(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "format: custom, pattern: '{referer} {user_agent} {header:x-tenant} {header:origin}', flush: 10ms",
                    more="header_fields: [origin]")
    with running.raw() as raw:
        sent = [("X-Tenant", "t"), ("Origin", "o"), ("Referer", "r"), ("User-Agent", "u"), ("X-Other", "x")]
        assert get(raw, "/trace/headers", *sent).text == "hidden hidden\n"
    assert wait_for_lines(path, 1) == ["r u t o"]


# Forgery

NASTY = [b'"', b"\\", b'" 200 1 "-" "-"', b"\x80\xff\xc2\x9b", b"\xc3\xa9", b"a\tb", b"\\x0a", b'","status":200,"x":"', b"{method}",
         b"%n%s", b"\xe2\x80\xa8", b'\\" 200 1 "a" "b']


@pytest.mark.parametrize("form", ["common", "combined", "json", "custom"])
def test_nobody_can_forge_a_line(daemon, tmp_path, form):
    path = tmp_path / "access.log"
    pattern = ", pattern: '<{header:x}> {target} <{user_agent}>'" if form == "custom" else ""
    running = start(daemon, path, f"format: {form}, flush: 10ms{pattern}")
    count = 0
    for nasty in NASTY:
        for target in (b"/", b"/" + re.sub(rb"[\s]", b"", nasty)):
            with running.raw() as raw:
                raw.send(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nUser-Agent: " + nasty + b"\r\nReferer: " + nasty +
                         b"\r\nX: " + nasty + b"\r\nConnection: close\r\n\r\n")
                raw.response()
                count += 1
    lines = wait_for_lines(path, count)
    assert len(lines) == count
    for line in lines:
        if form == "json":
            assert json.loads(line)["status"] in (200, 400, 404) and len(json.loads(line)) == 16
        elif form == "custom":
            assert re.fullmatch(r"<[ -!#-\[\]-~\\]*> \S+ <[ -!#-\[\]-~\\]*>", line), line
        else:
            match = (COMMON if form == "common" else COMBINED).fullmatch(line)
            assert match and match[4] in ("200", "400", "404"), line
    if form == "json":
        assert {json.loads(line)["user_agent"] for line in lines} >= {'" 200 1 "-" "-"', "\\x0a", "\xe9", "a\tb"}
    if form == "combined":
        assert any(line.endswith(r'"\x22 200 1 \x22-\x22 \x22-\x22"') for line in lines)


@pytest.mark.parametrize("form", ["combined", "json"])
def test_long_values_are_shortened_in_the_middle(daemon, tmp_path, form):
    path = tmp_path / "access.log"
    running = start(daemon, path, f"format: {form}, flush: 10ms", more="limits: {target: 16KiB, header: 64KiB}")
    with running.raw() as raw:
        get(raw, "/" + "a" * 7000 + "z" * 7000 + "$", ("User-Agent", "\xff" * 20000), ("Referer", '"' * 10000))
    (line,) = wait_for_lines(path, 1)
    assert len(line) < 8192 and re.search(r"/aaa.*a\.\.\.z.*zz\$", line)
    if form == "json":
        assert json.loads(line)["status"] == 404
    else:
        assert COMBINED.fullmatch(line)


# Where lines go


def test_none_writes_nothing(daemon):
    running = daemon(with_test_modules(server("to: none, level: info")))
    assert running.get("/").status == 200
    assert running.stop() == 0
    assert not running.log.find('"GET /')


def test_a_file_leaves_the_log_alone(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "level: info, flush: 10ms")
    running.get("/")
    wait_for_lines(path, 1)
    assert not running.log.find('"GET /')
    assert os.stat(path).st_mode & 0o777 == 0o640 & ~umask()


def umask():
    value = os.umask(0)
    os.umask(value)
    return value


def test_lines_wait_for_the_flush_time_and_are_written_at_the_end(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "flush: 60s")
    for _ in range(3):
        running.get("/")
    time.sleep(0.3)  # nothing can be waited for
    assert path.read_bytes() == b""
    assert running.stop() == 0
    assert len(lines_of(path)) == 3


def test_a_full_buffer_does_not_wait_for_the_flush_time(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "flush: 60s, buffer: 16KiB")
    with running.raw() as raw:
        for _ in range(200):
            get(raw, "/", ("User-Agent", "x" * 100))
        wait_for_lines(path, 30)
        # What does not fill it again has to wait. Should all 200 be there, the next line is what waits.
        if len(lines_of(path)) == 200:
            get(raw, "/", ("User-Agent", "x" * 100))
            assert len(lines_of(path)) == 200


def test_two_servers_share_a_file(daemon, tmp_path):
    path = tmp_path / "access.log"
    options = f'to: "file:{path}", format: json, flush: 10ms, buffer: 1MiB'  # of which nothing is lost, however slow the disk
    running = daemon(with_test_modules(server(options, "one") + server(options, "two", "loops: 2")))
    clients = [threading.Thread(target=ask_many, args=(running, name, number, 200))
               for number, name in enumerate(["one", "two", "one", "two"])]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert running.stop() == 0
    seen = sorted((line["server"], line["target"]) for line in map(json.loads, lines_of(path)))
    assert seen == sorted((name, f"/?{number}-{i}") for number, name in enumerate(["one", "two", "one", "two"]) for i in range(200))


def ask_many(running, name, number, count):
    with running.raw(name) as raw:
        for i in range(count):
            assert get(raw, f"/?{number}-{i}").status == 200


# Rotation


def test_rotation_under_load_loses_and_mixes_nothing(daemon, tmp_path):
    path = tmp_path / "access.log"
    running = start(daemon, path, "buffer: 16MiB, flush: 10ms", more="loops: 2")  # nothing is lost, however slow the disk
    stop = threading.Event()
    counts = [0] * 4

    def load(number):
        kind = ("/", "/trace/say")[number % 2]
        with running.raw() as raw:
            while not stop.is_set():
                assert get(raw, f"{kind}?{number}-{counts[number]}").status == 200
                counts[number] += 1

    clients = [threading.Thread(target=load, args=(number,)) for number in range(len(counts))]
    for client in clients:
        client.start()
    try:
        for rotation in range(10):
            before = sum(counts)
            wait_until(lambda before=before: sum(counts) > before + 50, "some load")
            path.rename(tmp_path / f"access.log.{rotation}")
            since = running.log.mark()
            running.signal(signal.SIGUSR1)
            running.log_wait("the access log .* was opened again", since=since)
            assert path.exists()
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert running.stop() == 0
    files = [tmp_path / f"access.log.{rotation}" for rotation in range(10)] + [path]
    lines = [line for file in files for line in lines_of(file)]
    assert all(file.read_bytes().endswith(b"\n") for file in files[:-1]), "a file that ends within a line"
    seen = [re.search(r"\?(\d)-(\d+) ", COMBINED.fullmatch(line)[3]) for line in lines]
    for number, count in enumerate(counts):
        # In the order in which they were asked, over all files: nothing is lost, doubled, or in the wrong file.
        assert [int(match[2]) for match in seen if int(match[1]) == number] == list(range(count))


def test_a_file_that_cannot_be_opened_again_stays_in_use(daemon, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    running = start(daemon, folder / "access.log")
    folder.rename(tmp_path / "moved")
    running.signal(signal.SIGUSR1)
    running.log_wait(r"error +log-writer\[\d+\] cannot open the access log .* again, the old file stays in use: No such file")
    running.get("/")
    wait_for_lines(tmp_path / "moved" / "access.log", 1)
    folder.mkdir()
    running.signal(signal.SIGUSR1)
    running.log_wait("access log .* was opened again")
    running.get("/")
    wait_for_lines(folder / "access.log", 1)


# A disk that fails


def test_a_full_disk_costs_lines_only(daemon):
    running = start(daemon, "/dev/full")
    for _ in range(20):
        assert running.get("/").status == 200
    running.log_wait(r"error +log-writer\[\d+\] access log /dev/full: \d+ lines? lost: No space left on device")
    assert running.stop() == 0
    assert sum(int(match[1]) for match in running.log.find(LOST)) == 20


def test_a_file_that_nobody_reads_costs_lines_only(daemon, tmp_path):
    """A FIFO whose reader sleeps: its buffer fills, then ours; requests go on, and every line is read or counted."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        running = start(daemon, path, "buffer: 16KiB, flush: 10ms")
        total = 0
        with running.raw() as raw:
            while not running.log.find(LOST):
                for _ in range(100):
                    assert get(raw, "/", ("User-Agent", "x" * 900)).status == 200
                    total += 1
        begun = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begun < STOP_BOUND
        running.log_wait("warn.* lines? lost: the disk is too slow")
        got = b""
        while chunk := os.read(reader, 1 << 20):
            got += chunk
    finally:
        os.close(reader)
    lines = got.decode().split("\n")[:-1]
    whole = [line for line in lines if COMBINED.fullmatch(line)]
    # Where the daemon gave up at its end a line may be cut, which counts as lost; what came behind it began on a new line.
    assert len(lines) - len(whole) <= 1
    assert len(whole) + sum(int(match[1]) for match in running.log.find(LOST)) == total


def test_a_reader_that_comes_back_gets_whole_lines(daemon, tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    running = start(daemon, path)
    running.get("/?first")
    wait_until(lambda: readable(reader), "the first line")
    os.close(reader)
    running.get("/?second")
    running.log_wait("1 line lost: Broken pipe")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    running.get("/?third")
    line = wait_until(lambda: readable(reader), "the third line")
    os.close(reader)
    assert COMBINED.fullmatch(line.decode().rstrip("\n"))[3] == "GET /?third HTTP/1.1"


def readable(fd):
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return b""


# Configuration


def bad_files(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    return {folder: "Is a directory", tmp_path / "none" / "access.log": "No such file or directory",
            fifo: "No such device or address"}


@pytest.mark.parametrize("args", [(), ("-n",)])
def test_a_file_that_cannot_be_opened_is_an_error_at_its_line(retinued, tmp_path, args):
    for path, reason in bad_files(tmp_path).items():
        text = with_test_modules(server(f'to: "file:{path}"'))
        result = retinued(*args, text=text)
        assert result.returncode == 1
        number = next(i for i, line in enumerate(text.splitlines(), 1) if "access_log" in line)
        assert re.search(rf':{number}:\d+: error: server "get": cannot write the access log to {re.escape(str(path))}: {reason}\n',
                         result.stderr), result.stderr


def test_checking_makes_no_file(retinued, tmp_path):
    path = tmp_path / "access.log"
    result = retinued("-n", text=with_test_modules(server(f'to: "file:{path}"')))
    assert result.returncode == 0, result.stderr
    assert not path.exists()


def test_the_daemon_is_there_while_lines_are_written_by_one_thread(daemon, tmp_path):
    running = start(daemon, tmp_path / "access.log")
    wait_until(lambda: running.threads().count("log-writer") == 1, "the thread, which gives itself its name")
    assert running.threads().count("log-writer") == 1
    assert daemon(with_test_modules(server("level: info"))).threads().count("log-writer") == 0


def switches(running, thread):
    """How often threads of that name went to sleep."""
    total = 0
    for task in os.listdir(f"/proc/{running.pid}/task"):
        with open(f"/proc/{running.pid}/task/{task}/status", encoding="utf-8") as status:
            values = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
        if values["Name"] == thread:
            total += int(values["voluntary_ctxt_switches"])
    return total


def test_lines_do_not_wake_the_thread(daemon, tmp_path):
    running = start(daemon, tmp_path / "access.log", "flush: 1s, buffer: 1MiB")
    running.get("/")
    before, begun = switches(running, "log-writer"), time.monotonic()
    with running.raw() as raw:
        for _ in range(1000):
            get(raw, "/")
    assert switches(running, "log-writer") - before <= 2 * (time.monotonic() - begun) + 10


def test_relative_paths_are_taken_from_the_folder_of_the_configuration(daemon):
    running = start(daemon, "access.log")
    running.get("/")
    wait_for_lines(running.folder / "access.log", 1)


def test_a_client_that_hangs_up_at_once(daemon, tmp_path):
    """Connections without a request leave no line."""
    path = tmp_path / "access.log"
    running = start(daemon, path)
    for _ in range(5):
        socket.create_connection(("127.0.0.1", running.port())).close()
    running.get("/")
    assert running.stop() == 0
    assert len(lines_of(path)) == 1

