"""Which folder a job works in, and who else may be in it."""

from punchlist.model.jobs import Job, ListJob, ProcessJob


def is_shared(job: Job) -> bool:
    """Say whether runs share the folder that a job works in: a project's exam, which no task has to itself."""
    return isinstance(job, ProcessJob) and job.folder.place == "exam" and job.folder.task is None


def folder_of(job: Job) -> str:
    """Return the folder that a job works in, which is no one else's until it has ended; the engine works on git."""
    if isinstance(job, ListJob):
        return f"list {job.run}"
    if not isinstance(job, ProcessJob):
        return f"git {job.project}"
    folder = job.folder
    owner = job.run if folder.place == "run" else f"{folder.project} {folder.task} {folder.step}"
    return f"{folder.place} {owner}"
