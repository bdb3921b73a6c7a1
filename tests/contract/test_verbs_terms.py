"""What an approval holds for besides the task: where its work goes and what runs there, which no agent changes."""

from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import ConflictError, RefusedError
from punchlist.service import approvals, gates, projects, starts, tasks
from punchlist.service.context import Service
from tests.services import (
    BUILDER,
    as_agent,
    asleep,
    at,
    created,
    git,
    is_clean,
    opened,
    project_workspace,
    ready,
    repository,
    shown,
    task,
)

THEIRS: dict[str, Any] = {
    "repo": "other",
    "base": "trunk",
    "setup": ["true"],
    "setup_allow": ["packages.example.org"],
    "path": ["bin"],
    "policy": {"auto_approve": True},
}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the empty project `p`, which has a branch `trunk`, and another repository; no engine runs."""
    made = project_workspace(tmp_path / "ws")
    git(made.root / "repos/p", "branch", "trunk")
    git(repository(made.root / "other"), "branch", "trunk")
    return made


def test_an_agent_may_not_say_where_work_goes_and_what_runs_there(service: Service) -> None:
    with pytest.raises(RefusedError, match="it is for a person to say") as refused:
        projects.edit(as_agent(service), "p", changes={"title": "Mine", **THEIRS})

    assert at(projects.show(service), "project", "title") == "p"
    assert [each.where for each in refused.value.problems] == [*THEIRS]
    assert [each.hint for each in refused.value.problems] == [
        "Type: punchlist project edit p --repo DIR",
        "Type: punchlist project edit p --base BRANCH",
        "Type: punchlist project edit p --setup COMMAND",
        "A person says setup_allow under [projects.p] in punchlist.toml; the next edit of the project reads it.",
        "Type: punchlist project edit p --path DIR",
        "A person says policy under [projects.p] in punchlist.toml; the next edit of the project reads it.",
    ]


def test_what_is_proposed_is_withdrawn_by_each_change_of_that(service: Service) -> None:
    created(service)
    digests: list[str] = []

    for field, value in THEIRS.items():
        digests.append(at(approvals.propose(service, "T1"), "gate", "shows_digest"))
        projects.edit(service, "p", changes={field: value})
        assert (field, gates.listing(service), shown(service, "T1")["proposal"]) == (field, {"gates": []}, None)

    everything = at(gates.listing(service, everything=True), "gates")
    assert [gate["status"] for gate in everything] == ["withdrawn"] * len(THEIRS)
    assert len({*digests}) == len(THEIRS)
    assert is_clean(service)


def test_what_a_project_says_of_itself_leaves_proposals_open(service: Service) -> None:
    created(service)
    before = at(approvals.propose(service, "T1"), "gate")

    projects.edit(as_agent(service), "p", changes={"title": "The P", "spec": "# More\n"})

    assert gates.listing(service) == {"gates": [before]}
    approvals.approve(service, before["id"])
    assert shown(service, "T1")["digest"] == before["shows_digest"]


def test_the_checks_of_drafts_are_run_anew_where_another_base_may_answer_otherwise(service: Service) -> None:
    tasks.create(service, "p", document=task())
    woken, version = asleep(service).woken, shown(service, "T1")["version"]

    projects.edit(service, "p", changes={"policy": {"rework": 1}})
    assert (asleep(service).woken, shown(service, "T1")["version"]) == (woken, version)
    projects.edit(service, "p", changes={"repo": "other"})

    assert (asleep(service).woken, shown(service, "T1")["version"]) == (woken + 1, version + 1)
    with service.store.read() as reader:
        asked: list[Any] = [row.command for row in reader.inbox()]
    assert asked[-1]["base"] == git(service.root / "other", "rev-parse", "main") != asked[0]["base"]


@pytest.mark.parametrize("field", ["repo", "base"])
def test_where_work_goes_stays_while_a_task_that_was_approved_for_it_is_not_over(service: Service, field: str) -> None:
    ready(service)

    with pytest.raises(RefusedError, match=r"approved for branch main of repos/p") as refused:
        projects.edit(service, "p", changes={field: THEIRS[field]})

    assert [(each.where, each.hint) for each in refused.value.problems] == [("T1", "Type: punchlist task revise T1")]
    tasks.revise(service, "T1")
    projects.edit(service, "p", changes={field: THEIRS[field]})
    approvals.approve(service, "T1", no_wait=True)
    assert shown(service, "T1")["approved_for"] == {"repo": "repos/p", "base": "main", field: THEIRS[field]}
    assert is_clean(service)


def test_what_runs_there_may_change_when_a_task_is_approved(service: Service) -> None:
    ready(service)

    projects.edit(service, "p", changes={"setup": ["true"], "policy": {"rework": 1}})

    assert at(starts.start(service, ["T1"]), "task", "id") == "T1"


def test_a_task_does_not_start_elsewhere_than_it_was_approved_for(service: Service) -> None:
    ready(service)
    tasks.cancel(service, "T1")
    projects.edit(service, "p", changes={"repo": "other"})
    tasks.reopen(service, "T1")

    with pytest.raises(
        RefusedError, match=r"approved for branch main of repos/p, .* goes to branch main of other now"
    ) as no:
        starts.start(service, ["T1"])

    assert no.value.hint == "Type: punchlist task revise T1, then punchlist approve T1"
    tasks.revise(service, "T1")
    approvals.approve(service, "T1", no_wait=True)
    assert at(starts.start(service, ["T1"]), "task", "id") == "T1"


def test_a_task_that_is_over_is_not_taken_up_again_elsewhere(service: Service) -> None:
    ready(service)
    tasks.cancel(service, "T1")
    projects.edit(service, "p", changes={"base": "trunk"})

    with pytest.raises(RefusedError, match="goes to branch trunk of repos/p now"):
        starts.start_again(service, "T1")

    assert shown(service, "T1")["status"] == "cancelled"


def test_a_gate_is_not_approved_under_another_policy_than_it_shows(service: Service) -> None:
    created(service)
    gate = str(at(approvals.propose(service, "T1"), "gate", "id"))
    (service.root / "punchlist.toml").write_text(f'{BUILDER}[policy]\non_accept = "merge"\n', encoding="utf-8")
    later = opened(service.root)

    with pytest.raises(ConflictError, match="what gate G1 shows is there no more"):
        approvals.approve(later, gate)

    approvals.approve(later, "T1")
    assert shown(later, "T1")["status"] == "ready"
