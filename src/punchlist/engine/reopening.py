"""Work that a live run takes up again by a person's decision: a step added or opened again, or the task as a draft."""

from collections.abc import Iterable, Sequence

import msgspec

from punchlist.engine.document_moves import built_on
from punchlist.engine.documents import frozen_digest
from punchlist.engine.finish import FINALLY
from punchlist.engine.fold_nodes import ROOT
from punchlist.engine.progress import stop
from punchlist.engine.resetting import reset
from punchlist.engine.terms import terms_of
from punchlist.engine.turn import Decision, Here
from punchlist.errors import RefusedError
from punchlist.model import events as ev
from punchlist.model.ids import StepId
from punchlist.model.json import convert, plain
from punchlist.model.records import Criterion, Scope, Step, Task
from punchlist.model.states import NodeStatus, StepStatus

replace = msgspec.structs.replace
REVISED = "the task is revised"
_AGAIN = frozenset({StepStatus.FAILED, StepStatus.CANCELLED})


def add_step(here: Here, decision: Decision) -> None:
    """Add a step whose criteria are the task's failing ones, and let the run take it up; only it and the end run."""
    task, text = here.task.task, str(decision.data["text"])
    index = max(each.index for each in task.steps) + 1
    step = Step(
        id=f"{task.id}.{index}",
        index=index,
        title=_title(text),
        goal=text,
        criteria=_failing(here),
        scope=Scope(),
        needs=(),
    )
    edited = replace(task, steps=(*task.steps, step), revision=task.revision + 1)
    edited = replace(edited, digest=frozen_digest(edited, terms_of(here.project, here.run.policy)))
    here.turn.emit(ev.TaskEdited(task=edited, what=f"step {step.id} added"))
    _take_up_again(here, reason=f"step {step.id} added")


def _title(text: str) -> str:
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())[:200]


def _failing(here: Here) -> tuple[Criterion, ...]:
    """Return the task's criteria that fail, numbered anew; all of them when what fails belongs to none."""
    last = here.task.steps[""].verdicts[-1].verdict
    failing = {each.id for each in last.criteria if each.verdict == "fail"}
    criteria = here.task.task.acceptance
    chosen = [each for each in criteria if each.id in failing] or criteria
    return tuple(replace(each, id=f"AC-{number}") for number, each in enumerate(chosen, 1))


def reopen_step(here: Here, decision: Decision) -> None:
    """Open a step again with its next revision, and what was built on it, and let the run take them up."""
    task, step = here.task.task, StepId(str(decision.data["step"]))
    known = [each.id for each in task.steps]
    if step not in known:
        raise RefusedError(f"no step {step} in task {task.id}; there are: {', '.join(known)}")
    opened = (step, *built_on(task, step))
    with here.turn.asked():
        _open(here, opened)
    if decision.note:
        here.turn.emit(ev.ReworkAsked(step=step, message=decision.note))
    _take_up_again(here, reason=f"{', '.join(opened)} opened again")


def revise_decided(here: Here, decision: Decision) -> None:
    """Bring the task back to draft because a person decided so."""
    ask_revision(here, reason=decision.note)


def ask_revision(here: Here, *, reason: str) -> None:
    """Note that the task is to be a draft: at once, or when the commit that is being made is recorded."""
    here.turn.emit(ev.CancelAsked(reason=reason or REVISED, revises=True))


def revise(here: Here, *, reason: str) -> None:
    """Bring the task back to draft as its next revision: the run ends, and the steps that did not pass are pending."""
    task = here.task.task
    here.emit(ev.TaskRevised(revision=task.revision + 1, reason=reason))
    stop(here.at(ROOT), NodeStatus.CANCELLED, reason=f"{here.turn.by} revised the task")
    _open(here, [StepId(each.id) for each in here.task.task.steps if each.status in _AGAIN])


def _open(here: Here, steps: Iterable[StepId]) -> None:
    for step in steps:
        here.emit(ev.StepMoved(step=step, status=StepStatus.PENDING, r=here.task.steps[step].r + 1))


def _take_up_again(here: Here, *, reason: str) -> None:
    """Let the run go over its task's steps again; what is accepted or skipped is passed over."""
    before = convert(here.run.inputs["task"], Task)
    task = replace(here.task.task, steps=_with_workers(here.task.task.steps, before.steps))
    here.emit(ev.InputsChanged(inputs={**here.run.inputs, "task": plain(task)}))
    top = here.run.nodes[ROOT].children
    first = next((n for n, path in enumerate(top) if here.at(path).node.kind == "for_each"), 0)
    reset(here, [path for path in top[first:] if here.at(path).node.kind != FINALLY], reason=reason)


def _with_workers(steps: Sequence[Step], before: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps with the workers that the run resolved for them; a new one has those of the last."""
    known = {step.id: step for step in before}
    return tuple(
        replace(step, builder=step.builder or like.builder, qa=step.qa or like.qa)
        for step in steps
        for like in [known.get(step.id, before[-1])]
    )
