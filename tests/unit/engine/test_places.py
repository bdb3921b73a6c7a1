"""Places of a `for_each`: what rests until a person decides takes none, and takes one again before it goes on."""

from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import GateId, NodePath
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.policy import Policy
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus, TaskStatus
from tests.runs import Story, deliver, flow_of, step

ASKS = '{ask: {gate: "Go on?"}, work: {run: x}}'


GRAPH = 'needs_from: "${{ [] }}"'


def begun(items: str, *, most: int, nodes: str = ASKS, needs: str = "") -> Story:
    text = f"""
nodes:
  each:
    for_each: {items}
    as: item
    max_parallel: {most}
    {needs}
    nodes: {nodes}
"""
    return Story(flow_of(text)).start(policy=Policy(max_parallel=10))


def done(story: Story, *, node: str) -> None:
    (attempt,) = [each for each in story.run.live if story.run.live[each] == node]
    story.over(attempt, result={"exit_code": 0, "stdout": ""}, exit_code=0)


def at_work(story: Story) -> list[str]:
    return sorted(story.run.live.values())


def approve(story: Story, *, node: str) -> None:
    (gate,) = [each for each, path in story.run.open_gates.items() if path == node]
    story.decide("approve", gate=GateId(gate))


def test_items_that_wait_for_a_person_leave_their_places_to_the_next_ones() -> None:
    story = begun("[a, b, c, d]", most=2)

    assert sorted(story.run.open_gates.values()) == [f"each[{number}].ask" for number in range(4)]
    assert (story.node("each").running, story.node("each").resting) == (0, 4)
    assert story.run.status is NodeStatus.WAITING


def test_an_item_that_may_go_on_while_all_places_are_taken_waits_for_its_turn() -> None:
    story = with_one_held()
    assert at_work(story) == ["each[0].work", "each[1].work"]

    done(story, node="each[1].work")

    assert at_work(story) == ["each[0].work", "each[2].work"]
    assert not story.run.held
    assert story.facts(ev.PlaceTaken) == [ev.PlaceTaken(node=story.node("each[2]").path)]
    done(story, node="each[0].work")
    done(story, node="each[2].work")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_an_item_goes_on_as_long_as_a_part_of_it_does() -> None:
    story = begun("[a, b]", most=1, nodes='{ask: {gate: "?"}, beside: {run: x, needs: []}}', needs=GRAPH)
    assert at_work(story) == ["each[0].beside"]
    assert story.node("each[1]").status is NodeStatus.PENDING

    done(story, node="each[0].beside")

    assert at_work(story) == ["each[1].beside"]


def test_an_item_that_waits_for_its_turn_gives_it_back_when_it_asks_again() -> None:
    story = begun("[a, b]", most=1, nodes='{one: {gate: "?"}, two: {gate: "?"}, work: {run: x}}', needs=GRAPH)
    approve(story, node="each[0].one")
    approve(story, node="each[0].two")

    approve(story, node="each[1].one")

    assert at_work(story) == ["each[0].work"]
    assert [*story.run.open_gates.values()] == ["each[1].two"]
    assert not story.run.held


def test_a_list_one_at_a_time_begins_an_item_when_the_one_before_is_over_decided_or_not() -> None:
    story = begun("[a, b]", most=1)

    assert [*story.run.open_gates.values()] == ["each[0].ask"]
    approve(story, node="each[0].ask")
    assert at_work(story) == ["each[0].work"]
    done(story, node="each[0].work")
    assert [*story.run.open_gates.values()] == ["each[1].ask"]


def test_what_waits_for_its_turn_is_over_with_its_run() -> None:
    story = with_one_held()

    story.tell(cmd.Cancel(run=story.id, reason="enough"))

    assert story.run.status is NodeStatus.CANCELLED
    assert not story.run.held
    assert {each.status for each in story.run.attempts.values()} == {AttemptStatus.CANCELLED}


def test_an_item_that_begins_again_waits_for_no_turn_of_what_it_was() -> None:
    story = with_one_held()

    story.tell(cmd.Resume(run=story.id, start_from=NodePath("each[2].ask"), agreed=True))

    assert not story.run.held
    assert [*story.run.open_gates.values()] == ["each[2].ask"]
    assert at_work(story) == ["each[0].work", "each[1].work"]


def test_a_loop_within_an_item_waits_for_the_item_s_turn() -> None:
    inner = '{for_each: [x, y], as: one, max_parallel: 2, nodes: {ask: {gate: "?"}, work: {run: x}}}'
    story = begun("[a, b, c]", most=2, nodes=f"{{inner: {inner}}}")
    for number in range(3):
        approve(story, node=f"each[{number}].inner[0].ask")

    assert at_work(story) == ["each[0].inner[0].work", "each[1].inner[0].work"]
    done(story, node="each[0].inner[0].work")

    assert at_work(story) == ["each[1].inner[0].work", "each[2].inner[0].work"]


def test_steps_that_need_nothing_go_on_while_as_many_as_may_be_at_work_wait_for_answers() -> None:
    steps = [step(number, needs=()) for number in (1, 2, 3)]
    story = deliver(*steps, policy=Policy(review="uncovered", max_parallel=2))
    for number in (1, 2):
        story.check()
        asked = story.attempt(Role.BUILDER, step=number)
        story.over(asked.id, status=AttemptStatus.FAILED, failure=FailureClass.BLOCKED, reason="Which one?")
    story.check()

    assert [story.status(number) for number in (1, 2, 3)] == [
        StepStatus.WAITING,
        StepStatus.WAITING,
        StepStatus.BUILDING,
    ]
    assert story.task.task.status is TaskStatus.RUNNING


def with_one_held() -> Story:
    story = begun("[a, b, c]", most=2)
    for number in range(3):
        approve(story, node=f"each[{number}].ask")
    assert [*story.run.held] == ["each[2]"]
    return story
