"""Results as a part of README.md: one table, and where others are better."""
import re

from goals import OURS, value_of

BEGIN, END = "<!-- made by scripts/bench --readme -->", "<!-- end of what scripts/bench made -->"
FIGURES = (("cpu_us", "{:.2f}"), ("each_bytes", "{:,.0f} B"))  # what a row tells: the first that is there
CHART = "![What a request costs each server, as bars](tests/bench/speed.svg)"
FLOOR = "floor"
COLUMNS = (FLOOR, OURS, "nginx", "h2o", "lighttpd")


def write(result):
    cases = [case for case in result["cases"].values() if _figure(case) and _matters(case)]
    head = [f"| | {' | '.join(COLUMNS)} | a second |", "|---" + "|---:" * (len(COLUMNS) + 1) + "|"]
    lines = [BEGIN, "", CHART, "", *head]
    lines += [_row(case) for case in cases]
    lines += ["", _better(cases), "", _how(result), "", END]
    return "\n".join(lines)


def replace(text, result):
    """README.md with its part made anew."""
    made, count = re.subn(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: write(result), text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"README.md has no part that begins with {BEGIN}")
    return made


def _matters(case):
    return case["goals"] or FLOOR in case["subjects"]


def _figure(case):
    return next(((name, form) for name, form in FIGURES if value_of(case, OURS, name) is not None), None)


def _row(case):
    figure, form = _figure(case)
    values = {name: value_of(case, name, figure) for name in COLUMNS}
    least = min((value for name, value in values.items() if value is not None and name != FLOOR), default=None)
    company = sum(value is not None for value in values.values()) > 1
    cells = []
    for name, value in values.items():
        cell = "" if value is None else form.format(value)
        cells.append(f"**{cell}**" if company and value == least and name != FLOOR else cell)
    rate = value_of(case, OURS, "per_second")
    return f"| {case['title']} | {' | '.join(cells)} | {f'{rate:,.0f}' if rate else ''} |"


def _better(cases):
    found = []
    for case in cases:
        figure, _ = _figure(case)
        ours = value_of(case, OURS, figure)
        others = {name: value_of(case, name, figure) for name in COLUMNS if name not in (OURS, FLOOR)}
        lower = {name: value for name, value in others.items() if value is not None and value < ours}
        less = [f"{name} {1 - value / ours:.0%}" for name, value in lower.items()]
        found += [f"{case['title']} ({', '.join(less)})"] if less else []
    return f"Others need less for: {'; '.join(found)}." if found else "None of the others needs less for any of these."


def _how(result):
    about = result["about"]
    versions = ", ".join(f"{name} {about[name]}" for name in (*COLUMNS[1:], "wrk") if name in about)
    return (f"Medians of {result['rounds']} rounds of {result['seconds']:g} s on {about['date']}: {about['machine']}, "
            f"{about['memory']}, {about['system']}, Linux {about['kernel']}; {versions}.")
