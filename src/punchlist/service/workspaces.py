"""The verb that makes a workspace: settings, state, and the project of the repository that it is in."""

from pathlib import Path
from typing import TYPE_CHECKING

from punchlist.errors import PunchlistError, RefusedError
from punchlist.model.ids import slug
from punchlist.model.settings import FILE
from punchlist.service import projects
from punchlist.service.context import STATE
from punchlist.service.flows import check_ahead

if TYPE_CHECKING:
    from punchlist.service.context import Answer, Say, Service

SETTINGS = """\
# Settings of this workspace. Every key is optional; `punchlist config` prints the resolved value and its source.

# [workers.mine]                   # any program that takes a prompt and leaves a result can be a worker
# type = "command"
# argv = ["./tools/agent.sh", "{prompt_file}"]
# env = ["MY_AGENT_KEY"]           # names passed through; nothing else of the environment is
# max_parallel = 2                 # of its attempts at work at once, over all runs

# [roles]
# planner = "heuristic"
# builder = "mine"
# qa = "mine"                      # better another worker than the builder

# [policy]
# rework = 3                       # rounds after the first before a person is asked
# retries = 2
# timeout = "1h"
# silence = "10m"
# max_parallel = 2                 # of a run's attempts at work at once
# review = "always"                # always | uncovered | never
# on_accept = "branch"             # branch | merge
# auto_approve = false             # a person approves a task before it starts

# [engine]
# max_parallel = 4                 # of all attempts of the workspace at work at once

# [projects.NAME]
# setup = ["python3 -m venv .venv", ".venv/bin/pip install -q -e ."]   # makes a fresh folder able to run the checks
# path = [".venv/bin"]             # put before PATH for setup, checks and builders
"""


def refuse_existing(folder: Path) -> None:
    """Refuse a folder that is a workspace already."""
    state = folder / STATE
    if state.exists() and not (state.is_dir() and not any(state.iterdir())):
        raise RefusedError(
            "there is a workspace here already",
            where=str(state),
            hint="Type: punchlist status; to begin anew, move that folder away first.",
        )


def lacks_project(service: "Service") -> bool:
    """Say whether there is a workspace here without any project: its repository could not become one then."""
    if not (service.root / STATE / "state.db").is_file():
        return False
    with service.store.read() as reader:
        return not reader.projects()


def write_settings(folder: Path) -> bool:
    """Write a settings file that says nothing yet but what could be said, unless there is one."""
    path = folder / FILE
    if path.exists():
        return False
    path.write_text(SETTINGS, encoding="utf-8")
    return True


def exclude(git_dir: Path, *, entry: str) -> None:
    """Keep the state folder out of git by the repository's own exclude file, which is never committed."""
    path = git_dir / "info" / "exclude"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if entry not in text.splitlines():
        separator = "" if not text or text.endswith("\n") else "\n"
        path.write_text(f"{text}{separator}{entry}\n", encoding="utf-8")


def first_project(service: "Service", *, say: "Say") -> "Answer":
    """Make the repository that the workspace is in its first project, and try what is likely to set it up and test it.

    Returns `{project, detected}`; a repository that cannot be one yet (no commits) makes `{project: null, problem}`.
    """
    name = slug(service.root.name)
    try:
        made = projects.create(service, name, repo=".", title=_title(service.root.name, name), say=say)
    except PunchlistError as error:
        return {"project": None, "detected": None, "problem": str(error)}
    check_ahead(service)
    return made


def _title(folder: str, name: str) -> str:
    """Return a title for the folder's project: its name, unless that holds what no title may."""
    return folder if folder.isprintable() and folder.strip() else name
