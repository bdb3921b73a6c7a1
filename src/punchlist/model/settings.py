"""The settings of a workspace (`punchlist.toml`): a closed record, built-in workers, and what is not in force yet."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from punchlist.errors import Problem, WorkerError
from punchlist.model.addresses import wrong_with
from punchlist.model.allowed import nearest
from punchlist.model.ids import Slug
from punchlist.model.json import Json, plain
from punchlist.model.outside import Moment
from punchlist.model.parse import parse
from punchlist.model.parts import Part
from punchlist.model.policy import Amount, Duration, Policy, PolicyPart
from punchlist.model.records import Command, Line, ProjectFile, WorkerName

WorkerType = Literal[
    "command", "scripted", "heuristic", "claude", "codex", "opencode", "gemini", "shell", "python", "acp", "human"
]  # fmt: skip
Places = Annotated[int, Meta(ge=1, le=1000)]
Weight = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]

WORKER_TYPES: tuple[str, ...] = get_args(WorkerType)
FILE = "punchlist.toml"
DEFAULT_PLANNER = "heuristic"
BUILT_IN = ("claude", "codex", "gemini", "heuristic", "opencode")
"""Workers that need no entry in the settings; the type of each has its name."""
PERSON = "human"
"""The worker that is a person."""
_NEEDED = {
    "command": ("argv", 'a list: ["./agent", "{prompt_file}"]'),
    "scripted": ("script", "the path of a YAML file"),
}
"""Types of workers that do not work without a key of their own, and what to write there."""
PROGRAMS = {"claude": "claude"}
"""Types of workers that are a program by themselves, and its name where the settings give no `argv`."""
PROVIDER_NAMES: Mapping[str, tuple[str, ...]] = {
    "claude": (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "CLAUDE_CODE_OAUTH_TOKEN",
    )
}
"""Types of agents, and the names that are let through to each without being listed: who pays, where the model is."""
IN_FORCE = ("claude", "command", "heuristic", "scripted")
"""Worker types that this version can start."""


_Argument = Annotated[str, Meta(min_length=1, max_length=4_000, pattern=r"^[^\x00]*$")]
"""An argument of a program, which may be blank, unlike any other text."""


class WorkerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One worker. `type` may be left out where the name is that of a type; `env` lists names that are let through."""

    type: WorkerType | None = None
    model: Line | None = None
    argv: Annotated[tuple[_Argument, ...], Meta(min_length=1, max_length=200)] | None = None
    env: tuple[Line, ...] = ()
    account: Slug | None = None
    inherit: bool | None = None
    script: Line | None = None
    function: Line | None = None
    command: Command | None = None
    max_parallel: Places | None = None


