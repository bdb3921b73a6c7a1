"""Hints for who calls tools: verbs say what to type, and here that becomes what to call, or what a person types.

The one place where the two are translated: a command that has a tool has a line in `LINES`.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from punchlist.model.json import Json
from punchlist.service import lookup

_REASON = "…"
LINES: tuple[tuple[str, str, Mapping[str, Json]], ...] = (  # of two that begin alike, the longer comes first
    ("status", "get_status", {}),
    ("gates", "list_gates", {}),
    ("project list", "list_projects", {}),
    ("project show {project}", "get_project", {}),
    ("project create {name} --spec FILE", "create_project", {"spec": "…"}),
    ("project create {name} --base {base}", "create_project", {"spec": "…"}),
    ("project create {name} --repo DIR", "create_project", {"spec": "…", "repo": "…"}),
    ("project create {name}", "create_project", {"spec": "…"}),
    ("project edit {project} --spec FILE", "update_project", {"spec": "…"}),
    ("project edit {project} --base {base}", "", {}),
    ("project edit {project} --repo DIR", "", {}),
    ("project edit {project} --setup COMMAND", "", {}),
    ("project edit {project} --path DIR", "", {}),
    ("project edit {project}", "update_project", {}),
    ('plan {project} "what is wanted"', "plan_project", {"request": "…"}),
    ("task list", "list_tasks", {}),
    ("task show {task}", "get_task", {}),
    ("task edit {task}", "update_task", {}),
    ("task start {task}", "start_task", {}),
    ("task cancel {task}", "cancel", {}),
    ("step list {task}", "get_task", {}),
    ("step show {step}", "get_step", {}),
    ("step add {task} --file step.yaml", "create_step", {"title": "…", "criteria": ["…"]}),
    ("step edit {step}", "update_step", {}),
    ("step remove {step}", "remove_step", {}),
    ("step skip {step}", "set_step_status", {"status": "skip", "reason": _REASON}),
    ("step reopen {step} --yes", "set_step_status", {"status": "reopen", "reason": _REASON, "invalidate": True}),
    ("step reopen {step}", "set_step_status", {"status": "reopen", "reason": _REASON}),
    ("approve {task} --anyway", "approve_task", {"anyway": True}),
    ("approve {task} --no-wait", "", {}),
    ("approve {task}", "approve_task", {}),
    ("approve {gate}", "decide", {"choice": "approve"}),
    ("reject {gate}", "decide", {"choice": "reject"}),
    ("decide {gate} {choice}", "decide", {}),
    ("pause {task}", "pause_task", {}),
    ("resume {held} --from {from} --yes", "resume", {"invalidate": True}),
    ("resume {held} --from {from}", "resume", {}),
    ("resume {held}", "resume", {}),
    ("retry {target}", "retry", {}),
    ("cancel {target}", "cancel", {}),
    ("why {target}", "why", {}),
    ("report {task}", "get_task", {}),
    ("report {run}", "why", {}),
    ("diff {target}", "get_diff", {}),
    ("logs {attempt}", "read_log", {}),
    ("events {ids} -f", "wait_for", {}),
    ("events {held}", "read_log", {}),
)
"""Commands without `punchlist`, with what their calls are given besides.

`{target}` and `{held}` are ids under their own nouns. A command without a tool begins like one that has a tool.
"""
_SHAPES = {
    "task": r"T[0-9]+(?!\.?[0-9])",
    "step": r"(?:T[0-9]+\.[0-9]+|STEP)",
    "gate": r"G[0-9]+",
    "run": r"R[0-9]+",
    "attempt": r"A[0-9]+",
    "held": r"[TR][0-9]+(?!\.?[0-9])",
    "target": r"[TRGAF][0-9]+(?:\.[0-9]+)?",
    "ids": r"[TRG][0-9]+(?:\.[0-9]+)?",
}
_WORD = r"[^\s,;:)`]*[^\s,;:.)`]"
_TYPED = r"(?:\b(?P<type>[Tt])ype(?: one of)?:? )?"
_COMMAND = re.compile(rf"{_TYPED}(?P<tick>`?)punchlist (?=(?P<rest>[a-z].*))", re.DOTALL)
_OTHER = re.compile(r"\bType: ")
_OPTION = re.compile(r"--(reason|title|spec|repo|base|project|data|since)\b(?: [A-Z]+\b)?")
_PHRASES = {
    "type the command again": "make the call again",
    "Type it once more": "Make the call once more",
    "-m TEXT": "message",
    "Leave out -m": "Leave out message",
}


class _Line(NamedTuple):
    command: re.Pattern[str]
    tool: str
    beside: Mapping[str, Json]


def _pattern(command: str) -> re.Pattern[str]:
    parts = re.split(r"\{([a-z]+)\}", command)
    text = "".join(
        f"(?P<{part}_>{_SHAPES.get(part, _WORD)})" if at % 2 else re.escape(part) for at, part in enumerate(parts)
    )
    return re.compile(rf"{text}(?![\w-])")


_TABLE = tuple(_Line(_pattern(command), tool, beside) for command, tool, beside in LINES)


def call_for(command: str) -> tuple[int, str, dict[str, Json]] | None:
    """Return the call that does what the command at the beginning of a text does, behind how long a command it is.

    `command` begins behind the program's name. None for what only a person types.
    """
    for line in _TABLE:
        found = line.command.match(command)
        if found is not None:
            return (found.end(), line.tool, {**_arguments(found), **line.beside}) if line.tool else None
    return None


def in_tools(hint: str, tools: Collection[str]) -> str:
    """Return a hint for a client that has `tools`: calls instead of commands; what has no tool, a person types."""
    said, at, by_person = "", 0, False
    for found in _COMMAND.finditer(hint):
        if found.start() < at:
            continue
        said += _plain(hint[at : found.start()])
        call = call_for(found["rest"])
        if call is not None and call[1] in tools:
            length, tool, arguments = call
            lead = {"T": "Call: ", "t": "call: "}.get(found["type"] or "", "")
            said += f"{lead}{tool} {json.dumps(arguments, ensure_ascii=False)}"
            at = found.end() + length
            at += bool(found["tick"]) and hint[at : at + 1] == "`"
        else:
            lead = {"T": "A person types: ", "t": "a person types: "}.get(found["type"] or "", "")
            said += lead or ("" if by_person or found["tick"] else "a person types ")
            said += f"{found['tick']}punchlist "
            at, by_person = found.end(), True
    return said + (hint[at:] if by_person else _plain(hint[at:]))


def _plain(text: str) -> str:
    for typed, called in _PHRASES.items():
        text = text.replace(typed, called)
    text = _OTHER.sub("A person types: ", text)
    return _OPTION.sub(lambda found: found[1].replace("-", "_"), text)


def _arguments(found: re.Match[str]) -> dict[str, Json]:
    arguments: dict[str, Json] = {}
    for group, value in found.groupdict().items():
        name = group.removesuffix("_")
        if name == "ids":
            arguments["ids"] = [value]
        else:
            arguments[lookup.kind_of(value) if name in {"target", "held"} else name] = value
    return arguments
