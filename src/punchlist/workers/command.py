"""The worker `command`: any program that takes a prompt and leaves a result."""

import os
import shutil

from punchlist.errors import WorkerError
from punchlist.model.jobs import Outcome
from punchlist.ports import Exit, Invocation, WorkerRequest
from punchlist.workers.answers import outcome_of
from punchlist.workers.settings import Host, read_settings


class CommandWorker:
    """Runs `argv`; the name is the worker's in settings, for messages."""

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host

    def invocation(self, request: WorkerRequest) -> Invocation:
        """Return the command line, its program as an absolute path.

        A bare name is looked up on the engine's PATH, a relative path in the workspace; raises WorkerError when it is
        not there, DefinitionError for settings that are not a command's.
        """
        settings = read_settings(request.settings, name=self._name, needed="argv")
        program, *rest = list(settings.argv or ())
        return Invocation(
            argv=(self._program(program, request), *(_filled(each, request) for each in rest)),
            pass_env=settings.env,
        )

    def outcome(self, request: WorkerRequest, ended: Exit) -> Outcome:
        """Return what came of it, by exit code and result file."""
        return outcome_of(request.attempt, request.role, ended=ended)

    def _program(self, name: str, request: WorkerRequest) -> str:
        bare, workspace = os.sep not in name, request.workspace
        search = request.search or self._host.path
        found = shutil.which(name, path=search) if bare else shutil.which(str(workspace / name))
        if found is None:
            raise WorkerError(
                f"the program {name!r} of worker {self._name!r} is not there or cannot be executed",
                where=f"workers.{self._name}.argv[0]",
                hint=f"Looked in {'PATH' if bare else workspace}. Install it or mend the setting; `punchlist doctor` "
                "tries every worker.",
            )
        return found


def _filled(argument: str, request: WorkerRequest) -> str:
    for placeholder, path in (
        ("{prompt_file}", request.prompt_file),
        ("{pack_file}", request.pack_file),
        ("{result_file}", request.result_file),
    ):
        argument = argument.replace(placeholder, str(path))
    return argument
