"""Approval and start: a person freezes a task, and only then does anything run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import DefinitionError, RefusedError, WorkerError
from punchlist.model.ids import Digest, GateId, NodePath
from punchlist.model.rows import GateRow
from punchlist.model.state import GateState
from punchlist.service import approvals, gates, plans, projects, starts, tasks
from punchlist.service.context import Service
from tests.services import (
    BUILDER,
    as_agent,
    at,
    created,
    is_clean,
    project_workspace,
    ready,
    shown,
    task,
    unchecked,
    workspace,
)

Verb = Callable[[Service], object]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the empty project `p`; no engine ever runs."""
    return project_workspace(tmp_path / "ws")


def test_a_proposal_opens_a_gate_that_a_person_decides(service: Service) -> None:
    created(service)

    proposed: Any = approvals.propose(service, "T1", message="please look")
    approved: Any = approvals.approve(service, proposed["gate"]["id"])

    assert (proposed["gate"]["kind"], proposed["gate"]["message"]) == ("approval", 'T1 "Write prose": "please look"')
    assert (approved["gate"]["status"], approved["gate"]["choice"]) == ("decided", "approve")
    assert shown(service, "T1")["status"] == "ready"
    assert is_clean(service)


def test_a_gate_is_decided_once(service: Service) -> None:
    created(service)
    gate = str(at(approvals.propose(service, "T1"), "gate", "id"))
    gates.decide(service, gate, choice="reject", message="too big")

    with pytest.raises(RefusedError, match=f"gate {gate} is decided already by human:.*: reject"):
        approvals.approve(service, gate)

    assert shown(service, "T1")["status"] == "draft"
    everything: Any = gates.listing(service, everything=True)
    assert everything["gates"][0]["data"] == {"note": "too big"}


def test_a_decision_for_something_else_than_what_is_shown_is_refused(service: Service) -> None:
    created(service)
    gate = str(at(approvals.propose(service, "T1"), "gate", "id"))

    with pytest.raises(RefusedError, match=f"gate {gate} shows"):
        gates.decide(service, gate, choice="approve", shows="f" * 64)
    with pytest.raises(DefinitionError, match="no choice 'maybe'; allowed: approve, reject"):
        gates.decide(service, gate, choice="maybe")


def test_a_person_may_reject_by_the_task_or_by_the_choice(service: Service) -> None:
    created(service)
    approvals.propose(service, "T1")
    approvals.reject(service, "T1", message="no")
    second = str(at(approvals.propose(service, "T1"), "gate", "id"))

    approvals.approve(service, second, choice="reject")

    assert gates.listing(service) == {"gates": []}
    with pytest.raises(RefusedError, match="not proposed"):
        approvals.approve(service, "T1", choice="reject")
    with pytest.raises(DefinitionError, match="a task has no choice"):
        approvals.approve(service, "T1", choice="maybe")


@pytest.mark.parametrize("verb", [approvals.approve, approvals.reject])
def test_a_gate_that_asks_something_else_is_not_answered_by_a_guess(
    service: Service, verb: Callable[[Service, str], object]
) -> None:
    asked(service, kind="rework", choices=("more", "fail"))

    with pytest.raises(RefusedError, match="gate G7 is of kind rework") as refused:
        verb(service, "G7")

    assert refused.value.hint == "Type one of: punchlist decide G7 more, or punchlist decide G7 fail"


def test_what_is_for_the_approval_of_a_task_is_refused_for_other_gates(service: Service) -> None:
    asked(service, kind="flow", choices=("approve", "reject"))

    with pytest.raises(DefinitionError, match=r"--anyway, --no-wait: only for the approval of a task"):
        approvals.approve(service, "G7", anyway=True, no_wait=True)


def test_a_proposal_has_no_other_choices_than_its_own(service: Service) -> None:
    created(service)
    gate = str(at(approvals.propose(service, "T1"), "gate", "id"))

    with pytest.raises(DefinitionError, match="no choice 'go_on'; allowed: approve, reject"):
        approvals.approve(service, gate, choice="go_on")


def asked(service: Service, *, kind: str, choices: tuple[str, ...]) -> None:
    """Put the row of an open gate G7 that no run stands at."""
    gate = GateState(
        id=GateId("G7"), kind=kind, node=NodePath("n"), message="?", shows=Digest("f" * 64), choices=choices
    )
    with service.store.write() as writer:
        writer.put([GateRow(gate=gate)])


def test_a_way_of_publishing_that_is_not_there_is_refused_before_anything_is_paid_for(service: Service) -> None:
    created(service, policy={"on_accept": "pr"})

    with pytest.raises(DefinitionError, match="saw 'pr'; allowed: branch, merge") as refused:
        approvals.approve(service, "T1", no_wait=True)

    assert refused.value.where == "policy.on_accept"
    assert shown(service, "T1")["status"] == "draft"


@pytest.mark.parametrize(("role", "missing"), [("builder", "no-builder"), ("qa", "no-qa")])
def test_what_could_not_be_started_is_known_before_it_is_planned(tmp_path: Path, role: str, missing: str) -> None:
    settings = f'[workers.w]\ntype = "command"\nargv = ["true"]\n[workers.x]\ntype = "command"\nargv = ["{missing}"]\n'
    other = "qa" if role == "builder" else "builder"
    made = workspace(tmp_path / "other", settings=f'{settings}[roles]\n{other} = "w"\n{role} = "x"\n')

    with pytest.raises(WorkerError, match=f"the program '{missing}' of worker 'x' is not there"):
        plans.check_staff(made, None)


def test_the_offline_planner_needs_a_builder_in_the_settings(tmp_path: Path) -> None:
    made = workspace(tmp_path / "other", settings="")

    with pytest.raises(WorkerError, match="what is to be planned has no builder"):
        plans.check_staff(made, None)


