"""The names that workers list in `env`: they must be set where a run is started, and their values go with it."""

from typing import TYPE_CHECKING

from punchlist.errors import WorkerError

if TYPE_CHECKING:
    from punchlist.model.ids import RunId
    from punchlist.model.settings import WorkerSettings
    from punchlist.service.context import Service


def require(service: "Service", worker: "WorkerSettings", *, name: str) -> None:
    """Raise WorkerError when a name that the worker lists is not set here: it would miss it when it is too late."""
    missing = [each for each in worker.env if each not in service.outside.environment]
    if missing:
        listed = ", ".join(missing)
        raise WorkerError(
            f"worker {name!r} lists {listed} in `env`, and {'it is' if len(missing) == 1 else 'they are'} not set here",
            where=f"workers.{name}.env",
            hint=f"Type: export {missing[0]}=… and try again, or take the name off the list in punchlist.toml.",
        )


def hand_over(service: "Service", run: "RunId") -> None:
    """Keep for a run the values that listed names have here; never in the inbox or the log, which anyone may read."""
    names = {each for worker in service.settings.workers.values() for each in worker.env}
    values = {name: service.outside.environment[name] for name in names if name in service.outside.environment}
    if values:
        service.processes.listed.keep(run, values)
