"""The engine dies at any moment; afterwards the task ends as if nothing had been, and nothing is done twice."""

from collections import Counter

import pytest

from tests.disturbed import Disturbed, finished_as_if_nothing_had_been

ROLES = {"build": "builder", "check": "check", "review": "qa"}


@pytest.mark.parametrize("way", ["resume", "engine start"])
@pytest.mark.parametrize("point", ROLES)
def test_an_engine_killed_in_the_middle_of_a(
    point: str, way: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold(point)
    run = disturbed.ok("task", "start", "T1")["run"]["id"]
    disturbed.until_at(point)
    held = disturbed.held()

    disturbed.kill_engine()
    survivors = disturbed.held()
    if way == "engine start":
        disturbed.ok("engine", "start")
    call = disturbed.punchlist("resume", run, "--wait")

    assert held == survivors != set()
    finished_as_if_nothing_had_been(call, disturbed, undisturbed)
    lost = [attempt for attempt in disturbed.attempts() if attempt["status"] == "lost"]
    assert [attempt["role"] for attempt in lost] == [ROLES[point]]
    assert disturbed.starts() == undisturbed.starts() + Counter({point: 1})
