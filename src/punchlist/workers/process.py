"""The only place that starts processes for attempts, watches their limits, and leaves nothing of them alive."""

import asyncio
import functools
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from punchlist.errors import WorkerError
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import FailureClass, Limits, Outcome
from punchlist.ports import Exit, Launch
from punchlist.workers import wrapper
from punchlist.workers.environment import AGENTS, environment, find_program
from punchlist.workers.files import AGENT_TAIL, TAIL, AttemptFiles, ExitRecord
from punchlist.workers.killing import (
    GRACE,
    Grace,
    end_of,
    has_rest,
    kill,
    kill_rest,
    reap_orphans,
    to_the_end,
)
from punchlist.workers.limits import Watch
from punchlist.workers.listed import ListedValues
from punchlist.workers.tree import Tree, marks, own_children, read_process
from punchlist.workers.wrapper import Wrapper

_SET_CHILD_SUBREAPER = 36  # prctl(2)


class LocalProcesses:
    """Attempts as processes of this machine, each in its directory under `root`; implements `ports.Processes`.

    `environ` is the engine's environment as it was read once; it is the only source of what is passed on. With `reaper`
    this process becomes the parent of whatever escapes from an attempt (a child subreaper, Linux), so that it is found.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        *,
        grace: Grace = GRACE,
        reaper: bool = True,
    ) -> None:
        self._root = root
        self._environ = environ
        self._grace = grace
        self._reaper = reaper
        self.listed = ListedValues(root.with_name("listed"))

    def io(self, attempt: AttemptId) -> Path:
        """Return the agent's half of the attempt directory (it may not exist yet)."""
        return self._files(attempt).io

    def record(self, outcome: Outcome) -> None:
        """Write `outcome.json`: what the engine made of the attempt; raises StoreError."""
        self._files(outcome.attempt).record(outcome)

    def tail(self, attempt: AttemptId, *, stream: str = "stdout", start: int = 0) -> bytes:
        """Return the output from byte `start` on (b"" when there is none); `stream` is stdout or stderr."""
        return self._files(attempt).tail(stream, start=start)

    async def run(self, launch: Launch) -> Exit:
        """Start the process in its own session, wait for it, enforce its limits; nothing of its tree survives.

        Cancelling the task kills the tree, waits until it is gone, and then raises CancelledError.
        Raises WorkerError when the program cannot be started, StoreError when the attempt's files cannot be written.
        """
        files = self._files(launch.attempt)
        started = self._start(launch, files)
        limit: FailureClass | None = None
        watched = False
        try:
            limit = await _passed_limit(started, files, limits=launch.limits)
            watched = True
        finally:  # also when watching it failed: what was started must not go on without anyone to end it
            ended = await self._ended(started, files, counts=watched)
        if limit is None and sum(files.sizes()) > launch.limits.output:
            limit = FailureClass.OUTPUT
        return await _exit(files, ended, limit=limit, unenforced=_unenforced(launch))

    def alive(self) -> frozenset[AttemptId]:
        """Return the attempts that processes of this machine say they belong to, whoever started them; reads /proc."""
        folders = [Path(mark).parent for mark in marks()]
        return frozenset(AttemptId(each.name) for each in folders if each.parent == self._root)

    async def settle(self, attempt: AttemptId) -> Exit | None:
        """Settle an attempt found at restart: its exit record, or None after its tree was killed and its lock is free.

        A record that was whole before anything had to be killed counts, even if the wrapper had not quite ended; one
        that only the kill brought about does not: the attempt is lost. Leftovers of an ended attempt are killed, too.
        A command that the dead engine was ending for a limit has passed that limit, whatever its exit says; so has one
        that wrote too much before anyone looked.
        """
        files = self._files(attempt)
        if not files.directory.is_dir():
            return None
        before = files.exit_record()
        locked = files.locked()
        files.mark_ended()
        await to_the_end(kill(_found_tree(files), self._grace))
        if locked:
            await asyncio.to_thread(files.wait_unlocked)
        limit = files.noted_limit() or _written_too_much(files)
        if before is None:
            files.forget_exit()
            if limit is None:
                return None
        unenforced = files.request().get("unenforced")
        names = tuple(str(name) for name in unenforced) if isinstance(unenforced, list) else ()
        return await _exit(files, before or ExitRecord(None, None), limit=limit, unenforced=names)

    def _files(self, attempt: AttemptId) -> AttemptFiles:
        return AttemptFiles(self._root, attempt)

    def _start(self, launch: Launch, files: AttemptFiles) -> Wrapper:
        if self._reaper:
            _become_reaper()
        env = environment(launch, self._environ, io=files.io)
        argv = _resolved(launch, env["PATH"])
        files.create(_request(launch, argv=argv, env=env), launch.files, io=launch.role in AGENTS)
        try:
            return wrapper.start(argv, files, cwd=launch.cwd, env=env, stdin=launch.invocation.stdin)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument or a value
            raise WorkerError(f"{argv[0]} could not be started for {launch.attempt}: {error}") from error

    async def _ended(self, started: Wrapper, files: AttemptFiles, *, counts: bool) -> ExitRecord:
        """Let nothing interrupt the end of an attempt; without `counts` it leaves no record of how it ended."""
        try:
            return await to_the_end(self._finish(started, files))
        finally:
            if not counts:
                files.forget_exit()

    async def _finish(self, started: Wrapper, files: AttemptFiles) -> ExitRecord:
        """End what still runs, collect the wrapper, and return how the command ended (both None: nobody knows)."""
        files.mark_ended()
        process = read_process(started.pid)
        tree = Tree(files.io, started.pid, process.started if process else 0)
        if process is not None and not process.ended:
            await kill(tree, self._grace)
        if not (self._reaper and _become_reaper()) or has_rest(tree):
            await kill_rest(tree, self._grace)
            reap_orphans(own_children() or ())
        status = wrapper.collect(started)
        record = files.exit_record()
        if record is None and status is not None and status.si_code != os.CLD_EXITED:
            return ExitRecord(None, status.si_status)
        return record or ExitRecord(None, None)


