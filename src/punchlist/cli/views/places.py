"""Views of places and settings: workspace, projects, `doctor`, `config`, engine."""

from collections.abc import Mapping

from punchlist import __version__
from punchlist.cli.tables import columns, in_line, status, strong, table
from punchlist.cli.views.seen import (
    CheckSeen,
    DetectedSeen,
    EngineSeen,
    Part,
    ProjectSeen,
    SettingSeen,
    WorkspaceSeen,
    seen,
)
from punchlist.model.json import Json

Answer = Mapping[str, Json]


def workspace(answer: Answer) -> str:
    """Return what `init` made, and what to type next."""
    made = seen(WorkspaceSeen, answer["workspace"])
    lines = [f"Workspace {made.root}", *([f"Sandbox: {made.sandbox}"] if made.sandbox else [])]
    if answer.get("project") is None:
        problem = [f"No project: {answer['problem']}"] if answer.get("problem") else []
        here = " --repo ." if made.in_git else ""
        again = "once that is mended, punchlist init, or " if problem else ""
        return "\n".join([*lines, *problem, "", f"Next: {again}punchlist project create NAME --spec FILE{here}"])
    record = seen(ProjectSeen, answer["project"])
    lines += [f"Project {strong(record.id)}: {record.title}, from branch {record.base}", *_detected(answer)]
    return "\n".join([*lines, "", f'Next: punchlist plan "what you want", or {_TASK_FILE}'])


_TASK_FILE = "punchlist task create --file task.yaml"


def created_project(answer: Answer) -> str:
    """Return a project with what was found out about it."""
    return "\n".join([project(answer), *_detected(answer), "", f"Next: punchlist plan, or {_TASK_FILE}"])


def _detected(answer: Answer) -> list[str]:
    if not answer.get("detected"):
        return []
    found = seen(DetectedSeen, answer["detected"])
    lines: list[str] = []
    for each in found.tried:
        lines.append(f"  {status('ok' if each.worked else 'failed')}  {each.command}")
        if not each.worked:
            lines += [f"      {line}" for line in each.tail.splitlines()[-3:]]
    return ["Tried:", *lines] if lines else ["No set-up or test commands were found."]


def project(answer: Answer) -> str:
    """Return a project."""
    record = seen(ProjectSeen, answer["project"])
    rows = [["repository", record.repo], ["base", record.base], ["version", str(record.version)]]
    rows += [["set-up", command] for command in record.setup] + [["path", entry] for entry in record.path]
    rows += [["spec", _size(record.spec)]]
    return f"{strong(record.id)}  {record.title}\n{columns(rows)}"


def _size(spec: str) -> str:
    return f"{len(spec.splitlines())} lines" if spec.strip() else "none yet; punchlist project edit --spec FILE"


def projects(answer: Answer) -> str:
    """Return all projects."""
    rows = [[each.id, each.base, each.repo, each.title] for each in seen(list[ProjectSeen], answer["projects"])]
    return (
        table(["project", "base", "repository", "title"], rows)
        or "No projects: punchlist project create NAME --spec FILE"
    )


def checks_of(answer: Answer) -> list[CheckSeen]:
    """Return what `doctor` looked at."""
    return seen(list[CheckSeen], answer["checks"])


def checks(answer: Answer) -> str:
    """Return what `doctor` saw, hints below."""
    rows = checks_of(answer)
    hints = [f"{each.name}: {each.hint}" for each in rows if each.hint and each.status != "ok"]
    seen_rows = [[each.name, each.status, each.detail] for each in rows]
    return "\n".join([table(["what", "status", "seen"], seen_rows), *([""] if hints else []), *hints])


def settings(answer: Answer) -> str:
    """Return each setting with its value and source; those not in force yet say so."""
    rows = [
        [each.key, each.source, f"{_value(each.value)}{f'  ({each.note})' if each.note else ''}"]
        for each in seen(list[SettingSeen], answer["settings"])
    ]
    return table(["setting", "from", "value"], rows)


def _value(value: Json) -> str:
    return "-" if value is None else value if isinstance(value, str) else in_line(value)


def engine(answer: Answer) -> str:
    """Return whether the engine runs."""
    state = seen(EngineSeen, answer["engine"])
    if state.running and state.pid is None:
        return "running; which process it is cannot be seen from here"
    if state.running:
        other = "" if state.version in {"", __version__} else f" (this command line is version {__version__})"
        return f"running, process {state.pid}, since {state.since}, version {state.version}{other}"
    return "not running; it starts by itself when there is something to do"


def stopped(answer: Answer) -> str:
    """Return whether an engine was stopped."""
    return "stopped" if answer["stopped"] else "no engine ran"


class UnitSeen(Part, frozen=True, kw_only=True):
    """The unit of a service."""

    name: str
    path: str
    text: str


def unit_text(answer: Answer) -> str:
    """Return the unit itself."""
    return seen(UnitSeen, answer["unit"]).text.rstrip()


def installed_unit(answer: Answer) -> str:
    """Return what became of a service, and what is left to type."""
    unit = seen(UnitSeen, answer["unit"])
    if not answer["changed"]:
        return f"{unit.path} says this already."
    types = seen(list[str], answer["type"])
    if answer["started"]:
        return f"Wrote {unit.path}, and started it.\nTo keep it up when you are not logged in: {types[0]}"
    return "\n".join(
        [f"Wrote {unit.path}. There is no systemd of yours to start it here; where there is, type:", *types]
    )


def removed_unit(answer: Answer) -> str:
    """Return whether a service was removed."""
    unit = seen(UnitSeen, answer["unit"])
    if not answer["removed"]:
        return f"There is no {unit.path}."
    return "\n".join(
        [f"Removed {unit.path}.", *(f"If it still runs: {each}" for each in seen(list[str], answer["type"]))]
    )
