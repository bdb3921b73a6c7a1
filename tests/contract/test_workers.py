"""One suite for all workers: how each succeeds, fails, and is cut off, as real processes."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from punchlist.errors import DefinitionError, WorkerError
from punchlist.model.jobs import FailureClass, Limits, Outcome, Role, Usage
from punchlist.model.json import Json
from punchlist.model.results import Plan, Review
from punchlist.model.states import AttemptStatus
from tests.attempts import Attempts

Program = Callable[[str], dict[str, Json]]
DONE: Json = {"schema": "punchlist/result/1", "outcome": "done"}


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


@pytest.fixture(params=["command", "scripted"])
def program(request: pytest.FixtureRequest, attempts: Attempts) -> Program:
    """Return settings of a worker, of each type in turn, that does what a shell script says."""

    def command(script: str) -> dict[str, Json]:
        return {"type": "command", "argv": ["sh", "-c", script]}

    def scripted(script: str) -> dict[str, Json]:
        turn = {"turns": [{"run": {"command": script, "exit": 0}}]}
        (attempts.workspace / "script.yaml").write_bytes(msgspec.json.encode(turn))
        return {"type": "scripted", "script": "script.yaml"}

    return {"command": command, "scripted": scripted}[request.param]


def test_a_builder_that_leaves_no_result_is_done_without_claims(attempts: Attempts, program: Program) -> None:
    outcome = attempts.perform("w", program("echo changed >file.txt"))

    assert (outcome.status, outcome.failure) == (AttemptStatus.SUCCEEDED, None)
    assert outcome.result == {"schema": "punchlist/result/1", "outcome": "done"}
    assert (attempts.work / "file.txt").read_text() == "changed\n"


@pytest.mark.parametrize("role", [Role.QA, Role.PLANNER])
def test_another_role_that_leaves_no_result_is_a_bad_output(attempts: Attempts, program: Program, role: Role) -> None:
    outcome = attempts.perform("w", program("true"), role=role)

    assert (outcome.status, outcome.failure) == (AttemptStatus.FAILED, FailureClass.WORKER)
    assert outcome.reason.startswith("bad output: io/result.json: it left no ")


def test_a_node_of_a_flow_may_leave_any_json_or_nothing(attempts: Attempts, program: Program) -> None:
    left = attempts.perform("w", program('echo \'{"verdict": ["a", 1]}\' >$PUNCHLIST_RESULT'), role=Role.NODE)
    nothing = attempts.perform("w", program("true"), role=Role.NODE, name="A2")

    assert (left.status, left.result) == (AttemptStatus.SUCCEEDED, {"verdict": ["a", 1]})
    assert (nothing.status, nothing.result) == (AttemptStatus.SUCCEEDED, None)


def test_what_a_builder_says_is_kept_as_it_says_it(attempts: Attempts, program: Program) -> None:
    said = '{"schema": "punchlist/result/1", "outcome": "done", "criteria": [{"id": "AC-1", "met": true}]}'

    outcome = attempts.perform("w", program(f"echo '{said}' >$PUNCHLIST_RESULT"))

    assert outcome.result == msgspec.json.decode(said)


def test_a_builder_that_asks_is_blocked(attempts: Attempts, program: Program) -> None:
    said = '{"schema": "punchlist/result/1", "outcome": "blocked", "question": "Which port?"}'

    outcome = attempts.perform("w", program(f"echo '{said}' >$PUNCHLIST_RESULT"))

    assert (outcome.status, outcome.failure, outcome.reason) == (
        AttemptStatus.FAILED,
        FailureClass.BLOCKED,
        "Which port?",
    )


def test_a_builder_that_says_it_failed_has_failed(attempts: Attempts, program: Program) -> None:
    said = '{"schema": "punchlist/result/1", "outcome": "failed", "summary": "No compiler."}'

    outcome = attempts.perform("w", program(f"echo '{said}' >$PUNCHLIST_RESULT"))

    assert (outcome.status, outcome.failure, outcome.reason) == (
        AttemptStatus.FAILED,
        FailureClass.WORKER,
        "No compiler.",
    )


def test_a_passed_limit_is_a_classified_failure_with_the_last_lines(attempts: Attempts, program: Program) -> None:
    outcome = attempts.perform("w", program("echo thinking; sleep 30"), limits=Limits(timeout=1))

    assert (outcome.status, outcome.failure) == (AttemptStatus.TIMED_OUT, FailureClass.TIMEOUT)
    assert outcome.passed_limit == "timeout"
    assert "time limit" in outcome.reason
    assert "thinking" in outcome.reason


BAD_RESULTS = {
    "malformed": "printf '{\"schema\": ' >$PUNCHLIST_RESULT",
    "empty": ": >$PUNCHLIST_RESULT",
    "of another shape": "echo '[1, 2]' >$PUNCHLIST_RESULT",
    "huge": "head -c 5000000 /dev/zero >$PUNCHLIST_RESULT",
    "deep": "{ printf '%01000d' 0 | tr 0 '['; printf '%01000d' 0 | tr 0 ']'; } >$PUNCHLIST_RESULT",
    "not UTF-8": 'printf \'{"schema": "\\377\\376"}\' >$PUNCHLIST_RESULT',
}


@pytest.mark.parametrize("role", [Role.BUILDER, Role.QA, Role.PLANNER, Role.NODE])
@pytest.mark.parametrize("script", BAD_RESULTS.values(), ids=BAD_RESULTS)
def test_a_bad_result_is_a_failure_and_never_a_crash(attempts: Attempts, script: str, role: Role) -> None:
    outcome = attempts.perform("w", _command(script), role=role)

    if script == BAD_RESULTS["of another shape"] and role is Role.NODE:
        assert outcome.result == [1, 2]
    else:
        assert (outcome.status, outcome.failure) == (AttemptStatus.FAILED, FailureClass.WORKER)
        assert outcome.reason.startswith("bad output: ")
        assert outcome.result is None


def test_every_problem_of_a_result_is_named(attempts: Attempts) -> None:
    said = (
        '{"schema": "punchlist/result/1", "outcome": "accepted", "done": 1, "criteria": [{"id": "one", "met": true}]}'
    )

    outcome = attempts.perform("w", _command(f"echo '{said}' >$PUNCHLIST_RESULT"))

    assert "outcome" in outcome.reason
    assert "'done'" in outcome.reason
    assert "criteria[0].id" in outcome.reason


def test_an_exit_code_without_output_is_said_in_words(attempts: Attempts) -> None:
    outcome = attempts.perform("w", _command("exit 1"))

    assert (outcome.status, outcome.failure, outcome.exit_code) == (AttemptStatus.FAILED, FailureClass.WORKER, 1)
    assert outcome.reason == "exit 1, no output"


def test_an_exit_code_is_said_with_the_last_lines(attempts: Attempts) -> None:
    outcome = attempts.perform("w", _command("seq 100; echo cannot connect >&2; exit 7"))

    assert outcome.reason == "exit 7; its last lines:\ncannot connect"


def test_a_result_does_not_mend_an_exit_code(attempts: Attempts) -> None:
    outcome = attempts.perform("w", _command(f"echo '{msgspec.json.encode(DONE).decode()}' >$PUNCHLIST_RESULT; exit 1"))

    assert (outcome.status, outcome.failure, outcome.result) == (AttemptStatus.FAILED, FailureClass.WORKER, None)


def test_a_signal_is_named(attempts: Attempts) -> None:
    outcome = attempts.perform("w", _command("kill -SEGV $$"))

    assert (outcome.status, outcome.failure, outcome.signal) == (AttemptStatus.FAILED, FailureClass.WORKER, 11)
    assert outcome.reason.startswith("killed by signal 11 (SIGSEGV)")


@pytest.mark.parametrize(
    ("script", "limits", "failure"),
    [
        ("yes", Limits(timeout=20, output=1 << 20), FailureClass.OUTPUT),
        ("sleep 30", Limits(timeout=20, silence=0.2), FailureClass.SILENCE),
        ("trap '' INT TERM; while :; do sleep 1; done", Limits(timeout=0.2), FailureClass.TIMEOUT),
        ("exec >&- 2>&-; sleep 30", Limits(timeout=0.2), FailureClass.TIMEOUT),
    ],
)
def test_each_limit_has_its_class(attempts: Attempts, script: str, limits: Limits, failure: FailureClass) -> None:
    outcome = attempts.perform("w", _command(script), limits=limits)

    assert (outcome.status, outcome.failure, outcome.passed_limit) == (AttemptStatus.TIMED_OUT, failure, failure.value)


def test_usage_is_recorded_where_it_is_reported(attempts: Attempts) -> None:
    outcome = attempts.perform("w", _command("echo '{\"input_tokens\": 10}' >$PUNCHLIST_ATTEMPT_DIR/usage.json"))

    assert outcome.usage == Usage(input_tokens=10)


def test_a_command_gets_the_paths_and_variables_that_it_names(attempts: Attempts) -> None:
    attempts.environ["AGENT_KEY"] = "k"
    argv: list[Json] = [
        "sh",
        "-c",
        'echo "$@" $AGENT_KEY $OTHER',
        "sh",
        "{prompt_file}",
        "--pack={pack_file}",
        "{other}",
    ]

    outcome = attempts.perform("w", {"type": "command", "argv": argv, "env": ["AGENT_KEY"]})

    io = attempts.directory() / "io"
    assert outcome.tail == f"{io}/prompt.md --pack={io}/pack.json {{other}} k"


def test_a_relative_program_is_one_of_the_workspace(attempts: Attempts) -> None:
    agent = attempts.workspace / "tools" / "agent.sh"
    agent.parent.mkdir()
    agent.write_text('#!/bin/sh\npwd\ncat "$1"\n')
    agent.chmod(0o755)

    outcome = attempts.perform("nightly", {"type": "command", "argv": ["./tools/agent.sh", "{prompt_file}"]})

    assert outcome.tail == f"{attempts.work}\nDo it."


@pytest.mark.parametrize("program_name", ["no-such-agent", "./tools/no-such-agent.sh"])
def test_a_missing_program_is_named_with_its_worker_and_what_to_type(attempts: Attempts, program_name: str) -> None:
    with pytest.raises(WorkerError) as caught:
        attempts.perform("nightly", {"type": "command", "argv": [program_name]})

    assert caught.value.exit_code == 4
    for part in ("'nightly'", repr(program_name), "punchlist doctor"):
        assert part in str(caught.value)


def test_a_missing_script_is_named_with_its_worker(attempts: Attempts) -> None:
    with pytest.raises(WorkerError, match=r"'player'.*no-such\.yaml"):
        attempts.perform("player", {"type": "scripted", "script": "no-such.yaml"})


def test_settings_of_another_type_are_refused(attempts: Attempts) -> None:
    with pytest.raises(DefinitionError) as caught:
        attempts.perform("w", {"type": "command", "script": "x.yaml", "function": "a:b"})

    for part in ("'script'", "'function'", "'argv'"):
        assert part in str(caught.value)


def test_a_script_plays_builder_and_reviewer_round_by_round(attempts: Attempts) -> None:
    _script(
        attempts,
        """\
        turns:
          - when: {role: builder, step: Say hello, round: 0}
            write: {src/hello.txt: "helo\\n"}
            print: first try
            result: {outcome: done, summary: wrote it}
          - when: {role: builder, step: 1}
            replace: {src/hello.txt: {old: helo, new: hello}}
            append: {src/hello.txt: "world\\n"}
            delete: [old.txt]
            run: [{command: "grep -q helo src/hello.txt", exit: 1}, "echo ran"]
          - when: {role: qa, criterion: AC-2, round: [0, 1]}
            review: {pass: all, fail: {AC-2: {finding: It says helo., evidence: ["src/hello.txt:1"]}}}
        """,
    )
    (attempts.work / "old.txt").write_text("old")
    step_pack = b'{"step": {"id": "T1.1", "title": "Say hello"}, "criteria": [{"id": "AC-1"}]}'
    review_pack = b'{"title": "Say hello", "criteria": [{"id": "AC-1"}, {"id": "AC-2"}], "checks": [{"id": "AC-1"}]}'

    first = _play(attempts, "A1", step_pack, round="0")
    second = _play(attempts, "A2", step_pack, round="1")
    review = _play(attempts, "A3", review_pack, role=Role.QA, round="0")

    assert first.result == {"schema": "punchlist/result/1", "outcome": "done", "summary": "wrote it"}
    assert first.tail == "first try"
    assert (second.status, second.tail) == (AttemptStatus.SUCCEEDED, "ran")
    assert (attempts.work / "src/hello.txt").read_text() == "hello\nworld\n"
    assert not (attempts.work / "old.txt").exists()
    said = msgspec.convert(review.result, Review).criteria
    assert [(each.id, each.verdict, each.evidence, each.finding) for each in said] == [
        ("AC-2", "fail", ("src/hello.txt:1",), "It says helo."),
        ("AC-1", "pass", ("AC-1",), ""),
    ]


def test_a_script_can_answer_with_a_plan_with_anything_at_all_and_with_an_exit_code(attempts: Attempts) -> None:
    _script(
        attempts,
        """\
        turns:
          - when: {role: planner}
            plan: {tasks: [{title: One, steps: [{title: First, criteria: [It works.]}]}]}
          - when: {role: qa}
            raw: '{"not": "a review"'
          - exit: 3
        """,
    )

    plan = _play(attempts, "A1", b'{"title": "P"}', role=Role.PLANNER)
    raw = _play(attempts, "A2", b"{}", role=Role.QA)
    code = _play(attempts, "A3", b"{}")

    assert msgspec.convert(plan.result, Plan).tasks[0].steps[0].title == "First"
    assert raw.reason.startswith("bad output: ")
    assert code.reason == "exit 3, no output"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("turns: [{when: {role: builder}, wrte: {a: b}}, {sleep: 3}]", "wrte"),
        ("turns: []", "turns"),
        ("turns: [{when: {role: qa}}]", "no turn fits role 'builder'"),
        ("turns: [{exit: 1, exit: 2}]", "'exit' is given twice"),
        ("turns: [", "not YAML"),
        ("turns: [{write: {../x: y}}]", "work folder"),
        ("turns: [{result: {}, review: {}}]", "result and review"),
    ],
)
def test_a_script_that_is_wrong_itself_fails_at_once(attempts: Attempts, script: str, said: str) -> None:
    _script(attempts, script)

    outcome = _play(attempts, "A1", b"{}")

    assert (outcome.status, outcome.failure) == (AttemptStatus.FAILED, FailureClass.DEFINITION)
    assert said in outcome.reason


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        ("run: {command: exit 5, exit: 0}", "ended with 5; the script demands 0"),
        ("replace: {a.txt: {old: x, new: y}}", "occurs 2 times in a.txt"),
        ("delete: [b.txt]", "b.txt"),
    ],
)
def test_a_turn_that_cannot_be_performed_fails_as_a_worker(attempts: Attempts, turn: str, said: str) -> None:
    (attempts.work / "a.txt").write_text("xx")
    _script(attempts, f"turns: [{{{turn}}}]")

    outcome = _play(attempts, "A1", b"{}")

    assert (outcome.status, outcome.failure) == (AttemptStatus.FAILED, FailureClass.WORKER)
    assert said in outcome.reason


def test_the_offline_planner_makes_a_plan_of_a_spec(attempts: Attempts) -> None:
    pack = _request(spec="# Say hello\n\n## Write it\n- It greets.\n  - check: `sh greet.sh`\n")

    outcome = attempts.perform("heuristic", {}, role=Role.PLANNER, files={"pack.json": pack})

    assert outcome.status is AttemptStatus.SUCCEEDED
    (task,) = msgspec.convert(outcome.result, Plan).tasks
    assert (task.title, task.steps[0].title) == ("Say hello", "Write it")


def test_the_offline_planner_says_what_to_write_when_there_is_nothing(attempts: Attempts) -> None:
    outcome = attempts.perform("heuristic", {}, role=Role.PLANNER, files={"pack.json": _request(spec=" \n")})

    assert (outcome.status, outcome.failure) == (AttemptStatus.FAILED, FailureClass.DEFINITION)
    assert "the spec is empty" in outcome.reason
    assert "## heading" in outcome.reason


def test_nothing_in_the_work_folder_is_imported_by_a_worker_of_ours(attempts: Attempts) -> None:
    (attempts.work / "punchlist").mkdir()
    (attempts.work / "punchlist" / "__init__.py").write_text("raise SystemExit('imported')")
    (attempts.work / "msgspec.py").write_text("raise SystemExit('imported')")

    outcome = attempts.perform("heuristic", {}, role=Role.PLANNER, files={"pack.json": _request(spec="Do it.")})

    assert outcome.status is AttemptStatus.SUCCEEDED


def _command(script: str) -> dict[str, Json]:
    return {"type": "command", "argv": ["sh", "-c", script]}


def _script(attempts: Attempts, text: str) -> None:
    (attempts.workspace / "script.yaml").write_text(text)


def _play(attempts: Attempts, name: str, pack: bytes, *, role: Role = Role.BUILDER, round: str = "0") -> Outcome:  # noqa: A002
    env = {"PUNCHLIST_STEP": "T1.1", "PUNCHLIST_ROUND": round}
    settings: dict[str, Json] = {"type": "scripted", "script": "script.yaml", "model": "opus"}
    return attempts.perform("player", settings, name=name, role=role, env=env, files={"pack.json": pack})


def _request(*, spec: str) -> bytes:
    return msgspec.json.encode({"schema": "punchlist/request/1", "project": "p", "title": "P", "spec": spec})
