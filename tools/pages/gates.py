"""The page of the table of gates: what opens each kind, its choices, and their effect."""

from collections.abc import Iterator

from punchlist.model.gates import GATES, Choice, Field, GateKind
from tools.pages.markup import code, page, table

NEVER_OPENED = ("permission", "protected", "budget", "work")
"""Kinds of the table that nothing in this version opens."""

_HEAD = """\
A gate is a wait for one decision of a person. `punchlist gates` lists those that are open, each with the choices that
it offers at that moment (a gate may leave out choices that make no sense there). How to decide one: [Decide a
gate](../howto/decide-a-gate.md).
"""
_NOTE = """\
A field is given as `--data '{"NAME": VALUE}'`; the one marked *-m* also as `-m TEXT`. Those in brackets may be left
out.
"""


def gates() -> dict[str, str]:
    """Return the page by its path below the reference."""
    parts = [part for name, kind in GATES.items() for part in _kind(name, kind)]
    return {"gates.md": page("Gates", _HEAD, _NOTE, *parts)}


def _kind(name: str, kind: GateKind) -> Iterator[str]:
    yield f"## {name}"
    yield f"Opens when {kind.opens_when}."
    if name in NEVER_OPENED:
        yield "Nothing in this version opens it ([not yet](../explanation/not-yet.md))."
    if kind.choices:
        yield table(("choice", "takes", "effect"), (_choice(each) for each in kind.choices))
    else:
        yield "Its choices are those that the node lists; each takes a note with `-m`, and becomes the node's output."


def _choice(choice: Choice) -> tuple[str, str, str]:
    return code(choice.name), ", ".join(_field(each) for each in choice.fields), choice.effect.value


def _field(field: Field) -> str:
    kinds = {"text": "text", "int": "a whole number", "list": "a list of texts", "any": "any value"}
    shown = f"{code(field.name)} {kinds[field.type]}{' *-m*' if field.message else ''}"
    return shown if field.required else f"[{shown}]"
