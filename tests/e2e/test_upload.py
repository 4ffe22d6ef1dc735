"""Uploads: multipart/form-data and raw bodies in pieces, stored by the module upload whole or not at all."""
import errno
import json
import os
import re
import resource
import signal
import threading

import pytest

import seccomp
from bounds import WAIT_BOUND
from common import wait_until
from harness import curl

MIB = 1024 * 1024
BIG = 192 * MIB
BIG_GROWTH = 4 * MIB
BOUNDARY = "XXboundaryXX"


def config(options="", limits="body: 1GiB", timeouts="body: 30s"):
    """The routes of one server: a form at /, raw bodies below /files/."""
    return f"""
daemon: {{shutdown_timeout: 1s}}
servers:
  web:
    listen: 127.0.0.1:0
    threads: 16
    limits: {{{limits}}}
    timeouts: {{{timeouts}}}
    routes:
      - {{path: /, module: upload, options: {{folder: folder{options}}}}}
      - {{path: "/files/*", module: upload, options: {{folder: folder{options}}}}}
      - {{path: "/named/{{name}}", module: upload, options: {{folder: folder{options}}}}}
"""


@pytest.fixture
def start(daemon, tmp_path):
    """A function that starts a daemon whose uploads go to start.folder."""
    def run(options="", **more):
        text = config(options, **{key: more.pop(key) for key in ("limits", "timeouts") if key in more})
        running = daemon(text.replace("folder: folder", f"folder: {run.folder}"), **more)
        return running

    run.folder = tmp_path / "uploads"
    run.folder.mkdir()
    return run


def names(start):
    """What is in the folder, hidden files included."""
    return sorted(os.listdir(start.folder))


def content(start, name):
    return (start.folder / name).read_bytes()


def part(name="file", filename="a.txt", data=b"content", more=b""):
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    return b"--%b\r\nContent-Disposition: %b\r\n%b\r\n%b\r\n" % (BOUNDARY.encode(), disposition.encode(), more, data)


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(running, body, path="/", boundary=BOUNDARY, headers=()):
    with running.raw() as raw:
        return raw.request("POST", path, [("Content-Type", f"multipart/form-data; boundary={boundary}"), *headers], body)


def put(running, name, body, headers=()):
    with running.raw() as raw:
        return raw.request("PUT", name, headers, body)


def resident(running):
    with open(f"/proc/{running.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s*(\d+) kB", status.read())[1]) * 1024


# Forms

def test_the_form_is_shown_to_browsers(start):
    running = start()
    response = running.get("/")
    assert (response.status, response.get("Content-Type")) == (200, "text/html; charset=utf-8")
    assert 'enctype="multipart/form-data"' in response.text
    assert running.get("/files/a.txt").status == 404


@pytest.mark.parametrize("size", [0, 1, 2, 4095, 65536, 3 * MIB + 7])
def test_curl_posts_files(start, tmp_path, size):
    running = start()
    source = tmp_path / "source file.bin"
    source.write_bytes(os.urandom(size))
    result = curl("-i", "-F", "note=hello", "-F", f"first=@{source};type=image/png", "-F", f"second=@{source};filename=b.bin",
                  running.url("/")).stdout
    assert result.splitlines()[-1] and re.search(r"HTTP/1\.1 201 ", result)
    assert json.loads(result.splitlines()[-1]) == [
        {"field": "first", "file": "source file.bin", "size": size}, {"field": "second", "file": "b.bin", "size": size}]
    assert names(start) == ["b.bin", "source file.bin"]
    assert content(start, "b.bin") == content(start, "source file.bin") == source.read_bytes()


def test_curl_posts_chunked(start, tmp_path):
    running = start()
    source = tmp_path / "a.bin"
    source.write_bytes(os.urandom(300_000))
    curl("-f", "-H", "Transfer-Encoding: chunked", "-F", f"f=@{source}", running.url("/"))
    curl("-f", "-H", "Transfer-Encoding: chunked", "-T", source, running.url("/files/b.bin"))
    assert content(start, "a.bin") == content(start, "b.bin") == source.read_bytes()


