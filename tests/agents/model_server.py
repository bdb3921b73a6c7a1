"""A model behind Anthropic's Messages API, on loopback: it answers by a script, streams, fails as told, logs all.

As a program: `python -m tests.agents.model_server FILE` prints its address and ends with its standard input.
"""

import itertools
import json
import re
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from tests.agents.scenario import Call, Chosen, Fault, Message, Rule, Turn, choose, filled, read_rules

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 529: "overloaded_error"}
_BEFORE_A_CUT = 3  # events: the message and its first block have begun, and one piece of it is there
_FOLDER = re.compile(r"[Ww]orking directory: ([^\n]+)")


class ModelServer(ThreadingHTTPServer):
    """Answers by `rules`; `requests` holds every body that came, in order, with the headers under `"headers"`."""

    daemon_threads = True

    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.rules = rules
        self.requests: list[dict[str, Any]] = []
        self.over = threading.Event()
        self._reached: Counter[tuple[int, int]] = Counter()
        self._guard = threading.Lock()
        self.numbers = itertools.count(1)

    @property
    def url(self) -> str:
        """The address for ANTHROPIC_BASE_URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def taken(self, body: dict[str, Any]) -> Chosen:
        """Log a request and return what the script has for it; a fault that has had its times is left out."""
        rules = self.rules if body.get("tools") else ()  # what asks for a title or a class has no tools
        chosen = choose(rules, list(_messages(body)), work=_folder(body))
        with self._guard:
            self.requests.append(body)
            self._reached[chosen.rule, chosen.number] += 1
            fault = chosen.turn.fault
            if fault is not None and 0 < fault.times < self._reached[chosen.rule, chosen.number]:
                return Chosen(rule=chosen.rule, number=chosen.number, turn=_healed(chosen), values=chosen.values)
        return chosen

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about agents that go away in mid-answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(rules: Sequence[Rule]) -> Iterator[ModelServer]:
    """Serve until the block ends."""
    server = ModelServer(rules)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def greet(self) -> None:
        """Answer a client that looks whether anyone is there."""
        self._answer(200, {})

    def refuse(self) -> None:
        """Serve nothing else."""
        self._answer(404, {"error": {"type": "not_found_error", "message": self.path}})

    def reply(self) -> None:
        """Answer one request for a message."""
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0]
        if path.endswith("/count_tokens"):
            self._answer(200, {"input_tokens": len(raw) // 4})
            return
        if not path.endswith("/v1/messages"):
            self._answer(404, {"error": {"type": "not_found_error", "message": path}})
            return
        body = json.loads(raw)
        chosen = self.server.taken({**body, "headers": {name.lower(): value for name, value in self.headers.items()}})
        fault = chosen.turn.fault
        streams = bool(body.get("stream"))  # an agent whose stream broke may ask once more, for a whole answer
        if fault is not None and fault.status and not (fault.in_stream and streams):
            self._answer(fault.status, _error(fault), headers=fault.headers)
        elif fault is not None and fault.cut and not streams:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif streams:
            self._stream(_message(chosen, body, number=next(self.server.numbers)), fault=fault)
        else:
            self._answer(200, _message(chosen, body, number=next(self.server.numbers)))

    do_HEAD, do_GET, do_POST = greet, refuse, reply  # noqa: N815 - the names that the standard library calls

    def _answer(self, status: int, body: dict[str, Any], *, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self._head({"content-type": "application/json", "content-length": str(len(data)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, message: dict[str, Any], *, fault: Fault | None) -> None:
        self.send_response(200)
        self._head({"content-type": "text/event-stream", "transfer-encoding": "chunked", "connection": "close"})
        self.close_connection = True
        for number, event in enumerate(_events(message)):
            if fault is not None and number == _BEFORE_A_CUT:
                self._fail(fault)
                return
            self._send(event)
        self.wfile.write(b"0\r\n\r\n")

    def _fail(self, fault: Fault) -> None:
        """Leave a stream that has begun, as the fault says."""
        if fault.in_stream:
            self._send(_error(fault))
        elif fault.hang:
            self.server.over.wait(fault.hang)
        elif fault.cut == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        with suppress(ConnectionError):
            self.wfile.write(b"0\r\n\r\n")

    def _head(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, event: dict[str, Any]) -> None:
        data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def _healed(chosen: Chosen) -> Turn:
    return msgspec.structs.replace(chosen.turn, fault=None)


def _messages(body: dict[str, Any]) -> Iterator[Message]:
    for message in body["messages"]:
        blocks = message["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        if message["role"] == "assistant":
            yield Message(role="model", text=_text(blocks))
        for block in blocks if message["role"] == "user" else ():
            yield Message(role="result" if block["type"] == "tool_result" else "prompt", text=_text(block))


def _text(node: Any) -> str:
    if isinstance(node, list):
        return "\n".join(map(_text, node))
    if isinstance(node, dict):
        return _text(node.get("text", node.get("content", "")))
    return node if isinstance(node, str) else ""


def _folder(body: dict[str, Any]) -> str:
    """Return the agent's folder as it tells the model."""
    said = (_text(body.get("system")), *(_text(each["content"]) for each in body["messages"]))
    found = _FOLDER.search("\n".join(said))
    return found[1] if found else ""


def _message(chosen: Chosen, body: dict[str, Any], *, number: int) -> dict[str, Any]:
    turn = chosen.turn
    content: list[dict[str, Any]] = [{"type": "text", "text": filled(turn.text, chosen.values)}] if turn.text else []
    for position, call in enumerate(turn.calls):
        name, arguments = _tool(call, [each["name"] for each in body["tools"]])
        identity = f"toolu_{number}_{position}"
        content.append({"type": "tool_use", "id": identity, "name": name, "input": filled(arguments, chosen.values)})
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": turn.stop or ("tool_use" if turn.calls else "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": turn.usage.input,
            "output_tokens": turn.usage.output,
            "cache_read_input_tokens": turn.usage.cached,
            "cache_creation_input_tokens": 0,
        },
    }


def _tool(call: Call, offered: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the offered tool that does what is scripted, with its arguments."""
    if call.write is not None:
        path = call.write.path if call.write.path.startswith(("/", "$")) else f"${{work}}/{call.write.path}"
        return "Write", {"file_path": path, "content": call.write.content}
    if call.shell is not None:
        return "Bash", {"command": call.shell, "description": "as scripted"}
    if call.structured is not None:
        return "StructuredOutput", call.structured
    assert call.tool is not None
    named = (each for each in offered if each == call.tool.name or each.endswith(f"__{call.tool.name}"))
    return next(named, call.tool.name), call.tool.arguments


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a message as the events of its stream, each text and each tool's input in pieces."""
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        whole = block["text"] if block["type"] == "text" else json.dumps(block["input"])
        empty = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        kind, key = ("text_delta", "text") if block["type"] == "text" else ("input_json_delta", "partial_json")
        half = len(whole) // 2
        for piece in (whole[:half], whole[half:]):
            yield {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: piece}}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": message["usage"]}
    yield {"type": "message_stop"}


def _error(fault: Fault) -> dict[str, Any]:
    return {"type": "error", "error": {"type": _KINDS.get(fault.status, "api_error"), "message": fault.message}}


def main() -> None:
    """Serve the script named by the only argument until standard input ends."""
    with serving(read_rules(Path(sys.argv[1]))) as server:
        print(server.url, flush=True)  # noqa: T201 - this is the program's output
        sys.stdin.read()


if __name__ == "__main__":
    main()
