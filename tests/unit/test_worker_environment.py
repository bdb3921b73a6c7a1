"""What a process gets to see of any environment."""

from pathlib import Path

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Role
from punchlist.ports import Invocation, Launch
from punchlist.workers.environment import environment


def launch(*, search: str) -> Launch:
    """Return a command's launch in `/here`, with one folder of the project's before PATH."""
    return Launch(
        attempt=AttemptId("A1"),
        role=Role.COMMAND,
        invocation=Invocation(argv=("true",)),
        cwd=Path("/here"),
        home=None,
        limits=Limits(timeout=1),
        search=search,
        path=(".venv/bin",),
    )


def test_path_is_that_of_where_the_run_was_started() -> None:
    seen = environment(launch(search="/started/here"), {"PATH": "/of/the/engine"}, io=Path("/io"))

    assert seen["PATH"] == "/here/.venv/bin:/started/here"


def test_path_is_the_engines_when_nobody_said_where_the_run_was_started() -> None:
    seen = environment(launch(search=""), {"PATH": "/of/the/engine"}, io=Path("/io"))

    assert seen["PATH"] == "/here/.venv/bin:/of/the/engine"
