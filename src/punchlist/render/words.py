"""What is said the same way wherever it is shown: waivers, cost, durations, what the base shows."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from punchlist.model.jobs import Role, Usage
from punchlist.model.json import Json
from punchlist.model.state import AttemptState
from punchlist.model.states import StepStatus, TaskStatus
from punchlist.model.verdicts import Verdict, Waiver

PAID = frozenset({Role.PLANNER, Role.BUILDER, Role.QA, Role.NODE})
SHOWS = {"goal": "must start failing", "guard": "must stay passing", "cannot_run": "cannot run here"}
_COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "microdollars")


def standing(status: str, waivers: Sequence[Waiver]) -> str:
    """Return a status with what was waived: `accepted, 1 waived by NAME: reason`."""
    if not waivers or status not in {TaskStatus.ACCEPTED, StepStatus.ACCEPTED}:
        return status
    said = "; ".join(dict.fromkeys(f"by {person(waiver.by)}: {waiver.reason}" for waiver in waivers))
    return f"{status}, {len(waivers)} waived {said}"


def judged_on(verdict: Verdict) -> tuple[str, str]:
    """Return what a verdict is on, and its name: a tree, or the commit of a branch on which nothing was built."""
    return ("commit" if str(verdict.tree) == verdict.commit else "tree"), verdict.tree


def by_step(attempts: Iterable[AttemptState]) -> dict[str | None, list[AttemptState]]:
    """Return attempts by their step; those of the task itself are under None."""
    found: dict[str | None, list[AttemptState]] = {}
    for each in attempts:
        found.setdefault(each.step, []).append(each)
    return found


def person(actor: str) -> str:
    """Return a person's name as pages show it; other actors are shown with their kind."""
    return actor.removeprefix("human:")


def waits(queued: AttemptState, before: AttemptState | None, *, place: str = "") -> str:
    """Return what an attempt that has not begun waits for: a slot, a time, or a `place` that a limit leaves it not.

    It comes after the one `before`.
    """
    if place:
        return f"which waits for a place: {place}"
    if queued.not_before is None:
        return "queued for a free slot"
    parked = f"parked until {queued.not_before[:19]}Z"
    failed = before.outcome if before is not None else None
    if failed is None:
        return parked
    said = [failed.failure.value if failed.failure else "", *failed.reason.splitlines()[:1]]
    return ": ".join([parked, *(each for each in said if each)])


def cost(attempts: Iterable[AttemptState]) -> dict[str, Json]:
    """Return what attempts by workers cost together; a number that no attempt reported is None, never 0.

    `unknown` counts the workers' attempts that ended without saying anything of their cost.
    """
    outcomes = [each.outcome for each in attempts if is_paid(each) and each.outcome is not None]
    known = [outcome.usage for outcome in outcomes if outcome.usage is not None]
    return {
        **{name: _sum(known, name) for name in _COUNTS},
        "attempts": len(outcomes),
        "unknown": len(outcomes) - len(known),
    }


def _sum(usages: Sequence[Usage], name: str) -> int | None:
    known: list[int] = [value for usage in usages if (value := getattr(usage, name)) is not None]
    return sum(known) if known else None


def is_paid(attempt: AttemptState) -> bool:
    """Say whether an attempt counts in what a task or step cost: it was a worker's, and is over."""
    return attempt.role in PAID and attempt.outcome is not None


def cost_said(attempts: Iterable[AttemptState]) -> str:
    """Return what attempts cost together in words, or nothing before the first worker's attempt is over."""
    total = cost(attempts)
    return cost_words(total) if total["attempts"] else ""


def cost_words(total: dict[str, Json]) -> str:
    """Return a cost in words: `12,300 tokens in, 2,100 out, 0.42 USD; unknown of 1 of 3 attempts`."""
    parts = [
        f"{total[name]:,} {words}"
        for name, words in (("input_tokens", "tokens in"), ("output_tokens", "tokens out"))
        if total[name] is not None
    ]
    money = total["microdollars"]
    if isinstance(money, int):
        parts.append(f"{money / 1_000_000:.2f} USD")
    said = ", ".join(parts)
    if not total["unknown"]:
        return said or "nothing was reported"
    unknown = f"unknown of {total['unknown']} of {total['attempts']} attempts"
    return f"{said}; {unknown}" if said else unknown


def duration(start: str, end: str) -> str:
    """Return the time between two instants in words, or "" when one of them is not known.

    Where the clock was set back by more than it took, nobody knows how long that was.
    """
    if not start or not end:
        return ""
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    if seconds < 0:
        return "unknown: the clock was set back"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def plural(count: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
