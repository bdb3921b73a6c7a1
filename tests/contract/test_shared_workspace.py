"""Two people in one workspace: each is heard by the engine of the other, and told by name of what is not theirs.

Where the tests are root's the second one is another user; elsewhere the same one with a runtime folder of his own, from
which nobody was heard either.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.installed import Call, Workspace, until

FLOW = "punchlist: 1\nflow: f\nnodes:\n  a: {run: 'echo made > made-by-%s'}\n"
OTHER = 65_533
"""The second user, and the group that both are in."""
SEES = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search", "--bounding-set", "+all")
"""May read what is root's: the interpreter may stand in its home. Nothing is written, called or ended by that."""


@dataclass(frozen=True)
class Person(Workspace):
    """A workspace as one person sees it."""

    through: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a call."""
        return {**super().environment, "XDG_RUNTIME_DIR": str(self.home)}

    def punchlist(self, *argv: str, **options: Any) -> Call:
        """Call the program as this person."""
        return super().punchlist(*argv, through=self.through, **options)


class Two:
    """Two people before one folder; `apart` says whether they are two users."""

    def __init__(self, above: Path) -> None:
        setpriv = shutil.which("setpriv") if os.getuid() == 0 else None
        self.apart = setpriv is not None
        become = (setpriv, f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", *SEES, "--") if setpriv else ()
        self.group = OTHER if setpriv else os.getgid()
        self.root = above / "here"
        self.one = Person(self.root, above / "one")
        self.other = Person(self.root, above / "other", become)
        for folder in (self.root, self.one.home, self.other.home):
            folder.mkdir()
        if setpriv:
            os.chown(self.other.home, OTHER, OTHER)

    def share(self, folder: Path) -> None:
        os.chown(folder, -1, self.group)
        folder.chmod(0o2775)


@pytest.fixture
def two() -> Iterator[Two]:
    above = Path(tempfile.mkdtemp())  # every folder above it may be entered by anyone
    above.chmod(0o755)
    made = Two(above)
    yield made
    made.one.stop()
    made.other.stop()
    shutil.rmtree(above)


@pytest.fixture
def shared(two: Two) -> Two:
    """A workspace that was made in a folder of their group."""
    two.share(two.root)
    two.one.ok("init")
    for name in ("one", "other"):
        two.one.write(f"{name}.yaml", FLOW % name)
    return two


def test_each_is_heard_by_the_engine_of_the_other_and_hears_it(shared: Two) -> None:
    shared.one.ok("engine", "start")
    first = shared.other.ok("run", "other.yaml", "--wait", timeout=30)["run"]
    seen = shared.other.ok("engine", "status")["engine"]["pid"]
    shared.one.ok("engine", "stop")
    shared.other.ok("engine", "start")
    second = shared.one.ok("run", "one.yaml", "--wait", timeout=30)["run"]

    assert [each["status"] for each in (first, second)] == ["succeeded", "succeeded"]
    assert seen is not None
    assert shared.one.ok("log", "verify")["problems"] == shared.other.ok("log", "verify")["problems"] == []
    assert shared.other.ok("engine", "stop")["stopped"]


def test_what_one_makes_the_other_may_write_and_nobody_else_reads_it(shared: Two) -> None:
    shared.one.ok("run", "one.yaml", "--wait")
    shared.one.ok("engine", "stop")

    state = shared.root / ".punchlist"
    modes = {str(each.relative_to(state)): each.stat().st_mode & 0o777 for each in state.rglob("*")}
    groups = {each.stat().st_gid for each in state.rglob("*")}

    assert groups == {shared.group}
    assert [name for name, mode in modes.items() if mode & 0o060 != 0o060] == []
    for name in ("outside.lock", "outbox.jsonl", "attempts/A1/stdout", "attempts/A1/lock"):
        assert modes[name] == 0o660, name


def test_a_workspace_that_is_not_shared_is_closed_as_ever(two: Two) -> None:
    two.one.ok("init")
    two.one.write("one.yaml", FLOW % "one")
    two.one.ok("run", "one.yaml", "--wait")

    state = two.root / ".punchlist"

    assert state.stat().st_mode & 0o7777 == 0o755
    for name in ("outside.lock", "outbox.jsonl", "attempts/A1/stdout"):
        assert (state / name).stat().st_mode & 0o777 == 0o600, name
    assert not (state / "sockets").exists()


def test_a_workspace_is_shared_while_its_engine_runs(two: Two) -> None:
    two.one.ok("init")
    two.one.write("other.yaml", FLOW % "other")
    two.one.ok("engine", "start")

    for each in (two.root, two.root / ".punchlist", *(two.root / ".punchlist").rglob("*")):
        os.chown(each, -1, two.group)
        each.chmod(each.stat().st_mode | (0o2770 if each.is_dir() else 0o660))
    two.one.ok("engine", "start")  # its owner calls it, and it listens where the others are, too
    until((two.root / ".punchlist" / "sockets" / "engine").exists, what="the engine listens there")

    assert two.other.ok("run", "other.yaml", "--wait", timeout=30)["run"]["status"] == "succeeded"


def test_the_engine_of_another_user_is_named_where_it_cannot_be_ended(shared: Two) -> None:
    pid = shared.one.ok("engine", "start")["engine"]["pid"]

    call = shared.other.punchlist("engine", "stop", "--json")

    if shared.apart:
        error = call.json["error"]
        assert (call.code, error["message"]) == (
            3,
            f"the engine, process {pid}, is of the user root, and not yours to end",
        )
        assert error["hint"] == "Whose it is types: punchlist engine stop"
    else:
        assert call.json["stopped"]
    assert not (shared.root / ".punchlist" / "crash").exists()


def test_who_cannot_call_the_engine_of_another_user_is_told_so_at_once(two: Two) -> None:
    if two.apart:
        os.chown(two.root, OTHER, OTHER)
    two.other.ok("init")
    (two.root / "other.yaml").write_text(FLOW % "other")
    pid = two.one.ok("engine", "start")["engine"]["pid"]

    call = two.other.punchlist("run", "other.yaml", "--json", timeout=30)

    if two.apart:
        assert call.code == 5, call
        assert call.json["error"]["message"].startswith(f"the engine, process {pid}, is of the user root, and cannot")
        assert "chgrp -R GROUP .punchlist" in call.json["error"]["hint"]
    else:
        assert call.code == 0, call


def test_who_may_only_look_is_not_shown_what_cannot_be_seen(two: Two) -> None:
    two.one.ok("init")
    two.one.ok("engine", "start")
    pid = two.one.engine()

    seen = two.other.punchlist("engine", "status").out
    (two.root / ".punchlist" / "engine.lock").write_bytes(b"")
    unseen = [two.other.punchlist(*argv).out for argv in (["engine", "status"], ["status"])]

    assert f"running, process {pid}, since " in seen
    assert unseen[0] == "running; which process it is cannot be seen from here\n"
    assert unseen[1].endswith("The engine runs.\n")
