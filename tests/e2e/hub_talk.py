"""Servers that send each other messages, all of them with the test module hub_probe.

config   "web" with the doors, and the worker servers "loop", "serial" and "parallel", named for the threads of their handlers
do       runs commands of hub_probe in the daemon
seen     what its handlers and callbacks have told, as dictionaries
"""
from common import fields, wait_until, with_test_modules

MODELS = ["loop", "serial", "parallel"]
BY = ["loop", "serial", "worker", "thread"]


def worker(name, handler, gate, keys="", more=""):
    return f"""
  {name}:
    protocol: worker
    threads: 4
    {keys}
    modules: [{{module: hub_probe, handler: {handler}, options: {{gate: "{gate}"{more}}}}}]"""


def config(gate="", keys="", web="", first="", last="", options=None, timeout="10s", log="trace"):
    """`keys` are keys of the worker servers, `web` of the web server; `first` and `last` are more servers; `options` say by server
    what is added to its options."""
    options = options or {}
    doors = "".join(f"""
      - {{path: /{by}, module: hub_probe, handler: do-{by}, options: {{gate: "{gate}"}}}}""" for by in BY)
    asks = "".join(f"""
      - {{path: "/ask-{by}/*", module: hub_probe, handler: ask-{by}}}""" for by in BY[:3])
    return with_test_modules(f"""{first}
  web:
    listen: 127.0.0.1:0
    threads: 4
    {web}
    routes: {doors}{asks}
      - {{path: /seen, module: hub_probe, handler: seen}}
      - {{path: /socket, module: hub_probe, handler: socket}}
    modules: [{{module: hub_probe, handler: web, options: {{gate: "{gate}"{options.get("web", "")}}}}}]
{"".join(worker(name, name, gate, keys, options.get(name, "")) for name in MODELS)}
{last}
""", f"log: {{level: {log}}}, shutdown_timeout: {timeout}")


def do(running, commands, by="loop"):
    """What each command says: a text, or of several lines a list."""
    commands = commands.encode()
    with running.raw("web") as raw:
        raw.send(b"POST /%s HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s" % (by.encode(), len(commands), commands))
        response = raw.response()
    assert response.status == 200, response
    lines = response.text.splitlines()
    return lines if b"\n" in commands else lines[0]


def lines(running):
    return running.get("/seen", "web").text.splitlines()


def seen(running, kind=None, **wanted):
    """The lines that begin with `kind` and have these fields, as dictionaries, in their order."""
    found = []
    for line in lines(running):
        word, _, rest = line.partition(" ")
        values = fields(rest) if all("=" in part for part in rest.split()) else {"text": rest}
        if kind in (None, word) and all(values.get(name) == str(value) for name, value in wanted.items()):
            found.append({"kind": word, **values})
    return found


def wait_seen(running, count, kind=None, **wanted):
    """The lines, when so many have come: never more."""
    wait_until(lambda: len(seen(running, kind, **wanted)) >= count, f"{count} times {kind} {wanted}")
    found = seen(running, kind, **wanted)
    assert len(found) == count, found
    return found
