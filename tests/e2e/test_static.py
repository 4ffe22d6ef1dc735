"""The module static: files of a folder, and nothing else."""
import collections
import concurrent.futures
import gzip
import os
import re
import resource
import shutil
import socket

import pytest

import harness
from common import wait_until
from harness import curl
from test_memory import is_sanitized

FRESH = "cache_time: 0"  # each request looks at the file again
KEPT = "cache_time: 1h"


def configuration(root, *options, more="", daemon=""):
    """A server with the folder at /files/ and whatever else is told."""
    options = ", ".join([f'root: "{root}"', *options])
    return (f"daemon: {{shutdown_timeout: 2s{daemon}}}\nservers:\n  web:\n    listen: 127.0.0.1:0\n    threads: 4\n"
            f"    log_level: debug\n    routes:\n      - {{path: \"/files/*\", module: static, options: {{{options}}}}}\n{more}")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a.txt").write_text("hello\n", encoding="utf-8")
    return folder


def request(running, target="/files/a.txt", *fields, method="GET"):
    """One request on a connection of its own; the target is sent as it is."""
    with running.raw() as raw:
        return raw.request(method, target, [*fields, ("Connection", "close")])


def write(path, text, when=None):
    """The file with its time, in place at once as a careful author does it."""
    new = path.with_name(path.name + "~new")
    new.write_bytes(text if isinstance(text, bytes) else text.encode())
    if when is not None:
        os.utime(new, (when, when))
    os.rename(new, path)


# Files and their fields

def test_a_file_with_its_fields(daemon, root):
    write(root / "a.txt", "hello\n", 1000000000)
    running = daemon(configuration(root))
    reply = request(running)
    assert (reply.status, reply.body) == (200, b"hello\n")
    assert reply.get("Content-Type") == "text/plain; charset=utf-8"
    assert reply.get("Last-Modified") == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert reply.get("ETag") == '"de0b6b3a7640000-6"'
    assert reply.get("Accept-Ranges") == "bytes"
    assert reply.get("Cache-Control") is None and reply.get("Vary") is None and reply.get("Content-Encoding") is None


def test_the_first_and_the_cached_answer_are_the_same(daemon, root):
    running = daemon(configuration(root, KEPT, "cache_control: \"max-age=5\""))
    first, second = (request(running) for _ in range(2))
    strip = [[field for field in reply.headers if field[0] != "Date"] for reply in (first, second)]
    assert strip[0] == strip[1] and first.body == second.body == b"hello\n"
    assert first.get("Cache-Control") == "max-age=5"


def test_media_types(daemon, root):
    wanted = {"a.html": "text/html; charset=utf-8", "a.CSS": "text/css; charset=utf-8", "a.json": "application/json",
              "a.png": "image/png", "a.tar.gz": "application/gzip", "a.unheard": "application/octet-stream",
              "noext": "application/octet-stream", "a.x9": "x/nine", "a.md": "text/plain"}
    for name in wanted:
        (root / name).write_text("x", encoding="utf-8")
    running = daemon(configuration(root, daemon=", media_types: {x9: x/nine, MD: text/plain}"))
    assert {name: request(running, f"/files/{name}").get("Content-Type") for name in wanted} == wanted


def test_odd_names(daemon, root):
    names = ["a b", "ä.txt", "50%", "a?b", "a#b", "a+b", "a\\b", "a..", "~", "<&\">"]
    for name in names:
        (root / name).write_text(name, encoding="utf-8")
    running = daemon(configuration(root))
    for name in names:
        target = "/files/" + "".join(f"%{byte:02x}" for byte in name.encode())
        assert request(running, target).text == name


def test_an_empty_file(daemon, root):
    (root / "empty").write_bytes(b"")
    running = daemon(configuration(root))
    for _ in range(2):
        reply = request(running, "/files/empty")
        assert (reply.status, reply.get("Content-Length"), reply.body) == (200, "0", b"")


def test_head_is_get_without_body(daemon, root):
    (root / "large").write_bytes(bytes(300000))
    running = daemon(configuration(root))
    with running.raw() as raw:
        for target in ("/files/a.txt", "/files/large", "/files/nothing", "/files"):
            get = raw.request("GET", target)
            for _ in range(2):
                head = raw.request("HEAD", target)
                assert head.status == get.status and head.body == b""
                assert [f for f in head.headers if f[0] != "Date"] == [f for f in get.headers if f[0] != "Date"]


def test_other_methods_are_refused(daemon, root):
    running = daemon(configuration(root))
    for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND"):
        reply = request(running, method=method)
        assert reply.status == 405 and reply.get("Allow") == "GET, HEAD, OPTIONS"
    assert request(running, method="OPTIONS").status == 204


