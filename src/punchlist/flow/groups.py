"""The order of a group's nodes: which must have run before which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from punchlist.model.flow import AnyNode


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes by id, with the ids that each waits for: those named, or the one before; unknown names are left out.

    `rows` says of each node in which row it stands and where: in a row each but the head needs the one before alone.
    """

    nodes: dict[str, AnyNode]
    needs: dict[str, tuple[str, ...]]
    rows: dict[str, tuple[str, int]]

    def runs_before(self, first: str, then: str) -> bool:
        """Say whether `first` is always over when `then` starts; rows are passed in one step."""
        head, place = self.rows[first]
        seen: set[str] = set()
        waiting = list(self.needs[then])
        while waiting:
            row, reached = self.rows[waiting.pop()]
            if row == head and place <= reached:
                return True
            if row not in seen:
                seen.add(row)
                waiting += self.needs[row]
        return False


def rings(needs: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the names that need each other in a ring, the first again at the end; no name is in two of them."""
    done: set[str] = set()
    while ring := _ring(needs, done):
        yield ring
        done.update(ring)


def _ring(needs: Mapping[str, Iterable[str]], done: set[str]) -> tuple[str, ...]:
    """Return a ring of names that are not `done`, or nothing; what leads to none is then done, too."""
    for start in needs:
        path: dict[str, Iterator[str]] = {} if start in done else {start: iter(needs[start])}
        while path:
            last = next(reversed(path))
            following = next(path[last], None)
            if following is None:
                del path[last]
                done.add(last)
            elif following in path:
                ring = list(path)
                return (*ring[ring.index(following) :], following)
            elif following not in done:
                path[following] = iter(needs[following])
    return ()


def group_of(nodes: Sequence[AnyNode]) -> Group:
    """Return nodes with their order."""
    known = {node.id: node for node in nodes}
    needs: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for node in nodes:
        needs[node.id] = before if node.needs is None else tuple(need for need in node.needs if need in known)
        before = (node.id,)
    return Group(known, needs, _rows(needs))


def _rows(needs: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, int]]:
    rows: dict[str, tuple[str, int]] = {}
    continued: set[str] = set()
    for name, needed in needs.items():
        before = needed[0] if len(needed) == 1 else None
        if before is None or before not in rows or before in continued:
            rows[name] = (name, 0)
        else:
            head, place = rows[before]
            rows[name] = (head, place + 1)
            continued.add(before)
    return rows
