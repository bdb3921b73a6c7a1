"""What `doctor` and `task start` say of Claude Code: whether it is there, its version, and whether it is logged in."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.agents.conftest import Delivering, Make

FAILED, MISSING = 1, 4
OLD = "[ $1 = --version ] && echo '1.9.3 (Claude Code)' || { echo 'unknown option' >&2; exit 1; }"


def checked(workspace: Delivering, name: str, **environment: str) -> tuple[int, dict[str, Any]]:
    call = workspace.punchlist("doctor", "--json", env=environment)
    (found,) = (each for each in call.json["checks"] if each["name"] == f"worker: {name}")
    return call.code, found


def test_doctor_tells_the_version_and_that_it_is_logged_in(delivering: Make) -> None:
    workspace, server = delivering("library", {"README.md": "# x\n"})

    code, claude = checked(workspace, "claude")

    assert (code, claude["status"]) == (0, "ok")
    assert claude["detail"] == "type claude, builder, qa, version 2.1.329"
    assert server.requests == []


def test_doctor_says_when_it_is_not_logged_in_and_what_to_type(delivering: Make) -> None:
    workspace, _ = delivering("library", {"README.md": "# x\n"})

    code, claude = checked(workspace, "claude", ANTHROPIC_API_KEY="")

    assert (code, claude["status"]) == (MISSING, "fail")
    assert claude["detail"].endswith("not logged in")
    assert "export ANTHROPIC_API_KEY" in claude["hint"]
    assert "[workers.claude] inherit = true" in claude["hint"]


def test_doctor_says_when_it_is_of_another_version_or_does_not_start(delivering: Make, tmp_path: Path) -> None:
    programs = {"old": "echo '1.9.3 (Claude Code)'", "broken": "sleep 60 & exit 1"}
    more = ""
    for name, script in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        more += f'[workers.{name}]\ntype = "claude"\nargv = ["{path}"]\n'
    workspace, _ = delivering("library", {"README.md": "# x\n"}, more=more)

    old, broken = (checked(workspace, name)[1] for name in programs)

    assert (old["status"], old["detail"]) == ("warn", "type claude, version 1.9.3: tested with 2.1.329")
    assert (broken["status"], broken["detail"]) == ("warn", "type claude, version unknown: it does not start")


def test_a_person_who_lets_it_inherit_is_logged_in_as_ever(delivering: Make) -> None:
    workspace, server = delivering("library", {"README.md": "# x\n"}, more='[workers.mine]\ntype = "claude"\n')
    own = workspace.write("../home/.claude/settings.json", '{"apiKeyHelper": "echo my-own-key"}')
    settings = (workspace.root / "punchlist.toml").read_text(encoding="utf-8")
    program = settings.partition('argv = ["')[2].partition('"')[0]
    said = f'type = "claude"\nargv = ["{program}"]\n'

    workspace.write("punchlist.toml", settings.replace('type = "claude"\n', said))
    apart = checked(workspace, "mine", ANTHROPIC_API_KEY="")[1]
    workspace.write("punchlist.toml", settings.replace('type = "claude"\n', f"{said}inherit = true\n"))
    inherited = checked(workspace, "mine", ANTHROPIC_API_KEY="")[1]

    assert own.exists()
    assert (apart["status"], inherited["status"]) == ("warn", "ok"), (apart, inherited)
    assert server.requests == []


def waited(workspace: Delivering, worker: str, **environment: str) -> tuple[int, str]:
    """Start a task that this worker builds, wait for its end, and return what is said."""
    step = {"title": "Write", "builder": worker, "criteria": [{"text": "It is there.", "check": "test -f there"}]}
    workspace.write("../task.json", json.dumps({"title": "Write", "steps": [step]}))
    workspace.ok("task", "create", "--file", "../task.json")
    workspace.ok("approve", "T1")
    call = workspace.punchlist("task", "start", "T1", "--wait", env=environment)
    return call.code, call.out + call.err


def test_a_start_without_a_login_names_the_worker_and_what_to_type(delivering: Make) -> None:
    workspace, server = delivering("library", {"README.md": "# x\n"})

    code, said = waited(workspace, "claude", ANTHROPIC_API_KEY="")

    assert code == FAILED, said
    assert "The worker 'claude' is not logged in where attempts run" in said
    assert "Type: export ANTHROPIC_API_KEY=" in said
    assert "Then type: punchlist retry" in said
    assert server.requests == []
    assert len(workspace.ok("step", "show", "T1.1")["step"]["attempts"]) == 2  # its check on the base, and one try


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (None, MISSING, "T1.1.builder: the program './claude' of worker 'mine' is not there or cannot be executed"),
        (OLD, FAILED, "The program of worker 'mine' said nothing that can be read, as one of another version might"),
    ],
)
def test_a_start_of_a_program_that_is_not_there_or_of_another_version_leads_to_doctor(
    delivering: Make, script: str | None, code: int, said: str
) -> None:
    more = '[workers.mine]\ntype = "claude"\nargv = ["./claude"]\n[policy]\nretries = 0\n'
    workspace, _ = delivering("library", {"README.md": "# x\n"}, more=more)
    if script is not None:
        workspace.write("claude", f"#!/bin/sh\n{script}\n").chmod(0o755)

    found, told = waited(workspace, "mine")

    assert (found, said in told) == (code, True), told
    assert "Type: punchlist doctor" in told
