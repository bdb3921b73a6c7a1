"""What stops an attempt stops it also when that is the first thing that a new engine is told of it."""

from collections.abc import Callable

import pytest

from tests.disturbed import Disturbed
from tests.installed import until

FLOW = """\
punchlist: 1
flow: slow
nodes:
  first: {{run: "true"}}
  wait: {{run: ["{root}/one-at-a-time"]}}
"""
ONE_AT_A_TIME = """\
#!/bin/sh
cd "$(dirname "$0")" || exit 1
[ -f pid ] && kill -0 "$(cat pid)" && echo "the one before lives" >>seen
echo $$ >pid
exec ./stop build
"""


@pytest.fixture
def orphaned(disturbed: Disturbed) -> Disturbed:
    """A run of a flow whose second node was started by an engine that was killed; no other engine is there."""
    disturbed.write("slow.yaml", FLOW.format(root=disturbed.root))
    disturbed.write("one-at-a-time", ONE_AT_A_TIME).chmod(0o755)
    disturbed.hold("build")
    disturbed.ok("run", "slow.yaml")
    disturbed.until_at("build")
    disturbed.killed("engine")
    return disturbed


@pytest.mark.parametrize("words", ["cancel R2", "pause R2 --now", "cancel R2 wait"])
def test_what_is_stopped_has_ended_when_the_answer_comes(words: str, orphaned: Disturbed) -> None:
    orphaned.ok(*words.split())

    assert orphaned.held() == set()


def test_an_engine_that_is_stopped_as_it_starts_leaves_nothing_alive(orphaned: Disturbed) -> None:
    orphaned.ok("engine", "start")
    orphaned.ok("engine", "stop")

    assert orphaned.held() == set()
    assert orphaned.ok("report", "R2")["run"]["status"] == "running"


@pytest.mark.parametrize(
    "goes_back",
    [
        lambda it: it.ok("resume", "R2", "--from", "first", "--yes"),
        lambda it: [it.ok("pause", "R2", "--now"), it.ok("resume", "R2")],
    ],
    ids=["resume --from", "pause, resume"],
)
def test_a_node_that_is_run_again_begins_when_the_one_before_is_gone(
    goes_back: Callable[[Disturbed], None], orphaned: Disturbed
) -> None:
    goes_back(orphaned)
    until(lambda: orphaned.ok("report", "R2")["run"]["status"] == "succeeded", what="the run is over")

    assert orphaned.starts()["build"] == 2
    assert not (orphaned.root / "seen").exists()
    assert orphaned.held() == set()
