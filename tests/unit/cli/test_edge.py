"""Failures become one message and an exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from punchlist.cli import edge
from punchlist.cli.commands import Punchlist, Verb
from punchlist.cli.session import Session, visible
from punchlist.errors import DefinitionError, Problem, PunchlistError, RefusedError, StoreError, WorkerError, invalid


def program(action: Callable[[], int | None]) -> click.Group:
    """Return a program whose only verb does `action`."""

    @click.command(cls=Verb, name="act", epilog="")
    @click.pass_obj
    def act(session: Session) -> int | None:
        del session
        return action()

    class Group(Punchlist):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return ["act"]

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return act

    return Group("punchlist")


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DefinitionError("bad"), 2),
        (RefusedError("no"), 3),
        (WorkerError("not there"), 4),
        (StoreError("disk full"), 5),
        (click.UsageError("no such option"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(), 141),
        (click.exceptions.Exit(6), 6),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_has_the_exit_code_of_its_class(error: BaseException, code: int) -> None:
    assert edge.run(program(raising(error)), ["act"]) == code


def test_what_a_verb_returns_is_the_exit_code() -> None:
    assert edge.run(program(lambda: 6), ["act"]) == 6
    assert edge.run(program(lambda: None), ["act"]) == 0


def test_a_message_lists_every_problem_and_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Problem("steps[0]", "unknown field 'x'", "title, goal"), Problem("title", "it is missing")]
    error = invalid(problems, what="task.yaml")
    error.hint = "Type: punchlist schema task-file"

    edge.run(program(raising(error)), ["act"])

    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: task.yaml has 2 problems:\n"
        "  steps[0]: unknown field 'x'; allowed: title, goal\n"
        "  title: it is missing\n"
        "Type: punchlist schema task-file\n"
    )


@pytest.mark.parametrize("argv", [["--json", "act"], ["act", "--json"]], ids=" ".join)
def test_with_json_standard_output_is_one_object(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    error = RefusedError("task T1 is draft", where="T1", hint="Approve it", problems=[Problem("a", "b", "c", "d")])

    assert edge.run(program(raising(error)), argv) == 3

    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "ok": False,
        "error": {
            "code": "refused",
            "message": "task T1 is draft",
            "where": "T1",
            "hint": "Approve it",
            "problems": [{"where": "a", "message": "b", "allowed": "c", "hint": "d"}],
        },
    }


def test_wrong_usage_before_json_is_read_is_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(program(lambda: 0), ["--nonsense", "act", "--json"]) == 2

    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_an_unknown_verb_is_refused_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(program(lambda: 0), ["acct"]) == 2

    assert "no such verb: 'acct'. Did you mean 'act'?" in capsys.readouterr().err


def test_a_bug_leaves_a_report_in_the_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".punchlist").mkdir()
    (tmp_path / "below").mkdir()

    code = edge.run(program(raising(ZeroDivisionError("nought"))), ["-C", str(tmp_path / "below"), "act"])

    (report,) = (tmp_path / ".punchlist" / "crash").iterdir()
    assert code == 70
    assert str(report) in capsys.readouterr().err
    text = report.read_text(encoding="utf-8")
    assert "ZeroDivisionError: nought" in text
    assert "punchlist 0" in text


def test_a_bug_outside_a_workspace_leaves_a_report_among_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    code = edge.run(program(raising(UnexpectedError())), ["-C", "/", "--json", "act"])

    (report,) = tmp_path.iterdir()
    assert code == 70
    assert str(report) in json.loads(capsys.readouterr().out)["error"]["hint"]


class UnexpectedError(Exception):
    """What nobody expects."""


def test_the_error_of_no_class_is_a_bug() -> None:
    assert PunchlistError("x").exit_code == 70


def test_control_characters_from_outside_do_not_reach_the_terminal() -> None:
    assert visible("a\x1b[31mb\x07\r\nc\td\x9b") == "a\\x1b[31mb\\x07\nc\td\\x9b"
    assert visible([{"x": "\x00"}, 1, None]) == [{"x": "\\x00"}, 1, None]


def test_an_error_is_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    edge.run(program(raising(RefusedError("no \x1b]0;title\x07"))), ["act"])

    assert "\x1b]" not in capsys.readouterr().err


def test_given_folders_add_up(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    seen: list[Path] = []

    def act() -> None:
        seen.append(click.get_current_context().ensure_object(Session).directory)

    edge.run(program(act), ["-C", str(tmp_path / "a"), "act", "-C", str(tmp_path / "a" / "b")])

    edge.run(program(act), ["-C", str(tmp_path / "a"), "act", "-C", "b"])

    assert seen == [tmp_path / "a" / "b"] * 2


def test_a_given_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(program(lambda: 0), ["-C", str(tmp_path / "nowhere"), "act"]) == 2

    assert f"there is no folder {tmp_path / 'nowhere'}" in capsys.readouterr().err
