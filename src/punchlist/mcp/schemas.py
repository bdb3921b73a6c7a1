"""The schemas of what an orchestrator writes: as short as a model can do with; the records behind them are stricter."""

from collections.abc import Mapping

import msgspec

from punchlist.mcp.tool import closed
from punchlist.model.json import Json
from punchlist.model.policy import PolicyPart

TEXT: dict[str, Json] = {"type": "string"}
FLAG: dict[str, Json] = {"type": "boolean"}
NUMBER: dict[str, Json] = {"type": "integer", "minimum": 1}
TEXTS: dict[str, Json] = {"type": "array", "items": TEXT}
POLICY: dict[str, Json] = closed({each.name: {} for each in msgspec.structs.fields(PolicyPart)})

CRITERION: dict[str, Json] = {
    **closed(
        {
            "id": TEXT,
            "text": TEXT,
            "check": TEXT,
            "timeout": TEXT,
            "network": FLAG,
            "red_first": {"enum": ["auto", True, False]},
            "review": FLAG,
        },
        required=("text",),
    ),
    "type": ["string", "object"],
}
CRITERIA: dict[str, Json] = {"type": "array", "items": CRITERION}
STEP: Mapping[str, Json] = {
    "title": TEXT,
    "goal": TEXT,
    "criteria": CRITERIA,
    "scope": closed({"allow": TEXTS, "deny": TEXTS, "unlock": TEXTS}),
    "needs": {"type": "array", "items": {"type": ["string", "integer"]}},
    "builder": TEXT,
    "qa": TEXT,
    "policy": POLICY,
    "context": TEXTS,
}
TASK: Mapping[str, Json] = {
    "title": TEXT,
    "spec": TEXT,
    "acceptance": CRITERIA,
    "steps": {"type": "array", "items": closed(STEP, required=("title", "criteria"))},
    "tier": {"enum": ["light", "contract"]},
    "labels": TEXTS,
    "source": TEXT,
    "needs": {"type": "array", "items": {"type": ["string", "integer"]}},
    "policy": POLICY,
}
PROJECT: Mapping[str, Json] = {"title": TEXT, "spec": TEXT, "repo": TEXT, "base": TEXT}


def changes(
    properties: Mapping[str, Json], *, required: tuple[str, ...] = (), versioned: bool = True
) -> dict[str, Json]:
    """Return the schema of a tool that changes something: with these arguments and those of every change.

    What has no version yet, or never has one, is not `versioned`.
    """
    version: dict[str, Json] = {"expected_version": NUMBER} if versioned else {}
    return closed({**properties, **version, "idempotency_key": TEXT}, required=required)


def part_of(record: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the record of a change: each field of `record`, none of which must be given."""
    fields = [(each.name, each.type, None) for each in msgspec.structs.fields(record)]
    return msgspec.defstruct(f"{record.__name__}Part", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
