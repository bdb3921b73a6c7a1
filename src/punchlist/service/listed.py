"""The names that workers get to see: those listed must be set where a run is started, and the values go with it."""

from typing import TYPE_CHECKING

from punchlist.errors import Problem, WorkerError, invalid
from punchlist.model.events import RunCreated
from punchlist.model.flow import given_names
from punchlist.model.json import encode
from punchlist.model.settings import passed_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from punchlist.model.flow import Flow
    from punchlist.model.ids import RunId
    from punchlist.model.json import Json
    from punchlist.model.settings import WorkerSettings
    from punchlist.ports import Reader
    from punchlist.service.context import Service

_SHORTEST = 4
"""A secret of fewer characters would be masked wherever they stand by chance."""


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


def hand_over(service: "Service", run: "RunId", *, secrets: "Iterable[str]" = ()) -> None:
    """Keep for a run the values that those names have here; never in the inbox or the log, which anyone may read."""
    here = service.outside.environment
    values = {name: here[name] for name in {*passed_names(service.settings), *secrets} if name in here}
    if values:
        service.processes.listed.keep(run, values)


def given(
    service: "Service", flow: "Flow", *, inputs: "Mapping[str, Json]"
) -> "tuple[dict[str, str], tuple[str, ...]]":
    """Return what the names that a flow lists are set to here, and the names of its secrets.

    Raises DefinitionError with every name that is not set, and for a secret that could not be kept one: it is so short
    that it would be found everywhere, or the flow or what it is given holds it already.
    """
    names, here = given_names(flow), service.outside.environment
    if not names.env and not names.secrets:
        return {}, ()
    env = {name: here[name] for name in names.env if name in here}
    if strange := [*_strange(names.env, "env", here=here), *_strange(names.secrets, "secrets", here=here)]:
        raise invalid(strange, what=f"the environment of the run of {flow.flow}")
    problems = [_unset(name, "env") for name in names.env if name not in here]
    problems += [_unset(name, "secrets") for name in names.secrets if not here.get(name)]
    known = {name: here[name] for name in names.secrets if here.get(name)}
    shown = {"the flow": encode(flow), "an input": encode(dict(inputs)), "`env`": encode(env)}
    problems += _unkept(known, shown=shown)
    if problems:
        raise invalid(problems, what=f"the environment of the run of {flow.flow}")
    return env, names.secrets


def again(service: "Service", run: str, *, reader: "Reader") -> None:
    """Keep the secrets of a run that was over, and is to go on, as they are set here now; raises DefinitionError."""
    head = reader.head("run", run)
    first = None if head is None else next(iter(reader.events(stream=head.stream, limit=1)), None)
    if first is None or not isinstance(first.fact, RunCreated):
        return
    _, secrets = given(service, first.fact.definition, inputs=first.fact.inputs)
    if secrets:
        hand_over(service, first.fact.run, secrets=secrets)


def _strange(names: "Iterable[str]", place: str, *, here: "Mapping[str, str]") -> "Iterator[Problem]":
    for name in names:
        try:
            here.get(name, "").encode()
        except UnicodeEncodeError:
            yield Problem(
                f"{place}.{name}", "its value is not UTF-8", "text", "Set it to text, or to the path of a file."
            )


def _unset(name: str, place: str) -> Problem:
    hint = f"Type: export {name}=… and try again."
    return Problem(f"{place}.{name}", "it is not set here, and the flow lists it", hint=hint)


def _unkept(secrets: "Mapping[str, str]", *, shown: "Mapping[str, bytes]") -> "Iterator[Problem]":
    for name, value in secrets.items():
        where = f"secrets.{name}"
        if len(value) < _SHORTEST:
            yield Problem(where, "its value is too short to be masked", f"at least {_SHORTEST} characters")
            continue
        plain_form = encode(value)[1:-1]
        for what, text in shown.items():
            if plain_form in text:
                hint = "Take it out there: what is recorded can be read by anyone who reads the log."
                yield Problem(where, f"its value stands in {what}", "in the environment alone", hint)
