"""`punchlist mcp --http`: several clients at once, behind a token, and nobody else."""

import asyncio
import http.client
import json
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import mcp_types as types
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.clients import HELLO, Asked, Client, called, fresh, talked
from tests.installed import TIMEOUT, Call, Workspace

STEP: dict[str, Any] = {"title": "Write", "criteria": ["It reads well."]}
TASK: dict[str, Any] = {"title": "Write prose", "steps": [STEP]}
READS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


class Server:
    """A server that runs, and the token that it asks for."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        self.said = json.loads(process.stdout.readline())
        self.url = str(self.said["url"])
        self.address = urlsplit(self.url).netloc
        self.token = Path(self.said["token_file"]).read_text(encoding="utf-8").strip()

    def send(
        self,
        message: object = HELLO,
        *,
        method: str = "POST",
        path: str = "/mcp",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Send a request with the token and return the status and text of its answer."""
        body = message if isinstance(message, str) else json.dumps(message)
        known = {"Authorization": f"Bearer {self.token}", **READS, **(headers or {})}
        with closing(http.client.HTTPConnection(self.address, timeout=TIMEOUT)) as connection:
            connection.request(method, path, body.encode() if method == "POST" else None, known)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    @asynccontextmanager
    async def client(self, name: str, *, asked: Asked | None = None) -> AsyncIterator[Client]:
        """Connect to it as an SDK's client does; with `asked` the client offers to ask the person in front of it."""

        async def elicited(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
            assert asked is not None
            assert isinstance(params, types.ElicitRequestFormParams)
            return asked(params)

        callback = elicited if asked is not None else None
        info = types.Implementation(name=name, version="1")
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {self.token}"}, timeout=TIMEOUT) as carrier,
            streamable_http_client(self.url, http_client=carrier) as (reading, writing),
            ClientSession(reading, writing, client_info=info, elicitation_callback=callback) as session,
        ):
            yield Client(session, await session.initialize())

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> Call:
        """Ask it to end, and return what it said till then."""
        self.process.send_signal(sign)
        said, remarks = self.process.communicate(timeout=TIMEOUT)
        return Call(("mcp", "--http"), self.process.returncode, said, remarks)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with the empty project `p`."""
    home = tmp_path / "home"
    home.mkdir()
    made = fresh(tmp_path / "ws", home)
    yield made
    made.stop()


@pytest.fixture
def server(workspace: Workspace) -> Iterator[Server]:
    """A server for orchestrators."""
    yield from served(workspace)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that bring about nothing."""
    home = tmp_path_factory.mktemp("standing")
    yield from served(fresh(home / "ws", home))


def served(workspace: Workspace) -> Iterator[Server]:
    """Whatever happened to it, a server ends without a word."""
    with workspace.begun("mcp", "--http", "--json") as process:
        running = Server(process)
        yield running
        if process.poll() is None:
            ended = running.stop()
            assert (ended.code, ended.out, ended.err) == (0, "", "")


def error_of(text: str) -> dict[str, Any]:
    value = json.loads(text)
    assert value["ok"] is False
    return dict(value["error"])


def test_two_clients_at_once_work_in_one_workspace_each_under_its_own_name(
    server: Server, workspace: Workspace
) -> None:
    async def talk() -> list[str]:
        async with server.client("one") as one, server.client("two") as two:
            assert [tool.name for tool in await one.tools()] == [tool.name for tool in await two.tools()]
            made = await asyncio.gather(*(each.ok("create_task", project="p", **TASK) for each in (one, two) * 10))
            waiting = asyncio.create_task(one.ok("wait_for", ids=["T1"], states=["cancelled"], timeout=60))
            await two.ok("cancel", task="T1", reason="not needed")
            assert (await waiting)["states"] == {"T1": "cancelled"}
            return [answer["task"]["id"] for answer in made]

    told = talked(talk)

    assert sorted(told, key=lambda name: int(name[1:])) == [f"T{number}" for number in range(1, 21)]
    actors = {event["actor"] for event in workspace.ok("events")["events"] if event["kind"] == "TaskCreated"}
    assert actors == {"orchestrator:one", "orchestrator:two"}
    assert workspace.ok("log", "verify")["problems"] == []


