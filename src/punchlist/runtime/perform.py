"""Performing a job: folder, process, what it left, as an Outcome. Everything here may be done again after a crash."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, assert_never

import msgspec

from punchlist.errors import DefinitionError, PunchlistError, RefusedError
from punchlist.model.ids import AttemptId, ProjectId, RunId, Tree
from punchlist.model.jobs import (
    FailureClass,
    IntegrateJob,
    Job,
    ListJob,
    MergeJob,
    Outcome,
    PlanJob,
    ProcessJob,
    PublishJob,
    Role,
)
from punchlist.model.json import Json, convert, encode, plain
from punchlist.model.records import Project
from punchlist.model.results import Result, Review
from punchlist.model.states import AttemptStatus
from punchlist.ports import Exit, Invocation, Launch, Listed, Lost, Processes, Worker, WorkerRequest, Workspace
from punchlist.quality.claims import looked_up
from punchlist.quality.review import in_tree
from punchlist.render.prompts import context_of
from punchlist.runtime.answers import Taking, listed_items, of_function, refuse_changed
from punchlist.runtime.leaving import Leaving
from punchlist.runtime.recall import Recall, exam_of, recalled

_TAIL = 64 << 10
"""How much of a command's standard output is part of what it gives."""
T = TypeVar("T")
J = TypeVar("J", bound=Job)
Prompt = Callable[[ProcessJob, Project | None], str]
Workers = Callable[[str], tuple[Worker, Mapping[str, Json]]]
MakeTasks = Callable[[ProjectId, Json, str], list[str]]
Access = Callable[[AttemptId, Role], Mapping[str, bytes]]


