"""Criteria as people write them, made whole: an id each, a check or a reviewer each, and what is wrong with them."""

from collections.abc import Iterator, Sequence

from punchlist.errors import Problem
from punchlist.model.ids import CriterionId
from punchlist.model.parts import Part
from punchlist.model.records import Criterion, CriterionFile

_OF_A_CHECK = {"timeout": None, "network": False, "red_first": "auto"}
"""What speaks of a check alone, with the value that says nothing."""


def whole_criteria(files: Sequence[CriterionFile | str]) -> tuple[Criterion, ...]:
    """Return criteria with ids: one without takes the number of its place, or the lowest free one."""
    whole = [CriterionFile(text=each) if isinstance(each, str) else each for each in files]
    taken = {each.id for each in whole if each.id is not None}
    made: list[Criterion] = []
    for at, each in enumerate(whole, 1):
        name = each.id or next(
            free for number in (at, *range(1, len(whole) + 1)) if (free := f"AC-{number}") not in taken
        )
        taken.add(name)
        made.append(_criterion(each, CriterionId(name)))
    return tuple(made)


def criteria_problems(criteria: Sequence[Part]) -> Iterator[Problem]:
    """Yield what is wrong with criteria beside their shape: ids given twice, and what a check alone could have."""
    seen: dict[str, int] = {}
    for number, each in enumerate(criteria, 1):
        name = each.field("id")
        if name.text is not None and name.text in seen:
            yield Problem(name.where, f"{name.text} is taken by criterion {seen[name.text]}", "a number of its own")
        elif name.text is not None:
            seen[name.text] = number
        if isinstance(each.value, dict) and not each.field("check").said:
            yield from _checkless_problems(each)


def _checkless_problems(criterion: Part) -> Iterator[Problem]:
    if criterion.field("review").value is False:
        message = "it has no check and review is false: nothing could judge it"
        yield Problem(criterion.where, message, "a check, or review: true")
    for name, silent in _OF_A_CHECK.items():
        said = criterion.field(name)
        if said.value not in (None, silent):
            yield Problem(said.where, "it says something of a check, and there is none", "a check beside it")


def _criterion(file: CriterionFile, name: CriterionId) -> Criterion:
    return Criterion(
        id=name,
        text=file.text,
        check=file.check,
        timeout=file.timeout,
        network=file.network,
        red_first=file.red_first,
        review=file.check is None if file.review is None else file.review,
    )
