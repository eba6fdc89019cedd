"""What `make install` puts where, and that it is good: manual, units, completion. CONTRACT §11."""
import ctypes
import json
import os
import re
import shutil
import signal
import stat
import subprocess

import pytest

from gateway import BUILD, PROGRAM, run, until, webhook

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MODES = {"bin/tocsin": 0o755, "share/man/man8/tocsin.8": 0o644,
         "share/man/man5/tocsin.json.5": 0o644, "lib/systemd/system/tocsin.service": 0o644,
         "lib/systemd/system/tocsin.socket": 0o644, "lib/sysusers.d/tocsin.conf": 0o644,
         "share/bash-completion/completions/tocsin": 0o644, "share/doc/tocsin/README": 0o644,
         "share/doc/tocsin/CHANGES": 0o644, "share/doc/tocsin/tocsin.json": 0o644}
EXPOSURE = 1.5  # of 10, as systemd-analyze counts it

plain = pytest.mark.skipif("address" in BUILD, reason="what is installed is no sanitizer's build")


def tool(name):
    return pytest.mark.skipif(not shutil.which(name), reason="there is no " + name)


def make(*arguments):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    subprocess.run(["make", "-s", "BUILD=" + BUILD, *arguments], cwd=ROOT, check=True,
                   env=environment, stdout=subprocess.DEVNULL)


def files(directory):
    return {os.path.relpath(os.path.join(place, name), directory)
            for place, _, names in os.walk(directory) for name in names}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A DESTDIR with everything below PREFIX=/opt/tocsin."""
    directory = tmp_path_factory.mktemp("dest")
    make("install", "DESTDIR=%s" % directory, "PREFIX=/opt/tocsin")
    return directory


@plain
def test_install_and_uninstall(tmp_path):
    """Every file in its place, whatever the umask; all go again, and nothing else does."""
    before = os.umask(0o077)
    try:
        make("install", "DESTDIR=%s" % tmp_path, "PREFIX=/usr")
    finally:
        os.umask(before)
    there = files(tmp_path / "usr")
    assert set(MODES) <= there, set(MODES) - there
    for name in there:
        mode = stat.S_IMODE(os.stat(tmp_path / "usr" / name).st_mode)
        assert mode == MODES.get(name, 0o644), name
    done = subprocess.run([tmp_path / "usr/bin/tocsin", "version"], capture_output=True, check=True)
    assert done.stdout == run("version").stdout.encode()
    own = tmp_path / "usr/share/man/man8/other.8"
    own.write_text("x")
    make("uninstall", "DESTDIR=%s" % tmp_path, "PREFIX=/usr")
    assert files(tmp_path) == {"usr/share/man/man8/other.8"}
    assert not os.path.exists(tmp_path / "usr/share/doc/tocsin")


@plain
def test_install_sample(installed):
    """The sample that is installed is good."""
    sample = installed / "opt/tocsin/share/doc/tocsin/tocsin.json"
    assert run("check", "-c", str(sample)).returncode == 0


# The manual.

def page(name):
    """A page as text, without what makes letters bold."""
    path = os.path.join(BUILD, "man", name)
    done = subprocess.run(["mandoc", "-T", "utf8", path], capture_output=True, text=True, check=True)
    return re.sub(r"\s+", " ", re.sub(".\b", "", done.stdout))


@tool("mandoc")
@pytest.mark.parametrize("name", ["tocsin.8", "tocsin.json.5"])
def test_manual_is_clean(name):
    """mandoc's lint finds nothing, but for pages of others that may not be installed here."""
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", os.path.join(BUILD, "man", name)],
                          capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert not found, "\n".join(found)


