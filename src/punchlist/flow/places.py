"""Where in its file a part of a text stands: an expression in a YAML value, however it is quoted or folded."""

from dataclasses import dataclass

from punchlist.flow.document import Scalar, Yaml
from punchlist.flow.problems import Place
from punchlist.flow.reading import Path, find
from punchlist.flow.templates import OPEN


@dataclass(frozen=True, slots=True)
class Places:
    """A document, its text, and the names under which errors show the files that it reads."""

    document: Yaml
    text: str
    files: dict[str, str]

    def of(self, path: Path) -> Place:
        """Return where the value at `path` stands, or what is around it."""
        return find(self.document, path).place

    def inside(self, path: Path, text: str, *, offset: int) -> tuple[str, Place]:
        """Return the file (empty: this one) and the place of a character of the string at `path`."""
        tree = find(self.document, path)
        if not isinstance(tree, Scalar):
            return "", tree.place
        if tree.value != text and tree.text in self.files:  # the text of a file that is named here
            return self.files[tree.text], _at(text, offset)
        return "", self._in_scalar(tree, text, offset=offset)

    def _in_scalar(self, tree: Scalar, text: str, *, offset: int) -> Place:
        """Return the place by counting `${{`, since quoting and folding change everything else."""
        start = text.rfind(OPEN, 0, offset + len(OPEN))
        if start < 0:
            return tree.place
        found = tree.place.index - 1
        for _ in range(text.count(OPEN, 0, start) + 1):
            found = self.text.find(OPEN, found + 1, tree.end)
            if found < 0:
                return tree.place
        beyond = max(offset - start, 0)
        same = self.text[found : found + beyond + 1] == text[start : start + beyond + 1]
        return _at(self.text, found + beyond if same else found)


def _at(text: str, index: int) -> Place:
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index), index)
