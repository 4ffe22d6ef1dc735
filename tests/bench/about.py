"""What was measured where: the machine, the versions, the date."""
import datetime
import os
import pathlib
import platform
import re
import subprocess

from server import HERE

PACKAGES = ("nginx", "h2o", "lighttpd", "wrk")


def _first(pattern, path):
    found = re.search(pattern, pathlib.Path(path).read_text(), re.MULTILINE)
    return found[1] if found else "unknown"


def _output(*command):
    """Of a program that need not be there."""
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return ""


def _versions():
    """Of packages, as the system calls them, without their Debian revision."""
    text = _output("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES)
    return {name: re.sub(r"^\d+:|[-+].*", "", version) for name, version in map(str.split, text.splitlines())}


def about(build):
    ours = _output(build / "src/daemon/retinued", "--version")
    commit = _output("git", "-C", HERE, "rev-parse", "--short", "HEAD").strip()
    return {"date": datetime.date.today().isoformat(),
            "machine": f"{os.cpu_count()} x {_first(r'^model name.*: (.*)', '/proc/cpuinfo')}",
            "memory": f"{int(_first(r'^MemTotal: *(.*) kB', '/proc/meminfo')) / 2**20:.0f} GiB",
            "kernel": platform.release(), "system": _first('^PRETTY_NAME="(.*)"', "/etc/os-release"),
            "retinue": ours.split()[1] + (f" ({commit})" if commit else ""), **_versions()}
