"""A line of the inbox file as a call of a typed tool: the same names, arguments, checks and answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from punchlist.errors import DefinitionError, Problem, PunchlistError, RefusedError, StoreError, invalid
from punchlist.mcp import orchestrator
from punchlist.mcp.arguments import check
from punchlist.mcp.binding import binding
from punchlist.mcp.caller import Caller
from punchlist.mcp.tool import Arguments, Tool
from punchlist.mcp.twice import said_twice
from punchlist.model.allowed import nearest
from punchlist.model.json import Json
from punchlist.model.outside import INBOX, OpenLine
from punchlist.ports import Engine
from punchlist.runtime.lines import Answer, refused
from punchlist.service import crashes
from punchlist.service.context import Service
from punchlist.serving import flights, waits

_KEYS = ("id", "verb", "args")
_LONGEST_ID = 100
_SHOWN = 60


class _Line(NamedTuple):
    name: str | int
    verb: str
    arguments: Arguments


class Desk:
    """Answers lines as an orchestrator that goes by the file's name: it plans and steers, and decides nothing.

    The id of a line is the key of what it changes: the same line again gives the first answer, and does nothing.
    """

    def __init__(self, folder: Path, *, engine: Engine) -> None:
        self._folder = folder
        self._sender = _Sender(folder, engine)
        bind = binding(lambda: self._sender.service)
        steering = orchestrator.tools(self._sender)
        own = [*flights.tools(bind), *waits.tools(bind, steering)]
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in (*steering, *own)}

    def close(self) -> None:
        """Close the store that the tools read and write by; another line opens it again."""
        self._sender.service.store.close()

    def answer(self, line: bytes, where: str) -> Answer | OpenLine:
        """Return the answer to a line, or that it waits for one; raises StoreError when neither can be done now."""
        name: Json = None
        try:
            value = _read(line, where=where)
            name = _name(value)
            asked = _line(value, where=where)
            found = self._called(asked)
        except StoreError:
            raise
        except PunchlistError as error:
            return refused(error, name=name)
        except Exception as error:  # noqa: BLE001 - the edge: whatever is not expected is a bug, and recorded
            return self._bug(error, name=name)
        note = waits.note_in(found)
        if note is None:
            return {"id": name, "ok": True, **found}
        until = note.get("until")
        return OpenLine(
            name=asked.name,
            verb=asked.verb,
            args={**asked.arguments},
            note=note,
            until=until if isinstance(until, str) else None,
        )

    def settle(self, line: OpenLine) -> Answer | None:
        """Return the answer to a line that waits, None while there is none; raises StoreError as `answer` does."""
        try:
            found = waits.settled(self._sender.service, line, key=_key(line.name))
        except StoreError:
            raise
        except PunchlistError as error:
            return refused(error, name=line.name)
        except Exception as error:  # noqa: BLE001 - the edge: whatever is not expected is a bug, and recorded
            return self._bug(error, name=line.name)
        return None if found is None else {"id": line.name, "ok": True, **found}

    def _bug(self, error: Exception, *, name: Json) -> Answer:
        return refused(crashes.reported(error, start=self._folder, asked=f"a line of {INBOX}"), name=name)

    def _called(self, line: _Line) -> Answer:
        tool = self._tools.get(line.verb)
        if tool is None:
            raise self._unknown(line.verb)
        arguments = dict(line.arguments)
        if "idempotency_key" in arguments:
            problem = Problem("args.idempotency_key", "the id of the line is its key", hint="Leave it out.")
            raise invalid([problem], what=f"the line {line.name}")
        check(tool, arguments)
        if tool.changes or tool.waits:
            arguments["idempotency_key"] = _key(line.name)
        return tool.call(arguments)

    def _unknown(self, verb: str) -> RefusedError:
        shown = verb[:_SHOWN]
        error = RefusedError(
            f"there is no verb {shown!r} for lines; there are: {', '.join(self._tools)}",
            where="verb",
            hint=nearest(shown, list(self._tools)) or "What only a person may say is typed in a terminal.",
        )
        error.code = "not_found"
        return error


class _Sender(Caller):
    """Whoever writes lines: a client of the tools whose commands go to the engine around it, and start no other."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        super().__init__(folder, person=False)
        self.introduce(INBOX)
        self._engine = engine

    @property
    def service(self) -> Service:
        """The verbs' context."""
        found = super().service
        outside = msgspec.structs.replace(found.outside, engine=lambda: self._engine)
        return msgspec.structs.replace(found, outside=outside)


def _key(name: str | int) -> str:
    return f"{INBOX} {name!r}"


def _read(line: bytes, *, where: str) -> dict[str, Json]:
    try:
        value: Json = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DefinitionError(
            f"the line is not JSON in UTF-8: {error}", where=where, hint="Write one JSON object a line."
        ) from None
    if not isinstance(value, dict):
        raise DefinitionError("the line is not a JSON object", where=where, hint=_EXAMPLE)
    if twice := said_twice(line):
        raise invalid([Problem(each, "it is said twice", "once") for each in twice], what=where)
    return value


def _name(value: Mapping[str, Json]) -> str | int | None:
    name = value.get("id")
    if isinstance(name, bool) or not isinstance(name, str | int):
        return None
    return name if 0 < len(str(name)) <= _LONGEST_ID else None


def _line(value: Mapping[str, Json], *, where: str) -> _Line:
    problems = [Problem(each, "there is no such field", ", ".join(_KEYS)) for each in value if each not in _KEYS]
    name, verb, arguments = _name(value), value.get("verb"), value.get("args", {})
    if name is None:
        what = "it is missing" if "id" not in value else "it is not an id"
        problems.append(Problem("id", what, f"text of 1 to {_LONGEST_ID} characters, or a whole number"))
    if not isinstance(verb, str):
        problems.append(Problem("verb", "it is missing" if "verb" not in value else "it is not text", "a verb's name"))
    if not isinstance(arguments, dict):
        problems.append(Problem("args", "it is not an object", "the verb's arguments by name"))
    if problems or name is None or not isinstance(verb, str) or not isinstance(arguments, dict):
        error = invalid(problems, what=where)
        error.hint = _EXAMPLE
        raise error
    return _Line(name, verb, arguments)


_EXAMPLE = 'For example: {"id": "1", "verb": "start_task", "args": {"task": "T1"}}'
