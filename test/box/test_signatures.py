"""Standard Webhooks, and the commands that sign and verify (CONTRACT §8, §11).

Signatures are verified here by Python's hmac, by Ed25519 written from its RFC (ed25519.py), and by
the libraries that receivers use, where npm can fetch them.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import time

import pytest

import ed25519
from gateway import PROGRAM, SLOW, run, webhook
from outgoing import DOWN, delivered, failed, pair
from receiver import sign
from test_config import faults, write  # pylint: disable=unused-import
from test_receive import receive  # pylint: disable=unused-import

HERE = os.path.dirname(__file__)
OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_" + base64.b64encode(bytes(range(64))).decode()
SEED = bytes(range(100, 132))
PRIVATE = "whsk_" + base64.b64encode(SEED).decode()
PRIVATE_WHOLE = "whsk_" + base64.b64encode(SEED + ed25519.public_key(SEED)).decode()
PUBLIC = "whpk_" + base64.b64encode(ed25519.public_key(SEED)).decode()

with open(os.path.join(HERE, "..", "vectors", "standard_webhooks.json"), encoding="ascii") as stream:
    VECTORS = json.load(stream)


def standard(*keys):
    return {"type": "standard-webhooks", "keys": list(keys)}


def decoded(key):
    return base64.b64decode(key.split("_", 1)[1], validate=True)


def content(request):
    headers = request.headers
    return ("%s.%s." % (headers["webhook-id"], headers["webhook-timestamp"])).encode() + request.body


def v1(key, signed):
    digest = hmac.new(decoded(key), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def is_v1a(public, signed, signature):
    version, text = signature.split(",", 1)
    data = base64.b64decode(text, validate=True)
    return version == "v1a" and ed25519.verify(decoded(public), signed, data)


def signatures(request):
    return request.headers["webhook-signature"].split(" ")


# The second implementation is right itself.

@pytest.mark.parametrize("vector", VECTORS, ids=[vector["source"] for vector in VECTORS])
def test_signatures_vectors(vector):
    """The vectors are what Python makes of them, and what their commands say."""
    signed = ("%(id)s.%(timestamp)s.%(body)s" % vector).encode()
    if "public" in vector:
        assert ed25519.public_key(decoded(vector["key"])[:32]) == decoded(vector["public"])
        assert is_v1a(vector["public"], signed, vector["signature"])
        assert not is_v1a(vector["public"], signed + b" ", vector["signature"])
    else:
        assert v1(vector["key"], signed) == vector["signature"]
    said = command("sign", "-k", vector["key"], "-i", vector["id"], "-t", vector["timestamp"],
                   body=vector["body"].encode())
    assert said.returncode == 0
    assert said.stdout.decode() == ("webhook-id: %(id)s\nwebhook-timestamp: %(timestamp)s\n"
                                    "webhook-signature: %(signature)s\n" % vector)


# What the gateway sends.

@pytest.mark.parametrize("key", [OLD, NEW], ids=["24 bytes", "64 bytes"])
def test_signatures_v1(make, key):
    """§8: v1 is the padded base64 of HMAC-SHA256 over id, timestamp and body."""
    gateway, receiver = pair(make, auth=standard(key))
    gateway.alert("critical", message="caf\u00e9 \U0001f600 \x7f", entity_id="e")
    gateway.alert("resolved", entity_id="e")
    for request in receiver.wait(2):
        assert signatures(request) == [v1(key, content(request))]
        assert "x-signature" not in request.headers and "authorization" not in request.headers


@pytest.mark.parametrize("key", [PRIVATE, PRIVATE_WHOLE], ids=["seed", "whole"])
def test_signatures_v1a(make, key):
    """§8: v1a is Ed25519; the key is a seed, or seed and public key."""
    gateway, receiver = pair(make, auth=standard(key))
    gateway.alert("critical", message="caf\u00e9 \U0001f600 \x7f")
    request = receiver.wait()[0]
    assert len(signatures(request)) == 1
    assert is_v1a(PUBLIC, content(request), signatures(request)[0])
    assert not is_v1a(PUBLIC, content(request) + b" ", signatures(request)[0])


def test_signatures_rotation(make):
    """§8: during a rotation old and new keys both verify, whatever their kinds."""
    gateway, receiver = pair(make, auth=standard(OLD, NEW, PRIVATE))
    gateway.alert("critical")
    request = receiver.wait()[0]
    first, second, third = signatures(request)
    assert first == v1(OLD, content(request))
    assert second == v1(NEW, content(request))
    assert is_v1a(PUBLIC, content(request), third)


def test_signatures_many_keys(make):
    """§8: as many keys as the configuration takes fit into one head."""
    keys = ["whsk_" + base64.b64encode(bytes([n] * 32)).decode() for n in range(16)]
    gateway, receiver = pair(make, auth=standard(*keys))
    gateway.alert("critical")
    assert len(set(signatures(receiver.wait()[0]))) == 16


@pytest.mark.parametrize("other", ["hmac", "basic"])
def test_signatures_together(make, other):
    """§8: beside hmac or basic each is there as it would be alone."""
    auth = {"hmac": {"type": "hmac", "key": "k"},
            "basic": {"type": "basic", "username": "u", "password": "p" * 1024}}[other]
    gateway, receiver = pair(make, auth=[auth, standard(OLD)])
    gateway.alert("critical")
    request = receiver.wait()[0]
    assert signatures(request) == [v1(OLD, content(request))]
    if other == "hmac":
        assert request.headers["x-signature"] == sign("k", request.body)
    else:
        expected = base64.b64encode(b"u:" + b"p" * 1024).decode()
        assert request.headers["authorization"] == "Basic " + expected


def test_signatures_time(make):
    """§8: the timestamp is the attempt's own, in whole seconds; the id stays."""
    gateway, receiver = pair(make, script=[DOWN], retry=["60s"] * 3, auth=standard(OLD))
    gateway.alert("critical")
    failed(gateway)
    gateway.advance(75)
    delivered(gateway)
    one, two = receiver.wait(2)
    times = [request.headers["webhook-timestamp"] for request in (one, two)]
    assert all(re.fullmatch(r"\d{10}", text) for text in times)
    first, second = map(int, times)
    assert abs(first - time.time()) < 5 * SLOW
    assert 75 <= second - first < 75 + 5 * SLOW
    assert one.id == two.id and one.body == two.body
    for request in (one, two):
        assert signatures(request) == [v1(OLD, content(request))]
    assert signatures(one) != signatures(two)


