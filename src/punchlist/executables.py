"""Where a program is found: apart from what runs it, because `task start` looks and runs nothing."""

import os
from pathlib import Path


def find_program(name: str, path: str, *, cwd: Path) -> str | None:
    """Return the absolute path of an executable, or None: bare names are searched on `path`, others start at `cwd`.

    So does an entry of `path` that is relative or empty.
    """
    if os.sep in name:
        return _executable(str(cwd / name))
    for entry in path.split(os.pathsep):
        folder = entry if entry.startswith(os.sep) else str(cwd / entry)
        if (found := _executable(f"{folder}/{name}")) is not None:
            return found
    return None


def _executable(path: str) -> str | None:
    """Return the path if a file is there that may be executed; `shutil.which` asks five times as much of the kernel."""
    return path if os.access(path, os.X_OK) and Path(path).is_file() else None
