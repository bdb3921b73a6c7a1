"""The static check of a flow: its order, its names, and the type of every expression, all before anything runs."""

from dataclasses import dataclass

import msgspec

from punchlist.flow.case_check import case_flaws, value_in
from punchlist.flow.expression_check import Spot, chains_of, check_value, only_name, shape_of
from punchlist.flow.given import check_node_given
from punchlist.flow.groups import Group, group_of, rings
from punchlist.flow.inputs import rule, unfit
from punchlist.flow.places import Places
from punchlist.flow.problems import Problems
from punchlist.flow.scope import Scope
from punchlist.flow.shapes import Unread, is_unread, root_shapes, round_shape
from punchlist.flow.templates import OPEN, FlawError, whole
from punchlist.flow.uses import Use, uses
from punchlist.flow.value_shapes import DYN, STRING, Shape, record_shape
from punchlist.flow.waits import too_long
from punchlist.flow.words import FINALLY, NAME_RULE, ROOTS, TYPE_NAMES, is_name, listed
from punchlist.model.allowed import nearest
from punchlist.model.flow import (
    AgentNode,
    AnyNode,
    CallNode,
    CheckNode,
    FailNode,
    Flow,
    ForEachNode,
    GroupNode,
    JudgeNode,
    MatchNode,
    RepeatNode,
    ReviewNode,
    WaitNode,
)
from punchlist.model.json import Json
from punchlist.model.parts import Path
from punchlist.model.records import Step


def check(flow: Flow, *, places: Places, problems: Problems) -> None:
    """Note everything that is wrong with a flow whose shape is right; a node without a kind is passed over."""
    checker = _Checker(places, problems, flow.secrets)
    scope = Scope(root_shapes(flow), (), dict(_inside(flow.nodes, ())))
    end = checker.group(flow.nodes, ("nodes",), scope=scope)
    check_value(dict(flow.outputs), Spot(places, problems, ("outputs",), end))
    if flow.finally_ is not None:
        checker.group(flow.finally_.nodes, (FINALLY,), scope=end.afterwards())


