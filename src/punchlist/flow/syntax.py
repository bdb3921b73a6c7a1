"""The syntax tree of a CEL expression, as far as names go: which names it reads, and where they stand.

The library gives its tree only as a serialised `cel.expr.ParsedExpr`; the few fields that matter are read here.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from punchlist.flow.templates import FlawError
from punchlist.flow.words import RESERVED

if TYPE_CHECKING:
    from cel_expr_python import cel

_BYTES = 2
_TEST_ONLY = 3
_ID, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 2, 4, 5, 6, 7, 8, 9
_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_EXPECTING = re.compile(r" expecting \{.*\}$")
_OPERATOR = re.compile(r"'_?([^\w\s'@]+)_?'")
_LONG = 300
_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")

Message = dict[int, list["int | bytes"]]


@dataclass(frozen=True, slots=True)
class Chain:
    """A name and the fields selected from it: `a.b.c`; `tested` when the last one only stands in `has()`."""

    names: tuple[str, ...]
    offsets: tuple[int, ...]
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Syntax:
    """The names of an expression, each use once; `only` when the expression is nothing but one chain."""

    chains: tuple[Chain, ...]
    only: bool


@functools.lru_cache(maxsize=4096)
def parse(expression: str) -> Syntax:
    """Return the names that an expression reads, bound variables of its macros excepted. Raises FlawError."""
    if _NAMES.fullmatch(expression) and RESERVED.isdisjoint(names := expression.split(".")):
        return Syntax((_plain_chain(names),), only=True)
    _encodable(expression)
    try:
        serialised = _environment().compile(expression, disable_check=True).serialize()
    except RuntimeError as error:
        raise flaws(expression, str(error))[0] from None
    parsed = _message(_bytes(_message(serialised), 2))
    tree = _message(_bytes(parsed, 2))
    places = dict(_position(_message(entry)) for entry in _all(_message(_bytes(parsed, 3)), 4))
    walk = _Walk(places)
    root = walk.chain(tree)
    return Syntax(tuple(walk.expression(tree, frozenset())), only=root is not None and not root.tested)


def _plain_chain(names: list[str]) -> Chain:
    """Return the chain that an expression is which is nothing but names and dots, as most are."""
    ends = accumulate(len(name) + 1 for name in names[:-1])
    return Chain(tuple(names), (0, *ends))


@functools.cache
def _environment() -> "cel.Env":
    from cel_expr_python import cel  # a heavy package, needed only where expressions are

    return cel.NewEnv(variables={})


def flaws(expression: str, message: str) -> list[FlawError]:
    """Return the problems that the library reports in `message`, each with its place in the expression."""
    starts = [0, *(found.end() for found in re.finditer("\n", expression))]
    found = [
        FlawError(_plain(text), offset=starts[int(line) - 1] + int(column) - 1 if int(line) > 0 else 0)
        for line, column, text in _ERROR.findall(message)
    ]
    return found or [FlawError(_plain(message.partition(" [")[0]))]


def _encodable(expression: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in expression):
        raise FlawError("a character that is no Unicode text (a lone surrogate)")


def _plain(message: str) -> str:
    message = message.replace("mismatched input '<EOF>'", "it ends too early")
    text = _EXPECTING.sub(
        "", message.removeprefix("Syntax error: ").replace("found no matching overload for", "no rule for")
    )
    text = _OPERATOR.sub(r"'\1'", text.replace(" (in container '')", "").replace("'_?_:_'", "'? :'"))
    return text if len(text) <= _LONG else text[:_LONG] + "…"


class _Walk:
    """Goes through the tree with the names that macros have bound."""

    def __init__(self, places: dict[int, int]) -> None:
        self._places = places

    def expression(self, node: Message, bound: frozenset[str]) -> Iterator[Chain]:
        """Yield the chains in and below a node that do not begin with a bound name."""
        chain = self.chain(node)
        if chain is not None:
            if chain.names[0] not in bound:
                yield chain
        elif _COMPREHENSION in node:
            yield from self._comprehension(_message(_bytes(node, _COMPREHENSION)), bound)
        else:
            for child in _children(node):
                yield from self.expression(_message(child), bound)

    def _comprehension(self, node: Message, bound: frozenset[str]) -> Iterator[Chain]:
        inner = bound | {_bytes(node, field).decode() for field in (1, 3, 8) if field in node}
        for field, names in ((2, bound), (4, bound), (5, inner), (6, inner), (7, inner)):
            yield from self.expression(_message(_bytes(node, field)), names)

    def chain(self, node: Message) -> Chain | None:
        """Return the node as a name with the fields selected from it, or None when it is something else."""
        names: list[str] = []
        offsets: list[int] = []
        tested = False
        while _SELECT in node:
            select = _message(_bytes(node, _SELECT))
            tested = tested or _TEST_ONLY in select
            names.append(_bytes(select, 2).decode())
            offsets.append(self._place(node) + 1)
            node = _message(_bytes(select, 1))
        if _IDENT not in node:
            return None
        names.append(_bytes(_message(_bytes(node, _IDENT)), 1).decode().removeprefix("."))
        offsets.append(self._place(node))
        return Chain(tuple(reversed(names)), tuple(reversed(offsets)), tested)

    def _place(self, node: Message) -> int:
        return self._places.get(_number(node, _ID), 0)


def _children(node: Message) -> Iterator[bytes]:
    """Yield the expressions directly below a select, a call, a list or a map."""
    if _SELECT in node:
        yield _bytes(_message(_bytes(node, _SELECT)), 1)
    elif _CALL in node:
        call = _message(_bytes(node, _CALL))
        yield from (*_all(call, 1), *_all(call, 3))
    elif _LIST in node:
        yield from _all(_message(_bytes(node, _LIST)), 1)
    elif _STRUCT in node:
        for entry in _all(_message(_bytes(node, _STRUCT)), 2):
            fields = _message(entry)
            yield from (*_all(fields, 3), *_all(fields, 4))


def _position(entry: Message) -> tuple[int, int]:
    return _number(entry, 1), _number(entry, 2)


# The wire format of protocol buffers: a key (field number and type), then a number or bytes.


def _message(data: bytes) -> Message:
    fields: Message = {}
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        value, position = _varint(data, position)  # a number, or a length: the levels read here hold nothing else
        if key & 7 == _BYTES:
            fields.setdefault(key >> 3, []).append(data[position : position + value])
            position += value
        else:
            fields.setdefault(key >> 3, []).append(value)
    return fields


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while data[position] & 0x80:
        value |= (data[position] & 0x7F) << shift
        shift, position = shift + 7, position + 1
    return value | data[position] << shift, position + 1


def _all(message: Message, field: int) -> list[bytes]:
    return [value for value in message.get(field, ()) if isinstance(value, bytes)]


def _bytes(message: Message, field: int) -> bytes:
    return next(iter(_all(message, field)), b"")


def _number(message: Message, field: int) -> int:
    return next((value for value in message.get(field, ()) if isinstance(value, int)), 0)