def test_curl_gets_the_bytes(daemon, root, tmp_path):
    content = os.urandom(5_000_000)
    (root / "random.bin").write_bytes(content)
    running = daemon(configuration(root))
    for name in ("one", "two"):
        curl("-o", tmp_path / name, running.url("/files/random.bin"))
        assert (tmp_path / name).read_bytes() == content


def test_a_route_without_star_takes_the_whole_path(daemon, root):
    (root / "sub").mkdir()
    (root / "robots.txt").write_text("robots", encoding="utf-8")
    (root / "sub" / "x.txt").write_text("x", encoding="utf-8")
    more = (f'      - {{path: /robots.txt, module: static, options: {{root: "{root}"}}}}\n'
            f'      - {{path: "/sub/{{name}}", module: static, options: {{root: "{root}"}}}}\n')
    text = configuration(root, more=more)
    running = daemon(text)
    assert request(running, "/robots.txt").text == "robots"
    assert request(running, "/sub/x.txt").text == "x"
    assert request(running, "/sub/y.txt").status == 404


# Conditions and ranges

def test_conditions(daemon, root):
    write(root / "a.txt", "hello\n", 1000000000)
    running = daemon(configuration(root, "cache_control: no-cache"))
    etag = '"de0b6b3a7640000-6"'
    date = "Sun, 09 Sep 2001 01:46:40 GMT"
    before, after = "Sun, 09 Sep 2001 01:46:39 GMT", "Sun, 09 Sep 2001 01:46:41 GMT"
    for status, *fields in [
            (304, ("If-None-Match", etag)), (304, ("If-None-Match", "*")), (304, ("If-None-Match", f'"x", W/{etag}')),
            (200, ("If-None-Match", '"x"')), (304, ("If-Modified-Since", date)), (304, ("If-Modified-Since", after)),
            (200, ("If-Modified-Since", before)), (200, ("If-None-Match", '"x"'), ("If-Modified-Since", date)),
            (200, ("If-Match", etag)), (412, ("If-Match", '"x"')), (200, ("If-Match", "*")),
            (412, ("If-Unmodified-Since", before)), (200, ("If-Unmodified-Since", date))]:
        for _ in range(2):
            reply = request(running, "/files/a.txt", *fields)
            assert reply.status == status, fields
            if status == 304:
                assert reply.get("ETag") == etag and reply.get("Cache-Control") == "no-cache"


def test_ranges(daemon, root):
    content = bytes(range(256)) * 40
    (root / "bytes").write_bytes(content)
    running = daemon(configuration(root))
    etag = request(running, "/files/bytes").get("ETag")
    for field, start, end in [("0-0", 0, 1), ("100-199", 100, 200), ("10000-", 10000, 10240), ("-5", 10235, 10240),
                              ("10000-99999", 10000, 10240)]:
        reply = request(running, "/files/bytes", ("Range", f"bytes={field}"))
        assert (reply.status, reply.body) == (206, content[start:end])
        assert reply.get("Content-Range") == f"bytes {start}-{end - 1}/10240"
    reply = request(running, "/files/bytes", ("Range", "bytes=10240-"))
    assert reply.status == 416 and reply.get("Content-Range") == "bytes */10240"
    assert request(running, "/files/bytes", ("Range", "bytes=0-0"), ("If-Range", etag)).status == 206
    reply = request(running, "/files/bytes", ("Range", "bytes=0-0"), ("If-Range", '"x"'))
    assert (reply.status, reply.body) == (200, content)
    reply = request(running, "/files/bytes", ("Range", "bytes=0-1,10-11"))
    assert reply.status == 206 and reply.get("Content-Type").startswith("multipart/byteranges; boundary=")
    assert reply.body.count(b"Content-Range: bytes ") == 2


def test_a_download_goes_on_where_it_broke_off(daemon, root, tmp_path):
    content = os.urandom(400_000)
    (root / "big").write_bytes(content)
    running = daemon(configuration(root))
    (tmp_path / "part").write_bytes(content[:123_456])
    curl("-C", "-", "-o", tmp_path / "part", running.url("/files/big"))
    assert (tmp_path / "part").read_bytes() == content


# Precompressed siblings

@pytest.fixture
def siblings(root):
    """app.js with all its siblings, old.js with one that is too old."""
    write(root / "app.js", "the original " * 100, 2000)
    for suffix, when in ((".br", 2000), (".zst", 3000), (".gz", 2000)):
        write(root / f"app.js{suffix}", f"as {suffix}", when)
    write(root / "old.js", "new original", 2000)
    write(root / "old.js.gz", "old", 1999)
    return root


