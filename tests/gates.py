"""Stories that stand at a gate of each kind, for the tests of what its choices do."""

from typing import Any

from punchlist.model import events as ev
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.policy import Policy
from punchlist.model.proofs import ProofRow
from tests.runs import Story, checked, deliver, flow_of, replace, reviewed, step

NO_ROUNDS = Policy(review="uncovered", rework=0)


def at_rework(**changes: Any) -> Story:
    """A step whose only round ended with a red check."""
    story = deliver(step(1, checked(), **changes), step(2, needs=(1,)), policy=NO_ROUNDS)
    story.build("t1")
    story.red()
    assert story.gate().kind == "rework"
    return story


def at_blocked() -> Story:
    story = deliver(step(1), step(2, needs=(1,)))
    story.fail(story.attempt(Role.BUILDER), FailureClass.BLOCKED, reason="Which database?", session="session-1")
    assert (story.gate().kind, story.gate().message) == ("blocked", "Which database?")
    return story


def at_limit() -> Story:
    story = deliver(step(1), step(2, needs=(1,)))
    for _ in range(2):
        story.fail(story.attempt(Role.BUILDER), FailureClass.TIMEOUT)
    assert story.gate().kind == "limit"
    return story


def at_lost() -> Story:
    story = deliver(step(1), step(2, needs=(1,)))
    for _ in range(3):
        story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)
    assert story.gate().kind == "limit"
    return story


def at_unproven() -> Story:
    """A step whose guard is red on the base that moved."""
    story = deliver(step(1), step(2, needs=(1,)), policy=NO_ROUNDS)
    rows = [ProofRow(step=f"T1.{n}", id="AC-1", shows="guard", command="make check-1") for n in (1, 2)]
    proof = story.task.proof
    assert proof is not None
    story.note(ev.TaskProved(proof=replace(proof, rows=tuple(rows))))
    story.build("t1")
    story.green()
    story.commit()
    story.red(times=1)
    assert story.gate().kind == "unproven"
    return story


def at_acceptance(*, reviews: bool = False) -> Story:
    """A task whose own criterion is red when its two steps are accepted."""
    story = deliver(step(1), step(2), acceptance=[reviewed(7) if reviews else checked(7)])
    for number in (1, 2):
        story.build(f"t{number}", step=number)
        story.green(step=number)
    story.commit(step=1)
    story.merge("merged", step=2)
    story.green(step=2)
    story.commit(step=2)
    if reviews:
        story.review("AC-7")
    else:
        story.red()
    assert story.gate().kind == "acceptance"
    return story


def at_merge() -> Story:
    """An accepted task whose branch could not be published."""
    story = deliver(step(1))
    story.build()
    story.green()
    story.commit()
    story.fail(story.attempt(Role.ENGINE), FailureClass.DEFINITION, reason="main is checked out")
    assert story.gate().kind == "merge"
    return story


EXHAUSTED = """
outputs: {last: "${{ nodes.turns.output.n }}"}
nodes:
  turns:
    repeat: {max: 1, until: "${{ nodes.count.output.n > 1 }}", on_exhausted: gate}
    output: {n: "${{ nodes.count.output.n }}"}
    nodes:
      count: {set: {n: "${{ round.index }}"}}
"""


def at_exhausted() -> Story:
    return Story(flow_of(EXHAUSTED), project=None).start()


def at_flow() -> Story:
    text = "nodes: {ask: {gate: {message: 'Ship it?', choices: [yes, no], show: [1, 2]}}}"
    return Story(flow_of(text), project=None).start()


OPENED = {
    "rework": at_rework,
    "blocked": at_blocked,
    "limit": at_limit,
    "unproven": at_unproven,
    "acceptance": at_acceptance,
    "merge": at_merge,
    "exhausted": at_exhausted,
    "flow": at_flow,
}
DATA: dict[tuple[str, str], dict[str, Any]] = {
    ("rework", "more"): {"n": 2, "message": "Use the helper."},
    ("rework", "waive"): {"reason": "It is the test that is wrong."},
    ("blocked", "answer"): {"text": "SQLite."},
    ("limit", "raise"): {"value": "3h"},
    ("acceptance", "add_step"): {"text": "Mend what the steps broke."},
    ("acceptance", "reopen"): {"step": "T1.1"},
    ("acceptance", "waive"): {"reason": "Good enough."},
}
