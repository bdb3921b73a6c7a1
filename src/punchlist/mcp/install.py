"""Setting up a client: the entry of its configuration that starts the server, beside what is there already."""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from punchlist import wiring
from punchlist.errors import DefinitionError, StoreError
from punchlist.model.parse import decode_json
from punchlist.service.inputs import text_file

if TYPE_CHECKING:
    from punchlist.model.json import Json

NAME = "punchlist"
_ROLES = ("orchestrator", "human")


class Change(NamedTuple):
    """What would be written: a file, its text now (None: there is none) and then, and the entry that is new in it."""

    path: Path
    before: str | None
    after: str
    entry: "dict[str, Json]"

    @property
    def shown(self) -> str:
        """The entry as it will stand in the file."""
        return json.dumps({"mcpServers": self.entry}, indent=2)


def prepare(client: str, *, folder: Path, role: str) -> Change:
    """Return what setting up `client` for the workspace around `folder` writes; other entries stay as they are.

    Raises DefinitionError for a configuration that is no JSON object.
    """
    if role not in _ROLES:
        raise DefinitionError(
            f"the tools of role {role} are given to an attempt by the engine", where="--role", hint="Leave it out."
        )
    path = wiring.find_workspace(folder) / CLIENTS[client]
    before = text_file(path, what=path.name) if path.exists() else None
    document = _document(before, path)
    servers = document.get("mcpServers", {})
    if not isinstance(servers, dict):
        raise DefinitionError("mcpServers is not an object", where=str(path), hint="Mend it, then type the same again.")
    entry = _entry(role)
    after: dict[str, Json] = {**document, "mcpServers": {**servers, NAME: entry}}
    return Change(path, before, json.dumps(after, indent=2, ensure_ascii=False) + "\n", {NAME: entry})


def write(change: Change) -> None:
    """Write it, whole or not at all; raises DefinitionError when the file was changed meanwhile."""
    path = change.path.resolve()
    now = text_file(path, what=path.name) if path.exists() else None
    if now != change.before:
        raise DefinitionError("the file was changed meanwhile", where=str(path), hint="Type the same again.")
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            file.write(change.after)
        Path(file.name).chmod(path.stat().st_mode & 0o777 if now is not None else 0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise StoreError(f"cannot write the configuration: {error.strerror}", where=str(path)) from error


def _document(text: str | None, path: Path) -> "dict[str, Json]":
    if text is None or not text.strip():
        return {}
    document = decode_json(text, what=path.name)
    if not isinstance(document, dict):
        raise DefinitionError(f"{path.name} is not a JSON object", where=str(path), hint="Mend it first.")
    return document


def _entry(role: str) -> "dict[str, Json]":
    """Return how the server is started: by name where the name on PATH means this program, else by its place."""
    arguments: list[Json] = ["mcp"] if role == "orchestrator" else ["mcp", "--role", role]
    beside = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if found is not None and beside.exists() and Path(found).samefile(beside):
        return {"command": NAME, "args": arguments}
    return {"command": sys.executable, "args": ["-P", "-m", NAME, *arguments]}


CLIENTS: Mapping[str, str] = {"claude-code": ".mcp.json"}
"""Where each client looks for a project's servers, below the workspace."""
