"""`agent`: an attempt by a worker, as builder of a step, planner of a project, or for the flow's own ends."""

import msgspec

from punchlist.engine.checking import SETUP, setup_job
from punchlist.engine.decisions import skip_step
from punchlist.engine.packs import plan_request, step_pack
from punchlist.engine.progress import end, go_on
from punchlist.engine.retry import after_failure, again
from punchlist.engine.scope import policy_at, resolve, step_at, text_of
from punchlist.engine.steps import move
from punchlist.engine.turn import Decision, Kind, Turn
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import events as ev
from punchlist.model.flow import AgentNode
from punchlist.model.gates import Effect
from punchlist.model.ids import Commit, NodePath, ProjectId, StepId, TaskId
from punchlist.model.jobs import Folder, Job, Limits, ProcessJob, Role
from punchlist.model.json import Json, plain
from punchlist.model.policy import duration, size
from punchlist.model.state import AttemptState, NodeState, RunState, State
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus
from punchlist.model.verdicts import Verdict

_ROLES = {"builder": Role.BUILDER, "planner": Role.PLANNER, "node": Role.NODE}


def _begin(turn: Turn, path: NodePath) -> None:
    node = _definition(turn.state, path)
    if node.role == "builder" and step_at(turn.state, path) is None:
        raise DefinitionError("a builder works on a step, and there is none around this node", where=path)
    if node.role == "builder" and turn.state.project is not None and turn.state.project.setup:
        turn.queue(path, Role.SETUP, subject=SETUP, step=step_at(turn.state, path))
    else:
        _queue(turn, path)


def _queue(turn: Turn, path: NodePath) -> None:
    node = _definition(turn.state, path)
    turn.queue(
        path,
        _ROLES[node.role],
        worker=text_of(turn.state, path, node.agent, what="the worker's name"),
        step=step_at(turn.state, path) if node.role == "builder" else None,
        session=_session(turn.run, turn.node(path)) if node.session == "keep" else None,
    )


def _session(run: RunState, node: NodeState) -> str | None:
    """Return the session that the same node had in the round before, or in its last attempt."""
    for earlier in (node, _before(run, node)):
        for each in reversed(earlier.attempts if earlier is not None else ()):
            outcome = run.attempts[each].outcome
            if outcome is not None and outcome.session:
                return outcome.session
    return None


def _before(run: RunState, node: NodeState) -> NodeState | None:
    parent = run.nodes[node.parent] if node.parent is not None else None
    if parent is None or parent.kind != "round" or parent.index == 0:
        return None
    name = node.path.removeprefix(f"{parent.path}.")
    return run.nodes.get(NodePath(f"{parent.parent}[{parent.index - 1}].{name}"))


def _attempt_over(turn: Turn, path: NodePath, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is not AttemptStatus.SUCCEEDED:
        after_failure(turn, path, attempt)
    elif attempt.role is Role.SETUP:
        _queue(turn, path)
    else:
        end(turn, path, NodeStatus.SUCCEEDED, output=outcome.result)


def _decided(turn: Turn, path: NodePath, decision: Decision) -> None:
    last = turn.run.attempts[turn.node(path).attempts[-1]]
    match decision.choice.effect:
        case Effect.ANSWER:
            _go_on(turn, path)
            if last.step is not None:
                turn.emit(ev.ReworkAsked(step=last.step, message=str(decision.data["text"])))
            again(turn, path, last)
        case Effect.RETRY | Effect.RAISE:
            _go_on(turn, path)
            again(turn, path, last)
        case Effect.SKIP:
            skip_step(turn, path, reason=str(decision.data.get("note", "")))
        case Effect.FAIL:
            end(turn, path, NodeStatus.FAILED, error=f"{decision.by} decided: fail")
        case effect:
            raise RefusedError(f"a gate at an agent cannot be decided so: {effect}")


def _go_on(turn: Turn, path: NodePath) -> None:
    go_on(turn, path)
    step = step_at(turn.state, path)
    if step is not None and turn.run.purpose == "deliver":
        move(turn, step, StepStatus.BUILDING)


def _job(state: State, attempt: AttemptState) -> Job:
    if attempt.role is Role.SETUP:
        return setup_job(state, attempt, _folder(state, attempt))
    node, policy = _definition(state, attempt.node), policy_at(state, attempt.node)
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=attempt.role,
        folder=_folder(state, attempt),
        limits=limits_of(state, attempt.node, raised=raised_limits(state, attempt)),
        worker=attempt.worker,
        pack=_pack(state, attempt, node),
        prompt=_prompt(state, attempt, node),
        session=attempt.session,
        env={"PUNCHLIST_ROUND": str(attempt.s), "PUNCHLIST_STEP": attempt.step or ""},
        sandbox=policy.sandbox,
    )


