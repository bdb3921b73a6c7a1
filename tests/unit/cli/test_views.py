"""Answers as people read them: first what needs them, and always what to type."""

from punchlist.cli.views import attention, places, runs, tasks
from punchlist.model.json import Json

GATE: dict[str, Json] = {
    "id": "G4", "kind": "rework", "about": "T1.2", "message": "3 rounds used up", "status": "open",
    "choices": [
        {"name": "more", "needs": [], "effect": "more rounds"},
        {"name": "waive", "needs": ["reason"], "type": "waive -m TEXT", "effect": "passed"},
        {"name": "raise", "needs": ["value"], "type": "raise --data '{\"value\": \"9\"}'", "effect": "raised"},
    ],
}  # fmt: skip
LINE: dict[str, Json] = {"id": "T2", "title": "Two", "status": "draft", "command": "punchlist approve T2"}
ENGINE: dict[str, Json] = {"running": False, "pid": None, "since": "", "version": ""}


def test_status_begins_with_what_needs_a_person() -> None:
    accepted: dict[str, Json] = {
        **LINE,
        "id": "T3",
        "status": "accepted",
        "steps_accepted": 2,
        "steps_total": 2,
        "command": "",
    }

    shown = attention.status({"engine": ENGINE, "waiting": [GATE], "drafts": [LINE], "accepted": [accepted]})

    assert [line for line in shown.splitlines() if line and not line.startswith(" ")] == [
        "Needs you", "To approve", "Accepted", "The engine is asleep.",
    ]  # fmt: skip
    assert "punchlist decide G4 more" in shown
    assert "T2  draft 0/0  Two  punchlist approve T2" in shown


def test_status_of_nothing_says_how_to_begin() -> None:
    assert attention.status({"engine": ENGINE, "projects": ["p"]}).startswith("Nothing to do: punchlist plan")


def test_a_choice_is_shown_as_the_command_with_what_it_needs() -> None:
    shown = [line.rstrip() for line in runs.gates({"gates": [GATE]}).splitlines()]

    assert shown[0] == "G4  T1.2 · rework: 3 rounds used up"
    assert [line.rpartition("  ")[0].strip() for line in shown[1:]] == [
        "punchlist decide G4 more",
        "punchlist decide G4 waive -m TEXT",
        'punchlist decide G4 raise --data \'{"value": "9"}\'',
    ]


def test_why_shows_evidence_and_the_one_thing_that_is_waited_for() -> None:
    criterion: Json = {
        "id": "AC-1",
        "text": "It holds.",
        "verdict": "fail",
        "by": ["check"],
        "evidence": ["A6"],
        "finding": "exit 1",
    }
    told: Json = {
        "id": "T1.1", "title": "One", "status": "rework", "criteria": [criterion],
        "waits_for": {"what": "A7 (builder ada), running", "command": "punchlist logs A7 -f"},
    }  # fmt: skip

    assert attention.why({"why": told}).splitlines() == [
        "T1.1  One · rework",
        "  waits for A7 (builder ada), running",
        "  type: punchlist logs A7 -f",
        "  AC-1  fail by check (A6)  It holds.",
        "        → exit 1",
    ]


def test_only_the_node_that_failed_of_itself_is_named() -> None:
    nodes: Json = [
        {"path": "", "kind": "flow", "status": "failed", "error": "steps: build: exit 1"},
        {"path": "steps", "kind": "group", "status": "failed", "error": "build: exit 1"},
        {"path": "steps.build", "kind": "run", "status": "failed", "error": "exit 1"},
    ]

    shown = runs.ended({"run": {"id": "R1", "flow": "x", "status": "failed", "nodes": nodes}})

    assert shown.splitlines() == ["R1 (x) failed", "  steps.build failed: exit 1"]


def test_drift_is_named_with_the_commands_that_show_and_mend_it() -> None:
    shown = runs.drift({"drift": [{"path": "a/task.md", "kind": "changed"}]})

    assert shown.startswith("changed  a/task.md\n")
    assert "punchlist files write" in shown
    assert runs.drift({"drift": []}) == "All generated files are as the record says."


def test_an_engine_that_sleeps_is_no_cause_for_alarm() -> None:
    assert places.engine({"engine": ENGINE}).startswith("not running; it starts by itself")
    assert places.engine({"engine": {**ENGINE, "running": True, "pid": 7}}).startswith("running, process 7")


def test_a_task_names_the_next_command_by_its_state() -> None:
    commands = {
        state: tasks.moved_task({"task": {"id": "T1", "project": "p", "title": "t", "status": state, "version": 1}})
        for state in ("draft", "ready", "waiting", "accepted", "failed", "cancelled")
    }

    assert [text.partition("Next: punchlist ")[2].partition(" T1")[0] for text in commands.values()] == [
        "approve", "task start", "why", "report", "retry", "task reopen",
    ]  # fmt: skip


