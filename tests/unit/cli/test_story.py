"""Events are told as a person follows them."""

from punchlist.cli.story import Story
from punchlist.model.json import Json


def told(story: Story, kind: str, **data: Json) -> list[str]:
    stream = "task" if kind in {"StepMoved", "StepIntegrated", "VerdictGiven", "TaskMoved"} else "run"
    return list(story.lines({"stream": stream, "kind": kind, "data": data}))


def delivering() -> Story:
    story = Story({"R2": "T1"})
    assert told(story, "RunCreated", run="R2", task="T1") == []
    return story


def test_a_try_that_fails_its_checks_is_told_with_its_findings() -> None:
    story = delivering()
    told(story, "AttemptQueued", attempt="A3", node="n", role="builder", worker="ada", step="T1.1", r=0, s=0)
    told(story, "AttemptQueued", attempt="A4", node="n", role="check", subject="AC-2", step="T1.1")
    findings: list[Json] = [{"id": "F1", "criterion": "AC-2", "text": "exit 1: KeyError"}]

    lines = [
        *told(story, "AttemptStarted", attempt="A3"),
        *told(story, "AttemptEnded", outcome={"attempt": "A3", "status": "succeeded"}),
        *told(story, "AttemptStarted", attempt="A4"),
        *told(
            story,
            "AttemptEnded",
            outcome={"attempt": "A4", "exit_code": 1, "tail": "Traceback\nKeyError: 'de'\n"},
        ),
        *told(story, "VerdictGiven", step="T1.1", r=0, s=0, verdict={"result": "fail", "findings": findings}),
        *told(story, "StepMoved", step="T1.1", status="rework"),
    ]

    assert lines == [
        "T1.1   building by ada, try 0.0 (A3)",
        "T1.1     AC-2: fail, exit 1: KeyError: 'de'",
        "T1.1   verdict on 0.0: fail",
        "T1.1     F1 AC-2: exit 1: KeyError",
        "T1.1   rework",
    ]


def test_a_set_up_is_told_when_there_was_something_to_set_up() -> None:
    story = delivering()
    told(story, "AttemptQueued", attempt="A3", node="n", role="setup", subject="setup", step="T1.1")

    begun = told(story, "AttemptStarted", attempt="A3")
    without = told(story, "AttemptEnded", outcome={"attempt": "A3", "status": "succeeded", "exit_code": None})
    done = told(story, "AttemptEnded", outcome={"attempt": "A3", "status": "succeeded", "exit_code": 0})
    red = told(story, "AttemptEnded", outcome={"attempt": "A3", "status": "failed", "exit_code": 1, "reason": "exit 1"})

    assert (begun, without) == ([], [])
    assert done == ["T1.1   set up (A3)"]
    assert red == ["T1.1   setup failed: exit 1"]


def test_an_accepted_step_is_told_with_its_commit() -> None:
    story = delivering()
    told(story, "StepIntegrated", step="T1.1", commit="0123456789abcdef")

    assert told(story, "StepMoved", step="T1.1", status="accepted") == ["T1.1   accepted as commit 0123456789ab"]


def test_a_gate_is_told_with_the_command_to_type() -> None:
    assert told(
        delivering(), "GateOpened", gate="G4", step="T1.2", message="3 rounds are used up", choices=["more", "skip"]
    ) == [
        "T1.2   waiting for a decision, G4: 3 rounds are used up",
        "         punchlist decide G4 more|skip",
    ]


def test_what_nobody_follows_is_not_told() -> None:
    assert told(delivering(), "HeadsMoved", heads={}) == []
    assert told(delivering(), "StepMoved", step="T1.1", status="checking") == []


def test_nodes_are_told_of_a_flow_of_ones_own_only() -> None:
    assert told(Story({"R3": ""}), "NodeEnded", node="lint", status="succeeded") == ["       lint succeeded"]
    assert told(delivering(), "NodeEnded", node="steps", status="succeeded") == []


def test_each_line_of_a_task_says_how_many_of_its_steps_are_skipped() -> None:
    story = Story({"R2": "T1"}, skipped={"T1.1", "T12.1"})
    told(story, "RunCreated", run="R2", task="T1")

    begun = told(story, "TaskMoved", status="running", run="R2")
    told(story, "StepMoved", step="T1.2", status="skipped", reason="not needed")
    waits = told(story, "TaskMoved", status="waiting", run="R2", reason="rework G1")
    told(story, "StepMoved", step="T1.1", status="pending")
    done = told(story, "TaskMoved", status="accepted", run="R2")

    assert begun == ["T1     running, 1 skipped"]
    assert waits == ["T1     waiting, 2 skipped: rework G1"]
    assert done == ["T1     accepted, 1 skipped"]
