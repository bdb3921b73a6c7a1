"""Verbs of generated files: whether they still say what state says, and how to make them say it again."""

import difflib
import re
from typing import TYPE_CHECKING

from punchlist.render.paths import PROJECT_FILES
from punchlist.service import lookup
from punchlist.service.publishing import everything, paths, published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service

_GENERATED = re.compile(
    r"(?P<project>[a-z0-9][a-z0-9-]*)/(project\.(md|json)|progress/(summary\.md|scoreboard\.json|trends\.json)"
    r"|tasks/(?P<task>T[0-9]+)-[a-z0-9-]+/(task\.(md|json)|log\.md|events\.jsonl|steps/[0-9]{2,}-[a-z0-9-]+\.(md|json)))"
)
"""The names that generated files have: a file of another name is somebody's own, whatever folder it is in."""
_AT_ONCE = 50
"""How many projects or tasks are asked for at once, most of which are listed."""


def check(service: "Service") -> "Answer":
    """Return every file that is not as state has it: `changed`, `missing`, or `extra`."""
    return {"drift": [{"path": path, "kind": kind} for path, kind in _drift(service, _wanted(service))]}


def write(service: "Service") -> "Answer":
    """Bring every file back to what state says, remove what does not belong, and return what was done."""
    wanted = _wanted(service)
    extra = [path for path, kind in _drift(service, wanted) if kind == "extra"]
    written = service.files.write(wanted)
    service.files.remove(extra)
    return {"written": list(written), "removed": [*extra]}


def diff(service: "Service") -> "Answer":
    """Return what `write` would change, as a patch from what is there to what state says."""
    wanted = _wanted(service)
    return {"diff": "".join(_patch(service, path, wanted=wanted.get(path)) for path, _ in _drift(service, wanted))}


def page(service: "Service", after: str | None = None, *, most: int) -> tuple[list[str], str | None]:
    """Return the paths of some generated files, and behind which project or task to go on, None at the end.

    First come the files of projects, then those of tasks, each of them whole: there are `most`, and a few more where
    the last one has many. What is only listed is neither looked for on the disk nor rendered.
    """
    listed: list[str] = []
    last = None
    with service.store.read() as reader:
        for owner, paths in _behind(reader, after):
            if len(listed) >= most:
                return listed, last
            listed += paths
            last = owner
    return listed, None


def content(service: "Service", path: str) -> bytes | None:
    """Return a generated file, brought up to date first; None when there is none of that path.

    One that somebody removed is written again: it is listed.
    """
    named = _GENERATED.fullmatch(path)
    if named is None:
        return None
    publisher = published(service)
    if named["task"] is None:  # only a project's own files are ever put off
        publisher.flush()
    found = service.files.read(path)
    if found is None:
        publisher.restore(project=named["project"], task=named["task"])
        found = service.files.read(path)
    return found


def _behind(reader: "Reader", after: str | None) -> "Iterator[tuple[str, list[str]]]":
    """Yield projects, then tasks, behind the one that `after` names, with the paths of their files."""
    number = 0
    if after is None or lookup.kind_of(after) == "project":
        project = after or ""
        while found := reader.project_ids(after=project, limit=_AT_ONCE):
            for project in found:
                yield project, [f"{project}/{name}" for name in PROJECT_FILES]
    else:
        lookup.check_kind(after, "task")
        number = int(after[1:])
    while names := reader.task_ids(after=number, limit=_AT_ONCE):
        for name in names:
            yield name, sorted(paths(lookup.task(reader, name).task))
        number = int(names[-1][1:])


def _wanted(service: "Service") -> dict[str, bytes]:
    published(service).flush()
    with service.store.read() as reader:
        return everything(reader)


def _drift(service: "Service", wanted: dict[str, bytes]) -> list[tuple[str, str]]:
    there = set(service.files.listing())
    found = [(path, "extra") for path in there - wanted.keys() if _GENERATED.fullmatch(path)]
    for path, content in wanted.items():
        have = service.files.read(path)
        if have != content:
            found.append((path, "missing" if have is None else "changed"))
    return sorted(found)


def _patch(service: "Service", path: str, *, wanted: bytes | None) -> str:
    have = (service.files.read(path) or b"").decode(errors="replace").splitlines(keepends=True)
    then = (wanted or b"").decode(errors="replace").splitlines(keepends=True)
    lines = difflib.unified_diff(have, then, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
