"""A workspace with one project on real git, for tests of the workspace port."""

import hashlib
import os
import subprocess
from pathlib import Path

from punchlist.model.ids import AttemptId, Commit, ProjectId, RunId, StepId, TaskId, Tree
from punchlist.model.jobs import Folder, IntegrateJob, MergeJob, PublishJob, Snapshot
from punchlist.model.records import Project
from punchlist.workspace.adapter import GitWorkspace

BRANCH = "punchlist/T1-add-it"


class Desk:
    """A workspace in `root`, with the project `acme` whose repository is `repos/acme`, one commit on `main`."""

    def __init__(self, root: Path, *, files: dict[str, str] | None = None) -> None:
        self.root = root / "ws"
        self.root.mkdir()
        self.repo = self.root / "repos" / "acme"
        self.workspace = GitWorkspace(
            root=self.root, state=self.root / ".punchlist", environ={"PATH": os.environ["PATH"]}
        )
        self.project = Project(id="acme", title="Acme", spec="", repo="repos/acme", base="main")
        self.workspace.create_repository(self.repo)
        if files:
            self.commit(files)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=cwd or self.repo, check=False, capture_output=True, text=True)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout.strip()

    def engine(self, *arguments: str) -> str:
        return self.git(f"--git-dir={self.root}/.punchlist/git/acme.git", *arguments, cwd=self.root)

    def commit(self, files: dict[str, str], *, message: str = "Change") -> Commit:
        for name, content in files.items():
            write(self.repo / name, content)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "-m", message)
        return Commit(self.git("rev-parse", "HEAD"))

    def base(self) -> Commit:
        return self.workspace.base(self.project)

    def folder(self, base: Commit | None = None, *, step: str = "T1.1", merge: Commit | None = None) -> Folder:
        start = base or self.base()
        return Folder(
            place="build", project=ProjectId("acme"), task=TaskId("T1"), step=StepId(step), base=start, merge=merge
        )

    def exam_folder(self, tree: str, *, base: Commit | None = None) -> Folder:
        return Folder(
            place="exam", project=ProjectId("acme"), task=TaskId("T1"), step=StepId("T1.1"), tree=Tree(tree), base=base
        )

    def build(self, base: Commit | None = None, *, step: str = "T1.1") -> Path:
        return self.workspace.prepare(self.project, self.folder(base, step=step))

    def exam(self, tree: str, *, base: Commit | None = None) -> Path:
        return self.workspace.prepare(self.project, self.exam_folder(tree, base=base))

    def snapshot(self, base: Commit | None = None, *, attempt: str = "A1", step: str = "T1.1") -> Snapshot:
        start = base or self.base()
        return self.workspace.snapshot(self.project, self.folder(start, step=step), AttemptId(attempt), start)

    def base_tree(self) -> Tree:
        return self.workspace.tree_of(self.project, self.base())

    def paths(self, tree: str) -> set[str]:
        return set(filter(None, self.engine("ls-tree", "-r", "-z", "--name-only", tree).split("\0")))

    def show(self, tree: str, path: str) -> bytes:
        command = ["git", f"--git-dir={self.root}/.punchlist/git/acme.git", "cat-file", "blob", f"{tree}:{path}"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def integration(
        self, parent: Commit, tree: Tree, *, message: str = "Add it\n", branch: str = BRANCH
    ) -> IntegrateJob:
        return IntegrateJob(
            attempt=AttemptId("A9"),
            run=RunId("R1"),
            project=ProjectId("acme"),
            task=TaskId("T1"),
            branch=branch,
            parent=parent,
            tree=tree,
            message=message,
            author="A Builder <builder@example.com>",
            at="2026-01-02T03:04:05Z",
        )

    def integrate(self, parent: Commit, tree: Tree, *, message: str = "Add it\n") -> Commit:
        return self.workspace.integrate(self.project, self.integration(parent, tree, message=message))

    def publication(self, commit: Commit, how: str) -> PublishJob:
        return PublishJob(
            attempt=AttemptId("A10"),
            run=RunId("R1"),
            project=ProjectId("acme"),
            task=TaskId("T1"),
            branch=BRANCH,
            commit=commit,
            how=how,  # type: ignore[arg-type]
            base="main",
        )

    def merging(self, base: Commit, commit: Commit, *, onto: Commit) -> MergeJob:
        return MergeJob(
            attempt=AttemptId("A11"), run=RunId("R1"), project=ProjectId("acme"), base=base, commit=commit, onto=onto
        )


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def state_of(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Return a hash of every file below a folder (mode, content or target of a link), objects of git left out."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name in without or name.startswith((".git/objects/", *(f"{each}/" for each in without))):
            continue
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        hashed = hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()
        found[name] = f"{path.lstat().st_mode:o} {hashed}"
    return found
