"""Flows by name or file: found, read, checked, and kept compiled; and the verb that only checks them."""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from punchlist import __version__
from punchlist.errors import DefinitionError, Problem
from punchlist.model.flow import Flow
from punchlist.model.json import decode, encode
from punchlist.service import inputs

if TYPE_CHECKING:
    from punchlist.flow.files import Read
    from punchlist.model.json import Json
    from punchlist.service.context import Answer, Service

_OF_TASKS = ("prove", "deliver")


def named_from(folder: Path, flow: str) -> str:
    """Return a file's path, independent of the current folder, and the name of a built-in flow as it is."""
    file = folder / flow
    return str(file.absolute()) if "/" in flow or flow.endswith((".yaml", ".yml")) or file.is_file() else flow


class Flows(msgspec.Struct, frozen=True, kw_only=True):
    """Where flows are: built-in ones in `data`, a workspace's own below `root`, files from `start` on.

    Checking a flow takes longer than all else that a verb does: what was checked is kept in `cache` by the digest of
    its text. A flow that names other files is checked each time.
    """

    data: Path
    root: Path
    start: Path
    cache: Path

    def load(self, name: str, *, keep: bool = True) -> Flow:
        """Return a flow: a file, the workspace's own of that name, or a built-in one. Raises DefinitionError.

        Without `keep` nothing is written, as a dry run promises.
        """
        path = self.path(name)
        text = inputs.text_file(path, what="flow")
        shown = str(path.relative_to(self.root)) if path.is_relative_to(self.root) else path.name
        digest = hashlib.sha256(f"{__version__}\0{shown}\0{text}".encode()).hexdigest()
        kept = self.cache / f"{digest}.json"
        return _kept(kept) or self._checked(text, path, shown=shown, kept=kept if keep else None)

    def names(self) -> list[str]:
        """Return the names of the built-in flows."""
        return sorted(path.stem for path in self.data.glob("*.yaml"))

    def own(self) -> list[str]:
        """Return the names of the workspace's own flows."""
        return sorted(path.stem for path in (self.root / "flows").glob("*.yaml"))

    def built_in(self, name: str) -> str:
        """Return the text of a flow by its name, the workspace's own or a built-in one; raises KeyError."""
        path = self._named(name)
        if path is None:
            raise KeyError(name)
        return path.read_text(encoding="utf-8")

    def text(self, name: str) -> str:
        """Return the text of a flow, by its name or its path. Raises DefinitionError."""
        return inputs.text_file(self.path(name), what="flow")

    def path(self, name: str) -> Path:
        """Return where a flow is, by its name or its path. Raises DefinitionError for a name that there is not."""
        if "/" in name or name.endswith((".yaml", ".yml")):
            return self.start / name
        path = self._named(name)
        if path is not None:
            return path
        known = ", ".join(self.names())
        hint = f"To run a file, give its path: ./{name}.yaml"
        raise DefinitionError(f"there is no flow {name!r}; built in are: {known}", where=name, hint=hint)

    def _named(self, name: str) -> Path | None:
        if "/" in name:
            return None
        own, shipped = self.root / "flows" / f"{name}.yaml", self.data / f"{name}.yaml"
        return next((path for path in (own, shipped) if path.is_file()), None)

    def _checked(self, text: str, path: Path, *, shown: str, kept: Path | None) -> Flow:
        from punchlist.flow.parse import parse_flow

        others: list[str] = []
        beside = reader(path.parent, built_in=self.built_in)

        def read(name: str) -> str:
            others.append(name)
            return beside(name)

        flow = parse_flow(text, source=shown, read=read)
        if kept is not None and not others:
            _keep(kept, flow)
        return flow


def check_ahead(service: "Service") -> None:
    """Check and keep the flows that a first task goes through, so that `task create` and `task start` answer at once.

    What is wrong with one of the workspace's own is said by the verb that needs it.
    """
    for name in _OF_TASKS:
        with contextlib.suppress(DefinitionError):
            service.flow(name)


def validate(paths: Sequence[Path], *, built_in: "Read") -> "Answer":
    """Return each flow's errors and warnings with their places; a flow without errors is sound.

    `built_in` gives the text of a built-in flow: one that another one calls, or that is named in place of a file.
    """
    return {"flows": [_checked(path, built_in) for path in paths]}


def _found(path: Path, built_in: "Read") -> tuple[Path, str]:
    """Return where a flow is and its text: a file, or by its name one of the workspace's own or a built-in one."""
    if path.suffix in {".yaml", ".yml"} or path.exists():
        return path, inputs.text_file(path, what="flow")
    own = path.parent / "flows" / f"{path.name}.yaml"
    if own.is_file():
        return own, inputs.text_file(own, what="flow")
    try:
        return path, built_in(path.name)
    except KeyError:
        raise DefinitionError(
            f"there is no file, and no flow {path.name!r}",
            where=str(path),
            hint="A file is given by its path, such as ./build.yaml; a built-in flow by its name, such as deliver",
        ) from None


def reader(folder: Path, *, built_in: "Read") -> "Read":
    """Return what reads the files that a flow in `folder` names: those beside it, else the built-in ones."""

    def read(name: str) -> str:
        path = folder / name
        if "/" not in name and not path.is_file():
            return built_in(name)
        return path.read_text(encoding="utf-8")

    return read


def _kept(path: Path) -> Flow | None:
    try:
        return decode(path.read_bytes(), Flow)
    except (OSError, msgspec.MsgspecError):
        return None


def _keep(path: Path, flow: Flow) -> None:
    """Keep a checked flow for the next time; where that cannot be written it is checked again then."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(encode(flow))
        unfinished.replace(path)
    except OSError:
        return


def _checked(path: Path, built_in: "Read") -> "dict[str, Json]":
    from punchlist.flow.parse import parse_flow

    warnings: list[Problem] = []
    problems: Sequence[Problem] = ()
    try:
        place, text = _found(path, built_in)
        parse_flow(text, source=str(place), read=reader(place.parent, built_in=built_in), warn=warnings.append)
    except DefinitionError as error:
        problems = error.problems or (Problem(error.where, error.message, hint=error.hint),)
    return {
        "path": str(path),
        "errors": [_error(each) for each in problems],
        "warnings": [_error(each) for each in warnings],
    }


def _error(problem: Problem) -> "dict[str, Json]":
    file, line, column = _place(problem.where)
    message = f"{problem.message}; allowed: {problem.allowed}" if problem.allowed else problem.message
    return {"file": file, "line": line, "column": column, "message": message, "hint": problem.hint}


def _place(where: str) -> tuple[str, int, int]:
    """Return file, line and column of `file:line:column`; what has no place is at the file's beginning."""
    file, _, rest = where.partition(":")
    parts = where.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():  # noqa: PLR2004 - file, line, column
        return parts[0], int(parts[1]), int(parts[2])
    return (file if rest else where), 1, 1
