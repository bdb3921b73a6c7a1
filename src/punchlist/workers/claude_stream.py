"""What Claude Code printed, one JSON event a line: its last word, its session, its cost, and why it failed."""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from punchlist.model.jobs import FailureClass, Usage
from punchlist.model.json import decode

_QUOTA = frozenset({429, 529})
_FOR_A_PERSON = frozenset({401, 403, 404})
_ERRORS: Mapping[str, FailureClass] = {
    "authentication_failed": FailureClass.DEFINITION,
    "billing_error": FailureClass.DEFINITION,
    "model_not_found": FailureClass.DEFINITION,
    "rate_limit": FailureClass.QUOTA,
    "overloaded": FailureClass.QUOTA,
}
"""Names of errors that say what trying again would be good for; every other is the transport's or the agent's."""
_PLAIN = frozenset({"", "success", "completed", "api_error"})
"""Kinds of ends that say no more than the words that come with them."""
_LARGEST = 2**53
_SHOWN = 3


class Denied(msgspec.Struct, frozen=True):
    """A tool call that the permissions did not allow."""

    tool_name: str = ""
    tool_input: dict[str, Any] = {}

    def __str__(self) -> str:
        about = next(
            (str(self.tool_input[key]) for key in ("file_path", "command", "path") if key in self.tool_input), ""
        )
        return f"{self.tool_name} {about}".strip()


class Server(msgspec.Struct, frozen=True):
    """One MCP server as the first event tells of it."""

    name: str = ""
    status: str = ""


class Limit(msgspec.Struct, frozen=True):
    """What the provider said of the account's limits; `resetsAt` is in seconds since 1970."""

    status: str = ""
    resetsAt: int | None = None  # noqa: N815 - the name in the stream


class ModelUsage(msgspec.Struct, frozen=True):
    """What one model used; the names are those of the stream."""

    inputTokens: int = 0  # noqa: N815
    outputTokens: int = 0  # noqa: N815
    cacheReadInputTokens: int = 0  # noqa: N815
    cacheCreationInputTokens: int = 0  # noqa: N815
    costUSD: float = 0.0  # noqa: N815


class RunUsage(msgspec.Struct, frozen=True):
    """What the last prompt used, all models together."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0


class Event(msgspec.Struct, frozen=True):
    """The fields of an event that are read; all others are passed over, so that a newer version can still be read."""

    type: str
    subtype: str = ""
    session_id: str = ""
    error: str | None = None
    is_api_error_message: bool = False
    mcp_servers: tuple[Server, ...] = ()
    claude_code_version: str = ""
    rate_limit_info: Limit = Limit()
    is_error: bool = False
    terminal_reason: str = ""
    stop_reason: str | None = None
    api_error_status: int | None = None
    safety_stops: int = 0
    num_turns: int = 0
    result: str = ""
    errors: tuple[str, ...] = ()
    structured_output: Any = None
    permission_denials: tuple[Denied, ...] = ()
    total_cost_usd: float | None = None
    usage: RunUsage | None = None
    model_usage_since_last_result: dict[str, ModelUsage] | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one process: `last` is the terminal event, without which nothing has succeeded.

    `begun` says that the conversation was begun, `version` is the program's, `failed` are the tool servers that did not
    start, `error` is the name of the last error, and `limit` what was said of the account's limits.
    """

    session: str | None = None
    begun: bool = False
    version: str = ""
    failed: tuple[str, ...] = ()
    error: str = ""
    limit: Limit = Limit()
    last: Event | None = None

    @property
    def is_stranger(self) -> bool:
        """Say whether a login was asked for in vain: there is none, or it is not taken."""
        return self.error == "authentication_failed"

    @property
    def completed(self) -> bool:
        """Say whether the agent came to its own end; `subtype` is "success" for failed requests, too."""
        last = self.last
        return (
            last is not None and not last.is_error and last.subtype == "success" and last.terminal_reason == "completed"
        )


