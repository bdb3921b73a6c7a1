"""A task on a released library that Claude Code builds and reviews: two tries fail, each for another reason."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.releases import unpacked
from tests.agents.conftest import Delivering, Make

SHA256 = "f638ddf8a1a0d134181275fb5d58b086ead7c6a72429ad725c67503f13ba30bd"
TASK = """\
title: Refuse chunks of no size
spec: With 0 `chunked` yields nothing today, and with -1 it fails late. None must go on meaning "all in one chunk".
steps:
  - title: Refuse sizes below one
    goal: chunked(iterable, n) raises ValueError at once for an n below one.
    criteria:
      - text: A size below one is refused when `chunked` is called.
        check: |
          python3 -c '
          from more_itertools import chunked
          try:
              chunked("ABC", 0)
          except ValueError as error:
              assert "at least one" in str(error), error
          else:
              raise AssertionError("0 is taken")
          '
        review: true
      - text: Whatever was taken before and made sense still is.
        check: python3 -m unittest -q tests.test_more.ChunkedTests
      - The version history tells users of it.
"""
PATIENCE = 300
PRICES = (4, 20, 5)
"""Of the agent's own table, for its default model: microdollars a token in, a token out, and cached tokens for one."""


def test_claude_builds_and_reviews_until_it_is_accepted(delivering: Make, tmp_path: Path) -> None:
    released = unpacked("more-itertools", "10.8.0", sha256=SHA256, into=tmp_path / "sdist")
    workspace, server = delivering("library", texts(released))
    workspace.write("../task.yaml", TASK)
    workspace.ok("task", "create", "--file", "../task.yaml")
    workspace.ok("approve", "T1")

    done = workspace.punchlist("task", "start", "T1", "--wait", "--json", timeout=PATIENCE)

    step = workspace.ok("step", "show", "T1.1")["step"]
    assert done.code == 0, (done, step["attempts"])
    assert done.json["task"]["status"] == "accepted"
    assert [rejected(each) for each in step["verdicts"]] == [{"AC-2", "AC-3"}, {"AC-3"}, set()]
    the_library_does_what_was_asked(workspace, done.json["task"]["branch"])
    builders, reviewers = by_role(step, "builder"), by_role(step, "qa")
    the_record_tells_of_each_attempt(workspace, builders, reviewers)
    what_the_tools_refused_was_mended(workspace, builders[0])
    evidence_that_is_not_there_was_sent_back(workspace, reviewers)
    what_was_said_before_is_said_again_word_for_word(workspace, server.requests, reviewers)
    assert workspace.processes() == {}
    assert all(each["headers"]["x-api-key"] == "a-key" for each in server.requests)


