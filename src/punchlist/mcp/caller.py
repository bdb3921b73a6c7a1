"""Who calls the tools: the client's name, and the verbs' context that its calls are made in."""

import threading
from pathlib import Path

from punchlist import wiring
from punchlist.errors import RefusedError
from punchlist.model.settings import FILE
from punchlist.service.context import Service


class Caller:
    """One client of the workspace around `folder`; usable from several threads.

    With `person` its calls are those of the person who set it up, else those of an orchestrator that goes by the name
    that the client gives of itself.
    """

    def __init__(self, folder: Path, *, person: bool) -> None:
        self._folder = folder
        self._root = wiring.find_workspace(folder)
        self._is_person = person
        self._client = "unknown"
        self._lock = threading.Lock()
        self._opened: dict[bool, tuple[object, Service]] = {}
        if not wiring.open_service(folder).person:
            raise RefusedError(
                "these tools are not for agents at work on an attempt",
                hint="An attempt has tools of its own: punchlist mcp --role builder, qa or planner.",
            )

    @property
    def folder(self) -> Path:
        """Where the workspace was looked for."""
        return self._folder

    def introduce(self, client: str) -> None:
        """Learn the client's name, once, before its first call."""
        self._client = client

    @property
    def client(self) -> str:
        """The name that the client gave of itself."""
        return self._client

    @property
    def service(self) -> Service:
        """The verbs' context of this client; made anew when the settings' file has changed."""
        return self._service(person=self._is_person)

    @property
    def person(self) -> Service:
        """The verbs' context of the person in front of the client, for what the client has asked that person itself."""
        return self._service(person=True)

    def _service(self, *, person: bool) -> Service:
        with self._lock:
            written = _written(self._root / FILE)
            known = self._opened.get(person)
            if known is None or known[0] != written:
                service = wiring.open_service(self._folder, client=None if person else self._client)
                _ = service.store, service.engine  # opened once, for all threads
                known = self._opened[person] = written, service
            return known[1]


def _written(path: Path) -> object:
    """Return what changes whenever a file is written."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
