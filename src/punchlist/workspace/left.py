"""What a process leaves in its work folder: found and read without being led out of it."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from punchlist.errors import DefinitionError
from punchlist.model.ids import Digest
from punchlist.model.jobs import Artifact

TEXT = 256 << 10
"""The most bytes of a text that expressions can read."""
LARGEST = 1 << 30
_CHUNK = 1 << 20
_MEGA = 1_000_000


class FolderLeft:
    """Files below a work folder. `state` is the engine's own folder, which holds nothing that a process may leave."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._kept = state / "artifacts"

    def read(self, work: Path, name: str, *, most: int) -> bytes:
        """Return what the file `name` in a work folder holds.

        Raises DefinitionError when it is not there, no regular file, outside of the folder, or has more than `most`
        bytes; a larger one is not read.
        """
        with self._opened(work, name) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > most:
                raise too_large(name, size=size, most=most)
            content = _read(descriptor, most + 1)
        if len(content) > most:
            raise too_large(name, size=len(content), most=most)
        return content

    def keep(self, work: Path, name: str, *, refuse: Callable[[Path], bool]) -> Artifact:
        """Keep a copy of a file under the hash of its content, and return what it is.

        Nothing is kept of a copy that `refuse` says must not be. Raises DefinitionError as `read` does.
        """
        self._kept.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=self._kept, prefix="new-")
        copy = Path(unfinished)
        try:
            with self._opened(work, name) as source, os.fdopen(descriptor, "wb") as target:
                sha256, size = _copied(source, target, name=name)
            if refuse(copy):
                hint = "Leave it out there: what is kept is shown to others."
                raise DefinitionError(f"{name!r} shows the value of a secret", hint=hint)
            text = _text(copy) if size <= TEXT else None
            copy.chmod(0o444)
            copy.replace(self._kept_as(sha256))
        finally:
            copy.unlink(missing_ok=True)
        return Artifact(path=name, sha256=sha256, size=size, text=text)

    def digest(self, work: Path, name: str) -> Digest | None:
        """Return the SHA-256 of a file as it is now; None where there is none that could be kept."""
        try:
            with self._opened(work, name) as descriptor:
                return _digest(descriptor)
        except DefinitionError:
            return None

    def holds(self, artifact: Artifact) -> bool:
        """Say whether the kept copy of an artifact is there, and is what it was."""
        try:
            with self._kept_as(artifact.sha256).open("rb") as file:
                return _digest(file.fileno()) == artifact.sha256
        except OSError:
            return False

    def _kept_as(self, sha256: Digest) -> Path:
        folder = self._kept / sha256[:2]
        folder.mkdir(exist_ok=True)
        return folder / sha256

    @contextmanager
    def _opened(self, work: Path, name: str) -> Generator[int]:
        path = self._found(work, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DefinitionError(f"{name!r} cannot be read: {error.strerror}", where=str(path)) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DefinitionError(f"{name!r} is no regular file", where=str(path))
            if Path(f"/proc/self/fd/{descriptor}").readlink() != path:  # something was moved meanwhile
                raise DefinitionError(f"{name!r} is not where it was a moment ago", where=str(path))
            yield descriptor
        finally:
            os.close(descriptor)

    def _found(self, work: Path, name: str) -> Path:
        """Return the path of a file without links in it; raises DefinitionError when it is not inside the folder."""
        folder = work.resolve()
        if not name or "\0" in name:
            raise DefinitionError(f"{name!r} is no path", hint="Name a file below the work folder.")
        try:
            path = (folder / name).resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links that lead to each other
            raise DefinitionError(
                f"there is no file {name!r}", where=str(folder / name), hint=f"Paths are looked up in {folder}."
            ) from None
        if not path.is_relative_to(folder):
            raise DefinitionError(f"{name!r} leads out of the work folder", where=str(path), hint=f"Allowed: {folder}")
        if path.is_relative_to(self._state.resolve()):
            work_folders = self._state.resolve() / "work"
            if not path.is_relative_to(work_folders) or not folder.is_relative_to(work_folders):
                raise DefinitionError(f"{name!r} is a file of the engine's own", where=str(path))
        return path


def _copied(source: int, target: IO[bytes], *, name: str) -> tuple[Digest, int]:
    """Copy a file to the disk; return the SHA-256 and the size of what was copied."""
    seen, size = hashlib.sha256(), 0
    while chunk := os.read(source, _CHUNK):
        size += len(chunk)
        if size > LARGEST:
            raise DefinitionError(f"{name!r} is larger than {LARGEST >> 30} GiB, too large to be kept")
        seen.update(chunk)
        target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    return Digest(seen.hexdigest()), size


def _digest(descriptor: int) -> Digest:
    seen = hashlib.sha256()
    while chunk := os.read(descriptor, _CHUNK):
        seen.update(chunk)
    return Digest(seen.hexdigest())


def _text(path: Path) -> str | None:
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def too_large(name: str, *, size: int, most: int) -> DefinitionError:
    """Return the refusal of an answer that is larger than a record may hold."""
    return DefinitionError(
        f"{name!r} has {size / _MEGA:.1f} MB; an answer holds at most {most >> 20} MiB",
        hint="Leave large values in a file, and name it under `artifacts:`.",
    )


def _read(descriptor: int, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (chunk := os.read(descriptor, min(most, _CHUNK))):
        parts.append(chunk)
        most -= len(chunk)
    return b"".join(parts)
