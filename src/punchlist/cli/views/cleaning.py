"""The view of what `gc` removed."""

from collections.abc import Mapping

from punchlist.cli.views.seen import Part, seen
from punchlist.model.json import Json
from punchlist.render.words import plural

_SHOWN = 12


class RemovedSeen(Part, frozen=True, kw_only=True):
    """What was, or would be, removed."""

    attempts: tuple[str, ...]
    folders: tuple[str, ...]
    refs: tuple[str, ...]
    deliveries: tuple[str, ...]
    files: tuple[str, ...] = ()


def cleaned(answer: Mapping[str, Json]) -> str:
    """Return what was removed, or would be, with the bytes that this frees."""
    removed = seen(RemovedSeen, answer["removed"])
    dry_run, size = answer["dry_run"], seen(int, answer["bytes"])
    lines = [
        _line("output of", "attempt", names=removed.attempts),
        _line("work folders of", "step or task", names=removed.folders),
        _line("snapshots:", "ref", names=removed.refs),
        _line("given up:", "call", names=removed.deliveries),
        _line("what grew too large:", "file", names=removed.files),
    ]
    found = [line for line in lines if line]
    if not found:
        return f"Nothing to remove; {plural(seen(int, answer['kept']), 'attempt')} stay."
    head = "Would remove" if dry_run else "Removed"
    tail = "To remove it: punchlist gc" if dry_run else f"{plural(seen(int, answer['kept']), 'attempt')} stay."
    return "\n".join([f"{head} {_bytes(size)}:", *found, tail])


def _line(what: str, noun: str, *, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" … and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"  {what} {len(names)} {noun}{'s' if len(names) != 1 else ''}: {', '.join(names[:_SHOWN])}{more}"


def _bytes(size: int) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
