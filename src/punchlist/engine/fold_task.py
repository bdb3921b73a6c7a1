"""What a task's stream says: the fold of its events into TaskState."""

from collections.abc import Callable

import msgspec
from immutables import Map

from punchlist.engine.facts import fact_of
from punchlist.model import events as ev
from punchlist.model.ids import StepId
from punchlist.model.records import Step, Task
from punchlist.model.state import Integration, Mark, StepState, TaskState, VerdictRow
from punchlist.model.states import STEP_MOVES, TASK_MOVES, TaskStatus, check_move
from punchlist.quality.findings import Subject, in_force, subject_of
from punchlist.quality.proof import still_of

replace = msgspec.structs.replace

_OF_ALL_STEPS = (ev.TaskEdited, ev.TaskProved, ev.TaskRevised)
"""What changes how any step is shown: its record, and what the base showed of its checks."""


def fold_task(state: TaskState | None, event: ev.Event) -> TaskState:
    """Return the task after `event`; raises RefusedError for a move that the tables of states do not list."""
    fact, mark = event.fact, Mark(event.at, event.hash)
    if isinstance(fact, ev.TaskCreated):
        steps = Map({step.id: StepState(mark=mark) for step in fact.task.steps})
        return TaskState(task=fact.task, steps=steps, created_at=event.at, changed_at=event.at, mark=mark)
    if state is None:
        raise ValueError(f"{event.kind} before TaskCreated in stream {event.stream}")
    folded = _marked(_FOLDS[type(fact)](state, event), fact, mark=mark)
    return replace(folded, task=replace(folded.task, version=state.task.version + 1), changed_at=event.at)


def _marked(state: TaskState, fact: ev.AnyFact, *, mark: Mark) -> TaskState:
    """Return the state with the mark of its last event, at each step, too, if the fact is about all of them."""
    steps = state.steps
    if isinstance(fact, _OF_ALL_STEPS):
        steps = steps.update({key: replace(step, mark=mark) for key, step in steps.items()})
    return replace(state, steps=steps, mark=mark)


def step_of(task: Task, step: StepId) -> Step:
    """Return the step with this id; raises KeyError."""
    for each in task.steps:
        if each.id == step:
            return each
    raise KeyError(step)


def _edited(state: TaskState, event: ev.Event) -> TaskState:
    """Fold TaskEdited: what changed is waived no more, and a verdict on other criteria of the task is none on these."""
    fact = fact_of(event, ev.TaskEdited)
    kept: dict[str, StepState] = {}
    if "" in state.steps:
        own = state.steps[""]
        changed = fact.task.acceptance != state.task.acceptance
        kept[""] = replace(_waiving(own, subject(fact.task, None)), r=own.r + changed)
    for step in fact.task.steps:
        kept[step.id] = _waiving(state.steps.get(step.id, StepState()), subject_of(step))
    steps = Map(kept)
    task = replace(fact.task, status=state.task.status, paused=state.task.paused)
    proof = still_of(state.proof, task, before=state.task) if state.proof is not None else None
    return replace(state, task=task, steps=steps, proof=proof)


def subject(task: Task, step: StepId | None) -> Subject:
    """Return what findings on a step, or on the task's own criteria, are about."""
    return Subject(criteria=task.acceptance) if step is None else subject_of(step_of(task, step))


def _waiving(step: StepState, about: Subject) -> StepState:
    return replace(step, waivers=in_force(step.waivers, about))


def _proved(state: TaskState, event: ev.Event) -> TaskState:
    """Take the proof for what it says of the task as it is: the run that made it may have begun before an edit."""
    return replace(state, proof=still_of(fact_of(event, ev.TaskProved).proof, state.task, before=state.task))


def _proposed(state: TaskState, event: ev.Event) -> TaskState:
    return replace(state, proposal=fact_of(event, ev.ApprovalProposed).gate)


def _proposal_decided(state: TaskState, _event: ev.Event) -> TaskState:
    return replace(state, proposal=None)


def _approved(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.TaskApproved)
    task = replace(_moved_to(state.task, TaskStatus.READY), digest=fact.digest)
    return replace(
        state,
        task=task,
        approved_by=event.actor,
        approved_anyway=fact.anyway,
        approved_unproved=fact.unproved,
        approved_for=fact.destination,
    )


def _revised(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.TaskRevised)
    task = replace(_moved_to(state.task, TaskStatus.DRAFT), revision=fact.revision, digest=None)
    return replace(
        state,
        task=task,
        proof=None,
        approved_by="",
        approved_anyway=(),
        approved_unproved=False,
        approved_for=None,
        reason=fact.reason,
    )


