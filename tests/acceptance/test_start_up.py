"""What a command imports decides how fast it answers; so the lists are pinned."""

import json
import subprocess
import sys

from tests.installed import Workspace

NEVER = {
    "asyncio",
    "cel_expr_python",
    "hypothesis",
    "importlib.metadata",
    "jsonschema_rs",
    "rich",
    "rfc8785",
    "tomllib",
}
STARTED = {"__main__", "_distutils_hack", "sitecustomize"}  # what a distribution of Python loads by itself
PROBE = """\
import json, sys
from punchlist.cli.main import main
code = main(sys.argv[1:])
names = sorted(sys.modules)
print(json.dumps({"code": code, "modules": names}), file=sys.stderr)
"""


def modules(workspace: Workspace, *argv: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *argv],
        cwd=workspace.root,
        env=workspace.environment,
        capture_output=True,
        check=True,
        text=True,
    )
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["code"] == 0, done.stdout + done.stderr
    return set(told["modules"])


def outside(names: set[str]) -> set[str]:
    """Return the top-level modules that are neither Python's own nor the interpreter's start."""
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - STARTED


def own(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("punchlist.")}


def test_help_imports_nothing_but_click(folder: Workspace) -> None:
    names = modules(folder, "--help")

    assert {name for name in outside(names) if not name.startswith("_")} == {"click", "punchlist"}
    assert own(names) == {
        "punchlist.cli", "punchlist.cli.commands", "punchlist.cli.edge", "punchlist.cli.main", "punchlist.cli.program",
        "punchlist.cli.session", "punchlist.cli.tables", "punchlist.cli.verbs", "punchlist.errors",
    }  # fmt: skip
    assert not names & (NEVER | {"sqlite3", "yaml", "msgspec", "tempfile", "subprocess"})


def test_a_listing_imports_only_what_it_reads(workspace: Workspace) -> None:
    names = modules(workspace, "task", "list")

    assert {name for name in outside(names) if not name.startswith("_")} == {
        "click", "immutables", "msgspec", "punchlist", "typing_extensions",
    }  # fmt: skip
    assert {name.split(".")[1] for name in own(names)} <= {
        "cli", "errors", "model", "ports", "render", "service", "sharing", "store", "wiring",
    }  # fmt: skip
    assert not names & (NEVER | {"yaml", "tempfile", "subprocess", "socket", "logging"})


def test_a_verb_that_looks_loads_nothing_that_writes(workspace: Workspace) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")

    for argv in (["status"], ["gates"], ["task", "show", "T1"], ["step", "show", "T1.1"], ["why", "T1"]):
        names = modules(workspace, *argv)

        assert not names & (NEVER | {"_hashlib", "difflib", "logging", "socket", "subprocess", "tempfile", "yaml"})
        assert not {name for name in own(names) if name.startswith(("punchlist.engine.", "punchlist.workspace."))}


def test_a_task_from_json_on_a_known_base_is_made_without_yaml_and_git(workspace: Workspace) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")
    steps = [{"title": "Do it", "criteria": ["It is done."]}]
    workspace.write(
        "task.json", json.dumps({"title": "Another", "spec": "Do it, too.", "acceptance": [], "steps": steps})
    )

    names = modules(workspace, "task", "create", "--file", "task.json")

    assert not names & (NEVER - {"tomllib"} | {"difflib", "logging", "tempfile", "yaml"})
    assert "punchlist.workspace.git" not in names
