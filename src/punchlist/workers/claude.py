"""The worker `claude`: Claude Code, run headless in its work folder, answering by its typed tools."""

from collections.abc import Sequence

import msgspec

from punchlist.errors import WorkerError
from punchlist.executables import find_program
from punchlist.model.jobs import FailureClass, Outcome, Role
from punchlist.model.json import Json, decode
from punchlist.model.results import Plan, Result, Review
from punchlist.model.settings import PROGRAMS, PROVIDER_NAMES, WorkerSettings
from punchlist.model.states import AttemptStatus
from punchlist.ports import Examined, Exit, Invocation, WorkerRequest
from punchlist.workers import claude_stream as stream
from punchlist.workers.access import ROLES, SERVER, mcp_file
from punchlist.workers.answers import last_lines, outcome_of
from punchlist.workers.settings import Host, read_settings

TESTED = "2.1.329"
"""The version that the tests of the project run."""
PROVIDER = PROVIDER_NAMES["claude"]
ENVIRONMENT = {
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_FILE_MENTIONS": "1",  # else `@/any/file` in a spec puts that file into the prompt, unasked
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "2",  # the engine retries: it knows the budgets and the time of a reset
    "DISABLE_AUTOUPDATER": "1",
    "MCP_CONNECTION_NONBLOCKING": "0",  # else the first turn may begin before the typed tools are there
}
_FINAL = 4000
"""How much of the agent's last words is kept, from their end."""
_LOGIN = (
    "Type: export ANTHROPIC_API_KEY=…, or `claude setup-token` and export CLAUDE_CODE_OAUTH_TOKEN=…, where runs are "
    "started; or use your own login: [workers.{name}] inherit = true."
)
_READING = ("Glob", "Grep", "Read")
_WRITING = ("Bash", "Edit", "NotebookEdit", "Write")
_ANSWERS: dict[Role, tuple[str, type[msgspec.Struct]]] = {
    Role.BUILDER: ("record_builder_result", Result),
    Role.QA: ("record_qa_result", Review),
    Role.PLANNER: ("create_task", Plan),
}
_NAG = (
    'grep -q \'"stop_hook_active": *true\' || test -e "$PUNCHLIST_RESULT" || '
    'echo \'{{"decision": "block", "reason": "You have not answered yet, and without an answer your work does not '
    "count: call the tool {tool}.\"}}'"
)
"""Run when the agent wants to end: once, it is sent back to answer. Its standard input says whether it was before."""