def limits_of(state: State, path: NodePath, *, raised: dict[str, str] | None = None) -> Limits:
    """Return the limits of an agent's attempt: the node's own, else the policy's, with what a person raised on top."""
    assert state.run is not None
    node, policy = state.run.spots[state.run.nodes[path].spot].node, policy_at(state, path)
    own = {name: getattr(node, name) for name in ("timeout", "silence", "memory")}
    said = {name: resolve(state, path, value) for name, value in own.items() if value is not None}
    values = {"timeout": policy.timeout, "silence": policy.silence, "memory": policy.memory, **said, **(raised or {})}
    return Limits(
        timeout=duration(str(values["timeout"])).total_seconds(),
        silence=duration(str(values["silence"])).total_seconds(),
        memory=size(str(values["memory"])),
    )


def raised_limits(state: State, attempt: AttemptState) -> dict[str, str]:
    """Return the limit that a person raised at a gate of this node, by its name."""
    assert state.run is not None
    decision = state.run.nodes[attempt.node].decision
    passed = [
        before.outcome.passed_limit
        for each in state.run.nodes[attempt.node].attempts
        if (before := state.run.attempts[each]).outcome is not None and before.outcome.passed_limit
    ]
    if not isinstance(decision, dict) or decision.get("choice") != "raise" or not passed:
        return {}
    data = decision["data"]
    assert isinstance(data, dict)
    return {passed[-1]: str(data["value"])}


def _folder(state: State, attempt: AttemptState) -> Folder:
    if attempt.step is None or state.task is None or state.project is None:
        return Folder(place="run", project=ProjectId(state.project.id) if state.project is not None else None)
    told = state.task.steps[attempt.step]
    conflict = any(
        finding.kind == "conflict" for row in told.verdicts[-1:] if row.r == told.r for finding in row.verdict.findings
    )
    return Folder(
        place="build",
        project=ProjectId(state.project.id),
        task=TaskId(state.task.task.id),
        step=attempt.step,
        base=told.base,
        merge=Commit(told.base) if conflict and told.base is not None else None,
    )


def _pack(state: State, attempt: AttemptState, node: AgentNode) -> Json:
    if attempt.role is Role.BUILDER:
        assert attempt.step is not None
        return plain(
            step_pack(state, attempt.node, attempt.step, verdict=_failing(state, attempt.node, node, attempt.step))
        )
    asked = resolve(state, attempt.node, node.pack)
    return plain(plan_request(state, asked)) if attempt.role is Role.PLANNER else asked


def _failing(state: State, path: NodePath, node: AgentNode, step: StepId) -> Verdict | None:
    """Return the verdict that asks for rework: that of the round before, or the last one of a reopened step."""
    last = resolve(state, path, node.rework)
    if isinstance(last, dict):
        for output in last.values():
            found = output.get("verdict", output) if isinstance(output, dict) else None
            if isinstance(found, dict) and "reason_code" in found and found.get("result") == "fail":
                return msgspec.convert(found, Verdict)
    return None


def _prompt(state: State, attempt: AttemptState, node: AgentNode) -> str:
    if node.prompt is None:
        return ""
    return text_of(state, attempt.node, node.prompt, what="the prompt")


def _definition(state: State, path: NodePath) -> AgentNode:
    assert state.run is not None
    node = state.run.spots[state.run.nodes[path].spot].node
    assert isinstance(node, AgentNode)
    return node


AGENT = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job)
