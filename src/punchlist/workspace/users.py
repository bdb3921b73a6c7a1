"""The user's repository, which is read, and of which only published branches are ever moved."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from punchlist.errors import DefinitionError, Problem, RefusedError, invalid
from punchlist.model.ids import Commit
from punchlist.model.records import Project
from punchlist.workspace.git import At, Git
from punchlist.workspace.heads import is_ref
from punchlist.workspace.repository import Repository


class Tip(msgspec.Struct, frozen=True):
    """A branch's commit in the repository whose git directory is `git_dir`."""

    git_dir: Path
    commit: Commit


class UserRepository:
    """One project's repository as the user has it: a checkout, a linked worktree or a bare repository."""

    def __init__(self, git: Git, project: Project, *, root: Path) -> None:
        self._git = git
        self._project = project
        self.path = (root / project.repo).resolve()
        self.at = At(folder=self.path)

    def base(self) -> Tip:
        """Return the tip of the project's base branch; raises DefinitionError that says what is missing."""
        base, own = self._project.base, f"project {self._project.id}"
        found = [] if self.path.is_dir() else [self._not_git("there is no such folder")]
        if not is_ref(base):
            found.append(DefinitionError(f"{base!r} cannot be the name of a branch", where=f"{own}: base"))
        if len(found) > 1:
            raise invalid([Problem(each.where, each.message, hint=each.hint) for each in found], what=own)
        if found:
            raise found[0]
        command = ["rev-parse", "--path-format=absolute", "--git-common-dir", f"refs/heads/{base}^{{commit}}"]
        ran = self._git.run(command, at=self.at, accept=range(256))
        lines = ran.text.splitlines()
        if ran.code != 0 or len(lines) != 2:  # noqa: PLR2004 - one line for each thing asked
            raise self._missing_base()
        return Tip(Path(lines[0]), Commit(lines[1]))

    def git_dir(self) -> Path:
        """Return the git directory; raises DefinitionError when the path is no repository."""
        command = ["rev-parse", "--path-format=absolute", "--git-common-dir"]
        if not self.path.is_dir():
            raise self._not_git("there is no such folder")
        ran = self._git.run(command, at=self.at, accept=range(256))
        if ran.code != 0:
            raise self._not_git("it is not a git repository")
        return Path(ran.text)

    def tips(self, *branches: str) -> dict[str, Commit]:
        """Return the commits of those of the branches that are there."""
        names = [f"refs/heads/{branch}" for branch in branches]
        ran = self._git.run(["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", *names], at=self.at)
        found = (line.partition(" ") for line in ran.text.splitlines())
        return {name: Commit(commit) for commit, _, name in found if name in branches}

    def checkout_of(self, branch: str) -> Path | None:
        """Return the checkout that has the branch checked out, if one has."""
        ran = self._git.run(["worktree", "list", "--porcelain", "-z"], at=self.at)
        for entry in ran.out.split(b"\0\0"):
            first, *facts = entry.split(b"\0")
            if f"branch refs/heads/{branch}".encode() in facts:
                return Path(os.fsdecode(first.removeprefix(b"worktree ")))
        return None

    def uncommitted(self, *, state: Path) -> int:
        """Return how many paths of the checkout differ from its HEAD; 0 for a bare repository."""
        self.git_dir()
        inside = self._git.run(["rev-parse", "--is-inside-work-tree", "--show-toplevel"], at=self.at, accept=(0, 128))
        if not inside.text.startswith("true"):
            return 0
        top = Path(inside.text.splitlines()[-1])
        command = ["status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=dirty"]
        if state.is_relative_to(top):
            command += ["--", ".", f":(exclude,top,literal){state.relative_to(top)}"]
        magic = {"GIT_LITERAL_PATHSPECS": "0"}
        return len(self._git.run(command, at=self.at, environment=magic, failure=RefusedError).records)

    def _missing_base(self) -> DefinitionError:
        self.git_dir()
        ran = self._git.run(["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/"], at=self.at)
        branches = ran.text.splitlines()
        where = f"project {self._project.id}: repo {self.path}"
        if not branches:
            hint = f"Make a first one: git -C {self.path} commit --allow-empty -m start"
            return DefinitionError("the repository has no commits on any branch", where=where, hint=hint)
        hint = f"Type: punchlist project edit {self._project.id} --base {branches[0]}"
        names = ", ".join(branches[:20]) + (", …" if len(branches) > 20 else "")  # noqa: PLR2004 - enough to see
        missing = f"{self.path}: there is no branch {self._project.base!r}; branches: {names}"
        return DefinitionError(missing, where=f"project {self._project.id}: base", hint=hint)

    def _not_git(self, why: str) -> DefinitionError:
        hint = f"Name another: punchlist project edit {self._project.id} --repo DIR"
        return DefinitionError(f"{self.path}: {why}", where=f"project {self._project.id}: repo", hint=hint)


def create_repository(git: Git, path: Path) -> bool:
    """Make a repository with one empty commit on `main` at `path`, unless one is there (it is left as it is).

    Say whether it was made in a folder in which there was nothing.
    """
    path.mkdir(parents=True, exist_ok=True)
    at = At(folder=path.resolve())
    empty = not any(path.iterdir())
    if not empty and git.run(["rev-parse", "--git-dir"], at=at, accept=(0, 128)).code == 0:
        return False
    git.run(["init", "--quiet", "--initial-branch=main", "--template=", "."], at=at)
    git.run(["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Start"], at=at)
    return empty


def refuse_unsupported(repository: Repository, commit: Commit, *, project: Project) -> None:
    """Refuse a base with submodules or files kept by git LFS, naming all of them."""
    where = f"project {project.id}: {project.base}"
    paths = repository.files(commit)
    problems = [Problem(path, "is a submodule") for path in repository.gitlinks(commit)]
    if ".gitmodules" in paths and not problems:
        problems.append(Problem(".gitmodules", "lists submodules"))
    attributes = sorted(path for path in paths if path.rpartition("/")[2] == ".gitattributes" and "\n" not in path)
    for path, content in repository.contents(commit, attributes).items():
        problems += [Problem(path, f"keeps files with git LFS: {rule}") for rule in _lfs_rules(content)]
    if problems:
        listed = invalid(problems, what="the base branch")
        hint = "Punchlist takes neither submodules nor git LFS: choose a base branch without them"
        raise RefusedError(listed.message, where=where, hint=hint, problems=problems)


def _lfs_rules(content: bytes) -> Sequence[str]:
    lines = (line.strip() for line in content.decode(errors="replace").splitlines())
    return [line for line in lines if not line.startswith("#") and "filter=lfs" in line.split()]
