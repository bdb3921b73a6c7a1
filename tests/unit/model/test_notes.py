"""What of a task is taken and not heeded yet is told, key by key."""

from typing import Any

import msgspec

from punchlist.model.notes import Note, task_notes
from punchlist.model.policy import Amount, PolicyPart
from punchlist.model.records import Criterion, Scope, Step, Task

LATER = PolicyPart(memory="1GiB", sandbox="bwrap", budget=Amount(usd=1.0), timeout="5m")


def task(**said: Any) -> Task:
    checked = Criterion(id="AC-1", text="a", check="true")
    wired = msgspec.structs.replace(checked, network=True)
    step = Step(id="T1.1", index=1, title="s", goal="", criteria=(checked,), scope=Scope(), needs=())
    whole = Step(
        id="T1.2",
        index=2,
        title="s",
        goal="",
        criteria=(checked, wired),
        scope=Scope(unlock=("tests/**",)),
        needs=(),
        policy=LATER,
    )
    made = Task(id="T1", project="p", title="t", spec="", acceptance=(wired,), steps=(step, whole))
    return msgspec.structs.replace(made, **said)


def test_every_key_that_is_not_in_force_is_told_at_its_place() -> None:
    found = task_notes(task(policy=PolicyPart(memory="2GiB", sandbox="bwrap", rework=1)))

    assert {each.note for each in found} == {"not in force yet"}
    assert [each.key for each in found] == [
        "acceptance[0].network",
        "steps[1].scope.unlock",
        "steps[1].criteria[1].network",
        "steps[1].policy.sandbox",
        "steps[1].policy.budget",
        "policy.sandbox",
    ]
    assert found[-1] == Note(key="policy.sandbox", value="bwrap")


def test_a_task_that_says_nothing_of_later_parts_has_no_notes() -> None:
    assert task_notes(task(acceptance=(), steps=())) == ()