def _moved(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.TaskMoved)
    return replace(state, task=_moved_to(state.task, fact.status), run=fact.run or state.run, reason=fact.reason)


def _paused(state: TaskState, event: ev.Event) -> TaskState:
    return replace(state, task=replace(state.task, paused=fact_of(event, ev.TaskPaused).paused))


def _base_fixed(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.BaseFixed)
    return replace(state, branch=fact.branch, base=fact.base, tip=fact.base)


def _dispatched(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.StepDispatched)
    return _with_step(state, fact.step, event=event, change=lambda step: replace(step, base=fact.base))


def _step_moved(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.StepMoved)
    now = step_of(state.task, fact.step)
    check_move(STEP_MOVES, now.status, fact.status, what=f"step {fact.step}")
    moved = replace(now, status=fact.status, version=now.version + 1)
    steps = tuple(moved if each.id == fact.step else each for each in state.task.steps)

    def told(step: StepState) -> StepState:
        if fact.r is None:
            return replace(step, reason=fact.reason)
        return replace(step, r=fact.r, tries=0, reason=fact.reason, late=(), closed=False, planned=None)

    return _with_step(replace(state, task=replace(state.task, steps=steps)), fact.step, event=event, change=told)


def _rework_asked(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.ReworkAsked)

    def asked(step: StepState) -> StepState:
        late = (*step.late, fact.message) if fact.late else step.late
        return replace(step, messages=(*step.messages, fact.message), late=late)

    return _with_step(state, fact.step, event=event, change=asked)


def _verdict_given(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.VerdictGiven)
    row = VerdictRow(r=fact.r, s=fact.s, at=event.at, verdict=fact.verdict, node=fact.node)
    key = fact.step or ""
    findings = state.findings.update({each.id: key for each in fact.verdict.findings if each.id is not None})

    def judged(step: StepState) -> StepState:
        return replace(step, verdicts=(*step.verdicts, row), tries=fact.s + 1, late=())

    return _with_step(replace(state, findings=findings), key, event=event, change=judged)


def _waived(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.FindingWaived)

    def waived(step: StepState) -> StepState:
        return replace(step, waivers=(*step.waivers, fact.waiver))

    return _with_step(state, fact.step or "", event=event, change=waived)


def _planned(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.IntegrationPlanned)
    plan = Integration(
        parent=fact.parent, tree=fact.tree, author=fact.author, message=fact.message, at=event.at, event=event.hash
    )
    return _with_step(state, fact.step, event=event, change=lambda step: replace(step, planned=plan))


def _integrated(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.StepIntegrated)

    def integrated(step: StepState) -> StepState:
        return replace(step, commit=fact.commit, tree=fact.tree, messages=())

    return _with_step(replace(state, tip=fact.commit), fact.step, event=event, change=integrated)


def _closed(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.StepClosed)
    return _with_step(
        state, fact.step, event=event, change=lambda step: replace(step, closed=True, tries=fact.attempts)
    )


def _published(state: TaskState, event: ev.Event) -> TaskState:
    fact = fact_of(event, ev.TaskPublished)
    return replace(state, published=f"{'merged from' if fact.merged else 'branch'} {fact.branch}")


_FOLDS: dict[type, Callable[[TaskState, ev.Event], TaskState]] = {
    ev.TaskEdited: _edited,
    ev.TaskProved: _proved,
    ev.ApprovalProposed: _proposed,
    ev.ApprovalDecided: _proposal_decided,
    ev.TaskApproved: _approved,
    ev.TaskRevised: _revised,
    ev.TaskMoved: _moved,
    ev.TaskPaused: _paused,
    ev.BaseFixed: _base_fixed,
    ev.StepDispatched: _dispatched,
    ev.StepMoved: _step_moved,
    ev.ReworkAsked: _rework_asked,
    ev.VerdictGiven: _verdict_given,
    ev.FindingWaived: _waived,
    ev.IntegrationPlanned: _planned,
    ev.StepIntegrated: _integrated,
    ev.StepClosed: _closed,
    ev.TaskPublished: _published,
}


def _moved_to(task: Task, status: TaskStatus) -> Task:
    check_move(TASK_MOVES, task.status, status, what=f"task {task.id}")
    return replace(task, status=status)


def _with_step(state: TaskState, key: str, *, event: ev.Event, change: Callable[[StepState], StepState]) -> TaskState:
    """Return the state with one step's part changed by `event`; the key `""` is the task's own criteria."""
    changed = replace(change(state.steps.get(key, StepState())), mark=Mark(event.at, event.hash))
    return replace(state, steps=state.steps.set(key, changed))
