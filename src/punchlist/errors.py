"""Every failure that a person can act on, each with its exit code (design: exit codes 2 to 5)."""

from collections.abc import Sequence
from typing import NamedTuple

MOST_SHOWN = 100
"""Problems that one error lists."""


class Problem(NamedTuple):
    """One thing wrong with an input: where it is, what was seen there, what is allowed, what to type.

    `field` is the one in question when `where` is what lacks it, or has it and should not.
    """

    where: str
    message: str
    allowed: str = ""
    hint: str = ""
    field: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        return f"{text}. {self.hint}" if self.hint else text


class PunchlistError(Exception):
    """A failure that says where, what was seen, what is allowed and what to type next."""

    exit_code = 70
    code = "bug"

    def __init__(self, message: str, *, where: str = "", hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.message}" if self.where else self.message]
        lines += [f"  {problem}" for problem in self.problems]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class DefinitionError(PunchlistError):
    """The input itself is wrong: usage, a file's shape, a value."""

    exit_code = 2
    code = "definition"


class RefusedError(PunchlistError):
    """The input is well formed, and the present state does not allow it: illegal move, conflict, not found."""

    exit_code = 3
    code = "refused"


class ConflictError(RefusedError):
    """The input was made for a state that has moved on: read again, then try again."""

    code = "conflict"


class WorkerError(PunchlistError):
    """A worker or a tool that is needed is not there."""

    exit_code = 4
    code = "worker"


class StoreError(PunchlistError):
    """The store cannot be read or written: disk full, read-only, corrupt, newer than this program."""

    exit_code = 5
    code = "store"


def with_article(noun: str) -> str:
    """Return a noun with its article: `a task`, `an attempt`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def invalid(problems: Sequence[Problem], *, what: str) -> DefinitionError:
    """Return the error that lists `problems` about `what` (a file name, a record): all, or the first and how many more.

    More than that nobody reads, and an answer shall not be larger than what was asked.
    """
    count = len(problems)
    shown = [*problems[:MOST_SHOWN]]
    if count > MOST_SHOWN:
        shown.append(Problem("", f"{count - MOST_SHOWN:,} more are not shown", hint="Mend these first."))
    return DefinitionError(f"{what} has {count} problem{'s' if count != 1 else ''}:", problems=shown)
