"""`run`: a command; its non-zero exit is its answer, tried again only where the node says so."""

from punchlist.engine.progress import end, go_on
from punchlist.engine.retry import after_failure, again
from punchlist.engine.scope import lookup, policy_at, resolve
from punchlist.engine.turn import Decision, Kind, Turn
from punchlist.errors import DefinitionError, RefusedError
from punchlist.flow.shell import bind
from punchlist.model.flow import RunNode
from punchlist.model.gates import Effect
from punchlist.model.ids import NodePath, ProjectId
from punchlist.model.jobs import Folder, Job, Limits, ProcessJob, Role
from punchlist.model.json import Json
from punchlist.model.parse import decode_json
from punchlist.model.policy import duration
from punchlist.model.state import AttemptState, State
from punchlist.model.states import AttemptStatus, NodeStatus


def _begin(turn: Turn, path: NodePath) -> None:
    _command(turn.state, path)  # an error in it fails the node before anything is started
    turn.queue(path, Role.COMMAND)


def _attempt_over(turn: Turn, path: NodePath, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED:
        end(turn, path, NodeStatus.SUCCEEDED, output=_output(turn, path, outcome.result))
    else:
        after_failure(turn, path, attempt)


def _output(turn: Turn, path: NodePath, result: Json) -> Json:
    node = _definition(turn.state, path)
    if node.output is None or not isinstance(result, dict):
        return result
    if node.output.get("json") != "stdout":
        raise DefinitionError(f"output must be {{json: stdout}}, but is {node.output!r}", where=path)
    return decode_json(str(result["stdout"]), what=f"the output of {path}")


def _decided(turn: Turn, path: NodePath, decision: Decision) -> None:
    match decision.choice.effect:
        case Effect.RETRY | Effect.RAISE:
            go_on(turn, path)
            again(turn, path, turn.run.attempts[turn.node(path).attempts[-1]])
        case Effect.SKIP:
            end(turn, path, NodeStatus.SKIPPED)
        case Effect.FAIL:
            end(turn, path, NodeStatus.FAILED, error=f"{decision.by} decided: fail")
        case effect:
            raise RefusedError(f"a gate at a command cannot be decided so: {effect}")


def _command(state: State, path: NodePath) -> tuple[tuple[str, ...], dict[str, str]]:
    node, names = _definition(state, path), lookup(state, path)
    extra = {name: str(resolve(state, path, value)) for name, value in node.env.items()}
    if isinstance(node.run, str):
        command, values = bind(node.run, names)
        return ("sh", "-c", command), {**extra, **values}
    words = [resolve(state, path, word) for word in node.run]
    bad = [word for word in words if not isinstance(word, str | int | float)]
    if bad:
        raise DefinitionError(f"a word of a command must be text or a number, but is {bad[0]!r}", where=path)
    return tuple(str(word) for word in words), extra


def _job(state: State, attempt: AttemptState) -> Job:
    node, policy = _definition(state, attempt.node), policy_at(state, attempt.node)
    argv, env = _command(state, attempt.node)
    timeout = resolve(state, attempt.node, node.timeout) if node.timeout is not None else policy.timeout
    stdin = resolve(state, attempt.node, node.stdin) if node.stdin is not None else None
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.COMMAND,
        folder=Folder(place="run", project=ProjectId(state.project.id) if state.project is not None else None),
        limits=Limits(timeout=duration(str(timeout)).total_seconds()),
        argv=argv,
        env=env,
        stdin=str(stdin) if stdin is not None else None,
        sandbox="none",
    )


def _definition(state: State, path: NodePath) -> RunNode:
    assert state.run is not None
    node = state.run.spots[state.run.nodes[path].spot].node
    assert isinstance(node, RunNode)
    return node


RUN = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job)
