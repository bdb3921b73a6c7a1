"""What the documentation shows of scripts and specs is what the program reads."""

import re
import tomllib
from pathlib import Path

from punchlist.workers.heuristic import ACCEPTANCE, BACKGROUND, plan_from_markdown
from punchlist.workers.script import Situation, Turn, When, read_script, turn_for
from punchlist.workers.settings import read_settings

DOCS = Path(__file__).parents[2] / "docs"
SCRIPTED = (DOCS / "reference" / "scripted-worker.md").read_text(encoding="utf-8")
SPEC = (DOCS / "howto" / "write-a-spec.md").read_text(encoding="utf-8")


def fenced(text: str, language: str) -> str:
    found = re.search(rf"^(```+){language}\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[2]


def test_the_script_that_is_shown_is_read() -> None:
    script = read_script(fenced(SCRIPTED, "yaml"), what="player.yaml")

    builder = Situation(role="builder", step="T1.1", title="Transliterate by default", round=1)
    assert turn_for(script, builder, what="player.yaml").run
    assert turn_for(script, Situation(role="node"), what="player.yaml").print.startswith("Nothing")


def test_the_settings_that_are_shown_are_taken() -> None:
    workers = tomllib.loads(fenced(SCRIPTED, "toml"))["workers"]

    assert read_settings(workers["player"], name="player", needed="script").script == "player.yaml"


def test_every_key_of_a_turn_is_described() -> None:
    for record in (When, Turn):
        for name in record.__struct_encode_fields__:
            assert f"`{name}`" in SCRIPTED


def test_the_spec_that_is_shown_gives_the_plan_that_it_describes() -> None:
    (task,) = plan_from_markdown("P", fenced(SPEC, "markdown")).tasks

    assert task.title == "Slugs for everyone"
    assert [(step.title, len(step.criteria), step.needs) for step in task.steps] == [
        ("Transliterate by default", 2, None),
        ("Keep Unicode on request", 2, ()),
    ]
    assert task.steps[1].goal == "The parameter is called `allow_unicode`."
    assert len(task.acceptance) == 1


def test_every_name_that_a_section_may_have_is_described() -> None:
    plain = re.sub(r"\s+", "-", SPEC.lower())
    for name in ACCEPTANCE | BACKGROUND:
        assert name in plain
