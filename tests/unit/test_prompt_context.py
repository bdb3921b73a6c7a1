"""What `context.json` says of a prompt."""

from punchlist.model.json import Json
from punchlist.model.records import Project
from punchlist.render.prompts import SPEC_LENGTH, context_of


def project(spec: str) -> Project:
    """Return a project with this spec."""
    return Project(id="p", title="p", spec=spec, repo=".", base="main")


def test_the_context_names_each_layer_and_says_what_was_cut() -> None:
    pack: dict[str, Json] = {
        "step": {"id": "T1.1"},
        "criteria": [{"id": "AC-1"}],
        "spec": "Keep it.",
        "context": ["docs/a.md"],
    }

    said = context_of(pack, project("x" * (SPEC_LENGTH + 1)), prompt="1234")

    assert said == {
        "schema": "punchlist/context/1",
        "prompt_length": 4,
        "layers": {
            "L0": ["step", "criteria"],
            "L1": [
                {"name": "project", "length": SPEC_LENGTH + 1, "cut": True},
                {"name": "task", "length": 8, "cut": False},
            ],
            "L2": ["context"],
            "L3": [],
        },
    }


def test_a_prompt_without_a_project_has_no_layer_of_one() -> None:
    said = context_of({"request": "Do it."}, None, prompt="")

    assert said["layers"] == {"L0": ["request"], "L1": [], "L2": [], "L3": []}
