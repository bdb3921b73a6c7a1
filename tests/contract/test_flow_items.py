"""Items of a `for_each` out of a file: lines, or JSON; what is no list is refused by the name of the file."""

from typing import Any

import pytest

from tests.installed import Workspace

FLOW = """\
punchlist: 1
flow: items
outputs: {lines: "${{ nodes.lines.output }}", json: "${{ nodes.json.output }}"}
nodes:
  make: {run: "printf 'a b\\n\\n$(touch harm)\\r\\nlast' > list", artifacts: {list: list}}
  lines:
    for_each: {lines: "${{ nodes.make.artifacts.list.path }}"}
    as: line
    nodes: {one: {set: {line: "${{ line }}"}}, two: {run: "printf '<%s>' ${{ line }}"}}
    output: ${{ nodes.two.output.stdout }}
  json:
    for_each: things.json
    as: thing
    key: ${{ thing.id }}
    nodes: {one: {set: {n: "${{ thing.n }}"}}}
  none: {for_each: {lines: empty}, as: line, nodes: {one: {run: "false"}}}
  map: {for_each: map.json, as: one, nodes: {n: {run: "true"}}, on_failure: continue}
  bytes: {for_each: {lines: bytes}, as: one, nodes: {n: {run: "true"}}, on_failure: continue}
  large: {for_each: {lines: large}, as: one, nodes: {n: {run: "true"}}, on_failure: continue}
  missing: {for_each: {json: missing.json}, as: one, nodes: {n: {run: "true"}}, on_failure: continue}
  spoil: {run: echo more >> list}
  late: {for_each: {lines: "${{ nodes.make.artifacts.list.path }}"}, as: line, nodes: {n: {run: "true"}}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("items")
    place = Workspace(folder / "here", folder / "home")
    for each in (place.root, place.home):
        each.mkdir()
    place.ok("init")
    place.write("items.yaml", FLOW)
    place.write("things.json", '[{"id": "x", "n": 1}, {"id": "y", "n": 2}]')
    place.write("map.json", "{}")
    place.write("empty", "\n")
    (place.root / "bytes").write_bytes(b"ok\n\xff\n")
    (place.root / "large").write_bytes(b"line\n" * 1_000_000)
    call = place.punchlist("run", "items.yaml", "--foreground", "--json")
    place.stop()
    found: dict[str, Any] = call.json["run"]
    found["harmed"] = (place.root / "harm").exists()
    return found


def node(run: dict[str, Any], path: str) -> dict[str, Any]:
    (found,) = [each for each in run["nodes"] if each["path"] == path]
    assert isinstance(found, dict)
    return found


def test_items_are_the_lines_of_a_file_or_what_its_json_lists(run: dict[str, Any]) -> None:
    assert node(run, "lines")["output"] == ["<a b>", "<$(touch harm)>", "<last>"]
    assert [each["path"] for each in run["nodes"] if each["path"].startswith("json[") and each["kind"] == "item"] == [
        "json[x]",
        "json[y]",
    ]
    assert node(run, "json")["output"] == [{"n": 1}, {"n": 2}]
    assert (node(run, "none")["status"], node(run, "none")["output"]) == ("succeeded", [])
    assert not run["harmed"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("map", "'map.json' holds no list"),
        ("bytes", "'bytes' is not UTF-8"),
        ("large", "'large' has 5.0 MB; an answer holds at most 4 MiB"),
        ("missing", "there is no file 'missing.json'"),
        ("late", "artifact 'list' of node make is not what A1 made: list was changed since"),
    ],
)
def test_a_file_without_items_is_named(run: dict[str, Any], name: str, said: str) -> None:
    assert node(run, name)["status"] == "failed"
    assert said in node(run, name)["error"]
