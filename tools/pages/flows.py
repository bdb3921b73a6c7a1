"""The page of the flow language: node kinds with their keys, and the built-in flows as they are."""

import importlib.resources
from collections.abc import Iterator
from typing import cast

from punchlist.flow.graph import graph_of
from punchlist.flow.inputs import TYPES
from punchlist.flow.nodes import COMMON, EXHAUSTED_GATES, KINDS
from punchlist.flow.parse import parse_flow
from punchlist.flow.schema import node_schemas
from punchlist.flow.words import LATER, LATER_KINDS, NODE_FIELDS, RESERVED, RETRIED, ROOTS
from punchlist.model.json import Json, encode
from punchlist.render.mermaid import mermaid
from tools.pages.markup import code, page, table, type_in_words

_HEAD = """\
A flow is a YAML file. It is checked whole before anything runs: `punchlist validate FLOW` prints every error with its
line and column, and warns of inputs that nothing reads and nodes that can never run. `punchlist run FLOW` runs one, by
its path, by the name of a file `flows/NAME.yaml` in the workspace, or by the name of a built-in one. What is said of
hundreds of small flows, right and wrong, is [shown case by case](../../tests/flows/README.md).

```yaml
punchlist: 1                    # the version of the language
flow: test-and-count            # its name
doc: Run the tests, then say how many files there are.
inputs:
  folder: {type: path, default: src}
outputs:
  files: ${{ nodes.count.output.stdout }}
policy: {timeout: 10m}
nodes:                          # run in this order; `needs` says otherwise
  tests:
    run: python3 -m unittest
    on_failure: continue        # red is an answer here, not the end
  count:
    run: find ${{ inputs.folder }} -type f | wc -l
```
"""
_INPUTS = f"""\
`inputs` declares values by name, as `{{type, default, min, max, values, must_exist, schema}}` or only by the type:
{", ".join(map(code, TYPES))}. Without a default, a value must be given.
"""
_ORDER = """\
## Order

Nodes run one after another in the order written. `needs: [a, b]` on a node replaces that: it starts when those are
over; `needs: []` starts at once. A node whose `when` is false is `skipped`, and what needs it goes on; a node that
needs one that failed is `unreached`. A node is of the kind whose key it has; it has exactly one of them, and any of
the keys for all kinds.
"""
_ENDS = """\
## The end of a flow

`finally`, beside `nodes`, holds nodes that run at the end whatever happened: success, failure, cancel, an engine that
was killed. Its nodes see those of the flow, of which any may have come to any end: ask `nodes.a.status` or
`has(nodes.a.output)` first. When it fails, a flow that went well has failed; the error of one that failed before stays
the first. A run that is cancelled is over when its `finally` is, and so is a called flow; a second cancel ends that,
too. A run that goes back (`retry`, `resume --from`) runs it again at its end.
"""
_COMMON = {
    "needs": "names of nodes of the same group; by default the one before",
    "when": "an expression; false skips the node",
    "phase": "which state of the step the node stands for; inside a `for_each` over a task's steps",
    "on_failure": "`fail` (default) or `continue`: whether its failure ends the group",
    "retry": "`{max, on, backoff: {first, factor, most}}`: tries after a failure of the worker, or of what `on` names, "
    f"of {', '.join(map(code, RETRIED))}, `exit:1` to `exit:255`, which then ends the node when they are used up; "
    "for agent, run, python, check, review, integrate, publish",
    "timeout": "the longest it may take, such as `10m`; for agent, run, python, review, and wait, which must have one",
    "silence": "the longest it may go without output; for agent, run, python, review",
    "memory": "the most memory that all its processes take, such as `512MiB`; for agent, run, python, review",
}
_EXPRESSIONS = """\
## Expressions

`${{ … }}` holds an expression in [CEL](https://cel.dev). One that is the whole value keeps its type; inside of a text
it is filled in. In a `repeat`, `round.index` counts from 0, and `round.last` holds the outputs of the round before; in
the first it is null. In `run`, a value never becomes part of the shell's text: it is put into an environment variable,
and a quoted reference in its place.
"""
_CONTRACTS = """\
## What a node gives

An agent's `output` declares fields as `inputs` does, or is `{schema: SCHEMA}`; a command's says where its answer is,
`{json: stdout}` or `{file: PATH}`, and may hold it to `schema: SCHEMA` or to `fields:` declared as inputs are. A SCHEMA
is a JSON Schema of any draft, or the path of a file that holds one, from the flow's folder; nothing that it refers to
is fetched. Paths of answers begin in the work folder, not in `cwd`, and may not lead out of it. An answer holds at most
4 MiB.

A `python` function is called in the work folder by the interpreter that `[python] interpreter` of the settings names
(else `python3`, looked up in the project's `path`, then on PATH), never within the engine. It takes and returns JSON;
what it raises fails the node with its last lines, and what cannot be imported is a failure of class `definition`.

What an agent answers and does not fit goes back to it once, in the same session, with all that is wrong with it, and
costs no try; after that it is a failure of class `worker`. A command that fails has its answer all the same, if it left
one that fits: `on_failure: continue` makes red an answer.
"""
_ARTIFACTS = """\
## Artifacts

`artifacts: {NAME: PATH}` of an agent or a command names files that must be there when it has ended: regular files below
the work folder, no link out of it, at most 1 GiB. Each is hashed, and a copy is kept under its hash in
`.punchlist/artifacts/`; one that shows the value of a secret is refused. Other nodes read
`nodes.x.artifacts.NAME.path`, `.sha256`, `.size` and, of UTF-8 text up to 256 KiB, `.text`. A node that uses one, by
itself or by an output that was made of it, starts only while the file is what it was; else it fails and names it.
`punchlist report` says of each artifact who made it, of which others; `log verify` looks at the copies.
"""
_GIVEN = """\
## Environment and secrets

`env: [NAME]` at the head of a flow lists names that must be set where the run is started: a missing one refuses the
run. Their values are frozen with the run, as `inputs` are; expressions read them as `env.NAME`, and the flow's agents
and commands have them in their environment. `env:` of a node sets variables for its process alone.

`secrets: [NAME]` lists names whose values only processes get, by their environment: of a flow all its agents and
commands, of a node its own. No expression gives one. Their values are in no event, prompt, log, generated file or
answer: stars stand there, as many as the value has bytes, also for what JSON, URLs, base64 and a shell's quoting make
of it. They are kept, readable by their owner alone, until the run is over; `retry` and `resume --from` of a run that is
over take them anew. What a process writes into the work folder is its own affair.

A called flow lists what it needs itself, and all of it must be set where the run is started.
"""
_NAMES = f"""\
An expression begins with {", ".join(map(code, ROOTS))}, or a name given by `as:`.
After `nodes.NAME` comes {", ".join(map(code, NODE_FIELDS))}.

Names of nodes, inputs and `as:` are at most 100 lower-case letters, digits and `_`. These words are CEL's own:
{", ".join(map(code, sorted(RESERVED)))}.
"""
_BUILT_IN = """\
## Built-in flows

`deliver` is what `task start` runs, `plan` what `punchlist plan` runs, `prove` what runs the checks of a draft on its
base. `design` has a document drafted and reviewed until it is approved; `review-only` judges criteria on a tree that is
there already, in a run with `--project`, and changes nothing. A file `flows/deliver.yaml` in the workspace takes the
place of the built-in one: begin with a copy, `punchlist flow show deliver > flows/deliver.yaml`. `punchlist flow list`
lists all that can be named, and `punchlist flow graph deliver` draws one, as below.
"""
_TAGS = {"nodes": "group"}
_SHORT = {"gate": "the message as text, or a map of:", "assert": "an expression, or a map of:"}
_IN_WORDS = {
    "cases": "a map from each value to `{nodes, output}`, or to `{}` to do nothing",
    "else": "`{nodes, output}`, or `{}`",
}
_MORE = {
    "repeat": "`on_exhausted: {gate: KIND}` asks a person by a gate of kind "
    f"{', '.join(map(code, EXHAUSTED_GATES))}.",
    "gate": "`gate.timeout` is how long it may stand open, such as `2h`; then the choice that `on_timeout` names is "
    "taken, and `fail`, the default, fails the node. `form` is declared as an `output` of an agent is, and "
    "`punchlist decide G1 approve --data JSON` fills it in. `approvers` are names of people, such as `ann`.",
    "wait": """\
```yaml
deployed: {wait: {command: "curl -fs ${{ inputs.url }}", every: 10s}, timeout: 10m}
reports: {wait: {file: "out/**/*.json", min: 3}, timeout: 1h}
night: {wait: {until: "2026-11-21T22:00:00Z"}, timeout: 1d}
```

It waits for one thing: `for` a time, `until` a moment with its zone, a `file` pattern below the folder in which the
flow's commands run (of which at least `min` must be there), or a `command` that ends with 0. Files are noticed when the
kernel tells of them; where it does not, they are looked for once a minute. What is left of a wait is in the record: an
engine that was killed is no reason to wait longer.""",
    "match": """\
```yaml
tests: {run: make test, on_failure: continue}
route:
  match: ${{ nodes.tests.status }}
  cases:
    succeeded: {nodes: {ship: {run: make ship}}}
    failed: {nodes: {stop: {fail: the tests are red}}}
```

What only some of the cases give may be read behind `has(nodes.route.output.x)`. Of a value that is one of several (a
`oneOf` of which each part has a required field with a `const` of its own), a field that not all parts have may be read
in the case for its part, or behind `has()`.""",
}
_INSIDE = {"repeat": "Repeat", "wait": "Wait"}
_MANY = 5
_HIDDEN = frozenset({"kind", "id", "line", "column", "flow", *COMMON})

