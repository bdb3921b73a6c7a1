"""The schema of flows as they are written, for editors: it takes what the checker takes, and finds slips."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from punchlist.flow.document import compose, plain
from punchlist.flow.file_schema import flow_schema
from punchlist.flow.nodes import KINDS, keys_of
from punchlist.flow.problems import Problems
from tests.flows.cases import FLOW, cases

DATA = Path(__file__).parents[3] / "src/punchlist/data/flows"
BUILT_IN = {path.name: path.read_text(encoding="utf-8") for path in DATA.glob("*.yaml")}
SOUND = {
    case.title: case.files[FLOW]
    for case in cases()
    if all(line.startswith("warning:") for line in case.said.get("errors", "").splitlines())
}
HEAD = "punchlist: 1\nflow: f\n"
VALIDATOR = jsonschema_rs.validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema", **flow_schema()})


def slips(text: str) -> list[str]:
    problems = Problems("f.yaml")
    tree = compose(text, problems)
    assert tree is not None
    assert problems.none
    return [error.message for error in VALIDATOR.iter_errors(plain(tree))]


@pytest.mark.parametrize("name", [*SOUND, *BUILT_IN])
def test_what_the_checker_takes_the_schema_takes(name: str) -> None:
    assert slips((SOUND | BUILT_IN)[name]) == []


@pytest.mark.parametrize(
    "flow",
    [
        "nodes: {}",
        "nodes: {a: {run: x}}\nnods: {}",
        "nodes: {A: {run: x}}",
        "nodes: {a: {run: x, time_out: 5m}}",
        "nodes: {a: {run: 5}}",
        "nodes: {a: {run: x, timeout: soon}}",
        "nodes: {a: {run: x, needs: b}}",
        "nodes: {a: {agent: claude, prompt: x, session: old}}",
        "nodes: {a: {for_each: [1], as: n, nodes: {b: {runn: x}}}}",
        "nodes: {a: {repeat: {max: 1}, nodes: {b: {run: x}}}}",
        "nodes: {a: {check: {criteria: [{text: x, chek: y}], tree: base}}}",
        "inputs: {n: number}\nnodes: {a: {run: x}}",
        "policy: {timeot: 5m}\nnodes: {a: {run: x}}",
    ],
)
def test_a_slip_is_found_at_any_depth(flow: str) -> None:
    assert slips(HEAD + flow)


def test_every_kind_is_offered_with_all_its_keys() -> None:
    definitions: Any = flow_schema()["$defs"]

    assert {kind: tuple(definitions[f"node-{kind}"]["properties"]) for kind in KINDS} == {
        kind: keys_of(kind) for kind in KINDS
    }
    assert all(definitions[f"node-{kind}"]["description"] for kind in KINDS)
