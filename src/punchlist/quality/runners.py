"""What test runners print when they could not run at all, as data."""

import re
from typing import NamedTuple


class Mark(NamedTuple):
    """A sign that a check could not run: an exit code (None: any) together with a pattern in its last lines."""

    exit_code: int | None
    pattern: re.Pattern[str]
    reason: str


def _seen(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


_TOOLS = "pytest|py\\.test|tox|nox|nose2|coverage|mypy|ruff|flake8|pylint|black|pyright|hypothesis"

CANNOT_RUN: tuple[Mark, ...] = (
    Mark(126, _seen(r""), "the command may not be executed (exit 126)"),
    Mark(127, _seen(r""), "the command was not found (exit 127)"),
    Mark(None, _seen(rf"No module named '?({_TOOLS})'?\s*$"), "the test runner is not installed here"),
    Mark(None, _seen(r"ImportError while loading conftest"), "pytest could not load its conftest"),
    Mark(
        2,
        _seen(r"^!+ .*Interrupted:|errors? during collection|^ERROR collecting"),
        "pytest could not collect the tests (exit 2)",
    ),
    Mark(3, _seen(r"^INTERNALERROR>"), "pytest failed inside (exit 3)"),
    Mark(4, _seen(r"^ERROR: (file or directory )?not found:"), "pytest does not find what the check names (exit 4)"),
    Mark(4, _seen(r"^(ERROR: )?usage:|error: (unrecognized|argument)"), "pytest refused its arguments (exit 4)"),
    Mark(5, _seen(r"no tests (ran|collected)|\bdeselected in "), "pytest found no tests (exit 5)"),
    Mark(None, _seen(r"^ImportError: Failed to import test module"), "unittest could not import a test module"),
    Mark(
        None,
        _seen(r"^ImportError: Start directory is not importable"),
        "unittest does not find the folder of its tests",
    ),
    Mark(None, _seen(r"^Ran 0 tests in|^NO TESTS RAN"), "unittest found no tests"),
    Mark(1, _seen(r"^No tests? (files? )?found"), "the test runner found no tests"),
    Mark(None, _seen(r"^npm (ERR!|error) Missing script"), "npm has no such script"),
    Mark(1, _seen(r"matched no packages|no packages to test"), "go found no packages"),
)

# What a runner says of a test that the work has yet to write; the group is the name that it could not find.
NAMED_MISSING: tuple[re.Pattern[str], ...] = (
    _seen(r"^ERROR: (?:file or directory )?not found: (\S+)"),
    _seen(r"^ModuleNotFoundError: No module named '([^']+)'"),
    _seen(r"^ImportError: Start directory is not importable: '([^']+)'"),
)
NO_TESTS = re.compile(r"no tests (ran|collected)|\bdeselected in ")
