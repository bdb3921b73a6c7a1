"""The JSON shapes of the command line and the typed tools: the keys that others rely on."""

import msgspec
import pytest

from punchlist.model.events import Head, OutcomeIgnored, ReworkAsked, seal
from punchlist.model.ids import AttemptId, StepId
from punchlist.model.jobs import Outcome
from punchlist.model.json import plain
from punchlist.model.rows import TaskSummary
from punchlist.model.states import AttemptStatus, TaskStatus
from punchlist.render import shapes
from punchlist.render.report import report, report_run
from punchlist.render.told import LONGEST, told
from tests.golden.render.story import ATTEMPTS, DECIDED, EVENTS, GATE, NODES, PROJECT, RUN, STATE

replace = msgspec.structs.replace


def test_a_step_has_what_the_design_names() -> None:
    shape = shapes.step(STATE, StepId("T12.1"), attempts=ATTEMPTS)

    (first, *_) = msgspec.convert(shape["attempts"], list[dict[str, object]])
    (failed, *_) = msgspec.convert(shape["verdicts"], list[dict[str, object]])
    assert set(first) >= {"id", "r", "s", "role", "worker", "status", "failure_class", "commit", "usage", "session"}
    assert set(failed) >= {"result", "commit", "tree", "r", "s", "criteria", "findings"}
    (judged, *_) = msgspec.convert(failed["criteria"], list[dict[str, object]])
    (found, *_) = msgspec.convert(failed["findings"], list[dict[str, object]])
    assert set(judged) >= {"id", "verdict", "by", "evidence", "finding", "flaky"}
    assert set(found) >= {"id", "kind", "state", "text", "criterion"}
    assert first["usage"] == {
        "input_tokens": 12_300,
        "output_tokens": 2_100,
        "cached_tokens": None,
        "microdollars": 420_000,
    }


def test_an_unknown_step_is_an_error() -> None:
    with pytest.raises(KeyError):
        shapes.step(STATE, StepId("T12.9"), attempts=[])


def test_a_task_shows_what_was_waived_and_what_each_check_shows() -> None:
    shape = shapes.task(replace(STATE, task=replace(STATE.task, status=TaskStatus.ACCEPTED)))

    assert shape["standing"] == "accepted, 1 waived by Ann: the setup is wrong, too"
    assert isinstance(shape["proof"], dict)
    assert msgspec.convert(shape["proof"]["rows"], list[dict[str, object]])[2] == {
        "step": "T12.2",
        "id": "AC-1",
        "shows": "cannot_run",
        "command": "make unicode",
        "attempt": None,
        "exit_code": 127,
        "tail": "",
        "problem": "cannot run here: the command was not found (exit 127)",
        "holds": False,
        "held_by": (),
    }


def test_a_task_that_was_never_proved_has_no_proof() -> None:
    shape = shapes.task(replace(STATE, proof=None))

    assert shape["proof"] is None
    assert shape["verdict"] is None


def test_the_last_verdict_on_the_task_itself_is_its_verdict() -> None:
    own = STATE.steps["T12.2"]

    shape = shapes.task(replace(STATE, steps=STATE.steps.set("", own)))

    assert isinstance(shape["verdict"], dict)
    assert shape["verdict"]["result"] == "fail"


def test_the_choices_of_a_flows_gate_are_its_authors() -> None:
    shape = shapes.gate(DECIDED)

    assert shape["about"] == "R7"
    assert shape["choices"] == [
        {"name": "yes", "effect": "the choice is the node's output", "needs": [], "type": "yes", "takes": []},
        {"name": "no", "effect": "the choice is the node's output", "needs": [], "type": "no", "takes": []},
    ]


def test_a_gate_of_a_kind_from_elsewhere_is_shown_all_the_same() -> None:
    assert shapes.gate(replace(GATE, gate=replace(GATE.gate, kind="newer")))["kind"] == "newer"


def test_a_summary_and_a_project_are_their_fields() -> None:
    line = msgspec.convert(
        {
            "id": "T1",
            "project": "p",
            "title": "T",
            "status": "draft",
            "paused": False,
            "steps_accepted": 0,
            "steps_total": 1,
            "steps_skipped": 0,
            "waits_for": "",
            "changed_at": "",
        },
        TaskSummary,
    )

    assert shapes.task_summaries([line]) == [plain(line)]
    assert shapes.project(PROJECT) == plain(PROJECT)


def test_a_run_without_outputs_has_none() -> None:
    assert shapes.run(replace(RUN, outputs=None), [])["outputs"] == {}


def test_an_event_without_words_of_its_own_is_told_by_its_fields() -> None:
    fact = OutcomeIgnored(outcome=Outcome(attempt=AttemptId("A1"), status=AttemptStatus.LOST))

    assert told(fact) == "Outcome ignored"
    sealed = seal(Head(EVENTS[0].stream), fact, at="2026-11-21T10:00:00Z", actor="engine")
    assert shapes.event(sealed)["n"] == 1


def test_a_long_sentence_is_cut() -> None:
    fact = ReworkAsked(step=StepId("T1.1"), message="x" * 1_000)

    assert len(told(fact)) == LONGEST + 1


def test_a_report_as_json_tells_it_all() -> None:
    text = report(PROJECT, STATE, attempts=ATTEMPTS, events=EVENTS, gates=[GATE], form="json")

    shape = msgspec.json.decode(text)["task"]
    assert [step["id"] for step in shape["steps"]] == ["T12.1", "T12.2"]
    assert len(shape["steps"][0]["verdicts"]) == 2
    assert len(shape["events"]) == len(EVENTS)
    assert (shape["gates"][0]["id"], shape["cost"]["unknown"], len(shape["attempts"])) == ("G4", 2, len(ATTEMPTS))


def test_a_runs_report_as_json_and_html() -> None:
    shape = msgspec.json.decode(report_run(RUN, NODES, attempts=[], form="json"))["run"]
    page = report_run(replace(RUN, outputs=None, paused=False), NODES, attempts=[], form="html")

    assert [node["path"] for node in shape["nodes"]] == ["", "tests"]
    assert "<h1>R9 design-plan</h1>" in page
    assert "Outputs" not in page


def test_a_report_on_nearly_nothing_leaves_out_what_is_not_there() -> None:
    empty = replace(STATE, task=replace(STATE.task, spec="", acceptance=(), steps=()), proof=None)

    text = report(PROJECT, empty, attempts=[], events=[])

    assert "## " not in text
