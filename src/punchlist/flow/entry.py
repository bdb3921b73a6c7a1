"""One node as its reader sees it: the value beside its kind, its other keys, and the files around the definition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from punchlist.flow.document import Yaml
from punchlist.flow.problems import Place
from punchlist.flow.reading import Reader
from punchlist.flow.words import LATER
from punchlist.model.flow import AnyNode, Flow

T = TypeVar("T")
D = TypeVar("D")
L = TypeVar("L", bound=str)


class Around(Protocol):
    """The files around a definition."""

    def flow(self, name: str, place: Place) -> Flow:
        """Return a called flow, checked; one without nodes, and a problem at `place`, when there is none."""
        ...

    def text(self, name: str, place: Place) -> str:
        """Return a file's text; empty, and a problem at `place`, when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A node as it is read: `value` is what stands beside its kind, `fields` are its other known keys.

    `read_nodes` reads the nodes of a group. It is
    `alone` when it is the only kind that the node has; of others nobody can say what they lack.
    """

    id: str
    place: Place
    kind: str
    value: Yaml
    fields: Mapping[str, Yaml]
    reader: Reader
    around: Around
    read_nodes: Callable[[Yaml], tuple[AnyNode, ...]]
    alone: bool = True

    def take(self, key: str, read: Callable[[Yaml], T], *, default: D) -> T | D:
        """Return the value of a key, `default` when it is not there."""
        return read(self.fields[key]) if key in self.fields else default

    def choice(self, key: str, allowed: tuple[L, ...]) -> L:
        """Return a key's value as one of the words; the first one when the key is not there."""
        return self.reader.choice(self.fields[key], allowed) if key in self.fields else allowed[0]

    def parts(self, keys: tuple[str, ...], *required: str) -> Mapping[str, Yaml]:
        """Return the keys of the map that stands beside the kind."""
        what, later = f"'{self.kind}'", LATER.get(self.kind, ())
        return self.reader.fields(self.value, keys, what=what, later=later, required=required)

    def nodes(self, tree: Yaml) -> tuple[AnyNode, ...]:
        """Return the nodes of a group."""
        return self.read_nodes(tree)

    def needed(self, key: str) -> bool:
        """Say whether a sibling that must be there is; a problem when it is not."""
        if key not in self.fields and self.alone:
            self.reader.problems.add(self.place, f"node '{self.id}' ({self.kind}) lacks '{key}'")
        return key in self.fields
