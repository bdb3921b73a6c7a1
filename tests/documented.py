"""Pages of the documentation, performed: files are written, consoles are typed, outputs are compared.

A fence after a line with a file's name in backticks and a colon is that file. In a `console` fence what follows `$ ` is
typed, and what stands below it must be printed, where `…` stands for anything.
"""

import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

from tests.installed import PROGRAM, Workspace

IDENTITY = {
    "GIT_AUTHOR_NAME": "A Person", "GIT_AUTHOR_EMAIL": "person@example.com",
    "GIT_COMMITTER_NAME": "A Person", "GIT_COMMITTER_EMAIL": "person@example.com",
}  # fmt: skip
_FENCE = re.compile(
    r"(?:`(?P<file>[\w./-]+)`:\n\n)?^(?P<indent> *)(?P<mark>```+)(?P<kind>\w+)\n(?P<text>.*?)^ *(?P=mark)$",
    re.DOTALL | re.MULTILINE,
)


def perform(page: Path, workspace: Workspace, *, only: str = "") -> list[str]:
    """Do all that a page shows, in a folder, and return the commands that were typed; fails where one does not hold.

    With `only`, commands that begin otherwise are passed over.
    """
    performed: list[str] = []
    for fence in _FENCE.finditer(page.read_text(encoding="utf-8")):
        text = textwrap.dedent(fence["text"])
        if fence["file"]:
            workspace.write(fence["file"], text)
        for command, output in typed(text) if fence["kind"] == "console" else ():
            if command.startswith(only):
                see(command, output, workspace)
                performed.append(command)
    return performed


def see(command: str, output: str, workspace: Workspace) -> None:
    """Type one command and see that it holds, and prints what it is said to print."""
    done = call(command, workspace)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert re.search(pattern(output), done.stdout, re.DOTALL), f"$ {command}\n{done.stdout}\nis not:\n{output}"


def call(command: str, workspace: Workspace) -> subprocess.CompletedProcess[str]:
    """Type one command in the folder, as a person with a git identity and the program on PATH."""
    environment = {**workspace.environment, **IDENTITY}
    environment["PATH"] = f"{PROGRAM.parent}:{environment['PATH']}"
    return subprocess.run(
        ["sh", "-c", command], cwd=workspace.root, env=environment, capture_output=True, check=False, text=True
    )


def typed(session: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console with what it prints."""
    for block in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        line, _, output = block.partition("\n")
        yield line.partition("  #")[0].rstrip(), output


def pattern(output: str) -> str:
    """Return the pattern of an output: `…` stands for anything within a line, or alone for any lines."""
    lines = [r"[^\0]*?" if line == "…" else _line(line) for line in output.splitlines()]
    return r"\s*".join(lines)


def _line(line: str) -> str:
    return re.sub(r"\s+", r"\\s+", re.escape(line).replace(r"\ ", " ")).replace("…", r"[^\n]*")
