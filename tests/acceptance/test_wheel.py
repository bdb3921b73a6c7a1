"""The wheel, installed into a fresh environment with what it asks for and nothing else, runs the demo; all offline."""

import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.installed import Workspace
from tools.installed_size import MOST_MEGABYTES, MOST_PACKAGES, packages, problems

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "src")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--isolated")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy."""
    folder = tmp_path_factory.mktemp("build")
    for name in BUILT_FROM:
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copied(ROOT / name, folder / name)
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that has the packages which are needed, and the wheel; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    (site,) = (folder / "lib").glob("python*/site-packages")
    for package in packages():
        link(package.name, site)
    run(sys.executable, *PIP, "--python", python, "install", "--quiet", "--no-index", wheel, cwd=folder)
    run(sys.executable, *PIP, "--python", python, "check", cwd=folder)
    return folder / "bin" / "punchlist"


def link(package: str, site: Path) -> None:
    """Put an installed package into another environment, as links to its top-level files and folders."""
    found = distribution(package)
    for name in {each.parts[0] for each in found.files or () if each.parts[0] not in {"..", "__pycache__"}}:
        if not (site / name).exists():
            (site / name).symlink_to(Path(str(found.locate_file(name))))


def test_the_wheel_runs_the_demo_with_what_it_asks_for_and_nothing_else(program: Path, folder: Workspace) -> None:
    done = subprocess.run(
        [program, "demo", "shown"], cwd=folder.root, env=folder.environment, capture_output=True, check=False, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "T1     accepted" in done.stdout
    assert str(ROOT) not in done.stdout + done.stderr


def test_the_wheel_has_every_file_of_data(wheel: Path) -> None:
    listed = set(run(sys.executable, "-m", "zipfile", "--list", wheel, cwd=ROOT).split())
    data = [path for path in (ROOT / "src/punchlist").rglob("*") if path.is_file() and path.suffix != ".pyc"]

    assert {path.relative_to(ROOT / "src").as_posix() for path in data} <= listed


def test_what_it_needs_stays_small() -> None:
    found = packages()

    assert list(problems(found)) == []
    assert 0 < len(found) <= MOST_PACKAGES
    assert sum(each.bytes for each in found) <= MOST_MEGABYTES * 1_000_000


def test_each_package_that_is_needed_has_its_reason() -> None:
    page = (ROOT / "docs/explanation/dependencies.md").read_text(encoding="utf-8")

    assert {each.name for each in packages() if f"\n| {each.name} | " not in page} == set()
