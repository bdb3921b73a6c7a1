"""Which changed paths leave a step's scope, by globs over whole paths."""

import functools
import re
from collections.abc import Iterable

from punchlist.model.jobs import Change
from punchlist.model.records import Scope

_CLASS = re.compile(r"\[([!^]?)(\]?(?:[^\]\\]|\\.)*)\]", re.DOTALL)
_MEMBERS = re.compile(r"(\\.|[^\\])-(\\.|[^\\])|(\\.|[^\\])", re.DOTALL)
_ANYTHING = re.compile(r".*", re.DOTALL)


def outside(changes: Iterable[Change], scope: Scope) -> tuple[str, ...]:
    """Return the changed paths that `scope` does not cover, in their order, each once.

    An empty `allow` covers everything; `deny` wins. Both sides of a rename are changes of their own and count.
    """
    return tuple(dict.fromkeys(change.path for change in changes if not covers(scope, change.path)))


def covers(scope: Scope, path: str) -> bool:
    """Say whether `scope` lets `path` be changed."""
    if any(matches(glob, path) for glob in scope.deny):
        return False
    return not scope.allow or any(matches(glob, path) for glob in scope.allow)


def matches(glob: str, path: str) -> bool:
    """Say whether `glob` names `path`, a whole path relative to the repository's root with `/`.

    The syntax is that of gitignore without its implied `**/` in front: `**` as a whole part stands for any number of
    folders, `*` and `?` stay within a part, `[a-z]` and `[!a-z]` are classes, a backslash takes the next character as
    it is. A glob whose last part has no wildcard names a file, or a folder with everything below it. No glob takes more
    than polynomial time.
    """
    parts, reached = path.split("/"), {0}
    for pattern in _patterns(glob):
        if pattern is None:
            reached = set(range(min(reached, default=len(parts)), len(parts)))
        else:
            reached = {place + 1 for place in reached if place < len(parts) and pattern.fullmatch(parts[place])}
    return len(parts) in reached or (bool(reached) and names_folder(glob))


@functools.lru_cache(maxsize=4096)
def _patterns(glob: str) -> tuple[re.Pattern[str] | None, ...]:
    """Return one pattern a part of the glob; None stands for `**`, which at the end needs one part at least."""
    parts = parts_of(glob)
    patterns = [None if part == "**" else re.compile(_expression(part), re.DOTALL) for part in parts]
    return (*patterns, _ANYTHING) if parts[-1] == "**" else tuple(patterns)


@functools.lru_cache(maxsize=4096)
def names_folder(glob: str) -> bool:
    """Say whether a glob's last part has no wildcard: then it names everything below it, too."""
    return not re.search(r"[*?[]", re.sub(r"\\.", "", parts_of(glob)[-1]))


def parts_of(glob: str) -> list[str]:
    """Split a glob: `.`, a leading `/` and doubled slashes mean nothing, a slash at the end means all below."""
    parts = [part for part in glob.split("/") if part not in {"", "."}]
    return [*parts, "**"] if not parts or glob.endswith("/") else parts


def _expression(part: str) -> str:
    """Return the regular expression of one part; each star but the last is atomic, so that it never backtracks."""
    runs = [""]
    for token in tokens_of(part):
        if token is None:
            runs.append("")
        else:
            runs[-1] += token
    if len(runs) == 1:
        return runs[0]
    return runs[0] + "".join(f"(?>.*?{run})" for run in runs[1:-1]) + ".*" + runs[-1]


def tokens_of(part: str) -> list[str | None]:
    """Return the expressions of the part's characters and classes; None stands for a star."""
    tokens: list[str | None] = []
    place = 0
    while place < len(part):
        token, place = _token(part, place)
        tokens.append(token)
    return tokens


def _token(part: str, place: int) -> tuple[str | None, int]:
    character, after = part[place], place + 1
    found = _CLASS.match(part, place)
    if character == "*":
        return None, after
    if character == "?":
        return ".", after
    if character == "\\" and after < len(part):
        return re.escape(part[after]), after + 1
    if found is not None and found[2]:
        return _class(found[2], negated=bool(found[1])), found.end()
    return re.escape(character), after


def _class(content: str, *, negated: bool) -> str:
    """Return a character class; a range that goes backwards holds nothing, as in git."""
    ranges = [(low or one, high or one) for low, high, one in _MEMBERS.findall(content)]
    body = "".join(f"{re.escape(low[-1])}-{re.escape(high[-1])}" for low, high in ranges if low[-1] <= high[-1])
    if not body:
        return "." if negated else "(?!)"
    return f"[{'^' if negated else ''}{body}]"
