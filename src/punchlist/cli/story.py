"""Events told as they come: short lines about what a person follows, nothing about the rest."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from punchlist.cli.tables import status, strong
from punchlist.cli.views.tasks import skipped
from punchlist.model.json import Json

Data = Mapping[str, Json]

_LOUD = frozenset({"planner", "builder", "qa", "node", "command"})
_STATES = frozenset({"rework", "failed", "cancelled", "skipped"})
_WIDTH = 6
_DOING = {"planner": "planning", "builder": "building", "qa": "reviewing", "node": "working"}


class Attempt(NamedTuple):
    """What is known of an attempt once it was asked for."""

    about: str
    role: str
    worker: str
    subject: str
    round: str
    again: bool
    on_base: bool


@dataclass
class Story:
    """Turns events into lines; remembers the attempts and commits that later events speak of.

    `tasks` names the task that each run delivers, `skipped` the steps that were skipped before; `task` is that of the
    event which is being told.
    """

    tasks: Mapping[str, str]
    attempts: dict[str, Attempt] = field(default_factory=dict[str, Attempt])
    commits: dict[str, str] = field(default_factory=dict[str, str])
    streams: dict[str, str] = field(default_factory=dict[str, str])
    skipped: set[str] = field(default_factory=set[str])
    task: str = ""

    def lines(self, event: Data) -> Iterator[str]:
        """Yield the lines that an event is worth."""
        tell = _TELL.get(str(event["kind"]))
        data = event["data"]
        if not isinstance(data, dict):
            return
        stream = str(event["stream"])
        if "run" in data:
            self.streams.setdefault(stream, self.tasks.get(_text(data, "run"), ""))
        self.task = self.streams.get(stream, "")
        if tell is not None:
            yield from tell(self, data)


def _attempt_queued(story: Story, data: Data) -> Iterator[str]:
    story.attempts[_text(data, "attempt")] = Attempt(
        about=_text(data, "step") or story.task or _text(data, "node"),
        role=_text(data, "role"),
        worker=_text(data, "worker"),
        subject=_text(data, "subject"),
        again=bool(data.get("again")),
        on_base=_text(data, "node").endswith(".before"),
        round=f"{data.get('r', 0)}.{data.get('s', 0)}",
    )
    yield from ()


def _attempt_started(story: Story, data: Data) -> Iterator[str]:
    name = _text(data, "attempt")
    seen = story.attempts.get(name)
    if seen is not None and seen.role in _LOUD:
        by = f" by {seen.worker}" if seen.worker else ""
        which = f", try {seen.round}" if seen.role in {"builder", "qa"} else ""
        yield _line(seen.about, f"{_DOING.get(seen.role, seen.role)}{by}{which} ({name})")


def _attempt_ended(story: Story, data: Data) -> Iterator[str]:
    outcome = data.get("outcome")
    seen = story.attempts.get(_text(outcome, "attempt")) if isinstance(outcome, dict) else None
    if seen is None or not isinstance(outcome, dict):
        return
    state, reason = _text(outcome, "status"), _text(outcome, "reason")
    if seen.role == "check":
        yield _line(seen.about, f"  {_checked(seen, outcome)}")
    elif seen.role == "setup" and outcome.get("exit_code") == 0:  # without a process there was nothing to set up
        yield _line(seen.about, f"set up ({_text(outcome, 'attempt')})")
    elif state != "succeeded":
        yield _line(seen.about, f"{seen.role} {status(state)}: {reason or _text(outcome, 'failure')}")


def _checked(seen: Attempt, outcome: Data) -> str:
    where = " on the base" if seen.on_base else ", once more" if seen.again else ""
    if outcome.get("exit_code") == 0:
        return f"{seen.subject}{where}: {status('pass')}"
    last = _text(outcome, "tail").rstrip().rpartition("\n")[2].strip()
    why = _text(outcome, "reason") or f"exit {outcome.get('exit_code')}"
    return f"{seen.subject}{where}: {status('fail')}, {why}{f': {last}' if last else ''}"


def _step_moved(story: Story, data: Data) -> Iterator[str]:
    step, state, reason = _text(data, "step"), _text(data, "status"), _text(data, "reason")
    (story.skipped.add if state == "skipped" else story.skipped.discard)(step)
    if state == "accepted":
        commit = story.commits.get(step)
        yield _line(step, f"{status(state)}{f' as commit {commit[:12]}' if commit else ''}")
    elif state in _STATES:
        yield _line(step, f"{status(state)}{f': {reason}' if reason else ''}")


def _step_integrated(story: Story, data: Data) -> Iterator[str]:
    story.commits[_text(data, "step")] = _text(data, "commit")
    yield from ()


def _verdict_given(story: Story, data: Data) -> Iterator[str]:
    about, verdict = _text(data, "step") or story.task or "whole", data.get("verdict")
    if not isinstance(verdict, dict):
        return
    yield _line(about, f"verdict on {data.get('r', 0)}.{data.get('s', 0)}: {status(_text(verdict, 'result'))}")
    findings = verdict.get("findings")
    for each in findings if isinstance(findings, list) else ():
        if isinstance(each, dict):
            yield _line(about, f"  {_text(each, 'id')} {_text(each, 'criterion')}: {_text(each, 'text')}")


def _task_approved(story: Story, data: Data) -> Iterator[str]:
    digest = _text(data, "digest")
    yield _line(story.task, f"approved, frozen at digest {digest[:12]}")


def _task_moved(story: Story, data: Data) -> Iterator[str]:
    reason = _text(data, "reason")
    left_out = skipped(sum(step.startswith(f"{story.task}.") for step in story.skipped))
    yield _line(story.task, f"{status(_text(data, 'status'))}{left_out}{f': {reason}' if reason else ''}")


def _task_published(story: Story, data: Data) -> Iterator[str]:
    merged = ", merged" if data.get("merged") else ""
    yield _line(story.task, f"branch {_text(data, 'branch')} is at {_text(data, 'commit')[:12]}{merged}")


def _gate_opened(story: Story, data: Data) -> Iterator[str]:
    gate = _text(data, "gate")
    yield _line(
        _text(data, "step") or story.task, f"{status('waiting')} for a decision, {gate}: {_text(data, 'message')}"
    )
    choices = data.get("choices")
    names = [str(each) for each in choices] if isinstance(choices, list) else []
    yield _line("", f"  punchlist decide {gate} {'|'.join(names)}")


def _gate_decided(_story: Story, data: Data) -> Iterator[str]:
    yield _line("", f"{_text(data, 'gate')} decided: {_text(data, 'choice')}")


def _node_ended(story: Story, data: Data) -> Iterator[str]:
    if not story.task and data.get("node"):
        error = _text(data, "error")
        yield _line("", f"{_text(data, 'node')} {status(_text(data, 'status'))}{f': {error}' if error else ''}")


_TELL: Mapping[str, Callable[[Story, Data], Iterator[str]]] = {
    "AttemptQueued": _attempt_queued,
    "AttemptStarted": _attempt_started,
    "AttemptEnded": _attempt_ended,
    "StepMoved": _step_moved,
    "StepIntegrated": _step_integrated,
    "VerdictGiven": _verdict_given,
    "TaskApproved": _task_approved,
    "TaskMoved": _task_moved,
    "TaskPublished": _task_published,
    "GateOpened": _gate_opened,
    "GateDecided": _gate_decided,
    "NodeEnded": _node_ended,
}


def _line(about: str, text: str) -> str:
    return f"{strong(about.ljust(_WIDTH))} {' '.join(text.splitlines())}".rstrip()


def _text(data: Data, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
