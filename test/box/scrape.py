"""A scrape of /metrics, read strictly: every sample belongs to a family whose HELP and TYPE stand
right before it, no series comes twice, buckets add up."""

import re

SAMPLE = re.compile(r"([a-z_]+)(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?)")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)')
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def unescape(value):
    return re.sub(r'\\(.)', lambda match: "\n" if match[1] == "n" else match[1], value)


def read_labels(text):
    found, at = {}, 0
    while at < len(text or ""):
        match = LABEL.match(text, at)
        assert match and match[1] not in found, "not labels: %r" % text
        found[match[1]] = unescape(match[2])
        at = match.end()
    return found


class Scrape:
    def __init__(self, text):
        self.text = text
        self.types = {}
        self.series = {}   # (name, labels as a frozenset of pairs) -> value
        self.families = {} # of a series' name -> family
        lines = iter(text.splitlines())
        family = None
        for line in lines:
            if line.startswith("# HELP "):
                family = line.split(" ", 3)[2]
                assert family not in self.types and len(line.split(" ", 3)[3]) > 5, line
                kind = next(lines).split(" ")
                assert kind[:3] == ["#", "TYPE", family], kind
                self.types[family] = kind[3]
            else:
                self.add(family, line)
        self.check_histograms()

    def add(self, family, line):
        match = SAMPLE.fullmatch(line)
        assert match, "not a sample: %r" % line
        suffix = match[1][len(family):]
        wanted = ("_bucket", "_sum", "_count") if self.types[family] == "histogram" else ("",)
        assert match[1].startswith(family) and suffix in wanted, "%s in %s" % (line, family)
        key = (match[1], frozenset(read_labels(match[2]).items()))
        assert key not in self.series, "twice: %s" % line
        self.series[key] = float(match[3]) if "." in match[3] else int(match[3])
        self.families[match[1]] = family

    def check_histograms(self):
        ranges = {}
        for (name, labels), value in self.series.items():
            if name.endswith("_bucket"):
                labels = dict(labels)
                bound = float(labels.pop("le").replace("+Inf", "inf"))
                ranges.setdefault((name[:-7], frozenset(labels.items())), []).append((bound, value))
        for (name, labels), buckets in ranges.items():
            values = [value for _, value in sorted(buckets)]
            assert values == sorted(values), "%s %s: %s" % (name, labels, values)
            assert values[-1] == self.series[name + "_count", labels]
            assert (name + "_sum", labels) in self.series

    def get(self, name, **labels):
        """The value of one series, named without its prefix, which must exist."""
        key = ("tocsin_" + name, frozenset((k, str(v)) for k, v in labels.items()))
        assert key in self.series, "no %s %s" % key
        return self.series[key]

    def all(self, name, **labels):
        """Every series of that name which has these labels: the others' values -> value."""
        want = {(k, str(v)) for k, v in labels.items()}
        found = {}
        for (series, have), value in self.series.items():
            if series == "tocsin_" + name and want <= have:
                rest = tuple(v for _, v in sorted(have - want))
                found[rest[0] if len(rest) == 1 else rest] = value
        return found


def scrape(gateway, headers=()):
    answer = gateway.get("/metrics", headers)
    assert answer.status == 200, answer
    assert answer.header("Content-Type") == PLAIN
    return Scrape(answer.body.decode())
