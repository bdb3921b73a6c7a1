"""Verbs that steer what runs, with a real engine: proof, approval, delivery, gates, rework, plans, flows."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import DefinitionError, RefusedError, StoreError, WorkerError
from punchlist.service import (
    approvals,
    diff,
    engines,
    files,
    gates,
    inbox,
    logs,
    plans,
    projects,
    report,
    runs,
    starts,
    status,
    steps,
    tasks,
    why,
)
from punchlist.service.context import Service
from tests.services import BUILDER, at, git, stopped, task, workspace

# An engine outlives who started it, also when that is this process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOPELESS = BUILDER.replace("echo made > made.txt", "echo wrong > other.txt").replace(
    "[roles]", "[policy]\nrework = 0\n[roles]"
)
SLOW = BUILDER.replace("echo made > made.txt", "sleep 60")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A workspace with project `p`, whose builder makes the right file at once; its engine is ended afterwards."""
    with stopped(delivery(tmp_path, BUILDER)) as made:
        yield made


@pytest.fixture
def hopeless(tmp_path: Path) -> Iterator[Service]:
    """The same with a builder that never makes the right file, and no rework before a person is asked."""
    with stopped(delivery(tmp_path, HOPELESS)) as made:
        yield made


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Service]:
    """The same with a builder that does not end by itself."""
    with stopped(delivery(tmp_path, SLOW)) as made:
        yield made


def delivery(root: Path, settings: str) -> Service:
    made = workspace(root / "ws", settings=settings, engine=True)
    projects.create(made, "p", spec="# Files\n\n## Make a file\n\nAcceptance:\n\n- It is there: `test -f made.txt`\n")
    return made


def begun(service: Service, **said: Any) -> str:
    """Make, approve and start a task; return the run's id."""
    made: Any = tasks.create(service, None, document=task(**said))
    approvals.approve(service, made["task"]["id"])
    started: Any = starts.start(service, [made["task"]["id"]])
    return str(started["run"]["id"])


def ended(service: Service, run: str) -> str:
    answer: Any = runs.wait(service, [run])
    return str(answer["runs"][0]["status"])


def builds(service: Service) -> None:
    """Wait until a builder is at work."""
    with service.engine.watch() as watch:
        while True:
            with service.store.read() as reader:
                if any(each.role == "builder" and each.status == "running" for each in reader.attempts()):
                    return
            watch.wait(5)


def test_a_task_is_proved_approved_started_and_accepted(service: Service) -> None:
    said: list[str] = []
    tasks.create(service, None, document=task())
    approved: Any = approvals.approve(service, "T1", say=said.append)
    started: Any = starts.start(service, ["T1"])

    assert [row["shows"] for row in approved["task"]["proof"]["rows"]] == ["goal"]
    assert said[0].startswith("running the checks of T1 on the base")
    assert ended(service, started["run"]["id"]) == "succeeded"
    assert runs.exit_code("succeeded") == 0

    repo = service.root / "repos/p"
    assert git(repo, "show", "punchlist/T1-make-a-file:made.txt") == "made"
    assert git(repo, "rev-list", "--count", "main") == "1"
    found: Any = why.why(service, "T1.1")
    assert found["why"]["criteria"][0]["verdict"] == "pass"
    assert "+made" in str(diff.diff(service, "T1")["diff"])
    assert diff.diff(service, "T1.1")["diff"] == diff.diff(service, "T1")["diff"]
    story: Any = report.report(service, "T1")
    assert story["run"]["status"] == "succeeded"
    assert "# T1 Make a file" in story["text"]
    assert files.check(service) == {"drift": []}
    assert logs.verify(service)["problems"] == []
    assert [each["id"] for each in at(status.status(service), "accepted")] == ["T1"]


def test_an_accepted_commit_that_the_record_does_not_know_is_found(service: Service) -> None:
    ended(service, begun(service))
    engine_repo = service.root / ".punchlist/git/p.git"
    with service.store.read() as reader:
        commit = (
            next(each for each in reader.projects()),
            git(engine_repo, "rev-parse", "refs/heads/punchlist/T1-make-a-file"),
        )
    path = engine_repo / "objects" / commit[1][:2] / commit[1][2:]
    path.unlink()

    problems: Any = logs.verify(service, "T1")["problems"]

    assert [each["message"] for each in problems] == [f"commit {commit[1][:12]} of T1.1 is not in the repository"]


