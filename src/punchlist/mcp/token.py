"""The token of a server that is reached over HTTP: one for each role, kept where only its owner can read it."""

import os
import stat
from pathlib import Path

from punchlist import wiring
from punchlist.errors import RefusedError, StoreError

_SHORTEST = 32
_LONGEST = 4096
_OPEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def token_file(state: Path, role: str) -> Path:
    """Return where the token of a role is kept."""
    return state / f"mcp-{role}.token"


def kept_token(path: Path) -> str:
    """Return the token in `path`, made when there is none: a client that was set up once stays so.

    Raises RefusedError for a file that others may read or have written, StoreError when it cannot be read or made.
    """
    try:
        if not os.path.lexists(path):
            _make(path)
        return _read(path)
    except OSError as error:
        raise StoreError(f"the token cannot be kept: {error.strerror}", where=str(path)) from error


def _make(path: Path) -> None:
    """Write a new token, whole or not at all; one that another server made meanwhile stays."""
    new = path.with_suffix(f".{os.getpid()}")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _OPEN, 0o600)
    try:
        os.write(file, f"{wiring.RandomIds().uuid()}{wiring.RandomIds().uuid()}\n".replace("-", "").encode())
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(new, path)
    except FileExistsError:
        return
    finally:
        new.unlink()


def _read(path: Path) -> str:
    file = os.open(path, os.O_RDONLY | _OPEN)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise _refused(path, "is not yours alone to read", hint=f"Type: chmod 600 {path}, or remove it.")
        token = os.read(file, _LONGEST).decode("ascii", "replace").strip()
    finally:
        os.close(file)
    if len(token) < _SHORTEST or not token.isalnum() or not token.isascii():
        raise _refused(
            path, f"does not hold a token: {_SHORTEST} letters and digits or more", hint="Remove it; a new one is made."
        )
    return token


def _refused(path: Path, why: str, *, hint: str) -> RefusedError:
    return RefusedError(f"the file of the token {why}", where=str(path), hint=hint)
