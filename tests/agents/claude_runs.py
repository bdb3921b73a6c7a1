"""Claude Code, run as the worker runs it, one case of the script `faults` at a time."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Outcome, Role
from punchlist.model.json import Json
from punchlist.ports import Exit, Launch, WorkerRequest
from punchlist.workers.access import access_files
from punchlist.workers.claude import ClaudeWorker
from punchlist.workers.settings import Host
from tests.attempts import Attempts, host
from tests.tooled import STEP_PACK

KEY = {"ANTHROPIC_API_KEY": "a-key"}
SUBSCRIPTION = {"CLAUDE_CODE_OAUTH_TOKEN": "a-token"}
UNKNOWN = "11111111-1111-4111-8111-111111111111"
LIMITS = Limits(timeout=60)


@dataclass(frozen=True)
class Case:
    """One run: what is asked (empty: the case's name), by which login, after which other one or in what session."""

    prompt: str = ""
    login: Mapping[str, str] = field(default_factory=lambda: KEY)
    after: str = ""
    session: str | None = None
    tools: bool = True
    broken_tools: bool = False


CASES: Mapping[str, Case] = {
    "answered": Case(),
    "resumed": Case(after="answered"),
    "blocked": Case(),
    "silent": Case(),
    "reminded": Case(),
    "elsewhere": Case(),
    "structured": Case(tools=False),
    "limited": Case(),
    "used up": Case(login=SUBSCRIPTION),
    "overloaded": Case(),
    "in the stream": Case(),
    "broken": Case(),
    "mended": Case(),
    "cut": Case(),
    "reset": Case(),
    "wrong key": Case(),
    "not logged in": Case(login={}),
    "no money": Case(),
    "no model": Case(),
    "too long": Case(),
    "endless": Case(),
    "refused": Case(),
    "unknown session": Case(session=UNKNOWN),
    "a command of its own": Case(prompt="/help"),
    "tools did not start": Case(prompt="CASE silent", broken_tools=True),
}
"""Every way in which a run ends by itself."""


class ClaudeRuns:
    """Runs of Claude Code in one folder, with a model at `url`."""

    def __init__(self, folder: Path, program: Path, *, url: str) -> None:
        self.attempts = Attempts(folder)
        self.program = program
        self.url = url
        subprocess.run(["git", "init", "--quiet", str(self.attempts.work)], check=True)

    def run(self, name: str, *, limits: Limits = LIMITS) -> tuple[WorkerRequest, Exit]:
        """Run a case to its end, after the one that it goes on from; return what its outcome is made of."""
        case = CASES.get(name, Case())
        session = case.session
        if case.after:
            session = self.outcome(case.after).session
        request = self.request(name, session=session)
        launch = self.launch(request, case, prompt=case.prompt or f"CASE {name}", limits=limits)
        return request, self.attempts.run_launch(launch)

    def outcome(self, name: str, *, limits: Limits = LIMITS) -> Outcome:
        """Run a case and return what came of it."""
        return judged(*self.run(name, limits=limits))

    def request(self, name: str, *, session: str | None) -> WorkerRequest:
        """Return the request of a builder's attempt."""
        attempt = AttemptId(name.replace(" ", "-"))
        settings: dict[str, Json] = {"type": "claude", "argv": [str(self.program)], "model": "claude-sonnet-5"}
        return WorkerRequest(
            attempt=attempt,
            role=Role.BUILDER,
            work=self.attempts.work,
            io=self.attempts.processes.io(attempt),
            workspace=self.attempts.workspace,
            settings=settings,
            session=session,
        )

    def launch(self, request: WorkerRequest, case: Case, *, prompt: str, limits: Limits) -> Launch:
        """Return what the runtime would start for a request."""
        machine = host()
        access = access_files(request.attempt, request.role, io=str(request.io), token="t", host=machine)
        if case.broken_tools:
            access["mcp.json"] = access["mcp.json"].replace(machine.python.encode(), b"/bin/false")
        worker = ClaudeWorker("claude", msgspec.structs.replace(machine, tools=case.tools))
        return Launch(
            attempt=request.attempt,
            role=request.role,
            invocation=worker.invocation(request),
            cwd=request.work,
            home=self.attempts.home,
            limits=limits,
            env={**case.login, "ANTHROPIC_BASE_URL": self.url},
            files={"prompt.md": prompt.encode(), "pack.json": msgspec.json.encode(STEP_PACK), **access},
        )


def judged(request: WorkerRequest, ended: Exit) -> Outcome:
    """Return what the worker makes of an end."""
    return ClaudeWorker("claude", Host(python="python3", path="")).outcome(request, ended)
