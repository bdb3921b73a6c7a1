"""What Claude Code printed in each case, as it was recorded, and what the worker made of it.

Usage: python -m tests.golden.agents.streams [--record PROGRAM [CASE…]] — writes the outcomes anew, with --record the
streams, too.
"""

import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Outcome, Role
from punchlist.ports import Exit, WorkerRequest
from tests.agents.claude_runs import CASES, ClaudeRuns, judged
from tests.agents.model_server import serving
from tests.agents.scenario import read_rules

HERE = Path(__file__).parent / "claude"
SCRIPT = Path(__file__).parents[2] / "agents" / "scripts" / "faults.yaml"
SESSION = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")


def read_outcome(name: str) -> dict[str, Any]:
    """Return what the worker makes of the recorded end of a case, as JSON values."""
    kept = json.loads((HERE / f"{name}.json").read_bytes())
    request = WorkerRequest(
        attempt=AttemptId("A1"),
        role=Role.BUILDER,
        work=Path("/w"),
        io=Path("/io"),
        workspace=Path("/"),
        settings={"type": "claude"},
        session=kept["session"],
    )
    ended = Exit(
        code=kept["code"],
        stdout=(HERE / f"{name}.jsonl").read_bytes(),
        stderr=kept["stderr"].encode(),
        result=kept["result"].encode() if kept["result"] is not None else None,
    )
    return shown(judged(request, ended))


def shown(outcome: Outcome) -> dict[str, Any]:
    """Return the parts of an outcome that a stream decides."""
    parts = ("status", "failure", "reason", "session", "session_over", "usage", "not_before", "tail", "result")
    values: dict[str, Any] = msgspec.to_builtins(outcome)
    return {name: values[name] for name in parts if values.get(name) is not None}


def write_outcomes() -> None:
    """Write what is made of every case."""
    found = {name: read_outcome(name) for name in CASES}
    (HERE / "outcomes.json").write_text(f"{json.dumps(found, indent=2, ensure_ascii=False)}\n", encoding="utf-8")


def record(program: Path, names: Sequence[str] = ()) -> None:
    """Run every case, or those named, and keep what was printed, in folders and with ids that are always the same."""
    HERE.mkdir(exist_ok=True)
    for name in names or CASES:
        with serving(read_rules(SCRIPT)) as server, tempfile.TemporaryDirectory() as folder:
            request, ended = ClaudeRuns(Path(folder), program, url=server.url).run(name)
            sessions = list(dict.fromkeys(SESSION.findall(ended.stdout.decode())))

            def same(text: str) -> str:
                text = text.replace(folder, "/w").replace(folder.replace("/", "-"), "-w")
                text = text.replace(server.url.removeprefix("http://"), "127.0.0.1:1")
                for number, each in enumerate(sessions):  # noqa: B023 - called at once
                    text = text.replace(each, f"00000000-0000-4000-8000-{number:012}")
                return re.sub(r"-?tmp-[a-z0-9_]+", "tmp", text)

            kept = {
                "code": ended.code,
                "session": same(request.session) if request.session else None,
                "result": same(ended.result.decode()) if ended.result is not None else None,
                "stderr": same(ended.stderr.decode()),
            }
            (HERE / f"{name}.jsonl").write_text(same(ended.stdout.decode()), encoding="utf-8")
            (HERE / f"{name}.json").write_text(f"{json.dumps(kept, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(Path(sys.argv[2]), sys.argv[3:])
    write_outcomes()
