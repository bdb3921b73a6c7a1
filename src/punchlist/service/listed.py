"""The names that workers get to see: those listed must be set where a run is started, and the values go with it."""

from typing import TYPE_CHECKING

from punchlist.errors import Problem, WorkerError
from punchlist.model.settings import passed_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from punchlist.model.ids import RunId
    from punchlist.model.settings import WorkerSettings
    from punchlist.service.context import Service


def require(service: "Service", worker: "WorkerSettings", *, name: str) -> None:
    """Raise WorkerError when a name that the worker lists is not set here: it would miss it when it is too late."""
    for problem in _missing(service, worker, name=name):
        raise WorkerError(problem.message, where=problem.where, hint=problem.hint)


def require_all(service: "Service", workers: "Iterable[str]", *, what: str) -> None:
    """Raise WorkerError with all names that these workers list and that are not set here; unknown ones are passed over.

    Of a worker that is not in the settings the attempt says so.
    """
    known = {name: service.settings.workers[name] for name in sorted(set(workers)) if name in service.settings.workers}
    problems = [problem for name, worker in known.items() for problem in _missing(service, worker, name=name)]
    if problems:
        raise WorkerError(f"{what} cannot start, because of its workers:", problems=problems)


def _missing(service: "Service", worker: "WorkerSettings", *, name: str) -> "Iterator[Problem]":
    missing = [each for each in worker.env if each not in service.outside.environment]
    if missing:
        listed, are = ", ".join(missing), "it is" if len(missing) == 1 else "they are"
        yield Problem(
            f"workers.{name}.env",
            f"worker {name!r} lists {listed} in `env`, and {are} not set here",
            hint=f"Type: export {'=… '.join(missing)}=… and try again, or take "
            f"{'the name' if len(missing) == 1 else 'the names'} off the list in punchlist.toml.",
        )


def hand_over(service: "Service", run: "RunId") -> None:
    """Keep for a run the values that those names have here; never in the inbox or the log, which anyone may read."""
    here = service.outside.environment
    values = {name: here[name] for name in passed_names(service.settings) if name in here}
    if values:
        service.processes.listed.keep(run, values)
