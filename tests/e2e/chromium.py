"""A headless Chromium with one window, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).

Chromium   starts the browser with a folder of its own; goes to pages, evaluates, clicks, types, takes pictures; keeps what the page
           writes to the console and what goes wrong in it. Nothing but the loopback can be reached.
"""
import asyncio
import base64
import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import threading
import time

import websockets.legacy.client

from bounds import SLOW

BROWSER_BOUND = 60 * SLOW
PAGE_BOUND = 60 * SLOW
FLAGS = ["--headless=new", "--no-sandbox", "--no-first-run", "--no-default-browser-check", "--no-proxy-server", "--disable-gpu",
         "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync", "--disable-background-networking",
         "--disable-component-update", "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
         "--disable-backgrounding-occluded-windows", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
         "--remote-debugging-port=0", "--window-size=1280,800", "about:blank"]


class Chromium:
    def __init__(self, folder):
        self.folder = folder
        self.problems = []
        self.numbers = itertools.count(1)
        self.answers = {}
        self.reader = None
        self.process = subprocess.Popen(["chromium", f"--user-data-dir={folder}", *FLAGS], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        """All of its processes are in one group, and the folder can go afterwards."""
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._disconnect(), self.loop).result(PAGE_BOUND)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    # The protocol

    def _port(self):
        """Chromium writes its port to a file once it listens."""
        deadline = time.monotonic() + BROWSER_BOUND
        file = self.folder / "DevToolsActivePort"
        while not file.exists() or "\n" not in file.read_text(encoding="ascii"):
            assert self.process.poll() is None, f"chromium ended with {self.process.returncode}"
            assert time.monotonic() < deadline, "chromium did not start"
            time.sleep(0.05)
        return int(file.read_text(encoding="ascii").split("\n")[0])

    def _attach(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port(), timeout=PAGE_BOUND)
        connection.request("GET", "/json/list")
        [page] = [target for target in json.load(connection.getresponse()) if target["type"] == "page"]
        connection.close()
        asyncio.run_coroutine_threadsafe(self._connect(page["webSocketDebuggerUrl"]), self.loop).result(PAGE_BOUND)
        for domain in ("Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")

    async def _connect(self, url):
        self.socket = await websockets.legacy.client.connect(url, max_size=None, ping_interval=None)
        self.reader = self.loop.create_task(self._read())

    async def _disconnect(self):
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.gather(self.reader, return_exceptions=True)
            await self.socket.close()

    async def _read(self):
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            elif message["method"] in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self._note(message["method"], message["params"])

    def _note(self, method, event):
        if method == "Runtime.exceptionThrown":
            self.problems.append(str(event["exceptionDetails"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.problems.append(event["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.problems.append(str(event["args"]))

    async def _call(self, method, parameters):
        number = next(self.numbers)
        self.answers[number] = self.loop.create_future()
        answer = self.answers[number]
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        return await answer

    def call(self, method, **parameters):
        """One command; its result. Fails when Chromium refuses it."""
        answer = asyncio.run_coroutine_threadsafe(self._call(method, parameters), self.loop).result(PAGE_BOUND)
        assert "error" not in answer, f"{method}: {answer}"
        return answer["result"]

    # The page

    def evaluate(self, expression):
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{expression}: {result}"
        return result["result"].get("value")

    def wait(self, expression, timeout=PAGE_BOUND):
        """Waits until an expression is true; fails when it is not in time."""
        deadline = time.monotonic() + timeout
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"not in {timeout} s: {expression}\n{self.evaluate('document.body.innerText')}"
            time.sleep(0.05)

    def go(self, url):
        self.evaluate("window.old = true")
        self.call("Page.navigate", url=url)
        self._loaded()

    def reload(self):
        self.evaluate("window.old = true")
        self.call("Page.reload")
        self._loaded()

    def _loaded(self):
        """The page before it may still answer for a moment."""
        deadline = time.monotonic() + PAGE_BOUND
        while True:
            try:
                if self.evaluate("!window.old && document.readyState === 'complete'"):
                    return
            except AssertionError as error:
                assert "context" in str(error), error  # it went away under the question
            assert time.monotonic() < deadline, "the page is not there"
            time.sleep(0.05)

    def click(self, selector):
        """A click where the middle of the element is, as with a mouse."""
        box = self.evaluate(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'nearest'}});"
                            "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def type(self, text):
        """Into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key, code, modifiers=0):
        for kind in ("keyDown", "keyUp"):
            more = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers, **more)

    def enter(self):
        self.press("Enter", 13)

    # How it looks

    def show_as(self, width, height, scheme="light", mobile=False):
        """The size of the window, and what the reader prefers: "light" or "dark"."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if mobile else 1, mobile=mobile)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        """Saves what the window shows as PNG."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        path.write_bytes(data)
        return data
