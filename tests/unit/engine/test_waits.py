"""`wait`, and gates with a time: their clocks are times in the record, kept by restarts, pauses and set clocks."""

from datetime import timedelta
from typing import Any

import pytest

from punchlist.engine.retry import stamp
from punchlist.engine.wanted import Watched, wanted
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath
from punchlist.model.jobs import FailureClass
from punchlist.model.states import GateStatus, NodeStatus
from tests.runs import RUN, START, Story, flow_of

MINUTE = timedelta(minutes=1)


def begun(nodes: str, **inputs: Any) -> Story:
    text = f"inputs: {{t: {{type: string, default: 10m}}}}\nnodes: {{a: {{{nodes}}}, b: {{set: {{x: 1}}}}}}"
    return Story(flow_of(text)).start(**{"t": "10m", **inputs})


def status(story: Story, node: str = "a") -> NodeStatus:
    return story.node(node).status


def found(story: Story, *files: str, node: str = "a") -> None:
    story.tell(cmd.FilesFound(run=RUN, node=NodePath(node), files=files), actor="engine")


def test_a_wait_goes_on_when_its_time_has_come_and_not_before() -> None:
    story = begun("wait: {for: '${{ inputs.t }}'}, timeout: 1h")
    due = stamp(story.now + 10 * MINUTE)
    assert (story.rings_at(), story.run.status, dict(story.run.live)) == (due, NodeStatus.RUNNING, {})
    story.wait(9 * MINUTE)
    assert (status(story), story.rings_at()) == (NodeStatus.RUNNING, due)
    story.wait(MINUTE)

    assert (status(story), story.run.status, story.rings_at()) == (NodeStatus.SUCCEEDED, NodeStatus.SUCCEEDED, None)
    assert story.node("a").output == {"at": stamp(story.now)}


def test_what_is_left_of_a_wait_is_what_the_record_says_after_a_restart_and_in_a_pause() -> None:
    story = begun("wait: {for: 10m}, timeout: 1h")
    story.tell(cmd.Pause(run=RUN))
    story.wait(8 * MINUTE)
    again = wanted(story.refolded(), [])
    assert again.wake_at == story.rings_at() == story.run.timers[NodePath("a")].at
    story.wait(2 * MINUTE)

    assert status(story) is NodeStatus.SUCCEEDED


def test_a_clock_that_is_set_back_makes_a_wait_begin_anew_and_a_moment_stays() -> None:
    story = begun("wait: {for: 10m}, timeout: 1h")
    story.wait(timedelta(hours=-5))
    assert story.rings_at() == stamp(story.now + 10 * MINUTE)
    story = begun("wait: {until: '2026-11-21T09:00:00Z'}, timeout: 3h")
    story.wait(timedelta(hours=-5))

    assert story.rings_at() == "2026-11-21T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("until", "timeout", "after", "ends"),
    [
        ("2026-11-21T08:30:00Z", "1h", 30, NodeStatus.SUCCEEDED),
        ("2026-11-21T10:30:00+02:00", "1h", 30, NodeStatus.SUCCEEDED),
        ("2026-11-21T07:00:00Z", "1h", 0, NodeStatus.SUCCEEDED),
        ("2026-11-21T10:00:00Z", "1h", 61, NodeStatus.FAILED),
    ],
)
def test_a_moment_is_waited_for_and_no_longer_than_the_timeout(
    until: str, timeout: str, after: int, ends: NodeStatus
) -> None:
    story = begun(f"wait: {{until: '{until}'}}, timeout: {timeout}")
    story.wait(START + after * MINUTE - story.now)

    assert status(story) is ends
    assert (
        ends is NodeStatus.SUCCEEDED or story.node("a").error == f"waited for {timeout} in vain: it is not {until} yet"
    )


