"""What the records of very many nodes say alike, held once: state grows by what differs."""

from functools import lru_cache

import msgspec

from punchlist.model.ids import Digest
from punchlist.model.jobs import Outcome
from punchlist.model.json import Json

replace = msgspec.structs.replace
_NO_EVIDENCE: dict[str, bool] = {}
_KNOWN = 256
"""How many of the last values are known again."""
_SHORT = 128
"""Bytes of an answer that is looked for among the last ones: a long one is hardly said twice."""


@lru_cache(maxsize=_KNOWN)
def text(value: str) -> str:
    """Return the text, the one that was said before where it is."""
    return value


def outcome(value: Outcome) -> Outcome:
    """Return an outcome that holds what others before it held, where it says the same."""
    digest = value.output_digest
    return replace(
        value,
        evidence=value.evidence or _NO_EVIDENCE,
        unenforced=_names(value.unenforced),
        output_digest=None if digest is None else _digest(digest),
        result=answer(value.result),
    )


def answer(value: Json) -> Json:
    """Return what an attempt answered, the same that was answered before where it is short and equal."""
    if not isinstance(value, dict):
        return value
    said = msgspec.json.encode(value)
    return _read(said) if len(said) <= _SHORT else value


@lru_cache(maxsize=_KNOWN)
def _read(said: bytes) -> Json:
    found: Json = msgspec.json.decode(said)
    return found


@lru_cache(maxsize=_KNOWN)
def _names(value: tuple[str, ...]) -> tuple[str, ...]:
    return value


@lru_cache(maxsize=_KNOWN)
def _digest(value: Digest) -> Digest:
    return value
