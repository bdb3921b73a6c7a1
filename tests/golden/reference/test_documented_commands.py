"""Every command and every settings file in the documentation is one that the program takes."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from punchlist.cli.program import punchlist
from punchlist.model.settings import parse_settings

ROOT = Path(__file__).parents[3]
PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")]
    if page.name != "command-line.md"  # it is generated, and its examples are tested with the commands
]
CONSOLE = re.compile(r"^ *\$ (.*)$", re.MULTILINE)
INLINE = re.compile(r"`(punchlist [a-z][^`\n]*)`")
TOML = re.compile(r"^```toml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ENDS = frozenset({"|", "||", "&&", ">", ";"})
NOT_THERE = {"docs/explanation/not-yet.md": {"review"}}
"""Verbs that a page names to say that they are not there."""


def calls(text: str) -> Iterator[tuple[list[str], bool]]:
    """Yield the words after `punchlist` of each call that a page shows, and whether it stands in a console."""
    shown = [*((line, True) for line in CONSOLE.findall(text)), *((line, False) for line in INLINE.findall(text))]
    for line, typed in shown:
        words = shlex.split(line.partition("  #")[0])
        for start in [at for at, word in enumerate(words) if word == "punchlist"]:
            end = next((at for at in range(start, len(words)) if words[at] in ENDS), len(words))
            yield words[start + 1 : end], typed


def take(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse words as the program would, without doing anything; raises click's error for what it does not take."""
    if not isinstance(command, click.Group):
        command.make_context(command.name or "", list(words), parent=parent)
        return
    context = click.Context(command, info_name=command.name, parent=parent)
    name = next((word for word in words if word in command.list_commands(context)), None)
    each = command.get_command(context, name) if name is not None else None
    if name is None or each is None:
        raise click.UsageError(f"{command.name} has no verb in: {' '.join(words)}")
    take(each, words[words.index(name) + 1 :], context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_shows_commands_that_can_be_typed(page: Path) -> None:
    absent = NOT_THERE.get(page.relative_to(ROOT).as_posix(), set())

    for words, typed in calls(page.read_text(encoding="utf-8")):
        if not words or words[0] in absent:
            continue
        try:
            take(punchlist, words)
        except click.MissingParameter:
            assert not typed, words  # within a line, a verb may be named without what it takes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_shows_settings_that_are_taken(page: Path) -> None:
    for shown in TOML.findall(page.read_text(encoding="utf-8")):
        parse_settings(tomllib.loads(shown), source=page.name)


def test_there_are_settings_and_commands_on_pages_to_look_at() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]

    assert sum(len(TOML.findall(text)) for text in texts) >= 5
    assert sum(len(list(calls(text))) for text in texts) >= 100