def test_a_wait_that_is_longer_than_its_timeout_fails_then() -> None:
    story = begun("wait: {for: '${{ inputs.t }}'}, timeout: 5m, on_failure: continue")
    story.wait(5 * MINUTE)

    assert (story.node("a").error, story.run.status) == ("waited for 5m in vain: its time is 10m", NodeStatus.SUCCEEDED)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("wait: {for: '${{ inputs.t }}'}, timeout: 1h", "wait.for is 'soon'; allowed: 30s, 5m, 2h"),
        ("wait: {for: 1m}, timeout: '${{ inputs.t }}'", "timeout is 'soon'; allowed: 30s, 5m, 2h"),
        ("wait: {until: '${{ inputs.t }}'}, timeout: 1h", "wait.until is 'soon'; allowed: 2026-"),
        ("wait: {command: x, every: '${{ inputs.t }}'}, timeout: 1h", "wait.every is 'soon'; allowed"),
        ("wait: {file: x, min: '${{ size([]) }}'}, timeout: 1h", "wait.min must be a whole number from 1, but is 0"),
        ("gate: {message: x, timeout: '${{ inputs.t }}'}", "the gate's timeout is 'soon'"),
    ],
)
def test_a_wait_by_what_is_no_time_fails_before_it_waits(nodes: str, said: str) -> None:
    story = begun(nodes, t="soon")

    assert said in story.node("a").error
    assert (story.run.status, dict(story.run.timers), dict(story.run.open_gates)) == (NodeStatus.FAILED, {}, {})


def test_files_end_a_wait_when_enough_of_them_are_there() -> None:
    story = begun("wait: {file: 'out/*.json', min: 2}, timeout: 1h")
    assert story.wanted.watch == (Watched(NodePath("a"), "out/*.json", 2),)
    found(story, "out/a.json")
    assert status(story) is NodeStatus.RUNNING
    found(story, "out/a.json", "out/b.json")
    assert story.node("a").output == {"files": ["out/a.json", "out/b.json"]}
    found(story, "out/a.json", "out/b.json")

    assert story.run.status is NodeStatus.SUCCEEDED
    assert len(story.wanted.watch) == 0


@pytest.mark.parametrize(("least", "said"), [(1, "no file fits x"), (3, "fewer than 3 files fit x")])
def test_files_that_do_not_come_fail_it(least: int, said: str) -> None:
    story = begun(f"wait: {{file: x, min: {least}}}, timeout: 1h")
    story.wait(timedelta(hours=1))

    assert story.node("a").error == f"waited for 1h in vain: {said}"
    assert story.wanted.watch == ()


def test_a_command_is_tried_every_so_often_until_it_ends_with_0() -> None:
    story = begun("wait: {command: 'test -e ${{ inputs.t }}', every: 2m}, timeout: 1h")
    assert story.job(story.attempt_at("a").id).argv[:2] == ("sh", "-c")
    story.fail(story.attempt_at("a"), exit_code=1)
    assert story.rings_at() == stamp(story.now + 2 * MINUTE)
    story.wait(2 * MINUTE)
    story.fail(story.attempt_at("a"), FailureClass.LOST)
    story.wait(2 * MINUTE)
    story.over(story.attempt_at("a").id, result={"exit_code": 0, "stdout": "there\n"})

    assert (status(story), story.node("a").output) == (NodeStatus.SUCCEEDED, {"exit_code": 0, "stdout": "there\n"})


def test_a_command_under_way_is_stopped_when_the_time_is_over() -> None:
    story = begun("wait: {command: [make, '${{ inputs.t }}'], every: 1s}, timeout: 1h")
    assert story.job(story.attempt_at("a").id).argv == ("make", "10m")
    story.fail(story.attempt_at("a"), exit_code=7, reason="exit 7")
    story.wait(timedelta(seconds=1))
    live = story.attempt_at("a").id
    story.wait(timedelta(hours=1))

    assert (story.wanted.kill, story.run.attempts[live].status.value) == ((live,), "cancelled")
    assert story.node("a").error == "waited for 1h in vain: the command did not end with 0 (exit 7)"


def test_a_command_that_cannot_be_started_is_not_tried_again() -> None:
    story = begun("wait: {command: x}, timeout: 1h")
    story.fail(story.attempt_at("a"), FailureClass.DEFINITION, reason="no such program")

    assert story.node("a").error == "attempt A1: no such program"


