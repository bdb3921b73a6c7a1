"""Pictures of flows: what is in them, where it stands, and that no text of a flow can break them."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from itertools import combinations

import pytest
from hypothesis import given, settings, strategies as st

from punchlist.flow.graph import graph_of
from punchlist.flow.parse import parse_flow
from punchlist.model.graph import Box, Graph
from punchlist.render.graph_svg import graph_svg
from punchlist.render.layers import GAP_X, Layout, layout
from punchlist.render.mermaid import mermaid

SVG = "{http://www.w3.org/2000/svg}"
FLOW = """\
punchlist: 1
flow: sample
doc: It shows every kind of note.
inputs: {n: {type: int, default: 2}}
nodes:
  a: {run: [make, all], needs: []}
  b: {run: "echo one\\necho two", needs: [], on_failure: continue}
  each:
    for_each: [1, 2]
    as: item
    max_parallel: ${{ inputs.n }}
    needs: [a, b]
    nodes:
      write: {agent: claude, prompt: Write.}
      build: {agent: claude, role: builder, pack: {}}
  again:
    repeat: {max: "${{ inputs.n }}", until: "${{ nodes.ask.status == 'succeeded' }}"}
    nodes: {ask: {gate: 'Ship "it" <now> & here?', when: "${{ inputs.n > 1 }}"}}
  once: {repeat: {max: 1, until: true}, nodes: {v: {set: {x: 1, y: 2}}}}
  called: {call: ./inner.yaml}
  check: {check: {criteria: [it holds], tree: base}}
  verdict: {judge: [check]}
  integrate: {integrate: "${{ nodes.verdict.output }}"}
  publish: {publish: task}
