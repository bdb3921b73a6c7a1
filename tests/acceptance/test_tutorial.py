"""The tutorial's commands are run as they stand, and print what it says that they print."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.installed import PROGRAM, Workspace

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-task.md"
IDENTITY = {
    "GIT_AUTHOR_NAME": "A Person", "GIT_AUTHOR_EMAIL": "person@example.com",
    "GIT_COMMITTER_NAME": "A Person", "GIT_COMMITTER_EMAIL": "person@example.com",
}  # fmt: skip


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield each fence with the name of the file that it is, or with nothing for what is typed."""
    for match in re.finditer(r"(?:`([\w.]+)`:\n\n)?```(\w+)\n(.*?)```", text, re.DOTALL):
        assert match[1] or match[2] == "console"
        yield match[1] or "", match[3]


def typed(session: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console with what it prints, where `…` stands for anything."""
    for block in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, output = block.partition("\n")
        yield command, output


def pattern(output: str) -> str:
    lines = [".*" if line == "…" else re.escape(line).replace("…", ".*") for line in output.splitlines()]
    return r"\s*".join(lines)


def test_the_first_task_is_as_the_tutorial_says(folder: Workspace) -> None:
    environment = {**folder.environment, **IDENTITY}
    environment["PATH"] = f"{PROGRAM.parent}:{environment['PATH']}"
    for name, content in parts(PAGE.read_text(encoding="utf-8")):
        if name:
            folder.write(name, content)
            continue
        for command, output in typed(content):
            done = subprocess.run(
                ["sh", "-c", command], cwd=folder.root, env=environment, capture_output=True, check=False, text=True
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            assert re.search(pattern(output), done.stdout, re.DOTALL), (command, output, done.stdout)
