"""How long a fresh server of typed tools takes to answer, and then each tool, in a workspace that holds many tasks."""

import contextlib
import itertools
import json
import subprocess
from collections.abc import Iterator
from typing import Any

from benchmarks.runs import Compared
from benchmarks.workspace import Bench, Row, row, timed, times

ROUNDS = 15
STARTS = 7
HELLO_LIMIT = 1000.0
LIMIT = 50.0
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
_STEP = {"title": "Do it", "criteria": ["It is done."]}
_SPEC = "# A spec\n\n## Do it\n\nDo the thing.\n\nAcceptance:\n- It is done.\n"
_PATIENCE = 60
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
    """Measure a fresh server, then each tool of a person, who has all of an orchestrator's."""
    bench.call("engine", "start")
    yield row("mcp, fresh, to its first answer", times(lambda: _hello(bench), rounds=STARTS), limit=HELLO_LIMIT)
    with _server(bench) as talk:
        for tool, arguments in _READING:
            yield row(f"mcp: {tool}", times(lambda: talk.call(tool, **arguments), rounds=ROUNDS), limit=LIMIT)  # noqa: B023 - done before the next
        yield from _files(talk)
        story = _Story(talk)
        for number in range(ROUNDS):
            story.tell(number)
        offered = {tool["name"] for tool in talk.ask("tools/list", {})["tools"]}
    for tool, measured in story.measured.items():
        yield row(f"mcp: {tool}", measured, limit=None if tool == "plan_project" else LIMIT)
    assert offered == {*story.measured, *(tool for tool, _ in _READING)}, "not all of them were measured"


def _files(talk: Talk) -> Iterator[Row]:
    """Measure a page of the generated files in the midst of all of them, and one file."""
    page = {"cursor": talk.ask("resources/list", {})["nextCursor"]}
    one = {"uri": talk.ask("resources/list", page)["resources"][-1]["uri"]}
    for method, asked in (("resources/list", page), ("resources/read", one)):
        yield row(f"mcp: {method}", times(lambda: talk.ask(method, asked), rounds=ROUNDS), limit=LIMIT)  # noqa: B023 - done before the next


def told(bench: Bench) -> Iterator[Compared]:
    """Measure what the tools cost a model before it says a word: tokens of 3.5 bytes, which are more than any takes."""
    for role, most in (("orchestrator", 5_000), ("human", None)):
        with _server(bench, role=role) as talk:
            listed = len(json.dumps(talk.ask("tools/list", {})["tools"], separators=(",", ":")).encode())
        yield Compared(f"tools of role {role}, as listed", listed / 3.5, limit=most, unit="tokens")


class _Story:
    """What becomes of a project and its tasks, told by calls of tools, each of which is measured."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.measured: dict[str, list[float]] = {}

    def tell(self, number: int) -> None:
        """Have every tool that changes something called, at least once."""
        project = f"bench-{number}"
        self._call("create_project", name=project, spec=_SPEC)
        self._call("update_project", project=project, title=f"Bench {number}")
        self._call("plan_project", project=project)
        task = self._written(project)
        self._proposed(task)
        run = str(self._call("start_task", task=task)["run"]["id"])
        self._until(task, "running")
        self._call("pause_task", task=task)
        self._call("resume", task=task)
        self._call("set_step_status", step=f"{task}.2", status="skip", reason="Not now.")
        self._call("get_diff", task=task)
        self._call("cancel", task=task)
        self._until(run, "cancelled")
        self._call("retry", task=task)
        self._talk.call("cancel", task=task)

    def _written(self, project: str) -> str:
        """Have a task of three steps written, in more calls than it takes."""
        task = str(self._call("create_task", project=project, title="A task", steps=[_STEP, _STEP])["task"]["id"])
        self._call("update_task", task=task, spec="More.")
        self._call("create_step", task=task, **_STEP)
        self._call("create_step", task=task, **_STEP)
        self._call("update_step", step=f"{task}.3", goal="More.")
        self._call("reorder_steps", task=task, steps=[f"{task}.{index}" for index in (1, 3, 2, 4)])
        self._call("remove_step", step=f"{task}.4")
        return task

    def _proposed(self, task: str) -> None:
        """Have a task rejected at its gate, and approved."""
        gate = self._call("propose_approval", task=task)["gate"]["id"]
        self._call("decide", gate=gate, choice="reject", message="Not yet.")
        self._call("approve_task", task=task)

    def _until(self, name: str, state: str) -> None:
        waited = self._talk.call("wait_for", ids=[name], states=[state], timeout=_PATIENCE)
        assert not waited["timed_out"], waited

    def _call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answers: list[dict[str, Any]] = []
        took = timed(lambda: answers.append(self._talk.call(tool, **arguments)))
        self.measured.setdefault(tool, []).append(took)
        return answers[0]


def _hello(bench: Bench) -> None:
    with _server(bench, role="orchestrator"):
        pass


@contextlib.contextmanager
def _server(bench: Bench, *, role: str = "human") -> Iterator[Talk]:
    with talking(bench.begun("mcp", "--role", role)) as talk:
        yield talk


@contextlib.contextmanager
def talking(process: "subprocess.Popen[str]") -> Iterator[Talk]:
    """Talk to a server that was started, and end it by closing its input."""
    with process:
        talk = Talk(process)
        talk.ask("initialize", _HELLO)
        yield talk
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
