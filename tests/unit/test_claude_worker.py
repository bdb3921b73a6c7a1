"""The command line of Claude Code, and the ends that no recording shows."""

import json
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import DefinitionError, WorkerError
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import FailureClass, Role, Usage
from punchlist.model.json import Json
from punchlist.model.states import AttemptStatus
from punchlist.ports import Exit, Invocation, WorkerRequest
from punchlist.workers.claude import PROVIDER, ClaudeWorker
from punchlist.workers.settings import Host

HOST = Host(python="python3", path="/bin", own={"CLAUDE_CONFIG_DIR": "/a/person/.claude"})
LAST: dict[str, Any] = {"type": "result", "subtype": "success", "is_error": False, "terminal_reason": "completed"}
ANSWER = b'{"schema": "punchlist/result/1", "outcome": "done"}'


def request(role: Role = Role.BUILDER, *, session: str | None = None, **settings: Json) -> WorkerRequest:
    return WorkerRequest(
        attempt=AttemptId("A1"),
        role=role,
        work=Path("/w"),
        io=Path("/a folder/A1/io"),
        workspace=Path("/"),
        settings={"type": "claude", "argv": ["/bin/sh"], **settings},
        session=session,
    )


def invocation(asked: WorkerRequest, *, host: Host = HOST) -> Invocation:
    return ClaudeWorker("claude", host).invocation(asked)


def flag(made: Invocation, name: str) -> str | None:
    found = [each.partition("=")[2] for each in made.argv if each.split("=")[0] == f"--{name}"]
    return found[0] if found else None


def ended(*events: dict[str, Any], code: int = 0, result: bytes | None = ANSWER) -> Exit:
    lines = (json.dumps({"session_id": "S", **event}).encode() for event in events)
    return Exit(code=code, stdout=b"\n".join(lines), result=result)


def test_a_builder_may_change_its_folder_and_nothing_else() -> None:
    made = invocation(request())

    allowed = json.loads(flag(made, "settings") or "")["permissions"]["allow"]
    assert "Edit(./**)" in allowed
    assert "Read(//a folder/A1/io/**)" in allowed
    assert flag(made, "permission-mode") == "dontAsk"
    assert flag(made, "setting-sources") == ""
    assert made.stdin == Path("/a folder/A1/io/prompt.md")


@pytest.mark.parametrize("role", [Role.QA, Role.PLANNER])
@pytest.mark.parametrize("inherit", [True, False])
def test_who_only_reads_has_no_tool_that_writes(role: Role, inherit: bool) -> None:
    made = invocation(request(role, inherit=inherit))

    assert flag(made, "tools") == "Glob,Grep,Read"
    allowed = json.loads(flag(made, "settings") or "")["permissions"]["allow"]
    assert not {"Bash", "Edit(./**)"} & set(allowed)


def test_nothing_of_a_persons_own_is_used_unless_it_is_inherited() -> None:
    apart, inherited = invocation(request()), invocation(request(inherit=True))

    assert "--strict-mcp-config" in apart.argv
    assert "CLAUDE_CONFIG_DIR" not in apart.env
    assert "--strict-mcp-config" not in inherited.argv
    assert flag(inherited, "setting-sources") == "user"
    assert inherited.env["CLAUDE_CONFIG_DIR"] == "/a/person/.claude"


def test_the_names_of_the_provider_and_those_listed_are_let_through() -> None:
    assert invocation(request(env=["MY_NAME"])).pass_env == (*PROVIDER, "MY_NAME")


def test_a_model_and_a_session_are_said_when_there_are_any() -> None:
    made = invocation(request(session="S1", model="opus"))

    assert (flag(made, "model"), flag(made, "resume")) == ("opus", "S1")
    assert (flag(invocation(request()), "model"), flag(invocation(request()), "resume")) == (None, None)


def test_without_typed_tools_the_answer_has_a_schema() -> None:
    made = invocation(request(Role.QA), host=Host(python="python3", path="/bin", tools=False))

    assert json.loads(flag(made, "json-schema") or "")["$ref"] == "#/$defs/Review"
    assert flag(made, "mcp-config") is None
    assert "hooks" not in json.loads(flag(made, "settings") or "")


