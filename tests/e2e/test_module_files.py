"""Module files as others handle them: overwritten under load, and compiled outside of the source tree."""
import os
import re
import shutil
import subprocess
import threading

import pytest

import harness
from common import TEST_MODULES, wait_until, with_test_modules

SOURCES = harness.ROOT / "tests" / "modules"
INCLUDE = harness.ROOT / "src" / "include"


class Hammer:
    """Keep-alive clients that ask and compare until told to stop."""

    def __init__(self, running, clients, expected):
        self.running, self.expected = running, expected
        self.counts = [0] * clients
        self.failures = []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(clients)]

    def _ask(self, n):
        try:
            with self.running.raw() as raw:
                while not self.ending.is_set():
                    response = raw.request(target=("/loop", "/worker")[n % 2])
                    assert (response.status, response.text) == (200, self.expected)
                    self.counts[n] += 1
        except (AssertionError, OSError) as error:
            self.failures.append(error)

    def wait_for_more(self, requests=20):
        """Returns once every client has had so many more answers."""
        before = list(self.counts)
        wait_until(lambda: self.failures or all(now >= then + requests for now, then in zip(self.counts, before)),
                   f"{requests} more requests of each client")
        assert not self.failures, self.failures

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for_more()
        return self

    def __exit__(self, *unused):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def overwrite_in_place(path):
    """What `cp new.so old.so` does: the same inode, shorter first and then other bytes."""
    inode = os.stat(path).st_ino
    subprocess.run(["cp", f"{TEST_MODULES}/inspect.so", path], check=True)
    assert os.stat(path).st_ino == inode


def fill_with_zeros(path):
    size = os.stat(path).st_size
    with open(path, "r+b") as file:
        file.write(bytes(size))


def truncate(path):
    os.truncate(path, 0)


@pytest.mark.parametrize("harm", [[overwrite_in_place], [fill_with_zeros], [truncate, os.unlink]],
                         ids=["overwritten", "zeroed", "truncated and deleted"])
