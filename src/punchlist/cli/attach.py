"""What follows a verb that started runs: the answer at once, a view until they are over, or their end awaited."""

from collections.abc import Callable, Iterable, Sequence

from punchlist.cli.session import Session, visible
from punchlist.cli.views import runs as views
from punchlist.cli.views.seen import RunSeen, TaskSeen, seen
from punchlist.model.json import Json

_WAITS, _FAILED = 6, 1


def attach(session: Session, answer: dict[str, Json], *, follow: bool, wait: bool) -> int:
    """Show the answer of a verb that started runs, after their end when asked to, and return the exit code.

    ^C leaves the runs alone: the engine goes on.
    """
    if not follow and not wait:
        session.show(answer, views.started)
        return 0
    session.attached = True
    if follow:
        show_story(session, answer)
    return finish(session, answer)


def attach_all(session: Session, tasks: Sequence[str]) -> int:
    """Start approved tasks, each as soon as what it needs is accepted, show what happens, and return the exit code.

    ^C leaves what runs alone, and says what nobody starts then.
    """
    from punchlist.service.succession import Succession

    succession = Succession(session.service, tasks)
    succession.begin()
    session.attached = True
    try:
        show_story(session, succession.answer(), then=succession.go_on)
        return finish(session, succession.answer()) or succession.exit_code
    except KeyboardInterrupt:
        session.left = views.not_started(succession.answer())
        raise


def show_story(session: Session, answer: dict[str, Json], *, then: Callable[[], list[Json]] = list) -> None:
    """Print what happens in the runs of an answer until each of them is over or waits for a decision.

    After each commit `then` may return more runs, whose tasks are in the answer, too.
    """
    from punchlist.cli.story import Story
    from punchlist.service import following

    tasks = {run.id: run.task or "" for run in views.runs_of(answer)}
    story = Story(tasks, skipped=_skipped(answer))

    def begun() -> list[str]:
        more = {run.id: run.task or "" for run in seen(list[RunSeen], then())}
        tasks.update(more)
        return list(more)

    for event in following.follow_runs(session.service, list(tasks), then=begun):
        _print(session, story.lines({key: visible(value) for key, value in event.items()}))


def finish(session: Session, answer: dict[str, Json]) -> int:
    """Wait for runs, show how they ended, with their tasks as they are then, and return the exit code."""
    from punchlist.service import runs

    names = [run.id for run in views.runs_of(answer)]
    with session.progress as say:
        ended = runs.wait(session.service, names, say=say)["runs"]
    final: dict[str, Json] = {"runs": ended} if "runs" in answer else {"run": seen(list[Json], ended)[0]}
    left = {key: value for key, value in answer.items() if key == "not_started"}
    session.show({**_tasks_now(session, answer), **final, **left}, views.ended)
    codes = {runs.exit_code(run.status) for run in views.runs_of(final)}
    return next((code for code in (_FAILED, _WAITS) if code in codes), 0)


def _tasks_now(session: Session, answer: dict[str, Json]) -> dict[str, Json]:
    from punchlist.service import tasks

    def now(each: Json) -> Json:
        return tasks.show(session.service, seen(TaskSeen, each).id)["task"]

    if "task" in answer:
        return {"task": now(answer["task"])}
    listed = answer.get("tasks")
    return {"tasks": [now(each) for each in listed]} if isinstance(listed, list) else {}


def _skipped(answer: dict[str, Json]) -> set[str]:
    """Return the steps of an answer's tasks that are skipped as it is given."""
    told = [answer["task"]] if "task" in answer else answer.get("tasks", [])
    return {step.id for task in seen(list[TaskSeen], told) for step in task.steps if step.status == "skipped"}


def _print(session: Session, lines: Iterable[str]) -> None:
    for line in lines:
        if session.json:
            session.tell(line)
        else:
            session.say(line)
