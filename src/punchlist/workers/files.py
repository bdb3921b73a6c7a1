"""The attempt directory: the engine's half, the agent's half in `io/`, and how each file is written and read."""

import fcntl
import hashlib
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from punchlist.errors import DefinitionError, StoreError
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import FailureClass, Outcome
from punchlist.model.json import Json, decode
from punchlist.workers.masking import mask_file, mask_folder
from punchlist.workers.nonces import is_known
from punchlist.workers.reading import read_regular

TAIL = 64 << 10
AGENT_TAIL = 4 << 20
"""How much of an agent's output is read: its last event holds whatever it was not allowed to write."""
RESULT_LIMIT = 4 << 20
REFUSED_LIMIT = 256 << 10
RESULT = "result.json"
PROGRESS = "progress.jsonl"
REFUSED = "refused.jsonl"
"""What the attempt's typed tools refused, a JSON object a line."""
ENDED = "ended"
"""There once the attempt is over: its typed tools, wherever they still run, take nothing more."""
_USAGE_LIMIT = 64 << 10
_CHUNK = 1 << 20
LOCK = "lock"
_GROWING = ("stdout", "stderr", f"io/{PROGRESS}")
_RECORD = re.compile(rb"exit ([0-9]{1,3})\nend(?: ([0-9a-f]{32}))?\n")
_ATTEMPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Stream = Literal["stdout", "stderr"]


class ExitRecord(NamedTuple):
    """What the wrapper wrote: exactly one of the two is set."""

    code: int | None
    signal: int | None


