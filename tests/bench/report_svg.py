"""Results as a chart of bars: what a request costs in each case, for each server. Bars of one case share a scale.

It brings its own background, which follows what the reader prefers: a page of another colour around it does no harm.
"""
from xml.sax.saxutils import escape

from goals import OURS, value_of

COLUMNS, WIDTH, MARGIN, GAP = 2, 410, 20, 28
ROW, BAR, HEAD, TOP, BETWEEN = 17, 11, 24, 52, 14
NAME, VALUE = 62, 46  # widths of what stands beside a bar

STYLE = """
    .paper { fill: #ffffff } text { fill: #1f2328; font: 12px system-ui, sans-serif }
    .title { font-size: 15px; font-weight: 600 } .case { font-weight: 600 } .note, .value { fill: #59636e }
    .value { font-variant-numeric: tabular-nums } .name { text-anchor: end }
    rect.bar { fill: #b6bfc9 } rect.floor { fill: #dde2e7 } rect.retinue { fill: #0969da } .ours { font-weight: 600 }
    @media (prefers-color-scheme: dark) {
        .paper { fill: #0d1117 } text { fill: #e6edf3 } .note, .value { fill: #9198a1 }
        rect.bar { fill: #4d5763 } rect.floor { fill: #2c333b } rect.retinue { fill: #4493f8 }
    }
"""


def charted(cases):
    """Those that have a floor."""
    return {key: case for key, case in cases.items() if value_of(case, "floor", "cpu_us") is not None}


def write(result):
    placed, depths = [], [TOP] * COLUMNS
    for height, text in map(_panel, charted(result["cases"]).values()):
        column = depths.index(min(depths))
        placed.append(f'<g transform="translate({MARGIN + column * (WIDTH + GAP)} {depths[column]})">\n{text}</g>')
        depths[column] += height + BETWEEN
    depth = max(depths)
    width, about = 2 * MARGIN + COLUMNS * WIDTH + (COLUMNS - 1) * GAP, result["about"]
    note = f"{about['machine']}, {about['system']}, {about['date']}; shorter is better"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {depth}" width="{width}" height="{depth}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{depth}" rx="6"/>',
        f'<text class="title" x="{MARGIN}" y="26">CPU microseconds per request</text>',
        f'<text class="note" x="{MARGIN}" y="42">{escape(note)}</text>',
        *placed, "</svg>", ""])


def _panel(case):
    """Its height, and what is in it."""
    values = {name: value_of(case, name, "cpu_us") for name in case["subjects"]}
    values = {name: value for name, value in values.items() if value is not None}
    most = max(values.values())
    lines = [f'<text class="case" y="14">{escape(case["title"])}</text>\n']
    for number, (name, value) in enumerate(values.items()):
        y, length = HEAD + number * ROW, max(1, value / most * (WIDTH - NAME - VALUE))
        ours = " ours" if name == OURS else ""
        lines += [f'<text class="name{ours}" x="{NAME - 6}" y="{y + BAR - 1}">{escape(name)}</text>',
                  f'<rect class="bar {name}" x="{NAME}" y="{y}" width="{length:.1f}" height="{BAR}" rx="1.5"/>',
                  f'<text class="value{ours}" x="{NAME + length + 6:.1f}" y="{y + BAR - 1}">{value:.2f}</text>\n']
    return HEAD + len(values) * ROW, "".join(lines)
