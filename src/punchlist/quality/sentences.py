"""The sentences of a spec that ask for something, and whether criteria speak of them, by words alone.

The rule is crude on purpose, so that anyone can see why a sentence is named: nothing of it is a model's opinion.
"""

import re
from collections.abc import Iterator

import msgspec

_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"\s*(?:[-*+]|[0-9]{1,4}[.)])\s+(?:\[[ xX]\]\s+)?")
_MARKUP = re.compile(r"\s{0,3}(?:\||<!--|={3,}\s*$|-{3,}\s*$)")
_BREAK = re.compile(r"(?<=[.!?])[\"'`)*_]*\s+(?=[\"'`(*_\[]*[A-Z0-9])")
_ASKS = re.compile(
    r"\b(?:must|shall|should|may not|can not|cannot|never|always|only|required?|(?:has|have|needs?|is|are) to)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(?:background|context|introduction|motivation|non-?goals?|not in scope|notes?|out of scope|overview|references)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_ENDINGS = ("ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s", "y", "e")
_STEM = 3
_SILENT = frozenset(
    _WORD.findall(
        "a about all also an and any are as at be been being by can cannot could do does done each every for from has "
        "have if in into is it its may more must never no not of on one only or other out over required shall should "
        "so some such than that the their them then there these they this those to too under until up use used using "
        "via was were what when where which while who will with within without would you your"
    )
)


class Sentence(msgspec.Struct, frozen=True):
    """A sentence and the line, from 1, on which it stands, or the paragraph that it is part of begins."""

    text: str
    line: int


def demands(spec: str) -> Iterator[Sentence]:
    """Yield the sentences of a markdown text that ask for something.

    Those are all of list items, and of paragraphs the ones with a word such as must, should, never, always, only, has
    to. Headings, code, tables, and what stands under a heading such as Background or Out of scope, ask for nothing.
    """
    for block, line, is_item in _blocks(spec):
        for text in _BREAK.split(block):
            if (is_item or _ASKS.search(text)) and words(text):
                yield Sentence(text.strip(), line)


def words(text: str) -> frozenset[str]:
    """Return the words that carry a text's meaning, without endings: those of three letters and more that say what."""
    found = (word.lower().removesuffix("'s") for word in _WORD.findall(text.replace("_", " ")))
    return frozenset(_stem(word) for word in found if len(word) >= _STEM and word not in _SILENT)


def names(criteria: frozenset[str], asked: frozenset[str]) -> bool:
    """Say whether criteria speak of a sentence, both given by their words: half of its words, or more, are theirs."""
    return 2 * len(asked & criteria) >= len(asked)


def _blocks(spec: str) -> Iterator[tuple[str, int, bool]]:
    """Yield paragraphs and list items, each in one line, with where it begins and whether it is an item."""
    gathered: list[str] = []
    began, is_item = 0, False
    for number, line in _speaking(spec):
        item = _ITEM.match(line)
        if gathered and (item or not line.strip()):
            yield " ".join(gathered), began, is_item
            gathered = []
        if line.strip():
            if not gathered:
                began, is_item = number, item is not None
            gathered.append(line[item.end() if item else 0 :].strip())
    if gathered:
        yield " ".join(gathered), began, is_item


def _speaking(spec: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of running text; for what is passed over, an empty one that ends a paragraph."""
    fence = ""
    aside = 0
    for number, line in enumerate(spec.splitlines(), 1):
        opened, heading = _FENCE.match(line), _HEADING.match(line)
        if fence or opened:
            fence = _fenced(fence, opened[1] if opened else "")
        elif heading:
            level = len(heading[1])
            if not aside or level <= aside:
                aside = level if _ASIDE.fullmatch(heading[2].strip(" :*_")) else 0
        elif not aside and not _MARKUP.match(line):
            yield number, line
            continue
        yield number, ""


def _fenced(fence: str, mark: str) -> str:
    """Return the fence that is open after a line with `mark`: only its own kind closes one."""
    if not fence:
        return mark
    return "" if mark == fence else fence


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word.removesuffix(ending)
    return word
