"""A small reader of markdown: headings, list items, fenced code and lines, in order; nothing else is told apart."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Kind = Literal["heading", "item", "fence", "line"]

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|[0-9]{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([A-Za-z0-9_+-]*)[^`]*")
_NESTED = 2


class Part(NamedTuple):
    """One part: `level` is that of a heading (1 to 6), or the indentation of an item; `raw` is how it was written."""

    kind: Kind
    text: str
    raw: str
    level: int = 0
    language: str = ""

    @property
    def nested(self) -> bool:
        """Whether it is an item inside another item."""
        return self.kind == "item" and self.level >= _NESTED


def read_parts(text: str) -> list[Part]:
    """Return the parts of a text, in order; an unclosed fence reaches to the end, an item's later lines are its own."""
    lines = _without_front_matter(text.expandtabs(4).splitlines())
    parts: list[Part] = []
    position = 0
    while position < len(lines):
        part, position = _next_part(lines, position)
        parts.append(part)
    return parts


def raw_text(parts: Sequence[Part]) -> str:
    """Return parts as they were written, without blank lines at both ends."""
    return "\n".join(part.raw for part in parts).strip("\n")


def split_at(parts: Sequence[Part], *, level: int) -> Iterator[tuple[Part | None, list[Part]]]:
    """Yield each heading of `level` with what follows it; first, with None, what stands before."""
    heading: Part | None = None
    body: list[Part] = []
    for part in parts:
        if part.kind == "heading" and part.level == level:
            yield heading, body
            heading, body = part, []
        else:
            body.append(part)
    yield heading, body


def _title(said: str) -> str:
    """Return a heading's text without the hashes that may close it; by hand, as an expression would look back."""
    text = said.strip(" \t")
    without = text.rstrip("#")
    return without.rstrip(" \t") if without.endswith((" ", "\t")) or not without else text


def _next_part(lines: Sequence[str], at: int) -> tuple[Part, int]:
    line = lines[at]
    if fence := _FENCE.fullmatch(line):
        return _fence(lines, at, opening=fence)
    if heading := _HEADING.fullmatch(line):
        return Part("heading", _title(heading[2] or ""), line, level=len(heading[1])), at + 1
    if item := _ITEM.fullmatch(line):
        return _item(lines, at, first=item)
    if line.strip() and at + 1 < len(lines) and (under := _UNDERLINE.fullmatch(lines[at + 1])):
        return Part("heading", line.strip(), f"{line}\n{lines[at + 1]}", level=1 if "=" in under[1] else 2), at + 2
    return Part("line", line.strip(), line), at + 1


def _fence(lines: Sequence[str], at: int, *, opening: "re.Match[str]") -> tuple[Part, int]:
    mark = opening[1]
    end = at + 1
    while end < len(lines) and not _closes(lines[end], mark):
        end += 1
    text = "\n".join(_outdented(lines[at + 1 : end]))
    return Part("fence", text, "\n".join(lines[at : end + 1]), language=opening[2].lower()), end + 1


def _closes(line: str, mark: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(mark) and set(stripped) == {mark[0]}


def _outdented(lines: Sequence[str]) -> list[str]:
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[depth:].rstrip() for line in lines]


def _item(lines: Sequence[str], at: int, *, first: "re.Match[str]") -> tuple[Part, int]:
    end = at + 1
    while end < len(lines) and _goes_on(lines[end]):
        end += 1
    words = [first[2].strip(), *(line.strip() for line in lines[at + 1 : end])]
    return Part("item", " ".join(words), "\n".join(lines[at:end]), level=len(first[1])), end


def _goes_on(line: str) -> bool:
    return line.strip() != "" and not any(other.fullmatch(line) for other in (_ITEM, _FENCE, _HEADING))


def _without_front_matter(lines: list[str]) -> list[str]:
    if lines[:1] == ["---"] and "---" in lines[1:]:
        return lines[lines.index("---", 1) + 1 :]
    return lines