def test_a_cancelled_wait_and_one_that_begins_again_forget_their_time() -> None:
    story = begun("wait: {for: 10m}, timeout: 1h")
    story.tell(cmd.Cancel(run=RUN, node=NodePath("a")))
    assert not story.run.timers
    story.tell(cmd.Retry(run=RUN))
    story.wait(MINUTE)
    story.tell(cmd.Resume(run=RUN, start_from=NodePath("a"), agreed=True))

    assert story.rings_at() == stamp(story.now + 10 * MINUTE)


def test_a_run_waits_for_a_person_only_while_nothing_else_is_waited_for() -> None:
    text = "nodes: {a: {gate: {message: Go?, timeout: 1h}}, b: {wait: {for: 1m}, timeout: 1h, needs: []}}"
    story = Story(flow_of(text)).start()
    before = story.run.status
    story.wait(MINUTE)

    assert (before, story.run.status) == (NodeStatus.RUNNING, NodeStatus.WAITING)


def test_nobody_decides_in_time_and_what_was_said_for_that_is_chosen() -> None:
    story = begun("gate: {message: Go?, choices: [yes, no], timeout: 1h, on_timeout: no}")
    gate = story.gate().id
    story.wait(timedelta(hours=1))

    assert (story.run.gates[gate].status, story.run.gates[gate].choice) == (GateStatus.EXPIRED, "no")
    assert story.node("a").output == {"choice": "no", "data": {}, "by": "timeout"}
    with pytest.raises(RefusedError, match="is expired already"):
        story.decide("yes", gate=gate)


def test_nobody_decides_in_time_and_the_node_fails_by_default() -> None:
    story = begun("gate: {message: Go?, timeout: '${{ inputs.t }}'}")
    story.wait(10 * MINUTE)

    assert (status(story), story.node("a").error) == (NodeStatus.FAILED, "nobody decided within 10m")


def test_a_decision_in_time_stops_the_clock() -> None:
    story = begun("gate: {message: Go?, timeout: 1h}")
    story.decide("approve", note="yes")

    assert (story.node("a").output, story.rings_at()) == (
        {"choice": "approve", "data": {"note": "yes"}, "by": "human:ann"},
        None,
    )


def test_only_those_who_are_asked_may_decide() -> None:
    story = begun("gate: {message: Go?, approvers: [bob, human:eve]}")
    assert story.gate().approvers == ("human:bob", "human:eve")

    with pytest.raises(RefusedError, match="is for human:bob, human:eve to decide, and you are human:ann"):
        story.decide("approve")
    story.tell(cmd.Decide(run=RUN, gate=story.gate().id, choice="approve"), actor="human:bob")
    assert story.node("a").output["by"] == "human:bob"  # type: ignore[call-overload,index]


def test_a_form_is_filled_in_by_what_fits_it_with_its_defaults() -> None:
    form = "form: {version: string, risk: {enum: [low, high], default: low}}"
    story = begun(f"gate: {{message: Go?, {form}}}")

    wrong: list[dict[str, Any]] = [{}, {"version": 3}, {"version": "1", "risk": "none"}, {"version": "1", "more": 1}]
    for data in wrong:
        with pytest.raises(DefinitionError, match="the decision approve has"):
            story.decide("approve", **data)
    story.decide("approve", version="1.2", note="ready")
    assert story.node("a").output["data"] == {"version": "1.2", "risk": "low"}  # type: ignore[call-overload,index]


def test_a_form_may_be_a_schema() -> None:
    form = (
        "form: {schema: {type: object, required: [n], properties: {n: {type: integer}}, additionalProperties: false}}"
    )
    story = begun(f"gate: {{message: Go?, {form}}}")
    with pytest.raises(DefinitionError, match="n"):
        story.decide("approve", n="x")
    story.decide("approve", n=3, note="ready")

    assert story.node("a").output["data"] == {"n": 3}  # type: ignore[call-overload,index]
    assert [each.form for each in story.facts(ev.GateOpened)] == [story.flow.nodes[0].form]  # type: ignore[union-attr]


def test_a_wait_beyond_the_end_of_time_ends_with_it() -> None:
    story = begun("wait: {for: 999999999d}, timeout: 999999999d")

    assert story.rings_at() == "9999-12-31T23:59:59.999999Z"
