"""Tools that write down what is to be done: projects, tasks and steps, as drafts that a person approves."""

from typing import TYPE_CHECKING

from punchlist.errors import Problem, invalid
from punchlist.mcp import schemas
from punchlist.mcp.given import Given
from punchlist.mcp.schemas import TEXT, changes, part_of
from punchlist.mcp.tool import Tool
from punchlist.model.records import ProjectFile, StepFile, TaskFile
from punchlist.service import plans, projects, steps, tasks, terms
from punchlist.service.once import Seen, as_it_is, once

if TYPE_CHECKING:
    from punchlist.mcp.binding import Bind
    from punchlist.model.json import Json
    from punchlist.service.context import Answer, Service


def tools(bind: "Bind", *, person: bool) -> list[Tool]:
    """Return the tools; a `person` may also set what of a project is theirs alone."""
    return [
        *_project_tools(bind, person=person),
        Tool(
            name="create_task",
            text="Make a draft task with its steps. check is a shell command that the engine runs in the repository: 0 "
            "means that the criterion holds; without one a reviewer judges. Step needs name steps by position or id, "
            "by default the one before; [] starts at once. Its checks are then run on the base.",
            schema=schemas.shared(
                changes({"project": TEXT, **schemas.TASK, "steps": schemas.STEPS}, required=("project", "title")),
                criterion=schemas.CRITERION,
            ),
            call=bind("create_task", _create_task),
            changes=True,
            record=TaskFile,
        ),
        Tool(
            name="update_task",
            text="Change fields of a draft task; the others stay. Its steps have tools of their own.",
            schema=changes({"task": TEXT, **schemas.TASK}, required=("task",)),
            call=bind("update_task", _update_task),
            changes=True,
            record=part_of(TaskFile),
        ),
        *_step_tools(bind),
    ]


def _project_tools(bind: "Bind", *, person: bool) -> list[Tool]:
    own, theirs = (_OWN, {}) if person else ({}, _THEIRS)
    return [
        Tool(
            name="plan_project",
            text="Have a planner write draft tasks from a request (by default the project's spec), and wait for it.",
            schema=changes({"project": TEXT, "request": TEXT, "planner": TEXT}, required=("project",)),
            call=bind("plan_project", _plan_project),
            changes=True,
            waits=True,
        ),
        Tool(
            name="create_project",
            text="Make a project; name is a slug. Without repo it gets an empty repository of its own.",
            schema=changes(
                {"name": TEXT, **schemas.PROJECT, "repo": TEXT, "base": TEXT},
                required=("name", "spec"),
                versioned=False,
            ),
            call=bind("create_project", _create_project),
            changes=True,
        ),
        Tool(
            name="update_project",
            text="Change fields of a project; the others stay.",
            schema=changes({"project": TEXT, **schemas.PROJECT, **own}, required=("project",)),
            call=bind("update_project", _update_project),
            changes=True,
            record=ProjectFile,
            theirs=theirs,
        ),
    ]


def _step_tools(bind: "Bind") -> list[Tool]:
    return [
        Tool(
            name="create_step",
            text="Add a step to a draft task, by default as its last. expected_version is the task's.",
            schema=changes(
                {"task": TEXT, "position": schemas.NUMBER, **schemas.STEP}, required=("task", "title", "criteria")
            ),
            call=bind("create_step", _create_step),
            changes=True,
            record=StepFile,
        ),
        Tool(
            name="update_step",
            text="Change fields of a draft's step; the others stay.",
            schema=changes({"step": TEXT, **schemas.STEP}, required=("step",)),
            call=bind("update_step", _update_step),
            changes=True,
            record=part_of(StepFile),
        ),
        Tool(
            name="remove_step",
            text="Remove a step from a draft; what needed it then needs what it needed.",
            schema=changes({"step": TEXT}, required=("step",)),
            call=bind("remove_step", _remove_step),
            changes=True,
        ),
        Tool(
            name="reorder_steps",
            text="Bring a draft's steps into the order of steps, which names each of them once.",
            schema=changes({"task": TEXT, "steps": schemas.TEXTS}, required=("task", "steps")),
            call=bind("reorder_steps", _reorder_steps),
            changes=True,
        ),
    ]


