"""What every generated file says of itself: its schema, a version, and the event that it was made from."""

from collections.abc import Iterable

import msgspec

from punchlist.model.ids import Digest
from punchlist.model.json import Json
from punchlist.model.state import Mark
from punchlist.render.blocks import Block
from punchlist.render.markdown import markdown


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """A version, and the hash of the last event that a file shows."""

    version: int
    generated_from: Digest

    def page(self, kind: str, blocks: Iterable[Block], *, tail: str = "") -> bytes:
        """Return a page that ends with a comment line, `tail` before it."""
        return self.ended(kind, f"{markdown(blocks)}{tail}".encode())

    def ended(self, kind: str, text: bytes) -> bytes:
        """Return markdown with the comment line that every page ends with."""
        comment = (
            f"<!-- schema: punchlist/{kind}-page/1, version: {self.version}, generated_from: {self.generated_from} -->"
        )
        return b"%b\n%b\n" % (text, comment.encode())

    def object(self, kind: str, content: dict[str, Json]) -> bytes:
        """Return a JSON object, keys sorted, indented by two."""
        stamped = {
            **content,
            "schema": f"punchlist/{kind}-file/1",
            "version": self.version,
            "generated_from": self.generated_from,
        }
        return msgspec.json.format(encoded(stamped), indent=2) + b"\n"


def stamp(version: int, marks: Iterable[Mark]) -> Stamp:
    """Return the stamp of a file that shows what left these marks: it names the last one, whatever their order."""
    return Stamp(version=version, generated_from=max(marks, key=lambda mark: (mark.at, mark.event)).event)


def encoded(value: Json) -> bytes:
    """Return JSON with sorted keys."""
    return msgspec.json.encode(value, order="sorted")