Schema = dict[str, Json]


def flows() -> dict[str, str]:
    """Return the page by its path below the reference."""
    common = table(("key", "value"), ((code(key), _COMMON[key]) for key in COMMON))
    parts = [
        _HEAD, _INPUTS, _ORDER, common, _ENDS, "## Node kinds", *(part for kind in KINDS for part in _kind(kind)),
        _CONTRACTS, _ARTIFACTS, _GIVEN, _EXPRESSIONS, _NAMES, "## Not in this version", *_later(), _BUILT_IN,
        *_built_in(),
    ]  # fmt: skip
    return {"flows.md": page("Flows", *parts)}


def _kind(kind: str) -> Iterator[str]:
    schema = _node(kind)
    siblings, _ = KINDS[kind]
    yield f"### {kind}"
    yield "\n\n".join(" ".join(each.split()) for each in str(schema["description"]).split("\n\n"))
    yield table(("key", "value", "default"), _keys(kind, schema, siblings=siblings))
    if kind in _MORE:
        yield _MORE[kind]


def _keys(kind: str, schema: Schema, *, siblings: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield every key: the kind's own first, then what stands beside it; nested ones as `kind.key`."""
    properties = {name: each for name, each in _properties(schema).items() if name not in _HIDDEN}
    own = properties.pop(kind, None)
    inside = _inside(kind, _INSIDE[kind]) if kind in _INSIDE else properties
    nested = {name: each for name, each in inside.items() if name not in siblings}
    if not nested or kind in _SHORT:
        yield code(kind), _SHORT[kind] if own is None else _value(own), "required"
    for name, each in nested.items():
        yield code(f"{kind}.{name}"), _value(each), _default(each)
    for name in siblings:
        yield code(name), _IN_WORDS.get(name) or _value(properties[name]), _default(properties[name])


def _value(field: Schema) -> str:
    """Return a field's type; one of many records can only be a group's nodes."""
    items = field.get("items")
    is_nodes = isinstance(items, dict) and len(cast("list[Json]", items.get("anyOf", []))) > _MANY
    return "nodes by name" if is_nodes else type_in_words(field)


def _inside(kind: str, record: str) -> dict[str, Schema]:
    definition = _definitions(kind)[record]
    return {name: each for name, each in _properties(definition).items() if name != "gate"}


def _default(field: Schema) -> str:
    if "default" not in field and field.get("type") != "object":
        return "required"
    value = field.get("default")
    return "-" if value in (None, [], {}) else code(encode(value).decode())


def _later() -> Iterator[str]:
    kinds = ", ".join(map(code, LATER_KINDS))
    keys = "; ".join(f"of {code(place)} {', '.join(map(code, names))}" for place, names in LATER.items() if names)
    yield f"The checker knows these node kinds and says that this version does not have them: {kinds}."
    yield f"So it does of these keys: {keys}."
    yield "The policy of a flow cannot have what `punchlist config` says is not in force yet, nor `auto_approve`."


def _built_in() -> Iterator[str]:
    folder = importlib.resources.files("punchlist.data").joinpath("flows")
    for name in sorted(each.name for each in folder.iterdir()):
        text = folder.joinpath(name).read_text(encoding="utf-8")
        yield f"### {name}"
        yield f"```yaml\n{text}```"
        yield f"```mermaid\n{mermaid(graph_of(parse_flow(text, source=name)))}```"


def _node(kind: str) -> Schema:
    named = str(node_schemas()[_TAGS.get(kind, kind)]["$ref"]).rpartition("/")[2]
    return _definitions(kind)[named]


def _definitions(kind: str) -> dict[str, Schema]:
    return cast("dict[str, Schema]", node_schemas()[_TAGS.get(kind, kind)]["$defs"])


def _properties(schema: Schema) -> dict[str, Schema]:
    return cast("dict[str, Schema]", schema["properties"])
