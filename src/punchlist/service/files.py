"""Verbs of generated files: whether they still say what state says, and how to make them say it again."""

import difflib
import re
from typing import TYPE_CHECKING

from punchlist.service.publishing import everything, published

if TYPE_CHECKING:
    from punchlist.service.context import Answer, Service

_GENERATED = re.compile(
    r"[a-z0-9][a-z0-9-]*/(project\.(md|json)|progress/(summary\.md|scoreboard\.json|trends\.json)"
    r"|tasks/T[0-9]+-[a-z0-9-]+/(task\.(md|json)|log\.md|events\.jsonl|steps/[0-9]{2,}-[a-z0-9-]+\.(md|json)))"
)
"""The names that generated files have: a file of another name is somebody's own, whatever folder it is in."""


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


def listing(service: "Service") -> list[str]:
    """Return the paths of all generated files, sorted."""
    return sorted(path for path in service.files.listing() if _GENERATED.fullmatch(path))


def content(service: "Service", path: str) -> bytes | None:
    """Return a generated file, brought up to date first; None when there is none of that path."""
    if _GENERATED.fullmatch(path) is None:
        return None
    published(service).flush()
    return service.files.read(path)


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
