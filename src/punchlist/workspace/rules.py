"""Which files a work folder's own tools may leave: the base's ignore rules and the caches, as one list of patterns.

The rules of every `.gitignore` of the base are written as patterns from the root, so that git applies exactly them:
what an agent writes into a `.gitignore`, an exclude file or a configuration is recorded or ignored, never obeyed.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

# Read from beside the package: importlib.resources takes longer to import than all of git's modules here.
_CACHES = Path(__file__).parent.parent / "data" / "caches.txt"
_GLOB = re.compile(rb"([\\*?\[ ])")


class Caches(msgspec.Struct, frozen=True):
    """Names of folders that tools make: `every` one, and those that are `stale` once the tree changes."""

    every: frozenset[str]
    stale: frozenset[str]


@cache
def caches() -> Caches:
    """Return the list that ships as data."""
    text = _CACHES.read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return Caches(frozenset(line[0] for line in lines), frozenset(line[0] for line in lines if line[1:] == ["stale"]))


def patterns(ignores: Mapping[str, bytes], *, tracked: Iterable[str]) -> bytes:
    """Return one exclude file that says what the `.gitignore` files (by folder, "" the root) and the caches say.

    Deeper files come later, so they win, as in git. A cache folder that holds one of the `tracked` paths is none.
    """
    lines = [b"%s/" % name.encode() for name in sorted(caches().every)]
    lines += [b"!/%s/" % literal(folder) for folder in sorted(tracked_caches(tracked)) if "\n" not in folder]
    for folder in sorted(ignores, key=lambda each: (each.count("/") + bool(each), each)):
        if "\n" not in folder:
            lines += [rooted(line, folder) for line in _rules(ignores[folder])]
    return b"".join(line + b"\n" for line in lines)


def rooted(rule: bytes, folder: str) -> bytes:
    """Return a rule of the `.gitignore` in `folder` as it must be written at the root."""
    if not folder:
        return rule
    sign, plain = (b"!", rule[1:]) if rule.startswith(b"!") else (b"", rule)
    anchored = b"/" in _bare(plain).removesuffix(b"/")
    between = b"/" if anchored else b"/**/"
    return sign + b"/" + literal(folder) + between + (plain.removeprefix(b"/") if anchored else plain)


def exactly(paths: Iterable[str]) -> bytes:
    """Return patterns for just these paths; one that ends in "/" is a folder. Names with a newline cannot be told."""
    return b"".join(b"/%s\n" % literal(path) for path in paths if "\n" not in path)


def literal(path: str) -> bytes:
    """Return a path as a pattern that matches it alone."""
    return _GLOB.sub(rb"\\\1", path.encode(errors="surrogateescape"))


def tracked_caches(tracked: Iterable[str]) -> set[str]:
    """Return the folders that are called like a cache and hold one of the `tracked` paths."""
    names = caches().every
    found: set[str] = set()
    for path in tracked:
        parts = path.split("/")[:-1]
        if not names.isdisjoint(parts):
            found.update("/".join(parts[: place + 1]) for place, part in enumerate(parts) if part in names)
    return found


def folders_of(paths: Iterable[str]) -> set[str]:
    """Return every folder that holds one of the paths, "" left out."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def is_under(path: str, folders: Collection[str]) -> bool:
    """Say whether `path` is one of `folders` or below one."""
    place = path
    while place:
        if place in folders:
            return True
        place = place.rpartition("/")[0]
    return False


def _rules(content: bytes) -> list[bytes]:
    lines = (line.removesuffix(b"\r") for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    return [line for line in lines if line.strip() and not line.startswith(b"#")]


def _bare(rule: bytes) -> bytes:
    """Return a rule without the blanks at its end that git does not count."""
    bare = rule.rstrip(b" ")
    return bare + b" " if bare.endswith(b"\\") and len(bare) < len(rule) else bare