def test_a_check_that_cannot_run_here_is_named_before_approval(service: Service) -> None:
    step = {"title": "x", "criteria": [{"text": "y", "check": "no-such-program --now"}]}
    tasks.create(service, None, document=task(steps=[step]))

    with pytest.raises(RefusedError, match="prove nothing yet") as refused:
        approvals.approve(service, "T1")

    assert "T1.1 AC-1 cannot run here" in str(refused.value)
    assert refused.value.exit_code == 3


def test_a_changed_draft_is_proved_as_it_is_now(service: Service) -> None:
    tasks.create(service, None, document=task())
    tasks.edit(service, "T1", changes={"acceptance": [{"text": "base", "check": "true"}]})

    approved: Any = approvals.approve(service, "T1")

    shows = {(row["step"], row["shows"]) for row in approved["task"]["proof"]["rows"]}
    assert shows == {("T1.1", "goal"), (None, "guard")}


def test_rounds_used_up_wait_for_a_person_who_waives(hopeless: Service) -> None:
    run = begun(hopeless)
    assert ended(hopeless, run) == "waiting"
    assert runs.exit_code("waiting") == 6
    waiting: Any = status.status(hopeless)["waiting"]
    (gate,) = waiting
    shown: Any = steps.show(hopeless, "T1.1")
    finding = next(each for each in shown["step"]["verdicts"][0]["findings"] if each["criterion"] == "AC-1")

    with pytest.raises(DefinitionError, match="no choice 'maybe'"):
        gates.decide(hopeless, gate["id"], choice="maybe")
    with pytest.raises(DefinitionError, match="reason"):
        gates.decide(hopeless, gate["id"], choice="waive")
    with pytest.raises(DefinitionError, match="needs a reason"):
        gates.waive(hopeless, finding["id"], reason=" ")
    gates.waive(hopeless, finding["id"], reason="good enough")

    assert ended(hopeless, run) == "succeeded"
    step: Any = steps.show(hopeless, "T1.1")
    assert step["step"]["waived"][0]["reason"] == "good enough"
    assert logs.verify(hopeless)["problems"] == []
    explained: Any = why.why(hopeless, finding["id"])
    assert explained["why"]["about"] == "T1.1"


def test_a_gate_that_fails_its_step_leaves_a_task_to_retry(hopeless: Service) -> None:
    run = begun(hopeless)
    ended(hopeless, run)
    gate = hopeless_gate(hopeless)

    decided: Any = gates.decide(hopeless, gate, choice="fail", message="not worth it")
    assert decided["gate"]["choice"] == "fail"
    assert ended(hopeless, run) == "failed"
    with pytest.raises(RefusedError, match="is decided already"):
        gates.decide(hopeless, gate, choice="skip")
    with pytest.raises(RefusedError, match=f"run {run} is over: failed"):
        runs.pause(hopeless, run)
    with pytest.raises(RefusedError, match="no run has hold of it") as over:
        runs.resume(hopeless, "T1")
    assert over.value.hint == "Type: punchlist retry T1"

    again: Any = runs.retry(hopeless, "T1.1")

    assert again["run"]["id"] != run
    assert ended(hopeless, again["run"]["id"]) == "waiting"
    assert logs.verify(hopeless)["problems"] == []


def test_rework_of_an_accepted_step_starts_it_again(service: Service) -> None:
    ended(service, begun(service))

    with pytest.raises(DefinitionError, match="needs a message"):
        gates.rework(service, "T1.1", message=" ")
    work = service.root / ".punchlist" / "work"
    left = {each.name for each in work.glob("T*")}
    again: Any = gates.rework(service, "T1.1", message="use the existing helper")
    ended(service, again["run"]["id"])

    assert left == set()  # git has what was accepted; its folders are made anew

    step: Any = steps.show(service, "T1.1")
    assert (step["step"]["r"], len(step["step"]["verdicts"])) == (1, 2)
    assert logs.verify(service)["problems"] == []


