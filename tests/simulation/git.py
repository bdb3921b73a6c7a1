"""Git as far as it matters: contents are maps from path to text, and a branch moves by compare-and-swap.

A tree is named by its content, commits hold one, merges are made path by path.
"""

import hashlib
from collections.abc import Mapping

from punchlist.model.ids import Commit, Tree
from punchlist.model.jobs import IntegrateJob, MergeJob
from punchlist.model.json import Json
from tests.runs import BASE

Content = Mapping[str, str]


class Git:
    """The branch of one task in the engine's repository."""

    def __init__(self) -> None:
        self.contents: dict[str, Content] = {BASE: {}}
        self.onto: set[tuple[Tree, Commit]] = set()
        self.tip = BASE

    def tree(self, content: Content) -> Tree:
        """Return the name of a content."""
        return Tree(f"t{hashed(sorted(content.items()))}")

    def commit(self, content: Content, *, name: str) -> Commit:
        """Keep a content under a commit's name, and under its tree's."""
        self.contents[name] = content
        self.contents[self.tree(content)] = content
        return Commit(name)

    def merge(self, job: MergeJob) -> dict[str, Json]:
        """Merge path by path: what one side left alone is as the other has it."""
        base, ours, theirs = (self.contents[each] for each in (job.base, job.commit, job.onto))
        merged, conflicts = dict(theirs), list[Json]()
        for path in sorted({*base, *ours}):
            if ours.get(path) == base.get(path) or ours.get(path) == theirs.get(path):
                continue
            if theirs.get(path) != base.get(path):
                conflicts.append(path)
            merged[path] = ours.get(path, "")
        if conflicts:
            return {"tree": None, "conflicts": conflicts}
        self.commit(merged, name=f"merge-{hashed(sorted(merged.items()))}")
        self.onto.add((self.tree(merged), job.onto))
        return {"tree": self.tree(merged), "conflicts": []}

    def integrate(self, job: IntegrateJob) -> Commit:
        """Make the planned commit and move the branch, once; a branch that is elsewhere is a law that is broken."""
        name = f"i{hashed([job.parent, job.tree, job.message, job.author, job.at])}"
        assert self.tip in {job.parent, name}, f"the branch is at {self.tip}, not at {job.parent} or {name}"
        assert (job.tree, job.parent) in self.onto, "a tree that was not made on its parent: work of others is lost"
        self.tip = self.commit(self.contents[job.tree], name=name)
        return self.tip


def hashed(value: object) -> str:
    """Return a short name for a value."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]
