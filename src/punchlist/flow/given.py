"""What nodes are given of the environment: names that a flow lists, values that a node sets, and secrets."""

import re
from collections.abc import Iterable, Sequence

from punchlist.flow.document import Items, Scalar, Yaml
from punchlist.flow.places import Places
from punchlist.flow.problems import Problems
from punchlist.flow.reading import Reader
from punchlist.model.flow import AgentNode, AnyNode, PythonNode, RunNode
from punchlist.model.parts import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALLOWED = "letters, digits and _; PUNCHLIST… is Punchlist's own"
_TAKEN = frozenset({"PATH", "HOME", "PWD", "LANG", "TERM"})
"""What every process has of its own: no secret is called so."""


def read_values(reader: Reader, tree: Yaml) -> dict[str, str]:
    """Return the environment variables that a node sets, with their values."""
    found: dict[str, str] = {}
    for key, value in reader.entries(tree):
        _check(reader, key.text, place=key)
        found[key.text] = reader.word(value)
    return found


def read_listed(reader: Reader, tree: Yaml, *, secrets: Sequence[str]) -> tuple[str, ...]:
    """Return the names that a flow lists under `env`; none may be one of its secrets."""
    for each in tree.items if isinstance(tree, Items) else ():
        if isinstance(each, Scalar) and each.value in secrets:
            message = f"'{each.text}' is listed under `secrets`, too: a secret cannot be read by expressions"
            reader.problems.add(each.place, message, allowed="one of them")
    return _names(reader, tree, taken=frozenset())


def read_secrets(reader: Reader, tree: Yaml) -> tuple[str, ...]:
    """Return the names of secrets."""
    return _names(reader, tree, taken=_TAKEN)


def _names(reader: Reader, tree: Yaml, *, taken: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []

    def name(each: Yaml) -> str:
        text = reader.filled(each)
        if text and _check(reader, text, place=each):
            if text in taken:
                reader.problems.add(each.place, f"'{text}' is no secret: every process has it")
            elif text in found:
                reader.problems.add(each.place, f"'{text}' is listed twice")
            found.append(text)
        return text

    reader.each(tree, name, empty=False)
    return tuple(dict.fromkeys(found))


def _check(reader: Reader, name: str, *, place: Yaml) -> bool:
    if _NAME.fullmatch(name) and not name.startswith("PUNCHLIST"):
        return True
    reader.problems.add(place.place, f"no environment variable can be called '{name}'", allowed=_ALLOWED)
    return False


def check_node_given(
    node: AnyNode, path: Path, *, flow_secrets: Iterable[str], places: Places, problems: Problems
) -> None:
    """Note each variable that a node sets and is given as a secret as well."""
    if not isinstance(node, AgentNode | RunNode | PythonNode):
        return
    secret: Sequence[str] = (*flow_secrets, *node.secrets)
    for name in node.env:
        if name in secret:
            message = f"'{name}' is a secret here: its value comes from where the run is started"
            problems.add(places.of((*path, "env", name)), message, hint="Take it away here")
