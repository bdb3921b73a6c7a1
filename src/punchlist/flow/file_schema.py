"""The JSON Schema of a flow as it is written, for editors: keys complete, words are offered, slips are underlined.

The checker knows more, and has the last word: what it takes, this takes, too.
"""

from collections.abc import Mapping
from typing import cast, get_args

import msgspec

from punchlist.flow.inputs import TYPES
from punchlist.flow.nodes import EXHAUSTED_GATES, KINDS, keys_of
from punchlist.flow.parse import KEYS
from punchlist.model.flow import AnyNode
from punchlist.model.json import Json
from punchlist.model.policy import PolicyPart
from punchlist.model.records import CriterionFile

Schema = dict[str, Json]

_TEXT: Schema = {"type": "string"}
_WORD: Schema = {"type": ["string", "number"]}
_NAMES: Schema = {"type": "array", "items": {"type": "string"}}
_MAP: Schema = {"type": "object"}
_VALUE: Schema = {"description": "any value; expressions in it are filled in"}
_EXPRESSION: Schema = {"type": ["string", "boolean"], "description": "an expression: ${{ … }}"}
_GIVEN: Schema = {"type": "string", "pattern": r"\$\{\{", "description": "an expression: ${{ … }}"}
_TIME: Schema = {
    "type": "string",
    "pattern": r"^[0-9]+(ms|s|m|h|d)$|\$\{\{",
    "description": "a duration, or an expression that gives one",
    "examples": ["30s", "10m", "2h"],
}
_TREE: Schema = {
    "type": "string",
    "description": "base, task_branch, or an expression",
    "examples": ["base", "task_branch"],
}
_COUNT: Schema = {"anyOf": [{"type": "integer", "minimum": 1}, _GIVEN]}
_NODES: Schema = {"$ref": "#/$defs/nodes"}
_CASE: Schema = {"$ref": "#/$defs/case"}


def _map(*required: str, **properties: Json) -> Schema:
    needed: Schema = {"required": [*required]} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needed}


def _words(*words: str) -> Schema:
    return {"enum": [*words]}


def _or_expression(schema: Schema) -> Schema:
    return {"anyOf": [schema, _GIVEN]}


