"""What a worker knows: its settings, checked for its type, and the machine it runs on."""

from collections.abc import Collection, Mapping

import msgspec

from punchlist.errors import Problem, invalid
from punchlist.model.json import Json
from punchlist.model.parse import parse
from punchlist.model.settings import WorkerSettings

FOR_ALL = frozenset({"type", "env", "model", "account", "inherit", "max_parallel"})
"""Keys that every worker takes; `model`, `account` and `inherit` speak to agents, the offline workers do without.

`max_parallel` is heeded before any of them is started.
"""


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker may know of the machine, read once where the program is put together.

    `python` is the interpreter that runs this program, `path` the engine's PATH. `tools` says whether the typed tools
    can be started: their library is an extra. `own` names where a person's own settings of an agent are, by the
    variable that the agent finds them by.
    """

    python: str
    path: str
    tools: bool = True
    own: Mapping[str, str] = {}


def read_settings(
    settings: Mapping[str, Json], *, name: str, needed: str | None = None, own: Collection[str] = ()
) -> WorkerSettings:
    """Return the settings of worker `name`, whose type has no key of its own but `needed` and `own`.

    Raises DefinitionError with all problems: unknown keys, wrong values, a key of another type, the needed one missing.
    """
    what = f"[workers.{name}]"
    read = parse(WorkerSettings, {key: value for key, value in settings.items() if value is not None}, what=what)
    allowed = {*FOR_ALL, *own, *((needed,) if needed else ())}
    problems = [
        Problem(key, f"a worker of this type has no key {key!r}", ", ".join(sorted(allowed)))
        for key in read.__struct_fields__
        if key not in allowed and getattr(read, key) is not None
    ]
    if needed is not None and getattr(read, needed) is None:
        problems.append(Problem(needed, f"a worker of this type needs {needed!r}"))
    if problems:
        raise invalid(problems, what=what)
    return read
