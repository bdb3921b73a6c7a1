"""A checked flow: one closed record a node kind. Strings may hold `${{ … }}`, evaluated when the node starts."""

from collections.abc import Iterable, Iterator, Sequence, ValuesView
from typing import Literal, cast

import msgspec

from punchlist.model.json import Json
from punchlist.model.policy import Duration, PolicyPart

Phase = Literal["building", "checking", "reviewing", "integrating"]
InputType = Literal["string", "int", "float", "bool", "path", "enum", "list", "map", "task", "any"]


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A declared input; without a default it must be given."""

    type: InputType = "any"
    default: Json | msgspec.UnsetType = msgspec.UNSET
    min: int | None = None
    max: int | None = None
    values: tuple[str, ...] = ()
    must_exist: bool = False
    schema: dict[str, Json] | None = None


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How often a node is tried again after a failure of class `worker`, or of what `on` names, and with what delay.

    `on` names classes of failures (a limit, for one) and exit codes: `exit:75`. What it does not name keeps to its
    class, and a failure of class `worker` is not tried again then.
    """

    max: int = 0
    on: tuple[str, ...] = ()
    first: Duration = "2s"
    factor: int = 2
    most: Duration = "1m"


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every node may say. `needs` None means "the node before"; `line` and `column` are where it stands.

    A limit is a duration, or an expression that gives one.
    """

    id: str
    needs: tuple[str, ...] | None = None
    when: str | None = None
    phase: Phase | None = None
    on_failure: Literal["fail", "continue"] = "fail"
    retry: Retry | None = None
    timeout: str | None = None
    silence: str | None = None
    memory: str | None = None
    line: int = 0
    column: int = 0


class AgentNode(Node, frozen=True, tag="agent"):
    """An attempt by a worker; `pack` is the step (builder) or request (planner), `rework` the round before."""

    agent: str
    role: Literal["builder", "planner", "node"] = "node"
    pack: Json = None
    rework: Json = None
    session: str = "new"
    prompt: str | None = None
    output: dict[str, Json] | None = None
    artifacts: dict[str, str] = {}
    env: dict[str, str] = {}
    secrets: tuple[str, ...] = ()


class RunNode(Node, frozen=True, tag="run"):
    """A command: a string is given to `sh -c` with its values as environment variables, a list is an argv.

    `output` says that its answer is JSON: `{json: stdout}`, or `{file: PATH}` in the work folder; with `schema` (a JSON
    Schema, or the path of a file that holds one) or `fields` (declared as inputs are) it must fit that. Without, the
    output is `{exit_code, stdout}`. A command that fails has its answer all the same, when that fits.
    """

    run: str | tuple[str, ...]
    cwd: str | None = None
    env: dict[str, str] = {}
    stdin: str | None = None
    output: dict[str, Json] | None = None
    artifacts: dict[str, str] = {}
    secrets: tuple[str, ...] = ()


class PythonNode(Node, frozen=True, tag="python"):
    """A function `module:function`, called in the project's interpreter with `with` as keyword arguments.

    Its output is what it returns, which must be JSON and fit `output` where that is declared.
    """

    python: str
    with_: dict[str, Json] = msgspec.field(name="with", default_factory=dict[str, Json])
    output: dict[str, Json] | None = None
    artifacts: dict[str, str] = {}
    env: dict[str, str] = {}
    secrets: tuple[str, ...] = ()


class CheckNode(Node, frozen=True, tag="check"):
    """Criteria by command in a clean checkout of `tree` (a tree id, `base` or `task_branch`).

    `expect: approved` compares what the base shows with what was approved, and opens gate `unproven` on a difference.
    """

    criteria: Json
    tree: str
    expect: Literal["pass", "approved", "proof"] = "pass"


class ReviewNode(Node, frozen=True, tag="review"):
    """Criteria by a worker in role `qa`, read-only, on a clean checkout of `tree`."""

    criteria: Json
    tree: str
    worker: str | None = None


class JudgeNode(Node, frozen=True, tag="judge"):
    """The verdict over the named check and review nodes, scope and facts of one tree."""

    judge: tuple[str, ...]


class IntegrateNode(Node, frozen=True, tag="integrate"):
    """A tree with a passing verdict, onto the task's branch; the only thing that makes a step accepted."""

    integrate: str


