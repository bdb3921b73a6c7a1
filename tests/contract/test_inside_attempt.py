"""Inside an attempt: every verb that changes anything is refused, every one that looks is not."""

import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from punchlist.cli.program import punchlist
from punchlist.cli.verbs import VERBS
from punchlist.errors import RefusedError
from punchlist.service.within import looking
from tests.installed import Workspace
from tests.services import BUILDER, JUDGE, opened

LOOKS = {
    "doctor": "", "config": "", "project list": "", "project show": "", "task list": "", "task show": "T1",
    "step list": "T1", "step show": "T1.1", "gates": "", "validate": "plan.yaml", "status": "", "why": "T1",
    "events": "", "report": "T1", "files check": "", "files diff": "", "log verify": "", "engine status": "",
    "schema": "task", "completion": "bash", "version": "",
    "flow list": "", "flow show": "deliver", "flow graph": "deliver",
}  # fmt: skip
"""Each verb that only looks, with arguments."""
CHANGES = {
    "init": "other", "demo": "", "project create": "q", "project edit": "p --title Other", "plan": "request",
    "do": "request --yes", "task create": "--file task.json", "task edit": "T1 --title Other",
    "task start": "T2", "task propose": "T4",
    "task approve": "T1 --no-wait", "task reject": "T1 -m no", "task retry": "T3",
    "task revise": "T2", "task cancel": "T1", "task reopen": "T3", "step add": "T1 --title More --criterion Holds.",
    "step edit": "T1.1 --goal Other", "step remove": "T1.1", "step reorder": "T1 T1.1", "step skip": "T1.1",
    "step cancel": "T1.1", "step reopen": "T3.1", "approve": "T1 --no-wait", "reject": "G1 -m no",
    "decide": "G1 approve", "waive": "F1 --reason fine", "rework": "T1.1 -m more", "run": "flow.yaml",
    "pause": "T1", "resume": "T1", "retry": "T3", "cancel": "T1",
    "add": "R1 --file flow.yaml", "files write": "", "gc": "--keep-days 0",
    "mcp": "--install claude-code --yes",
    "engine run": "", "engine start": "", "engine stop": "", "engine install": "--yes",
}  # fmt: skip
"""Each verb that changes something, with arguments that would let it."""
REFUSED_SAYING = ("attempt", "agent:unknown/A1", "no run has hold of it", "there is no run")
ELSEWHERE = {"logs": "there is no attempt", "diff": "no run has begun"}
"""Verbs that look at what this workspace has not."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Four tasks: a draft that is proposed, a ready one, a cancelled one, and another draft."""
    folder: Path = tmp_path_factory.mktemp("inside")
    made = Workspace(folder / "ws", folder / "home")
    made.home.mkdir()
    made.write("punchlist.toml", BUILDER)
    made.write("tools/judge", JUDGE).chmod(0o755)
    made.write("task.json", '{"title": "Write", "steps": [{"title": "Write", "criteria": ["It reads well."]}]}')
    made.write("flow.yaml", "punchlist: 1\nflow: f\nnodes:\n  one: {run: 'true'}\n")
    made.write("plan.yaml", "punchlist: 1\nflow: f\nnodes:\n  one: {run: 'true'}\n")
    made.ok("init")
    made.ok("project", "create", "p")
    for _ in range(4):
        made.ok("task", "create", "--file", "task.json")
    made.ok("approve", "T2", "--no-wait")
    made.ok("task", "cancel", "T3")
    made.ok("task", "propose", "T1")
    yield made
    made.stop()


def leaves(group: click.Group, above: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, f"{above}{name} ")
        else:
            yield f"{above}{name}"


def test_every_verb_is_known_to_look_or_to_change() -> None:
    found = set(leaves(punchlist))

    assert {each.partition(" ")[0] for each in found} == set(VERBS)
    assert found == set(LOOKS) | set(CHANGES) | set(ELSEWHERE)


@pytest.mark.parametrize("verb", CHANGES)
def test_what_changes_something_is_refused_inside_an_attempt_and_has_changed_nothing(
    workspace: Workspace, verb: str
) -> None:
    before = everything(workspace)

    call = workspace.punchlist(*verb.split(), *CHANGES[verb].split(), env={"PUNCHLIST_ATTEMPT": "A1"})

    assert call.code == 3, call
    assert any(
        said in call.err for said in ("attempt", "agent:unknown/A1", "no run has hold of it", "there is no run")
    ), call
    assert everything(workspace) == before


def everything(workspace: Workspace) -> tuple[Any, Any, set[str]]:
    with opened(workspace.root).store.read() as reader:
        inbox = [row.id for row in reader.inbox()]
    paths = {
        str(each) for each in workspace.root.rglob("*") if "cache" not in each.parts and "state.db" not in each.name
    }
    return workspace.ok("events")["events"], inbox, paths


@pytest.mark.parametrize("verb", LOOKS)
def test_what_only_looks_works_inside_an_attempt(workspace: Workspace, verb: str) -> None:
    call = workspace.punchlist(*verb.split(), *LOOKS[verb].split(), env={"PUNCHLIST_ATTEMPT": "A1"})

    assert call.code in {0, 1}, call
    assert "attempt A1" not in call.err


@pytest.mark.parametrize("port", ["store", "workspace", "engine", "files", "processes"])
def test_what_a_port_may_learn_later_is_refused_inside_an_attempt(workspace: Workspace, port: str) -> None:
    service = opened(workspace.root)
    inside = msgspec.structs.replace(service, outside=looking(service.outside, attempt="A1"))

    with pytest.raises(RefusedError, match="inside attempt A1 nothing of a workspace can be changed"):
        operator.attrgetter(f"{port}.learned_later")(inside)
