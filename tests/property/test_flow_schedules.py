"""Any graph of nodes runs as a few lines say that it must: who is reached, in what order, and how many at a time."""

import json
from random import Random
from typing import NamedTuple

from hypothesis import given, strategies as st

from punchlist.model.jobs import FailureClass
from punchlist.model.policy import Policy
from punchlist.model.states import FINAL_NODE, AttemptStatus, NodeStatus
from tests.runs import Story, flow_of

_MOST = 9
S = NodeStatus


class Node(NamedTuple):
    """A command in a graph: by their places the nodes that it needs, None being the one before it."""

    needs: tuple[int, ...] | None
    fails: bool
    goes_on: bool
    when: bool | None

    def after(self, place: int) -> tuple[int, ...]:
        """Return the places of the nodes that must be over before this one, at `place`, begins."""
        if self.needs is not None:
            return self.needs
        return (place - 1,) if place else ()


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Draw a graph in the order in which it is written; what a node needs stands anywhere, and never needs it."""
    nodes: list[Node] = []
    for place in range(draw(st.integers(1, _MOST))):
        before = st.lists(st.sampled_from(range(place)), unique=True, max_size=3).map(tuple) if place else st.just(())
        nodes.append(
            Node(
                needs=draw(st.none() | before),
                fails=draw(st.sampled_from([False, False, True])),
                goes_on=draw(st.booleans()),
                when=draw(st.sampled_from([None, None, True, False])),
            )
        )
    return nodes


def expected(graph: list[Node]) -> list[NodeStatus]:
    """Return where each node must stand at the end."""
    found: list[NodeStatus] = []
    for place, node in enumerate(graph):
        stopped = any(
            found[each] is S.UNREACHED or (found[each] is S.FAILED and not graph[each].goes_on)
            for each in node.after(place)
        )
        ended = S.FAILED if node.fails else S.SUCCEEDED
        found.append(S.UNREACHED if stopped else S.SKIPPED if node.when is False else ended)
    return found


def written(graph: list[Node]) -> str:
    """Return the flow of a graph; JSON is YAML."""
    nodes: dict[str, dict[str, object]] = {}
    for place, node in enumerate(graph):
        told: dict[str, object] = {"run": "make"}
        if node.needs is not None:
            told["needs"] = [f"n{each}" for each in node.needs]
        if node.goes_on:
            told["on_failure"] = "continue"
        if node.when is not None:
            told["when"] = f"${{{{ inputs.yes == {str(node.when).lower()} }}}}"
        nodes[f"n{place}"] = told
    return f"inputs: {{yes: {{type: bool}}}}\nnodes: {json.dumps(nodes)}\n"


@given(graphs(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_a_graph_of_nodes_runs_as_its_needs_say(graph: list[Node], most: int, chance: Random) -> None:
    must = expected(graph)
    story = Story(flow_of(written(graph)))
    story.start(yes=True, policy=Policy(max_parallel=most))

    while live := sorted(int(path.removeprefix("n")) for path in story.run.live.values()):
        for place in live:
            assert must[place] in {S.SUCCEEDED, S.FAILED}
            assert all(story.node(f"n{each}").status in FINAL_NODE for each in graph[place].after(place))
        assert len(live) == min(most, len(live) + len(ready(story, graph, must)))
        place = chance.choice(live)
        attempt = story.attempt_at(f"n{place}").id
        if graph[place].fails:
            story.over(attempt, status=AttemptStatus.FAILED, failure=FailureClass.WORKER, exit_code=1)
        else:
            story.over(attempt, exit_code=0)

    assert [story.node(f"n{place}").status for place in range(len(graph))] == must
    fails = any(status is S.FAILED and not node.goes_on for node, status in zip(graph, must, strict=True))
    assert story.run.status is (S.FAILED if fails else S.SUCCEEDED)


def ready(story: Story, graph: list[Node], must: list[NodeStatus]) -> list[int]:
    """Return the nodes that could run by now, and wait for a place only."""
    return [
        place
        for place, node in enumerate(graph)
        if must[place] in {S.SUCCEEDED, S.FAILED}
        and not story.node(f"n{place}").attempts
        and all(story.node(f"n{each}").status in FINAL_NODE for each in node.after(place))
    ]
