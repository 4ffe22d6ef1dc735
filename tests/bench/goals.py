"""Goals, judged by results."""
import dataclasses

OURS = "retinue"
UNITS = {"cpu_us": "CPU us", "per_second": "a second", "calls": "calls", "instructions": "instructions",
         "each_bytes": "bytes each", "idle_cpu_us": "CPU us a second", "p50_us": "us (p50)", "p99_us": "us (p99)",
         "resident_kib": "KiB"}


@dataclasses.dataclass(frozen=True)
class Verdict:
    text: str
    value: float
    met: bool


def value_of(case, name, figure):
    """What was found, or None."""
    subject = case["subjects"].get(name, {"measured": {}, "counted": {}})
    if figure in subject["measured"]:
        return subject["measured"][figure]["median"]
    return subject["counted"].get(figure)


def judge(results, key):
    """The verdicts on those goals of a case of which all was measured."""
    return list(filter(None, (_judge(results, key, goal) for goal in results[key]["goals"])))


def _judge(results, key, goal):
    value = value_of(results[key], OURS, goal["figure"])
    base = 1
    if goal["of"] or goal["case"]:
        other = results.get(goal["case"] or key)
        base = other and value_of(other, goal["of"] or OURS, goal["figure"])
    if value is None or base is None:
        return None
    value /= base
    limit, unit = goal["limit"], UNITS[goal["figure"]]
    against = f" times {goal['of'] or goal['case']}" if goal["of"] or goal["case"] else ""
    text = f"{unit}{against}: {value:,.4g}, goal at {'least' if goal['least'] else 'most'} {limit:,.10g}"
    return Verdict(text, value, value >= limit if goal["least"] else value <= limit)
