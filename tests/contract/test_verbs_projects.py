"""Verbs of projects: create, list, show, edit; whatever is wrong is refused and loses nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import ConflictError, DefinitionError, RefusedError
from punchlist.service import projects, tasks
from punchlist.service.context import Service
from tests.services import (
    git,
    is_clean,
    opened,
    project_workspace,
    repository,
    unchecked,
    workspace,
)

Verb = Callable[[Service], object]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the empty project `p`; no engine ever runs."""
    return project_workspace(tmp_path / "ws")


def test_a_project_without_a_repository_gets_one_with_an_empty_commit(service: Service) -> None:
    answer: Any = projects.show(service)

    repo = service.root / "repos/p"
    assert (answer["project"]["repo"], answer["project"]["base"]) == ("repos/p", "main")
    assert git(repo, "rev-list", "--count", "main") == "1"
    assert git(repo, "ls-tree", "main") == ""


def test_a_repository_of_its_own_takes_few_processes(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, real = tmp_path / "told", shutil.which("git")
    counting = tmp_path / "bin" / "git"
    counting.parent.mkdir()
    counting.write_text(f'#!/bin/sh\necho "$1" >>{told}\nexec {real} "$@"\n', encoding="utf-8")
    counting.chmod(0o755)
    monkeypatch.setenv("PATH", f"{counting.parent}:/usr/bin:/bin")

    answer: Any = projects.create(opened(service.root), "own")

    asked = told.read_text(encoding="utf-8").split()
    assert [each for each in asked if each not in {"-c", "upload-pack"}] == [
        "init", "commit", "rev-parse", "clone", "cat-file", "ls-tree", "update-ref",
    ]  # fmt: skip
    assert answer["uncommitted"] == 0


def test_what_stands_in_the_folder_of_a_new_repository_is_counted_as_not_committed(service: Service) -> None:
    folder = service.root / "repos" / "own"
    folder.mkdir()
    (folder / "notes").write_text("mine", encoding="utf-8")

    answer: Any = projects.create(service, "own")

    assert answer["uncommitted"] == 1
    assert git(folder, "rev-list", "--count", "main") == "1"


def test_a_project_reads_its_settings(tmp_path: Path) -> None:
    said = '[projects.p]\ntitle = "The P"\nsetup = ["true"]\npath = ["bin"]\npolicy = { rework = 1 }\n'
    service = workspace(tmp_path, settings=said)

    answer: Any = projects.create(service, "p")

    assert answer["project"]["title"] == "The P"
    assert answer["project"]["setup"] == ["true"]
    assert answer["project"]["policy"] == {"rework": 1}


def test_a_repository_elsewhere_is_taken_with_the_branch_that_it_has_checked_out(
    service: Service, tmp_path: Path
) -> None:
    repo = repository(tmp_path / "lib")
    git(repo, "checkout", "--quiet", "-b", "trunk")
    (repo / "new").write_text("not committed", encoding="utf-8")

    said: list[str] = []
    answer: Any = projects.create(service, "lib", repo=str(repo), say=said.append)

    assert (answer["project"]["repo"], answer["project"]["base"]) == (str(repo), "trunk")
    assert answer["uncommitted"] == 1
    assert any("1 change is not in the base" in line for line in said)


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("Acme API", "acme-api"), ("../../x", "x"), ("a\nb", "a-b"), ("/etc", "etc"), ("x" * 200_000, "x" * 60)],
)
def test_a_name_that_is_no_slug_is_refused_with_the_slug_that_it_could_be(
    service: Service, name: str, suggested: str
) -> None:
    with pytest.raises(DefinitionError, match="is not a project's name") as refused:
        projects.create(service, name)

    assert f"Try: {suggested} " in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_a_bad_name_hides_no_other_problem(service: Service) -> None:
    with pytest.raises(DefinitionError) as refused:
        projects.create(service, "Acme API", title="two\nlines", base="x" * 5000)

    assert [problem.where for problem in refused.value.problems] == ["name", "base", "title"]


def test_a_name_that_is_taken_is_refused(service: Service) -> None:
    with pytest.raises(RefusedError, match="there is a project p already"):
        projects.create(service, "p")


def test_a_repository_inside_the_workspace_is_recorded_so_that_both_can_be_moved_together(service: Service) -> None:
    repo = repository(service.root / "lib")

    created: Any = projects.create(service, "lib", repo=str(repo))
    edited: Any = projects.edit(service, "lib", changes={"repo": str(repo), "title": "Lib"})

    assert created["project"]["repo"] == edited["project"]["repo"] == "lib"


def test_a_repository_that_cannot_be_built_on_is_refused_with_what_to_type(service: Service, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    repo = repository(tmp_path / "lib")

    with pytest.raises(DefinitionError, match="has no commits") as no_commits:
        projects.create(service, "e", repo=str(empty))
    with pytest.raises(DefinitionError, match="no branch 'next'; branches: main"):
        projects.create(service, "n", repo=str(repo), base="next")
    with pytest.raises(DefinitionError, match="there is no such folder"):
        projects.create(service, "g", repo=str(tmp_path / "gone"))

    assert "commit --allow-empty" in no_commits.value.hint
    assert len(projects.listing(service)["projects"]) == 1  # type: ignore[arg-type]


def test_an_edited_project_has_the_next_version(service: Service) -> None:
    answer: Any = projects.edit(service, "p", changes={"title": "New"}, expected_version=1)

    assert (answer["project"]["title"], answer["project"]["version"]) == ("New", 2)
    with pytest.raises(ConflictError, match="is at version 2, and the change was made for version 1"):
        projects.edit(service, "p", changes={"title": "Newer"}, expected_version=1)
    assert is_clean(service)


def test_an_edit_of_a_project_lists_every_problem(service: Service) -> None:
    with pytest.raises(DefinitionError, match="2 problems"):
        projects.edit(service, changes={"tilte": "x", "base": ""})


def test_with_several_projects_the_one_that_is_meant_must_be_said(service: Service) -> None:
    projects.create(service, "q")

    with pytest.raises(DefinitionError, match="several projects: p, q"):
        projects.show(service)
    with pytest.raises(DefinitionError, match="several projects"):
        tasks.create(service, None, document=unchecked())


def test_without_a_project_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="there is no project here") as refused:
        projects.show(workspace(tmp_path))

    assert "punchlist project create NAME" in refused.value.hint


def test_a_project_that_was_not_made_is_not_to_be_edited(service: Service, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()

    with pytest.raises(DefinitionError, match="not a git repository") as no_repository:
        projects.create(service, "q", repo=str(tmp_path / "plain"))
    with pytest.raises(DefinitionError, match="there is no branch 'gone'") as no_branch:
        projects.create(service, "q", repo=str(service.root / "repos/p"), base="gone")

    assert no_repository.value.hint == "Name another: punchlist project create q --repo DIR"
    assert no_branch.value.hint == "Type: punchlist project create q --base main"
