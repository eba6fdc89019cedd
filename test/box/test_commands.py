"""Every command: its help, its exit codes, its complaints. CONTRACT §11."""
import re

import pytest

from gateway import run

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


def test_commands_usual_configuration(tmp_path):
    """Without -c it is conf/tocsin.json of the working directory."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tocsin.json").write_text('{"nonsense": 1}')
    done = run("check", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("conf/tocsin.json:1:2: nonsense: ")
