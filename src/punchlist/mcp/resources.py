"""The generated files as resources: a page at a time, each by an address of its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from punchlist.errors import RefusedError
from punchlist.service import files

if TYPE_CHECKING:
    from punchlist.service.context import Service

ADDRESS = "punchlist://files/"
_PAGE = 500
_KINDS = {"md": "text/markdown", "json": "application/json", "jsonl": "application/x-ndjson"}


class Resource(NamedTuple):
    """One generated file: its address, its path, and what kind of text it is."""

    uri: str
    name: str
    mime_type: str


class Resources:
    """The generated files of a workspace, as one client sees them."""

    def __init__(self, service: "Callable[[], Service]") -> None:
        self._service = service

    def page(self, after: str | None) -> tuple[list[Resource], str | None]:
        """Return a page of the files behind what `after` names, and where to go on, None at the end."""
        paths, then = files.page(self._service(), after, most=_PAGE)
        return [_resource(path) for path in paths], then

    def read(self, uri: str) -> tuple[Resource, str]:
        """Return a file with its text; raises RefusedError for anything but a generated file."""
        path = unquote(uri.removeprefix(ADDRESS))
        content = files.content(self._service(), path) if uri.startswith(ADDRESS) else None
        if content is None:
            refused = RefusedError("there is no such resource", where=uri[:200], hint="resources/list names them.")
            refused.code = "not_found"
            raise refused
        return _resource(path), content.decode(errors="replace")


def _resource(path: str) -> Resource:
    kind = _KINDS.get(path.rpartition(".")[2], "text/plain")
    return Resource(f"{ADDRESS}{quote(path)}", path, kind)