CODINGS = [
    (None, None), ("", None), ("identity", None), ("gzip", "gzip"), ("x-gzip", "gzip"), ("GZIP", "gzip"), ("br", "br"),
    ("zstd", "zstd"), ("gzip, deflate, br, zstd", "br"), ("gzip;q=1, br;q=0.5", "gzip"), ("br;q=0, gzip;q=0.1, identity;q=0", "gzip"),
    ("deflate", None), ("*", "br"), ("*;q=0", None), ("gzip;q=0", None), ("gzip;q=0.5, zstd;q=0.7", "zstd"),
    ("gzip;q=0, br;q=0, *", "zstd"), ("identity, gzip;q=0.5", None), ("gzip;q=banana, br", "br")]


@pytest.mark.parametrize("options", [(FRESH,), (KEPT,)], ids=["looked at", "cached"])
def test_precompressed(daemon, siblings, options):
    running = daemon(configuration(siblings, *options))
    seen = {}
    for accept, coding in CODINGS:
        fields = [] if accept is None else [("Accept-Encoding", accept)]
        reply = request(running, "/files/app.js", *fields)
        assert (reply.status, reply.get("Content-Encoding")) == (200, coding), accept
        assert reply.get("Content-Type") == "text/javascript; charset=utf-8" and reply.get("Vary") == "Accept-Encoding"
        wanted = {"br": "as .br", "zstd": "as .zst", "gzip": "as .gz", None: "the original " * 100}[coding]
        assert reply.text == wanted
        seen.setdefault(coding, reply.get("ETag"))
        assert reply.get("ETag") == seen[coding]
        reply = request(running, "/files/app.js", *fields, ("If-None-Match", seen[coding]))
        assert reply.status == 304
        assert {name.lower() for name, _ in reply.headers} == {"connection", "date", "etag", "last-modified", "vary"}
    assert len(set(seen.values())) == 4


def test_fields_that_handlers_do_not_see_count_all_the_same(daemon, siblings):
    running = daemon(configuration(siblings, more="    header_fields: [host]\n"))
    reply = request(running, "/files/app.js", ("Accept-Encoding", "gzip"))
    assert reply.get("Content-Encoding") == "gzip" and reply.text == "as .gz"
    assert request(running, "/files/a.txt", ("If-None-Match", request(running).get("ETag"))).status == 304
    assert request(running, "/files/a.txt", ("Range", "bytes=0-1")).status == 206


def test_curl_understands_a_sibling(daemon, root):
    text = "compressed " * 1000
    write(root / "page.html", text, 1000)
    write(root / "page.html.gz", gzip.compress(text.encode()), 1000)
    running = daemon(configuration(root))
    result = curl("-i", "-H", "Accept-Encoding: gzip", "--compressed", running.url("/files/page.html")).stdout
    assert re.search("(?i)^content-encoding: gzip", result, re.M) and result.endswith(text)
    assert curl(running.url("/files/page.html")).stdout == text


def test_an_old_sibling_hides_nothing(daemon, siblings):
    running = daemon(configuration(siblings, FRESH))
    reply = request(running, "/files/old.js", ("Accept-Encoding", "gzip"))
    assert reply.text == "new original" and reply.get("Content-Encoding") is None and reply.get("Vary") is None
    write(siblings / "old.js.gz", "now good", 2000)
    assert request(running, "/files/old.js", ("Accept-Encoding", "gzip")).text == "now good"
    (siblings / "old.js.gz").unlink()
    assert request(running, "/files/old.js", ("Accept-Encoding", "gzip")).text == "new original"


def test_siblings_can_be_left_alone(daemon, siblings):
    running = daemon(configuration(siblings, "precompressed: false"))
    reply = request(running, "/files/app.js", ("Accept-Encoding", "gzip, br"))
    assert reply.get("Content-Encoding") is None and reply.get("Vary") is None
    reply = request(running, "/files/app.js.gz", ("Accept-Encoding", "gzip"))
    assert (reply.text, reply.get("Content-Type"), reply.get("Content-Encoding")) == ("as .gz", "application/gzip", None)


def test_a_sibling_without_original_is_not_there(daemon, root):
    (root / "lone.css.gz").write_bytes(b"x")
    running = daemon(configuration(root))
    assert request(running, "/files/lone.css", ("Accept-Encoding", "gzip")).status == 404


# Folders

@pytest.fixture
def tree(root):
    (root / "with").mkdir()
    (root / "with" / "index.html").write_text("index", encoding="utf-8")
    (root / "other").mkdir()
    (root / "other" / "start.htm").write_text("start", encoding="utf-8")
    (root / "bare").mkdir()
    (root / "bare" / "<x>&\"'.txt").write_text("12345", encoding="utf-8")
    (root / "bare" / "a b?#%41.txt").write_text("x", encoding="utf-8")
    (root / "bare" / "sub").mkdir()
    (root / "bare" / ".hidden").write_text("x", encoding="utf-8")
    (root / "bare" / "javascript:alert(1)").write_text("x", encoding="utf-8")
    (root / "odd").mkdir()
    (root / "odd" / "index.html").mkdir()
    return root


