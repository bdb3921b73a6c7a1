"""Values of the names that workers list in `env`, as they were where a run was started: one private file a run."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from punchlist.errors import StoreError
from punchlist.model.ids import RunId
from punchlist.model.json import decode
from punchlist.sharing import file_mode, folder_mode


class ListedValues:
    """The files in `folder`, which only those can read who share the workspace.

    They are no part of the record: values may be secrets. What is kept for a run is there from before its command is
    committed until the run is over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, run: RunId, values: Mapping[str, str]) -> None:
        """Keep the values for a run that is about to be asked for; raises StoreError."""
        try:
            self._folder.mkdir(mode=folder_mode(self._folder.parent), parents=True, exist_ok=True)
            path = self._path(run)
            path.unlink(missing_ok=True)  # left by a run that was never committed, or planted
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file_mode(self._folder))
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(dict(values)))
        except OSError as error:
            raise StoreError(
                f"the values that workers list in `env` cannot be kept: {error.strerror}",
                where=str(self._folder),
                hint="Free some space or mend the permissions.",
            ) from error

    def of(self, run: RunId) -> Mapping[str, str]:
        """Return what was kept for a run; nothing for one whose workers list no names."""
        try:
            return decode(self._path(run).read_bytes(), dict[str, str])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(
                f"the values that workers list in `env` cannot be read: {error}", where=str(self._path(run))
            ) from error

    def runs(self) -> list[RunId]:
        """Return the runs for which something is kept."""
        return [RunId(path.stem) for path in self._folder.glob("*.json")]

    def forget(self, run: RunId) -> None:
        """Remove what was kept for a run that is over."""
        self._path(run).unlink(missing_ok=True)

    def _path(self, run: RunId) -> Path:
        return self._folder / f"{run}.json"