def test_approving_twice_is_refused(service: Service) -> None:
    name = ready(service)

    with pytest.raises(RefusedError, match="T1 is ready: it cannot become ready"):
        approvals.approve(service, name)


def test_what_proves_nothing_is_approved_only_when_that_is_said(service: Service) -> None:
    tasks.create(service, None, document=unchecked(policy={"review": "never"}))

    with pytest.raises(RefusedError, match="prove nothing yet") as refused:
        approvals.approve(service, "T1")
    approvals.approve(service, "T1", anyway=True)

    assert "can only be judged by a reviewer" in str(refused.value)
    assert "punchlist approve T1 --anyway" in refused.value.hint
    assert len(shown(service, "T1")["approved_anyway"]) == 1


def test_approval_without_waiting_records_that_nothing_was_proved(service: Service) -> None:
    tasks.create(service, None, document=task())

    answer: Any = approvals.approve(service, "T1", no_wait=True)

    assert answer["task"]["approved_anyway"] == [approvals.NOT_PROVED]
    assert answer["task"]["approved_unproved"] is True


def test_not_waiting_stands_in_for_anyway_only_where_the_base_could_say_otherwise(service: Service) -> None:
    guard = {"text": "It stays.", "check": "true", "red_first": False}
    hopeless = [{"title": "Nothing", "criteria": [guard]}]
    tasks.create(service, None, document=unchecked(policy={"review": "never"}))
    tasks.create(service, None, document=task(steps=hopeless, policy={"review": "never"}))

    with pytest.raises(RefusedError, match=r"T1\.1 AC-1 can only be judged by a reviewer, and policy.review is never"):
        approvals.approve(service, "T1", no_wait=True)
    with pytest.raises(RefusedError, match=r"T2\.1 has no goal and nothing to review"):
        approvals.approve(service, "T2", no_wait=True)
    answer: Any = approvals.approve(service, "T2", no_wait=True, anyway=True)

    assert answer["task"]["approved_anyway"] == ["T2.1 has no goal and nothing to review", approvals.NOT_PROVED]
    assert answer["task"]["approved_unproved"] is False
    assert shown(service, "T1")["status"] == "draft"


@pytest.mark.parametrize(
    "verb",
    [
        lambda s: approvals.approve(s, "T1"),
        lambda s: approvals.reject(s, "T1"),
        lambda s: gates.decide(s, "G1", choice="approve"),
        lambda s: gates.waive(s, "F1", reason="x"),
        lambda s: gates.rework(s, "T1.1", message="x"),
        lambda s: plans.plan(s, "p", approve=True),
    ],
)
def test_what_only_a_person_may_do_is_refused_inside_an_attempt(service: Service, verb: Verb) -> None:
    created(service)

    with pytest.raises(RefusedError, match="is for a person"):
        verb(as_agent(service))


def test_an_agent_may_propose(service: Service) -> None:
    created(service)

    answer: Any = approvals.propose(as_agent(service), "T1")

    assert answer["gate"]["opened_by"] == "agent:builder/A1"


def test_starting_returns_on_commit_with_the_runs_id(service: Service) -> None:
    name = ready(service)

    answer: Any = starts.start(service, [name])

    assert (answer["run"]["id"], answer["run"]["status"]) == ("R1", "pending")
    with service.store.read() as reader:
        (row,) = reader.inbox()
    assert isinstance(row.command, dict)
    assert row.command["branch"] == "punchlist/T1-write-prose"
    frozen: Any = row.command["inputs"]
    assert [(each["builder"], each["qa"]) for each in frozen["task"]["steps"]] == [("maker", "judge")]


def test_a_task_is_started_once(service: Service) -> None:
    name = ready(service)
    starts.start(service, [name])

    with pytest.raises(RefusedError, match="is being started already, as R1"):
        starts.start(service, [name])


def test_several_tasks_start_together_or_not_at_all(service: Service) -> None:
    first, second = ready(service), ready(service)
    created(service)

    with pytest.raises(RefusedError, match="T3 is draft"):
        starts.start(service, [first, second, "T3"])
    answer: Any = starts.start(service, all_ready=True)

    assert [each["id"] for each in answer["runs"]] == ["R1", "R2"]
    assert [each["id"] for each in answer["tasks"]] == [first, second]


def test_a_task_waits_for_those_that_it_needs(service: Service) -> None:
    ready(service)
    second = ready(service, needs=["T1"])

    with pytest.raises(RefusedError, match="T1: is ready, and T2 needs it accepted"):
        starts.start(service, [second])
    answer: Any = starts.start(service, all_ready=True)

    assert [each["id"] for each in answer["tasks"]] == ["T1"]


def test_nothing_to_start_is_a_wrong_use(service: Service) -> None:
    with pytest.raises(DefinitionError, match="no task was named"):
        starts.start(service)


def test_all_workers_that_are_not_there_are_listed_before_a_start(tmp_path: Path) -> None:
    service = workspace(tmp_path, settings='[roles]\nbuilder = "codex"\n')
    projects.create(service, "p")
    name = ready(service)

    with pytest.raises(WorkerError, match="cannot start, because of its workers") as refused:
        starts.start(service, [name])

    assert [problem.where for problem in refused.value.problems] == ["T1.1.builder", "T1.1.qa"]
    assert refused.value.exit_code == 4


def test_a_policy_may_let_a_start_approve(tmp_path: Path) -> None:
    service = workspace(tmp_path, settings=f"[policy]\nauto_approve = true\n{BUILDER}")
    projects.create(service, "p")
    created(service)

    answer: Any = starts.start(service, ["T1"])

    assert answer["task"]["status"] == "ready"
