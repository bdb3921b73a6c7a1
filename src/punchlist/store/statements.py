"""The SQL of the store: named statements, the present schema, and the migrations that lead to it."""

import functools
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

# Read from beside this module: importlib.resources would cost every command another 15 ms.
_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@functools.cache
def named_statements() -> Mapping[str, str]:
    """Return the statements of `queries.sql` by name."""
    return named((_FOLDER / "queries.sql").read_text(encoding="utf-8"))


def named(text: str) -> dict[str, str]:
    """Return the statements that stand under lines `-- name: NAME`; raises ValueError when two have the same name."""
    parts = _NAME.split(text)
    statements: dict[str, str] = {}
    for name, statement in zip(parts[1::2], parts[2::2], strict=True):
        if name in statements:
            raise ValueError(f"two statements have the name {name}")
        statements[name] = _without_comments(statement)
    return statements


def schema() -> list[str]:
    """Return the statements that make an empty database one of the present format."""
    return list(split((_FOLDER / "schema.sql").read_text(encoding="utf-8")))


@functools.cache
def migrations() -> Sequence[Sequence[str]]:
    """Return the statements of each migration; the one at index i leads from format i to format i + 1."""
    files = sorted((_FOLDER / "migrations").glob("*.sql"))
    return tuple(tuple(split(file.read_text(encoding="utf-8"))) for file in files)


def split(script: str) -> Iterator[str]:
    """Yield the statements of a script."""
    statement = ""
    for line in _without_comments(script).splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""


def _without_comments(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.startswith("--")).strip()
