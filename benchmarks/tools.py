"""How long a fresh server of typed tools takes to answer, and then each tool, in a workspace that holds many tasks."""

import contextlib
import itertools
import json
import subprocess
from collections.abc import Iterator
from typing import Any

from benchmarks.workspace import Bench, Row, row, timed, times

ROUNDS = 15
STARTS = 7
HELLO_LIMIT = 1000.0
LIMIT = 50.0
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
_STEP = {"title": "Do it", "criteria": ["It is done."]}
_READING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_status", {}),
    ("list_projects", {}),
    ("get_project", {"project": "bench"}),
    ("list_tasks", {}),
    ("get_task", {"task": "T7"}),
    ("get_step", {"step": "T7.2"}),
    ("list_gates", {}),
    ("why", {"task": "T7"}),
    ("read_log", {"task": "T7"}),
    ("wait_for", {"ids": ["T7"], "timeout": 0}),
)


class Talk:
    """A server and its client, which speaks the protocol by itself: what an SDK takes there is not measured."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._numbers = itertools.count()

    def ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its result."""
        message = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(message)}\n")
        self._process.stdin.flush()
        result: dict[str, Any] = json.loads(self._process.stdout.readline())["result"]
        return result

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its answer."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result["isError"], result
        answer: dict[str, Any] = result["structuredContent"]
        return answer


def answering(bench: Bench) -> Iterator[Row]:
    """Measure a fresh server, then each tool that looks and those that write."""
    yield row("mcp, fresh, to its first answer", times(lambda: _hello(bench), rounds=STARTS), limit=HELLO_LIMIT)
    with _server(bench) as talk:
        talk.ask("initialize", _HELLO)
        for tool, arguments in _READING:
            yield row(f"mcp: {tool}", times(lambda: talk.call(tool, **arguments), rounds=ROUNDS), limit=LIMIT)  # noqa: B023 - done before the next
        for tool, measured in _changing(talk).items():
            yield row(f"mcp: {tool}", measured, limit=LIMIT)


def _hello(bench: Bench) -> None:
    with _server(bench) as talk:
        talk.ask("initialize", _HELLO)


def _changing(talk: Talk) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {}

    def call(tool: str, **arguments: Any) -> dict[str, Any]:
        answers: list[dict[str, Any]] = []
        took = timed(lambda: answers.append(talk.call(tool, **arguments)))
        measured.setdefault(tool, []).append(took)
        return answers[0]

    for number in range(ROUNDS):
        name = call("create_task", project="bench", title=f"Task {number}", steps=[_STEP])["task"]["id"]
        call("update_task", task=name, spec="More.")
        step = call("create_step", task=name, **_STEP)["step"]["id"]
        call("update_step", step=step, goal="More.")
        call("propose_approval", task=name)
        call("cancel", task=name)
    return measured


@contextlib.contextmanager
def _server(bench: Bench) -> Iterator[Talk]:
    with bench.begun("mcp") as process:
        yield Talk(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
