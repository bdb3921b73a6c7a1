"""Workspaces for tests of verbs: real store, git, files and processes; an engine only where a test asks for one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from punchlist import wiring
from punchlist.ports import EngineStatus, Watch
from punchlist.service import approvals, files, logs, projects, tasks
from punchlist.service.context import Service

BUILDER = """\
[workers.maker]
type = "command"
argv = ["sh", "-c", "echo made > made.txt"]
[workers.judge]
type = "command"
argv = ["./tools/judge"]
[roles]
builder = "maker"
qa = "judge"
[engine]
idle_exit = "1s"
"""
JUDGE = """\
#!/usr/bin/env python3
import json, os
pack = json.load(open(os.environ["PUNCHLIST_PACK"]))
seen = next(each for each in sorted(os.listdir(".")) if os.path.isfile(each))
review = [{"id": each["id"], "verdict": "pass", "evidence": [f"{seen}:1"]} for each in pack["criteria"]]
json.dump({"schema": "punchlist/review/1", "criteria": review}, open(os.environ["PUNCHLIST_RESULT"], "w"))
"""


class Asleep:
    """An engine that never runs: it counts how often it was woken, and what waits for it waits in vain."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    def status(self) -> EngineStatus:
        return EngineStatus(running=False)

    def stop(self) -> bool:
        return False

    def hand_over(self) -> bool:
        return False

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        yield self

    def wait(self, timeout: float | None) -> bool:
        raise AssertionError("nobody answers here")

    def announce(self) -> None:
        pass


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def workspace(root: Path, *, settings: str = "", engine: bool = False) -> Service:
    """Make a workspace in `root`; without `engine` nothing is ever started by it."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "punchlist.toml").write_text(settings, encoding="utf-8")
    if "./tools/judge" in settings:
        judge = root / "tools" / "judge"
        judge.parent.mkdir()
        judge.write_text(JUDGE, encoding="utf-8")
        judge.chmod(0o755)
    wiring.create_workspace(root)
    return opened(root, engine=engine)


def opened(root: Path, *, engine: bool = False) -> Service:
    service = wiring.open_service(root)
    if engine:
        return service
    asleep = Asleep()
    return msgspec.structs.replace(service, outside=msgspec.structs.replace(service.outside, engine=lambda: asleep))


def asleep(service: Service) -> Asleep:
    engine = service.engine
    assert isinstance(engine, Asleep)
    return engine


def as_agent(service: Service) -> Service:
    return msgspec.structs.replace(service, person=False, actor="agent:builder/A1")


def repository(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Make a repository with one commit on `main`."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name, content in (files or {"README.md": "read me\n"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Start")
    return folder


def task(**said: Any) -> dict[str, Any]:
    """The content of a task file with one step, whose check is red until `made.txt` is there."""
    step = {"title": "Make it", "criteria": [{"text": "It is there.", "check": "test -f made.txt"}]}
    return {"title": "Make a file", "steps": [step], **said}


def unchecked(**said: Any) -> dict[str, Any]:
    """The content of a task file without any check, so that nobody has to run one."""
    return {"title": "Write prose", "steps": [{"title": "Write", "criteria": ["It reads well."]}], **said}


@contextmanager
def stopped(service: Service) -> Iterator[Service]:
    """End the engine after the block, whatever happened in it."""
    try:
        yield service
    finally:
        service.engine.stop()
        service.store.close()


def project_workspace(root: Path) -> Service:
    """A workspace with the empty project `p`; no engine ever runs."""
    made = workspace(root, settings=BUILDER)
    projects.create(made, "p", spec="# What is wanted\n")
    return made


def created(service: Service, **said: Any) -> dict[str, Any]:
    """Make a draft without checks and return it."""
    answer: dict[str, Any] = at(tasks.create(service, None, document=unchecked(**said)), "task")
    return answer


def ready(service: Service, **said: Any) -> str:
    """Make a task and approve it without waiting for anything; return its id."""
    name = str(created(service, **said)["id"])
    approvals.approve(service, name, no_wait=True)
    return name


def shown(service: Service, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = at(tasks.show(service, name), "task")
    return answer


def is_clean(service: Service) -> bool:
    """Say whether files, rows and log agree."""
    return files.check(service) == {"drift": []} and logs.verify(service)["problems"] == []


def at(answer: Any, *path: str | int) -> Any:
    """Return a part of an answer."""
    for each in path:
        answer = answer[each]
    return answer
