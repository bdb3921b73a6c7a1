"""Views of runs and flows, of gates, and of what happened."""

import shlex
from collections.abc import Iterator, Mapping

from punchlist.cli.tables import columns, in_line, status, strong
from punchlist.cli.views.seen import (
    DriftSeen,
    EventSeen,
    FlowErrorSeen,
    FlowSeen,
    GateSeen,
    NodeSeen,
    NotStartedSeen,
    PlannedNodeSeen,
    RunSeen,
    TaskSeen,
    seen,
)
from punchlist.cli.views.tasks import moved_task
from punchlist.model.json import Json, convert

Answer = Mapping[str, Json]


def started(answer: Answer) -> str:
    """Return what was started, and how to look at it."""
    tasks = (
        [seen(TaskSeen, answer["task"])]
        if "task" in answer
        else seen(list[TaskSeen], answer["tasks"])
        if "tasks" in answer
        else []
    )
    runs = runs_of(answer)
    lines = [f"{run.id} is {status(run.status)}{f' for {run.task}' if run.task else f': {run.flow}'}" for run in runs]
    follow = " ".join(task.id for task in tasks) or " ".join(run.id for run in runs)
    return "\n".join([*lines, f"Next: punchlist status, or punchlist events {follow} -f"])


def runs_of(answer: Answer) -> list[RunSeen]:
    """Return the runs of an answer, one or several."""
    return [seen(RunSeen, answer["run"])] if "run" in answer else seen(list[RunSeen], answer["runs"])


def ended(answer: Answer) -> str:
    """Return how runs ended, and which tasks were not started."""
    lines = [line for run in runs_of(answer) for line in _run_lines(run)]
    return "\n".join([*lines, *_left(answer)])


def not_started(answer: Answer) -> str:
    """Return which of several tasks were not started, with why and what to type; nothing when all were."""
    return "\n".join(_left(answer))


def _left(answer: Answer) -> Iterator[str]:
    for task in seen(list[NotStartedSeen], answer.get("not_started", [])):
        yield f"{task.id} was not started: {task.why}"
        yield f"  {task.hint}"


def _run_lines(run: RunSeen) -> Iterator[str]:
    about = f"{run.flow} of {run.task}" if run.task else run.flow
    yield f"{run.id} ({about}) {status(run.status)}{f': {run.error}' if run.error else ''}"
    if isinstance(run.outputs, dict) and run.outputs:
        yield columns([[f"  {name}", in_line(value)] for name, value in run.outputs.items()])
    for node in _first_to_fail(run):
        yield f"  {node.path} {status('failed')}: {node.error}"
    if run.status == "waiting":
        yield "It waits for a decision: punchlist gates"


def _first_to_fail(run: RunSeen) -> list[NodeSeen]:
    """Return the nodes that failed of themselves: a group fails because of one in it."""
    failed = [node for node in run.nodes if node.status == "failed"]
    return [node for node in failed if not any(_is_below(each.path, node.path) for each in failed)]


def _is_below(path: str, group: str) -> bool:
    return path != group and (not group or path.startswith((f"{group}.", f"{group}[")))


def steered(answer: Answer) -> str:
    """Return what became of a run or task that was steered."""
    if "task" in answer:
        return moved_task(answer)
    run = seen(RunSeen, answer["run"])
    return f"{run.id} is {status(run.status)}{', paused' if run.paused else ''}"


def dry_run(answer: Answer) -> str:
    """Return every node that would run, with its command, prompt or question, and what only the run can tell."""
    nodes = seen(list[PlannedNodeSeen], answer["plan"])
    if not nodes:
        return "Nothing would run."
    lines = columns([[each.path, each.kind, each.note] for each in nodes]).splitlines()
    return "\n".join(line for each, head in zip(nodes, lines, strict=True) for line in (strong(head), *_planned(each)))


def _planned(node: PlannedNodeSeen) -> Iterator[str]:
    if node.command is not None:
        words = node.command if isinstance(node.command, list) else None
        command = str(node.command) if words is None else shlex.join(map(str, words))
        yield from _indented(command, mark="$ ")
    if node.agent is not None:
        yield f"    by {node.agent}"
    for text in (node.prompt, node.message):
        yield from _indented(text or "", mark="| ")
    for check in _checks(node.criteria):
        yield from _indented(check, mark="$ ")
    if node.later:
        yield f"    only the run can tell: {', '.join(node.later)}"
    if node.fails:
        yield f"    {status('fail')}s: {node.fails}"


