"""The conformance table (conformance.py) and conversations cut at every byte, against conf/conformance.yaml.

Each row is sent whole, with a request behind it that is served or not, and then byte by byte; both ways have to give the same
replies. All replies are read by a strict parser (raw.py), and what holds for every reply is looked at in every row.
"""
import email.utils
import functools
import re
import time

import pytest

import conformance_body
import conformance_connection
import conformance_head
import harness
from conformance import CLOSES, HALF, STAYS, chunks, coding, field, host, line, target
from http1 import running, send_pieces, split_all, unhurried, without_date
from raw import Raw

ROWS = conformance_head.ROWS + conformance_body.ROWS + conformance_connection.ROWS
NEXT = b"GET /empty HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """The daemon on conf/conformance.yaml, but for its addresses."""
    text = (harness.ROOT / "conf" / "conformance.yaml").read_text(encoding="utf-8")
    listen = re.compile(r"listen: 127\.0\.0\.1:\d+")
    assert len(listen.findall(text)) == 2
    text = listen.sub('listen: ["127.0.0.1:0", "unix:{tmp}/open"]', text, count=1)
    text = unhurried(listen.sub('listen: ["127.0.0.1:0", "unix:{tmp}/narrow"]', text, count=1))
    daemon = harness.Daemon(text, tmp_path_factory.mktemp("conformance"), env={"RETINUE_MODULES": harness.MODULES}).start()
    daemon.addresses = functools.cache(daemon.addresses)
    try:
        yield daemon
        assert daemon.stop() == 0
    finally:
        daemon.kill()


def talk(raw, row, pieces):
    """Sends the pieces and reads until the daemon closes. The replies, and their bytes without what changes from run to run."""
    send_pieces(raw, pieces) if len(pieces) > 1 else raw.send(b"".join(pieces))
    if row.after is HALF:
        raw.half_close()
    try:
        data = raw.recv_until_close()
    except ConnectionResetError:
        # What it sent behind the last request that is served came after the close.
        assert row.after is CLOSES and len(pieces) > 1
        data = raw.buffer
    raw.buffer, raw.ended, replies = data.replace(CONTINUE, b""), True, []
    while raw.buffer:
        replies.append(raw.response("HEAD" if len(replies) in row.heads else "GET"))
    return replies, without_date(data).replace(CONTINUE, b"")


def check_date(reply):
    """RFC 9110, 6.6.1 and 5.6.7."""
    value = reply.get("Date")
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", value)
    at = email.utils.parsedate_to_datetime(value)
    assert at.strftime("%a") == value[:3] and abs(at.timestamp() - time.time()) < 3600


def check_reply(reply, is_head):
    """What must be right in every reply, whatever it is."""
    assert reply.version == "HTTP/1.1" and reply.reason
    check_date(reply)
    assert reply.get("Connection") in (None, "keep-alive", "close")
    assert reply.status == 204 or reply.get("Content-Length") is not None
    assert (reply.get("Allow") is not None) >= (reply.status == 405)
    if reply.status >= 400 and not is_head:
        assert reply.get("Content-Type") == "text/plain; charset=utf-8"
        assert reply.text.startswith(f"{reply.status} {reply.reason}") and reply.text.endswith("\n")


def check_end(row, replies):
    """The last reply has to tell a client whether the connection goes on."""
    if row.after is CLOSES:
        assert replies[-1].get("Connection") == "close"
    for reply in replies[:-1] if row.after is CLOSES else replies:
        assert reply.get("Connection") in (None, "keep-alive") or row.after is HALF


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id())
def test_row(narrow, row):
    data = row.sent if row.after is HALF else row.sent + NEXT
    with narrow.raw("narrow") as raw:
        replies, whole = talk(raw, row, [data])
    what = f"{row.name} (RFC {row.clause}): {row.sent[:400]!r} gave {replies}"
    if row.after is STAYS:
        assert replies and replies[-1].status == 204 and replies[-1].get("Connection") == "close", what
        replies.pop()
    assert row.take([reply.status for reply in replies]), what
    for i, reply in enumerate(replies):
        check_reply(reply, i in row.heads)
    if replies:
        check_end(row, replies)
    for check in row.checks:
        check(replies)
    with Raw(narrow.unix("narrow")) as raw:
        assert talk(raw, row, split_all(data))[1] == whole, f"{row.name}: another reply when it comes byte by byte"


def test_the_table():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names) > 500
    assert not [row.name for row in ROWS if not re.fullmatch(r"\d{4} [\w.]+(, (\d{4} )?[\w.]+)*", row.clause)]


def test_refusals_go_to_the_log(narrow):
    since = narrow.log.mark()
    for data, words in ((host(b"a b"), r"info.*closed \(protocol\): the Host field is not a host name"),
                        (coding(b"chunked, chunked"), r"warn.*closed \(security\): chunked must be the last")):
        with narrow.raw("narrow") as raw:
            raw.send(data + NEXT)
            assert raw.response().status == 400
            raw.closed()
        narrow.log.wait(words, since=since)


def test_bytes_of_the_client_stay_out_of_the_reply(narrow):
    """Nothing that could be taken for a field or markup of ours comes back."""
    for data in (target(b"/<script>"), line(b"<script> / HTTP/1.1"), field(b"X<script>: a"), host(b"<script>"),
                 target(b"/missing/<b>"), chunks(b"<script>\r\n")):
        with narrow.raw("narrow") as raw:
            raw.send(data + NEXT)
            reply = raw.recv_until_close()
        assert reply.startswith(b"HTTP/1.1 4") and b"<" not in reply or reply.startswith(b"HTTP/1.1 501") and b"<" not in reply


# However it is cut

SAW = """\
  saw:
    listen: [127.0.0.1:0, "unix:{tmp}/saw"]
    threads: 4
    routes:
