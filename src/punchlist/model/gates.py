"""The table of gates: kind → choices → effect. The state machine, `decide`, help, pages and docs read it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, cast

import msgspec

from punchlist.errors import DefinitionError, Problem, invalid
from punchlist.model.json import Json, encode

FieldType = Literal["text", "int", "list", "any"]


class Effect(StrEnum):
    """What a decision does; the engine has one branch for each."""

    READY = "the task becomes ready"
    DRAFT = "the task goes back to draft"
    PROCEED = "the step goes on as it is"
    REVISE = "the task goes back to draft, as a new revision"
    MORE = "more rounds, the message first in the prompt"
    WAIVE = "the last round again from its checks, the waived findings counted as passed"
    ANSWER = "the builder goes on in the same session, with the answer"
    PERMIT = "the builder goes on with the decision on what it was denied"
    UNLOCK = "judged again with the paths unlocked"
    RAISE = "the limit is raised and the work tried again"
    RETRY = "tried again"
    STOP = "the run is cancelled; the task can be reopened"
    ADD_STEP = "a step is added for the failing criteria, as a new revision"
    REOPEN = "the named step is opened again"
    LEAVE = "left as it is"
    LAST = "the last round's outputs are accepted"
    DONE = "the person's work is taken to the checks"
    SKIP = "the step is skipped; what needs it goes on"
    FAIL = "the step fails; what needs it is cancelled"
    AUTHOR = "the choice is the node's output"


class Field(msgspec.Struct, frozen=True):
    """A value that a choice takes from `--data`, or from `-m` when `message` is true; `example` is one that fits."""

    name: str
    type: FieldType = "text"
    required: bool = True
    message: bool = False
    example: str = "TEXT"

    def typed(self, said: str = "") -> str:
        """Return what to type for it after `decide ID CHOICE`; `said` is an example where the gate has its own."""
        example: Json = said or self.example
        if self.type == "int":
            example = 2
        if self.type == "list":
            example = [self.example]
        return "-m TEXT" if self.message else f"--data '{{\"{self.name}\": {encode(example).decode()}}}'"


class Choice(msgspec.Struct, frozen=True):
    """One answer to a gate."""

    name: str
    effect: Effect
    fields: tuple[Field, ...] = ()


class GateKind(msgspec.Struct, frozen=True):
    """One kind of gate."""

    opens_when: str
    choices: tuple[Choice, ...]


_NOTE = Field("note", required=False, message=True)
_SKIP = Choice("skip", Effect.SKIP, (_NOTE,))
_FAIL = Choice("fail", Effect.FAIL, (_NOTE,))
_STEP = Field("step", example="T1.1")
_PATHS = Field("paths", "list", example="tests/**")
_REASON = Field("reason", message=True)
_RAISE = Choice("raise", Effect.RAISE, (Field("value", "any", example="2h"),))
_MORE = Choice(
    "more",
    Effect.MORE,
    (Field("n", "int", required=False), Field("message", required=False, message=True)),
)
_WAIVE = Choice("waive", Effect.WAIVE, (Field("findings", "list", required=False), _REASON))

GATES: Mapping[str, GateKind] = {
    "approval": GateKind(
        "someone proposed a task for approval",
        (Choice("approve", Effect.READY, (_NOTE,)), Choice("reject", Effect.DRAFT, (_NOTE,))),
    ),
    "unproven": GateKind(
        "a step has no goal and nothing to review, or a check cannot run here, and its base changed after approval",
        (Choice("go_on", Effect.PROCEED, (_NOTE,)), Choice("revise", Effect.REVISE, (_NOTE,)), _SKIP, _FAIL),
    ),
    "rework": GateKind("the rounds are used up, or they stagnate or go to and fro", (_MORE, _WAIVE, _SKIP, _FAIL)),
    "blocked": GateKind(
        "the agent asked a question", (Choice("answer", Effect.ANSWER, (Field("text", message=True),)), _SKIP, _FAIL)
    ),
    "permission": GateKind(
        "the record shows a denied tool or path that the agent needed",
        (
            Choice("allow_once", Effect.PERMIT),
            Choice("allow_always", Effect.PERMIT, (Field("pattern", example="git *"),)),
            Choice("deny", Effect.PERMIT, (_NOTE,)),
        ),
    ),
    "protected": GateKind(
        "old tests contradict the change",
        (
            Choice("unlock", Effect.UNLOCK, (_PATHS,)),
            Choice("rework", Effect.MORE, (_NOTE,)),
            _FAIL,
        ),
    ),
    "limit": GateKind(
        "the same limit was passed twice, or an attempt was lost three times",
        (_RAISE, Choice("retry", Effect.RETRY, (_NOTE,)), _SKIP, _FAIL),
    ),
    "budget": GateKind("a budget is used up", (_RAISE, Choice("stop", Effect.STOP, (_NOTE,)))),
    "acceptance": GateKind(
        "all steps are accepted and a criterion of the task fails",
        (
            Choice("add_step", Effect.ADD_STEP, (Field("text", message=True),)),
            Choice("reopen", Effect.REOPEN, (_STEP, Field("message", required=False, message=True))),
            _WAIVE,
            _FAIL,
        ),
    ),
    "merge": GateKind(
        "accepted tasks do not go together, or publishing failed",
        (
            Choice("rework", Effect.MORE, (_NOTE,)),
            Choice("leave", Effect.LEAVE, (_NOTE,)),
            Choice("retry", Effect.RETRY, (_NOTE,)),
        ),
    ),
    "exhausted": GateKind(
        "a repeat with `on_exhausted: gate` used up its rounds",
        (_MORE, Choice("accept_last", Effect.LAST, (_NOTE,)), _FAIL),
    ),
    "work": GateKind(
        "a step whose builder is a person waits for it", (Choice("done", Effect.DONE, (_NOTE,)), _SKIP, _FAIL)
    ),
    "flow": GateKind("a gate node of a flow asks", ()),
}


def choice_of(kind: str, name: str, *, author_choices: tuple[str, ...] = ()) -> Choice:
    """Return the choice `name` of a gate; a `flow` gate's choices are its author's. Raises DefinitionError."""
    choices = GATES[kind].choices or tuple(Choice(each, Effect.AUTHOR, (_NOTE,)) for each in author_choices)
    for choice in choices:
        if choice.name == name:
            return choice
    allowed = ", ".join(choice.name for choice in choices)
    raise DefinitionError(f"a gate of kind {kind} has no choice {name!r}; allowed: {allowed}", where=name)


def check_fields(choice: Choice, given: Mapping[str, object], *, example: str = "") -> None:
    """Refuse `given` values that `choice` does not take, lack, or have of another type; all problems at once.

    `example` is a value that fits the gate, if it has one of its own.
    """
    known = {field.name: field for field in choice.fields}
    problems = [
        Problem(f"data.{name}", "unknown field", allowed=", ".join(known) or "none")
        for name in given
        if name not in known
    ]
    for field in choice.fields:
        if field.name not in given:
            if field.required:
                said = example if field.type == "any" else ""
                hint = f"Give it with {field.typed(said)}"
                problems.append(Problem(f"data.{field.name}", f"choice {choice.name} needs it", hint=hint))
        elif not _fits(given[field.name], field.type):
            problems.append(Problem(f"data.{field.name}", f"saw {given[field.name]!r}", allowed=_TYPES[field.type]))
    if problems:
        raise invalid(problems, what=f"the decision {choice.name}")


_MOST = 999_999_999
_TYPES: Mapping[FieldType, str] = {
    "text": "text that is not empty",
    "int": f"a whole number, 1 to {_MOST:,}",
    "list": "a list of texts, at least one",
    "any": "any value",
}


def _fits(value: object, kind: FieldType) -> bool:
    if kind == "text":
        return isinstance(value, str) and value.strip() != ""
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST
    if kind == "list":
        return isinstance(value, list) and value != [] and {type(each) for each in cast("list[object]", value)} == {str}
    return True