def _indented(text: str, *, mark: str) -> Iterator[str]:
    return (f"    {mark}{line}".rstrip() for line in text.splitlines())


def _checks(criteria: Json) -> Iterator[str]:
    """Yield the commands of criteria that are known."""
    for each in criteria if isinstance(criteria, list) else ():
        if isinstance(each, dict) and isinstance(each.get("check"), str):
            yield str(each["check"])


def flows_of(answer: Answer) -> list[FlowSeen]:
    """Return the flows that were checked."""
    return seen(list[FlowSeen], answer["flows"])


def validated(answer: Answer) -> str:
    """Return every error and warning with its place, and the flows that are good."""
    lines: list[str] = []
    for flow in flows_of(answer):
        lines += [_flaw(flow, each) for each in flow.errors] or [f"{flow.path}: {status('ok')}"]
        lines += [_flaw(flow, each, kind="warning: ") for each in flow.warnings]
    return "\n".join(lines)


def _flaw(flow: FlowSeen, flaw: FlowErrorSeen, *, kind: str = "") -> str:
    place = f"{flaw.file or flow.path}:{flaw.line}:{flaw.column}"
    return f"{place}: {kind}{flaw.message}" + (f". {flaw.hint}" if flaw.hint else "")


def gates(answer: Answer) -> str:
    """Return each gate that is open with its choices, as commands to type."""
    return _gates(answer) or "Nothing waits for a decision."


def all_gates(answer: Answer) -> str:
    """Return each gate, those that were decided, too."""
    return _gates(answer) or "There was no gate yet."


def _gates(answer: Answer) -> str:
    return "\n\n".join("\n".join(gate_lines(each)) for each in seen(list[GateSeen], answer["gates"]))


def gate_lines(gate: GateSeen) -> Iterator[str]:
    """Yield a gate and, while it is open, the command for each choice."""
    first, *more = gate.message.splitlines() or [""]
    yield f"{strong(gate.id)}  {gate.about} · {status(gate.kind)}: {first}"
    yield from (f"  | {line}".rstrip() for line in more)
    if gate.status != "open":
        yield f"  {gate.status}: {gate.choice} by {gate.by}"
        return
    if gate.kind == "approval":
        yield f"  Look at it first: punchlist task show {gate.about}"
    yield columns([[f"  punchlist decide {gate.id} {each.type or each.name}", each.effect] for each in gate.choices])


def events(answer: Answer) -> str:
    """Return a line an event."""
    rows = [
        [str(each.seq), each.at[:19].replace("T", " "), each.actor, _told(each)]
        for each in seen(list[EventSeen], answer["events"])
    ]
    return columns(rows) if rows else ""


def _told(event: EventSeen) -> str:
    from punchlist.model.events import AnyFact
    from punchlist.render.told import told

    fact: AnyFact = convert({**event.data, "kind": event.kind}, AnyFact)
    return told(fact)


def drift(answer: Answer) -> str:
    """Return the files that are not as the record says, and how to bring them back."""
    found = seen(list[DriftSeen], answer["drift"])
    if not found:
        return "All generated files are as the record says."
    rows = columns([[each.kind, each.path] for each in found])
    return f"{rows}\n\nTo see it: punchlist files diff. To bring them back: punchlist files write"


def written(answer: Answer) -> str:
    """Return which files were written and removed."""
    lines = [f"{word}  {path}" for word in ("written", "removed") for path in seen(list[str], answer[word])]
    return "\n".join(lines) or "Nothing to write: all generated files are as the record says."


def _counted(count: Json, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def verified(answer: Answer) -> str:
    """Return whether the record holds."""
    problems = answer["problems"]
    counted = f"{_counted(answer['events'], 'event')} in {_counted(answer['streams'], 'stream')}"
    if not isinstance(problems, list) or not problems:
        return f"{counted}: {status('ok')}"
    lines = [_problem(each) for each in problems]
    return "\n".join([f"{counted}, {len(problems)} do not hold:", *lines])


def _problem(problem: Json) -> str:
    if isinstance(problem, dict):
        return "  " + ": ".join(str(value) for value in problem.values() if value not in (None, ""))
    return f"  {problem}"
