"""The flow language does what its examples say; `python -m tests.flows.cases` writes them anew."""

from pathlib import Path

import pytest

from tests.flows.cases import SETTINGS, Case, cases, checked, outcomes
from tests.services import stopped, workspace

# An engine outlives who started it, also when that is this process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

EVERY = cases()
CHECKED = {case.title: case for case in EVERY if not case.runs}
RUN = {case.title: case for case in EVERY if case.runs}


@pytest.mark.parametrize("title", CHECKED)
def test_the_checker_says_of_a_flow(title: str) -> None:
    case: Case = CHECKED[title]

    assert checked(case) == case.said["errors"]


def test_the_engine_makes_of_every_flow_that_is_run_what_its_example_says(tmp_path: Path) -> None:
    with stopped(workspace(tmp_path / "workspace", settings=SETTINGS, engine=True)) as service:
        came = outcomes([*RUN.values()], service)

    assert came == {title: case.said.get("outcome", case.said.get("refused")) for title, case in RUN.items()}
    assert not (tmp_path / "workspace" / "harm").exists()


def test_every_case_has_a_name_of_its_own_and_half_of_them_are_errors() -> None:
    wrong = [case for case in EVERY if any(case.said.get(kind) for kind in ("errors", "refused"))]

    assert len(CHECKED) + len(RUN) == len(EVERY)
    assert len(EVERY) >= 200
    assert len(wrong) >= len(EVERY) / 2
