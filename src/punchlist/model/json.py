"""JSON values, and their one canonical form (RFC 8785), which digests and the event chain are made of."""

import re
import typing
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from immutables import Map

from punchlist.model.ids import Digest

T = TypeVar("T")

if TYPE_CHECKING:
    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
else:
    Json = Any  # msgspec has no recursive aliases; the values are checked where they are made


def plain(value: object) -> Json:
    """Return a record as JSON values (tuples as lists); the inverse of `msgspec.convert`."""
    found: Json = msgspec.json.decode(encode(value))
    return found


def encode(value: object) -> bytes:
    """Return a record as JSON text, fields in their declared order."""
    return msgspec.json.encode(value, enc_hook=_persistent_map)


def decode(text: bytes | str, kind: type[T]) -> T:
    """Return the record in JSON text that `encode` made; raises msgspec.ValidationError for anything else."""
    prepare(kind)
    return msgspec.json.decode(text, type=kind, dec_hook=_map_from)


@typing.overload
def convert(value: object, kind: type[T]) -> T: ...
@typing.overload
def convert(value: object, kind: object) -> Any: ...
def convert(value: object, kind: Any) -> object:
    """Return the record that JSON values are of; raises msgspec.ValidationError for anything else."""
    prepare(kind)
    return msgspec.convert(value, kind)  # noqa: TID251 - it is prepared


def prepare(kind: object) -> None:
    """Have a type described for the library before it is first read: by one thread, with the types within it.

    The description is made at the first reading otherwise, and is seen half-made by other threads: two that first read
    types which share a record end the process.
    """
    if kind not in _PREPARED:
        with _PREPARING:
            msgspec.json.Decoder(kind)
            _PREPARED.add(kind)


def _persistent_map(value: object) -> object:
    if isinstance(value, Map):
        return dict(cast("Map[object, object]", value).items())
    raise NotImplementedError(type(value).__name__)


def _map_from(kind: type, value: object) -> object:
    origin = typing.get_origin(kind)
    if origin is not Map or not isinstance(value, dict):
        raise NotImplementedError(kind)
    keys, values = typing.get_args(kind)
    whole = dict.__class_getitem__((keys, values))
    prepare(whole)
    found: dict[object, object] = msgspec.convert(  # noqa: TID251 - it is prepared
        value, whole, dec_hook=_map_from, str_keys=True
    )
    return Map(found)


def canonical(value: object) -> bytes:
    """Return the RFC 8785 form of a record or JSON value: same value, same bytes, on any machine.

    JSON with sorted names is that form wherever no float, no number beyond 2^53 and no name from outside the first
    plane is in it; the library that knows the rest takes 20 ms to load. Most texts show at a glance that there is none.
    """
    text = _SORTED.encode(value)
    if len(text) < _GLANCED_AT and text.isascii() and text[:1] in _OPEN and _RARE.search(text) is None:
        return text
    tree: Json = msgspec.json.decode(text)
    if _is_canonical_when_sorted(tree):
        return text
    import rfc8785

    return rfc8785.dumps(tree)


def fields_of(record: msgspec.Struct) -> dict[str, msgspec.Raw]:
    """Return the fields of a record and its tag by name, each as JSON with sorted names, however large."""
    return _FIELDS.decode(_SORTED.encode(record))


_PREPARED: set[object] = set()
_PREPARING = RLock()
_SORTED = msgspec.json.Encoder(order="sorted", enc_hook=_persistent_map)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_GLANCED_AT = 4096
"""Bytes of a text for which a glance is cheaper than reading it: most are short, and a long one is mostly prose."""
_OPEN = (b"{", b"[")
_RARE = re.compile(rb"[:,\[]-?[0-9]+(?:[.eE]|(?<=[0-9]{16}))")
"""Every float and every number of 16 digits within an object or a list; rarely, something within a text."""
_BIGGEST = 2**53 - 1
_FIRST_SURROGATE = "\ud800"
"""Names are sorted by their UTF-16 units: below this character that is the order of their code points."""


def _is_canonical_when_sorted(tree: Json) -> bool:
    match tree:
        case dict():
            names = all(max(name, default="") < _FIRST_SURROGATE for name in tree)
            return names and all(map(_is_canonical_when_sorted, tree.values()))
        case list():
            return all(map(_is_canonical_when_sorted, tree))
        case float():
            return False
        case int():
            return -_BIGGEST <= tree <= _BIGGEST
        case _:
            return True


def digest(value: object) -> Digest:
    """Return the SHA-256 of the canonical form."""
    import hashlib  # loads OpenSSL, which a verb that only reads does not need

    return Digest(hashlib.sha256(canonical(value)).hexdigest())
