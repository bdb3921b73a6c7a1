"""How a project's tasks moved over the days, told from when each was made and last changed."""

from collections import Counter
from collections.abc import Sequence

from punchlist.model.json import Json
from punchlist.model.scores import TaskScore
from punchlist.model.states import TaskStatus

_DAY = len("2026-11-21")


def samples(tasks: Sequence[TaskScore]) -> list[Json]:
    """Return one sample for each day on which a task was made or last changed, oldest first.

    `created` counts the tasks made by the end of that day, `reached` for each status those that reached the status they
    have now by then; `open` are the rest of the created ones. Days are of the events' own time (UTC).
    """
    made = Counter(task.created_at[:_DAY] for task in tasks)
    reached = Counter((task.changed_at[:_DAY], task.status) for task in tasks)
    days = sorted(made.keys() | {day for day, _ in reached})
    totals: Counter[TaskStatus] = Counter()
    created, lines = 0, list[Json]()
    for day in days:
        created += made[day]
        totals.update({status: count for (when, status), count in reached.items() if when == day})
        counts: dict[str, Json] = {status.value: totals[status] for status in TaskStatus}
        lines.append({"day": day, "created": created, "reached": counts, "open": created - totals.total()})
    return lines
