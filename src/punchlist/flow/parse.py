"""YAML text becomes a checked `Flow`, with everything that is wrong told at once."""

import re
from collections.abc import Callable, Mapping

from punchlist.errors import Problem
from punchlist.flow.agents import read_agents, with_workers
from punchlist.flow.check import check
from punchlist.flow.document import Scalar, Yaml, compose, plain
from punchlist.flow.doubts import doubt
from punchlist.flow.files import Files, Read
from punchlist.flow.given import read_listed, read_secrets
from punchlist.flow.inputs import read_inputs
from punchlist.flow.nodes import read_nodes
from punchlist.flow.places import Places
from punchlist.flow.reading import Reader
from punchlist.flow.words import FINALLY
from punchlist.model.flow import AnyNode, FinallyNode, Flow, Input
from punchlist.model.ids import SLUG
from punchlist.model.json import Json
from punchlist.model.notes import flow_policy_problems
from punchlist.model.policy import PolicyPart

VERSION = 1
Warn = Callable[[Problem], object]
KEYS = ("punchlist", "flow", "doc", "inputs", "outputs", "agents", "policy", "env", "secrets", "nodes", FINALLY)
_NAME = re.compile(SLUG)


def parse_flow(text: str, *, source: str, read: Read | None = None, warn: Warn | None = None) -> Flow:
    """Return the flow that `text` defines, checked as a whole; flows that it calls are read by `read` and embedded.

    `source` is the file's name as errors show it. `read` is given a name as it is written in `call:` or `prompt:`; in a
    file that was itself called, a name with a slash has that file's folder put before it. It raises KeyError or OSError
    for what there is not. Raises DefinitionError with every problem: each `where` is `file:line:column`. `warn` is
    told what is sound in this file and hardly meant.
    """
    files = Files.around(source, read=read, parse=parse_in)
    return parse_in(files, text, warn=warn)


def parse_in(files: Files, text: str, *, warn: Warn | None = None) -> Flow:
    """Return the flow of one file among those that call each other. Raises DefinitionError."""
    problems = files.problems
    text = text.removeprefix("\ufeff")
    document = compose(text, problems)
    if document is None:
        raise problems.error()
    reader = Reader(problems)
    flow = _flow(reader, document, files=files)
    places = Places(document, text, files.shown)
    check(flow, places=places, problems=problems)
    if not problems.none:
        raise problems.error()
    if warn is not None:
        doubt(flow, places=places, problems=problems)
        for each in problems.warnings:
            warn(each)
    return flow


def _flow(reader: Reader, document: Yaml, *, files: Files) -> Flow:
    required = ("punchlist", "flow", "nodes")
    fields = reader.fields(document, KEYS, what="the flow", required=required)
    version = fields.get("punchlist")
    if isinstance(version, Scalar) and version.value != VERSION:
        reader.wrong(version, str(VERSION), what="the version of the language: ")
    elif version is not None and not isinstance(version, Scalar):
        reader.wrong(version, str(VERSION))
    agents = read_agents(reader, fields["agents"]) if "agents" in fields else dict[str, dict[str, Json]]()
    nodes = read_nodes(reader, fields["nodes"], around=files) if "nodes" in fields else ()
    secrets = read_secrets(reader, fields["secrets"]) if "secrets" in fields else ()
    last = read_nodes(reader, fields[FINALLY], around=files) if FINALLY in fields else ()
    return Flow(
        flow=_name(reader, fields),
        doc=reader.text(fields["doc"]) if "doc" in fields else "",
        source=files.source,
        inputs=read_inputs(reader, fields["inputs"]) if "inputs" in fields else dict[str, Input](),
        outputs=_outputs(reader, fields["outputs"]) if "outputs" in fields else dict[str, Json](),
        policy=_policy(reader, fields["policy"]) if "policy" in fields else PolicyPart(),
        agents=agents,
        env=read_listed(reader, fields["env"], secrets=secrets) if "env" in fields else (),
        secrets=secrets,
        nodes=with_workers(nodes, agents),
        finally_=_finally(last, agents) if last else None,
    )


def _finally(nodes: tuple[AnyNode, ...], agents: Mapping[str, dict[str, Json]]) -> FinallyNode:
    return FinallyNode(id=FINALLY, needs=(), nodes=with_workers(nodes, agents))


def _name(reader: Reader, fields: Mapping[str, Yaml]) -> str:
    if "flow" not in fields:
        return ""
    name = reader.filled(fields["flow"])
    if name and not _NAME.fullmatch(name):
        reader.wrong(fields["flow"], "lower-case letters, digits and hyphens, at most 60", what="the flow's name: ")
    return name


def _outputs(reader: Reader, tree: Yaml) -> dict[str, Json]:
    return {reader.name(key, "an output"): plain(value) for key, value in reader.entries(tree)}


def _policy(reader: Reader, tree: Yaml) -> PolicyPart:
    """Return the flow's policy; what a run of it would not heed is a problem."""
    found = reader.shaped(tree, PolicyPart, what="policy")
    reader.placed(flow_policy_problems(found.part), tree)
    return found.record or PolicyPart()
