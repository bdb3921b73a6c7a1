"""The JSON shapes of state, the same for the command line, typed tools and files.

Fields may be added, never renamed.
"""

from collections.abc import Mapping, Sequence

import msgspec

from punchlist.model.events import Event
from punchlist.model.gates import GATES, Choice
from punchlist.model.ids import StepId
from punchlist.model.json import Json, encode, plain
from punchlist.model.proofs import Proof
from punchlist.model.records import Criterion, Project, Step
from punchlist.model.rows import GateRow, NodeRow, RunRow, TaskSummary
from punchlist.model.scores import waived
from punchlist.model.sealing import data_of
from punchlist.model.state import AttemptState, StepState, TaskState, VerdictRow
from punchlist.model.verdicts import Verdict
from punchlist.render.words import standing

Shape = dict[str, Json]


def project(record: Project) -> Shape:
    """Return a project."""
    return _fields(record)


def task_summaries(summaries: Sequence[TaskSummary]) -> list[Shape]:
    """Return the lines of `task list`, in one conversion, because there may be ten thousand."""
    lines: list[Shape] = msgspec.to_builtins(summaries)
    return lines


def task(state: TaskState) -> Shape:
    """Return a task with its steps in full; `verdict` is the last one on the task's own criteria as they are.

    `notes` are the keys that this version does not heed yet.
    """
    from punchlist.model.notes import task_notes

    record, own, shows = state.task, state.steps.get("", StepState()), _shows(state)
    return {
        **_fields(record),
        "standing": standing(record.status, waived(state)),
        "acceptance": [criterion(each, shows=shows.get(None, {}).get(each.id)) for each in record.acceptance],
        "steps": [_step(state, each, shows=shows.get(each.id, {})) for each in record.steps],
        "proof": None if state.proof is None else proof(state.proof),
        "proposal": state.proposal,
        "branch": state.branch,
        "base": state.base,
        "tip": state.tip,
        "run": state.run,
        "reason": state.reason,
        "approved_by": state.approved_by,
        "approved_anyway": list(state.approved_anyway),
        "approved_unproved": state.approved_unproved,
        "approved_for": plain(state.approved_for),
        "published": state.published,
        "created_at": state.created_at,
        "changed_at": state.changed_at,
        "waived": [plain(each) for each in waived(state)],
        "verdict": None if own.present is None else verdict(own.present),
        "verdicts": [verdict(each) for each in own.verdicts],
        "notes": [plain(each) for each in task_notes(record)],
    }


def step(state: TaskState, step_id: StepId, *, attempts: Sequence[AttemptState]) -> Shape:
    """Return a step with its attempts (those of `attempts` that are its) and all its verdicts.

    Raises KeyError when the task has no such step.
    """
    record = next((each for each in state.task.steps if each.id == step_id), None)
    if record is None:
        raise KeyError(step_id)
    mine = [each for each in attempts if each.step == step_id]
    return step_in_full(state, record, attempts=mine, shows=_shows(state).get(step_id, {}))


def step_in_full(
    state: TaskState, record: Step, *, attempts: Sequence[AttemptState], shows: Mapping[str, str]
) -> Shape:
    """Return a step of which the attempts, and what its checks show on the base, are at hand."""
    return {
        **_step(state, record, shows=shows),
        "attempts": [attempt(each) for each in attempts],
        "verdicts": [verdict(each) for each in state.steps.get(record.id, StepState()).verdicts],
    }


def _step(state: TaskState, record: Step, *, shows: Mapping[str, str]) -> Shape:
    seen = state.steps.get(record.id, StepState())
    return {
        **_fields(record),
        "task": state.task.id,
        "project": state.task.project,
        "standing": standing(record.status, seen.waivers),
        "criteria": [criterion(each, shows=shows.get(each.id)) for each in record.criteria],
        "scope": {
            "allow": list(record.scope.allow),
            "deny": list(record.scope.deny),
            "unlock": list(record.scope.unlock),
        },
        "r": seen.r,
        "s": max(seen.tries - 1, 0),
        "base": seen.base,
        "commit": seen.commit,
        "tree": seen.tree,
        "reason": seen.reason,
        "messages": list(seen.messages),
        "verdict": None if seen.present is None else verdict(seen.present),
        "waived": [plain(each) for each in seen.waivers],
    }


def criterion(record: Criterion, *, shows: str | None) -> Shape:
    """Return a criterion with what its check showed on the base (None: not known, or it has none)."""
    return {
        "id": record.id,
        "text": record.text,
        "check": record.check,
        "timeout": record.timeout,
        "network": record.network,
        "red_first": record.red_first,
        "review": record.review,
        "shows": shows,
    }


def _shows(state: TaskState) -> dict[str | None, dict[str, str]]:
    """Return what the base shows of each step's checks; those of the task itself are under None."""
    shows: dict[str | None, dict[str, str]] = {}
    for row in state.proof.rows if state.proof else ():
        shows.setdefault(row.step, {})[row.id] = row.shows
    return shows


