import re
from textwrap import dedent

import pytest

from punchlist.errors import DefinitionError
from punchlist.model.records import StepFile, TaskFile
from punchlist.workers.heuristic import plan_from_markdown

SPEC = """\
# Slugs for everyone

People expect more than ASCII.

## Background
They told us so.

## 1. Transliterate by default
Accented letters become their base letters.

- "Ärger" becomes "arger".
  - check: `python -c "import slugger"`
- Plain ASCII stays
  as it was (check: `pytest -q tests/test_ascii.py`)

## 2. Keep Unicode on request
Needs: none

Prose with a list:
- one
- two

### Acceptance criteria
- [ ] It keeps letters.

```sh
# everything
python -m pytest -q
ruff check
```
- It is documented.

## Definition of done
- The whole suite passes.
  ```console
  $ python -m pytest
  3 passed
  ```
"""


def plan(text: str, *, title: str = "The project") -> tuple[TaskFile, ...]:
    return plan_from_markdown(title, dedent(text)).tasks


def step(text: str) -> StepFile:
    ((only,),) = (task.steps for task in plan(text))
    return only


def claims(text: str) -> list[tuple[object, ...]]:
    return [(each.text, each.check) for each in step(text).criteria if not isinstance(each, str)]


def test_headings_become_a_task_and_its_steps() -> None:
    (task,) = plan(SPEC)

    assert task.title == "Slugs for everyone"
    assert [each.title for each in task.steps] == ["Transliterate by default", "Keep Unicode on request"]
    assert task.spec.startswith("People expect more than ASCII.")
    assert "They told us so." in task.spec


def test_bullets_become_criteria_and_commands_their_checks() -> None:
    (task,) = plan(SPEC)
    first, second = task.steps

    assert [(each.text, each.check) for each in first.criteria if not isinstance(each, str)] == [
        ('"Ärger" becomes "arger".', 'python -c "import slugger"'),
        ("Plain ASCII stays as it was", "pytest -q tests/test_ascii.py"),
    ]
    assert [(each.text, each.check) for each in second.criteria if not isinstance(each, str)] == [
        ("It keeps letters.", "set -e\n# everything\npython -m pytest -q\nruff check"),
        ("It is documented.", None),
    ]


def test_what_is_no_criterion_is_the_goal() -> None:
    (task,) = plan(SPEC)

    assert [each.goal for each in task.steps] == [
        "Accented letters become their base letters.",
        "Prose with a list:\n- one\n- two",
    ]


def test_acceptance_at_the_top_is_the_tasks_own() -> None:
    (task,) = plan(SPEC)

    assert [(each.text, each.check) for each in task.acceptance if not isinstance(each, str)] == [
        ("The whole suite passes.", "python -m pytest")
    ]


def test_a_step_needs_the_one_before_unless_it_says_otherwise() -> None:
    (task,) = plan("# T\n## A\n- a\n## B\nNeeds: none\n- b\n## C\nAfter: A, 2\n- c\n## D\n**Needs:** `b`\n- d\n")

    assert [each.needs for each in task.steps] == [None, (), (1, 2), (2,)]
    assert all(each.goal == "" for each in task.steps)


def test_a_need_that_is_not_here_is_refused_with_all_others() -> None:
    with pytest.raises(DefinitionError) as caught:
        plan("# T\n## A\nNeeds: Z\n- a\n## B\nNeeds: 3, A\n- b\n")

    assert "A: it needs 'Z'" in str(caught.value)
    assert "B: it needs '3'" in str(caught.value)


def test_several_first_headings_are_several_tasks_that_need_each_other_only_if_said() -> None:
    tasks = plan("Preamble.\n# One\n## A\n- a\n# Two\nNeeds: One\n## B\n- b\n# Three\n## C\n- c\n")

    assert [(task.title, task.needs) for task in tasks] == [("One", ()), ("Two", (1,)), ("Three", ())]
    assert "Preamble." in tasks[0].spec


def test_a_first_heading_on_acceptance_belongs_to_the_task_before() -> None:
    (task,) = plan("# One\n## A\n- a\n# Acceptance\n- all of it\n")

    assert [each.text for each in task.acceptance if not isinstance(each, str)] == ["all of it"]


