"""Whether a check was written by the step that it judges: its tests, or the program whose exit code is its answer."""

import itertools
import re
import shlex
from collections.abc import Iterator, Sequence

from punchlist.quality.runners import COLLECTORS, DEFINED_IN
from punchlist.quality.scope import matches

_TEST = re.compile(r"(^|[/._-])(tests?|specs?)([/._-]|$)", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9.]+[smhd]?")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PREFIXES = frozenset(
    ("!", "{", "(", "if", "then", "else", "elif", "do", "while", "until", "env", "exec", "time", "nice", "nohup")
)
"""Words before a command that leave its exit code as it is."""
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh"))
_INTERPRETERS = re.compile(r"python[0-9.]*|node|ruby|perl|php")
_LEVELS = 3
"""Shells within shells (`sh -c "sh -c …"`) that are looked into."""


def wrote_check(command: str, changed: Sequence[str]) -> bool:
    """Say whether a step that changed these paths wrote the check `command` itself, in whole or in part.

    It did when it changed tests that the check runs (named by path, module, pattern or a folder above; all there are,
    where a runner is given none), or the program whose exit code is the check's answer. A path that the command looks
    at (`grep -q word README.md`, `python app.py | diff - expected`) is what is judged, not what judges.
    """
    tests = [path for path in changed if _TEST.search(path)]
    folder = ""
    for words, piped in _commands(command, _LEVELS):
        if words[0] == "cd":
            folder = _joined(folder, words[1]) if len(words) > 1 else folder
            continue
        named = (_joined(folder, word) for word in _paths(words))
        executed = () if piped else (_joined(folder, file) for file in _executed(words))
        if any(_names(name, path) for name in named for path in tests) or any(file in changed for file in executed):
            return True
    return False


def _commands(text: str, levels: int) -> Iterator[tuple[list[str], bool]]:
    """Return each simple command of a command line, and whether another one reads what it prints."""
    words: list[str] = []
    for token in [*_tokens(text), ";"]:
        if not re.fullmatch(r"[();<>|&\n]+", token):
            words.append(token)
        elif "<" not in token and ">" not in token:
            yield from _opened(words, piped=token.strip() in {"|", "|&"}, levels=levels)
            words = []


def _opened(words: list[str], *, piped: bool, levels: int) -> Iterator[tuple[list[str], bool]]:
    """Return a simple command without what stands before it; of `sh -c TEXT`, the commands in the text."""
    while words and (words[0] in _PREFIXES or _ASSIGNMENT.match(words[0])):
        words = words[1:]
    if words and words[0] == "timeout":
        rest = list(itertools.dropwhile(lambda word: word.startswith("-") or _SECONDS.fullmatch(word), words[1:]))
        yield from _opened(rest, piped=piped, levels=levels)
        return
    if not words:
        return
    if _basename(words[0]) in _SHELLS and "-c" in words[:-1] and levels:
        inner = words[words.index("-c") + 1]
        yield from ((each, piped or within) for each, within in _commands(inner, levels - 1))
    else:
        yield words, piped


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    try:
        return list(lexer)
    except ValueError:  # an open quote, as in a here-document
        return text.split()


def _paths(words: Sequence[str]) -> Iterator[str]:
    """Return what a command's arguments may name; the whole tree for a test runner that is given no test."""
    yield from words[1:]
    yield from (value for word in words[1:] if word.startswith("-") and (value := word.partition("=")[2]))
    runner = _operands(words[words.index("-m") + 1 :]) if "-m" in words else [_basename(words[0]), *words[1:]]
    for collector in COLLECTORS:
        if tuple(runner[: len(collector)]) == collector and not any(map(_is_test, runner[len(collector) :])):
            yield "."


def _is_test(word: str) -> bool:
    return "/" in word or word.endswith(".py") or "::" in word or _TEST.search(word) is not None


def _names(word: str, path: str) -> bool:
    """Say whether an argument names a test: itself (or one in it), a module, a pattern, or a folder above it."""
    name = word.partition("::")[0].removesuffix("/...").rstrip("/")
    if name in {".", "..."}:
        return True
    module = path.removesuffix(".py").replace("/", ".")
    is_module = name == module or name.startswith(f"{module}.") or module.startswith(f"{name}.")
    return name == path or path.startswith(f"{name}/") or is_module or ("*" in name and matches(name, path))


def _executed(words: Sequence[str]) -> Iterator[str]:
    """Return the files that a simple command executes, as far as its words say."""
    program, rest = _basename(words[0]), words[1:]
    if "/" in words[0]:
        yield words[0]
    if program in DEFINED_IN:
        yield from [rest[rest.index("-f") + 1]] if "-f" in rest[:-1] else DEFINED_IN[program]
    elif program in _SHELLS | {".", "source"} or _INTERPRETERS.fullmatch(program):
        yield from _scripts(rest)


def _scripts(arguments: Sequence[str]) -> Iterator[str]:
    """Return the file that an interpreter is told to execute: none for code that stands in the command itself."""
    if arguments and arguments[0] == "-m":
        module = "/".join(arguments[1:2]).replace(".", "/")
        yield from (f"{module}.py", f"{module}/__main__.py")
    elif not {"-c", "-e"} & set(arguments[:1]):
        yield from _operands(arguments)[:1]


def _operands(words: Sequence[str]) -> list[str]:
    """Return the words from the first one on that is no option."""
    first = next((position for position, word in enumerate(words) if not word.startswith("-")), len(words))
    return list(words[first:])


def _basename(word: str) -> str:
    return word.rpartition("/")[2]


def _joined(folder: str, word: str) -> str:
    """Return a word as a path from the tree's root; one that leaves the tree names nothing in it."""
    parts: list[str] = []
    for part in f"{folder}/{word}".split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts) or "."
