"""State rows as they stand in the tables, held against what they must be: the first column that differs is named."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from punchlist.model import json
from punchlist.model.json import Json, plain
from punchlist.model.rows import Row, StreamRow
from punchlist.store.session import Value
from punchlist.store.stored import DOCUMENT, Stored, stored

_ROWS = {
    "projects": "row_of_projects",
    "tasks": "row_of_tasks",
    "task_states": "row_of_task_states",
    "task_scores": "row_of_task_scores",
    "runs": "row_of_runs",
    "nodes": "row_of_nodes",
    "attempts": "row_of_attempts",
    "gates": "row_of_gates",
}
_OF_STREAM = {"workspace": "rows_of_no_stream", "task": "rows_of_task", "run": "rows_of_run"}
_ORDER = "position"
_WIDEST = 60

Columns = Mapping[str, Value]


class Tables(Protocol):
    """The tables, row by row, every column of theirs."""

    def named(self, name: str, **values: Value) -> list[dict[str, Value]]:
        """Return all rows that a statement gives, by the names of their columns."""
        ...


def differences(tables: Tables, rows: Iterable[Row], *, stream: StreamRow) -> Iterator[str]:
    """Yield where the tables differ from `rows`, which are all of a stream, nodes in the order of their beginning.

    Every column of a table is compared, those that this program does not write too. Rows that belong to the stream and
    are not among `rows` follow; of the workspace's stream these are rows that belong to no stream at all.
    """
    known: set[tuple[str, str]] = set()
    last = 0
    for each in (each for row in rows for each in stored(row)):
        found = _found(tables, each)
        known.add((each.table, _key(each.columns)))
        if found is None:
            yield f"the row of {_key(each.columns)} in {each.table} is gone"
            continue
        yield from _columns(each, found)
        position = found.get(_ORDER)
        if isinstance(position, int):
            if position < last:
                message = f"{_ORDER} is {position}, and by the log it comes after {last}"
                yield f"the row of {_key(each.columns)} in {each.table}: {message}"
            last = position
    for found in tables.named(_OF_STREAM[stream.kind], local=stream.local) if stream.kind in _OF_STREAM else ():
        table, key = str(found["table"]), str(found["key"])
        if (table, key) not in known:
            yield f"there is a row of {key} in {table}, which the log does not tell of"


def _found(tables: Tables, wanted: Stored) -> Columns | None:
    """Return the row with one of the keys of `wanted`; the one that is most like it, should there be two."""
    found = tables.named(_ROWS[wanted.table], **wanted.columns)
    return max(found, key=lambda each: sum(each[name] == value for name, value in wanted.columns.items()), default=None)


def _columns(wanted: Stored, found: Columns) -> Iterator[str]:
    where = f"the row of {_key(wanted.columns)} in {wanted.table}"
    for name, value in found.items():
        if name == DOCUMENT and wanted.document is not None:
            yield from (f"{where}: {each}" for each in _document(str(value), wanted.document))
        elif name in wanted.columns and value != wanted.columns[name]:
            yield f"{where}: {name} is {_shown(value)}, and the log says {_shown(wanted.columns[name])}"
        elif name not in wanted.columns and name != _ORDER:
            yield f"{where}: nothing in the log says what its column {name} must be"


def _document(text: str, wanted: msgspec.Struct) -> Iterator[str]:
    try:
        found, record = msgspec.json.decode(text), json.decode(text, type(wanted))
    except ValueError as error:
        yield f"{DOCUMENT} cannot be read: {error}"
        return
    differs = _first_difference(found, plain(wanted), at=DOCUMENT, whole=record != wanted)
    if differs is not None:
        yield differs


def _first_difference(found: Json, wanted: Json, *, at: str, whole: bool) -> str | None:
    """Return where a document differs; unless `whole`, a field that only the log tells of has its default there."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        names = dict.fromkeys([*found, *(wanted if whole else ())])
        pairs = ((f"{at}.{name}", found.get(name), wanted.get(name)) for name in names)
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = ((f"{at}[{n}]", *pair) for n, pair in enumerate(zip(found, wanted, strict=True)))
    elif found == wanted:
        return None
    else:
        return f"{at} is {_shown(found)}, and the log says {_shown(wanted)}"
    below = (_first_difference(old, new, at=place, whole=whole) for place, old, new in pairs if old != new)
    return next((each for each in below if each is not None), None)


def _key(columns: Columns) -> str:
    """Return what a row is called: its id, or the number in it, or a node's run and path."""
    if "path" in columns:
        return f"{columns['run']!s} {columns['path'] or '(the flow)'!s}"
    return str(columns.get("id") or columns["number"])


def _shown(value: Json | bytes) -> str:
    text = repr(value)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"
