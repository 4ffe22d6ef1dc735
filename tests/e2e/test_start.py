"""What cannot be started is an error at its place in the YAML, and then nothing runs at all."""
import contextlib
import os
import socket
import subprocess

import pytest

import harness
from common import is_listening, with_test_modules

IN_USE = "the address is in use (ss -lxtnp shows by which program)"


@contextlib.contextmanager
def taken_port():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def two_servers(first, second, loops=1):
    return with_test_modules(f"""
  get:
    listen: {first}
    loops: {loops}
    routes: [{{path: /, module: hello}}]
  other:
    listen: {second}
    routes: [{{path: /, module: hello}}]
""")


def shown(config, line, column, message, text):
    """A diagnostic as it is printed: place, message, the line, and a mark under the value."""
    source = text.splitlines()[line - 1]
    value = source[column - 1:]
    return (f"{config}:{line}:{column}: error: {message}\n{line:5} | {source}\n      | "
            f"{' ' * (column - 1)}^{'~' * (len(value) - 1)}\n")


def fails_to_listen(tmp_path, address, reason, loops=1, first=None):
    """Starts a server that can listen and one that cannot; the second one's error is all there is, and nobody answers."""
    free = harness.free_port()
    text = two_servers(first or f"127.0.0.1:{free}", address, loops)
    config = tmp_path / "retinued.yaml"
    config.write_text(text, encoding="utf-8")
    result = harness.run("-c", config)
    message = f'server "other": cannot listen on {address}: {reason}'
    assert result.stderr == shown(config, 8, 13, message, text)
    assert result.stdout == "" and result.returncode == 1
    assert not is_listening(free)
    return config


def test_a_taken_port(tmp_path):
    with taken_port() as port:
        fails_to_listen(tmp_path, f"127.0.0.1:{port}", IN_USE)


@pytest.mark.parametrize("loops", [1, 2])
def test_a_port_of_another_retinued_that_shares_it_among_its_loops(daemon, retinued, loops):
    """SO_REUSEPORT would let both have the port, each with a part of the clients."""
    running = daemon(two_servers("127.0.0.1:0", "127.0.0.1:0", 2))
    text = two_servers(f"127.0.0.1:{running.port('get')}", "127.0.0.1:0", loops)
    result = retinued(text=text)
    assert result.returncode == 1
    message = f'server "get": cannot listen on 127.0.0.1:{running.port("get")}: {IN_USE}'
    assert f"retinued.yaml:4:13: error: {message}\n" in result.stderr
    assert running.get().status == 200


def test_all_addresses_that_fail_are_reported(retinued):
    with taken_port() as one, taken_port() as two:
        result = retinued(text=two_servers(f"127.0.0.1:{one}", f"127.0.0.1:{two}"))
    assert result.returncode == 1
    assert "retinued.yaml:4:13: error: " in result.stderr and "retinued.yaml:8:13: error: " in result.stderr
    assert result.stderr.count(": error: ") == 2


def test_an_address_of_no_interface(tmp_path):
    # 192.0.2.0/24 is for documentation.
    reason = "no interface of this machine has that address (ip addr shows them)"
    fails_to_listen(tmp_path, "192.0.2.1:5050", reason)


def test_an_unknown_host(retinued):
    result = retinued(text=two_servers("127.0.0.1:0", "no-such-host.invalid:5050"), env={"RES_OPTIONS": "timeout:1 attempts:1"})
    assert result.returncode == 1
    start = 'retinued.yaml:8:13: error: server "other": cannot listen on no-such-host.invalid:5050: host "no-such-host.invalid": '
    assert start in result.stderr


def test_a_socket_in_a_folder_that_is_not_there(tmp_path):
    fails_to_listen(tmp_path, f"unix:{tmp_path}/nowhere/s", "the folder of the socket does not exist")


def test_a_privileged_port_without_the_capability(tmp_path, monkeypatch):
    # Without the capability, in a network of its own, where no setting of the machine frees the ports.
    lone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    assert subprocess.run([*lone, "true"], check=False).returncode == 0, "a network namespace is needed"
    wrapper = [*lone, "setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]
    monkeypatch.setattr(harness, "WRAP", [*wrapper, *harness.WRAP])
    reason = ("permission denied; ports below 1024 need CAP_NET_BIND_SERVICE or a systemd socket, "
              "a unix socket needs a folder that the daemon may write to")
    fails_to_listen(tmp_path, "0.0.0.0:80", reason, first=f"unix:{tmp_path}/s")
    assert not (tmp_path / "s").exists()


def test_nothing_is_announced_before_all_listen(daemon):
    """READY=1 comes with every server's addresses, each of which answers by then."""
    running = daemon(two_servers("127.0.0.1:0", "[127.0.0.1:0, 127.0.0.1:0]"), wait=False)
    message = running.notify_wait("^READY=1$")
    ports = [running.port("get"), running.port("other"), running.port("other", 1)]
    assert all(is_listening(port) for port in ports)
    assert message.splitlines()[1] == (f"STATUS=serving get 127.0.0.1:{ports[0]}, other 127.0.0.1:{ports[1]} "
                                       f"127.0.0.1:{ports[2]}")
    assert running.notifications.messages[0] == message


def test_the_start_up_lines(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: [127.0.0.1:0, "unix:{tmp}/s"]
    loops: 2
    threads: 5
    routes:
      - {path: /, module: hello}
      - {path: /again, module: hello}
      - {path: /in, module: inspect, handler: loop}
      - {path: /gone, status: 410}
  plain:
    listen: 127.0.0.1:0
    threads: 0
    routes: [{path: /, status: 204}]
"""))
    port = running.port("get")
    line = f'server "get": http on 127.0.0.1:{port} unix:{running.tmp}/s, loops 2, threads 5, routes 4, modules hello inspect'
    assert len(running.log.find(rf" notice main\[\d+\] {line}$")) == 1
    line = f'server "plain": http on 127.0.0.1:{running.port("plain")}, loops 1, threads 0, routes 1'
    assert len(running.log.find(rf" notice main\[\d+\] {line}$")) == 1
    running.log_wait(r"retinued \d+\.\d+\.\d+ is ready$")
