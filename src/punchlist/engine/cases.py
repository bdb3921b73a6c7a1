"""Which case of a `match` is taken."""

from punchlist.engine.place import Place
from punchlist.engine.scope import resolve
from punchlist.errors import DefinitionError
from punchlist.model.flow import CaseNode, MatchNode
from punchlist.model.json import Json


def is_taken(place: Place) -> bool:
    """Say whether a case is the one for the value of the match around it."""
    parent = place.node.parent
    assert parent is not None
    return taken_case(place.at(parent)) == place.defined(CaseNode)


def taken_case(place: Place) -> CaseNode:
    """Return the case of a match that is for its value, else the one for all others. Raises DefinitionError."""
    node = place.defined(MatchNode)
    value = resolve(place, node.match)
    name = _named(value)
    found = next((each for each in node.cases if each.of == name), node.else_)
    if found is None:
        cases = ", ".join(str(each.of) for each in node.cases)
        raise DefinitionError(f"no case for {value!r}, and no `else`; there are: {cases}", where=place.path)
    return found


def _named(value: Json) -> str | None:
    """Return the name of the case for a value; only `else` is for one that has none."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            return None
