"""The callback: a program with JSON on its standard input, or an address that JSON is posted to."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from punchlist.errors import PunchlistError, WorkerError
from punchlist.model.addresses import wrong_with
from punchlist.model.json import encode
from punchlist.model.outside import Delivery
from punchlist.model.policy import duration
from punchlist.model.settings import Callbacks
from punchlist.ports import Programs

_DEFAULT_PORTS = {"http": 80, "https": 443}
_STATUS = 12
"""Where the code of an answer's first line ends: `HTTP/1.1 200`."""


class Callback:
    """Implements `ports.Notifier` by what the settings say at the time of each call.

    A program gets PATH and the names that are listed, of `environ`, and nothing else; its output is dropped. What is
    said of a failure never holds an address, an argument or an answer: there may be secrets in each.
    """

    def __init__(
        self, settings: Callable[[], Callbacks], *, programs: Programs, folder: Path, environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._programs = programs
        self._folder = folder
        self._environ = environ

    async def tell(self, delivery: Delivery) -> str:
        """Tell it, within its limit; return what went wrong, or nothing."""
        try:
            settings = self._settings()
        except PunchlistError as error:
            return f"the settings cannot be read: {error.message}"
        limit = duration(settings.timeout).total_seconds()
        body = encode(delivery.body)
        try:
            async with asyncio.timeout(limit):
                if settings.command is not None:
                    return await self._run(settings.command, listed=settings.env, body=body)
                if settings.url is not None:
                    return await _post(settings.url, body, name=delivery.id)
        except TimeoutError:
            return f"it did not end within {settings.timeout}"
        except OSError as error:
            return f"it could not be reached: {error.strerror or type(error).__name__}"
        except ValueError:  # what the settings let pass and the resolver does not: a name that no host can have
            return "it could not be reached: its address is none"
        return "the settings name no callback any more"

    async def _run(self, command: Sequence[str], *, listed: Sequence[str], body: bytes) -> str:
        names = ("PATH", *listed)
        environment = {name: self._environ[name] for name in names if name in self._environ}
        try:
            code = await self._programs.run(command, stdin=body, env=environment, cwd=self._folder)
        except WorkerError as error:
            return error.message
        return "" if code == 0 else f"killed by signal {-code}" if code < 0 else f"exit {code}"


async def _post(url: str, body: bytes, *, name: str) -> str:
    """Post JSON and look at the code of the answer alone; nothing is followed, no proxy is asked."""
    if (wrong := wrong_with(url)) is not None:
        return f"it could not be reached: {wrong[0]}"
    place = urlsplit(url)
    host, port = place.hostname or "", place.port or _DEFAULT_PORTS[place.scheme]
    context = ssl.create_default_context() if place.scheme == "https" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(_head(place, name=name, size=len(body)) + body)
        await writer.drain()
        first = (await reader.readline()).decode("latin-1")
    except ValueError:
        return "its answer is not HTTP"
    finally:
        writer.close()
    code = first[:_STATUS].rpartition(" ")[2]
    if not (first.startswith("HTTP/1.") and code.isdigit()):
        return "its answer is not HTTP"
    return "" if code.startswith("2") else f"it answered {code}"


def _head(place: SplitResult, *, name: str, size: int) -> bytes:
    path = quote(place.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{place.query}" if place.query else "")
    host = place.netloc.rpartition("@")[2]
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {size}",
        f"Punchlist-Delivery: {name}",
        "Connection: close",
    ]
    if place.username is not None:
        import base64

        said = f"{place.username}:{place.password or ''}".encode()
        lines.append(f"Authorization: Basic {base64.b64encode(said).decode()}")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1", "replace")
