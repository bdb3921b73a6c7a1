"""`wait`: for a time, a moment, files or a command; its clock is a time in the record, and nothing sleeps."""

from datetime import UTC, datetime, timedelta

from punchlist.engine.given import command_of, listed_of, secrets_of
from punchlist.engine.limits import limits_of, of_commands
from punchlist.engine.place import Place
from punchlist.engine.progress import end, stop
from punchlist.engine.retry import again, class_of, stamp
from punchlist.engine.ringing import length_of, wait_for
from punchlist.engine.scope import text_of, whole_number
from punchlist.engine.turn import Here, Kind, Turn
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import WaitNode
from punchlist.model.ids import NodePath
from punchlist.model.jobs import FailureClass, Folder, Job, ProcessJob, Role
from punchlist.model.json import Json
from punchlist.model.state import AttemptState
from punchlist.model.states import FINAL_NODE, AttemptStatus, NodeStatus


def _begin(here: Here) -> None:
    wait, most = here.defined(WaitNode).wait, _most(here)
    if wait.for_ is not None:
        wait_for(here, min(_length(here), most))
    elif wait.until is not None:
        _wait_until(here, _moment(here), most=most)
    elif wait.file is not None:
        files = text_of(here, wait.file, what="wait.file")
        wait_for(here, most, files=files, least=whole_number(here, wait.min, what="wait.min"))
    else:
        _command(here)  # an error in it fails the node before anything is started
        _every(here)
        wait_for(here, most)
        here.queue(Role.COMMAND)


def _wait_until(here: Here, moment: datetime, *, most: timedelta) -> None:
    now = datetime.fromisoformat(here.turn.context.at)
    if moment <= now:
        _found(here, {"at": here.turn.context.at})
    elif moment - now > most:
        wait_for(here, most)
    else:
        here.emit(ev.NodeWaits(node=here.path, until=stamp(moment), fixed=True))


def _rang(here: Here) -> None:
    """End a wait whose time has come: what it waited for has, or its timeout was passed."""
    wait, now = here.defined(WaitNode).wait, here.turn.context.at
    came = wait.for_ is not None and _length(here) <= _most(here)
    came = came or (wait.until is not None and stamp(_moment(here)) <= now)
    if came:
        _found(here, {"at": now})
    else:
        stop(here, NodeStatus.FAILED, reason=f"waited for {_said(here)} in vain: {_lacks(here)}")


def _lacks(here: Here) -> str:
    """Return what there was not when the timeout was passed."""
    wait = here.defined(WaitNode).wait
    if wait.for_ is not None:
        return f"its time is {text_of(here, wait.for_, what='wait.for')}"
    if wait.until is not None:
        return f"it is not {text_of(here, wait.until, what='wait.until')} yet"
    if wait.file is not None:
        timer = here.run.timers[here.path]
        return f"fewer than {timer.least} files fit {timer.files}" if timer.least > 1 else f"no file fits {timer.files}"
    over = [here.run.attempts[each].outcome for each in here.node.attempts]
    reasons = [each.reason for each in over if each is not None and each.reason]
    return f"the command did not end with 0{f' ({reasons[-1]})' if reasons else ''}"


def files_found(turn: Turn, path: NodePath, *, files: tuple[str, ...]) -> None:
    """End a wait for files that are there; one that is over, or was begun again for others, takes no notice."""
    timer = turn.run.timers.get(path)
    if timer is None or not timer.files or len(files) < timer.least or turn.run.nodes[path].status in FINAL_NODE:
        return
    _found(turn.at(path), {"files": list[Json](files)})


def _found(here: Here, output: Json) -> None:
    end(here, NodeStatus.SUCCEEDED, output=output)


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED:
        _found(here, outcome.result)
    elif class_of(outcome) is FailureClass.DEFINITION:
        end(here, NodeStatus.FAILED, error=f"attempt {attempt.id}: {outcome.reason}")
    else:
        now = datetime.fromisoformat(here.turn.context.at)
        again(here, attempt, not_before=stamp(now + _every(here)))


def _most(here: Here) -> timedelta:
    return length_of(here, _said(here), what="timeout")


def _said(here: Here) -> str:
    timeout = here.defined(WaitNode).timeout
    assert timeout is not None
    return text_of(here, timeout, what="timeout")


def _length(here: Here) -> timedelta:
    return length_of(here, here.defined(WaitNode).wait.for_ or "", what="wait.for")


def _every(here: Here) -> timedelta:
    return max(length_of(here, here.defined(WaitNode).wait.every, what="wait.every"), timedelta(seconds=1))


def _moment(here: Here) -> datetime:
    text = text_of(here, here.defined(WaitNode).wait.until, what="wait.until")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise DefinitionError(f"wait.until is {text!r}; allowed: 2026-11-21T22:00:00Z, with a zone", where=here.path)
    return moment.astimezone(UTC)


def _command(place: Place) -> tuple[tuple[str, ...], dict[str, str]]:
    command = place.defined(WaitNode).wait.command
    argv, values = command_of(place, command or ())
    return argv, {**listed_of(place), **values}


def _job(place: Place, attempt: AttemptState) -> Job:
    argv, env = _command(place)
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.COMMAND,
        folder=Folder(place="run", project=place.project_id),
        limits=limits_of(place, policy=of_commands(place.policy)),
        argv=argv,
        env=env,
        sandbox="none",
        secrets=secrets_of(place),
    )


WAIT = Kind(begin=_begin, attempt_over=_attempt_over, rang=_rang, job=_job)
