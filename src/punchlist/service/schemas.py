"""The verb that gives the JSON Schema of a record or a kind of node."""

from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import DefinitionError

if TYPE_CHECKING:
    from punchlist.service.context import Answer

_FLOW_FILE = "flow-file"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str | None = None) -> "Answer":
    """Return the names of all schemas, or the one called `name`; nodes are called `node-KIND`."""
    from punchlist.flow.schema import node_schemas

    nodes = node_schemas()
    names = sorted([*_records(), _FLOW_FILE, *(f"node-{kind}" for kind in nodes)])
    if name is None:
        return {"schemas": [*names]}
    if name not in names:
        raise DefinitionError(f"there is no schema {name!r}; allowed: {', '.join(names)}", where="schema")
    if name == _FLOW_FILE:
        from punchlist.flow.file_schema import flow_schema

        return {"name": name, "schema": {"$schema": DIALECT, **flow_schema()}}
    kind = name.removeprefix("node-")
    found = nodes[kind] if kind != name else msgspec.json.schema(_records()[name])
    return {"name": name, "schema": {"$schema": DIALECT, **found}}


def _records() -> dict[str, type[msgspec.Struct]]:
    from punchlist.model import flow, records, results, settings, verdicts

    return {
        "criterion": records.CriterionFile,
        "flow": flow.Flow,
        "plan": results.Plan,
        "project": records.Project,
        "project-file": records.ProjectFile,
        "request": results.PlanRequest,
        "result": results.Result,
        "review": results.Review,
        "review-pack": results.ReviewPack,
        "settings": settings.Settings,
        "step": records.Step,
        "step-file": records.StepFile,
        "step-pack": results.StepPack,
        "task": records.Task,
        "task-file": records.TaskFile,
        "verdict": verdicts.Verdict,
    }
