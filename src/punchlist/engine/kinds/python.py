"""`python`: a function of the user's, called in the project's interpreter; what it raises fails the node."""

from punchlist.engine.answering import decide_attempt
from punchlist.engine.given import artifacts_of, listed_of, secrets_of, values_of
from punchlist.engine.limits import limits_of, of_commands
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.retry import after_failure, bad
from punchlist.engine.scope import resolve
from punchlist.engine.turn import Here, Kind
from punchlist.flow.outputs import output_problems
from punchlist.model.flow import PythonNode
from punchlist.model.jobs import Call, Folder, Job, Outcome, ProcessJob, Role
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus


def _begin(here: Here) -> None:
    _call(here)  # an error in it fails the node before anything is started
    here.queue(Role.COMMAND)


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED and isinstance(outcome.result, dict):
        end(here, NodeStatus.SUCCEEDED, output=outcome.result["answer"])
    else:
        after_failure(here, attempt)


def _examine(place: Place, outcome: Outcome) -> Outcome:
    """Take what is returned and does not fit the declared output as bad output."""
    output = place.defined(PythonNode).output
    if output is None or not isinstance(outcome.result, dict):
        return outcome
    problems = output_problems(output, outcome.result["answer"])
    return bad(outcome, problems) if problems else outcome


def _call(place: Place) -> Call:
    node = place.defined(PythonNode)
    given = resolve(place, dict(node.with_))
    assert isinstance(given, dict)
    return Call(function=node.python, arguments=given)


def _job(place: Place, attempt: AttemptState) -> Job:
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.COMMAND,
        folder=Folder(place="run", project=place.project_id),
        limits=limits_of(place, policy=of_commands(place.policy)),
        call=_call(place),
        env={**listed_of(place), **values_of(place)},
        artifacts=artifacts_of(place),
        secrets=secrets_of(place, place.defined(PythonNode)),
        sandbox="none",
    )


PYTHON = Kind(begin=_begin, attempt_over=_attempt_over, decided=decide_attempt, job=_job, examine=_examine)