def test_the_person_in_front_of_a_client_is_asked_there(server: Server, workspace: Workspace) -> None:
    def approves(form: types.ElicitRequestFormParams) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"choice": "approve"})

    async def talk() -> dict[str, Any]:
        async with server.client("asks", asked=approves) as chat:
            await chat.ok("create_task", project="p", **TASK)
            return await chat.ok("propose_approval", task="T1")

    assert talked(talk)["asked"] == "accept"
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "ready"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic {token}"},
        {"Authorization": "{token}"},
        {"Authorization": "Bearer {token}x"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_without_the_token_nothing_is_answered(standing: Server, headers: dict[str, str], method: str) -> None:
    given = {name: value.format(token=standing.token) for name, value in headers.items()}

    status, said = standing.send(method=method, headers=given)

    assert (status, error_of(said)["code"]) == (401, "not_authorized")
    assert standing.token not in said


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:{port}.evil.example"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1.evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
    ],
)
def test_what_comes_by_another_site_is_refused_although_it_knows_the_token(
    standing: Server, headers: dict[str, str]
) -> None:
    port = standing.address.rpartition(":")[2]

    status, said = standing.send(headers={name: value.format(port=port) for name, value in headers.items()})

    assert (status, error_of(said)["where"]) == (403, *headers)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_the_server_itself_is_not_foreign(standing: Server, name: str) -> None:
    host = f"{name}:{standing.address.rpartition(':')[2]}"

    status, _ = standing.send(headers={"Host": host, "Origin": f"http://{host}"})

    assert status == 200


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{", 400),
        ("", 400),
        ("[]", 400),
        ('{"jsonrpc":"1.0","id":1,"method":"ping"}', 400),
        ('{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}', 400),
        (called("list_tasks", {}), 400),
    ],
    ids=["half a message", "nothing", "no message", "another version", "half a character as id", "no session"],
)
def test_what_is_no_message_of_a_session_is_refused(standing: Server, message: object, expected: int) -> None:
    status, said = standing.send(message)

    assert status == expected
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('{"title":"one","title":"two"}', "definition"),
        ('{"a":' * 1000 + "1" + "}" * 1000, "unreadable"),
        ('{"task":"\\ud800"}', "unreadable"),
    ],
    ids=["a name twice", "1,000 deep", "half a character"],
)
def test_a_call_is_refused_as_on_standard_input(standing: Server, arguments: str, code: str) -> None:
    call = f'{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"create_task","arguments":{arguments}}}}}'

    status, said = standing.send(call)

    answer = json.loads(said)
    assert (status, answer["id"], answer["result"]["isError"]) == (200, 7, True)
    assert answer["result"]["structuredContent"]["error"]["code"] == code


def test_a_body_of_more_than_ten_megabytes_is_refused(standing: Server) -> None:
    status, said = standing.send(called("create_task", {"title": "x" * 10_000_000}))

    assert (status, said) == (413, "Request body too large")


def test_another_path_is_not_there(standing: Server) -> None:
    status, said = standing.send(path="/../state.db")

    assert (status, error_of(said)["code"]) == (404, "not_found")


def test_only_the_loopback_interface_is_listened_on(standing: Server) -> None:
    port = int(standing.address.rpartition(":")[2])
    with socket.socket() as other:
        other.bind(("127.0.0.2", port))  # taken already, if the server listened on every address

    assert urlsplit(standing.url).hostname == "127.0.0.1"


def test_a_client_that_leaves_in_mid_call_disturbs_nobody(server: Server) -> None:
    async def talk() -> list[str]:
        async with server.client("stays") as stays:
            await stays.ok("create_task", project="p", **TASK)
            with closing(_cut_off(server)):
                pass
            return [task["id"] for task in (await stays.ok("list_tasks"))["tasks"]]

    assert talked(talk)[:1] == ["T1"]


