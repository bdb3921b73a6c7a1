"""What an attempt's typed tools are started with, and held against: `io/mcp.json` and `io/access.json`."""

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec

from punchlist.model.ids import AttemptId, Digest
from punchlist.model.jobs import Role
from punchlist.ports import WorkerRequest
from punchlist.workers.settings import Host

SERVER = "punchlist"
"""The name of the server in an agent's configuration; what it calls the tools is made of it."""
TOKEN = "PUNCHLIST_TOKEN"  # noqa: S105 - the name of a variable
ROLES = frozenset({Role.PLANNER, Role.BUILDER, Role.QA})
"""Who has typed tools for an attempt of its own."""


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who may answer for an attempt; `token` is the SHA-256 of the one that its tools are given.

    It keeps a server of another attempt or role from answering here by mistake. It is no lock: what can write into the
    folder can answer by a file, as any program may.
    """

    schema: Literal["punchlist/access/1"]
    attempt: AttemptId
    role: Role
    token: Digest


def access_files(attempt: AttemptId, role: Role, *, io: str, token: str, host: Host) -> dict[str, bytes]:
    """Return the files that go into `io/` for an attempt whose role has tools; none for another's.

    `mcp.json` is in the form that agents' command lines read: one server, started as a process of theirs.
    """
    if role not in ROLES:
        return {}
    environment = {
        "PUNCHLIST_ROLE": role.value,
        "PUNCHLIST_ATTEMPT": attempt,
        "PUNCHLIST_ATTEMPT_DIR": io,
        TOKEN: token,
    }
    server = {"type": "stdio", "command": host.python, "args": server_arguments(role), "env": environment}
    access = Access(schema="punchlist/access/1", attempt=attempt, role=role, token=digest_of(token))
    return {
        "mcp.json": _written({"mcpServers": {SERVER: server}}),
        "access.json": _written(access),
    }


def server_arguments(role: Role) -> list[str]:
    """Return the interpreter's arguments for the server of a role: isolated from the folder that the agent works in."""
    return ["-I", "-m", "punchlist", "mcp", "--role", role.value]


def mcp_file(request: WorkerRequest) -> str:
    """Return the path of the agent's configuration of typed tools."""
    return str(request.io / "mcp.json")


def digest_of(token: str) -> Digest:
    """Return what a token is compared by."""
    return Digest(hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest())


def _written(value: Mapping[str, object] | Access) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
