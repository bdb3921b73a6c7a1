"""Values in shell commands: each `${{ … }}` of a `run` string becomes an environment variable and a quoted reference.

No value is ever part of the text that the shell reads, so it cannot become code. The reference is right where words are
unquoted or in double quotes; elsewhere (single quotes, here-documents, `$(…)`, backticks, `${…}`) it is refused.
"""

import functools
import re
import shlex

from punchlist.errors import DefinitionError
from punchlist.flow.binding import Lookup
from punchlist.flow.expressions import written
from punchlist.flow.shell_places import HOLE, QUOTED, UNQUOTED, places
from punchlist.flow.templates import OPEN, FlawError, Part, split

PREFIX = "PUNCHLIST_V"
_WORDS = re.compile(r"[\w ./:=,@%+-]*")
"""Text of a command in which nothing quotes, opens or ends anything."""
_SPECIAL = re.compile(r'[\\"$`]')
HINT = "Give the value by `env:`, or write the command as a list"
_LONGEST = 128 * 1024 - 64  # the kernel's bound on one string of an environment, less the name


def refusals(command: str) -> list[FlawError]:
    """Return what is wrong with the places of a command's expressions. Raises FlawError for an unreadable template."""
    expressions, where = _placed(command)
    return [
        FlawError(f"an expression cannot stand in {place} of a command", offset=part.offset, hint=f"{HINT}.")
        for part, place in zip(expressions, where, strict=True)
        if place not in {UNQUOTED, QUOTED}
    ]


def bind(command: str, lookup: Lookup) -> tuple[str, dict[str, str]]:
    """Return the command with references in place of its expressions, and the environment variables that they name.

    A value is one word, even when it is empty or has spaces. Raises DefinitionError for a misplaced expression, and for
    a value that no environment variable can hold: null, a map, a list, text with a zero character, more than 128 KiB.
    """
    if OPEN not in command and HOLE not in command:
        return command, {}
    try:
        wrong = refusals(command)
        expressions, where = _placed(command)
    except FlawError as error:
        raise DefinitionError(error.message, where=command, hint=error.hint) from None
    if wrong:
        raise DefinitionError(wrong[0].message, where=command, hint=wrong[0].hint)
    quoted = iter([place == QUOTED for place in where])
    values = {f"{PREFIX}{index}": _fitting(part, written(part, lookup)) for index, part in enumerate(expressions)}
    names = iter(values)
    text = "".join(
        (f"${{{next(names)}}}" if next(quoted) else f'"${{{next(names)}}}"') if part.expression else part.text
        for part in split(command)
    )
    return text, values


def shown(command: str, lookup: Lookup) -> str:
    """Return a checked command as a person would type it: values that `lookup` has are written in, quoted.

    It is to be read, never to be run. Other expressions stand as they are written.
    """
    expressions, where = _placed(command)
    places_of = dict(zip(expressions, where, strict=True))
    return "".join(
        _typed(part, lookup, place=places_of[part]) if part.expression else part.text.replace(OPEN, f"${OPEN}")
        for part in split(command)
    )


def _typed(part: Part, lookup: Lookup, *, place: str) -> str:
    try:
        value = written(part, lookup)
    except (DefinitionError, KeyError):
        return f"{OPEN} {part.text} }}}}"
    return _SPECIAL.sub(r"\\\g<0>", value) if place == QUOTED else shlex.quote(value)


@functools.lru_cache(maxsize=1024)
def _placed(command: str) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    if HOLE in command:
        raise FlawError("a zero character, which no command can hold", offset=command.index(HOLE))
    parts = split(command)
    expressions = tuple(part for part in parts if part.expression)
    if all(_WORDS.fullmatch(part.text) for part in parts if not part.expression):
        return expressions, (UNQUOTED,) * len(expressions)
    return expressions, tuple(places("".join(HOLE if part.expression else part.text for part in parts)))


def _fitting(part: Part, value: str) -> str:
    if HOLE in value:
        raise _refusal(part, "has a zero character, which no command can be given", hint="Give the value by a file.")
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        raise _refusal(part, "is no Unicode text (a lone surrogate)", hint="Give the value by a file.") from None
    if length > _LONGEST:
        raise _refusal(
            part, f"has {length} bytes, too many for a command line", hint="Give the value by `stdin:` or a file."
        )
    return value


def _refusal(part: Part, reason: str, *, hint: str) -> DefinitionError:
    return DefinitionError(f"{OPEN} {part.text} }}}}: {reason}", hint=hint)
