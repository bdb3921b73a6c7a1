"""What installing the program brings: each package that it needs, directly or not, with its size on disk.

Usage: installed_size.py — prints a line a package and ends with 1 if there are too many, or they are too large.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROGRAM = "punchlist"
MOST_PACKAGES = 20
MOST_MEGABYTES = 90
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Package:
    """One package as it is installed; its size is that of all its files, bytecode included."""

    name: str
    version: str
    bytes: int
    direct: bool


def packages(program: str = PROGRAM) -> list[Package]:
    """Return the packages that a program needs, by name, without itself; raises PackageNotFoundError."""
    direct = set(_needs(distribution(program)))
    found: dict[str, Distribution] = {}
    waiting = sorted(direct)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = distribution(name)
            waiting += _needs(found[name])
    return [Package(name, each.version, _size(each), name in direct) for name, each in sorted(found.items())]


def problems(found: Sequence[Package]) -> Iterator[str]:
    """Yield what is too much."""
    megabytes = sum(each.bytes for each in found) / _MEGABYTE
    if len(found) > MOST_PACKAGES:
        yield f"{len(found)} packages, at most {MOST_PACKAGES}"
    if megabytes > MOST_MEGABYTES:
        yield f"{megabytes:.1f} MB, at most {MOST_MEGABYTES}"


def main() -> int:
    """Print the packages, their sum, and what is too much."""
    found = packages()
    for each in found:
        print(f"{each.name:20} {each.version:10} {each.bytes / _MEGABYTE:6.1f} MB{'' if each.direct else '  indirect'}")
    print(f"{len(found)} packages, {sum(each.bytes for each in found) / _MEGABYTE:.1f} MB")
    wrong = list(problems(found))
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


def _needs(found: Distribution) -> Iterator[str]:
    """Yield the names of what a package needs here, without its extras."""
    for text in found.requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield canonicalize_name(needed.name)


def _size(found: Distribution) -> int:
    paths = {Path(str(each.locate())) for each in found.files or ()}
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