def proof(record: Proof) -> Shape:
    """Return what the checks showed on the base."""
    rows: list[Json] = [{name: getattr(row, name) for name in row.__struct_fields__} for row in record.rows]
    return {**_fields(record), "rows": rows}


def verdict(row: VerdictRow) -> Shape:
    """Return a verdict with the `r.s` that it judges."""
    return {**verdict_alone(row.verdict), "r": row.r, "s": row.s, "at": row.at}


def verdict_alone(record: Verdict) -> Shape:
    """Return a verdict as such."""
    return _fields(record)


def attempt(state: AttemptState) -> Shape:
    """Return an attempt; what is not known yet, or was never reported, is null."""
    outcome = state.outcome
    shape: Shape = {
        "id": state.id,
        "run": state.run,
        "node": state.node,
        "step": state.step,
        "subject": state.subject,
        "r": state.r,
        "s": state.s,
        "role": state.role.value,
        "worker": state.worker,
        "status": state.status.value,
        "session": state.session,
        "not_before": state.not_before,
        "queued_at": state.queued_at,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        **dict.fromkeys(("failure_class", "commit", "usage", "exit_code", "signal", "output_digest", "cached_from")),
        "reason": "",
        "artifacts": [],
    }
    if outcome is None:
        return shape
    return {
        **shape,
        "session": outcome.session or state.session,
        "failure_class": outcome.failure.value if outcome.failure else None,
        "commit": outcome.snapshot.commit if outcome.snapshot else None,
        "usage": _usage(state),
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "output_digest": outcome.output_digest,
        "cached_from": outcome.cached_from,
        "reason": outcome.reason,
        "artifacts": artifacts_of(state),
    }


def artifacts_of(state: AttemptState) -> list[Json]:
    """Return what an attempt left, and of which others it was made; `copy` is where its content is kept."""
    outcome = state.outcome
    if outcome is None or not outcome.artifacts:
        return []
    made_from: list[Json] = [plain(each) for each in outcome.used]
    return [
        {
            "name": name,
            "node": state.node,
            "attempt": state.id,
            "path": each.path,
            "sha256": each.sha256,
            "size": each.size,
            "copy": f".punchlist/artifacts/{each.sha256[:2]}/{each.sha256}",
            "made_from": made_from,
        }
        for name, each in outcome.artifacts.items()
    ]


def artifacts(attempts: Sequence[AttemptState]) -> list[Json]:
    """Return what attempts left, in their order."""
    return [made for each in attempts for made in artifacts_of(each)]


def _usage(state: AttemptState) -> Json:
    usage = state.outcome.usage if state.outcome else None
    return None if usage is None else {name: getattr(usage, name) for name in usage.__struct_fields__}


def gate(row: GateRow) -> Shape:
    """Return a gate; `needs` of a choice names what must be given with it, `takes` all that may be.

    `type` of a choice is the end of the command that decides it so, with values that fit.
    """
    state = row.gate
    known = {choice.name: choice for choice in GATES[state.kind].choices} if state.kind in GATES else {}
    return {
        "id": state.id,
        "kind": state.kind,
        "about": state.step or row.task or row.run or row.project,
        "message": state.message,
        "choices": [_choice(name, known.get(name), row=row) for name in state.choices],
        "shows_digest": state.shows,
        "since": state.since,
        "status": state.status.value,
        "choice": state.choice,
        "data": state.data,
        "by": state.by,
        "opened_by": state.opened_by,
        "decided_at": state.decided_at,
        "project": row.project,
        "task": row.task,
        "run": row.run,
        "step": state.step,
        "criterion": state.criterion,
        "form": state.form,
        "approvers": list(state.approvers),
        "node": state.node,
    }


def _choice(name: str, choice: Choice | None, *, row: GateRow) -> Shape:
    fields = choice.fields if choice else ()
    own = {"value": row.gate.example, "step": f"{row.task}.1" if row.task else ""}
    return {
        "name": name,
        "effect": choice.effect.value if choice else "the choice is the node's output",
        "needs": [field.name for field in fields if field.required],
        "type": " ".join([name, *(each.typed(own.get(each.name, "")) for each in fields if each.required)]),
        "takes": [{"name": field.name, "type": field.type, "message": field.message} for field in fields],
    }


def run(row: RunRow, nodes: Sequence[NodeRow]) -> Shape:
    """Return a run with its nodes."""
    return {
        **_fields(row),
        "outputs": {} if row.outputs is None else row.outputs,
        "nodes": [node(each) for each in nodes],
    }


def node(row: NodeRow) -> Shape:
    """Return a node of a run."""
    return _fields(row)


def event(record: Event) -> Shape:
    """Return an event; `data` is the fact's fields."""
    return {"seq": record.seq, **sealed(record)}


def sealed(record: Event) -> Shape:
    """Return an event as it is on any machine, without the store's own order."""
    return {
        "stream": record.stream,
        "n": record.n,
        "at": record.at,
        "kind": record.kind,
        "actor": record.actor,
        "data": data_of(record.fact),
        "prev": record.prev,
        "hash": record.hash,
    }


def _fields(record: msgspec.Struct) -> Shape:
    fields: Shape = msgspec.json.decode(encode(record))
    return fields
