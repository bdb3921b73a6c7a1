"""What a node's process is given of the environment: what its flow lists, what the node sets, and secrets by name."""

from collections.abc import Sequence

from punchlist.engine.place import Place
from punchlist.engine.scope import lookup, resolve
from punchlist.errors import DefinitionError
from punchlist.flow.shell import bind
from punchlist.model.flow import AgentNode, CallNode, Flow, PythonNode, RunNode


def listed_of(place: Place) -> dict[str, str]:
    """Return the values of the names that the flow around a node lists, as they were where the run was started."""
    env = place.run.env
    return {name: env[name] for name in _flow_of(place).env if name in env} if env else {}


def values_of(place: Place) -> dict[str, str]:
    """Return the values that a node sets itself; raises DefinitionError for what is no text."""
    node = place.definition
    assert isinstance(node, AgentNode | RunNode | PythonNode)
    return {name: word_of(place, value) for name, value in node.env.items()}


def artifacts_of(place: Place) -> dict[str, str]:
    """Return the paths of the files that a node must leave, by name."""
    node = place.definition
    assert isinstance(node, AgentNode | RunNode | PythonNode)
    return {name: word_of(place, path) for name, path in node.artifacts.items()}


def secrets_of(place: Place, node: AgentNode | RunNode | PythonNode | None = None) -> tuple[str, ...]:
    """Return the names of the secrets that a node is given: its own, if it may have any, and those of its flow."""
    if not place.run.secrets:
        return ()
    return tuple(dict.fromkeys((*_flow_of(place).secrets, *(() if node is None else node.secrets))))


def word_of(place: Place, value: str) -> str:
    """Return a text with its expressions filled in, as a command line or an environment holds it."""
    word = resolve(place, value)
    if not isinstance(word, str | int | float):
        raise DefinitionError(f"a word of a command must be text or a number, but is {word!r}", where=place.path)
    return str(word).lower() if isinstance(word, bool) else str(word)


def _flow_of(place: Place) -> Flow:
    """Return the flow that a node is written in: the nearest called one around it, or the run's own."""
    for node in place.upward():
        around = place.run.spots[node.spot].node
        if node.path != place.path and isinstance(around, CallNode):
            return around.flow
    return place.run.definition


def command_of(place: Place, command: str | Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return what is executed for a command, a text for a shell or words, and the variables that hold its values."""
    if isinstance(command, str):
        text, values = bind(command, lookup(place))
        return ("sh", "-c", text), values
    return tuple(word_of(place, word) for word in command), {}
