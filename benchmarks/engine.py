"""What a transition of the engine costs, and that it does not grow with the number of tasks stored."""

import json

from benchmarks.workspace import Bench, Row, row, timed

ROUNDS = 3
CHECKS = 30
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


def checks(bench: Bench, *, tasks: int) -> Row:
    """Measure a draft with 30 checks from its creation to its approval, which waits until all of them have run."""
    bench.call("engine", "start")

    def prove() -> None:
        created = bench.answer("task", "create", "--file", "-", stdin=TASK_FILE)
        bench.call("approve", str(created["task"]["id"]))

    prove()
    return row(
        f"a draft with {CHECKS} checks made, proved, approved; {tasks:,} tasks", [timed(prove) for _ in range(ROUNDS)]
    )