async def _passed_limit(started: Wrapper, files: AttemptFiles, *, limits: Limits) -> FailureClass | None:
    """Wait until the wrapper has ended (None), or a limit is passed."""
    loop = asyncio.get_running_loop()
    watch = Watch(limits, now=loop.time())
    with end_of(started.pidfd) as ended:
        while True:
            done, _ = await asyncio.wait({ended}, timeout=watch.pause(loop.time()))
            if done:
                return None
            output, growth = files.growth()
            passed = watch.look(loop.time(), output=output, growth=growth)
            if passed is not None:
                files.note_limit(passed)
                return passed


def _written_too_much(files: AttemptFiles) -> FailureClass | None:
    """Say whether the output of an attempt that another engine started is over the limit that its request names."""
    limits = files.request().get("limits")
    most = limits.get("output") if isinstance(limits, dict) else None
    return FailureClass.OUTPUT if isinstance(most, int) and sum(files.sizes()) > most else None


async def _exit(
    files: AttemptFiles, record: ExitRecord, *, limit: FailureClass | None, unenforced: tuple[str, ...]
) -> Exit:
    out, err = files.sizes()
    most = AGENT_TAIL if files.request().get("role") in AGENTS else TAIL
    stdout, stderr = files.last("stdout", size=out, most=most), files.last("stderr", size=err)
    whole = (len(stdout), len(stderr)) == (out, err)
    digest = hashlib.sha256(stdout + stderr).hexdigest() if whole else await asyncio.to_thread(files.output_digest)
    return Exit(
        code=record.code,
        signal=record.signal,
        limit=limit,
        stdout=stdout,
        stderr=stderr,
        output_digest=digest,
        result=files.answer(),
        usage=files.cost(),
        refused=files.refusals(),
        unenforced=unenforced,
    )


def _found_tree(files: AttemptFiles) -> Tree:
    """Return the tree of an attempt that another engine started; its wrapper counts only if it is still the same."""
    recorded = files.wrapper()
    if recorded is not None:
        process = read_process(recorded[0])
        if process is not None and process.started == recorded[1]:
            return Tree(files.io, *recorded)
    return Tree(files.io, None)


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


def _request(launch: Launch, *, argv: Sequence[str], env: Iterable[str]) -> dict[str, object]:
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
    }


def _unenforced(launch: Launch) -> tuple[str, ...]:
    """Return the guarantees without a mechanism yet: `sandbox`, `network` where it should be cut off, `memory`."""
    names = ["sandbox"]
    if not launch.network:
        names.append("network")
    if launch.limits.memory is not None:
        names.append("memory")
    return tuple(names)


@functools.cache
def _become_reaper() -> bool:
    """Make orphans of attempts children of this process; False where the kernel does not do that."""
    import ctypes  # only an engine needs it

    return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
