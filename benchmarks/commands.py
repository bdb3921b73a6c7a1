"""How long a cold command takes in a workspace that holds many tasks: a new process each time."""

import functools
import json
from collections.abc import Iterator

from benchmarks.workspace import Bench, Row, row, timed, times

ROUNDS = 15
CYCLES = 7
LIMIT = 100.0
COLD_LIMIT = 250.0
TASK_FILE = json.dumps(
    {
        "title": "A new task",
        "spec": "Do one thing more.",
        "acceptance": [{"text": "The suite passes.", "check": "true"}],
        "steps": [{"title": "Do it", "criteria": [{"text": "It is done.", "check": "test -f done"}]}],
    }
)


def reading(bench: Bench) -> Iterator[Row]:
    """Measure the verbs that change nothing."""
    for name, arguments in (
        ("--help", ("--help",)),
        ("punchlist (no verb)", ()),
        ("status", ("status",)),
        ("task list", ("task", "list")),
        ("task show", ("task", "show", "T7")),
        ("step show", ("step", "show", "T7.2")),
        ("why", ("why", "T7")),
        ("gates", ("gates",)),
    ):
        yield row(name, times(functools.partial(bench.call, *arguments), rounds=ROUNDS), limit=LIMIT)


def changing(bench: Bench) -> Iterator[Row]:
    """Measure a task on its way from file to start; before each command the engine has come to rest."""
    measured: dict[str, list[float]] = {name: [] for name in ("create", "approve", "warm", "cold")}
    for cycle in range(CYCLES + 1):
        for start in ("warm", "cold"):
            created, approved, started = _cycle(bench, cold=start == "cold")
            if cycle:
                measured["create"].append(created)
                measured["approve"].append(approved)
                measured[start].append(started)
    yield row("task create", measured["create"], limit=LIMIT)
    yield row("approve, its checks were run", measured["approve"], limit=LIMIT)
    yield row("task start, engine running", measured["warm"], limit=LIMIT)
    yield row("task start, engine to be started", measured["cold"], limit=COLD_LIMIT)


def _cycle(bench: Bench, *, cold: bool) -> tuple[float, float, float]:
    answers = []
    created = timed(lambda: answers.append(bench.answer("task", "create", "--file", "-", stdin=TASK_FILE)))
    name = str(answers[0]["task"]["id"])
    bench.wait_quiet()
    approved = timed(functools.partial(bench.call, "approve", name))
    if cold:
        bench.stop_engine()
    started = timed(functools.partial(bench.call, "task", "start", name))
    bench.call("task", "cancel", name)
    bench.wait_quiet()
    return created, approved, started