class Performer:
    """Performs jobs beside the loop.

    `workers` gives a worker with its settings by name, `prompt` composes its prompt, `access` the files by which its
    typed tools are reached, `python` the command line that a function's name is put behind, `make_tasks` turns a plan
    into drafts, once a key, `recall` gives what the record says of a check.
    """

    def __init__(
        self,
        *,
        root: Path,
        workspace: Workspace,
        processes: Processes,
        workers: Workers,
        prompt: Prompt,
        access: Access,
        make_tasks: MakeTasks,
        recall: Recall,
        python: Callable[[], tuple[str, ...]] = lambda: (),
    ) -> None:
        self._root = root
        self._workspace = workspace
        self._processes = processes
        self._workers = workers
        self._prompt = prompt
        self._access = access
        self._make_tasks = make_tasks
        self._recall = recall
        self._python = python
        self.leaving = Leaving(workspace)

    @property
    def root(self) -> Path:
        """The workspace's folder, where a flow's own commands run."""
        return self._root

    @property
    def listed(self) -> Listed:
        """The values that a run's workers are given."""
        return self._processes.listed

    def nonce_digest(self, attempt: AttemptId) -> str:
        """Return what is to be recorded before an attempt starts: by it another engine knows how it ended."""
        return self._processes.nonce_digest(attempt)

    async def perform(self, job: Job, project: Project | None) -> Outcome:
        """Do the job and return what came of it; a failure that a person can act on is an outcome, not an exception.

        Cancelling kills the process and its whole tree first.
        """
        try:
            outcome = await self._perform(await self._with_tree(job, project), project)
            if isinstance(job, ProcessJob):
                self._processes.record(outcome)
        except (DefinitionError, RefusedError) as error:
            return _failed(job.attempt, FailureClass.DEFINITION, error=error)
        except PunchlistError as error:
            return _failed(job.attempt, FailureClass.WORKER, error=error)
        return outcome

    async def recover(self, job: Job, project: Project | None) -> Outcome:
        """Return the outcome of an attempt that another engine had started: it is waited for if it lives.

        One that has ended is read from its files; of which nothing is left but the record of its start, that is lost.
        The engine's own work on git is done again, which changes nothing when it was done.
        """
        if not isinstance(job, ProcessJob):
            return await self.perform(job, project)
        try:
            ended = await self._processes.adopt(job)
            if isinstance(ended, Lost):
                return _lost(job.attempt, ended)
            outcome = await self._conclude(await self._with_tree(job, project), project, ended=ended)
            self._processes.record(outcome)
        except PunchlistError as error:
            return _failed(job.attempt, FailureClass.WORKER, error=error)
        return outcome

    def forget(self, run: RunId, attempts: Sequence[AttemptId]) -> None:
        """Remove what was kept for a run that is over, once none of its attempts shows a value of it; blocking."""
        self._processes.mask(run, attempts)
        self.listed.forget(run)

    def let_go(self) -> None:
        """Leave alone what runs, also when waiting for it is cancelled: another engine will take it up."""
        self._processes.let_go()

    def alive(self) -> frozenset[AttemptId]:
        """Return the attempts of which processes live, whoever started them."""
        return self._processes.alive()

    async def settle(self, attempt: AttemptId) -> None:
        """Kill what is left of an attempt that is over."""
        await self._processes.settle(attempt)

    async def _with_tree(self, job: J, project: Project | None) -> J:
        """Return the job with the tree itself where its folder names a commit."""
        if not isinstance(job, ProcessJob) or project is None or job.folder.tree is None:
            return job
        tree = await _beside(self._workspace.tree_of, project, job.folder.tree)
        return msgspec.structs.replace(job, folder=msgspec.structs.replace(job.folder, tree=tree))

    async def _perform(self, job: Job, project: Project | None) -> Outcome:
        match job:
            case ProcessJob():
                return await self._known(job, project) or await self._run(job, project)
            case ListJob():
                return await _beside(partial(listed_items, self._workspace.left, self._processes, work=self._root), job)
            case MergeJob():
                merged = await _beside(self._workspace.merge, _there(project), job)
                return _done(job.attempt, {"tree": merged.tree, "conflicts": list(merged.conflicts)})
            case IntegrateJob():
                commit = await _beside(self._workspace.integrate, _there(project), job)
                return _done(job.attempt, {"commit": commit})
            case PublishJob():
                merged_too = await _beside(self._workspace.publish, _there(project), job)
                return _done(job.attempt, {"branch": job.branch, "commit": job.commit, "merged": merged_too})
            case PlanJob():
                tasks = await _beside(self._make_tasks, job.project, job.plan, f"plan {job.attempt}")
                return _done(job.attempt, {"tasks": list[Json](tasks)})
            case _:
                assert_never(job)

    async def _known(self, job: ProcessJob, project: Project | None) -> Outcome | None:
        exam = exam_of(job, project)
        return recalled(job, await _beside(self._recall, exam), exam=exam) if exam is not None else None

    async def _run(self, job: ProcessJob, project: Project | None) -> Outcome:
        work = self._root
        if job.uses:
            await _beside(refuse_changed, self._workspace.left, self._root, job)
        if project is not None and job.folder.place != "run":
            work = await _beside(self._workspace.prepare, project, job.folder)
        if job.cwd is not None:
            work = _within(work, job.cwd)
        if job.role is Role.SETUP:
            need = await _beside(self._workspace.setup_need, _there(project), job.folder)
            if not need.needed:
                return Outcome(attempt=job.attempt, status=AttemptStatus.SUCCEEDED, reason="set up already")
        launch = await self._launch(job, project, work=work)
        return await self._conclude(job, project, ended=await self._processes.run(launch))

    async def _launch(self, job: ProcessJob, project: Project | None, *, work: Path) -> Launch:
        files: dict[str, bytes] = {}
        listed = self.listed.of(job.run)
        if job.call is not None:
            invocation = Invocation(argv=(*self._python(), job.call.function))
            files["arguments.json"] = encode(job.call.arguments)
        elif job.worker is None:
            invocation = Invocation(argv=job.argv)
            if job.stdin is not None:
                files["stdin"] = job.stdin.encode()
                invocation = msgspec.structs.replace(invocation, stdin=self._processes.io(job.attempt) / "stdin")
        else:
            worker, settings = self._workers(job.worker)
            invocation = worker.invocation(self._request(job, settings, work=work))
            prompt = self._prompt(job, project)
            pack = job.pack if isinstance(job.pack, dict) else {}
            files = {
                "prompt.md": prompt.encode(),
                "context.json": encode(context_of(pack, project, prompt=prompt)),
                "pack.json": encode(job.pack),
                **self._access(job.attempt, job.role),
            }
            if job.diff_base is not None and job.folder.tree is not None:
                diff = await _beside(self._workspace.diff, _there(project), job.diff_base, job.folder.tree)
                files["diff.patch"] = diff.encode()
        return Launch(
            attempt=job.attempt,
            role=job.role,
            invocation=invocation,
            cwd=work,
            home=self._home(job, project),
            limits=job.limits,
            search=job.path,
            path=project.path if project is not None and (job.folder.place != "run" or job.call is not None) else (),
            listed=listed,
            env=job.env,
            files=files,
            network=job.network,
            sandbox=job.sandbox,
            answer=job.answer,
            run=job.run,
            secrets={name: _secret(listed, name, run=job.run) for name in job.secrets},
            masked={name: listed[name] for name in job.masked if name in listed},
        )

    def _home(self, job: ProcessJob, project: Project | None) -> Path | None:
        if job.role is Role.COMMAND:
            return None
        return self._workspace.home(ProjectId(project.id)) if project is not None else self._root

    def _request(self, job: ProcessJob, settings: Mapping[str, Json], *, work: Path) -> WorkerRequest:
        return WorkerRequest(
            attempt=job.attempt,
            role=job.role,
            work=work,
            io=self._processes.io(job.attempt),
            workspace=self._root,
            settings=settings,
            search=job.path,
            session=job.session,
        )

    async def _conclude(self, job: ProcessJob, project: Project | None, *, ended: Exit) -> Outcome:
        """Make an outcome of what a process left: its exit, its answer, its tree."""
        if job.worker is not None:
            worker, settings = self._workers(job.worker)
            request = self._request(job, settings, work=self._workspace.path(job.folder))
            outcome = await self._with_left(job, worker.outcome(request, ended), ended=ended)
        else:
            came = of_command(job, ended)
            came = came if job.call is None else of_function(came, ended)
            outcome = msgspec.structs.replace(came, exam=exam_of(job, project))
            outcome = await self._with_left(job, outcome, ended=ended)
        if project is None or job.folder.place == "run":
            return outcome
        match job.role:
            case Role.BUILDER:
                return await self._with_snapshot(job, project, outcome=outcome)
            case Role.QA:
                return await self._with_evidence(job, project, outcome=outcome)
            case Role.SETUP if outcome.status is AttemptStatus.SUCCEEDED:
                need = await _beside(self._workspace.setup_need, project, job.folder)
                await _beside(self._workspace.setup_done, project, job.folder, need.stamp)
                return outcome
            case _:
                return outcome

    async def _with_left(self, job: ProcessJob, outcome: Outcome, *, ended: Exit) -> Outcome:
        """Return the outcome of a command with what it left for those that come after it."""
        outcome = msgspec.structs.replace(outcome, used=job.uses) if job.uses else outcome
        if job.answer is None and not job.artifacts:
            return outcome
        taking = Taking(self._workspace.left, self._processes, work=self._workspace.path(job.folder))
        return await _beside(taking.taken, job, outcome, ended)

    async def _with_snapshot(self, job: ProcessJob, project: Project, *, outcome: Outcome) -> Outcome:
        base = job.folder.base
        assert base is not None
        snapshot = await _beside(self._workspace.snapshot, project, job.folder, job.attempt, base)
        found: dict[str, bool] = {}
        if outcome.status is AttemptStatus.SUCCEEDED and (named := _claimed(outcome)):
            found = await _beside(self._workspace.resolve, project, snapshot.tree, named)
        return msgspec.structs.replace(outcome, snapshot=snapshot, evidence=found)

    async def _with_evidence(self, job: ProcessJob, project: Project, *, outcome: Outcome) -> Outcome:
        changed = await _beside(self._workspace.exam_changes, project, job.folder)
        outcome = msgspec.structs.replace(outcome, exam_changed=changed)
        if outcome.status is not AttemptStatus.SUCCEEDED or job.folder.tree is None:
            return outcome
        references = in_tree(convert(outcome.result, Review))
        found = await _beside(self._workspace.resolve, project, Tree(job.folder.tree), references)
        return msgspec.structs.replace(outcome, evidence=found)


