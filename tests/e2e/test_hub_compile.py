"""Sending, asking and answering with the wrong types is a compile error without any flag, in each language and compiler."""
import shutil
import subprocess

import pytest

from test_module_files import COMPILERS, INCLUDE

SOURCE = """#include <retinue/module.h>
struct job { int64_t number; };
struct done { int32_t result; };
struct same { int64_t number; };
RTN_MESSAGE(done, struct done)
RTN_MESSAGE_BYTES(text)
RTN_QUESTION(job, struct job, struct done)

static void then(int result, const struct done *done, void *data)
{
    (void) result;
    (void) done;
    (void) data;
}
static int then_for(rtn_request *request, int result, const struct done *done, void *data)
{
    (void) done;
    (void) data;
    return rtn_reply_status(request, result < 0 ? 502 : 200);
}
static void release(void *data)
{
    (void) data;
}
static int take_job(rtn_message *message, const struct job *job, void *instance)
{
    struct done done = { (int32_t) job->number };
    (void) instance;
    return rtn_answer_job(rtn_message_asked(message), &done);
}
static int take_text(rtn_message *message, const void *data, size_t length, void *instance)
{
    (void) message;
    (void) instance;
    return rtn_send_text(data, length);
}
int use(rtn_request *request, void *instance);
int use(rtn_request *request, void *instance)
{
    struct job job = { 1 };
    struct done done = { 1 };
    struct same same = { 1 };
    (void) same;
    (void) rtn_send_job(&job);
    (void) rtn_move_done(&done, release, 0);
    (void) rtn_send_text("text", 4);
    (void) rtn_ask_job(rtn_request_server(request), instance, &job, 1000, then, 0);
    return rtn_ask_job_for(request, &job, 1000, then_for, release, 0);
}
extern const struct rtn_message_row rows[];
const struct rtn_message_row rows[] = { RTN_ON(job, take_job), RTN_ON(text, take_text), { 0, 0, 0 } };
"""

WRONG = {
    "the payload of another type": ("rtn_send_job(&job)", "rtn_send_job(&done)"),
    "a payload of the same shape": ("rtn_send_job(&job)", "rtn_send_job(&same)"),
    "a payload by value": ("rtn_send_job(&job)", "rtn_send_job(job)"),
    "a length for a struct": ("rtn_send_job(&job)", "rtn_send_job(&job, sizeof(job))"),
    "bytes without a length": ('rtn_send_text("text", 4)', 'rtn_send_text("text")'),
    "another payload moved": ("rtn_move_done(&done,", "rtn_move_done(&job,"),
    "a release of another kind": ("rtn_move_done(&done, release,", "rtn_move_done(&done, then,"),
    "another payload in a question": ("instance, &job, 1000", "instance, &done, 1000"),
    "a then of another kind": ("1000, then, 0)", "1000, then_for, 0)"),
    "a then for another answer": ("static void then(int result, const struct done *done",
                                  "static void then(int result, const struct job *done"),
    "a then for a request of another kind": ("1000, then_for, release", "1000, then, release"),
    "a then for a request for another answer": ("request, int result, const struct done *done",
                                                "request, int result, const struct job *done"),
    "a drop of another kind": ("then_for, release, 0)", "then_for, then, 0)"),
    "another answer": ("rtn_message_asked(message), &done)", "rtn_message_asked(message), job)"),
    "an answer to what is no question": ("rtn_answer_job(", "rtn_answer_done("),
    "a question that is none": ("(void) rtn_ask_job(", "(void) rtn_ask_done("),
    "a handler for another payload": ("rtn_message *message, const struct job *job", "rtn_message *message, const struct same *job"),
    "a handler that may write": ("rtn_message *message, const struct job *job", "rtn_message *message, struct job *job"),
    "a handler without a result": ("static int take_job", "static void take_job"),
    "a handler of bytes for a struct": ("RTN_ON(job, take_job)", "RTN_ON(job, take_text)"),
    "a handler of a struct for bytes": ("RTN_ON(text, take_text)", "RTN_ON(text, take_job)"),
    "a type that nobody declared": ("RTN_ON(job, take_job)", "RTN_ON(jib, take_job)"),
}


def compiles(compiler, source, tmp_path, *flags):
    assert shutil.which(compiler[0]), f"{compiler[0]} is missing: scripts/setup test"
    path = tmp_path / "mine.c"
    path.write_text(source, encoding="utf-8")
    command = [*compiler, *flags, "-fsyntax-only", f"-I{INCLUDE}", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stderr


@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
def test_the_right_types_compile(compiler, tmp_path):
    strict = ["-pedantic-errors", "-Wall", "-Wextra", "-Wshadow", "-Wno-unused-function", "-Werror"]
    assert compiles(compiler, SOURCE, tmp_path, *strict) == (True, "")
    assert compiles(compiler, SOURCE, tmp_path) == (True, "")


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
def test_the_wrong_types_do_not_compile(compiler, tmp_path, what):
    right, wrong = WRONG[what]
    assert SOURCE.count(right) == 1
    good, errors = compiles(compiler, SOURCE.replace(right, wrong), tmp_path)
    assert not good and "error" in errors
