"""The policy of a run: settings, project, flow and task lie over each other; what has no effect is refused."""

from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import DefinitionError
from punchlist.service import projects, runs, starts
from punchlist.service.context import Service
from tests.services import BUILDER, created, ready, workspace

FLOW = "punchlist: 1\nflow: own\npolicy: {{{rules}}}\nnodes:\n  a: {{run: [ls]}}\n"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with project `p`, each saying another part of policy; no engine ever runs."""
    settings = f"{BUILDER}[policy]\nretries = 5\nrework = 5\nmax_parallel = 5\ntimeout = '5m'\nsilence = '5m'\n"
    made = workspace(tmp_path / "ws", settings=settings)
    projects.create(made, "p", spec="# What is wanted\n")
    rules: Any = {"rework": 6, "max_parallel": 6, "timeout": "6m", "silence": "6m"}
    projects.edit(made, "p", changes={"policy": rules})
    return made


def policy_of_the_last_run(service: Service) -> dict[str, Any]:
    with service.store.read() as reader:
        commands: list[Any] = [row.command for row in reader.inbox()]
    found: dict[str, Any] = commands[-1]["policy"]
    return found


def written(service: Service, name: str, *, rules: str) -> str:
    (service.root / name).parent.mkdir(exist_ok=True)
    (service.root / name).write_text(FLOW.format(rules=rules), encoding="utf-8")
    return str(service.root / name)


def test_a_run_of_a_flow_has_the_policy_of_its_project_its_flow_and_this_one_call(service: Service) -> None:
    flow = written(service, "own.yaml", rules="max_parallel: 7, timeout: 7m, silence: 7m")

    runs.run(service, flow, project="p", policy={"silence": "8m"})

    found = policy_of_the_last_run(service)
    assert [found[name] for name in ("retries", "rework", "max_parallel", "timeout", "silence")] == [
        5, 6, 7, "7m", "8m",
    ]  # fmt: skip


def test_a_task_is_delivered_under_the_policy_of_a_deliver_flow_of_one_s_own_and_its_own(service: Service) -> None:
    written(service, "flows/deliver.yaml", rules="timeout: 7m, silence: 7m")
    name = ready(service, policy={"silence": "8m"})

    starts.start(service, [name])

    found = policy_of_the_last_run(service)
    assert [found[rule] for rule in ("rework", "timeout", "silence")] == [6, "7m", "8m"]


@pytest.mark.parametrize("rule", ["sandbox", "auto_approve"])
def test_a_rule_that_a_run_of_a_flow_would_not_heed_is_refused(rule: str, service: Service) -> None:
    flow = written(service, "own.yaml", rules="")

    with pytest.raises(DefinitionError, match=f"(?s)the run of own has 1 problem.*policy.{rule}: it is "):
        runs.run(service, flow, policy={rule: "bwrap" if rule == "sandbox" else True})


def test_all_that_is_wrong_with_what_a_run_is_given_is_told_at_once(service: Service) -> None:
    flow = written(service, "own.yaml", rules="")

    with pytest.raises(DefinitionError) as refused:
        runs.run(service, flow, inputs={"nothing": 1}, policy={"rework": -1, "sandbox": "bwrap", "timout": "1m"})

    places = [problem.where for problem in refused.value.problems]
    assert places == ["policy", "policy.rework", "policy.sandbox", "inputs.nothing"]


@pytest.mark.parametrize("rule", ["max_parallel", "max_transitions", "on_accept", "auto_approve"])
def test_a_step_cannot_have_a_rule_of_whole_tasks_for_itself(rule: str, service: Service) -> None:
    value = {"on_accept": "merge", "auto_approve": True}.get(rule, 3)
    step: Any = {"title": "s", "criteria": ["c"], "policy": {rule: value, "rework": 1}}

    with pytest.raises(DefinitionError, match=rf"steps\[0\].policy.{rule}: it is a rule of whole tasks") as refused:
        created(service, steps=[step])

    assert refused.value.problems[0].allowed.startswith("rework, retries, timeout")
