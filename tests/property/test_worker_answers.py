"""Whatever a worker leaves and whatever a spec says, it is read or refused, and nothing else."""

import contextlib

import msgspec
import rfc8785
from hypothesis import given, strategies as st

from punchlist.errors import DefinitionError
from punchlist.model.jobs import Role, Usage
from punchlist.model.json import Json, plain
from punchlist.model.parse import parse
from punchlist.model.results import Plan
from punchlist.workers.answers import read_answer, read_usage
from punchlist.workers.heuristic import plan_from_markdown

ROLES = st.sampled_from([Role.BUILDER, Role.QA, Role.PLANNER, Role.NODE])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["schema", "criteria", "outcome"]), inner)
    ),
)
LINES = st.sampled_from(
    [
        "# T",
        "## S",
        "### Acceptance",
        "## Acceptance",
        "- it",
        "  - check: `x`",
        "```sh",
        "```",
        "Needs: S",
        "Needs: none",
        "text",
        "",
        "---",
    ]
)


def answered(role: Role, content: bytes) -> tuple[Json, str | None]:
    """Return the answer, or what is wrong with it."""
    try:
        return read_answer(role, content), None
    except DefinitionError as error:
        return None, str(error)


@given(role=ROLES, content=st.binary() | JSON.map(msgspec.json.encode))
def test_any_bytes_are_an_answer_or_a_problem(role: Role, content: bytes) -> None:
    taken, problem = answered(role, content)

    usage = read_usage(content)
    assert usage is None or isinstance(usage, Usage)
    assert plain(taken) == taken if problem is None else problem.strip()


@given(value=JSON)
def test_an_answer_that_is_taken_can_be_written_canonically(value: object) -> None:
    taken, problem = answered(Role.NODE, msgspec.json.encode(value))

    assert rfc8785.dumps(taken) if problem is None else problem.strip()


@given(text=st.text() | st.lists(LINES | st.text()).map("\n".join), title=st.just("A project"))
def test_any_text_is_a_valid_plan_or_a_problem(text: str, title: str) -> None:
    with contextlib.suppress(DefinitionError):
        plan = plan_from_markdown(title, text)

        assert parse(Plan, plain(plan), what="plan") == plan
