"""What a reload says that it does: prepared pairs of files in plans/. A folder has before.yaml, after.yaml, and plan.txt with the
lines that are expected; setup.yaml says who is connected meanwhile, and which module files get other content.

The plan is the same for a reload that is only tried, which changes nothing, and for the one that is done.
"""
import pathlib
import re
import shutil

import pytest
import yaml

import harness
from reload_talk import change_content, lines_of_plan, reload, try_reload, with_control
from ws_talk import connect

PLANS = sorted((pathlib.Path(__file__).parent / "plans").iterdir())


def read(folder, name):
    path = folder / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def connect_all(running, setup):
    """WebSockets and connections that say nothing; each has been accepted when it is back."""
    ends = []
    for server, (path, count) in setup.get("websockets", {}).items():
        ends += [connect(running, path, server=server) for _ in range(count)]
    for server, count in setup.get("connections", {}).items():
        raws = [running.raw(server) for _ in range(count)]
        for raw in raws:
            if yaml.safe_load(running.text)["servers"][server].get("protocol") == "line":
                running.log_wait(f":{raw.socket.getsockname()[1]}")
            else:
                assert raw.request().status in (200, 204)
        ends += raws
    return ends


@pytest.mark.parametrize("folder", PLANS, ids=lambda folder: folder.name)
def test_plan(tmp_path, folder):
    running = harness.Daemon(read(folder, "before.yaml"), tmp_path)
    running.text = with_control(running, running.text)
    setup = yaml.safe_load(running.fill_in(read(folder, "setup.yaml"))) or {}
    modules = pathlib.Path(running.tmp) / "modules"
    modules.mkdir()
    for name in setup.get("swap", []):
        shutil.copy(pathlib.Path(harness.MODULES) / f"{name}.so", modules)
    with running:
        ends = connect_all(running, setup)
        for name, text in setup.get("files", {}).items():
            (pathlib.Path(running.tmp) / name).write_text(text, encoding="utf-8")
        for name in setup.get("swap", []):
            change_content(modules / f"{name}.so")
        expected = running.fill_in(read(folder, "plan.txt")).splitlines()
        after = with_control(running, running.fill_in(read(folder, "after.yaml")))
        assert lines_of_plan(try_reload(running, after)) == expected
        assert lines_of_plan(reload(running, after)) == expected
        for end in ends:
            getattr(end, "raw", end).close()


def test_ten_plans_at_least():
    assert len(PLANS) >= 10
    assert all(re.match(r"\d\d-", folder.name) for folder in PLANS)


def test_trying_leaves_no_file(tmp_path):
    """Neither of a server that goes on nor of a new one; what could not be opened is an error all the same."""
    text = """
daemon: {log: {level: info}}
servers:
  web:
    listen: 127.0.0.1:{port_web}
    access_log: {to: LOG}
    routes: [{path: /, status: 204}]
"""
    more = """
  more:
    listen: ["127.0.0.1:{port_more}", "unix:{tmp}/socket"]
    access_log: {to: "file:{tmp}/more.log"}
    routes: [{path: /, status: 204}]
"""
    running = harness.Daemon(text.replace("LOG", "none"), tmp_path)
    after = with_control(running, text.replace("LOG", '"file:{tmp}/web.log"') + more)
    running.text = with_control(running, running.text)
    files = [pathlib.Path(running.tmp) / name for name in ("web.log", "more.log", "socket")]
    with running:
        assert try_reload(running, after)
        assert [file.exists() for file in files] == [False] * 3
        with pytest.raises(AssertionError, match="cannot write the access log to .*/no/more.log: No such file or directory"):
            try_reload(running, after.replace("/more.log", "/no/more.log"))
        reload(running, after)
        assert [file.exists() for file in files] == [True] * 3
