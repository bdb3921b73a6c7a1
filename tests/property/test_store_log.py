"""Properties of the stored log: its hash is the one that facts are sealed with, and no changed byte goes unseen."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import rfc8785
from hypothesis import assume, given, strategies as st

from punchlist.errors import RefusedError
from punchlist.model.events import ZERO, Head, RunCreated, seal, text_of
from punchlist.model.flow import Flow
from punchlist.model.ids import RunId, StreamId
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from punchlist.model.sealing import data_of
from punchlist.ports import Writer
from punchlist.store import open_store
from tests.stored import AT, RUN, made, tell_story, writing

EVENTS = ("stream", "n", "at", "kind", "actor", "data", "prev", "hash", "seq")
STREAMS = ("uuid", "kind", "local", "n", "hash")
COLUMNS = [*(("events", column) for column in EVENTS), *(("streams", column) for column in STREAMS)]
TEXT = st.text(max_size=20)
NUMBERS = st.floats(-(2.0**53), 2.0**53)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    store = made(folder)
    tell_story(store)
    store.close()
    return folder


def _change(connection: sqlite3.Connection, data: st.DataObject, *, table: str, column: str) -> None:
    """Change one byte of a text, or a whole number, in one row; what the schema itself refuses is not tried."""
    key = "seq" if table == "events" else "uuid"
    rows = connection.execute(f"select {key}, {column}, typeof({column}) from {table}").fetchall()
    name, value, kind = data.draw(st.sampled_from(rows))
    changed: bytes | int
    if kind == "integer":
        changed = data.draw(st.integers(-5, 40))
        assume(changed != value)
    else:
        raw = bytearray(value.encode() or b"x")
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] ^= data.draw(st.integers(1, 255))
        changed = bytes(raw)
        assume(changed != value.encode())
    target = "?" if kind == "integer" else "cast(? as text)"
    try:
        connection.execute(f"update {table} set {column} = {target} where {key} = ?", (changed, name))
    except sqlite3.IntegrityError:
        assume(condition=False)


@given(data=st.data(), where=st.sampled_from(COLUMNS))
def test_a_single_changed_byte_anywhere_in_the_log_is_found(
    folder: Path, data: st.DataObject, where: tuple[str, str]
) -> None:
    table, column = where
    path = folder / "changed.db"
    path.write_bytes((folder / "state.db").read_bytes())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma ignore_check_constraints = on")
        _change(connection, data, table=table, column=column)

    store = open_store(path)
    with store.read() as reader:
        found = reader.verify()
    store.close()

    assert found != []


@given(inputs=st.dictionaries(TEXT, JSON, max_size=4), actor=TEXT, at=TEXT)
def test_the_hash_of_an_event_is_that_of_the_canonical_form_of_all_that_it_says(
    inputs: dict[str, Json], actor: str, at: str
) -> None:
    fact = RunCreated(
        run=RunId("R1"), purpose="flow", definition=Flow(flow="f", nodes=()), inputs=inputs, policy=Policy()
    )

    event = seal(Head(RUN, 4, ZERO), fact, at=at, actor=actor)

    said: dict[str, Json] = {
        "stream": RUN,
        "n": 5,
        "at": at,
        "kind": "RunCreated",
        "actor": actor,
        "data": data_of(fact),
    }
    assert event.hash == hashlib.sha256(ZERO.encode() + rfc8785.dumps(said)).hexdigest()
    assert text_of(fact) == rfc8785.dumps(data_of(fact))


@given(inputs=st.dictionaries(TEXT, JSON, max_size=4), actor=TEXT)
def test_whatever_a_fact_says_is_stored_canonical_and_read_as_it_was(
    folder: Path, inputs: dict[str, Json], actor: str
) -> None:
    fact = RunCreated(
        run=RunId("R2"), purpose="flow", definition=Flow(flow="f", nodes=()), inputs=inputs, policy=Policy()
    )

    with pytest.raises(RefusedError, match="not kept"), writing(folder / "state.db") as writer:
        _append_and_read(writer, fact, actor)


def _append_and_read(writer: Writer, fact: RunCreated, actor: str) -> None:
    stream = StreamId("another")
    events = writer.append([seal(writer.open_stream(stream, kind="run", local="R2"), fact, at=AT, actor=actor)])
    assert list(writer.events(stream=stream)) == events
    assert [fault.message for fault in writer.verify(stream=stream)] == ["the workspace's stream did not record it"]
    raise RefusedError("not kept")
