"""The examples of a task and of settings are taken as they are written, and delivered."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed import Workspace

DATA = Path(__file__).parent / "data"
LONG = 600
"""Seconds for what takes half a minute on a machine with nothing else to do: seven folders are set up."""
MISSING = 4
LATER = "not in force yet"
OF_LATER_PARTS = {
    "budget.task", "budget.day", "notify.urls", "notify.on",
}  # fmt: skip
OF_CLAUDE = 'type = "scripted"\nscript = "builder.yaml"\n'
CODEX = '[workers.codex]\ntype = "command"\nargv = ["./reviewer"]\n\n'


@pytest.fixture
def slugger(tmp_path: Path) -> Iterator[Workspace]:
    """A repository `slugger` with the settings of the examples in it, as they are written."""
    made = Workspace(tmp_path / "slugger", tmp_path / "home")
    made.home.mkdir()
    files = [path for path in (DATA / "slugger").rglob("*") if path.is_file()]
    made.repository({named(path): path.read_text(encoding="utf-8") for path in files})
    shutil.copy(DATA / "examples" / "punchlist.toml", made.root)
    shutil.copy(DATA / "examples" / "task.yaml", tmp_path)
    yield made
    made.stop()


def named(path: Path) -> str:
    """Return a file's name in the sample: without `.in`, which keeps its tests from being collected here."""
    return path.relative_to(DATA / "slugger").as_posix().removesuffix(".in")


def with_workers(workspace: Workspace) -> None:
    """Give the two workers of the settings types that need no key, as a person would: by a few lines more."""
    shutil.copy(DATA / "workers" / "builder.yaml", workspace.root)
    shutil.copy(DATA / "workers" / "reviewer", workspace.root)
    path = workspace.root / "punchlist.toml"
    head, claude, tail = path.read_text().partition("[workers.claude]")
    rest_of_line, _, rest = tail.partition("\n")
    path.write_text(f"{head}{CODEX}{claude}{rest_of_line}\n{OF_CLAUDE}{rest}")


def test_the_settings_are_taken_and_what_is_of_later_parts_is_told(folder: Workspace) -> None:
    shutil.copy(DATA / "examples" / "punchlist.toml", folder.root)
    folder.ok("init")

    settings = {each["key"]: each for each in folder.ok("config")["settings"]}
    examined = folder.punchlist("doctor", "--json")

    ahead = {key: each for key, each in settings.items() if each["note"] == LATER}
    assert {key for key, each in ahead.items() if each["source"] != "default"} == OF_LATER_PARTS
    assert settings["workers.nightly.argv"]["value"] == ["./tools/agent.sh", "{prompt_file}"]
    assert settings["policy.rework"] == {"key": "policy.rework", "value": 3, "source": "punchlist.toml", "note": ""}
    assert settings["policy.check_timeout"]["source"] == "default"
    checks = {check["name"]: check for check in examined.json["checks"]}
    assert {
        name.removeprefix("setting: ") for name, check in checks.items() if check["detail"] == LATER
    } >= OF_LATER_PARTS
    assert examined.code == MISSING
    assert checks["worker: claude"]["status"] == checks["worker: codex"]["status"] == "fail"
    assert "not in this version" in checks["worker: codex"]["detail"]
    assert "'claude' is not there" in checks["worker: claude"]["detail"]
    assert checks["worker: nightly"]["status"] == "warn"


def test_the_task_is_delivered_by_workers_that_stand_in_for_the_agents(slugger: Workspace) -> None:
    with_workers(slugger)
    set_up = slugger.ok("init", timeout=LONG)["detected"]
    task = slugger.root.with_name("task.yaml")

    made = slugger.ok("task", "create", "slugger", "--file", str(task))["task"]
    proved = slugger.ok("approve", "T1", timeout=LONG)["task"]
    done = slugger.ok("task", "start", "T1", "--wait", timeout=LONG)["task"]

    assert set_up["works"] is True
    assert set_up["setup"] == ["python3 -m venv .venv", ".venv/bin/pip install -q pytest"]
    assert [step["needs"] for step in made["steps"]] == [[], ["T1.1"]]
    assert made["steps"][1]["policy"] == {"timeout": "30m", "rework": 2}
    assert [(row["step"], row["id"], row["shows"]) for row in proved["proof"]["rows"]] == [
        ("T1.1", "AC-1", "goal"),
        ("T1.1", "AC-2", "guard"),
        ("T1.2", "AC-1", "goal"),
        (None, "AC-1", "guard"),
    ]
    assert done["status"] == "accepted"
    assert rounds(slugger, "T1.1") == [("fail", {"check", "claim"}), ("pass", set())]
    assert rounds(slugger, "T1.2") == [("fail", {"review"}), ("pass", set())]
    assert slugger.git("show", f"{done['branch']}:README.md").endswith("every script are kept.\n")
    assert (slugger.root / "projects" / "slugger" / "project.md").is_file()
    assert slugger.ok("log", "verify")["problems"] == []
    assert slugger.ok("files", "check")["drift"] == []
    assert list(slugger.home.iterdir()) == []


def rounds(workspace: Workspace, step: str) -> list[tuple[str, set[str]]]:
    """Return the result of each verdict on a step, and the kinds of its findings."""
    verdicts = workspace.ok("step", "show", step)["step"]["verdicts"]
    return [(verdict["result"], {each["kind"] for each in verdict["findings"]}) for verdict in verdicts]