def test_index_files(daemon, tree):
    running = daemon(configuration(tree, "index: [index.html, start.htm]"))
    for _ in range(2):
        reply = request(running, "/files/with/")
        assert (reply.text, reply.get("Content-Type")) == ("index", "text/html; charset=utf-8")
        assert request(running, "/files/other/").text == "start"
        for target in ("/files/bare/", "/files/odd/", "/files/", "/files/none/", "/files/a.txt/", "/files/with/index.html/"):
            assert request(running, target).status == 404, target
    (tree / "index.html").write_text("top", encoding="utf-8")
    assert request(running, "/files/").text == "top"


def test_an_index_that_is_the_first_of_its_names(daemon, tree):
    (tree / "with" / "start.htm").write_text("start", encoding="utf-8")
    assert request(daemon(configuration(tree, "index: [start.htm, index.html]")), "/files/with/").text == "start"
    assert request(daemon(configuration(tree)), "/files/other/").status == 404


@pytest.mark.parametrize("target, location", [
    ("/files/with", "/files/with/"), ("/files/with?a=1&b=//c", "/files/with/?a=1&b=//c"), ("/files/with?", "/files/with/?"),
    ("/files/%77ith", "/files/with/"), ("/x/../files/with", "/files/with/"), ("http://evil.org/files/with", "/files/with/"),
    ("/files/bare/sub", "/files/bare/sub/")])
def test_folders_redirect_to_their_slash(daemon, tree, target, location):
    reply = request(daemon(configuration(tree)), target)
    assert (reply.status, reply.get("Location")) == (301, location)


def test_a_redirect_never_leads_away(daemon, root):
    """Folders whose names are hosts."""
    for name in ("evil.org", "\\evil.org"):
        (root / name).mkdir()
    running = daemon(f'servers:\n  web:\n    listen: 127.0.0.1:0\n    routes:\n'
                     f'      - {{path: "/*", module: static, options: {{root: "{root}"}}}}\n')
    assert request(running, "/evil.org").get("Location") == "/evil.org/"
    assert request(running, "/%5Cevil.org").get("Location") == "/%5Cevil.org/"
    for target in ("//evil.org", "/%2Fevil.org", "//evil.org/..//evil.org", "/.//evil.org", "/x/..//evil.org", "///evil.org"):
        reply = request(running, target)
        assert reply.status in (301, 400, 404), target
        location = reply.get("Location")
        assert location is None or re.match(r"/[^/\\]", location), (target, location)


def test_listing(daemon, tree):
    running = daemon(configuration(tree, "listing: true"))
    reply = request(running, "/files/bare/")
    assert reply.status == 200 and reply.get("Content-Type") == "text/html; charset=utf-8"
    assert reply.get("Cache-Control") == "no-cache" and "default-src 'none'" in reply.get("Content-Security-Policy")
    assert "Index of /files/bare/" in reply.text and ".hidden" not in reply.text
    links = re.findall(r'<a href="([^"]*)">([^<]*)</a>', reply.text)
    assert links == [("../", "../"), ("sub/", "sub/"), ("%3Cx%3E%26%22%27.txt", "&lt;x&gt;&amp;&quot;&#39;.txt"),
                     ("a%20b%3F%23%2541.txt", "a b?#%41.txt"), ("javascript%3Aalert%281%29", "javascript:alert(1)")]
    for link, _ in links[2:]:
        assert request(running, f"/files/bare/{link}").status == 200
    assert "<td>5 B</td>" in reply.text
    assert request(running, "/files/with/").text == "index"
    assert '"../"' not in request(running, "/files/").text
    assert request(running, "/files/none/").status == 404
    assert request(running, "/files/a.txt/").status == 404
    assert request(running, "/files/bare/", method="HEAD").body == b""


def test_a_listing_shows_dot_files_that_are_served(daemon, tree):
    running = daemon(configuration(tree, "listing: true", "dot_files: true"))
    assert ">.hidden</a>" in request(running, "/files/bare/").text


def test_a_long_listing_is_cut(daemon, tree):
    for i in range(3000):
        (tree / "bare" / "sub" / f"{i:04}{'x' * 40}").touch()
    running = daemon(configuration(tree, "listing: true"))
    reply = request(running, "/files/bare/sub/")
    assert 256 * 1024 <= len(reply.body) < 260 * 1024
    shown = len(re.findall(r'<a href="\d{4}x', reply.text))
    assert reply.text.endswith(f"</table>\n<p>... and {3000 - shown} more</p>\n</body>\n</html>\n")


