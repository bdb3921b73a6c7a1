"""Scripts of the worker `scripted`: their shape, how they are read, and which turn is whose."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Annotated, Any, Literal, cast

import msgspec
import yaml
from msgspec import Meta

from punchlist.errors import DefinitionError, Problem
from punchlist.model.ids import CriterionName
from punchlist.model.json import Json
from punchlist.model.parse import parse
from punchlist.model.parts import Part

_DEPTH = 100


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A part of a script; unknown keys are errors."""


class When(Closed, frozen=True, kw_only=True):
    """Which attempts a turn is for: all that is said must hold. `step` is an id, a position (from 1) or a title."""

    role: Literal["planner", "builder", "qa", "node"] | None = None
    step: Annotated[int, Meta(ge=1)] | str | None = None
    criterion: CriterionName | None = None
    round: Annotated[int, Meta(ge=0)] | tuple[Annotated[int, Meta(ge=0)], ...] | None = None


class Replacement(Closed, frozen=True, kw_only=True):
    """A text that occurs once in a file, and what stands there afterwards."""

    old: Annotated[str, Meta(min_length=1)]
    new: str


class Run(Closed, frozen=True, kw_only=True):
    """A command for `sh -c` and the exit code that it must have."""

    command: Annotated[str, Meta(min_length=1)]
    exit: Annotated[int, Meta(ge=0, le=255)]


class FoundFault(Closed, frozen=True, kw_only=True):
    """What a review says about a criterion that fails."""

    finding: str
    evidence: tuple[str, ...] | str = ()


class ReviewTurn(Closed, frozen=True, kw_only=True):
    """A review in short: criteria that fail, and which of the others pass; `criteria` is the long form instead."""

    pass_: Literal["all"] | tuple[CriterionName, ...] = msgspec.field(name="pass", default=())
    fail: dict[CriterionName, str | FoundFault] = {}
    evidence: tuple[str, ...] | str | None = None
    suggestions: tuple[str, ...] = ()
    criteria: tuple[dict[str, Json], ...] | None = None


class Turn(Closed, frozen=True, kw_only=True):
    """What happens in an attempt, in the order of the fields below `when`; at most one answer is left."""

    when: When = When()
    write: dict[str, str] = {}
    append: dict[str, str] = {}
    replace: dict[str, Replacement | tuple[Replacement, ...]] = {}
    delete: tuple[str, ...] = ()
    run: str | Run | tuple[str | Run, ...] = ()
    print: str = ""
    result: dict[str, Json] | None = None
    review: ReviewTurn | None = None
    plan: dict[str, Json] | None = None
    raw: str | None = None
    exit: Annotated[int, Meta(ge=0, le=255)] = 0


class Script(Closed, frozen=True, kw_only=True):
    """The whole file: the first turn that fits an attempt is performed."""

    turns: Annotated[tuple[Turn, ...], Meta(min_length=1)]


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn can be chosen by. `step` is an id, or empty; `round` counts the builder's attempts before, from 0."""

    role: str
    step: str = ""
    title: str = ""
    round: int = 0
    criteria: tuple[str, ...] = ()


def read_script(text: str, *, what: str) -> Script:
    """Return the script in YAML text; raises DefinitionError with all problems."""
    return parse(Script, _load(text, what), what=what, meaning=_meaning)


def turn_for(script: Script, situation: Situation, *, what: str) -> Turn:
    """Return the first turn that fits; raises DefinitionError when none does."""
    for turn in script.turns:
        if fits(turn.when, situation):
            return turn
    raise DefinitionError(
        f"no turn fits role {situation.role!r}, step {situation.step!r} ({situation.title!r}), round {situation.round}",
        where=what,
        hint="Add a turn for it, or one without `when` at the end.",
    )


