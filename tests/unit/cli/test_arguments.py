"""Arguments that are no text: refused by the one mechanism of all verbs, which names the argument."""

import importlib
from collections.abc import Iterator

import click
import pytest

from punchlist.cli import edge
from punchlist.cli.program import punchlist
from punchlist.cli.verbs import VERBS

NO_TEXT = "x\udcffy"
"""What Python makes of the bytes `x`, 0xff, `y` in an argument."""


def verbs() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb with the words that call it."""
    for name, verb in VERBS.items():
        module, _, attribute = verb.place.partition(":")
        command: click.Command = getattr(importlib.import_module(f"punchlist.cli.{module}"), attribute)
        if isinstance(command, click.Group):
            yield from (((name, below), each) for below, each in command.commands.items())
        else:
            yield (name,), command


def texts() -> Iterator[tuple[tuple[str, ...], str]]:
    """Calls with one argument that is no text, each with what names that argument in the refusal."""
    for words, command in verbs():
        for at, each in enumerate(command.params):
            if isinstance(each.type, click.types.StringParamType):
                yield (*words, *line_of(command, at)), named(each)


def line_of(command: click.Command, wrong: int) -> Iterator[str]:
    """What is typed behind a verb: what it needs, what stands before the wrong one, and that."""
    for at, each in enumerate(command.params):
        value = NO_TEXT if at == wrong else "7"
        if isinstance(each, click.Argument):
            if at <= wrong or each.required:
                yield value
        elif at == wrong or each.required:
            yield from (each.opts[-1], value)


def named(parameter: click.Parameter) -> str:
    shown = parameter.metavar if isinstance(parameter, click.Argument) else parameter.opts[-1]
    return shown or str(parameter.name).upper()


CALLS = tuple(texts())


def test_the_walk_meets_the_verbs() -> None:
    assert len(CALLS) > len(VERBS)


@pytest.mark.parametrize(
    ("line", "named"), CALLS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_an_argument_that_is_no_text_is_refused_by_its_name(
    line: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # when
    code = edge.run(punchlist, line)

    # then
    said = capsys.readouterr().err
    assert code == 2, said
    assert named.strip("[].").partition("...")[0] in said
    assert "byte 0xff at position 1 is not UTF-8" in said
