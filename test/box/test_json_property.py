"""What Python's json.dumps prints by default, Tocsin's writer prints: byte for byte.

Random values are dumped in many spellings, read and printed by json_echo, and compared with
json.dumps(value). Doubles are compared by their bits (CONTRACT 8).
"""

import json
import os
import random
import struct
import subprocess

ECHO = os.path.abspath(os.path.join(os.environ.get("BUILD", "build"), "tool", "json_echo"))
SEED = 20190607
VALUES = 100_000
DOUBLES = 100_000

PIECES = (
    ["", "a", "message", "CPU load on web-1 is 97 %", " ", "/", "<b>&amp;</b>", "'", "0", "ud83d"]
    + ["é", "Zürich", "ÀÿŒ", "Ελλάδα", "日本語", "\u00a0", "\u2028", "\ufeff", "\uffff", "\ud7ff"]
    + ["🔥", "👩‍🚒", "\U00010000", "\U0010ffff", "e\u0301"]
    + ['"', "\\", "\\u0041", "\\\\", '\\"', "\b", "\f", "\n", "\r", "\t", "\x7f", "\x80", "\x00"]
    + [chr(c) for c in range(0x20)]
)
SPELLINGS = [
    {},
    {"ensure_ascii": False},
    {"separators": (",", ":")},
    {"separators": (" ,\t", " :  "), "ensure_ascii": False},
    {"separators": ("\r,", "\t:"), "ensure_ascii": False},
    {"indent": 3},
    {"indent": "\t", "ensure_ascii": False},
]


def random_text(rng):
    kind = rng.random()
    if kind < 0.6:
        return "".join(rng.choices(PIECES, k=rng.randrange(6)))
    if kind < 0.9:
        return "".join(map(chr, rng.choices(range(0x250), k=rng.randrange(12))))
    points = [rng.randrange(0x110000) for _ in range(rng.randrange(8))]
    return "".join(chr(c) for c in points if not 0xD800 <= c <= 0xDFFF)


def random_number(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randrange(-1000, 1000)
    if kind == 1:
        return rng.randrange(-(10**40), 10**40)
    if kind == 2:
        return rng.uniform(-1e6, 1e6)
    return rng.choice([0.0, -0.0, 1e16, 1e-5, 1.5e300, 5e-324, 0.1, -1.0])


def random_value(rng, depth=0):
    kind = rng.random()
    if depth < 5 and kind < (0.9 if depth == 0 else 0.25):
        count = rng.randrange(5) if rng.random() < 0.97 else rng.randrange(40)
        if rng.random() < 0.4:
            return [random_value(rng, depth + 1) for _ in range(count)]
        return {random_text(rng): random_value(rng, depth + 1) for _ in range(count)}
    if kind < 0.8:
        return random_text(rng)
    if kind < 0.93:
        return random_number(rng)
    return rng.choice([None, True, False])


def one_line(text):
    """Indentation without line ends, which are the tool's; in strings they are escaped."""
    return text.replace("\n", " ")


def double_of(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def special_bits():
    powers = [bits_of(2.0**e) for e in range(-1074, 1024)]
    borders = [bits_of(m * 10.0**e) for m in (1, 2, 5, 9.999999999999999)
               for e in [*range(-8, -2), *range(13, 24), -308, 308 if m == 1 else 300]]
    edges = [0, 1, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF,
             0x7FF0000000000000, 0x7FF8000000000000]
    near = [b + step for b in powers + borders for step in (-2, -1, 0, 1, 2)]
    return [b for b in near if b >= 0] + edges + [b | 1 << 63 for b in edges[:-1]]


def random_bits(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return rng.getrandbits(52) >> rng.randrange(52)  # denormals
    if kind == 1:
        return bits_of(rng.uniform(1e15, 1e17))
    if kind == 2:
        return bits_of(round(rng.uniform(-1e6, 1e6), rng.randrange(8)))
    if kind == 3:
        return bits_of(float(rng.getrandbits(rng.randrange(1, 70))))
    if kind == 4:
        return bits_of(10.0 ** rng.uniform(-7, 24))
    return rng.getrandbits(64)


def echo(lines):
    sent = "\n".join(lines) + "\n"
    done = subprocess.run([ECHO], input=sent.encode("utf-8"), stdout=subprocess.PIPE, check=True,
                          timeout=60)
    return done.stdout.decode("ascii").split("\n")[:-1]


def differences(sent, printed, expected):
    assert len(printed) == len(expected)
    return [row for row in zip(sent, printed, expected) if row[1] != row[2]]


def test_values_as_python_prints_them():
    rng = random.Random(SEED)
    values = [random_value(rng) for _ in range(VALUES)]
    sent = [one_line(json.dumps(value, **rng.choice(SPELLINGS))) for value in values]
    assert differences(sent, echo(sent), [json.dumps(value) for value in values]) == []


def test_doubles_as_python_prints_them():
    rng = random.Random(SEED)
    bits = special_bits() + [random_bits(rng) for _ in range(DOUBLES)]
    sent = [f"d{b:016x}" for b in bits]
    assert differences(sent, echo(sent), [json.dumps(double_of(b)) for b in bits]) == []


def test_repeated_keys_as_python_reads_them():
    rng = random.Random(SEED)
    sent, expected = [], []
    for _ in range(3000):
        keys = [rng.choice("abcdefghijklmnopé") for _ in range(rng.randrange(30))]
        text = "{" + ", ".join(f'{json.dumps(k)}: {i}' for i, k in enumerate(keys)) + "}"
        sent.append(text)
        expected.append(json.dumps(json.loads(text)))
    assert differences(sent, echo(sent), expected) == []
