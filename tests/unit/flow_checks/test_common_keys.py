"""Keys that many kinds of nodes may have: each takes effect, or is refused."""

import pytest

from punchlist.errors import DefinitionError
from punchlist.flow.parse import parse_flow

CHECK = "check: {criteria: [it holds], tree: base}"


@pytest.mark.parametrize(
    ("node", "key"),
    [
        (CHECK, "timeout: 5m"),
        (CHECK, "silence: 5m"),
        (CHECK, "memory: 1GiB"),
        ("set: {a: 1}", "memory: 1GiB"),
        ("set: {a: 1}", "retry: {max: 2}"),
        ("gate: Go on?", "retry: {max: 2}"),
        ("nodes: {inner: {run: [ls]}}", "timeout: 5m"),
    ],
)
def test_a_limit_that_no_one_would_keep_is_refused(node: str, key: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_flow(f"punchlist: 1\nflow: f\nnodes:\n  a:\n    {node}\n    {key}\n", source="f.yaml")

    assert key.partition(":")[0] in str(refused.value)


@pytest.mark.parametrize("key", ["retry: {max: 2}", "timeout: 5m", "silence: 5m", "memory: 1GiB"])
def test_a_command_takes_every_limit(key: str) -> None:
    flow = parse_flow(f"punchlist: 1\nflow: f\nnodes:\n  a:\n    run: [ls]\n    {key}\n", source="f.yaml")

    assert getattr(flow.nodes[0], key.partition(":")[0]) is not None
