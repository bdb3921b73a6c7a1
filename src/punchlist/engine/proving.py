"""The proof of a draft: what its checks showed on the base, gathered from the run that ran them."""

from punchlist.engine.judging import rows_of
from punchlist.model.flow import CheckNode
from punchlist.model.ids import Commit
from punchlist.model.json import convert
from punchlist.model.policy import Policy, overlay
from punchlist.model.proofs import Proof, ProofRow
from punchlist.model.records import Task
from punchlist.model.state import State
from punchlist.quality.proof import unproven


def proof_of(state: State) -> Proof:
    """Return the proof that a finished run of purpose `prove` amounts to, for the version of the task that it froze."""
    run = state.run
    assert run is not None
    task = convert(run.inputs["task"], Task)
    rows: list[ProofRow] = []
    for node in run.nodes.values():
        if isinstance(run.spots[node.spot].node, CheckNode):
            rows += rows_of(node.output)
    rows.sort(key=lambda row: (_index(task, row.step), row.id))
    return Proof(
        version=task.version,
        base=run.base or Commit(""),
        rows=tuple(rows),
        unproven=unproven(task, rows, policies=policies_of(task, run.policy)),
    )


def policies_of(task: Task, policy: Policy) -> dict[str, Policy]:
    """Return the resolved policy of each step by its id, and the task's own under ""."""
    return {"": policy, **{step.id: overlay(policy, step.policy) for step in task.steps}}


def _index(task: Task, step: str | None) -> int:
    return next((each.index for each in task.steps if each.id == step), len(task.steps) + 1)
