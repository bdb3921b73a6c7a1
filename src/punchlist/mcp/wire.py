"""Standard input and output as a client speaks through them: one JSON message a line, bounded in size and depth."""

import asyncio
import json
import os
import re
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import anyio
import mcp_types as types
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from punchlist.errors import DefinitionError, Problem, PunchlistError, invalid
from punchlist.mcp.twice import said_twice
from punchlist.model.json import Json
from punchlist.render.failures import failure

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream


LARGEST = 10_000_000
"""Bytes of a message; a longer one is refused."""
_END = 1_000
_SHOWN = 80
_DIGITS = 20
_ARGUMENTS = "params.arguments."
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s"{}\[\],:]+')
_LAST_ID = re.compile(r'"id"\s*:\s*(-?[0-9]+|"(?:[^"\\]|\\.)*")\s*\}?\s*$')


class Streams(NamedTuple):
    """What the protocol's machinery reads from and writes to."""

    received: "MemoryObjectReceiveStream[SessionMessage | Exception]"
    sent: "MemoryObjectSendStream[SessionMessage]"


@asynccontextmanager
async def standard_streams(
    refused: Callable[[str, PunchlistError], None] = lambda _tool, _error: None,
) -> AsyncGenerator[Streams]:
    """Take standard input and output for the protocol alone: what else prints, prints on standard error meanwhile.

    A message that cannot be read (too large, too deep, no JSON, a name said twice) is answered here, under the id null
    when it has none that can be told: a client would wait in vain. `refused` is told of a call whose tool is known all
    the same. Blank lines say nothing.
    """
    reading, writing = _claimed(0, os.open(os.devnull, os.O_RDONLY), mode="rb"), _claimed(1, os.dup(2), mode="wb")
    inward, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, outward = anyio.create_memory_object_stream[SessionMessage](16)
    replies = sent.clone()
    loop = asyncio.get_running_loop()

    async def hand_on(line: bytes, *, whole: bool) -> None:
        if not line.strip():
            return
        message = _read(line, whole=whole)
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            if isinstance(message, _Refused):
                if message.tool:
                    refused(message.tool, message.error)
                await replies.send(SessionMessage(message.reply))
            else:
                await inward.send(SessionMessage(message))

    async def finish() -> None:
        await inward.aclose()
        await replies.aclose()

    def read() -> None:
        with suppress(RuntimeError, asyncio.CancelledError, OSError):  # the loop is over
            try:
                for line, whole in _lines(reading):
                    asyncio.run_coroutine_threadsafe(hand_on(line, whole=whole), loop).result()
            finally:  # a bug ends the server, too: a client would wait for it for ever
                asyncio.run_coroutine_threadsafe(finish(), loop).result()

    async def write() -> None:
        async with outward:
            async for message in outward:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                await anyio.to_thread.run_sync(_put, writing, text.encode() + b"\n")

    threading.Thread(target=read, daemon=True, name="standard input").start()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        yield Streams(received, sent)


def read_body(body: bytes) -> tuple[bytes, types.JSONRPCResponse | types.JSONRPCError | None]:
    """Return what is to be handed on of a message that came whole by another way, and the answer when it is refused."""
    message = _read(body, whole=True)
    if isinstance(message, _Refused):
        return body, message.reply
    is_other = isinstance(message, types.JSONRPCError)
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode() if is_other else body, None


class _Refused(NamedTuple):
    """What was not taken: the answer to it, and for the record the refusal of a tool that is known by name."""

    reply: types.JSONRPCResponse | types.JSONRPCError
    tool: str
    error: PunchlistError


def _claimed(descriptor: int, instead: int, *, mode: str) -> BinaryIO:
    (sys.stdout if descriptor == 1 else sys.stdin).flush()
    own = os.dup(descriptor)
    os.dup2(instead, descriptor)
    os.close(instead)
    return os.fdopen(own, mode)  # type: ignore[return-value]