def test_fallback(daemon, tree):
    (tree / "app.html").write_text("the app", encoding="utf-8")
    running = daemon(configuration(tree, "fallback: app.html", FRESH))
    for target in ("/files/users/5", "/files/bare/", "/files/none/", "/files/a.txt/x", "/files/" + "x" * 300):
        reply = request(running, target)
        assert (reply.status, reply.text) == (200, "the app"), target
        assert reply.get("Content-Type") == "text/html; charset=utf-8"
    assert request(running, "/files/a.txt").text == "hello\n"
    assert request(running, "/files/with").status == 301
    assert request(running, "/files/.git/config").status == 404
    (tree / "app.html").unlink()
    assert request(running, "/files/users/5").status == 404


# What is refused

def test_dot_files(daemon, root):
    (root / ".git").mkdir()
    (root / ".well-known").mkdir()
    (root / "sub").mkdir()
    for name in (".git/config", ".env", ".well-known/x", ".well-known/.x", "sub/.htaccess"):
        (root / name).write_text("secret", encoding="utf-8")
    running = daemon(configuration(root))
    for name in (".git/config", ".git/", ".git", ".env", "%2eenv", "sub/.htaccess", ".well-known/.x", "sub/.nothing"):
        reply = request(running, f"/files/{name}")
        assert (reply.status, reply.get("Location")) == (404, None), name
    assert request(running, "/files/.well-known/x").text == "secret"
    assert request(daemon(configuration(root, "well_known: false")), "/files/.well-known/x").status == 404
    running = daemon(configuration(root, "dot_files: true"))
    for name in (".git/config", ".env", ".well-known/.x", "sub/.htaccess"):
        assert request(running, f"/files/{name}").text == "secret"


UP = ["..", "%2e%2e", "%2E.", ".%2e", "..%2f..", "%2e%2e%2f%2e%2e", "..%5c..", "..\\..", "%252e%252e", "..;", "....//", "..%00",
      "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", ".%00.", "..%20", "%2e%2e%5c", "..%c0%af.."]


@pytest.mark.parametrize("policy", ["inside", "none", "all"])
def test_no_path_leads_out(daemon, root, tmp_path, policy):
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (root / "sub").mkdir()
    running = daemon(configuration(root, f"symlinks: {policy}", "dot_files: true", "listing: true"))
    targets = ["/files//etc/passwd", "/files/%2fetc/passwd", "/files/%2Fetc%2Fpasswd", f"/files/{tmp_path}/secret",
               f"/files//{tmp_path}/secret", "/files///", "/files/%2f", "/files/sub//", "/files/./../../etc/passwd",
               "/files/a.txt%00.png", "/files/a.txt%00", "/files/sub/%00/../a.txt", "http://x/files/../../etc/passwd"]
    for up in UP:
        for prefix in ("", "sub/", "sub/../", "./", "%2e/", "a.txt/"):
            targets += [f"/files/{prefix}{up}/secret", f"/files/{prefix}{up}/{up}/secret", f"/files/{prefix}{up}%2fsecret",
                        f"/files/{prefix}{up}/{up}/{up}/{up}/{up}/{up}/{up}/etc/passwd", f"/files/{prefix}{up}"]
    with running.raw() as raw:
        for target in targets:
            reply = raw.request("GET", target)
            assert reply.status in (400, 404) or reply.body.startswith(b"<!doctype html>\n"), (target, reply)
            assert b"secret" not in reply.body.replace(b"/secret", b"") and b"root:" not in reply.body, target
            if (reply.get("Connection") or "").lower() == "close":
                raw.close()
                raw = running.raw()
    assert request(running).status == 200


