"""What every verb is given: the workspace, who asks, and the ports, each opened when it is first needed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from punchlist.errors import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from punchlist.model.flow import Flow
    from punchlist.model.ids import Commit, ProjectId
    from punchlist.model.json import Json
    from punchlist.model.records import Project
    from punchlist.model.settings import Settings
    from punchlist.ports import Clock, Engine, Examined, Files, Ids, Leftovers, Processes, Store, Workspace, Writer

Say = Callable[[str], None]
"""Takes one line of progress."""
Answer = dict[str, "Json"]
"""What a verb returns: the JSON object that faces show, without `ok`."""

STATE = ".punchlist"
"""The folder of a workspace that holds everything but the settings."""


def quiet(_line: str) -> None:
    """Say nothing."""


class Waits(Protocol):
    """Who is told while a verb waits for the engine."""

    def __call__(self, line: str, /, *, left: str) -> AbstractContextManager[None]:
        """Wait within the block: `line` is worth saying when that takes long, `left` when a person ends it before."""
        ...


def untold(_line: str, /, *, left: str) -> AbstractContextManager[None]:  # noqa: ARG001 - nobody is told
    """Wait and tell nobody."""
    return nullcontext()


class Detected(Protocol):
    """Likely commands of a project: `path` goes before PATH, the best test command comes first."""

    @property
    def setup(self) -> tuple[str, ...]:
        """Commands that make a fresh checkout able to run the tests."""
        ...

    @property
    def path(self) -> tuple[str, ...]:
        """Folders of programs that set-up makes."""
        ...

    @property
    def tests(self) -> tuple[str, ...]:
        """Commands that run the tests."""
        ...


class LoadFlow(Protocol):
    """How a flow is loaded and checked; with `keep` what was checked may be written down for the next time."""

    def __call__(self, name: str, *, keep: bool = True) -> "Flow":
        """Return the flow; raises DefinitionError with every problem."""
        ...


class Calling(Protocol):
    """A call that is made once at most, under a key, and only for what is still at the version that was seen."""

    def commit(self, writer: "Writer", *, about: str) -> None:
        """Bind the call to the transaction in which it acts; `about` is what it makes or changes.

        Raises what refuses it, before anything of the transaction is done.
        """
        ...

    def go_on(self) -> None:
        """Go on after a transaction of this call: what it changed itself is no conflict."""
        ...


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """How to open each port; nothing is imported or opened before a verb needs it.

    `flow` loads a flow by the name of a built-in one or by file; `find_program` looks where workers are looked for;
    `examine` asks a worker's program about itself, if it can be asked; `head_branch` says what a repository has checked
    out; `detect` what is likely to set up and test a checkout; `commit_text` reads a commit of the engine's repository
    of a project; `known_base` tells the tip of its base branch without loading or starting git, where it can.
    `folder` is where the caller is.
    """

    store: "Callable[[], Store]"
    workspace: "Callable[[], Workspace]"
    engine: "Callable[[], Engine]"
    files: "Callable[[], Files]"
    processes: "Callable[[], Processes]"
    leftovers: "Callable[[], Leftovers]"
    settings: "Callable[[], Settings]"
    flow: "LoadFlow"
    find_program: Callable[[str], str | None]
    examine: "Callable[[str], Examined | None]"
    head_branch: Callable[[Path], str | None]
    detect: "Callable[[Path], Detected]"
    commit_text: "Callable[[ProjectId, Commit], str | None]"
    known_base: "Callable[[Project], Commit | None]"
    environment: Mapping[str, str]
    folder: Path


class Service(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One workspace, as one caller sees it. `person` is False inside an attempt and for tools' clients.

    With `calling` every change that is made through it belongs to that one call; `waits` tells a person of a long wait.
    """

    root: Path
    actor: str
    person: bool
    clock: "Clock"
    ids: "Ids"
    outside: Outside
    calling: "Calling | None" = None
    waits: Waits = untold

    @cached_property
    def store(self) -> "Store":
        """The workspace's state."""
        return self.outside.store()

    @cached_property
    def workspace(self) -> "Workspace":
        """Git and work folders."""
        return self.outside.workspace()

    @cached_property
    def engine(self) -> "Engine":
        """The engine's process."""
        return self.outside.engine()

    @cached_property
    def files(self) -> "Files":
        """The generated files."""
        return self.outside.files()

    @cached_property
    def processes(self) -> "Processes":
        """The output of attempts."""
        return self.outside.processes()

    @cached_property
    def leftovers(self) -> "Leftovers":
        """What finished work left on the disk."""
        return self.outside.leftovers()

    @cached_property
    def settings(self) -> "Settings":
        """The workspace's settings."""
        return self.outside.settings()

    def flow(self, name: str, *, keep: bool = True) -> "Flow":
        """Return a flow, checked: a built-in one by its name, or one in a file. Without `keep` nothing is written."""
        return self.outside.flow(name, keep=keep)

    @property
    def path(self) -> str:
        """PATH as it is here, for what a run starts."""
        return self.outside.environment.get("PATH", "")

    def now(self) -> str:
        """Return the present as records have it."""
        return stamp(self.clock.now())

    def committing(self, writer: "Writer", *, about: str) -> None:
        """Say that this transaction is the one that acts; raises what refuses the call that it is made for."""
        if self.calling is not None:
            self.calling.commit(writer, about=about)

    def require_person(self, verb: str) -> None:
        """Refuse what only a person may do when it is asked from inside an attempt or by a tool."""
        if not self.person:
            raise RefusedError(
                f"{verb} is for a person: it is refused to {self.actor}",
                hint="Ask the person who owns the workspace to type it in a terminal of their own.",
            )


def stamp(moment: "datetime") -> str:
    """Return a time as records have it: UTC, to the microsecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
