"""What an expression may name at its place: nodes that have run by then, `as:` names, inputs and the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from punchlist.errors import with_article
from punchlist.flow.groups import Group
from punchlist.flow.shapes import absent_end, artifacts_shape, is_unread, may_be_absent, output_shape, status_shape
from punchlist.flow.syntax import Chain
from punchlist.flow.templates import FlawError
from punchlist.flow.value_shapes import DYN, INT, STRING, Shape, one_of
from punchlist.flow.words import NODE_FIELDS, listed
from punchlist.model.allowed import nearest
from punchlist.model.flow import AgentNode, AnyNode
from punchlist.model.states import FINAL_NODE

_PATH = 3
_BEFORE = ("round", "last")
_LAST = ".".join(_BEFORE)
_ADVICE = "Ask nodes.{0}.status == 'succeeded' or has(nodes.{0}.output) first, here or in `when`"


@dataclass(frozen=True, slots=True)
class View:
    """A group as it is seen by its node `at`, or by its end (None); `afterwards` by what runs whatever became of it."""

    group: Group
    at: str | None
    afterwards: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that may be named; `views` are the groups around, innermost first.

    `guarded` are the nodes that a `when` around has asked about; `inside` says of each node of the flow in which groups
    it stands; `tested` are the values of which a `when` around has asked whether they are there, `known` those that a
    match around has told.
    """

    names: Mapping[str, Shape]
    views: tuple[View, ...]
    inside: Mapping[str, tuple[str, ...]]
    guarded: frozenset[str] = frozenset()
    tested: frozenset[tuple[str, ...]] = frozenset()
    known: Mapping[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])

    def plus(self, name: str, shape: Shape) -> "Scope":
        """Return the scope with one more name."""
        guarded = self.guarded - {_LAST} if name == _BEFORE[0] else self.guarded
        return replace(self, names={**self.names, name: shape}, guarded=guarded)

    def within(self, group: Group, at: str | None) -> "Scope":
        """Return the scope at a node, or at the end, of a group inside."""
        return replace(self, views=(View(group, at), *self.views))

    def afterwards(self) -> "Scope":
        """Return the scope of what runs after the group in any case: of its nodes any may have come to any end."""
        return replace(self, views=(replace(self.views[0], afterwards=True), *self.views[1:]))

    def guarding(self, chains: tuple[Chain, ...]) -> "Scope":
        """Return the scope behind a `when` that reads these names."""
        tested = self.tested | {chain.names for chain in chains if chain.tested}
        return replace(self, guarded=self.guarded | set(_asked(chains)), tested=tested)

    def knowing(self, names: tuple[str, ...], value: str) -> "Scope":
        """Return the scope in the case of a match in which what these names lead to has this value."""
        return replace(self, known={**self.known, names: value})

    def visible(self) -> tuple[str, ...]:
        """Return the ids of all nodes that may be named here."""
        return tuple(
            name
            for view in self.views
            for name in view.group.nodes
            if view.at is None or view.group.runs_before(name, view.at)
        )

    def node(self, name: str, *, offset: int = 0) -> AnyNode:
        """Return the node that a name means here: that of the innermost group which has it. Raises FlawError."""
        for view in self.views:
            if name not in view.group.nodes:
                continue
            if view.at is None or view.group.runs_before(name, view.at):
                return view.group.nodes[name]
            raise _early(view, view.at, name=name, offset=offset)
        hint = nearest(name, self.visible())
        if not hint and self.inside.get(name):
            hint = f"It is inside '{self.inside[name][-1]}': hand it on by the `output:` of that group"
        allowed = listed(self.visible()) or "none has run by then"
        raise FlawError(f"there is no node '{name}' here", offset=offset, allowed=allowed, hint=hint)

    def shape(self, chain: Chain, chains: tuple[Chain, ...]) -> Shape:
        """Return what is known of a chain of names; `chains` are all of its expression. Raises FlawError."""
        root = chain.names[0]
        if root == "nodes":
            return self._node_shape(chain, chains)
        if root == "env" and len(chain.names) > 1 and chain.names[1] not in (self.names["env"].fields or {}):
            raise self._unlisted(chain)
        if root in self.names:
            self._first_round(chain, chains)
            return self._follow(self.names[root], chain, chains=chains, start=1)
        known = (*self.names, "nodes")
        if root == "round":
            raise FlawError("there is a 'round' only inside a repeat", offset=chain.offsets[0], allowed=listed(known))
        unknown = f"there is no '{root}' here"
        raise FlawError(unknown, offset=chain.offsets[0], allowed=listed(known), hint=nearest(root, known))

    def _first_round(self, chain: Chain, chains: tuple[Chain, ...]) -> None:
        """Refuse to read the round before where nobody has asked whether there is one."""
        beyond = chain.names[:2] == _BEFORE and len(chain.names) > len(_BEFORE) and not chain.tested
        if beyond and _LAST not in self.guarded | set(_asked(chains)):
            message = "in the first round there is none before it, and round.last is null"
            hint = "Ask round.index > 0 or round.last != null first, here or in `when`"
            raise FlawError(message, offset=chain.offsets[1], hint=hint)

    def _unlisted(self, chain: Chain) -> FlawError:
        name, known = chain.names[1], self.names["env"].fields or {}
        hint = nearest(name, known) or f"List it at the head of the flow: `env: [{name}]`; no expression gives a secret"
        allowed = listed(known) or "nothing"
        return FlawError(f"'env' has no '{name}'", offset=chain.offsets[1], allowed=allowed, hint=hint)

    def _node_shape(self, chain: Chain, chains: tuple[Chain, ...]) -> Shape:
        if len(chain.names) < _PATH:
            allowed = ", ".join(f"nodes.<id>.{field}" for field in NODE_FIELDS)
            raise FlawError("a node is not a value", offset=chain.offsets[-1], allowed=allowed)
        _, name, part = chain.names[:_PATH]
        node = self.node(name, offset=chain.offsets[1])
        if part == "artifacts":
            return self._artifacts(node, chain, chains=chains)
        if part not in _FIELDS:
            unknown, hint = f"a node has no '{part}'", nearest(part, NODE_FIELDS)
            raise FlawError(unknown, offset=chain.offsets[2], allowed=listed(NODE_FIELDS), hint=hint)
        if part == "tree" and not isinstance(node, AgentNode) and not is_unread(node):
            message = f"node '{name}' leaves no tree of its own"
            raise FlawError(message, offset=chain.offsets[2], allowed="the tree of an agent node")
        absent = may_be_absent(node) or self._is_past(name)
        if part == "status":
            return self._follow(self._status(node), chain, chains=chains, start=_PATH)
        if part != "output":
            shape = DYN if part == "tree" and absent else _FIELDS[part]
            return self._follow(shape, chain, chains=chains, start=_PATH)
        if not absent:
            return self._follow(output_shape(node), chain, chains=chains, start=_PATH)
        if len(chain.names) > _PATH and name not in self.guarded | set(_asked(chains)):
            raise _absent(node, offset=chain.offsets[1])
        _ = self._follow(output_shape(node), chain, chains=chains, start=_PATH)
        return DYN  # null is possible

    def _is_past(self, name: str) -> bool:
        """Say whether a name means a node of a group that is over, whatever became of it."""
        return next(view.afterwards for view in self.views if name in view.group.nodes)

    def _status(self, node: AnyNode) -> Shape:
        if is_unread(node):
            return STRING
        return one_of(sorted(FINAL_NODE)) if self._is_past(node.id) else status_shape(node)

    def _artifacts(self, node: AnyNode, chain: Chain, *, chains: tuple[Chain, ...]) -> Shape:
        """Return the shape of what a node leaves; a node that may fail or be skipped may leave nothing."""
        names = chain.names
        if is_unread(node):
            return DYN
        made = artifacts_shape(node)
        if made is None:
            message = f"node '{names[1]}' leaves no artifacts"
            raise FlawError(message, offset=chain.offsets[2], allowed="a node with `artifacts:`")
        asked = names[1] in self.guarded | set(_asked(chains))
        perhaps = node.when is not None or node.on_failure == "continue" or self._is_past(node.id)
        if len(names) > _PATH and perhaps and not asked:
            message = f"node '{names[1]}' may be skipped or fail, and then it leaves no artifacts"
            raise FlawError(message, offset=chain.offsets[1], hint=_ADVICE.format(names[1]))
        return self._follow(made, chain, chains=chains, start=_PATH)

    def _follow(self, shape: Shape, chain: Chain, *, chains: tuple[Chain, ...], start: int) -> Shape:
        """Return what the rest of a chain leads to."""
        tested = self.tested | {each.names for each in chains if each.tested}
        for index in range(start, len(chain.names)):
            name, before = chain.names[index], chain.names[:index]
            shape = self._variant(shape, before)
            if shape.fields is None:
                if shape.type in {"dyn", "map"}:
                    return DYN
                what = f"'{'.'.join(before)}' is {with_article(shape.type)}, it has no '{name}'"
                raise FlawError(what, offset=chain.offsets[index])
            if name not in shape.fields and shape.open:
                return DYN
            if name not in shape.fields:
                what = f"'{'.'.join(before)}' has no '{name}'"
                hint = nearest(name, shape.fields)
                raise FlawError(what, offset=chain.offsets[index], allowed=listed(shape.fields) or "nothing", hint=hint)
            if name in shape.maybe and (*before, name) not in tested:
                what = f"'{'.'.join(before)}' may be without '{name}': {shape.maybe[name]}"
                raise FlawError(what, offset=chain.offsets[index], hint=_has((*before, name), shape.tag))
            shape = shape.fields[name]
        return self._variant(shape, chain.names)

    def _variant(self, shape: Shape, names: tuple[str, ...]) -> Shape:
        """Return the variant that a value is known to be here, or the value as it is."""
        told = self.known.get((*names, shape.tag)) if shape.tag else None
        return shape if told is None else shape.variants.get(told, shape)


