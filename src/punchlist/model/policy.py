"""Policy: limits, retries, review, budget; parts are laid over the defaults, outermost first."""

import functools
import re
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from punchlist.model.ids import END

Duration = Annotated[
    str,
    Meta(
        pattern=rf"^[1-9][0-9]{{0,8}}(ms|s|m|h|d){END}",
        description="a whole number with ms, s, m, h or d: 30s, 5m, 2h",
    ),
]
Size = Annotated[
    str, Meta(pattern=rf"^[1-9][0-9]{{0,8}}(KiB|MiB|GiB){END}", description="a whole number with KiB, MiB or GiB")
]
Count = Annotated[int, Meta(ge=0, le=1000)]

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_BYTES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@functools.lru_cache(maxsize=256)
def duration(text: str) -> timedelta:
    """Return the time that a `Duration` such as `30m` names; raises ValueError for any other text."""
    found = re.fullmatch(r"([0-9]+)(ms|s|m|h|d)", text)
    if found is None:
        raise ValueError(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def size(text: str) -> int:
    """Return the bytes that a `Size` such as `8GiB` names; raises ValueError for any other text."""
    found = re.fullmatch(r"([0-9]+)(KiB|MiB|GiB)", text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _BYTES[found[2]]


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """An upper bound on cost; money in dollars as written by people."""

    usd: Annotated[float, Meta(gt=0)] | None = None
    tokens: Annotated[int, Meta(gt=0)] | None = None


class PolicyPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What one place (settings, project, task, step, flow) says about policy; `None` leaves it to the place outside."""

    rework: Count | None = None
    retries: Count | None = None
    timeout: Duration | None = None
    silence: Duration | None = None
    check_timeout: Duration | None = None
    memory: Size | None = None
    output: Size | None = None
    processes: Annotated[int, Meta(ge=1, le=999_999)] | None = None
    max_parallel: Annotated[int, Meta(ge=1, le=1000)] | None = None
    review: Literal["always", "uncovered", "never"] | None = None
    on_accept: Literal["branch", "merge", "pr"] | None = None
    auto_approve: bool | None = None
    sandbox: Literal["auto", "bwrap", "none"] | None = None
    max_transitions: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    budget: Amount | None = None


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every rule resolved. The defaults stand here and nowhere else."""

    rework: Count = 3
    retries: Count = 2
    timeout: Duration = "1h"
    silence: Duration = "10m"
    check_timeout: Duration = "10m"
    memory: Size = "8GiB"
    output: Size = "64MiB"
    processes: Annotated[int, Meta(ge=1, le=999_999)] = 1000
    max_parallel: Annotated[int, Meta(ge=1, le=1000)] = 2
    review: Literal["always", "uncovered", "never"] = "always"
    on_accept: Literal["branch", "merge", "pr"] = "branch"
    auto_approve: bool = False
    sandbox: Literal["auto", "bwrap", "none"] = "auto"
    max_transitions: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
    budget: Amount = Amount()


def overlay(policy: Policy, *parts: PolicyPart | None) -> Policy:
    """Return `policy` with each of `parts` laid over it in turn; the last one that speaks of a rule wins."""
    for part in parts:
        if part is not None:
            said = {name: value for name in part.__struct_fields__ if (value := getattr(part, name)) is not None}
            policy = msgspec.structs.replace(policy, **said)
    return policy
