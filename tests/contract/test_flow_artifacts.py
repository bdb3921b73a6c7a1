"""Artifacts of a flow: kept by content, pinned where they are used, with a line back to what they were made of."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.installed import Workspace

FLOW = """\
punchlist: 1
flow: artifacts
secrets: [TOKEN]
nodes:
  draft: {run: mkdir docs; echo a design > docs/design.md, artifacts: {design: docs/design.md}}
  build: {run: "wc -c < ${{ nodes.draft.artifacts.design.path }} > size", artifacts: {size: size}}
  spoil: {run: echo more >> docs/design.md}
  late: {run: "echo ${{ nodes.draft.artifacts.design.text }}", on_failure: continue}
  fine: {run: "cat ${{ nodes.build.artifacts.size.path }}"}
  missing: {run: "true", artifacts: {one: nowhere, two: ./docs}, on_failure: continue}
  telling: {run: "echo $TOKEN > told", artifacts: {told: told}, on_failure: continue}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("artifacts")
    made = Workspace(folder / "here", folder / "home")
    for each in (made.root, made.home):
        each.mkdir()
    made.ok("init")
    made.write("artifacts.yaml", FLOW)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def nodes(place: Workspace) -> dict[str, Any]:
    run = place.ok("run", "artifacts.yaml", "--foreground", env={"TOKEN": "it is secret"})["run"]
    return {each["path"]: each for each in run["nodes"]}


def test_an_artifact_is_kept_and_its_line_is_told(nodes: dict[str, Any], place: Workspace) -> None:
    design, size = place.ok("report", "R1")["run"]["artifacts"]

    assert (design["node"], design["attempt"], design["path"], design["size"]) == ("draft", "A1", "docs/design.md", 9)
    assert (place.root / design["copy"]).read_text() == "a design\n"
    assert [(each["node"], each["name"]) for each in size["made_from"]] == [("draft", "design")]
    assert nodes["fine"]["output"]["stdout"] == "9\n"
    page = place.punchlist("report", "R1").out
    assert "| `size` | `size` | 2 |" in page
    assert "design of A1" in page


def test_what_uses_an_artifact_that_was_changed_fails_by_its_name(nodes: dict[str, Any]) -> None:
    late = nodes["late"]

    assert late["status"] == "failed"
    assert "artifact 'design' of node draft is not what A1 made: docs/design.md was changed since" in late["error"]
    assert "punchlist resume R1 --from draft" in late["error"]


def test_what_is_not_there_no_file_or_tells_a_secret_is_no_artifact(nodes: dict[str, Any]) -> None:
    assert nodes["missing"]["error"].startswith("attempt A6: bad output: artifact 'one': there is no file 'nowhere'; ")
    assert "artifact 'two': './docs' is no regular file" in nodes["missing"]["error"]
    assert "artifact 'told': 'told' shows the value of a secret" in nodes["telling"]["error"]


def test_the_log_does_not_hold_without_the_copies(nodes: dict[str, Any], place: Workspace) -> None:
    design, _ = place.ok("report", "R1")["run"]["artifacts"]
    assert place.punchlist("log", "verify").code == 0

    (place.root / design["copy"]).unlink()
    call = place.punchlist("log", "verify")

    assert call.code == 1
    assert "the kept copy of artifact 'design' of A1 (docs/design.md) is gone" in call.out
