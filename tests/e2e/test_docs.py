"""What the documents say is true: examples run, configurations are good, printed output is what is really printed."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import jsonschema
import pytest
import yaml

import harness
import ws_talk

CONF = sorted((harness.ROOT / "conf").glob("*.yaml"))
# Each #try line of a file, in their order: what it has to answer.
TRIES = {
    "demo.yaml": [(200, "<title>Retinue's demo</title>"), (200, "hello world"), (200, "anything at all"),
                  (200, "GET /inspect?a=1 HTTP/1.1"), (200, "<form action="), (303, ""), (200, "Index of /files/"),
                  (200, "# TYPE retinue_requests_total counter"), (405, "does not take this method"),
                  (403, "posts from this origin")],
    "proxy.yaml": [(200, "x-forwarded-for: 192.0.2.7"), (200, "hello world")],
    "vhosts.yaml": [(200, "the site"), (308, "Location: http://example.org/"), (200, "one of many"), (404, "Not Found"), (204, "")],
}


@pytest.fixture
def environment():
    """What the files of conf/ take from the environment; the folder is short enough for sockets."""
    folder = tempfile.mkdtemp(prefix="rtn-")
    yield {"RETINUE_MODULES": harness.MODULES, "RUNTIME_DIRECTORY": folder, "LOGS_DIRECTORY": folder}
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def schema():
    return json.loads(harness.run("--schema").stdout)


def conf_text(name):
    return (harness.ROOT / "conf" / name).read_text(encoding="utf-8")


def on_free_ports(text):
    """Several tests at a time use these files, and somebody else may have their ports."""
    ports = {}
    return re.sub(r"(?<=:)(50|76|80)\d\d\b", lambda match: ports.setdefault(match[0], str(harness.free_port())), text)


def page_source(name):
    built = harness.BUILD / "man" / name
    return (built if built.exists() else harness.ROOT / "man" / name).read_text(encoding="utf-8")


def displays(name):
    """The literal displays of a manual page, as a reader would copy them."""
    blocks = re.findall(r"(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", page_source(name))
    return [block.replace("\\e", "\\").replace("\\-", "-").replace("\\&", "") for block in blocks]


def fenced(language):
    """The blocks of the README in that language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", (harness.ROOT / "README.md").read_text(encoding="utf-8"))


def compile_module(source, path):
    path.with_suffix(".c").write_text(source, encoding="utf-8")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC",
                    "-I", harness.ROOT / "src/include", "-o", path, path.with_suffix(".c")], check=True)


def flat(tree, prefix=""):
    """{path: scalar} of a tree of maps and lists."""
    if isinstance(tree, dict):
        return {path: value for key, inner in tree.items() for path, value in flat(inner, f"{prefix}.{key}").items()}
    return {prefix: tree}


def schema_keys(node):
    """The keys that a JSON Schema names, at any depth."""
    if isinstance(node, list):
        return set().union(*map(schema_keys, node))
    if not isinstance(node, dict):
        return set()
    return set(node.get("properties", {})).union(*map(schema_keys, node.values()))


# conf/

@pytest.mark.parametrize("path", CONF, ids=lambda path: path.name)
def test_configuration_is_good(path, environment, tmp_path):
    copy = tmp_path / path.name
    copy.write_text(on_free_ports(conf_text(path.name)), encoding="utf-8")
    result = harness.run("-n", "-c", copy, env=environment)
    assert result.returncode == 0, result.stderr
    assert "error" not in result.stderr


@pytest.mark.parametrize("path", CONF, ids=lambda path: path.name)
def test_schema_takes_configuration(path, schema):
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_installed_configurations_find_the_installed_modules():
    folder = re.search(r"default: (/.*)", harness.run("--explain", "daemon.modules").stdout)[1]
    for path in CONF:
        built = yaml.safe_load((harness.BUILD / "conf" / path.name).read_text(encoding="utf-8"))
        assert built["daemon"]["modules"] == [f"${{RETINUE_MODULES:-{folder}}}"], path.name


