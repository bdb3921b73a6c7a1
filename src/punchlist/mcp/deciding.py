"""Tools and questions that put something before a person: a proposal, an open gate; nothing is decided without them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from punchlist.mcp import forms
from punchlist.mcp.schemas import NUMBER, TEXT, changes
from punchlist.mcp.tool import Arguments, Question, Tool, closed
from punchlist.model.gates import GATES, Choice
from punchlist.service import approvals, gate_commands, gates, proofs, tasks
from punchlist.service.once import once

if TYPE_CHECKING:
    from punchlist.mcp.binding import Bind
    from punchlist.mcp.caller import Caller
    from punchlist.mcp.given import Given
    from punchlist.model.json import Json
    from punchlist.service.context import Answer, Service

_PATIENCE = timedelta(seconds=60)
"""How long the person is not asked yet, for checks that are still being run on the base."""
_PLAIN: "Mapping[str, Json]" = {"text": {"type": "string"}, "int": NUMBER, "any": {"type": "string"}}


def tools(bind: "Bind", caller: "Caller") -> list[Tool]:
    """Return the tools; what a person is asked, they answer in the client's own form, and it is their decision."""
    return [
        Tool(
            name="propose_approval",
            text="Propose a draft for approval. A person decides: asked right here where the client can ask, else by "
            "the command that is returned.",
            schema=changes({"task": TEXT, "message": TEXT}, required=("task",)),
            call=bind("propose_approval", _propose),
            changes=True,
            question=_asking(caller),
        ),
        Tool(
            name="list_gates",
            text="What waits for a decision, each with its choices and the command. With ask, a gate's id, the person "
            "is asked right here where the client can ask.",
            schema=closed({"ask": TEXT}),
            call=bind("list_gates", _list_gates),
            changes=False,
            question=_asking(caller),
        ),
    ]


def command_of(gate: "Mapping[str, Json]") -> str:
    """Return what a person types to decide a gate."""
    if gate["kind"] == "approval":
        return f"punchlist approve {gate['id']}"
    names = [str(choice["name"]) for choice in _dicts(gate["choices"])]
    return f"punchlist decide {gate['id']} {'|'.join(names)}"


def _propose(service: "Service", given: "Given") -> "Answer":
    name = given.id("task")

    def propose(calling: "Service") -> "Answer":
        answer = approvals.propose(calling, name, message=given.text("message"), expected_version=given.version)
        return _with_command(answer)

    return once(service, given.call, act=propose, again=lambda task: _with_command(approvals.proposed(service, task)))


def _with_command(answer: "Answer") -> "Answer":
    gate = answer["gate"]
    assert isinstance(gate, dict)
    return {**answer, "command": command_of(gate)}


def _list_gates(service: "Service", given: "Given") -> "Answer":
    listed = [{**gate, "command": command_of(gate)} for gate in _dicts(gates.listing(service)["gates"])]
    answer: Answer = {"gates": [*listed]}
    if given.maybe("ask") is None:
        return answer
    return {**answer, **gate_commands.show(service, given.id("ask", of="gate"))}


def _asking(caller: "Caller") -> "Callable[[Answer], Question | None]":
    """Return how the gate in an answer, if it is open, is put before the person."""

    def question(answer: "Answer") -> Question | None:
        gate = answer.get("gate")
        if not isinstance(gate, dict) or gate["status"] != "open":
            return None
        choices = [str(choice["name"]) for choice in _dicts(gate["choices"])]
        properties: dict[str, Json] = {"choice": {"type": "string", "enum": [*choices]}, **_fields(gate)}
        form: dict[str, Json] = {"type": "object", "properties": properties, "required": ["choice"]}
        return Question(text=_told(caller, gate), form=form, answered=lambda said: _decided(caller, gate, said=said))

    return question


def _told(caller: "Caller", gate: "Mapping[str, Json]") -> str:
    """Return what the person reads; what the checks of a proposal show on the base is waited for, for a while."""
    if gate["kind"] != "approval":
        return forms.asked(gate)
    name = str(gate["task"])
    is_proved = proofs.proved_within(caller.service, name, timeout=_PATIENCE)
    task = tasks.show(caller.service, name)["task"]
    assert isinstance(task, dict)
    return forms.proposal(gate, task, waiting=not is_proved)


def _fields(gate: "Mapping[str, Json]") -> "dict[str, Json]":
    """Return the form's fields beside the choice: those that one of the choices takes, lists as lines of a text."""
    found: dict[str, Json] = {}
    for choice in _choices(gate):
        for field in choice.fields:
            name = "message" if field.message else field.name
            told = f"for {choice.name}; one a line" if field.type == "list" else f"for {choice.name}"
            found.setdefault(name, {**_shape(field.type), "description": told})
    return found or {"message": {"type": "string"}}


def _shape(kind: str) -> "dict[str, Json]":
    shape = _PLAIN.get(kind, {"type": "string"})
    assert isinstance(shape, dict)
    return shape


def _decided(caller: "Caller", gate: "Mapping[str, Json]", *, said: Arguments) -> "Answer":
    """Decide as the person in front of the client, for what they were shown and nothing else."""
    name = str(said.get("choice"))
    choice = next((each for each in _choices(gate) if each.name == name), None)
    data: dict[str, Json] = {}
    for field in choice.fields if choice is not None else ():
        value = None if field.message else said.get(field.name)
        if value not in {None, ""}:
            data[field.name] = [*str(value).splitlines()] if field.type == "list" else value
    message = str(said.get("message") or "")
    shows = gate["shows_digest"]
    return gates.decide(
        caller.person,
        str(gate["id"]),
        choice=name,
        message=message,
        data=data,
        shows=shows if isinstance(shows, str) else None,
    )


def _choices(gate: "Mapping[str, Json]") -> tuple[Choice, ...]:
    offered = {str(choice["name"]) for choice in _dicts(gate["choices"])}
    return tuple(choice for choice in GATES[str(gate["kind"])].choices if choice.name in offered)


def _dicts(value: "Json") -> "list[dict[str, Json]]":
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
