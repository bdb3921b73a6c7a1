"""A person's part: what is asked, decided, sent back, and the one-liner that asks before it starts."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.installed import PROGRAM, Workspace

REFUSED, WAITS = 3, 6
REQUEST = 'Let y be two\n\n- y is two. check: `python3 -c "import m; assert m.y == 2"`\n'
SETTINGS = """\
[workers.scripted]
type = "scripted"
script = "script.yaml"

[roles]
builder = "scripted"
qa = "scripted"

[policy]
rework = 0
"""
SCRIPT = """\
turns:
  - when: {role: builder, round: 0}
    append: {m.py: "y = FIRST\\n"}
  - when: {role: builder}
    append: {m.py: "y = 2\\n"}
  - when: {role: qa}
    review: {pass: all, evidence: [m.py:1]}
"""


@pytest.fixture
def library(folder: Workspace) -> Workspace:
    """A library whose builder gets it right at once."""
    folder.repository({"m.py": "x = 1\n"})
    folder.write("punchlist.toml", SETTINGS)
    folder.write("script.yaml", SCRIPT.replace("FIRST", "2"))
    folder.ok("init")
    return folder


@pytest.fixture
def waiting(library: Workspace) -> Workspace:
    """The same with a builder that needs a second try, which a person has to allow."""
    library.write("script.yaml", SCRIPT.replace("FIRST", "1"))
    library.ok("plan", REQUEST)
    library.ok("approve", "T1")
    call = library.punchlist("task", "start", "T1", "--wait", "--json")
    assert call.code == WAITS, call
    assert call.json["task"]["status"] == "waiting"
    return library


def test_a_gate_shows_its_choices_and_one_of_them_moves_the_task(waiting: Workspace) -> None:
    (gate,) = waiting.ok("gates")["gates"]
    assert (gate["kind"], gate["about"]) == ("rework", "T1.1")
    assert [choice["name"] for choice in gate["choices"]] == ["more", "waive", "skip", "fail"]
    assert waiting.punchlist("decide", gate["id"], "accept").code == 2
    assert waiting.punchlist("decide", gate["id"], "waive").code == 2
    shown = waiting.punchlist("gates").out
    assert f"punchlist decide {gate['id']} waive -m TEXT" in shown

    decided = waiting.ok("decide", gate["id"], "more", "-m", "two, not one", "--shows", gate["shows_digest"])["gate"]
    end = waiting.punchlist("resume", "T1", "--wait", "--json")

    assert (decided["status"], decided["choice"]) == ("decided", "more")
    assert end.code in {0, REFUSED}
    assert waiting.ok("task", "show", "T1")["task"]["status"] in {"accepted", "running"}


def test_a_waived_finding_is_shown_wherever_the_task_is(waiting: Workspace) -> None:
    step = waiting.ok("step", "show", "T1.1")["step"]
    finding = step["verdicts"][-1]["findings"][0]["id"]

    call = waiting.punchlist("waive", finding, "--reason", "known", "--json")

    assert call.code == 0, call
    waiting.punchlist("resume", "T1", "--wait")
    task = waiting.ok("task", "show", "T1")["task"]
    assert task["waived"][0]["reason"] == "known"
    assert "waived" in waiting.punchlist("why", "T1").out


def test_the_one_liner_delivers_when_told_not_to_ask(library: Workspace) -> None:
    call = library.punchlist("do", REQUEST, "--yes")

    assert call.code == 0, call
    assert "T1.1   accepted as commit" in call.out
    assert library.ok("task", "show", "T1")["task"]["status"] == "accepted"


@pytest.mark.parametrize(("answer", "status"), [("y", "accepted"), ("n", "draft")])
def test_the_one_liner_asks_on_a_terminal(answer: str, status: str, library: Workspace) -> None:
    controller, terminal = pty.openpty()
    asked = subprocess.Popen(
        [PROGRAM, "do", REQUEST], cwd=library.root, env=library.environment, stdin=terminal, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(terminal)
    os.write(controller, f"{answer}\n".encode())
    out, err = asked.communicate(timeout=60)
    os.close(controller)

    assert asked.returncode == 0, err
    assert "Approve and start T1?" in err
    assert "T1.1" in out
    assert library.ok("task", "show", "T1")["task"]["status"] == status


def test_the_one_liner_approves_what_it_has_shown_and_nothing_else(library: Workspace) -> None:
    controller, terminal = pty.openpty()
    asked = library.begun("do", REQUEST, stdin=terminal)
    os.close(terminal)
    assert asked.stdout is not None
    while not asked.stdout.readline().startswith("Next:"):
        pass
    library.ok("task", "edit", "T1", "--title", "Another thing")

    os.write(controller, b"y\n")
    _, err = asked.communicate(timeout=60)
    os.close(controller)

    assert asked.returncode == REFUSED, err
    assert "task T1, or its project, was changed meanwhile" in err
    assert library.ok("task", "show", "T1")["task"]["status"] == "draft"


def test_verbs_of_a_person_refuse_inside_an_attempt(library: Workspace) -> None:
    library.ok("plan", REQUEST)

    call = library.punchlist("approve", "T1", env={"PUNCHLIST_ATTEMPT": "A1"})

    assert call.code == REFUSED
    assert "a person" in call.err
    assert library.ok("task", "show", "T1")["task"]["status"] == "draft"


def test_a_proposed_task_is_approved_by_its_gate(library: Workspace) -> None:
    library.ok("plan", REQUEST)
    gate = library.ok("task", "propose", "T1", "-m", "have a look")["gate"]["id"]

    assert library.ok("approve", gate)["gate"]["status"] == "decided"
    assert library.ok("task", "show", "T1")["task"]["status"] == "ready"


def test_a_builder_that_is_not_there_is_said_before_anything_starts(library: Workspace, tmp_path: Path) -> None:
    library.write(
        "punchlist.toml",
        SETTINGS.replace('type = "scripted"\nscript = "script.yaml"', 'type = "command"\nargv = ["./gone.sh"]'),
    )
    library.ok("plan", REQUEST)
    library.ok("approve", "T1")

    call = library.punchlist("task", "start", "T1")

    assert call.code == 4, call
    assert "gone.sh" in call.err
    assert library.ok("task", "show", "T1")["task"]["status"] == "ready"
    assert library.punchlist("doctor").code == 4
