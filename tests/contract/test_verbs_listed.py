"""The names that a worker lists in `env`: required where a run is started, and as they were there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from punchlist.errors import WorkerError
from punchlist.model.ids import RunId
from punchlist.service import approvals, plans, projects, runs, starts, tasks
from punchlist.service.context import Service
from tests.services import BUILDER, at, git, stopped, task, workspace

pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECRET = "s3cret-value"
SETTINGS = BUILDER.replace(
    'argv = ["sh", "-c", "echo made > made.txt"]',
    'argv = ["sh", "-c", "echo made > made.txt; printf %s $MY_KEY | wc -c >> made.txt"]\nenv = ["MY_KEY"]',
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A workspace whose builder lists MY_KEY, with an engine that was started without it."""
    made = workspace(tmp_path / "ws", settings=SETTINGS, engine=True)
    with stopped(made):
        projects.create(made, "p", spec="# Files\n")
        tasks.create(made, None, document=task())
        approvals.approve(made, "T1")
        yield made


def where(service: Service, **environment: str) -> Service:
    """Return the same workspace as it is seen from a shell with these variables besides its own."""
    given = {name: value for name, value in os.environ.items() if name != "MY_KEY"} | environment
    return msgspec.structs.replace(service, outside=msgspec.structs.replace(service.outside, environment=given))


def test_a_listed_name_that_is_not_set_is_named_before_anything_is_made(service: Service) -> None:
    with pytest.raises(WorkerError) as refused:
        starts.start(where(service), ["T1"])
    with pytest.raises(WorkerError, match=r"worker 'maker' lists MY_KEY in `env`, and it is not set here"):
        plans.plan(where(service), request="more", planner="maker")

    (problem,) = refused.value.problems
    assert problem.message == "worker 'maker' lists MY_KEY in `env`, and it is not set here"
    assert "export MY_KEY=" in problem.hint
    with service.store.read() as reader:
        assert [row.purpose for row in reader.runs()] == ["prove"]


FLOW = """\
punchlist: 1
flow: asking
inputs: {who: {type: string, default: other}, more: {type: bool, default: false}}
agents: {author: {worker: maker}}
nodes:
  first: {run: [touch, begun]}
  group:
    nodes:
      draft: {agent: author, prompt: Write.}
      review: {agent: "${{ inputs.who }}", prompt: Read.}
      never: {agent: unset, prompt: Read., when: "${{ inputs.more }}"}
"""
ASKING = (
    SETTINGS
    + """
[workers.other]
type = "command"
argv = ["true"]
env = ["FIRST_KEY", "PATH", "SECOND_KEY"]

[workers.unset]
type = "command"
argv = ["true"]
env = ["THIRD_KEY"]
"""
)


def test_a_run_of_a_flow_names_all_that_its_workers_would_miss_before_anything_is_made(tmp_path: Path) -> None:
    with stopped(workspace(tmp_path, settings=ASKING)) as made:
        (made.root / "asking.yaml").write_text(FLOW, encoding="utf-8")

        with pytest.raises(WorkerError) as refused:
            runs.run(where(made), str(made.root / "asking.yaml"))
        with pytest.raises(WorkerError) as more:
            runs.run(where(made, MY_KEY="x"), str(made.root / "asking.yaml"), inputs={"who": "maker", "more": True})
        begun: Any = runs.run(where(made, MY_KEY="x"), str(made.root / "asking.yaml"), inputs={"who": "maker"})

        assert refused.value.message == "the run of asking cannot start, because of its workers:"
        assert [problem.message for problem in refused.value.problems] == [
            "worker 'maker' lists MY_KEY in `env`, and it is not set here",
            "worker 'other' lists FIRST_KEY, SECOND_KEY in `env`, and they are not set here",
        ]
        assert "export FIRST_KEY=… SECOND_KEY=… and try again" in refused.value.problems[1].hint
        assert [problem.where for problem in more.value.problems] == ["workers.unset.env"]
        assert begun["run"]["id"] == "R1"  # what was refused has taken no id
        with made.store.read() as reader:
            assert len(reader.inbox()) == 1


def test_a_worker_gets_the_value_of_where_the_run_was_started_and_no_record_has_it(service: Service) -> None:
    started: Any = starts.start(where(service, MY_KEY=SECRET), ["T1"])

    ended: Any = runs.wait(service, [started["run"]["id"]])

    assert at(ended, "runs", 0, "status") == "succeeded"
    assert git(service.root / "repos/p", "show", "punchlist/T1-make-a-file:made.txt") == f"made\n{len(SECRET)}"
    service.engine.stop()
    service.store.close()
    holding = [path for path in service.root.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert holding == []


def test_what_is_kept_for_a_run_is_for_its_owner_alone(service: Service) -> None:
    kept = service.processes.listed
    kept.keep(RunId("R7"), {"MY_KEY": SECRET})

    file = service.root / ".punchlist/listed/R7.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert kept.of(RunId("R7")) == {"MY_KEY": SECRET}
    assert (kept.of(RunId("R8")), kept.runs()) == ({}, ["R7"])
    kept.forget(RunId("R7"))
    assert kept.runs() == []
