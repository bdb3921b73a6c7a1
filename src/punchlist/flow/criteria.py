"""Criteria written out in a flow, made whole: each with an id, each with a check or a reviewer."""

from punchlist.flow.document import Scalar, Yaml, plain as plain_yaml
from punchlist.flow.reading import Reader
from punchlist.flow.templates import OPEN
from punchlist.model.criteria import criteria_problems, whole_criteria
from punchlist.model.json import Json, plain
from punchlist.model.parts import Part
from punchlist.model.records import CriterionFile


def read_criteria(reader: Reader, tree: Yaml) -> Json:
    """Return an expression as it is, criteria as `Criterion` values: ids by position, a text alone is reviewed."""
    if isinstance(tree, Scalar):
        return reader.expression(tree)
    found = reader.each(tree, lambda each: _criterion(reader, each), empty=False)
    reader.placed(criteria_problems([part.under(at) for at, (_, part) in enumerate(found)]), tree)
    return plain(whole_criteria([each for each, _ in found if each is not None]))


def _criterion(reader: Reader, tree: Yaml) -> tuple[CriterionFile | None, Part]:
    """Return a criterion, if its shape is right, and what can be looked at in any case."""
    if isinstance(tree, Scalar):
        text = reader.text(tree)
        return CriterionFile(text=text) if text else None, Part(None)
    shaped = reader.shaped(tree, CriterionFile, what="a criterion")
    if OPEN in str(plain_yaml(tree)):
        reader.problems.add(tree.place, "a criterion that is written out cannot hold an expression")
    return shaped.record, shaped.part
