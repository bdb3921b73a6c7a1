"""What a builder's tools leave, and how the engine takes it: exactly as what is left by file."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.jobs import FailureClass, Limits, Role
from punchlist.ports import Exit
from punchlist.workers.answers import outcome_of
from punchlist.workers.files import AttemptFiles
from punchlist.workers.limits import Watch
from tests.tooled import STEP_PACK, Tooled

WHOLE: dict[str, Any] = {
    "outcome": "done",
    "summary": "It greets, politely.",
    "criteria": [{"id": "AC-1", "met": True, "evidence": "greet.py:1"}, {"id": "AC-2", "met": False}],
    "commands": [{"command": "make test", "exit_code": 0}],
    "notes": "None.",
}


@pytest.fixture
def tooled(tmp_path: Path) -> Tooled:
    return Tooled(tmp_path, Role.BUILDER)


def problems(tooled: Tooled, tool: str, **arguments: Any) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionError) as raised:
        tooled.call(tool, **arguments)
    return [(each.where, each.message) for each in raised.value.problems]


def test_a_builder_has_these_tools_and_no_others(tooled: Tooled) -> None:
    assert [*tooled.tools] == ["get_step_pack", "record_builder_result", "report_progress", "ask"]


def test_the_pack_is_given_as_it_is(tooled: Tooled) -> None:
    assert tooled.call("get_step_pack") == {"pack": STEP_PACK}


def test_a_result_by_tool_is_taken_exactly_as_one_by_file(tooled: Tooled) -> None:
    tooled.call("record_builder_result", **WHOLE)

    by_file = msgspec.json.encode({"schema": "punchlist/result/1", **WHOLE})
    assert tooled.outcome() == outcome_of(tooled.name, Role.BUILDER, ended=Exit(code=0, result=by_file))


def test_a_question_ends_the_attempt_blocked_on_it(tooled: Tooled) -> None:
    tooled.call("ask", question="Which language?")

    outcome = tooled.outcome()
    assert (outcome.failure, outcome.reason) == (FailureClass.BLOCKED, "Which language?")


def test_a_result_that_is_blocked_with_a_question_is_the_same_as_asking(tooled: Tooled, tmp_path: Path) -> None:
    asked = Tooled(tmp_path / "other", Role.BUILDER)

    tooled.call("record_builder_result", outcome="blocked", question="Which language?")
    asked.call("ask", question="Which language?")

    assert tooled.outcome() == asked.outcome()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"outcome": "blocked"}, [("question", "it is missing, and the outcome is blocked")]),
        ({"outcome": "failed", "summary": " "}, [("summary", "it is missing, and the outcome is failed")]),
        (
            {"outcome": "done", "criteria": [{"id": "AC-7", "met": True}, {"id": "AC-1", "met": True}] * 2},
            [
                ("criteria[0].id", "AC-7 is no criterion of this step"),
                ("criteria[2].id", "AC-7 is no criterion of this step"),
                ("criteria[3].id", "AC-1 is claimed twice"),
            ],
        ),
        ({"outcome": "accepted", "criteria": [{"id": "1", "met": "yes"}], "schema": "punchlist/result/1"}, None),
    ],
)
def test_every_problem_of_a_result_is_named_with_its_path(
    tooled: Tooled, arguments: dict[str, Any], found: list[tuple[str, str]] | None
) -> None:
    seen = problems(tooled, "record_builder_result", **arguments)

    if found is None:
        assert {where for where, _ in seen} >= {"outcome", "criteria[0].id", "criteria[0].met"}
        assert any("schema" in where or "schema" in said for where, said in seen)
    else:
        assert seen == found
    assert not (tooled.io / "result.json").exists()


def test_a_number_that_the_record_cannot_hold_is_refused(tooled: Tooled) -> None:
    commands = [{"command": "make", "exit_code": 2**53}]

    found = problems(tooled, "record_builder_result", outcome="done", commands=commands)

    assert [where for where, _ in found] == ["commands[0].exit_code"]


def test_an_empty_question_is_none(tooled: Tooled) -> None:
    assert problems(tooled, "ask", question=" \n") == [("question", "it is blank")]


def test_a_result_may_be_mended_and_handed_in_again(tooled: Tooled) -> None:
    problems(tooled, "record_builder_result", outcome="blocked")

    tooled.call("record_builder_result", **WHOLE)

    assert tooled.outcome().status == "succeeded"


def test_progress_counts_as_life(tooled: Tooled, tmp_path: Path) -> None:
    files = AttemptFiles(tmp_path, tooled.name)
    watch = Watch(Limits(timeout=1000, silence=10), now=0)
    assert watch.look(9, output=0, growth=files.growth()[1]) is None

    tooled.call("report_progress", text="Reading.")

    assert watch.look(18, output=0, growth=files.growth()[1]) is None
    assert watch.look(28, output=0, growth=files.growth()[1]) == "silence"
    assert (tooled.io / "progress.jsonl").read_bytes() == b'{"text":"Reading."}\n'


def test_progress_is_bounded(tooled: Tooled) -> None:
    (tooled.io / "progress.jsonl").write_bytes(b"x" * (1 << 20))

    with pytest.raises(RefusedError, match="all the progress that is kept"):
        tooled.call("report_progress", text="More.")


def test_a_pack_of_a_flows_own_making_has_no_criteria_to_claim(tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER, pack={"what": "anything"})

    assert problems(tooled, "record_builder_result", **WHOLE)[0][0] == "criteria[0].id"
    assert tooled.call("record_builder_result", outcome="done")["outcome"] == "done"
