"""Files that nodes wait for: looked for when the kernel says that something came to stand where one may be."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

from punchlist.engine.wanted import Watched
from punchlist.errors import StoreError
from punchlist.model import commands as cmd
from punchlist.model.ids import RunId
from punchlist.runtime.notices import FolderNotices

_LOG = logging.getLogger("punchlist.engine")
FOLDERS = 1000
"""How many folders a pattern is watched in at most; in more of them it is only looked for now and then."""
FILES = 1000
"""How many files a wait is ended with at most; the others are there, and not named."""


class Watching:
    """The watches of all runs; `root` is the folder that patterns are about, `wake` is called when files are there.

    `look` is how long a watch waits at most before it looks again: a folder of a kind that gives no notices is seen by
    that, and a wait is over in any case when its time has come, which is not for this to see.
    """

    def __init__(self, root: Path, wake: Callable[[], None], *, look: timedelta) -> None:
        self._root = root
        self._wake = wake
        self._look = look
        self._tasks: dict[tuple[RunId, Watched], asyncio.Task[None]] = {}
        self._found: list[cmd.FilesFound] = []

    def take(self) -> list[cmd.FilesFound]:
        """Return what was found since this was asked last."""
        found, self._found = self._found, []
        return found

    def follow(self, run: RunId, watched: Sequence[Watched]) -> None:
        """Watch for this of a run from now on, and for nothing else."""
        wanted = {(run, each) for each in watched}
        for key in [key for key in self._tasks if key[0] == run and key not in wanted]:
            self._tasks.pop(key).cancel()
        for key in wanted - self._tasks.keys():
            self._tasks[key] = asyncio.create_task(self._watch(*key))

    def end(self) -> None:
        """Watch for nothing any more: what is waited for is in the record."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _watch(self, run: RunId, watched: Watched) -> None:
        came = asyncio.Event()
        notices = _notices()
        loop = asyncio.get_running_loop()
        if notices is not None:
            loop.add_reader(notices, came.set)
        try:
            while len(files := await self._look_for(watched.files, notices)) < watched.least:
                try:
                    async with asyncio.timeout(self._look.total_seconds()):
                        await came.wait()
                except TimeoutError:
                    continue
                came.clear()
                assert notices is not None
                notices.take()
            self._tasks.pop((run, watched), None)
            self._found.append(cmd.FilesFound(run=run, node=watched.node, files=files))
            self._wake()
        finally:
            if notices is not None:
                loop.remove_reader(notices)
                notices.close()

    async def _look_for(self, pattern: str, notices: FolderNotices | None) -> tuple[str, ...]:
        return await asyncio.to_thread(_look, self._root, pattern, notices=notices)


def _notices() -> FolderNotices | None:
    try:
        return FolderNotices()
    except StoreError:
        return None


def _look(root: Path, pattern: str, *, notices: FolderNotices | None) -> tuple[str, ...]:
    """Return the files that fit, in order; before that, ask for notices of every folder in which one may come to be."""
    try:
        if notices is not None:
            notices.watch(islice(_folders(root, pattern), FOLDERS))
        found = [*islice((path for path in root.glob(pattern) if path.is_file()), FILES)]
    except (OSError, ValueError) as error:  # of a pattern that an expression gave, for one
        _LOG.warning("nothing can fit %s: %s", pattern, error)
        return ()
    return tuple(sorted(path.relative_to(root).as_posix() for path in found))


def _folders(root: Path, pattern: str) -> "list[Path]":
    """Return the folders that are there on the way to what fits a pattern, the nearest first."""
    level, found = [root], [root]
    for part in pattern.split("/")[:-1]:
        if part == "**":
            level = [Path(top) for folder in level for top, _, _ in os.walk(folder)]
        else:
            level = [each for folder in level for each in folder.glob(part or ".") if each.is_dir()]
        found += level
        if len(found) > FOLDERS:
            break
    return found
