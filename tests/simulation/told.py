"""One task's run as a story, in a world against it: for tests of what histories look like from outside."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from punchlist.engine import document_moves
from punchlist.errors import PunchlistError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import Digest, TaskId
from punchlist.model.json import plain
from punchlist.model.states import FINAL_NODE, TaskStatus
from tests.runs import Story, built_in, proof_of
from tests.simulation.answers import Answers
from tests.simulation.asking import decided, steered
from tests.simulation.delivery import a_policy, a_task
from tests.simulation.moods import Mood

_HOURS = timedelta(hours=2)


class ToldWorld:
    """A story by the throw of a seeded die."""

    def __init__(self, seed: int, *, kept: Callable[..., Story] = Story) -> None:
        self.seed = seed
        self.die = Random(seed)
        self.kind = False
        self.answers = Answers(seed, Mood())
        task = a_task(TaskId("T1"), self.die)
        self.story = kept(flow=built_in("deliver"), task=task, purpose="deliver")
        self.story.refolds = False
        self.story.note(ev.TaskProved(proof=proof_of(task)))
        self.story.note(ev.TaskApproved(digest=Digest("d" * 64)))
        self.policy = a_policy(self.die)

    def run(self, *, troubles: int = 60, most: int = 900) -> None:
        """Live through so many inputs in a world that is against it, then in a kind one until the run is over."""
        self._start()
        for count in range(most):
            self.kind = count >= troubles
            if self.story.run.status not in FINAL_NODE:
                self._next()
            elif self.kind or self.story.task.task.status not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
                break
            else:
                self._again()
        assert self.story.run.status in FINAL_NODE, f"seed {self.seed}: the run does not end"

    def tell(self, command: cmd.RunCommand, *, actor: str = "human:ann") -> None:
        """Tell a command, which may be refused."""
        try:
            self.story.tell(command, actor=actor)
        except PunchlistError:
            assert actor != "engine", "an input of the engine's own is refused"

    def _start(self) -> None:
        self.story.start(policy=self.policy, task=plain(self.story.task.task))

    def _again(self) -> None:
        self.story.note(*document_moves.reopen(self.story.task, reason="once more"))
        self.story.again()
        self._start()

    def _next(self) -> None:
        run, die = self.story.run, self.die
        if self.kind and run.paused:
            self.tell(cmd.Resume(run=run.id))
        elif not self.kind and die.random() < 0.1:
            self.tell(steered(self.story.state, die))
        elif run.live and (self.kind or die.random() < 0.8):
            job = self.story.job(die.choice(sorted(run.live)))
            outcome = self.answers.outcome(job, die, kind=self.kind)
            self.tell(cmd.AttemptOver(run=run.id, outcome=outcome), actor="engine")
        elif run.open_gates:
            gate = run.gates[die.choice(sorted(run.open_gates))]
            self.tell(decided(self.story.state, gate, die, kind=self.kind))
        else:
            self.story.now += _HOURS
            self.tell(cmd.TimePassed(run=run.id), actor="engine")
