"""What is wrong with a planner's first plan, which goes back to it once, in the same session.

Its checks run on the base before that, in the planner's own node: there are no tasks yet that could be proved. What
they show is kept with the run, so that the proof of the drafts does not run them again.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from punchlist.engine import checking
from punchlist.engine.checking import Exam
from punchlist.engine.place import Place
from punchlist.engine.scope import resolve
from punchlist.model.criteria import whole_criteria
from punchlist.model.flow import AgentNode
from punchlist.model.jobs import Role
from punchlist.model.json import Json, convert
from punchlist.model.proofs import ProofRow
from punchlist.model.records import Criterion, CriterionFile
from punchlist.model.results import Plan
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus
from punchlist.quality.critique import Proofs, critique
from punchlist.quality.proof import proof_row


def asked_of(place: Place) -> str:
    """Return what a planner was asked for: the request of its node's pack, "" for the whole spec."""
    pack = resolve(place, place.defined(AgentNode).pack)
    asked = pack.get("request") if isinstance(pack, dict) else pack
    return asked if isinstance(asked, str) else ""


def first_plan(place: Place) -> AttemptState | None:
    """Return the attempt that made the first plan; None while there is none."""
    attempts = (place.run.attempts[each] for each in place.node.attempts)
    mine = (each for each in attempts if each.generation == place.node.generation and each.role is Role.PLANNER)
    return next((each for each in mine if each.status is AttemptStatus.SUCCEEDED), None)


def plan_in_hand(place: Place) -> Json:
    """Return the plan that went back, None when there is none: it counts where a better one never comes."""
    first = first_plan(place)
    return first.outcome.result if first is not None and first.outcome is not None else None


def plan_exam(place: Place) -> Exam:
    """Return the checks of the first plan, to be run on the base; none where its node wants no critique."""
    plan = _criticised(place)
    checks = [] if plan is None else [each.named for each in _checks(plan)]
    return Exam(tree=place.run.base or "", criteria=tuple(checks) if place.run.base else (), step=None, twice=False)


def faults(place: Place) -> tuple[str, ...]:
    """Return what a planner is told of its first plan; nothing where its node wants none, or while it has no plan."""
    plan = _criticised(place)
    if plan is None:
        return ()
    asked = asked_of(place) or place.project.spec
    return tuple(str(each) for each in critique(plan, asked=asked, proofs=_proofs(place, plan)))


def _criticised(place: Place) -> Plan | None:
    pack = resolve(place, place.defined(AgentNode).pack)
    if not isinstance(pack, dict) or pack.get("critique") is not True:
        return None
    try:
        return convert(plan_in_hand(place), Plan)
    except msgspec.ValidationError:  # there is none yet, or what makes tasks of it says so
        return None


def _proofs(place: Place, plan: Plan) -> Proofs:
    """Return what the plan's checks showed on the base, by task; nothing of those that were not run."""
    results = {each.id: each for each in checking.answers(place, plan_exam(place))}
    rows: dict[int, list[ProofRow]] = {}
    for each in _checks(plan):
        result = results.get(each.named.id)
        if result is not None:
            rows.setdefault(each.task, []).append(proof_row(each.step, each.criterion, result=result))
    return rows


class _Check(NamedTuple):
    """A criterion with a check: its task by position from 0, its step's id (None: the task's own), itself and as named.

    `named` has its path in the plan for an id, which no other criterion of the plan has.
    """

    task: int
    step: str | None
    criterion: Criterion
    named: Criterion


def _checks(plan: Plan) -> Iterator[_Check]:
    for at, task in enumerate(plan.tasks):
        parts: list[tuple[str | None, str, Sequence[CriterionFile | str]]]
        parts = [(None, f"tasks[{at}].acceptance", task.acceptance)]
        for number, step in enumerate(task.steps):
            parts += [(f"T{at + 1}.{number + 1}", f"tasks[{at}].steps[{number}].criteria", step.criteria)]
        for name, path, criteria in parts:
            for index, each in enumerate(whole_criteria(criteria)):
                if each.check is not None:
                    yield _Check(at, name, each, msgspec.structs.replace(each, id=f"{path}[{index}]"))
