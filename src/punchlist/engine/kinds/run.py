"""`run`: a command; its non-zero exit is its answer, tried again only where the node says so."""

from punchlist.engine.answering import decide_attempt
from punchlist.engine.given import artifacts_of, command_of, listed_of, secrets_of, values_of, word_of
from punchlist.engine.limits import limits_of, of_commands
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.retry import after_failure, bad
from punchlist.engine.turn import Here, Kind
from punchlist.flow.outputs import answer_problems
from punchlist.model.flow import RunNode
from punchlist.model.jobs import Answer, Folder, Job, Outcome, ProcessJob, Role
from punchlist.model.json import Json
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus


def _begin(here: Here) -> None:
    _command(here)  # an error in it fails the node before anything is started
    here.queue(Role.COMMAND)


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED:
        end(here, NodeStatus.SUCCEEDED, output=_given(here, outcome.result))
    else:
        after_failure(here, attempt, instead=lambda here, reason: _failed(here, attempt, reason=reason))


def _failed(here: Here, attempt: AttemptState, *, reason: str) -> None:
    """End the node as failed, with what it gave all the same: red may be an answer here (`on_failure: continue`)."""
    assert attempt.outcome is not None
    output = _left(here, attempt.outcome.result or {"exit_code": None, "stdout": ""})
    end(here, NodeStatus.FAILED, output=output, error=f"attempt {attempt.id}: {reason}")


def _given(here: Here, result: Json) -> Json:
    """Return what the node gives: its declared answer, or its exit code and output."""
    if here.defined(RunNode).output is None or not isinstance(result, dict):
        return result
    return result["answer"]


def _left(here: Here, result: Json) -> Json:
    """Return what a command that failed gives all the same; of a declared answer null, unless it fits."""
    output = here.defined(RunNode).output
    if output is None or not isinstance(result, dict):
        return result
    answer = result.get("answer")
    return None if answer_problems(output, answer) else answer


def _examine(place: Place, outcome: Outcome) -> Outcome:
    """Take a success with another answer than the declared one as bad output."""
    output = place.defined(RunNode).output
    if output is None or not isinstance(outcome.result, dict):
        return outcome
    problems = answer_problems(output, outcome.result["answer"])
    return bad(outcome, problems) if problems else outcome


def _command(place: Place) -> tuple[tuple[str, ...], dict[str, str]]:
    node = place.defined(RunNode)
    argv, values = command_of(place, node.run)
    return argv, {**listed_of(place), **values_of(place), **values}


def _job(place: Place, attempt: AttemptState) -> Job:
    node = place.defined(RunNode)
    argv, env = _command(place)
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.COMMAND,
        folder=Folder(place="run", project=place.project_id),
        limits=limits_of(place, policy=of_commands(place.policy)),
        argv=argv,
        env=env,
        cwd=word_of(place, node.cwd) if node.cwd is not None else None,
        stdin=word_of(place, node.stdin) if node.stdin is not None else None,
        sandbox="none",
        answer=_answer(place, node),
        artifacts=artifacts_of(place),
        secrets=secrets_of(place, node),
    )


def _answer(place: Place, node: RunNode) -> Answer | None:
    if node.output is None:
        return None
    file = node.output.get("file")
    return Answer(file=word_of(place, str(file)) if file is not None else None)


RUN = Kind(begin=_begin, attempt_over=_attempt_over, decided=decide_attempt, job=_job, examine=_examine)
