"""What a waiver holds for: the criterion or the scope that it was given for, as it was, and nothing that came since."""

from typing import Any

import pytest

from punchlist.engine import document_moves as moves, documents
from punchlist.engine.document_checks import Known
from punchlist.engine.waiving import left_open
from punchlist.errors import RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import FindingId, StepId
from punchlist.model.json import Json, plain
from punchlist.model.records import Scope
from punchlist.model.states import StepStatus, TaskStatus
from punchlist.render import shapes
from tests.gates import NO_ROUNDS, at_acceptance
from tests.runs import TERMS, Story, checked, deliver, replace, step

KNOWN = Known(workers=frozenset({"coder", "critic"}))
ONE = StepId("T1.1")


def accepted_with_a_waiver(*, outside: bool = False) -> Story:
    """A task of two alike steps, cancelled when the first was accepted though its check or scope does not hold."""
    scope = Scope(allow=("src/**",)) if outside else Scope()
    story = deliver(step(1, checked(), scope=scope), step(2, checked(), needs=(1,)), policy=NO_ROUNDS)
    story.build("t1")
    story.green() if outside else story.red()
    story.decide("waive", reason="Known.")
    story.commit()
    story.tell(cmd.Cancel(run=story.id))
    assert (story.status(1), story.told(1).waivers != ()) == (StepStatus.ACCEPTED, True)
    return story


def revised(story: Story, **changes: Any) -> None:
    """Let a person change the first step once the task is over."""
    story.note(*moves.reopen(story.task, reason="again"), *moves.revise(replaced(story), reason="again"))
    edited = documents.changed_step(story.task.task, ONE, changes=changes, known=KNOWN, what="the change")
    story.note(*moves.edit(story.task, edited, what="a change"))


def replaced(story: Story) -> Any:
    return replace(story.task, task=replace(story.task.task, status=TaskStatus.READY))


def built_again(story: Story) -> None:
    """Start the task again, and let the first step fail the same way."""
    story.note(*moves.approve(story.task, message="", anyway=(), terms=TERMS))
    story.again()
    story.start(policy=NO_ROUNDS, task=plain(story.task.task))
    story.red(step=1, times=1)
    story.build("t9", step=1)
    story.red(step=1)


CHANGED: list[dict[str, Any]] = [
    {"criteria": [{"id": "AC-1", "text": "It does 1.", "check": "grep -q 77 a.py"}]},
    {"criteria": [{"id": "AC-1", "text": "It does something else.", "check": "make check-1"}]},
    {"criteria": [{"id": "AC-1", "text": "It does 1.", "check": "make check-1", "review": True}]},
    {"criteria": [{"id": "AC-1", "text": "It does 1.", "check": "make check-1", "timeout": "9s"}]},
    {"title": "Another step", "goal": "Do another thing."},
]


@pytest.mark.parametrize("changes", CHANGED)
def test_a_criterion_that_was_changed_is_not_waived_any_more(changes: dict[str, Any]) -> None:
    story = accepted_with_a_waiver()

    revised(story, **changes)

    shown: Any = shapes.task(story.task)
    assert (shown["waived"], shown["steps"][0]["waived"], shown["steps"][0]["verdict"]) == ([], [], None)
    built_again(story)
    assert story.gate().kind == "rework"
    assert story.status(1) is StepStatus.WAITING


def test_a_waiver_holds_at_a_later_revision_while_its_criterion_is_the_same() -> None:
    story = accepted_with_a_waiver()

    revised(story, scope={"allow": ["**"]})
    built_again(story)
    story.commit(step=1)

    assert story.status(1) is StepStatus.ACCEPTED
    assert story.told(1).verdicts[-1].verdict.reason_code == "waived"


def test_a_waived_place_outside_the_scope_is_not_waived_in_another_scope() -> None:
    story = accepted_with_a_waiver(outside=True)

    revised(story, scope={"allow": ["lib/**"]})

    assert story.told(1).waivers == ()


