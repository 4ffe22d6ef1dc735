"""Files read and written on workers, for handlers that must not wait: rtn_file_read() and rtn_file_write()."""
import re

import pytest

from common import with_test_modules

ROWS = ["loop", "serial", "parallel"]


@pytest.fixture(params=ROWS)
def row(request):
    return request.param


def config(path, threads=4, rows=ROWS):
    rows = "\n".join(f'      - {{path: /{kind}-{row}, module: files, handler: {kind}-{row}, options: {{path: "{path}"}}}}'
                     for row in rows for kind in ("copy", "store", "ask"))
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    threads: {threads}
    routes:
{rows}
""")


@pytest.mark.parametrize("size,piece", [(0, 10), (100, 7), (70, 7), (300000, 4096), (5000000, 1 << 20)])
def test_read_to_the_end(daemon, tmp_path, row, size, piece):
    path = tmp_path / "file"
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    path.write_bytes(content)
    with daemon(config(path)).raw() as raw:
        for _ in range(2):
            assert raw.request(target=f"/copy-{row}?piece={piece}").body == content


def test_read_says_how_much(daemon, tmp_path, row):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with daemon(config(path)).raw() as raw:
        for offset, length, expected in ((0, 4, "4 bytes=[0123]"), (6, 100, "4 bytes=[6789]"), (10, 5, "0 bytes=[]"),
                                         (99, 5, "0 bytes=[]"), (3, 0, "0 bytes=[]")):
            text = raw.request(target=f"/ask-{row}?offset={offset}&length={length}").text
            assert text.startswith(f"result={expected} "), text
        thread = re.search(r"thread=(\S+)", text)[1]
        assert thread.startswith("get/loop" if row == "loop" else "get/worker-")


def test_errors_are_told(daemon, tmp_path, row):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    running = daemon(config(path))
    with running.raw() as raw:
        assert raw.request(target=f"/ask-{row}?open=0").text.startswith("result=-9 ")  # not open for reading
        path.unlink()
        assert raw.request(target=f"/ask-{row}").text == "refused=-9\n"  # no descriptor at all
        path.mkdir()
        assert raw.request(target=f"/ask-{row}").text.startswith("result=-21 ")  # a folder


def test_write(daemon, tmp_path, row):
    path = tmp_path / "file"
    big = bytes(range(256)) * 2000
    with daemon(config(path)).raw() as raw:
        assert raw.request("POST", f"/store-{row}", body=b"hello").text.startswith("result=5 ")
        assert path.read_bytes() == b"hello"
        assert raw.request("POST", f"/store-{row}?offset=3", body=b"LP!").text.startswith("result=3 ")
        assert path.read_bytes() == b"helLP!"
        assert raw.request("POST", f"/store-{row}", body=b"").text.startswith("result=0 ")
        assert raw.request("POST", f"/store-{row}", body=big).text.startswith(f"result={len(big)} ")
        assert path.read_bytes() == big


def test_without_a_handler_that_needs_workers(daemon, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with daemon(config(path, threads=1, rows=["loop"])).raw() as raw:
        for _ in range(2):
            assert raw.request(target="/ask-loop").text.startswith("result=10 bytes=[0123456789] thread=get/loop-0")


def test_without_workers(daemon, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with daemon(config(path, threads=0, rows=["loop"])).raw() as raw:
        assert raw.request(target="/ask-loop").text == "refused=-95\n"
        assert raw.request("POST", "/store-loop", body=b"x").status == 500


def test_clients_that_go_leave_nothing_open(daemon, tmp_path, row):
    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 20))
    running = daemon(config(path))
    for _ in range(30):
        with running.raw() as raw:
            raw.send(f"GET /copy-{row}?piece=1000 HTTP/1.1\r\nHost: a\r\n\r\n")
            raw.reset()
    with running.raw() as raw:
        assert len(raw.request(target=f"/copy-{row}?piece=65536").body) == 1 << 20
    assert running.stop() == 0
