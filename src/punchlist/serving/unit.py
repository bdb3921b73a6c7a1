"""The engine of a workspace as a user service of systemd: its unit file, written, shown, removed."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from punchlist import wiring
from punchlist.errors import DefinitionError, StoreError
from punchlist.runtime.lock import HAND_OVER
from punchlist.service.context import Answer, Service

_PATIENCE = 30
_TEXT = """\
# Written by `punchlist engine install`; `punchlist engine install --remove` takes it away.
[Unit]
Description=Punchlist engine of {description}
RequiresMountsFor={root}
StartLimitIntervalSec=0

[Service]
ExecStart={command}
Environment={path}
Restart=on-failure
RestartSec=15
# What is at work lives on when the engine dies or is restarted, and the next one takes it up: the signal asks it to
# hand over, and nothing else of its control group is killed. To stop what is at work, too: punchlist engine stop
KillMode=process
KillSignal={hand_over}

[Install]
WantedBy=default.target
"""


class Unit(NamedTuple):
    """A unit file: where it stands, and what it says."""

    file: Path
    text: str

    @property
    def name(self) -> str:
        """The name that systemd knows it by."""
        return self.file.name

    @property
    def is_there(self) -> bool:
        """Whether the file says this already."""
        return _read(self.file) == self.text


def unit_of(service: Service, environ: Mapping[str, str]) -> Unit:
    """Return the unit of a workspace; raises DefinitionError for a path that no unit file can hold."""
    root = str(service.root)
    if not root.isprintable():
        raise DefinitionError("a unit file cannot name this folder: there are control characters in it", where=root)
    above = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '')}/.config"
    name = re.sub(r"[^a-z0-9]+", "-", service.root.name.lower()).strip("-")[:40] or "workspace"
    told = hashlib.sha256(root.encode()).hexdigest()[:8]
    command = (sys.executable, "-P", "-m", "punchlist", "-C", root, "engine", "run")
    text = _TEXT.format(
        description=_escaped(root),
        root=_quoted(root),
        command=" ".join(_quoted(each, command=True) for each in command),
        hand_over=HAND_OVER.name,
        path=_quoted(f"PATH={environ.get('PATH') or os.defpath}"),
    )
    return Unit(Path(above) / "systemd" / "user" / f"punchlist-{name}-{told}.service", text)


def install(service: Service, unit: Unit) -> Answer:
    """Write the unit and start it, in place of the engine that runs; nothing happens where it stands already.

    What is at work is handed over to the service; where that cannot be started, to an engine as before.
    """
    wiring.refuse_inside("engine install")
    changed = not unit.is_there
    if changed:
        try:
            unit.file.parent.mkdir(parents=True, exist_ok=True)
            fresh = unit.file.with_name(f".{unit.name}.new")
            fresh.write_text(unit.text, encoding="utf-8")
            fresh.replace(unit.file)
        except OSError as error:
            raise StoreError(f"the unit cannot be written: {error.strerror}", where=str(unit.file)) from error
        service.engine.hand_over()  # the service's own would find the lock held
    started = _systemctl(("daemon-reload",), ("enable", "--now", unit.name)) if changed else None
    if started is False:
        _go_on(service)
    return {**_told(unit), "changed": changed, "started": started, "type": [*_to_type(unit, started=started)]}


def remove(service: Service, unit: Unit) -> Answer:
    """Stop the service and remove its unit; what is at work goes on. Nothing happens where there is no unit."""
    wiring.refuse_inside("engine install")
    if not unit.file.exists():
        return {**_told(unit), "removed": False, "type": []}
    stopped = _systemctl(("disable", "--now", unit.name))
    with contextlib.suppress(FileNotFoundError):
        unit.file.unlink()
    _systemctl(("daemon-reload",))
    if stopped:
        _go_on(service)
    return {**_told(unit), "removed": True, "type": [] if stopped else [f"systemctl --user stop {unit.name}"]}


def _go_on(service: Service) -> None:
    """Start an engine if there is anything that none looks after now."""
    with service.store.read() as reader:
        needed = bool(reader.runs(live=True) or reader.inbox())
    if needed:
        service.engine.wake()


def _told(unit: Unit) -> Answer:
    return {"unit": {"name": unit.name, "path": str(unit.file), "text": unit.text}}


def _to_type(unit: Unit, *, started: bool | None) -> Sequence[str]:
    if started is False:
        return ("systemctl --user daemon-reload", f"systemctl --user enable --now {unit.name}")
    return () if started is None else ("loginctl enable-linger",)


def _systemctl(*commands: Sequence[str]) -> bool:
    """Ask the user's systemd, if there is one; say whether it did all."""
    program = shutil.which("systemctl")
    if program is None:
        return False
    try:
        for command in commands:
            subprocess.run(
                [program, "--user", *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=_PATIENCE,
            )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str, *, command: bool = False) -> str:
    """Return a word as unit files write it; in a command line a dollar sign would name a variable."""
    inside = _escaped(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside.replace("$", "$$") if command else inside}"'


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
