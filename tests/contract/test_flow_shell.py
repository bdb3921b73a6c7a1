"""Values in commands, through the real shell: each arrives whole, none runs."""

import os
import subprocess
from pathlib import Path

import pytest

from punchlist.flow.shell import bind

HOSTILE = [
    "",
    " ",
    "*",
    "~",
    "-n",
    "a b\tc",
    "two\nlines\n",
    "'; touch harm; '",
    '"; touch harm; "',
    "$(touch harm)",
    "`touch harm`",
    "${HOME} $HOME \\$HOME",
    "; touch harm #",
    "| touch harm &",
    "\\",
    "\\'\\\"",
    "$'\\x41'",
    "E\ntouch harm\n",
    "ä 😀",
    "!!",
]
COMMANDS = [
    ("printf %s ${{ x }}", "{}"),
    ('printf %s "${{ x }}"', "{}"),
    ('printf %s "<${{ x }}>"', "<{}>"),
    ("printf %s a${{ x }}b", "a{}b"),
    ('v=${{ x }}; printf %s "$v"', "{}"),
    ("printf '%s' 'it' ${{ x }}  # it's here", "it{}"),
    ("cat <<'E' >/dev/null\nit's `\nE\nprintf %s ${{ x }}", "{}"),
    ("(printf %s $(echo a) ${{ x }})", "a{}"),
    ("case ${{ x }} in ${{ x }}) printf %s ${{ x }};; esac", "{}"),
    ("printf %s \\\n  ${{ x }}", "{}"),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_hostile_values_arrive_whole_and_run_nothing(command: str, expected: str, tmp_path: Path) -> None:
    arrived: list[str] = []
    for value in HOSTILE:
        text, variables = bind(command, {"x": value}.__getitem__)
        environment = {**os.environ, **variables}
        done = subprocess.run(["sh", "-c", text], env=environment, cwd=tmp_path, capture_output=True, check=True)
        arrived.append(done.stdout.decode())

    assert arrived == [expected.format(value) for value in HOSTILE]
    assert list(tmp_path.iterdir()) == []
