"""Help texts, held to what the commands say; and every example in them can be typed."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from punchlist.cli.program import punchlist
from punchlist.cli.verbs import VERBS
from tools.help_texts import commands, files

ROOT = Path(__file__).parents[3]
OF_THE_CONTRACT = (
    "init demo doctor config project plan do task step approve reject decide gates waive rework run validate flow "
    "pause resume retry cancel add status why logs events report diff files log mcp engine gc schema completion version"
)

MADE = files()
HELPS = list(commands())


def examples() -> Iterator[tuple[str, list[str]]]:
    for name, text in HELPS:
        for line in text.partition("\nExamples:\n")[2].splitlines():
            words = shlex.split(line, comments=True)
            for position in [index for index, word in enumerate(words) if word == "punchlist"]:
                end = next((i for i in range(position, len(words)) if words[i] in {"|", "&&", ">"}), len(words))
                yield name, words[position + 1 : end]


def parsed(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    context = command.make_context(command.name or "", words, parent=parent)
    with context:
        rest = [*context._protected_args, *context.args]
        if isinstance(command, click.Group) and rest:
            _, each, rest = command.resolve_command(context, rest)
            assert each is not None
            parsed(each, rest, context)


def test_the_verbs_are_those_of_the_contract() -> None:
    assert set(VERBS) == set(OF_THE_CONTRACT.split())


@pytest.mark.parametrize("path", sorted(MADE, key=str), ids=str)
def test_a_help_text_is_as_the_command_says(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == MADE[path], "type: python tools/help_texts.py --write"


@pytest.mark.parametrize(("name", "text"), HELPS, ids=[name for name, _ in HELPS])
def test_a_help_text_ends_with_examples(name: str, text: str) -> None:
    assert f"\n  {name}" in text.partition("\nExamples:\n")[2] or "punchlist" in text.partition("\nExamples:\n")[2]


@pytest.mark.parametrize(
    ("name", "words"), list(examples()), ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_an_example_can_be_typed(name: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-workspace").mkdir()
    monkeypatch.chdir(tmp_path)

    parsed(punchlist, words)
