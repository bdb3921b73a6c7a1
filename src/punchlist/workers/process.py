"""The only place that starts processes for attempts, watches their limits, and leaves nothing of them alive."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from punchlist.dying import reach
from punchlist.errors import WorkerError
from punchlist.executables import find_program
from punchlist.model.ids import AttemptId, RunId
from punchlist.model.jobs import FailureClass, Limits, ListJob, Outcome, ProcessJob
from punchlist.ports import Exit, Launch, Lost
from punchlist.workers import wrapper
from punchlist.workers.adopting import find, tree_of, why_lost
from punchlist.workers.clocks import Clocks, clocks_now
from punchlist.workers.environment import AGENTS, environment
from punchlist.workers.files import AGENT_TAIL, TAIL, AttemptFiles, ExitRecord
from punchlist.workers.killing import (
    AT_ONCE,
    GRACE,
    Grace,
    end_of,
    has_rest,
    kill,
    kill_rest,
    reap_orphans,
    to_the_end,
)
from punchlist.workers.limits import Use, Watch
from punchlist.workers.listed import ListedValues
from punchlist.workers.masking import forms_of, held_back, masked, shows
from punchlist.workers.nonces import Nonces, nonces_of
from punchlist.workers.sampling import use_of
from punchlist.workers.tree import Process, Tree, alive_below, own_children, read_process
from punchlist.workers.wrapper import Wrapper

_SET_CHILD_SUBREAPER = 36  # prctl(2)


class LocalProcesses:
    """Attempts as processes of this machine, each in its directory under `root`; implements `ports.Processes`.

    `environ` is the engine's environment as it was read once; it is the only source of what is passed on. `key` is
    this process's own and kept nowhere; by it an exit record is known as its wrapper's. With `reaper` this process
    becomes the parent of whatever escapes from an attempt (a child subreaper, Linux), so that it is found.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        *,
        key: bytes,
        grace: Grace = GRACE,
        reaper: bool = True,
        clocks: Callable[[], Clocks] = clocks_now,
    ) -> None:
        self._root = root
        self._environ = environ
        self._key = key
        self._grace = grace
        self._reaper = reaper
        self._clocks = clocks
        self._leaving = False
        self.listed = ListedValues(root.with_name("listed"))

    def io(self, attempt: AttemptId) -> Path:
        """Return the agent's half of the attempt directory (it may not exist yet)."""
        return self._files(attempt).io

    def nonce_digest(self, attempt: AttemptId) -> str:
        """Return by what the exit record of an attempt that this process starts is known as its wrapper's."""
        return nonces_of(self._key, attempt).digest

    def record(self, outcome: Outcome) -> None:
        """Write `outcome.json`: what the engine made of the attempt; raises StoreError."""
        self._files(outcome.attempt).record(outcome)

    def tail(self, attempt: AttemptId, *, stream: str = "stdout", start: int = 0) -> bytes:
        """Return the output from byte `start` on (b"" when there is none); `stream` is stdout or stderr.

        Of an attempt that goes on, secrets are made unreadable; what may be the beginning of one is left for the next
        time.
        """
        files = self._files(attempt)
        forms = () if files.is_recorded() else self._forms_at(files)
        if not forms:
            return files.tail(stream, start=start)
        before = min(start, len(forms[0]))
        data = files.tail(stream, start=start - before)
        return masked(data, forms)[before : len(data) - held_back(data, forms)]

    def covered(self, job: ProcessJob | ListJob, data: bytes) -> bytes:
        """Return what a job's process left elsewhere, with the values of secrets made unreadable."""
        return masked(data, self._forms(job.run, job.masked))

    def gives_away(self, job: ProcessJob, path: Path) -> bool:
        """Say whether a file shows the value of a secret."""
        return shows(path, self._forms(job.run, job.masked))

    def mask(self, run: RunId, attempts: Sequence[AttemptId]) -> None:
        """Make the values of a run's secrets unreadable in what its attempts left."""
        values = self.listed.of(run)
        for attempt in attempts:
            files = self._files(attempt)
            files.mask(forms_of(values[name] for name in _masked_names(files) if name in values))

    async def run(self, launch: Launch) -> Exit:
        """Start the process in its own session, wait for it, enforce its limits; nothing of its tree survives.

        Cancelling the task kills the tree, waits until it is gone, and then raises CancelledError.
        Raises WorkerError when the program cannot be started, StoreError when the attempt's files cannot be written.
        """
        nonces = nonces_of(self._key, launch.attempt)
        files = AttemptFiles(self._root, launch.attempt, nonce_digest=nonces.digest)
        started = self._start(launch, files, nonces=nonces)
        limit: FailureClass | None = None
        watched = False
        try:
            with end_of(started.pidfd) as ended:
                watch = Watch(launch.limits, now=_now())

                def use() -> Use:
                    return use_of(_tree_of(started, files, process=read_process(started.pid)), launch.limits)

                limit = await _passed_limit(ended, files, watch=watch, use=use)
            watched = True
        finally:  # also when watching it failed: what was started must not go on without anyone to end it
            record = await self._ended(started, files, grace=self._grace_for(limit), counts=watched)
            await _covered(files, forms_of(launch.masked.values()))
        return await _exit(files, record, limit=limit, asked=launch)

    async def adopt(self, job: ProcessJob) -> Exit | Lost:
        """Wait for an attempt that another engine started, within what is left of its limits; nothing of it survives.

        One that has ended is read from its files. A record counts once the wrapper has let go of the lock: what stands
        there before that is not the wrapper's, and what only a kill brought about is none of the command's. A command
        that the dead engine was ending for a limit has passed that limit, whatever its exit says; so has one that wrote
        too much before anyone looked. Cancelling the task kills the tree, as in `run`.
        """
        files = AttemptFiles(self._root, job.attempt, nonce_digest=job.nonce_digest)
        limit = _noted_limit(files, job.limits)
        record: ExitRecord | None = None
        lost = ""
        try:
            found = await asyncio.to_thread(find, files)
            if found is not None and limit is None:
                ran, silent = found.times(self._clocks())
                watch = Watch(job.limits, now=_now(), ran=ran, silent=silent, seen=files.growth()[1])
                with found.end() as ended:
                    limit = await _passed_limit(
                        ended, files, watch=watch, use=lambda: use_of(tree_of(files), job.limits)
                    )
            lost = why_lost(files)
        finally:
            if not self._leaving:
                record = await to_the_end(self._finish_found(files, grace=self._grace_for(limit)))
                await _covered(files, self._forms(job.run, job.masked))
        if record is None and limit is None and not _too_much(files, job):
            return Lost(reason=lost)
        return await _exit(files, record or ExitRecord(None, None), limit=limit, asked=job)

    async def settle(self, attempt: AttemptId) -> None:
        """Kill what is left of an attempt that is over, whoever started it, and return when its lock is free."""
        files = self._files(attempt)
        await to_the_end(self._finish_found(files, grace=self._grace))
        await _covered(files, self._forms_at(files))

    def alive(self) -> frozenset[AttemptId]:
        """Return the attempts of which processes of this machine live, whoever started them; reads /proc."""
        return alive_below(self._root)

    def let_go(self) -> None:
        """Leave alone what runs, also when waiting for it is cancelled: another engine will take it up."""
        self._leaving = True

    def _files(self, attempt: AttemptId) -> AttemptFiles:
        return AttemptFiles(self._root, attempt)

    def _forms(self, run: RunId, names: Sequence[str]) -> tuple[bytes, ...]:
        """Return what gives the values of a run's secrets away."""
        values = self.listed.of(run) if names else dict[str, str]()
        return forms_of(values[name] for name in names if name in values)

    def _forms_at(self, files: AttemptFiles) -> tuple[bytes, ...]:
        """Return what gives secrets away in an attempt of which only the files are known."""
        run = files.request().get("run")
        return self._forms(RunId(run), _masked_names(files)) if isinstance(run, str) else ()

    def _start(self, launch: Launch, files: AttemptFiles, *, nonces: Nonces) -> Wrapper:
        if self._reaper:
            _become_reaper()
        env = environment(launch, self._environ, io=files.io)
        argv = _resolved(launch, env["PATH"])
        forms = forms_of(launch.masked.values())
        written = {name: masked(content, forms) for name, content in launch.files.items()}
        files.create(
            _request(launch, argv=argv, env=env, slept=self._clocks().slept), written, io=launch.role in AGENTS
        )
        reach("before-spawn")
        try:
            stdin = launch.invocation.stdin
            started = wrapper.start(argv, files, cwd=launch.cwd, env=env, stdin=stdin, nonces=nonces)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument or a value
            raise WorkerError(f"{argv[0]} could not be started for {launch.attempt}: {error}") from error
        reach("after-spawn")
        return started

    def _grace_for(self, limit: FailureClass | None) -> Grace:
        return AT_ONCE if limit in {FailureClass.MEMORY, FailureClass.PROCESSES} else self._grace

    async def _ended(self, started: Wrapper, files: AttemptFiles, *, grace: Grace, counts: bool) -> ExitRecord:
        """Let nothing interrupt the end of an attempt; without `counts` it leaves no record of how it ended."""
        if self._leaving:
            return ExitRecord(None, None)
        try:
            return await self._finish(started, files, grace=grace)
        finally:
            if not counts:
                files.forget_exit()

    async def _finish(self, started: Wrapper, files: AttemptFiles, *, grace: Grace) -> ExitRecord:
        """End what still runs, collect the wrapper, and return how the command ended (both None: nobody knows)."""
        files.mark_ended()
        process = read_process(started.pid)
        tree, ended = _tree_of(started, files, process=process), process is None or process.ended
        try:
            if not ended or not (self._reaper and _become_reaper()) or has_rest(tree):
                await to_the_end(self._end(tree, grace, ended=ended))
        finally:
            said, status = files.exit_record(), wrapper.collect(started)
            record = believed(said, status, began=said is not None or files.has_begun())
        return record

    async def _end(self, tree: Tree, grace: Grace, *, ended: bool) -> None:
        if not ended:
            await kill(tree, grace)
        if not (self._reaper and _become_reaper()) or has_rest(tree):
            await kill_rest(tree, grace)
            reap_orphans(own_children() or ())

    async def _finish_found(self, files: AttemptFiles, *, grace: Grace) -> ExitRecord | None:
        """End what still lives of an attempt that another engine started; return the record that it had before."""
        locked = files.locked()
        before = None if locked else files.exit_record()
        files.mark_ended()
        await kill(tree_of(files), grace)
        if locked:
            await asyncio.to_thread(files.wait_unlocked)
        if before is None:
            files.forget_exit()
        return before


