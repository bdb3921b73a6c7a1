"""Whether the scopes of two steps can name one path."""

import functools
import re
from collections.abc import Callable, Sequence

from punchlist.model.records import Scope
from punchlist.quality.scope import covers, names_folder, parts_of, tokens_of

_EVERYTHING = "**"
_ANY_NAME = "*"
_ANY_CHARACTER = "."
_OTHER = "\N{LATIN SMALL LETTER O WITH STROKE}"
"""What a star stands for in a path that is made up: a name that no glob is likely to spell out."""
_ALPHABET = _OTHER + "".join(chr(code) for code in range(ord("!"), 127) if chr(code) != "/")

_WILD = re.compile(r"[*?\[\\]")

_Element = str | None
_Meet = Callable[[str, str], str | None]
_Chain = tuple[str, "_Chain"] | None
"""Pieces from here to the end; None where there is no way to the end."""
_END: _Chain = ("", None)


def shared(one: Scope, other: Scope) -> tuple[str, str] | None:
    """Return two globs, one of each scope, that let both change the same path; None when there are none.

    They are held against each other by a path that both name, in which a star stands for a name of its own. So a `deny`
    that cuts the overlap out counts, and one that cuts a part of it out does not.
    """
    for mine in one.allow or (_EVERYTHING,):
        for yours in other.allow or (_EVERYTHING,):
            path = common(*sorted((mine, yours)))  # in one order, so that neither scope comes first
            if path is not None and covers(one, path) and covers(other, path):
                return mine, yours
    return None


@functools.lru_cache(maxsize=16_384)
def common(one: str, other: str) -> str | None:
    """Return a path that both globs name, as general as it can be; None when there is none.

    Exact but for character classes, of which only ASCII and the globs' own characters are tried.
    """
    mine, yours = _parts(one), _parts(other)
    if _part_ways(mine, yours):
        return None
    found = _met(mine, yours, meet=_name, anything=_ANY_NAME)
    return None if found is None else "/".join(found)


def _part_ways(one: Sequence[str | None], other: Sequence[str | None]) -> bool:
    """Say whether two globs name other folders at one place from the top, which is told at a glance."""
    for mine, yours in zip(one, other, strict=False):
        if mine is None or yours is None:
            return False
        if mine != yours and _WILD.search(mine) is None and _WILD.search(yours) is None:
            return True
    return False


@functools.lru_cache(maxsize=1_024)
def _parts(glob: str) -> Sequence[str | None]:
    """Return a glob's parts, None for any number of folders; what names a folder names all that is below it."""
    parts: list[str | None] = [None if part == _EVERYTHING else part for part in parts_of(glob)]
    if parts[-1] is None:
        return [*parts, _ANY_NAME]
    return [*parts, None] if names_folder(glob) else parts


@functools.lru_cache(maxsize=16_384)
def _name(one: str, other: str) -> str | None:
    """Return a name that both parts of a path stand for."""
    if one == other and _WILD.search(one) is None:
        return one
    found = _met(tokens_of(one), tokens_of(other), meet=_character, anything=_ANY_CHARACTER)
    return None if found is None else "".join(found)


@functools.lru_cache(maxsize=16_384)
def _character(one: str, other: str) -> str | None:
    """Return a character that both expressions match."""
    mine, yours = re.compile(one, re.DOTALL), re.compile(other, re.DOTALL)
    for character in f"{_ALPHABET}{one}{other}":
        if mine.fullmatch(character) and yours.fullmatch(character):
            return character
    return None


def _met(one: Sequence[_Element], other: Sequence[_Element], *, meet: _Meet, anything: str) -> list[str] | None:
    """Return what both sequences stand for, in which None stands for any number of elements; None if there is nothing.

    `meet` returns what two elements both stand for, `anything` is one that stands for every. The table is filled from
    the end, so that each pair of places is looked at once.
    """
    below: list[_Chain] = [None] * (len(other) + 2)
    for mine in ("", *reversed(one)):
        row: list[_Chain] = [None] * (len(other) + 2)
        for place in range(len(other), -1, -1):
            yours = other[place] if place < len(other) else ""
            row[place] = _step(mine, yours, after=(below[place + 1], below[place], row[place + 1]), by=(meet, anything))
        below = row
    return _unrolled(below[0])


def _step(mine: _Element, yours: _Element, *, after: tuple[_Chain, _Chain, _Chain], by: tuple[_Meet, str]) -> _Chain:
    """Return what two sequences stand for from here on; `after` is past both elements, past mine, and past yours.

    An empty element is the end. Where both have a star they stand for something, though nothing would do: what is found
    shall be as general as the sequences are.
    """
    both, past_mine, past_yours = after
    meet, anything = by
    if mine is None and yours is None:
        return _led(_OTHER, past_mine or past_yours)
    if mine is None:
        return (_led(meet(yours, anything), past_yours) if yours else None) or past_mine
    if yours is None:
        return (_led(meet(mine, anything), past_mine) if mine else None) or past_yours
    if mine and yours:
        return _led(meet(mine, yours), both)
    return _END if mine == yours else None


def _led(first: str | None, rest: _Chain) -> _Chain:
    return None if first is None or rest is None else (first, rest)


def _unrolled(chain: _Chain) -> list[str] | None:
    if chain is None:
        return None
    found: list[str] = []
    while chain is not None and chain is not _END:
        first, chain = chain
        found.append(first)
    return found
