"""Accepted trees as commits on the task's branch, and that branch in the user's repository."""

import re
from datetime import datetime
from pathlib import Path

from punchlist.dying import reach
from punchlist.errors import ConflictError, DefinitionError, RefusedError
from punchlist.model.ids import Commit, Tree
from punchlist.model.jobs import IntegrateJob, PublishJob
from punchlist.workspace.clones import merge_trees
from punchlist.workspace.git import EMAIL
from punchlist.workspace.heads import is_ref
from punchlist.workspace.repository import Repository, Signature, commit_bytes, commit_id
from punchlist.workspace.users import UserRepository

_AUTHOR = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")


def signature(author: str, at: str) -> Signature:
    """Return who and when from `Name <email>` (or a name alone) and an ISO 8601 time with its offset."""
    found = _AUTHOR.fullmatch(author)
    name, email = (found[1], found[2]) if found else (author.strip(), EMAIL)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as exc:
        raise DefinitionError(
            f"{at!r} is no time", where="integrate: at", hint="Give it as 2026-01-31T12:00:00Z"
        ) from exc
    if moment.tzinfo is None or not name:
        raise DefinitionError(
            f"saw {author!r} at {at!r}", where="integrate", hint="Give a name, and a time with its offset"
        )
    return Signature(name, email, int(moment.timestamp()))


def integrate(repository: Repository, user: UserRepository, *, job: IntegrateJob) -> Commit:
    """Make the planned commit, publish it, move the task's branch to it; doing it again changes nothing.

    The user's repository comes first, so a refusal there leaves the branch as it was and may be tried again.
    Raises ConflictError when the branch is at another commit than the parent or the planned one, and RefusedError when
    the user's repository does not take it: it is checked out there, or holds commits of others.
    """
    ref = _ref(job.branch)
    author = signature(job.author, job.at)
    content = commit_bytes(job.tree, parents=[job.parent], author=author, message=job.message)
    planned = commit_id(content, like=job.parent)
    theirs = user.git_dir()
    with repository.lock() as descriptor:
        now = repository.tips(ref).get(ref)
        if now not in {None, job.parent, planned}:
            message = f"branch {job.branch} is at {now}, not at {job.parent} where this commit belongs"
            hint = (
                "Nothing but the engine moves it: the record is older than it, as after a state.db was restored. Keep "
                f"what is there under another name, here (git --git-dir={repository.path} branch -m {job.branch} NAME) "
                f"and in {user.path}, and retry"
            )
            raise ConflictError(message, where=f"{job.task}: integrate", hint=hint)
        if now != planned:
            repository.write_commit(content)
        reach("while-integrating")
        _push(repository, user, commit=planned, theirs=theirs, branch=job.branch, hold=descriptor)
        reach("inside-git")
        if now != planned:
            refs = {ref: planned, f"refs/trees/{job.tree}": planned}
            repository.move_held(refs, was={ref: now}, hold=descriptor)
    return planned


def publish(repository: Repository, user: UserRepository, *, job: PublishJob) -> bool:
    """Push the task's branch; for `merge` bring it into the base branch, and say whether that holds now."""
    if job.how == "pr":
        raise RefusedError(
            "opening a pull request is not part of this version",
            where=f"{job.task}: publish",
            hint="Publish with policy.on_accept = branch, and open it from that branch",
        )
    theirs = user.git_dir()
    with repository.lock() as descriptor:
        _push(repository, user, commit=job.commit, theirs=theirs, branch=job.branch, hold=descriptor)
    if job.how == "branch":
        return False
    _merge(repository, user, job=job, theirs=theirs)
    return True


def _merge(repository: Repository, user: UserRepository, *, job: PublishJob, theirs: Path) -> None:
    base = user.tips(job.base).get(job.base)
    if base is None:
        raise RefusedError(f"there is no branch {job.base!r} to merge into", where=f"{job.task}: publish")
    if not repository.pinned(base):
        repository.fetch(theirs, base)
        repository.pin(base)
    if repository.is_ancestor(job.commit, of=base):
        return
    if (checkout := user.checkout_of(job.base)) is not None:
        message = f"branch {job.base} is checked out in {checkout}, and a checkout is never touched"
        hint = f"Type: git -C {checkout} merge {job.branch}"
        raise RefusedError(message, where=f"{job.task}: publish", hint=hint)
    commit = job.commit if repository.is_ancestor(base, of=job.commit) else _merge_commit(repository, job, base=base)
    with repository.lock() as descriptor:
        _push(repository, user, commit=commit, theirs=theirs, branch=job.base, hold=descriptor)


def _merge_commit(repository: Repository, job: PublishJob, *, base: Commit) -> Commit:
    merged, conflicts = merge_trees(repository, base, theirs=job.commit)
    if conflicts:
        paths = sorted({path.decode(errors="replace") for _, path in conflicts})
        message = f"{job.branch} and {job.base} changed the same places: {', '.join(paths)}"
        hint = f"Merge them by hand: git switch {job.base} && git merge {job.branch}"
        raise RefusedError(message, where=f"{job.task}: publish", hint=hint)
    return repository.engine_commit(Tree(merged), parents=[base, job.commit], message=f"Merge branch '{job.branch}'\n")


def _push(
    repository: Repository, user: UserRepository, *, commit: Commit, theirs: Path, branch: str, hold: int
) -> None:
    """Move a branch of the user's forward to a commit; raises RefusedError that says why it cannot be moved."""
    ran = repository.push(commit, to=theirs, ref=_ref(branch), hold=hold)
    if ran.code == 0:
        return
    there = user.tips(branch).get(branch)
    if there == commit:
        return
    where = f"branch {branch} in {user.path}"
    if (checkout := user.checkout_of(branch)) is not None:
        hint = f"Leave it (git -C {checkout} switch -) and retry"
        raise RefusedError(f"it is checked out in {checkout}, and a checkout is never touched", where=where, hint=hint)
    if there is not None:
        message = f"it is at {there}, which is not Punchlist's work: commits of others are never overwritten"
        raise RefusedError(message, where=where, hint=f"Keep it as another: git -C {user.path} branch -m {branch} NAME")
    raise RefusedError(f"it could not be published: {ran.reason}", where=where)


def _ref(branch: str) -> str:
    if not is_ref(branch):
        raise DefinitionError(f"{branch!r} cannot be the name of a branch", where="branch")
    return f"refs/heads/{branch}"