@pytest.fixture
def linked(root, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("outside", encoding="utf-8")
    (root / "sub").mkdir()
    (root / "sub" / "x").write_text("inside", encoding="utf-8")
    for name, target in {"near": "a.txt", "sub/up": "../a.txt", "way": "sub", "out": "../outside/x", "outdir": "../outside",
                         "absolute": str(root / "a.txt"), "passwd": "/etc/passwd", "back": "../root/a.txt", "loop": "loop",
                         "dangling": "nothing", "self": "/proc/self/environ", "fd": "/proc/self/fd"}.items():
        (root / name).symlink_to(target)
    return root


LINKS = {
    "inside": {"near": 200, "sub/up": 200, "way/x": 200, "way": 301, "out": 404, "outdir/x": 404, "outdir": 404, "absolute": 404,
               "passwd": 404, "back": 404, "loop": 404, "dangling": 404, "self": 404, "fd/0": 404, "a.txt": 200},
    "none": {"near": 404, "sub/up": 404, "way/x": 404, "way": 404, "out": 404, "outdir/x": 404, "absolute": 404, "passwd": 404,
             "loop": 404, "a.txt": 200, "sub/x": 200},
    "all": {"near": 200, "sub/up": 200, "way/x": 200, "out": 200, "outdir/x": 200, "outdir": 301, "absolute": 200, "passwd": 200,
            "back": 200, "loop": 404, "dangling": 404},
}


@pytest.mark.parametrize("policy", sorted(LINKS))
def test_links(daemon, linked, policy):
    running = daemon(configuration(linked, f"symlinks: {policy}"))
    assert {name: request(running, f"/files/{name}").status for name in LINKS[policy]} == LINKS[policy]


def test_a_refused_link_is_in_the_log(daemon, linked):
    running = daemon(configuration(linked))
    assert request(running, "/files/out").text == "404 Not Found\n"
    running.log_wait(r"debug .*static: /files/out goes through a link that is not followed")


def test_a_link_that_is_turned_outward_is_not_followed(daemon, linked, tmp_path):
    running = daemon(configuration(linked, FRESH))
    assert request(running, "/files/near").status == 200
    (linked / "near").unlink()
    (linked / "near").symlink_to(tmp_path / "outside" / "x")
    assert request(running, "/files/near").status == 404


def test_only_regular_files(daemon, root):
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.getcwd()
        os.chdir(root)
        listener.bind("socket")
        os.chdir(folder)
    (root / "null").symlink_to("/dev/null")
    running = daemon(configuration(root, "symlinks: all"))
    for name in ("fifo", "socket", "null"):
        assert request(running, f"/files/{name}").status == 404, name


def test_a_file_that_may_not_be_read(daemon, root, monkeypatch):
    if os.geteuid() == 0:  # may read everything, unless it gives that up
        monkeypatch.setattr(harness, "WRAP", ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *harness.WRAP])
    (root / "closed").write_text("x", encoding="utf-8")
    (root / "dir").mkdir()
    (root / "dir" / "index.html").write_text("x", encoding="utf-8")
    (root / "shut").mkdir()
    (root / "shut" / "x").write_text("x", encoding="utf-8")
    for name in ("closed", "dir/index.html", "shut"):
        (root / name).chmod(0)
    running = daemon(configuration(root, "fallback: a.txt", "listing: true"))
    for target in ("/files/closed", "/files/dir/", "/files/shut/", "/files/shut/x"):
        reply = request(running, target)
        assert (reply.status, reply.text) == (403, "403 Forbidden\n"), target
    assert request(running).status == 200
    (root / "shut").chmod(0o755)


def test_names_that_are_too_long(daemon, root):
    running = daemon(configuration(root))
    assert request(running, "/files/" + "a" * 300).status == 404
    assert request(running, "/files/" + "a/" * 2500 + "b").status == 404


# Files that change

def test_a_replaced_file_is_seen(daemon, root):
    running = daemon(configuration(root, "cache_time: 100ms"))
    before = request(running)
    write(root / "a.txt", "something else\n")
    reply = wait_until(lambda: (lambda r: r.text != "hello\n" and r)(request(running)), "the new file")
    assert reply.text == "something else\n" and reply.get("ETag") != before.get("ETag")
    (root / "a.txt").unlink()
    wait_until(lambda: request(running).status == 404, "the file is gone")
    write(root / "a.txt", "again\n")
    assert request(running).text == "again\n"


@pytest.mark.parametrize("size", [100, 100_000])
@pytest.mark.parametrize("memory", ["16MiB", "0"])
def test_a_file_that_is_overwritten_is_seen(daemon, root, size, memory):
    """In place, as large as before, and with its old time."""
    path = root / "a.txt"
    write(path, b"a" * size, 1000000000)
    running = daemon(configuration(root, "cache_time: 50ms", f"cache_memory: {memory}"))
    for letter in b"abcdef":
        with path.open("r+b") as file:
            file.write(bytes([letter]) * size)
        os.utime(path, (1000000000, 1000000000))
        wait_until(lambda letter=letter: request(running).body == bytes([letter]) * size, "what was written")


def test_within_cache_time_nothing_is_looked_at(daemon, root):
    running = daemon(configuration(root, KEPT))
    assert request(running).text == "hello\n"
    write(root / "a.txt", "something else\n")
    assert request(running).text == "hello\n"
    (root / "a.txt").unlink()
    assert request(running).text == "hello\n"


def test_without_cache_each_request_looks(daemon, root):
    for options in (("cache: 0", KEPT), (FRESH,)):
        write(root / "a.txt", "hello\n")
        running = daemon(configuration(root, *options))
        assert request(running).text == "hello\n"
        write(root / "a.txt", "changed\n")
        assert request(running).text == "changed\n"


