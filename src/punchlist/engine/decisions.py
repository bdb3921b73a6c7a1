"""Effects of decisions that reach beyond one node: waiving, skipping, adding and reopening steps of a live run."""

from collections.abc import Sequence

import msgspec

from punchlist.engine.fold_run import ROOT
from punchlist.engine.fold_task import step_of
from punchlist.engine.progress import start, stop
from punchlist.engine.scope import step_at, upward
from punchlist.engine.steps import move
from punchlist.engine.turn import Decision, Turn
from punchlist.errors import RefusedError
from punchlist.model import events as ev
from punchlist.model.ids import FindingId, NodePath, StepId
from punchlist.model.json import plain
from punchlist.model.records import Criterion, Scope, Step, Task
from punchlist.model.states import LIVE_STEP, NodeStatus, StepStatus
from punchlist.model.verdicts import Finding, Waiver

replace = msgspec.structs.replace


def waive_and_judge_again(turn: Turn, path: NodePath, decision: Decision) -> None:
    """Record the waivers, and run the last round again from its checks; what did not change is not run again."""
    step = step_at(turn.state, path)
    named = decision.data.get("findings")
    reason = str(decision.data["reason"])
    findings = open_findings(turn, step)
    wanted = [FindingId(str(each)) for each in named] if isinstance(named, list) else [f.id for f in findings if f.id]
    record_waivers(turn, step, findings, wanted, reason=reason, by=decision.by)
    judge_again(turn, path, reason="waived")


def open_findings(turn: Turn, step: StepId | None) -> Sequence[Finding]:
    """Return the findings of the last verdict on a step, or on the task's own criteria."""
    told = turn.task.steps.get(step or "")
    return told.verdicts[-1].verdict.findings if told is not None and told.verdicts else ()


def record_waivers(
    turn: Turn, step: StepId | None, findings: Sequence[Finding], wanted: Sequence[FindingId], *, reason: str, by: str
) -> None:
    """Waive the wanted findings; refused as a whole when one is not there or is a conflict."""
    known = {each.id: each for each in findings if each.id is not None}
    missing = [each for each in wanted if each not in known]
    if missing or not wanted:
        allowed = ", ".join(known) or "none is open"
        raise RefusedError(f"no open finding {', '.join(missing) or 'to waive'}; open: {allowed}")
    for each in wanted:
        finding = known[each]
        if finding.kind == "conflict":
            raise RefusedError(f"finding {each} is a conflict: it cannot be waived", hint="Ask for rework instead.")
        waiver = Waiver(
            finding=each, fingerprint=finding.fingerprint, criterion=finding.criterion, by=by, reason=reason
        )
        turn.emit(ev.FindingWaived(step=step, waiver=waiver))


def judge_again(turn: Turn, path: NodePath, *, reason: str) -> None:
    """Begin the last round of a repeat again at its first check node."""
    round_ = turn.node(turn.node(path).children[-1])
    children = list(round_.children)
    first = next((n for n, child in enumerate(children) if turn.node(child).kind == "check"), 0)
    reset(turn, tuple(children[first:]), reason=reason)


def reset(turn: Turn, paths: tuple[NodePath, ...], *, reason: str) -> None:
    """Begin nodes again as a new generation, and start those that wait for nothing."""
    generation = 1 + max(turn.node(path).generation for path in paths)
    turn.emit(ev.NodesReset(nodes=paths, generation=generation, reason=reason), actor="engine")
    for path in paths:
        if turn.node(path).missing == 0:
            turn.later(lambda path=path: start(turn, path))  # type: ignore[misc]


def skip_step(turn: Turn, path: NodePath, *, reason: str) -> None:
    """End the item of a step as skipped; what needs it goes on. Outside a step, the node itself is skipped."""
    stop(turn, item_of(turn, path), NodeStatus.SKIPPED, reason=reason or "skipped")


def item_of(turn: Turn, path: NodePath) -> NodePath:
    """Return the nearest item around a node, or the node itself."""
    return next((node.path for node in upward(turn.run, path) if node.kind == "item"), path)


def add_step(turn: Turn, decision: Decision) -> None:
    """Add a step whose criteria are the task's failing ones, and let the run take it up; only it and the end run."""
    task = turn.task.task
    failing = [each.id for each in turn.task.steps[""].verdicts[-1].verdict.criteria if each.verdict == "fail"]
    criteria = tuple(each for each in task.acceptance if each.id in failing)
    text = str(decision.data["text"])
    step = Step(
        id=f"{task.id}.{max(each.index for each in task.steps) + 1}",
        index=max(each.index for each in task.steps) + 1,
        title=" ".join(text.split())[:200],
        goal=text,
        criteria=tuple(_numbered(criteria)),
        scope=Scope(),
        needs=(),
    )
    turn.emit(
        ev.TaskEdited(
            task=replace(task, steps=(*task.steps, step), revision=task.revision + 1), what=f"step {step.id} added"
        )
    )
    take_up_again(turn, reason=f"step {step.id} added")


def _numbered(criteria: Sequence[Criterion]) -> list[Criterion]:
    return [replace(each, id=f"AC-{number}") for number, each in enumerate(criteria, 1)]


def reopen_step(turn: Turn, decision: Decision) -> None:
    """Open an accepted step again with its next revision, and let the run take it up."""
    step = StepId(str(decision.data["step"]))
    known = [each.id for each in turn.task.task.steps]
    if step not in known:
        raise RefusedError(f"no step {step} in task {turn.task.task.id}; there are: {', '.join(known)}")
    message = decision.data.get("message")
    reopen(turn, step, message=message if isinstance(message, str) else "")
    take_up_again(turn, reason=f"step {step} reopened")


def reopen(turn: Turn, step: StepId, *, message: str) -> None:
    """Bring a step that is over back to pending as its next revision, with a person's message first in its prompt."""
    now = step_of(turn.task.task, step).status
    if now in LIVE_STEP:
        move(turn, step, StepStatus.CANCELLED, reason="opened again")
    turn.emit(ev.StepMoved(step=step, status=StepStatus.PENDING, r=turn.task.steps[step].r + 1))
    if message:
        turn.emit(ev.ReworkAsked(step=step, message=message))


def take_up_again(turn: Turn, *, reason: str) -> None:
    """Let the run go over its task's steps again; what is accepted or skipped is passed over."""
    before = msgspec.convert(turn.run.inputs["task"], Task)
    workers = {step.id: (step.builder, step.qa) for step in before.steps}
    last = (before.steps[-1].builder, before.steps[-1].qa)
    steps = [_with_workers(step, *workers.get(step.id, last)) for step in turn.task.task.steps]
    task = plain(replace(turn.task.task, steps=tuple(steps)))
    turn.emit(ev.InputsChanged(inputs={**turn.run.inputs, "task": task}), actor="engine")
    top = turn.run.nodes[ROOT].children
    first = next(n for n, path in enumerate(top) if turn.node(path).kind == "for_each")
    reset(turn, tuple(top[first:]), reason=reason)


def _with_workers(step: Step, builder: str | None, qa: str | None) -> Step:
    return replace(step, builder=step.builder or builder, qa=step.qa or qa)
