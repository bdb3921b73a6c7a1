"""Laws of one event of a task: its states, verdicts, commits, revisions and waivers; whoever wrote it."""

from collections.abc import Callable

from punchlist.model import events as ev
from punchlist.model.jobs import Role
from punchlist.model.state import TaskState
from punchlist.model.states import FindingStatus, StepStatus, TaskStatus
from punchlist.model.verdicts import Verdict
from tests.simulation.memory import Memory, about

_OUT = "skipped failed cancelled"
STEP_MOVES = {
    "pending": f"building waiting {_OUT}",
    "building": f"checking waiting {_OUT}",
    "checking": f"reviewing integrating rework waiting {_OUT}",
    "reviewing": f"integrating rework waiting {_OUT}",
    "integrating": f"accepted rework waiting {_OUT}",
    "rework": f"building waiting {_OUT}",
    "waiting": f"building checking reviewing integrating rework accepted {_OUT}",
    "accepted": "pending",
    "failed": "pending",
    "cancelled": "pending",
    "skipped": "pending",
}
TASK_MOVES = {
    "draft": "ready cancelled",
    "ready": "draft running cancelled",
    "running": "draft waiting accepted failed cancelled",
    "waiting": "draft running accepted failed cancelled",
    "accepted": "ready",
    "failed": "ready",
    "cancelled": "ready",
}
_PASSED = {StepStatus.ACCEPTED, StepStatus.SKIPPED}
TaskLaw = Callable[[TaskState, ev.Event, TaskState, Memory], None]


def a_move_of_a_task_or_step_not_listed_is_refused(
    before: TaskState, event: ev.Event, after: TaskState, _memory: Memory
) -> None:
    if before.task.status is not after.task.status:
        allowed = TASK_MOVES[before.task.status].split()
        assert after.task.status in allowed, f"the task from {before.task.status} to {after.task.status}"
    states = {step.id: step.status for step in before.task.steps}
    for step in after.task.steps:
        was, now = states.get(step.id, step.status), step.status
        if was is not now or (isinstance(event.fact, ev.StepMoved) and event.fact.step == step.id):
            assert now in STEP_MOVES[was].split(), f"step {step.id} from {was} to {now}"


def success_of_a_task_has_one_writer(_before: TaskState, event: ev.Event, _after: TaskState, _memory: Memory) -> None:
    match event.fact:
        case (
            ev.VerdictGiven()
            | ev.StepIntegrated()
            | ev.StepMoved(status=StepStatus.ACCEPTED)
            | ev.TaskMoved(status=TaskStatus.ACCEPTED)
        ):
            assert event.actor == "engine", f"{event.actor} wrote {event.kind}"
        case _:
            assert not event.actor.startswith("agent:"), f"{event.kind} is by {event.actor}"


def accepted_means_a_passing_verdict_on_the_very_tree(
    _before: TaskState, event: ev.Event, after: TaskState, memory: Memory
) -> None:
    match event.fact:
        case ev.StepIntegrated(step=step, tree=tree):
            key = (step, memory.revision.get(step, 0))
            assert tree in memory.passing.get(key, set()), f"{step} is integrated without a passing verdict on {tree}"
        case ev.StepMoved(step=step, status=StepStatus.ACCEPTED):
            key = (step, memory.revision.get(step, 0))
            assert key in memory.integrated, f"{step} is accepted, and nothing was integrated"
        case ev.TaskMoved(status=TaskStatus.ACCEPTED):
            left = [step.id for step in after.task.steps if step.status not in _PASSED]
            assert not left, f"the task is accepted, and not {left}"
            last = after.steps[""].verdicts[-1].verdict
            assert last.result == "pass", "the task is accepted, and its last verdict is that it fails"
            trees = [told.tree for told in after.steps.values() if told.commit == after.tip and told.commit]
            assert set(trees) <= {last.tree}, f"the verdict on the whole is on {last.tree}, the branch at {trees}"
            assert last.commit == after.tip, "the verdict on the whole is on another commit"
        case _:
            pass


def a_verdict_that_passes_covers_every_criterion(
    _before: TaskState, event: ev.Event, after: TaskState, _memory: Memory
) -> None:
    match event.fact:
        case ev.VerdictGiven(step=step, verdict=verdict) if verdict.result == "pass":
            record = next((each for each in after.task.steps if each.id == step), None)
            criteria = after.task.acceptance if record is None else record.criteria
            good = {each.id for each in verdict.criteria if each.verdict in {"pass", "waived"}}
            assert {each.id for each in criteria} <= good, "it passes, and says nothing of a criterion"
            blocking = [each.id for each in verdict.findings if each.state is FindingStatus.OPEN]
            assert not blocking, f"it passes with open findings: {blocking}"
        case _:
            pass


