"""Idempotency keys: the same call again gives the first answer, and a key is good for one call only."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from punchlist.errors import RefusedError

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.ports import Reader, Writer


class Repeatable(NamedTuple):
    """A call of `verb` under a key of the caller's choice; without a key it is never the same as another."""

    key: str | None
    verb: str
    arguments: Mapping[str, "Json"]

    def answered(self, reader: "Reader") -> "Json":
        """Return what the same call was answered before, None when it was never made.

        Raises RefusedError when the key was given to another verb, or to this one with other arguments.
        """
        kept = self.kept(reader)
        return None if kept is None else kept.get("answer")

    def kept(self, reader: "Reader") -> "dict[str, Json] | None":
        """Return all that is kept of the same call; raises as `answered` does."""
        kept = None if self.key is None else reader.remembered(self.key)
        if not isinstance(kept, dict):
            return None
        if kept.get("call") != self._digest():
            verb = kept.get("verb")
            other = "with other arguments" if verb == self.verb else f"and this is {self.verb}"
            raise RefusedError(
                f"the key {self.key!r} was given to another call: {verb}, {other}",
                where="key",
                hint="Give each call a key of its own; the same key is for the very same call again.",
            )
        return kept

    def keep(self, writer: "Writer", answer: "Json") -> None:
        """Keep the answer for the next time, in the transaction of what the call did."""
        if self.key is not None:
            writer.remember(self.key, self.record(answer))

    def record(self, answer: "Json") -> "dict[str, Json]":
        """Return what is kept of the call with its answer."""
        return {"verb": self.verb, "call": self._digest(), "answer": answer}

    def _digest(self) -> str:
        """Return what tells calls apart; not the canonical form: arguments not yet checked may hold any number."""
        import hashlib
        import json

        said = json.dumps({"verb": self.verb, "arguments": dict(self.arguments)}, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


UNREPEATABLE = Repeatable(None, "", {})
