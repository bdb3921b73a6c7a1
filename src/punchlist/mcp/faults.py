"""What is wrong with an orchestrator's call by what there is in its workspace: names of nothing, and documents."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import DefinitionError, Problem, PunchlistError
from punchlist.mcp.given import Given
from punchlist.mcp.tool import Arguments, Tool
from punchlist.model.ids import ProjectId
from punchlist.model.settings import worker_names
from punchlist.service import changes, faults, lookup, projects, tasks

if TYPE_CHECKING:
    from punchlist.ports import Reader
    from punchlist.service.context import Service

_LOOKED_UP: "Mapping[str, Callable[[Reader, str], object]]" = {
    "project": lookup.project,
    "task": lookup.task,
    "step": lookup.step,
    "run": lookup.run,
    "gate": lookup.gate,
    "attempt": lookup.attempt,
    "finding": lookup.finding,
}
_NAMED_OTHERWISE = {("list_tasks", "after"): "task", ("list_gates", "ask"): "gate"}
"""Arguments that hold an id, and are not called by its noun."""


def looked_over(tools: Collection[Tool], service: "Callable[[], Service]") -> list[Tool]:
    """Return tools that tell what else is wrong with a call, by what there is in the workspace of `service`."""

    def over(tool: Tool) -> Tool:
        def found(arguments: Arguments) -> list[Problem]:
            given = Given(arguments, tool=tool.name)
            written = _WRITTEN.get(tool.name, _nothing)
            named = _named(service(), given, names=arguments)
            return [*named, *_key(given), *written(service(), given)]

        return msgspec.structs.replace(tool, faults=found)

    return [over(tool) for tool in tools]


def _named(service: "Service", given: Given, *, names: Iterable[str]) -> Iterator[Problem]:
    """Yield the problem of each id in a call that is of something else, or of nothing."""
    with service.store.read() as reader:
        for name in names:
            noun = _NAMED_OTHERWISE.get((given.tool, name), name)
            if noun not in _LOOKED_UP or given.maybe(name) is None:
                continue
            try:
                _LOOKED_UP[noun](reader, given.id(name, of=noun))
            except PunchlistError as error:
                yield from error.problems or (Problem(name, error.message, hint=error.hint),)


def _key(given: Given) -> Sequence[Problem]:
    try:
        _ = given.key
    except DefinitionError as error:
        return error.problems
    return ()


def _nothing(_service: "Service", _given: Given) -> list[Problem]:
    return []


def _new_project(service: "Service", given: Given) -> list[Problem]:
    name = given.text("name")
    with service.store.read() as reader:
        taken = [] if not name or reader.project(ProjectId(name)) is None else [_taken(name)]
    return [*taken, *projects.creation_problems(service, name, said=given.fields("name"))]


def _taken(name: str) -> Problem:
    return Problem("name", f"there is a project {name} already", "another name")


def _planner(service: "Service", given: Given) -> list[Problem]:
    planner, known = given.maybe("planner"), worker_names(service.settings)
    unknown = planner is not None and planner not in known
    return [Problem("planner", f"there is no worker {planner!r}", ", ".join(known))] if unknown else []


_WRITTEN: "Mapping[str, Callable[[Service, Given], list[Problem]]]" = {
    "wait_for": lambda service, given: changes.problems_of(service, given.texts("ids"), states=given.texts("states")),
    "list_tasks": lambda _, given: tasks.state_problems(given.texts("status")),
    "plan_project": _planner,
    "create_project": _new_project,
    "update_project": lambda service, given: projects.change_problems(
        service, given.text("project"), changes=given.fields("project")
    ),
    "create_task": lambda service, given: faults.of_new_task(
        service, given.text("project"), document=given.fields("project")
    ),
    "update_task": lambda service, given: faults.of_task_change(
        service, given.text("task"), changes=given.fields("task")
    ),
    "create_step": lambda service, given: faults.of_new_step(
        service,
        given.text("task"),
        document=given.fields("task", "position"),
        position=given.number("position"),
    ),
    "update_step": lambda service, given: faults.of_step_change(
        service, given.text("step"), changes=given.fields("step")
    ),
}
"""What is wrong with what a tool is given, beside its names: mostly what it is to write down."""
