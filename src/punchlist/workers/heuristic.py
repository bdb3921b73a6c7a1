"""The worker `heuristic`: the offline planner, which turns the headings and bullets of a spec into tasks and steps.

The rules are written for people in docs/howto/write-a-spec.md.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from punchlist.errors import DefinitionError, Problem, invalid
from punchlist.model.ids import CONTROLS, INVISIBLE, PATH, TITLE_LENGTH, slug
from punchlist.model.jobs import Outcome
from punchlist.model.records import CriterionFile, StepFile, TaskFile
from punchlist.model.results import Plan
from punchlist.ports import Exit, Invocation, WorkerRequest
from punchlist.workers.answers import outcome_of
from punchlist.workers.markdown import Part, raw_text, read_parts, split_at
from punchlist.workers.scripted import by_definition, module_argv
from punchlist.workers.settings import Host, read_settings

SHELLS = frozenset({"sh", "bash", "console", "shell"})
ACCEPTANCE = frozenset(
    {"acceptance", "acceptance-criteria", "accepted-when", "criteria", "definition-of-done", "done-when"}
)
BACKGROUND = frozenset(
    {
        "background",
        "context",
        "introduction",
        "motivation",
        "non-goals",
        "notes",
        "out-of-scope",
        "overview",
        "references",
    }
)
_LINE = 4_000
_NUMBER = re.compile(r"(?:(?:step|task|phase)\s+)?[0-9]+(?:[.:)]|\s+[-\u2013\u2014])\s*", re.IGNORECASE)
_INLINE_CHECK = re.compile(r"[(\s]*\bcheck:\s*(`+)(.+?)\1[)\s]*", re.IGNORECASE)
_PLAIN_CHECK = re.compile(r"check:\s*([^`\s].*)", re.IGNORECASE)
_NEEDS = re.compile(r"[*_]*(?:needs|after)[*_]*\s*:[*_]*\s*(.+)", re.IGNORECASE)
_UNFIT = re.compile(rf"(?!\t)[{CONTROLS}{INVISIBLE}]")
_PATH = re.compile(PATH)
_SHOWN = 80
_NOTHING = frozenset({"none", "nothing"})


class HeuristicWorker:
    """Plans in a process of its own, like any planner; the name is the worker's in settings, for messages."""

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host

    def invocation(self, request: WorkerRequest) -> Invocation:
        """Return the command line; raises DefinitionError for settings that this worker does not have."""
        settings = read_settings(request.settings, name=self._name)
        return Invocation(argv=module_argv(self._host, "heuristic_main"), pass_env=settings.env)

    def outcome(self, request: WorkerRequest, ended: Exit) -> Outcome:
        """Return what came of it; a spec that cannot be planned fails at once."""
        return by_definition(outcome_of(request.attempt, request.role, ended=ended), ended)


def plan_from_markdown(title: str, spec: str, *, request: str = "") -> Plan:
    """Return the plan that the headings of `request`, or else of `spec`, stand for.

    `title` is the project's, for a text without a `#` heading. Raises DefinitionError for an empty text, saying what
    to write, and for needs that name nothing, all at once.
    """
    text = request if request.strip() else spec
    if not text.strip():
        raise DefinitionError(
            "there is nothing to plan: the spec is empty",
            hint="Write a `# title`, a `## heading` for each step, and under it bullets that say what must hold.",
        )
    title = _first_line(request) if request.strip() else title
    what = "the request" if request.strip() else "the spec"
    written = _tasks(read_parts(text), title)
    problems = [each for heading, body in written for each in _untitled(heading, body, what=what)]
    if problems:
        raise invalid(problems, what=what)
    outlines = [_outline(heading, body) for heading, body in written]
    titles = [outline.title for outline in outlines]
    tasks = tuple(_task(outline, titles, problems=problems) for outline in outlines)
    if problems:
        raise invalid(problems, what=what)
    return Plan(schema="punchlist/plan/1", tasks=tasks)


