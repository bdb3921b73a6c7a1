"""Criteria written out in a flow, made whole: each with an id, each with a check or a reviewer."""

from punchlist.flow.document import Items, Scalar, Yaml, plain as plain_yaml
from punchlist.flow.reading import Reader
from punchlist.flow.templates import OPEN
from punchlist.model.ids import CriterionId
from punchlist.model.json import Json, plain
from punchlist.model.records import Criterion, CriterionFile


def read_criteria(reader: Reader, tree: Yaml) -> Json:
    """Return an expression as it is, criteria as `Criterion` values: ids by position, a text alone is reviewed."""
    if isinstance(tree, Scalar):
        return reader.expression(tree)
    criteria = reader.each(tree, lambda each: _criterion(reader, each), empty=False)
    whole = [_whole(each, f"AC-{number}") for number, each in enumerate(criteria, start=1) if each is not None]
    ids = [each["id"] for each in whole]
    if len(set(map(str, ids))) != len(ids) and isinstance(tree, Items):
        reader.problems.add(tree.place, "two criteria have the same id", allowed="a number of its own for each")
    return list(whole)


def _criterion(reader: Reader, tree: Yaml) -> CriterionFile | None:
    if isinstance(tree, Scalar):
        text = reader.text(tree)
        return CriterionFile(text=text) if text else None
    found = reader.record(tree, CriterionFile, what="a criterion")
    if found is not None and OPEN in str(plain_yaml(tree)):
        reader.problems.add(tree.place, "a criterion that is written out cannot hold an expression")
        return None
    return found


def _whole(said: CriterionFile, number: str) -> dict[str, Json]:
    criterion = Criterion(
        id=CriterionId(said.id or number),
        text=said.text,
        check=said.check,
        timeout=said.timeout,
        network=said.network,
        red_first=said.red_first,
        review=said.check is None if said.review is None else said.review,
    )
    value = plain(criterion)
    return value if isinstance(value, dict) else {}
