"""An attempt as its own typed tools see it: its folder `io/`, and nothing else of the workspace.

A sandbox may hide all the rest, and the engine need not be alive. Several servers may serve one attempt; a lock in the
folder puts what they write in an order.
"""

import fcntl
import hmac
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from punchlist.errors import DefinitionError, PunchlistError, RefusedError, StoreError
from punchlist.mcp.tool import Arguments
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Role
from punchlist.model.json import Json
from punchlist.model.parse import decode_json, parse_json
from punchlist.model.results import Result, Review
from punchlist.service.context import Answer
from punchlist.workers.access import ROLES, TOKEN, Access, digest_of
from punchlist.workers.answers import read_answer
from punchlist.workers.files import ENDED, PROGRESS, REFUSED, REFUSED_LIMIT, RESULT
from punchlist.workers.reading import read_regular

_ACCESS_LIMIT = 64 << 10
_PACK_LIMIT = 64 << 20
_PROGRESS_LIMIT = 1 << 20
_SHOWN = 500
_NAMES = ("PUNCHLIST_ROLE", "PUNCHLIST_ATTEMPT", "PUNCHLIST_ATTEMPT_DIR", TOKEN)
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC

Call = Callable[[Arguments], Answer]


class Attempt:
    """One attempt, fixed when its server starts: no argument of a tool can name another."""

    def __init__(self, io: Path, *, name: AttemptId, role: Role) -> None:
        self.io = io
        self.name = name
        self.role = role

    def pack(self) -> dict[str, Json]:
        """Return what the worker was given; raises RefusedError when it is gone."""
        content = read_regular(self.io / "pack.json", limit=_PACK_LIMIT)
        value = None if content is None else decode_json(content, what="pack.json")
        if not isinstance(value, dict):
            raise RefusedError(f"the pack of attempt {self.name} is not there", where="pack.json")
        return value

    def record(self, value: Result | Review) -> None:
        """Leave the answer, whole, where the engine reads it; of several that are given at once, one is taken.

        Raises DefinitionError for what the engine would not take, RefusedError for a second answer and a late one.
        """
        content = self.content_of(value)
        with self.held():
            self.refuse_late()
            if os.path.lexists(self.io / RESULT):
                raise RefusedError(
                    f"attempt {self.name} has its answer already; the first one counts",
                    where=RESULT,
                    hint="Nothing more is to be done: end your turn.",
                )
            self.replace(RESULT, content)

    def content_of(self, value: object) -> bytes:
        """Return an answer as it is written; raises DefinitionError for what the engine would not take."""
        try:
            content = msgspec.json.encode(value)
        except UnicodeEncodeError:
            raise DefinitionError("it holds half a surrogate pair, which is no text", hint="Write UTF-8.") from None
        read_answer(self.role, content)
        return content

    def report(self, line: Mapping[str, Json]) -> None:
        """Note progress, which the limit on silence takes for a sign of life; raises RefusedError after the end."""
        with self.held():
            self.refuse_late()
            if not self._append(PROGRESS, msgspec.json.encode(line), most=_PROGRESS_LIMIT):
                raise RefusedError(
                    f"attempt {self.name} has reported all the progress that is kept",
                    where=PROGRESS,
                    hint="Go on without: what you print counts as a sign of life, too.",
                )

    def guarded(self, tool: str, call: Call) -> Call:
        """Return a tool's call whose refusals are noted for the engine's record."""

        def answer(arguments: Arguments) -> Answer:
            try:
                return call(arguments)
            except PunchlistError as refused:
                self.note_refusal(tool, refused)
                raise

        return answer

    def note_refusal(self, tool: str, refused: PunchlistError) -> None:
        """Note what was refused, for the engine's record; the first ones are kept when there are too many."""
        said = " ".join([refused.message, "; ".join(map(str, refused.problems))]).strip()
        line: Json = {"tool": tool[:_SHOWN], "code": refused.code, "message": said[:_SHOWN]}
        with suppress(StoreError):  # what is refused stays refused, noted or not
            self._append(REFUSED, msgspec.json.encode(line), most=REFUSED_LIMIT)

    def refuse_late(self) -> None:
        """Raise RefusedError once the engine has taken the attempt for over."""
        if os.path.lexists(self.io / ENDED):
            raise RefusedError(
                f"attempt {self.name} is over, and nothing more is taken from it",
                where=ENDED,
                hint="Nothing more is to be done: end your turn.",
            )

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """Hold the folder against other servers, and other calls of this one, of the same attempt."""
        try:
            lock = os.open(
                self.io / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise _unusable(self.io, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise _unusable(self.io, error) from error
        finally:
            os.close(lock)

    def replace(self, name: str, content: bytes) -> None:
        """Write a file in one step; to be called with the folder held."""
        new = self.io / f"{name}.new"
        new.unlink(missing_ok=True)
        new.write_bytes(content)
        new.replace(self.io / name)

    def _append(self, name: str, line: bytes, *, most: int) -> bool:
        """Add a line to a file, unless it would grow beyond `most` bytes; say whether it was added."""
        try:
            file = os.open(self.io / name, _APPEND, 0o600)
        except OSError as error:
            raise _unusable(self.io, error) from error
        try:
            if os.fstat(file).st_size + len(line) >= most:
                return False
            os.write(file, line + b"\n")
        finally:
            os.close(file)
        return True


def open_attempt(environ: Mapping[str, str], role: str) -> Attempt:
    """Return the attempt that the environment names, for tools of `role`.

    Raises RefusedError, and notes it in that attempt's folder, when its launcher did not write that this role, attempt
    and token belong to it.
    """
    missing = [name for name in _NAMES if not environ.get(name)]
    if missing:
        raise RefusedError(
            f"the tools of role {role} belong to an attempt, and {', '.join(missing)} is not set",
            hint="Nobody starts them by hand: the engine gives each agent its own. You may want: punchlist mcp",
        )
    io = Path(environ["PUNCHLIST_ATTEMPT_DIR"])
    access = _access(io)
    attempt = Attempt(io, name=access.attempt, role=access.role)
    token = hmac.compare_digest(access.token, digest_of(environ[TOKEN]))
    for name, given, is_right in (
        ("role", role, role == access.role),
        ("role", environ["PUNCHLIST_ROLE"], environ["PUNCHLIST_ROLE"] == access.role),
        ("attempt", environ["PUNCHLIST_ATTEMPT"], environ["PUNCHLIST_ATTEMPT"] == access.attempt),
        ("token", "another one", token),
    ):
        if not is_right:
            refused = RefusedError(
                f"this folder is of attempt {access.attempt}, role {access.role}; saw {name} {given!r}",
                where="access.json",
                hint="Nobody starts these tools by hand: the engine gives each agent its own.",
            )
            attempt.note_refusal("(start)", refused)
            raise refused
    return attempt


def _access(io: Path) -> Access:
    content = read_regular(io / "access.json", limit=_ACCESS_LIMIT)
    if content is None:
        raise RefusedError("the folder of the attempt is not there, or is of no role with tools", where=str(io))
    try:
        access = parse_json(Access, content, what="access.json")
    except DefinitionError as error:
        raise RefusedError(f"it cannot be told whose folder this is: {error}", where=str(io)) from error
    if access.role not in ROLES:
        raise RefusedError(f"role {access.role} has no tools; allowed: {', '.join(sorted(ROLES))}", where="access.json")
    return access


def _unusable(io: Path, error: OSError) -> StoreError:
    return StoreError(f"the folder of the attempt cannot be written to: {error.strerror}", where=str(io))
