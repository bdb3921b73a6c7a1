"""Each event in one sentence, for logs that people read."""

import re
from collections.abc import Callable, Mapping

from punchlist.model import events as e
from punchlist.model.json import Json
from punchlist.model.sealing import data_of
from punchlist.model.verdicts import Verdict
from punchlist.render.blocks import one_line
from punchlist.render.words import judged_on, person, plural

LONGEST = 400


def told(fact: e.AnyFact) -> str:
    """Return what a fact says happened, as one line; a kind without words of its own is told by its fields."""
    words = _WORDS.get(type(fact))
    text = one_line(words(fact) if words else _generic(fact)).strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _generic(fact: e.AnyFact) -> str:
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(fact).__name__).capitalize()
    said = [f"{name} {value}" for name, value in data_of(fact).items() if _short(value)]
    return f"{kind}: {', '.join(said)}" if said else kind


def _short(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _created(fact: e.TaskCreated) -> str:
    return f"{fact.task.id} was made: {fact.task.title}"


def _edited(fact: e.TaskEdited) -> str:
    return f"The draft was changed (version {fact.task.version}): {fact.what}"


def _proved(fact: e.TaskProved) -> str:
    unproven = "; ".join(fact.proof.unproven)
    return f"The checks ran on base {fact.proof.base[:12]}{_because(unproven)}"


def _approved(fact: e.TaskApproved) -> str:
    anyway = f", although {'; '.join(fact.anyway)}" if fact.anyway else ""
    return f"Approved at digest {fact.digest[:12]}{anyway}{_because(fact.message)}"


def _revised(fact: e.TaskRevised) -> str:
    invalid = f", which invalidates {', '.join(fact.invalidated)}" if fact.invalidated else ""
    return f"Back to draft as revision {fact.revision}{invalid}{_because(fact.reason)}"


def _moved(fact: e.TaskMoved) -> str:
    by = f" by {fact.run}" if fact.run else ""
    return f"The task is {fact.status}{by}{_because(fact.reason)}"


def _paused(fact: e.TaskPaused) -> str:
    return "Paused: nothing new starts" if fact.paused else "Goes on after the pause"


def _based(fact: e.BaseFixed) -> str:
    return f"Branch {fact.branch} starts at {fact.base[:12]}"


def _dispatched(fact: e.StepDispatched) -> str:
    return f"{fact.step} is built on {fact.base[:12]}"


def _step_moved(fact: e.StepMoved) -> str:
    again = f", revision {fact.r}" if fact.r is not None else ""
    return f"{fact.step} is {fact.status}{again}{_because(fact.reason)}"


def _asked(fact: e.ReworkAsked) -> str:
    return f"{fact.step} is to be reworked: {fact.message}"


def _judged(fact: e.VerdictGiven) -> str:
    return f"Verdict on {fact.step or 'the task itself'} {fact.r}.{fact.s}: {_verdict(fact.verdict)}"


def _verdict(verdict: Verdict) -> str:
    criteria = ", ".join(f"{each.id} {each.verdict}" for each in verdict.criteria)
    return f"{verdict.result} ({verdict.reason_code}), {judged_on(verdict)[0]} {verdict.tree[:12]}{_because(criteria)}"


def _waived(fact: e.FindingWaived) -> str:
    return f"{fact.waiver.finding} waived by {person(fact.waiver.by)}: {fact.waiver.reason}"


def _integrated(fact: e.StepIntegrated) -> str:
    return f"{fact.step} is on the branch as {fact.commit[:12]}"


def _closed(fact: e.StepClosed) -> str:
    count = plural(fact.attempts, "attempt")
    waived = "".join(f", {each.finding} waived by {person(each.by)}: {each.reason}" for each in fact.waived)
    return f"{fact.step} is closed as {fact.status} after {count}{waived}"


def _published(fact: e.TaskPublished) -> str:
    return f"Branch {fact.branch} is at {fact.commit[:12]}{', merged' if fact.merged else ''} ({fact.how})"


def _ended(fact: e.AttemptEnded) -> str:
    outcome = fact.outcome
    code = f", exit {outcome.exit_code}" if outcome.exit_code is not None else ""
    failure = f" ({outcome.failure})" if outcome.failure else ""
    return f"{outcome.attempt} {outcome.status}{failure}{code}{_because(outcome.reason)}"


def _table(*entries: Callable[..., str]) -> Mapping[type, Callable[..., str]]:
    """Return the functions by the class of fact that each is annotated to tell."""
    return {entry.__annotations__["fact"]: entry for entry in entries}


_WORDS = _table(
    _created, _edited, _proved, _approved, _revised, _moved, _paused, _based, _dispatched, _step_moved, _asked, _judged,
    _waived, _integrated, _closed, _published, _ended,
)  # fmt: skip