_CRITERIA: Schema = _or_expression({"type": "array", "items": {"anyOf": [_TEXT, {"$ref": "#/$defs/criterion"}]}})
_DECLARED: Schema = {"type": "object", "additionalProperties": {"$ref": "#/$defs/declared"}}
_OUTPUT: Schema = {"anyOf": [_map("schema", schema={}), _DECLARED]}
_EXHAUSTED: Schema = {
    "anyOf": [_words("fail", "gate", "continue"), _map("gate", gate=_words(*EXHAUSTED_GATES))],
    "description": "what follows when the rounds are used up",
}
_OF_ALL: Mapping[str, Schema] = {
    "needs": {**_NAMES, "description": "nodes of the same group; by default the one before, [] is none"},
    "when": {**_EXPRESSION, "description": "an expression; false skips the node"},
    "phase": {
        **_words("building", "checking", "reviewing", "integrating"),
        "description": "the state of the step that the node stands for",
    },
    "on_failure": {**_words("fail", "continue"), "description": "whether its failure ends the group"},
    "retry": {
        **_map(
            "max",
            max={"type": "integer", "minimum": 0, "maximum": 1000},
            backoff=_map(first=_TIME, factor={"type": "integer", "minimum": 1, "maximum": 100}, most=_TIME),
            on={**_NAMES, "description": "classes of failures and exit codes", "examples": [["timeout", "exit:75"]]},
        ),
        "description": "tries after a failure of the worker",
    },
    "timeout": {**_TIME, "description": "the longest it may take"},
    "silence": {**_TIME, "description": "the longest it may go without output"},
    "memory": {"type": "string", "description": "the most memory of all its processes", "examples": ["512MiB", "4GiB"]},
    "output": _VALUE,
    "nodes": _NODES,
    "env": {"type": "object", "additionalProperties": _WORD, "description": "variables that its process gets"},
    "secrets": {**_NAMES, "description": "names of secrets that its process gets by its environment"},
    "artifacts": {
        "type": "object",
        "additionalProperties": _TEXT,
        "description": "files that must be there afterwards, by name: paths below the work folder",
    },
}
_OF_KIND: Mapping[str, Mapping[str, Schema]] = {
    "agent": {
        "agent": {**_TEXT, "description": "a worker, or an agent that the flow names"},
        "role": _words("node", "builder", "planner"),
        "pack": _VALUE,
        "rework": _VALUE,
        "prompt": {**_TEXT, "description": "a text, or the name of a .md or .txt file"},
        "session": {**_words("new", "keep"), "description": "keep: the same session in every round"},
        "output": _OUTPUT,
    },
    "run": {
        "run": {
            "anyOf": [_TEXT, {"type": "array", "items": _WORD, "minItems": 1}],
            "description": "a command: a text for sh -c, or a list of words",
        },
        "cwd": _TEXT,
        "stdin": _TEXT,
        "output": {"type": "object", "description": "its answer is JSON: {json: stdout} or {file: PATH}"},
    },
    "python": {
        "python": {"type": "string", "pattern": ":", "description": "module:function, in the project's interpreter"},
        "with": {**_MAP, "description": "its keyword arguments"},
        "output": _OUTPUT,
    },
    "check": {
        "check": _map("criteria", "tree", criteria=_CRITERIA, tree=_TREE, expect=_words("pass", "approved", "proof"))
    },
    "review": {"review": _map("criteria", "tree", criteria=_CRITERIA, tree=_TREE, worker=_TEXT)},
    "judge": {"judge": {**_NAMES, "minItems": 1}},
    "integrate": {"integrate": _GIVEN},
    "publish": {"publish": _words("task", "plan"), "how": _TEXT, "plan": _VALUE},
    "gate": {
        "gate": {
            "anyOf": [
                _TEXT,
                _map(
                    "message",
                    message=_TEXT,
                    choices=_NAMES,
                    show=_VALUE,
                    form={**_OUTPUT, "description": "the fields that a decision must have"},
                    timeout={**_TIME, "description": "how long it may stand open"},
                    on_timeout={**_TEXT, "description": "a choice, or fail"},
                    approvers={**_NAMES, "description": "who may decide it", "examples": [["ann", "human:bob"]]},
                ),
            ]
        }
    },
    "wait": {
        "wait": {
            "type": "object",
            "properties": {
                "for": {**_TIME, "description": "a time to pass"},
                "until": {**_TEXT, "description": "a moment with its zone", "examples": ["2026-11-21T22:00:00Z"]},
                "file": {**_TEXT, "description": "a pattern of files below the flow's folder"},
                "min": {**_COUNT, "description": "how many files at least"},
                "command": {"anyOf": [_TEXT, {"type": "array", "items": _WORD, "minItems": 1}]},
                "every": {**_TIME, "description": "how often the command is tried"},
            },
            "additionalProperties": False,
        },
    },
    "set": {"set": {**_MAP, "minProperties": 1}},
    "assert": {"assert": {"type": ["string", "boolean", "object"]}},
    "fail": {"fail": _TEXT},
    "call": {"call": {**_TEXT, "description": "a flow's file, or its name"}, "with": _MAP},
    "match": {
        "match": _EXPRESSION,
        "cases": {"type": "object", "additionalProperties": _CASE},
        "else": _CASE,
    },
    "for_each": {
        "for_each": {
            "anyOf": [{"type": "array"}, _GIVEN, _map(lines=_TEXT, json=_TEXT), {**_TEXT, "pattern": r"\.(txt|json)$"}],
            "description": "a list, an expression, or a file of lines or JSON",
        },
        "as": {**_TEXT, "description": "what an item is called inside"},
        "key": _TEXT,
        "needs_from": _or_expression({"type": "array"}),
        "max_parallel": _COUNT,
        "on_item_failure": _words("stop", "continue"),
    },
    "repeat": {"repeat": _map("max", "until", max=_COUNT, until=_EXPRESSION, on_exhausted=_EXHAUSTED)},
}
_OF_FLOW: Mapping[str, Schema] = {
    "punchlist": {"const": 1, "description": "the version of the language"},
    "flow": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,59}$", "description": "its name"},
    "doc": _TEXT,
    "inputs": {**_DECLARED, "description": "values that a run is given"},
    "outputs": {**_MAP, "description": "values that a run gives, each an expression"},
    "agents": {"type": "object", "additionalProperties": {"type": "object", "required": ["worker"]}},
    "policy": {"$ref": "#/$defs/policy"},
    "nodes": _NODES,
    "finally": _NODES,
    "env": {**_NAMES, "description": "names of the environment that must be set where a run is started"},
    "secrets": {**_NAMES, "description": "as env, and their values are masked"},
}


def flow_schema() -> Schema:
    """Return the schema (2020-12, without its dialect's name); a key that has none of its own here takes anything."""
    declared = _map(
        type=_words(*TYPES),
        default={},
        min={"type": "integer"},
        max={"type": "integer"},
        values=_NAMES,
        enum=_NAMES,
        must_exist={"type": "boolean"},
        schema=_MAP,
    )
    return {
        "title": "A flow of Punchlist",
        "description": "Which nodes run, in which order; `punchlist validate` has the last word.",
        **_map("punchlist", "flow", "nodes", **{key: _OF_FLOW.get(key, {}) for key in KEYS}),
        "$defs": {
            "nodes": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[a-z_][a-z0-9_]*$"},
                "additionalProperties": {"$ref": "#/$defs/node"},
            },
            "node": {"anyOf": [{"$ref": f"#/$defs/node-{kind}"} for kind in KINDS]},
            "case": _map(nodes=_NODES, output=_VALUE),
            "declared": {"anyOf": [_words(*TYPES), declared]},
            **_records(),
            **{f"node-{kind}": _node(kind) for kind in KINDS},
        },
    }


def _node(kind: str) -> Schema:
    own = _OF_KIND.get(kind, {})
    properties: dict[str, Json] = {key: own.get(key, _OF_ALL.get(key, {})) for key in keys_of(kind)}
    return {"title": kind, "description": _described(kind), **_map(kind, **properties)}


def _described(kind: str) -> str:
    tag = "group" if kind == "nodes" else kind
    records = cast("tuple[type[msgspec.Struct], ...]", get_args(AnyNode))
    return next((str(each.__doc__) for each in records if each.__struct_config__.tag == tag), "")


def _records() -> Schema:
    """Return the schemas of the model's records that a flow holds as they are written, and what these refer to."""
    _, found = msgspec.json.schema_components([PolicyPart, CriterionFile], ref_template="#/$defs/{name}")
    named = {"PolicyPart": "policy", "CriterionFile": "criterion"}
    return {named.get(name, name): schema for name, schema in found.items()}
