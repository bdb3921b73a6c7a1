"""What must hold of a run after all that was killed in it, next to the same run with nothing killed."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.crash.chances.killed import Killed
from tests.disturbed import outcomes


class Attempt(NamedTuple):
    """An attempt as the record has it."""

    id: str
    status: str
    reason: str


def differences(killed: Killed, undisturbed: Killed) -> list[str]:
    """Return in sentences what is not as it must be."""
    return [*_results(killed, undisturbed), *_attempts(killed), *_record(killed), *_left(killed)]


def _results(killed: Killed, undisturbed: Killed) -> Iterator[str]:
    mine, others = _nodes(killed), _nodes(undisturbed)
    for path, other in others.items():
        for key in ("status", "output", "error"):
            if mine[path][key] != other[key]:
                yield f"node {path!r}: {key} is {mine[path][key]!r}, undisturbed {other[key]!r}"


def _nodes(killed: Killed) -> dict[str, dict[str, Any]]:
    run = killed.workspace.ok("report", "R1")["run"]
    return {node["path"]: node for node in run["nodes"]}


def _attempts(killed: Killed) -> Iterator[str]:
    """See that each attempt was started at most once, and why there is another one of a node."""
    started = Counter(_said(killed, "started"))
    failures = set(_said(killed, "failures"))
    record = _recorded(killed)
    known = {(node.removeprefix("n"), attempt.id) for node, attempts in record.items() for attempt in attempts}
    yield from (f"attempt {each}: started {times} times" for each, times in started.items() if times > 1)
    yield from (f"attempt {each}: started, and not in the record" for each in started.keys() - known)
    yield from (f"attempt {each}: begun while one before it lived" for each in _said(killed, "twice"))
    for node, attempts in record.items():
        *before, last = attempts
        if last.status != "succeeded":
            yield f"node {node}: its last attempt {last} did not succeed"
        for each in attempts:
            pair = (node.removeprefix("n"), each.id)
            if each.status == "succeeded" and pair not in started:
                yield f"attempt {pair}: succeeded, and never started"
            if each in before and (
                problem := _unexplained(killed, each, started=pair in started, failed=pair in failures)
            ):
                yield f"attempt {pair}: {problem}: {each}"


def _unexplained(killed: Killed, attempt: Attempt, *, started: bool, failed: bool) -> str | None:
    """Return what is wrong with an attempt after which there was another one; None when it had to be."""
    if attempt.status == "succeeded":
        return "done, and done again"
    if attempt.id in killed.victims or (attempt.status == "failed" and failed):
        return None
    if attempt.status == "cancelled" and killed.paused:
        return None
    if attempt.status == "lost" and not started:  # the engine died between its record and its process
        return None
    return "was not killed, and is given up"


def _said(killed: Killed, file: str) -> list[tuple[str, str]]:
    lines = (killed.workspace.root / file).read_text().splitlines()
    return [(number, attempt) for number, attempt in (line.split() for line in lines)]


def _recorded(killed: Killed) -> dict[str, list[Attempt]]:
    return {
        node: [Attempt(each["attempt"], each["status"], each.get("reason", "")) for each in made]
        for node, made in outcomes(killed.workspace).items()
    }


def _record(killed: Killed) -> Iterator[str]:
    if killed.left:
        yield f"{killed.left} times an engine ended by itself though the run was not over"
    call = killed.workspace.punchlist("log", "verify", "--json")
    yield from (f"log verify: {problem}" for problem in call.json["problems"])
    if "Traceback" in (log := (killed.workspace.root / "engines.err").read_text()):
        yield f"an engine said: {log}"


def _left(killed: Killed) -> Iterator[str]:
    for attempt, living in killed.living().items():
        yield f"attempt {attempt}: processes {sorted(living.everything)} live on"
