"""`retry` out of YAML: how often, after which failures, with what delay."""

import re

import msgspec

from punchlist.flow.document import Yaml
from punchlist.flow.reading import Reader
from punchlist.flow.templates import OPEN
from punchlist.flow.words import RETRIED
from punchlist.model.allowed import nearest
from punchlist.model.flow import Retry

_MOST = 1000
_EXIT = re.compile(r"exit:(?:[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])")
_ALLOWED = f"{', '.join(RETRIED)}, exit:1 to exit:255"


def read_retry(reader: Reader, tree: Yaml) -> Retry:
    """Return a rule of retries."""
    fields = reader.fields(tree, ("max", "on", "backoff"), what="'retry'", required=("max",))
    backoff = fields.get("backoff")
    delays = reader.fields(backoff, ("first", "factor", "most"), what="'backoff'") if backoff else dict[str, Yaml]()
    given: dict[str, object] = {
        key: reader.whole_number(delay, 1, most=100) if key == "factor" else _literal(reader, delay)
        for key, delay in delays.items()
    }
    given = {key: value for key, value in given.items() if value is not None}
    most = reader.whole_number(fields["max"], 0, most=_MOST) if "max" in fields else 0
    on = reader.each(fields["on"], lambda each: _failure(reader, each), empty=False) if "on" in fields else ()
    return msgspec.structs.replace(Retry(max=most, on=tuple(dict.fromkeys(on))), **given)


def _failure(reader: Reader, tree: Yaml) -> str:
    text = reader.filled(tree)
    if text and text not in RETRIED and not _EXIT.fullmatch(text):
        reader.wrong(tree, _ALLOWED, hint=nearest(text, RETRIED))
    return text


def _literal(reader: Reader, tree: Yaml) -> str | None:
    measured = reader.time(tree)
    if measured and OPEN in measured:
        reader.wrong(tree, "30s, 5m, 2h")
        return None
    return measured
