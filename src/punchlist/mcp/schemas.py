"""The schemas of what an orchestrator writes: as short as a model can do with; the records behind them are stricter."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from punchlist.mcp.tool import MOST, closed
from punchlist.model.json import Json
from punchlist.model.notes import OF_RUNS
from punchlist.model.policy import PolicyPart

TEXT: dict[str, Json] = {"type": "string"}
FLAG: dict[str, Json] = {"type": "boolean"}
NUMBER: dict[str, Json] = {"type": "integer", "minimum": 1, "maximum": MOST}
FROM_ZERO: dict[str, Json] = {**NUMBER, "minimum": 0}
TEXTS: dict[str, Json] = {"type": "array", "items": TEXT}


def _shape(kind: Any, *, without: Collection[str] = ()) -> dict[str, Json]:
    """Return what is allowed of a record where nothing is null, without the patterns of texts."""
    whole: dict[str, Any] = msgspec.json.schema(kind)
    parts: dict[str, Any] = whole["$defs"]

    def plain(rule: dict[str, Any]) -> dict[str, Json]:
        if "anyOf" in rule:
            (rule,) = (each for each in rule["anyOf"] if each != {"type": "null"})
        if "$ref" in rule:
            named = parts[rule["$ref"].removeprefix("#/$defs/")]["properties"]
            return closed({name: plain(each) for name, each in named.items() if name not in without})
        if rule.get("type") == "integer":
            return {"type": "integer", "minimum": rule.get("minimum", 1), "maximum": rule.get("maximum", MOST)}
        return {name: each for name, each in rule.items() if name not in {"pattern", "description", "default"}}

    return plain(whole)


POLICY = _shape(PolicyPart)
STEP_POLICY = _shape(PolicyPart, without=OF_RUNS)

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
NEEDS: dict[str, Json] = {"type": "array", "items": {**NUMBER, "type": ["string", "integer"]}}
CRITERIA: dict[str, Json] = {"type": "array", "items": CRITERION}
STEP: Mapping[str, Json] = {
    "title": TEXT,
    "goal": TEXT,
    "criteria": CRITERIA,
    "scope": closed({"allow": TEXTS, "deny": TEXTS, "unlock": TEXTS}),
    "needs": NEEDS,
    "builder": TEXT,
    "qa": TEXT,
    "policy": STEP_POLICY,
    "context": TEXTS,
}
TASK: Mapping[str, Json] = {
    "title": TEXT,
    "spec": TEXT,
    "acceptance": CRITERIA,
    "tier": {"enum": ["light", "contract"]},
    "labels": TEXTS,
    "source": TEXT,
    "needs": NEEDS,
    "policy": POLICY,
}
STEPS: dict[str, Json] = {"type": "array", "items": closed(STEP, required=("title", "criteria"))}
PROJECT: Mapping[str, Json] = {"title": TEXT, "spec": TEXT}


def changes(
    properties: Mapping[str, Json], *, required: tuple[str, ...] = (), versioned: bool = True
) -> dict[str, Json]:
    """Return the schema of a tool that changes something: with these arguments and those of every change.

    What has no version yet, or never has one, is not `versioned`.
    """
    version: dict[str, Json] = {"expected_version": NUMBER} if versioned else {}
    return closed({**properties, **version, "idempotency_key": TEXT}, required=required)


def shared(schema: Mapping[str, Json], **parts: Json) -> dict[str, Json]:
    """Return the schema with `parts` written once, by their names, wherever they stand in it."""

    def put(rule: Json) -> Json:
        for name, part in parts.items():
            if rule is part:
                return {"$ref": f"#/$defs/{name}"}
        if isinstance(rule, dict):
            return {name: put(each) for name, each in rule.items()}
        return [put(each) for each in rule] if isinstance(rule, list) else rule

    return {**{name: put(each) for name, each in schema.items()}, "$defs": parts}


def part_of(record: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the record of a change: each field of `record`, none of which must be given."""
    fields = [(each.name, each.type, None) for each in msgspec.structs.fields(record)]
    return msgspec.defstruct(f"{record.__name__}Part", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
