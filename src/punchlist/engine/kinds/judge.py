"""`judge`: the verdict over checks, review, scope and facts of one tree; the task is accepted by that on its branch."""

import msgspec

from punchlist.engine.judging import facts_at, give
from punchlist.engine.progress import end
from punchlist.engine.steps import move
from punchlist.engine.turn import Here, Kind
from punchlist.model import events as ev
from punchlist.model.json import plain
from punchlist.model.states import NodeStatus, StepStatus, TaskStatus
from punchlist.model.verdicts import Verdict
from punchlist.quality.verdict import checks_digest, judge

_PASSED = frozenset({StepStatus.ACCEPTED, StepStatus.SKIPPED})


def _begin(here: Here) -> None:
    verdict = give(here, _on_tree(here, judge(facts_at(here))))
    if verdict.result == "fail":
        move(here, StepStatus.REWORK, reason=verdict.reason_code)
    elif here.delivers and here.step is None and _is_of_task(here, verdict):
        here.emit(ev.TaskMoved(status=TaskStatus.ACCEPTED, reason=verdict.reason_code))
    end(here, NodeStatus.SUCCEEDED, output=plain(verdict))


def _on_tree(here: Here, verdict: Verdict) -> Verdict:
    """Return the verdict with the tree that it is on: the task's branch is checked by the name of its commit."""
    tip = here.task.tip if here.state.task is not None else None
    if here.step is not None or tip is None or str(verdict.tree) != tip:
        return verdict
    made = (each.tree for each in here.task.steps.values() if each.commit == tip and each.tree is not None)
    return msgspec.structs.replace(verdict, tree=next(made, verdict.tree), commit=tip)


def _is_of_task(here: Here, verdict: Verdict) -> bool:
    """Say whether the verdict is on the whole: every step passed, on the branch as it is, by all of its criteria."""
    task = here.task.task
    covered = {each.id for each in verdict.criteria} >= {each.id for each in task.acceptance}
    covered = covered and verdict.checks_digest == checks_digest(task.acceptance)
    return covered and verdict.commit == here.task.tip and all(step.status in _PASSED for step in task.steps)


JUDGE = Kind(begin=_begin)
