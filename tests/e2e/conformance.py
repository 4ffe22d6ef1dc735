"""The conformance table: what an HTTP/1.1 server has to do with the bytes it gets, a row for each case.

Row("two Hosts", b"GET ...", 400, "9112 3.2", CLOSES, more checks...)

The parts of a row: what it is about; the bytes that are sent; the status that comes back ({400, 501}: one of these; [200, 404]:
these replies, one after the other; []: none); RFC and section that ask for it; what becomes of the connection; and what else
must be right in the replies. The rows are in conformance_head.py, conformance_body.py and conformance_connection.py, and
test_conformance.py says how they are run. They run on the server "narrow" of conf/conformance.yaml, with its routes and limits.
"""
import enum


class After(enum.Enum):
    """What becomes of the connection after the replies."""

    STAYS = "a request that follows is served"
    CLOSES = "the daemon closes it and serves nothing that follows"
    HALF = "the client sends no more but reads on: the daemon closes it when all is answered"


STAYS, CLOSES, HALF = After.STAYS, After.CLOSES, After.HALF


class Row:
    """One case; the checks are functions of the list of replies. `heads` counts from 0 and says which replies are to HEAD."""

    def __init__(self, name, sent, statuses, clause, after, *checks, heads=()):
        self.name = name
        self.sent = sent
        self.statuses = statuses
        self.clause = clause
        self.after = after
        self.checks = checks
        self.heads = heads

    def take(self, seen):
        """True when these are the statuses that have to come."""
        if isinstance(self.statuses, list):
            return seen == self.statuses
        return len(seen) == 1 and seen[0] in (self.statuses if isinstance(self.statuses, set) else {self.statuses})

    def id(self):
        return "".join(c if c.isascii() and c.isprintable() else "?" for c in self.name).replace("/", "|")


# Requests

HOST = b"Host: a\r\n"
POST = b"POST /told HTTP/1.1\r\nHost: a\r\n"


def get(path, fields=b""):
    """A sound GET; `fields` are whole lines."""
    return b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"


def field(line, end=b"\r\n\r\n"):
    """A GET that is sound but for one field line."""
    return b"GET /told HTTP/1.1\r\nHost: a\r\n" + line + end


def line(text):
    """A request that is sound but for its first line."""
    return text + b"\r\nHost: a\r\n\r\n"


def target(text):
    return line(b"GET " + text + b" HTTP/1.1")


def host(value):
    return b"GET /told HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


def length(value):
    return POST + b"Content-Length: " + value + b"\r\n\r\nabcde"


def coding(value, body=b"5\r\nabcde\r\n0\r\n\r\n"):
    return POST + b"Transfer-Encoding: " + value + b"\r\n\r\n" + body


def chunks(body):
    return coding(b"chunked", body)


# Checks


def has(name, value, n=0):
    """Reply number n has the field once, with this value."""

    def check(replies):
        assert replies[n].get(name) == value

    return check


def allows(methods, n=0):
    """Reply number n has these methods in Allow, in whatever order."""

    def check(replies):
        assert sorted(replies[n].get("Allow").split(", ")) == sorted(methods.split())

    return check


def body(data, n=0):
    """The body of reply number n is this."""

    def check(replies):
        assert replies[n].body == data

    return check


def content(data, n=0):
    """The body of reply number n, from /told, ends with this request body."""

    def check(replies):
        assert replies[n].body.partition(b"\n\n")[2] == data

    return check


def told(text, n=0):
    """Reply number n, from /told, has this request line and these fields, all others left out but host."""

    def check(replies):
        assert replies[n].body.partition(b"\n\n")[0].replace(b"\nhost: a", b"", 1) == text

    return check


def sized(n=0):
    """Reply number n, to HEAD, says how much GET would give."""

    def check(replies):
        assert int(replies[n].get("Content-Length")) > 0

    return check


def lacks(name, n=0):
    """Reply number n does not have the field."""

    def check(replies):
        assert replies[n].get(name) is None

    return check
