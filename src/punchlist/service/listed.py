"""The names that workers get to see: those listed must be set where a run is started, and the values go with it."""

from typing import TYPE_CHECKING

from punchlist.errors import WorkerError
from punchlist.model.settings import passed_names

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
    """Keep for a run the values that those names have here; never in the inbox or the log, which anyone may read."""
    here = service.outside.environment
    values = {name: here[name] for name in passed_names(service.settings) if name in here}
    if values:
        service.processes.listed.keep(run, values)