def test_a_task_shows_what_it_says_of_itself_and_what_is_not_heeded_yet() -> None:
    record: Json = {
        "id": "T1", "project": "p", "title": "t", "status": "draft", "version": 1, "tier": "contract",
        "labels": ["docs", "api"], "source": "https://example.org/7",
        "notes": [{"key": "policy.sandbox", "value": "bwrap", "note": "not in force yet"}],
    }  # fmt: skip

    shown = tasks.task({"task": record}).splitlines()

    assert "tier contract · labels docs, api · source https://example.org/7" in shown
    assert "policy.sandbox is not in force yet" in shown


def test_a_draft_shows_what_its_checks_wrote_on_the_base_and_why_one_cannot_run() -> None:
    criteria: list[Json] = [
        {"id": "AC-1", "text": "It is there.", "check": "test -f x", "shows": "goal"},
        {"id": "AC-2", "text": "It is tested.", "check": "pytest", "shows": "cannot_run"},
    ]
    rows: list[Json] = [
        {
            "step": "T1.1",
            "id": "AC-1",
            "shows": "goal",
            "command": "test -f x\ntrue",
            "tail": "one\ntwo\n3\n4\n",
        },
        {"step": "T1.1", "id": "AC-2", "shows": "cannot_run", "command": "pytest", "problem": "exit 127: not found"},
    ]
    record: dict[str, Json] = {
        "id": "T1", "project": "p", "title": "t", "status": "draft", "version": 1,
        "steps": [{"id": "T1.1", "title": "One", "status": "pending", "criteria": criteria}],
        "proof": {"version": 1, "rows": rows},
    }  # fmt: skip

    assert tasks.task({"task": record}).splitlines()[4:11] == [
        "  AC-1  It is there.",
        "        $ test -f x  (must start failing)",
        "          | two",
        "          | 3",
        "          | 4",
        "  AC-2  It is tested.",
        "        $ pytest  (cannot run here)",
    ]
    assert "          exit 127: not found" in tasks.task({"task": record}).splitlines()
    assert tasks.proof({"task": record}).splitlines() == [
        "T1.1  AC-1  must start failing  test -f x …",
        "    | two",
        "    | 3",
        "    | 4",
        "T1.1  AC-2  cannot run here     pytest",
        "    exit 127: not found",
    ]


def test_a_task_that_was_approved_all_the_same_says_who_passed_over_what() -> None:
    record: Json = {
        "id": "T1", "project": "p", "title": "t", "status": "running", "version": 2,
        "approved_by": "human:ada", "approved_anyway": ["T1.1 AC-2 cannot run here"],
    }  # fmt: skip

    shown = tasks.task({"task": record})

    assert "Approved all the same by human:ada, passing over:\n  T1.1 AC-2 cannot run here\n" in shown


def test_a_task_says_how_many_of_its_steps_were_skipped_wherever_it_has_a_line() -> None:
    line: dict[str, Json] = {"id": "T1", "title": "x", "status": "accepted", "steps_accepted": 1, "steps_total": 3}
    line |= {"steps_skipped": 2}
    half: dict[str, Json] = {**line, "id": "T2", "status": "running", "steps_skipped": 1}
    none: dict[str, Json] = {**half, "steps_skipped": 0}

    assert "accepted, 2 skipped" in tasks.tasks({"tasks": [{**line, "project": "p", "paused": False}]})
    assert "running, 1 skipped" in tasks.tasks({"tasks": [{**half, "project": "p", "paused": False}]})
    assert "skipped" not in tasks.tasks({"tasks": [{**none, "project": "p", "paused": False}]})
    shown = attention.status({"accepted": [line], "running": [half], "engine": ENGINE})
    assert "accepted 1/3, 2 skipped" in shown
    assert "running 1/3, 1 skipped" in shown


def test_a_criterion_that_nobody_judged_says_so() -> None:
    judged: Json = [{"id": "AC-3", "verdict": "fail", "by": []}]
    step: dict[str, Json] = {"id": "T1.1", "title": "x", "status": "rework", "criteria": []}
    verdict: Json = {"r": 0, "s": 0, "result": "fail", "criteria": judged, "findings": []}

    assert "AC-3  fail  judged by nobody" in tasks.step({"step": {**step, "attempts": [], "verdicts": [verdict]}})


def test_a_waiver_that_leaves_others_says_which() -> None:
    task: dict[str, Json] = {"id": "T1", "title": "x", "status": "waiting", "project": "p"}
    task |= {"version": 1, "steps": []}
    gate: Json = {**GATE, "id": "G1", "about": "T1.1", "status": "open"}

    assert tasks.waived({"task": task, "left": ["F2"]}).endswith("not waived, and in the way: F2")
    assert tasks.approved({"gate": gate, "left": ["F2"]}).startswith("G1 (rework, T1.1) is still open: ")


def test_what_a_task_and_its_step_both_wait_for_is_said_once() -> None:
    waits: Json = {"what": "a decision on gate G1", "command": "punchlist decide G1 CHOICE"}
    step: dict[str, Json] = {"id": "T1.1", "title": "s", "status": "waiting", "waits_for": waits}
    whole: Json = {"id": "T1", "title": "x", "status": "waiting", "waits_for": waits, "criteria": [], "steps": [step]}

    assert attention.why({"why": whole}).count("a decision on gate G1") == 1
