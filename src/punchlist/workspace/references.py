"""Whether the places that a reviewer refers to exist in a tree."""

import re
from collections.abc import Sequence

import msgspec

from punchlist.model.ids import Tree
from punchlist.workspace.repository import Repository

_ANYWHERE = "**/"
_LINES = re.compile(r"(.+?):([0-9]{1,9})(?:-([0-9]{1,9}))?")


class Reference(msgspec.Struct, frozen=True):
    """A path in a tree, and the first and last of the lines that must exist (None: none is named)."""

    path: str
    lines: tuple[int, int] | None = None


def readings(text: str) -> tuple[Reference, ...]:
    """Return what a reference may mean, at most two: `path`, `path:line` or `path:line-line`; `**/` is any folder.

    Nothing for what leaves the tree or cannot be in one: absolute, with `..` or an empty part, an address, a newline.
    """
    found = _LINES.fullmatch(text)
    named = [Reference(found[1], (int(found[2]), int(found[3] or found[2])))] if found else []
    return tuple(each for each in (*named, Reference(text)) if _stays(each.path))


def resolve(repository: Repository, tree: Tree, *, references: Sequence[str]) -> dict[str, bool]:
    """Say of each reference whether it is a file of the tree that has these lines."""
    meant = {text: readings(text) for text in references}
    files, named = repository.files(tree), {each.path for found in meant.values() for each in found}
    ends = tuple(each.removeprefix("**") for each in named if each.startswith(_ANYWHERE))
    paths = sorted(path for path in files if path in named or f"/{path}".endswith(ends))
    lines = {path: _count(content) for path, content in repository.contents(tree, paths).items()}
    return {text: any(_holds(each, lines) for each in found) for text, found in meant.items()}


def _stays(path: str) -> bool:
    parts = path.split("/")
    return "\n" not in path and "\0" not in path and not {"", ".", ".."} & set(parts)


def _holds(reference: Reference, lines: dict[str, int]) -> bool:
    if reference.path.startswith(_ANYWHERE):
        end = reference.path.removeprefix("**")
        return any(_holds(Reference(path, reference.lines), lines) for path in lines if f"/{path}".endswith(end))
    if reference.path not in lines:
        return False
    first, last = reference.lines or (1, 1)
    return reference.lines is None or 1 <= first <= last <= lines[reference.path]


def _count(content: bytes) -> int:
    return content.count(b"\n") + (bool(content) and not content.endswith(b"\n"))
