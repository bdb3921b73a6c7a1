"""Lines of flights: start, add, pause, plan; and those that wait, answered once when it is over, whoever is killed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_lines import answered, answers, lines, send
from tests.installed import Workspace, until

HELD = "punchlist: 1\nflow: held\nnodes:\n  a: {run: 'while test ! -e go; do sleep 0.05; done'}\n"
QUICK = "punchlist: 1\nflow: quick\ninputs: {word: {type: string}}\nnodes:\n  a: {run: 'echo ${{ inputs.word }}'}\n"
GATE = "punchlist: 1\nflow: g\nnodes:\n  ask: {gate: 'Go on?'}\n"
SPEC = "# What is wanted\n\n- A file README says what this is.\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "here", tmp_path / "home")
    made.root.mkdir()
    made.home.mkdir()
    made.ok("init")
    made.write("held.yaml", HELD)
    made.write("quick.yaml", QUICK)
    yield made
    made.write("go", "")
    made.stop()


def asked(name: str | int, verb: str, **args: Any) -> dict[str, Any]:
    return {"id": name, "verb": verb, "args": args}


def by_name(workspace: Workspace, count: int) -> dict[Any, dict[str, Any]]:
    return {each["id"]: each for each in answered(workspace, count)}


def test_a_line_that_waits_is_answered_when_it_is_over_and_holds_up_no_other(workspace: Workspace) -> None:
    workspace.ok("engine", "start")

    send(
        workspace,
        asked("go", "run_flow", flow="held.yaml"),
        asked("end", "wait", run="R1"),
        asked("look", "get_status"),
    )
    before = answered(workspace, 2)
    workspace.write("go", "")
    after = answered(workspace, 3)

    assert [each["id"] for each in before] == ["go", "look"]
    assert before[0]["run"]["id"] == "R1"
    assert (after[2]["id"], after[2]["ok"], after[2]["run"]["status"]) == ("end", True, "succeeded")
    assert after[2]["run"] == workspace.ok("resume", "R1")["run"]


def test_a_flow_is_started_with_its_inputs_and_refused_with_every_problem(workspace: Workspace) -> None:
    workspace.ok("engine", "start")

    send(
        workspace,
        asked(1, "run_flow", flow="quick.yaml", inputs={"word": "so"}),
        asked(2, "run_flow", flow="quick.yaml", inputs={"word": 3, "sword": 4}),
        asked(3, "run_flow", flow="nothing.yaml"),
        asked(4, "run_flow", flow="quick.yaml", inputs={"word": "so"}, policy={"speed": 1}),
        asked(1, "run_flow", flow="quick.yaml", inputs={"word": "so"}),
        asked(5, "wait", run="R1"),
        asked(6, "wait", run="R2"),
    )
    found = answered(workspace, 7)

    assert [(each["id"], each["ok"]) for each in found if each["id"] != 5] == [
        (1, True), (2, False), (3, False), (4, False), (1, True), (6, False),
    ]  # fmt: skip
    assert by_name(workspace, 7)[5]["run"]["outputs"] is not None
    assert len(found[1]["error"]["problems"]) == 2
    assert "there is no run R2" in by_name(workspace, 7)[6]["error"]["message"]


def test_a_run_is_given_nodes_paused_and_gone_on_with_by_lines(workspace: Workspace) -> None:
    workspace.ok("engine", "start")
    workspace.write("more.yaml", "nodes:\n  c: {run: 'true', needs: [b]}\n")

    send(
        workspace,
        asked("go", "run_flow", flow="held.yaml"),
        asked("bad", "add_nodes", run="R1", nodes={"b": {"run": "true", "needs": ["x"]}}),
        asked("one", "add_nodes", run="R1", nodes={"b": {"run": "true", "needs": ["a"]}}),
        asked("two", "add_nodes", run="R1", file="more.yaml"),
        asked("both", "add_nodes", run="R1", file="more.yaml", nodes={}),
        asked("stop", "pause", run="R1"),
        asked("on", "resume", run="R1"),
        asked("end", "wait", run="R1"),
    )
    found = by_name(workspace, 7)
    workspace.write("go", "")
    ended = by_name(workspace, 8)["end"]

    assert [name for name, each in found.items() if not each["ok"]] == ["bad", "both"]
    assert found["bad"]["error"]["message"] == "args.nodes has 1 problem:"
    assert "exactly one of file, nodes" in found["both"]["error"]["message"]
    assert [each["path"] for each in ended["run"]["nodes"]] == ["", "a", "b", "c"]
    assert ended["run"]["status"] == "succeeded"


def test_a_plan_is_answered_as_the_verb_answers_it(workspace: Workspace) -> None:
    workspace.write("spec.md", SPEC)
    workspace.ok("project", "create", "p", "--spec", "spec.md")
    workspace.ok("engine", "start")

    send(workspace, asked("plan", "plan_project", project="p"), asked("vain", "plan_project", project="p", planner="x"))
    found = by_name(workspace, 2)
    told = workspace.ok("plan", "p")

    assert found["vain"]["error"]["code"] == "not_found" or "x" in found["vain"]["error"]["message"]
    assert set(found["plan"]) == {"id", *told}
    assert [each["title"] for each in found["plan"]["tasks"]] == [each["title"] for each in told["tasks"]]
    assert found["plan"]["run"]["status"] == "succeeded"


def test_waits_outlive_killed_engines_and_each_is_answered_once(workspace: Workspace) -> None:
    workspace.write("spec.md", SPEC)
    workspace.ok("project", "create", "p", "--spec", "spec.md")
    workspace.ok("engine", "start")
    send(
        workspace,
        asked("go", "run_flow", flow="held.yaml"),
        *(asked(f"w{number}", "wait", run="R1") for number in range(5)),
        asked("change", "wait_for", ids=["R1"], states=["succeeded"], timeout=600),
        asked("seen", "get_status"),
    )
    until(lambda: "seen" in [each["id"] for each in answers(workspace)], what="the lines are taken", patience=20)

    workspace.kill_engine()
    workspace.ok("engine", "start")
    send(workspace, asked("plan", "plan_project", project="p"), asked("w0", "wait", run="R1"))
    workspace.kill_engine()
    workspace.write("go", "")
    workspace.ok("engine", "start")
    found = answered(workspace, 10)
    workspace.ok("engine", "stop")
    workspace.ok("engine", "start")
    send(workspace, asked("w0", "wait", run="R1"), asked("last", "list_projects"))
    again = answered(workspace, 12)
    workspace.ok("engine", "stop")

    names = [each["id"] for each in found]
    assert sorted(names) == ["change", "go", "plan", "seen", "w0", "w0", "w1", "w2", "w3", "w4"]
    assert all(each["ok"] for each in found), found
    assert again[:10] == found
    assert again[10] == next(each for each in found if each["id"] == "w0")
    assert [each["id"] for each in again[10:]] == ["w0", "last"]
    assert len(workspace.ok("task", "list")["tasks"]) == 1
    assert workspace.ok("log", "verify")["problems"] == []
    assert [each["seq"] for each in lines(workspace) if "seq" in each] == [
        each["seq"] for each in workspace.ok("events")["events"]
    ]


def test_an_engine_with_nothing_to_do_stays_for_a_wait_with_a_time_and_answers_it_by_then(workspace: Workspace) -> None:
    workspace.write("punchlist.toml", '[engine]\nidle_exit = "1ms"\n')
    workspace.write("gate.yaml", GATE)
    workspace.punchlist("run", "gate.yaml", "--wait")
    until(lambda: workspace.engine() is None, what="the engine has nothing to do", patience=20)
    send(
        workspace,
        asked("long", "wait", run="R1"),
        asked("short", "wait_for", ids=["R1"], states=["failed"], timeout=1.5),
    )

    workspace.ok("engine", "start")
    (told,) = answered(workspace, 1)
    until(lambda: workspace.engine() is None, what="the engine ends after it", patience=20)

    assert (told["id"], told["timed_out"], told["changed"]) == ("short", True, [])
    assert told["states"] == {"R1": "waiting"}


def test_a_wait_until_a_gate_is_answered_by_one(workspace: Workspace) -> None:
    workspace.write("gate.yaml", GATE)
    workspace.ok("engine", "start")

    send(
        workspace,
        asked("go", "run_flow", flow="gate.yaml"),
        asked("over", "wait", run="R1"),
        asked("gate", "wait", run="R1", until_gate=True),
    )

    assert [(each["id"], each.get("run", {}).get("status")) for each in answered(workspace, 2)] == [
        ("go", "pending"),
        ("gate", "waiting"),
    ]


def test_waits_that_cannot_be_are_refused_at_once(workspace: Workspace) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "exactly one of task, step, run"),
        ({"task": "T1", "run": "R1"}, "exactly one of task, step, run"),
        ({"run": "T1"}, "has 1 problem"),
        ({"step": "T1.1", "until_gate": True}, "has 1 problem"),
        ({"run": "R9"}, "there is no run R9"),
        ({"run": "R1", "timeout": 3}, "has 1 problem"),
        ({"run": "\x00"}, "has 1 problem"),
    ]
    send(workspace, *(asked(number, "wait", **args) for number, (args, _) in enumerate(wrong)))

    workspace.ok("engine", "start")
    told = answered(workspace, len(wrong))

    messages = [each["error"]["message"] for each in told]
    assert [said for (_, said), message in zip(wrong, messages, strict=True) if said not in message] == [], messages