def fits(when: When, situation: Situation) -> bool:
    """Say whether all that `when` says holds."""
    rounds = when.round if isinstance(when.round, tuple | None) else (when.round,)
    return (
        (when.role is None or when.role == situation.role)
        and (when.step is None or _is_step(when.step, situation))
        and (when.criterion is None or when.criterion in situation.criteria)
        and (rounds is None or situation.round in rounds)
    )


def review_of(turn: ReviewTurn, pack: Mapping[str, Any]) -> dict[str, Json]:
    """Return the review that a turn stands for, its "all" meaning the criteria of the pack.

    A passing criterion without evidence refers to its check's output, else to the first line of the first changed file.
    """
    if turn.criteria is not None:
        criteria: list[Json] = [dict(each) for each in turn.criteria]
    else:
        criteria = [_failing(name, fault) for name, fault in turn.fail.items()]
        criteria += [_passing(name, turn, pack=pack) for name in _passed(turn, pack)]
    return {"schema": "punchlist/review/1", "criteria": criteria, "suggestions": list(turn.suggestions)}


class _Loader(yaml.CSafeLoader):
    """YAML that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[object] = set()
        for name, key in ((key.value, key) for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} is given twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def _load(text: str, what: str) -> Json:
    try:
        _check_events(text, what)
        return cast("Json", yaml.load(text, Loader=_Loader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise DefinitionError(f"not YAML: {error}", where=what) from error


def _check_events(text: str, what: str) -> None:
    """Refuse aliases, and depths that would take the loader off its stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH:
            raise DefinitionError("it is nested too deeply", where=what)
        if isinstance(event, yaml.AliasEvent):
            raise DefinitionError("aliases (`*name`) are not read", where=what, hint="Write the value out.")


def _meaning(script: Part) -> Iterator[Problem]:
    for turn in script.field("turns").each():
        yield from _problems(turn)


def _problems(turn: Part) -> Iterator[Problem]:
    for name in ("write", "append", "replace", "delete"):
        part = turn.field(name)
        for path in (*part.fields(), *(each.text for each in part.each())):
            if path is not None and not _inside(path):
                allowed = "a path inside the work folder: relative, without '..'"
                yield Problem(part.where, f"saw {path!r}", allowed, "Use `run` for what lies outside.")
    answers = [name for name in ("result", "review", "plan", "raw") if turn.field(name).said]
    if len(answers) > 1:
        yield Problem(turn.where, f"leaves {' and '.join(answers)}", "one of result, review, plan, raw")


def _inside(name: str) -> bool:
    return name not in {"", "."} and not name.startswith("/") and ".." not in name.split("/") and "\0" not in name


def _is_step(wanted: int | str, situation: Situation) -> bool:
    if isinstance(wanted, int):
        return situation.step.rpartition(".")[2] == str(wanted)
    return wanted in {situation.step, situation.title}


def _passed(turn: ReviewTurn, pack: Mapping[str, Any]) -> list[str]:
    names = [each["id"] for each in pack.get("criteria", ())] if isinstance(turn.pass_, str) else turn.pass_
    return [name for name in names if name not in turn.fail]


def _failing(name: str, fault: str | FoundFault) -> Json:
    if isinstance(fault, str):
        return {"id": name, "verdict": "fail", "finding": fault}
    return {"id": name, "verdict": "fail", "finding": fault.finding, "evidence": _list(fault.evidence)}


def _passing(name: str, turn: ReviewTurn, *, pack: Mapping[str, Any]) -> Json:
    evidence = _default_evidence(name, pack) if turn.evidence is None else _list(turn.evidence)
    return {"id": name, "verdict": "pass", "evidence": evidence}


def _default_evidence(name: str, pack: Mapping[str, Any]) -> list[Json]:
    if any(check["id"] == name for check in pack.get("checks", ())):
        return [name]
    written = [change.partition(" ")[2] for change in pack.get("changes", ()) if not change.startswith("deleted ")]
    return [f"{path}:1" for path in written[:1]]


def _list(value: str | tuple[str, ...]) -> list[Json]:
    return [value] if isinstance(value, str) else list(value)
