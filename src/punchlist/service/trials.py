"""Likely set-up and test commands of a project, found in its files and tried in a clean checkout of its base."""

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from punchlist.errors import PunchlistError
from punchlist.model.ids import AttemptId, ProjectId, Tree
from punchlist.model.jobs import Folder, Limits, Role
from punchlist.model.policy import Policy, size
from punchlist.service.recording import record_project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from punchlist.model.json import Json
    from punchlist.model.records import Project
    from punchlist.ports import Exit
    from punchlist.service.context import Say, Service


class _Commands(NamedTuple):
    setup: tuple[str, ...]
    path: tuple[str, ...]
    tests: tuple[str, ...]


_TIMEOUT = 600.0
_TAIL = 400


def detect(service: "Service", project: "Project", *, say: "Say") -> "Json":
    """Try likely set-up and test commands; set-up that worked is read into a project that has none."""
    try:
        tried = try_out(service, project, say=say)
    except PunchlistError as error:
        return {"setup": [], "path": [], "tests": [], "tried": [], "works": False, "problem": str(error)}
    setup, path = tried["setup"], tried["path"]
    if not project.setup and isinstance(setup, list) and isinstance(path, list) and setup:
        commands, folders = tuple(map(str, setup)), tuple(map(str, path))
        edited = msgspec.structs.replace(project, setup=commands, path=folders, version=project.version + 1)
        with service.store.write() as writer:
            record_project(writer, edited, before=project, service=service)
    return tried


def try_out(service: "Service", project: "Project", *, say: "Say") -> "dict[str, Json]":
    """Return what is likely to set up and test a project, and what came of trying it in a clean checkout.

    Shape: `{setup, path, tests, tried: [{command, exit_code, worked, tail}], works}`; `works` says whether the set-up
    and at least one test command ran to their end, green or red.
    """
    commit = service.workspace.base(project)
    tree = Tree(service.workspace.tree_of(project, commit))
    folder = Folder(place="exam", project=ProjectId(project.id), tree=tree)
    place = service.workspace.prepare(project, folder)
    likely = service.outside.detect(place)
    found = _Commands(project.setup or likely.setup, project.path or likely.path, likely.tests)
    if not found.tests and not found.setup:
        return {"setup": [], "path": [], "tests": [], "tried": [], "works": False}
    tried = asyncio.run(_try_all(service, found, place=place, project=project, say=say))
    worked = [str(each["command"]) for each in tried if each["worked"]]
    tests = [command for command in found.tests if command in worked]
    setup_works = all(command in worked for command in found.setup)
    results: list[Json] = [dict(each) for each in tried]
    return {
        "setup": [*found.setup] if setup_works else [],
        "path": [*found.path] if setup_works else [],
        "tests": [*tests],
        "tried": results,
        "works": setup_works and bool(tests),
    }


async def _try_all(
    service: "Service", found: "_Commands", *, place: "Path", project: "Project", say: "Say"
) -> "list[dict[str, Json]]":
    tried: list[dict[str, Json]] = []
    for command in found.setup:
        result = await _try(service, command, role=Role.SETUP, place=place, project=project, path=found.path, say=say)
        tried.append(result)
        if not result["worked"]:
            return tried
    for command in found.tests:
        result = await _try(service, command, role=Role.CHECK, place=place, project=project, path=found.path, say=say)
        tried.append(result)
        if result["worked"]:
            return tried
    return tried


async def _try(
    service: "Service",
    command: str,
    *,
    role: Role,
    place: "Path",
    project: "Project",
    path: "Sequence[str]",
    say: "Say",
) -> "dict[str, Json]":
    from punchlist.ports import Invocation, Launch
    from punchlist.quality.proof import cannot_run

    say(f"trying {command}")
    with service.store.write() as writer:
        attempt = AttemptId(f"A{writer.allocate('attempt')}")
    ended = await service.processes.run(
        Launch(
            attempt=attempt,
            role=role,
            invocation=Invocation(argv=("sh", "-c", command)),
            cwd=place,
            home=service.workspace.home(ProjectId(project.id)),
            limits=Limits(timeout=_TIMEOUT, output=size(Policy().output)),
            path=tuple(path),
        )
    )
    tail = _tail(ended)
    reason = cannot_run(ended.code, timed_out=ended.limit is not None, tail=tail)
    worked = not reason and ended.code is not None and (role is Role.CHECK or ended.code == 0)
    return {"command": command, "exit_code": ended.code, "worked": worked, "reason": reason, "tail": tail[-_TAIL:]}


def _tail(ended: "Exit") -> str:
    return (ended.stdout + ended.stderr).decode(errors="replace")