def listen(output: bytes) -> Heard:
    """Return what a process printed; lines that are no events (the first may be cut) are passed over."""
    heard = Heard()
    for event in _events(output):
        said: dict[str, Any] = {"session": event.session_id} if event.session_id else {}
        match event.type:
            case "system" if event.subtype == "init":
                said["begun"], said["version"] = True, event.claude_code_version
                said["failed"] = tuple(each.name for each in event.mcp_servers if each.status == "failed")
            case "assistant":
                said["begun"] = True
                said["error"] = (event.error or "unknown") if event.is_api_error_message else ""
            case "rate_limit_event":
                said["limit"] = event.rate_limit_info
            case "result":
                said["last"] = event
            case _:
                pass
        heard = msgspec.structs.replace(heard, **said)
    return heard


def failure_of(heard: Heard) -> FailureClass:
    """Return the class of an end that is no success."""
    status = heard.last.api_error_status if heard.last is not None else None
    if status in _QUOTA:
        return FailureClass.QUOTA
    if heard.error in _ERRORS:
        return _ERRORS[heard.error]
    return FailureClass.DEFINITION if status in _FOR_A_PERSON else FailureClass.WORKER


def reset_of(heard: Heard) -> str | None:
    """Return when the account's limit is said to be free again; None when nothing is."""
    if heard.limit.status != "rejected" or heard.limit.resetsAt is None:
        return None
    try:
        return datetime.fromtimestamp(heard.limit.resetsAt, UTC).isoformat()
    except (OverflowError, OSError, ValueError):
        return None


def usage_of(heard: Heard, *, resumed: bool) -> Usage | None:
    """Return what this process alone used.

    `modelUsage` and `total_cost_usd` count from the session's beginning, over all its processes; the delta stands in
    `model_usage_since_last_result`. A version without it says the tokens of its last prompt, and its cost only of a new
    session. What cannot be a count is unknown.
    """
    last = heard.last
    if last is None:
        return None
    if last.model_usage_since_last_result is not None:
        models = last.model_usage_since_last_result.values()
        run = RunUsage(
            input_tokens=sum(each.inputTokens for each in models),
            output_tokens=sum(each.outputTokens for each in models),
            cache_read_input_tokens=sum(each.cacheReadInputTokens for each in models),
            cache_creation_input_tokens=sum(each.cacheCreationInputTokens for each in models),
        )
        cost: float | None = sum(each.costUSD for each in models)
    else:
        run, cost = last.usage or RunUsage(), None if resumed else last.total_cost_usd
    if last.usage is None and last.model_usage_since_last_result is None:
        return None
    return Usage(
        input_tokens=_count(run.input_tokens + run.cache_creation_input_tokens),
        output_tokens=_count(run.output_tokens),
        cached_tokens=_count(run.cache_read_input_tokens),
        microdollars=None if cost is None or not math.isfinite(cost) else _count(round(cost * 1_000_000)),
    )


def reason_of(heard: Heard) -> str:
    """Return in words why it was no success, with what was denied to it."""
    last = heard.last
    if last is None:
        return "it ended without its last event, so nothing that it did counts"
    said = final_words(heard) or "it said nothing"
    about = last.terminal_reason or last.subtype
    return said + ("" if about in _PLAIN else f" ({about})") + denials(last)


def final_words(heard: Heard) -> str:
    """Return the agent's last words, or the errors that it ended with."""
    return "" if heard.last is None else heard.last.result or "; ".join(heard.last.errors)


def denials(last: Event) -> str:
    """Return what the agent was not allowed to do, as an addition to a reason; nothing when nothing was denied."""
    if not last.permission_denials:
        return ""
    shown = ", ".join(str(each) for each in last.permission_denials[:_SHOWN])
    left = len(last.permission_denials) - _SHOWN
    return f"; denied: {shown}" + (f" and {left} more" if left > 0 else "")


def _events(output: bytes) -> Iterator[Event]:
    for line in output.splitlines():
        try:
            yield decode(line, Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue


def _count(value: int) -> int | None:
    return value if 0 <= value < _LARGEST else None
