"""Who is told that something was committed: datagram sockets in one folder, one for each listener."""

import contextlib
import hashlib
import os
import select
import socket
from collections.abc import Container, Generator
from pathlib import Path

from punchlist.errors import StoreError
from punchlist.sharing import others_of, share_as

ENGINE = "engine"
_MESSAGE = b"!"
_SHARED = "sockets"
_ROOM = 100


class Channel:
    """The sockets of one workspace, below `folder`; below its `state` where others than its owner share that.

    A user's runtime folder is closed to others. Whether a workspace is shared may change while this process listens.
    """

    def __init__(self, folder: Path, *, state: Path | None = None) -> None:
        self._own = folder
        self._state = state

    @staticmethod
    def of(root: Path, runtime_folder: Path, *, state: Path | None = None) -> "Channel":
        """Return the channel of the workspace at `root`."""
        name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
        return Channel(runtime_folder / name, state=state)

    @property
    def _folder(self) -> Path:
        shared = self._state is not None and others_of(self._state)
        return self._state / _SHARED if self._state is not None and shared else self._own

    def tell_engine(self) -> bool:
        """Poke the engine; False when none listens here."""
        return self._tell(self._folder / ENGINE)

    def announce(self, *, but: Container[str] = ()) -> None:
        """Tell every listener but the engine and those called `but`; sockets that nobody reads any more are removed."""
        folder = self._folder
        with contextlib.suppress(FileNotFoundError):
            for listener in os.listdir(folder):  # noqa: PTH208 - names alone, at each commit
                if listener != ENGINE and listener not in but:
                    self._tell(folder / listener)

    def listen_as_engine(self) -> socket.socket:
        """Return the engine's socket; only the holder of the engine's lock may call this."""
        return self._listen(self._folder / ENGINE)

    @contextlib.contextmanager
    def watch(self, name: str) -> Generator["Watching"]:
        """Listen under a name of one's own for as long as the block lasts."""
        path = self._folder / name
        listening = self._listen(path)
        try:
            yield Watching(listening)
        finally:
            listening.close()
            path.unlink(missing_ok=True)

    def _listen(self, path: Path) -> socket.socket:
        try:
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                share_as(path.parent.parent, path.parent)
            path.unlink(missing_ok=True)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
            with _address(path) as address:
                listening.bind(address)
            share_as(path.parent, path)
        except OSError as error:
            raise StoreError(f"cannot listen for changes: {error}", where=str(path)) from error
        return listening

    def _tell(self, path: Path) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sender:
            try:
                with _address(path) as address:
                    sender.sendto(_MESSAGE, address)
            except ConnectionRefusedError:  # its listener was killed
                if path.name != ENGINE:  # the next engine may listen there by now, and would hear nothing more
                    path.unlink(missing_ok=True)
                return False
            except (FileNotFoundError, PermissionError):  # nobody listens, or another user, who begins to this moment
                return False
            except BlockingIOError:
                pass  # enough is waiting there to wake the listener
        return True


class Watching:
    """A subscription; implements `ports.Watch`."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening

    def fileno(self) -> int:
        """Return the descriptor that can be read when something was committed."""
        return self._listening.fileno()

    def wait(self, timeout: float | None) -> bool:
        """Return True after the next commit since the last call, False when `timeout` seconds have passed."""
        ready, _, _ = select.select([self._listening], [], [], timeout)
        drain(self._listening)
        return bool(ready)


@contextlib.contextmanager
def _address(path: Path) -> Generator[str]:
    """Give the name of a socket, however long its path is: a name has room for about 100 bytes."""
    if len(os.fsencode(path)) <= _ROOM:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def drain(listening: socket.socket) -> None:
    """Take what waits in a socket: many pokes mean the same as one."""
    with contextlib.suppress(BlockingIOError):
        while listening.recv(16):
            pass
