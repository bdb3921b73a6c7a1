"""The verb that waits until something changes its state."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, Problem, RefusedError, invalid
from punchlist.model.allowed import nearest
from punchlist.model.parts import in_order
from punchlist.model.states import GateStatus, NodeStatus, StepStatus, TaskStatus
from punchlist.service import lookup

if TYPE_CHECKING:
    from datetime import datetime

    from punchlist.model.json import Json
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service

LONGEST = 3600.0
"""Seconds that one wait may last."""
_PATIENCE = 20.0
"""Seconds without a commit before an engine that has work is looked for again."""
_STATES = {"task": [*TaskStatus], "step": [*StepStatus], "run": [*NodeStatus], "gate": [*GateStatus]}
_KINDS = tuple(_STATES)


def wait_for(service: "Service", names: Sequence[str], *, states: Sequence[str] = (), timeout: timedelta) -> "Answer":
    """Wait until one of `names` (tasks, steps, runs, gates) is in one of `states`, and return the state of each.

    Without `states` any change of a state ends the wait. `changed` names those for which it ended; it is empty when the
    time was up.
    """
    seen = service.clock.now()
    until = seen + timeout
    with service.engine.watch() as watch:
        before = begin(service, names, states=states)
        while True:
            clock = service.clock.now()
            until -= max(seen - clock, timedelta())  # set back meanwhile: nobody waits for that time to come again
            seen, left = clock, _left(until, clock)
            answer = outcome(service, before, states=states, timed_out=left <= 0)
            if answer is not None:
                return answer
            if not watch.wait(min(left, _PATIENCE)):
                _mend(service, names)


def begin(service: "Service", names: Sequence[str], *, states: Sequence[str]) -> dict[str, str]:
    """Return the state of each of `names` as a wait begins; refuses what nobody could wait for."""
    if not names:
        raise DefinitionError("nothing to wait for was named", where="ids", hint="Name at least one id.")
    _check(service, names, states=states)
    return _states(service, names)


def outcome(
    service: "Service", before: Mapping[str, str], *, states: Sequence[str], timed_out: bool
) -> "Answer | None":
    """Return what a wait that began with `before` answers by now, None while it goes on."""
    now = _states(service, [*before])
    changed = [name for name, state in now.items() if (state in states if states else state != before[name])]
    return _answer(now, changed) if changed or timed_out else None


def _check(service: "Service", names: Sequence[str], *, states: Sequence[str]) -> None:
    """Refuse ids of what has no state, and states that none can ever be in; what is not there is told with them."""
    if [*_misnamed(names), *_unknown_states(names, states)]:
        raise invalid(problems_of(service, names, states=states), what="the wait")


def problems_of(service: "Service", names: Sequence[str], *, states: Sequence[str]) -> list[Problem]:
    """Return all that is wrong with a wait: ids of what has no state or is not there, states that there are not."""
    found = [*_misnamed(names), *_unknown_states(names, states), *_absent(service, names)]
    return in_order(found, {"ids": [*names], "states": [*states]})


def _misnamed(names: Sequence[str]) -> Iterator[Problem]:
    allowed = ", ".join(lookup.SHAPES[kind] for kind in _KINDS)
    for at, name in enumerate(names):
        if lookup.kind_of(name) not in _KINDS:
            yield Problem(f"ids[{at}]", f"{name[:80]!r} is not the id of {' or '.join(_KINDS)}", f"such as {allowed}")


def _absent(service: "Service", names: Sequence[str]) -> Iterator[Problem]:
    with service.store.read() as reader:
        for at, name in enumerate(names):
            try:
                if lookup.kind_of(name) in _KINDS:
                    _state(reader, name)
            except RefusedError as error:
                yield Problem(f"ids[{at}]", error.message, hint=error.hint)


def _unknown_states(names: Sequence[str], states: Sequence[str]) -> Iterator[Problem]:
    """Yield each state that none of `names` can ever be in: nobody shall wait for it."""
    kinds = {lookup.kind_of(name) for name in names} & {*_KINDS} or {*_KINDS}
    known = list(dict.fromkeys(state.value for kind, each in _STATES.items() if kind in kinds for state in each))
    for at, state in enumerate(states):
        if state not in known:
            message = f"there is no state {state[:80]!r} of these"
            yield Problem(f"states[{at}]", message, ", ".join(known), nearest(state, known))


def _states(service: "Service", names: Sequence[str]) -> dict[str, str]:
    """Return the state of each; several that are not there are told at once."""
    try:
        with service.store.read() as reader:
            return {name: _state(reader, name) for name in names}
    except RefusedError:
        absent = [*_absent(service, names)]
        if len(absent) > 1:
            raise invalid(absent, what="the wait") from None
        raise


def _state(reader: "Reader", name: str) -> str:
    match lookup.kind_of(name):
        case "task":
            return lookup.task(reader, name).task.status.value
        case "step":
            return lookup.step(reader, name)[1].status.value
        case "run":
            return lookup.run(reader, name).status.value
        case _:
            return lookup.gate(reader, name).gate.status.value


def _left(until: "datetime", now: "datetime") -> float:
    return (until - now).total_seconds()


def _mend(service: "Service", names: Sequence[str]) -> None:
    """Start an engine when there is work for one and none is up: one that was killed tells nobody."""
    if service.engine.status().running:
        return
    with service.store.read() as reader:
        waiting = bool(reader.inbox()) or any(
            lookup.live_run(reader, name.partition(".")[0]) for name in names if name.startswith("T")
        )
        waiting = waiting or any(_state(reader, name) in {"pending", "running"} for name in names if name[0] == "R")
    if waiting:
        service.engine.wake()


def _answer(now: dict[str, str], changed: Sequence[str]) -> "Answer":
    states: dict[str, Json] = dict(now)
    return {"states": states, "changed": [*changed], "timed_out": not changed}
