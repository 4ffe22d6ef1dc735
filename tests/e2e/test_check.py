"""-n and a start agree: what -n accepts starts, what it refuses is refused with the same words."""
import re

import pytest

import harness
from common import with_test_modules

ROOT = harness.ROOT
BAD = sorted((ROOT / "tests" / "config" / "bad").glob("*.yaml"))
SHIPPED = sorted(path for path in (ROOT / "conf").rglob("*.yaml*") if path.suffix != ".build")


def serve(route="{path: /, module: hello}", listen="127.0.0.1:0", more="", daemon=""):
    return with_test_modules(f"\n  get:\n    listen: {listen}\n{more}    routes:\n      - {route}\n", daemon)


def second(listen):
    return f"  second:\n    listen: {listen}\n    routes: [{{path: /, status: 204}}]\n"


GOOD = {
    "hello": serve(),
    "no routes that need modules": serve("{path: /, status: 204}"),
    "every kind of listener": serve(listen='[127.0.0.1:0, "[::1]:0", 0, "unix:{tmp}/s", {address: "unix:{tmp}/t", mode: 0600}]'),
    "threads": serve("{path: /, module: slow, handler: slow}", more="    loops: 3\n    threads: 2\n    active_threads: 1\n    queue: 1\n"),
    "small limits": serve(more="    limits: {connections: 1, target: 64B, header: 256B, header_count: 1, body: 0}\n"),
    "every option": serve("{path: /, module: options, options: {flag: true, number: -5, below: -1, size: 1KiB, duration: 1m, "
                          "string: s, path: p, colour: red, strings: [a, b], one: x}}"),
    "old and new modules": serve("{path: /, module: small_head, handler: one}") +
                           "      - {path: /l, module: large_head, handler: two}\n",
    "json log": serve(daemon="log: {to: stderr, format: json, level: trace}"),
    "log file": serve(daemon='log: {to: "file:{tmp}/log"}'),
    "level none": serve(more="    log_level: none\n    access_log: {level: none}\n"),
}

WRONG = {
    "unknown key": serve(more="    thread: 4\n"),
    "unknown module": serve("{path: /, module: nothing}"),
    "unknown handler": serve("{path: /, module: hello, handler: nothing}"),
    "unknown option": serve("{path: /, module: hello, options: {txt: x}}"),
    "no workers": serve("{path: /, module: slow, handler: slow}", more="    threads: 0\n"),
    "broken module": serve("{path: /, module: no_threads}"),
    "missing symbol": serve("{path: /, module: missing_symbol}"),
    "failing configure": serve("{path: /, module: options, options: {string: s, number: 13, colour: red}}"),
    "failing ready": serve("{path: /, module: lifecycle, handler: loop, options: {fail: ready}}"),
    "log in no folder": serve(daemon="log: {to: file:/nowhere/log}"),
    "log is a folder": serve(daemon="log: {to: file:/tmp}"),
    "socket in no folder": serve(listen="unix:/nowhere/s"),
    "foreign address": serve(listen="192.0.2.1:5050"),
    "one address by two names": serve(listen="127.0.0.1:{port}") + second("localhost:{port}"),
    "any address and one of them": serve(listen="0.0.0.0:{port}") + second("127.0.0.1:{port}"),
    "one socket by two paths": serve(listen='"unix:{tmp}/s"') + second('"unix:{tmp}/../{tmpname}/s"'),
    "too many names in a path": serve('{path: "/' + "/".join(f"{{a{n}}}" for n in range(40)) + '", status: 204}'),
}


def fill_in(text, folder):
    tmp = folder / "t"
    tmp.mkdir(exist_ok=True)
    port = str(harness.free_port())
    for name, value in (("{port}", port), ("{tmp}", str(tmp)), ("{tmpname}", tmp.name)):
        text = text.replace(name, value)
    return text


def without_paths(stderr):
    """Warnings and lines of modules may differ, errors not."""
    return [line for line in stderr.splitlines() if ": error: " in line]


@pytest.mark.parametrize("name", GOOD)
def test_what_n_accepts_starts(retinued, daemon, tmp_path, name):
    text = fill_in(GOOD[name], tmp_path)
    result = retinued("-n", text=text)
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"retinued\.yaml: good: \d+ servers?, \d+ routes?$", result.stdout)
    assert not (tmp_path / "t" / "log").exists() and not (tmp_path / "t" / "s").exists(), "-n left something behind"
    running = daemon(text)
    assert running.stop() == 0


@pytest.mark.parametrize("name", WRONG)
def test_what_n_refuses_does_not_start(retinued, tmp_path, name):
    text = fill_in(WRONG[name], tmp_path)
    checked = retinued("-n", text=text)
    started = retinued(text=text)
    assert checked.returncode == 1 and started.returncode == 1
    assert without_paths(checked.stderr) == without_paths(started.stderr) != []
    assert checked.stdout == ""


def test_every_bad_configuration_is_refused_by_both():
    assert len(BAD) >= 60
    for path in BAD:
        checked, started = harness.run("-n", "-c", path), harness.run("-c", path)
        assert checked.returncode == started.returncode == 1, path
        assert checked.stderr == started.stderr != "", path
        assert ": error: " in checked.stderr, path
        places = re.findall(r"(?m)^(\S+:\d+:\d+): error: ", checked.stderr)
        assert len(places) == len(set(places)), f"one mistake is told twice:\n{checked.stderr}"


def test_n_beside_a_running_daemon_warns_about_its_addresses(daemon):
    running = daemon(serve(listen='[127.0.0.1:{port}, "unix:{tmp}/s"]'))
    result = harness.run("-n", "-c", running.config)
    assert result.returncode == 0 and ": good: " in result.stdout
    warnings = re.findall(r'retinued\.yaml:(\d+:\d+): warning: server "get": cannot listen on (\S+): the address is in use',
                          result.stderr)
    assert warnings == [("4:14", f"127.0.0.1:{running.port()}"), ("4:31", f"unix:{running.unix()}")]
    assert running.get(n=0).status == running.get(n=1).status == 200


def test_n_reports_errors_beside_a_running_daemon_too(daemon, tmp_path):
    running = daemon(serve(listen="127.0.0.1:{port}"))
    config = tmp_path / "changed.yaml"
    config.write_text(running.text.replace("module: hello", "module: hullo"))
    result = harness.run("-n", "-c", config)
    assert result.returncode == 1 and 'did you mean "hello"?' in result.stderr


def test_systemd_sockets_are_left_to_the_start(retinued):
    assert retinued("-n", text=serve(listen="systemd:web")).returncode == 0


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_configurations_start(tmp_path, path):
    """With the modules just built, and free ports in place of theirs."""
    env = {"RETINUE_MODULES": harness.MODULES, "RUNTIME_DIRECTORY": str(tmp_path), "LOGS_DIRECTORY": str(tmp_path)}
    text = re.sub(r"\b127\.0\.0\.1:(8\d\d\d|505\d|768\d)(?=\s)", "127.0.0.1:0", path.read_text(encoding="utf-8"))
    config = tmp_path / path.name
    config.write_text(text, encoding="utf-8")
    result = harness.run("-n", "-c", config, env=env)
    assert (result.returncode, result.stderr) == (0, "")
    if "systemd:" in text:
        return  # starts with sockets of a service manager only
    with harness.Daemon(text, tmp_path, env=env) as running:
        running.log_wait("is ready$")