def test_reference_has_the_defaults(tmp_path, environment):
    minimal = tmp_path / "minimal.yaml"
    minimal.write_text("servers: {web: {listen: 127.0.0.1:8080}}\n", encoding="utf-8")
    wanted, given = (flat(yaml.safe_load(harness.run("--dump-config", "-c", path, env=environment).stdout))
                     for path in (minimal, harness.ROOT / "conf/retinued.yaml"))
    for own in (".daemon.modules", ".servers.web.routes"):
        wanted.pop(own, None)
        given.pop(own)
    assert given == wanted


def test_reference_has_every_key(schema):
    text = conf_text("retinued.yaml")
    missing = {key for key in schema_keys(schema) if not re.search(rf"(?m)[\s#{{]{key}:(\s|$)", text)}
    assert schema_keys(schema) > {"servers", "limits", "path"}
    assert not missing


def test_what_the_reference_leaves_out_can_be_put_in(tmp_path, environment):
    text, count = re.subn(r"(?m)^(\s*)#(?=[a-z_]+: |- path: |  [a-z]+: )", r"\1", conf_text("retinued.yaml"))
    path = tmp_path / "retinued.yaml"
    path.write_text(on_free_ports(text), encoding="utf-8")
    result = harness.run("-n", "-c", path, env=environment)
    assert count >= 8
    assert result.returncode == 0, result.stderr


def started(daemon, name, environment):
    """The daemon with a file of conf/, on free ports; and the arguments of curl in its #try lines."""
    text = on_free_ports(conf_text(name))
    server = daemon(text, env=environment)
    commands = [shlex.split(line) for line in re.findall(r"(?m)^#try (.*)$", text)]
    assert {command[0] for command in commands} == {"curl"}
    return server, [command[1:] for command in commands]


@pytest.mark.parametrize("name", TRIES)
def test_configuration_answers_what_it_promises(daemon, name, environment):
    _, tries = started(daemon, name, environment)
    assert len(tries) == len(TRIES[name])
    for arguments, (status, words) in zip(tries, TRIES[name]):
        answer = harness.curl(*arguments).stdout
        assert answer.startswith(f"HTTP/1.1 {status} "), arguments
        assert words in answer, arguments


def test_demo_logs_what_was_said(daemon, environment):
    server, tries = started(daemon, "demo.yaml", environment)
    [say] = [arguments for arguments in tries if "say=hello" in arguments and not any("example.org" in word for word in arguments)]
    harness.curl(*say)
    server.log_wait(r"notice +post/worker-\d+\[\d+\] somebody said: hello")


def test_proxy_example_logs_the_client(daemon, environment):
    server, tries = started(daemon, "proxy.yaml", environment)
    for arguments in tries:
        harness.curl(*arguments)
    assert server.stop() == 0
    folder = pathlib.Path(environment["LOGS_DIRECTORY"])
    assert (folder / "access.log").read_text(encoding="utf-8").startswith("192.0.2.7 - - [")
    assert re.match(r"\S+Z 127\.0\.0\.1 GET / 200 12 \d+us\n$", (folder / "tunnel.log").read_text(encoding="utf-8"))


# README

def test_readme_works(daemon, tmp_path):
    [source], [text] = fenced("c"), fenced("yaml")
    compile_module(source, tmp_path / "greet.so")
    for ours, theirs in (("127.0.0.1:8080", "127.0.0.1:{port}"), ("/tmp/intern", "{tmp}/intern"), ("build/modules", "{modules}")):
        assert ours in text
        text = text.replace(ours, theirs)
    server = daemon(text, config=tmp_path / "retinued.yaml")
    assert server.get("/").body == b"hello world\n"
    assert server.get("/greet/you").body == b"hello you\n"
    assert server.get("/favicon.ico").status == 204
    assert server.get("/files/retinued.yaml").body == (tmp_path / "retinued.yaml").read_bytes()
    assert b'href="greet.c"' in server.get("/files/").body
    with server.raw("intern") as raw:
        assert raw.request("POST", "/echo", body=b"hi").body == b"hi"


