"""A draft names the checks of which nobody knows yet what the base shows."""

from punchlist.cli.views import tasks as views
from punchlist.model import events as ev
from punchlist.model.json import plain
from punchlist.render import shapes
from tests.runs import Story, built_in, checked, proof_of, replace, reviewed, step, task_of


def test_a_draft_names_the_checks_that_have_changed_since_it_was_proved() -> None:
    task = task_of(step(1, checked(1), checked(2), reviewed(3)), acceptance=[checked(7)])
    story = Story(built_in("prove"), task=task)
    story.note(ev.TaskProved(proof=proof_of(task)))
    first = replace(checked(1), check="make other")
    story.note(ev.TaskEdited(task=task_of(step(1, first, checked(2), reviewed(3)), acceptance=[checked(7)]), what="x"))

    lines = views.drafts({"tasks": [plain(shapes.task(story.task))]}).splitlines()

    assert lines[-1] == "Not run on the base yet: T1.1 AC-1, the task's AC-7"
