"""Hostile values through a whole run: in commands of both forms, in the environment, on standard input, in a prompt."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.installed import Workspace

VALUES = [
    "$(touch harm)", "`touch harm`", "'; touch harm; '", '"; touch harm; "', "a\nb\n", "$IFS", "-n", "*", "\\", "",
    "${{ inputs.none }}", "$(rm -rf ~)",
]  # fmt: skip
FLOW = """\
punchlist: 1
flow: hostile

nodes:
  each:
    for_each: {json: values.json}
    as: value
    max_parallel: 4
    nodes:
      string: {run: "printf '%s|' ${{ value }} \\"${{ value }}\\"; v=${{ value }}; printf %s \\"$v\\""}
      words: {run: [printf, "%s", "${{ value }}"]}
      variable: {run: 'printf %s "$V"', env: {V: "${{ value }}"}}
      input: {run: cat, stdin: "${{ value }}"}
      prompt: {agent: reader, prompt: "<${{ value }}>", output: {read: string}}
  odd:
    for_each: {json: odd.json}
    as: value
    on_item_failure: continue
    nodes: {string: {run: "echo ${{ value }}"}}
    on_failure: continue
  long: {for_each: {json: long.json}, as: value, nodes: {input: {run: wc -c, stdin: "${{ value }}"}}}
"""
SETTINGS = """\
[workers.reader]
type = "command"
argv = ["./reader"]
"""
READER = """\
#!/usr/bin/env python3
import json, os
prompt = open(os.environ["PUNCHLIST_PROMPT"], newline="").read()
json.dump({"read": prompt[1 : prompt.rindex(">")]}, open(os.environ["PUNCHLIST_RESULT"], "w"))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("hostile")
    place = Workspace(folder / "here", folder / "home")
    for each in (place.root, place.home):
        each.mkdir()
    (place.home / "precious").touch()
    place.ok("init")
    place.write("punchlist.toml", SETTINGS)
    place.write("reader", READER).chmod(0o755)
    place.write("hostile.yaml", FLOW)
    place.write("values.json", json.dumps(VALUES))
    place.write("odd.json", json.dumps(["a\0b", "x" * 1_000_000]))
    place.write("long.json", json.dumps(["x" * 1_000_000]))
    call = place.punchlist("run", "hostile.yaml", "--foreground", "--json")
    assert call.code == 0, call
    found: dict[str, Any] = {each["path"]: each for each in call.json["run"]["nodes"]}
    found["left"] = ((place.root / "harm").exists(), (place.home / "precious").exists())
    yield found
    place.stop()


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_a_hostile_value_arrives_as_it_is(run: dict[str, Any], number: int) -> None:
    value = VALUES[number]

    assert run[f"each[{number}].string"]["output"]["stdout"] == f"{value}|{value}|{value}"
    assert run[f"each[{number}].words"]["output"]["stdout"] == value
    assert run[f"each[{number}].variable"]["output"]["stdout"] == value
    assert run[f"each[{number}].input"]["output"]["stdout"] == value
    assert run[f"each[{number}].prompt"]["output"] == {"read": value}
    assert run["left"] == (False, True)


def test_what_no_command_can_be_given_fails_by_name_and_a_long_value_goes_by_standard_input(
    run: dict[str, Any],
) -> None:
    assert "has a zero character, which no command can be given" in run["odd[0].string"]["error"]
    assert "has 1000000 bytes, too many for a command line" in run["odd[1].string"]["error"]
    assert "Give the value by `stdin:` or a file" in run["odd[1].string"]["error"]
    assert run["long[0].input"]["output"]["stdout"].strip() == "1000000"