def _claimed(outcome: Outcome) -> tuple[str, ...]:
    """Return what of a builder's result has to be looked up; one that is none is refused elsewhere."""
    try:
        return looked_up(convert(outcome.result, Result))
    except msgspec.ValidationError:
        return ()


def of_command(job: ProcessJob, ended: Exit) -> Outcome:
    """Return the outcome of a command: exit 0 succeeds; a check's other exits are its answer (class `criterion`)."""
    tail = last_lines(ended)
    status, failure, reason = AttemptStatus.SUCCEEDED, None, ""
    if ended.limit is not None:
        status, failure = AttemptStatus.TIMED_OUT, FailureClass(ended.limit)
        reason = f"it passed its {ended.limit} limit ({job.limits.told(ended.limit)})"
    elif ended.code is None and ended.signal is None:
        status, failure, reason = AttemptStatus.LOST, FailureClass.LOST, "it ended without a record of how"
    elif ended.code != 0:
        status = AttemptStatus.FAILED
        failure = FailureClass.CRITERION if job.role is Role.CHECK else FailureClass.WORKER
        reason = f"killed by signal {ended.signal}" if ended.signal else f"exit {ended.code}"
        if not tail:
            reason += f"; {ended.gone}, and its output with it" if ended.gone else ", no output"
    elif ended.gone:
        reason = f"exit 0; {ended.gone}, and its output with it"
    return Outcome(
        attempt=job.attempt,
        status=status,
        failure=failure,
        reason=reason,
        exit_code=ended.code,
        signal=ended.signal,
        tail=tail,
        output_digest=ended.output_digest or None,  # type: ignore[arg-type]
        result=_result(ended) if job.role is Role.COMMAND else None,
        unenforced=ended.unenforced,
        passed_limit=ended.limit,
    )


