"""Every command: its help, its exit codes, its complaints. CONTRACT §11."""
import json
import os
import re
import signal
import subprocess

import pytest

from gateway import KEY, PROGRAM, SLOW, configuration, run

COMMANDS = ["run", "check", "key", "sign", "verify", "receive", "try", "dump", "backup", "incidents",
            "incident", "deliveries", "replay", "status", "version", "help"]


def listed():
    return re.findall(r"^  ([a-z]+) +(\S.*)$", run("help").stdout, re.MULTILINE)


def options(command):
    """What the help of a command says of its options: (short or "", long, argument or "")."""
    return re.findall(r"^  (?:-(\w), |    )--([\w-]+)(?: ([A-Z]+))? ", run("help", command).stdout,
                      re.MULTILINE)


def complaint(done):
    """The one line of a usage error."""
    assert done.returncode == 2 and done.stdout == "", done
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
    return done.stderr


def test_commands_list():
    """`help` and --help list every command with a word on each."""
    done = run("help")
    assert done.returncode == 0 and not done.stderr
    assert [name for name, _ in listed()] == COMMANDS
    assert all(len(words) > 8 and not words.endswith(".") for _, words in listed())
    assert run("--help").stdout == run("-h").stdout == done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_help(command):
    """`help COMMAND` and `COMMAND --help`: usage, sentences, a line for each option."""
    done = run("help", command)
    assert done.returncode == 0 and not done.stderr
    usage, sentences = re.fullmatch(r"usage: tocsin %s((?:.|\n )*)\n\n([A-Z](?:.|\n)*)" % command,
                                    done.stdout).groups()
    assert len(sentences) > 20
    assert max(map(len, done.stdout.splitlines())) <= 80
    for short, name, argument in options(command):
        spelled = "-" + short if short else "--" + name
        assert re.search(r"(^|[\[| ])%s\b" % " ".join(filter(None, [spelled, argument])), usage), name
    assert run(command, "--help").stdout == done.stdout
    assert run(command, "whatever", "--help").stdout == done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_usage(command):
    """Unknown options, missing values and superfluous arguments: 2, and one line that says which."""
    assert "--nonsense is not an option here" in complaint(run(command, "--nonsense"))
    assert "-Z is not an option here" in complaint(run(command, "-Z"))
    assert "tocsin help " + command in complaint(run(command, "--nonsense"))
    complaint(run(command, *["x"] * 9))
    for short, name, argument in options(command):
        if argument:
            assert "--%s needs a value" % name in complaint(run(command, "--" + name))
        else:
            assert "--%s takes no value" % name in complaint(run(command, "--%s=1" % name))
        if short and argument:
            assert "--%s needs a value" % name in complaint(run(command, "-" + short))


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_options_are_known(command):
    """What the help lists, the command takes: it complains of the value or of what comes behind."""
    for short, name, argument in options(command):
        for spelled in filter(None, ["-" + short if short else "", "--" + name]):
            words = [spelled] + ["1"] * bool(argument) + ["--nonsense"]
            assert "%s is not an option" % spelled not in complaint(run(command, *words))


@pytest.mark.parametrize("arguments", [[], ["explode"], ["--nonsense"], ["help", "explode"]])
def test_commands_unknown(arguments):
    """No such command: 2, and where to look."""
    assert "tocsin help lists them" in complaint(run(*arguments)) or not arguments


@pytest.mark.parametrize("arguments", [
    ["check", "-c", "/nonexistent"], ["run", "-c", "/nonexistent"],
    ["sign", "-k", "k", "/nonexistent"], ["verify", "-k", "k", "-s", "s", "/nonexistent"],
    ["verify", "-k", "k", "-s", "wrong", "/dev/null"]])
def test_commands_failure(arguments):
    """What was understood and failed: 1."""
    assert run(*arguments).returncode == 1


def printing(tmp_path):
    """Commands that succeed, and print something."""
    (tmp_path / "tocsin.json").write_text("{}")
    (tmp_path / "body").write_text("body")
    signed = run("sign", "-k", "k", str(tmp_path / "body")).stdout.split(": ")[1].strip()
    return [["help"], ["run", "--help"], ["version"], ["key", "hmac"], ["check", "-c", str(tmp_path / "tocsin.json")],
            ["sign", "-k", "k", str(tmp_path / "body")],
            ["verify", "-k", "k", "-s", signed, str(tmp_path / "body")]]


def test_commands_output_is_lost(tmp_path):
    """What cannot be printed is told, and 1: on a full disk, and where there is no output."""
    for arguments in printing(tmp_path):
        assert run(*arguments).returncode == 0, arguments
        for to, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
            done = subprocess.run(["sh", "-c", 'exec "$@" ' + to, "sh", PROGRAM, *arguments],
                                  capture_output=True, text=True, timeout=10 * SLOW, check=False)
            assert done.returncode == 1, (arguments, to)
            assert done.stderr == "tocsin: standard output: %s\n" % why


def much(tmp_path):
    """A command that prints more than is held back until its end."""
    (tmp_path / "tocsin.json").write_text(json.dumps(configuration(str(tmp_path))))
    (tmp_path / "body").write_text(json.dumps({"message": "m", "alert_type": "info", "payload": ["x" * 20000]}))
    return ["try", "-c", str(tmp_path / "tocsin.json"), "-k", KEY, "--json", str(tmp_path / "body")]


def test_commands_much_output_is_lost(tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, *much(tmp_path)], stdout=full, stderr=subprocess.PIPE,
                              timeout=10 * SLOW, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"tocsin: standard output: ") and done.stderr.count(b"\n") == 1


def test_commands_output_is_not_wanted(tmp_path):
    """A reader that has gone is no failure: the signal ends it, or nothing is said."""
    for arguments in (["help"], much(tmp_path)):
        for trap, code in (("", -signal.SIGPIPE), ("trap '' PIPE; ", 0)):
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run(["sh", "-c", trap + 'exec "$@"', "sh", PROGRAM, *arguments], stdout=writer,
                                  stderr=subprocess.PIPE, timeout=10 * SLOW, check=False)
            os.close(writer)
            assert (done.returncode, done.stderr) == (code, b""), arguments


def test_commands_closed_input():
    """No input is not an empty one."""
    done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", PROGRAM, "sign", "-k", "k"],
                          capture_output=True, text=True, timeout=10 * SLOW, check=False)
    assert done.returncode == 1
    assert done.stderr == "tocsin sign: standard input: Bad file descriptor\n"


def test_commands_usual_configuration(tmp_path):
    """Without -c it is conf/tocsin.json of the working directory."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tocsin.json").write_text('{"nonsense": 1}')
    done = run("check", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("conf/tocsin.json:1:2: nonsense: ")