def test_a_waiver_stays_with_its_step_when_all_steps_are_written_anew_in_another_order() -> None:
    story = accepted_with_a_waiver()
    story.note(*moves.reopen(story.task, reason="again"), *moves.revise(replaced(story), reason="again"))
    steps: list[Json] = [
        {"title": each.title, "goal": each.goal, "criteria": [{"text": "It does 1.", "check": "make check-1"}]}
        for each in reversed(story.task.task.steps)
    ]

    edited = documents.changed_task(story.task.task, {"steps": steps}, known=KNOWN, free=3, what="the change")
    story.note(*moves.edit(story.task, edited, what="steps"))

    assert [each.title for each in story.task.task.steps] == ["Step 2", "Step 1"]
    assert (story.told(1).waivers, story.told(2).waivers) == ((), ())


def test_a_finding_on_what_a_step_was_cannot_be_waived_for_what_it_is() -> None:
    story = accepted_with_a_waiver()
    revised(story, **CHANGED[0])

    with pytest.raises(RefusedError, match=r"F1 is not in the last verdict of T1\.1: it is closed"):
        moves.waive(story.task, FindingId("F1"), by="human:ann", reason="Again.")


def test_a_changed_criterion_of_the_task_itself_is_not_waived_any_more_and_has_no_verdict() -> None:
    story = at_acceptance()
    story.decide("waive", reason="Known.")
    story.publish()
    assert (story.task.task.status, len(story.task.steps[""].waivers)) == (TaskStatus.ACCEPTED, 1)
    story.note(*moves.reopen(story.task, reason="again"), *moves.revise(replaced(story), reason="again"))

    changes: dict[str, Json] = {"acceptance": [{"text": "The whole does it.", "check": "make another"}]}
    edited = documents.changed_task(story.task.task, changes, known=KNOWN, free=3, what="the change")
    story.note(*moves.edit(story.task, edited, what="acceptance"))

    shown: Any = shapes.task(story.task)
    assert (shown["waived"], shown["verdict"], len(shown["verdicts"])) == ([], None, 2)


def at_two_findings() -> Story:
    """A gate `rework` on two red checks."""
    story = deliver(step(1, checked(1), checked(2)), policy=NO_ROUNDS)
    story.build()
    story.red()
    story.red()
    assert story.gate().message == "1 round used up. checks_fail: F1 AC-1, F2 AC-2"
    return story


@pytest.mark.parametrize("by", ["waive", "decide"])
def test_a_gate_stays_open_until_no_finding_of_it_is_left(by: str) -> None:
    story = at_two_findings()
    gate, attempts = story.gate(), len(story.run.attempts)

    for name in ("F1", "F2"):
        assert (story.gate(), left_open(story.task, ONE)[-1]) == (gate, "F2")
        if by == "waive":
            story.tell(cmd.Waive(run=story.id, finding=FindingId(name), reason="Known."))
        else:
            story.decide("waive", findings=[name], reason="Known.")
        assert len(story.facts(ev.VerdictGiven)) == (1 if name == "F1" else 2)

    story.commit()
    assert (story.status(1), len(story.run.attempts)) == (StepStatus.ACCEPTED, attempts + 2)
    assert left_open(story.task, ONE) == ()


def test_a_decision_may_name_several_findings_and_without_names_takes_what_is_left() -> None:
    several, rest = at_two_findings(), at_two_findings()
    several.decide("waive", findings=["F1", "F2"], reason="Known.")
    rest.tell(cmd.Waive(run=rest.id, finding=FindingId("F1"), reason="Known."))
    rest.decide("waive", reason="That, too.")

    for story in (several, rest):
        story.commit()
        assert (story.status(1), [each.finding for each in story.told().waivers]) == ("accepted", ["F1", "F2"])


def test_a_finding_waived_at_an_open_gate_is_not_waived_twice() -> None:
    story = at_two_findings()
    story.decide("waive", findings=["F1"], reason="Known.")

    with pytest.raises(RefusedError, match="F1 is waived already"):
        story.decide("waive", findings=["F1"], reason="Known.")
