"""The verb that looks at the machine: what is there, what is not, and what to do about it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from punchlist.errors import PunchlistError, WorkerError
from punchlist.model.settings import program_of, resolved, usable_worker
from punchlist.render.words import plural
from punchlist.service.programs import troubles

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.model.settings import Settings
    from punchlist.service.context import Answer, Service

Status = Literal["ok", "info", "warn", "fail"]
UNENFORCED = (
    "not enforced: that agents and checks write in their own folders only, see nothing else of this machine, "
    "and that checks have no network"
)
_LEAST_FREE = 1 << 30
_OLDEST_GIT = (2, 38)
_ROLES = ("planner", "builder", "qa")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a machine says of itself. `run` returns the first line that a command prints, None when it is not there."""

    root: Path
    python: tuple[int, int, int]
    runtime_folder: Path
    run: Callable[..., str | None]
    can_write: Callable[[Path], bool]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at; `worker` names the worker that it is of, `needed` whether a role has it."""

    name: str
    status: Status
    detail: str
    hint: str = ""
    worker: str = ""
    needed: bool = False


def doctor(machine: Machine, service: "Service | None") -> "Answer":
    """Return `{checks: [{name, status, detail, hint}], missing}`; `missing` names workers needed and not there.

    Without a workspace only the machine is looked at.
    """
    checks = [*_of_machine(machine), *(_of_workspace(service) if service is not None else _no_workspace())]
    found: list[Json] = [
        {"name": each.name, "status": each.status, "detail": each.detail, "hint": each.hint} for each in checks
    ]
    missing: list[Json] = [each.worker for each in checks if each.worker and each.needed and each.status == "fail"]
    return {"checks": found, "missing": missing}


def _of_machine(machine: Machine) -> Iterator[Check]:
    yield _git(machine)
    yield _python(machine)
    yield _disk(machine.root)
    yield _runtime(machine)
    yield sandbox(machine)
    yield from _limits()


def _git(machine: Machine) -> Check:
    said = machine.run("git", "--version")
    if said is None:
        return Check(name="git", status="fail", detail="not found on PATH", hint="Install git.")
    numbers = tuple(int(part) for part in said.removeprefix("git version ").split(".")[:2] if part.isdigit())
    if numbers < _OLDEST_GIT:
        oldest = ".".join(map(str, _OLDEST_GIT))
        return Check(name="git", status="fail", detail=said, hint=f"Install git {oldest} or newer.")
    return Check(name="git", status="ok", detail=said)


def _python(machine: Machine) -> Check:
    return Check(name="python", status="ok", detail=".".join(map(str, machine.python)))


def _disk(root: Path) -> Check:
    usage = shutil.disk_usage(root)
    detail = f"{usage.free / (1 << 30):.1f} GiB free"
    if usage.free < _LEAST_FREE:
        return Check(name="disk", status="warn", detail=detail, hint="Make room: every attempt keeps its output.")
    return Check(name="disk", status="ok", detail=detail)


def _runtime(machine: Machine) -> Check:
    folder = machine.runtime_folder
    if machine.can_write(folder):
        return Check(name="runtime directory", status="ok", detail=str(folder))
    hint = "Set XDG_RUNTIME_DIR to a short path that you may write to."
    return Check(name="runtime directory", status="fail", detail=f"{folder} cannot be written", hint=hint)


def sandbox(machine: Machine) -> Check:
    """Say what keeps agents and checks apart from the machine, and what does not."""
    said = machine.run("bwrap", "--version")
    if said is None:
        return Check(
            name="sandbox",
            status="info",
            detail=f"bubblewrap not found; {UNENFORCED}",
            hint="Nothing fails without it. In this version nothing is gained by installing it either.",
        )
    return Check(name="sandbox", status="info", detail=f"{said} found, not used in this version yet; {UNENFORCED}")


def _limits() -> Iterator[Check]:
    mechanisms: Mapping[str, str] = {
        "timeout": "the engine's timer; the whole tree of processes is killed",
        "silence": "growth of stdout and stderr is watched",
        "output": "the size of stdout and stderr is watched",
        "memory": "that of the whole tree is sampled once a second: what grows faster is found that much later",
        "processes": "those of the whole tree are counted once a second",
    }
    for name, mechanism in mechanisms.items():
        yield Check(name=f"limit: {name}", status="ok", detail=mechanism)


def _no_workspace() -> Iterator[Check]:
    yield Check(name="workspace", status="info", detail="none here or above", hint="Type: punchlist init")


def _of_workspace(service: "Service") -> Iterator[Check]:
    yield _store(service)
    yield from _programs(service)
    try:
        settings = service.settings
    except PunchlistError as error:
        yield Check(name="settings", status="fail", detail=str(error), hint="Mend punchlist.toml.")
        return
    yield Check(name="settings", status="ok", detail="every key is known")
    for setting in resolved(settings):
        if setting.note and setting.source != "default":
            yield Check(name=f"setting: {setting.key}", status="info", detail=setting.note)
    for role in _ROLES:
        if getattr(settings.roles, role) is None:
            hint = f'Set [roles] {role} = "NAME" in punchlist.toml, or name one in each step.'
            yield Check(name=f"role: {role}", status="info", detail="no worker stands in it", hint=hint)
    yield from (_worker(service, settings, name=name) for name in _wanted(settings))


def _store(service: "Service") -> Check:
    try:
        with service.store.read() as reader:
            count = sum(row.n for row in reader.streams())
    except PunchlistError as error:
        return Check(name="store", status="fail", detail=error.message, hint=error.hint)
    return Check(name="store", status="ok", detail=f"readable, {plural(count, 'event')}")


def _programs(service: "Service") -> Iterator[Check]:
    """Yield what of the exchange with other programs is in trouble; a store that cannot be read is told of above."""
    with suppress(PunchlistError), service.store.read() as reader:
        for each in troubles(reader):
            yield Check(name=each.where, status="warn", detail=each.message, hint=each.hint)


def _wanted(settings: "Settings") -> list[str]:
    named = [getattr(settings.roles, role) for role in _ROLES]
    return list(dict.fromkeys([*(name for name in named if name is not None), *settings.workers]))


def _worker(service: "Service", settings: "Settings", *, name: str) -> Check:
    roles = [role for role in _ROLES if getattr(settings.roles, role) == name]
    title = f"worker: {name}"
    bad: Status = "fail" if roles else "warn"
    try:
        worker = usable_worker(settings, name)
    except WorkerError as error:
        return Check(name=title, status=bad, detail=error.message, hint=error.hint, worker=name, needed=bool(roles))
    detail = f"type {worker.type}" + (f", {', '.join(roles)}" if roles else "")
    lacking = _lacking(service, program=program_of(worker), script=worker.script)
    if lacking:
        hint = "Install it, or mend the setting."
        return Check(name=title, status=bad, detail=lacking, hint=hint, worker=name, needed=bool(roles))
    said = service.outside.examine(name)
    if said is None:
        return Check(name=title, status="ok", detail=detail, worker=name, needed=bool(roles))
    about = said.problem or said.warning
    detail = f"{detail}, version {said.version or 'unknown'}" + (f": {about}" if about else "")
    status: Status = bad if said.problem else "warn" if said.warning else "ok"
    return Check(name=title, status=status, detail=detail, hint=said.hint, worker=name, needed=bool(roles))


def _lacking(service: "Service", *, program: str | None, script: str | None) -> str:
    """Return what of a worker is not there, or nothing."""
    if program is not None and service.outside.find_program(program) is None:
        return f"the program {program!r} is not there or cannot be executed"
    if script is not None and not (service.root / script).is_file():
        return f"the script {script!r} is not there"
    return ""
