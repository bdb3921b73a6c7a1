"""The facts about one tree, gathered from a run's state for the verdict."""

import msgspec

from punchlist.engine.fold_run import ROOT
from punchlist.engine.fold_task import step_of
from punchlist.engine.scope import step_at, upward
from punchlist.engine.turn import Turn
from punchlist.model import events as ev
from punchlist.model.flow import CheckNode
from punchlist.model.ids import AttemptId, NodePath, StepId, Tree
from punchlist.model.jobs import Change, Outcome
from punchlist.model.json import Json
from punchlist.model.proofs import CheckResult, ProofRow, Shows
from punchlist.model.records import Criterion, Scope
from punchlist.model.results import Result, ReviewedCriterion
from punchlist.model.verdicts import Finding, Verdict
from punchlist.quality.facts import Facts
from punchlist.quality.findings import ledger

replace = msgspec.structs.replace


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """What a review node's output says."""

    assigned: tuple[str, ...] = ()
    results: tuple[ReviewedCriterion, ...] | None = None
    attempt: AttemptId | None = None
    evidence: dict[str, bool] = {}
    exam_changed: tuple[str, ...] = ()
    unenforced: tuple[str, ...] = ()


def facts_of_tree(
    turn: Turn,
    path: NodePath,
    *,
    tree: str,
    criteria: tuple[Criterion, ...],
    checks: tuple[CheckResult, ...],
    review: Reviewed | None = None,
    conflicts: tuple[str, ...] = (),
) -> Facts:
    """Return all that is known of `tree` when a node at `path` judges it."""
    step = step_at(turn.state, path)
    built = _built(turn, tree)
    told = turn.task.steps.get(step or "")
    reviewed = review or Reviewed()
    ended = [turn.run.attempts[check.attempt].outcome for check in checks]
    unenforced = {name for each in (built, *ended) if each is not None for name in each.unenforced}
    return Facts(
        criteria=criteria,
        tree=Tree(tree),
        commit=built.snapshot.commit if built is not None and built.snapshot is not None else None,
        shows=_shows(turn, path),
        checks=checks,
        assigned=reviewed.assigned,
        review=reviewed.results,
        review_attempt=reviewed.attempt,
        evidence=reviewed.evidence,
        exam_changed=reviewed.exam_changed,
        changes=_changes(built) if step is not None else None,
        scope=step_of(turn.task.task, step).scope if step is not None else Scope(),
        claim=_claim(built),
        conflicts=conflicts,
        messages=told.messages if told is not None else (),
        waivers=told.waivers if told is not None else (),
        previous=_previous(turn, step),
        unenforced=tuple(sorted(unenforced | set(reviewed.unenforced))),
        attempt=built.attempt if built is not None else None,
    )


def _built(turn: Turn, tree: str) -> Outcome | None:
    attempt = turn.run.trees.get(tree)
    return turn.run.attempts[attempt].outcome if attempt is not None else None


def _changes(built: Outcome | None) -> tuple[Change, ...]:
    return built.snapshot.changes if built is not None and built.snapshot is not None else ()


def _claim(built: Outcome | None) -> Result | None:
    return msgspec.convert(built.result, Result) if built is not None and built.result is not None else None


def _previous(turn: Turn, step: StepId | None) -> tuple[Finding, ...]:
    told = turn.task.steps.get(step or "")
    return ledger([row.verdict for row in told.verdicts if row.r == told.r]) if told is not None else ()


def _shows(turn: Turn, path: NodePath) -> dict[str, Shows]:
    """Return what the base showed when the step was dispatched: the rows of the check node that looked at it."""
    for node in upward(turn.run, path):
        if node.kind == "item" or node.path == ROOT:
            for child in node.children:
                definition = turn.definition(child)
                if isinstance(definition, CheckNode) and definition.expect == "approved":
                    return {row.id: row.shows for row in _rows(turn.node(child).output)}
    return {}


def _rows(output: Json) -> tuple[ProofRow, ...]:
    rows = output.get("rows", []) if isinstance(output, dict) else []
    return msgspec.convert(rows, tuple[ProofRow, ...])


def give(turn: Turn, path: NodePath, verdict: Verdict) -> Verdict:
    """Number a verdict's findings and record it; return it as recorded."""
    step = step_at(turn.state, path)
    findings = tuple(replace(each, id=each.id or turn.finding_id()) for each in verdict.findings)
    numbered = replace(verdict, findings=findings)
    told = turn.task.steps.get(step or "")
    tries = turn.run.tries.get(step, 0) if step is not None else 0
    turn.emit(
        ev.VerdictGiven(
            step=step, r=told.r if told is not None else 0, s=max(tries - 1, 0), verdict=numbered, node=path
        ),
        actor="engine",
    )
    return numbered