def test_a_module_file_can_be_harmed_while_the_daemon_runs(daemon, tmp_path, harm):
    path = tmp_path / "large.so"
    shutil.copy(f"{TEST_MODULES}/large_head.so", path)
    running = daemon(with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    loops: 2
    routes:
      - {{path: /loop, module: {path}, handler: one}}
      - {{path: /worker, module: {path}, handler: two}}
"""))
    with Hammer(running, 8, "1 2\n") as hammer:
        for step in harm:
            step(path)
            hammer.wait_for_more()
    assert not hammer.failures
    # unload and the code that ends the module are in the copy, too.
    assert running.stop() == 0


# Building against the installed header

@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The environment in which pkg-config finds an installation of this build."""
    root = tmp_path_factory.mktemp("installed")
    result = subprocess.run(["meson", "install", "-C", harness.BUILD, "--no-rebuild", "--destdir", root],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (found,) = root.rglob("retinue-module.pc")
    return dict(os.environ, PKG_CONFIG_PATH=str(found.parent), PKG_CONFIG_SYSROOT_DIR=str(root))


def pkg_config(env, *args):
    return subprocess.run(["pkg-config", *args, "retinue-module"], env=env, capture_output=True, text=True, check=True).stdout


def test_a_module_outside_of_the_tree(daemon, installed, tmp_path):
    folder = tmp_path / "outside"
    shutil.copytree(SOURCES / "outside", folder)
    assert str(harness.ROOT) not in pkg_config(installed, "--cflags")
    result = subprocess.run(["make", "-C", folder], env=installed, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and "warning" not in result.stderr, result.stderr
    running = daemon(with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    routes:
      - {{path: /, module: {folder}/greeting.so, options: {{to: you, times: 3}}}}
"""))
    assert running.get().text == "3 times hello to you\n"


def test_a_module_outside_of_the_tree_says_what_is_wrong_with_its_options(retinued, installed, tmp_path):
    folder = tmp_path / "outside"
    shutil.copytree(SOURCES / "outside", folder)
    subprocess.run(["make", "-C", folder], env=installed, capture_output=True, check=True)
    result = retinued("-n", text=with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    routes:
      - {{path: /, module: {folder}/greeting.so, options: {{to: ""}}}}
"""))
    assert result.returncode == 1
    assert re.search(r'retinued\.yaml:6:\d+: error: .*option "to": somebody must be greeted', result.stderr)


def test_the_installation_has_a_place_for_modules(installed):
    folder = pkg_config(installed, "--variable=moduledir").strip()
    assert folder.endswith("/retinue/modules")


# The header and what the daemon exports

COMPILERS = [["gcc", "-std=c99"], ["gcc", "-std=gnu17"], ["clang", "-std=c99"], ["g++", "-x", "c++"],
             ["clang++", "-x", "c++", "-std=c++11"]]
STRICT = ["-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-fsyntax-only", f"-I{INCLUDE}"]

SOURCE = """#include <retinue/module.h>
static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_text(request, 200, rtn_request_header(request, "Host").data);
}
struct job { int64_t number; };
struct done { int32_t result; };
RTN_MESSAGE(done, struct done)
RTN_MESSAGE_BYTES(text)
RTN_QUESTION_VERSION(job, struct job, struct done, 2)
static int take_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) instance;
    return rtn_send_text(line, length) == 0 ? rtn_line_send(rtn_connection_id(connection), line, length) : 0;
}
static int take_text(rtn_message *message, const void *data, size_t length, void *instance)
{
    (void) message;
    (void) data;
    (void) length;
    (void) instance;
    return RTN_DONE;
}
static int take_job(rtn_message *message, const struct job *job, void *instance)
{
    struct done done = { (int32_t) job->number };
    (void) instance;
    return rtn_send_done(&done) == 0 ? rtn_answer_job(rtn_message_asked(message), &done) : RTN_LATER;
}
static rtn_metric *orders;
static int configure(void *instance, rtn_setup *setup)
{
    const struct rtn_metric_label labels[] = { { "where", "here" }, { 0, 0 } };
    (void) instance;
    rtn_metric_add(orders, 1);
    rtn_metric_set(orders, 1);
    rtn_metric_observe(orders, 1);
    return rtn_metric_declare(setup, RTN_METRIC_COUNTER, "orders_total", "Orders.", labels, &orders);
}
static int metrics(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_metrics(request, RTN_METRICS_PROMETHEUS);
}
static const struct rtn_http_handler handlers[] = {
    { "metrics", "All.", metrics, RTN_THREADS_LOOP, 0, false, 0, 0 },
    { "one", "One.", handle, RTN_THREADS_LOOP, 0, false, 0, 0 }, { 0, 0, 0, (enum rtn_threads) 0, 0, false, 0, 0 }
};
static const struct rtn_ws_handler ws_handlers[] = {
    { "one", "One.", RTN_THREADS_LOOP, 0, 0, 0, 0, 0, 0, 0 }, { 0, 0, (enum rtn_threads) 0, 0, 0, 0, 0, 0, 0, 0 }
};
static const struct rtn_line_handler line_handlers[] = {
    { "one", "One.", RTN_THREADS_LOOP, 0, take_line, 0, 0 }, { 0, 0, (enum rtn_threads) 0, 0, 0, 0, 0 }
};
static const struct rtn_message_row rows[] = { RTN_ON(job, take_job), RTN_ON(text, take_text), { 0, 0, 0 } };
static struct rtn_message_type *const sends[] = { RTN_TYPE(text), RTN_TYPE(done), 0 };
static const struct rtn_message_handler message_handlers[] = {
    { "one", "One.", RTN_THREADS_LOOP, rows, sends }, { 0, 0, (enum rtn_threads) 0, 0, 0 }
};
static const struct rtn_module module = {
    "mine", "1", "Mine.", RTN_THREADS_LOOP, 0, 0, 0, handlers, configure, 0, 0, 0, 0, 0, 0, 0, 0, ws_handlers, line_handlers,
    message_handlers, sends
};
RTN_REGISTER_MODULE(module)
"""

OPTION = """#include <retinue/module.h>
struct mine { %s value; };
extern const struct rtn_option options[];
const struct rtn_option options[] = { RTN_OPTION(%s, struct mine, value, .name = "value"), { .name = NULL } };
"""


def compiles(compiler, source, tmp_path):
    assert shutil.which(compiler[0]), f"{compiler[0]} is missing: scripts/setup test"
    path = tmp_path / "mine.c"
    path.write_text(source)
    result = subprocess.run([*compiler, *STRICT, str(path)], capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stderr


@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
def test_the_header_compiles_anywhere(compiler, tmp_path):
    good, errors = compiles(compiler, SOURCE, tmp_path)
    assert good, errors


WRONG_ROWS = {
    "another payload": "RTN_ON(done, take_job)",
    "bytes for a struct": "RTN_ON(job, take_text)",
    "a struct for bytes": "RTN_ON(text, take_job)",
    "another kind of function": "RTN_ON(job, take_line)",
    "no such type": "RTN_ON(jib, take_job)",
}


@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
def test_a_row_for_the_wrong_function_does_not_compile(compiler, tmp_path):
    for what, row in WRONG_ROWS.items():
        good, errors = compiles(compiler, SOURCE.replace("RTN_ON(job, take_job)", row), tmp_path)
        assert not good, what
        assert "error" in errors


WRONG_CALLS = {
    "another payload": ("rtn_send_done(&done)", "rtn_send_done(job)"),
    "a struct as bytes": ("rtn_send_done(&done)", "rtn_send_text(&done)"),
    "bytes as a struct": ("rtn_send_text(line, length)", "rtn_send_done(line)"),
    "another answer": ("rtn_message_asked(message), &done", "rtn_message_asked(message), job"),
    "an answer to what is no question": ("rtn_answer_job", "rtn_answer_done"),
}


@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
def test_the_wrong_payload_does_not_compile(compiler, tmp_path):
    for what, (right, wrong) in WRONG_CALLS.items():
        assert right in SOURCE
        good, errors = compiles(compiler, SOURCE.replace(right, wrong), tmp_path)
        assert not good, what
        assert "error" in errors


KINDS = {"BOOL": "bool", "INT": "int64_t", "SIZE": "int64_t", "DURATION": "int64_t", "STRING": "const char *",
         "PATH": "const char *", "CHOICE": "int", "STRINGS": "struct rtn_strings"}


@pytest.mark.parametrize("compiler", [["gcc", "-std=c99"], ["clang", "-std=c99"]], ids=" ".join)
def test_an_option_member_of_the_wrong_type_does_not_compile(compiler, tmp_path):
    for kind, right in KINDS.items():
        for member in sorted(set(KINDS.values()) | {"unsigned", "char *", "int16_t"}):
            good, errors = compiles(compiler, OPTION % (member, kind), tmp_path)
            assert good == (member == right), f"{kind} in {member}:\n{errors}"


def without_comments(header):
    return re.sub(r"/\*.*?\*/", "", (INCLUDE / "retinue" / header).read_text(encoding="utf-8"), flags=re.S)


def declared_functions():
    functions = set()
    for header in ("module.h", "http.h", "websocket.h", "line.h", "hub.h", "task.h", "metrics.h"):
        text = without_comments(header)
        text = text[text.index("#pragma GCC visibility push"):text.index("#pragma GCC visibility pop")]
        functions |= set(re.findall(r"\b(rtn_\w+)\(", text))
    return {*functions,
            *re.findall(r"\bRTN_EXPORT [\w ]*?\b(rtn_\w+)\(", without_comments("types.h"))}


def test_the_daemon_exports_what_the_header_declares_and_nothing_else():
    symbols = subprocess.run(["nm", "-D", "--defined-only", harness.RETINUED], capture_output=True, text=True, check=True).stdout
    # Variables of the C library that the linker copied in, such as stderr, carry its version.
    exported = {line.split()[-1].split("@")[0] for line in symbols.splitlines() if "@GLIBC" not in line}
    exported = {name for name in exported if not re.match("RETINUE_|__(a|t|ub|l)san|__sanitizer", name)}
    declared = declared_functions()
    assert len(declared) > 40 and "rtn_log" in declared
    assert exported == declared


@pytest.mark.parametrize("module", ["hello", "echo", "getandpost"])
def test_a_module_exports_its_entry_only(module):
    symbols = subprocess.run(["nm", "-D", "--defined-only", f"{harness.MODULES}/{module}.so"], capture_output=True, text=True,
                             check=True).stdout
    assert [line.split()[-1] for line in symbols.splitlines()] == ["rtn_module_entry_v1"]
