"""The page of exit codes, and of the codes that errors carry in `--json`."""

from collections.abc import Iterator

from punchlist import errors
from punchlist.cli.edge import BROKEN_PIPE, INTERRUPTED
from punchlist.model.states import NodeStatus
from punchlist.service.crashes import BUG
from punchlist.service.runs import exit_code
from tools.pages.markup import code, page, summary, table

_HEAD = """\
Every verb ends with one of these, so that a script need not read its output.
"""
_FAILED = (
    "The work failed: a run that failed or was cancelled (with `--wait` or `--follow`), drift, a log that does not "
    "hold, something that `doctor` misses."
)
_ERROR = """\
## The error of `--json`

With `--json`, standard output is exactly one JSON object, also when a verb fails:

```json
{"ok": false, "error": {"code": "refused", "message": "…", "where": "T1", "hint": "…", "problems": []}}
```

`where` is a file with line and column, a field or an id; `hint` is what to do or to type next; `problems` are
`{where, message, allowed, hint}`, all that is wrong with the input at once. The `code` says more than the exit code:
"""
_MORE = (
    ("usage", 2, "The command line itself is wrong: an unknown verb, option or value."),
    ("not_found", 3, "There is nothing of that name or id."),
    ("invalidates", 3, "It would undo work that is accepted, and says which; `--yes` does it all the same."),
    ("unproven", 3, "The task has criteria that prove nothing yet; `--anyway` approves it all the same."),
    ("failed", 1, "What the verb waited for was done, and failed: a plan that could not be made."),
)


def exit_codes() -> dict[str, str]:
    """Return the page by its path below the reference."""
    codes = table(("exit code", "meaning"), ((str(number), meaning) for number, meaning in _codes()))
    return {"exit-codes.md": page("Exit codes", _HEAD, codes, _ERROR, _of_errors())}


def _codes() -> Iterator[tuple[int, str]]:
    yield exit_code(NodeStatus.SUCCEEDED), "It holds."
    yield exit_code(NodeStatus.FAILED), _FAILED
    for kind in (errors.DefinitionError, errors.RefusedError, errors.WorkerError, errors.StoreError):
        yield kind.exit_code, summary(kind)
    yield exit_code(NodeStatus.WAITING), "It waits for a decision (with `--wait` or `--follow`): see `punchlist gates`."
    yield BUG, "A bug: a report is written into `.punchlist/crash/`, and its path printed."
    yield INTERRUPTED, "Interrupted with ^C. What runs goes on."
    yield BROKEN_PIPE, "The reader of the output went away, as with `punchlist events | head`."


def _of_errors() -> str:
    kinds = (errors.DefinitionError, errors.RefusedError, errors.ConflictError, errors.WorkerError, errors.StoreError)
    rows = [(kind.code, kind.exit_code, summary(kind)) for kind in kinds]
    bug = (errors.PunchlistError.code, errors.PunchlistError.exit_code, "A bug.")
    return table(("code", "exit code", "what"), ((code(name), str(n), said) for name, n, said in [*rows, *_MORE, bug]))
