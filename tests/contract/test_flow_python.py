"""Functions that a flow calls in the project's interpreter: JSON in, JSON out, and whatever they raise told."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.installed import Workspace

NOTES = """\
import asyncio, os, sys

class Kind:
    @staticmethod
    def name(): return sys.executable

def add(a, b=1):
    print("adding")
    return {"sum": a + b}

async def later(a):
    await asyncio.sleep(0)
    return [a, os.environ["LEVEL"]]

def boom(): raise ValueError("no such thing")
def strange(): return object()
def leave(): os._exit(0)
def out(): raise SystemExit(3)
def huge(): return "x" * 5_000_000
"""
FLOW = """\
punchlist: 1
flow: calls
nodes:
  add: {python: "notes:add", with: {a: 3}, output: {sum: int}}
  more: {python: "notes:add", with: {a: "${{ nodes.add.output.sum }}", b: 10}, memory: 1GiB, timeout: 10s}
  later: {python: "notes:later", with: {a: {deep: [null]}}, env: {LEVEL: "${{ nodes.add.output.sum }}"}}
  kind: {python: "notes:Kind.name"}
  boom: {python: "notes:boom", on_failure: continue}
  none: {python: "nowhere:x", on_failure: continue, retry: {max: 3}}
  strange: {python: "notes:strange", on_failure: continue}
  leave: {python: "notes:leave", on_failure: continue}
  out: {python: "notes:out", on_failure: continue}
  huge: {python: "notes:huge", on_failure: continue}
  bad: {python: "notes:add", with: {a: 1}, output: {sum: string}, on_failure: continue}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("python")
    made = Workspace(folder / "here", folder / "home")
    for each in (made.root, made.home):
        each.mkdir()
    made.ok("init")
    made.write("notes.py", NOTES)
    made.write("calls.yaml", FLOW)
    made.write("tools/python", '#!/bin/sh\nexec python3 "$@"\n').chmod(0o755)
    made.write("punchlist.toml", '[python]\ninterpreter = "tools/python"\n')
    yield made
    made.stop()


@pytest.fixture(scope="module")
def nodes(place: Workspace) -> dict[str, Any]:
    run = place.ok("run", "calls.yaml", "--foreground")["run"]
    return {each["path"]: each for each in run["nodes"]}


def test_a_function_is_called_with_json_and_gives_json(nodes: dict[str, Any], place: Workspace) -> None:
    assert nodes["add"]["output"] == {"sum": 4}
    assert nodes["more"]["output"] == {"sum": 14}
    assert nodes["later"]["output"] == [{"deep": [None]}, "4"]
    assert nodes["kind"]["output"].endswith("python3")
    assert place.ok("logs", "A1")["text"] == "adding\n"


@pytest.mark.parametrize(
    ("name", "said", "failure"),
    [
        ("boom", "ValueError: no such thing; its last lines:\n", "worker"),
        ("none", "ModuleNotFoundError: No module named 'nowhere'; its last lines:\n", "definition"),
        ("strange", "what it returned is no JSON: TypeError: Object of type object", "worker"),
        ("leave", "bad output: the interpreter ended before the function returned", "worker"),
        ("out", "exit 3", "worker"),
        ("huge", "bad output: it returned more than 4 MiB, the most that an answer holds", "worker"),
        ("bad", "bad output: sum is an int; allowed: string", "worker"),
    ],
)
def test_what_a_function_raises_or_returns_amiss_fails_its_node(
    nodes: dict[str, Any], place: Workspace, name: str, said: str, failure: str
) -> None:
    found = nodes[name]
    attempts = {each["id"]: each for each in place.ok("report", "R1")["run"]["attempts"]}

    (attempt,) = found["attempts"]
    assert (found["status"], found["output"]) == ("failed", None)
    assert found["error"].startswith(f"attempt {attempt}: {said}")
    assert attempts[attempt]["failure_class"] == failure


def test_an_interpreter_that_is_not_there_is_named(place: Workspace) -> None:
    place.write("punchlist.toml", '[python]\ninterpreter = "./nowhere/python"\n')

    call = place.punchlist("run", "calls.yaml", "--foreground")

    assert call.code == 1
    assert "nowhere/python" in call.out + call.err
