"""Fixtures over harness.py."""
import pathlib

import pytest

import harness


@pytest.fixture
def daemon(tmp_path):
    """A function that starts daemons: daemon(text, ...) returns a running harness.Daemon. After the test each one that still runs
    is stopped; it has to end with 0 and without a sanitizer's report. Its log is printed, which pytest shows for failed tests."""
    started = []

    def start(text, wait=True, **options):
        folder = tmp_path / f"daemon-{len(started)}"
        folder.mkdir()
        running = harness.Daemon(text, folder, **options)
        started.append(running)
        return running.start(wait)

    yield start
    problems = []
    for running in started:
        try:
            was_running = running.process is not None and running.process.poll() is None
            if running.process is not None and running.exit_code is None:
                status = running.stop()
                assert status == 0 or not was_running, f"the daemon ended with {status}"
        except AssertionError as error:
            problems.append(str(error))
        finally:
            running.kill()
            print(f"-- log of {running.config}\n{running.log.text()}")
    assert not problems, "\n".join(problems)


@pytest.fixture
def retinued(tmp_path):
    """A function that runs retinued to its end: retinued(*args, text=...) writes the text to a file and puts -c before the args."""

    def run(*args, text=None, **options):
        if text is None:
            return harness.run(*args, **options)
        config = tmp_path / "retinued.yaml"
        config.write_text(harness.with_modules(text), encoding="utf-8")
        return harness.run("-c", config, *args, **options)

    return run


@pytest.fixture(scope="session")
def build_dir():
    return harness.BUILD


@pytest.fixture(scope="session")
def modules_dir():
    return pathlib.Path(harness.MODULES)
