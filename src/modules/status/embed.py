"""Makes a C header of the dashboard: embed.py page.html style.css SCRIPT... assets.h

Style and script are put into the page, so that it is one document that loads nothing. The policy that goes with it allows these two
by their hashes and nothing else. The scripts become one, in a scope of its own. The page is cut where the values of an instance
stand: its title and its interval.
"""
import base64
import hashlib
import pathlib
import re
import sys


def array(name, data):
    rows = [", ".join(f"{byte}" for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return f"static const char {name}[{len(data)}] = {{\n    " + ",\n    ".join(rows) + "\n};\n"


def source(data):
    return "'sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode() + "'"


def main(page, style, *scripts_and_out):
    *scripts, out = scripts_and_out
    page, style, *scripts = (pathlib.Path(path).read_bytes() for path in (page, style, *scripts))
    script = b"'use strict';\n{\n" + b"\n".join(scripts) + b"}\n"
    # A char of the target may be signed: only ASCII can be written as it is.
    for data in (page, style, script):
        data.decode("ascii")
    assert b"</" not in style and not re.search(rb"</script|<!--", script)
    policy = (f"default-src 'none'; script-src {source(script)}; style-src {source(style)}; connect-src 'self'; img-src data:; "
              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    text = f'static const char assets_policy[] = "{policy}";\n'
    whole = page.replace(b"{style}", style).replace(b"{script}", script)
    head, rest = whole.split(b"<title>{title}</title>")
    middle, tail = rest.split(b'data-refresh="{refresh}"')
    for name, data in (("head", head + b"<title>"), ("middle", b"</title>" + middle + b'data-refresh="'), ("tail", b'"' + tail)):
        text += array(f"assets_{name}", data)
    pathlib.Path(out).write_text(text, encoding="ascii")


main(*sys.argv[1:])
