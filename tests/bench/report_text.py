"""Results as a table for a terminal."""
from goals import judge
from measure import FIGURES

WIDTH = 34


def write(result):
    how = f"Medians of {result['rounds']} rounds of {result['seconds']:g} s; +- is half of the range."
    lines = [", ".join(f"{name} {value}" for name, value in result["about"].items()), how, ""]
    for key, case in result["cases"].items():
        lines += [*_table(key, case), *_goals(result["cases"], key), ""]
    return "\n".join(lines)


def _table(key, case):
    subjects = case["subjects"].values()
    present = [name for name in FIGURES if any(name in {**one["measured"], **one["counted"]} for one in subjects)]
    heads = (f" {FIGURES[name].title:>{_width(case, name)}}" for name in present)
    yield f"{case['title'] + ' (' + key + ')':<{WIDTH + 4}}" + "".join(heads)
    for name, subject in case["subjects"].items():
        cells = (f" {_cell(subject, figure):>{_width(case, figure)}}" for figure in present)
        calls = subject["counted"].get("calls_by_name", {})
        named = ", ".join(f"{call} {number:.2f}" for call, number in calls.items() if number >= 0.005)
        yield f"  {name:<{WIDTH + 2}}" + "".join(cells) + "  " + named


def _width(case, figure):
    return 15 if any(figure in subject["measured"] for subject in case["subjects"].values()) else 7


def _cell(subject, figure):
    decimals = FIGURES[figure].decimals
    if figure in subject["counted"]:
        return f"{subject['counted'][figure]:,.{decimals}f}"
    if figure not in subject["measured"]:
        return "-"
    value = subject["measured"][figure]
    spread = (value["high"] - value["low"]) / 2 / value["median"] if value["median"] else 0
    return f"{value['median']:,.{decimals}f} +-{spread:4.0%}"


def _goals(cases, key):
    for verdict in judge(cases, key):
        yield f"    {'met    ' if verdict.met else 'NOT MET'}  {verdict.text}"
