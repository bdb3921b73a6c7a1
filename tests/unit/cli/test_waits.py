"""A verb that waits says so on a terminal after a moment, and what is left to come when it is broken off."""

import io
import threading

import click
import pytest

from punchlist.cli import edge
from punchlist.cli.commands import Punchlist, Verb
from punchlist.cli.progress import Progress, after_a_moment
from punchlist.cli.session import Session

SOON, LONG = 0.01, 60.0


class Terminal(io.StringIO):
    """What a terminal is written, which says when that was."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def test_a_long_wait_is_told_on_a_terminal_and_leaves_no_line_behind() -> None:
    terminal = Terminal()

    with Progress(terminal, quiet=False) as say, after_a_moment(say, "waiting for it", told=True, moment=SOON):
        assert terminal.written.wait(LONG)

    assert terminal.getvalue() == "\r\x1b[2Kwaiting for it\r\x1b[2K"


@pytest.mark.parametrize(("quiet", "told", "moment"), [(True, True, SOON), (False, False, SOON), (False, True, LONG)])
def test_nothing_is_told_when_quiet_off_a_terminal_or_of_a_short_wait(quiet: bool, told: bool, moment: float) -> None:
    terminal = Terminal()

    with Progress(terminal, quiet=quiet) as say, after_a_moment(say, "waiting for it", told=told, moment=moment):
        terminal.written.wait(2 * SOON)

    assert terminal.getvalue() == ""


def test_breaking_off_says_what_comes_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command(cls=Verb, name="act", epilog="")
    @click.pass_obj
    def act(session: Session) -> None:
        with session.waits("waiting for the engine", left="the engine will pause R1 all the same"):
            raise KeyboardInterrupt

    class Group(Punchlist):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return ["act"]

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return act

    assert edge.run(Group("punchlist"), ["act"]) == edge.INTERRUPTED

    assert capsys.readouterr().err == "\ninterrupted: the engine will pause R1 all the same\n"
