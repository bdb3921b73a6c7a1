"""The engine as a service, its log, and its end for a newer version: what lives on, and what is left alone."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from punchlist.errors import StoreError
from punchlist.ports import EngineStatus
from punchlist.runtime.channel import Channel
from punchlist.runtime.control import EngineControl
from punchlist.runtime.lock import EngineLock
from punchlist.runtime.logfile import keep_small
from tests.disturbed import Disturbed, begun
from tests.installed import PROGRAM, Workspace, until

ASKED = """\
#!/bin/sh
echo "$@" >> {root}/asked
exit {code}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    found = Workspace(tmp_path / 'here\'s 100% "it"', tmp_path / "home")
    found.root.mkdir()
    found.home.mkdir()
    found.ok("init")
    yield found
    found.stop()


def with_systemctl(workspace: Workspace, *, code: int = 0) -> dict[str, str]:
    """Return an environment whose systemctl is a script that notes what it is asked: the user's own is left alone."""
    folder = workspace.root.parent / "programs"
    folder.mkdir(exist_ok=True)
    program = folder / "systemctl"
    program.write_text(ASKED.format(root=folder, code=code))
    program.chmod(0o755)
    return {"PATH": f"{folder}:{workspace.environment['PATH']}"}


def asked(workspace: Workspace) -> list[str]:
    path = workspace.root.parent / "programs" / "asked"
    return path.read_text().splitlines() if path.exists() else []


def units(workspace: Workspace) -> list[Path]:
    return sorted(workspace.home.glob(".config/systemd/user/*"))


def test_the_unit_is_printed_and_nothing_is_written(workspace: Workspace) -> None:
    call = workspace.punchlist("engine", "install", "--print")

    assert "ExecStart=" in call.out
    assert units(workspace) == []


def test_without_a_terminal_nothing_is_written_unless_it_was_agreed_to(workspace: Workspace) -> None:
    call = workspace.punchlist("engine", "install")

    assert call.code == 3
    assert "ExecStart=" in call.out
    assert units(workspace) == []


def test_the_unit_names_the_workspace_whatever_its_path_and_systemd_takes_it(workspace: Workspace) -> None:
    answer = workspace.ok("engine", "install", "--print")

    file = workspace.root.parent / str(answer["unit"]["name"])
    file.write_text(answer["unit"]["text"])
    known = shutil.which("systemd-analyze")
    checked = subprocess.run([known, "verify", "--user", file], capture_output=True, check=False) if known else None

    assert 'here\'s 100%% \\"it\\"' in answer["unit"]["text"]
    assert checked is None or file.name.encode() not in checked.stderr, checked.stderr


def test_it_is_written_and_started_once_and_removed_once(workspace: Workspace) -> None:
    env = with_systemctl(workspace)
    workspace.ok("engine", "start")

    first = workspace.ok("engine", "install", "--yes", env=env)
    stopped = workspace.engine() is None
    again = workspace.ok("engine", "install", "--yes", env=env)
    (unit,) = units(workspace)
    begun_by = asked(workspace)
    gone = workspace.ok("engine", "install", "--remove", env=env)
    none = workspace.ok("engine", "install", "--remove", env=env)

    assert (first["changed"], first["started"], again["changed"], stopped) == (True, True, False, True)
    assert begun_by == ["--user daemon-reload", f"--user enable --now {unit.name}"]
    assert asked(workspace)[2:] == [f"--user disable --now {unit.name}", "--user daemon-reload"]
    assert (gone["removed"], none["removed"], units(workspace)) == (True, False, [])


def test_where_no_systemd_answers_it_is_said_what_to_type(workspace: Workspace) -> None:
    answer = workspace.ok("engine", "install", "--yes", env=with_systemctl(workspace, code=1))

    assert answer["started"] is False
    assert answer["type"][1].startswith("systemctl --user enable --now punchlist-here-s-100-it-")


# -- the log ----------------------------------------------------------------------------------------------------------


