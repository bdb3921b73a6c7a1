"""What tools ask of every change: made once for a key, and only to what is still at the version that was seen."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from punchlist.errors import DefinitionError, PunchlistError, RefusedError, StoreError
from punchlist.model.ids import RunId, StepId, step_task
from punchlist.render import shapes
from punchlist.service import lookup, projects
from punchlist.service.recording import check_seen
from punchlist.service.repeating import Repeatable

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.ports import Reader, Writer
    from punchlist.service.context import Answer, Service


class Seen(NamedTuple):
    """The version that a caller has seen of a project, a task or that of a step; None asks for none."""

    target: str
    version: int | None


class MadeBeforeError(RefusedError):
    """The same call acted before this one could."""


def once(
    service: "Service",
    call: Repeatable,
    *,
    act: "Callable[[Service], Answer]",
    again: "Callable[[str], Answer]",
    seen: Seen | None = None,
) -> "Answer":
    """Return what `act` returns in the service that it is given, or the first answer that the same `call` was given.

    The key, and the version that was `seen`, are bound in the transaction in which `act` acts: of the same calls at one
    time one acts. `again` answers the others when there is no answer yet, or never will be as its process died; it is
    given what the call was about.
    """
    calling = _Calling(service, call, seen=seen)
    known = calling.answered(again)
    if known is not None:
        return known
    if seen is not None:
        check_version(service, seen.target, expected=seen.version)
    try:
        answer = act(msgspec.structs.replace(service, calling=calling))
    except StoreError:
        raise  # what was asked for may still be done: the key stays bound to it
    except PunchlistError:
        calling.release()
        known = calling.answered(again)
        if known is None:
            raise
        return known
    calling.keep(answer)
    return answer


def check_version(service: "Service", target: str, *, expected: int | None) -> None:
    """Raise ConflictError when a task, that of a step, or a project is not at version `expected`; a run has none."""
    if expected is not None:
        with service.store.read() as reader:
            _check_version(reader, target, expected=expected)


def as_it_is(service: "Service", target: str) -> "Answer":
    """Return a task, that of a step, or a run, as it is by now."""
    with service.store.read() as reader:
        if lookup.check_kind(target, "task", "step", "run") == "run":
            found = RunId(target)
            return {"run": shapes.run(lookup.run(reader, target), reader.nodes(found))}
        task = step_task(StepId(target)) if lookup.kind_of(target) == "step" else target
        return {"task": shapes.task(lookup.task(reader, task))}


class _Calling:
    """One making of a call: what its transaction announces under the key, and puts its answer instead of."""

    def __init__(self, service: "Service", call: Repeatable, *, seen: Seen | None) -> None:
        self._service = service
        self._call = call
        self._seen = seen
        self._by = service.ids.uuid()
        self._announced: Json = None

    def commit(self, writer: "Writer", *, about: str) -> None:
        """Announce the call in this transaction, unless one before did; raises MadeBeforeError, ConflictError."""
        kept = self._call.kept(writer)
        if kept is not None and kept.get("by") == self._by:
            return
        if kept is not None:
            raise MadeBeforeError("the same call was made at this moment", where="key", hint="Look at what it did.")
        if self._seen is not None and self._seen.version is not None:
            _check_version(writer, self._seen.target, expected=self._seen.version)
        if self._call.key is not None:
            self._announced = {**self._call.record(None), "about": about, "by": self._by}
            writer.remember(self._call.key, self._announced)

    def go_on(self) -> None:
        """Go on after a transaction of this call: what it changed itself is no conflict."""
        self._seen = None

    def answered(self, again: "Callable[[str], Answer]") -> "Answer | None":
        """Return what the same call was answered, or answers now; None when it did not act."""
        if self._call.key is None:
            return None
        with self._service.store.read() as reader:
            kept = self._call.kept(reader)
        if kept is None:
            return None
        answer = kept.get("answer")
        return answer if isinstance(answer, dict) else again(str(kept.get("about")))

    def keep(self, answer: "Answer") -> None:
        """Keep the answer; of a call that changed nothing, too."""
        self._put(self._call.record(answer))

    def release(self) -> None:
        """Give the key back: what was asked for was refused."""
        if self._announced is not None:
            self._put(None)

    def _put(self, value: "Json") -> None:
        if self._call.key is not None:
            with self._service.store.write() as writer:
                writer.remember(self._call.key, value, instead=self._announced)


def _check_version(reader: "Reader", target: str, *, expected: int) -> None:
    kind = lookup.check_kind(target, "task", "step", "run", "project")
    if kind == "run":
        raise DefinitionError("a run has no version", where="expected_version", hint="Leave it out.")
    if kind == "project":
        projects.check_version(lookup.project(reader, target), expected=expected)
    else:
        name = step_task(StepId(target)) if kind == "step" else target
        check_seen(reader, lookup.task(reader, name).task, expected=expected)