def test_reopening_what_others_were_built_on_says_so_first(service: Service) -> None:
    more = [*task()["steps"], {"title": "More", "criteria": ["It is there still."]}]
    ended(service, begun(service, steps=more))

    with pytest.raises(RefusedError, match=r"also invalidates what was built on it: T1\.2") as refused:
        steps.reopen(service, "T1.1")
    answer: Any = steps.reopen(service, "T1.1", yes=True)

    assert refused.value.code == "invalidates"
    assert [each["status"] for each in answer["task"]["steps"]] == ["pending", "pending"]
    assert answer["task"]["status"] == "ready"


def test_rework_of_what_others_were_built_on_says_so_first(service: Service) -> None:
    more = [*task()["steps"], {"title": "More", "criteria": ["It is there still."]}]
    ended(service, begun(service, steps=more))

    with pytest.raises(RefusedError, match=r"also invalidates what was built on it: T1\.2") as refused:
        gates.rework(service, "T1.1", message="use the helper")
    assert refused.value.hint == "If that is meant: punchlist rework T1.1 -m TEXT --yes"
    assert at(tasks.show(service, "T1"), "task", "status") == "accepted"
    again: Any = gates.rework(service, "T1.1", message="use the helper", yes=True)
    ended(service, again["run"]["id"])

    assert [each["r"] for each in at(tasks.show(service, "T1"), "task", "steps")] == [1, 1]


