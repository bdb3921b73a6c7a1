"""The engine's bare repository of a project: its objects, its refs, and what it borrows from the user's repository.

It is made as a local clone: on one disk git links the user's object files instead of copying them, and unlike with
alternates nothing is lost here when the user rewrites history and prunes it there. Its refs are
`refs/heads/<branch>` (task branches), `refs/attempts/<attempt>` (snapshots), `refs/bases/<commit>` (tips of base
branches that were asked for) and `refs/trees/<tree>` (a commit that has this tree, for the exam to stand on).
"""

import hashlib
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from punchlist.errors import RefusedError, StoreError
from punchlist.model.ids import Commit, Tree
from punchlist.workspace.folders import locked, wipe
from punchlist.workspace.git import EMAIL, NAME, At, Git, Ran
from punchlist.workspace.rules import patterns

UPLOAD = "--upload-pack=git -c safe.directory=* upload-pack"
GITLINK = "160000"
# Above every `.gitattributes`: the bytes of a file are the bytes in the tree, whoever says otherwise.
ATTRIBUTES = b"* -text -ident !eol !crlf !filter !working-tree-encoding\n"
_TAG = re.compile(rb"[0-9a-f]{40,64} refs/tags/")


class Signature(msgspec.Struct, frozen=True):
    """Who, and when in whole seconds of UTC."""

    name: str
    email: str
    at: int

    def line(self) -> str:
        """Return it as a commit writes it; characters that would end the field early are dropped."""
        name, email = (re.sub(r"[<>\x00-\x1f\x7f]", "", text).strip() for text in (self.name, self.email))
        return f"{name} <{email}> {self.at} +0000"


class Facts(msgspec.Struct, frozen=True):
    """What a commit says of itself."""

    tree: Tree
    parents: tuple[Commit, ...]
    at: int


class _Listing(NamedTuple):
    """Every path of a tree or commit, and those of them that are submodules."""

    tree: str
    files: frozenset[str]
    gitlinks: tuple[str, ...]


def commit_bytes(tree: Tree, *, parents: Sequence[Commit], author: Signature, message: str) -> bytes:
    """Return a commit object; the same values give the same bytes, so the same id. The author is its committer."""
    head = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    head += [f"author {author.line()}", f"committer {author.line()}"]
    return "\n".join([*head, "", message]).encode(errors="surrogateescape")


def commit_id(content: bytes, *, like: str) -> Commit:
    """Return the id that git gives to a commit object in a repository whose ids look like `like`."""
    hashed = hashlib.sha256 if len(like) == hashlib.sha256().digest_size * 2 else hashlib.sha1
    return Commit(hashed(b"commit %d\0" % len(content) + content).hexdigest())


