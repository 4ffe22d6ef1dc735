"""What the tests in the booted system ask of the service manager, and how they wait. Only modules of python3-minimal."""
import os
import subprocess
import time

BOUND = 120  # seconds for anything that has to happen
UNIT = "retinued.service"
CONFIG = "/etc/retinue/retinued.yaml"
MODULES = "/test/modules"


def run(*command, status=0, bound=BOUND):
    """The output, stdout and stderr together. `status` None: any."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=bound, check=False)
    assert status is None or done.returncode == status, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}"
    return done.stdout


def fails(*command):
    """The output of a command that has to fail."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=BOUND, check=False)
    assert done.returncode != 0, f"{' '.join(command)}: has not failed\n{done.stdout}"
    return done.stdout


def systemctl(*arguments):
    return run("systemctl", "--no-pager", *arguments)


def shown(name, unit=UNIT):
    """A property of the unit."""
    return run("systemctl", "show", "--value", "-p", name, unit).strip()


def main_pid():
    return int(shown("MainPID"))


def wait_until(holds, what):
    deadline = time.monotonic() + BOUND
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}\n{run('systemctl', 'status', UNIT, status=None)}"
        time.sleep(0.05)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def configure(servers, daemon=""):
    write(CONFIG, f"daemon:\n  modules: [/usr/lib/{multiarch()}/retinue/modules, {MODULES}]\n{daemon}servers:\n{servers}")


def multiarch():
    return next(name for name in os.listdir("/usr/lib") if os.path.isdir(f"/usr/lib/{name}/retinue"))


def drop_in(text, unit=UNIT, name="test.conf"):
    write(f"/etc/systemd/system/{unit}.d/{name}", text)
    systemctl("daemon-reload")


def restart():
    systemctl("reset-failed")  # starts are limited
    systemctl("restart", UNIT)


def stop():
    """Back to nothing, with no drop-in of a test."""
    run("systemctl", "stop", "retinued.socket", "retinued-admin.socket", UNIT, status=None)
    for unit in (UNIT, "retinued.socket"):
        run("rm", "-rf", f"/etc/systemd/system/{unit}.d")
    systemctl("daemon-reload")
    run("systemctl", "reset-failed", status=None)


def journal_mark():
    """Where the journal is now."""
    run("journalctl", "--sync")
    return run("journalctl", "--no-pager", "-n", "0", "--show-cursor").rsplit("-- cursor: ", 1)[1].strip()


def journal(since):
    """The entries of the unit since a mark, each a dictionary of its fields."""
    run("journalctl", "--sync")
    text = run("journalctl", "--no-pager", "-o", "export", "--after-cursor", since, "-u", UNIT)
    return [dict(line.split("=", 1) for line in entry.splitlines() if "=" in line) for entry in text.split("\n\n") if entry]


def messages(since):
    return "\n".join(entry.get("MESSAGE", "") for entry in journal(since))
