"""`run`: a command; its non-zero exit is its answer, tried again only where the node says so."""

from punchlist.engine.answering import decide_attempt
from punchlist.engine.limits import limits_of, of_commands
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.retry import after_failure
from punchlist.engine.scope import lookup, resolve
from punchlist.engine.turn import Here, Kind
from punchlist.errors import DefinitionError
from punchlist.flow.shell import bind
from punchlist.model.flow import RunNode
from punchlist.model.jobs import Folder, Job, ProcessJob, Role
from punchlist.model.json import Json
from punchlist.model.parse import decode_json
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus


def _begin(here: Here) -> None:
    _command(here)  # an error in it fails the node before anything is started
    here.queue(Role.COMMAND)


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED:
        end(here, NodeStatus.SUCCEEDED, output=_output(here, outcome.result))
    else:
        after_failure(here, attempt, instead=lambda here, reason: _failed(here, attempt, reason=reason))


def _failed(here: Here, attempt: AttemptState, *, reason: str) -> None:
    """End the node as failed, with the exit code and the output: red may be an answer here (`on_failure: continue`)."""
    assert attempt.outcome is not None
    answer = attempt.outcome.result or {"exit_code": None, "stdout": ""}
    end(here, NodeStatus.FAILED, output=answer, error=f"attempt {attempt.id}: {reason}")


def _output(here: Here, result: Json) -> Json:
    output = here.defined(RunNode).output
    if output is None or not isinstance(result, dict):
        return result
    return decode_json(str(result["stdout"]), what=f"the output of {here.path}")


def _command(place: Place) -> tuple[tuple[str, ...], dict[str, str]]:
    node = place.defined(RunNode)
    extra = {name: _word(place, value) for name, value in node.env.items()}
    if isinstance(node.run, str):
        command, values = bind(node.run, lookup(place))
        return ("sh", "-c", command), {**extra, **values}
    return tuple(_word(place, word) for word in node.run), extra


def _word(place: Place, value: str) -> str:
    word = resolve(place, value)
    if not isinstance(word, str | int | float):
        raise DefinitionError(f"a word of a command must be text or a number, but is {word!r}", where=place.path)
    return str(word).lower() if isinstance(word, bool) else str(word)


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
        cwd=_word(place, node.cwd) if node.cwd is not None else None,
        stdin=_word(place, node.stdin) if node.stdin is not None else None,
        sandbox="none",
    )


RUN = Kind(begin=_begin, attempt_over=_attempt_over, decided=decide_attempt, job=_job)
