"""The page of events: the kinds of facts that each stream of the log may hold."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from punchlist.model import events
from tools.pages.markup import code, page, summary, table

_HEAD = """\
Every change of state is an event in a stream: one stream for the workspace, and one for each project, task and run.
Events are never changed and never removed; the tables of the store, the generated files and every answer of a verb
are computed from them. `punchlist events` prints them in words, and with `--json` as they are: one object with all of
them or, followed (`events -f --json`), one object a line as they come, each with `"ok": true` beside its own fields.

An event is `{seq, stream, n, at, kind, actor, data, prev, hash}`: `n` counts within its stream from 1, `seq` over all
streams in the order of this store. `hash` is the SHA-256 of `prev` followed by the canonical JSON (RFC 8785) of
`{stream, n, at, kind, actor, data}`, where `stream` is the UUID behind the stream; `prev` is the hash of the stream's
event before, 64 zeros for the first. `seq` is outside of the hash. Actors are `human:NAME`, `agent:ROLE/ATTEMPT`,
`orchestrator:CLIENT` and `engine`.

`punchlist log verify` recomputes every chain and compares what it finds: the tables with a fold of the events, and
each accepted commit with its trailer `Punchlist-Event`, which holds the hash of the event `IntegrationPlanned` that
it was made from.
"""
_NOTE = """\
A field with a question mark may be left out. Ids, digests, commits and trees are texts; what `Project`, `Task`,
`Verdict` and `Flow` are stands in the [schemas](schemas/README.md).
"""


def events_page() -> dict[str, str]:
    """Return the page by its path below the reference."""
    streams = {
        "The workspace": events.WorkspaceFact,
        "A project": events.ProjectFact,
        "A task": events.TaskFact,
        "A run": events.RunFact,
    }
    parts = [part for title, union in streams.items() for part in _stream(title, get_args(union))]
    return {"events.md": page("Events", _HEAD, _NOTE, *parts)}


def _stream(title: str, kinds: tuple[type[msgspec.Struct], ...]) -> Iterator[str]:
    yield f"## {title}"
    yield table(("kind", "its data", "what it says"), (_kind(each) for each in kinds))


def _kind(kind: type[msgspec.Struct]) -> tuple[str, str, str]:
    hints = get_type_hints(kind)
    fields = [
        f"{code(field.name)}{'' if field.required else '?'} {_named(hints[field.name])}"
        for field in msgspec.structs.fields(kind)
    ]
    return code(kind.__name__), "; ".join(fields), summary(kind)


def _named(hint: object) -> str:
    """Return a type as the page calls it: by its own name where it has one."""
    inside = get_args(hint)
    if get_origin(hint) in {Union, UnionType}:
        return " or ".join(_named(each) for each in inside)
    if get_origin(hint) is tuple:
        return f"list of {_named(inside[0])}" if inside[-1] is Ellipsis else f"[{', '.join(map(_named, inside))}]"
    if get_origin(hint) is dict:
        return f"map of {_named(inside[1])}"
    if get_origin(hint) is Literal:
        return ", ".join(code(each) for each in inside)
    return _PLAIN.get(hint) or str(getattr(hint, "__name__", hint))


_PLAIN: dict[object, str] = {str: "text", int: "number", bool: "true or false", NoneType: "null", Any: "any JSON value"}
