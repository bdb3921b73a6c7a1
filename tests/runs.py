"""A run driven through the pure core, for tests: it is refolded from its events, so that nothing lives outside of them.

After each input it is checked that the fold of the events is the state, that every event survives its way through JSON,
that the rows that were put are the rows of the state, and that every attempt under way can say what it runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, cast

import msgspec
import rfc8785
from immutables import Map

from punchlist.engine.decide import decide
from punchlist.engine.retry import LIMITS, stamp
from punchlist.engine.room import Room
from punchlist.engine.rows import all_rows, rows_of
from punchlist.engine.terms import terms_of
from punchlist.engine.turn import Context, Number, fold
from punchlist.engine.wanted import Wanted, changed_attempts, job_of, wanted
from punchlist.errors import DefinitionError
from punchlist.flow.parse import parse_flow
from punchlist.model import commands as cmd, events as ev
from punchlist.model.flow import Flow
from punchlist.model.ids import (
    AttemptId,
    Commit,
    Digest,
    GateId,
    NodePath,
    ProjectId,
    RunId,
    StepId,
    StreamId,
    TaskId,
    Tree,
)
from punchlist.model.jobs import Change, FailureClass, Outcome, Role, Snapshot
from punchlist.model.json import Json, decode, encode, plain
from punchlist.model.policy import Policy
from punchlist.model.proofs import Proof, ProofRow, Shows
from punchlist.model.records import Criterion, Project, Scope, Step, Task
from punchlist.model.rows import GateRow, NodeRow, Row, RunRow
from punchlist.model.sealing import data_of
from punchlist.model.state import AttemptState, GateState, NodeState, RunState, State, StepState, TaskState
from punchlist.model.states import AttemptStatus, StepStatus

ANN = "human:ann"
START = datetime(2026, 11, 21, 8, tzinfo=UTC)
PROJECT = Project(id="acme", title="Acme", spec="Do it well.", repo="repos/acme", base="main")
TERMS = terms_of(PROJECT, Policy())
RUN = RunId("R1")
BASE = Commit("c0")
PATHS = ("a.py",)


def built_in(name: str) -> Flow:
    """Return a flow of the package."""
    return parse_flow(files("punchlist").joinpath("data", "flows", f"{name}.yaml").read_text(), source=f"{name}.yaml")


def flow_of(text: str, *, read: Mapping[str, str] | None = None) -> Flow:
    """Return the flow of these nodes (or of a whole text), checked like any other."""
    whole = text if "punchlist: 1" in text else f"punchlist: 1\nflow: test\n{text}"
    return parse_flow(whole, source="test.yaml", read=(read or {}).__getitem__)


def check_lines(run: RunState) -> None:
    """Check that each worker's line holds what is its own of the queue, at the same places."""
    found = {worker: dict(line.entries) for worker, line in run.lines.items() if line.entries}
    asked: dict[str, dict[int, AttemptId]] = {}
    for ticket, attempt in run.queue.entries.items():
        if (worker := run.attempts[attempt].worker) is not None:
            asked.setdefault(worker, {})[ticket] = attempt
    assert found == asked, "the lines of workers are not the queue"
    assert all(line.first == min(line.entries) for line in run.lines.values() if line.entries)


def checked(number: int = 1, **changes: Any) -> Criterion:
    """Return a criterion with a check."""
    return Criterion(id=f"AC-{number}", text=f"It does {number}.", check=f"make check-{number}", **changes)


def reviewed(number: int = 1) -> Criterion:
    """Return a criterion that only a reviewer can judge."""
    return Criterion(id=f"AC-{number}", text=f"It reads well, {number}.", review=True)


def step(number: int = 1, *criteria: Criterion, needs: Sequence[int] = (), **changes: Any) -> Step:
    """Return a step of T1, with a builder and a reviewer."""
    whole: dict[str, Any] = {
        "id": f"T1.{number}",
        "index": number,
        "title": f"Step {number}",
        "goal": f"Do {number}.",
        "criteria": criteria or (checked(),),
        "scope": Scope(),
        "needs": tuple(f"T1.{each}" for each in needs),
        "builder": "coder",
        "qa": "critic",
    }
    return Step(**(whole | changes))


