"""What test runners print when they could not run at all, as data: patterns are for `re.MULTILINE`."""

from collections.abc import Mapping
from typing import NamedTuple


class Mark(NamedTuple):
    """A sign that a check could not run: an exit code (None: any) together with a pattern in its last lines."""

    exit_code: int | None
    pattern: str
    reason: str


_TOOLS = "pytest|py\\.test|tox|nox|nose2|coverage|mypy|ruff|flake8|pylint|black|pyright|hypothesis"

CANNOT_RUN: tuple[Mark, ...] = (
    Mark(126, r"", "the command may not be executed (exit 126)"),
    Mark(127, r"", "the command was not found (exit 127)"),
    Mark(None, rf"No module named '?({_TOOLS})'?\s*$", "the test runner is not installed here"),
    Mark(None, r"ImportError while loading conftest", "pytest could not load its conftest"),
    Mark(
        2,
        r"^!+ .*Interrupted:|errors? during collection|^ERROR collecting",
        "pytest could not collect the tests (exit 2)",
    ),
    Mark(3, r"^INTERNALERROR>", "pytest failed inside (exit 3)"),
    Mark(4, r"^ERROR: (file or directory )?not found:", "pytest does not find what the check names (exit 4)"),
    Mark(4, r"^(ERROR: )?usage:|error: (unrecognized|argument)", "pytest refused its arguments (exit 4)"),
    Mark(5, r"no tests (ran|collected)|\bdeselected in ", "pytest found no tests (exit 5)"),
    Mark(None, r"^ImportError: Failed to import test module", "unittest could not import a test module"),
    Mark(
        None,
        r"^ImportError: Start directory is not importable",
        "unittest does not find the folder of its tests",
    ),
    Mark(None, r"^Ran 0 tests in|^NO TESTS RAN", "unittest found no tests"),
    Mark(1, r"^No tests? (files? )?found", "the test runner found no tests"),
    Mark(None, r"^npm (ERR!|error) Missing script", "npm has no such script"),
    Mark(1, r"matched no packages|no packages to test", "go found no packages"),
)

# What a runner says of a test that the work has yet to write; the group is the name that it could not find.
NAMED_MISSING: tuple[str, ...] = (
    r"^ERROR: (?:file or directory )?not found: (\S+)",
    r"^ModuleNotFoundError: No module named '([^']+)'",
    r"^ImportError: Start directory is not importable: '([^']+)'",
)
NO_TESTS = r"no tests (ran|collected)|\bdeselected in "

COLLECTORS: tuple[tuple[str, ...], ...] = (
    ("pytest",),
    ("py.test",),
    ("unittest",),
    ("nose2",),
    ("tox",),
    ("jest",),
    ("vitest",),
    ("go", "test"),
    ("cargo", "test"),
    ("npm", "test"),
)
"""Test runners that look for tests by themselves when their arguments name none."""

DEFINED_IN: Mapping[str, tuple[str, ...]] = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "just": ("justfile", "Justfile", ".justfile"),
}
"""Programs that only carry out what a file of the tree says, and that file's names."""