class Repository:
    """One project's bare repository. Several threads may use it; refs move under its lock."""

    def __init__(self, git: Git, path: Path) -> None:
        self.git = git
        self.path = path
        self.at = At(git_dir=path)
        self._facts: dict[str, Facts] = {}
        self._trees: dict[str, Tree] = {}
        self._patterns: dict[str, bytes] = {}
        self._listed: _Listing | None = None

    @property
    def exists(self) -> bool:
        """Whether it was made; it appears whole or not at all."""
        return (self.path / "HEAD").exists()

    @contextmanager
    def lock(self) -> Generator[int]:
        """Hold the right to move refs; git processes that are given the descriptor hold it, too."""
        with locked(self.path.with_suffix(".lock")) as descriptor:
            yield descriptor

    def borrow(self, theirs: Path) -> None:
        """Make the repository from the user's git directory, unless it is there."""
        with self.lock():
            if self.exists:
                return
            fresh = self.path.with_suffix(".new")
            wipe(fresh)
            command = ["clone", "--quiet", "--bare", "--template=", UPLOAD, str(theirs), str(fresh)]
            self.git.run(command, at=At(folder=self.path.parent), failure=RefusedError)
            _keep_tags(fresh)
            (fresh / "info").mkdir(exist_ok=True)
            (fresh / "info" / "attributes").write_bytes(ATTRIBUTES)
            fresh.rename(self.path)

    def pinned(self, commit: Commit) -> bool:
        """Say whether a tip of the user's repository is kept here."""
        return (self.path / "refs" / "bases" / commit).exists()

    def has(self, commit: Commit) -> bool:
        """Say whether a commit is here at all."""
        if commit not in self._facts:
            ran = self.git.run(["cat-file", "commit", commit], at=self.at, accept=(0, 1, 128))
            if ran.code != 0:
                return False
            self._facts[commit] = _facts(ran.out)  # whoever asks goes on to ask for these
        return True

    def fetch(self, theirs: Path, commit: Commit) -> None:
        """Bring a tip of the user's repository here, with its history and the tags on it."""
        options = ["--quiet", "--no-write-fetch-head", "--no-auto-maintenance"]
        self.git.run(["fetch", *options, UPLOAD, str(theirs), commit], at=self.at, failure=RefusedError)

    def pin(self, commit: Commit) -> None:
        """Keep a commit that is here, and let an exam of its tree stand on it."""
        self.move({f"refs/bases/{commit}": commit, f"refs/trees/{self.facts(commit).tree}": commit})

    def tips(self, *names: str) -> dict[str, Commit]:
        """Return what the named refs point to; those that are not there are left out."""
        ran = self.git.run(["for-each-ref", "--format=%(objectname) %(refname)", *names], at=self.at)
        found = (line.partition(" ") for line in ran.text.splitlines())
        return {name: Commit(commit) for commit, _, name in found if name in names}

    def move(self, refs: Mapping[str, Commit], *, was: Mapping[str, Commit | None] | None = None) -> None:
        """Move refs together; those in `was` only from that commit (None: only where there is none)."""
        with self.lock() as descriptor:
            self.move_held(refs, was=was or {}, hold=descriptor)

    def move_held(self, refs: Mapping[str, Commit], *, was: Mapping[str, Commit | None], hold: int) -> None:
        """Move refs while the caller holds the lock; a lock file of git's that is there now is a killed one's."""
        lines: list[str] = []
        for name, commit in refs.items():
            (self.path / f"{name}.lock").unlink(missing_ok=True)
            old = was.get(name, commit)
            lines.append(f"update {name} {commit}" + ("" if name not in was else f" {old or '0' * len(commit)}"))
        stdin = "".join(f"{line}\n" for line in lines).encode()
        self.git.run(["update-ref", "--stdin"], at=self.at, stdin=stdin, failure=RefusedError, hold=(hold,))

    def facts(self, commit: str) -> Facts:
        """Return a commit's tree, parents and time; raises RefusedError when the commit is not here."""
        if commit not in self._facts:
            ran = self.git.run(["cat-file", "commit", commit], at=self.at, failure=RefusedError)
            self._facts[commit] = _facts(ran.out)
        return self._facts[commit]

    def tree(self, name: str) -> Tree:
        """Return the tree of a commit, or a tree as it is; raises RefusedError when there is neither."""
        if name not in self._trees:
            ran = self.git.run(
                ["rev-parse", "--verify", "--end-of-options", f"{name}^{{tree}}"], at=self.at, failure=RefusedError
            )
            self._trees[name] = Tree(ran.text)
        return self._trees[name]

    def commit(self, tree: Tree, *, parents: Sequence[Commit], author: Signature, message: str) -> Commit:
        """Write a commit; the same values give the same id."""
        return self.write_commit(commit_bytes(tree, parents=parents, author=author, message=message))

    def write_commit(self, content: bytes) -> Commit:
        """Write a commit object; raises RefusedError when it is none, or its tree or a parent is not here."""
        command = ["hash-object", "-t", "commit", "-w", "--stdin"]
        return Commit(self.git.run(command, at=self.at, stdin=content, failure=RefusedError).text)

    def is_ancestor(self, commit: Commit, *, of: Commit) -> bool:
        """Say whether `of` contains `commit`."""
        return self.git.run(["merge-base", "--is-ancestor", commit, of], at=self.at, accept=(0, 1)).code == 0

    def engine_commit(self, tree: Tree, *, parents: Sequence[Commit], message: str) -> Commit:
        """Write a commit of the engine's own, dated like the youngest of its parents."""
        at = max((self.facts(parent).at for parent in parents), default=0)
        return self.commit(tree, parents=parents, author=Signature(NAME, EMAIL, at), message=message)

    def standing_on(self, tree: Tree) -> Commit:
        """Return a commit with this tree and, where the engine knows one, its history."""
        known = self.tips(f"refs/trees/{tree}").get(f"refs/trees/{tree}")
        return known or self.engine_commit(tree, parents=(), message="Exam\n")

    def files(self, tree: str) -> frozenset[str]:
        """Return every path of a tree or commit."""
        return self._listing(tree).files

    def ignored(self, tree: str) -> bytes:
        """Return the patterns of what a tree or commit ignores, caches included."""
        if tree not in self._patterns:
            paths = self.files(tree)
            rules = sorted(path for path in paths if path.rpartition("/")[2] == ".gitignore" and "\n" not in path)
            contents = self.contents(tree, rules)
            ignores = {path.rpartition("/")[0]: content for path, content in contents.items()}
            self._patterns[tree] = patterns(ignores, tracked=paths)
        return self._patterns[tree]

    def contents(self, tree: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the files of a tree that are there among `paths` (no newlines in them); folders are none."""
        if not paths:
            return {}
        asked = b"".join(f"{tree}:{path}\n".encode(errors="surrogateescape") for path in paths)
        ran = self.git.run(["cat-file", "--batch=%(objecttype) %(objectsize)"], at=self.at, stdin=asked)
        return dict(_blobs(ran.out, paths))

    def gitlinks(self, tree: str) -> list[str]:
        """Return the paths of submodules in a tree."""
        return [*self._listing(tree).gitlinks]

    def _listing(self, tree: str) -> "_Listing":
        known = self._listed  # read once: another thread may list another tree meanwhile
        if known is None or known.tree != tree:
            ran = self.git.run(["ls-tree", "-r", "-z", "--full-tree", tree], at=self.at, failure=RefusedError)
            told = [record.partition("\t")[::2] for record in ran.records]
            links = tuple(path for what, path in told if what.startswith(GITLINK))
            known = self._listed = _Listing(tree, frozenset(path for _, path in told), links)
        return known

    def push(self, commit: Commit, *, to: Path, ref: str, hold: int) -> Ran:
        """Try to move one ref of the user's repository forward to a commit: no force, no hooks, no checkout touched."""
        receive = "git -c safe.directory=* -c core.hooksPath=/dev/null -c receive.autogc=false -c gc.auto=0"
        receive += " -c receive.denyCurrentBranch=refuse -c receive.denyNonFastForwards=true -c maintenance.auto=false"
        receive += " -c core.fsmonitor=false -c core.alternateRefsCommand=true receive-pack"
        command = ["push", "--quiet", "--porcelain", f"--receive-pack={receive}", str(to), f"{commit}:{ref}"]
        return self.git.run(command, at=self.at, accept=range(256), hold=(hold,))


def _keep_tags(fresh: Path) -> None:
    """Leave of a new clone's refs only the tags: branches here are the engine's."""
    packed = fresh / "packed-refs"
    kept: list[bytes] = []
    tag = False
    for line in packed.read_bytes().splitlines() if packed.exists() else ():
        tag = _TAG.match(line) is not None or (tag and line.startswith(b"^"))
        kept += [line] if tag else []
    packed.write_bytes(b"".join(line + b"\n" for line in kept))
    wipe(fresh / "refs" / "heads")
    (fresh / "refs" / "heads").mkdir(parents=True)
    (fresh / "HEAD").write_bytes(b"ref: refs/heads/none\n")


def _facts(content: bytes) -> Facts:
    head = os.fsdecode(content).partition("\n\n")[0].split("\n")
    fields = [line.partition(" ")[::2] for line in head]
    tree = next(value for name, value in fields if name == "tree")
    committer = next(value for name, value in fields if name == "committer")
    at = re.search(r"> (\d+) [+-]\d{4}$", committer)
    return Facts(
        Tree(tree), tuple(Commit(value) for name, value in fields if name == "parent"), int(at[1]) if at else 0
    )


def _blobs(output: bytes, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    place = 0
    for path in paths:
        end = output.find(b"\n", place)
        if end < 0:
            raise StoreError("git cat-file ended early", where=path)
        kind, _, size = output[place:end].rpartition(b" ")
        place = end + 1
        if kind in {b"blob", b"tree", b"commit", b"tag"}:
            if kind == b"blob":
                yield path, output[place : place + int(size)]
            place += int(size) + 1
