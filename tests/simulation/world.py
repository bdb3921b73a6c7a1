"""A scripted world around the pure core: builders, checks, reviewers, git and people, by the throw of a seeded die.

Git is modelled as far as it matters: contents are maps from path to text, a tree is named by its content, commits hold
one, merges are made path by path, and the task's branch moves by compare-and-swap. A check's answer is a function of
the tree and of its command. What was started before a crash may have happened or not.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from punchlist.engine import document_moves
from punchlist.errors import PunchlistError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.gates import GATES, Effect
from punchlist.model.ids import AttemptId, Commit, Digest, FindingId, StepId, Tree
from punchlist.model.jobs import (
    Change,
    FailureClass,
    IntegrateJob,
    MergeJob,
    Outcome,
    ProcessJob,
    PublishJob,
    Role,
    Snapshot,
)
from punchlist.model.json import Json, plain
from punchlist.model.policy import Policy
from punchlist.model.records import Criterion, Step
from punchlist.model.states import FINAL_NODE, AttemptStatus, TaskStatus
from tests.runs import BASE, PROJECT, Story, built_in, checked, proof_of, replace, reviewed, step, task_of
from tests.simulation.laws import Laws

HALF = 55
Content = Mapping[str, str]
_FLOW = built_in("deliver")
_TROUBLES = (
    FailureClass.WORKER,
    FailureClass.QUOTA,
    FailureClass.BLOCKED,
    FailureClass.TIMEOUT,
    FailureClass.SILENCE,
    FailureClass.LOST,
    FailureClass.DEFINITION,
)


class Git:
    """The engine's repository of one project."""

    def __init__(self) -> None:
        self.contents: dict[str, Content] = {BASE: {}}
        self.onto: set[tuple[Tree, Commit]] = set()
        self.tip = BASE

    def tree(self, content: Content) -> Tree:
        """Return the name of a content."""
        return Tree(f"t{_hash(sorted(content.items()))}")

    def commit(self, content: Content, *, name: str) -> Commit:
        """Keep a content under a commit's name, and under its tree's."""
        self.contents[name] = content
        self.contents[self.tree(content)] = content
        return Commit(name)

    def merge(self, job: MergeJob) -> dict[str, Json]:
        """Merge path by path: what one side left alone is as the other has it."""
        base, ours, theirs = (self.contents[each] for each in (job.base, job.commit, job.onto))
        merged, conflicts = dict(theirs), list[Json]()
        for path in sorted({*base, *ours}):
            if ours.get(path) == base.get(path) or ours.get(path) == theirs.get(path):
                continue
            if theirs.get(path) != base.get(path):
                conflicts.append(path)
            merged[path] = ours.get(path, "")
        if conflicts:
            return {"tree": None, "conflicts": conflicts}
        self.commit(merged, name=f"merge-{_hash(sorted(merged.items()))}")
        self.onto.add((self.tree(merged), job.onto))
        return {"tree": self.tree(merged), "conflicts": []}

    def integrate(self, job: IntegrateJob) -> Commit:
        """Make the planned commit and move the branch, once; a branch that is elsewhere is a law that is broken."""
        name = f"i{_hash([job.parent, job.tree, job.message, job.author, job.at])}"
        assert self.tip in {job.parent, name}, f"the branch is at {self.tip}, not at {job.parent} or {name}"
        assert (job.tree, job.parent) in self.onto, "a tree that was not made on its parent: work of others is lost"
        self.tip = self.commit(self.contents[job.tree], name=name)
        return self.tip


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


