"""Workers and checks that cannot do their work: one clear sentence each, and the way on stays open."""

import pytest

from tests.disturbed import Disturbed, as_if_nothing_had_been

FAILED, REFUSED, MISSING = 1, 3, 4
NO_RETRIES = "\n[policy]\nretries = 0\n"


def without_retries(workspace: Disturbed) -> None:
    settings = workspace.root / "punchlist.toml"
    settings.write_text(settings.read_text() + NO_RETRIES)


def test_a_task_whose_workers_program_is_missing_is_not_started(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    builder = disturbed.root / "builder"
    builder.rename(builder.with_name("elsewhere"))

    call = disturbed.punchlist("task", "start", "T1", "--wait")
    examined = disturbed.punchlist("doctor")
    status = disturbed.status()
    builder.with_name("elsewhere").rename(builder)
    afterwards = disturbed.punchlist("task", "start", "T1", "--wait")

    assert call.code == examined.code == MISSING, call
    assert "'./builder' of worker 'slow' is not there" in call.err
    assert status == "ready"
    assert afterwards.code == 0, afterwards
    as_if_nothing_had_been(disturbed, undisturbed)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 1", "exit 1, no output"),
        ("echo 'no key' >&2; exit 7", "no key"),
        ("kill -SEGV $$", "killed by signal 11 (SIGSEGV)"),
        ("printf '{' >$PUNCHLIST_RESULT", "bad output: io/result.json is not JSON"),
        ('echo \'{"outcome": "done"}\' >$PUNCHLIST_RESULT', "schema"),
    ],
)
def test_a_worker_that_fails_is_quoted_and_its_task_can_be_tried_again(
    script: str, says: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    without_retries(disturbed)
    builder = disturbed.root / "builder"
    works = builder.read_text()
    builder.write_text(f"#!/bin/sh\n{script}\n")

    call = disturbed.punchlist("task", "start", "T1", "--wait")
    status = disturbed.status()
    why = disturbed.punchlist("why", "T1.1").out
    builder.write_text(works)
    again = disturbed.punchlist("retry", "T1", "--wait")

    assert call.code == FAILED, call
    assert says in call.out
    assert says in why
    assert "punchlist retry T1" in why
    assert status == "failed"
    assert again.code == 0, again
    as_if_nothing_had_been(disturbed, undisturbed)


def test_a_check_that_cannot_run_here_is_named_before_anybody_approves_it(disturbed: Disturbed) -> None:
    criterion = "{text: It counts., check: no-such-program --count}"
    disturbed.write("other.yaml", f"title: Other\nsteps: [{{title: One, criteria: [{criterion}]}}]\n")
    disturbed.ok("task", "create", "--file", "other.yaml")

    call = disturbed.punchlist("approve", "T2")
    shown = disturbed.punchlist("task", "show", "T2")
    anyway = disturbed.ok("approve", "T2", "--anyway")

    assert call.code == REFUSED, call
    assert "T2.1 AC-1 cannot run here: the command was not found (exit 127)" in call.err
    assert "--anyway" in call.err
    assert "cannot run here" in shown.out
    assert anyway["task"]["status"] == "ready"
    assert anyway["task"]["approved_anyway"] != []
