"""The simulation bites: each of these bugs, planted into what is shipped, is found within a few hundred worlds."""

from collections.abc import Callable, Mapping

import pytest

from tests.simulation.moods import Mood
from tests.simulation.planted import (
    BUGS,
    Plant,
    a_dropped_option_more_rounds,
    a_waiver_that_outlives_what_it_was_given_for,
    dependents_of_a_failed_node_left_pending,
    retry_loops_nested,
)
from tests.simulation.play import play
from tests.simulation.replay import main as replay
from tests.simulation.script import Script, read, told
from tests.simulation.shrink import shrunk
from tests.simulation.soak import first_failure

WITHIN = 600


def anywhere(_mood: Mood) -> bool:
    """Look in every world."""
    return True


WHERE: Mapping[Plant, Callable[[Mood], bool]] = {
    a_dropped_option_more_rounds: lambda mood: mood.green < 20,
    retry_loops_nested: lambda mood: mood.trouble > 0.5,
    a_waiver_that_outlives_what_it_was_given_for: lambda mood: mood.fickle,
}
"""Worlds without which nothing would show, and in which alone it is looked for: that saves the others."""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_the_simulation_finds(bug: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    bug(monkeypatch)

    failure = first_failure(seed for seed in range(WITHIN) if WHERE.get(bug, anywhere)(Script.of(seed).mood))

    assert failure is not None, f"No law is broken in {WITHIN} worlds: {bug.__doc__}"


def test_a_failure_shrinks_to_fewer_choices_and_its_command_shows_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dependents_of_a_failed_node_left_pending(monkeypatch)
    failure = next(
        found for seed in range(WITHIN) if (found := play(Script.of(seed))) and len(found.script.steps) == 14
    )

    small = shrunk(failure)

    assert small.law == failure.law
    assert len(small.script.steps) < len(failure.script.steps)
    assert all(play(small.script.only(set(small.script.steps) - {each})) is None for each in small.script.steps[-1:])
    assert replay(small.command.split()[3:]) == 1
    shown = capsys.readouterr().out
    assert small.message in shown
    assert "NodeEnded" in shown


def test_a_world_is_the_same_each_time_and_a_choice_left_out_changes_no_other() -> None:
    script = Script.of(7)

    assert [script.die(step).random() for step in script.steps] == [script.die(step).random() for step in script.steps]
    assert script.only([1, 3]).die(3).random() == script.die(3).random()


@pytest.mark.parametrize(("steps", "text"), [((0, 1, 2, 3, 7), "0-3,7"), ((4,), "4"), ((), "none")])
def test_choices_are_told_as_they_are_read(steps: tuple[int, ...], text: str) -> None:
    assert (told(steps), read(text)) == (text, steps)


def test_a_seed_in_which_every_law_holds_is_replayed_in_peace(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(["3"]) == 0
    assert capsys.readouterr().out == "seed 3: every law held\n"
