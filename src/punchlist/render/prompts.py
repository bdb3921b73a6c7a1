"""The prompts of builder, reviewer and planner, from a template and a pack.

A template is markdown with `${name}` placeholders. A text from outside goes in fenced or escaped, and nothing in it is
a placeholder.
"""

import string
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from punchlist.errors import DefinitionError
from punchlist.model.jobs import ProcessJob, Role
from punchlist.model.json import Json
from punchlist.model.parse import parse
from punchlist.model.records import Criterion, Project
from punchlist.model.results import PlanRequest, ReviewPack, StepPack
from punchlist.model.states import FindingStatus
from punchlist.model.verdicts import Finding, Verdict
from punchlist.render.markdown import code, fence, inline

SPEC_LENGTH = 12_000
GOAL_LENGTH = 60_000
PATHS = 200
DIFF = "diff.patch"
"""The name of the file with the diff, beside the pack."""
_PASSED_OVER = {FindingStatus.WAIVED, FindingStatus.CLOSED}


def prompt_of(job: ProcessJob, project: Project | None, *, template: Callable[[str], str], io: str) -> str:
    """Return the prompt of a worker's attempt: the flow's own, or the one made of the role's template and the pack.

    `template` gives one by name, `io` is where the attempt's files are. A builder that goes on in its session is told
    only what is new.
    """
    if job.role is Role.NODE or project is None:
        back = _sent_back(job.sent_back, told="Your last answer could not be taken")
        return f"{back}\n\n{job.prompt}" if back and job.role is Role.NODE else job.prompt
    again = job.role is Role.BUILDER and job.session is not None
    text = template(f"{job.role}-again" if again else job.role)
    if job.role is Role.BUILDER:
        pack = parse(StepPack, job.pack, what="the pack")
        return builder_prompt(pack, project, template=text, sent_back=job.sent_back)
    if job.role is Role.QA:
        judged = parse(ReviewPack, job.pack, what="the pack")
        return qa_prompt(judged, template=text, diff=f"{io}/{DIFF}", sent_back=job.sent_back)
    request = parse(PlanRequest, job.pack, what="the pack")
    return planner_prompt(request, template=text, sent_back=job.sent_back)


def builder_prompt(
    pack: StepPack, project: Project, *, template: str, messages: Sequence[str] = (), sent_back: str = ""
) -> str:
    """Return the builder's prompt: a person's messages first; what does not change from step to step before what does.

    `messages` are added to those of the pack; `sent_back` is why its last answer was not taken. Only the project's spec
    is cut, and the prompt says so.
    """
    values = {
        "sent_back": _sent_back(sent_back),
        "messages": _messages([*pack.messages, *(each for each in messages if each not in pack.messages)]),
        "rework": "" if pack.verdict is None else _rework(pack.verdict, pack.criteria),
        "step": inline(pack.step.id),
        "title": inline(pack.step.title),
        "goal": _goal(pack.step.title, pack.step.goal),
        "criteria": _criteria(pack.criteria),
        "scope": _scope(pack),
        "answer": fence(_example(_result(pack.criteria)), "json"),
        "context": _context(pack.context),
        "task": _task(pack.task, pack.spec),
        "project": inline(project.title),
        "spec": _cut(project.spec, SPEC_LENGTH, rest="Read the repository for the rest."),
    }
    return _filled(template, values, name="builder")


def qa_prompt(pack: ReviewPack, *, template: str, diff: str = DIFF, sent_back: str = "") -> str:
    """Return the reviewer's prompt: step, criteria, changed paths and check outputs; nothing that the builder said.

    `diff` is where the step's diff lies, `sent_back` why its last answer was not taken.
    """
    values = {
        "diff": code(diff),
        "sent_back": _sent_back(sent_back),
        "title": inline(pack.title),
        "goal": _goal(pack.title, pack.goal),
        "criteria": _criteria(pack.criteria),
        "base": code(pack.base),
        "tree": code(pack.tree),
        "changes": _paths(pack.changes),
        "task": _task(pack.task, pack.spec),
        "checks": _checks(pack),
        "answer": fence(_example(_review(pack.criteria)), "json"),
    }
    return _filled(template, values, name="qa")


