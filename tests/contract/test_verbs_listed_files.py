"""Generated files, listed a page at a time from what state says, and read one by one."""

import pytest

from punchlist.errors import DefinitionError
from punchlist.service import files, projects
from punchlist.service.context import Service
from tests.services import created, project_workspace


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A workspace of three projects, and of tasks that have more than one digit."""
    service = project_workspace(tmp_path_factory.mktemp("files") / "w")
    for number in range(11):
        created(service, title=f"Write part {number}")
    for name in ("another", "p-2"):
        projects.create(service, name)
    return service


def paged(service: Service, most: int) -> list[list[str]]:
    pages: list[list[str]] = []
    after = None
    while True:
        shown, after = files.page(service, after, most=most)
        pages.append(shown)
        if after is None:
            return pages


@pytest.mark.parametrize("most", [1, 5, 12, 15, 16, 81, 10_000])
def test_all_pages_together_list_every_file_once(service: Service, most: int) -> None:
    pages = paged(service, most)

    listed = [path for page in pages for path in page]
    assert sorted(listed) == sorted(service.files.listing())
    assert all(most <= len(page) < most + 6 for page in pages[:-1])
    assert pages[-1] != []


def test_what_is_listed_can_be_read_also_when_somebody_removed_it(service: Service) -> None:
    (paths,) = paged(service, 10_000)
    before = {path: files.content(service, path) for path in paths}
    service.files.remove(paths)

    (listed,) = paged(service, 10_000)
    after = {path: files.content(service, path) for path in paths}

    assert listed == paths
    assert after == before
    assert None not in after.values()


def test_a_file_that_state_does_not_have_is_none(service: Service) -> None:
    assert files.content(service, "p/tasks/T99-gone/task.md") is None
    assert files.content(service, "another/tasks/T1-write-part-0/task.md") is None
    assert files.content(service, "gone/project.md") is None


@pytest.mark.parametrize("after", ["R1", "T1.1", "G1"])
def test_a_page_behind_what_is_no_project_and_no_task_is_refused(service: Service, after: str) -> None:
    with pytest.raises(DefinitionError):
        files.page(service, after, most=10)
