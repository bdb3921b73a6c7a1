"""Whether a folder must be set up, and what set-up made there.

A stamp is a hash of the commands, of the folder's path, and of the files that decide what the commands do: every word
of a command that is a file of the folder, and for known tools the files that they read unasked (`_READS`).
"""

import hashlib
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from punchlist.errors import RefusedError
from punchlist.ports import SetupNeed
from punchlist.workspace.folders import is_folder, write
from punchlist.workspace.places import Place, SetupRecord
from punchlist.workspace.repository import Repository
from punchlist.workspace.rules import caches
from punchlist.workspace.snapshots import shown

_PYTHON = ("pyproject.toml", "setup.cfg", "setup.py")
_NODE = ("package.json", "package-lock.json", "npm-shrinkwrap.json")
_READS = {
    "pip": (*_PYTHON, "requirements.txt"),
    "uv": (*_PYTHON, "uv.lock"),
    "poetry": ("pyproject.toml", "poetry.lock"),
    "pdm": ("pyproject.toml", "pdm.lock"),
    "pipenv": ("Pipfile", "Pipfile.lock"),
    "hatch": ("pyproject.toml",),
    "tox": (*_PYTHON, "tox.ini"),
    "nox": (*_PYTHON, "noxfile.py"),
    "npm": _NODE,
    "yarn": ("package.json", "yarn.lock"),
    "pnpm": ("package.json", "pnpm-lock.yaml"),
    "bun": ("package.json", "bun.lock", "bun.lockb"),
    "cargo": ("Cargo.toml", "Cargo.lock"),
    "go": ("go.mod", "go.sum"),
    "bundle": ("Gemfile", "Gemfile.lock"),
    "composer": ("composer.json", "composer.lock"),
    "make": ("Makefile", "GNUmakefile", "makefile"),
    "mvn": ("pom.xml",),
}


def named_files(commands: Sequence[str]) -> set[str]:
    """Return the relative paths that may decide what the commands do, whether they exist or not."""
    found: set[str] = set()
    for command in commands:
        words = {
            part for word in _words(command) for part in (word, word.partition("=")[2], re.sub(r"\[.*\]$", "", word))
        }
        found |= {word.removeprefix("./") for word in words if word and not word.startswith(("-", "/", "~"))}
        tools = {Path(word).name for word in words}
        for tool, reads in _READS.items():
            found.update(reads if any(name == tool or re.fullmatch(tool + r"[0-9.]+", name) for name in tools) else ())
    return {path for path in found if ".." not in path.split("/")}


def stamp_of(place: Place, commands: Sequence[str]) -> str:
    """Return the stamp of a folder as it is now."""
    seen = hashlib.sha256(repr((str(place.root), tuple(commands))).encode())
    for path in sorted(named_files(commands)):
        if (content := _content(place.root / path)) is not None:
            seen.update(repr((path, content)).encode())
    return seen.hexdigest()


def setup_need(repository: Repository, place: Place, *, commands: Sequence[str]) -> SetupNeed:
    """Say whether the commands must run; when they must, what is there before them is noted.

    A set-up that failed, or was killed, leaves the note of what was there before its first try.
    """
    if not commands:
        return SetupNeed(needed=False, stamp="")
    stamp, record = stamp_of(place, commands), place.setup
    if not record.pending and stamp in record.stamps and all(_exists(place.root / path) for path in record.made):
        return SetupNeed(needed=False, stamp=stamp)
    if not record.pending:
        made = [path for path in record.made if _exists(place.root / path)]
        before = set(_untracked(repository, place)) - set(made)
        place.save_setup(SetupRecord(pending=True, before=tuple(sorted(before)), made=tuple(made)))
    return SetupNeed(needed=True, stamp=stamp)


def setup_done(repository: Repository, place: Place, *, stamp: str) -> None:
    """Note that set-up ended well for `stamp`, and what it made since `setup_need`."""
    record = place.setup
    made = {path for path in (*record.made, *_untracked(repository, place)) if path not in record.before}
    kept = tuple(sorted(path for path in made if _exists(place.root / path)))
    place.save_setup(SetupRecord(stamps=(stamp,), made=kept))


def settle(place: Place, commands: Sequence[str]) -> None:
    """Take the folder as it is now for set up, too: a set-up may rewrite a file that it reads, such as a lock file."""
    record = place.setup
    place.save_setup(msgspec.structs.replace(record, stamps=(*record.stamps, stamp_of(place, commands))))


def _untracked(repository: Repository, place: Place) -> Iterable[str]:
    """List what the folder holds beside the files of its index: whole folders end in "/".

    Stale caches are left out, and names that are not UTF-8: no record could hold them.
    """
    if not is_folder(place.root):
        raise RefusedError("the work folder was not prepared", where=str(place.root))
    rules = place.beside("rules")
    write(rules, b"".join(b"%s/\n" % name.encode() for name in sorted(caches().stale)))
    command = ["ls-files", "-z", "--others", "--directory", "--no-empty-directory", f"--exclude-from={rules}"]
    found = repository.git.run(command, at=place.at(repository.path), failure=RefusedError).records
    return [path for path in found if shown(path) == path]


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=False)
    except ValueError:
        return command.split()


def _content(path: Path) -> str | None:
    """Return a hash of a regular file; a link counts by where it points."""
    try:
        if path.is_symlink():
            return f"-> {path.readlink()}"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    except (OSError, ValueError):
        return None


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()
