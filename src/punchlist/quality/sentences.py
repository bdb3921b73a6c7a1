"""The sentences of a spec that ask for something, by rules that are crude on purpose.

Anyone can see why a sentence is named: nothing of it is a model's opinion.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from punchlist.quality.asking import asks, binds, is_question
from punchlist.quality.wording import words

_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s(.*)")
_ITEM = re.compile(r"\s*(?:[-*+]|[0-9]{1,4}[.)])\s+(?:\[[ xX]\]\s+)?")
_MARKUP = re.compile(r"\s{0,3}(?:<!--|={3,}\s*$|-{3,}\s*$)")
_ROW = re.compile(r"\s{0,3}\|(.*)")
_RULE = re.compile(r"\s{0,3}\|(?=[\s:|]*-)[\s:|-]*$")
_BREAK = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)[\"'`)*_]*\s+(?=[\"'`(*_\[]*[A-Z0-9]|[\"'(*_\[]*`)")
_SILENT_PARTS = re.compile(
    r"acknowledge?ments?|background|credits|history|(?:the )?motivation|non-?goals?|not in scope|out of scope"
    r"|(?:open|unanswered) (?:points|questions)|questions|references|related work|see also|thanks|to be decided",
    re.IGNORECASE,
)
_TELLING_PARTS = re.compile(
    r"context|glossary|introduction|notes?|overview|summary|terms|today"
    r"|(?:how|what|where) (?:it|things|this|we|they|the \w+) (?:\w+ )?(?:now|so far|today)"
    r"|(?:the )?(?:current|present) (?:behaviou?r|design|situation|state)|(?:the )?(?:problem|situation|status quo)",
    re.IGNORECASE,
)

Weight = Literal["all", "binding", "none"]
"""Which sentences of a part of a spec count: all that ask, those that say must or shall, or none."""


class Sentence(msgspec.Struct, frozen=True):
    """A sentence and the line, from 1, on which it stands, or the paragraph that it is part of begins."""

    text: str
    line: int


class _Block(msgspec.Struct, frozen=True):
    """A paragraph, a list item or a row of a table in one line: where it begins, and what of it counts."""

    text: str
    line: int
    is_item: bool
    weight: Weight


class _Line(msgspec.Struct, frozen=True):
    """A line of running text, "" for one that is passed over and ends a paragraph."""

    text: str
    number: int
    weight: Weight = "all"
    is_row: bool = False


def demands(spec: str) -> Iterator[Sentence]:
    """Yield the sentences of a markdown text that ask for something.

    Those are all of list items and of the rows of tables below their heads, and of paragraphs the ones that `asks`
    finds. Under a heading such as Notes, Overview or How it works today only what says must or shall asks, list or not;
    under one such as Background, Out of scope or Open questions nothing does, nor do headings, code and questions.
    """
    for block in _blocks(spec):
        for text in _BREAK.split(block.text):
            wanted = binds(text) if block.weight == "binding" else block.is_item or asks(text)
            if wanted and words(text) and not is_question(text):
                yield Sentence(text.strip(), block.line)


def _blocks(spec: str) -> Iterator[_Block]:
    gathered: list[str] = []
    first = _Line("", 0)
    is_item = False
    for line in (*_speaking(spec), _Line("", 0)):
        item = _ITEM.match(line.text)
        begins = item is not None or line.is_row
        if gathered and (begins or not line.text.strip()):
            yield _Block(" ".join(gathered), first.number, is_item, first.weight)
            gathered = []
        if line.text.strip():
            if not gathered:
                first, is_item = line, begins
            gathered.append(line.text[item.end() if item else 0 :].strip())


def _speaking(spec: str) -> Iterator[_Line]:
    fence, aside = "", 0
    weight: Weight = "all"
    in_table = False
    for number, line in enumerate(spec.splitlines(), 1):
        opened, heading, row = _FENCE.match(line), _HEADING.match(line), _ROW.match(line)
        in_table = row is not None and not fence and (in_table or _RULE.match(line) is not None)
        if fence or opened:
            fence = _fenced(fence, opened[1] if opened else "")
        elif heading:
            aside, weight = _under(heading, aside, weight=weight)
        elif row is not None and in_table and weight != "none":
            yield _Line(" ".join(row[1].replace("|", " ").split()), number, weight, is_row=True)
            continue
        elif row is None and weight != "none" and not _MARKUP.match(line):
            yield _Line(line, number, weight)
            continue
        yield _Line("", number)


def _under(heading: re.Match[str], aside: int, *, weight: Weight) -> tuple[int, Weight]:
    """Return the level of the heading that makes less of what is under it (0: none does), and what counts there."""
    level, title = len(heading[1]), heading[2].strip(" \t#:*_")
    if aside and level > aside:
        return aside, "none" if _SILENT_PARTS.fullmatch(title) else weight
    if _SILENT_PARTS.fullmatch(title):
        return level, "none"
    return (level, "binding") if _TELLING_PARTS.fullmatch(title) else (0, "all")


def _fenced(fence: str, mark: str) -> str:
    """Return the fence that is open after a line with `mark`: only its own kind closes one."""
    if not fence:
        return mark
    return "" if mark == fence else fence
