"""Tables fit the width of a terminal, and are plain columns elsewhere."""

import sys

import click
import pytest

from punchlist.cli import fitting, tables
from punchlist.cli.progress import Progress

ROWS = [["T1", "accepted", "Keep Unicode letters"], ["T12", "draft", "Say it in the README"]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "20")


def test_columns_are_aligned_where_no_terminal_reads() -> None:
    assert tables.table(["task", "status", "title"], ROWS) == (
        "TASK  STATUS    TITLE\nT1    accepted  Keep Unicode letters\nT12   draft     Say it in the README"
    )


def test_no_rows_are_no_table() -> None:
    assert tables.table(["task"], []) == ""


def test_a_table_fits_the_terminal(terminal: None) -> None:
    made = tables.table(["task", "status", "title"], [["T1", "accepted", "a " * 100]])

    assert "\x1b[" in made
    plain = [_plain(line) for line in made.splitlines()]
    assert max(map(len, plain)) <= 40
    assert "".join(plain).count("a ") >= 90


def test_a_long_text_is_broken_between_words_below_its_own_column(terminal: None) -> None:
    made = tables.table(["task", "status", "title"], [["T1", "accepted", "Keep all of the letters that Unicode has"]])

    assert [_plain(line) for line in made.splitlines()] == [
        "TASK  STATUS    TITLE",
        "T1    accepted  Keep all of the letters",
        "                that Unicode has",
    ]


def test_the_widest_columns_give_way_to_the_last_one(terminal: None) -> None:
    made = _plain(tables.table(["id", "name", "title"], [["G1", "x" * 60, "y" * 30], ["G2", "short", "z"]]))

    assert made.splitlines() == [
        "ID  NAME              TITLE",
        f"G1  {'x' * 15}…  {'y' * 18}",
        f"                      {'y' * 12}",
        "G2  short             z",
    ]


def test_what_names_a_row_is_never_cut(terminal: None) -> None:
    # given
    key = "projects.a-rather-long-name.policy.x"

    # when
    made = tables.table(["setting", "from", "value"], [[key, "punchlist.toml", "one two three four five six"]])

    # then
    assert [_plain(line) for line in made.splitlines()] == [
        key,
        "  punchlist.toml  one two three four",
        "  five six",
    ]


def test_without_colours_a_terminal_keeps_its_width(terminal: None) -> None:
    with click.Context(click.Command("x"), color=False).scope():
        made = tables.table(["task", "title"], [["T1", "a " * 100]])

    assert "\x1b[" not in made
    assert max(map(len, made.splitlines())) <= 40


@pytest.mark.parametrize(
    ("title", "command", "lines"),
    [
        ("Short", "punchlist approve T1", ["T1  Short  punchlist approve T1"]),
        ("a" * 200, "punchlist why T1", [f"T1  {'a' * 15}…  punchlist why T1"]),
        ("a" * 200, "punchlist approve T1000", [f"T1  {'a' * 33}…", "  punchlist approve T1000"]),
    ],
)
def test_a_command_to_type_stays_on_the_screen(title: str, command: str, lines: list[str], terminal: None) -> None:
    assert tables.to_type([["T1", title, command]], indent=2) == lines


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two", 7, ["one two"]),
        ("one two", 5, ["one", "two"]),
        ("abcdefgh ij", 4, ["abcd", "efgh", "ij"]),
        ("字字 字", 4, ["字字", "字"]),
        ("字字字", 3, ["字", "字", "字"]),
        ("e\u0301e\u0301", 2, ["e\u0301e\u0301"]),
        ("one\ntwo", 9, ["one", "two"]),
    ],
)
def test_text_is_wrapped_by_the_cells_that_it_takes(text: str, width: int, lines: list[str]) -> None:
    assert fitting.wrapped(text, width) == lines


def test_wide_letters_are_padded_and_cut_by_cells() -> None:
    assert fitting.padded("字", 4) == "字  "
    assert fitting.padded("字字字", 4) == "字… "


def test_words_in_brackets_are_text(terminal: None) -> None:
    assert "[red]x[/red]" in _plain(tables.table(["a", "b"], [["x", "[red]x[/red]"]]))


def test_a_state_is_coloured_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tables.status("failed") == "failed"
    assert tables.strong("T1") == "T1"

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    assert tables.status("failed") == "\x1b[31mfailed\x1b[0m"
    assert tables.status("nonsense") == "nonsense"


class Stream:
    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self.text = ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...


def test_progress_is_lines_where_no_terminal_reads() -> None:
    stream = Stream(terminal=False)

    with Progress(stream, quiet=False) as say:  # type: ignore[arg-type]
        for line in ("one", "one", "two"):
            say(line)

    assert stream.text == "one\ntwo\n"


def test_progress_is_one_changing_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    stream = Stream(terminal=True)

    with Progress(stream, quiet=False) as say:  # type: ignore[arg-type]
        say("one")
        say("a line that is too long")

    assert stream.text == "\r\x1b[2Kone\r\x1b[2Ka line t…\r\x1b[2K"


def test_progress_is_nothing_when_quiet() -> None:
    stream = Stream(terminal=True)

    with Progress(stream, quiet=True) as say:  # type: ignore[arg-type]
        say("one")

    assert stream.text == ""


def _plain(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
