"""The words that no tracked file may hold."""

import subprocess
from pathlib import Path

import pytest

from tools.tracked_words import HOMES, HOSTS, check, hits, main


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("before", ["", "see ", "path=", "'", "file://"])
def test_a_path_of_one_machine_is_found(home: str, before: str) -> None:
    path = f"/{home}/"

    assert list(hits(f"first\n{before}{path}someone")) == [(2, path)]


@pytest.mark.parametrize("before", [".punchlist", "{folder}", "./a"])
def test_a_relative_path_is_none(before: str) -> None:
    assert list(hits(f"{before}/{HOMES[2]}/T12.3/build")) == []


@pytest.mark.parametrize("parts", HOSTS)
def test_a_download_address_is_found(parts: tuple[str, ...]) -> None:
    assert list(hits(f"https://{'.'.join(parts)}/x")) == [(1, ".".join(parts))]


def test_a_tracked_file_is_named_with_its_line(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "notes.md").write_text(f"one\n/{HOMES[0]}/me\n", encoding="utf-8")

    assert main([str(repository)]) == 1
    assert capsys.readouterr().out == f"notes.md:2: '/{HOMES[0]}/' may not stand here\n"


def test_ignored_and_binary_files_are_passed_over(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / ".gitignore").write_text("*.log\n", encoding="utf-8")
    (repository / "run.log").write_text(f"/{HOMES[0]}/me\n", encoding="utf-8")
    (repository / "picture.png").write_bytes(f"\xff/{HOMES[0]}/".encode("latin-1"))

    assert check(repository) == []
    assert main([str(repository)]) == 0
    assert capsys.readouterr().out == "tracked words: good\n"