def test_a_flows_own_agent_answers_by_its_file() -> None:
    made = invocation(request(Role.NODE))

    assert flag(made, "mcp-config") is None
    assert "Edit(//a folder/A1/io/result.json)" in json.loads(flag(made, "settings") or "")["permissions"]["allow"]


def test_a_program_that_is_not_there_is_named_with_how_to_get_it() -> None:
    with pytest.raises(WorkerError, match="'no-such-claude' of worker 'claude' is not there") as refused:
        invocation(request(argv=["no-such-claude"]))

    assert "npm install" in refused.value.hint


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(DefinitionError, match="script"):
        invocation(request(script="x.yaml"))


def test_an_exit_code_is_no_verdict() -> None:
    worker = ClaudeWorker("claude", HOST)

    silent = worker.outcome(request(), ended({"type": "system", "subtype": "init"}))
    failing = worker.outcome(request(), ended(LAST, code=1))
    lying = worker.outcome(request(), ended({**LAST, "is_error": True, "result": "no"}))

    assert (silent.status, silent.failure, silent.session) == (AttemptStatus.FAILED, FailureClass.WORKER, "S")
    assert silent.reason == "it ended without its last event, so nothing that it did counts; exit 0"
    assert (failing.status, failing.failure) == (AttemptStatus.FAILED, FailureClass.WORKER)
    assert (lying.status, lying.reason) == (AttemptStatus.FAILED, "no")


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (
            [{"type": "system", "subtype": "init", "claude_code_version": "3.0.1"}],
            "is of version 3.0.1; tested is 2.1.",
        ),
        ([{"type": "started"}], "said nothing that can be read, as one of another version might; tested is 2.1."),
        ([{"type": "system", "subtype": "init", "claude_code_version": "2.1.400"}], "exit 2"),
    ],
)
def test_a_failure_of_a_program_of_another_version_names_it(events: list[dict[str, Any]], said: str) -> None:
    reason = ClaudeWorker("mine", HOST).outcome(request(), ended(*events, code=2)).reason

    assert said in reason
    assert ("The program of worker 'mine'" in reason) == reason.endswith("Type: punchlist doctor")


def test_an_answer_by_tool_goes_before_a_structured_one() -> None:
    last = {**LAST, "structured_output": {"schema": "punchlist/result/1", "outcome": "failed"}}

    outcome = ClaudeWorker("claude", HOST).outcome(request(), ended(last))

    assert outcome.status is AttemptStatus.SUCCEEDED


def test_what_is_no_event_is_passed_over() -> None:
    output = b'cut off"}\nnot json\n[1]\n{"type": 7}\n\xff\xfe\n' + json.dumps(LAST).encode()

    outcome = ClaudeWorker("claude", HOST).outcome(request(), Exit(code=0, stdout=output, result=ANSWER))

    assert outcome.status is AttemptStatus.SUCCEEDED


def test_an_older_version_says_the_cost_of_a_new_session_only() -> None:
    last = {
        **LAST,
        "total_cost_usd": 0.5,
        "usage": {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 9},
    }
    worker = ClaudeWorker("claude", HOST)

    fresh = worker.outcome(request(), ended(last))
    resumed = worker.outcome(request(session="S"), ended(last))
    silent = worker.outcome(request(), ended(LAST))

    assert fresh.usage == Usage(input_tokens=3, output_tokens=2, cached_tokens=9, microdollars=500_000)
    assert resumed.usage == Usage(input_tokens=3, output_tokens=2, cached_tokens=9)
    assert silent.usage is None


def test_a_reset_time_outside_of_any_calendar_is_none() -> None:
    limit = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 2**62}}

    outcome = ClaudeWorker("claude", HOST).outcome(
        request(), ended(limit, {**LAST, "is_error": True, "api_error_status": 429}, code=1)
    )

    assert (outcome.failure, outcome.not_before) == (FailureClass.QUOTA, None)
