"""The page of the crash matrix: where an engine is killed in the tests, and what comes of it."""

from collections.abc import Mapping

from punchlist.dying import POINTS, VARIABLE
from tools.pages.markup import code, page, table

BESIDE: Mapping[str, tuple[str, ...]] = {
    "engine": ("succeeded",),
    "wrapper": ("lost", "succeeded"),
    "worker": ("failed", "succeeded"),
    "all": ("lost", "succeeded"),
}
"""What dies → how the attempts end that there are then, at whichever point; the test compares with this."""
NEVER_RAN = {"after-commit", "before-spawn", "while-rendering"}
"""Where what the engine was about to start is recorded as an attempt more, which never ran."""

_HEAD = f"""\
An engine may die at any moment. In the tests it does so, by SIGKILL, at each of these points, and the next engine goes
on. `tests/crash/test_matrix.py` makes a row of each by `{VARIABLE}=POINT:N` in the engine's environment, and holds what
comes of it against the same task, left alone:

- the same steps are accepted, once each, with the same trees;
- each attempt was started once, and as many attempts as in the undisturbed task, but for those that are marked;
- `punchlist log verify` finds no problem, the generated files are as the record says, and no process is left.
"""
_ALONE = "goes on; nothing is run again"
_MATRIX = """\
## With what is at work

When the engine dies at a point of the task, four attempts of another run are at work, each held in the middle. At one
blow, and before there is another engine, each loses something else: nothing, its wrapper (the few lines of shell that
write down how the command ended), its worker (the command, with all that it started), or both. These are the attempts
that come of each. A store is migrated by the first engine of a newer version, while the attempts of the one before may
live.
"""
_LEGEND = """\
`succeeded` alone: it was taken up, and ran once. `lost`: nobody knows how it ended; what lives of it is killed before
the next attempt begins. `failed`: its wrapper left how it ended, which counts toward `retry` or `policy.retries`. In
each cell the first attempt ran once and so did the second, and the task beside is as if nothing had been.
"""
_STARTED = {
    "the wrapper": "one more attempt: nobody knows how that one ended (`lost`), and what lived of it is killed",
    "the worker": "one more attempt: its wrapper left how it ended (`failed`), within `policy.retries`",
    "all of it": "one more attempt: that one is `lost`",
}
_MORE = """\
## With what it had just started

At `after-spawn` the attempt that was started is one that nobody waits for yet. It is killed with the engine, too:
"""
_RANDOM = """\
## At any moment

Beside the named points an engine is killed at several commits, in the middle of a build, of checks and of a review,
after delays by chance (a seed is printed), again and again while one attempt runs, and while it ends a cancelled one:
`tests/crash/`.

`make soak KILLS=10000` kills at random. Seed after seed a flow of 300 shell nodes is drawn: two to four run at a time,
one in ten fails once and is tried again, one in ten leaves a daemon behind. From 0.5 to 300 ms after an engine has
taken its lock (as likely within 1 and 10 ms as within 10 and 100) a SIGKILL strikes: the engine, the wrapper or the
command of an attempt, the engine with one of these or with a whole attempt, or everything at once; where an attempt is
to be struck and none is at work, as soon as one is. Then the next engine begins.
When the run is over, it is held against the same run left alone:

- every node has the same end and the same output, made from the outputs of what it needs;
- no attempt was started twice, none at a node while another one at it lived, and none that the record does not know;
- nothing succeeded twice; whatever else was given up had been struck, had failed as it should, or had never begun;
- no engine ended by itself before the run was over; `punchlist log verify` finds no problem, and no process is left.

The first difference ends it, prints the seed and the command that plays it again, and keeps the workspace. Where an
attempt is lost three times the run asks whether to go on, as it would ask you; that is answered, and counted. Engines
are forks of the program that kills them, which has loaded the whole command: that way there are more of them. What a
seed draws is when and whom; what is struck there depends on the machine, so one seed may have to be played repeatedly.
"""


def crash_matrix() -> dict[str, str]:
    """Return the page by its path as seen from the reference."""
    points = table(
        ("point", "there", "the engine dies"),
        ((code(name), said, _cell(name)) for name, said in POINTS.items()),
    )
    heads = ("the engine dies at", "alone", "with the wrapper", "with the worker", "with all of it")
    beside = table(heads, ((code(name), *map(_attempts, BESIDE.values())) for name in POINTS))
    started = table(("killed with the engine", "then"), _STARTED.items())
    parts = (_HEAD, points, _MATRIX, beside, _LEGEND, _MORE, started, _RANDOM)
    return {"../explanation/crash-matrix.md": page("Crash matrix", *parts)}


def _attempts(statuses: tuple[str, ...]) -> str:
    return ", ".join(map(code, statuses))


def _cell(point: str) -> str:
    if point in NEVER_RAN:
        return "goes on; what it was about to start is `lost`, though it never ran, and started as another attempt"
    if point == "inside-migration":
        return "the store is as it was, with its copy beside it; the next command migrates it"
    return _ALONE