def test_a_file_that_is_cut_while_cached_ends_the_connection(daemon, root):
    (root / "big").write_bytes(bytes(3_000_000))
    running = daemon(configuration(root, KEPT))
    assert len(request(running, "/files/big").body) == 3_000_000
    os.truncate(root / "big", 1000)
    with pytest.raises((harness.Closed, ConnectionResetError)):
        request(running, "/files/big")
    assert request(running).status == 200


def test_a_download_under_way_ends_with_the_old_file(daemon, root):
    size = 30_000_000
    write(root / "big", b"a" * size)
    running = daemon(configuration(root, FRESH))
    with running.raw() as raw:
        raw.send("GET /files/big HTTP/1.1\r\nHost: a\r\n\r\n")
        raw._fill()
        write(root / "big", b"b" * size)
        assert request(running, "/files/big").body[:10] == b"b" * 10
        assert raw.response().body == b"a" * size


def descriptors(running, name):
    """How many of the daemon's descriptors lead below a path."""
    count = 0
    for fd in os.listdir(f"/proc/{running.pid}/fd"):
        try:
            count += name in os.readlink(f"/proc/{running.pid}/fd/{fd}")
        except FileNotFoundError:
            continue
    return count


def test_many_files_in_a_small_cache(daemon, root):
    for i in range(200):
        (root / f"file-{i}").write_text(f"content {i}" * 50, encoding="utf-8")
    running = daemon(configuration(root, "cache: 10", KEPT))
    with running.raw() as raw:
        for _ in range(2):
            for i in range(200):
                assert raw.request("GET", f"/files/file-{i}").text == f"content {i}" * 50
    wait_until(lambda: descriptors(running, f"{root}/") <= 10, "no more than the cache may hold")
    assert descriptors(running, f"{root}/") == 10


def test_a_removed_file_is_closed(daemon, root):
    running = daemon(configuration(root, FRESH))
    assert request(running).status == 200
    assert descriptors(running, f"{root}/a.txt") == 1
    (root / "a.txt").unlink()
    assert request(running).status == 404
    wait_until(lambda: descriptors(running, f"{root}/a.txt") == 0, "the file is closed")


def test_clients_that_go_leave_no_descriptor(daemon, root):
    (root / "big").write_bytes(bytes(20_000_000))
    running = daemon(configuration(root, "cache: 0"))
    for _ in range(20):
        with running.raw() as raw:
            raw.send("GET /files/big HTTP/1.1\r\nHost: a\r\n\r\n")
            raw._fill()
            raw.reset()
    wait_until(lambda: descriptors(running, f"{root}/big") == 0, "all are closed")
    assert request(running).status == 200


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def test_the_cache_gives_way_when_descriptors_run_out(daemon, root):
    for i in range(200):
        (root / str(i)).write_text(str(i), encoding="utf-8")
    running = daemon(configuration(root, KEPT), preexec=few_descriptors)
    with running.raw() as raw:
        assert [raw.request("GET", f"/files/{i}").text for i in range(200)] == [str(i) for i in range(200)]


def test_without_descriptors_the_answer_is_503(daemon, root):
    (root / "big").write_bytes(bytes(20_000_000))
    running = daemon(configuration(root, "cache: 0"), preexec=few_descriptors)
    with running.raw() as first:
        assert first.request("GET", "/files/a.txt").status == 200
        slow = []
        while len(os.listdir(f"/proc/{running.pid}/fd")) < 64 and len(slow) < 64:
            slow.append(running.raw())
            slow[-1].send("GET /files/big HTTP/1.1\r\nHost: a\r\n\r\n")
            # Two more descriptors, or all there are.
            wait_until(lambda: descriptors(running, f"{root}/big") == len(slow) or len(os.listdir(f"/proc/{running.pid}/fd")) >= 64,
                       "the next download has begun")
        reply = first.request("GET", "/files/a.txt")
        assert (reply.status, reply.get("Retry-After"), reply.text) == (503, "1", "503 Service Unavailable\n")
        running.log_wait(r"error .*static: cannot open /files/a.txt: Too many open files")
        for raw in slow:
            raw.reset()
        wait_until(lambda: first.request("GET", "/files/a.txt").status == 200, "there are descriptors again")


def test_concurrent_downloads(daemon, root):
    contents = {f"file-{i}": os.urandom(200_000 + i * 1000) for i in range(8)}
    for name, content in contents.items():
        (root / name).write_bytes(content)
    text = configuration(root, "cache: 4", "cache_time: 5ms").replace("threads: 4", "threads: 4\n    loops: 2")
    running = daemon(text)

    def client(number):
        names = sorted(contents)
        with running.raw() as raw:
            for i in range(30):
                name = names[(number + i) % len(names)]
                assert raw.request("GET", f"/files/{name}").body == contents[name]

    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        for done in [clients.submit(client, number) for number in range(8)]:
            done.result()


