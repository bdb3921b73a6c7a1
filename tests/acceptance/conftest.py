"""A workspace for the installed command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed import Workspace

TASK = """\
title: Greet in French
spec: Callers want French.
steps:
  - title: Take a language
    goal: greet(name, "fr") greets in French.
    criteria:
      - text: '"Ada" becomes "Bonjour, Ada!".'
        check: python3 -c "from greeter import greet; assert greet('Ada', 'fr') == 'Bonjour, Ada!'"
  - title: Say so
    criteria:
      - The README shows it.
"""
GREETER = {
    "greeter.py": 'def greet(name):\n    return f"Hello, {name}!"\n',
    "tests/__init__.py": "",
    "tests/test_greet.py": "import unittest\n\nfrom greeter import greet\n\n\nclass GreetTest(unittest.TestCase):\n"
    '    def test_greets(self):\n        self.assertEqual(greet("Ada"), "Hello, Ada!")\n',
    "README.md": "# greeter\n",
    ".gitignore": "__pycache__/\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Workspace]:
    """An empty folder, and a home of its own."""
    made = Workspace(tmp_path / "here", tmp_path / "home")
    made.root.mkdir()
    made.home.mkdir()
    yield made
    made.stop()


@pytest.fixture
def workspace(folder: Workspace) -> Workspace:
    """A git repository with a small library, made a workspace, and `task.yaml` beside it."""
    folder.repository(GREETER)
    folder.write("task.yaml", TASK)
    folder.ok("init")
    return folder
