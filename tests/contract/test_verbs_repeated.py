"""An idempotency key is good for one call: the same again gives the first answer, another one is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from punchlist.errors import RefusedError
from punchlist.model.json import Json
from punchlist.service import projects, steps, tasks
from punchlist.service.context import Service
from tests.services import created, project_workspace, shown, unchecked

KEY = "k1"
STEP: Json = {"title": "Tell", "criteria": ["It is told."]}

Verb = Callable[[Service], object]
CALLS: dict[str, Verb] = {
    "project create": lambda s: projects.create(s, "q", spec="# Q\n", key=KEY),
    "project create with another spec": lambda s: projects.create(s, "q", spec="# R\n", key=KEY),
    "project edit": lambda s: projects.edit(s, "p", changes={"title": "P"}, key=KEY),
    "task create": lambda s: tasks.create(s, None, document=unchecked(), key=KEY),
    "task create of another title": lambda s: tasks.create(s, None, document=unchecked(title="Other"), key=KEY),
    "task edit": lambda s: tasks.edit(s, "T1", changes={"title": "New"}, key=KEY),
    "task edit of another task": lambda s: tasks.edit(s, "T2", changes={"title": "New"}, key=KEY),
    "step add": lambda s: steps.add(s, "T1", document=STEP, key=KEY),
    "step add elsewhere": lambda s: steps.add(s, "T1", document=STEP, position=1, key=KEY),
    "step edit": lambda s: steps.edit(s, "T1.1", changes={"title": "New"}, key=KEY),
}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the project `p` and two drafts; no engine ever runs."""
    made = project_workspace(tmp_path / "ws")
    created(made)
    created(made)
    return made


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_again_gives_the_first_answer_and_does_nothing(service: Service, name: str) -> None:
    first = CALLS[name](service)
    with service.store.read() as reader:
        before = [row.n for row in reader.streams()]

    assert CALLS[name](service) == first
    with service.store.read() as reader:
        assert [row.n for row in reader.streams()] == before


@pytest.mark.parametrize(
    ("first", "name"), [(first, name) for first in ("task create", "step add") for name in CALLS if name != first]
)
def test_another_call_with_the_same_key_is_refused_and_does_nothing(service: Service, first: str, name: str) -> None:
    CALLS[first](service)
    before = [shown(service, task) for task in ("T1", "T2")]

    with pytest.raises(RefusedError, match=f"the key 'k1' was given to another call: {first}"):
        CALLS[name](service)

    assert [shown(service, task) for task in ("T1", "T2")] == before


@pytest.mark.parametrize("number", [2**53, 10**40])
def test_a_call_with_a_number_that_no_record_can_hold_is_another_call_like_any_other(
    service: Service, number: int
) -> None:
    CALLS["task create"](service)

    with pytest.raises(RefusedError, match="the key 'k1' was given to another call: task create, with other arguments"):
        tasks.create(service, None, document=unchecked(needs=[number]), key=KEY)