class PublishNode(Node, frozen=True, tag="publish"):
    """Publishes the accepted `task` by `how` (branch, merge, pr), or turns a `plan` into draft tasks."""

    publish: Literal["task", "plan"]
    how: str | None = None
    plan: Json = None


class GateNode(Node, frozen=True, tag="gate"):
    """Asks a person; the output is `{choice, data, by}`. The clock of its timeout goes on in a pause.

    What is decided must fit the `form`, and be decided by one of the `approvers`, where these are given. After the
    timeout the choice of `on_timeout` is taken; `fail` fails the node.
    """

    message: str
    choices: tuple[str, ...] = ("approve", "reject")
    show: Json = None
    form: dict[str, Json] | None = None
    on_timeout: str = "fail"
    approvers: tuple[str, ...] = ()


class Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What is waited for: a time to pass, a moment, files that fit a pattern, or a command that ends with 0."""

    for_: str | None = msgspec.field(name="for", default=None)
    until: str | None = None
    file: str | None = None
    min: Json = 1
    command: str | tuple[str, ...] | None = None
    every: str = "30s"


class WaitNode(Node, frozen=True, tag="wait"):
    """Waits, never longer than its timeout: then it fails. It takes no place among what runs, and outlives the engine.

    The output is what it found: `{at}` of a time, `{files}`, or `{exit_code, stdout}` of the command that ended with 0,
    which is tried `every` so often. Its clock goes on in a pause.
    """

    wait: Wait


class SetNode(Node, frozen=True, tag="set"):
    """Values computed by expression."""

    set: dict[str, Json]


class AssertNode(Node, frozen=True, tag="assert"):
    """An expression that must hold: written as `assert: ${{ … }}`, or as a map with the message of its failure."""

    that: str
    message: str | None = None


class FailNode(Node, frozen=True, tag="fail"):
    """Ends its group as failed with this message; what of the group does not need it may finish."""

    fail: str


class CallNode(Node, frozen=True, tag="call"):
    """Another flow, resolved and embedded when the definition is checked."""

    call: str
    flow: "Flow"
    with_: dict[str, Json] = msgspec.field(name="with", default_factory=dict[str, Json])


class GroupNode(Node, frozen=True, tag="group"):
    """Nested nodes; the output is `output`, else that of the last node."""

    nodes: tuple["AnyNode", ...]
    output: Json = None


class CaseNode(GroupNode, frozen=True, kw_only=True, tag="case"):
    """One case of a match: for the value `of`, or for all others (null). Its nodes run where it is taken."""

    of: str | None


class FinallyNode(GroupNode, frozen=True, tag="finally"):
    """What runs at the end of a flow, whatever became of it; it fails a flow that did not fail by itself."""


class MatchNode(Node, frozen=True, tag="match"):
    """One of its cases runs: that of the value, else `else`; the others are skipped. Its output is that of the case.

    Where all values are known (an `enum`, the tag of a `oneOf`, true and false, a status) the cases must cover them.
    """

    match: str
    cases: tuple[CaseNode, ...]
    else_: CaseNode | None = msgspec.field(name="else", default=None)

    @property
    def every(self) -> tuple[CaseNode, ...]:
        """The cases, `else` last."""
        return self.cases if self.else_ is None else (*self.cases, self.else_)


class ForEachNode(Node, frozen=True, tag="for_each"):
    """The nodes once for each item, keyed by position (from 0) or `key`; `needs_from` makes the items a graph.

    The items are a list, or in a file below the work folder: `{lines: PATH}`, of which blank ones are passed over, or
    `{json: PATH}`, which holds a list. The name of a `.txt` or `.json` file alone says the same.

    An item takes one of the `max_parallel` places while anything of it can go on; while it rests until a person decides
    it takes none. One at a time and without `needs_from`, an item begins when the one before is over.
    """

    for_each: Json
    as_: str = msgspec.field(name="as")
    nodes: tuple["AnyNode", ...]
    key: str | None = None
    needs_from: Json = None
    max_parallel: Json = 1
    on_item_failure: Literal["stop", "continue"] = "stop"
    output: Json = None


class Repeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The loop rule: `gate` is the kind opened when the rounds are used up."""

    max: Json
    until: str
    on_exhausted: Literal["fail", "gate", "continue"] = "fail"
    gate: str = "exhausted"


