"""How long the tools of an attempt take to answer: they have its folder, and nothing else of the workspace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.tools import LIMIT, ROUNDS, talking
from benchmarks.workspace import Bench, Row, row, times
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Role
from punchlist.model.json import Json
from punchlist.workers.access import access_files
from punchlist.workers.settings import Host

_CRITERIA: list[Json] = [{"id": f"AC-{number}", "text": "It holds.", "check": "true"} for number in range(1, 21)]
_PACKS: dict[Role, Json] = {
    Role.BUILDER: {"schema": "punchlist/step-pack/1", "criteria": _CRITERIA},
    Role.QA: {
        "schema": "punchlist/review-pack/1",
        "title": "Greet",
        "goal": "It greets.",
        "criteria": _CRITERIA,
        "base": "0" * 40,
        "tree": "1" * 40,
        "changes": ["modified greet.py"],
        "checks": [],
    },
    Role.PLANNER: {"schema": "punchlist/request/1", "project": "p", "title": "P", "spec": "# P\n\nIt must greet.\n"},
}
_CLAIMS = [{"id": f"AC-{number}", "met": True, "evidence": "greet.py:1"} for number in range(1, 21)]
_REVIEW = [{"id": f"AC-{number}", "verdict": "pass", "evidence": ["greet.py:1"]} for number in range(1, 21)]
_STEP: dict[str, Any] = {"title": "Do it", "criteria": ["It is done."]}
_CALLS: dict[Role, tuple[tuple[str, dict[str, Any]], ...]] = {
    Role.BUILDER: (
        ("get_step_pack", {}),
        ("report_progress", {"text": "At work."}),
        ("ask", {"question": "Which?"}),
        ("record_builder_result", {"outcome": "done", "criteria": _CLAIMS}),
    ),
    Role.QA: (("get_review_pack", {}), ("record_qa_result", {"criteria": _REVIEW})),
    Role.PLANNER: (
        ("get_request", {}),
        ("create_task", {"title": "A task"}),
        ("create_step", {"task": "T1", **_STEP}),
        ("update_step", {"step": "T1.1", "goal": "More."}),
    ),
}


def answering(bench: Bench) -> Iterator[Row]:
    """Measure each tool of each role; an answer is taken away again, so that it can be given once more."""
    for number, (role, calls) in enumerate(_CALLS.items(), start=1):
        io = bench.root.parent / f"attempt-{number}" / "io"
        with talking(
            bench.begun("mcp", "--role", role.value, env=_made(io, role, bench=bench, name=f"A{number}"))
        ) as talk:
            offered = {tool["name"] for tool in talk.ask("tools/list", {})["tools"]}
            assert offered == {tool for tool, _ in calls}, "not all of them are measured"
            for tool, arguments in calls:

                def call() -> None:
                    talk.call(tool, **arguments)  # noqa: B023 - done before the next
                    if role is not Role.PLANNER:  # noqa: B023
                        (io / "result.json").unlink(missing_ok=True)  # noqa: B023

                yield row(f"mcp, {role.value}: {tool}", times(call, rounds=ROUNDS), limit=LIMIT)


def _made(io: Path, role: Role, *, bench: Bench, name: str) -> dict[str, str]:
    """Make the folder of an attempt, and return the environment that its server is started with."""
    io.mkdir(parents=True)
    host = Host(python=str(bench.program), path="/bin")
    files = access_files(AttemptId(name), role, io=str(io), token=str(io), host=host)
    files["pack.json"] = msgspec.json.encode(_PACKS[role])
    for each, content in files.items():
        (io / each).write_bytes(content)
    environment: dict[str, str] = msgspec.json.decode(files["mcp.json"])["mcpServers"]["punchlist"]["env"]
    return environment
