"""The states of things and the only moves between them; a move not listed here is refused everywhere."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from punchlist.errors import RefusedError


class TaskStatus(StrEnum):
    """Where a task stands."""

    DRAFT = "draft"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    BUILDING = "building"
    CHECKING = "checking"
    REVIEWING = "reviewing"
    INTEGRATING = "integrating"
    REWORK = "rework"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class NodeStatus(StrEnum):
    """Where a run, or a node of it, stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNREACHED = "unreached"


class AttemptStatus(StrEnum):
    """Where an attempt stands; it moves one way only."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"


class GateStatus(StrEnum):
    """Where a gate stands: one decision, once."""

    OPEN = "open"
    DECIDED = "decided"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class FindingStatus(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    CLOSED = "closed"
    REPEATED = "repeated"
    REGRESSED = "regressed"
    WAIVED = "waived"


S = TypeVar("S", bound=StrEnum)

_T, _S, _N, _A, _G = TaskStatus, StepStatus, NodeStatus, AttemptStatus, GateStatus

TASK_MOVES: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    _T.DRAFT: frozenset({_T.READY, _T.CANCELLED}),
    _T.READY: frozenset({_T.DRAFT, _T.RUNNING, _T.CANCELLED}),
    _T.RUNNING: frozenset({_T.DRAFT, _T.WAITING, _T.ACCEPTED, _T.FAILED, _T.CANCELLED}),
    _T.WAITING: frozenset({_T.DRAFT, _T.RUNNING, _T.ACCEPTED, _T.FAILED, _T.CANCELLED}),
    _T.ACCEPTED: frozenset({_T.READY}),
    _T.FAILED: frozenset({_T.READY}),
    _T.CANCELLED: frozenset({_T.READY}),
}

_STEP_ENDS = frozenset({_S.SKIPPED, _S.FAILED, _S.CANCELLED})
_FROM_GATE = frozenset({_S.BUILDING, _S.CHECKING, _S.REVIEWING, _S.INTEGRATING, _S.REWORK, _S.ACCEPTED})
STEP_MOVES: Mapping[StepStatus, frozenset[StepStatus]] = {
    _S.PENDING: _STEP_ENDS | {_S.BUILDING, _S.WAITING},
    _S.BUILDING: _STEP_ENDS | {_S.CHECKING, _S.WAITING},
    _S.CHECKING: _STEP_ENDS | {_S.REVIEWING, _S.INTEGRATING, _S.REWORK, _S.WAITING},
    _S.REVIEWING: _STEP_ENDS | {_S.INTEGRATING, _S.REWORK, _S.WAITING},
    _S.INTEGRATING: _STEP_ENDS | {_S.ACCEPTED, _S.REWORK, _S.WAITING},
    _S.REWORK: _STEP_ENDS | {_S.BUILDING, _S.WAITING},
    _S.WAITING: _STEP_ENDS | _FROM_GATE,
    _S.ACCEPTED: frozenset({_S.PENDING}),
    _S.FAILED: frozenset({_S.PENDING}),
    _S.CANCELLED: frozenset({_S.PENDING}),
    _S.SKIPPED: frozenset({_S.PENDING}),
}

_NODE_ENDS = frozenset({_N.SUCCEEDED, _N.FAILED, _N.CANCELLED, _N.SKIPPED})
NODE_MOVES: Mapping[NodeStatus, frozenset[NodeStatus]] = {
    _N.PENDING: frozenset({_N.RUNNING, _N.SKIPPED, _N.UNREACHED, _N.CANCELLED, _N.FAILED}),
    _N.RUNNING: _NODE_ENDS | {_N.WAITING},
    _N.WAITING: _NODE_ENDS | {_N.RUNNING},
    _N.SUCCEEDED: frozenset(),
    _N.FAILED: frozenset(),
    _N.CANCELLED: frozenset(),
    _N.SKIPPED: frozenset(),
    _N.UNREACHED: frozenset(),
}

_ATTEMPT_ENDS = frozenset({_A.SUCCEEDED, _A.FAILED, _A.TIMED_OUT, _A.CANCELLED, _A.LOST})
ATTEMPT_MOVES: Mapping[AttemptStatus, frozenset[AttemptStatus]] = {
    _A.QUEUED: frozenset({_A.RUNNING, _A.CANCELLED, _A.FAILED}),
    _A.RUNNING: _ATTEMPT_ENDS,
    **{end: frozenset[AttemptStatus]() for end in _ATTEMPT_ENDS},
}

GATE_MOVES: Mapping[GateStatus, frozenset[GateStatus]] = {
    _G.OPEN: frozenset({_G.DECIDED, _G.EXPIRED, _G.WITHDRAWN}),
    _G.DECIDED: frozenset(),
    _G.EXPIRED: frozenset(),
    _G.WITHDRAWN: frozenset(),
}

FINAL_TASK = frozenset({_T.ACCEPTED, _T.FAILED, _T.CANCELLED})
FINAL_STEP = frozenset({_S.ACCEPTED, _S.FAILED, _S.CANCELLED, _S.SKIPPED})
FINAL_NODE = frozenset({_N.SUCCEEDED, _N.FAILED, _N.CANCELLED, _N.SKIPPED, _N.UNREACHED})
FINAL_ATTEMPT = _ATTEMPT_ENDS
LIVE_STEP = frozenset({_S.BUILDING, _S.CHECKING, _S.REVIEWING, _S.INTEGRATING, _S.REWORK, _S.WAITING})


def check_move(moves: Mapping[S, frozenset[S]], now: S, then: S, *, what: str, hint: str = "") -> None:  # noqa: PLR0917 - as one says it
    """Refuse the move of `what` unless `moves` lists it; the error names what is allowed, and gives the `hint`."""
    allowed = moves[now]
    if then in allowed:
        return
    names = ", ".join(sorted(allowed)) or "nothing: it is final"
    raise RefusedError(f"{what} is {now}: it cannot become {then}; from there: {names}", hint=hint)
