"""`punchlist mcp` of each role, spoken to by clients that do not keep to the protocol: it answers, or ends, cleanly."""

import json
import queue
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from punchlist.model.jobs import Role
from tests.clients import HELLO, READY, called, fresh
from tests.fuzz import Fuzz
from tests.installed import PROGRAM, TIMEOUT, Workspace
from tests.tooled import Tooled

LINES = settings.default.max_examples * 6 // 10 if settings.default else 60
"""For each role."""
ROLES = ("orchestrator", "human", "builder", "qa", "planner")
IDS: list[Any] = [None, True, 1.5, {}, [], "", -1, 0, "0", 2**31, 2**70, "x" * 5_000, "\x00", "é"]
LAST = "the last one"
PARSE, INVALID = -32700, -32600
NO_MESSAGES: dict[bytes, tuple[Any, int, str]] = {
    b"{": (None, PARSE, "cannot be read"),
    b"\xff\xfe": (None, PARSE, "cannot be read"),
    b'{"jsonrpc":"2.0","id":5,"method":"ping"': (5, PARSE, "cannot be read"),
    b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}': (None, PARSE, "cannot be read"),
    b'{"jsonrpc":"2.0","id":"\\ud800","method":"tools/call","params":{"name":"list_tasks"}}': (
        None,
        PARSE,
        "cannot be read",
    ),
    b'{"jsonrpc":"2.0","id":"\xed\xa0\x80","method":"ping"}': (None, PARSE, "cannot be read"),
    b"[]": (None, INVALID, "batches are not taken"),
    b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]': (None, INVALID, "batches are not taken"),
    b"null": (None, INVALID, "one JSON object"),
    b'{"jsonrpc":"1.0","id":8,"method":"ping"}': (8, INVALID, "`jsonrpc`"),
    b'{"jsonrpc":"2.0","id":9}': (9, INVALID, "a `method`"),
    b'{"jsonrpc":"2.0","id":10,"method":1}': (10, INVALID, "`method` of a message is text"),
    b'{"jsonrpc":"2.0","id":11,"method":"ping","params":[]}': (11, INVALID, "`params`"),
    b'{"jsonrpc":"2.0","id":null,"method":"ping"}': (None, INVALID, "the `id`"),
    b'{"jsonrpc":"2.0","id":true,"method":"ping"}': (None, INVALID, "the `id`"),
    b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}': (None, INVALID, "the `id`"),
    b'{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"list_tasks"}}': (None, INVALID, "the `id`"),
}
"""Lines that are no messages, and how each is answered: the id, the protocol's code, words of why."""


