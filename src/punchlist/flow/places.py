"""Where in its file a part of a text stands: an expression in a YAML value, however it is quoted or folded."""

from dataclasses import dataclass

from punchlist.flow.document import Entries, Scalar, Yaml
from punchlist.flow.problems import Place
from punchlist.flow.reading import find
from punchlist.flow.templates import OPEN
from punchlist.model.parts import Path


@dataclass(frozen=True, slots=True)
class Places:
    """A document, its text, and the names under which errors show the files that it reads."""

    document: Yaml
    text: str
    files: dict[str, str]

    def of(self, path: Path) -> Place:
        """Return where the value at `path` stands, or what is around it."""
        return find(self.document, path).place

    def has(self, path: Path) -> bool:
        """Say whether a map has a key, whatever its value is."""
        around = find(self.document, path[:-1])
        return isinstance(around, Entries) and str(path[-1]) in around.keys

    def of_key(self, path: Path) -> Place:
        """Return where the key at `path` stands, or what is around it."""
        around = find(self.document, path[:-1])
        key = around.keys.get(str(path[-1])) if isinstance(around, Entries) else None
        return around.place if key is None else key.place

    def inside(self, path: Path, text: str, *, offset: int) -> tuple[str, Place]:
        """Return the file (empty: this one) and the place of a character of the string at `path`."""
        tree = find(self.document, path)
        written = tree.text if isinstance(tree, Scalar) else ""
        if written != text and written in self.files:  # the text of a file that is named here
            return self.files[written], _at(text, offset)
        end = tree.end if isinstance(tree, Scalar) else tree.place.index
        return "", self._between(tree.place, end, text=text, offset=offset)

    def _between(self, place: Place, end: int, *, text: str, offset: int) -> Place:
        """Return the place by counting `${{`, since quoting and folding change everything else."""
        start = max(text.rfind(OPEN, 0, offset + len(OPEN)), 0)
        found = place.index - 1
        for _ in range(text.count(OPEN, 0, start) + 1):
            found = self.text.find(OPEN, found + 1, end)
            if found < 0:
                return place  # written with an escape
        beyond = max(offset - start, 0)
        same = self.text[found : found + beyond + 1] == text[start : start + beyond + 1]
        return _at(self.text, found + beyond if same else found)


def _at(text: str, index: int) -> Place:
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index), index)