def _lines(reading: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield lines, and whether they are whole: of one that is too long only its beginning and its end are kept."""
    while line := reading.readline(LARGEST + 1):
        if len(line) <= LARGEST or line.endswith(b"\n"):
            yield line, len(line) <= LARGEST
            continue
        last = line[-_END:]
        while rest := reading.readline(LARGEST):
            last = (last + rest)[-_END:]
            if rest.endswith(b"\n"):
                break
        yield line[:_END] + last, False


def _put(writing: BinaryIO, data: bytes) -> None:
    """Write a message; to a client that is gone, nothing, now and from now on: its standard input ends by itself."""
    try:
        writing.write(data)
        writing.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, writing.fileno())
        os.close(nowhere)


def _read(line: bytes, *, whole: bool) -> types.JSONRPCMessage | _Refused:
    if not whole:
        return _unreadable(line, why=f"the message is larger than {LARGEST:,} bytes", code="too_large")
    try:
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] != "json_invalid":
            return _no_message(line, why=_wrong_in(_value_of(line)))
        return _unreadable(line, why=f"the message cannot be read: {first['msg']}", code="unreadable")
    if isinstance(message, types.JSONRPCNotification) and (why := _wrong_id(_value_of(line))):
        return _no_message(line, why=why)  # the SDK takes a request for a notification when its id is none
    if isinstance(message, types.JSONRPCRequest) and message.method == "tools/call":
        call = message.params or {}
        if problems := [*_ill_called(call)]:
            return _no_call(message.id, _tool_of(call), problems=problems)
    twice = said_twice(line)
    return _ambiguous(line, message, twice=twice) if twice else message


def _value_of(line: bytes) -> Json:
    """Return a value of which only the kinds of its parts are to be known: Python reads no integer of 5,000 digits."""
    value: Json = json.loads(line, parse_int=lambda digits: int(digits[:_DIGITS]))
    return value


def _ambiguous(line: bytes, message: types.JSONRPCMessage, *, twice: Sequence[str]) -> types.JSONRPCMessage | _Refused:
    """Return what becomes of a message of which nobody can tell what it says: the SDK would take the last, silently.

    A request is refused; a reply, a person's decision say, is none.
    """
    if isinstance(message, types.JSONRPCResponse):
        why = f"the reply says twice: {', '.join(twice)[:_SHOWN]}"
        return types.JSONRPCError(
            jsonrpc="2.0", id=message.id, error=types.ErrorData(code=types.INVALID_REQUEST, message=why)
        )
    tool = _tool_of(getattr(message, "params", None) or {})
    problems = [
        Problem(each.removeprefix(_ARGUMENTS)[:_SHOWN], "it is said twice", "each name once", "Leave one of them out.")
        for each in twice
    ]
    return _refused(line, invalid(problems, what=f"the call of {tool}" if tool else "the message"), tool=tool)


def _ill_called(call: Mapping[str, Json]) -> Iterator[Problem]:
    """Yield what makes a call none; the SDK would tell neither where it is nor what is allowed."""
    name, arguments = call.get("name"), call.get("arguments")
    if not isinstance(name, str):
        yield Problem("name", "it is missing" if name is None else f"saw {_seen(name)}", "the name of a tool")
    if arguments is not None and not isinstance(arguments, dict):
        yield Problem("arguments", f"saw {_seen(arguments)}", "an object", "Leave it out where a tool needs none.")


def _no_call(name: str | int, tool: str, *, problems: Sequence[Problem]) -> _Refused:
    """Return the answer to what is no call: the refusal of the tool that it names, else an error of the protocol."""
    error = invalid(problems, what=f"the call of {tool or 'a tool'}")
    if tool:
        return _Refused(_refusal(name, error), tool, error)
    told = types.ErrorData(code=types.INVALID_PARAMS, message=str(error))
    return _Refused(types.JSONRPCError(jsonrpc="2.0", id=name, error=told), tool, error)


def _tool_of(call: Mapping[str, Json]) -> str:
    name = call.get("name", "")
    return name[:_SHOWN] if isinstance(name, str) else ""


def _seen(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _unreadable(line: bytes, *, why: str, code: str) -> _Refused:
    error = DefinitionError(why, hint="Send less at once, in flat objects.")
    error.code = code
    return _refused(line, error, code=types.PARSE_ERROR)


def _no_message(line: bytes, *, why: str) -> _Refused:
    hint = 'Send one JSON object: {"jsonrpc": "2.0", "id": 1, "method": ..., "params": {...}}.'
    return _refused(line, DefinitionError(why, hint=hint))


def _refused(line: bytes, error: PunchlistError, *, tool: str = "", code: int = types.INVALID_REQUEST) -> _Refused:
    """Return the answer to what was not taken: a tool's refusal for a call, else an error of the protocol."""
    asked = _envelope(line.decode(errors="surrogateescape"))
    if "id" not in asked or asked.get("method") != "tools/call":
        told = types.ErrorData(code=code, message=str(error))
        return _Refused(types.JSONRPCError(jsonrpc="2.0", id=asked.get("id"), error=told), tool, error)
    return _Refused(_refusal(asked["id"], error), tool, error)


def _refusal(name: str | int, error: PunchlistError) -> types.JSONRPCResponse:
    answer = {"ok": False, "error": failure(error)}
    result = {"content": [{"type": "text", "text": json.dumps(answer)}], "structuredContent": answer, "isError": True}
    return types.JSONRPCResponse(jsonrpc="2.0", id=name, result=result)


def _envelope(text: str) -> dict[str, str | int]:
    """Return the outermost `id` and `method` in what may be no JSON, or only the beginning and the end of one."""
    found: dict[str, str | int] = {}
    depth, key = 0, ""
    for word in (match[0] for match in _WORD.finditer(text)):
        if word in "{[":
            depth += 1
        elif word in "}]":
            depth -= 1
            key = "" if depth == 1 else key
        elif depth == 1 and not key:
            key = word
        elif depth == 1:
            found |= _named(key.strip('"'), word)
            key = ""
    if "id" not in found and (last := _LAST_ID.search(text)):
        found |= _named("id", last[1])
    return found


def _named(key: str, word: str) -> dict[str, str | int]:
    """Return what an id or a method is, unless it is none that could be said in an answer: half a character, say."""
    if key not in {"id", "method"}:
        return {}
    try:
        value = json.loads(word)
        word.encode()
        str(value).encode()
    except ValueError:
        return {}
    return {key: value} if isinstance(value, str | int) and not isinstance(value, bool) else {}


def _wrong_in(value: Json) -> str:
    """Return what keeps a JSON value from being a message."""
    if not isinstance(value, dict):
        batch = ": batches are not taken" if isinstance(value, list) else ""
        return f"a message is one JSON object, and this is none{batch}"
    if value.get("jsonrpc") != "2.0":
        return '`jsonrpc` of a message is "2.0", and here it is not'
    if why := _wrong_id(value):
        return why
    if not {"method", "result", "error"} & value.keys():
        return "a message has a `method`, a `result` or an `error`, and this one has none of them"
    if "method" in value and not isinstance(value["method"], str):
        return "the `method` of a message is text, and here it is not"
    return "`params` and `result` of a message are JSON objects, an `error` has a `code` and a `message`: here not"


def _wrong_id(value: Json) -> str:
    """Return what is wrong with the id of a message, nothing when there is none."""
    known = value.get("id", "") if isinstance(value, dict) else ""
    if isinstance(known, str | int) and not isinstance(known, bool):
        return ""
    return "the `id` of a message is text or a whole number, and here it is not"
