"""The control socket, as tests ask it: by HTTP, and by retinuectl."""
import json
import os
import subprocess

from bounds import WAIT_BOUND
from common import with_test_modules
from harness import BUILD, Raw, clean_environment

RETINUECTL = os.environ.get("RETINUECTL", str(BUILD / "src" / "ctl" / "retinuectl"))
KEY = 'control: "{tmp}/control"'


def with_control(servers, daemon=""):
    """A configuration with a control socket in the folder of the daemon."""
    return with_test_modules(servers, KEY + (f", {daemon}" if daemon else ""))


def control_path(running):
    return os.path.join(running.tmp, "control")


def ask(running, target, method="GET"):
    """The answer to one request on a connection of its own: status and JSON."""
    with Raw(control_path(running)) as raw:
        raw.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        response = raw.response()
    return response.status, json.loads(response.body)


def get(running, target):
    status, answer = ask(running, target)
    assert status == 200, answer
    return answer


def order(running, target, expected=200):
    status, answer = ask(running, target, "POST")
    assert status == expected, answer
    return answer


def run_ctl(*arguments, env=None, timeout=WAIT_BOUND, **options):
    """retinuectl, to its end; without a terminal."""
    environment = dict(clean_environment(), **(env or {}))
    environment.pop("RETINUE_CONTROL", None) if env is None or "RETINUE_CONTROL" not in env else None
    return subprocess.run([RETINUECTL, *map(str, arguments)], env=environment, timeout=timeout, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def ctl(running, *arguments, status=0, **options):
    """What retinuectl says about the daemon: stdout, or stderr when it is to fail."""
    result = run_ctl("--socket", control_path(running), *arguments, **options)
    assert result.returncode == status, f"{result.returncode}: {result.stdout}{result.stderr}"
    return result.stdout if status == 0 else result.stderr
