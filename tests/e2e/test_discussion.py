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


def test_the_table_passes_on_to_all_others(daemon):
    running = daemon(discussion(guests=3, count=1))
    with connect(running, "/") as first, connect(running, "/") as second:
        begin = "Max: Everybody is here. What do you think?"
        assert begin in (first.message(), first.message())
        heard = second.message()
        assert heard == begin or heard.startswith("Ada: ")
        first.text("Zoe: I am a person.")
        got = {second.message()}
        while "Zoe: I am a person." not in got:
            got.add(second.message())
        answers = [first.message()]
        while len([text for text in answers if text.startswith("Ada: ") and "Hello" not in text]) < 3:
            first.text("Zoe: And you?")
            answers.append(first.message())
        assert any(re.search("Zoe|Max", text) for text in answers)
    running.log_wait("the discussion is over")


def test_what_is_no_speech_is_not_passed_on(daemon):
    running = daemon(discussion(guests=2, count=1, rounds=2))
    with connect(running, "/") as guest:
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
