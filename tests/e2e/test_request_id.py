"""Ids of requests: made or taken, in replies and in both logs."""
import json
import re

import pytest

from common import wait_until, with_test_modules

MADE = re.compile(r"[0-9a-f]{32}")
KINDS = ["worker", "loop"]
GOOD = ["a", "0", "A-Z_a.z:0+9/=@", "6f3c2b1e-0000-4000-8000-000000000000", "x" * 128]
BAD = ["", "a b", 'a"b', "a\\b", "a,b", "a;b", "<b>", "x" * 129, "caf\xe9"]


def servers(mode, more=""):
    return f"""
  get:
    listen: 127.0.0.1:0
    request_id: {mode}
    log_level: info
    access_log: {{to: "file:{{tmp}}/access", format: json, flush: 10ms}}
    {more}
    routes:
      - {{path: "/worker/{{what}}", module: trace, handler: worker}}
      - {{path: "/loop/{{what}}", module: trace, handler: loop}}
      - {{path: /fixed, status: 204}}
"""


def start(daemon, mode, more="", log=""):
    # {what} is no place-holder of the harness, {tmp} is.
    return daemon(with_test_modules(servers(mode, more), log))


def access_lines(running, count):
    path = f"{running.tmp}/access"

    def read():
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
        return lines if len(lines) >= count else None

    return wait_until(read, f"{count} lines in {path}")


def ask(running, target, sent=None):
    headers = [("X-Request-Id", sent)] if sent is not None else []
    with running.raw() as raw:
        return raw.request(target=target, headers=headers)


@pytest.mark.parametrize("kind", KINDS)
def test_none_is_none(daemon, kind):
    running = start(daemon, "none")
    response = ask(running, f"/{kind}/say", "mine")
    assert response.get("X-Request-Id") is None and "mine" not in response.text
    (line,) = access_lines(running, 1)
    assert line["request_id"] is None
    assert not running.log.find("request=")


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_id_is_the_same_everywhere(daemon, kind):
    running = start(daemon, "new")
    ids = []
    for _ in range(3):
        response = ask(running, f"/{kind}/say", "mine")
        ids.append(response.get("X-Request-Id"))
        assert response.text == ids[-1] + "\n"
        running.log_wait(rf"notice +get/\S+ trace: handles get/{kind}-\d+ request={ids[-1]}$")
    assert all(MADE.fullmatch(made) for made in ids) and len(set(ids)) == 3
    assert sorted(line["request_id"] for line in access_lines(running, 3)) == sorted(ids)  # workers may overtake each other here


@pytest.mark.parametrize("kind", KINDS)
def test_good_ids_are_accepted(daemon, kind):
    running = start(daemon, "accept")
    for sent in GOOD:
        response = ask(running, f"/{kind}/say", sent)
        assert response.get("X-Request-Id") == sent and response.text == sent + "\n"
    assert sorted(line["request_id"] for line in access_lines(running, len(GOOD))) == sorted(GOOD)
    running.log_wait(r"trace: handles \S+ request=A-Z_a\.z:0\+9/=@$")


def test_bad_and_missing_ids_are_replaced(daemon):
    running = start(daemon, "accept")
    made = [ask(running, "/loop/say", sent).get("X-Request-Id") for sent in [*BAD, None]]
    assert all(MADE.fullmatch(text) for text in made) and len(set(made)) == len(BAD) + 1


def test_of_several_the_first_counts(daemon):
    running = start(daemon, "accept")
    with running.raw() as raw:
        response = raw.request(target="/loop/say", headers=[("X-Request-Id", "one"), ("x-request-id", "two")])
    assert response.get("X-Request-Id") == "one"


def test_each_of_a_pipeline_has_its_own(daemon):
    running = start(daemon, "accept")
    with running.raw() as raw:
        for number in range(20):
            kind = KINDS[number % 2]
            raw.send(f"GET /{kind}/say HTTP/1.1\r\nHost: x\r\nX-Request-Id: id-{number}\r\n\r\n")
        for number in range(20):
            response = raw.response()
            assert response.get("X-Request-Id") == f"id-{number}" and response.text == f"id-{number}\n"


def test_the_field_survives_errors_and_other_answers(daemon):
    running = start(daemon, "accept")
    for kind in KINDS:
        for what, status in (("fail", 500), ("next", 404), ("unknown", 404)):
            response = ask(running, f"/{kind}/{what}", f"{kind}-{what}")
            assert response.status == status and response.get("X-Request-Id") == f"{kind}-{what}"
            assert response.get("X-Lost") is None
    assert ask(running, "/fixed", "f").get("X-Request-Id") == "f"
    assert ask(running, "/nowhere", "n").get("X-Request-Id") == "n"
    assert ask(running, "/%00", "p").get("X-Request-Id") == "p"
    with running.raw() as raw:
        response = raw.request("POST", "/fixed", [("X-Request-Id", "m"), ("Content-Length", "0")])
    assert response.status == 204 and response.get("X-Request-Id") == "m"


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_logged_under_it(daemon, kind):
    running = start(daemon, "accept")
    assert ask(running, f"/{kind}/fail", "bad-one").status == 500
    running.log_wait(rf'error +get/\S+ route "/{kind}/{{what}}": module trace: .* Input/output error request=bad-one$')
    since = running.log.mark()
    assert running.stop() == 0
    assert not [line for line in running.log.find(r".*", since=since) if "request=" in line[0]]


@pytest.mark.parametrize("kind", KINDS)
def test_handlers_cannot_give_another(daemon, kind):
    running = start(daemon, "new")
    response = ask(running, f"/{kind}/own")
    assert response.text == "refused\n" and MADE.fullmatch(response.get("X-Request-Id"))


def test_without_ids_handlers_may_give_their_own(daemon):
    running = start(daemon, "none")
    response = ask(running, "/loop/own")
    assert response.text == "taken\n" and response.get("X-Request-Id") == "mine"


def test_it_is_taken_when_handlers_do_not_see_the_field(daemon):
    running = start(daemon, "accept", "header_fields: [origin]")
    response = ask(running, "/loop/headers", "mine")
    assert response.get("X-Request-Id") == "mine" and response.text == "hidden hidden\n"


def test_handlers_see_the_field_as_any_other(daemon):
    running = start(daemon, "accept")
    assert ask(running, "/loop/headers", "mine").text == "seen hidden\n"


def test_a_head_that_is_broken_has_none(daemon):
    running = start(daemon, "accept")
    with running.raw() as raw:
        raw.send(b"GET / HTTP/1.1\r\nX-Request-Id: mine\r\nbroken\r\n\r\n")
        response = raw.response()
    assert response.status == 400 and response.get("X-Request-Id") is None
    (line,) = access_lines(running, 1)
    assert line["request_id"] is None and line["status"] == 400


def test_json_lines_have_a_member(daemon):
    running = start(daemon, "accept", log="log: {format: json}")
    ask(running, "/worker/say", "mine")
    running.log_wait("trace: handles")
    (line,) = [json.loads(match.string) for match in running.log.find("trace: handles")]
    assert line["request_id"] == "mine" and line["message"].startswith("trace: handles get/worker-")


def test_the_access_line_in_the_log_has_it(daemon):
    text = servers("accept").replace('to: "file:{tmp}/access", format: json, flush: 10ms', "level: info")
    running = daemon(with_test_modules(text))
    ask(running, "/worker/say", "mine")
    running.log_wait(r'info +get/\S+ 127\.0\.0\.1:\d+ "GET /worker/say HTTP/1\.1" 200 5 \d+\.\d{3}ms request=mine$')
