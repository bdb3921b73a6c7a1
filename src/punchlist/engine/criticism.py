"""What is wrong with a planner's first plan, which goes back to it once, in the same session."""

import msgspec

from punchlist.engine.place import Place
from punchlist.engine.scope import resolve
from punchlist.model.flow import AgentNode
from punchlist.model.jobs import Role
from punchlist.model.json import Json
from punchlist.model.results import Plan
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus
from punchlist.quality.critique import critique


def asked_of(place: Place) -> str:
    """Return what a planner was asked for: the request of its node's pack, "" for the whole spec."""
    pack = resolve(place, place.defined(AgentNode).pack)
    asked = pack.get("request") if isinstance(pack, dict) else pack
    return asked if isinstance(asked, str) else ""


def goes_back(place: Place, attempt: AttemptState) -> bool:
    """Say whether a plan that was just made goes back: the first one does, if its node wants that and it has faults."""
    return attempt.role is Role.PLANNER and _first(place) is attempt and bool(faults(place))


def plan_in_hand(place: Place) -> Json:
    """Return the plan that went back, None when there is none: it counts where a better one never comes."""
    first = _first(place)
    return first.outcome.result if first is not None and first.outcome is not None else None


def faults(place: Place) -> tuple[str, ...]:
    """Return what a planner is told of its first plan; nothing where its node wants none, or while it has no plan."""
    pack = resolve(place, place.defined(AgentNode).pack)
    if not isinstance(pack, dict) or pack.get("critique") is not True:
        return ()
    try:
        plan = msgspec.convert(plan_in_hand(place), Plan)
    except msgspec.ValidationError:  # there is none yet, or what makes tasks of it says so
        return ()
    return tuple(str(each) for each in critique(plan, asked=asked_of(place) or place.project.spec))


def _first(place: Place) -> AttemptState | None:
    attempts = (place.run.attempts[each] for each in place.node.attempts)
    mine = (each for each in attempts if each.generation == place.node.generation and each.role is Role.PLANNER)
    return next((each for each in mine if each.status is AttemptStatus.SUCCEEDED), None)
