"""Flows with mistakes, and all that is said of each; run as a module it writes the golden files anew.

Usage: python -m tests.golden.flows.flows
"""

from pathlib import Path

from punchlist.errors import DefinitionError
from punchlist.flow.parse import parse_flow

HERE = Path(__file__).parent
CASES, EXPECTED = HERE / "cases", HERE / "expected"


def cases() -> list[str]:
    """Return the names of all cases; a file whose name begins with `_` is one that others call."""
    return sorted(path.stem for path in CASES.glob("[!_]*.yaml"))


def said(case: str) -> str:
    """Return what is said of a case: its error as text."""
    source = f"{case}.yaml"
    try:
        parse_flow((CASES / source).read_text(encoding="utf-8"), source=source, read=_read)
    except DefinitionError as error:
        return f"{error}\n"
    return "nothing is wrong with it\n"


def _read(name: str) -> str:
    return (CASES / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for each in cases():
        (EXPECTED / f"{each}.txt").write_text(said(each), encoding="utf-8")
