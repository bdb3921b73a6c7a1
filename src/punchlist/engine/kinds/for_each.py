"""`for_each`: its nodes once an item, the items in order or as a graph, so many at a time."""

import re

from punchlist.engine.answering import decide_attempt
from punchlist.engine.finish import first_error
from punchlist.engine.given import word_of
from punchlist.engine.place import Place
from punchlist.engine.progress import end, leave, start
from punchlist.engine.retry import after_failure
from punchlist.engine.scope import Lookup, lookup, resolve, whole_number
from punchlist.engine.turn import Here, Kind
from punchlist.errors import DefinitionError
from punchlist.flow.expressions import evaluate
from punchlist.flow.groups import rings
from punchlist.model import events as ev
from punchlist.model.flow import ForEachNode
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import ListJob, Role
from punchlist.model.json import Json
from punchlist.model.state import AttemptState, NodeState
from punchlist.model.states import AttemptStatus, NodeStatus

LIST = "list"
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def _begin(here: Here) -> None:
    written = here.defined(ForEachNode).for_each
    if isinstance(written, dict):
        _list_job(here, AttemptId(""))  # an error in it fails the node before anything is read
        here.queue(Role.ENGINE, subject=LIST)
    else:
        _over(here, resolve(here, written))


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED and isinstance(outcome.result, dict):
        _over(here, outcome.result["items"])
    else:
        after_failure(here, attempt)


def _list_job(place: Place, attempt: AttemptId) -> ListJob:
    written = place.defined(ForEachNode).for_each
    assert isinstance(written, dict)
    form, path = next(iter(written.items()))
    name = word_of(place, str(path))
    return ListJob(attempt=attempt, run=place.run.id, path=name, form="json" if form == "json" else "lines")


def _over(here: Here, items: Json) -> None:
    """Begin to go over the items."""
    node = here.defined(ForEachNode)
    if not isinstance(items, list):
        raise DefinitionError(f"for_each must be a list, but is {items!r}", where=here.path)
    most = whole_number(here, node.max_parallel, what="max_parallel")
    names = [_with_item(here, item) for item in items]
    keys = [_key(here, each, number=number) for number, each in enumerate(names)]
    doubled = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if doubled:
        raise DefinitionError(f"items with the same key: {', '.join(doubled)}", where=here.path)
    known = frozenset(keys)
    needs = tuple(_needs(here, each, known=known) for each in names)
    ring = next(rings(dict(zip(keys, needs, strict=True))), ())
    if ring:
        raise DefinitionError(f"items wait for each other: {' → '.join(ring)}", where=here.path)
    here.emit(ev.ItemsListed(node=here.path, keys=tuple(keys), values=tuple(items), needs=needs, max_parallel=most))
    _go_on(here)


def _with_item(here: Here, item: Json) -> Lookup:
    name, outer = here.defined(ForEachNode).as_, lookup(here)
    return lambda asked: item if asked == name else outer(asked)


def _key(here: Here, names: Lookup, *, number: int) -> str:
    asked = here.defined(ForEachNode).key
    if asked is None:
        return str(number)
    key = evaluate(asked, names)
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise DefinitionError(
            f"the key of item {number} is {key!r}; allowed: 1 to 80 letters, digits, dots, hyphens", where=here.path
        )
    return key


def _needs(here: Here, names: Lookup, *, known: frozenset[str]) -> tuple[str, ...]:
    asked = here.defined(ForEachNode).needs_from
    if asked is None:
        return ()
    needs = evaluate(asked, names)
    if not isinstance(needs, list) or any(need not in known for need in needs):
        raise DefinitionError(f"needs_from must be a list of keys, but is {needs!r}", where=here.path)
    return tuple(str(need) for need in needs)


def _child_over(here: Here, _child: NodeState) -> None:
    if here.node.failed and here.defined(ForEachNode).on_item_failure == "stop":
        _leave_the_rest(here)
    _go_on(here)


def _leave_the_rest(here: Here) -> None:
    for path in here.node.children:
        item = here.at(path)
        if item.node.status is NodeStatus.PENDING:
            leave(item, error="another item failed")


def _go_on(here: Here) -> None:
    """Start as many items as there may be, let those go on that wait for their turn, and end with the last one."""
    node = here.node
    while node.running < node.max_parallel and node.ready.entries:
        item = here.at(node.ready.entries[node.ready.first])
        if item.path in here.run.held:
            here.emit(ev.PlaceTaken(node=item.path))
        else:
            start(item)
        node = here.node
    if node.remaining:
        return
    if node.failed:
        end(here, NodeStatus.FAILED, error=first_error(here))
    else:
        end(here, NodeStatus.SUCCEEDED, output=[here.at(item).node.output for item in node.children])


def _taken_up(here: Here) -> None:
    if here.node.children:  # else its list is still to come
        _go_on(here)


FOR_EACH = Kind(
    begin=_begin,
    attempt_over=_attempt_over,
    child_over=_child_over,
    decided=decide_attempt,
    taken_up=_taken_up,
    job=lambda place, attempt: _list_job(place, attempt.id),
)
