"""What people ask of the run of a task: commands at any moment, decisions on its gates."""

from random import Random
from typing import Any

from punchlist.model import commands as cmd
from punchlist.model.gates import GATES, Effect
from punchlist.model.ids import FindingId, RunId, StepId
from punchlist.model.json import Json
from punchlist.model.state import GateState, RunState, State, TaskState


def steered(state: State, die: Random, *, fickle: bool = False) -> cmd.RunCommand:
    """Return a command of a person; many are refused, for they come at any moment."""
    run, task = run_of(state), task_of(state)
    commits = committing(state)
    if commits and die.random() < 0.6:
        return _worst(run.id, commits[0], die)
    change = _fickle(run.id, task) if fickle else None
    if change is not None:
        return change
    some = StepId(die.choice(task.task.steps).id)
    finding = die.choice([*sorted(task.findings), FindingId("F999")])
    at = die.choice(sorted(run.nodes))
    return die.choices(
        (
            cmd.Pause(run=run.id, now=die.random() < 0.5),
            cmd.Resume(run=run.id),
            cmd.AskRework(run=run.id, step=some, message=f"do it well, {die.randrange(99)}"),
            cmd.Waive(run=run.id, finding=finding, reason="it is fine"),
            cmd.CloseStep(run=run.id, step=some, status=die.choice(("skipped", "cancelled"))),
            cmd.Cancel(run=run.id),
            cmd.Revise(run=run.id, reason="another plan"),
            cmd.Cancel(run=run.id, node=at),
            cmd.Retry(run=run.id),
            cmd.Resume(run=run.id, start_from=at, agreed=True),
        ),
        (3, 5, 3, 3, 1.5, 0.7, 0.7, 0.7, 0.3, 0.3),
    )[0]


def _fickle(run: RunId, task: TaskState) -> cmd.RunCommand | None:
    """Pass over what was found; when that is done, want something else."""
    waived = {each.finding for step in task.steps.values() for each in step.waivers}
    left = [each for each in sorted(task.findings) if each not in waived]
    if waived:
        return cmd.Revise(run=run, reason="another plan")
    return cmd.Waive(run=run, finding=left[-1], reason="it is fine") if left else None


def _worst(run: RunId, step: StepId, die: Random) -> cmd.RunCommand:
    """Return what is worst while a commit is being made."""
    worst: tuple[cmd.RunCommand, ...] = (
        cmd.Cancel(run=run, reason="enough"),
        cmd.Revise(run=run, reason="another plan"),
        cmd.CloseStep(run=run, step=step, status="skipped"),
        cmd.AskRework(run=run, step=step, message="wait"),
        cmd.Pause(run=run, now=True),
    )
    return die.choice(worst)


def decided(state: State, gate: GateState, die: Random, *, kind: bool) -> cmd.Decide:
    """Return a decision on a gate of a task's run; in a kind world one that brings the task nearer to its end."""
    choices = [each for each in GATES[gate.kind].choices if each.name in gate.choices]
    ending = {Effect.SKIP, Effect.FAIL, Effect.LEAVE, Effect.REVISE}
    near = [each for each in choices if each.effect in ending] if kind else choices
    choice = die.choice(near or choices)
    fields = [each.name for each in choice.fields if each.required or die.random() < 0.5]
    data = {name: _value(name, task_of(state), die) for name in fields}
    shows = None if kind else die.choice((None, gate.shows, gate.shows, "another"))
    return cmd.Decide(run=run_of(state).id, gate=gate.id, choice=choice.name, data=data, shows=shows)


def _value(name: str, task: TaskState, die: Random) -> Json:
    values: dict[str, Any] = {
        "n": die.randint(1, 2),
        "value": die.choice(("2h", "16GiB")),
        "findings": [die.choice([*sorted(task.findings), FindingId("F999")])],
        "step": die.choice(task.task.steps).id,
    }
    found: Json = values.get(name, "because")
    return found


def committing(state: State) -> list[StepId]:
    """Return the steps of which a commit is being made."""
    run = run_of(state)
    live = [run.attempts[name] for name in sorted(run.live)]
    return [each.step for each in live if each.subject == "commit" and each.step is not None]


def run_of(state: State) -> RunState:
    """Return the run of a state that has one."""
    assert state.run is not None
    return state.run


def task_of(state: State) -> TaskState:
    """Return the task of a state that has one."""
    assert state.task is not None
    return state.task