class World:
    """One task in one world; `run` lets it live until nothing more can happen."""

    def __init__(self, seed: int, *, kept: Callable[..., Story] = Story) -> None:
        self.seed = seed
        self.die = random.Random(seed)
        self.kind = False
        self.git = Git()
        self.before: dict[AttemptId, Outcome] = {}
        setup = ("make ready",) if self.die.random() < 0.2 else ()
        task = task_of(*self._steps(), acceptance=self._criteria(self.die.randrange(3)))
        self.story = kept(flow=_FLOW, task=task, project=replace(PROJECT, setup=setup), purpose="deliver")
        self.story.refolds = False
        if self.die.random() < 0.8:
            self.story.note(ev.TaskProved(proof=proof_of(task, shows=self.die.choice(("goal", "guard")))))
        self.story.note(ev.TaskApproved(digest=Digest("d" * 64)))
        self.policy = Policy(
            rework=self.die.randrange(4),
            retries=self.die.randrange(3),
            max_parallel=self.die.randint(1, 3),
            review=self.die.choice(("always", "uncovered", "never")),
            on_accept=self.die.choice(("branch", "merge")),
        )
        self.laws = Laws(self.story)

    def _steps(self) -> list[Step]:
        return [
            step(
                number,
                *self._criteria(self.die.randint(1, 2)),
                needs=[each for each in range(1, number) if self.die.random() < 0.4],
            )
            for number in range(1, self.die.randint(2, 5))
        ]

    def _criteria(self, count: int) -> list[Criterion]:
        return [self.die.choice((checked, checked, reviewed))(number) for number in range(1, count + 1)]

    # -- living -------------------------------------------------------------------------------------------------------

    def run(self, *, troubles: int = 120, most: int = 900) -> None:
        """Live through `troubles` inputs in a world that is against it, then in a kind one until the task is over."""
        self._start()
        for count in range(most):
            self.kind = count >= troubles
            if self._is_over():
                if self.kind or not self._begin_again():
                    break
            elif self.kind:
                self._kindly()
            else:
                self._unkindly()
        assert self._is_over(), f"seed {self.seed}: the run does not end"
        self.laws.check_end()
        assert self.story.refolded() == self.story.state

    def _start(self) -> None:
        story = self.story
        self._tell(
            lambda: story.start(policy=self.policy, task=plain(story.task.task)),
        )

    def _is_over(self) -> bool:
        return self.story.run.status in FINAL_NODE

    def _begin_again(self) -> bool:
        """Open the task again and start another run of it, if it did not come to a good end."""
        state = self.story.task
        if state.task.status not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            return False
        self.laws.check_end()
        before = len(self.story.events)
        self.story.note(*document_moves.reopen(state, reason="once more"))
        self.laws.see(self.story.events[before:])
        self.story.again()
        self.laws.again()
        self.before.clear()
        self._start()
        return True

    def _kindly(self) -> None:
        run = self.story.run
        if run.paused:
            self._command(cmd.Resume(run=run.id))
        elif run.live:
            self._finish(self.die.choice(sorted(run.live)))
        elif run.open_gates:
            self._decide()
        else:
            self._tell(lambda: self.story.wait(timedelta(hours=2)))

    def _unkindly(self) -> None:
        run = self.story.run
        ways: list[tuple[float, Any]] = [
            (6.0 if run.live else 0, lambda: self._finish(self.die.choice(sorted(run.live)))),
            (2.0 if run.open_gates else 0, self._decide),
            (1.0, lambda: self._tell(lambda: self.story.wait(timedelta(minutes=self.die.choice((0, 1, 30, 120)))))),
            (0.5, self._steer),
            (3.0 if self._commits() else 0, self._meddle),
            (0.3, self._crash),
            (0.2 if self.before else 0, self._late),
        ]
        self.die.choices([way for _, way in ways], [weight for weight, _ in ways])[0]()

    def _commits(self) -> list[AttemptId]:
        run = self.story.run
        return [name for name in sorted(run.live) if run.attempts[name].subject == "commit"]

    def _tell(self, tell: Any, *, leaving: bool = False) -> None:
        before = len(self.story.events)
        tell()
        self.laws.see(self.story.events[before:])
        if not leaving:
            self.laws.check_waits()
        self._look_at_git()
        if self.die.random() < 0.02:
            assert self.story.refolded() == self.story.state

    def _look_at_git(self) -> None:
        """Commits happen at any moment between their start and their outcome; else state and git agree."""
        story, committing = self.story, False
        for name in story.wanted.kill:
            assert story.run.attempts[name].subject != "commit", "a commit was killed"
        for name in story.run.live:
            job = story.job(name)
            if isinstance(job, IntegrateJob):
                committing = True
                if self.die.random() < 0.5:
                    self.git.integrate(job)
        if not committing:
            assert self.git.tip == story.task.tip, f"git is at {self.git.tip}, the record at {story.task.tip}"

    def _command(self, command: cmd.RunCommand) -> None:
        """Tell a command of a person, which may be refused: then nothing has happened."""
        before = self.story.state
        try:
            self._tell(lambda: self.story.tell(command))
        except PunchlistError:
            assert self.story.state is before

    def _steer(self) -> None:
        run, task = self.story.run, self.story.task
        steps = [StepId(each.id) for each in task.task.steps]
        some, finding = self.die.choice(steps), self.die.choice([*sorted(task.findings), FindingId("F999")])
        self._command(
            self.die.choices(
                (
                    cmd.Pause(run=run.id, now=self.die.random() < 0.5),
                    cmd.Resume(run=run.id),
                    cmd.AskRework(run=run.id, step=some, message=f"do it well, {self.die.randrange(99)}"),
                    cmd.Waive(run=run.id, finding=finding, reason="it is fine"),
                    cmd.CloseStep(run=run.id, step=some, status=self.die.choice(("skipped", "cancelled"))),
                    cmd.Cancel(run=run.id),
                    cmd.Revise(run=run.id, reason="another plan"),
                    cmd.Cancel(run=run.id, node=self.die.choice(sorted(run.nodes))),
                    cmd.Retry(run=run.id),
                    cmd.Resume(run=run.id, start_from=self.die.choice(sorted(run.nodes)), agreed=True),
                ),
                (3, 6, 3, 2, 1, 1, 0.5, 0.5, 0.3, 0.3),
            )[0]
        )

    def _meddle(self) -> None:
        """Ask for the worst while a commit is being made."""
        run, step = self.story.run, self.story.run.attempts[self._commits()[0]].step
        assert step is not None
        commands: list[cmd.RunCommand] = [
            cmd.Cancel(run=run.id, reason="enough"),
            cmd.Revise(run=run.id, reason="another plan"),
            cmd.CloseStep(run=run.id, step=step, status="skipped"),
            cmd.AskRework(run=run.id, step=step, message="wait"),
            cmd.Pause(run=run.id, now=True),
        ]
        self._command(self.die.choice(commands))

    def _decide(self) -> None:
        run = self.story.run
        gate = run.gates[self.die.choice(sorted(run.open_gates))]
        choices = [each for each in GATES[gate.kind].choices if each.name in gate.choices]
        ending = {Effect.SKIP, Effect.FAIL, Effect.LEAVE, Effect.REVISE}
        kind = [each for each in choices if each.effect in ending] if self.kind else choices
        choice = self.die.choice(kind or choices)
        data: dict[str, Json] = {}
        for field in choice.fields:
            if field.required or self.die.random() < 0.5:
                data[field.name] = self._value(field.name)
        self._command(cmd.Decide(run=run.id, gate=gate.id, choice=choice.name, data=data))

    def _value(self, name: str) -> Json:
        task = self.story.task
        values: dict[str, Any] = {
            "n": self.die.randint(1, 2),
            "value": self.die.choice(("2h", "16GiB")),
            "findings": [self.die.choice([*sorted(task.findings), FindingId("F999")])],
            "step": self.die.choice(task.task.steps).id,
        }
        found: Json = values.get(name, "because")
        return found

    def _crash(self) -> None:
        """Throw everything away but the events; what was running is found again, or is lost."""
        story = self.story
        if self.die.random() < 0.4:
            self._tell(lambda: story.tell(cmd.Interrupted(run=story.id), actor="engine"), leaving=True)
        story.state = story.refolded()
        for name in sorted(story.run.live):
            if name not in story.run.live:
                continue
            if story.run.attempts[name].role is Role.ENGINE or self.die.random() < 0.4:
                self._finish(name)
            else:
                self._end(Outcome(attempt=name, status=AttemptStatus.LOST, failure=FailureClass.LOST, reason="lost"))
            if self._is_over():
                return
        self._tell(lambda: story.wait(timedelta()))

    def _late(self) -> None:
        """Let an outcome come a second time, or after its attempt was over."""
        self._end(self.before[self.die.choice(sorted(self.before))])

    # -- outcomes -----------------------------------------------------------------------------------------------------

    def _finish(self, name: AttemptId) -> None:
        attempt = self.story.run.attempts[name]
        if not self.kind and attempt.role is not Role.ENGINE and self.die.random() < 0.15:
            self._end(self._trouble(name))
        else:
            self._end(self._outcome(name))

    def _end(self, outcome: Outcome) -> None:
        story = self.story
        if outcome.attempt in story.run.live:
            self.before[outcome.attempt] = outcome
        told = cmd.AttemptOver(run=story.id, outcome=outcome)
        self._tell(lambda: story.tell(told, actor="engine"))

    def _trouble(self, name: AttemptId) -> Outcome:
        failure = self.die.choice(_TROUBLES)
        status = AttemptStatus.FAILED
        if failure in {FailureClass.TIMEOUT, FailureClass.SILENCE}:
            status = AttemptStatus.TIMED_OUT
        elif failure is FailureClass.LOST:
            status = AttemptStatus.LOST
        limit = failure.value if status is AttemptStatus.TIMED_OUT else None
        return Outcome(attempt=name, status=status, failure=failure, reason=str(failure), passed_limit=limit)

    def _outcome(self, name: AttemptId) -> Outcome:
        match self.story.job(name):
            case IntegrateJob() as job:
                if not self.kind and self.git.tip == job.parent and self.die.random() < 0.1:
                    return self._refused(name)
                return self._done(name, {"commit": self.git.integrate(job)})
            case MergeJob() as job:
                return self._done(name, self.git.merge(job))
            case PublishJob() as job:
                if not self.kind and self.die.random() < 0.2:
                    return self._refused(name)
                return self._done(name, {"branch": job.branch, "commit": job.commit, "merged": job.how == "merge"})
            case ProcessJob(role=Role.BUILDER) as job:
                return self._built(job)
            case ProcessJob(role=Role.QA) as job:
                return self._reviewed(job)
            case ProcessJob(role=Role.SETUP):
                return self._command_outcome(name, passed=self.kind or self.die.random() < 0.9)
            case job:
                return self._command_outcome(name, passed=self._passes(job))

    def _done(self, name: AttemptId, result: Json, **said: Any) -> Outcome:
        return Outcome(attempt=name, status=AttemptStatus.SUCCEEDED, result=result, **said)

    def _refused(self, name: AttemptId) -> Outcome:
        failure = self.die.choice((FailureClass.DEFINITION, FailureClass.WORKER))
        return Outcome(attempt=name, status=AttemptStatus.FAILED, failure=failure, reason="it cannot be pushed")

    def _command_outcome(self, name: AttemptId, *, passed: bool) -> Outcome:
        role = self.story.run.attempts[name].role
        return Outcome(
            attempt=name,
            status=AttemptStatus.SUCCEEDED if passed else AttemptStatus.FAILED,
            failure=None if passed else FailureClass.CRITERION if role is Role.CHECK else FailureClass.WORKER,
            exit_code=0 if passed else 1,
            reason="" if passed else "exit 1",
            tail=f"line {self.die.randrange(1000)}",
        )

    def _passes(self, job: ProcessJob) -> bool:
        """Say whether a check is green: by the tree and the command alone, now and then by chance."""
        if not self.kind and self.die.random() < 0.03:
            return False
        tree = job.folder.tree or BASE
        content = self.git.contents[tree]
        chance = int(_hash([self.seed, sorted(content.items()), job.argv]), 16) % 100
        return "good" in content or chance < HALF

    def _built(self, job: ProcessJob) -> Outcome:
        """Leave a tree: the base (as it is merged into the clone), and what this builder writes."""
        pack, base = job.pack, job.folder.base
        assert isinstance(pack, dict)
        assert base is not None
        content = dict(self.git.contents[base])
        if self.kind:
            content["good"] = "yes"
        if self.kind or self.die.random() < 0.9:
            content[f"{job.folder.step}.py"] = f"try {self.die.randrange(6)}"
        if self.die.random() < 0.3:
            content["shared.py"] = f"by {job.folder.step}, {self.die.randrange(3)}"
        paths = [path for path in content if content[path] != self.git.contents[base].get(path)]
        self.git.onto.add((self.git.tree(content), base))
        made = Snapshot(
            commit=self.git.commit(content, name=f"b-{job.attempt}"),
            tree=self.git.tree(content),
            base=base,
            changes=tuple(Change(path=path, how="modified", old_mode="1", new_mode="1") for path in paths),
        )
        result: Json = {"schema": "punchlist/result/1", "outcome": "done"}
        return self._done(job.attempt, result, snapshot=made, session=self.die.choice((None, "s1")))

    def _reviewed(self, job: ProcessJob) -> Outcome:
        pack = job.pack
        assert isinstance(pack, dict)
        asked = pack["criteria"]
        assert isinstance(asked, list)
        criteria: list[Json] = []
        for each in asked:
            assert isinstance(each, dict)
            if self.kind or self.die.random() < 0.8:
                criteria.append({"id": each["id"], "verdict": "pass", "evidence": ["x:1"]})
            else:
                criteria.append({"id": each["id"], "verdict": "fail", "finding": f"mend it, {self.die.randrange(9)}"})
        if not self.kind and self.die.random() < 0.05:
            criteria = criteria[1:]
        return self._done(job.attempt, {"schema": "punchlist/review/1", "criteria": criteria}, evidence={"x:1": True})