"""
MODES = ["buffered", "streamed", "none"]
THREADS = ["loop", "worker"]
CONVERSATION = (
    b"GET /it?1 HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Long:\t a b \t\r\n\r\n"
    b"POST /it?2 HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n\r\nbody\n"
    b"PUT /it?3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;a=b;c=\"d;\\\"\\\\\"\r\nabc\r\n0A;e\r\n\r\n0\r\n\r\n345\r\n00;last=1\r\nX-Sum:  s \r\nHost: b\r\nX-Last:\r\n\r\n"
    b"HEAD /it?4 HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST /it?5 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde"
    b"POST /missing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    b"\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
    b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"
    b"GET /it?6 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
STATUSES = [200, 200, 200, 200, 200, 404, 204, 400, 200]


@pytest.fixture(scope="module")
def saw(tmp_path_factory):
    """A route for each way of taking bodies on each kind of thread."""
    routes = "".join(f"      - {{path: /{thread}/{mode}, module: saw, handler: {thread}{'-none' * (mode == 'none')}, "
                     f"request_body: {mode}}}\n" for thread in THREADS for mode in MODES)
    with running(tmp_path_factory, SAW + routes) as daemon:
        yield daemon


def converse(daemon, pieces):
    """All that comes back, without what a cut may change: the dates, and whether 100 was worth sending."""
    with Raw(daemon.unix()) as raw:
        send_pieces(raw, pieces)
        return without_date(raw.recv_until_close()).replace(CONTINUE, b"")


@pytest.fixture(params=[(thread, mode) for thread in THREADS for mode in MODES], ids="-".join)
def conversation(request, saw):
    """What is sent to one route, and the replies when it comes in one piece, which are looked at here."""
    thread, mode = request.param
    path = f"/{thread}/{mode}".encode()
    sent = CONVERSATION.replace(b" /it?", b" " + path + b"?")
    data = converse(saw, [sent])
    assert [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", data)] == STATUSES
    assert b"\nGET " + path + b"?1\nhost=[a]\nx-empty=[]\nx-long=[a b]\nbody 0 []\n" in data
    if mode == "none":
        assert data.count(b"\nbody 0 []\n") == 5
    else:
        assert b"?2\nhost=[a]\ncontent-length=[7]\nbody 7 [\r\nbody\n]\n" in data
        assert b"\ntransfer-encoding=[chunked]\nbody 13 [abc\r\n0\r\n\r\n345]\ntrailer X-Sum=[s]\ntrailer x-last=[]\n" in data
        assert b"\nbody 5 [abcde]\n" in data
    assert b"?6\nhost=[a]\nconnection=[close]\nbody 0 []\n" in data
    return sent, data


def test_cut_in_two_anywhere(saw, conversation):
    sent, uncut = conversation
    for i in range(1, len(sent)):
        assert converse(saw, [sent[:i], sent[i:]]) == uncut, f"cut at {i}, before {sent[i:i + 30]!r}"


def test_cut_in_three(saw, conversation):
    sent, uncut = conversation
    for i in range(1, len(sent) - 2, 7):
        for width in (1, 2, 41):
            pieces = [sent[:i], sent[i:i + width], sent[i + width:]]
            assert converse(saw, pieces) == uncut, f"cut at {i} and {i + width}"


def test_byte_by_byte(saw, conversation):
    sent, uncut = conversation
    assert converse(saw, split_all(sent)) == uncut
