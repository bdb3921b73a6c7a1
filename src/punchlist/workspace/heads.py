"""Which branch a repository has checked out, and where one stands, read from its files: no process is started."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from punchlist.model.ids import Commit

if TYPE_CHECKING:
    from punchlist.model.records import Project

_REF = "ref: refs/heads/"
_NO_REF = r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|^[/.-]|[/.]$|//|/\.|\.lock(/|$)"


def is_ref(name: str) -> bool:
    """Say whether `name` can be a branch: what git refuses in a ref name, and nothing that reads as an option."""
    return bool(name) and re.search(_NO_REF, name) is None and name != "@"


def known_base(project: "Project", *, root: Path, state: Path) -> Commit | None:
    """Return the tip of a project's base branch when it was asked for before; None when git must be asked.

    The engine's repository keeps each such tip by a ref of its name: then it is there, and nothing forbids it.
    """
    tip = _written_tip((root / project.repo).resolve(), project.base) if is_ref(project.base) else None
    known = tip is not None and (state / "git" / f"{project.id}.git" / "refs" / "bases" / tip).exists()
    return tip if known else None


def head_branch(folder: Path) -> str | None:
    """Return the branch checked out in `folder` (a checkout, a linked worktree, a bare repository), or None."""
    head = _text(_git_dir(folder) / "HEAD")
    return head.removeprefix(_REF).strip() if head.startswith(_REF) else None


def is_repository(folder: Path) -> bool:
    """Say whether `folder` is the top of a checkout or a bare repository."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def common_git_dir(folder: Path) -> Path:
    """Return the git directory that a checkout shares with its linked worktrees."""
    git_dir = _git_dir(folder)
    common = _text(git_dir / "commondir").strip()
    return (git_dir / common).resolve() if common else git_dir


def _written_tip(folder: Path, branch: str) -> Commit | None:
    """Return the commit that a branch's own file names; None when it is packed, or kept otherwise, or not there."""
    commit = _text(common_git_dir(folder) / "refs" / "heads" / branch).strip()
    return Commit(commit) if re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", commit) else None


def _git_dir(folder: Path) -> Path:
    dot_git = folder / ".git"
    if dot_git.is_dir():
        return dot_git
    named = _text(dot_git)
    return (folder / named.removeprefix("gitdir:").strip()).resolve() if named.startswith("gitdir:") else folder


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
