"""What a process gets to see of any environment."""

from collections.abc import Mapping
from pathlib import Path

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Role
from punchlist.ports import Invocation, Launch
from punchlist.workers.environment import environment


def launch(*, search: str = "", listed: Mapping[str, str] | None = None) -> Launch:
    """Return a command's launch in `/here`, with one folder of the project's before PATH."""
    return Launch(
        attempt=AttemptId("A1"),
        role=Role.COMMAND,
        invocation=Invocation(argv=("true",), pass_env=("KEY", "OTHER")),
        cwd=Path("/here"),
        home=None,
        limits=Limits(timeout=1),
        search=search,
        listed=listed or {},
        path=(".venv/bin",),
    )


def test_path_is_that_of_where_the_run_was_started() -> None:
    seen = environment(launch(search="/started/here"), {"PATH": "/of/the/engine"}, io=Path("/io"))

    assert seen["PATH"] == "/here/.venv/bin:/started/here"


def test_path_is_the_engines_when_nobody_said_where_the_run_was_started() -> None:
    seen = environment(launch(search=""), {"PATH": "/of/the/engine"}, io=Path("/io"))

    assert seen["PATH"] == "/here/.venv/bin:/of/the/engine"


def test_listed_names_are_as_they_were_where_the_run_was_started() -> None:
    here = launch(listed={"KEY": "of the run", "UNLISTED": "x"})

    seen = environment(here, {"KEY": "of the engine", "OTHER": "set", "MORE": "y"}, io=Path("/io"))

    assert (seen["KEY"], seen["OTHER"]) == ("of the run", "set")
    assert not {"UNLISTED", "MORE"} & seen.keys()