def test_a_run_that_ends_while_it_is_asked_to_go_on_is_returned(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    (service.root / "slow.yaml").write_text(
        "punchlist: 1\nflow: slow\nnodes: {a: {wait: {file: now}, timeout: 1m}}\n", encoding="utf-8"
    )
    run = str(at(runs.run(service, str(service.root / "slow.yaml"), inputs={}), "run", "id"))
    send = inbox.send

    def late(*arguments: Any) -> None:
        (service.root / "now").touch()
        runs.wait(service, [run])
        send(*arguments)

    monkeypatch.setattr(inbox, "send", late)

    assert at(runs.resume(service, run), "run", "status") == "succeeded"


@pytest.mark.parametrize("name", ["bare", "below/it.yaml", "it.yaml"])
def test_a_flow_is_read_again_where_it_was_read(name: str, service: Service) -> None:
    file = service.root / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("punchlist: 1\nflow: f\nnodes: {a: {run: 'false'}}\n", encoding="utf-8")
    run = str(at(runs.run(service, str(file), inputs={}), "run", "id"))
    runs.wait(service, [run])
    file.write_text("punchlist: 1\nflow: f\nnodes: {a: {run: 'true'}}\n", encoding="utf-8")

    runs.resume(service, run, rebase=True)

    assert at(runs.wait(service, [run]), "runs", 0, "status") == "succeeded"


def test_what_runs_is_paused_resumed_revised_and_cancelled(slow: Service) -> None:
    run = begun(slow)
    builds(slow)

    paused: Any = runs.pause(slow, "T1", now=True)
    assert (paused["task"]["paused"], paused["run"]["paused"]) == (True, True)
    assert [each["where"] for each in at(status.status(slow), "problems")] == ["T1"]
    resumed: Any = runs.resume(slow, run)
    assert resumed["run"]["paused"] is False
    builds(slow)
    with pytest.raises(RefusedError, match=r"task T1 is running: only a draft can be edited"):
        tasks.edit(slow, "T1", changes={"spec": "x"})

    revised: Any = tasks.revise(slow, "T1", reason="think again")
    assert (revised["task"]["status"], revised["task"]["revision"]) == ("draft", 1)
    assert ended(slow, run) == "cancelled"

    approvals.approve(slow, "T1")
    second: Any = starts.start(slow, ["T1"])
    builds(slow)
    cancelled: Any = runs.cancel(slow, "T1", reason="enough")
    assert cancelled["task"]["status"] == "cancelled"
    assert ended(slow, second["run"]["id"]) == "cancelled"
    assert logs.verify(slow)["problems"] == []


def test_a_step_of_a_live_run_is_skipped(slow: Service) -> None:
    run = begun(slow)
    builds(slow)

    skipped: Any = steps.skip(slow, "T1.1", reason="by hand")

    assert skipped["task"]["steps"][0]["status"] == "skipped"
    assert ended(slow, run) in {"succeeded", "waiting", "failed"}


def test_a_live_run_can_be_cancelled_by_its_own_id(slow: Service) -> None:
    run = begun(slow)
    builds(slow)

    cancelled: Any = runs.cancel(slow, run)
    assert cancelled["run"]["id"] == run
    assert ended(slow, run) == "cancelled"
    assert runs.exit_code("cancelled") == 1


def test_output_can_be_read_while_and_after_it_comes(service: Service) -> None:
    ended(service, begun(service))
    with service.store.read() as reader:
        check = next(each for each in reader.attempts() if each.role == "check" and each.status == "succeeded")
    whole: Any = logs.logs(service, check.id)

    assert (whole["attempt"]["id"], whole["stream"], whole["next"]) == (check.id, "stdout", len(whole["text"]))
    assert "".join(logs.follow_output(service, check.id)) == whole["text"]
    with pytest.raises(DefinitionError, match="no stream of output"):
        logs.logs(service, check.id, stream="stdin")


def test_events_are_followed_as_they_come(service: Service) -> None:
    followed = logs.follow_events(service)
    first = next(followed)
    tasks.create(service, None, document={"title": "x"})

    kinds = [str(first["kind"])]
    while kinds[-1] != "TaskCreated":
        kinds.append(str(next(followed)["kind"]))

    assert kinds[0] == "WorkspaceCreated"


def test_a_plan_becomes_drafts_once(service: Service) -> None:
    answer: Any = plans.plan(service, approve=True)

    assert [each["title"] for each in answer["tasks"]][:1] != []
    assert {each["status"] for each in answer["tasks"]} == {"ready"}
    assert logs.verify(service)["problems"] == []
    assert files.check(service) == {"drift": []}


def test_a_plan_needs_something_to_plan_and_a_planner(service: Service) -> None:
    projects.create(service, "bare")

    with pytest.raises(DefinitionError, match="there is nothing to plan"):
        plans.plan(service, "bare")
    with pytest.raises(WorkerError, match="not in this version"):
        plans.plan(service, "p", planner="codex")


def test_a_plan_that_is_outside_data_is_refused_with_every_problem(service: Service) -> None:
    bad: Any = {"schema": "punchlist/plan/1", "tasks": [{"title": "a", "needs": [2]}, {"title": "b", "needs": [1]}]}

    with pytest.raises(DefinitionError, match="these tasks need each other"):
        plans.make_tasks(service, "p", plan=bad, key="k")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="the plan has"):
        plans.make_tasks(service, "p", plan={"tasks": []}, key="k")  # type: ignore[arg-type]

    assert tasks.listing(service) == {"tasks": []}
    good: Any = {"schema": "punchlist/plan/1", "tasks": [{"title": "a"}, {"title": "b", "needs": [1]}]}
    made = plans.make_tasks(service, "p", plan=good, key="k")  # type: ignore[arg-type]
    assert made == plans.make_tasks(service, "p", plan=good, key="k")  # type: ignore[arg-type]
    assert at(tasks.show(service, "T2"), "task", "needs") == ["T1"]


