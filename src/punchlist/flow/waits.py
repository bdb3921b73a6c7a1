"""`wait` and `gate` out of YAML: what is waited for, whom, and for how long."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from punchlist.flow.contracts import read_declared, read_path
from punchlist.flow.document import Entries, Items, Scalar, Yaml, plain
from punchlist.flow.entry import Entry
from punchlist.flow.reading import Reader
from punchlist.flow.templates import OPEN
from punchlist.model.allowed import nearest
from punchlist.model.flow import GateNode, Wait, WaitNode
from punchlist.model.policy import duration

_WAYS = ("for", "until", "file", "command")
_ONLY: Mapping[str, str] = {"min": "file", "every": "command"}
_CHOICE = re.compile(r"[a-z][a-z0-9_-]*")
_GATE = ("message", "choices", "show", "form", "timeout", "on_timeout", "approvers")
_APPROVER = re.compile(r"(?:human:)?[A-Za-z0-9_.@-]{1,60}")
FAIL = "fail"


def read_wait(entry: Entry) -> WaitNode:
    """Return a wait for one thing; that it has a timeout is seen where all of the node is known."""
    reader = entry.reader
    parts = entry.parts((*_WAYS, *_ONLY))
    if not isinstance(entry.value, Entries):
        return WaitNode(id=entry.id, wait=Wait())
    ways = [key for key in _WAYS if key in parts]
    if len(ways) != 1:
        said = " and ".join(f"'{way}'" for way in ways)
        message = f"'wait' has {said}" if ways else "'wait' does not say what for"
        reader.problems.add(entry.value.place, message, allowed=f"one of: {', '.join(_WAYS)}")
    for key, way in _ONLY.items():
        if key in parts and ways and way not in ways:
            reader.problems.add(parts[key].place, f"'{key}' says nothing of a wait for '{ways[0]}'", allowed=way)
    rule = "a whole number from 1, or an expression that gives one"
    wait = Wait(
        for_=reader.time(parts["for"]) if "for" in parts else None,
        until=_moment(reader, parts["until"]) if "until" in parts else None,
        file=_pattern(reader, parts["file"]) if "file" in parts else None,
        min=reader.expression_or(parts["min"], int, rule=rule) if "min" in parts else 1,
        command=_command(reader, parts["command"]) if "command" in parts else None,
        every=_every(reader, parts["every"]) if "every" in parts else "30s",
    )
    return WaitNode(id=entry.id, wait=wait)


def _moment(reader: Reader, tree: Yaml) -> str:
    text = reader.filled(tree)
    if OPEN in text:
        return reader.expression(tree) or ""
    try:
        zoned = datetime.fromisoformat(text).tzinfo is not None if text else True
    except ValueError:
        zoned = False
    if not zoned:
        reader.wrong(tree, "a moment with its zone, such as 2026-11-21T22:00:00Z")
    return text


def _command(reader: Reader, tree: Yaml) -> str | tuple[str, ...]:
    return reader.each(tree, reader.word, empty=False) if isinstance(tree, Items) else reader.filled(tree)


def _pattern(reader: Reader, tree: Yaml) -> str:
    pattern = read_path(reader, tree)
    if OPEN not in pattern and any("**" in part and part != "**" for part in pattern.split("/")):
        reader.wrong(tree, "a pattern such as out/*.json, or out/**/*.json for all folders below")
    return pattern


def _every(reader: Reader, tree: Yaml) -> str:
    every = reader.time(tree) or "30s"
    if OPEN not in every and duration(every) < timedelta(seconds=1):
        reader.wrong(tree, "1s or longer")
    return every


def too_long(node: WaitNode) -> bool:
    """Say whether a wait for a time is always longer than its timeout, as far as both are written out."""
    length, most = node.wait.for_, node.timeout
    if length is None or most is None or OPEN in length or OPEN in most:
        return False
    return duration(length) > duration(most)


def read_gate(entry: Entry) -> GateNode:
    """Return a gate: only its message, or a map of that and what else there is to it."""
    reader = entry.reader
    if isinstance(entry.value, Scalar):
        return GateNode(id=entry.id, message=reader.filled(entry.value))
    parts = entry.parts(_GATE, "message")
    choices = _choices(reader, parts["choices"]) if "choices" in parts else ("approve", "reject")
    if "on_timeout" in parts and "timeout" not in parts:
        reader.problems.add(parts["on_timeout"].place, "'on_timeout' says nothing without a 'timeout'")
    return GateNode(
        id=entry.id,
        message=reader.filled(parts["message"]) if "message" in parts else "",
        choices=choices,
        show=plain(parts["show"]) if "show" in parts else None,
        form=read_declared(reader, parts["form"], around=entry.around) if "form" in parts else None,
        timeout=reader.time(parts["timeout"]) if "timeout" in parts else None,
        on_timeout=_on_timeout(reader, parts["on_timeout"], choices=choices) if "on_timeout" in parts else FAIL,
        approvers=reader.each(parts["approvers"], lambda tree: _approver(reader, tree), empty=False)
        if "approvers" in parts
        else (),
    )


def _choices(reader: Reader, tree: Yaml) -> tuple[str, ...]:
    choices = reader.each(tree, lambda each: _choice(reader, each), empty=False)
    if len(set(choices)) != len(choices):
        reader.problems.add(tree.place, "two choices have the same name")
    return choices


def _choice(reader: Reader, tree: Yaml) -> str:
    text = reader.filled(tree)
    if text and not _CHOICE.fullmatch(text):
        reader.wrong(tree, "lower-case letters, digits, _ and -")
    return text


def _on_timeout(reader: Reader, tree: Yaml, *, choices: tuple[str, ...]) -> str:
    text, allowed = reader.filled(tree), (*choices, FAIL)
    if text and text not in allowed:
        reader.wrong(tree, ", ".join(dict.fromkeys(allowed)), hint=nearest(text, allowed))
    return text or FAIL


def _approver(reader: Reader, tree: Yaml) -> str:
    """Return a person as the record names them."""
    text = reader.filled(tree)
    if text and not _APPROVER.fullmatch(text):
        reader.wrong(tree, "a person's name, such as ann or human:ann")
    return text if text.startswith("human:") else f"human:{text}"