class AttemptFiles:
    """The files of one attempt. Only the engine reads and writes them, but for `io/`, where nothing is trusted.

    By `nonce_digest` its exit record is known as its wrapper's; without one, as of an attempt that an older version
    started, any whole record is taken.
    """

    def __init__(self, root: Path, attempt: AttemptId, *, nonce_digest: str = "") -> None:
        if not _ATTEMPT.fullmatch(attempt):
            raise DefinitionError(f"an attempt cannot be called {attempt!r}; allowed: letters, digits, '.', '_', '-'")
        self.directory = root / attempt
        self.io = self.directory / "io"
        self._name = str(self.directory)
        self._nonce_digest = nonce_digest

    def at(self, name: str) -> str:
        """Return the name of a file in the directory: what is done for each attempt is done by names alone."""
        return f"{self._name}/{name}"

    def create(self, request: Mapping[str, object], files: Mapping[str, bytes], *, io: bool) -> None:
        """Make the directory with the request and the agent's `files`; its half is there if `io` or there are files.

        One that a lost timeline left behind (a restored database counts its attempts again) is moved aside. Raises
        StoreError.
        """
        with self._stored():
            try:
                self.directory.mkdir(parents=True)
            except FileExistsError:
                self._move_aside()
                self.directory.mkdir()
            if io or files:
                self.io.mkdir()
            _write(self.at("request.json"), msgspec.json.encode(request))
            for name, content in files.items():
                (self.io / name).write_bytes(content)

    def request(self) -> Mapping[str, Json]:
        """Return the request, empty when it is missing or cut off."""
        try:
            return decode((self.directory / "request.json").read_bytes(), dict[str, Json])
        except (OSError, msgspec.DecodeError):
            return {}

    def slept_before(self, unknown: float) -> float:
        """Return for how many seconds the machine had slept when the attempt was started; `unknown` if nobody noted."""
        noted = self.request().get("slept")
        return float(noted) if isinstance(noted, int | float) else unknown

    def record(self, outcome: Outcome) -> None:
        """Write `outcome.json` in one step, also for an attempt that never was a process; raises StoreError."""
        with self._stored():
            new = self.at("outcome.json.new")
            content = msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n"
            try:
                _write(new, content)
            except FileNotFoundError:
                self.directory.mkdir(parents=True)
                _write(new, content)
            os.replace(new, self.at("outcome.json"))  # noqa: PTH105 - see `at`

    def wrapper(self) -> tuple[int, int] | None:
        """Return the wrapper's pid and start time (in clock ticks since boot), or None when it never wrote them."""
        words = self._pid_lines()[0].split()
        if len(words) == 2 and all(word.isdigit() for word in words):  # noqa: PLR2004 - the pair itself
            return int(words[0]), int(words[1])
        return None

    def has_begun(self) -> bool:
        """Say whether the wrapper came to its command: first it says who it is. Where that is gone it may have."""
        return self.wrapper() is not None or not self.directory.is_dir()

    def exit_record(self) -> ExitRecord | None:
        """Return how the command ended, or None unless the record is whole and its wrapper's.

        A shell says 137 for `exit 137` and for SIGKILL alike, but it names a signal on its standard error, which goes
        to `pid`. It keeps silent about SIGINT and SIGPIPE: these two remain codes 130 and 141.
        """
        found = self._whole_exit()
        if found is None:
            return None
        code = int(found[1])
        if self._nonce_digest and not is_known((found[2] or b"").decode(), code=code, digest=self._nonce_digest):
            return None
        signalled = code > 128 and self._pid_lines()[1].strip() != b""  # noqa: PLR2004 - 128 + signal, as shells do
        return ExitRecord(None, code - 128) if signalled else ExitRecord(code, None)

    def has_exit(self) -> bool:
        """Say whether there is anything in the place of the exit record."""
        return os.path.lexists(self.at("exit"))

    def has_whole_exit(self) -> bool:
        """Say whether what is there reads as a record, whoever wrote it."""
        return self._whole_exit() is not None

    def note_limit(self, limit: FailureClass) -> None:
        """Note the limit that the command passed, before it is killed for it: its exit alone would not tell.

        It is for an engine that finds the attempt later; where it cannot be written, the command is killed as well.
        """
        with suppress(OSError):
            (self.directory / "limit").write_text(limit, encoding="ascii")

    def note_adopted(self) -> float | None:
        """Note that this process has taken the attempt up, and return the file system's time; None where it cannot."""
        try:
            with (self.directory / "adopted").open("a", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
                file.flush()
                return os.fstat(file.fileno()).st_mtime
        except OSError:
            return None

    def noted_limit(self) -> FailureClass | None:
        """Return the limit that was noted, None when the command passed none."""
        found = (read_regular(self.directory / "limit", limit=64) or b"").decode("ascii", errors="replace")
        return next((each for each in FailureClass if each == found), None)

    def mark_ended(self) -> None:
        """Tell the attempt's typed tools that it is over; where that cannot be said, what they still write is late."""
        with suppress(OSError):
            folder = os.open(self.io, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.close(os.open(ENDED, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder))
            finally:
                os.close(folder)

    def forget_exit(self) -> None:
        """Remove a record that only a kill brought about: it says nothing about the command."""
        with suppress(OSError):  # something else is in its place, which is no record either
            (self.directory / "exit").unlink(missing_ok=True)

    def locked(self) -> bool:
        """Say whether the wrapper lives, by its lock; False when there is none, or something else in its place."""
        try:
            with (self.directory / LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def wait_unlocked(self) -> None:
        """Block until the lock is free, or was removed."""
        with suppress(OSError), (self.directory / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    def began(self) -> float:
        """Return when the attempt was started, by the file system's time; 0 when that is not known."""
        return _stat(self.at("request.json"))[1] / 1e9

    def grew(self) -> float:
        """Return when output or progress were last written to, by the file system's time; 0 when they never were."""
        return max(_stat(self.at(name))[1] for name in _GROWING) / 1e9

    def growth(self) -> tuple[int, tuple[object, ...]]:
        """Return the bytes of output, and a value that differs whenever output or progress were written to."""
        seen = [_stat(self.at(name)) for name in _GROWING]
        return seen[0][0] + seen[1][0], tuple(seen)

    def sizes(self) -> tuple[int, int]:
        """Return the bytes of stdout and of stderr."""
        return _stat(self.at("stdout"))[0], _stat(self.at("stderr"))[0]

    def mask(self, forms: Sequence[bytes]) -> None:
        """Make these bytes unreadable in all that the attempt wrote; its processes are gone."""
        if forms:
            for stream in ("stdout", "stderr"):
                with suppress(OSError):
                    mask_file(self.at(stream), forms)
            mask_folder(self.io, forms)

    def is_recorded(self) -> bool:
        """Say whether the engine has written down what became of the attempt."""
        return os.path.lexists(self.at("outcome.json"))

    def output_digest(self) -> str:
        """Return the SHA-256 of stdout followed by stderr."""
        digest = hashlib.sha256()
        for stream in ("stdout", "stderr"):
            try:
                with (self.directory / stream).open("rb") as file:
                    while chunk := file.read(_CHUNK):
                        digest.update(chunk)
            except OSError:
                continue
        return digest.hexdigest()

    def last(self, stream: Stream, *, size: int, most: int = TAIL) -> bytes:
        """Return the end of a stream of `size` bytes, at most `most` of them."""
        return self.tail(stream, start=max(0, size - most)) if size else b""

    def tail(self, stream: str, *, start: int) -> bytes:
        """Return a stream from byte `start` on; b"" when there is none. Raises DefinitionError for another stream."""
        if stream not in {"stdout", "stderr"}:
            raise DefinitionError(f"there is no output {stream!r}; allowed: stdout, stderr")
        try:
            with (self.directory / stream).open("rb") as file:
                file.seek(max(0, start))
                return file.read()
        except OSError:  # not there, or something else in its place
            return b""

    def answer(self) -> bytes | None:
        """Return the agent's result, cut one byte beyond the limit; None when it left no regular file."""
        return read_regular(self.at(f"io/{RESULT}"), limit=RESULT_LIMIT + 1)

    def cost(self) -> bytes | None:
        """Return what the agent says that it used; None when it left no regular file."""
        return read_regular(self.at("io/usage.json"), limit=_USAGE_LIMIT)

    def refusals(self) -> bytes | None:
        """Return what the attempt's typed tools refused; None when they left no regular file."""
        return read_regular(self.at(f"io/{REFUSED}"), limit=REFUSED_LIMIT)

    @contextmanager
    def _stored(self) -> Generator[None, None, None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"the files of an attempt cannot be written: {error.strerror}",
                where=str(self.directory),
                hint="Free some space or mend the permissions, then `punchlist resume`.",
            ) from error

    def _whole_exit(self) -> re.Match[bytes] | None:
        return _RECORD.fullmatch(read_regular(self.at("exit"), limit=128) or b"")

    def _pid_lines(self) -> tuple[bytes, bytes]:
        first, _, rest = (read_regular(self.at("pid"), limit=TAIL) or b"").partition(b"\n")
        return first, rest

    def _move_aside(self) -> None:
        count = 1
        while (aside := self.directory.with_name(f"{self.directory.name}~{count}")).exists():
            count += 1
        self.directory.rename(aside)


def _write(path: str, content: bytes) -> None:
    """Write a new file, which nobody reads before it is whole."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def _stat(path: str) -> tuple[int, int]:
    try:
        found = os.lstat(path)
    except OSError:  # not there; or the agent put something else in place of its folder
        return 0, 0
    return found.st_size, found.st_mtime_ns