class _Outline(NamedTuple):
    """A task before its needs are looked up: `sections` are its steps by title."""

    title: str
    parts: list[Part]
    intro: list[Part]
    acceptance: list[Part]
    sections: list[tuple[str, list[Part]]]


def _tasks(parts: Sequence[Part], title: str) -> list[tuple[str, list[Part]]]:
    """Return title and parts of each task; what stands before the first heading belongs to the first of them."""
    demoted = [part._replace(level=2) if part.level == 1 and _is_aside(part) else part for part in parts]
    (_, before), *rest = split_at(demoted, level=1)
    if not rest:
        return [(title, before)]
    tasks = [(heading.text, body) for heading, body in rest if heading is not None]
    first, body = tasks[0]
    return [(first, [*before, *body]), *tasks[1:]]


def _untitled(heading: str, body: Sequence[Part], *, what: str) -> Iterator[Problem]:
    """Yield the headings of a task and its steps that can be no titles: they are refused by name, never mended."""
    for text in (heading, *(part.text for part, _ in split_at(body, level=2) if part is not None)):
        unfit = _UNFIT.search(text)
        if unfit is not None:
            name = f"U+{ord(unfit[0]):04X}"
            seen = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[:_SHOWN])
            yield Problem(what, f"the title {seen!r} holds the character {name}", "one line of plain, visible text")
        elif _PATH.fullmatch(text.strip()):
            message = f"{text.strip()[:_SHOWN]!r} is a path, and would be the title of what is planned"
            yield Problem(what, message, "what is wanted, in words", "A file's text is planned as the project's spec")


def _outline(title: str, parts: list[Part]) -> _Outline:
    (_, intro), *rest = split_at(parts, level=2)
    acceptance: list[Part] = []
    sections: list[tuple[str, list[Part]]] = []
    for heading, body in rest:
        name = heading.text if heading is not None else ""
        if _is_acceptance(name):
            acceptance += body
        elif not _is_background(name):
            sections.append((_title(name) or f"Step {len(sections) + 1}", body))
    title = _title(title) or "Untitled"
    return _Outline(title, parts, intro, acceptance, sections or [(title, intro)])


def _task(outline: _Outline, titles: Sequence[str], *, problems: list[Problem]) -> TaskFile:
    names = [name for name, _ in outline.sections]
    return TaskFile(
        title=outline.title,
        spec=raw_text(outline.parts),
        acceptance=_criteria(outline.acceptance),
        steps=tuple(
            _step(name, body, names=() if body is outline.intro else names, problems=problems)
            for name, body in outline.sections
        ),
        needs=_needs(outline.intro, titles, where=outline.title, problems=problems) or (),
    )


def _step(title: str, parts: Sequence[Part], *, names: Sequence[str], problems: list[Problem]) -> StepFile:
    """Make a step: criteria from its part on acceptance where it has one, else from all of its bullets and commands."""
    named, other = _apart(parts)
    used = named or other
    goal = [part for part in other if not _speaks(part, used)]
    return StepFile(
        title=title,
        goal=raw_text(goal).strip(),
        criteria=_criteria(used) or (CriterionFile(text=f"{title}: it is done as the goal says."),),
        needs=_needs(other, names, where=title, problems=problems) if names else None,
    )


