"""JSON values, and their one canonical form (RFC 8785), which digests and the event chain are made of."""

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from punchlist.model.ids import Digest

if TYPE_CHECKING:
    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
else:
    Json = Any  # msgspec has no recursive aliases; the values are checked where they are made


def plain(value: object) -> Json:
    """Return a record as JSON values; the inverse of `msgspec.convert`."""
    return msgspec.to_builtins(value, str_keys=True)  # type: ignore[no-any-return]


def canonical(value: object) -> bytes:
    """Return the RFC 8785 form of a record or JSON value: same value, same bytes, on any machine."""
    import rfc8785  # noqa: PLC0415 - only commands that write need it

    return rfc8785.dumps(plain(value))  # type: ignore[arg-type]


def digest(value: object) -> Digest:
    """Return the SHA-256 of the canonical form."""
    return Digest(hashlib.sha256(canonical(value)).hexdigest())
