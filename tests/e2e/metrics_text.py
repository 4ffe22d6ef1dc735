"""Reads metrics strictly: the text format 0.0.4 of Prometheus, by the letter, and the JSON of the same."""
import json
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
TEXT = r'"(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}={TEXT}(?:,{LABEL}={TEXT})*)\}})? (\S+)")
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\[\\n])+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
VALUE = re.compile(r"-?[0-9]+(\.[0-9]+)?")
SUFFIXES = ("_bucket", "_sum", "_count")


class Family:
    def __init__(self, name, text):
        self.name = name
        self.help = text
        self.kind = None
        self.samples = {}  # (name, labels as sorted pairs) -> value


def unescape(text):
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)


def read_labels(text):
    pairs = [(name, unescape(value[1:-1])) for name, value in re.findall(rf"({LABEL})=({TEXT})", text or "")]
    assert len({name for name, _ in pairs}) == len(pairs), f"a label twice: {text}"
    return tuple(sorted(pairs))


def add_sample(family, line):
    match = SAMPLE.fullmatch(line)
    assert match, f"no sample: {line!r}"
    names = [family.name + suffix for suffix in SUFFIXES] if family.kind == "histogram" else [family.name]
    assert match[1] in names, f"{line!r} in family {family.name} ({family.kind})"
    key = (match[1], read_labels(match[2]))
    assert key not in family.samples, f"twice: {line!r}"
    assert VALUE.fullmatch(match[3]), f"no number: {line!r}"
    family.samples[key] = float(match[3])


def check_histogram(family):
    series = {}
    for (name, labels), value in family.samples.items():
        bare = tuple(pair for pair in labels if pair[0] != "le")
        assert (len(bare) < len(labels)) == name.endswith("_bucket"), (name, labels)
        series.setdefault(bare, {})[name[len(family.name):], dict(labels).get("le")] = value
    for labels, values in series.items():
        buckets = [(math.inf if le == "+Inf" else float(le), value) for (name, le), value in values.items() if name == "_bucket"]
        assert buckets == sorted(buckets) and len(buckets) > 2, (family.name, labels, buckets)
        assert [value for _, value in buckets] == sorted(value for _, value in buckets), (family.name, labels, buckets)
        assert buckets[-1] == (math.inf, values["_count", None]), (family.name, labels)
        assert ("_sum", None) in values and len(values) == len(buckets) + 2, (family.name, labels)


def check_family(family):
    assert family.samples and family.kind, family.name
    assert (family.kind == "counter") == family.name.endswith("_total"), family.name
    assert family.kind == "gauge" or all(value >= 0 for value in family.samples.values()), family.name
    if family.kind == "histogram":
        check_histogram(family)


def parse(text):
    """The families by name: HELP, then TYPE, then samples of nothing else; each family once."""
    families = {}
    family = None
    assert text.endswith("\n") and "\r" not in text
    for line in text[:-1].split("\n"):
        begins, kind = HELP.fullmatch(line), TYPE.fullmatch(line)
        if begins:
            assert begins[1] not in families, f"a family twice: {line!r}"
            family = families[begins[1]] = Family(begins[1], unescape(begins[2]))
        elif kind:
            assert family and kind[1] == family.name and family.kind is None and not family.samples, line
            family.kind = kind[2]
        else:
            assert family and family.kind, f"a sample without a type: {line!r}"
            add_sample(family, line)
    for family in families.values():
        check_family(family)
    return families


class Metrics:
    """What was read: value("name", label="x") of one sample, 0 when it is not there."""

    def __init__(self, text):
        self.text = text
        self.families = parse(text)

    def value(self, name, suffix="", **labels):
        family = self.families.get(name)
        return family.samples.get((name + suffix, tuple(sorted(labels.items()))), 0) if family else 0

    def labels(self, name):
        return [dict(labels) for _, labels in self.families[name].samples] if name in self.families else []


class Servers:
    """The same from JSON: at("get", "connections.open"), route("get", "/x")."""

    def __init__(self, text):
        self.all = json.loads(text)

    def server(self, name):
        (found,) = [server for server in self.all["servers"] if server["name"] == name]
        return found

    def at(self, server, path):
        value = self.server(server)
        for name in path.split("."):
            value = value[name]
        return value

    def route(self, server, name):
        (found,) = [route for route in self.server(server)["routes"] if route["route"] == name]
        return found
