"""The only spawner of git: an environment built from nothing, and failures told in git's own last line."""

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from punchlist.errors import PunchlistError, StoreError, WorkerError

NAME = "Punchlist"
EMAIL = "punchlist@localhost"

_SAFE = {
    "advice.detachedHead": "false",
    "core.alternateRefsCommand": "true",
    "core.attributesFile": "/dev/null",
    "core.filesRefLockTimeout": "5000",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.packedRefsTimeout": "5000",
    "core.untrackedCache": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "protocol.file.allow": "always",
    "safe.directory": "*",
    "submodule.recurse": "false",
}
# What keeps bytes, modes and names as they are; for work trees of the engine, never for the user's own checkout.
_EXACT = {
    "core.autocrlf": "false",
    "core.eol": "lf",
    "core.excludesFile": "/dev/null",
    "core.fileMode": "true",
    "core.fsync": "committed,loose-object",
    "core.fsyncMethod": "batch",
    "core.ignoreCase": "false",
    "core.precomposeUnicode": "false",
    "core.safecrlf": "false",
    "core.sparseCheckout": "false",
    "core.splitIndex": "false",
    "core.symlinks": "true",
    "core.trustctime": "true",
}
_NO_ROOM = (
    "No space left on device",
    "Out of diskspace",  # what git itself says for it, where it reads no errno
    "Disk quota exceeded",
    "Read-only file system",
    "Input/output error",
)


class Ran(msgspec.Struct, frozen=True):
    """What a git command left: its exit code and output."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """The output as one stripped text."""
        return os.fsdecode(self.out).strip()

    @property
    def records(self) -> list[str]:
        """The output of a command with `-z`."""
        return [os.fsdecode(record) for record in self.out.split(b"\0") if record]

    @property
    def reason(self) -> str:
        """The last line that says why it failed."""
        lines = [line for line in self.err.decode(errors="replace").splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
        return (telling or lines or [f"exit code {self.code}"])[-1]


class At(msgspec.Struct, frozen=True):
    """Where git works: its own directory, work tree and index; or, with `folder` alone, what that folder has."""

    git_dir: Path | None = None
    work: Path | None = None
    index: Path | None = None
    folder: Path | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that pin git to this place; nothing above `folder` is ever looked at."""
        named = {"GIT_DIR": self.git_dir, "GIT_WORK_TREE": self.work, "GIT_INDEX_FILE": self.index}
        pinned = {name: str(path) for name, path in named.items() if path is not None}
        return pinned if self.folder is None else pinned | {"GIT_CEILING_DIRECTORIES": str(self.folder.parent)}


class Git:
    """Runs git with PATH and nothing else from outside: no hook, no prompt, no system or personal configuration."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environment = {
            "PATH": environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": "file",
            "GIT_ASKPASS": "true",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_AUTHOR_EMAIL": EMAIL,
            "GIT_AUTHOR_NAME": NAME,
            "GIT_COMMITTER_EMAIL": EMAIL,
            "GIT_COMMITTER_NAME": NAME,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "false",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_PAGER": "cat",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def run(
        self,
        arguments: Sequence[str],
        *,
        at: At,
        stdin: bytes = b"",
        accept: Collection[int] = (0,),
        environment: Mapping[str, str] | None = None,
        failure: type[PunchlistError] = StoreError,
        hold: tuple[int, ...] = (),
    ) -> Ran:
        """Run one git command to its end; an exit code that `accept` does not name raises `failure`.

        `hold` are descriptors that git inherits, so that a lock outlives an engine that is killed while git works.
        Raises StoreError when the disk is full or read-only, WorkerError when there is no git.
        """
        try:
            done = subprocess.run(
                ["git", *arguments],
                input=stdin,
                capture_output=True,
                check=False,
                cwd=at.work or at.folder or at.git_dir or "/",
                env=self._complete(at, environment or {}),
                pass_fds=hold,
                process_group=0,  # a ^C is for the command that waits, and orphans are told by their session
            )
        except OSError as exc:
            raise _not_started(exc) from exc
        ran = Ran(done.returncode, done.stdout, done.stderr)
        if ran.code not in accept:
            raise failed(arguments, ran, at=at, failure=failure)
        return ran

    def beginning(self, arguments: Sequence[str], *, at: At, size: int) -> bytes:
        """Return at most `size` + 1 bytes of what git prints; the rest is never produced."""
        try:
            with subprocess.Popen(
                ["git", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=at.work or at.folder or at.git_dir or "/",
                env=self._complete(at, {}),
                process_group=0,  # a ^C is for the command that waits, and orphans are told by their session
            ) as process:
                output = process.stdout.read(size + 1) if process.stdout else b""
                if len(output) > size:
                    process.kill()
        except OSError as exc:
            raise _not_started(exc) from exc
        if process.returncode != 0 and len(output) <= size:
            raise StoreError(f"git {arguments[0]} failed with exit code {process.returncode}", where=str(at.git_dir))
        return output

    def _complete(self, at: At, more: Mapping[str, str]) -> dict[str, str]:
        settings = _SAFE if at.git_dir is None else _SAFE | _EXACT
        counted = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (name, value) in enumerate(settings.items()):
            counted[f"GIT_CONFIG_KEY_{number}"] = name
            counted[f"GIT_CONFIG_VALUE_{number}"] = value
        return {**self._environment, **counted, **at.environment(), **more}


def failed(arguments: Sequence[str], ran: Ran, *, at: At, failure: type[PunchlistError]) -> PunchlistError:
    """Return the error for a git command that failed; a disk that takes no more is the store's, whoever asked."""
    text = ran.err.decode(errors="replace")
    where = str(at.folder or at.work or at.git_dir or "")
    for reason in _NO_ROOM:
        if reason in text:
            return StoreError(
                f"git {arguments[0]}: {reason.lower()}", where=where, hint="Make room on that disk and try again"
            )
    return failure(f"git {arguments[0]}: {ran.reason}", where=where)


def _not_started(exc: OSError) -> PunchlistError:
    if isinstance(exc, FileNotFoundError) and exc.filename == "git":
        return WorkerError("git is not on PATH", hint="Install git 2.39 or newer")
    return StoreError(f"git could not be started: {exc.strerror}", where=str(exc.filename or ""))
