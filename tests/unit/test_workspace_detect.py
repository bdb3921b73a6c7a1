"""Likely set-up and test commands, from the files of a checkout."""

import pytest

from punchlist.workspace.detect import Detected, detect

UNITTEST = "import unittest\n"
PIP = ".venv/bin/python -m pip install --quiet --disable-pip-version-check"
VENV = "python3 -m venv .venv"

CASES = {
    "nothing": ({"README.md": "x"}, Detected()),
    "unittest of the standard library needs no set-up": (
        {"slugger/__init__.py": "", "tests/test_ascii.py": UNITTEST, "pyproject.toml": '[project]\nname = "slugger"\n'},
        Detected(tests=("python3 -m unittest discover -s tests",)),
    ),
    "unittest in a package of tests": (
        {"tests/__init__.py": "", "tests/test_a.py": UNITTEST},
        Detected(tests=("python3 -m unittest discover -s tests -t .",)),
    ),
    "unittest beside the code": ({"test_a.py": UNITTEST}, Detected(tests=("python3 -m unittest discover",))),
    "a source folder": (
        {"src/a/__init__.py": "", "tests/test_a.py": UNITTEST},
        Detected(tests=("PYTHONPATH=src python3 -m unittest discover -s tests",)),
    ),
    "pytest with an extra": (
        {
            "pyproject.toml": '[project]\n[project.optional-dependencies]\ndocs = []\ntests = ["pytest"]\n',
            "tests/test_a.py": "def test_a(): pass\n",
        },
        Detected(setup=(VENV, f"{PIP} -e '.[tests]' pytest"), path=(".venv/bin",), tests=("python3 -m pytest -q",)),
    ),
    "tests that only pytest finds": (
        {"tests/test_a.py": "def test_a(): pass\n"},
        Detected(setup=(VENV, f"{PIP} pytest"), path=(".venv/bin",), tests=("python3 -m pytest -q",)),
    ),
    "requirements": (
        {"requirements.txt": "requests\n", "requirements-dev.txt": "x\n", "test_a.py": UNITTEST},
        Detected(
            setup=(VENV, f"{PIP} -r requirements-dev.txt -r requirements.txt"),
            path=(".venv/bin",),
            tests=("python3 -m unittest discover",),
        ),
    ),
    "dependencies of a package": (
        {"pyproject.toml": '[project]\ndependencies = [\n  "attrs",\n]\n', "tests/test_a.py": UNITTEST},
        Detected(setup=(VENV, f"{PIP} -e ."), path=(".venv/bin",), tests=("python3 -m unittest discover -s tests",)),
    ),
    "npm with a lock": (
        {"package.json": '{"scripts": {"test": "jest"}}', "package-lock.json": "{}"},
        Detected(setup=("npm ci --no-audit --no-fund",), path=("node_modules/.bin",), tests=("npm test",)),
    ),
    "npm without anything to install": (
        {"package.json": '{"scripts": {"test": "node --test"}}'},
        Detected(tests=("npm test",)),
    ),
    "npm's own placeholder is no test": (
        {"package.json": '{"scripts": {"test": "echo no test specified && exit 1"}, "dependencies": {"a": "1"}}'},
        Detected(setup=("npm install --no-audit --no-fund",), path=("node_modules/.bin",)),
    ),
    "pnpm": (
        {"package.json": '{"scripts": {"test": "vitest"}}', "pnpm-lock.yaml": ""},
        Detected(setup=("pnpm install --frozen-lockfile",), path=("node_modules/.bin",), tests=("pnpm test",)),
    ),
    "a broken package file": ({"package.json": "{"}, Detected()),
    "a package file that is a list": ({"package.json": "[1]"}, Detected()),
    "scripts that are no map": ({"package.json": '{"scripts": [], "dependencies": {}}'}, Detected()),
    "rust": ({"Cargo.toml": ""}, Detected(setup=("cargo fetch",), tests=("cargo test",))),
    "go and a makefile": (
        {"go.mod": "", "Makefile": "CHECK := 1\ncheck: test\n\ntest:\n\tgo test\n"},
        Detected(setup=("go mod download",), tests=("go test ./...", "make test", "make check")),
    ),
    "a variable is no target": ({"Makefile": "test := 1\n"}, Detected()),
}


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES.keys())
def test_commands_are_detected(files: dict[str, str], expected: Detected) -> None:
    assert detect(files) == expected