class ClaudeWorker:
    """Runs Claude Code; the name is the worker's in settings, for messages."""

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host

    def invocation(self, request: WorkerRequest) -> Invocation:
        """Return the command line; the prompt goes in by standard input, of any length.

        Raises WorkerError when the program is not there, DefinitionError for settings that are not this worker's.
        """
        settings = read_settings(request.settings, name=self._name, own={"argv"})
        program, *first = settings.argv or (PROGRAMS["claude"],)
        apart = {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1"}
        return Invocation(
            argv=(self._program(program, request), *first, *self._flags(request, settings)),
            env={**ENVIRONMENT, **(self._host.own if settings.inherit else apart)},
            pass_env=(*PROVIDER, *settings.env),
            stdin=request.prompt_file,
        )

    def outcome(self, request: WorkerRequest, ended: Exit) -> Outcome:
        """Return what came of it: no exit code makes a success, only the agent's last event with a typed answer."""
        heard = stream.listen(ended.stdout)
        outcome = self._judged(request, heard, ended=ended)
        return msgspec.structs.replace(
            outcome,
            session=heard.session or request.session,
            usage=stream.usage_of(heard, resumed=request.session is not None),
            tail=stream.final_words(heard)[-_FINAL:] or _said_aside(ended),
        )

    def questions(self, request: WorkerRequest) -> tuple[Invocation, ...]:
        """Return the command lines that ask for version and login, as an attempt would find them."""
        made = self.invocation(request)
        asked = (("--version",), ("auth", "status", "--json"))
        first = len(read_settings(request.settings, name=self._name, own={"argv"}).argv or (PROGRAMS["claude"],))
        return tuple(msgspec.structs.replace(made, argv=(*made.argv[:first], *each), stdin=None) for each in asked)

    def examined(self, answers: Sequence[str | None]) -> Examined:
        """Return what follows: a program that does not start or is not logged in cannot work.

        Another minor version than the tested one is a warning: its events may be others.
        """
        version, login = answers
        if not (version or "").strip():
            return Examined(version="", problem="it does not start", hint=f"Install version {TESTED} of Claude Code.")
        number = (version or "").split()[0]
        if _logged_in(login) is False:
            return Examined(version=number, problem="not logged in", hint=_LOGIN.format(name=self._name))
        if _is_other(number):
            hint = "If its attempts fail without a reason, install that version."
            return Examined(version=number, warning=f"tested with {TESTED}", hint=hint)
        return Examined(version=number)

    def _judged(self, request: WorkerRequest, heard: stream.Heard, *, ended: Exit) -> Outcome:
        stopped = ended.limit is not None or ended.signal is not None or ended.code is None
        if stopped or (heard.completed and ended.code != 0):
            words = stream.final_words(heard).encode()  # its events are for programs to read
            return outcome_of(request.attempt, request.role, ended=msgspec.structs.replace(ended, stdout=words))
        if not heard.completed:
            failed = _failed(request, heard, ended=ended)
            return msgspec.structs.replace(failed, reason=failed.reason + self._advice(heard, failed.failure))
        assert heard.last is not None
        answer = ended.result
        if answer is None and heard.last.structured_output is not None:
            answer = msgspec.json.encode(heard.last.structured_output)
        if answer is None and request.role in _ANSWERS:
            reason = _unanswered(request, heard.last, failed=heard.failed)
            return _refailed(outcome_of(request.attempt, Role.NODE, ended=ended), FailureClass.WORKER, reason=reason)
        outcome = outcome_of(request.attempt, request.role, ended=msgspec.structs.replace(ended, result=answer))
        if outcome.status is AttemptStatus.SUCCEEDED:
            return outcome
        return msgspec.structs.replace(outcome, reason=outcome.reason + stream.denials(heard.last))

    def _advice(self, heard: stream.Heard, failure: FailureClass | None) -> str:
        """Return what a person can do about an end that is no success; nothing where trying again may do."""
        if heard.is_stranger:
            return (
                f"\nThe worker {self._name!r} is not logged in where attempts run, or its key is not taken. "
                f"{_LOGIN.format(name=self._name)}\nThen type: punchlist retry"
            )
        if failure is FailureClass.DEFINITION:
            return "\nSee `punchlist doctor`, mend it, then `punchlist retry`."
        if heard.version and _is_other(heard.version):
            about = f"is of version {heard.version}"
        elif heard.last is None and not heard.begun:
            about = "said nothing that can be read, as one of another version might"
        else:
            return ""
        return f"\nThe program of worker {self._name!r} {about}; tested is {TESTED}. Type: punchlist doctor"

    def _flags(self, request: WorkerRequest, settings: WorkerSettings) -> list[str]:
        tools, typed = _tools(request.role), request.role in ROLES
        flags = [
            "--print",
            "--output-format=stream-json",
            "--verbose",
            "--permission-mode=dontAsk",
            f"--setting-sources={'user' if settings.inherit else ''}",
            f"--settings={_json(_rules(request, tools=self._host.tools))}",
        ]
        if not settings.inherit:
            flags.append("--strict-mcp-config")
        if not settings.inherit or tools == _READING:
            flags.append(f"--tools={','.join(tools)}")
        if settings.model is not None:
            flags.append(f"--model={settings.model}")
        if request.session is not None:
            flags.append(f"--resume={request.session}")
        if typed and self._host.tools:
            flags.append(f"--mcp-config={mcp_file(request)}")
        elif typed:
            flags.append(f"--json-schema={_json(msgspec.json.schema(_ANSWERS[request.role][1]))}")
        return flags

    def _program(self, name: str, request: WorkerRequest) -> str:
        found = find_program(name, request.search or self._host.path, cwd=request.workspace)
        if found is None:
            raise WorkerError(
                f"the program {name!r} of worker {self._name!r} is not there or cannot be executed",
                where=f"workers.{self._name}",
                hint="Install it (npm install -g @anthropic-ai/claude-code), or say where it is: "
                f'[workers.{self._name}] argv = ["/path/of/claude"]. `punchlist doctor` tries every worker.',
            )
        return found


class _Login(msgspec.Struct):
    loggedIn: bool  # noqa: N815 - the name that the program prints


def _is_other(version: str) -> bool:
    """Say whether a version's events may be others than those of the tested one: its minor version is another."""
    return version.split(".")[:2] != TESTED.split(".")[:2]


def _logged_in(said: str | None) -> bool | None:
    """Return what the program says of its login; None when it says nothing that can be read."""
    try:
        return decode(said or "", _Login).loggedIn
    except msgspec.DecodeError:
        return None


def _failed(request: WorkerRequest, heard: stream.Heard, *, ended: Exit) -> Outcome:
    """Return the outcome of an end that is no success, whatever the exit code."""
    outcome = outcome_of(request.attempt, Role.NODE, ended=msgspec.structs.replace(ended, code=ended.code or 1))
    outcome = msgspec.structs.replace(outcome, exit_code=ended.code)
    if heard.last is None:
        lines = _said_aside(ended)
        reason = f"{stream.reason_of(heard)}; exit {ended.code}" + (f"; its last lines:\n{lines}" if lines else "")
        return msgspec.structs.replace(outcome, reason=reason)
    failure, over, reason = stream.failure_of(heard), False, stream.reason_of(heard)
    if request.session is not None and not heard.begun:
        over, reason = True, f"its session {request.session} is not there to go on with: {reason}"
    elif heard.last.stop_reason == "refusal" or heard.last.terminal_reason == "prompt_too_long":
        over = True
    return msgspec.structs.replace(
        _refailed(outcome, failure, reason=reason),
        not_before=stream.reset_of(heard) if failure is FailureClass.QUOTA else None,
        session_over=over,
    )


def _said_aside(ended: Exit) -> str:
    """Return the last lines of standard error; the other stream is for programs to read."""
    return last_lines(msgspec.structs.replace(ended, stdout=b""))


def _refailed(outcome: Outcome, failure: FailureClass, *, reason: str) -> Outcome:
    return msgspec.structs.replace(outcome, status=AttemptStatus.FAILED, failure=failure, reason=reason)


def _unanswered(request: WorkerRequest, last: stream.Event, *, failed: tuple[str, ...]) -> str:
    tool = _ANSWERS[request.role][0]
    if SERVER in failed:
        return "bad output: its typed tools did not start (`punchlist mcp`), so it could not answer"
    stopped = "the model refused to go on, and " if last.safety_stops else ""
    return f"bad output: {stopped}it ended without calling {tool}{stream.denials(last)}"


def _tools(role: Role) -> tuple[str, ...]:
    """Return the agent's own tools: who only reads gets none that could change anything."""
    return (*_READING, *_WRITING) if role in {Role.BUILDER, Role.NODE} else _READING


def _rules(request: WorkerRequest, *, tools: bool) -> dict[str, Json]:
    """Return the settings of the session: what it may do without being asked, as nobody is there to be asked.

    A path with two slashes is absolute. The rule for `Edit` governs every tool that writes files, that for `Read` every
    tool that reads them; the work folder may be read as it is.
    """
    allowed: list[Json] = [*_READING[:2], f"Read(/{request.io}/**)"]
    if "Edit" in _tools(request.role):
        allowed += ["Bash", "Edit(./**)"]
    if request.role not in ROLES:
        allowed.append(f"Edit(/{request.result_file})")
        return {"permissions": {"allow": allowed}}
    if not tools:
        return {"permissions": {"allow": allowed}}
    nag: Json = {"type": "command", "command": _NAG.format(tool=_ANSWERS[request.role][0])}
    return {"permissions": {"allow": [*allowed, f"mcp__{SERVER}"]}, "hooks": {"Stop": [{"hooks": [nag]}]}}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
