"""Refusals as who calls a tool is told them: at the argument in question, and with the call that mends it."""

import re
from collections.abc import Collection, Iterator

from punchlist.errors import PunchlistError
from punchlist.mcp.hints import in_tools
from punchlist.mcp.tool import Arguments
from punchlist.model.json import Json
from punchlist.render.failures import failure

_PLACES = {"-m": "message", "key": "idempotency_key"}
_STEP = re.compile(r"T[0-9]{1,9}\.[0-9]{1,5}")
_OF_PROJECT = re.compile(r"project \S+: (repo|base)\b")
_SHOWN = 80


def told(error: PunchlistError, *, tools: Collection[str]) -> dict[str, Json]:
    """Return a failure as the object under `error`, its hints for a client that has `tools`."""
    said = failure(error)
    problems = said["problems"]
    assert isinstance(problems, list)
    return {
        **said,
        "hint": in_tools(error.hint, tools),
        "problems": [
            {**shape, "hint": in_tools(problem.hint, tools)}
            for shape, problem in zip(problems, error.problems, strict=True)
            if isinstance(shape, dict)
        ],
    }


def locate(error: PunchlistError, arguments: Arguments) -> None:
    """Let an error that names its place by an option, or by the value that was seen, name the argument instead."""
    where = error.where
    error.problems = tuple(each._replace(where=_argument(each.where, arguments)) for each in error.problems)
    if where.startswith("--"):
        error.where = where.removeprefix("--").replace("-", "_")
    elif where in _PLACES and where not in arguments:
        error.where = _PLACES[where]
    elif where:
        named = where.removeprefix("workers.")[:_SHOWN]
        at = (path for path, value in _texts(arguments) if named in {value[:_SHOWN], _task_in(value)})
        error.where = _argument(next(at, where), arguments)


def _task_in(name: str) -> str:
    """Return the task that the id of a step names; nothing for any other text."""
    return name.partition(".")[0] if _STEP.fullmatch(name) else ""


def _argument(where: str, arguments: Arguments) -> str:
    """Return the argument that is in question where something is said of a field of a project, else `where`."""
    found = _OF_PROJECT.match(where)
    return found[1] if found is not None and found[1] in arguments else where


def _texts(arguments: Arguments) -> Iterator[tuple[str, str]]:
    """Yield the arguments that are texts, and the items of those that are lists of texts, by their paths."""
    for name, value in arguments.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            yield from ((f"{name}[{at}]", each) for at, each in enumerate(value) if isinstance(each, str))
