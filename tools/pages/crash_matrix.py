"""The page of the crash matrix: where an engine is killed in the tests, and what comes of it."""

from punchlist.dying import POINTS, VARIABLE
from tools.pages.markup import code, page, table

_HEAD = f"""\
An engine may die at any moment. In the tests it does so, by SIGKILL, at each of these points, and the next engine goes
on. `tests/crash/test_matrix.py` makes a row of each (of the last one `tests/contract/test_store_migration.py`), by
`{VARIABLE}=POINT:N` in the engine's environment, and holds what comes of it against the same task, left alone:

- the same steps are accepted, once each, with the same trees;
- each attempt was started once, and as many attempts as in the undisturbed task, but for those that are marked;
- `punchlist log verify` finds no problem, the generated files are as the record says, and no process is left.
"""
_ALONE = "goes on; nothing is run again"
_STARTED = {
    "the wrapper": "one more attempt: nobody knows how that one ended (`lost`), and what lived of it is killed",
    "the worker": "one more attempt: its wrapper left how it ended (`failed`), within `policy.retries`",
    "all of it": "one more attempt: that one is `lost`",
}
_MORE = """\
## With what it had started

At `after-spawn` an attempt lives. It is killed together with the engine, at one blow:
"""
_RANDOM = """\
## At any moment

Beside the named points an engine is killed at several commits, in the middle of a build, of checks and of a review,
after delays by chance (a seed is printed), again and again while one attempt runs, and while it ends a cancelled one:
`tests/crash/`.
"""


def crash_matrix() -> dict[str, str]:
    """Return the page by its path as seen from the reference."""
    points = table(
        ("point", "there", "the engine dies alone"),
        ((code(name), said, _cell(name)) for name, said in POINTS.items()),
    )
    started = table(("killed with the engine", "then"), _STARTED.items())
    return {"../explanation/crash-matrix.md": page("Crash matrix", _HEAD, points, _MORE, started, _RANDOM)}


def _cell(point: str) -> str:
    if point == "before-spawn":
        return "goes on; the attempt is `lost`, though it never ran, and made"
    if point == "inside-migration":
        return "the store is as it was, with its copy beside it; the next command migrates it"
    return _ALONE
