"""Which types of workers there are: one line each, and what is to come."""

from collections.abc import Callable, Mapping

from punchlist.errors import Problem, WorkerError, invalid
from punchlist.model.json import Json
from punchlist.ports import Worker
from punchlist.workers.claude import ClaudeWorker
from punchlist.workers.command import CommandWorker
from punchlist.workers.heuristic import HeuristicWorker
from punchlist.workers.scripted import ScriptedWorker
from punchlist.workers.settings import Host

WORKERS: Mapping[str, Callable[[str, Host], Worker]] = {
    "claude": ClaudeWorker,
    "command": CommandWorker,
    "heuristic": HeuristicWorker,
    "scripted": ScriptedWorker,
}

TO_COME: Mapping[str, str] = {
    "codex": "Codex",
    "opencode": "OpenCode",
    "gemini": "Gemini CLI",
    "acp": "any agent with the Agent Client Protocol",
    "shell": "a shell command",
    "python": "a Python function",
    "human": "a person",
}
"""Types of the design that this version does not have yet, and what each is for."""


def worker_type(name: str, settings: Mapping[str, Json]) -> str:
    """Return the type of worker `name`: what its settings say, else the name itself; raises DefinitionError."""
    kind = settings.get("type") or name
    if isinstance(kind, str) and (kind in WORKERS or kind in TO_COME):
        return kind
    allowed = ", ".join([*WORKERS, *TO_COME])
    raise invalid([Problem(f"workers.{name}.type", f"unknown type {kind!r}", allowed)], what=f"worker {name!r}")


def make_worker(name: str, settings: Mapping[str, Json], *, host: Host) -> Worker:
    """Return the worker `name`; it checks its other settings when it makes a command line.

    Raises DefinitionError for an unknown type, WorkerError for a type of a later version.
    """
    kind = worker_type(name, settings)
    if kind not in WORKERS:
        raise WorkerError(
            f"worker {name!r} is {TO_COME[kind]} (type {kind!r}), which is not in this version yet",
            where=f"workers.{name}",
            hint=f"In punchlist.toml give [workers.{name}] one of these types: {', '.join(WORKERS)}.",
        )
    return WORKERS[kind](name, host)
