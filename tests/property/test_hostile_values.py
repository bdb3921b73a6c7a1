"""Values in commands, whatever they are: what the shell reads does not depend on them, and each arrives as one word."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from punchlist.errors import DefinitionError
from punchlist.flow.shell import bind, refusals

X = "${{ x }}"
WORDS = (
    *("$(touch harm)", "`touch harm`", "; touch harm;", "\n touch harm\n", "& touch harm &", "| touch harm"),
    *("' ; touch harm ; '", '" ; touch harm ; "', "${x:-$(touch harm)}", "<(touch harm)", "E\ntouch harm\n"),
    *("$'\\x24(touch harm)'", "$((1+1))", "$IFS", "$@", "$0", "${#}", "~", "~root", "*", "?", "[a-z]*", "{a,b}"),
    *("\\", "\\\n", "#", "!", "!!", ">harm", "2>harm", "-n", "--", "-e", "\t", "=", "%s", "%n", "\x01", "\x7f"),
    *("ä", "😀", "\u202e", "", " ", "'", '"'),
)
"""Pieces that mean something to a shell, to `echo`, `printf`, a terminal, or nothing at all."""
VALUES = st.lists(
    st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6), max_size=6
).map("".join)
PLACES: Mapping[str, tuple[str, str]] = {
    "a word": (f"put {X}", "{}"),
    "a part of a word": (f"put a{X}b", "a{}b"),
    "double quotes": (f'put "a {X} b"', "a {} b"),
    "double quotes of nothing else": (f'put "{X}"', "{}"),
    "an assignment": (f'v={X}; put "$v"', "{}"),
    "a part of an assignment": (f'v=a{X}b; put "$v"', "a{}b"),
    "a quoted assignment": (f'v="{X}"; put "$v"', "{}"),
    "an exported assignment": (f'export v={X}; put "$v"', "{}"),
    "an assignment before a command": (f'v={X} sh -c \'printf "%s\\0" "$v"\'', "{}"),
    "a list of a loop": (f'for v in {X}; do put "$v"; done', "{}"),
    "a list of a loop with more": (f'n=0; for v in {X} b c; do n=$((n+1)); done; put "{X}$n"', "{}3"),
    "a case": (f"case {X} in {X}) put {X};; esac", "{}"),
    "a condition": (f'if [ {X} = {X} ]; then put "{X}"; fi', "{}"),
    "a subshell": (f"( put {X} )", "{}"),
    "a group": (f"{{ put {X}; }}", "{}"),
    "a pipe": (f"printf '%s\\0' {X} | cat", "{}"),
    "a function": (f'f() {{ put "$1"; }}; f {X}', "{}"),
    "a line that goes on": (f"put \\\n {X}", "{}"),
    "behind a comment": (f"# it's {X}\nput {X}", "{}"),
    "behind single quotes": (f"v='it'; put {X}", "{}"),
    "behind a here-document": (f"cat <<'E' >/dev/null\nit's\nE\nput {X}", "{}"),
    "behind a substitution": (f'put "$(printf a){X}"', "a{}"),
    "with a strange IFS": (f'IFS="ab\n "; put {X}', "{}"),
    "twice": (f"put {X}{X}", "{}{}"),
}
PUT = "put() { printf '%s\\0' \"$@\"; }\n"
SHELLS = [each for each in ("sh", "bash", "dash", "busybox") if shutil.which(each)]


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=60)
@given(value=VALUES)
@example(value="$(rm -rf ~)")
@example(value="".join(WORDS))
@example(value="x" * 120_000)
@example(value="\n\n\n")
@example(value="'" * 50 + '"' * 50 + "`" * 50)
def test_a_value_arrives_whole_wherever_it_may_stand_and_runs_nothing(shell: str, value: str) -> None:
    script, environment, expected = PUT, dict[str, str](), list[str]()
    for number, (command, becomes) in enumerate(PLACES.values()):
        text, variables = bind(command, {"x": value}.__getitem__)
        for name in variables:  # each command has its own, as it has in a flow
            text = text.replace(f"${{{name}}}", f"${{{name}_{number}}}")
        environment |= {f"{name}_{number}": each for name, each in variables.items()} if len(value) < 5_000 else {}
        script += f"{text}\n"
        expected.append(becomes.replace("{}", value))
    if len(value) >= 5_000:  # a few at a time: all variables of a process share one bound
        command, variables = bind(f"put {X}", {"x": value}.__getitem__)
        script, environment, expected = PUT + command, variables, [value]

    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [shell, *(["sh"] if shell == "busybox" else []), "-c", script],
            env={"PATH": os.environ["PATH"], "HOME": folder, **environment},
            cwd=folder,
            capture_output=True,
            check=False,
        )
        left = list(Path(folder).iterdir())

    assert (done.returncode, done.stderr, left) == (0, b"", [])
    assert done.stdout.decode().split("\0")[:-1] == expected


@given(value=VALUES, other=VALUES, command=st.sampled_from([command for command, _ in PLACES.values()]))
def test_the_text_that_the_shell_reads_does_not_depend_on_values(value: str, other: str, command: str) -> None:
    text, variables = bind(command, {"x": value}.__getitem__)

    assert text == bind(command, {"x": other}.__getitem__)[0]
    assert set(variables.values()) == {value}


@given(
    st.lists(
        st.sampled_from(
            ("'", '"', "`", "$(", ")", "${", "}", "$((", "))", "\\", "<<E\n", "E\n", "#", " ", "a", "\n", X, "$'")
        ),
        max_size=14,
    ).map("".join)
)
def test_of_any_text_either_a_value_is_refused_or_it_becomes_a_reference(command: str) -> None:
    try:
        text, variables = bind(command, {"x": "$(touch harm)"}.__getitem__)
    except DefinitionError:
        assert refusals(command)
        return

    assert not refusals(command)
    assert "harm" not in text
    assert len(variables) == command.count(X)


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (f"echo '{X}'", "single quotes"),
        (f"echo $'{X}'", "single quotes"),
        (f"cat <<E\n{X}\nE", "a here-document"),
        (f"cat <<'E'\n{X}\nE", "a here-document"),
        (f"cat <<-E\n\t{X}\n\tE", "a here-document"),
        (f"echo $(echo {X})", "a command substitution"),
        (f'echo "$(echo {X})"', "a command substitution"),
        (f"echo `echo {X}`", "a command substitution"),
        (f"echo ${{y:-{X}}}", "a ${…} expansion"),
        (f'echo "${{y:-{X}}}"', "a ${…} expansion"),
        (f"echo $(({X} + 1))", "an arithmetic expansion"),
        (f"echo \\{X}", "a backslash escape"),
    ],
)
def test_where_a_reference_would_not_be_one_word_a_value_is_refused(command: str, place: str) -> None:
    (refused,) = refusals(command)

    assert refused.message == f"an expression cannot stand in {place} of a command"
    with pytest.raises(DefinitionError, match="an expression cannot stand in"):
        bind(command, {"x": "1"}.__getitem__)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a\0b", "has a zero character, which no command can be given"),
        ("x" * 1_000_000, "has 1000000 bytes, too many for a command line"),
        ("ä" * 70_000, "has 140000 bytes, too many for a command line"),
        ("\ud800", "is no Unicode text"),
        (None, "is null, which cannot stand inside text"),
        (["a"], "is a list, which cannot stand inside text"),
        ({"a": 1}, "is a map, which cannot stand inside text"),
    ],
)
def test_what_no_environment_can_hold_is_refused_by_name(value: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        bind(f"echo {X}", {"x": value}.__getitem__)
