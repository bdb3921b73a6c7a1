"""What one call of the command line knows: where it was asked, how to answer, and the service once it is needed."""

import re
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from punchlist.cli.tables import coloured

if TYPE_CHECKING:
    from punchlist.cli.progress import Progress
    from punchlist.model.json import Json
    from punchlist.service.context import Service


class Session:
    """One call: `directory` from -C, and the shared options; `attached` is set while a view follows a run.

    `left` says what will come of a command whose answer is waited for, in case that is broken off.
    """

    def __init__(self, *, directory: Path | None = None, json: bool = False, quiet: bool = False) -> None:
        self.directory = directory or Path()
        self.json = json
        self.quiet = quiet
        self.attached = False
        self.left = ""

    def beside(self) -> "Session":
        """Return the same call for another thread: what is opened in it is its own."""
        return Session(directory=self.directory, json=self.json, quiet=self.quiet)

    @cached_property
    def service(self) -> "Service":
        """The verbs' context for the workspace around `directory`; raises RefusedError when there is none."""
        import msgspec

        from punchlist import wiring

        return msgspec.structs.replace(wiring.open_service(self.directory), waits=self.waits)

    @cached_property
    def progress(self) -> "Progress":
        """The one changing line on standard error; silent with -q."""
        from punchlist.cli.progress import Progress

        return Progress(sys.stderr, quiet=self.quiet)

    @contextmanager
    def waits(self, line: str, /, *, left: str) -> Generator[None]:
        """Show a line on a terminal when the block takes longer than a moment; ^C in it says what is `left` to come."""
        from punchlist.cli.progress import after_a_moment

        self.left = left
        with self.progress as say, after_a_moment(say, line, told=sys.stderr.isatty()):
            yield
        self.left = ""

    def show(
        self, answer: "Mapping[str, Json]", render: "Callable[[dict[str, Json]], str]", *, holds: bool = True
    ) -> None:
        """Print an answer: one JSON object with --json, else what `render` makes of it, made safe for a terminal.

        `holds` is False where the answer itself says that something is wrong.
        """
        if self.json:
            write_json({"ok": holds, **answer})
        else:
            self.say(_rendered(answer, render))

    def say(self, text: str) -> None:
        """Print lines for a person; nothing with --json, whose only output is its object."""
        if text and not self.json:
            click.echo(text)

    def tell(self, text: str) -> None:
        """Print a remark on standard error; nothing with -q."""
        if not self.quiet:
            click.echo(text, err=True)


def write_json(value: "Mapping[str, Json]") -> None:
    """Print one JSON object in UTF-8 whatever the locale; bytes of arguments that are no text become escapes."""
    import json

    click.echo(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def _rendered(answer: "Mapping[str, Json]", render: "Callable[[dict[str, Json]], str]") -> str:
    """Return what `render` makes of an answer, control characters spelt out.

    One search of the whole text tells whether there are any; to look into every value takes longer than all else.
    """
    if not coloured():
        text = render(dict(answer))
        if not re.search(_STEERS, text):
            return text
    return render({key: visible(value) for key, value in answer.items()})


_STEERS = "[\x00-\x08\x0b-\x1f\x7f-\x9f]"
_UNSEEN = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def visible(value: "Json") -> "Json":
    """Return a value with control characters in its texts spelt out: what an agent wrote must not steer a terminal."""
    if isinstance(value, str):
        return value if value.isprintable() else value.replace("\r\n", "\n").translate(_UNSEEN)
    if isinstance(value, list):
        return [visible(each) for each in value]
    if isinstance(value, dict):
        return {key: visible(each) for key, each in value.items()}
    return value
