"""Verbs of projects: create, list, show, edit."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import ConflictError, DefinitionError, Problem, RefusedError, invalid
from punchlist.model.ids import SLUG, ProjectId, slug
from punchlist.model.parse import parse, shaped
from punchlist.model.parts import Part, in_order
from punchlist.model.records import Project, ProjectFile
from punchlist.render import shapes
from punchlist.service import lookup, publishing, terms, trials
from punchlist.service.context import quiet
from punchlist.service.recording import record_project
from punchlist.service.repeating import Repeatable

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.model.state import TaskState
    from punchlist.service.context import Answer, Say, Service

replace = msgspec.structs.replace
_SHOWN = 80


def create(
    service: "Service",
    name: str,
    *,
    spec: str = "",
    repo: str | None = None,
    base: str | None = None,
    title: str | None = None,
    key: str | None = None,
    say: "Say" = quiet,
) -> "Answer":
    """Make a project; without `repo` it gets a repository of its own. `[projects.NAME]` of settings is read into it.

    Raises DefinitionError for a name that is no slug, a repository that is not there or has no commits or no `base`.
    """
    said = {"spec": spec, "repo": repo, "base": base, "title": title}
    given: dict[str, Json] = {key: value for key, value in said.items() if value}
    shown = _shortened(name)
    file = shaped(ProjectFile, given).record
    if file is None or re.fullmatch(SLUG, name) is None:
        raise invalid(creation_problems(service, name, said=given), what=f"project {shown!r}")
    call = Repeatable(key, "project create", {"name": name, **said})
    with service.store.read() as reader:
        known = call.answered(reader)
        if isinstance(known, dict):
            return known
        _refuse_taken(name, reader.project(ProjectId(name)))
    project = _made(service, name, file=file)
    own = project.repo == _own_repository(name)
    left = 0 if own else _looked_at(service, project, say=say)
    with service.store.write() as writer:
        known = call.answered(writer)
        if isinstance(known, dict):
            return known
        service.committing(writer, about=name)
        _refuse_taken(name, writer.project(ProjectId(name)))
        if own:  # here, where of several at one time one makes it
            fresh = service.workspace.create_repository(service.root / project.repo)
            left = _looked_at(service, project, say=say, fresh=fresh)
        made = record_project(writer, project, before=None, service=service)
        answer: Answer = {"project": shapes.project(made), "detected": None, "uncommitted": left}
        call.keep(writer, answer)
    if repo is not None:
        answer = {**answer, "detected": trials.detect(service, made, say=say)}
    publishing.refresh_project(service, name)
    service.engine.announce()
    return {**answer, **show(service, name)} if repo is not None else answer


def listing(service: "Service") -> "Answer":
    """Return all projects."""
    with service.store.read() as reader:
        return {"projects": [shapes.project(each) for each in reader.projects()]}


def show(service: "Service", project: str | None = None) -> "Answer":
    """Return one project."""
    with service.store.read() as reader:
        return {"project": shapes.project(lookup.project(reader, project))}


def edit(
    service: "Service",
    project: str | None = None,
    *,
    changes: "dict[str, Json] | None" = None,
    expected_version: int | None = None,
    key: str | None = None,
) -> "Answer":
    """Change a project by the fields of `changes`; `[projects.ID]` of the settings is read into it first.

    What says where work goes and what runs there is for a person to change: open proposals are withdrawn by it. Raises
    RefusedError for another repository or base while tasks that were approved for the present one are not over.
    """
    with service.store.read() as reader:
        name = lookup.project(reader, project).id
    terms.require_person(service, name, fields=changes or {})
    file = parse(ProjectFile, changes or {}, what=f"the change of project {name}")
    arguments: dict[str, Json] = {"project": name, "changes": changes or {}, "expected_version": expected_version}
    call = Repeatable(key, "project edit", arguments)
    with service.store.write() as writer:
        known = call.answered(writer)
        if isinstance(known, dict):
            return known
        before = lookup.project(writer, name)
        check_version(before, expected=expected_version)
        edited = _overlaid(before, _configured(service, name), file)
        edited = replace(edited, repo=_inside(service.root, edited.repo))
        drafts: list[TaskState] = []
        asked = False
        if edited != before:
            terms.refuse_displacing(writer, before, after=edited)
            service.workspace.base(edited)
            edited = replace(edited, version=before.version + 1)
            edited = record_project(writer, edited, before=before, service=service)
            drafts, asked = terms.withdraw(service, writer, before=before, after=edited)
        answer: Answer = {"project": shapes.project(edited)}
        call.keep(writer, answer)
    publishing.refresh(service, drafts)
    publishing.refresh_project(service, name)
    service.engine.announce()
    if asked:
        service.engine.wake()
    return answer


def creation_problems(service: "Service", name: str, *, said: "dict[str, Json]") -> list[Problem]:
    """Return all that is wrong with a project that is to be made: its name, its fields, and its repository."""
    given: dict[str, Json] = {key: value for key, value in said.items() if value}
    shape = shaped(ProjectFile, given)
    made = Project(id=slug(name), title="new", spec="", repo="", base="")
    repository = _baseless(service, made, said=shape.part)
    found = [each._replace(hint=_at_creation(each.hint, made)) for each in repository]
    return in_order([*shape.problems, *_misnamed(name), *found], {"name": name, **said})


def change_problems(service: "Service", name: str, *, changes: "dict[str, Json]") -> list[Problem]:
    """Return all that is wrong with the fields that a project is to have, and with the repository that it has then."""
    shape = shaped(ProjectFile, changes)
    with service.store.read() as reader:
        before = reader.project(ProjectId(name))
    project = before or Project(id=slug(name), title="unknown", spec="", repo="", base="")
    return in_order([*shape.problems, *_baseless(service, project, said=shape.part)], changes)


def _baseless(service: "Service", project: Project, *, said: Part) -> list[Problem]:
    """Return why a project would have no base, were its repository or its base what is said; without either nothing."""
    repo, base = said.field("repo").text, said.field("base").text
    if repo is None and (base is None or not project.repo):
        return []
    path = project.repo if repo is None else _inside(service.root, repo)
    base = base or project.base or service.outside.head_branch(service.root / path) or "main"
    return [*service.workspace.base_problems(replace(project, repo=path, base=base))]


def _shortened(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}… ({len(name)} characters)"


def _misnamed(name: str) -> Iterator[Problem]:
    """Yield the problem of a name that is no slug, saying the slug that it could be."""
    if re.fullmatch(SLUG, name) is None:
        yield Problem(
            "name",
            f"{_shortened(name)!r} is not a project's name",
            "lower-case letters, digits and hyphens, at most 60",
            f"Try: {slug(name)} (a title may be anything: --title)",
        )


def _refuse_taken(name: str, project: Project | None) -> None:
    if project is not None:
        raise RefusedError(
            f"there is a project {name} already", where=name, hint=f"To change it: punchlist project edit {name}"
        )


def _made(service: "Service", name: str, *, file: ProjectFile) -> Project:
    made = Project(id=name, title=name, spec="", repo=_own_repository(name), base="")
    project = _overlaid(made, _configured(service, name), file)
    if project.repo != made.repo:
        project = replace(project, repo=_inside(service.root, project.repo))
    return (
        project
        if project.base
        else replace(project, base=service.outside.head_branch(service.root / project.repo) or "main")
    )


def _own_repository(name: str) -> str:
    return f"repos/{name}"


def _looked_at(service: "Service", project: Project, *, say: "Say", fresh: bool = False) -> int:
    """Return how many changes are not committed; raises DefinitionError for a repository without the base branch.

    In a `fresh` repository, made a moment ago, there are none.
    """
    say(f"looking at the repository {project.repo}")
    try:
        service.workspace.base(project)
    except DefinitionError as error:  # there is no project to edit yet
        error.hint = _at_creation(error.hint, project)
        error.problems = tuple(each._replace(hint=_at_creation(each.hint, project)) for each in error.problems)
        raise
    left = 0 if fresh else service.workspace.uncommitted(project)
    if left:
        seen = "1 change is not in the base: it is" if left == 1 else f"{left} changes are not in the base: they are"
        say(f"{seen} not committed")
    return left


def _at_creation(hint: str, project: Project) -> str:
    """Return a hint for a project that is not there yet."""
    return hint.replace(f"project edit {project.id} ", f"project create {project.id} ")


def _inside(root: Path, repo: str) -> str:
    """Return a repository's path as the record has it: relative to the workspace where it is inside, else absolute."""
    path = (root / repo).resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _configured(service: "Service", name: str) -> ProjectFile:
    return service.settings.projects.get(name, ProjectFile())


def _overlaid(project: Project, *files: ProjectFile) -> Project:
    for file in files:
        said = {name: value for name in file.__struct_fields__ if (value := getattr(file, name)) is not None}
        project = replace(project, **said)
    return project


def check_version(project: Project, *, expected: int | None) -> None:
    """Raise ConflictError when a project is not at version `expected`."""
    if expected is not None and expected != project.version:
        raise ConflictError(
            f"project {project.id} is at version {project.version}, and the change was made for version {expected}",
            hint=f"Read it again (punchlist project show {project.id}), then repeat the change.",
        )
