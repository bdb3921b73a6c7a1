"""`punchlist flow`: the flows that can be named, the text of one, its picture."""

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import yaml

from tests.installed import Workspace

ROOT = Path(__file__).parents[2]
OWN = (
    "punchlist: 1\nflow: deliver\ndoc: Ours.\ninputs: {task: task}\nnodes: {say: {set: {x: '${{ inputs.task.id }}'}}}\n"
)
BROKEN = "punchlist: 1\nflow: broken\nnodes: {a: {runn: x}}\n"


def test_flows_are_listed_shown_and_drawn_without_a_workspace_too(folder: Workspace) -> None:
    listed = folder.ok("flow", "list")["flows"]
    shown = folder.punchlist("flow", "show", "plan")
    drawn = folder.punchlist("flow", "graph", "plan")
    picture = folder.ok("flow", "graph", "deliver", "--format", "svg", "--depth", "1")

    assert [(each["name"], each["source"], each["path"]) for each in listed if each["name"] in {"deliver", "plan"}] == [
        ("deliver", "built_in", None),
        ("plan", "built_in", None),
    ]
    assert shown.out.startswith("punchlist: 1\nflow: plan\n")
    assert drawn.out.startswith("flowchart TD\n")
    assert [box["path"] for box in picture["graph"]["boxes"]] == ["steps", "whole", "publish"]
    assert ET.fromstring(picture["text"]).get("role") == "img"
    assert list(folder.root.iterdir()) == []


def test_a_flow_of_the_workspace_takes_the_place_of_a_built_in_one(workspace: Workspace) -> None:
    workspace.write("flows/deliver.yaml", OWN)
    workspace.write("flows/broken.yaml", BROKEN)

    flows = {each["called"]: each for each in workspace.ok("flow", "list")["flows"]}
    assert (flows["deliver"]["source"], flows["deliver"]["overrides"], flows["deliver"]["doc"]) == (
        "workspace",
        True,
        "Ours.",
    )
    assert flows["broken"]["problems"] == 1
    assert workspace.punchlist("flow", "show", "deliver").out == OWN
    assert workspace.ok("flow", "show", "deliver")["flow"]["inputs"] == {"task": {"type": "task"}}
    broken = workspace.punchlist("flow", "graph", "broken")
    assert (broken.code, "flows/broken.yaml:3:12: node 'a' does not say what it does" in broken.err) == (2, True)
    unknown = workspace.punchlist("flow", "show", "delivr")
    assert (unknown.code, "there is no flow 'delivr'; built in are: deliver" in unknown.err) == (2, True)


def test_the_shell_completes_names_of_flows_and_files(workspace: Workspace) -> None:
    workspace.write("flows/mine.yaml", OWN)

    for words in ("flow show ", "flow graph ", "run ", "validate "):
        asked = f"punchlist {words}"
        count = str(len(asked.split()))
        answer = {"_PUNCHLIST_COMPLETE": "bash_complete", "COMP_WORDS": asked, "COMP_CWORD": count}
        offered = workspace.punchlist(env=answer).out.split()
        assert {"plain,deliver", "plain,mine", "file,"} <= set(offered), words


def test_the_hook_for_commits_names_a_command_that_refuses_a_broken_flow(workspace: Workspace) -> None:
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[0]
    workspace.write("flows/broken.yaml", BROKEN)
    program, *arguments = shlex.split(hook["entry"])

    refused = workspace.punchlist(*arguments, "flows/broken.yaml")
    assert (program, refused.code) == ("punchlist", 2)
    assert refused.out.startswith("flows/broken.yaml:3:12: node 'a' does not say what it does")
    assert all(re.search(hook["files"], name) for name in ("flows/a.yaml", "sub/flows/b.yml"))
    assert not re.search(hook["files"], "docs/a.yaml")


def test_an_editor_is_told_errors_and_warnings_with_their_places(workspace: Workspace) -> None:
    workspace.write("flows/broken.yaml", BROKEN)
    workspace.write("flows/doubtful.yaml", "punchlist: 1\nflow: d\ninputs: {n: int}\nnodes: {a: {run: make}}\n")

    told = workspace.punchlist("validate", "flows/broken.yaml", "flows/doubtful.yaml", "--json")
    broken, doubtful = told.json["flows"]
    assert (told.code, told.json["ok"]) == (2, False)
    assert [(each["line"], each["column"], each["hint"]) for each in broken["errors"]] == [
        (3, 12, "Did you mean 'run'?")
    ]
    assert (doubtful["errors"], doubtful["warnings"]) == (
        [],
        [
            {
                "file": "flows/doubtful.yaml",
                "line": 3,
                "column": 10,
                "message": "nothing reads the input 'n'",
                "hint": "Read it by ${{ inputs.n }}, or take it away.",
            }
        ],
    )
    shown = workspace.punchlist("validate", "flows/doubtful.yaml")
    assert shown.out.splitlines()[1].startswith("flows/doubtful.yaml:3:10: warning: nothing reads the input 'n'.")
    assert shown.code == 0