def test_every_cut_of_a_form_is_the_same(start):
    running = start(", overwrite: true")
    body = form(part("n", None, b"v"), part(data=b"one\r\n--XXboundary\r\n"), part(filename="b.txt", data=b""))
    head = (f"POST / HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    with running.raw() as raw:
        for cut in range(0, len(body) + 1, 3):
            raw.send(head.encode() + body[:cut])
            raw.send(body[cut:])
            response = raw.response("POST")
            assert (response.status, [entry["size"] for entry in json.loads(response.text)]) == (201, [19, 0]), cut
    assert (names(start), content(start, "a.txt")) == (["a.txt", "b.txt"], b"one\r\n--XXboundary\r\n")


@pytest.mark.parametrize("sent, stored", [
    ("C:\\temp\\a.txt", "a.txt"), ("../../etc/passwd", "passwd"), ("a%22b.txt", 'a"b.txt'), ("größe.txt", "größe.txt"),
    ("x" * 255, "x" * 255),
])
def test_names_lose_their_folders(start, sent, stored):
    running = start()
    response = post(running, form(part(filename=sent)))
    assert (response.status, json.loads(response.text)) == (201, [{"field": "file", "file": stored, "size": 7}])
    assert names(start) == [stored]


@pytest.mark.parametrize("sent, reason", [
    ("", "has no name"), ("folder/", "has no name"), (".htaccess", "begins with a dot"), ("..", "begins with a dot"),
    ("a%0Ab", "control character"), ("a\u0085b", "control character"), ("x" * 256, "longer than 255 bytes"),
])
def test_bad_names_are_refused(start, sent, reason):
    response = post(start(), form(part(), part(filename=sent)))
    assert response.status == 400 and reason in response.text, response
    assert names(start) == []


def test_names_that_are_not_utf8_are_refused(start):
    response = post(start(), form(part(filename="X").replace(b'"X"', b'"\xe4.txt"')))
    assert (response.status, response.text) == (400, "the name of the file is not UTF-8\n")


def test_fields_are_escaped_in_json(start):
    response = post(start(), form(part(name='a%22\\\\%0A').replace(b"%0A", b"%0A\xff")))
    assert json.loads(response.text)[0]["field"] == 'a"\\\n\ufffd'


@pytest.mark.parametrize("body, status, reason", [
    (b"", 400, "the closing boundary is missing"),
    (part(), 400, "the closing boundary is missing"),
    (form(part()).replace(BOUNDARY.encode(), b"other"), 400, "the closing boundary is missing"),
    (form(part())[:-3], 400, "the closing boundary is missing"),
    (form(part(), part(filename="b.txt")).replace(b'name="file"; filename="b', b'filename="b'), 400, "part 2: the name of the form"),
    (form(part()).replace(b"Content-Disposition", b"Content Disposition"), 400, "part 1: a line of the header is malformed"),
    (form(part(more=b"X: " + 9000 * b"x" + b"\r\n")), 413, "part 1: the header is larger than 8192 bytes"),
    (form(*(part("n", None) for _ in range(101))), 413, "there are more than 100 parts"),
    (form(*(part(filename=f"{i}") for i in range(21))), 413, "there are more than 20 files"),
    (form(part(filename=None)), 400, "the form has no file"),
    (form(), 400, "the form has no file"),
])
def test_malformed_forms_leave_nothing(start, body, status, reason):
    response = post(start(), body)
    assert response.status == status and response.text.startswith(reason), response
    wait_until(lambda: names(start) == [], "the folder is empty")


def test_other_types_are_refused(start):
    running = start()
    for kind in ("text/plain", "multipart/mixed; boundary=b", "multipart/form-data"):
        with running.raw() as raw:
            assert raw.request("POST", "/", [("Content-Type", kind)], form(part())).status == 415, kind
    assert names(start) == []


def test_a_browser_is_sent_back(start):
    response = post(start(", back: /thanks"), form(part()))
    assert (response.status, response.get("Location"), names(start)) == (303, "/thanks", ["a.txt"])


# Raw bodies

def test_put_stores_the_body(start, tmp_path):
    running = start(", overwrite: true")
    source = tmp_path / "a.bin"
    for size in (0, 1, 100_000):
        source.write_bytes(os.urandom(size))
        result = curl("-i", "-T", source, running.url("/files/")).stdout
        assert re.search(r"HTTP/1\.1 201 " if size == 0 else r"HTTP/1\.1 200 ", result), result
        assert bool(re.search(r"(?m)^Location: /files/a\.bin$", result)) == (size == 0)
        assert content(start, "a.bin") == source.read_bytes()
    response = put(running, "/named/b%20c?query", b"x")
    assert (response.status, response.get("Location")) == (201, "/named/b%20c")
    assert json.loads(response.text) == [{"file": "b c", "size": 1}]
    assert names(start) == ["a.bin", "b c"]


@pytest.mark.parametrize("path, reason", [
    ("/files/", "has no name"), ("/files/a/b", "has a folder"), ("/files/a%2Fb", "has a folder"), ("/files/a%5Cb", "has a folder"),
    ("/files/.a", "begins with a dot"), ("/", "has no name"),
])
def test_put_needs_a_good_name(start, path, reason):
    response = put(start(), path, b"x")
    assert response.status == 400 and reason in response.text, response
    assert names(start) == []


def test_parts_of_files_are_not_put(start):
    assert put(start(), "/files/a", b"x", [("Content-Range", "bytes 0-0/2")]).status == 400
    assert names(start) == []


# Options

def test_existing_files_stay(start):
    running = start()
    (start.folder / "a.txt").write_bytes(b"old")
    (start.folder / "folder").mkdir()
    for name in ("a.txt", "folder"):
        assert put(running, f"/files/{name}", b"new").status == 409
        assert post(running, form(part(filename="b.txt"), part(filename=name))).status == 409
    assert post(running, form(part(filename="c.txt"), part(filename="c.txt"))).status == 409
    assert (names(start), content(start, "a.txt")) == (["a.txt", "folder"], b"old")


def test_existing_files_are_replaced_when_asked(start):
    running = start(", overwrite: true")
    (start.folder / "a.txt").write_bytes(b"old")
    os.symlink("/etc/passwd", start.folder / "link")
    (start.folder / "folder").mkdir()
    assert post(running, form(part(data=b"new"))).status == 201
    assert put(running, "/files/link", b"new").status == 200
    assert put(running, "/files/folder", b"new").status == 409
    assert names(start) == ["a.txt", "folder", "link"]
    assert content(start, "a.txt") == content(start, "link") == b"new"
    assert not (start.folder / "link").is_symlink()


def test_files_are_limited(start):
    running = start(", max_file: 1000B")
    assert post(running, form(part(data=b"x" * 1000))).status == 201
    for response in (post(running, form(part(filename="b.txt", data=b"x" * 1001))), put(running, "/files/b.txt", b"x" * 1001)):
        assert (response.status, response.text) == (413, "the file is larger than 1000 bytes\n")
    with running.raw() as raw:
        raw.send("PUT /files/b.txt HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        raw.send("3e9\r\n" + 1001 * "x" + "\r\n0\r\n\r\n")
        assert raw.response("PUT").status == 413
    wait_until(lambda: names(start) == ["a.txt"], "what was too large is gone")


def test_extensions_are_limited(start):
    running = start(", extensions: [txt, tar.gz]")
    for name in ("a.txt", "b.TXT", "c.tar.gz"):
        assert post(running, form(part(filename=name))).status == 201
    for name in ("a.png", "txt", "x.gz", "a.txt.exe"):
        assert post(running, form(part(filename=name))).status == 415
    assert names(start) == ["a.txt", "b.TXT", "c.tar.gz"]


@pytest.mark.parametrize("options, reason", [
    ("", '"folder" is missing'),
    ("folder: /no/such/folder", "cannot store files in /no/such/folder: No such file or directory"),
    ("folder: /etc/passwd", "cannot store files in /etc/passwd: Not a directory"),
    ("folder: /tmp, files: 0", "files"),
    ("folder: /tmp, extensions: [.png]", '".png" is no extension; write it without the dot: png'),
])
def test_bad_options_are_errors(retinued, options, reason):
    text = f"servers: {{web: {{listen: 127.0.0.1:0, routes: [{{path: /, module: upload, options: {{{options}}}}}]}}}}\n"
    result = retinued("-n", text=text)
    assert result.returncode == 1 and reason in result.stderr, result.stderr


# What else can happen

def test_a_big_upload_needs_no_memory(start):
    running = start(", fsync: false")
    assert put(running, "/files/warm", b"x" * MIB).status == 201
    block = os.urandom(MIB)
    head = (f"POST / HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"Transfer-Encoding: chunked\r\n\r\n").encode()
    first = part().split(b"content")[0]
    before = resident(running)
    most = before
    with running.raw() as raw:
        raw.send(head + b"%x\r\n%b\r\n" % (len(first), first))
        for i in range(BIG // MIB):
            raw.send(b"%x\r\n%b\r\n" % (MIB, block))
            if i % 16 == 0:
                most = max(most, resident(running))
        end = f"\r\n--{BOUNDARY}--".encode()
        raw.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))
        response = raw.response("POST")
    assert response.status == 201, response
    assert os.stat(start.folder / "a.txt").st_size == BIG
    growth = max(most, resident(running)) - before
    print(f"{BIG // MIB} MiB uploaded, the daemon grew by {growth / MIB:.1f} MiB")
    assert os.environ.get("RETINUE_SLOW", "1") != "1" or growth < BIG_GROWTH


def begun_upload(running, name, kind="PUT"):
    """A connection in the middle of an upload."""
    raw = running.raw()
    if kind == "PUT":
        raw.send(f"PUT /files/{name} HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n" + "x" * 50000)
    else:
        raw.send(f"POST / HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
                 "Content-Length: 100000\r\n\r\n".encode() + part(filename=name, data=b"x" * 50000))
    return raw


def descriptors(running, folder):
    """The daemon's open files in the folder, nameless ones included."""
    found = []
    for fd in os.listdir(f"/proc/{running.pid}/fd"):
        try:
            target = os.readlink(f"/proc/{running.pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith(f"{folder}/"):
            found.append(target)
    return found


# O_TMPFILE fails, as on file systems that have no such files.
no_unnamed_files = seccomp.refuse({"x86_64": 257, "aarch64": 56}, 2, seccomp.HAS_BITS, 0o20000000, errno.EOPNOTSUPP)  # openat
WAYS = pytest.mark.parametrize("preexec", [None, no_unnamed_files], ids=["unnamed", "hidden"])


@WAYS
def test_both_ways_store(start, preexec):
    running = start(preexec=preexec)
    with begun_upload(running, "b.txt"):
        wait_until(lambda: descriptors(running, start.folder), "the file is open")
        assert bool(names(start)) == (preexec is not None)
        assert all(name.startswith(".upload-") for name in names(start))
    wait_until(lambda: names(start) == [], "nothing is left")
    assert post(running, form(part(), part(filename="b.txt"))).status == 201
    assert put(running, "/files/a.txt", b"new").status == 409
    assert post(running, form(part(filename="c.txt"), part(filename="c.txt"))).status == 409
    assert (names(start), content(start, "a.txt")) == (["a.txt", "b.txt"], b"content")


@WAYS
def test_both_ways_replace(start, preexec):
    running = start(", overwrite: true", preexec=preexec)
    assert [put(running, "/files/a.txt", body).status for body in (b"1", b"22")] == [201, 200]
    assert (names(start), content(start, "a.txt")) == (["a.txt"], b"22")


@WAYS
@pytest.mark.parametrize("kind", ["PUT", "POST"])
def test_nothing_is_left_of_clients_that_vanish(start, kind, preexec):
    running = start(preexec=preexec)
    for end in ("close", "half_close", "reset"):
        raw = begun_upload(running, "a.txt", kind)
        wait_until(lambda: descriptors(running, start.folder), "the file is open")
        getattr(raw, end)()
        wait_until(lambda: not descriptors(running, start.folder), f"the file is closed after {end}")
        raw.close()
    assert names(start) == []


@WAYS
def test_nothing_is_left_when_the_daemon_stops(start, preexec):
    running = start(preexec=preexec)
    with begun_upload(running, "a.txt"), begun_upload(running, "b.txt", "POST"):
        wait_until(lambda: len(descriptors(running, start.folder)) == 2, "both files are open")
        assert running.stop() == 0
    assert names(start) == []


@WAYS
@pytest.mark.parametrize("kind", ["PUT", "POST"])
def test_of_many_uploads_of_one_name_one_wins(start, kind, preexec):
    running = start(preexec=preexec)
    statuses = []
    ready = threading.Barrier(12)

    def upload(i):
        body = bytes([65 + i]) * 200_000
        data = body if kind == "PUT" else form(part(data=body))
        with running.raw() as raw:
            head = "PUT /files/a.txt" if kind == "PUT" else "POST /"
            raw.send(f"{head} HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data[:-1])
            ready.wait(WAIT_BOUND)
            try:
                raw.send(data[-1:])
                statuses.append(raw.response("PUT").status)
            except OSError:
                statuses.append(None)

    threads = [threading.Thread(target=upload, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_BOUND)
    assert sorted(statuses) == [201] + 11 * [409]
    assert names(start) == ["a.txt"]
    stored = content(start, "a.txt")
    assert len(stored) == 200_000 and len(set(stored)) == 1


def test_a_refusal_comes_before_the_body(start):
    running = start(", max_file: 1000B")
    (start.folder / "a.txt").write_bytes(b"old")
    for name, length, status in (("a.txt", 10, 409), ("b.txt", 1001, 413), (".c", 10, 400)):
        with running.raw() as raw:
            raw.send(f"PUT /files/{name} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
            assert raw.response("PUT").status == status
            assert raw.closed()
    with running.raw() as raw:
        raw.send("PUT /files/b.txt HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert raw.response("PUT").status == 100
        raw.send("new")
        assert raw.response("PUT").status == 201
    assert names(start) == ["a.txt", "b.txt"]


def test_the_connection_goes_on_after_a_good_upload(start):
    running = start()
    with running.raw() as raw:
        for name in ("a", "b", "c"):
            assert raw.request("PUT", f"/files/{name}", body=b"x").status == 201
    assert names(start) == ["a", "b", "c"]


def test_the_limit_of_the_server_holds(start):
    running = start(limits="body: 64KiB")
    with running.raw() as raw:
        raw.send("PUT /files/a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            raw.send("4000\r\n" + 0x4000 * "x" + "\r\n")
        assert raw.response("PUT").status == 413
    wait_until(lambda: names(start) == [] and not descriptors(running, start.folder), "nothing is left")


def test_nothing_is_left_of_clients_that_stop_sending(start):
    running = start(timeouts="body: 1s")
    with begun_upload(running, "a.txt") as put_one, begun_upload(running, "b.txt", "POST") as posted:
        assert [raw.response("PUT").status for raw in (put_one, posted)] == [408, 408]
    wait_until(lambda: names(start) == [] and not descriptors(running, start.folder), "nothing is left")


def test_early_refusals_reach_clients_that_go_on_sending(start):
    """The answer is not lost although much more comes: the connection lingers."""
    running = start(", max_file: 100KiB")
    source = start.folder.parent / "big.bin"
    source.write_bytes(b"x" * 8 * MIB)
    for args in (["-F", f"f=@{source}"], ["-H", "Expect:", "-T", source, "-H", "Transfer-Encoding: chunked"]):
        result = curl(*args, "-o", "-", "-w", "%{http_code}", running.url("/files/a.bin"), check=False)
        assert result.stdout == "the file is larger than 102400 bytes\n413", result
    wait_until(lambda: names(start) == [] and not descriptors(running, start.folder), "nothing is left")


def small_files_only():
    """Files may have 16 MiB at most; the signal is ignored, so that write() fails (runs before the daemon does)."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * MIB, 16 * MIB))


def test_a_disk_that_takes_no_more_is_told(start):
    running = start(preexec=small_files_only)
    for response in (put(running, "/files/a", b"x" * (16 * MIB + 1)), post(running, form(part(data=b"x" * (16 * MIB + 1))))):
        assert (response.status, response.text) == (413, "the file is too large for the file system\n")
    assert put(running, "/files/b", b"x" * (16 * MIB)).status == 201
    wait_until(lambda: names(start) == ["b"] and not descriptors(running, start.folder), "what did not fit is gone")