async def _passed_limit(
    ended: asyncio.Future[None], files: AttemptFiles, *, watch: Watch, use: Callable[[], Use]
) -> FailureClass | None:
    """Wait until the wrapper has ended (None), or a limit is passed. What the tree takes is sampled at each look."""
    while True:
        done, _ = await asyncio.wait({ended}, timeout=watch.pause(_now()))
        if done:
            return None
        output, growth = files.growth()
        passed = watch.look(_now(), output=output, growth=growth, use=await asyncio.to_thread(use))
        if passed is not None:
            files.note_limit(passed)
            return passed


def _masked_names(files: AttemptFiles) -> list[str]:
    """Return the names of the secrets that nothing of an attempt may show."""
    names = files.request().get("masked")
    return [str(name) for name in names] if isinstance(names, list) else []


async def _covered(files: AttemptFiles, forms: tuple[bytes, ...]) -> None:
    """Make secrets unreadable in what an attempt left; nothing interrupts that."""
    if forms:
        await to_the_end(asyncio.to_thread(files.mask, forms))


def _tree_of(started: Wrapper, files: AttemptFiles, *, process: Process | None) -> Tree:
    return Tree(files.io, started.pid, process.started if process is not None else 0)


def _noted_limit(files: AttemptFiles, limits: Limits) -> FailureClass | None:
    """Return the limit that another engine noted as passed, if it is one that the attempt has."""
    noted = files.noted_limit()
    return noted if noted is not None and getattr(limits, noted, None) is not None else None


