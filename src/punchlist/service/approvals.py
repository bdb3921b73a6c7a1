"""Approval: a person freezes a task once its checks were run on the base, and nothing unproven goes unsaid."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from punchlist.engine import document_moves as moves, documents
from punchlist.engine.ways import way
from punchlist.errors import ConflictError, DefinitionError, Problem, RefusedError
from punchlist.model.gates import choice_of
from punchlist.model.ids import GateId, TaskId
from punchlist.render import shapes
from punchlist.render.quoted import quoted
from punchlist.service import gate_commands, lookup, on_terms, proofs, terms
from punchlist.service.context import quiet
from punchlist.service.recording import change_task

if TYPE_CHECKING:
    from punchlist.model.events import TaskFact
    from punchlist.model.ids import Digest
    from punchlist.model.json import Json
    from punchlist.model.rows import GateRow
    from punchlist.model.state import GateState, TaskState
    from punchlist.ports import Writer
    from punchlist.service.context import Answer, Say, Service

_SHOWN = 1_000
NOT_PROVED = "not proved yet: its checks were not run on the base before it was approved"


def propose(service: "Service", task: str, *, message: str = "", expected_version: int | None = None) -> "Answer":
    """Ask a person to approve a draft: opens a gate `approval` bound to the digest of what is proposed."""

    def decide(writer: "Writer", state: "TaskState") -> "list[TaskFact]":
        gate = GateId(f"G{writer.allocate('gate')}")
        agreed = terms.terms(service, writer, task=state.task)
        return moves.propose(state, gate, message=_proposed_as(state, message), terms=agreed)

    answer = change_task(service, task, decide=decide, expected=expected_version)
    return {**answer, **proposed(service, task)}


def _proposed_as(state: "TaskState", message: str) -> str:
    """Return what the gate says, wherever it is shown: what agents wrote stands in quotes, on one line."""
    title = f"{state.task.id} {quoted(state.task.title, most=_SHOWN)}"
    return f"{title}: {quoted(message, most=_SHOWN)}" if message else title


def proposed(service: "Service", task: str) -> "Answer":
    """Return a task that was proposed, and the gate of its last proposal."""
    with service.store.read() as reader:
        state = lookup.task(reader, task)
        gates = reader.gates(task=TaskId(task), everything=True)
        return {
            "task": on_terms.shown(service, reader, state=state),
            "gate": shapes.gate([each for each in gates if each.gate.kind == "approval"][-1]),
        }


class Look(NamedTuple):
    """A draft as a person is shown it: the record, and the digest of all that an approval of it is bound to."""

    task: "Json"
    digest: "Digest"


def look(service: "Service", task: str) -> Look:
    """Return a draft to show; who approves it with that digest approves nothing else."""
    with service.store.read() as reader:
        state = lookup.task(reader, task)
        seen = terms.terms(service, reader, task=state.task)
        return Look(on_terms.shown(service, reader, state=state), documents.frozen_digest(state.task, seen))


def approve(
    service: "Service",
    target: str,
    *,
    choice: str | None = None,
    anyway: bool = False,
    message: str = "",
    no_wait: bool = False,
    data: "Mapping[str, Json] | None" = None,
    expected_version: int | None = None,
    shown: "Digest | None" = None,
    say: "Say" = quiet,
) -> "Answer":
    """Approve a task, or decide a gate by `choice`; without one the gate must have the choice `approve`.

    With `shown` a task is refused that is not any more what `look` gave with that digest.

    Waits until the task's checks were run on the base, unless `no_wait`; raises RefusedError that lists what is
    unproven, unless `anyway`, which is recorded. What nobody waited for, and nobody passed over by `anyway`, is looked
    at when a step is dispatched, before anything is built.
    """
    service.require_person("approve")
    if lookup.check_kind(target, "task", "gate") == "gate":
        with service.store.read() as reader:
            row = lookup.gate(reader, target)
        gate_commands.refuse_closed(row)
        if row.gate.kind != "approval" or row.task is None:
            _refuse_for_tasks(row, {"--anyway": anyway, "--no-wait": no_wait, "--expected-version": expected_version})
            if choice is None:
                _require_choice(row, "approve")
            return _decide(service, row, choice=choice or "approve", message=message, data=data)
        if choice_of("approval", choice or "approve").name == "reject":
            return reject(service, target, message=message)
        approve_task(
            service,
            row.task,
            anyway=anyway,
            message=message,
            no_wait=no_wait,
            expected_version=expected_version,
            gate=row.gate,
            say=say,
        )
        return gate_commands.show(service, target)
    if choice not in {None, "approve"}:
        if choice == "reject":
            return reject(service, target, message=message)
        raise DefinitionError(f"a task has no choice {choice!r}; allowed: approve, reject", where=target)
    return approve_task(
        service,
        target,
        anyway=anyway,
        message=message,
        no_wait=no_wait,
        expected_version=expected_version,
        shown=shown,
        say=say,
    )


def reject(service: "Service", target: str, *, message: str = "") -> "Answer":
    """Send a proposed task back to draft, or decide a gate by its choice `reject`."""
    service.require_person("reject")
    if lookup.check_kind(target, "task", "gate") == "task":
        return change_task(service, target, decide=lambda _, state: moves.reject(state, message=message))
    with service.store.read() as reader:
        row = lookup.gate(reader, target)
    if row.gate.kind == "approval" and row.task is not None:
        gate_commands.refuse_closed(row)

        def decide(_writer: "Writer", state: "TaskState") -> "list[TaskFact]":
            _refuse_other(state, row.gate)
            return moves.reject(state, message=message)

        change_task(service, row.task, decide=decide)
        return gate_commands.show(service, target)
    gate_commands.refuse_closed(row)
    _require_choice(row, "reject")
    return _decide(service, row, choice="reject", message=message)


def approve_task(
    service: "Service",
    task: str,
    *,
    anyway: bool = False,
    message: str = "",
    no_wait: bool = False,
    expected_version: int | None = None,
    gate: "GateState | None" = None,
    shown: "Digest | None" = None,
    say: "Say" = quiet,
) -> "Answer":
    """Freeze a draft, as `approve` does, whoever asks: for policies that let no person stand in the way.

    With `gate` only what that proposal shows, with `shown` only what has that digest.
    """
    with service.store.read() as reader:
        state = lookup.task(reader, task)
        seen = terms.terms(service, reader, task=state.task)
    moves.approve(state, message=message, anyway=(), terms=seen)
    agreed = gate.shows if gate is not None else shown or documents.frozen_digest(state.task, seen)
    way(seen.policy.on_accept, where="policy.on_accept")
    if not no_wait:
        state = proofs.await_proof(service, task, say=say)
    with service.store.read() as reader:
        project = lookup.project(reader, state.task.project)
        proved = proofs.is_current(reader, state)
    lacking = proofs.unproven_of(service, state, project=project, proved=proved)
    if lacking and not anyway:
        raise _unproven(task, lacking)
    passed_over = lacking if proved else (*lacking, NOT_PROVED)

    def decide(writer: "Writer", found: "TaskState") -> "list[TaskFact]":
        _refuse_other(found, gate)
        now = terms.terms(service, writer, task=found.task)
        if documents.frozen_digest(found.task, now) != agreed:
            raise _changed(task, gate)
        return moves.approve(found, message=message, anyway=passed_over, terms=now, unproved=not proved and not anyway)

    answer = change_task(service, task, decide=decide, expected=expected_version)
    with service.store.read() as reader:
        return {**answer, "task": on_terms.shown(service, reader, state=lookup.task(reader, task))}


def _changed(task: str, gate: "GateState | None") -> ConflictError:
    """Return the refusal to approve what is not there any more: the task, its project or the settings have changed."""
    if gate is None:
        return ConflictError(
            f"task {task}, or its project, was changed meanwhile", hint=f"Look again: punchlist task show {task}"
        )
    return ConflictError(
        f"what gate {gate.id} shows is there no more: the policy or the project of task {task} has changed",
        where=gate.id,
        hint=f"Look at it (punchlist task show {task}), then type: punchlist approve {task}",
    )


def _refuse_other(state: "TaskState", gate: "GateState | None") -> None:
    """Refuse to decide a proposal that is not open any more: its gate was looked at before this transaction began."""
    if gate is not None and state.proposal != gate.id:
        raise ConflictError(
            f"gate {gate.id} was withdrawn meanwhile: task {state.task.id} has changed",
            where=gate.id,
            hint=f"Look again: punchlist task show {state.task.id}",
        )


def _refuse_for_tasks(row: "GateRow", options: Mapping[str, object]) -> None:
    """Refuse options that speak of the approval of a task, and so mean nothing for another gate."""
    given = [name for name, value in options.items() if value not in {None, False}]
    if given:
        raise DefinitionError(
            f"{', '.join(given)}: only for the approval of a task, and gate {row.gate.id} is of kind {row.gate.kind}",
            where=row.gate.id,
            hint="Leave it out.",
        )


def _require_choice(row: "GateRow", choice: str) -> None:
    """Refuse to guess what a person means by approving or rejecting a gate that asks something else."""
    gate = row.gate
    if choice not in gate.choices:
        raise RefusedError(
            f"gate {gate.id} is of kind {gate.kind}, and what it asks cannot be answered with {choice!r}",
            where=gate.id,
            hint="Type one of: " + ", or ".join(f"punchlist decide {gate.id} {each}" for each in gate.choices),
        )


def _decide(
    service: "Service", row: "GateRow", *, choice: str, message: str, data: "Mapping[str, Json] | None" = None
) -> "Answer":
    if row.run is None:
        raise RefusedError(f"gate {row.gate.id} belongs to no run", where=row.gate.id, hint="Type: punchlist gates")
    return gate_commands.decide_in_run(service, row, run=row.run, choice=choice, message=message, data=data or {})


def _unproven(task: str, lacking: tuple[str, ...]) -> RefusedError:
    refused = RefusedError(
        f"task {task} has criteria that prove nothing yet:",
        where=task,
        problems=[Problem("", each) for each in lacking],
        hint=f"Mend them (punchlist task edit {task}), or approve it all the same: punchlist approve {task} --anyway",
    )
    refused.code = "unproven"
    return refused
