"""Makes a C header of the chatroom's page: embed.py page.html style.css SCRIPT... assets.h

The scripts become one, in a scope of its own. Style and script are asked for with a tag made of their content
("?style.css&v=TAG"), so that browsers may keep them for ever and still get new ones with a new page. The page is cut in two where
its title stands.
"""
import hashlib
import pathlib
import sys


def array(name, data):
    rows = [", ".join(f"{byte}" for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return f"static const char {name}[{len(data)}] = {{\n    " + ",\n    ".join(rows) + "\n};\n"


def main(page, style, *scripts_and_out):
    *scripts, out = scripts_and_out
    page, style, *scripts = (pathlib.Path(path).read_bytes() for path in (page, style, *scripts))
    script = b"'use strict';\n{\n" + b"\n".join(scripts) + b"}\n"
    # A char of the target may be signed: only ASCII can be written as it is.
    for data in (page, style, script):
        data.decode("ascii")
    tag = hashlib.sha256(style + b"\0" + script).hexdigest()[:16]
    before, after = page.replace(b"{tag}", tag.encode()).split(b"{title}")
    text = f'static const char assets_tag[] = "{tag}";\n'
    for name, data in (("page_before", before), ("page_after", after), ("style", style), ("script", script)):
        text += array(f"assets_{name}", data)
    pathlib.Path(out).write_text(text, encoding="ascii")


main(*sys.argv[1:])
