"""What the person in front of a client reads before they decide: what it is, all that others wrote of it in quotes."""

import json
from collections.abc import Iterable, Iterator, Mapping

from punchlist.model.json import Json
from punchlist.render.quoted import quoted
from punchlist.render.terms import place_said, rules_said, scope_said, staff_said

_TITLE = 200
_COMMAND = 600
_MESSAGE = 3_000
_MOST = 8_000
"""Characters of steps that a form shows; the rest is counted."""
_SHOWS = {
    "goal": "fails on the base: it is for the work to make it pass",
    "guard": "passes on the base already: it proves nothing new",
    "cannot_run": "cannot run on the base",
}

Shape = Mapping[str, Json]


def proposal(gate: Shape, task: Shape, *, waiting: bool) -> str:
    """Return what an approval is about: the task, each of its steps with its checks, what the base shows, the digest.

    `waiting` says that the checks are still being run.
    """
    command = f"punchlist task show {task['id']}"
    title = quoted(str(task["title"]), most=_TITLE)
    lines = [
        f"{task['id']} is proposed for approval ({gate['id']}, by {quoted(str(gate['opened_by']), most=_TITLE)}).",
        f"Title: {title}",
        *_terms(task),
    ]
    message = _message(str(gate["message"]), said_before=f"{task['id']} {title}")
    if message:
        lines.append(f"Message: {quoted(message, most=_MESSAGE, elsewhere='punchlist gates')}")
    if task["acceptance"]:
        lines += ["The task as a whole:", *_criteria(_dicts(task["acceptance"]), elsewhere=command)]
    lines += _steps(task, elsewhere=command)
    proof = task["proof"]
    lacking = proof.get("unproven") if isinstance(proof, dict) else None
    if isinstance(lacking, list) and lacking:
        said = quoted("; ".join(map(str, lacking)), most=_COMMAND, elsewhere=command)
        lines.append(f"Not proved, so approving here will be refused: {said}")
    if waiting:
        lines.append("Its checks are still being run on the base; approving waits for them.")
    return "\n".join([*lines, _bound(gate)])


def asked(gate: Shape) -> str:
    """Return what any other gate asks."""
    choices = " or ".join(str(choice["name"]) for choice in _dicts(gate["choices"]))
    return "\n".join(
        [
            f"{gate['id']} waits for a decision: it is of kind {gate['kind']}, about {gate['about']}.",
            f"It says: {quoted(str(gate['message']), most=_MESSAGE, elsewhere='punchlist gates')}",
            f"Choose {choices}.",
            _bound(gate),
        ]
    )


def _message(text: str, *, said_before: str) -> str:
    """Return what was said with a proposal, out of the quotes in which its gate has it."""
    rest = text.removeprefix(said_before).removeprefix(": ")
    try:
        value = json.loads(rest)
    except ValueError:
        return rest
    return value if isinstance(value, str) else rest


def _bound(gate: Shape) -> str:
    return f"Digest: {gate['shows_digest']}. What you choose holds for what has this digest, and for nothing else."


def _terms(task: Shape) -> Iterator[str]:
    """Yield where the work of a task goes, and the rules that it sets for itself."""
    told = task["terms"]
    if isinstance(told, dict):
        yield f"Project {task['project']}: the work goes to {place_said(told, most=_COMMAND)}."
    rules = rules_said(_rules(task, str(task["id"])))
    if rules:
        yield f"Policy of its own: {rules}."


def _rules(task: Shape, name: str) -> Iterator[Shape]:
    told = task["terms"]
    return (each for each in _dicts(told["rules"] if isinstance(told, dict) else None) if each["of"] == name)


def _steps(task: Shape, *, elsewhere: str) -> Iterator[str]:
    """Yield the steps, whole ones only, as far as there is room; then how many more there are."""
    room, steps = _MOST, _dicts(task["steps"])
    for at, step in enumerate(steps):
        title = f"Step {step['id']}: {quoted(str(step['title']), most=_TITLE)}"
        lines = [
            title,
            *_bounds(step, task, elsewhere=elsewhere),
            *_criteria(_dicts(step["criteria"]), elsewhere=elsewhere),
        ]
        room -= sum(map(len, lines))
        if room < 0:
            left = len(steps) - at
            yield f"… and {left} more step{'' if left == 1 else 's'}: {elsewhere}"
            return
        yield from lines


def _bounds(step: Shape, task: Shape, *, elsewhere: str) -> Iterator[str]:
    """Yield what a step may change, who works at it, and the rules that it sets for itself."""
    scope = step["scope"]
    may = scope_said(scope, elsewhere=elsewhere) if isinstance(scope, dict) else ""
    rules = rules_said(_rules(task, str(step["id"])))
    told = [f"It {may}" if may else "", staff_said(step), f"policy of its own: {rules}" if rules else ""]
    yield from (f"  {each[0].upper()}{each[1:]}." for each in told if each)


def _criteria(criteria: Iterable[Shape], *, elsewhere: str) -> Iterator[str]:
    for each in criteria:
        text = quoted(str(each["text"]), most=_TITLE, elsewhere=elsewhere)
        if each["check"] is None:
            yield f"  {each['id']} {text}: a reviewer judges it."
        else:
            shows = _SHOWS.get(str(each["shows"]), "not run on the base yet")
            network = " (asks for the network)" if each["network"] else ""
            check = quoted(str(each["check"]), most=_COMMAND, elsewhere=elsewhere)
            yield f"  {each['id']} {text}: {check}{network} {shows}."


def _dicts(value: Json) -> list[dict[str, Json]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
