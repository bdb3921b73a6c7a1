"""The how-to guides, performed: what they say to type is typed, and prints what they say that it prints."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.clients import client, talked
from tests.documented import perform
from tests.installed import Workspace, until

GUIDES = Path(__file__).parents[2] / "docs" / "howto"
GREETER = {"greeter.py": 'def greet(name):\n    return f"Hello, {name}!"\n', ".gitignore": "__pycache__/\n"}
TASK = """\
title: Greet casually
steps:
  - title: Say Salut
    goal: greet(name) greets casually, in French.
    criteria:
      - text: '"Ada" becomes "Salut, Ada!".'
        check: python3 -c "from greeter import greet; assert greet('Ada') == 'Salut, Ada!', greet('Ada')"
"""
SETTINGS = """\
[workers.builder]
type = "command"
argv = ["./builder.sh"]

[workers.reviewer]
type = "command"
argv = ["./reviewer.sh"]

[roles]
builder = "builder"
qa = "reviewer"
"""
REVIEWER = """\
#!/bin/sh
echo '{"schema": "punchlist/review/1", "criteria": [
    {"id": "AC-1", "verdict": "pass", "evidence": "AC-1"}]}' > "$PUNCHLIST_RESULT"
"""
BUILDS = "sed -i s/Hello/Salut/ greeter.py"
BUILDS_WHEN_TOLD = f"""\
if grep -q 'not Hello' "$PUNCHLIST_PROMPT"; then {BUILDS}; else echo "# $PUNCHLIST_ROUND" >> greeter.py; fi
"""
BUILDS_THE_SECOND_TIME = f"""\
mark=${{PUNCHLIST_ATTEMPT_DIR%/attempts/*}}/begun
[ -e "$mark" ] || {{ touch "$mark"; sleep 600; }}
{BUILDS}
"""


@pytest.fixture
def greeter(folder: Workspace) -> Workspace:
    """A repository with a task and two workers that are still to be told what to do."""
    folder.repository(GREETER)
    folder.write("task.yaml", TASK)
    folder.write("punchlist.toml", SETTINGS)
    folder.write("reviewer.sh", REVIEWER).chmod(0o755)
    return folder


def builder(workspace: Workspace, script: str) -> None:
    workspace.write("builder.sh", f"#!/bin/sh\n{script}\n").chmod(0o755)


def begin(workspace: Workspace) -> None:
    workspace.ok("init")
    workspace.ok("task", "create", "--file", "task.yaml")
    workspace.ok("approve", "T1")


def test_a_gate_is_decided_as_the_guide_says(greeter: Workspace) -> None:
    builder(greeter, BUILDS_WHEN_TOLD)
    begin(greeter)
    assert greeter.punchlist("task", "start", "T1", "--wait").code == 6

    assert len(perform(GUIDES / "decide-a-gate.md", greeter)) == 4

    assert greeter.ok("task", "show", "T1")["task"]["status"] == "accepted"


def test_one_recovers_after_a_crash_as_the_guide_says(greeter: Workspace) -> None:
    builder(greeter, BUILDS_THE_SECOND_TIME)
    begin(greeter)
    greeter.ok("task", "start", "T1")
    until((greeter.root / ".punchlist/begun").exists, what="the builder is at work")
    greeter.kill_engine()
    for pid in greeter.processes():  # as if the machine had gone down
        os.kill(pid, signal.SIGKILL)

    assert len(perform(GUIDES / "recover-after-a-crash.md", greeter)) == 5


def test_one_goes_back_in_a_run_as_the_guide_says(folder: Workspace) -> None:
    folder.ok("init")

    assert len(perform(GUIDES / "go-back-in-a-run.md", folder)) == 9


def test_the_flows_of_the_cookbook_run_as_they_stand(folder: Workspace) -> None:
    folder.ok("init")

    assert len(perform(GUIDES / "flow-cookbook.md", folder)) == 24


def test_one_changes_a_live_run_as_the_guide_says(folder: Workspace) -> None:
    folder.ok("init")

    assert len(perform(GUIDES / "change-a-live-run.md", folder)) == 5


def test_a_job_of_ci_goes_as_the_guide_says(greeter: Workspace) -> None:
    builder(greeter, BUILDS)

    assert len(perform(GUIDES / "use-in-ci.md", greeter)) == 9

    for name in ("init", "task", "run", "ci"):
        assert json.loads((greeter.root / f"{name}.json").read_text())["ok"] is True
    assert "<html" in (greeter.root / "report.html").read_text()


def test_the_settings_of_the_guide_are_taken(folder: Workspace) -> None:
    folder.ok("init")

    assert perform(GUIDES / "settings.md", folder) == ["punchlist config"]


def test_a_client_is_set_up_as_the_guide_says(folder: Workspace) -> None:
    folder.repository(GREETER)

    assert len(perform(GUIDES / "claude-code.md", folder)) == 3

    async def talk() -> int:
        async with client(folder) as chat:
            return len(await chat.tools())

    assert f"with {talked(talk)} tools" in (GUIDES / "claude-code.md").read_text(encoding="utf-8")


def test_the_skill_and_the_instructions_name_tools_that_there_are(folder: Workspace) -> None:
    folder.ok("init")

    async def talk() -> tuple[set[str], str]:
        async with client(folder) as chat:
            return {tool.name for tool in await chat.tools()}, chat.hello.instructions or ""

    names, instructions = talked(talk)
    skill = (GUIDES.parent / "skill" / "SKILL.md").read_text(encoding="utf-8")

    for text in (skill, instructions):
        said = set(re.findall(r"`([a-z]+_[a-z_]+)\b", text)) - {"idempotency_key", "expected_version"}
        assert said
        assert said <= names
