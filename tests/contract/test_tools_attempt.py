"""An attempt as its typed tools see it: who may answer, once, and until when."""

import multiprocessing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from punchlist.errors import DefinitionError, PunchlistError, RefusedError, StoreError
from punchlist.mcp.attempt import open_attempt
from punchlist.mcp.attempts import attempt_tools
from punchlist.model.jobs import Role
from punchlist.workers.files import AttemptFiles
from tests.tooled import Tooled

DONE = {"outcome": "done", "summary": "It greets."}
ANSWERS: dict[Role, tuple[str, dict[str, Any]]] = {
    Role.BUILDER: ("record_builder_result", DONE),
    Role.QA: (
        "record_qa_result",
        {
            "criteria": [
                {"id": "AC-1", "verdict": "pass", "evidence": ["AC-1"]},
                {"id": "AC-2", "verdict": "pass", "evidence": ["greet.py:1"]},
            ]
        },
    ),
}


@pytest.fixture(params=sorted(ANSWERS))
def tooled(request: pytest.FixtureRequest, tmp_path: Path) -> Tooled:
    return Tooled(tmp_path, request.param)


def answer(tooled: Tooled) -> dict[str, Any]:
    tool, arguments = ANSWERS[tooled.role]
    return tooled.call(tool, **arguments)


def refused(tooled: Tooled) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in (tooled.io / "refused.jsonl").read_bytes().splitlines()]


def test_an_answer_is_left_where_the_engine_reads_it(tooled: Tooled) -> None:
    said = answer(tooled)

    assert said["next"].startswith("End your turn")
    assert tooled.outcome().status == "succeeded"
    assert tooled.outcome().refused == ()


def test_a_second_answer_is_refused_and_recorded_and_the_first_one_stays(tooled: Tooled) -> None:
    answer(tooled)
    first = (tooled.io / "result.json").read_bytes()

    with pytest.raises(RefusedError, match="has its answer already"):
        answer(tooled)

    assert (tooled.io / "result.json").read_bytes() == first
    assert tooled.outcome().refused == (
        f"{ANSWERS[tooled.role][0]}: attempt A1 has its answer already; the first one counts",
    )


def test_an_answer_left_by_file_is_not_written_over(tooled: Tooled) -> None:
    (tooled.io / "result.json").write_bytes(b"{}")

    with pytest.raises(RefusedError, match="has its answer already"):
        answer(tooled)

    assert (tooled.io / "result.json").read_bytes() == b"{}"


def test_an_answer_after_the_end_is_refused_and_recorded(tooled: Tooled) -> None:
    tooled.end()

    with pytest.raises(RefusedError, match="attempt A1 is over"):
        answer(tooled)

    assert not (tooled.io / "result.json").exists()
    assert [each["tool"] for each in refused(tooled)] == [ANSWERS[tooled.role][0]]


def test_the_mark_of_the_end_is_the_one_that_the_engine_makes(tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)
    AttemptFiles(tmp_path, tooled.name).mark_ended()

    with pytest.raises(RefusedError, match="is over"):
        tooled.call("report_progress", text="still here")


def test_of_servers_that_answer_at_once_one_wins(tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)
    context = multiprocessing.get_context("spawn")

    with context.Pool(4) as pool:
        won = pool.map(_race, [(tooled.environment, number) for number in range(12)], chunksize=1)

    winners = [number for number, has_won in enumerate(won) if has_won]
    assert len(winners) == 1
    assert msgspec.json.decode((tooled.io / "result.json").read_bytes())["summary"] == f"try {winners[0]}"
    assert len(refused(tooled)) == 11


def _race(said: tuple[dict[str, str], int]) -> bool:
    environment, number = said
    tool = {each.name: each for each in attempt_tools(environment, "builder")[1]}["record_builder_result"]
    try:
        tool.call({"outcome": "done", "summary": f"try {number}"})
    except RefusedError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PUNCHLIST_ROLE", "qa", "saw role 'qa'"),
        ("PUNCHLIST_ATTEMPT", "A2", "saw attempt 'A2'"),
        ("PUNCHLIST_TOKEN", "a guess", "saw token 'another one'"),
        ("PUNCHLIST_TOKEN", "\udcff", "saw token 'another one'"),
    ],
)
def test_a_server_of_another_attempt_role_or_token_is_refused_and_recorded(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)

    with pytest.raises(RefusedError, match=said):
        open_attempt({**tooled.environment, name: value}, "builder")

    assert said in refused(tooled)[0]["message"]
    assert "a guess" not in (tooled.io / "refused.jsonl").read_text()


def test_tools_of_another_role_are_refused_and_recorded(tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)

    with pytest.raises(RefusedError, match="saw role 'qa'"):
        open_attempt({**tooled.environment, "PUNCHLIST_ROLE": "qa"}, "qa")

    assert refused(tooled)[0]["tool"] == "(start)"


@pytest.mark.parametrize("name", ["PUNCHLIST_ROLE", "PUNCHLIST_ATTEMPT", "PUNCHLIST_ATTEMPT_DIR", "PUNCHLIST_TOKEN"])
def test_tools_that_somebody_starts_by_hand_say_whose_they_are(tmp_path: Path, name: str) -> None:
    environment = Tooled(tmp_path, Role.QA).environment
    del environment[name]

    with pytest.raises(RefusedError, match=f"belong to an attempt, and {name} is not set"):
        open_attempt(environment, "qa")


@pytest.mark.parametrize("content", [None, b"{}", b"\xff", b'{"schema": "punchlist/access/1"}'])
def test_a_folder_that_no_launcher_made_is_refused(tmp_path: Path, content: bytes | None) -> None:
    tooled = Tooled(tmp_path, Role.QA)
    environment = tooled.environment
    (tooled.io / "access.json").unlink()
    if content is not None:
        (tooled.io / "access.json").write_bytes(content)

    with pytest.raises(RefusedError, match="folder"):
        open_attempt(environment, "qa")


def test_a_role_without_tools_is_refused(tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.QA)
    access = (tooled.io / "access.json").read_bytes().replace(b'"qa"', b'"node"')
    (tooled.io / "access.json").write_bytes(access)

    with pytest.raises(RefusedError, match="role node has no tools; allowed: builder, planner, qa"):
        open_attempt(tooled.environment, "node")


def test_a_pack_that_is_gone_is_said_so(tooled: Tooled) -> None:
    (tooled.io / "pack.json").unlink()

    with pytest.raises(RefusedError, match="the pack of attempt A1 is not there"):
        answer(tooled)


def test_a_folder_that_cannot_be_written_to_is_said_so(tooled: Tooled) -> None:
    (tooled.io / "lock").mkdir()

    with pytest.raises(StoreError, match="cannot be written to"):
        answer(tooled)


def test_what_cannot_be_written_as_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="half a surrogate pair"):
        Tooled(tmp_path, Role.BUILDER).call("record_builder_result", outcome="done", summary="\ud800")


def test_refusals_beyond_a_bound_are_not_kept(tooled: Tooled) -> None:
    (tooled.io / "refused.jsonl").write_bytes(b"x" * (256 << 10))
    tooled.end()

    with pytest.raises(PunchlistError, match="is over"):
        answer(tooled)

    assert (tooled.io / "refused.jsonl").stat().st_size == 256 << 10
