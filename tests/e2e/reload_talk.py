"""Reloads: changes the file of a running daemon, has it loaded again, and says what came of it."""
import json
import os
import pathlib
import re
import shutil
import signal

import yaml

import harness
from bounds import WAIT_BOUND
from common import wait_until
from raw import Raw
from test_memory import is_sanitized

# What was only tried stands in the log as well, whenever it gets there.
PLAN = re.compile(r'(?<!dry run: )(server "[^"]+": (?:unchanged|tuned live|routes swapped|re-listen|restarted|added|removed)\b.*'
                  r'|daemon: [a-z_.]+\b.*)$')
END = r"SIGHUP: (reloaded|the reload failed|nothing has changed|nothing is reloaded)"


def with_control(running, text):
    """The same with a control socket in the daemon's folder."""
    tree = yaml.safe_load(text)
    tree["daemon"]["control"] = os.path.join(running.tmp, "control")
    return yaml.safe_dump(tree, sort_keys=False)


def write(running, text):
    """The file is another one now, at once."""
    new = running.config.with_suffix(".new")
    new.write_text(harness.with_modules(running.fill_in(text)), encoding="utf-8")
    os.replace(new, running.config)
    running.text = harness.with_modules(running.fill_in(text))


def reload(running, text=None, expect="reloaded|nothing has changed", timeout=WAIT_BOUND):
    """SIGHUP, after the file was changed to `text`. The lines of the log until it is over."""
    if text is not None:
        write(running, text)
    since = running.log.mark()
    running.signal(signal.SIGHUP)
    end = running.log.wait(END, timeout, since)
    assert re.search(expect, end[1]), running.log.text()
    lines = [match.string for match in running.log.find("", since)]
    return lines[:lines.index(end.string) + 1]


def refused(running, text=None, timeout=WAIT_BOUND):
    """The same of one that has to fail: what the log says."""
    before = running.text
    said = "\n".join(reload(running, text, "failed", timeout))
    running.text = before
    return said


def control(running, method, target):
    """What the control socket answers: status and JSON."""
    with Raw(os.path.join(running.tmp, "control")) as raw:
        answer = raw.request(method, target, body=b"" if method == "POST" else None)
        return answer.status, json.loads(answer.text)


def try_reload(running, text):
    """A reload that is only tried, by the control socket; the file is as before then."""
    before = running.text
    write(running, text)
    status, answer = control(running, "POST", "/reload?dry_run=1")
    write(running, before)
    assert status == 200 and answer["dry_run"], answer
    return answer["text"].splitlines()


def lines_of_plan(lines):
    """Without what the log puts around them."""
    return [match[1] for match in map(PLAN.search, lines) if match]


def generation(lines):
    """The number of the generation that is in force after a reload."""
    return int(re.search(r"generation (\d+)", lines[-1])[1])


def change_content(path):
    """A module file gets other content that does the same: a new file in its place, with bytes behind its end."""
    path = pathlib.Path(path)
    new = path.with_suffix(".new")
    shutil.copy(path, new)
    with open(new, "ab") as file:
        file.write(b"another content\n")
    os.replace(new, path)


def swap_module(path, source):
    """A module file becomes another module."""
    new = pathlib.Path(path).with_suffix(".new")
    shutil.copy(source, new)
    os.replace(new, path)


def wait_mapped(running, count):
    """Waits until the process has so many module files mapped. A sanitizer's build unloads none, for its reports' sake."""
    if not is_sanitized():
        wait_until(lambda: mapped_modules(running) == count, f"{count} modules are mapped, not {mapped_modules(running)}")


def mapped_modules(running):
    """How many module files the process has mapped: each copy counts once."""
    maps = pathlib.Path(f"/proc/{running.pid}/maps").read_text(encoding="utf-8")
    return len({line.split()[4] for line in maps.splitlines() if "memfd:" in line})
