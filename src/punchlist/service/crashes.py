"""Reports of bugs: what is known of one, written where a person can find it."""

from pathlib import Path

from punchlist.errors import PunchlistError

BUG = 70


def reported(error: Exception, *, start: Path, asked: str) -> PunchlistError:
    """Return what a face shows of a bug, after a report was written; `asked` says what it happened in."""
    found = PunchlistError(
        f"this is a bug in punchlist: {type(error).__name__}: {error}",
        hint=f"A report is in {report(error, start=start, asked=asked)}; nothing that was recorded is lost.",
    )
    found.exit_code = BUG
    return found


def report(error: Exception, *, start: Path, asked: str) -> str:
    """Write what is known of a bug into the workspace, or the temporary folder, and return the file's path."""
    text = _known_of(error, asked=asked)
    for folder in (_crash_folder(start), None):
        try:
            return _written(text, folder)
        except OSError:
            continue
    return "no file, because none could be written"


def _known_of(error: Exception, *, asked: str) -> str:
    import platform
    import traceback

    from punchlist import __version__

    system = f"punchlist {__version__}, Python {platform.python_version()}, {platform.platform()}"
    return "\n".join([system, asked, "", *traceback.format_exception(error)])


def _written(text: str, folder: Path | None) -> str:
    import tempfile

    if folder is not None:
        folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="crash-", suffix=".txt", dir=folder, delete=False) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    return file.name


def _crash_folder(start: Path) -> Path | None:
    here = start.absolute()
    states = (folder / ".punchlist" for folder in (here, *here.parents))
    return next((state / "crash" for state in states if state.is_dir()), None)