def test_pipelined_requests_come_back_in_order(daemon, root):
    for i in range(10):
        (root / str(i)).write_bytes(str(i).encode() * (i * 20_000 + 1))
    running = daemon(configuration(root))
    with running.raw() as raw:
        raw.send("".join(f"GET /files/{i % 10} HTTP/1.1\r\nHost: a\r\n\r\n" for i in range(40)))
        for i, reply in enumerate(raw.responses(40)):
            assert reply.body == str(i % 10).encode() * (i % 10 * 20_000 + 1)


# Cost

REQUESTS = 300
SLACK = 40  # to accept, to close, to start a worker, the first look at the file


def test_system_calls_of_a_cached_file(daemon, root, monkeypatch, tmp_path):
    if is_sanitized():
        return  # a sanitizer makes calls of its own, and cannot be traced
    assert shutil.which("strace"), "strace is missing: scripts/setup test"
    content = os.urandom(100 * 1024)
    (root / "file.bin").write_bytes(content)
    trace = tmp_path / "trace"
    monkeypatch.setattr(harness, "WRAP", ["strace", "-D", "-f", "-qq", "-o", str(trace), *harness.WRAP])
    running = daemon(configuration(root, KEPT).replace("debug", "warn"))
    with running.raw() as raw:
        assert raw.request("GET", "/files/file.bin").body == content
        before = len(trace.read_text().splitlines())
        for _ in range(REQUESTS):
            assert raw.request("GET", "/files/file.bin").body == content
    lines = trace.read_text().splitlines()[before:]
    calls = collections.Counter(re.findall(r"^\d+ +(\w+)\(", "\n".join(lines), re.MULTILINE))
    assert calls["openat2"] + calls["openat"] + calls["newfstatat"] + calls["fstat"] == 0, calls
    assert sum(calls.values()) <= 4 * REQUESTS + SLACK, calls
    assert calls["preadv2"] + calls["read"] + calls["futex"] <= SLACK, calls  # from memory, and on the loop
    assert running.stop() == 0


# Configurations

@pytest.mark.parametrize("options, column, message", [
    ("{}", None, r"root"),
    ("{root: ./nothing}", "root", r"there is no folder .*/nothing"),
    ("{root: ./retinued.yaml}", "root", r"cannot open the folder .*retinued.yaml: Not a directory"),
    ("{root: ., index: [a/b]}", "index", r'"a/b" is no file name'),
    ("{root: ., index: ['..']}", "index", r'"\.\." is no file name'),
    ("{root: ., fallback: /index.html}", "fallback", r'"/index.html" is no path of a file below root'),
    ("{root: ., fallback: ../x}", "fallback", r'"../x" is no path of a file below root'),
    ("{root: ., fallback: sub/}", "fallback", r'"sub/" is no path of a file below root'),
    ('{root: ., cache_control: "a\\nb"}', "cache_control", r"a character that no header field may hold"),
    ('{root: ., cache_control: ""}', "cache_control", r"there is nothing in it"),
    ('{root: ., cache_control: "no-cache "}', "cache_control", r"it begins or ends with a space"),
    ('{root: ., cache_control: " no-cache"}', "cache_control", r"it begins or ends with a space"),
    ("{root: ., cache: 100001}", "cache", r'"cache" must be'),
    ("{root: ., cache_time: 2d}", "cache_time", r'"cache_time" must be'),
    ("{root: ., symlinks: some}", "symlinks", r"inside"),
])
def test_wrong_options(retinued, options, column, message):
    line = f"      - {{path: \"/*\", module: static, options: {options}}}\n"
    result = retinued("-n", text=f"servers:\n  web:\n    listen: 127.0.0.1:0\n    routes:\n{line}")
    assert result.returncode == 1
    found = re.search(rf"(?m)^[^\n]*retinued\.yaml:5:(\d+): error: [^\n]*{message}", result.stderr)
    assert found, result.stderr
    if column is not None:
        assert line[int(found[1]) - 1:].startswith(column) or line[:int(found[1]) - 1].rstrip(" [").endswith(f"{column}:")


def test_it_needs_workers(retinued):
    text = ("servers:\n  web:\n    listen: 127.0.0.1:0\n    threads: 0\n    routes:\n"
            "      - {path: \"/*\", module: static, options: {root: .}}\n")
    result = retinued("-n", text=text)
    assert result.returncode == 1 and "threads: 0" in result.stderr


def test_modinfo(retinued):
    result = retinued("--modinfo", os.path.join(harness.MODULES, "static.so"))
    assert result.returncode == 0
    for option in ("root", "index", "listing", "dot_files", "well_known", "symlinks", "precompressed", "cache_control", "cache",
                   "cache_time", "cache_memory", "fallback"):
        assert re.search(rf"\b{option}\b", result.stdout), option