def test_a_flow_of_ones_own_is_run_and_shown(service: Service, tmp_path: Path) -> None:
    flow = service.root / "hello.yaml"
    flow.write_text(
        "punchlist: 1\nflow: hello\ninputs: {who: {type: string}}\nnodes:\n"
        '  say: {run: ["echo", "${{ inputs.who }}"]}\n',
        encoding="utf-8",
    )
    dry: Any = runs.dry_run(service, str(flow), inputs={"who": "you"})
    started: Any = runs.run(service, str(flow), inputs={"who": "you"}, policy={"max_parallel": 1})

    assert [(each["path"], each["kind"], each["command"]) for each in dry["plan"]] == [("say", "run", ["echo", "you"])]
    assert ended(service, started["run"]["id"]) == "succeeded"
    shown: Any = runs.show(service, started["run"]["id"])
    assert [(each["path"], each["status"]) for each in shown["run"]["nodes"] if each["path"]] == [("say", "succeeded")]
    with pytest.raises(DefinitionError, match=r"inputs\.who"):
        runs.run(service, str(flow))
    with pytest.raises(DefinitionError, match="rework"):
        runs.run(service, str(flow), inputs={"who": "x"}, policy={"rework": -1})
    with pytest.raises(RefusedError, match="nothing of it failed"):
        runs.retry(service, started["run"]["id"])
    resumed: Any = runs.resume(service, started["run"]["id"])
    assert resumed["run"] == shown["run"]
    with pytest.raises(RefusedError, match="is over: succeeded") as over:
        runs.pause(service, started["run"]["id"])
    assert over.value.hint == f"Type: punchlist report {started['run']['id']}"


def test_a_dry_run_lists_nested_nodes_with_what_is_known(service: Service) -> None:
    answer: Any = runs.dry_run(service, "deliver", inputs={"task": task()})

    paths = [each["path"] for each in answer["plan"]]
    assert "steps[0].rounds[0].build" in paths
    assert next(each for each in answer["plan"] if each["path"] == "publish")["how"] == "branch"


def test_a_dry_run_writes_nothing(service: Service) -> None:
    before = sorted(str(path) for path in service.root.rglob("*"))

    _ = runs.dry_run(service, "deliver", inputs={"task": task()})

    assert sorted(str(path) for path in service.root.rglob("*")) == before


def test_a_command_of_a_flow_keeps_the_users_home_and_begins_in_its_cwd(service: Service) -> None:
    (service.root / "inner").mkdir()
    flow = service.root / "where.yaml"
    flow.write_text(
        "punchlist: 1\nflow: where\nnodes:\n"
        "  there: {run: 'echo $HOME; pwd', cwd: inner}\n"
        "  nowhere: {run: 'true', cwd: gone, on_failure: continue}\n",
        encoding="utf-8",
    )

    started: Any = runs.run(service, str(flow))

    assert ended(service, started["run"]["id"]) == "succeeded"
    shown: Any = runs.show(service, started["run"]["id"])
    nodes = {each["path"]: each for each in shown["run"]["nodes"]}
    assert nodes["there"]["output"]["stdout"] == f"{os.environ['HOME']}\n{service.root / 'inner'}\n"
    assert "there is no folder 'gone'" in nodes["nowhere"]["error"]


def test_the_engine_is_started_seen_and_stopped(service: Service) -> None:
    begun_engine: Any = engines.start(service)
    deadline = time.monotonic() + 20
    while not begun_engine["engine"]["running"] and time.monotonic() < deadline:
        begun_engine = engines.start(service)
    again: Any = engines.start(service)
    over: Any = engines.stop(service)

    assert begun_engine["engine"]["running"]
    assert again["engine"]["pid"] == begun_engine["engine"]["pid"]
    assert (over["stopped"], over["engine"]["running"]) == (True, False)


def test_an_engine_that_is_only_being_started_is_stopped_too(service: Service) -> None:
    service.engine.wake()
    service.engine.wake()  # one that is being started will do

    over: Any = engines.stop(service)
    again: Any = engines.stop(service)

    assert (over["stopped"], over["engine"]["running"]) == (True, False)
    assert again["stopped"] is False
    log = (service.root / ".punchlist" / "engine.log").read_text(encoding="utf-8")
    assert log == ""


def test_an_engine_is_not_started_on_a_store_that_it_cannot_use(service: Service) -> None:
    store = service.root / ".punchlist" / "state.db"
    service.store.close()
    store.write_bytes(b"garbage" * 1000)

    with pytest.raises(StoreError, match="damaged"):
        engines.start(service)


def hopeless_gate(service: Service) -> str:
    answer: Any = gates.listing(service)
    return str(answer["gates"][0]["id"])
