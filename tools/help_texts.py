"""The command line's help: golden texts for the tests, and the reference for people, both from the commands themselves.

Usage: help_texts.py [--write] — without --write prints each file that is not as the commands say, and ends with 1.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from punchlist.cli.program import punchlist

ROOT = Path(__file__).parent.parent
GOLDEN = Path("tests/golden/cli")
REFERENCE = Path("docs/reference/command-line.md")
WIDTH = 100
HEAD = """\
# Command line

This page is made by `tools/help_texts.py` from what `punchlist VERB --help` prints. Exit codes stand in
[the reference's first page](README.md).
"""


def commands() -> Iterator[tuple[str, str]]:
    """Yield each command's full name with its help, groups before what is in them."""
    context = click.Context(punchlist, info_name="punchlist", terminal_width=WIDTH, **punchlist.context_settings)
    yield from _below(punchlist, context)


def files() -> dict[Path, str]:
    """Return every generated file's content by its path in the repository."""
    helps = dict(commands())
    golden = {GOLDEN / f"{name.replace(' ', '-')}.txt": text for name, text in helps.items()}
    sections = [f"## {name}\n\n```text\n{text}```\n" for name, text in helps.items()]
    return {**golden, REFERENCE: "\n".join([HEAD, *sections])}


def main(arguments: Sequence[str]) -> int:
    """Write the files, or compare them with what is there."""
    made = files()
    stale = {path for path in (ROOT / GOLDEN).glob("*.txt") if path.relative_to(ROOT) not in made}
    different = [path for path, text in made.items() if _read(ROOT / path) != text]
    if "--write" in arguments:
        for path in different:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(made[path], encoding="utf-8")
        for path in stale:
            path.unlink()
        return 0
    for path in [*different, *stale]:
        print(f"{path}: not as the commands say; type: python tools/help_texts.py --write")
    return 1 if different or stale else 0


def _below(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, _plain(command.get_help(context))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            if each is not None:
                yield from _below(each, click.Context(each, info_name=name, parent=context, terminal_width=WIDTH))


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