def a_step_is_closed_once_per_revision(_before: TaskState, event: ev.Event, _after: TaskState, memory: Memory) -> None:
    match event.fact:
        case ev.StepClosed(step=step, r=r):
            assert memory.closed[step, r] == 0, f"{step} is closed twice in revision {r}"
            assert r == memory.revision.get(step, 0), f"{step} is closed in revision {r}, which it is not in"
        case ev.StepMoved(step=step, status=StepStatus.ACCEPTED):
            assert memory.accepted[step, memory.revision.get(step, 0)] == 0, f"{step} is accepted twice in a revision"
        case ev.StepMoved(step=step, r=int(r)):
            assert r == memory.revision.get(step, 0) + 1, f"{step} leaves a revision out"
        case _:
            pass


def what_a_person_asked_for_is_not_passed_over(
    _before: TaskState, event: ev.Event, _after: TaskState, memory: Memory
) -> None:
    match event.fact:
        case ev.StepIntegrated(step=step):
            assert step not in memory.owed, f"{step} is integrated without {memory.owed.get(step)!r}"
        case _:
            pass


def a_waiver_holds_for_what_it_was_given_and_no_longer(
    _before: TaskState, event: ev.Event, after: TaskState, memory: Memory
) -> None:
    match event.fact:
        case ev.VerdictGiven(step=step, verdict=verdict):
            for criterion, fingerprint in _waived(verdict):
                given = memory.waived.get(step or "", [])
                now = about(after.task, step, criterion)
                fits = any(
                    each.criterion == criterion and what == now and fingerprint in {"", each.fingerprint}
                    for each, what in given
                )
                assert fits, f"{criterion or 'the scope'} of {step or 'the task'} counts as waived, and nobody did that"
        case _:
            pass


def _waived(verdict: Verdict) -> list[tuple[str | None, str]]:
    judged: list[tuple[str | None, str]] = [(each.id, "") for each in verdict.criteria if each.verdict == "waived"]
    found = [each for each in verdict.findings if each.state is FindingStatus.WAIVED]
    known = [(each.criterion, each.fingerprint) for each in found]
    return [*(each for each in judged if each[0] != "scope"), *known]


def what_is_frozen_is_not_edited(before: TaskState, event: ev.Event, after: TaskState, _memory: Memory) -> None:
    match event.fact:
        case ev.TaskEdited(task=task):
            grown = task.steps[: len(before.task.steps)] == before.task.steps and len(task.steps) > len(
                before.task.steps
            )
            draft = before.task.status is TaskStatus.DRAFT
            assert draft or (grown and event.actor != "engine"), f"a task that is {before.task.status} was edited"
            assert after.task.status is before.task.status, "an edit moved the task"
        case _:
            pass


def remember(event: ev.Event, after: TaskState | None, memory: Memory) -> None:
    """Remember what laws ask for later: after they have seen the event."""
    match event.fact:
        case ev.VerdictGiven(step=step, r=r, verdict=verdict) if verdict.result == "pass" and step is not None:
            memory.passing.setdefault((step, r), set()).add(verdict.tree)
        case ev.StepIntegrated(step=step):
            memory.integrated.add((step, memory.revision.get(step, 0)))
        case ev.StepClosed(step=step, r=r):
            memory.closed[step, r] += 1
        case ev.StepMoved(step=step, status=status, r=r):
            memory.revision[step] = memory.revision.get(step, 0) if r is None else r
            memory.accepted[step, memory.revision[step]] += status is StepStatus.ACCEPTED
        case ev.ReworkAsked(step=step, message=message):
            memory.owed[step] = message
        case ev.FindingWaived(step=step, waiver=waiver) if after is not None:
            memory.owed.pop(step or "", None)
            what = about(after.task, step, waiver.criterion)
            memory.waived.setdefault(step or "", []).append((waiver, what))
        case _:
            pass


def remember_attempt(event: ev.Event, role: Role, step: str | None, memory: Memory) -> None:
    """Remember that a builder was given what a person asked for."""
    if isinstance(event.fact, ev.AttemptStarted) and role is Role.BUILDER:
        memory.owed.pop(step or "", None)


OF_TASKS: tuple[TaskLaw, ...] = (
    a_move_of_a_task_or_step_not_listed_is_refused,
    success_of_a_task_has_one_writer,
    accepted_means_a_passing_verdict_on_the_very_tree,
    a_verdict_that_passes_covers_every_criterion,
    a_step_is_closed_once_per_revision,
    what_a_person_asked_for_is_not_passed_over,
    a_waiver_holds_for_what_it_was_given_and_no_longer,
    what_is_frozen_is_not_edited,
)