class Story:
    """One run and what happens to it, told from outside: commands, outcomes, time."""

    def __init__(
        self, flow: Flow, *, task: Task | None = None, project: Project | None = PROJECT, purpose: ev.Purpose = "flow"
    ) -> None:
        self.flow = flow
        self.purpose: ev.Purpose = purpose
        self.id = RUN
        self.refolds = True
        self.env: dict[str, str] = {}
        self.now = START
        self.events: list[ev.Event] = []
        self.wanted = Wanted()
        self.room = Room()
        self.heads = {"project": StreamId("stream-p"), "task": StreamId("stream-t"), "run": StreamId("stream-r")}
        self.state = State(heads=Map({name: ev.Head(each) for name, each in self.heads.items()}))
        self.numbers: dict[str, int] = {}
        self.rows: dict[str, Row] = {}
        if project is not None:
            self.note(ev.ProjectCreated(project=project))
        if task is not None:
            self.note(ev.TaskCreated(task=task))

    # -- what happens -------------------------------------------------------------------------------------------------

    def note(self, *facts: ev.AnyFact) -> None:
        """Add facts that another process wrote."""
        for fact in facts:
            name = "task" if isinstance(fact, ev.TaskFact) else "project"
            event = ev.seal(self.state.heads[name], fact, at=stamp(self.now), actor=ANN)
            self.state = fold(self.state, event)
            self.events.append(event)

    def start(self, *, policy: Policy | None = None, **inputs: Json) -> "Story":
        """Begin the run."""
        task, project = self.state.task, self.state.project
        self.tell(
            cmd.StartRun(
                run=self.id,
                stream=self.heads["run"],
                purpose=self.purpose,
                definition=self.flow,
                inputs=inputs,
                policy=policy or Policy(),
                project=ProjectId(project.id) if project is not None else None,
                task=TaskId(task.task.id) if task is not None else None,
                base=BASE,
                branch="punchlist/T1-it",
                env=self.env,
            ),
            actor=ANN,
        )
        return self

    def again(self) -> None:
        """Make ready for another run of the same task."""
        self.id = RunId(f"R{int(self.id[1:]) + 1}")
        self.heads["run"] = StreamId(f"stream-{self.id}")
        self.state = replace(self.state, run=None, heads=self.state.heads.set("run", ev.Head(self.heads["run"])))
        self.rows.clear()

    def tell(self, command: cmd.RunCommand, *, actor: str = ANN) -> tuple[ev.Event, ...]:
        """Decide on one input, a second after the last one, and return the events that follow."""
        self.now += timedelta(seconds=1)
        context = Context(at=stamp(self.now), actor=actor, allocate=self._allocate, room=self.room)
        before = dict(self.numbers)
        try:
            decided = decide(self.state, command, context)
        except Exception:
            self.numbers = before  # as the store does with a transaction that is not kept
            raise
        self.state = decided.state
        self.events += decided.events
        self._put(rows_of(decided.state, decided.events))
        self.wanted = wanted(decided.state, changed_attempts(decided.events), decided_at=stamp(self.now))
        self.check(decided.events)
        return decided.events

    def _allocate(self, kind: Number) -> int:
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return self.numbers[kind]

    def over(self, attempt: AttemptId, **said: Any) -> tuple[ev.Event, ...]:
        """Let an attempt end; what is not said is a success."""
        said.setdefault("status", AttemptStatus.SUCCEEDED)
        return self.tell(cmd.AttemptOver(run=self.id, outcome=Outcome(attempt=attempt, **said)), actor="engine")

    def wait(self, duration: timedelta) -> tuple[ev.Event, ...]:
        """Let time pass."""
        self.now += duration
        return self.tell(cmd.TimePassed(run=self.id), actor="engine")

    def decide(self, choice: str, *, gate: GateId | None = None, **data: Json) -> tuple[ev.Event, ...]:
        """Decide a gate, by default the only open one."""
        return self.tell(cmd.Decide(run=self.id, gate=gate or self.gate().id, choice=choice, data=data))

    # -- attempts of each kind, by default the only one of its kind under way -----------------------------------------

    def attempt(self, role: Role, *, step: int | None = None, subject: str = "") -> AttemptState:
        """Return the attempt of this kind that is under way."""
        live = [self.run.attempts[each] for each in self.run.live]
        name = f"T1.{step}" if step is not None else None
        found = [each for each in live if each.role is role and name in {None, each.step} and subject in each.subject]
        assert len(found) == 1, (role, step, subject, [(each.id, each.role, each.step, each.subject) for each in live])
        return found[0]

    def attempt_at(self, node: str) -> AttemptState:
        """Return the attempt under way at a node."""
        (found,) = [each for each, path in self.run.live.items() if path == node]
        return self.run.attempts[found]

    def attempt_roles(self) -> set[Role]:
        """Return what is under way."""
        return {self.run.attempts[each].role for each in self.run.live}

    def build(
        self, tree: str = "t1", *, step: int | None = None, paths: Sequence[str] = ("a.py",), **said: Any
    ) -> None:
        """Let a builder end with this tree."""
        attempt = self.attempt(Role.BUILDER, step=step)
        changes = tuple(Change(path=path, how="modified", old_mode="100644", new_mode="100644") for path in paths)
        made = Snapshot(
            commit=Commit(f"commit-{attempt.id}"), tree=Tree(tree), base=attempt.base or BASE, changes=changes, diff="…"
        )
        done = {"schema": "punchlist/result/1", "outcome": "done"}
        self.over(attempt.id, **({"snapshot": made, "result": done} | said))

    def check(self, events: Iterable[ev.Event] = ()) -> None:
        """Check what holds after any input."""
        check_events(events)
        assert not self.refolds or self.refolded() == self.state
        if self.state.run is not None:
            assert self.rows == {key_of(each): each for each in all_rows(self.run)}
            assert len(self.run.live) <= self.run.policy.max_parallel
            check_lines(self.run)

    def green(self, *, step: int | None = None) -> None:
        """Let a check pass."""
        self.over(self.attempt(Role.CHECK, step=step).id, exit_code=0)

    def red(self, *, step: int | None = None, tail: str = "it is red", times: int = 2) -> None:
        """Let a check fail, and once more on the same tree."""
        for _ in range(times):
            self.over(
                self.attempt(Role.CHECK, step=step).id,
                status=AttemptStatus.FAILED,
                failure=FailureClass.CRITERION,
                exit_code=1,
                tail=tail,
            )

    def review(self, *failing: str, step: int | None = None) -> None:
        """Let a reviewer pass everything but the criteria named."""
        attempt = self.attempt(Role.QA, step=step)
        asked = self.job(attempt.id).pack["criteria"]
        criteria: list[Json] = [
            {"id": each["id"], "verdict": "fail", "finding": f"mend {each['id']}"}
            if each["id"] in failing
            else {"id": each["id"], "verdict": "pass", "evidence": ["a.py:1"]}
            for each in asked
        ]
        review: Json = {"schema": "punchlist/review/1", "criteria": criteria}
        self.over(attempt.id, result=review, evidence={"a.py:1": True})

    def merge(self, tree: str | None, *conflicts: str, step: int | None = None) -> None:
        """Let the merge of a moved branch come to this tree, or to conflicts."""
        result: Json = {"tree": tree, "conflicts": list(conflicts)}
        self.over(self.attempt(Role.ENGINE, step=step, subject="merge").id, result=result)

    def commit(self, *, step: int | None = None) -> None:
        """Let the commit of a step be made."""
        attempt = self.attempt(Role.ENGINE, step=step, subject="commit")
        self.over(attempt.id, result={"commit": f"commit-of-{attempt.step}-{attempt.r}"})

    def publish(self) -> None:
        """Let publishing succeed."""
        job: Any = self.job(self.attempt(Role.ENGINE, subject="task").id)
        self.over(job.attempt, result={"branch": job.branch, "commit": job.commit, "merged": False})

    def fail(self, attempt: AttemptState, failure: FailureClass = FailureClass.WORKER, **said: Any) -> None:
        """Let an attempt fail in this class."""
        status = AttemptStatus.TIMED_OUT if failure in LIMITS else AttemptStatus.FAILED
        status = AttemptStatus.LOST if failure is FailureClass.LOST else status
        limit = failure.value if failure in LIMITS else None
        told = {"status": status, "failure": failure, "reason": f"{failure} happened", "passed_limit": limit}
        self.over(attempt.id, **(told | said))

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def run(self) -> RunState:
        """The run."""
        assert self.state.run is not None
        return self.state.run

    @property
    def task(self) -> TaskState:
        """The task."""
        assert self.state.task is not None
        return self.state.task

    def node(self, path: str) -> NodeState:
        """Return a node."""
        return self.run.nodes[NodePath(path)]

    def told(self, number: int = 1) -> StepState:
        """Return what is told of a step."""
        return self.task.steps[StepId(f"T1.{number}")]

    def status(self, number: int = 1) -> StepStatus:
        """Return where a step stands."""
        return next(each.status for each in self.task.task.steps if each.index == number)

    def rings_at(self) -> str | None:
        """Return when the next timer is due."""
        return self.wanted.wake_at

    def gate(self) -> GateState:
        """Return the only open gate."""
        (gate,) = self.run.open_gates
        return self.run.gates[gate]

    def job(self, attempt: AttemptId) -> Any:
        """Return what an attempt runs."""
        return job_of(self.state, attempt)

    def kinds(self, events: Iterable[ev.Event] | None = None) -> list[str]:
        """Return the kinds of events."""
        return [each.kind for each in (self.events if events is None else events)]

    def facts(self, kind: type[Any]) -> list[Any]:
        """Return the facts of one kind."""
        return [each.fact for each in self.events if isinstance(each.fact, kind)]

    # -- nothing but the events ---------------------------------------------------------------------------------------

    def refolded(self) -> State:
        """Return the state as the events alone tell it."""
        state = State(heads=Map({name: ev.Head(each) for name, each in self.heads.items()}))
        for event in self.events:
            state = fold(state, event)
        return state

    def _put(self, rows: Iterable[Row]) -> None:
        self.rows.update({key_of(each): each for each in rows if not isinstance(each, Project | TaskState)})