def _result(ended: Exit) -> dict[str, Json]:
    """Return what a command gives; of output that is gone it gives none, so that nobody takes it for empty."""
    code: dict[str, Json] = {"exit_code": ended.code}
    return code if ended.gone else {**code, "stdout": ended.stdout[-_TAIL:].decode(errors="replace")}


def last_lines(ended: Exit, *, most: int = 4000) -> str:
    """Return the end of the output, standard output first, as text."""
    parts = [part.decode(errors="replace")[-most:].strip("\n") for part in (ended.stdout, ended.stderr)]
    return "\n".join(part for part in parts if part)


def _lost(attempt: AttemptId, lost: Lost) -> Outcome:
    reason = f"the engine that started it is gone, and {lost.reason}"
    return Outcome(attempt=attempt, status=AttemptStatus.LOST, failure=FailureClass.LOST, reason=reason)


def _failed(attempt: AttemptId, failure: FailureClass, *, error: PunchlistError) -> Outcome:
    return Outcome(attempt=attempt, status=AttemptStatus.FAILED, failure=failure, reason=str(error))


def _done(attempt: AttemptId, result: dict[str, Json]) -> Outcome:
    return Outcome(attempt=attempt, status=AttemptStatus.SUCCEEDED, result=plain(result))


def _there(project: Project | None) -> Project:
    if project is None:
        raise DefinitionError("this node works on a project, and the run has none", hint="Name one with --project.")
    return project


def _secret(listed: Mapping[str, str], name: str, *, run: RunId) -> str:
    if name not in listed:
        raise DefinitionError(
            f"the secret {name} of run {run} is not at hand", hint=f"Set it, and type: punchlist retry {run}"
        )
    return listed[name]


def _within(folder: Path, cwd: str) -> Path:
    """Return the folder that a command begins in; raises DefinitionError when there is none."""
    within = folder / cwd
    if not within.is_dir():
        raise DefinitionError(f"cwd: there is no folder {cwd!r} in {folder}", hint="Make it in a node before.")
    return within


async def _beside(work: Callable[..., T], *arguments: object) -> T:
    """Do blocking work beside the loop. Cancelling waits for it, so that nothing is left half-done."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