class Server:
    """A server at the other end of two pipes; what it says is read as it comes."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._errors: list[bytes] = []
        for work in (self._read, self._read_errors):
            threading.Thread(target=work, daemon=True).start()

    def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def say(self, message: object) -> None:
        self.send(json.dumps(message).encode() + b"\n")

    def until(self, name: object) -> dict[str, Any]:
        """Return the answer of that id; those before it are kept."""
        while True:
            answer: dict[str, Any] = json.loads(self._lines.get(timeout=TIMEOUT))
            assert answer["jsonrpc"] == "2.0", answer
            self.said.append(answer)
            if answer.get("id") == name:
                return answer

    def ended(self) -> tuple[int, str]:
        """Close its input, and return how it ended and what it said on standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(timeout=TIMEOUT)
        while line := self._lines.get(timeout=TIMEOUT):
            assert json.loads(line)["jsonrpc"] == "2.0"
        return code, b"".join(self._errors).decode()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self._errors.extend(self.process.stderr)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with the empty project `p`."""
    home = tmp_path_factory.mktemp("wire")
    made = fresh(home / "ws", home)
    yield made
    made.stop()


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    """Each role, one after the other."""
    return str(request.param)


@pytest.fixture
def environment(role: str, workspace: Workspace, tmp_path: Path) -> dict[str, str]:
    """What a server of the role is started with."""
    own = Tooled(tmp_path, Role(role)).environment if role in {each.value for each in Role} else {}
    return {**workspace.environment, **own, "ROLE": role}


@pytest.fixture
def process(workspace: Workspace, environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A server of the role."""
    with subprocess.Popen(
        [PROGRAM, "mcp", "--role", environment["ROLE"]],
        cwd=workspace.root,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as started:
        yield started
        started.kill()


@pytest.fixture
def server(process: "subprocess.Popen[bytes]") -> Server:
    """The same, when a client has introduced itself."""
    made = Server(process)
    made.say(HELLO)
    made.until(0)
    made.say(READY)
    return made


class Wires:
    """Lines from a seed: calls and other requests, each with something wrong in how it is sent."""

    def __init__(self, seed: int, tools: list[dict[str, Any]]) -> None:
        self.random = random.Random(seed)
        self._fuzz = Fuzz(seed, fitting={}, places=["T1", "T1.1", "p", "G1", "A1", "../x"])
        self._tools = [tool for tool in tools if tool["name"] not in {"plan_project", "wait_for"}]
        self._number = 0
        self.taken_back: set[object] = set()
        """The ids of requests that were cancelled: they need no answer."""

    def line(self) -> tuple[bytes, object]:
        """Return a line, and the id under which it must be answered, None when it need not be."""
        self._number += 1
        tool = self.random.choice(self._tools)
        call = called(tool["name"], self._fuzz.arguments(tool["inputSchema"]), number=self._number)
        kinds = (
            self._as_it_is,
            self._elsewhere,
            self._cut,
            self._marred,
            self._other_version,
            self._other_id,
            self._other_parameters,
            self._no_request,
            self._other_line,
        )
        kind = self.random.choice(kinds)
        return kind(call)

    def _as_it_is(self, call: dict[str, Any]) -> tuple[bytes, object]:
        return _written(call), call["id"]

    def _elsewhere(self, call: dict[str, Any]) -> tuple[bytes, object]:
        """Return a request for what is not there."""
        if self.random.random() < 0.5:
            call["params"]["name"] = self.random.choice(["", "approve", "record_qa_result", "x" * 500, "\x1b[31m"])
        else:
            call["method"] = self.random.choice(
                ["", "no/such", "tools/calls", "rpc.discover", "prompts/get", "tasks/get"]
            )
        return _written(call), call["id"]

    def _cut(self, call: dict[str, Any]) -> tuple[bytes, object]:
        whole = _written(call)
        return whole[: self.random.randrange(len(whole) - 1)] + b"\n", None

    def _marred(self, call: dict[str, Any]) -> tuple[bytes, object]:
        whole = bytearray(_written(call))
        for _ in range(self.random.randint(1, 4)):
            whole[self.random.randrange(len(whole) - 1)] = self.random.choice(b'\x00\xff\x80{}[]",:\\ 9a')
        return bytes(whole), None

    def _other_version(self, call: dict[str, Any]) -> tuple[bytes, object]:
        call["jsonrpc"] = self.random.choice(["1.0", "", None, 2, 2.0, [], "2.0 "])
        return _written(call), None

    def _other_id(self, call: dict[str, Any]) -> tuple[bytes, object]:
        call["id"] = self.random.choice([*IDS, max(self._number - 1, 1)])
        return _written(call), None

    def _other_parameters(self, call: dict[str, Any]) -> tuple[bytes, object]:
        wrong: Any = self.random.choice([None, [], "x", 1, True, [{}]])
        if self.random.random() < 0.5:
            call["params"] = wrong
        else:
            call["params"][self.random.choice(["name", "arguments", "_meta", "requestState"])] = wrong
        return _written(call), None

    def _no_request(self, call: dict[str, Any]) -> tuple[bytes, object]:
        """Return an answer that nobody asked for, a notification with an id, a call without one."""
        said: dict[str, Any] = self.random.choice(
            [
                {"jsonrpc": "2.0", "id": call["id"], "result": {}},
                {"jsonrpc": "2.0", "id": call["id"], "error": {"code": 1, "message": "x"}},
                {**READY, "id": call["id"]},
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call["id"] - 1}},
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": {}}},
                {"jsonrpc": "2.0", "method": "notifications/no/such"},
                {**HELLO, "id": call["id"]},
                {name: value for name, value in call.items() if name != "id"},
            ]
        )
        if said.get("method") == "notifications/cancelled":
            self.taken_back.add(call["id"] - 1)
        return _written(said), None

    def _other_line(self, call: dict[str, Any]) -> tuple[bytes, object]:
        return self.random.choice(
            [b"\n", b"[]\n", b"null\n", b"\xff\xfe\n", b"[" * 5_000 + b"\n", b'"x"\n', b"\r\n"]
        ), None


def _written(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def test_whatever_lines_come_calls_are_answered_and_the_end_is_clean(server: Server) -> None:
    server.say({"jsonrpc": "2.0", "id": "tools", "method": "tools/list"})
    wires = Wires(1, server.until("tools")["result"]["tools"])
    asked: list[object] = []

    for number in range(LINES):
        if number == LINES // 2:
            server.send(b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"' + b"x" * 10_000_000 + b'"}}\n')
        line, name = wires.line()
        server.send(line)
        asked += [name] if name is not None else []
    for name in asked:
        if name not in wires.taken_back and name not in [each.get("id") for each in server.said]:
            server.until(name)
    server.say({"jsonrpc": "2.0", "id": LAST, "method": "ping"})
    server.until(LAST)
    code, errors = server.ended()

    assert (code, "Traceback" in errors) == (0, False), errors


@pytest.mark.parametrize("role", ["orchestrator"])
def test_what_is_no_message_is_answered_under_the_id_that_can_be_told(server: Server) -> None:
    """JSON-RPC 2.0, section 5: the id of an answer is null when that of its request could not be found out."""
    for line, (name, code, words) in NO_MESSAGES.items():
        server.send(line + b"\n")
        answer = server.until(name)
        assert (answer["error"]["code"], words in answer["error"]["message"]) == (code, True), (line, answer)

    server.say({"jsonrpc": "2.0", "id": LAST, "method": "ping"})
    server.until(LAST)


@pytest.mark.parametrize("role", ["orchestrator", "qa"])
@pytest.mark.parametrize("half", [b"{", b'{"jsonrpc":"2.0","id":1,"method":"ping"', b"\xff", b"x" * 11_000_000])
def test_half_a_line_and_then_the_end_is_an_end(server: Server, half: bytes) -> None:
    server.send(half)

    code, errors = server.ended()

    assert (code, errors) == (0, "")


def test_a_client_that_is_gone_before_its_answer_is_no_trouble(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    asks = [{"jsonrpc": "2.0", "id": number, "method": "tools/list"} for number in range(1, 11)]
    process.stdin.write(_written(HELLO))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == 0

    process.stdin.write(b"".join(_written(each) for each in (READY, *asks)))
    process.stdout.close()
    process.stdin.close()

    assert (process.wait(timeout=TIMEOUT), process.stderr.read()) == (0, b"")
