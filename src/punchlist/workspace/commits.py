"""Commits as git keeps them, for whoever checks the record against them."""

from collections.abc import Mapping
from pathlib import Path

from punchlist.model.ids import Commit
from punchlist.workspace.git import At, Git


def commit_text(git_dir: Path, commit: Commit, *, environ: Mapping[str, str]) -> str | None:
    """Return a commit's own text (header, message, trailers) from a git directory, or None when it is not there."""
    if not git_dir.is_dir():
        return None
    ran = Git(environ).run(["cat-file", "commit", commit], at=At(git_dir=git_dir), accept=range(256))
    return ran.out.decode(errors="replace") if ran.code == 0 else None
