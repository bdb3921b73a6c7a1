"""Views that say what comes next: `status` and `why`."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from punchlist.cli.tables import columns, status as state, strong, to_type
from punchlist.cli.views.runs import gate_lines
from punchlist.cli.views.seen import EngineSeen, FindingSeen, GateSeen, JudgedSeen, NodeSeen, Part, WaitsSeen, seen
from punchlist.cli.views.tasks import skipped
from punchlist.model.json import Json

Answer = Mapping[str, Json]
MOST = 20
"""How many lines of a list a person is shown."""
_TITLES = {
    "waiting": "Needs you",
    "problems": "Not right",
    "failed": "Failed",
    "drafts": "To approve",
    "ready": "To start",
    "running": "Running",
    "in_line": "In line",
    "parked": "Parked",
    "accepted": "Accepted",
}
_REST = dict.fromkeys(("problems", "parked", "in_line"), "punchlist status --json") | {"waiting": "punchlist gates"}
_INDENT = " " * 13
_NOTHING = "Nothing to do: punchlist plan, or punchlist task create --file task.yaml"


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
    base: str | None = None
    attempts: tuple[str, ...] = ()
    cost: dict[str, Json] | None = None


class BadNodeSeen(NodeSeen, frozen=True, kw_only=True):
    """A node that came to no good end, with the last lines of what it said."""

    lines: tuple[str, ...] = ()


def why(answer: Answer) -> str:
    """Return the explanation, steps below their task; of a run, gate, attempt or finding what is known.

    Of a run that are the nodes that came to no good end, and the gates that wait, with the commands that decide them.
    """
    told = seen(dict[str, Json], answer["why"])
    if "criteria" in told:
        return "\n".join(_why_lines(seen(WhySeen, told), indent=""))
    known = {**told, **seen(dict[str, Json], told.get("finding") or {})}
    said = {name: str(value) for name, value in known.items() if isinstance(value, str | int) and value}
    if known.get("waits_for"):
        waits = seen(WaitsSeen, known["waits_for"])
        said |= {"waits for": waits.what, "type": waits.command}
    lines = [columns([[name, text.rstrip().replace("\n", f"\n{_INDENT}")] for name, text in said.items()])]
    for each in seen(list[BadNodeSeen], told.get("nodes") or []):
        if each.path:
            lines += ["", f"{strong(each.path)}  {state(each.status)}: {each.error}".replace("\n", "\n  ")]
            lines += [f"  | {line}".rstrip() for line in each.lines]
    gates: Json = [told] if "choices" in told else told.get("gates") or []
    for gate in seen(list[GateSeen], gates):
        if gate.status == "open":
            lines += ["", *gate_lines(gate)]
    return "\n".join(lines)


def _why_lines(why: WhySeen, *, indent: str, above: WaitsSeen | None = None) -> Iterator[str]:
    """Yield what is known; what the task `above` a step waits for, too, is said there."""
    commit = f" · commit {why.commit[:12]}" if why.commit else ""
    yield f"{indent}{strong(why.id)}  {why.title} · {why.standing or why.status}{commit}"
    if why.steps and why.standing.startswith("accepted") and not why.commit and why.base:
        yield f"{indent}  nothing was built for it: all steps were skipped, it was judged on its base {why.base[:12]}"
    if why.waits_for is not None and why.waits_for != above:
        yield f"{indent}  waits for {why.waits_for.what}"
        yield f"{indent}  type: {why.waits_for.command}"
    for each in why.criteria:
        evidence = f" ({', '.join(map(_short, each.evidence))})" if each.evidence else ""
        by = f" by {', '.join(each.by)}{evidence}" if each.by else ""
        yield f"{indent}  {each.id}  {state(each.verdict or 'not judged')}{by}  {each.text}"
        if each.finding:
            yield f"{indent}        → {each.finding}"
        if each.attempts:
            yield f"{indent}        by attempts {', '.join(each.attempts)}"
    if why.attempts:
        yield f"{indent}  {'in all: ' if why.steps else ''}attempts {', '.join(why.attempts)} · cost: {_cost(why)}"
    for step in why.steps:
        yield from _why_lines(step, indent=f"{indent}  ", above=why.waits_for)


def _cost(why: WhySeen) -> str:
    """Return what attempts cost in words; checks cost nothing, and what no worker reported is unknown."""
    from punchlist.render.words import cost_words

    return cost_words(why.cost) if why.cost and why.cost["attempts"] else "no worker's attempt is over"


def _short(evidence: str) -> str:
    return re.sub(r"sha256:([0-9a-f]{12})[0-9a-f]+", r"sha256:\1", evidence)


class LineSeen(Part, frozen=True, kw_only=True):
    """A line of `status`: a task, with the command that moves it."""

    id: str
    title: str
    status: str
    steps_accepted: int = 0
    steps_total: int = 0
    steps_skipped: int = 0
    waits_for: str = ""
    command: str = ""


class ProblemSeen(Part, frozen=True, kw_only=True):
    """Something that is not as it should be."""

    where: str
    message: str
    command: str = ""


class ParkedSeen(Part, frozen=True, kw_only=True):
    """An attempt that waits for its time."""

    attempt: str
    step: str | None = None
    node: str = ""
    role: str = ""
    worker: str | None = None
    failure_class: str | None = None
    reason: str = ""
    not_before: str = ""
    command: str = ""


class InLineSeen(Part, frozen=True, kw_only=True):
    """An attempt that waits for a place, and which limit is in its way."""

    attempt: str
    step: str | None = None
    node: str = ""
    role: str = ""
    worker: str | None = None
    waits_for: str = ""
    command: str = ""


class StatusSeen(Part, frozen=True, kw_only=True):
    """How things stand."""

    engine: EngineSeen
    waiting: tuple[GateSeen, ...] = ()
    problems: tuple[ProblemSeen, ...] = ()
    accepted: tuple[LineSeen, ...] = ()
    failed: tuple[LineSeen, ...] = ()
    running: tuple[LineSeen, ...] = ()
    parked: tuple[ParkedSeen, ...] = ()
    in_line: tuple[InLineSeen, ...] = ()
    ready: tuple[LineSeen, ...] = ()
    drafts: tuple[LineSeen, ...] = ()
    projects: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    totals: Mapping[str, int] = msgspec.field(default_factory=dict[str, int])


def status(answer: Answer) -> str:
    """Return how things stand, as far as the answer goes: first what needs a person, with the command to type."""
    told = seen(StatusSeen, dict(answer))
    lines = {
        "waiting": [line for gate in told.waiting for line in gate_lines(gate)],
        "problems": [f"{each.where}: {each.message}\n  {each.command}" for each in told.problems],
        "failed": _lines(told.failed),
        "drafts": _lines(told.drafts),
        "ready": _lines(told.ready),
        "running": _lines(told.running),
        "in_line": _in_line(told.in_line),
        "parked": _parked(told.parked),
        "accepted": _lines(told.accepted),
    }
    blocks = [_block(_TITLES[name], [*lines[name], *_more(told, name)]) for name in _TITLES]
    shown = [block for block in blocks if block]
    nothing = _NOTHING if told.projects else f"There is no project yet: {', '.join(told.commands)}"
    return "\n\n".join([*(shown or [nothing]), _engine(told)])


def _block(title: str, lines: Sequence[str]) -> str:
    return "\n".join([strong(title), *(f"  {line}" for text in lines for line in text.splitlines())]) if lines else ""


def _more(told: StatusSeen, name: str) -> list[str]:
    """Return how many more of a list there are than lines that a person is shown, and how to see them."""
    left = told.totals.get(name, 0) - MOST
    return [f"and {left} more: {_REST.get(name, 'punchlist task list')}"] if left > 0 else []


def _lines(lines: Sequence[LineSeen]) -> list[str]:
    return to_type([[each.id, _how_far(each), each.title, each.command] for each in lines], indent=2)


def _parked(parked: Sequence[ParkedSeen]) -> list[str]:
    """Return who waits until when, and why; what they answered may have many lines."""
    rows = [[each.step or each.node, _who_until(each), _why_parked(each), each.command] for each in parked]
    return to_type(rows, indent=2)


def _in_line(waiting: Sequence[InLineSeen]) -> list[str]:
    """Return who waits for a place, and which limit is in the way."""
    rows = [[each.step or each.node, _who(each), f"waits for {each.waits_for}", each.command] for each in waiting]
    return to_type(rows, indent=2)


def _who(each: ParkedSeen | InLineSeen) -> str:
    return f"{each.attempt} ({each.role} {each.worker})" if each.worker else f"{each.attempt} ({each.role})"


def _who_until(parked: ParkedSeen) -> str:
    return f"{_who(parked)} until {parked.not_before[:19]}Z"


def _why_parked(parked: ParkedSeen) -> str:
    return ": ".join(each for each in (parked.failure_class, *parked.reason.splitlines()[:1]) if each)


def _how_far(line: LineSeen) -> str:
    waits = f", waits for {line.waits_for}" if line.waits_for else ""
    how_far = f"{line.steps_accepted}/{line.steps_total}{skipped(line.steps_skipped)}"
    return f"{state(line.status)} {how_far}{waits}"


def _engine(told: StatusSeen) -> str:
    process = f" (process {told.engine.pid})" if told.engine.pid is not None else ""
    return f"The engine runs{process}." if told.engine.running else "The engine is asleep."
