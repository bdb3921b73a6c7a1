"""The page of typed tools: those of each role, with their arguments, as clients are shown them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from punchlist.mcp import human, orchestrator
from punchlist.mcp.attempt import Attempt
from punchlist.mcp.attempts import ATTEMPT_TOOLS
from punchlist.mcp.binding import binding
from punchlist.mcp.caller import Caller
from punchlist.mcp.tool import Tool
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Role
from punchlist.service.context import Service
from punchlist.serving import flights, waits
from tools.pages.markup import code, page, table

_HEAD = """\
`punchlist mcp` serves these to a client of the Model Context Protocol, on standard input and output;
`--role` says whose. How to set a client up: [Claude Code](../howto/claude-code.md), [OpenClaw and
others](../howto/openclaw.md), [over HTTP](../howto/tools-over-http.md). It needs the extra `punchlist[mcp]`.

Arguments are closed: one that is not listed, or of another type, is refused, with every problem of the call and its
place in one answer. Those in **bold** must be given. Fields of tasks, steps, results and reviews are those of the
[schemas](schemas/README.md), whose lengths and patterns hold, too. An answer is the object that the command line
prints with `--json`, as structured content and as text; a refusal is an error with the same `error` object ([exit
codes](exit-codes.md)), and has changed nothing. Its `where` names arguments, and its hints the tool to call with its
arguments; a command stands in a hint only where a person must type it.

- `expected_version`: the version of the task (of a step: its task's; for a new task or a plan: its project's) that
  the caller has seen. It is refused as a `conflict` when that has changed.
- `idempotency_key`: the same call with the same key again returns the first answer.
- What people read (`message`, `reason`, `question`, `request`, `text`, all in `data`) is refused when it is blank or
  holds control characters; ends of lines and tabs may stand in it.
- A message of more than 10 MB, nested more than about 200 deep, or that says a name twice, is refused.

The [generated files](files.md) are resources, `punchlist://files/…`. A client that offers elicitation is asked to put
a proposal, and a gate that `list_gates` is told to `ask`, before the person: of a proposal the repository and base
branch that the work goes to, rules of policy that the task or a step sets itself, the steps, their scopes and checks,
what these show on the base, and the digest. What agents wrote stands there in quotes, as JSON strings. The answer is
that person's decision, for that digest.
"""
_ROLES = (
    ("Orchestrator", "The default: plans and steers, and decides nothing."),
    (
        "Human",
        "All of an orchestrator's, and what only a person may say. `update_project` also says where work goes.",
    ),
    ("Builder", "Of an attempt that builds. The three roles of attempts are given their server by the engine."),
    ("QA", "Of an attempt that reviews."),
    ("Planner", "Of an attempt that plans: drafts of its own request, and no others."),
    (
        "Lines",
        "Served to no client: what [lines of `inbox.jsonl`](../howto/drive-it-from-a-program.md) have beside these.",
    ),
)


def typed_tools() -> dict[str, str]:
    """Return the page by its path below the reference."""
    return {"tools.md": page("Typed tools", _HEAD, *_sections())}


def _sections() -> Iterator[str]:
    steering = orchestrator.tools(_Nobody())
    shown = {tool.name: tool for tool in steering}
    own = [tool for tool in human.tools(_Nobody()) if tool.name not in shown or tool.schema != shown[tool.name].schema]
    of_roles = [steering, own, *(_of_attempt(role) for role in (Role.BUILDER, Role.QA, Role.PLANNER))]
    bind = binding(unserved)
    own_of_lines = [*flights.tools(bind), *waits.tools(bind, steering)]
    of_roles.append([tool for tool in own_of_lines if tool.name not in shown])
    for (title, text), tools in zip(_ROLES, of_roles, strict=True):
        yield f"## {title}"
        yield text
        yield table(("tool", "does", "arguments"), (_row(tool) for tool in tools))


def unserved() -> Service:
    """Stand for the verbs' context of calls that are never made."""
    raise NotImplementedError


class _Nobody(Caller):
    """A client that never calls."""

    def __init__(self) -> None:
        """Open nothing."""


def _of_attempt(role: Role) -> Sequence[Tool]:
    return ATTEMPT_TOOLS[role](Attempt(Path(), name=AttemptId("A1"), role=role))


def _row(tool: Tool) -> tuple[str, str, str]:
    schema: dict[str, Any] = dict(tool.schema)
    needed = schema.get("required", ())
    names = [f"**{code(name)}**" if name in needed else code(name) for name in schema["properties"]]
    return code(tool.name), tool.text, ", ".join(names) or "none"
