"""Nodes that are added to a flow which runs already: read by themselves, checked with all that is there."""

from punchlist.flow.agents import read_agents, with_workers
from punchlist.flow.check import check
from punchlist.flow.document import Scalar, Yaml, compose
from punchlist.flow.files import Files, Read
from punchlist.flow.nodes import read_nodes
from punchlist.flow.parse import VERSION, parse_in
from punchlist.flow.places import Places
from punchlist.flow.reading import Reader
from punchlist.model.flow import AnyNode, Flow, extended

_KEYS = ("punchlist", "agents", "nodes")


def parse_addition(text: str, *, source: str, flow: Flow, read: Read | None = None) -> tuple[AnyNode, ...]:
    """Return the nodes that `text` defines for the first level of `flow`, checked as parts of it.

    They stand behind its nodes, or in the place of those of the same name. The text is a map with `nodes:` as in a
    flow, and perhaps with `agents:`. Raises DefinitionError with every problem: each `where` is `file:line:column`.
    """
    files = Files.around(source, read=read, parse=parse_in)
    problems, text = files.problems, text.removeprefix("\ufeff")
    document = compose(text, problems)
    if document is None:
        raise problems.error()
    nodes = _nodes(Reader(problems), document, files=files, flow=flow)
    check(extended(flow, nodes), places=Places(document, text, files.shown), problems=problems)
    if problems.none:
        return nodes
    raise problems.error()


def named_files(text: str, *, source: str, read: Read) -> dict[str, str]:
    """Return the texts of the files that an addition names, each under the name that `read` was given.

    What is wrong with the addition, or cannot be read, is left to `parse_addition` to tell.
    """
    found: dict[str, str] = {}

    def kept(name: str) -> str:
        found[name] = read(name)
        return found[name]

    files = Files.around(source, read=kept, parse=parse_in)
    document = compose(text.removeprefix("\ufeff"), files.problems)
    if document is not None:
        _nodes(Reader(files.problems), document, files=files, flow=Flow(flow="", nodes=()))
    return found


def _nodes(reader: Reader, document: Yaml, *, files: Files, flow: Flow) -> tuple[AnyNode, ...]:
    fields = reader.fields(document, _KEYS, what="an addition to a run", required=("nodes",))
    version = fields.get("punchlist")
    if version is not None and not (isinstance(version, Scalar) and version.value == VERSION):
        reader.wrong(version, str(VERSION), what="the version of the language: ")
    agents = read_agents(reader, fields["agents"]) if "agents" in fields else {}
    nodes = read_nodes(reader, fields["nodes"], around=files) if "nodes" in fields else ()
    return with_workers(nodes, {**flow.agents, **agents})
