"""The workspace port on real git and a real disk: each verb finds its repository and folder, and asks one module."""

import itertools
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from punchlist.errors import DefinitionError, Problem, PunchlistError, RefusedError
from punchlist.model.ids import AttemptId, Commit, ProjectId, Tree
from punchlist.model.jobs import Folder, IntegrateJob, MergeJob, PublishJob, Snapshot
from punchlist.model.records import Project
from punchlist.ports import Merged, SetupNeed
from punchlist.sharing import folder_mode
from punchlist.workspace import clones, exams, publishing, setups, snapshots, users
from punchlist.workspace.folders import is_folder, locked, make_folder, storing, wipe_all
from punchlist.workspace.git import Git
from punchlist.workspace.heads import known_base
from punchlist.workspace.left import FolderLeft
from punchlist.workspace.places import Place, place_of
from punchlist.workspace.references import resolve
from punchlist.workspace.repository import Repository

_LEFT = ".left"
"""Holds the work folders that were moved away; no step, task or project can be called so."""
_PATCH_SIZE = 20 * 1024 * 1024


class GitWorkspace:
    """Implements `ports.Workspace` below `root` (the workspace) and `state` (its `.punchlist`).

    Blocking; safe to call from several threads, and from several processes: refs move under a lock a project, work
    folders are used under a lock a step. Of `environ` only PATH is read. A disk that cannot be read or written is a
    StoreError everywhere.
    """

    def __init__(self, *, root: Path, state: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._state = state
        self._git = Git(environ)
        self._repositories: dict[str, Repository] = {}

    @property
    def left(self) -> FolderLeft:
        """What processes leave in their work folders."""
        return FolderLeft(self._state)

    @storing
    def create_repository(self, path: Path) -> bool:
        """Make a repository with one empty commit on `main`; one that is there is left as it is."""
        return users.create_repository(self._git, path)

    @storing
    def base(self, project: Project) -> Commit:
        """Return the tip of the base branch, and keep it in the engine's repository.

        Raises DefinitionError without a repository, a commit or that branch; RefusedError for submodules and LFS.
        """
        known = known_base(project, root=self._root, state=self._state)
        if known is not None:
            return known
        tip = self._user(project).base()
        repository = self._repository(project, make=tip.git_dir)
        if not repository.pinned(tip.commit):
            if not repository.has(tip.commit):
                repository.fetch(tip.git_dir, tip.commit)
            users.refuse_unsupported(repository, tip.commit, project=project)
            repository.pin(tip.commit)
        return tip.commit

    def base_problems(self, project: Project) -> Sequence[Problem]:
        """Return why the project has no base, each at its field, `repo` or `base`; nothing of what is seen is kept."""
        try:
            self._user(project).base()
        except PunchlistError as error:
            found = error.problems or (Problem(error.where, error.message, hint=error.hint),)
            return [each._replace(where="base" if each.where.endswith(": base") else "repo") for each in found]
        except OSError as error:
            return [Problem("repo", f"it cannot be looked at: {error.strerror}")]
        return ()

    @storing
    def uncommitted(self, project: Project) -> int:
        """Return how many paths of the user's checkout differ from its HEAD; nothing there is refreshed or locked."""
        return self._user(project).uncommitted(state=self._state.resolve())

    @storing
    def tree_of(self, project: Project, commit: Commit | Tree) -> Tree:
        """Return a commit's tree; a tree is its own."""
        return self._repository(project).tree(commit)

    @storing
    def prepare(self, project: Project, folder: Folder) -> Path:
        """Make ready: a builder's clone as it was left, an exam clean at its tree; `run` is the workspace itself."""
        if folder.place == "run":
            return self._root
        repository = self._repository(project)
        with self._place(folder) as place:
            if folder.place == "build":
                clones.prepare_build(repository, place, folder=folder)
            elif folder.tree is None:
                raise DefinitionError("an exam needs the tree that it shows", where=str(place.root))
            else:
                exams.prepare_exam(repository, place, tree=folder.tree)
            return place.root

    def path(self, folder: Folder) -> Path:
        """Return where a folder is, without making it ready."""
        return self._root if folder.place == "run" else place_of(folder, work=self._state / "work").root

    @storing
    def setup_need(self, project: Project, folder: Folder) -> SetupNeed:
        """Say whether set-up must run: not done here, or with other commands or files, or what it made is gone."""
        if folder.place == "run":
            return SetupNeed(needed=False, stamp="")
        with self._place(folder) as place:
            return setups.setup_need(self._repository(project), place, commands=project.setup)

    @storing
    def setup_done(self, project: Project, folder: Folder, stamp: str) -> None:  # noqa: PLR0917 - as the port has it
        """Record that set-up ended well and what it made; in an exam, what it did to files of the tree is undone."""
        repository = self._repository(project)
        with self._place(folder) as place:
            setups.setup_done(repository, place, stamp=stamp)
            if folder.place == "exam" and (record := place.exam) is not None:
                exams.clean(repository, place, tree=record.tree, same=True)
            setups.settle(place, project.setup)

    @storing
    def snapshot(self, project: Project, folder: Folder, attempt: AttemptId, base: Commit) -> Snapshot:  # noqa: PLR0917 - as the port has it
        """Record what is in the clone; the same content on the same base gives the same tree and commit.

        Raises RefusedError when the folder cannot be read as a tree.
        """
        repository = self._repository(project)
        with self._place(folder) as place:
            if place.build is None:
                raise RefusedError("there is no clone to take a snapshot of", where=str(place.root))
            tree = snapshots.tree_left(repository, place, base=base)
        commit = repository.engine_commit(tree, parents=[base], message="Snapshot\n")
        repository.move({f"refs/attempts/{attempt}": commit, f"refs/trees/{tree}": commit})
        found = snapshots.changes(repository, base, new=tree)
        changes = tuple(msgspec.structs.replace(each, path=snapshots.shown(each.path)) for each in found)
        diff = snapshots.patch(repository, base, new=tree) if changes else ""
        return Snapshot(commit=commit, tree=tree, base=base, changes=changes, diff=diff)

    @storing
    def exam_changes(self, project: Project, folder: Folder) -> tuple[str, ...]:
        """Return the paths of an exam folder that differ from its tree."""
        with self._place(folder) as place:
            return exams.exam_changes(self._repository(project), place, base=folder.base)

    @storing
    def resolve(self, project: Project, tree: Tree, references: Sequence[str]) -> dict[str, bool]:  # noqa: PLR0917 - as the port has it
        """Say of each `path:line` (or `path`, or `path:line-line`) whether it exists in the tree."""
        return resolve(self._repository(project), tree, references=references)

    @storing
    def diff(self, project: Project, old: str, new: str) -> str:  # noqa: PLR0917 - as the port has it
        """Return the patch between two commits or trees, cut (and saying so) at 20 MiB."""
        return snapshots.patch(self._repository(project), old, new=new, size=_PATCH_SIZE)

    @storing
    def merge(self, project: Project, job: MergeJob) -> Merged:
        """Merge the commit, as it was built on its base, with the branch's tip."""
        repository = self._repository(project)
        facts = repository.facts(job.commit)
        ours = job.commit
        if facts.parents != (job.base,):
            ours = repository.engine_commit(facts.tree, parents=[job.base], message="Snapshot\n")
        tree, conflicts = clones.merge_trees(repository, job.onto, theirs=ours)
        if conflicts:
            return Merged(tree=None, conflicts=tuple(sorted({path.decode(errors="replace") for _, path in conflicts})))
        merged = repository.engine_commit(Tree(tree), parents=[job.onto], message="Merged\n")
        repository.move({f"refs/trees/{tree}": merged})
        return Merged(tree=Tree(tree))

    @storing
    def integrate(self, project: Project, job: IntegrateJob) -> Commit:
        """Make the planned commit, publish it, move the task's branch by compare-and-swap; redoing it is no change."""
        return publishing.integrate(self._repository(project), self._user(project), job=job)

    @storing
    def publish(self, project: Project, job: PublishJob) -> bool:
        """Push the branch; for `merge` bring it into the base branch. Return whether it was merged."""
        return publishing.publish(self._repository(project), self._user(project), job=job)

    @storing
    def leave(self, name: str) -> None:
        """Move the folders of a step or task away, if there are any: it begins anew when it is worked on again."""
        folder, left = self._state / "work" / name, self._state / "work" / _LEFT
        if is_folder(folder):
            make_folder(left)
            folder.rename(next(path for n in itertools.count() if not os.path.lexists(path := left / f"{name}-{n}")))

    @storing
    def sweep(self) -> None:
        """Remove all folders that were moved away."""
        wipe_all(self._state / "work" / _LEFT)

    @storing
    def home(self, project: ProjectId) -> Path:
        """Return the project's private HOME, made when missing."""
        home = self._state / "home" / project
        home.mkdir(mode=folder_mode(self._state), parents=True, exist_ok=True)
        return home

    def _user(self, project: Project) -> users.UserRepository:
        return users.UserRepository(self._git, project, root=self._root)

    def _repository(self, project: Project, *, make: Path | None = None) -> Repository:
        path = self._state / "git" / f"{project.id}.git"
        repository = self._repositories.setdefault(project.id, Repository(self._git, path))
        if not repository.exists:
            path.parent.mkdir(parents=True, exist_ok=True)
            repository.borrow(make or self._user(project).git_dir())
        return repository

    @contextmanager
    def _place(self, folder: Folder) -> Generator[Place]:
        place = place_of(folder, work=self._state / "work")
        with locked(self._lock(place.root.parent.name)):
            yield place

    def _lock(self, name: str) -> Path:
        return self._state / "work" / f".{name}.lock"
