"""How attempts for a task end: builders, checks, reviewers, git; well, badly, or not at all."""

from random import Random

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import (
    Change,
    FailureClass,
    IntegrateJob,
    Job,
    MergeJob,
    Outcome,
    ProcessJob,
    PublishJob,
    Role,
    Snapshot,
    Usage,
)
from punchlist.model.json import Json
from punchlist.model.states import AttemptStatus
from tests.runs import BASE
from tests.simulation.git import Git, hashed
from tests.simulation.moods import Mood

_LIMITS = {FailureClass.TIMEOUT, FailureClass.SILENCE, FailureClass.MEMORY}


def trouble(attempt: AttemptId, failure: FailureClass, *, usage: Usage | None = None) -> Outcome:
    """Return the end of an attempt that failed in a class."""
    status = AttemptStatus.TIMED_OUT if failure in _LIMITS else AttemptStatus.FAILED
    status = AttemptStatus.LOST if failure is FailureClass.LOST else status
    limit = failure.value if failure in _LIMITS else None
    return Outcome(
        attempt=attempt, status=status, failure=failure, reason=f"{failure} it is", passed_limit=limit, usage=usage
    )


def cost(die: Random) -> Usage | None:
    """Return what a worker says that it cost: all, some or nothing of it."""
    whole = Usage(input_tokens=die.randrange(3), output_tokens=die.randrange(9), microdollars=die.randrange(2))
    return die.choice((None, whole, Usage(output_tokens=die.randrange(2))))


class Answers:
    """How the attempts of one task end. `kind` worlds let all of them end well."""

    def __init__(self, seed: int, mood: Mood) -> None:
        self.seed = seed
        self.mood = mood
        self.git = Git()

    def outcome(self, job: Job, die: Random, *, kind: bool) -> Outcome:
        """Return how a job ends."""
        match job:
            case IntegrateJob():
                if not kind and self.git.tip == job.parent and die.random() < 0.1:
                    return trouble(job.attempt, die.choice((FailureClass.DEFINITION, FailureClass.WORKER)))
                return _done(job.attempt, {"commit": self.git.integrate(job)})
            case MergeJob():
                return _done(job.attempt, self.git.merge(job))
            case PublishJob():
                if not kind and die.random() < 0.2:
                    return trouble(job.attempt, die.choice((FailureClass.DEFINITION, FailureClass.WORKER)))
                return _done(job.attempt, {"branch": job.branch, "commit": job.commit, "merged": job.how == "merge"})
            case ProcessJob():
                return self._process(job, die, kind=kind)
            case _:
                raise AssertionError(job)

    def meddle(self, job: Job, die: Random) -> None:
        """Let a commit be made before anybody hears of it: it happens at any moment between its start and its end."""
        if isinstance(job, IntegrateJob) and die.random() < 0.5:
            self.git.integrate(job)

    def _process(self, job: ProcessJob, die: Random, *, kind: bool) -> Outcome:
        if not kind and die.random() < self.mood.trouble:
            return trouble(job.attempt, die.choice(self.mood.classes), usage=cost(die))
        match job.role:
            case Role.BUILDER:
                return self._built(job, die, kind=kind)
            case Role.QA:
                return _reviewed(job, die, kind=kind)
            case Role.SETUP:
                return _command(job, passed=kind or die.random() < 0.9, tail="")
            case _:
                return _command(job, passed=self._passes(job, die, kind=kind), tail=f"line {die.randrange(1000)}")

    def _passes(self, job: ProcessJob, die: Random, *, kind: bool) -> bool:
        """Say whether a check is green: by the tree and the command alone, now and then by chance."""
        if not kind and die.random() < 0.03:
            return False
        content = self.git.contents[job.folder.tree or BASE]
        chance = int(hashed([self.seed, sorted(content.items()), job.argv]), 16) % 100
        return "good" in content or chance < self.mood.green

    def _built(self, job: ProcessJob, die: Random, *, kind: bool) -> Outcome:
        """Leave a tree: the base (as it is merged into the clone), and what this builder writes."""
        base = job.folder.base
        assert base is not None
        content = dict(self.git.contents[base])
        if kind:
            content["good"] = "yes"
        if kind or die.random() < 0.9:
            content[f"{job.folder.step}.py"] = f"try {die.randrange(6)}"
        if die.random() < 0.3:
            content["shared.py"] = f"by {job.folder.step}, {die.randrange(3)}"
        paths = [path for path in content if content[path] != self.git.contents[base].get(path)]
        self.git.onto.add((self.git.tree(content), base))
        made = Snapshot(
            commit=self.git.commit(content, name=f"b-{job.attempt}"),
            tree=self.git.tree(content),
            base=base,
            changes=tuple(Change(path=path, how="modified", old_mode="1", new_mode="1") for path in paths),
        )
        result: Json = {"schema": "punchlist/result/1", "outcome": "done"}
        session = die.choice((None, "s1"))
        return Outcome(
            attempt=job.attempt,
            status=AttemptStatus.SUCCEEDED,
            result=result,
            snapshot=made,
            session=session,
            usage=cost(die),
        )


def _reviewed(job: ProcessJob, die: Random, *, kind: bool) -> Outcome:
    """Judge what is asked; a reviewer may forget one, name evidence that is not there, or change what it reads."""
    assert isinstance(job.pack, dict)
    asked = job.pack["criteria"]
    assert isinstance(asked, list)
    criteria: list[Json] = []
    for each in asked:
        assert isinstance(each, dict)
        if kind or die.random() < 0.8:
            criteria.append({"id": each["id"], "verdict": "pass", "evidence": ["x:1"]})
        else:
            criteria.append({"id": each["id"], "verdict": "fail", "finding": f"mend it, {die.randrange(9)}"})
    misbehaves = "" if kind or die.random() < 0.9 else die.choice(("forgets", "invents", "changes"))
    return Outcome(
        attempt=job.attempt,
        status=AttemptStatus.SUCCEEDED,
        result={"schema": "punchlist/review/1", "criteria": criteria[1:] if misbehaves == "forgets" else criteria},
        evidence={"x:1": misbehaves != "invents"},
        exam_changed=("x",) if misbehaves == "changes" else (),
        usage=cost(die),
    )


def _command(job: ProcessJob, *, passed: bool, tail: str) -> Outcome:
    return Outcome(
        attempt=job.attempt,
        status=AttemptStatus.SUCCEEDED if passed else AttemptStatus.FAILED,
        failure=None if passed else FailureClass.CRITERION if job.role is Role.CHECK else FailureClass.WORKER,
        exit_code=0 if passed else 1,
        reason="" if passed else "exit 1",
        tail=tail,
    )


def _done(attempt: AttemptId, result: Json) -> Outcome:
    return Outcome(attempt=attempt, status=AttemptStatus.SUCCEEDED, result=result)
