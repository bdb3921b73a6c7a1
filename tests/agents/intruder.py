"""What a builder's shell may try with the typed tools of others; run as a program, it leaves what it was told."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.tool_agent import Server

TOKEN = "PUNCHLIST_TOKEN"


def served(io: Path) -> dict[str, Any]:
    """Return how the server of an attempt is started."""
    server = json.loads((io / "mcp.json").read_text(encoding="utf-8"))["mcpServers"]["punchlist"]
    assert isinstance(server, dict)
    return server


def started(server: dict[str, Any], *, role: str = "builder", **changes: str) -> str:
    """Start a server of this attempt as if it were another's; return what it says before it ends."""
    done = subprocess.run(
        [server["command"], *server["args"][:-1], role],
        env={**os.environ, **server["env"], **changes},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    return f"exit {done.returncode}: {done.stderr.strip()}"


def late(io: Path) -> str:
    """Answer for an attempt that is over, by its own server and token; return what that says."""
    os.environ["PUNCHLIST_ATTEMPT_DIR"] = os.fspath(io)
    server = Server()
    refused = server.refused("record_builder_result", outcome="done")
    server.end()
    return str(refused["message"])


def main() -> None:
    """Try it all, against an attempt that is over."""
    mine = Path(os.environ["PUNCHLIST_ATTEMPT_DIR"])
    over = [path.parent for path in sorted(mine.parents[1].glob("A*/io/ended")) if (path.parent / "mcp.json").exists()]
    server, other = served(mine), served(over[0])["env"]
    told = {
        "token": started(server, PUNCHLIST_TOKEN=other[TOKEN]),
        "attempt": started(server, PUNCHLIST_ATTEMPT=other["PUNCHLIST_ATTEMPT"]),
        "role": started(server, role="qa"),
        "late": late(over[0]),
    }
    Path(sys.argv[1]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