def _cut_off(server: Server) -> http.client.HTTPConnection:
    """Return a connection that has sent a wait of ten minutes, and reads nothing."""
    modern = {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "leaves", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    }
    message = called("wait_for", {"ids": ["T1"], "timeout": 600})
    message["params"] = {**message["params"], **modern}
    connection = http.client.HTTPConnection(server.address, timeout=TIMEOUT)
    headers = {
        "Authorization": f"Bearer {server.token}",
        **READS,
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "wait_for",
    }
    connection.request("POST", "/mcp", json.dumps(message).encode(), headers)
    return connection


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_at_once_although_clients_wait(server: Server, sign: signal.Signals) -> None:
    async def talk() -> Call:
        async with server.client("waits") as waits:
            await waits.ok("create_task", project="p", **TASK)
            waiting = asyncio.create_task(waits.session.call_tool("wait_for", {"ids": ["T1"], "timeout": 600}))
            await waits.ok("list_tasks")
            with closing(_cut_off(server)):
                ended = await asyncio.to_thread(server.stop, sign)
            waiting.cancel()
            return ended

    ended = talked(talk)

    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_the_token_is_made_once_and_kept_for_its_owner_alone(workspace: Workspace) -> None:
    tokens: list[str] = []
    for _ in range(2):
        with workspace.begun("mcp", "--http", "--json") as process:
            running = Server(process)
            tokens.append(running.token)
            running.stop()

    (kept,) = (workspace.root / ".punchlist").glob("*.token")

    assert kept.stat().st_mode & 0o777 == 0o600
    assert tokens[0] == tokens[1]
    assert len(tokens[0]) == 64


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ("x" * 64, 0o644, "is not yours alone to read"),
        ("short", 0o600, "does not hold a token"),
        (None, 0, "cannot be kept"),
    ],
    ids=["others may read it", "too short", "a folder"],
)
def test_a_token_that_is_none_is_refused(workspace: Workspace, content: str | None, mode: int, why: str) -> None:
    kept = workspace.root / ".punchlist" / "mcp-orchestrator.token"
    if content is None:
        kept.symlink_to(workspace.root / "punchlist.toml")
    else:
        kept.write_text(content, encoding="utf-8")
        kept.chmod(mode)

    call = workspace.punchlist("mcp", "--http", timeout=30)

    assert call.code in {3, 5}
    assert why in call.err


@pytest.mark.parametrize("role", ["builder", "qa", "planner"])
def test_the_tools_of_an_attempt_are_not_reached_over_http(workspace: Workspace, role: str) -> None:
    call = workspace.punchlist("mcp", "--role", role, "--http")

    assert (call.code, call.out) == (2, "")
    assert f"the tools of role {role} are an attempt's own" in call.err
    assert "there are: orchestrator and human" in call.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "4711"), "--port is for --http"),
        (("--http", "--install", "claude-code"), "--http and --install do not go together"),
        (("--http", "--yes"), "--yes and serving do not go together"),
        (("--http", "--port", "65536"), "65536"),
    ],
)
def test_options_that_would_have_no_effect_are_refused(
    workspace: Workspace, options: tuple[str, ...], said: str
) -> None:
    call = workspace.punchlist("mcp", *options)

    assert (call.code, call.out) == (2, "")
    assert said in call.err


def test_a_taken_port_is_refused_by_its_number(workspace: Workspace) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        call = workspace.punchlist("mcp", "--http", "--port", port)

    assert (call.code, call.out) == (3, "")
    assert f"port {port} cannot be listened on" in call.err


def test_an_agent_at_work_on_an_attempt_serves_nobody(workspace: Workspace) -> None:
    call = workspace.punchlist("mcp", "--http", env={"PUNCHLIST_ATTEMPT": "A1"})

    assert call.code == 3
    assert not list((workspace.root / ".punchlist").glob("*.token"))


def test_a_person_reads_where_it_is_and_where_the_token_is(workspace: Workspace) -> None:
    with workspace.begun("mcp", "--http", "--role", "human") as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        process.terminate()
        assert process.wait() == 0

    assert said[0].startswith("Serving http://127.0.0.1:")
    assert said[1].strip() == str(workspace.root / ".punchlist" / "mcp-human.token")
    assert said[2].strip().endswith("^C ends it.")