@tool("mandoc")
def test_manual_has_every_command():
    """What `help` says of a command stands in the page: usage, sentences, options."""
    text = page("tocsin.8")
    commands = re.findall(r"^  ([a-z]+) +\S", run("help").stdout, re.MULTILINE)
    assert len(commands) >= 15
    for command in commands:
        said = run("help", command).stdout
        usage, *paragraphs = said.split("\n\n")
        if "  -" in paragraphs[-1]:
            options = paragraphs.pop()
            for short, name, argument in re.findall(
                    r"^  (?:-(\w), |    )--([\w-]+)(?: ([A-Z]+))? ", options, re.MULTILINE):
                words = ("-%s, " % short if short else "") + "--" + name + " " * bool(argument) + argument
                assert words in text, (command, words)
        assert re.sub(r"\s+", " ", usage[len("usage: "):]) in text, usage
        for paragraph in paragraphs:
            assert re.sub(r"\s+", " ", paragraph).strip() in text, paragraph


def options(value, path=""):
    """Every key of the sample."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path, key, inner
            yield from options(inner, path + "." * bool(path) + key)
    elif isinstance(value, list):
        for inner in value:
            yield from options(inner, path)


@tool("mandoc")
def test_manual_has_every_option():
    """Each key of the sample stands in its section, with its default."""
    with open(os.path.join(ROOT, "conf", "tocsin.json"), encoding="utf-8") as file:
        text = re.sub(r"(?m)^\s*//.*$|\s//\s.*$", "", file.read())
    sample = json.loads(text)
    with open(os.path.join(BUILD, "man", "tocsin.json.5"), encoding="utf-8") as file:
        sections = dict(part.split("\n", 1) for part in file.read().split(".Ss ")[1:])
    seen = 0
    for section, key, value in options(sample):
        if section.endswith("headers"):
            continue
        rows = sections[section or "The file"].split(".It Ic ")
        row = next((row for row in rows if row.split("\n", 1)[0] == key), None)
        assert row, (section, key)
        if not section.endswith("auth"):  # whose keys depend on its type
            assert re.search(r"^(Default:|Required\.$)", row, re.MULTILINE), row
        if not isinstance(value, (dict, list)) and "Default:" in row:
            assert "Default: %s\n" % json.dumps(value) in row + "\n", row
        seen += 1
    assert seen > 60


def test_manual_has_the_language_of_rules():
    """Every operator of conditions and every action, as the program's tables have them."""
    with open(os.path.join(BUILD, "man", "tocsin.json.5"), encoding="utf-8") as file:
        text = file.read()
    for name, pattern in (("comparison.c", r'^\t\{"(\w+)", holds_'), ("action.c", r'^\t\{"(\w+)", read_')):
        with open(os.path.join(ROOT, "proto", name), encoding="utf-8") as file:
            words = re.findall(pattern, file.read(), re.MULTILINE)
        assert len(words) >= 14
        for word in words:
            assert re.search(r"^\.It Ic .*\b%s\b" % word, text, re.MULTILINE), word


# The units.

@plain
@tool("systemd-analyze")
def test_units_are_good(installed, tmp_path):
    """The service manager understands all of them; the program is where the unit looks for it."""
    units = installed / "opt/tocsin/lib/systemd/system"
    text = (units / "tocsin.service").read_text()
    assert re.search("^ExecStart=/opt/tocsin/bin/tocsin run ", text, re.MULTILINE)
    (tmp_path / "tocsin.service").write_text(text.replace("=/opt", "=%s/opt" % installed))
    shutil.copy(units / "tocsin.socket", tmp_path)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / "tocsin.service",
                           tmp_path / "tocsin.socket"], capture_output=True, text=True, check=False)
    found = [line for line in done.stderr.splitlines() if "tocsin" in line]
    assert done.returncode == 0 and not found, done.stderr


