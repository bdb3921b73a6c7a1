"""Sizes and names that keep modules readable: the limits, and a check of files against them.

Usage: size_limits.py PATH… — prints one line a problem and ends with 1 if there is any.
"""

import ast
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MODULE_LINES = 500
FUNCTION_LINES = 50
MEDIAN_LINES = 10
MEDIAN_FOLDER = "src"
VAGUE_MODULES = frozenset({"base", "common", "helpers", "manager", "misc", "util", "utils"})
VAGUE_PREFIXES = ("do_", "process_")
VAGUE_SUFFIXES = ("_v2", "_new", "_old")
VAGUE_CLASSES = ("Data", "Handler", "Info", "Manager")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Measured:
    """What one file has: its problems, and the length of each of its functions."""

    problems: list[str] = field(default_factory=list[str])
    lengths: list[int] = field(default_factory=list[int])


def measure(path: Path, source: str) -> Measured:
    """Measure one module; a length is in lines from `def` to the last one, without the docstring."""
    tree = ast.parse(source, filename=str(path))
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    problems = [
        *_module_problems(path, len(source.splitlines())),
        *(problem for function in functions for problem in _function_problems(path, function)),
        *(problem for node in classes for problem in _class_problems(path, node)),
    ]
    return Measured(problems, [length(function) for function in functions])


def length(function: Function) -> int:
    """Count the lines of a function, decorators and docstring left out."""
    lines = _last_line(function) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    docstring = function.body[0]
    return lines - (_last_line(docstring) - docstring.lineno + 1)


def check(paths: Iterable[Path]) -> list[str]:
    """List every problem of every Python file below `paths`, and of the median of those in `src`."""
    problems: list[str] = []
    lengths: list[int] = []
    for path in sorted(set(_modules(paths))):
        measured = measure(path, path.read_text(encoding="utf-8"))
        problems += measured.problems
        if MEDIAN_FOLDER in path.parts:
            lengths += measured.lengths
    return problems + _median_problems(lengths)


def main(arguments: Sequence[str]) -> int:
    """Check the paths given and print what is wrong."""
    problems = check([Path(argument) for argument in arguments])
    for problem in problems:
        print(problem)
    if not problems:
        print("sizes and names: good")
    return 1 if problems else 0


def _modules(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from path.rglob("*.py") if path.is_dir() else [path]


def _module_problems(path: Path, lines: int) -> Iterator[str]:
    if lines > MODULE_LINES:
        yield f"{path}:1: the module has {lines} lines, at most {MODULE_LINES}; split it by concept"
    if path.stem in VAGUE_MODULES:
        yield f"{path}:1: '{path.stem}' says nothing; name the module after what it owns"


def _function_problems(path: Path, function: Function) -> Iterator[str]:
    where = f"{path}:{function.lineno}: '{function.name}'"
    if length(function) > FUNCTION_LINES:
        yield f"{where} has {length(function)} lines, at most {FUNCTION_LINES}"
    if function.name.startswith(VAGUE_PREFIXES) or function.name.endswith(VAGUE_SUFFIXES):
        yield f"{where} is a vague name; say what it does with one of the glossary's verbs"


def _class_problems(path: Path, node: ast.ClassDef) -> Iterator[str]:
    if node.name.endswith(VAGUE_CLASSES):
        yield f"{path}:{node.lineno}: '{node.name}' is a vague name; say what it is with one of the glossary's nouns"


def _median_problems(lengths: Sequence[int]) -> list[str]:
    median = statistics.median(lengths) if lengths else 0
    if median < MEDIAN_LINES:
        return []
    return [f"{MEDIAN_FOLDER}: the median function has {median:g} lines, it must stay under {MEDIAN_LINES}"]


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
