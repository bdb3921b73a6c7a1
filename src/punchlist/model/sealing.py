"""The rule by which an event's hash is made, on the bytes that are stored."""

import msgspec

from punchlist.model.json import Json, plain

_quoted = msgspec.json.Encoder().encode


def data_of(fact: msgspec.Struct) -> dict[str, Json]:
    """Return the fields of an event's fact as JSON, without its kind."""
    value = plain(fact)
    assert isinstance(value, dict)
    return {name: each for name, each in value.items() if name != "kind"}


def chain_hash(prev: bytes, *, stream: str, n: int, at: str, kind: str, actor: str, data: bytes) -> str:
    """Return the hash of an event after `prev`; `data` is canonical already, and so is what is put around it here."""
    first = b'{"actor":%b,"at":%b' % (_quoted(actor), _quoted(at))
    last = b'"kind":%b,"n":%d,"stream":%b}' % (_quoted(kind), n, _quoted(stream))
    import hashlib  # see model.json.digest

    return hashlib.sha256(b'%b%b,"data":%b,%b' % (prev, first, data, last)).hexdigest()
