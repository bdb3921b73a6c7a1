"""Claude Code as an orchestrator, with nothing but `punchlist mcp`: from a wish to accepted, a person in between."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.agents.conftest import Delivering, Serve
from tests.installed import until
from tests.services import BUILDER, JUDGE

SPEC = "# A file\n\nThe file `made.txt` is wanted.\n\n- It must be there: `test -f made.txt`"
WISH = f"""\
Please make the project made for this spec, with a task that makes the file. Approve it yourself. Tell me how it stands.

{SPEC}
"""
NO_TOOL = "No such tool available: approve_task"
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "MCP_CONNECTION_NONBLOCKING": "0",
}


def test_claude_plans_steers_and_reports_and_a_person_approves(claude: Path, tmp_path: Path, serve: Serve) -> None:
    server = serve("orchestrator")
    workspace = Delivering(tmp_path / "here", tmp_path / "home", server.url)
    workspace.home.mkdir()
    workspace.write("tools/judge", JUDGE).chmod(0o755)
    workspace.write("punchlist.toml", BUILDER)
    workspace.ok("init")
    workspace.ok("mcp", "--install", "claude-code", "--yes")
    try:
        with session(claude, workspace) as chat:
            until(lambda: workspace.ok("gates")["gates"], what="the orchestrator proposes its task")
            (gate,) = workspace.ok("gates")["gates"]
            workspace.ok("approve", gate["id"], "-m", "go on")
            told, _ = chat.communicate(timeout=120)
    finally:
        workspace.stop()

    events = [json.loads(line) for line in told.splitlines()]
    calls, results = tools_of(events)
    assert len(calls) == len(results) == 11
    refused = {name: each["text"] for name, each in zip(calls, results, strict=True) if each["is_error"]}
    assert list(refused) == ["create_task", "set_step_status", "approve_task"]
    problems = json.loads(refused["create_task"])["error"]["problems"]
    assert {each["where"] for each in problems} >= {"titel", "title"}
    assert json.loads(refused["set_step_status"])["error"]["problems"][0]["where"] == "status"
    assert NO_TOOL in refused["approve_task"]
    assert '{"T1":"accepted"}' in events[-1]["result"]
    project = workspace.ok("project", "show", "made")["project"]
    assert (project["id"], project["spec"].strip()) == ("made", SPEC)
    task = workspace.ok("task", "show", "T1")["task"]
    assert (task["status"], task["project"]) == ("accepted", "made")
    log = [(each["kind"], each["actor"].partition(":")[0]) for each in workspace.ok("events", "T1")["events"]]
    assert gate["opened_by"] == "orchestrator:claude-code"
    assert [by for kind, by in log if kind in {"TaskApproved", "ApprovalDecided"}] == ["human", "human"]


def session(claude: Path, workspace: Delivering) -> "subprocess.Popen[str]":
    """Start the orchestrator with the configuration that was written for it, and the tools in it alone."""
    flags = ("--print", "--output-format=stream-json", "--verbose", "--permission-mode=dontAsk", "--setting-sources=")
    tools = ("--tools=", "--allowedTools=mcp__punchlist", "--strict-mcp-config", "--mcp-config=.mcp.json")
    return subprocess.Popen(
        [claude, *flags, *tools, WISH],
        cwd=workspace.root,
        env={**workspace.environment, **QUIET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def tools_of(events: list[dict[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the names of the tools that were called, and what each answered."""
    parts = [part for event in events if event["type"] in {"assistant", "user"} for part in _parts(event)]
    calls = [part["name"].removeprefix("mcp__punchlist__") for part in parts if part["type"] == "tool_use"]
    results = [
        {"is_error": bool(part.get("is_error")), "text": _text(part["content"])}
        for part in parts
        if part["type"] == "tool_result"
    ]
    return calls, results


def _parts(event: dict[str, Any]) -> list[dict[str, Any]]:
    content = event["message"]["content"]
    return content if isinstance(content, list) else []


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(each["text"] for each in content)
