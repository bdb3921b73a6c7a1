"""The worker `scripted`: a YAML file of turns says what it writes, runs and answers; no model, no network."""

import msgspec

from punchlist.errors import WorkerError
from punchlist.model.jobs import FailureClass, Outcome
from punchlist.ports import Exit, Invocation, WorkerRequest
from punchlist.workers.answers import outcome_of
from punchlist.workers.settings import Host, read_settings

BAD_INPUT = 78
"""The exit code (EX_CONFIG of sysexits.h) for input that is wrong itself: trying again would not help."""


class ScriptedWorker:
    """Performs a script in a process of its own; the name is the worker's in settings, for messages."""

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host

    def invocation(self, request: WorkerRequest) -> Invocation:
        """Return the command line; raises WorkerError when there is no script."""
        settings = read_settings(request.settings, name=self._name, needed="script")
        script = request.workspace / (settings.script or "")
        if not script.is_file():
            raise WorkerError(
                f"the script of worker {self._name!r} is not there: {script}",
                where=f"workers.{self._name}.script",
                hint="Write one, or mend the path: it is relative to the workspace.",
            )
        return Invocation(argv=module_argv(self._host, "scripted_main", str(script)), pass_env=settings.env)

    def outcome(self, request: WorkerRequest, ended: Exit) -> Outcome:
        """Return what came of it; a script that is wrong itself fails at once."""
        return by_definition(outcome_of(request.attempt, request.role, ended=ended), ended)


def module_argv(host: Host, module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of a worker's own program: isolated, so that nothing in the work folder is imported."""
    return (host.python, "-I", "-m", f"punchlist.workers.{module}", *arguments)


def by_definition(outcome: Outcome, ended: Exit) -> Outcome:
    """Return the outcome as of class definition when the program said that its input is wrong."""
    if ended.code != BAD_INPUT or ended.limit is not None:
        return outcome
    return msgspec.structs.replace(
        outcome, failure=FailureClass.DEFINITION, reason=outcome.tail or f"exit {BAD_INPUT}, no output"
    )
