"""The module status: text for Prometheus, JSON and the page, their numbers against known traffic, its options, HEAD, and what
browsers are told about the page."""
import base64
import hashlib
import json
import re

import pytest

import http1
from common import wait_until, with_test_modules

CONFIG = """
  status:
    listen: 127.0.0.1:0
    threads: 1
    routes:
      - {path: "/status/*", module: status, handler: status, options: {title: "A <b> & c", refresh: 750ms}}
      - {path: "/*", module: hello}
      - {path: /metrics, module: status, handler: metrics}
      - {path: /numbers, module: status, handler: json}
      - {path: /page, module: status, handler: page}
  web:
    listen: 127.0.0.1:0
    threads: 2
    routes:
      - {path: /, module: hello}
      - {path: /echo, module: echo}
      - {path: /worker, module: inspect, handler: worker}
      - {path: /gone, status: 410}
"""
PATHS = ["/status/", "/status/metrics", "/status/status.json", "/metrics", "/numbers", "/page"]
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with http1.running(tmp_path_factory, CONFIG) as daemon:
        yield daemon


def parse(text):
    """{name: {labels: value}} and {family: type} of Prometheus's text format; fails where it is not well-formed."""
    values, types, helps = {}, {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            if what == "HELP":
                assert name not in helps and rest, line
                helps.add(name)
            else:
                assert what == "TYPE" and name not in types and rest in ("counter", "gauge", "histogram"), line
                types[name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        family = re.sub(r"_(bucket|sum|count)$", "", match[1]) if match[1] not in types else match[1]
        assert family in types and family in helps, line
        labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
        assert labels not in values.setdefault(match[1], {}), f"twice: {line}"
        values[match[1]][labels] = float(match[3])
    return values, types


def numbers(daemon):
    return json.loads(daemon.get("/numbers", "status").body)


def server(state, name):
    [found] = [entry for entry in state["servers"] if entry["name"] == name]
    return found


def route(entry, path):
    return next((row for row in entry["routes"] if row["route"] == path), {"requests": {"total": 0, "2xx": 0, "4xx": 0}})


@pytest.mark.parametrize("path, kind, words", [
    ("/status/", "text/html; charset=utf-8", b"<title>A &lt;b> &amp; c</title>"),
    ("/page", "text/html; charset=utf-8", b"<title>Retinue</title>"),
    ("/metrics", "text/plain; version=0.0.4; charset=utf-8", b"# TYPE retinue_requests_total counter"),
    ("/status/metrics", "text/plain; version=0.0.4; charset=utf-8", b"# TYPE retinue_requests_total counter"),
    ("/numbers", "application/json", b'"servers":'),
    ("/status/status.json", "application/json", b'"servers":'),
    ("/status/?status.json", "application/json", b'"servers":'),
    ("/page?status.json", "application/json", b'"servers":'),
])
def test_formats(running, path, kind, words):
    answer = running.get(path, "status")
    assert (answer.status, answer.get("Content-Type")) == (200, kind)
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert answer.get("Cache-Control") == ("no-cache" if "html" in kind else "no-store")
    assert words in answer.body


def test_options(running):
    assert b'data-refresh="750"' in running.get("/status/", "status").body
    assert b'data-refresh="2000"' in running.get("/page", "status").body


@pytest.mark.parametrize("path", PATHS)
def test_head(running, path):
    with running.raw("status") as raw:
        answer = raw.request("HEAD", path)
        assert answer.status == 200 and answer.body == b""
        assert int(answer.get("Content-Length")) > 1000
        assert answer.get("Content-Type") == raw.request("GET", path).get("Content-Type")


@pytest.mark.parametrize("path", PATHS)
def test_only_to_look_at(running, path):
    with running.raw("status") as raw:
        for method in ("POST", "PUT", "DELETE"):
            assert raw.request(method, path, body=b"x").status == 405, method


def test_what_it_does_not_know_is_for_the_next_route(running):
    assert running.get("/status/other", "status").text == "hello world\n"
    assert running.get("/status/metrics/", "status").text == "hello world\n"


def test_the_page_is_kept(running):
    with running.raw("status") as raw:
        first = raw.request("GET", "/status/")
        again = raw.request("GET", "/status/", [("If-None-Match", first.get("ETag"))])
        assert (again.status, again.body) == (304, b"")
        assert raw.request("GET", "/page", [("If-None-Match", first.get("ETag"))]).status == 200


def test_policy_of_the_page(running):
    """What runs and how it looks is in the page, and named by its hash; nothing else may be loaded."""
    answer = running.get("/status/", "status")
    policy = dict(rule.split(" ", 1) for rule in answer.get("Content-Security-Policy").split("; "))
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        [content] = re.findall(rf"(?s)<{tag}>(.*?)</{tag}>", answer.text)
        assert policy[rule] == "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(|\bon\w+=|\beval\(|new Function|style=""", answer.text)


def test_counts_are_those_of_the_traffic(running):
    before = server(numbers(running), "web")
    with running.raw("web") as raw:
        for _ in range(7):
            assert raw.request("GET", "/").status == 200
        for _ in range(5):
            assert raw.request("GET", "/worker").status == 200
        for _ in range(3):
            assert raw.request("POST", "/echo", body=b"x" * 1000).status == 200
        assert raw.request("GET", "/gone").status == 410
        assert raw.request("GET", "/nothing").status == 404

    # A request counts when it has ended, which may be after its reply has come.
    def arrived():
        now = server(numbers(running), "web")
        return now if now["requests"]["total"] == before["requests"]["total"] + 17 else None

    after = wait_until(arrived, "17 requests are counted")
    grown = {key: after["requests"][key] - before["requests"][key] for key in ("2xx", "3xx", "4xx", "5xx", "aborted")}
    assert grown == {"2xx": 15, "3xx": 0, "4xx": 2, "5xx": 0, "aborted": 0}
    for path, count in (("/", 7), ("/worker", 5), ("/echo", 3)):
        assert route(after, path)["requests"]["2xx"] - route(before, path)["requests"]["2xx"] == count, path
    assert route(after, "/gone")["requests"]["4xx"] - route(before, "/gone")["requests"]["4xx"] == 1
    assert after["duration_us"]["count"] - before["duration_us"]["count"] == 17
    for name in ("queue_us", "handler_us"):
        assert after[name]["count"] - before[name]["count"] >= 5, name
    assert after["bytes"]["in"] - before["bytes"]["in"] > 3000
    assert sum(count for _, count in after["duration_us"]["buckets"]) == after["duration_us"]["count"]


def test_text_and_json_agree(running):
    """Of the server that nobody else asks: it is quiet in between."""
    for _ in range(4):
        assert running.get("/", "web").status == 200

    def quiet():
        first = server(numbers(running), "web")["requests"]
        values, types = parse(running.get("/metrics", "status").text)
        second = server(numbers(running), "web")["requests"]
        return first == second and (values, types, second)

    values, types, requests = wait_until(quiet, "nothing goes on")
    assert requests["2xx"] > 0
    by_class = {}
    for labels, value in values["retinue_requests_total"].items():
        label = dict(labels)
        if label["server"] == "web":
            by_class[label["status"]] = by_class.get(label["status"], 0) + value
    assert {key: by_class.get(key, 0) for key in ("2xx", "4xx", "5xx")} == {key: requests[key] for key in ("2xx", "4xx", "5xx")}
    assert types["retinue_request_duration_seconds"] == "histogram"
    for labels, value in values["retinue_request_duration_seconds_count"].items():
        rows = sorted((float(dict(key)["le"]), count) for key, count in values["retinue_request_duration_seconds_bucket"].items()
                      if {label for label in key if label[0] != "le"} == set(labels))
        assert rows[-1] == (float("inf"), value)
        assert [count for _, count in rows] == sorted(count for _, count in rows)


def test_wrong_options_are_refused(retinued):
    for option, words in (("refresh: 10ms", "refresh"), ("refresh: 2m", "refresh"), ("colour: red", "colour")):
        text = CONFIG.replace("refresh: 750ms", option)
        result = retinued("-n", text=with_test_modules(text))
        assert result.returncode == 1 and words in result.stderr, option


def test_it_needs_a_worker(retinued):
    result = retinued("-n", text=with_test_modules(CONFIG.replace("threads: 1", "threads: 0")))
    assert result.returncode == 1 and 'module "status" runs on workers' in result.stderr
