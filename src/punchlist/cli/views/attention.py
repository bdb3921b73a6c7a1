"""Views that say what comes next: `status` and `why`."""

from collections.abc import Iterator, Mapping

from punchlist.cli.tables import status as state, strong
from punchlist.cli.views.seen import FindingSeen, JudgedSeen, Part, WaitsSeen, seen
from punchlist.model.json import Json

Answer = Mapping[str, Json]


class WhySeen(Part, frozen=True, kw_only=True):
    """The explanation of a task or a step."""

    id: str
    title: str = ""
    status: str = ""
    standing: str = ""
    waits_for: WaitsSeen | None = None
    criteria: tuple[JudgedSeen, ...] = ()
    findings: tuple[FindingSeen, ...] = ()
    steps: "tuple[WhySeen, ...]" = ()
    commit: str | None = None
    attempts: tuple[str, ...] = ()


def why(answer: Answer) -> str:
    """Return the explanation, steps below their task."""
    return "\n".join(_why_lines(seen(WhySeen, answer["why"]), indent=""))


def _why_lines(why: WhySeen, *, indent: str) -> Iterator[str]:
    commit = f" · commit {why.commit[:12]}" if why.commit else ""
    yield f"{indent}{strong(why.id)}  {why.title} · {why.standing or why.status}{commit}"
    if why.waits_for is not None:
        yield f"{indent}  waits for {why.waits_for.what}"
        yield f"{indent}  type: {why.waits_for.command}"
    for each in why.criteria:
        evidence = f" ({', '.join(each.evidence)})" if each.evidence else ""
        by = f" by {', '.join(each.by)}{evidence}" if each.by else ""
        yield f"{indent}  {each.id}  {state(each.verdict or 'not judged')}{by}  {each.text}"
        if each.finding:
            yield f"{indent}        → {each.finding}"
    if why.attempts and not why.steps:
        yield f"{indent}  attempts: {', '.join(why.attempts)}"
    for each in why.steps:
        yield from _why_lines(each, indent=f"{indent}  ")
