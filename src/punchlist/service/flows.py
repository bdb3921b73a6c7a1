"""The verb that checks flows without running anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, Problem
from punchlist.flow.parse import parse_flow
from punchlist.service import inputs

if TYPE_CHECKING:
    from punchlist.flow.files import Read
    from punchlist.model.json import Json
    from punchlist.service.context import Answer


def validate(paths: Sequence[Path], *, built_in: "Read") -> "Answer":
    """Return each flow's errors with their places; a flow without any is sound.

    `built_in` gives the text of a built-in flow that another one calls.
    """
    return {"flows": [_checked(path, built_in) for path in paths]}


def reader(folder: Path, *, built_in: "Read") -> "Read":
    """Return what reads the files that a flow in `folder` names: those beside it, else the built-in ones."""

    def read(name: str) -> str:
        path = folder / name
        if "/" not in name and not path.is_file():
            return built_in(name)
        return path.read_text(encoding="utf-8")

    return read


def _checked(path: Path, built_in: "Read") -> "dict[str, Json]":
    try:
        text = inputs.text_file(path, what="flow")
        parse_flow(text, source=str(path), read=reader(path.parent, built_in=built_in))
    except DefinitionError as error:
        problems = error.problems or (Problem(error.where, error.message, hint=error.hint),)
        return {"path": str(path), "errors": [_error(each) for each in problems]}
    return {"path": str(path), "errors": []}


def _error(problem: Problem) -> "dict[str, Json]":
    file, line, column = _place(problem.where)
    message = f"{problem.message}; allowed: {problem.allowed}" if problem.allowed else problem.message
    return {"file": file, "line": line, "column": column, "message": message, "hint": problem.hint}


def _place(where: str) -> tuple[str, int, int]:
    """Return file, line and column of `file:line:column`; what has no place is at the file's beginning."""
    file, _, rest = where.partition(":")
    parts = where.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():  # noqa: PLR2004 - file, line, column
        return parts[0], int(parts[1]), int(parts[2])
    return (file if rest else where), 1, 1