def key_of(row: Row) -> str:
    """Return a name for a row, under which the next one of the same thing replaces it."""
    match row:
        case RunRow():
            return f"run {row.id}"
        case NodeRow():
            return f"node {row.path}"
        case AttemptState():
            return f"attempt {row.id}"
        case GateRow():
            return f"gate {row.gate.id}"
        case _:
            return type(row).__name__


def check_events(events: Iterable[ev.Event]) -> None:
    """Check that facts survive JSON, and that each event follows the one before it in its stream."""
    heads: dict[str, ev.Head] = {}
    for event in events:
        again: Any = decode(encode(event.fact), cast("type[Any]", ev.AnyFact))
        assert again == event.fact, event.kind
        assert ev.text_of(event.fact) == rfc8785.dumps(data_of(event.fact)), event.kind
        head = heads.get(event.stream, ev.Head(event.stream, event.n - 1, event.prev))
        assert ev.seal(head, event.fact, at=event.at, actor=event.actor) == event
        heads[event.stream] = ev.head_after(event)


def task_of(*steps: Step, acceptance: Sequence[Criterion] = (), **changes: Any) -> Task:
    """Return a task with these steps."""
    whole: dict[str, Any] = {"id": "T1", "project": "acme", "title": "It", "spec": "", "steps": steps}
    whole.update(changes, acceptance=tuple(acceptance))
    return Task(**whole)


