"""Bugs of this program in what an engine does beside its loop: each is reported once, and told of until it is over."""

from collections.abc import Callable

from punchlist.model.json import plain
from punchlist.model.outside import BUGS, Bugs
from punchlist.ports import Store

Report = Callable[[Exception, str], str]
"""Writes what is known of a bug, and of what it happened in; returns where that is."""


class BugsFound:
    """What a bug keeps from being done, by name, in this process and in the store, where commands see it.

    One process at a time. Every method but `hinders` raises StoreError, and has noted it for itself then.
    """

    def __init__(self, store: Store, *, report: Report) -> None:
        self._store = store
        self._report = report
        self._seen: dict[str, str] = {}
        self._found: dict[str, str] = {}

    def hinders(self, name: str) -> bool:
        """Say whether a bug keeps this from being done."""
        return name in self._found

    def begin(self) -> None:
        """Forget what an engine before this one met with."""
        self._keep()

    def note(self, name: str, error: Exception) -> None:
        """Note that a bug keeps something from being done; one that is known already is not reported again."""
        seen = repr(error)
        if self._seen.get(name) != seen:
            self._found[name] = f"{type(error).__name__}; a report is in {self._report(error, name)}"
            self._seen[name] = seen
        self._keep()

    def over(self, name: str) -> None:
        """Note that something was done at last."""
        self._found.pop(name, None)
        self._seen.pop(name, None)
        self._keep()

    def _keep(self) -> None:
        found = plain(Bugs(found=self._found)) if self._found else None
        with self._store.write() as writer:
            if (kept := writer.cursor(BUGS)) != found:
                writer.move_cursor(BUGS, found, was=kept)
