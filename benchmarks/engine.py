"""What a transition of the engine costs, and that it does not grow with the number of tasks stored."""

import json
from collections.abc import Iterator

from benchmarks.workspace import Bench, Row, row, timed

ROUNDS = 3
CHECKS = 30
RENDERED = 1_000.0
TASK_FILE = json.dumps(
    {
        "title": "A task with many checks",
        "spec": "Each of them is run on the base.",
        "acceptance": [{"text": "The suite passes.", "check": "true"}],
        "steps": [
            {"title": f"Do part {number}", "criteria": [{"text": "It is done.", "check": "test -f done"}]}
            for number in range(1, CHECKS)
        ],
    }
)


BUILT = 6
SIZES = (10, 60, 200)
WAITS = 6
"""The exit code of a command that waits for a decision."""


def steps(bench: Bench) -> Iterator[Row]:
    """Measure what six steps cost the engine, in tasks of more and more steps that have yet to come."""
    bench.call("engine", "start")
    for size in SIZES:
        measured = [_built(bench, size) / BUILT for _ in range(ROUNDS)]
        yield row(f"the engine's own time for one step, of a task of {size}", measured)


def files(bench: Bench, *, count: int) -> Row:
    """Measure how long all files of so many steps take to be written where there are none.

    Those before are put aside: ext4 is slow to make files where some were removed.
    """
    measured: list[float] = []
    for number in range(ROUNDS + 1):
        if (bench.root / "projects").exists():
            (bench.root / "projects").rename(bench.root / f"projects-{number}")
        took = timed(lambda: bench.call("files", "write"))
        if number:
            measured.append(took)
    return row(f"files of {count:,} steps rendered anew", measured, limit=RENDERED)


def _built(bench: Bench, size: int) -> float:
    """Let six steps be built, up to the one that fails for good; return the milliseconds that the engine worked."""
    created = bench.answer("task", "create", "bench", "--file", "-", stdin=_parts(size))["task"]
    bench.call("approve", str(created["id"]))
    before = bench.engine_cpu()
    bench.call("task", "start", "--wait", str(created["id"]), ends=WAITS)
    worked = bench.engine_cpu() - before
    bench.call("task", "cancel", str(created["id"]))
    bench.wait_quiet()
    return worked


def _parts(size: int) -> str:
    parts = [
        {
            "title": f"Make part {number}",
            "builder": "maker",
            "criteria": [
                {"text": "It is there.", "check": f"test -f {'part' if number <= BUILT else 'lost'}-{number}"}
            ],
            "policy": {"rework": 0, "review": "never"},
        }
        for number in range(1, size + 1)
    ]
    return json.dumps({"title": f"A task of {size} steps", "spec": "Make parts.", "steps": parts})


def checks(bench: Bench, *, tasks: int) -> Row:
    """Measure a draft with 30 checks from its creation to its approval, which waits until all of them have run."""
    bench.call("engine", "start")

    def prove() -> None:
        created = bench.answer("task", "create", "bench", "--file", "-", stdin=TASK_FILE)
        bench.call("approve", str(created["task"]["id"]))

    prove()
    return row(
        f"a draft with {CHECKS} checks made, proved, approved; {tasks:,} tasks", [timed(prove) for _ in range(ROUNDS)]
    )
