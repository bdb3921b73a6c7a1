"""An agent that has no other way to answer than the tools of the server that it is told of; run as a program."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECK = "python3 -c 'import m; assert m.word'"


class Server:
    """The server of this attempt, as an agent's command line starts it and speaks to it."""

    def __init__(self) -> None:
        told = json.loads(Path(os.environ["PUNCHLIST_ATTEMPT_DIR"], "mcp.json").read_text(encoding="utf-8"))
        server = told["mcpServers"]["punchlist"]
        self.process = subprocess.Popen(
            [server["command"], *server["args"]],
            env={**os.environ, **server["env"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.number = 0
        info = {"name": "agent", "version": "1"}
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info})
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def say(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        print(json.dumps(message), file=self.process.stdin, flush=True)

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdout is not None
        self.number += 1
        self.say({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        result = json.loads(self.process.stdout.readline())["result"]
        assert isinstance(result, dict)
        return result

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that takes it, and return its answer."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result["isError"], result
        return dict(result["structuredContent"])

    def refused(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that refuses it, and return the error."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert result["isError"], result
        return dict(result["structuredContent"]["error"])

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait()


def plan(server: Server) -> None:
    """Plan with faults; when told of them, mend all but one."""
    request = server.call("get_request")["request"]
    assert "greet" in request["request"]
    sound: dict[str, Any] = {"text": "There is a word to greet people.", "check": CHECK}
    criteria: list[Any] = [{**sound, "check": "no-such-runner m"}]
    server.call("create_task", title="Greet people")
    server.call("create_step", task="T1", title="A word", goal="There is a word.", criteria=criteria)
    server.call("create_task", title="Part from people", needs=["T1"])
    farewell: dict[str, Any] = {"task": "T2", "title": "Part", "criteria": ["There is a farewell."]}
    server.refused("create_step", **farewell, builder="me")
    server.call("create_step", **farewell)
    if any("has no check" in each for each in request["critique"]):
        mended = [{"text": "There is a farewell.", "review": True}]
        server.call("update_step", step="T2.1", criteria=mended)
    if any("no-such-runner" in each and "cannot run" in each for each in request["critique"]):
        server.call("update_step", step="T1.1", criteria=[sound])


def build(server: Server) -> None:
    messages = server.call("get_step_pack")["pack"]["messages"]
    server.refused("approve_task", task="T1")
    server.call("report_progress", text="thinking")
    if not messages:
        server.call("ask", question="Which word?")
        server.refused("record_builder_result", outcome="done")
        return
    with Path("m.py").open("a", encoding="utf-8") as module:
        module.write("word = 'Hello'\n")
    claims = [{"id": "AC-1", "met": True, "evidence": "m.py:2"}]
    server.call("record_builder_result", outcome="done", summary=messages[-1], criteria=claims)


def review(server: Server) -> None:
    (criterion,) = server.call("get_review_pack")["pack"]["criteria"]
    verdict = {"id": criterion["id"], "verdict": "pass"}
    problems = server.refused("record_qa_result", criteria=[verdict])["problems"]
    assert [each["where"] for each in problems] == ["criteria[0].evidence"], problems
    server.call("record_qa_result", criteria=[{**verdict, "evidence": ["m.py:2"]}])


def main() -> int:
    server = Server()
    {"planner": plan, "builder": build, "qa": review}[os.environ["PUNCHLIST_ROLE"]](server)
    return server.end()


if __name__ == "__main__":
    sys.exit(main())
