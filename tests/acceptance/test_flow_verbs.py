"""`punchlist flow`: the flows that can be named, the text of one, its picture."""

import xml.etree.ElementTree as ET

from tests.installed import Workspace

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
