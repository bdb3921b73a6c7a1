"""The first change that CONTRIBUTING describes, made as it stands there on a copy, passes the contract suite."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
MOST_LINES = 100
SUITE = ("tests/contract/test_workers.py", "tests/unit/test_worker_registry.py", "tests/unit/settings")


@pytest.fixture(scope="module")
def change() -> tuple[str, str, str]:
    """The new file's path and text, and the patch of the others."""
    text = PAGE.read_text(encoding="utf-8")
    new = re.search(r"`(src/[\w/]+\.py)`:\n\n( *)```python\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    patch = re.search(r"^( *)```diff\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    assert new is not None
    assert patch is not None
    return new[1], textwrap.dedent(new[3]), textwrap.dedent(patch[2])


def hunks(patch: str) -> Iterator[tuple[str, str, str]]:
    """Yield the path, the old lines and the new ones of each hunk; a place is known by what stands there."""
    for file in re.split(r"^--- a/", patch, flags=re.MULTILINE)[1:]:
        path, *parts = re.split(r"^@@\n", file, flags=re.MULTILINE)
        for part in parts:
            lines = part.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] in " -")
            yield path.partition("\n")[0], old, "".join(line[1:] for line in lines if line[0] in " +")


def test_a_worker_is_added_in_less_than_a_hundred_lines(change: tuple[str, str, str]) -> None:
    _, new, patch = change

    assert len(new.splitlines()) + len(patch.splitlines()) < MOST_LINES


def test_the_worker_that_is_described_passes_the_contract_suite(change: tuple[str, str, str], tmp_path: Path) -> None:
    name, new, patch = change
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    (tmp_path / name).write_text(new, encoding="utf-8")
    for path, old, changed in hunks(patch):
        text = (tmp_path / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} does not hold once:\n{old}"
        (tmp_path / path).write_text(text.replace(old, changed), encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "shell or registry", *SUITE]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "[shell]" in ran.stdout