def test_readme_shows_the_error(tmp_path):
    [source], [text] = fenced("c"), fenced("yaml")
    compile_module(source, tmp_path / "greet.so")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/modules").symlink_to(harness.MODULES)
    wrong = tmp_path / "retinued.yaml"
    wrong.write_text(text.replace("threads: 4", "thread: 4"), encoding="utf-8")
    result = harness.run("-n", "-c", "retinued.yaml", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr in fenced(""), result.stderr


# Modules

@pytest.mark.parametrize("name", sorted(path.parent.name for path in (harness.ROOT / "src/modules").glob("*/README.md")))
def test_module_readme_has_every_option(name):
    text = (harness.ROOT / "src/modules" / name / "README.md").read_text(encoding="utf-8")
    shown = harness.run("--modinfo", pathlib.Path(harness.MODULES, name + ".so")).stdout
    _, _, options = shown.partition("\noptions\n")
    names = set(re.findall(r"(?m)^  (\w+) ", options))
    assert shown.startswith(f"{name} ")
    assert names == set(re.findall(r"(?m)^\| `(\w+)` \|", text))


# Manuals

def test_manual_hello_world(daemon, tmp_path):
    source = displays("retinue-module.3")[0]
    assert len(source.splitlines()) < 20
    compile_module(source, tmp_path / "hello.so")
    server = daemon("servers: {web: {listen: 127.0.0.1:0, routes: [{path: /, module: ./hello.so}]}}",
                    config=tmp_path / "retinued.yaml")
    assert server.get("/").body == b"hello world\n"


def test_manual_modules_compile(tmp_path):
    sources = [block for block in displays("retinue-module.3") if "RTN_REGISTER_MODULE(module)" in block]
    assert len(sources) >= 2
    for source in sources:
        compile_module(source, tmp_path / "module.so")


def test_manual_multipart_example(daemon, tmp_path):
    [source] = [block for block in displays("retinue-module.3") if "rtn_multipart_new" in block]
    compile_module(source, tmp_path / "count.so")
    server = daemon("servers: {web: {listen: 127.0.0.1:0, limits: {body: 10MiB}, routes: [{path: /, module: ./count.so}]}}",
                    config=tmp_path / "retinued.yaml")
    (tmp_path / "large").write_bytes(bytes(5_000_000))
    form = ("-F", "note=text", "-F", f"a=@{tmp_path}/large", "-F", f"b=@{tmp_path}/large")
    assert harness.curl("-s", *form, server.url("/")).stdout == "2 files, 10000004 bytes\n"
    assert harness.curl("-s", "-d", "a=b", server.url("/")).stdout == "send a form with files\n"
    with server.raw() as raw:
        cut = raw.request("POST", "/", headers=[("Content-Type", "multipart/form-data; boundary=x")], body=b"--x\r\n")
    assert cut.status == 400
    assert cut.body.endswith(b"\n")


def test_manual_websocket_example(daemon, tmp_path):
    [source] = [block for block in displays("retinue-module.3") if '.name = "room"' in block]
    compile_module(source, tmp_path / "room.so")
    running = daemon("servers: {web: {listen: 127.0.0.1:0, routes: [{path: /, module: ./room.so}]}}", config=tmp_path / "retinued.yaml")
    one, two = ws_talk.connect(running, "/"), ws_talk.connect(running, "/")
    assert one.message() == two.message() == "welcome"
    one.text("hello")
    assert two.message() == "hello"
    one.close_and_wait()
    assert two.message() == "somebody has left"
    two.raw.close()


def test_manual_outgoing_example(daemon, tmp_path):
    [source] = [block for block in displays("retinue-module.3") if '.name = "relay"' in block]
    compile_module(source, tmp_path / "relay.so")
    with ws_talk.Acceptor() as acceptor:
        running = daemon(f"""servers:
  web:
    listen: 127.0.0.1:0
    routes: [{{path: /, module: ./relay.so, handler: relay, options: {{url: "ws://127.0.0.1:{acceptor.port}/news"}}}}]
""", config=tmp_path / "retinued.yaml")
        source = acceptor.accept()
        assert source.request[0] == "/news"
        with ws_talk.connect(running, "/") as reader:
            # It hears what comes after it has joined.
            reader.send(ws_talk.PING)
            reader.message(ws_talk.PONG)
            source.text("it rains")
            assert reader.message() == "it rains"
        source.raw.close()


def settled(line):
    """An access line without what differs from run to run."""
    line = re.sub(r"\d\d/\w{3}/\d{4}(:\d\d){3} [+-]\d{4}|\d{4}-\d\d-\d\dT[\d:.]+Z|\b[0-9a-f]{32}\b", "?", line)
    return re.sub(r'("duration_us":)\d+|\b\d+(ms )', r"\1?\2", line)


def test_manual_shows_real_access_lines(daemon, environment):
    page = page_source("retinued.yaml.5")
    shown = [block.replace("\n", "") for block in re.findall(r"(?s)\.Bd -literal -compact\n(.*?)\.Ed\n", page)]
    pattern = re.search(r"\.Ql \\\(dq(.*\{header:X-Tenant\})\\\(dq", page)[1]
    kinds = ("{format: common", "{format: combined", "{format: json", "{format: custom, pattern: \"" + pattern + "\"")
    folder = pathlib.Path(environment["LOGS_DIRECTORY"])
    for number, (kind, line) in enumerate(zip(kinds, shown, strict=True)):
        server = daemon(f"""servers:
  web:
    listen: 127.0.0.1:0
    request_id: new
    access_log: {kind}, to: "file:{folder}/{number}.log"}}
    routes: [{{path: "/greet/{{name}}", module: hello}}]
""")
        with server.raw() as raw:
            raw.request("GET", "/greet/you?a=1", headers=[("Host", "127.0.0.1"), ("Referer", "http://example.org/"),
                                                          ("User-Agent", "curl/7.88.1"), ("X-Tenant", "blue")])
        assert server.stop() == 0
        assert settled((folder / f"{number}.log").read_text(encoding="utf-8").rstrip("\n")) == settled(line)


def test_manual_configurations_are_good(tmp_path, environment):
    texts = [text for text in displays("retinued.yaml.5") if text.startswith("servers:")]
    assert len(texts) >= 3
    for text in texts:
        path = tmp_path / "retinued.yaml"
        path.write_text(harness.with_modules(text.replace("/run/retinue", environment["RUNTIME_DIRECTORY"])), encoding="utf-8")
        result = harness.run("-n", "-c", path)
        assert result.returncode == 0, result.stderr


def test_manual_shows_real_mistakes(tmp_path):
    text = ("servers:\n  get:\n    listen: 127.0.0.1:5050\n    {}: 4\n    limits: {{body: {}}}\n    routes:\n"
            "      - {{path: /, module: hello}}\n      - {{path: /form, module: hello, options: {{txt: hi}}}}\n")
    (tmp_path / "retinued.yaml").write_text(harness.with_modules(text.format("thread", "16")), encoding="utf-8")
    result = harness.run("-n", "-c", "retinued.yaml", cwd=tmp_path)
    assert result.returncode == 1
    assert any(block.endswith(result.stderr) for block in displays("retinued.yaml.5")), result.stderr


def test_manual_shows_a_real_explanation():
    explanation = harness.run("--explain", "limits.body").stdout
    assert any(explanation in block for block in displays("retinued.8"))


def test_manuals_agree_with_the_daemon():
    result = subprocess.run([harness.ROOT / "scripts/check-man", harness.BUILD], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_manuals_are_clean():
    pages = [harness.BUILD / "man/retinued.yaml.5", *(harness.ROOT / "man").glob("*.[1-9]")]
    assert len(pages) == 5
    result = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], stdout=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 0, result.stdout


# What the daemon says about itself

def test_help():
    result = harness.run("--help")
    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout.startswith("Usage: retinued ")
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert result.stdout == harness.run("-h").stdout


def test_explain_knows_every_key(schema):
    for key in schema_keys(schema):
        result = harness.run("--explain", key)
        assert result.returncode == 0, key
        assert re.match(r"[\w.]+\n  .+\n  type: .+\n  default: .+\n", result.stdout), result.stdout


def test_explain_suggests():
    result = harness.run("--explain", "limits.bodi")
    assert result.returncode == 1
    assert result.stdout == ""
    assert 'there is no key "limits.bodi"; did you mean "body"?' in result.stderr


def test_schema_is_one_and_refuses(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    tree = yaml.safe_load(conf_text("retinued.yaml"))
    tree["servers"]["web"]["thread"] = 4
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(tree)
