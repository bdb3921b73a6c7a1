"""What the record says of a check already: the same command, on the same tree, after the same set-up, is not run again.

Only answers are taken: what ended by itself. What was lost, cancelled, killed, stopped by a limit, or could not run
here, says nothing of the tree.
"""

from collections.abc import Callable, Sequence

import msgspec

from punchlist.model.ids import Digest
from punchlist.model.jobs import FailureClass, Outcome, ProcessJob, Role
from punchlist.model.json import digest
from punchlist.model.records import Project
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus
from punchlist.quality.proof import cannot_run

Recall = Callable[[Digest], Sequence[AttemptState]]
"""Gives the attempts that were at an exam, in the order of their ids."""


def exam_of(job: ProcessJob, project: Project | None) -> Digest | None:
    """Return what makes two checks the same one, or None for what may answer otherwise the next time.

    The job's folder names the tree itself. A check that needs the network depends on more than its tree.
    """
    if job.role is not Role.CHECK or project is None or job.folder.tree is None or job.network:
        return None
    return digest(
        {
            "project": project.id,
            "tree": job.folder.tree,
            "argv": list(job.argv),
            "timeout": str(job.limits.timeout),
            "memory": job.limits.memory,
            "sandbox": job.sandbox,
            "setup": list(project.setup),
            "path": list(project.path),
        }
    )


def recalled(job: ProcessJob, earlier: Sequence[AttemptState], *, exam: Digest) -> Outcome | None:
    """Return the outcome of an attempt as an earlier one of the same exam had it, or None: then it has to be run.

    A first try is taken for a first one and a second for a second, so that what was flaky stays so. A failure is not
    taken for the first of two unless the second was made, too.
    """
    answers = [each for each in earlier if each.outcome is not None and _is_answer(each.outcome)]
    again = {(each.run, each.node) for each in answers if each.again}
    for each in reversed(answers):
        outcome = each.outcome
        assert outcome is not None
        passed = outcome.status is AttemptStatus.SUCCEEDED
        whole = passed or job.again or not job.twice or (each.run, each.node) in again
        if each.again == job.again and whole:
            return msgspec.structs.replace(outcome, attempt=job.attempt, exam=exam, cached_from=each.id)
    return None


def _is_answer(outcome: Outcome) -> bool:
    if outcome.cached_from is not None or outcome.signal is not None or outcome.exit_code is None:
        return False
    ended = outcome.status is AttemptStatus.SUCCEEDED or outcome.failure is FailureClass.CRITERION
    return ended and not cannot_run(outcome.exit_code, timed_out=False, tail=outcome.tail)