def planner_prompt(request: PlanRequest, *, template: str, sent_back: str = "") -> str:
    """Return the planner's prompt: the project, what was asked for, and what an earlier plan was refused for."""
    asked = request.request or "The whole spec below."
    values = {
        "sent_back": _sent_back(sent_back),
        "project": inline(request.project),
        "title": inline(request.title),
        "request": fence(asked, "markdown"),
        "spec": _cut(request.spec, GOAL_LENGTH, rest="The whole of it is in the pack, `$PUNCHLIST_PACK`."),
        "critique": "" if not request.critique else _refused(request.critique),
        "answer": fence(_example(_PLAN), "json"),
    }
    return _filled(template, values, name="planner")


def context_of(pack: Mapping[str, Json], project: Project | None, *, prompt: str) -> dict[str, Json]:
    """Return what a prompt was made of, by layer, as `context.json` keeps it: names, lengths, and what was cut.

    L0 is the contract and is never cut, L1 the project and the task, L2 what the step is given besides; L3, history, is
    empty in this version.
    """
    texts = {"project": project.spec if project is not None else "", "task": pack.get("spec")}
    layers: dict[str, list[Json]] = {
        "L0": [name for name in _CONTRACT if pack.get(name)],
        "L1": [_layer(name, text) for name, text in texts.items() if isinstance(text, str) and text],
        "L2": [name for name in ("context", "changes", "checks") if pack.get(name)],
        "L3": [],
    }
    return {"schema": "punchlist/context/1", "prompt_length": len(prompt), "layers": dict[str, Json](layers)}


_CONTRACT = ("messages", "verdict", "step", "goal", "criteria", "scope", "request", "critique")


def _layer(name: str, text: str) -> Json:
    return {"name": name, "length": len(text), "cut": len(text) > SPEC_LENGTH}


def _task(title: str, spec: str) -> str:
    """Return the task that a step is part of, as material; nothing when there is no more to say than the step does."""
    if not spec.strip():
        return ""
    told = _cut(spec, SPEC_LENGTH, rest="The whole of it is in the pack.")
    return f"## The task that it is part of: {inline(title)}\n\n{told}"


def _filled(template: str, values: Mapping[str, str], *, name: str) -> str:
    try:
        text = string.Template(template).substitute(values)
    except (KeyError, ValueError) as error:
        allowed = ", ".join(sorted(values))
        message = f"the prompt's template has a placeholder that cannot be filled: {error}"
        hint = f"Allowed are: {allowed}; a plain dollar sign is written $$."
        raise DefinitionError(message, where=f"prompts/{name}.md", hint=hint) from None
    return f"{text.strip()}\n"


def _messages(messages: Sequence[str]) -> str:
    if not messages:
        return ""
    said = "\n\n".join(fence(message, "markdown") for message in messages)
    return f"# First of all: what a person asks\n\nIt goes before everything below.\n\n{said}"


def _rework(verdict: Verdict, criteria: Sequence[Criterion]) -> str:
    text = {each.id: each.text for each in criteria}
    judged = fence("\n".join(_entry(f"{each.id} {each.verdict}", text.get(each.id, "")) for each in verdict.criteria))
    found = "\n\n".join(_found(each) for each in verdict.findings if each.state not in _PASSED_OVER)
    return (
        "# Your last try was judged, and it does not pass\n\n"
        f"{inline(verdict.next_action)}\n\n{judged}\n\n## Findings to close\n\n{found}\n\n"
        "Your work is as you left it. Close every finding above and open no new one: what passes now must pass again."
    )


def _found(each: Finding) -> str:
    name = f"{each.id} " if each.id else ""
    about = f" on {code(each.criterion)}" if each.criterion else ""
    place = f" at {code(each.place)}" if each.place else ""
    evidence = f"; evidence: {', '.join(code(line) for line in each.evidence)}" if each.evidence else ""
    said = fence(f"{each.text}\n\n{each.output}" if each.output else each.text)
    return f"- {name}({each.kind}, {each.state}){about}{place}{evidence}\n\n{said}"