def test_signatures_time_is_the_wall_clock(make):
    """§8: a step of the wall clock shows at once: receivers compare with theirs."""
    gateway, receiver = pair(make, auth=standard(OLD))
    gateway.step(-3600)
    gateway.alert("critical")
    sent = int(receiver.wait()[0].headers["webhook-timestamp"])
    assert abs(sent - (time.time() - 3600)) < 5 * SLOW


def test_signatures_key_from_file(make):
    """§10: keys may stand in a file and in the environment, and be changed with a restart."""
    receiver = make.receiver()
    gateway = make.gateway(start=False, environment={"HOOK_KEY": PRIVATE}, webhooks=[
        webhook("ops", receiver.url(), auth=standard({"file": "hook.key"}, {"env": "HOOK_KEY"}))])
    path = os.path.join(gateway.directory, "hook.key")
    with open(path, "w", encoding="ascii") as file:
        file.write(OLD + "\n")
    gateway.start()
    gateway.alert("critical")
    request = receiver.wait()[0]
    assert signatures(request)[0] == v1(OLD, content(request))
    assert is_v1a(PUBLIC, content(request), signatures(request)[1])


# What the configuration refuses.

SECRET = "c2VjcmV0LXZhbHVl"
BAD = {
    "none": ([], "auth.keys"),
    "text": (OLD, "auth.keys"),
    "too_many": ([OLD] * 17, "auth.keys"),
    "prefix": (["whsek_" + SECRET * 2], "auth.keys[0]"),
    "no_prefix": ([SECRET * 2], "auth.keys[0]"),
    "short": ([OLD, "whsec_" + SECRET], "auth.keys[1]"),
    "long": (["whsec_" + SECRET * 8], "auth.keys[0]"),
    "base64": (["whsec_" + SECRET * 2 + "-_-_"], "auth.keys[0]"),
    "padding": (["whsec_" + SECRET * 2 + "YWI"], "auth.keys[0]"),
    "space": ([OLD, "whsec_" + SECRET * 2 + " "], "auth.keys[1]"),
    "private_length": (["whsk_" + SECRET * 3], "auth.keys[0]"),
    "private_halves": (["whsk_" + base64.b64encode(SEED + b"s" * 32).decode()], "auth.keys[0]"),
    "public": ([PUBLIC], "auth.keys[0]"),
    "number": ([5], "auth.keys[0]"),
    "environment": ([{"env": "TOCSIN_TEST_UNSET"}], "auth.keys[0]"),
}


