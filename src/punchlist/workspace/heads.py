"""Which branch a repository has checked out, and where one stands, read from its files: no process is started."""

import re
from pathlib import Path

_REF = "ref: refs/heads/"


def head_branch(folder: Path) -> str | None:
    """Return the branch checked out in `folder` (a checkout, a linked worktree, a bare repository), or None."""
    head = _text(_git_dir(folder) / "HEAD")
    return head.removeprefix(_REF).strip() if head.startswith(_REF) else None


def written_tip(folder: Path, branch: str) -> str | None:
    """Return the commit that a branch's own file names; None when only git can tell (it is packed, or not there)."""
    commit = _text(common_git_dir(folder) / "refs" / "heads" / branch).strip()
    return commit if re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", commit) else None


def is_repository(folder: Path) -> bool:
    """Say whether `folder` is the top of a checkout or a bare repository."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def common_git_dir(folder: Path) -> Path:
    """Return the git directory that a checkout shares with its linked worktrees."""
    git_dir = _git_dir(folder)
    common = _text(git_dir / "commondir").strip()
    return (git_dir / common).resolve() if common else git_dir


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
