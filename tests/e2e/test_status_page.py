"""The dashboard in a browser: servers, rates that move under load, what needs attention, colours, keys, and a daemon that goes and
comes back. How it looks is for eyes: pictures are left in the test's folder."""
import json
import threading

import pytest

from chromium import Chromium
from common import Gate, send_get, with_test_modules


def config(port="{port}", web="{port_web}"):
    return with_test_modules(f"""
  status:
    listen: "127.0.0.1:{port}"
    threads: 1
    routes:
      - {{path: "/status/*", module: status, handler: status, options: {{title: "On <alpha>", refresh: 100ms}}}}
  web:
    listen: "127.0.0.1:{web}"
    threads: 2
    routes:
      - {{path: /, module: hello}}
      - {{path: /worker, module: inspect, handler: worker}}
""")


class Load:
    """Requests, one after the other, until the end of the block."""

    def __init__(self, running):
        self.running = running
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with self.running.raw("web") as raw:
            while not self.ending.is_set():
                for path in ("/", "/worker"):
                    assert raw.request("GET", path).status == 200
                assert raw.request("GET", "/nothing").status == 404

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *unused):
        self.ending.set()
        self.thread.join()


@pytest.fixture
def browser(tmp_path):
    with Chromium(tmp_path / "browser") as started:
        yield started


def cell(server, column):
    """The text of a cell in the row of a server."""
    return (f"[...document.querySelectorAll('#servers tbody tr')].find((row) => row.cells[0].textContent === {json.dumps(server)})"
            f"?.cells[{column}].textContent")


STATE = "document.getElementById('state').dataset.state"


def drawn(browser, number):
    """What the window shows of a plot."""
    box = browser.evaluate(f"(() => {{ const e = document.querySelectorAll('#plots canvas')[{number}]; e.scrollIntoView(); const r ="
                           "e.getBoundingClientRect(); return {x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height}; })()")
    return browser.call("Page.captureScreenshot", format="png", clip={**box, "scale": 1})["data"]


def test_the_page(daemon, browser, tmp_path):
    running = daemon(config())
    browser.show_as(1400, 900, "light")
    browser.go(running.url("/status/", "status"))
    assert browser.evaluate("document.title") == "On <alpha>"
    browser.wait(f"{STATE} === 'live' && {cell('web', 2)} === '0' && {cell('status', 2)} !== undefined")
    assert browser.evaluate("document.querySelectorAll('#servers tbody tr').length") == 2

    # By keyboard: the server is chosen, and stays chosen when the page is loaded again.
    browser.evaluate("[...document.querySelectorAll('#servers button')].find((b) => b.textContent === 'web').focus()")
    browser.enter()
    browser.wait("document.getElementById('detail-title').textContent === 'web' && location.hash === '#server=web'")
    browser.reload()
    browser.wait("document.getElementById('detail-title').textContent === 'web'")

    quiet = drawn(browser, 0)
    with Load(running):
        browser.wait(f"parseFloat({cell('web', 2)}) > 1")
        browser.wait(f"{cell('web', 4)}.endsWith('s')")
        browser.wait("[...document.querySelectorAll('#routes td:first-child')].map((e) => e.textContent).sort().join() === '(no route),/,/worker'")
        for plot, name in ((0, "4xx"), (1, "p99"), (2, "waiting for a worker")):
            browser.wait(f"/{name} [^\u20130]/.test(document.querySelectorAll('#plots canvas')[{plot}].ariaLabel)")
        assert drawn(browser, 0) != quiet
        for width, height, mobile in ((1400, 900, False), (360, 800, True)):
            for scheme in ("light", "dark"):
                browser.show_as(width, height, scheme, mobile)
                browser.wait(f"document.documentElement.dataset.theme === '{scheme}'")
                picture = browser.picture(tmp_path / f"status-{width}-{scheme}.png")
                assert picture.startswith(b"\x89PNG") and len(picture) > 10000
                assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"
    assert browser.problems == []


def test_colours_by_choice(daemon, browser):
    running = daemon(config())
    browser.show_as(1280, 800, "dark")
    browser.go(running.url("/status/", "status"))
    ground = "getComputedStyle(document.body).backgroundColor"
    browser.wait("document.documentElement.dataset.theme === 'dark'")
    dark = browser.evaluate(ground)
    browser.click("#theme")
    browser.wait(f"document.documentElement.dataset.theme === 'light' && {ground} !== '{dark}'")
    browser.reload()
    browser.wait("document.documentElement.dataset.theme === 'light' && document.getElementById('theme').textContent === 'Light'")
    assert browser.problems == []


def test_stuck_handlers_are_named(daemon, browser, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(config() + f"""
  bad:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: slow, handler: loop, options: {{until: {gate}}}}}]
""")
    alerts = "document.getElementById('alerts').textContent"
    with running.raw("bad") as raw:
        send_get(raw)
        browser.go(running.url("/status/", "status"))
        browser.wait(f"{alerts}.includes('bad/loop-0: route \"/\": module slow: handler loop does not come back')")
        gate.open()
        assert raw.response().status == 200
        browser.wait(f"!{alerts}.includes('does not come back')")
    assert browser.problems == []


def test_a_daemon_that_goes_and_comes_back(daemon, browser):
    running = daemon(config())
    ports = running.port("status"), running.port("web")
    browser.go(running.url("/status/#server=web", "status"))
    browser.wait(f"{STATE} === 'live'")
    browser.click("#pause")
    browser.wait(f"{STATE} === 'paused'")
    browser.click("#pause")
    browser.wait(f"{STATE} === 'live'")
    assert browser.problems == []
    assert running.stop() == 0
    browser.wait(f"{STATE} === 'gone' && document.getElementById('state-text').textContent.startsWith('No answer')"
                 " && document.getElementById('alerts').textContent.startsWith('The daemon does not answer')")
    again = daemon(config(*ports))
    browser.wait(f"{STATE} === 'live'")
    with Load(again):
        browser.wait(f"parseFloat({cell('web', 2)}) > 1")
    # The browser itself tells of each attempt that found no daemon; nothing else may be wrong.
    assert [problem for problem in browser.problems if not problem.startswith("Failed to load resource: net::ERR_")] == []
