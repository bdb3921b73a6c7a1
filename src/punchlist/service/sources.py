"""Where the flow of a run was read, so that it can be read again as it is by now."""

import os
from typing import TYPE_CHECKING

from punchlist.errors import RefusedError
from punchlist.model.events import RunCreated
from punchlist.service.flows import named_from

if TYPE_CHECKING:
    from punchlist.model.flow import Flow
    from punchlist.model.ids import RunId
    from punchlist.ports import Reader
    from punchlist.service.context import Service


def source_of(service: "Service", flow: str) -> str:
    """Return what a run keeps of `flow` as it was typed: a name as it is, a file by its path from the workspace."""
    named = named_from(service.outside.folder, flow)
    return f"./{os.path.relpath(named, service.root)}" if "/" in named else named


def read_again(service: "Service", run: "RunId") -> "Flow":
    """Return the flow of a run as it is where it was read, checked anew. Raises DefinitionError, RefusedError."""
    with service.store.read() as reader:
        source = _source(reader, run)
    if source is None:
        raise RefusedError(
            f"run {run} is not of a flow that could be read again", hint=f"To go on by its own: punchlist resume {run}"
        )
    return service.flow(named_from(service.root, source))


def _source(reader: "Reader", run: "RunId") -> str | None:
    head = reader.head("run", run)
    assert head is not None
    created = next(iter(reader.events(stream=head.stream, limit=1))).fact
    return created.source if isinstance(created, RunCreated) and created.source else None