def texts(folder: Path) -> dict[str, str]:
    """Return the files of a release by their paths; all of them are texts."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes().decode() for each in files}


def the_library_does_what_was_asked(workspace: Delivering, branch: str) -> None:
    fresh = workspace.root.with_name("fresh")
    workspace.git("clone", "--quiet", "--branch", branch, str(workspace.root), str(fresh))
    tests = [f"{sys.base_prefix}/bin/python3", "-m", "unittest", "-q", "tests.test_more.ChunkedTests"]
    assert subprocess.run(tests, cwd=fresh, check=False, capture_output=True).returncode == 0
    assert "refuses sizes below one" in (fresh / "docs" / "versions.rst").read_text(encoding="utf-8")


def rejected(verdict: dict[str, Any]) -> set[str]:
    return {each["id"] for each in verdict["criteria"] if each["verdict"] == "fail"}


def by_role(step: dict[str, Any], role: str) -> list[dict[str, Any]]:
    return [each for each in step["attempts"] if each["role"] == role]


def the_record_tells_of_each_attempt(
    workspace: Delivering, builders: list[dict[str, Any]], reviewers: list[dict[str, Any]]
) -> None:
    """The builder goes on in one session, each review has its own; each attempt has its own cost and prompt."""
    assert [each["s"] for each in builders] == [0, 1, 2]
    assert [each["s"] for each in reviewers] == [1, 2, 2]
    assert len({each["session"] for each in builders}) == 1
    assert len({each["session"] for each in (*builders, *reviewers)}) == 3
    assert [used(each) for each in builders] == [(2300, 160, 0), (500, 70, 2000), (600, 80, 3000)]
    assert [used(each) for each in reviewers] == [(300, 60, 0), (200, 40, 0), (300, 60, 0)]
    assert [each["usage"]["microdollars"] for each in (*builders, *reviewers)] == [
        each_in * PRICES[0] + each_out * PRICES[1] + cached // PRICES[2]
        for each_in, each_out, cached in map(used, (*builders, *reviewers))
    ]
    told = workspace.punchlist("why", "T1").out
    assert "cost: 4,200 tokens in, 470 tokens out" in told, told
    prompts = [prompt(workspace, each) for each in builders]
    assert "Your last try was judged" not in prompts[0]
    assert "ERROR: test_none" in prompts[1]
    assert "docs/versions.rst does not say that sizes are refused" in prompts[2]
    assert not any("I refuse them at once" in prompt(workspace, each) for each in reviewers)


def used(attempt: dict[str, Any]) -> tuple[int, int, int]:
    usage = attempt["usage"]
    return usage["input_tokens"], usage["output_tokens"], usage["cached_tokens"]


def what_was_said_before_is_said_again_word_for_word(
    workspace: Delivering, requests: list[dict[str, Any]], reviewers: list[dict[str, Any]]
) -> None:
    """Each request of a session begins with the one before it, and a review's prompt like every other review's."""
    sessions: dict[str, list[list[str]]] = {}
    for each in requests:
        spoken = [said(message["content"]) for message in each["messages"]]
        sessions.setdefault(spoken[0], []).append(spoken)
    assert sorted(len(each) for each in sessions.values()) == [3, 5, 10]
    for told in sessions.values():
        assert all(later[: len(before)] == before for before, later in itertools.pairwise(told))
    assert len({json.dumps([tool["name"] for tool in each["tools"]]) for each in requests}) == 2
    first, second = (prompt(workspace, each) for each in reviewers[:2])
    begin, tree, _ = first.partition("The tree is")
    assert begin.startswith("# You are the reviewer of one step")
    assert second.startswith(begin + tree)


def said(content: Any) -> str:
    """Return a message's text and calls, without what marks the end of a cached part."""
    if isinstance(content, str):
        return content
    parts = ({name: part for name, part in each.items() if name != "cache_control"} for each in content)
    texts = [part["text"] if part["type"] == "text" else json.dumps(part, sort_keys=True) for part in parts]
    return "\n".join(texts)


def what_the_tools_refused_was_mended(workspace: Delivering, builder: dict[str, Any]) -> None:
    """A call that is no answer is refused with what is allowed, and the answer after it counts."""
    refused = json.loads((io(workspace, builder) / "refused.jsonl").read_bytes())
    answer = json.loads((io(workspace, builder) / "result.json").read_bytes())
    assert (refused["tool"], refused["code"]) == ("record_builder_result", "definition")
    assert answer["outcome"] == "done"


def evidence_that_is_not_there_was_sent_back(workspace: Delivering, reviewers: list[dict[str, Any]]) -> None:
    """A line that is not in the judged tree is no evidence: its reviewer is told so once, in its own session."""
    _, first, second = reviewers
    assert (first["status"], first["failure_class"], second["status"]) == ("failed", "worker", "succeeded")
    assert first["session"] == second["session"]
    assert "docs/versions.rst:99999" in prompt(workspace, second)


def prompt(workspace: Delivering, attempt: dict[str, Any]) -> str:
    return (io(workspace, attempt) / "prompt.md").read_text(encoding="utf-8")


def io(workspace: Delivering, attempt: dict[str, Any]) -> Path:
    return workspace.root / ".punchlist" / "attempts" / str(attempt["id"]) / "io"
