"""Ten guests at a table: a WebSocket server and its clients in one configuration, from the first word to the last."""
import re

import pytest

import harness
from common import with_test_modules
from ws_talk import BINARY, connect


def discussion(guests=10, count=10, rounds=3, loops=1, clients_server="guests"):
    return with_test_modules(f"""
  table:
    listen: "127.0.0.1:{{port}}"
    loops: {loops}
    threads: 0
    log_level: info
    routes:
      - {{path: /, module: discussion, handler: server, options: {{guests: {guests}}}}}
  {clients_server}:
    loops: {loops}
    threads: 0
    log_level: info
    clients:
      - {{url: "ws://127.0.0.1:{{port}}/", module: discussion, handler: client, count: {count}, reconnect: 50ms,
         options: {{rounds: {rounds}}}}}
""")


def check(running, guests, rounds):
    """Everybody said everything, and nothing twice."""
    running.log_wait(f"{guests} guests are at the table: the discussion begins")
    running.log_wait(f"the discussion is over: {guests * (rounds + 1)} things were said")
    running.log_wait(r"heard \d+ things and said", count=guests)
    said = [match.groups() for match in running.log.find(r"\] ([A-Z][a-z]+(?: \d+)?): (.*)$")]
    names = {name for name, _ in said}
    assert len(said) == guests * (rounds + 1) and len(names) == guests
    for name in names:
        words = [text for speaker, text in said if speaker == name]
        assert len(words) == rounds + 1 and words[0] == f"Hello, I am {name}."
        [line] = running.log.find(rf"\] {name} heard (\d+) things and said (.*)$")
        assert line[2] == " ".join(f'"{text}"' for text in words)
        assert rounds <= int(line[1]) <= guests * (rounds + 1)


@pytest.mark.parametrize("guests, rounds, loops", [(10, 3, 1), (10, 3, 2), (2, 20, 1), (50, 2, 2)])
def test_a_discussion_comes_to_its_end(daemon, guests, rounds, loops):
    running = daemon(discussion(guests, guests, rounds, loops))
    check(running, guests, rounds)
    # They have gone for good: nobody comes again.
    assert len(running.log.find("the discussion begins")) == 1


def test_the_shipped_configuration_does_what_it_says(daemon):
    text = (harness.ROOT / "conf" / "discussion.yaml").read_text(encoding="utf-8")
    assert text.count("127.0.0.1:8084") == 2
    check(daemon(text.replace("127.0.0.1:8084", "127.0.0.1:{port}"), env={"RETINUE_MODULES": harness.MODULES}), 10, 3)


def until(end, last):
    """What is heard up to a text that matches, which comes for certain."""
    heard = [end.message()]
    while not re.search(last, heard[-1]):
        heard.append(end.message())
    return heard


def test_the_table_passes_on_to_all_others(daemon):
    """One guest of the daemon and two of ours."""
    running = daemon(discussion(guests=3, count=1, rounds=2))
    with connect(running, "/") as first, connect(running, "/") as second:
        for end in (first, second):
            assert until(end, "^Max: ")[-1] == "Max: Everybody is here. What do you think?"
            until(end, "^Ada: .*Max")
        first.text("Zoe: I am a person.")
        assert until(second, "^Zoe: ") == ["Zoe: I am a person."]
        # The speaker hears the answer, but not itself.
        for end in (first, second):
            assert len(until(end, "^Ada: .*Zoe")) == 1
        running.log_wait(r'Ada heard 2 things and said "Hello, I am Ada\." ".*Max.*" ".*Zoe.*"$')
        first.text("Zoe: Nobody answers any more.")
        assert until(second, "^Zoe: ") == ["Zoe: Nobody answers any more."]
    running.log_wait("the discussion is over: 5 things were said")


def test_what_is_no_speech_is_not_passed_on(daemon):
    running = daemon(discussion(guests=2, count=1, rounds=2))
    with connect(running, "/") as guest:
        until(guest, "^Max: ")
        guest.send(BINARY, b"noise")
        guest.text("no name in front")
        guest.text("Zoe: 1")
        running.log_wait(r'Ada heard \d+ things and said "Hello, I am Ada\." ".*" ".*"$')
        assert "noise" not in running.log.text()


@pytest.mark.parametrize("options, handler", [("guests: 0", "server"), ("rounds: 21", "server"), ("guests: many", "server")])
def test_bad_options_are_errors(retinued, options, handler):
    text = with_test_modules(f"""
  table:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: discussion, handler: {handler}, options: {{{options}}}}}]
""")
    result = retinued("-n", text=text)
    assert result.returncode == 1 and options.split(":")[0] in result.stderr, result.stderr
