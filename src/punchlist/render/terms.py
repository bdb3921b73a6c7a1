"""What else a person approves with a task: where its work goes, the rules it sets itself, and what each step may do."""

from collections.abc import Iterable, Iterator, Mapping

from punchlist.model.json import Json, plain
from punchlist.model.policy import Policy, PolicyPart, overlay
from punchlist.model.records import Project, Task
from punchlist.render.quoted import quoted

_GLOBS = 600
"""Characters of one list of globs that are shown; the rest is counted."""
_SCOPE = {"allow": "may change", "deny": "not", "unlock": "unlocked"}

Shape = Mapping[str, Json]


def terms(task: Task, project: Project, *, policy: Policy) -> dict[str, Json]:
    """Return where the work of a task goes, and each rule that it or a step sets other than the policy around it.

    `policy` is what holds without the task.
    """
    rules: list[Json] = [*_rules(task.id, task.policy, around=policy)]
    within = overlay(policy, task.policy)
    rules += [rule for step in task.steps for rule in _rules(step.id, step.policy, around=within)]
    return {"repo": project.repo, "base": project.base, "rules": rules}


def _rules(name: str, part: PolicyPart, *, around: Policy) -> Iterator[dict[str, Json]]:
    for rule in part.__struct_fields__:
        value, otherwise = getattr(part, rule), getattr(around, rule)
        if value is not None and value != otherwise:
            yield {"of": name, "rule": rule, "value": plain(value), "otherwise": plain(otherwise)}


def place_said(told: Shape, *, most: int) -> str:
    """Return in words where the work goes."""
    base, repo = (quoted(str(told[name]), most=most) for name in ("base", "repo"))
    return f"branch {base} of the repository {repo}"


def rules_said(rules: Iterable[Shape]) -> str:
    """Return rules in words, "" for none: `on_accept merge (else branch), review never (else always)`."""
    return ", ".join(f"{rule['rule']} {_value(rule['value'])} (else {_value(rule['otherwise'])})" for rule in rules)


def policy_said(part: PolicyPart) -> list[str]:
    """Return the rules that a task or a step sets itself, each in words."""
    said = ((rule, getattr(part, rule)) for rule in part.__struct_fields__)
    return [f"{rule} {_value(plain(value))}" for rule, value in said if value is not None]


def _value(value: Json) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)


def scope_said(scope: Shape, *, elsewhere: str = "") -> str:
    """Return in words what a step may change, "" where nothing is said; globs in quotes.

    With `elsewhere`, the command that shows them all, no more of them than fit.
    """
    said = {word: value for name, word in _SCOPE.items() if isinstance(value := scope.get(name), list) and value}
    return "; ".join(f"{word} {_globs(map(str, globs), elsewhere)}" for word, globs in said.items())


def _globs(globs: Iterable[str], elsewhere: str) -> str:
    shown: list[str] = []
    room, left = _GLOBS, 0
    for glob in globs:
        said = quoted(glob, most=_GLOBS)
        room -= len(said)
        if elsewhere and shown and room < 0:
            left += 1
        else:
            shown.append(said)
    return ", ".join(shown) + (f" and {left} more: {elsewhere}" if left else "")


def staff_said(step: Shape) -> str:
    """Return in words who is to work at a step other than the settings say, "" for nobody."""
    named = {"builder": step.get("builder"), "reviewer": step.get("qa")}
    return ", ".join(f"{role} {worker}" for role, worker in named.items() if worker)