@tool("systemd-analyze")
def test_units_exposure():
    """How much of the machine the service could reach."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=%d" % (EXPOSURE * 10),
         os.path.join(ROOT, "conf", "tocsin.service")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert float(re.search(r"exposure level for tocsin.service: ([\d.]+)", done.stdout)[1]) <= EXPOSURE


def setting(name):
    with open(os.path.join(ROOT, "conf", "tocsin.service"), encoding="ascii") as file:
        return re.findall("^%s=(.*)$" % name, file.read(), re.MULTILINE)


def calls(group):
    """The system calls of a group of systemd's, or the call itself."""
    if not group.startswith("@"):
        return {group}
    done = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True,
                          text=True, check=True)
    words = [line.strip() for line in done.stdout.splitlines()[1:]]
    return set().union(*(calls(word) for word in words if word and not word.startswith("#")))


def allowed():
    """What the unit's SystemCallFilter leaves."""
    first, *others = setting("SystemCallFilter")
    names = set().union(*map(calls, first.split())) | calls("@default")
    for other in others:
        assert other.startswith("~")
        names -= set().union(*map(calls, other[1:].split())) - calls("@default")
    return names


def confine(library, names):
    """In the child, before it becomes the gateway: every other system call kills it."""
    kill, allow = 0x80000000, 0x7fff0000
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(kill))
    for name in names:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # there are such calls here
            assert library.seccomp_rule_add(context, ctypes.c_uint32(allow), number, 0) == 0
    assert library.seccomp_load(context) == 0


@plain
@tool("systemd-analyze")
def test_units_system_calls(make_confined):
    """The gateway runs under the unit's filter, in which any other call would be its end."""
    gateway, receiver = make_confined
    gateway.opened(entity_id="e")
    receiver.wait(1)
    gateway.send("resolved", entity_id="e")
    receiver.wait(2)
    gateway.signal(signal.SIGHUP)
    assert gateway.get("/api/incidents").status == 200
    until(lambda: run("backup", gateway.data, gateway.directory + "/copy").returncode == 0)
    gateway.restart()
    assert gateway.opened(entity_id="e")["incident_number"] == 2
    gateway.stop()


@pytest.fixture
def make_confined(request, monkeypatch):
    fixture = request.getfixturevalue("make")
    library = ctypes.CDLL("libseccomp.so.2")
    names = sorted(allowed())
    assert "execve" in names and "reboot" not in names and "setuid" not in names
    start = subprocess.Popen
    monkeypatch.setattr("gateway.subprocess.Popen", lambda *words, **more: start(
        *words, **more, **({"preexec_fn": lambda: confine(library, names)} if "run" in words[0] else {})))
    receiver = fixture.receiver()
    return fixture.gateway(webhooks=[webhook("ops", receiver.url())]), receiver


def test_units_agree_with_the_program():
    """What the unit grants is what the program asks for."""
    assert setting("LimitNOFILE") == ["65536"] and setting("LimitCORE") == ["0"]
    assert setting("Type") == ["notify"] and setting("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    with open(os.path.join(ROOT, "conf", "tocsin.json"), encoding="utf-8") as file:
        drain = int(re.search(r'"drain": "(\d+)s"', file.read())[1])
    assert int(setting("TimeoutStopSec")[0].rstrip("s")) >= drain + 4


# Completion.

COMPLETE = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_tocsin
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words):
    script = os.path.join(ROOT, "conf", "tocsin.bash")
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", script, PROGRAM, *words], text=True,
                          capture_output=True, check=True, cwd=ROOT)
    assert not done.stderr
    return done.stdout.split()


def test_completion():
    """Of commands, options, words that a command wants, files."""
    commands = re.findall(r"^  ([a-z]+) +\S", run("help").stdout, re.MULTILINE)
    assert complete("") == complete("help", "") == commands
    assert complete("re") == ["receive", "replay"]
    for command in commands:
        said = run("help", command).stdout
        wanted = re.findall(r"(?m)^  (?:    |(-\w), )(--[\w-]+)", said)
        assert complete(command, "-") == [word for pair in wanted for word in pair if word]
    assert complete("key", "h") == ["hmac"]
    assert complete("incident", "7", "") [:2] == ["ack", "resolve"]
    assert complete("check", "-c", "conf/tocsin.ba") == ["conf/tocsin.bash"]
    assert complete("nonsense", "-") == []
