"""The life of one task in a world: its documents, its runs, what people ask of it, how its attempts end."""

from random import Random

from punchlist.engine import document_moves
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import RunId, StepId, TaskId
from punchlist.model.jobs import Outcome
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.model.proofs import Shows
from punchlist.model.records import Criterion, Step, Task
from punchlist.model.state import GateState, State
from punchlist.model.states import FINAL_NODE, FINAL_TASK, StepStatus, TaskStatus
from tests.runs import BASE, TERMS, built_in, checked, proof_of, replace, reviewed, step, task_of
from tests.simulation.answers import Answers
from tests.simulation.asking import committing, decided, run_of, steered
from tests.simulation.machine import Process
from tests.simulation.memory import BrokenLawError
from tests.simulation.moods import Mood
from tests.simulation.office import ACME, Office

_FLOW = built_in("deliver")


class Delivery:
    """One task."""

    def __init__(self, office: Office, die: Random, mood: Mood) -> None:
        self.office = office
        self.answers = Answers(die.randrange(1000), mood)
        self.run: RunId | None = None
        self.runs: set[RunId] = set()
        self.policy = a_policy(die)
        self.name = office.new_task(lambda name: a_task(name, die))
        if die.random() < 0.8:
            shows: Shows = die.choice(("goal", "guard"))
            office.record(self.name, lambda state: [ev.TaskProved(proof=proof_of(state.task, shows=shows))])
        self._approve()

    def _approve(self) -> None:
        self.office.record(self.name, lambda state: document_moves.approve(state, message="", anyway=(), terms=TERMS))

    @property
    def state(self) -> State | None:
        """What is known of its run."""
        return self.office.states.get(self.run) if self.run is not None else None

    def is_over(self) -> bool:
        """Say whether nothing of it is under way."""
        return self.run is None or (self.state is not None and run_of(self.state).status in FINAL_NODE)

    def is_done(self) -> bool:
        """Say whether nothing more is asked of it in a kind world."""
        return self.is_over() and self.office.task(self.name).task.status in FINAL_TASK | {TaskStatus.DRAFT}

    def begin(self, die: Random) -> str:
        """Ask for a run of the task, which may have one already: then it is refused."""
        task = self.office.task(self.name)
        run, stream = self.office.new_run()
        if self.is_over():
            self.run = run
        self.runs.add(run)
        command = cmd.StartRun(
            run=run,
            stream=stream,
            purpose="deliver",
            definition=_FLOW,
            inputs={"task": plain(task.task)},
            policy=self.policy,
            project=ACME,
            task=self.name,
            base=BASE,
            branch=f"punchlist/{self.name}-it",
        )
        return self.office.send(command, die)

    def hear(self, run: RunId, *, begun: bool) -> None:
        """Hear whether a run that was asked for has begun."""
        if begun:
            self.run = run
        elif self.run == run and self.state is None:
            self.run = None

    def again(self, die: Random) -> str:
        """Take the task up again, whatever became of it: opened again, changed as a draft, approved, started."""
        status = self.office.task(self.name).task.status
        if status in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            self.office.record(self.name, lambda state: document_moves.reopen(state, reason="once more"))
        elif status is TaskStatus.ACCEPTED and die.random() < 0.3:
            one = StepId(die.choice(self.office.task(self.name).task.steps).id)
            self.office.record(self.name, lambda state: document_moves.reopen_step(state, one, reason="better"))
        elif status is TaskStatus.DRAFT:
            if die.random() < 0.9:
                self.edit(die)
            self._approve()
        elif status is not TaskStatus.READY:
            return f"{self.name} stays {status}"
        if self.office.task(self.name).task.status is TaskStatus.READY:
            return self.begin(die)
        return f"{self.name} is {self.office.task(self.name).task.status}"

    def edit(self, die: Random) -> None:
        """Change what criteria of the draft say, under the same ids."""
        seed = die.random()

        def edited(task: Task) -> Task:
            mine = Random(seed)
            return replace(task, steps=tuple(_reworded(each, mine) for each in task.steps))

        self.office.record(self.name, lambda state: document_moves.edit(state, edited(state.task), what="other words"))

    def outcome(self, process: Process, die: Random, *, kind: bool) -> Outcome:
        """Return how an attempt ends."""
        return self.answers.outcome(process.job, die, kind=kind)

    def look(self, die: Random) -> None:
        """See to it that git and the record agree; a commit under way happens at any moment."""
        mine = [each for each in self.office.machine.alive() if each.run == self.run]
        for process in mine:
            self.answers.meddle(process.job, die)

    def check_git(self) -> None:
        """The record and git agree whenever no commit is being made."""
        state = self.state
        if state is not None and state.task is not None and not committing(state):
            tip, there = state.task.tip or BASE, self.answers.git.tip
            if there != tip:
                message = f"git is at {there}, the record of {self.name} at {tip}"
                raise BrokenLawError("what_is_in_git_is_in_the_record", message)

    def steer(self, die: Random) -> cmd.RunCommand:
        """Return a command of a person."""
        assert self.state is not None
        return steered(self.state, die, fickle=self.answers.mood.fickle)

    def decision(self, gate: GateState, die: Random, *, kind: bool) -> cmd.Decide:
        """Return a decision on a gate."""
        assert self.state is not None
        return decided(self.state, gate, die, kind=kind)


def a_policy(die: Random) -> Policy:
    return Policy(
        rework=die.randrange(4),
        retries=die.randrange(4),
        max_parallel=die.randint(1, 3),
        review=die.choice(("always", "uncovered", "never")),
        on_accept=die.choice(("branch", "merge")),
        timeout=die.choice(("1h", "90m")),
        silence=die.choice(("10m", "7m")),
        check_timeout=die.choice(("10m", "3m")),
        memory=die.choice(("8GiB", "2GiB")),
        sandbox=die.choice(("auto", "none")),
    )


def _reworded(old: Step, die: Random) -> Step:
    if die.random() < 0.2:
        return old
    first = replace(old.criteria[0], text=f"It does {die.randrange(1000)}.")
    return replace(old, criteria=(first, *old.criteria[1:]), version=old.version + 1)


def a_task(name: TaskId, die: Random) -> Task:
    steps = [_step(name, number, die) for number in range(1, die.choice((2, 2, 3, 3, 4, 5)))]
    return task_of(*steps, id=name, acceptance=_criteria(die.randrange(3), die))


def _step(name: TaskId, number: int, die: Random) -> Step:
    needs = tuple(f"{name}.{each}" for each in range(1, number) if die.random() < 0.4)
    return replace(
        step(number, *_criteria(die.randint(1, 2), die)), id=f"{name}.{number}", needs=needs, status=StepStatus.PENDING
    )


def _criteria(count: int, die: Random) -> list[Criterion]:
    return [die.choice((checked, checked, reviewed))(number) for number in range(1, count + 1)]
