"""Limits over all runs, `[engine] max_parallel` and `[workers.NAME] max_parallel`, with a real engine and processes."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from punchlist.cli.views import attention
from punchlist.service import runs, status, why
from punchlist.service.context import Service
from tests.installed import until
from tests.services import opened, stopped, workspace

# An engine outlives who started it, also when that is this process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
WORK = """\
#!/bin/sh
cd 'ROOT'
name=$1${2:+$PUNCHLIST_ATTEMPT}
echo "+ $name" >> told
read -r go < "hold/$name"
echo "- $name" >> told
"""
LIMITED = '[engine]\nidle_exit = "1s"\nmax_parallel = {}\n'


class Held:
    """A workspace in which each command says that it has begun, and goes on when it is let go."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.root = service.root
        (self.root / "hold").mkdir()
        (self.root / "told").write_text("")
        work = self.root / "work"
        work.write_text(WORK.replace("ROOT", str(self.root)))
        work.chmod(0o755)

    def begin(self, name: str, *commands: str) -> None:
        """Start a run of these commands, all at once; each goes on when it is let go."""
        nodes = [f"  {each}: {{needs: [], run: [{self.root}/work, {each}]}}\n" for each in commands or (name,)]
        self.run(name, "".join(nodes), *(commands or (name,)))

    def run(self, name: str, nodes: str, *held: str) -> None:
        for each in held:
            os.mkfifo(self.root / "hold" / each)
        flow = self.root / f"{name}.yaml"
        flow.write_text(f"punchlist: 1\nflow: {name}\nnodes:\n{nodes}")
        runs.run(self.service, str(flow), policy={"max_parallel": 5})

    def let_go(self, name: str) -> None:
        """Let a command go on that has begun, and wait until it is over."""

        def gone() -> bool:
            with (
                suppress(OSError),
                os.fdopen(os.open(self.root / "hold" / name, os.O_WRONLY | os.O_NONBLOCK), "w") as go,
            ):
                go.write("\n")
            return f"- {name}" in self.told()

        until(gone, what=f"{name} is over")

    def told(self) -> list[str]:
        """Return what began and ended, in its order."""
        return (self.root / "told").read_text().splitlines()

    def begun(self, *names: str) -> None:
        """Wait until these have begun."""
        until(lambda: {f"+ {each}" for each in names} <= {*self.told()}, what=f"{names} have begun")

    def most(self) -> int:
        """Return how many were at work at the same time, at most."""
        counts = [0]
        for line in self.told():
            counts.append(counts[-1] + (1 if line.startswith("+") else -1))
        return max(counts)

    def in_line(self) -> dict[str, str]:
        """Return the nodes that wait for a place, and for which."""
        answer: Any = status.status(self.service)
        return {each["node"]: each["waits_for"] for each in answer["in_line"]}

    def set(self, settings: str) -> None:
        """Write the settings anew; the engine goes on, and who asks reads them as they are."""
        (self.root / "punchlist.toml").write_text(settings, encoding="utf-8")
        self.service.store.close()
        self.service = opened(self.root, engine=True)

    def over(self) -> None:
        """Wait until every run has come to its end."""
        until(lambda: not status.status(self.service)["runs"], what="all runs are over")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    """A workspace of which two attempts may be at work at once."""
    with stopped(workspace(tmp_path / "ws", settings=LIMITED.format(2), engine=True)) as made:
        found = Held(made)
        yield found
        found.service.store.close()


def test_no_more_than_the_limit_are_at_work_over_all_runs_and_it_is_said_who_waits(held: Held) -> None:
    held.begin("one")
    held.begin("two")
    held.begun("one", "two")
    held.begin("three")
    held.begin("four")
    until(lambda: len(held.in_line()) == 2, what="two wait")

    explained: Any = why.why(held.service, "A3")

    what = "which waits for a place: the workspace has 2 of 2 at work"
    assert explained["why"]["waits_for"]["what"] == f"A3 (command), {what}"
    assert held.in_line() == dict.fromkeys(("three", "four"), "a place: the workspace has 2 of 2 at work")
    assert "three  A3 (command)  waits for a place: the workspace" in attention.status(status.status(held.service))
    held.let_go("two")
    held.begun("three")  # who has waited longest
    assert "+ four" not in held.told()
    for name in ("one", "three", "four"):
        held.let_go(name)
    held.over()
    assert held.most() == 2
    assert held.in_line() == {}


def test_a_worker_at_its_limit_lets_the_others_go_on(tmp_path: Path) -> None:
    workers = [
        f'[workers.{who}]\ntype = "command"\nmax_parallel = 1\nargv = ["./work", "{who}", "by attempt"]\n'
        for who in ("ann", "bob")
    ]
    settings = "".join([*workers, '[engine]\nidle_exit = "1s"\n'])
    with stopped(workspace(tmp_path / "ws", settings=settings, engine=True)) as made:
        held = Held(made)
        for name, attempts in (("first", ("annA1", "bobA2")), ("second", ("annA3", "bobA4"))):
            nodes = [f"  {name}_{who}: {{needs: [], agent: {who}, prompt: Do it.}}\n" for who in ("ann", "bob")]
            held.run(name, "".join(nodes), *attempts)
        held.begun("annA1", "bobA2")
        until(lambda: len(held.in_line()) == 2, what="the second run waits")
        expected = {f"second_{who}": f"a place: worker {who} has 1 of 1 at work" for who in ("ann", "bob")}
        assert held.in_line() == expected

        held.let_go("bobA2")
        held.begun("bobA4")

        assert held.in_line() == {"second_ann": expected["second_ann"]}
        for name in ("annA1", "annA3", "bobA4"):
            held.let_go(name)
        held.over()
        assert held.most() == 2


def test_a_raised_limit_counts_at_once_however_the_file_is_written(held: Held) -> None:
    names = ("one", "two", "three", "four")
    for name in names:
        held.begin(name)
    held.begun("one", "two")
    until(lambda: len(held.in_line()) == 2, what="two wait")

    (held.root / "punchlist.toml").write_text(LIMITED.format(3))
    held.begun("three")
    (held.root / "fresh.toml").write_text(LIMITED.format(4))
    (held.root / "fresh.toml").replace(held.root / "punchlist.toml")
    held.begun("four")

    for name in names:
        held.let_go(name)
    held.over()


def test_what_an_engine_left_counts_for_the_next_one_and_so_does_a_limit_that_was_lowered_meanwhile(held: Held) -> None:
    held.begin("one")
    held.begin("two")
    held.begun("one", "two")
    held.begin("three")
    until(held.in_line, what="the third one waits")
    pid = held.service.engine.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not held.service.engine.status().running, what="the engine is gone")

    held.set(LIMITED.format(1))  # what is at work may stay
    held.service.engine.wake()
    held.begin("four")
    until(lambda: len(held.in_line()) == 2, what="another engine has taken up all runs")
    held.let_go("one")
    until(lambda: held.in_line().get("three") == "a place: the workspace has 1 of 1 at work", what="one has ended")
    assert "+ three" not in held.told()

    held.set(LIMITED.format(3))
    held.begin("five")
    held.begun("three", "four")
    assert list(held.in_line()) == ["five"]
    for name in ("two", "three", "four", "five"):
        held.let_go(name)
    held.over()
    assert held.most() == 3