def deliver(
    *steps: Step,
    acceptance: Sequence[Criterion] = (),
    policy: Policy | None = None,
    flow: Flow | None = None,
    project: Project = PROJECT,
    proved: bool = True,
    waited: bool = True,
) -> Story:
    """Return a story in which a task of these steps has been approved and started.

    Only criteria without a check are reviewed, unless `policy` says otherwise. All checks were red on the base, unless
    the task was approved without a proof: then they run on it first. It was, too, if nobody `waited` for the proof.
    """
    task = task_of(*(steps or (step(),)), acceptance=acceptance)
    story = Story(flow or built_in("deliver"), task=task, project=project, purpose="deliver")
    if proved and waited:
        story.note(ev.TaskProved(proof=proof_of(task)))
    story.note(ev.TaskApproved(digest=Digest("d" * 64), unproved=not waited))
    return story.start(policy=policy or Policy(review="uncovered"), task=plain(story.task.task))


def proof_of(task: Task, *, shows: Shows = "goal") -> Proof:
    """Return a proof of a task's checks on the base of the project."""
    rows = tuple(
        ProofRow(step=each.id, id=criterion.id, shows=shows, command=criterion.check)
        for each in task.steps
        for criterion in each.criteria
        if criterion.check is not None
    )
    return Proof(version=task.version, base=BASE, rows=rows)


def broken(call: Any) -> str:
    """Return what a DefinitionError of `call` says."""
    try:
        call()
    except DefinitionError as error:
        return str(error)
    raise AssertionError("nothing was wrong")


replace = msgspec.structs.replace
