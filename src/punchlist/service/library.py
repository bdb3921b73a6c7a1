"""The verbs that show flows: which ones there are, the text of one, its picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from punchlist.errors import DefinitionError
from punchlist.model.json import plain

if TYPE_CHECKING:
    from punchlist.model.flow import Flow
    from punchlist.model.json import Json
    from punchlist.service.context import Answer
    from punchlist.service.flows import Flows

Form = Literal["mermaid", "svg"]


def listing(flows: "Flows") -> "Answer":
    """Return the flows that can be named: built-in ones, and those in the workspace's folder `flows`."""
    return {"flows": [*_listed(flows)]}


def show(flows: "Flows", name: str) -> "Answer":
    """Return a flow with its text, word for word as it is written. Raises DefinitionError for one that is wrong."""
    path = flows.path(name)
    return {"flow": {**_row(flows, name, path, flows.load(name, keep=False)), "text": flows.text(name)}}


def graph(flows: "Flows", name: str, *, form: Form = "mermaid", depth: int | None = None) -> "Answer":
    """Return the picture of a flow: its boxes and arrows, and the same as `text` in a form that can be drawn.

    Groups deeper than `depth` are closed.
    """
    from punchlist.flow.graph import graph_of
    from punchlist.render.graph_svg import graph_svg
    from punchlist.render.mermaid import mermaid

    drawn = graph_of(flows.load(name, keep=False), depth=depth)
    return {"graph": plain(drawn), "format": form, "text": (graph_svg if form == "svg" else mermaid)(drawn)}


def _listed(flows: "Flows") -> "Iterator[Json]":
    for name in sorted({*flows.names(), *flows.own()}):
        path = flows.path(name)
        try:
            yield _row(flows, name, path, flows.load(name, keep=False))
        except DefinitionError as error:
            yield {**_row(flows, name, path, None), "problems": max(len(error.problems), 1)}


def _row(flows: "Flows", name: str, path: Path, flow: "Flow | None") -> "dict[str, Json]":  # noqa: PLR0917 - what it says
    built_in = path.is_relative_to(flows.data)
    return {
        "name": name if flow is None else flow.flow,
        "called": name,
        "source": "built_in" if built_in else "workspace" if path.is_relative_to(flows.root / "flows") else "file",
        "overrides": not built_in and path.stem in flows.names() and path.parent == flows.root / "flows",
        "path": None if built_in else str(path),
        "doc": "" if flow is None else flow.doc,
        "inputs": {} if flow is None else {each: plain(declared) for each, declared in flow.inputs.items()},
        "outputs": [] if flow is None else [*flow.outputs],
        "problems": 0,
    }