"""
INNER = "punchlist: 1\nflow: inner\nnodes: {x: {run: 'true'}}\n"


def sample(*, depth: int | None = None) -> Graph:
    return graph_of(parse_flow(FLOW, source="f.yaml", read=lambda _: INNER), depth=depth)


def by_path(boxes: tuple[Box, ...]) -> dict[str, Box]:
    found: dict[str, Box] = {}
    for box in boxes:
        found |= {box.path: box} | by_path(box.boxes)
    return found


def test_a_picture_has_every_node_with_what_it_does_and_the_order_of_each_group() -> None:
    graph = sample()

    boxes = by_path(graph.boxes)
    assert {path: box.notes for path, box in boxes.items()} == {
        "a": ("make all",),
        "b": ("echo one …", "goes on when it fails"),
        "each": ("for each item of [1,2]", "inputs.n at a time"),
        "each.write": ("claude",),
        "each.build": ("claude, as builder",),
        "again": ("up to inputs.n rounds, until", "nodes.ask.status == 'succeeded'"),
        "again.ask": ('Ship "it" <now> & here?', "approve | reject", "when inputs.n > 1"),
        "once": ("once, until", "true"),
        "once.v": ("x, y",),
        "called": ("./inner.yaml",),
        "called.x": ("true",),
        "check": (),
        "verdict": ("over check",),
        "integrate": ("nodes.verdict.output",),
        "publish": ("the task",),
    }
    assert graph.arrows[:3] == (("a", "each"), ("b", "each"), ("each", "again"))
    assert boxes["each"].arrows == (("each.write", "each.build"),)
    assert [path for path, box in boxes.items() if box.may_skip] == ["again.ask"]


def test_groups_can_be_left_closed() -> None:
    graph = sample(depth=1)

    boxes = by_path(graph.boxes)
    assert "each.write" not in boxes
    assert boxes["each"].notes[-1] == "2 nodes inside"
    assert boxes["called"].notes == ("./inner.yaml", "1 node inside")


def test_mermaid_text_has_a_line_a_box_and_an_arrow_and_no_character_that_it_would_read() -> None:
    text = mermaid(sample())

    assert text.splitlines()[:3] == [
        "flowchart TD",
        '  n0["<b>a</b> run<br>make all"]',
        '  n1["<b>b</b> run<br>echo one …<br>goes on when it fails"]',
    ]
    assert '{{"<b>ask</b> gate<br>Ship #quot;it#quot; #lt;now#gt; #amp; here?<br>approve | reject<br>' in text
    assert "  n0 --> n2\n  n1 --> n2\n" in text
    assert text.endswith("  classDef maybe stroke-dasharray: 5 4\n  class n6 maybe\n")


def test_a_picture_as_svg_stands_alone_and_holds_every_name() -> None:
    text = graph_svg(sample())

    root = ET.fromstring(text)
    said = [each.text for each in root.iter(f"{SVG}tspan")]
    titles = [each.text for each in root.iter(f"{SVG}title")]
    assert titles == ["Flow sample. It shows every kind of note.", *by_path(sample().boxes)]
    assert {"a", "write", "ask", "x", "gate"} <= set(said)
    assert not {each.tag for each in root.iter()} & {f"{SVG}script", f"{SVG}image", f"{SVG}use"}
    assert text.count("http") == 1
    assert "<now>" not in text


@pytest.mark.parametrize("hostile", ["</text><script>", "a\x07b\nc", "]]>", "&lt;", '"onload="x', "\u202e"])
def test_no_text_of_a_flow_becomes_structure(hostile: str) -> None:
    graph = Graph(flow="f", doc=hostile, boxes=(Box(path="a", name="a", kind="run", notes=(hostile, "")),))

    root = ET.fromstring(graph_svg(graph))
    assert len(list(root.iter())) == len(list(ET.fromstring(graph_svg(plain())).iter())) + 1
    assert mermaid(graph).count("\n") == 2


def plain() -> Graph:
    return Graph(flow="f", boxes=(Box(path="a", name="a", kind="run"),))


def test_a_flow_without_nodes_is_an_empty_picture() -> None:
    assert layout({}, ()) == Layout({}, {}, (0, 0))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    names = [f"b{number}" for number in range(draw(st.integers(1, 12)))]
    sides = st.floats(10, 300)
    sizes = {name: (draw(sides), draw(sides)) for name in names}
    pairs = list(combinations(names, 2))
    return sizes, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20)) if pairs else []


@given(graphs())
@settings(max_examples=60)
def test_boxes_do_not_overlap_and_arrows_lead_down(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    sizes, arrows = graph
    found = layout(sizes, arrows)

    for one, other in combinations(sizes, 2):
        assert apart(one, other, found=found, sizes=sizes)
    for (first, then), way in found.ways.items():
        assert found.corners[first][1] + sizes[first][1] < found.corners[then][1]
        assert [y for _, y in way] == sorted(y for _, y in way)
    assert set(found.ways) == set(arrows)
    for name, (x, y) in found.corners.items():
        assert x >= -0.001
        assert x + sizes[name][0] <= found.size[0] + 0.001
        assert 0 <= y <= found.size[1] - sizes[name][1] + 0.001


def apart(one: str, other: str, *, found: Layout, sizes: Mapping[str, tuple[float, float]]) -> bool:
    (x, y), (left, top) = found.corners[one], found.corners[other]
    beside = x + sizes[one][0] + GAP_X <= left + 0.001 or left + sizes[other][0] + GAP_X <= x + 0.001
    return beside or y + sizes[one][1] <= top or top + sizes[other][1] <= y


EVERY_OTHER_KIND = """\
punchlist: 1
flow: others
inputs: {colour: {enum: [red, green]}}
nodes:
  holds: {assert: "${{ size(inputs.colour) > 0 }}"}
  by:
    match: ${{ inputs.colour }}
    cases: {red: {nodes: {stop: {fail: It is red.}}}, green: {}}
  pause: {wait: {for: 10s}, timeout: 1m}
  later: {wait: {until: "2026-11-21T10:00:00Z"}, timeout: 1m}
  files: {wait: {file: "*.txt"}, timeout: 1m}
  asked: {wait: {command: [test, -f, done], every: 5s}, timeout: 1m}
  text: {wait: {command: test -f done, every: 5s}, timeout: 1m}
  nested: {nodes: {inner: {run: x}}}
  own: {python: "tools:count"}
  one: {for_each: "${{ [1, 2] }}", as: n, nodes: {x: {run: x}}}
  many: {run: "echo 12345678901234567890123456789012345678901234567890"}
finally:
  tell: {run: ./tell}
"""


def test_every_other_kind_says_what_it_does_too() -> None:
    boxes = by_path(graph_of(parse_flow(EVERY_OTHER_KIND, source="f.yaml")).boxes)

    assert {path: box.notes for path, box in boxes.items()} == {
        "holds": ("size(inputs.colour) > 0",),
        "by": ("by inputs.colour",),
        "by.red": (),
        "by.red.stop": ("It is red.",),
        "by.green": (),
        "pause": ("for 10s",),
        "later": ("until 2026-11-21T10:00:00Z",),
        "files": ("for *.txt",),
        "asked": ("test -f done", "every 5s"),
        "text": ("test -f done", "every 5s"),
        "nested": (),
        "nested.inner": ("x",),
        "own": ("tools:count",),
        "one": ("for each n of [1, 2]",),
        "one.x": ("x",),
        "many": ("echo 12345678901234567890123456789012345678901 …",),
        "finally": (),
        "finally.tell": ("./tell",),
    }
