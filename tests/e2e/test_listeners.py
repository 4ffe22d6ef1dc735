"""Where servers listen: addresses of all kinds, socket files, and sockets handed over by a service manager."""
import os
import re
import shutil
import socket
import stat
import sys
import textwrap

import pytest

import harness
from common import is_listening, with_test_modules
from test_memory import is_sanitized

SERVER = """
  get:
    listen: {listen}
    routes:
      - {{path: /, module: inspect, handler: loop}}
"""


def config(listen):
    return with_test_modules(SERVER.format(listen=listen))


def peer(response):
    return next(line[5:] for line in response.text.splitlines() if line.startswith("peer "))


def test_one_server_listens_on_several_addresses(daemon):
    running = daemon(config('[127.0.0.1:0, 127.0.0.1:0, "[::1]:0", "unix:{tmp}/get.sock"]'))
    assert len(running.addresses()) == 4 and running.port(n=0) != running.port(n=1)
    peers = [peer(running.get(n=n)) for n in range(4)]
    assert [text.rsplit(":", 1)[0] for text in peers] == ["127.0.0.1", "127.0.0.1", "[::1]", "unix"]


def test_a_port_alone_takes_both_families(daemon):
    running = daemon(config("{port}"))
    port = running.port()
    for host in ("127.0.0.1", "::1"):
        with harness.Raw((host, port)) as raw:
            # IPv4 clients show as such, not as [::ffff:127.0.0.1].
            assert peer(raw.request()).startswith("127.0.0.1:" if host == "127.0.0.1" else "[::1]:")


@pytest.mark.parametrize("mode", ["0600", "0660", "0777", "640"])
def test_a_socket_file_has_the_mode_asked_for(daemon, mode):
    running = daemon(config(f'{{address: "unix:{{tmp}}/get.sock", mode: {mode}}}'))
    assert stat.S_IMODE(os.stat(running.unix()).st_mode) == int(mode, 8)
    assert running.get().status == 200


def test_a_socket_file_without_mode_follows_the_umask(daemon):
    running = daemon(config("unix:{tmp}/get.sock"), preexec=lambda: os.umask(0o027))
    assert stat.S_IMODE(os.stat(running.unix()).st_mode) & 0o666 == 0o640


def test_an_abstract_socket_leaves_no_file(daemon, tmp_path):
    name = f"@retinue-test-{os.getpid()}-{tmp_path.name}"
    running = daemon(config(f'"unix:{name}"'))
    assert is_listening("\0" + name[1:])
    assert running.stop() == 0 and running.left_behind == []