class RepeatNode(Node, frozen=True, tag="repeat"):
    """The nodes again and again until `until` holds; the body runs at least once."""

    repeat: Repeat
    nodes: tuple["AnyNode", ...]
    output: Json = None


AnyNode = (
    AgentNode | RunNode | PythonNode | CheckNode | ReviewNode | JudgeNode | IntegrateNode | PublishNode | GateNode
    | WaitNode | SetNode | AssertNode | FailNode | CallNode | GroupNode | MatchNode | ForEachNode | RepeatNode
)  # fmt: skip


class Flow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A whole definition, checked: `source` is the file's name as errors show it.

    `env` names what must be set where a run is started, and is given to its agents and commands; `secrets` so, too, but
    to no expression, and their values are masked.
    """

    flow: str
    nodes: tuple[AnyNode, ...]
    doc: str = ""
    source: str = ""
    inputs: dict[str, Input] = {}
    outputs: dict[str, Json] = {}
    policy: PolicyPart = PolicyPart()
    agents: dict[str, dict[str, Json]] = {}
    env: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    finally_: FinallyNode | None = msgspec.field(name="finally", default=None)

    @property
    def parts(self) -> tuple[AnyNode, ...]:
        """The nodes of its first level, what runs at the end last."""
        return self.nodes if self.finally_ is None else (*self.nodes, self.finally_)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the environment that a flow and those that it calls list, each once, in the order of first sight."""

    env: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def _inside(record: msgspec.Struct) -> Iterator[AnyNode]:
    """Yield the nodes that a flow or a group of any kind holds."""
    for name in record.__struct_fields__:
        value: object = getattr(record, name)
        held = cast("dict[str, object]", value).values() if isinstance(value, dict) else value
        for each in cast("Iterable[object]", held) if isinstance(held, tuple | ValuesView) else (held,):
            if isinstance(each, Node):
                yield cast("AnyNode", each)
            elif isinstance(each, msgspec.Struct):
                yield from _inside(each)


def given_names(flow: Flow) -> Given:
    """Return the names that must be set where a run of a flow is started."""
    env, secrets = dict.fromkeys(flow.env), dict.fromkeys(flow.secrets)
    nodes = list(_inside(flow))
    while nodes:
        node = nodes.pop()
        match node:
            case AgentNode() | RunNode() | PythonNode():
                secrets.update(dict.fromkeys(node.secrets))
            case CallNode():
                inside = given_names(node.flow)
                env.update(dict.fromkeys(inside.env))
                secrets.update(dict.fromkeys(inside.secrets))
            case _:
                nodes += _inside(node)
    return Given(env=tuple(env), secrets=tuple(secrets))


def extended(flow: Flow, nodes: Sequence[AnyNode]) -> Flow:
    """Return a flow with nodes in the place of those of the same name, and the others behind all."""
    fresh = {node.id: node for node in nodes}
    kept = [fresh.pop(node.id, node) for node in flow.nodes]
    return msgspec.structs.replace(flow, nodes=(*kept, *fresh.values()))
