"""What finished work leaves in the state folder: measured, and removed."""

import os
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from punchlist.errors import StoreError
from punchlist.model.ids import AttemptId, ProjectId
from punchlist.workspace.folders import is_folder, storing, wipe
from punchlist.workspace.git import Git
from punchlist.workspace.repository import Repository

_ATTEMPT = re.compile(r"A[1-9][0-9]*")
_KEPT = ("attempts", "trees")
_OLD_FILES = ("engine.log.1", "outbox.jsonl.1")
_UNUSED = "2.weeks.ago"
"""Age of objects that may go: far more than what work under way has written and not referred to yet."""


class StateLeftovers:
    """Implements `ports.Leftovers` below `state`, beside an engine at work: refs go under their repository's lock."""

    def __init__(self, state: Path, environ: Mapping[str, str]) -> None:
        self._state = state
        self._git = Git(environ)

    @storing
    def attempts(self) -> dict[AttemptId, int]:
        """Return the attempts that have a folder, each with the bytes in it."""
        folder = self._state / "attempts"
        return {AttemptId(name): _size(folder / name) for name in _names(folder) if _ATTEMPT.fullmatch(name)}

    @storing
    def remove_attempt(self, attempt: AttemptId) -> None:
        """Remove the folder of an attempt that is over."""
        wipe(self._state / "attempts" / attempt)

    @storing
    def works(self) -> dict[str, int]:
        """Return what has work folders, each with the bytes in them."""
        folder = self._state / "work"
        found = [name for name in _names(folder) if not name.startswith(".") and is_folder(folder / name)]
        return {name: _size(folder / name) for name in found}

    @storing
    def old_files(self) -> dict[str, tuple[int, datetime]]:
        """Return what the engine's log and the outbox were before, with their bytes and when they were last written."""
        there = [name for name in _names(self._state) if name in _OLD_FILES]
        found = {name: os.lstat(self._state / name) for name in there}
        return {
            name: (seen.st_blocks * 512, datetime.fromtimestamp(seen.st_mtime, UTC)) for name, seen in found.items()
        }

    @storing
    def remove_old_file(self, name: str) -> None:
        """Remove one of these."""
        if name in _OLD_FILES:
            wipe(self._state / name)

    @storing
    def refs(self, project: ProjectId) -> frozenset[str]:
        """Return what keeps snapshots and trees in the engine's repository."""
        repository = self._repository(project)
        if not repository.exists:
            return frozenset()
        named = [f"refs/{each}" for each in _KEPT]
        ran = self._git.run(["for-each-ref", "--format=%(refname)", *named], at=repository.at)
        return frozenset(line.removeprefix("refs/") for line in ran.text.splitlines())

    @storing
    def drop(self, project: ProjectId, refs: Collection[str]) -> int:
        """Remove refs, and what nothing refers to any more; refs stay files of their own, as others look for them."""
        repository = self._repository(project)
        before = _size(repository.path)
        lines = "".join(f"delete refs/{name}\n" for name in sorted(refs)).encode()
        with repository.lock() as descriptor:
            self._git.run(["update-ref", "--stdin"], at=repository.at, stdin=lines, hold=(descriptor,))
        self._git.run(["-c", "gc.packRefs=false", "gc", "--quiet", f"--prune={_UNUSED}"], at=repository.at)
        return max(before - _size(repository.path), 0)

    def _repository(self, project: ProjectId) -> Repository:
        return Repository(self._git, self._state / "git" / f"{project}.git")


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names alone, of very many
    except FileNotFoundError:
        return []
    except NotADirectoryError as error:
        raise StoreError("it is no folder", where=str(folder)) from error


def _size(path: Path) -> int:
    """Return the bytes that files below a folder take on the disk; what comes and goes meanwhile is passed over."""
    total, pending = 0, [path]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total
