"""What a scripted model answers: a YAML file of rules, each a pattern for the prompt and the turns that follow it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a turn claims to have used, in tokens."""

    input: int = 100
    output: int = 20
    cached: int = 0


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file to write; a relative path means the agent's folder."""

    path: str
    content: str


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tool to call outright, by its full name or by the end of it, such as that of a tool behind MCP."""

    name: str
    arguments: dict[str, Any] = {}


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One tool call: exactly one of these; `structured` answers by the tool that a demanded schema brings."""

    write: Write | None = None
    shell: str | None = None
    tool: Use | None = None
    structured: dict[str, Any] | None = None


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a turn goes wrong: the first `times` times that it is reached, or every time (0).

    `status` answers with that error, `in_stream` sends it as an event when the stream has begun. `cut` ends the stream
    after its first events, `hang` goes silent instead, for so many seconds.
    """

    status: int = 0
    message: str = "as the script says"
    headers: dict[str, str] = {}
    in_stream: bool = False
    cut: Literal["", "eof", "reset"] = ""
    hang: float = 0.0
    times: int = 0


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One answer of the model."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage = Usage()
    stop: Literal["max_tokens", "refusal"] | None = None
    fault: Fault | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The turns after the latest prompt that `when` is found in; its named groups fill `${name}` in them."""

    when: str
    turns: tuple[Turn, ...]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation: who, and its text; a tool's result is no prompt."""

    role: Literal["prompt", "result", "model"]
    text: str


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The turn for a conversation: its place in the script, and what fills its placeholders."""

    rule: int
    number: int
    turn: Turn
    values: Mapping[str, str]


SILENT = Turn(text="Nothing more is scripted.")


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Return the rules of a file; raises msgspec.ValidationError for anything unknown in it."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), tuple[Rule, ...])


def choose(rules: Sequence[Rule], messages: Sequence[Message], *, work: str) -> Chosen:
    """Return the turn that the script has for a conversation: a pure function of it.

    Of all rules the one counts whose prompt came last (the first of them in the file when it is the same prompt); the
    turn's number is how often the model spoke since. `${work}` is the agent's folder, `${result}` the last result.
    """
    results = [each.text for each in messages if each.role == "result"]
    values = {"work": work, "result": results[-1] if results else ""}
    for at in range(len(messages) - 1, -1, -1):
        if messages[at].role != "prompt":
            continue
        for number, rule in enumerate(rules):
            if found := re.search(rule.when, messages[at].text):
                spoken = sum(each.role == "model" for each in messages[at:])
                turn = rule.turns[spoken] if spoken < len(rule.turns) else SILENT
                return Chosen(rule=number, number=spoken, turn=turn, values=values | found.groupdict(""))
    return Chosen(rule=-1, number=0, turn=SILENT, values=values)


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a JSON value with `${name}` replaced in every text of it; unknown names stay."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: filled(each, values) for key, each in value.items()}
    return [filled(each, values) for each in value] if isinstance(value, list) else value
