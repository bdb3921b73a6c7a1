"""A story that is kept in the real store: after a crash it is what the file says, and nothing else."""

from collections.abc import Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from punchlist.engine.turn import Number
from punchlist.errors import RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.rows import Row
from punchlist.model.state import State
from punchlist.ports import Writer
from punchlist.runtime.loading import load_run
from tests.runs import Story
from tests.stored import made


class StoredStory(Story):
    """A story whose every input is one transaction."""

    def __init__(self, folder: Path, **story: Any) -> None:
        self.store = made(folder)
        self._writer: Writer | None = None
        super().__init__(**story)

    def note(self, *facts: ev.AnyFact) -> None:
        """Add facts of the task's or the project's stream, with their rows."""
        before = len(self.events)
        super().note(*facts)
        with self.store.write() as writer:
            for event in self.events[before:]:
                kind = "task" if isinstance(event.fact, ev.TaskFact) else "project"
                local = (self.task.task.id if kind == "task" else self.state.project.id) if self.state.project else ""
                if event.n == 1:
                    writer.open_stream(event.stream, kind=kind, local=local)  # type: ignore[arg-type]
                writer.append([event])
            rows: Sequence[Row | None] = (self.state.project, self.state.task)
            writer.put([row for row in rows if row is not None])

    def tell(self, command: cmd.RunCommand, *, actor: str = "human:ann") -> tuple[ev.Event, ...]:
        """Decide on one input in a transaction; a refusal leaves nothing of it."""
        with self._transaction() as writer:
            if isinstance(command, cmd.StartRun):
                writer.open_stream(command.stream, kind="run", local=command.run)
            return super().tell(command, actor=actor)

    @contextmanager
    def _transaction(self) -> Any:
        with self.store.write() as writer:
            self._writer = writer
            try:
                yield writer
            finally:
                self._writer = None

    def _allocate(self, kind: Number) -> int:
        assert self._writer is not None
        return self._writer.allocate(kind)

    def _put(self, rows: Iterable[Row]) -> None:
        assert self._writer is not None
        kept = list(rows)
        known = {stream.stream: stream.n for stream in self._writer.streams()}
        self._writer.append([each for each in self.events if each.n > known.get(each.stream, 0)])
        self._writer.put(kept)
        super()._put(kept)

    def refolded(self) -> State:
        """Return the state as the file tells it."""
        with self.store.read() as reader, suppress(RefusedError):
            return load_run(reader, self.id)
        return super().refolded()