def believed(record: ExitRecord | None, status: os.waitid_result | None, *, began: bool) -> ExitRecord:
    """Return how a command ended by its wrapper's record, as far as the wrapper's own end agrees with it.

    A wrapper that was killed has left no record, whatever stands there: the command could write one, too. One that
    could not write its record, because the disk is full or its folder was removed, has still ended as its command did;
    unless it never `began` that, because it could not even write who it is.
    """
    if status is None:
        return record or ExitRecord(None, None)
    if status.si_code != os.CLD_EXITED:
        return ExitRecord(None, status.si_status)
    if record is None:
        return ExitRecord(status.si_status if began else None, None)
    code = record.code if record.signal is None else 128 + record.signal
    return record if code == status.si_status else ExitRecord(status.si_status, None)


def _too_much(files: AttemptFiles, asked: Launch | ProcessJob) -> bool:
    """Say whether a command wrote more than it may: a quick one is not looked at before it has ended."""
    return asked.limits.output is not None and sum(files.sizes()) > asked.limits.output


async def _exit(
    files: AttemptFiles, record: ExitRecord, *, limit: FailureClass | None, asked: Launch | ProcessJob
) -> Exit:
    out, err = files.sizes()
    most = AGENT_TAIL if asked.role in AGENTS or _answers_there(asked) else TAIL
    stdout, stderr = files.last("stdout", size=out, most=most), files.last("stderr", size=err)
    whole = (len(stdout), len(stderr)) == (out, err)
    digest = hashlib.sha256(stdout + stderr).hexdigest() if whole else await asyncio.to_thread(files.output_digest)
    if limit is None and _too_much(files, asked):
        limit = FailureClass.OUTPUT
    return Exit(
        code=record.code,
        signal=record.signal,
        limit=limit,
        bound=asked.limits.told(limit) if limit is not None else "",
        stdout=stdout,
        stderr=stderr,
        output_digest=digest,
        written=out,
        result=files.answer(),
        usage=files.cost(),
        refused=files.refusals(),
        unenforced=_unenforced(asked),
        gone="" if files.directory.is_dir() else f"its folder {files.directory} was removed while it ran",
    )


