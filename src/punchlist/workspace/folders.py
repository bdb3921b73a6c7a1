"""Removing, comparing and writing below the work folders without ever following a link out of them."""

import contextlib
import fcntl
import hashlib
import itertools
import os
import stat
from collections.abc import Callable, Collection, Generator
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from punchlist.errors import StoreError
from punchlist.model.json import decode
from punchlist.sharing import file_mode

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Record = TypeVar("_Record")
_FOLDER_MODE = 0o755


def storing(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn an OSError that leaves `function` into a StoreError that names the file."""

    @wraps(function)
    def translated(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except OSError as exc:
            raise StoreError(str(exc.strerror or exc), where=str(exc.filename or "")) from exc

    return translated


@contextlib.contextmanager
def locked(path: Path) -> Generator[int]:
    """Hold the lock of the file at `path`, waiting for it; yields the descriptor that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, file_mode(path.parent))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """Replace what is at `path` by this file, whole or not at all; a link there is replaced, not followed."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    wipe(beside)
    with beside.open("xb") as file:
        file.write(content)
    if is_folder(path):
        wipe(path)
    beside.replace(path)


def save(path: Path, record: msgspec.Struct) -> None:
    """Write a record as JSON."""
    write(path, msgspec.json.encode(record))


def load(path: Path, kind: type[_Record]) -> _Record | None:
    """Read a record; None when there is none, or what is there is not one: its owner makes it anew."""
    try:
        return decode(path.read_bytes(), kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def is_folder(path: Path) -> bool:
    """Say whether a folder itself stands at `path`, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def make_folder(path: Path) -> None:
    """Make sure that a folder of ours stands at `path`; a file or link in its place is removed."""
    if not is_folder(path):
        wipe(path)
        path.mkdir(parents=True)


def wipe(path: Path) -> None:
    """Remove whatever is at `path`: read-only folders, links (not what they point to), nesting of any depth."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        path.unlink()
        return
    _empty(path)
    path.rmdir()


def wipe_all(folder: Path) -> None:
    """Remove what is in a folder, if it is there, one after the other; what comes in meanwhile may stay."""
    if is_folder(folder):
        for name, _ in _entries(folder):
            wipe(folder / name)


def sweep(root: Path, *, files: Collection[str], folders: Collection[str], keep: Callable[[str, bool], bool]) -> None:
    """Remove all below `root` but `files`, the `folders` that hold them and what `keep(path, is_folder)` spares.

    Afterwards every folder of `folders` that exists is a real, writable folder. `.git` at the root is left alone.
    """
    pending = [""]
    while pending:
        inside = pending.pop()
        for name, real in _entries(root / inside):
            path = f"{inside}/{name}" if inside else name
            if path == ".git":
                continue
            if real and path in folders:
                pending.append(path)
            elif not keep(path, real) and (real or path not in files):
                wipe(root / path)


def fingerprint(folder: Path) -> str:
    """Return a hash of names, kinds, inodes, sizes and times below `folder`; any write into it changes it."""
    seen = hashlib.sha256()
    pending = [folder]
    while pending:
        here = pending.pop()
        with os.scandir(here) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                facts = entry.stat(follow_symlinks=False)
                times = (facts.st_mtime_ns, facts.st_ctime_ns) if not stat.S_ISDIR(facts.st_mode) else ()
                seen.update(
                    repr((entry.path, facts.st_mode, facts.st_ino, facts.st_size, times)).encode(errors="replace")
                )
                if stat.S_ISDIR(facts.st_mode):
                    pending.append(Path(entry.path))
    return seen.hexdigest()


def remove_locks(git_dir: Path) -> None:
    """Remove the locks that a killed git left in a clone's git directory."""
    pending = [git_dir]
    while pending:
        here = pending.pop()
        for name, real in _entries(here):
            if real and (here, name) != (git_dir, "objects"):
                pending.append(here / name)
            elif not real and name.endswith(".lock"):
                (here / name).unlink()


def open_up(root: Path) -> None:
    """Make every file and folder below `root` readable to its owner again."""
    pending = [root]
    while pending:
        here = pending.pop()
        for name, real in _entries(here):
            path = here / name
            if real:
                pending.append(path)
            elif stat.S_ISREG(mode := path.lstat().st_mode) and not mode & stat.S_IRUSR:
                path.chmod(stat.S_IMODE(mode) | stat.S_IRUSR)


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """List a folder's names, and whether each is a real folder; the folder is made usable first."""
    mode = folder.lstat().st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        folder.chmod(_FOLDER_MODE)
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]


def _empty(folder: Path) -> None:
    """Empty a folder; nested ones are first moved to the top, so that no depth is too deep for a path."""
    names = itertools.count()
    pending = [folder]
    while pending:
        here = pending.pop()
        for name, real in _entries(here):
            if not real:
                (here / name).unlink()
                continue
            moved = next(
                path for path in (folder / f".wiped-{number}" for number in names) if not os.path.lexists(path)
            )
            (here / name).chmod(stat.S_IRWXU)
            (here / name).rename(moved)
            pending.append(moved)
        if here != folder:
            here.rmdir()
