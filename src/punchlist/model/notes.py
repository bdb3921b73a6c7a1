"""What a task says that this version takes and does not heed yet: told where the task is shown, never passed over."""

from collections.abc import Iterable, Iterator

import msgspec

from punchlist.errors import Problem
from punchlist.model.json import Json, plain
from punchlist.model.parts import Part
from punchlist.model.policy import PolicyPart
from punchlist.model.records import Criterion, Step, Task
from punchlist.model.settings import LATER, note


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a task's file, as errors name it, with its value and what is to be known of it."""

    key: str
    value: Json
    note: str = LATER


OF_RUNS = ("max_parallel", "max_transitions", "on_accept", "auto_approve")
"""Rules of a whole run, which a step cannot have for itself."""


def task_notes(task: Task) -> tuple[Note, ...]:
    """Return the keys of a task that are not in force yet, in the order of its file."""
    return (
        *_of_criteria(task.acceptance, "acceptance"),
        *(each for at, step in enumerate(task.steps) for each in _of_step(step, f"steps[{at}].")),
        *_of_policy(task.policy, ""),
    )


def _of_step(step: Step, at: str) -> Iterator[Note]:
    if step.scope.unlock:
        yield Note(key=f"{at}scope.unlock", value=plain(step.scope.unlock))
    yield from _of_criteria(step.criteria, f"{at}criteria")
    yield from _of_policy(step.policy, at)


def _of_criteria(criteria: Iterable[Criterion], where: str) -> Iterator[Note]:
    for at, each in enumerate(criteria):
        if each.network:
            yield Note(key=f"{where}[{at}].network", value=True)


def _of_policy(policy: PolicyPart, at: str) -> Iterator[Note]:
    for name in policy.__struct_fields__:
        rule = getattr(policy, name)
        if rule is not None and (said := note(f"policy.{name}", value := plain(rule))):
            yield Note(key=f"{at}policy.{name}", value=value, note=said)


def step_policy_problems(policy: Part) -> Iterator[Problem]:
    """Yield the rules in a step's policy that no step can have for itself."""
    allowed = ", ".join(name for name in PolicyPart.__struct_fields__ if name not in OF_RUNS)
    for name, rule in policy.fields().items():
        if name in OF_RUNS:
            yield Problem(rule.where, "it is a rule of whole tasks, and says nothing of a step", allowed)


def flow_policy_problems(policy: Part) -> Iterator[Problem]:
    """Yield the rules in the policy of a flow, or of a run of one, that the run would not heed."""
    for name, rule in policy.fields().items():
        if said := note(f"policy.{name}", rule.value):
            yield Problem(rule.where, f"it is {said}", hint="Leave it out")
    approval = policy.field("auto_approve")
    if approval.value is not None:
        what = "it is a rule of tasks, and says nothing of a flow"
        yield Problem(approval.where, what, hint="Say it in the settings")
