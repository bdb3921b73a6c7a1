"""Typed tools for tests: the folder of an attempt as its launcher makes it, and calls as the server makes them."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from punchlist.mcp.attempts import attempt_tools
from punchlist.mcp.calls import called
from punchlist.mcp.tool import Tool
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Outcome, Role
from punchlist.model.json import Json
from punchlist.ports import Exit
from punchlist.workers.access import access_files
from punchlist.workers.answers import outcome_of
from punchlist.workers.settings import Host

STEP_PACK: dict[str, Json] = {
    "schema": "punchlist/step-pack/1",
    "criteria": [{"id": "AC-1", "text": "It greets."}, {"id": "AC-2", "text": "It is polite."}],
}
REVIEW_PACK: dict[str, Json] = {
    "schema": "punchlist/review-pack/1",
    "title": "Greet",
    "goal": "It greets.",
    "criteria": [
        {"id": "AC-1", "text": "It greets.", "check": "make test"},
        {"id": "AC-2", "text": "It is polite.", "review": True},
    ],
    "base": "0" * 40,
    "tree": "1" * 40,
    "changes": ["modified greet.py"],
    "checks": [{"id": "AC-1", "command": "make test", "passed": True, "tail": "ok"}],
}
REQUEST: dict[str, Json] = {
    "schema": "punchlist/request/1",
    "project": "greeter",
    "title": "Greeter",
    "spec": "# Greeter\n\nIt must greet people.\n",
}
PACKS = {Role.BUILDER: STEP_PACK, Role.QA: REVIEW_PACK, Role.PLANNER: REQUEST}


class Tooled:
    """An attempt's folder below `folder`, and its tools as one server of it has them."""

    def __init__(self, folder: Path, role: Role, *, name: str = "A1", pack: Json = None) -> None:
        self.io = folder / name / "io"
        self.name = AttemptId(name)
        self.role = role
        self.io.mkdir(parents=True)
        host = Host(python=sys.executable, path="/bin")
        files = access_files(self.name, role, io=str(self.io), token="a token", host=host)
        files["pack.json"] = msgspec.json.encode(PACKS[role] if pack is None else pack)
        for each, content in files.items():
            (self.io / each).write_bytes(content)
        self.tools = self.server()

    @property
    def environment(self) -> dict[str, str]:
        """What a server of this attempt is started with."""
        server = msgspec.json.decode((self.io / "mcp.json").read_bytes())["mcpServers"]["punchlist"]
        return dict(server["env"])

    def server(self) -> dict[str, Tool]:
        """Return the tools as another server of the same attempt has them."""
        return {tool.name: tool for tool in attempt_tools(self.environment, self.role)[1]}

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool as the server does: its arguments are checked first."""
        return called(self.tools[tool], arguments)

    def end(self) -> None:
        """Mark the end, as the engine does."""
        (self.io / "ended").touch()

    def outcome(self) -> Outcome:
        """Return what the engine makes of what was left, for a process that ended well."""
        left = {name: self.io / f"{name}.{form}" for name, form in (("result", "json"), ("refused", "jsonl"))}
        found = {name: path.read_bytes() for name, path in left.items() if path.exists()}
        return outcome_of(self.name, self.role, ended=Exit(code=0, **found))  # type: ignore[arg-type]