def _answers_there(asked: Launch | ProcessJob) -> bool:
    return asked.answer is not None and asked.answer.file is None


def _now() -> float:
    """Return the seconds of the loop's clock, which nobody sets."""
    return asyncio.get_running_loop().time()


def _resolved(launch: Launch, path: str) -> tuple[str, ...]:
    """Return the argv with its program as an absolute path."""
    name, *rest = launch.invocation.argv or ("",)
    program = find_program(name, path, cwd=launch.cwd) if name else None
    if program is None:
        raise WorkerError(
            f"the program {name!r} of attempt {launch.attempt} is not there or cannot be executed",
            where=name,
            hint=f"Looked in {launch.cwd if os.sep in name else path}. See `punchlist doctor`.",
        )
    if not launch.cwd.is_dir():
        raise WorkerError(f"the folder {launch.cwd} of attempt {launch.attempt} is not there")
    return (program, *rest)


def _request(launch: Launch, *, argv: Sequence[str], env: Iterable[str], slept: float) -> dict[str, object]:
    return {
        "attempt": launch.attempt,
        "role": launch.role,
        "argv": list(argv),
        "cwd": str(launch.cwd),
        "stdin": str(launch.invocation.stdin) if launch.invocation.stdin else None,
        "env": sorted(env),  # names only: values may be secrets
        "limits": {name: getattr(launch.limits, name) for name in Limits.__struct_fields__},
        "network": launch.network,
        "sandbox": launch.sandbox,
        "unenforced": list(_unenforced(launch)),
        "slept": slept,  # of the machine: an engine that adopts the attempt tells by it for how long that was awake
        **({"run": launch.run, "masked": sorted(launch.masked)} if launch.masked else {}),
    }


def _unenforced(asked: Launch | ProcessJob) -> tuple[str, ...]:
    """Return the guarantees without a mechanism yet: `sandbox`, `network` where it should be cut off."""
    names = ["sandbox"]
    if not asked.network:
        names.append("network")
    return tuple(names)


@cache
def _become_reaper() -> bool:
    """Make orphans of attempts children of this process; False where the kernel does not do that."""
    import ctypes  # only an engine needs it

    return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
