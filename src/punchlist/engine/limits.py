"""The limits of an attempt: its node's own, else the policy's, with what a person raised on top."""

import re
from collections.abc import Callable, Mapping

from punchlist.engine.fold_attempts import raised_key
from punchlist.engine.place import Place
from punchlist.engine.scope import text_of
from punchlist.engine.turn import Decision, Here
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import Flow
from punchlist.model.jobs import Limits
from punchlist.model.policy import Policy, duration, size

_TIMES = ("timeout", "silence")
_OWN = (*_TIMES, "memory")
_NAMES = (*_TIMES, "memory", "output", "processes")


_MOST_PROCESSES = 999_999
_OF_TIME = (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_OF_SIZE = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def _count(text: str) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,5}", text) is None:
        raise ValueError(text)
    return int(text)


_TIME = (duration, "a time such as 2h")
_KINDS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "timeout": _TIME,
    "silence": _TIME,
    "processes": (_count, "a whole number from 1 to 999999"),
}


def limits_of(place: Place, *, policy: Mapping[str, str]) -> Limits:
    """Return the limits at a node; `policy` says those that hold where neither the node nor a person says another.

    Raises DefinitionError for a value that is no duration or size.
    """
    said = {**policy, **_own(place), **_raised(place)}
    return Limits(
        timeout=_seconds(place, said["timeout"], name="timeout"),
        silence=_seconds(place, said["silence"], name="silence") if "silence" in said else None,
        memory=_bytes(place, said["memory"]) if "memory" in said else None,
        output=size(said["output"]) if "output" in said else None,
        processes=int(said["processes"]) if "processes" in said else None,
    )


def of_commands(policy: Policy) -> dict[str, str]:
    """Return the policy's limits for a command of the user's own."""
    return {
        "timeout": policy.timeout,
        "memory": policy.memory,
        "output": policy.output,
        "processes": str(policy.processes),
    }


def of_agents(policy: Policy) -> dict[str, str]:
    """Return the policy's limits for an agent's attempt."""
    return {**of_commands(policy), "silence": policy.silence}


def of_exams(policy: Policy, *, timeout: str) -> Limits:
    """Return the limits of a check, or of the set-up before it."""
    return Limits(
        timeout=duration(timeout).total_seconds(),
        memory=size(policy.memory),
        output=size(policy.output),
        processes=policy.processes,
    )


def twice(limits: Limits, limit: str) -> str:
    """Return twice a limit as a person would type it: an example of what it may be raised to; nothing without one."""
    value = getattr(limits, limit)
    if value is None:
        return ""
    if limit == "processes":
        return str(min(2 * value, _MOST_PROCESSES))
    units = _OF_TIME if limit in _TIMES else _OF_SIZE
    whole = max(round(2 * value * 1000) if limit in _TIMES else 2 * value, units[-1][1])
    unit, one = next((unit, one) for unit, one in units if whole % one == 0 or one == units[-1][1])
    return f"{-(-whole // one)}{unit}"


def raise_limit(here: Here, decision: Decision) -> None:
    """Record the limit that a person raises: the one that was passed last. Refuses a value that is none of its kind."""
    attempts = [here.run.attempts[each] for each in here.node.attempts]
    passed = [each.outcome.passed_limit for each in attempts if each.outcome is not None and each.outcome.passed_limit]
    limit, value = passed[-1], str(decision.data["value"])
    read, allowed = _KINDS.get(limit, (size, "a size such as 8GiB"))
    try:
        read(value)
    except ValueError:
        raise DefinitionError(f"saw {value!r} for {limit}; allowed: {allowed}", where="data.value") from None
    here.turn.emit(ev.LimitRaised(spot=here.node.spot, step=here.step, limit=limit, value=value))


def _own(place: Place) -> dict[str, str]:
    definition = place.definition
    assert not isinstance(definition, Flow)
    said = {name: getattr(definition, name) for name in _OWN}
    return {name: text_of(place, value, what=name) for name, value in said.items() if value is not None}


def _raised(place: Place) -> dict[str, str]:
    if not place.run.raised:
        return {}
    keys = {name: raised_key(place.node.spot, place.step, limit=name) for name in _NAMES}
    return {name: place.run.raised[key] for name, key in keys.items() if key in place.run.raised}


def _bytes(place: Place, value: str) -> int:
    try:
        return size(value)
    except ValueError:
        raise DefinitionError(f"memory is {value!r}; allowed: 512MiB, 4GiB", where=place.path) from None


def _seconds(place: Place, value: str, *, name: str) -> float:
    try:
        return duration(value).total_seconds()
    except ValueError:
        raise DefinitionError(f"{name} is {value!r}; allowed: 30s, 5m, 2h", where=place.path) from None