def _goal(title: str, goal: str) -> str:
    return fence(f"{title}\n\n{goal}" if goal.strip() else title, "markdown")


def _criteria(criteria: Sequence[Criterion]) -> str:
    """Return the criteria word for word, each with who judges it."""
    return fence("\n".join(line for each in criteria for line in _criterion(each)))


def _criterion(each: Criterion) -> Iterator[str]:
    yield _entry(each.id, each.text)
    if each.check:
        yield _entry("     checked by", each.check)
    if each.review or not each.check:
        yield "     judged by a reviewer"


def _entry(name: str, text: str) -> str:
    """Return an entry whose further lines stand below it, so that none looks like an entry of its own."""
    return f"{name}: {text}".replace("\n", "\n       ")


def _scope(pack: StepPack) -> str:
    allow = ", ".join(code(glob) for glob in pack.scope.allow) or "every path"
    deny = ", ".join(code(glob) for glob in pack.scope.deny)
    return f"- You may change: {allow}.\n" + (f"- You may not change: {deny}." if deny else "")


def _context(context: Sequence[str]) -> str:
    return "" if not context else "# To read first\n\n" + "\n".join(f"- {code(each)}" for each in context)


def _cut(text: str, most: int, *, rest: str) -> str:
    if not text.strip():
        return "(It has no spec.)"
    if len(text) <= most:
        return fence(text, "markdown")
    return f"{fence(text[:most], 'markdown')}\n\nCut here after {most:,} of {len(text):,} characters. {rest}"


def _paths(paths: Sequence[str]) -> str:
    if not paths:
        return "Nothing was changed."
    shown = "\n".join(f"- {code(path)}" for path in paths[:PATHS])
    left = len(paths) - PATHS
    return f"{shown}\n\n{left:,} more are left out here; the diff has them all." if left > 0 else shown


def _checks(pack: ReviewPack) -> str:
    if not pack.checks:
        return "No checks were run."
    return "\n\n".join(
        f"{code(each.id)} {code(each.command)}: **{'passed' if each.passed else 'failed'}**\n\n{fence(each.tail)}"
        for each in pack.checks
    )


_TOLD = "Your last try in this session ended without an answer that could be taken"


def _sent_back(reason: str, *, told: str = _TOLD) -> str:
    if not reason.strip():
        return ""
    return f"# Sent back\n\n{told}:\n\n{fence(reason)}\n\nMend that, and answer."


def _refused(critique: Sequence[str]) -> str:
    said = "\n".join(f"- {inline(each)}" for each in critique)
    told = "Nothing of it is kept: make the whole plan anew, all tasks with all steps, and mend all of this"
    return f"# Your last plan was refused\n\n{told}:\n\n{said}"


def _example(value: Json) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _result(criteria: Sequence[Criterion]) -> Json:
    claims: list[Json] = [{"id": each.id, "met": True, "evidence": "what shows it"} for each in criteria]
    return {
        "schema": "punchlist/result/1",
        "outcome": "done",
        "summary": "one paragraph on what you did",
        "criteria": claims,
    }


def _review(criteria: Sequence[Criterion]) -> Json:
    judged: list[Json] = [
        {"id": each.id, "verdict": "pass", "evidence": ["path/to/file.py:12"], "finding": ""} for each in criteria
    ]
    return {"schema": "punchlist/review/1", "criteria": judged, "suggestions": []}


_PLAN: Json = {
    "schema": "punchlist/plan/1",
    "tasks": [
        {
            "title": "one line",
            "spec": "what is wanted and why",
            "acceptance": [
                {"text": "The whole test suite passes.", "check": "a command that ends with 0 when it holds"}
            ],
            "steps": [
                {
                    "title": "one line",
                    "goal": "what holds afterwards",
                    "criteria": [{"text": "what must hold", "check": "a command that fails before the work"}],
                    "scope": {"allow": ["src/**", "tests/**"]},
                    "needs": [],
                }
            ],
            "needs": [],
        }
    ],
}