_OWN: "dict[str, Json]" = {  # of a project: where work goes, what is trusted, and what runs apart from a task's checks
    "repo": TEXT,
    "base": TEXT,
    "setup": schemas.TEXTS,
    "setup_allow": schemas.TEXTS,
    "path": schemas.TEXTS,
    "policy": schemas.POLICY,
}
_THEIRS = {name: terms.person_changes("{project}", name) for name in _OWN}


def _plan_project(service: "Service", given: Given) -> "Answer":
    project, request, planner = given.text("project"), given.text("request"), given.maybe("planner")
    return once(
        service,
        given.call,
        act=lambda calling: plans.plan(calling, project, request=request, planner=planner),
        again=lambda run: plans.planned(service, run, request=request, planner=planner),
        seen=Seen(project, given.version),
    )


def _create_project(service: "Service", given: Given) -> "Answer":
    def create(calling: "Service") -> "Answer":
        return projects.create(
            calling,
            given.text("name"),
            spec=given.text("spec"),
            repo=given.maybe("repo"),
            base=given.maybe("base"),
            title=given.maybe("title"),
        )

    return once(service, given.call, act=create, again=lambda project: projects.show(service, project))


def _update_project(service: "Service", given: Given) -> "Answer":
    name, fields = given.text("project"), given.fields("project")
    _refuse_nothing(fields, what="update_project")
    return projects.edit(service, name, changes=fields, expected_version=given.version, key=given.key)


def _create_task(service: "Service", given: Given) -> "Answer":
    project, document = given.text("project"), given.fields("project")
    return once(
        service,
        given.call,
        act=lambda calling: tasks.create(calling, project, document=document),
        again=lambda task: as_it_is(service, task),
        seen=Seen(project, given.version),
    )


def _update_task(service: "Service", given: Given) -> "Answer":
    name, fields = given.id("task"), given.fields("task")
    _refuse_nothing(fields, what="update_task")
    return tasks.edit(service, name, changes=fields, expected_version=given.version, key=given.key)


def _create_step(service: "Service", given: Given) -> "Answer":
    answer = steps.add(
        service,
        given.id("task"),
        document=given.fields("task", "position"),
        position=given.number("position"),
        expected_version=given.version,
        key=given.key,
    )
    made = max(_steps(answer), key=lambda step: _index(step["index"]))
    return {**answer, "step": made}


def _update_step(service: "Service", given: Given) -> "Answer":
    name, fields = given.id("step"), given.fields("step")
    _refuse_nothing(fields, what="update_step")
    answer = steps.edit(service, name, changes=fields, expected_version=given.version, key=given.key)
    return {**answer, "step": next(step for step in _steps(answer) if step["id"] == name)}


def _remove_step(service: "Service", given: Given) -> "Answer":
    name = given.id("step")
    return once(
        service,
        given.call,
        act=lambda calling: steps.remove(calling, name, expected_version=given.version),
        again=lambda task: as_it_is(service, task),
    )


def _reorder_steps(service: "Service", given: Given) -> "Answer":
    name, order = given.id("task"), given.texts("steps")
    return once(
        service,
        given.call,
        act=lambda calling: steps.reorder(calling, name, order=order, expected_version=given.version),
        again=lambda task: as_it_is(service, task),
    )


def _refuse_nothing(fields: "dict[str, Json]", *, what: str) -> None:
    if not fields:
        raise invalid([Problem("", "nothing to change was given", "at least one field")], what=f"the call of {what}")


def _steps(answer: "Answer") -> "list[dict[str, Json]]":
    task = answer["task"]
    found = task["steps"] if isinstance(task, dict) else None
    return [step for step in found if isinstance(step, dict)] if isinstance(found, list) else []


def _index(value: "Json") -> int:
    assert isinstance(value, int)
    return value
