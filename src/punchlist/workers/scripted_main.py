"""The program behind the worker `scripted`: performs the turn that fits, and leaves its answer."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from punchlist.errors import DefinitionError
from punchlist.model.json import Json, decode
from punchlist.workers.script import Replacement, Run, Situation, Turn, read_script, review_of, turn_for
from punchlist.workers.scripted import BAD_INPUT


class TurnFailedError(Exception):
    """A turn could not be performed here: a text that is not there, a command that ended otherwise."""


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Perform the script named by the only argument, in the current folder; return the exit code."""
    path = Path(arguments[0])
    pack = _pack(environ)
    try:
        script = read_script(_text(path), what=path.name)
        turn = turn_for(script, situation(environ, pack), what=path.name)
    except DefinitionError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is the program's output
        return BAD_INPUT
    try:
        perform(turn)
    except (TurnFailedError, OSError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)  # noqa: T201 - this is the program's output
        return 1
    _answer(turn, pack, result=Path(environ["PUNCHLIST_RESULT"]))
    return turn.exit


def situation(environ: Mapping[str, str], pack: Mapping[str, Any]) -> Situation:
    """Return what a turn is chosen by: role, step and round as the engine says, title and criteria from the pack."""
    step = pack.get("step", {})
    return Situation(
        role=environ.get("PUNCHLIST_ROLE", "node"),
        step=environ.get("PUNCHLIST_STEP") or step.get("id", ""),
        title=step.get("title") or pack.get("title", ""),
        round=int(environ.get("PUNCHLIST_ROUND") or 0),
        criteria=tuple(each["id"] for each in pack.get("criteria", ())),
    )


def perform(turn: Turn) -> None:
    """Write, append, replace, delete, run, print: in this order, in the current folder."""
    for name, content in turn.write.items():
        _parent(name).write_text(content, encoding="utf-8")
    for name, content in turn.append.items():
        with _parent(name).open("a", encoding="utf-8") as file:
            file.write(content)
    for name, replacements in turn.replace.items():
        for each in (replacements,) if isinstance(replacements, Replacement) else replacements:
            _replace(Path(name), each)
    for name in turn.delete:
        Path(name).unlink()
    for command in (turn.run,) if isinstance(turn.run, str | Run) else turn.run:
        _run(command)
    if turn.print:
        print(turn.print, flush=True)  # noqa: T201 - this is the program's output


def _replace(path: Path, replacement: Replacement) -> None:
    text = path.read_text(encoding="utf-8")
    count = text.count(replacement.old)
    if count != 1:
        raise TurnFailedError(f"replace: {replacement.old!r} occurs {count} times in {path}; it must be once")
    path.write_text(text.replace(replacement.old, replacement.new), encoding="utf-8")


def _run(command: str | Run) -> None:
    text = command if isinstance(command, str) else command.command
    sys.stdout.flush()
    code = subprocess.run(["sh", "-c", text], check=False, stdin=subprocess.DEVNULL).returncode
    if isinstance(command, Run) and code != command.exit:
        raise TurnFailedError(f"run: {text!r} ended with {code}; the script demands {command.exit}")


def _answer(turn: Turn, pack: Mapping[str, Any], *, result: Path) -> None:
    if turn.raw is not None:
        result.write_text(turn.raw, encoding="utf-8")
        return
    answer: dict[str, Json] | None = None
    if turn.result is not None:
        answer = {"schema": "punchlist/result/1", **turn.result}
    elif turn.review is not None:
        answer = review_of(turn.review, pack)
    elif turn.plan is not None:
        answer = {"schema": "punchlist/plan/1", **turn.plan}
    if answer is not None:
        result.write_bytes(msgspec.json.encode(answer))


def _parent(name: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _pack(environ: Mapping[str, str]) -> Mapping[str, Any]:
    path = Path(environ["PUNCHLIST_PACK"])
    return decode(path.read_bytes(), dict[str, Any]) if path.exists() else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"the script cannot be read: {error}", where=path.name) from error


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupted script ends at once, without a trace of Python
    sys.exit(main(sys.argv[1:], os.environ))  # noqa: TID251 - a program of its own