def test_a_log_that_has_grown_becomes_the_one_old_file(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    path.with_name("engine.log.1").write_text("older")
    path.write_text("x" * 10)

    moved = (keep_small(path, largest=11), keep_small(path, largest=10), keep_small(path, largest=10))

    assert moved == (False, True, False)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["engine.log.1"]
    assert path.with_name("engine.log.1").read_text() == "x" * 10


def test_an_engine_that_says_much_goes_on_in_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    script = (
        "import logging, sys; from pathlib import Path; from punchlist.serving.says import LogFile\n"
        "log = logging.getLogger('punchlist.engine'); log.addHandler(LogFile(Path(sys.argv[1]), largest=1000))\n"
        "for number in range(100): log.warning('line %d', number)\n"
    )

    with path.open("ab") as log:
        subprocess.run([sys.executable, "-c", script, path], stdout=log, stderr=log, check=True)

    old = path.with_name("engine.log.1").read_text().splitlines()
    new = path.read_text().splitlines() if path.exists() else []
    numbers = [int(line.rpartition(" ")[2]) for line in (*old, *new)]
    assert numbers == [*range(numbers[0], 100)]
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 2200


def test_a_grown_log_is_moved_when_an_engine_is_started(workspace: Workspace) -> None:
    log = workspace.root / ".punchlist" / "engine.log"
    log.write_bytes(b"x" * 5_000_000)

    workspace.ok("engine", "start")

    assert log.stat().st_size < 100_000
    assert log.with_name("engine.log.1").stat().st_size == 5_000_000


# -- a newer version --------------------------------------------------------------------------------------------------


@pytest.fixture
def disturbed(tmp_path: Path) -> Iterator[Disturbed]:
    made = begun(tmp_path / "here", tmp_path / "home")
    yield made
    made.stop()


def control(workspace: Workspace, *, version: str, patience: float = 60) -> EngineControl:
    """Return the engine as a command line of another version sees it."""
    state = workspace.root / ".punchlist"
    sockets = Path("/tmp") / f"punchlist-{os.getuid()}"
    return EngineControl(
        state=state,
        channel=lambda: Channel.of(workspace.root, sockets),
        command=(str(PROGRAM), "-C", str(workspace.root), "engine", "run", "--until-idle"),
        environment=workspace.environment,
        name=f"test-{os.getpid()}",
        version=version,
        patience=patience,
    )


def status(workspace: Workspace) -> EngineStatus:
    return EngineLock(workspace.root / ".punchlist" / "engine.lock").status()


def held_at_work(disturbed: Disturbed) -> set[int]:
    """Start the task, and return the processes of its builder, which is held."""
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    return set(disturbed.processes())


def as_if_never_handed_over(disturbed: Disturbed) -> None:
    """Let the builder go on, and see that the task is accepted without anything being made again."""
    disturbed.let_go("build")
    until(lambda: disturbed.status() == "accepted", what="the task is accepted")
    ended = [each["data"]["outcome"] for each in disturbed.ok("events")["events"] if each["kind"] == "AttemptEnded"]
    assert [each for each in ended if each["status"] in {"lost", "cancelled"}] == []
    assert disturbed.ok("log", "verify")["problems"] == []


def test_a_service_takes_up_what_was_at_work_when_it_was_installed(disturbed: Disturbed) -> None:
    running = held_at_work(disturbed)

    disturbed.ok("engine", "install", "--yes", env=with_systemctl(disturbed))
    none, still = disturbed.engine(), set(disturbed.processes())
    service = disturbed.begun("engine", "run")
    until(lambda: status(disturbed).managed, what="the service's engine")

    assert (none, running <= still) == (None, True)
    as_if_never_handed_over(disturbed)
    service.terminate()
    service.communicate()


def test_where_no_service_can_be_started_an_engine_goes_on_with_what_was_at_work(disturbed: Disturbed) -> None:
    before = held_at_work(disturbed), disturbed.engine()

    disturbed.ok("engine", "install", "--yes", env=with_systemctl(disturbed, code=1))
    until(lambda: status(disturbed).pid, what="the next engine")

    assert before[1] != disturbed.engine()
    assert before[0] <= set(disturbed.processes())
    as_if_never_handed_over(disturbed)


def test_a_service_that_is_restarted_takes_up_what_it_had_at_work(disturbed: Disturbed) -> None:
    text = disturbed.ok("engine", "install", "--print")["unit"]["text"]
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    disturbed.ok("engine", "stop")
    service = disturbed.begun("engine", "run")
    until(lambda: status(disturbed).managed, what="the service's engine")
    running = held_at_work(disturbed)

    service.send_signal(signal.Signals[told["KillSignal"]])  # to the engine alone, as KillMode says
    service.communicate()
    still = set(disturbed.processes())
    again = disturbed.begun("engine", "run")

    assert told["KillMode"] == "process"
    assert (service.returncode, running <= still) == (0, True)
    as_if_never_handed_over(disturbed)
    again.terminate()
    again.communicate()


def test_an_engine_that_does_not_end_is_named_with_what_to_type(workspace: Workspace) -> None:
    workspace.ok("engine", "start")
    pid = status(workspace).pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    with pytest.raises(StoreError) as stopping:
        control(workspace, version="0.0.1", patience=0.1).stop()
    with pytest.raises(StoreError) as waking:
        control(workspace, version="99.0.0", patience=0.1).wake()
    os.kill(pid, signal.SIGCONT)

    for error in (stopping.value, waking.value):
        assert error.message.startswith(f"the engine, process {pid}, did not end within 0.1 s: it is stopped")
        assert error.hint == f"To let it go on: kill -CONT {pid}"


def test_an_older_engine_hands_over_and_what_it_ran_lives_on(disturbed: Disturbed) -> None:
    running = held_at_work(disturbed)
    before = status(disturbed)

    control(disturbed, version="99.0.0").wake()
    until(lambda: status(disturbed).running, what="the next engine")
    after = status(disturbed)

    assert before.pid != after.pid
    assert running <= set(disturbed.processes())
    as_if_never_handed_over(disturbed)


@pytest.mark.parametrize("version", ["0.0.1", "same"])
def test_an_engine_that_is_not_older_stays(workspace: Workspace, version: str) -> None:
    workspace.ok("engine", "start")
    before = status(workspace)
    mine = before.version if version == "same" else version

    control(workspace, version=mine).wake()

    assert status(workspace) == before


def test_an_engine_of_a_service_manager_is_left_to_it(workspace: Workspace) -> None:
    running = workspace.begun("engine", "run")
    until(lambda: status(workspace).pid, what="the engine")
    before = status(workspace)

    control(workspace, version="99.0.0").wake()

    assert (status(workspace), before.managed) == (before, True)
    running.send_signal(signal.SIGTERM)
    running.communicate()