def _apart(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Return what stands under a heading or label such as "Acceptance", and what stands elsewhere."""
    named: list[Part] = []
    other: list[Part] = []
    inside = False
    for part in parts:
        if part.kind == "heading":
            inside = _is_acceptance(part.text)
            (named if inside else other).append(part)
        elif part.kind == "line" and _is_label(part.text):
            inside = True
        else:
            (named if inside else other).append(part)
    return [part for part in named if part.kind != "heading"], other


def _speaks(part: Part, used: Sequence[Part]) -> bool:
    """Say whether a part became a criterion, a check or a need, so that the goal need not repeat it."""
    if part.kind == "line":
        return bool(_NEEDS.fullmatch(part.text)) or (part in used and _split_check(part.text)[1] is not None)
    return part in used and (part.kind == "item" or (part.kind == "fence" and part.language in SHELLS))


def _criteria(parts: Sequence[Part]) -> tuple[CriterionFile, ...]:
    """Return a criterion for each bullet; a command belongs to the one before it, or is one itself."""
    found: list[CriterionFile] = []
    for part in parts:
        text, check = _claim(part)
        joins = found and (part.nested or not text)
        if joins and check and found[-1].check is not None:
            joins = False
        if joins:
            last = found.pop()
            found.append(CriterionFile(text=_line(f"{last.text} {text}"), check=check or last.check))
        elif text or check:
            found.append(
                CriterionFile(text=_line(text) or _line(f"`{_first_line(check or '')}` succeeds."), check=check)
            )
    return tuple(found)


def _claim(part: Part) -> tuple[str, str | None]:
    """Return what a part claims must hold, and the command that shows it; empty for what says neither."""
    if part.kind == "item":
        return _split_check(part.text)
    if part.kind == "line":
        text, check = _split_check(part.text)
        return (text, check) if check else ("", None)
    if part.kind == "fence" and part.language in SHELLS:
        return "", _command(part)
    return "", None


def _split_check(text: str) -> tuple[str, str | None]:
    inline = _INLINE_CHECK.search(text)
    if inline is not None:
        return f"{text[: inline.start()]} {text[inline.end() :]}".strip(), inline[2].strip()
    plain = _PLAIN_CHECK.fullmatch(text)
    return ("", plain[1].strip()) if plain else (text, None)


def _command(fence: Part) -> str | None:
    """Return the commands of a fence as one, which stops at the first error; of a console only what follows a `$`."""
    lines = [line for line in fence.text.splitlines() if line.strip()]
    if any(line.startswith("$ ") for line in lines):
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    return "\n".join(["set -e", *lines] if len(lines) > 1 else lines) or None


def _needs(
    parts: Sequence[Part], names: Sequence[str], *, where: str, problems: list[Problem]
) -> tuple[int, ...] | None:
    """Return the positions that a line "Needs: …" names, None when there is none."""
    found = [match[1] for part in parts if part.kind == "line" and (match := _NEEDS.fullmatch(part.text))]
    if not found:
        return None
    known = {slug(name): position for position, name in enumerate(names, start=1)}
    positions: list[int] = []
    for name in (each.strip(" `*_.\"'") for line in found for each in line.split(",")):
        position = int(name) if name.isdigit() else known.get(slug(_title(name)))
        if position is not None and 1 <= position <= len(names):
            positions.append(position)
        elif name.lower() not in _NOTHING:
            problems.append(Problem(where, f"it needs {name!r}, which is not here", allowed=", ".join(names)))
    return tuple(dict.fromkeys(positions))


def _is_acceptance(text: str) -> bool:
    return slug(_title(text)) in ACCEPTANCE


def _is_background(text: str) -> bool:
    return slug(_title(text)) in BACKGROUND


def _is_aside(heading: Part) -> bool:
    return heading.kind == "heading" and (_is_acceptance(heading.text) or _is_background(heading.text))


def _is_label(text: str) -> bool:
    bare = text.strip("*_ ")
    return bare.endswith(":") and _is_acceptance(bare[:-1])


def _title(text: str) -> str:
    """Return a heading as a title: one line, no number before it, at most 200 characters."""
    line = " ".join(text.split()).strip("*_ ")
    line = _NUMBER.sub("", line, count=1) if _NUMBER.match(line) else line
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE else line[: _LINE - 1] + "…"


def _first_line(text: str) -> str:
    return next((line.strip().lstrip("# ") for line in text.splitlines() if line.strip(" #")), "")