_FIELDS: Mapping[str, Shape] = {"output": DYN, "tree": STRING, "status": STRING, "attempts": INT}


def _has(names: tuple[str, ...], tag: str) -> str:
    name = ".".join(names)
    first = f"Ask has({name}) first, here or in `when`"
    return f"{first}; or read it in a case of a match on {'.'.join(names[:-1])}.{tag}" if tag else first


def _asked(chains: tuple[Chain, ...]) -> Iterator[str]:
    """Yield the nodes that an expression asks about before it may rely on their output, and `round.last`."""
    for chain in chains:
        names = chain.names
        if names in {_BEFORE, ("round", "index")} or (names[:2] == _BEFORE and chain.tested):
            yield _LAST
        if (
            names[0] == "nodes"
            and len(names) >= _PATH
            and (chain.tested or names[2] == "status" or len(names) == _PATH)
        ):
            yield names[1]


def _absent(node: AnyNode, *, offset: int) -> FlawError:
    end = absent_end(node)
    if end is None or node.when is not None:
        message = f"node '{node.id}' may be skipped or fail, and then it has no output"
        return FlawError(message, offset=offset, hint=_ADVICE.format(node.id))
    message = f"node '{node.id}' ends with '{end.id}', which may be skipped or fail, and then neither has an output"
    return FlawError(message, offset=offset, hint=f"Ask has(nodes.{node.id}.output) first, or give it an `output:`")


def _early(view: View, at: str, *, name: str, offset: int) -> FlawError:
    if name == at:
        return FlawError(f"node '{name}' has not run by then: this is part of it", offset=offset)
    after = view.group.runs_before(at, name)
    message = f"node '{name}' has not run by then" + (f": it runs after '{at}'" if after else "")
    return FlawError(message, offset=offset, hint="" if after else f"Add '{name}' to the `needs` of '{at}'")
