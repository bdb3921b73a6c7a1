"""The server over HTTP, for several clients at once: on the loopback interface, behind a token."""

import logging
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import RequestBodyLimitMiddleware

from punchlist.errors import RefusedError
from punchlist.mcp.desk import Desk, Serving, client_of
from punchlist.mcp.guard import NAMES, PATH, Application, Guard, Message, Receive, Send, answer
from punchlist.mcp.server import machinery
from punchlist.mcp.wire import LARGEST, read_body

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

_MOST = 100
"""How many sessions there may be, and how many names of clients are known, at the same time."""
_PATIENCE = 1
"""Seconds that a request has, after the server was asked to stop, to be answered."""


def listening(port: int) -> socket.socket:
    """Return a socket that listens on the loopback interface, 0 for any free port; raises RefusedError for a taken one.

    It listens before anyone is told its address: who connects at once is answered a moment later, not refused.
    """
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((NAMES[0], port))
        found.listen()
    except OSError as error:
        found.close()
        raise RefusedError(
            f"port {port} cannot be listened on: {error.strerror}",
            where="--port",
            hint="Give another one, or leave it out: a free one is taken.",
        ) from error
    return found


def url_of(found: socket.socket) -> str:
    """Return where clients reach the server behind a socket."""
    return f"http://{NAMES[0]}:{found.getsockname()[1]}{PATH}"


def serve(served: Callable[[], Serving], at: socket.socket, *, token: str, ready: Callable[[], None]) -> None:
    """Serve clients until SIGINT or SIGTERM; a change that is under way then is finished first.

    Each name that clients give of themselves has a desk of its own: what one does is recorded under its name. `ready`
    is called once the signals are heard.
    """
    logging.getLogger("mcp").setLevel(logging.ERROR)  # that a client is gone is nobody's trouble
    anyio.run(partial(_serve, served, at, token=token, ready=ready))


async def _serve(served: Callable[[], Serving], at: socket.socket, *, token: str, ready: Callable[[], None]) -> None:
    clients = _Clients(served)
    manager = StreamableHTTPSessionManager(
        machinery(served(), desk_of=clients.desk_of), max_request_body_size=LARGEST, max_sessions=_MOST
    )
    whole: Any = RequestBodyLimitMiddleware(_Reader(manager.handle_request), LARGEST)  # typed by another package
    server = _Server(_configuration(Guard(whole, port=at.getsockname()[1], token=token)))
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as tasks, manager.run():
            tasks.start_soon(server.serve, [at])
            ready()
            async for _ in signals:
                break
            server.should_exit = True
            # Here the sessions end, and with them the streams that clients keep open: nothing holds up the server.


class _Clients:
    """A desk for each name of a client, made when the first of that name comes; the one not seen for longest goes."""

    def __init__(self, served: Callable[[], Serving]) -> None:
        self._served = served
        self._desks: dict[str, Desk] = {}

    def desk_of(self, context: "ServerRequestContext[Any, Any]") -> Desk:
        name = client_of(context)
        desk = self._desks.pop(name, None) or Desk(self._served())
        self._desks[name] = desk
        while len(self._desks) > _MOST:
            self._desks.pop(next(iter(self._desks)))
        return desk


class _Reader:
    """An application that refuses messages as standard input does, and hands on the rest; given whole bodies."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: PLR0917 - as ASGI has it
        first = await receive()
        reply = None
        if scope["method"] == "POST" and first["type"] == "http.request":
            handed_on, reply = read_body(first["body"])
            first = {**first, "body": handed_on}
        waiting = [first]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        if reply is None:
            await self._inner(scope, again, send)
        else:
            status = 400 if isinstance(reply, types.JSONRPCError) else 200
            await answer(reply.model_dump_json(by_alias=True, exclude_unset=True), send, status=status)


class _Server(uvicorn.Server):
    """A server that leaves signals to who started it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


def _configuration(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE,
    )
