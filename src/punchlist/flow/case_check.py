"""Whether the cases of a match are all that its value can be, and nothing that it cannot be."""

from collections.abc import Iterator
from dataclasses import dataclass

from punchlist.flow.value_shapes import Shape
from punchlist.flow.words import listed
from punchlist.model.allowed import nearest
from punchlist.model.flow import CaseNode, MatchNode


@dataclass(frozen=True, slots=True)
class CaseFlaw:
    """What is wrong with a case, or (None) with all of them together."""

    case: CaseNode | None
    message: str
    allowed: str = ""
    hint: str = ""


def case_flaws(node: MatchNode, shape: Shape) -> Iterator[CaseFlaw]:
    """Yield what is wrong with the cases of a match whose value has a shape."""
    if not node.cases:
        return  # said where they are read
    named = [str(each.of) for each in node.cases]
    if not shape.values:
        if node.else_ is None:
            message = "the value may be another than these cases"
            yield CaseFlaw(None, message, hint="Add `else:` beside `cases:` ({} does nothing)")
        return
    for case, name in zip(node.cases, named, strict=True):
        if name not in {*shape.values, *shape.others}:
            hint = nearest(name, shape.values)
            yield CaseFlaw(case, f"the value can never be '{name}'", listed(shape.values), hint)
    missing = [each for each in shape.values if each not in named]
    if missing and node.else_ is None:
        said = " and ".join(f"'{each}'" for each in missing)
        yield CaseFlaw(None, f"no case for {said}", hint="Add it, or `else:` beside `cases:`")


def value_in(node: MatchNode, case: CaseNode, *, shape: Shape) -> str | None:
    """Return the one value that is left in a case; None when there may be several."""
    if case.of is not None:
        return case.of
    left = [each for each in shape.values if each not in {other.of for other in node.cases}]
    return left[0] if len(left) == 1 and not shape.others else None
