"""Every key that may be written is heeded, told as not in force yet, or refused: none is dropped in silence.

The keys come from the schemas that `punchlist schema` exports, so that a new one without a line here fails. A key that
is heeded names the file of tests that shows its effect; the file must speak of it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from punchlist.model.settings import note, parse_settings
from punchlist.service import schemas

TESTS = Path(__file__).parents[1]
LATER = "told as not in force yet"
DOCUMENTS, POLICY = "unit/documents/test_documents.py", "contract/test_verbs_policy.py"
SETTINGS = "unit/settings/test_settings.py"
CALLBACKS = "contract/test_callbacks.py"
CLEANING = "contract/test_cleaning.py"
VIEWS, PROJECTS = "unit/cli/test_views.py", "contract/test_verbs_projects.py"

HEEDED: Mapping[str, Mapping[str, str]] = {
    "CriterionFile": {
        **dict.fromkeys(("id", "check", "timeout", "red_first", "review", "text"), DOCUMENTS),
        "network": "unit/model/test_notes.py",
    },
    "Scope": {
        "allow": "unit/quality/test_scope.py",
        "deny": "unit/quality/test_scope.py",
        "unlock": "unit/model/test_notes.py",
    },
    "StepFile": {
        **dict.fromkeys(
            ("builder", "context", "criteria", "goal", "needs", "policy", "qa", "scope", "title"), DOCUMENTS
        ),
    },
    "TaskFile": {
        **dict.fromkeys(("acceptance", "needs", "policy", "spec", "steps", "title"), DOCUMENTS),
        **dict.fromkeys(("labels", "source", "tier"), VIEWS),
    },
    "Plan": {"tasks": DOCUMENTS, "schema": "contract/test_verbs_runs.py"},
    "ProjectFile": {
        **dict.fromkeys(("base", "policy", "repo", "setup", "title"), PROJECTS),
        "path": "contract/test_workspace_setup.py",
        "spec": "contract/test_verbs_runs.py",
        "setup_allow": LATER,
    },
    "PolicyPart": {
        **dict.fromkeys(
            ("max_parallel", "retries", "rework", "silence", "timeout", "auto_approve", "max_transitions"), POLICY
        ),
        "on_accept": POLICY,
        "check_timeout": "unit/engine/test_delivery.py",
        "review": "unit/quality/test_review.py",
        **dict.fromkeys(("memory", "output", "processes"), "contract/test_processes_limits.py"),
        **dict.fromkeys(("sandbox", "budget"), LATER),
    },
    "Amount": dict.fromkeys(("usd", "tokens"), LATER),
    "Settings": {
        **dict.fromkeys(("engine", "files", "policy", "projects", "roles", "workers"), SETTINGS),
        "callbacks": CALLBACKS,
        "gc": CLEANING,
        "python": "contract/test_flow_python.py",
        **dict.fromkeys(("approvals", "budget", "notify", "queue", "routes", "web"), LATER),
    },
    "WorkerSettings": {
        **dict.fromkeys(("type", "argv", "script", "env"), SETTINGS),
        **dict.fromkeys(("inherit", "model"), "unit/test_claude_worker.py"),
        "max_parallel": "contract/test_limits_over_runs.py",
        **dict.fromkeys(("account", "command", "function"), LATER),
    },
    "Roles": {**dict.fromkeys(("builder", "planner", "qa"), SETTINGS), "node": LATER},
    "FilesSettings": {"dir": "contract/test_settings_heeded.py", "commit": LATER},
    "Callbacks": dict.fromkeys(("command", "env", "on", "timeout", "url"), CALLBACKS),
    "Gc": {"keep_days": CLEANING},
    "PythonSettings": {"interpreter": "contract/test_flow_python.py"},
    "EngineSettings": {
        "idle_exit": "contract/test_settings_heeded.py",
        "max_parallel": "contract/test_limits_over_runs.py",
    },
    **{
        name: dict.fromkeys(keys, LATER)
        for name, keys in {
            "Approvals": ("secret",),
            "Budget": ("attempt", "day", "run", "task"),
            "Notify": ("on", "urls"),
            "QueuePolicy": ("deadline", "labels", "priority", "risk", "size", "ties"),
            "QueueSettings": ("policy",),
            "Route": ("builder", "label", "path", "planner", "qa", "tier"),
            "Web": ("host", "port"),
        }.items()
    },
}
RECORDS = ("task-file", "step-file", "criterion", "plan", "project-file", "settings")


def keys() -> dict[str, set[str]]:
    """Return the keys of every record that a person writes, by record, as the exported schemas have them."""
    found: dict[str, set[str]] = {}
    for name in RECORDS:
        schema: Any = schemas.schema(name)["schema"]
        for record, definition in schema["$defs"].items():
            if "properties" in definition:
                found.setdefault(record, set()).update(definition["properties"])
    return found


def test_every_key_that_may_be_written_has_a_line_here() -> None:
    assert {record: set(lines) for record, lines in HEEDED.items()} == keys()


@pytest.mark.parametrize(
    ("record", "key", "tests"),
    [(record, key, tests) for record, lines in HEEDED.items() for key, tests in lines.items() if tests != LATER],
)
def test_a_key_that_is_heeded_has_tests_that_speak_of_it(record: str, key: str, tests: str) -> None:
    assert re.search(rf"\b{key}\b", (TESTS / tests).read_text(encoding="utf-8")), (
        f"{tests} does not speak of {record}.{key}"
    )


AMOUNT = {"usd": 1.5, "tokens": 10}
WRITTEN_AHEAD: Mapping[str, Any] = {
    "approvals.secret": "s",
    **{f"budget.{name}": AMOUNT for name in HEEDED["Budget"]},
    "notify.on": ["gate"],
    "notify.urls": ["mailto://a@example.org"],
    **{f"queue.policy.{name}": 1.5 for name in ("deadline", "priority", "risk", "size")},
    "queue.policy.labels": {"docs": 1.5},
    "queue.policy.ties": ["age"],
    "routes": [{"label": "docs", "path": "a", "tier": "light", "builder": "codex", "qa": "codex", "planner": "codex"}],
    "web.host": "::1",
    "web.port": 8080,
    "files.commit": True,
    "policy.budget": AMOUNT,
    "policy.sandbox": "bwrap",
    "projects.p.setup_allow": ["packages.example.org"],
    "roles.node": "codex",
    "workers.codex.account": "mine",
    "workers.codex.command": "ls",
    "workers.codex.function": "a:b",
}
"""A value for every key of settings that is not in force yet."""


@pytest.mark.parametrize("key", WRITTEN_AHEAD)
def test_a_key_that_is_not_heeded_yet_says_so_in_config(key: str) -> None:
    value: Any = WRITTEN_AHEAD[key]
    for name in reversed(key.split(".")):
        value = {name: value}

    parse_settings(value)

    assert note(key, WRITTEN_AHEAD[key]) == "not in force yet"


def test_every_key_that_is_not_heeded_yet_is_written_ahead_above() -> None:
    later = {key for lines in HEEDED.values() for key, tests in lines.items() if tests == LATER}
    inside = {"usd", "tokens", "builder", "label", "path", "planner", "qa", "tier"}
    outside = {key.partition(".")[0] for key in WRITTEN_AHEAD}

    assert later - inside - outside == {key.rpartition(".")[2] for key in WRITTEN_AHEAD} - outside