@pytest.mark.parametrize("name", BAD)
def test_signatures_bad_keys(write, name):
    """§8, §10: a bad key is a fault at its place, which shows nothing of it."""
    keys, place = BAD[name]
    path = write(webhooks=[webhook("ops", "http://127.0.0.1:1/", auth={**standard(), "keys": keys})])
    found = faults(path)
    assert [key for *_, key, _ in found] and all(place in key for *_, key, _ in found), found
    done = run("check", "-c", path)
    for key in keys if isinstance(keys, list) else [keys]:
        if isinstance(key, str):
            assert key not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


HMAC = {"type": "hmac", "key": "k"}
BAD_LISTS = {
    "twice": [standard(OLD), standard(NEW)],
    "hmac_twice": [HMAC, standard(OLD), HMAC],
    "none_beside": [{"type": "none"}, standard(OLD)],
    "none_behind": [HMAC, {"type": "none"}],
    "none_twice": [{"type": "none"}, {"type": "none"}],
    "empty": [],
    "without_keys": [{"type": "standard-webhooks"}],
    "key": [{"type": "standard-webhooks", "key": OLD}],
    "keys_of_hmac": [{"type": "hmac", "keys": [OLD]}],
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_signatures_bad_lists(write, name):
    """§8: two of a type, none beside another, and keys where they do not belong."""
    found = faults(write(webhooks=[webhook("ops", "http://127.0.0.1:1/", auth=BAD_LISTS[name])]))
    assert any(".auth" in key for *_, key, _ in found), found


@pytest.mark.parametrize("header", ["webhook-id", "Webhook-Timestamp", "WEBHOOK-SIGNATURE",
                                    "X-SIGNATURE"])
def test_signatures_reserved_headers(write, header):
    """§8: a webhook's own headers may not replace what signs it."""
    hook = webhook("ops", "http://127.0.0.1:1/", headers={header: "x"})
    assert faults(write(webhooks=[hook]))


def test_signatures_not_logged(make):
    """§12: neither keys nor signatures are logged."""
    gateway, receiver = pair(make, script=[DOWN], auth=standard(OLD, PRIVATE))
    gateway.alert("critical")
    failed(gateway)
    text = b"\n".join(gateway.log.lines).decode() + gateway.complaints()
    for secret in [OLD, PRIVATE] + signatures(receiver.requests[0]):
        assert secret[-20:] not in text


# The commands.

def command(*arguments, body=b""):
    return subprocess.run([PROGRAM, *arguments], input=body, capture_output=True,
                          timeout=10 * SLOW, check=False)


def test_signatures_commands_agree(make):
    """§11: sign makes what the gateway sends; verify takes it, and nothing else."""
    gateway, receiver = pair(make, auth=[HMAC, standard(OLD, PRIVATE)])
    gateway.alert("critical", message="caf\u00e9")
    request = receiver.wait()[0]
    names = ("x-signature", "webhook-id", "webhook-timestamp", "webhook-signature")
    x_signature, number, moment, header = (request.headers[name] for name in names)
    said = command("sign", "-k", "k", "-k", OLD, "-k", PRIVATE, "-i", number, "-t", moment,
                   body=request.body)
    assert said.returncode == 0 and not said.stderr
    lines = dict(line.split(": ", 1) for line in said.stdout.decode().splitlines())
    assert {name.lower(): value for name, value in lines.items()} == {
        name: request.headers[name] for name in names}
    for key in (OLD, PRIVATE, PUBLIC):
        told = ("verify", "-k", key, "-i", number, "-t", moment, "-s", header)
        done = command(*told, body=request.body)
        assert (done.returncode, done.stdout) == (0, b"verified\n"), done
        done = command(*told, body=request.body + b"\n")
        assert (done.returncode, done.stdout) == (1, b"NOT verified\n"), done
    for body, code in ((request.body, 0), (request.body[1:], 1)):
        assert command("verify", "-k", "k", "-s", x_signature, body=body).returncode == code


@pytest.mark.parametrize("change", [
    {"-i": "other"}, {"-t": "1614265331"}, {"-k": NEW}, {"-k": PUBLIC},
    {"-s": "v1,"}, {"-s": "v1a,"}, {"-s": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}])
def test_signatures_verify_not(change):
    """§11: what is not as it was signed: NOT verified, exit code 1."""
    vector = VECTORS[0]
    given = {"-k": vector["key"], "-i": vector["id"], "-t": vector["timestamp"],
             "-s": "v1,AAAA " + vector["signature"]}
    for options, code in ((given, 0), ({**given, **change}, 1)):
        done = command("verify", *(word for pair in options.items() for word in pair),
                       body=vector["body"].encode())
        assert done.returncode == code, done
        assert done.stdout == (b"NOT verified\n" if code else b"verified\n")


def test_signatures_verify_rotation():
    """§11: one of several keys will do."""
    vector = VECTORS[0]
    done = command("verify", "-k", NEW, "-k", "k", "-k", vector["key"], "-i", vector["id"],
                   "-t", vector["timestamp"], "-s", vector["signature"],
                   body=vector["body"].encode())
    assert done.returncode == 0, done


def test_signatures_sign_fills_in(tmp_path):
    """§11: without -i and -t it is a new id and the time now; the body may be a file."""
    path = tmp_path / "body"
    path.write_bytes(b"\0\xff\n" * 100000)
    ids = set()
    for _ in range(2):
        lines = command("sign", "-k", NEW, str(path)).stdout.decode().splitlines()
        number, moment, signature = (line.split(": ", 1)[1] for line in lines)
        ids.add(number)
        assert abs(int(moment) - time.time()) < 5 * SLOW
        signed = ("%s.%s." % (number, moment)).encode() + path.read_bytes()
        assert signature == v1(NEW, signed)
        done = command("verify", "-k", NEW, "-i", number, "-t", moment, "-s", signature, str(path))
        assert done.returncode == 0
    assert len(ids) == 2


def test_signatures_sign_hmac_only():
    """§11: an hmac key makes X-SIGNATURE and nothing else; one line for each key."""
    done = command("sign", "-k", "one", "-k", "two", body=b"{}")
    assert done.stdout.decode() == "".join("X-SIGNATURE: %s\n" % sign(k, b"{}") for k in ("one", "two"))


@pytest.mark.parametrize("arguments", [
    ["sign"], ["sign", "-k"], ["sign", "-k", ""], ["sign", "-x", "-k", "k"],
    ["sign", "-k", "whsec_short"], ["sign", "-k", PUBLIC], ["sign", "-k", "k", "a", "b"],
    ["sign", "-k", OLD, "-t", "soon"], ["sign", "-k", OLD, "-t", "-1"],
    ["sign", "-k", OLD, "-i", "a.b"], ["sign", "-k", OLD, "-i", "a\r\nX: b"],
    ["sign", "-k", OLD, "-i", ""], ["sign", "-k", "k", "-s", "s"], ["sign"] + ["-k", "k"] * 17,
    ["verify"], ["verify", "-k", "k"], ["verify", "-s", "s"], ["verify", "-k", OLD, "-s", "s"],
    ["verify", "-k", OLD, "-s", "s", "-i", "i"], ["verify", "-k", "k", "-s", "s", "a", "b"],
    ["receive", "-p", "0", "-k", "whsec_short"]])
def test_signatures_usage(arguments):
    """§11: exit code 2 with a word on standard error, which shows no key."""
    done = command(*arguments)
    assert done.returncode == 2, done
    assert done.stderr and not done.stdout
    assert b"whsec_short" not in done.stderr


@pytest.mark.parametrize("name", ["sign", "verify"])
def test_signatures_no_such_file(name):
    """§11: a body that cannot be read is a failure, not a usage error; nothing is said of it."""
    done = command(name, "-k", "k", *(["-s", "s"] if name == "verify" else []), "/nonexistent/body")
    assert done.returncode == 1, done
    assert b"/nonexistent/body" in done.stderr and not done.stdout


@pytest.mark.parametrize("keys, expected", [
    ([OLD], True), ([PRIVATE], True), ([PUBLIC], True), ([NEW, PUBLIC], True), ([NEW], False),
    (["k"], True), (["other"], False), (["other", OLD], True)])
def test_signatures_receive(receive, make, keys, expected):
    """§11: receive verifies with keys of every kind; one that fits will do."""
    receiver = receive(*(word for key in keys for word in ("-k", key)))
    gateway = make.gateway(webhooks=[webhook("demo", receiver.url + "/hook",
                                             auth=[HMAC, standard(OLD, PRIVATE)])])
    gateway.alert("critical", message="caf\u00e9")
    delivered(gateway)
    assert receiver.verdicts(1) == [expected]


# The libraries that receivers use.

NODE = """
const {Webhook} = require(process.argv[1]);
const [key, headers, body] = JSON.parse(require("fs").readFileSync(0, "utf8"));
new Webhook(key).verify(Buffer.from(body, "base64"), headers);
console.log("verified");
"""


def fetch(package, directory):
    """Installs it there, or skips."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not there")
    try:
        done = subprocess.run(
            ["npm", "install", "--no-save", "--silent", "--ignore-scripts", "--no-audit",
             "--no-fund", "--fetch-retries=0", "--cache", os.path.join(directory, "cache"),
             "--prefix", directory, package], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not fetch %s within 60 s" % package)
    if done.returncode != 0:
        pytest.skip("npm cannot fetch " + package)


def accepts(package, directory, key, headers, body):
    text = json.dumps([key, headers, base64.b64encode(body).decode()])
    done = subprocess.run(["node", "-e", NODE, package], input=text, cwd=directory, text=True,
                          capture_output=True, timeout=30 * SLOW, check=False)
    assert (done.returncode == 0) == (done.stdout == "verified\n")
    assert done.returncode == 0 or "WebhookVerificationError" in done.stderr, done
    return done.returncode == 0


@pytest.mark.parametrize("package", ["standardwebhooks", "svix"])
def test_signatures_library(make, tmp_path, package):
    """§8: the receivers' own library takes a real delivery, and refuses a changed one."""
    fetch(package, str(tmp_path))
    gateway, receiver = pair(make, auth=standard(OLD, NEW, PRIVATE))
    gateway.alert("critical", message="caf\u00e9 \U0001f600 \x7f")
    request = receiver.wait()[0]
    for key in (OLD, NEW):
        assert accepts(package, tmp_path, key, request.headers, request.body)
    assert not accepts(package, tmp_path, OLD, request.headers, request.body + b" ")
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    assert not accepts(package, tmp_path, other, request.headers, request.body)
