"""Handlers that come back just as they are taken away from: every request gets one whole answer or a reset, what is counted adds
up, and the daemon stops."""
import random
import threading

from common import wait_until, with_test_modules
from metrics_text import Servers
from raw import Closed

LIMIT = 50  # ms
LARGE = 400000
CLIENTS = 10
ROUNDS = 20

KINDS = ("text", "serial", "blocking", "large", "file", "stream", "later", "body")
BIG = ("large", "file", "stream")


def config(file):
    options = {"file": f", options: {{file: {file}}}"}
    routes = "\n".join(f"      - {{path: /{kind}, module: deadline, handler: {kind}{options.get(kind, '')}}}" for kind in KINDS)
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    threads: 4
    stuck_threads: 4
    queue: 64
    stall: 0
    timeouts: {{handler: {LIMIT}ms}}
    routes:
{routes}
      - {{path: /after, module: deadline, handler: text, timeouts: {{handler: 10m}}}}
  stat:
    listen: 127.0.0.1:0
    routes:
      - {{path: /status.json, module: metrics_probe, handler: json}}
  jobs:
    protocol: worker
    modules: [{{module: metrics_probe, handler: text}}]
""")


class Client:
    """Sends requests of all kinds, alone and behind each other, and now and then goes away."""

    def __init__(self, running, seed):
        self.running = running
        self.random = random.Random(seed)
        self.statuses = {200: 0, 504: 0, 503: 0}
        self.problem = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def make(self, number):
        """One request: its bytes, its method, and the body of its reply when it is one of success."""
        kind = self.random.choice(KINDS)
        ms = self.random.randint(LIMIT - 6, LIMIT + 4)
        method = "POST" if kind == "body" else self.random.choice(["GET", "GET", "GET", "HEAD"])
        tag = f"tag-{number}"
        head = f"{method} /{kind}?ms={ms}&each={self.random.choice([0, 0, LIMIT - 1])}&tag={tag} HTTP/1.1\r\nHost: test\r\n"
        if method == "POST":
            size = self.random.choice([1, 5000])
            return kind, method, f"{head}Content-Length: {size}\r\n\r\n".encode() + b"x" * size, str(size).encode()
        return kind, method, f"{head}\r\n".encode(), LARGE if kind in BIG else tag.encode()

    def check(self, response, method, wanted):
        """True when more may follow."""
        assert response.status in self.statuses, response
        self.statuses[response.status] += 1
        if response.status == 504:
            assert response.get("Connection") == "close", response
            assert method == "HEAD" or response.text.startswith("504 Gateway Timeout"), response
        elif response.status == 200 and method != "HEAD":
            assert response.body == wanted or len(response.body) == wanted, (response, wanted)
        return response.get("Connection") != "close"

    def talk(self, number):
        requests = [self.make(number * 10 + i) for i in range(self.random.choice([1, 1, 1, 2, 3]))]
        with self.running.raw("get") as raw:
            raw.send(b"".join(request[2] for request in requests))
            if self.random.random() < 0.15:
                raw.silent(self.random.uniform(0.03, 0.06))
                raw.reset()
                return
            for kind, method, _, wanted in requests:
                try:
                    if not self.check(raw.response(method), method, wanted):
                        assert raw.closed()
                        return
                except (ConnectionResetError, BrokenPipeError):
                    return  # its reply had begun
                except Closed as closed:
                    raise AssertionError(f"{kind}: neither an answer nor a reset") from closed

    def run(self):
        try:
            for number in range(ROUNDS):
                self.talk(number)
        except BaseException as problem:  # pylint: disable=broad-exception-caught
            self.problem = problem


def totals(running):
    """Requests, connections and workers of the server, once nothing goes on there any more."""
    def look():
        server = Servers(running.get("/status.json", server="stat").text)
        return server if server.at("get", "requests.active") == 0 and server.at("get", "connections.open") == 0 else None
    return wait_until(look, "all requests and connections have ended")


def test_every_request_gets_one_answer(daemon, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"f" * LARGE)
    running = daemon(config(file))
    clients = [Client(running, i) for i in range(CLIENTS)]
    for client in clients:
        client.thread.join()
    problems = [client.problem for client in clients if client.problem is not None]
    assert not problems, problems
    server = totals(running)
    good, late = (sum(client.statuses[status] for client in clients) for status in (200, 504))
    counted = server.at("get", "requests")
    assert 0 < good <= counted["2xx"] and 0 < late <= counted["5xx"], (good, late, counted)
    assert counted["total"] == sum(counted[name] for name in ("aborted", "1xx", "2xx", "3xx", "4xx", "5xx")), counted
    assert server.at("get", "connections.accepted") == sum(server.at("get", "connections.closed").values()) == CLIENTS * ROUNDS
    assert running.get("/after?ms=0&tag=last", server="get").text == "last"
    assert running.stop() == 0
    (told,) = running.log.find(r"deadline: begun=(\d+) ended=(\d+) double=(\d+)")[-1:]
    assert told[1] == told[2] and told[3] == "0", told[0]