def test_without_any_heading_the_project_gives_the_title() -> None:
    (task,) = plan("- It works.\n", title="The project")

    assert (task.title, task.steps[0].title) == ("The project", "The project")
    assert claims("- It works.\n") == [("It works.", None)]


def test_a_request_is_planned_instead_of_the_spec() -> None:
    (task,) = plan_from_markdown("P", "# Spec\n## A\n- a\n", request="Add a --json flag\n\nto every verb.").tasks

    assert (task.title, task.steps[0].goal) == ("Add a --json flag", "Add a --json flag\n\nto every verb.")
    assert len(task.steps[0].criteria) == 1


def test_a_step_that_only_tells_gets_one_criterion_for_a_reviewer() -> None:
    assert claims("# T\n## Tidy up\nRemove what nobody needs.\n") == [("Tidy up: it is done as the goal says.", None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- check: `make test`", [("`make test` succeeds.", "make test")]),
        ("- check: make test", [("`make test` succeeds.", "make test")]),
        ("- It runs.\n\nCheck: `make run`", [("It runs.", "make run")]),
        ("- It runs. Check: ``echo `date` ``", [("It runs.", "echo `date`")]),
        (
            "1. First.\n2) Second.\n* Third.\n+ Fourth.",
            [(f"{each}.", None) for each in ("First", "Second", "Third", "Fourth")],
        ),
        ("- [x] Ticked.", [("Ticked.", None)]),
        ("- Outer.\n  - Inner.\n- Next.", [("Outer. Inner.", None), ("Next.", None)]),
        (
            "```sh\nmake\n```\n```sh\nmake test\n```",
            [("`make` succeeds.", "make"), ("`make test` succeeds.", "make test")],
        ),
        ("- A.\n```python\nprint()\n```", [("A.", None)]),
        ("- A.\n~~~ bash\nmake\n~~~", [("A.", "make")]),
        ("- A.\n```sh\nmake", [("A.", "make")]),
        ("**Done when:**\n- A.", [("A.", None)]),
        ("- one of many\n\nAcceptance:\n- A.", [("A.", None)]),
    ],
)
def test_each_form_of_criterion_is_read(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert claims(f"# T\n## S\n{text}\n") == expected


def test_headings_may_be_underlined_and_a_front_matter_is_none() -> None:
    (task,) = plan("---\ntitle: x\n---\nThe title\n=========\n\nA step\n------\n- a\n")

    assert (task.title, [each.title for each in task.steps]) == ("The title", ["A step"])


def test_titles_are_one_line_without_their_numbers_and_not_too_long() -> None:
    (task,) = plan(f"# **Bold**\n## Step 3: Go\tthere\n- a\n## {'x' * 300}\n- b\n##\n- c\n")

    assert task.title == "Bold"
    assert task.steps[0].title == "Go there"
    assert len(task.steps[1].title) == 200
    assert task.steps[2].title == "Step 3"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# Red \x1b[31m\n- a\n", r"the title 'Red \\\\u001b\[31m' holds the character U\+001B"),
        ("# Good\n## Turn \u202eround\n- a\n", r"holds the character U\+202E"),
    ],
)
def test_control_characters_in_titles_are_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        plan(text)

    assert re.search(f"the spec: .*{says}", str(refused.value))


@pytest.mark.parametrize("request_", ["../../x", "/etc/passwd", "# ../x\n- a"])
def test_a_request_that_is_a_path_is_refused_where_it_stands(request_: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        plan_from_markdown("The project", "", request=request_)

    assert re.search(r"the request: '.*' is a path", str(refused.value))


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_spec_says_what_to_write(text: str) -> None:
    with pytest.raises(DefinitionError, match="the spec is empty") as caught:
        plan(text)

    assert "## heading" in caught.value.hint


@pytest.mark.parametrize(
    ("line", "title"),
    [("## A step ##  ", "A step"), ("##  A step", "A step"), ("## C#", "C#"), ("## A # step", "A # step")],
)
def test_hashes_may_close_a_heading(line: str, title: str) -> None:
    assert step(f"{line}\n\n- It holds.\n").title == title


@pytest.mark.parametrize("goes_on", [" ", " #", "#", "\t"])
def test_a_heading_of_any_length_is_read_in_time_that_grows_with_it(goes_on: str) -> None:
    assert len(plan(f"## a{goes_on * 50_000}x\n\n- It holds.\n")) == 1