def test_a_stale_socket_file_is_replaced_and_removed_at_stop(daemon, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    before = os.stat(path).st_ino
    running = daemon(config(f'"unix:{path}"'))
    assert running.get().status == 200
    assert running.stop() == 0
    assert not os.path.exists(path), f"socket file {before} was left"


def test_a_socket_file_that_somebody_else_made_meanwhile_is_kept(daemon, tmp_path):
    path = str(tmp_path / "s")
    running = daemon(config(f'"unix:{path}"'))
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        assert running.stop() == 0
        assert os.path.exists(path)


def test_a_live_socket_is_refused_and_left_alone(retinued, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        result = retinued(text=config(f'"unix:{path}"'))
        assert result.returncode == 1
        assert f'retinued.yaml:4:13: error: server "get": cannot listen on unix:{path}: the address is in use' in result.stderr
        assert is_listening(path)


def test_a_file_in_the_place_of_the_socket_is_refused_and_left_alone(retinued, tmp_path):
    path = tmp_path / "s"
    path.write_text("precious")
    result = retinued(text=config(f'"unix:{path}"'))
    assert result.returncode == 1 and "retinued.yaml:4:13: error: " in result.stderr
    assert path.read_text() == "precious"


# Socket activation. The daemon is started as a service manager does it: descriptors from 3 on, and an environment that
# names the process itself.
WRAPPER = textwrap.dedent("""
    import fcntl, os, sys
    fds, names, pid, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in fds.split(",")]
    for target, fd in enumerate(high, 3):
        os.dup2(fd, target)
    os.environ.update(LISTEN_FDS=str(len(high)), LISTEN_PID=pid or str(os.getpid()), LISTEN_FDNAMES=names)
    os.execvp(command[0], command)
""")


@pytest.fixture
def activation(monkeypatch, tmp_path):
    """A function that opens listening sockets of the given names and puts the wrapper before the daemon."""
    opened = []

    def prepare(names, pid="", unix=False):
        for n, _ in enumerate(names):
            listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
            listener.bind(str(tmp_path / f"s{n}") if unix else ("127.0.0.1", 0))
            listener.listen()
            opened.append(listener)
        fds = [listener.fileno() for listener in opened]
        wrapper = [sys.executable, "-c", WRAPPER, ",".join(map(str, fds)), ":".join(names), pid]
        monkeypatch.setattr(harness, "WRAP", [*wrapper, *harness.WRAP])
        return opened

    yield prepare
    for listener in opened:
        listener.close()


def test_sockets_of_the_service_manager_are_served_by_name(daemon, activation):
    one, two = activation(["web", "api"])
    running = daemon(with_test_modules("""
  a:
    listen: systemd:api
    loops: 2
    routes: [{path: /, module: inspect, handler: loop}]
  b:
    listen: systemd:web
    routes: [{path: /, module: inspect, handler: loop}]
"""), pass_fds=(one.fileno(), two.fileno()))
    for listener, server in ((one, "b"), (two, "a")):
        with harness.Raw(listener.getsockname()) as raw:
            assert f"\nserver {server}\n" in raw.request().text
    running.log_wait(rf'server "b": http on 127\.0\.0\.1:{one.getsockname()[1]},')


def test_a_socket_file_of_the_service_manager_is_not_removed(daemon, activation):
    (listener,) = activation(["web"], unix=True)
    running = daemon(config("systemd:web"), pass_fds=(listener.fileno(),))
    with harness.Raw(listener.getsockname()) as raw:
        assert peer(raw.request()) == "unix:"
    assert running.stop() == 0
    assert os.path.exists(listener.getsockname())


def test_a_client_that_connected_before_the_daemon_came_gets_small_packets_at_once(daemon, activation, monkeypatch, tmp_path):
    if is_sanitized():
        return  # a sanitizer cannot be traced
    assert shutil.which("strace"), "strace is missing: scripts/setup test"
    trace = tmp_path / "trace"
    # -D: the daemon stays our child, with the number that the sockets are for.
    options = ["-D", "-f", "-qq", "-e", "trace=accept4,setsockopt", "-o", str(trace)]
    monkeypatch.setattr(harness, "WRAP", ["strace", *options, *harness.WRAP])
    (listener,) = activation(["web"])
    with harness.Raw(listener.getsockname()) as raw:
        running = daemon(config("systemd:web"), pass_fds=(listener.fileno(),))
        assert raw.request().status == 200
    assert running.stop() == 0
    calls = trace.read_text()
    accepted = re.search(r"accept4.* = (\d+)$", calls, re.MULTILINE).group(1)
    assert f"setsockopt({accepted}, SOL_TCP, TCP_NODELAY, [1], 4" in calls


def test_a_name_that_was_not_passed_is_an_error_that_lists_those_that_were(daemon, activation):
    one, two = activation(["web", "api"])
    running = daemon(config("systemd:wep"), wait=False, pass_fds=(one.fileno(), two.fileno()))
    assert running.wait() == 1
    running.log.wait(r'retinued\.yaml:4:13: error: server "get": cannot listen on systemd:wep: .*it passed: web, api$')


def test_sockets_for_another_process_are_not_taken(daemon, activation):
    (listener,) = activation(["web"], pid="1")
    running = daemon(config("systemd:web"), wait=False, pass_fds=(listener.fileno(),))
    assert running.wait() == 1
    running.log.wait(r"cannot listen on systemd:web: .*it passed: none$")