def _inside(nodes: tuple[AnyNode, ...], around: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in nodes:
        found.append((node.id, around))
        if isinstance(node, GroupNode | ForEachNode | RepeatNode):
            found += _inside(node.nodes, (*around, node.id))
        elif isinstance(node, MatchNode):
            found += [pair for case in node.every for pair in _inside(case.nodes, (*around, node.id))]
    return found


_TASK = "task"
"""The input by which a flow that delivers is given its task."""
_STEPS = "a for_each over the steps of the input 'task': ${{ inputs.task.steps }}"


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a node: whether it may be the item of a step, and whether right around it are rounds."""

    step: bool = False
    rounds: bool = False


_NOWHERE = _Around()


@dataclass(frozen=True, slots=True)
class _Checker:
    places: Places
    problems: Problems
    secrets: tuple[str, ...] = ()

    def group(self, nodes: tuple[AnyNode, ...], path: Path, *, scope: Scope, around: _Around = _NOWHERE) -> Scope:
        """Check the nodes of a group at `path`; return the scope at its end."""
        group = group_of(nodes)
        self._order(group, path)
        for node in nodes:
            self._node(node, (*path, node.id), scope=scope.within(group, node.id), around=around)
        return scope.within(group, None)

    def _order(self, group: Group, path: Path) -> None:
        for node in group.nodes.values():
            for index, need in enumerate(node.needs or ()):
                place = self.places.of((*path, node.id, "needs", index))
                if need not in group.nodes:
                    message = f"node '{node.id}' needs '{need}', but here are only: {listed(group.nodes)}"
                    self.problems.add(place, message, hint=nearest(need, group.nodes))
        for ring in rings(group.needs):
            place = self.places.of((*path, ring[0], "needs"))
            self.problems.add(place, f"nodes wait for each other: {' → '.join(ring)}", hint="Take one `needs` away")

    def _node(self, node: AnyNode, path: Path, *, scope: Scope, around: _Around) -> None:
        for reading in (isinstance(node, Unread) and node.readings) or (node,):
            self._reading(reading, path, scope=scope, around=around)

    def _reading(self, node: AnyNode, path: Path, *, scope: Scope, around: _Around) -> None:
        self._effects(node, path, around=around)
        check_node_given(node, path, flow_secrets=self.secrets, places=self.places, problems=self.problems)
        item = scope
        if isinstance(node, ForEachNode):
            self._name(node, path, scope=scope)
            item = scope.plus(node.as_, self._item(node, scope))
        asked = _guarded(item, node.when)
        body = self._body(node, path, scope=asked, around=around)
        outside = (
            scope if isinstance(node, ForEachNode) else asked
        )  # its `when` is asked for each item, not for the list
        views = {"node": outside, "item": asked, "body": body}
        for use in uses(node):
            seen_from = item if use.path == ("when",) else views[use.view]
            self._value(use, path, scope=seen_from)
        self._kind(node, path, scope=scope)

    def _effects(self, node: AnyNode, path: Path, *, around: _Around) -> None:
        """Refuse what would have no effect where the node stands."""
        if node.phase is not None and not around.step:
            message = "a phase is the state of a step, and there is none around this node"
            self.problems.add(self.places.of((*path, "phase")), message, allowed=f"inside {_STEPS}")
        if isinstance(node, FailNode) and node.on_failure == "continue":
            message = "a failure on purpose cannot be passed over"
            self.problems.add(self.places.of((*path, "on_failure")), message, allowed="fail")
        if isinstance(node, AgentNode) and node.session == "keep" and not around.rounds:
            message = "a session is kept from round to round, and there are no rounds right around this node"
            allowed = "session: new, or among the nodes of a repeat"
            self.problems.add(self.places.of((*path, "session")), message, allowed=allowed)

    def _body(self, node: AnyNode, path: Path, *, scope: Scope, around: _Around) -> Scope:
        inner = (*path, "nodes")
        match node:
            case ForEachNode():
                steps = around.step or self._may_be_steps(node, scope)
                return self.group(node.nodes, inner, scope=scope, around=_Around(step=steps))
            case RepeatNode():
                within = _Around(step=around.step, rounds=True)
                return self.group(node.nodes, inner, scope=scope.plus("round", round_shape(node)), around=within)
            case GroupNode():
                return self.group(node.nodes, inner, scope=scope, around=_Around(step=around.step))
            case MatchNode():
                self._cases(node, path, scope=scope, around=_Around(step=around.step))
                return scope
            case _:
                return scope

    def _cases(self, node: MatchNode, path: Path, *, scope: Scope, around: _Around) -> None:
        shape, name = shape_of(node.match, scope), only_name(node.match)
        for flaw in case_flaws(node, shape):
            of = (*path, "cases") if flaw.case is None else (*path, "cases", str(flaw.case.of))
            place = self.places.of_key(of)
            self.problems.add(place, flaw.message, allowed=flaw.allowed, hint=flaw.hint)
        asked = _guarded(scope, node.match)
        for case in node.every:
            at = (*path, "else") if case.of is None else (*path, "cases", case.of)
            told = value_in(node, case, shape=shape)
            within = asked if name is None or told is None else asked.knowing(name.names, told)
            end = self.group(case.nodes, (*at, "nodes"), scope=within, around=around)
            check_value(case.output, Spot(self.places, self.problems, (*at, "output"), end))

    def _name(self, node: ForEachNode, path: Path, *, scope: Scope) -> None:
        place = self.places.of((*path, "as"))
        if not node.as_:
            return  # said where it is read
        if not is_name(node.as_) or node.as_ in TYPE_NAMES:
            self.problems.add(place, f"an item cannot be called '{node.as_}'", allowed=NAME_RULE)
        elif node.as_ in ROOTS or node.as_ in scope.names:
            self.problems.add(place, f"'{node.as_}' already means something here", hint="Choose another name")

    def _may_be_steps(self, node: ForEachNode, scope: Scope) -> bool:
        """Say whether the items may be steps of the flow's task, as far as that is known before it runs."""
        if _TASK not in (scope.names["inputs"].fields or {}):
            return False
        listed_here = node.for_each if isinstance(node.for_each, list) else None
        if listed_here is not None and all(OPEN not in str(each) for each in listed_here):
            return False
        return self._item(node, scope) in (DYN, record_shape(Step))

    def _item(self, node: ForEachNode, scope: Scope) -> Shape:
        """Return the shape of one item, when the list is a name of which that is known."""
        if isinstance(node.for_each, dict):
            return STRING if "lines" in node.for_each else DYN
        return shape_of(node.for_each if isinstance(node.for_each, str) else "", scope).item or DYN

    def _kind(self, node: AnyNode, path: Path, *, scope: Scope) -> None:
        """Check what only one kind of node says."""
        match node:
            case JudgeNode():
                self._judge(node, (*path, "judge"), scope=scope)
            case CallNode() if node.flow.nodes:
                self._call(node, path)
            case WaitNode():
                self._wait(node, path)
            case _:
                pass

    def _wait(self, node: WaitNode, path: Path) -> None:
        place = self.places.of_key((*path, "wait"))
        if node.timeout is None and not self.places.has((*path, "timeout")):
            what = f"node '{node.id}' (wait) lacks 'timeout'"
            self.problems.add(place, what, hint="Add `timeout: 1h` beside `wait:`: nothing waits for ever")
        elif too_long(node):
            what = f"it waits {node.wait.for_}, and its timeout is {node.timeout}: it would always fail"
            self.problems.add(self.places.of((*path, "wait", "for")), what)

    def _judge(self, node: JudgeNode, path: Path, *, scope: Scope) -> None:
        judged = [self._judged(name, (*path, index), scope=scope) for index, name in enumerate(node.judge)]
        sufficient = (each is None or (isinstance(each, CheckNode) and each.expect == "pass") for each in judged)
        if judged and not any(sufficient):
            message = "a verdict needs a check that must pass (`expect: pass`, which is the default)"
            self.problems.add(self.places.of(path), message)

    def _judged(self, name: str, path: Path, *, scope: Scope) -> CheckNode | ReviewNode | None:
        """Return a node that is judged, or None when that cannot be said."""
        try:
            node = scope.node(name)
        except FlawError as flaw:
            self.problems.add(self.places.of(path), flaw.message, allowed=flaw.allowed, hint=flaw.hint)
            return None
        if isinstance(node, CheckNode | ReviewNode):
            return node
        if not is_unread(node):
            message = f"node '{name}' gives nothing to judge"
            self.problems.add(self.places.of(path), message, allowed="check and review nodes")
        return None

    def _call(self, node: CallNode, path: Path) -> None:
        declared = node.flow.inputs
        for name, value in node.with_.items():
            place = self.places.of((*path, "with", name))
            if name not in declared:
                message = f"'{node.call}' has no input '{name}'"
                self.problems.add(place, message, allowed=listed(declared) or "none", hint=nearest(name, declared))
            elif (OPEN not in str(value) or _is_text(value)) and (why := unfit(declared[name], value)):
                self.problems.add(place, f"input '{name}' of '{node.call}' is {why}", allowed=rule(declared[name]))
        for name, each in declared.items():
            if each.default is msgspec.UNSET and name not in node.with_:
                hint = f"Add it under `with:` ({rule(each)})"
                self.problems.add(self.places.of(path), f"'{node.call}' needs the input '{name}'", hint=hint)

    def _value(self, use: Use, path: Path, *, scope: Scope) -> None:
        if use.value:  # most keys of most nodes are not there
            spot = Spot(self.places, self.problems, (*path, *use.path), scope, use.want)
            check_value(use.value, spot, command=use.command)


def _is_text(value: Json) -> bool:
    """Say whether a value is text with expressions in it, which gives text whatever they give."""
    try:
        return isinstance(value, str) and OPEN in value and whole(value) is None
    except FlawError:
        return False  # said where the expression itself is checked


def _guarded(scope: Scope, when: str | None) -> Scope:
    """Return the scope behind a node's `when`."""
    try:
        return scope if when is None else scope.guarding(chains_of(when))
    except FlawError:
        return scope  # said where the `when` itself is checked
