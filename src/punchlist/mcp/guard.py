"""Who may speak to the server over HTTP: programs of this machine that know the token, and no page of another site.

A page in a browser can make the browser ask any port of the machine. It cannot know the token; and should a name of its
own site be made to mean this machine (DNS rebinding), that name stands in `Host` and `Origin`.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from punchlist.errors import RefusedError
from punchlist.render.failures import failure

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
"""What answers a request, in the terms of ASGI."""

NAMES = ("127.0.0.1", "localhost")
PATH = "/mcp"
_STATUS = {"not_authorized": 401, "foreign": 403, "not_found": 404}


class Guard:
    """An application that hands on only what may reach `inner`; the rest it answers before a body is read."""

    def __init__(self, inner: Application, *, port: int, token: str) -> None:
        self._inner = inner
        self._hosts = {f"{name}:{port}" for name in NAMES}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._allowed = f"Bearer {token}".encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: PLR0917 - as ASGI has it
        """Answer one request."""
        refused = self._refused(scope)
        if refused is None:
            await self._inner(scope, receive, send)
        else:
            more = [(b"www-authenticate", b"Bearer")] if refused.code == "not_authorized" else []
            told = json.dumps({"ok": False, "error": failure(refused)})
            await answer(told, send, status=_STATUS[refused.code], more=more)

    def _refused(self, scope: Message) -> RefusedError | None:
        given: Iterable[tuple[bytes, bytes]] = scope["headers"]
        named: dict[str, list[bytes]] = {"host": [], "origin": [], "authorization": []}
        for name, value in given:
            named.get(name.decode("latin-1").lower(), []).append(value)
        if len(named["host"]) != 1 or named["host"][0].decode("latin-1").lower() not in self._hosts:
            return _refusal(
                "foreign",
                "this server goes by another name",
                where="Host",
                hint=f"Its names are {' and '.join(sorted(self._hosts))}.",
            )
        if not {each.decode("latin-1") for each in named["origin"]} <= self._origins:
            return _refusal("foreign", "pages of other sites are not answered", where="Origin", hint="Send none.")
        if len(named["authorization"]) != 1 or not _is_same(named["authorization"][0], self._allowed):
            return _refusal(
                "not_authorized",
                "the token is missing or not the one of this server",
                where="Authorization",
                hint="Send: Authorization: Bearer TOKEN; the server said where it is kept.",
            )
        if scope["path"] != PATH:
            return _refusal("not_found", f"there is nothing but {PATH}", where=str(scope["path"])[:200])
        return None


def _is_same(given: bytes, token: bytes) -> bool:
    kind, _, rest = given.partition(b" ")
    return hmac.compare_digest(kind.lower().capitalize() + b" " + rest.strip(), token)


def _refusal(code: str, why: str, *, where: str, hint: str = "") -> RefusedError:
    refused = RefusedError(why, where=where, hint=hint)
    refused.code = code
    return refused


async def answer(text: str, send: Send, *, status: int, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer a request with a JSON text."""
    body = text.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