class Roles(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Which worker stands in a role when a step or a command names none."""

    planner: WorkerName = DEFAULT_PLANNER
    builder: WorkerName | None = None
    qa: WorkerName | None = None
    node: WorkerName | None = None


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Bounds on cost: at 80 % a notice, at 100 % a gate."""

    attempt: Amount | None = None
    task: Amount | None = None
    run: Amount | None = None
    day: Amount | None = None


class FilesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Where generated files go (relative to the workspace), and whether they are meant to be committed."""

    dir: Line | None = None
    commit: bool = False


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Whom to tell, and of what."""

    urls: tuple[Line, ...] = ()
    on: tuple[Literal["gate", "failed", "accepted", "stalled", "budget", "engine_down"], ...] = ()


class Callbacks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A program or an address that is told how runs fare; `env` lists names that are let through to a program."""

    command: Annotated[tuple[_Argument, ...], Meta(min_length=1, max_length=200)] | None = None
    url: Line | None = None
    on: tuple[Moment, ...] = ("done", "failed", "waiting")
    timeout: Duration = "30s"
    env: tuple[Line, ...] = ()


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The engine's own process; `max_parallel` bounds the attempts of the workspace that are at work at once."""

    idle_exit: Duration = "10m"
    max_parallel: Places | None = None


class PythonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The interpreter that `python` nodes call functions in: a name on PATH, or a path from the workspace."""

    interpreter: Line = "python3"


class Gc(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What `punchlist gc` leaves alone."""

    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 30


class Approvals(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A secret that is asked for on the terminal before a person's decision is taken."""

    secret: Line | None = None


class QueuePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The order of ready tasks: a weight each, and what breaks ties."""

    priority: Weight | None = None
    deadline: Weight | None = None
    risk: Weight | None = None
    size: Weight | None = None
    labels: dict[Slug, Weight] = {}
    ties: tuple[Literal["priority", "deadline", "risk", "size", "age", "id"], ...] = ()


class QueueSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The queue of ready tasks."""

    policy: QueuePolicy = QueuePolicy()


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Workers for the tasks that a label, a path or a tier matches."""

    label: Slug | None = None
    path: Line | None = None
    tier: Literal["light", "contract"] | None = None
    planner: WorkerName | None = None
    builder: WorkerName | None = None
    qa: WorkerName | None = None


class Web(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The web page's address."""

    host: Line = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Everything that `punchlist.toml` may say; every key is optional."""

    workers: dict[WorkerName, WorkerSettings] = {}
    roles: Roles = Roles()
    policy: PolicyPart = PolicyPart()
    budget: Budget = Budget()
    projects: dict[Slug, ProjectFile] = {}
    files: FilesSettings = FilesSettings()
    notify: Notify = Notify()
    callbacks: Callbacks = Callbacks()
    engine: EngineSettings = EngineSettings()
    python: PythonSettings = PythonSettings()
    gc: Gc = Gc()
    approvals: Approvals = Approvals()
    queue: QueueSettings = QueueSettings()
    routes: tuple[Route, ...] = ()
    web: Web = Web()


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One resolved value: where it comes from, and whether this version heeds it (`note` is empty when it does)."""

    key: str
    value: Json
    source: str
    note: str = ""


SECRET = frozenset({"approvals.secret", "callbacks.url"})
LATER = "not in force yet"
NOT_IN_FORCE: Mapping[str, tuple[Json, ...]] = {
    "notify": (),
    "budget": (),
    "queue": (),
    "routes": (),
    "approvals.secret": (),
    "web": (),
    "files.commit": (True,),
    "policy.budget": (),
    "policy.sandbox": ("bwrap",),
    "policy.on_accept": ("pr",),
    "roles.node": (),
    "workers.*.account": (),
    "workers.*.command": (),
    "workers.*.function": (),
    "workers.*.type": tuple(kind for kind in WORKER_TYPES if kind not in IN_FORCE),
    "projects.*.setup_allow": (),
    "projects.*.policy.budget": (),
    "projects.*.policy.sandbox": ("bwrap",),
    "projects.*.policy.on_accept": ("pr",),
}
"""Keys of later parts (a star stands for any name) → the values that are not in force yet; none listed means all."""


def parse_settings(value: Json, *, source: str = FILE) -> Settings:
    """Return the settings in a decoded TOML file; raises DefinitionError with every problem, those of meaning too."""
    return parse(Settings, value, what=source, meaning=_meaning)


def worker_names(settings: Settings) -> tuple[str, ...]:
    """Return the names that a role or a step may give: those configured and those built in."""
    return tuple(sorted({*settings.workers, *BUILT_IN, PERSON}))


def worker_type(settings: Settings, name: str) -> str:
    """Return the type of a worker; raises WorkerError for a name that is neither configured nor built in."""
    configured = settings.workers.get(name)
    if configured is not None and configured.type is not None:
        return configured.type
    if name in WORKER_TYPES:
        return name
    known = ", ".join(worker_names(settings))
    raise WorkerError(f"there is no worker {name!r}; known: {known}", where=f"workers.{name}", hint=_example(name))


def usable_worker(settings: Settings, name: str) -> WorkerSettings:
    """Return a worker, its type filled in; raises WorkerError when it is unknown or this version cannot start it."""
    kind = worker_type(settings, name)
    if kind not in IN_FORCE:
        raise WorkerError(
            f"the worker {name!r} has type {kind!r}, which is not in this version; in it are: {', '.join(IN_FORCE)}",
            where=f"workers.{name}",
            hint=_example(name),
        )
    return msgspec.structs.replace(settings.workers.get(name, WorkerSettings()), type=kind)


def program_of(worker: WorkerSettings) -> str | None:
    """Return the program that a worker's command line begins with; None for a type that brings its own."""
    return worker.argv[0] if worker.argv else PROGRAMS.get(worker.type or "")


def passed_names(settings: Settings) -> frozenset[str]:
    """Return the names of the environment that workers get to see: those listed, and those of agents' providers."""
    used = {*settings.workers, *(getattr(settings.roles, role) for role in Roles.__struct_fields__)} - {None}
    listed = {each for worker in settings.workers.values() for each in worker.env}
    kinds = {settings.workers[name].type or name if name in settings.workers else name for name in used}
    return frozenset({*listed, *(each for kind in kinds for each in PROVIDER_NAMES.get(kind, ()))})


def resolved(settings: Settings, *, source: str = FILE) -> list[Setting]:
    """Return every setting with its value, defaults included, in the order of the record, and where each comes from."""
    said = dict(_leaves("", plain(settings)))
    defaults = dict(_defaults())
    keys = [*defaults, *(key for key in said if key not in defaults)]
    return [_setting(key, said=said, default=defaults.get(key), source=source) for key in keys]


def note(key: str, value: Json) -> str:
    """Return `not in force yet` for a key that a later part brings, else an empty text. Unset values need no note."""
    if value in (None, [], {}):
        return ""
    return LATER if any(not values or value in values for values in _ahead(key)) else ""


@lru_cache(maxsize=1024)  # asked for each rule of each step, whenever a task is shown
def _ahead(key: str) -> tuple[tuple[Json, ...], ...]:
    """Return the values of a key that are not in force, of each pattern that it fits; none at all means any."""
    return tuple(values for pattern, values in NOT_IN_FORCE.items() if _matches(pattern, key))


def _setting(key: str, *, said: Mapping[str, Json], default: Json, source: str) -> Setting:
    if key in said:
        shown = "(set)" if key in SECRET else said[key]
        return Setting(key=key, value=shown, source=source, note=_note(key, said[key], said=said))
    return Setting(key=key, value=default, source="default", note=_note(key, default, said=said))


def _note(key: str, value: Json, *, said: Mapping[str, Json]) -> str:
    """Return what is to be known of a setting: not in force yet, not all of it, or without effect where it stands."""
    if (key, value) == ("policy.sandbox", "auto"):
        return f"{LATER}: nothing is sandboxed"
    table, _, rest = key.partition(".")
    name, _, of_worker = rest.rpartition(".")
    kind = said.get(f"workers.{name}.type", name)
    if table == "workers" and of_worker in _OF_AGENTS and kind in _NO_AGENTS and value is not None:
        return f"without effect: a worker of type {kind} is no agent"
    return note(key, value)


_OF_AGENTS = frozenset({"model", "inherit"})
"""What only an agent's program is told."""
_NO_AGENTS = frozenset({"command", "scripted", "heuristic"})


_SHOWN: Mapping[str, msgspec.Struct] = {
    "roles": Roles(),
    "policy": Policy(),
    "budget": Budget(),
    "files": FilesSettings(),
    "notify": Notify(),
    "callbacks": Callbacks(),
    "engine": EngineSettings(),
    "gc": Gc(),
    "approvals": Approvals(),
    "web": Web(),
}
"""The tables whose keys have fixed names, with their defaults; those of policy stand in `Policy`."""


def _defaults() -> Iterator[tuple[str, Json]]:
    for table, record in _SHOWN.items():
        yield from ((f"{table}.{name}", plain(getattr(record, name))) for name in record.__struct_fields__)


def _leaves(prefix: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict) and not _is_leaf(prefix):
        for name, each in value.items():
            yield from _leaves(f"{prefix}.{name}" if prefix else name, each)
    else:
        yield prefix, value


def _is_leaf(key: str) -> bool:
    """Say whether a table is shown whole: an amount of money or tokens."""
    return key.startswith("budget.") or key.endswith("policy.budget")


def _matches(pattern: str, key: str) -> bool:
    wanted, given = pattern.split("."), key.split(".")
    return len(given) >= len(wanted) and all(want in {"*", have} for want, have in zip(wanted, given, strict=False))


def _meaning(settings: Part) -> Iterator[Problem]:
    configured = settings.field("workers").fields()
    yield from _untyped(configured)
    yield from _outside(settings.field("files").field("dir"))
    yield from _callback(settings.field("callbacks"))
    known = sorted({*configured, *BUILT_IN, PERSON})
    for place in (settings.field("roles"), *settings.field("routes").each()):
        for role in Roles.__struct_fields__:
            yield from _unknown_worker(place.field(role), known)


def _outside(folder: Part) -> Iterator[Problem]:
    """Yield the problem of a folder of generated files that is not inside the workspace."""
    if folder.text is not None and (folder.text.startswith(("/", "~")) or ".." in folder.text.split("/")):
        message = f"{folder.text!r} is outside the workspace"
        yield Problem(folder.where, message, "a folder of its own inside it, such as docs/plan")


def _callback(callbacks: Part) -> Iterator[Problem]:
    """Yield what is wrong with whom to call back: it is a program or an address, not both."""
    url, command = callbacks.field("url"), callbacks.field("command")
    if url.said and command.said:
        yield Problem(callbacks.where, "both 'command' and 'url' are given", "one of them", "Leave one out.")
    if url.text is not None and (wrong := wrong_with(url.text)) is not None:
        yield Problem(url.where, *wrong)


def _unknown_worker(part: Part, known: Sequence[str]) -> Iterator[Problem]:
    if part.text is not None and part.text not in known:
        hint = nearest(part.text, known) or f"Add [workers.{part.text}]"
        yield Problem(part.where, f"there is no worker {part.text!r}", ", ".join(known), hint)


def _untyped(workers: Mapping[str, Part]) -> Iterator[Problem]:
    for name, worker in workers.items():
        kind = worker.field("type")
        if not isinstance(worker.value, dict):
            continue
        if not kind.said and name not in WORKER_TYPES:
            yield Problem(worker.where, "the field 'type' is missing", ", ".join(WORKER_TYPES))
        needed, example = _NEEDED.get(kind.text or ("" if kind.said else name), ("", ""))
        if needed and not worker.field(needed).said:
            yield Problem(worker.where, f"type {kind.text or name!r} needs {needed!r}", example)


def _example(name: str) -> str:
    return f'Give it a type: [workers.{name}] type = "command", argv = ["./agent.sh", "{{prompt_file}}"]'
