"""A worker's program asked about itself, as an attempt would find it: version, login."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Role
from punchlist.model.json import Json
from punchlist.ports import Examinable, Examined, Invocation, Launch, Worker, WorkerRequest
from punchlist.workers.environment import environment

_PATIENCE = 20.0
_LONGEST = 64 << 10
_ATTEMPT = AttemptId("doctor")


def examine(worker: Worker, settings: Mapping[str, Json], *, root: Path, environ: Mapping[str, str]) -> Examined | None:
    """Return what the program of a worker says of itself; None for a type that has nothing to ask.

    It is started in an empty home, with the environment of an attempt. Raises WorkerError when it is not there.
    """
    if not isinstance(worker, Examinable):
        return None
    with tempfile.TemporaryDirectory(prefix="punchlist-") as folder:
        home = Path(folder)
        request = WorkerRequest(attempt=_ATTEMPT, role=Role.NODE, work=home, io=home, workspace=root, settings=settings)
        asked = worker.questions(request)
        return worker.examined([_answer(each, home=home, environ=environ) for each in asked])


def _answer(question: Invocation, *, home: Path, environ: Mapping[str, str]) -> str | None:
    """Return what a program prints, whatever its exit code; None when it does not start or does not end."""
    launch = Launch(
        attempt=_ATTEMPT, role=Role.COMMAND, invocation=question, cwd=home, home=home, limits=Limits(timeout=_PATIENCE)
    )
    with (home / "answer").open("w+b") as answer:
        try:
            program = subprocess.Popen(
                question.argv,
                cwd=home,
                env=environment(launch, environ, io=home),
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            program.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):  # nothing that it left behind may hold us up, or go on
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        answer.seek(0)
        return answer.read(_LONGEST).decode(errors="replace")
