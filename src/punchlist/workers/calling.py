"""Programs that an engine calls beside attempts: nothing that they start outlives the call, nor the engine for long."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from punchlist.errors import WorkerError
from punchlist.executables import find_program
from punchlist.workers.killing import Grace, kill_rest, reap_orphans, to_the_end
from punchlist.workers.tag import NONE, tag_of
from punchlist.workers.tree import Tree, own_children
from punchlist.workers.wrapper import SHELL

_GRACE = Grace(terminate=1.0)
_TAGGED = """\
ulimit -S -w "$1" 2>/dev/null || ulimit -S -x "$1" 2>/dev/null
shift
unset PWD OLDPWD
exec "$@"
"""
"""Becomes the program, with the tag that all that it starts inherits; see `wrapper.SCRIPT`."""


class CalledPrograms:
    """Implements `ports.Programs`, one call at a time; `folder` is nobody else's, and is never made: it gives the tag.

    The tag finds what has left its group, its session and its parents, also of an engine that was killed.
    """

    def __init__(self, folder: Path) -> None:
        self._tree = Tree(folder / "A1" / "io", None)
        self._looked = False

    async def run(self, argv: Sequence[str], *, stdin: bytes, env: Mapping[str, str], cwd: Path) -> int:
        """Run a program; return its exit code, or a signal as a negative number.

        Cancelling ends it first. Raises WorkerError when it cannot be started, in words that do not name it.
        """
        if not self._looked:
            await to_the_end(self._end_all())  # an engine that was killed may have called one
            self._looked = True
        name, *rest = argv
        program = find_program(name, env.get("PATH") or os.defpath, cwd=cwd)
        if program is None:
            raise WorkerError("the program could not be started: it is not there, or may not be executed")
        try:
            process = await asyncio.create_subprocess_exec(
                *(SHELL, "-c", _TAGGED, "sh", str(tag_of(self._tree.io) or NONE), program, *rest),
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=DEVNULL,
                cwd=cwd,
                env=env,
                process_group=0,  # in the engine's session: what is in another one is taken for part of an attempt
            )
        except OSError as error:
            raise WorkerError(f"the program could not be started: {error.strerror}") from error
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError, ConnectionResetError):  # it need not read
                process.stdin.write(stdin)
                await process.stdin.drain()
            process.stdin.close()
            return await process.wait()
        finally:
            await to_the_end(self._end(process))

    async def _end(self, process: Process) -> None:
        """End what is left of a program and of what it started."""
        with suppress(ProcessLookupError):  # its group first: it may be ended before it is tagged
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _GRACE.terminate)
        await self._end_all()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _end_all(self) -> None:
        await kill_rest(self._tree, _GRACE)
        reap_orphans(own_children() or ())
