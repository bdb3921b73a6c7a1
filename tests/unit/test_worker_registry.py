from pathlib import Path

import pytest

from punchlist.errors import DefinitionError, WorkerError
from punchlist.model import settings
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Role
from punchlist.model.json import Json
from punchlist.ports import Invocation, Launch
from punchlist.workers import TO_COME, WORKERS, Host, make_worker, worker_type
from punchlist.workers.environment import environment, search_path

HOST = Host(python="/usr/bin/python3", path="/usr/bin")


def test_the_registry_has_every_type_that_settings_may_name() -> None:
    assert set(WORKERS) == set(settings.IN_FORCE)
    assert set(WORKERS) | set(TO_COME) == set(settings.WORKER_TYPES)


def test_the_type_of_a_worker_is_its_name_unless_its_settings_say_otherwise() -> None:
    assert worker_type("heuristic", {}) == "heuristic"
    assert worker_type("claude", {"type": "scripted", "model": "opus"}) == "scripted"


@pytest.mark.parametrize("kind", ["robot", 7, ["command"]])
def test_an_unknown_type_is_refused_with_what_is_allowed(kind: Json) -> None:
    with pytest.raises(DefinitionError) as caught:
        make_worker("w", {"type": kind}, host=HOST)

    for part in ("workers.w.type", repr(kind), "command", "heuristic", "scripted"):
        assert part in str(caught.value)


@pytest.mark.parametrize("kind", TO_COME)
def test_a_type_of_a_later_version_is_not_there_yet(kind: str) -> None:
    with pytest.raises(WorkerError, match="not in this version yet") as caught:
        make_worker("w", {"type": kind}, host=HOST)

    assert caught.value.exit_code == 4
    assert "[workers.w]" in caught.value.hint


def test_folders_of_the_project_go_before_the_path() -> None:
    assert (
        search_path((".venv/bin", "/opt/bin"), "/usr/bin:/bin", cwd=Path("/folder"))
        == "/folder/.venv/bin:/opt/bin:/usr/bin:/bin"
    )


def test_nothing_overrides_what_the_engine_says_of_an_attempt() -> None:
    launch = Launch(
        attempt=AttemptId("A1"),
        role=Role.NODE,
        invocation=Invocation(argv=("x",), env={"PUNCHLIST_ATTEMPT": "A9", "A": "worker"}),
        cwd=Path("/folder"),
        home=Path("/home"),
        limits=Limits(timeout=1),
        env={"PUNCHLIST_ATTEMPT_DIR": "/elsewhere", "A": "launch", "PWD": "/"},
    )

    env = environment(launch, {}, io=Path("/attempts/A1/io"))

    assert (env["PUNCHLIST_ATTEMPT"], env["PUNCHLIST_ATTEMPT_DIR"]) == ("A1", "/attempts/A1/io")
    assert (env["A"], env["PWD"], env["LANG"]) == ("launch", "/folder", "C.UTF-8")
