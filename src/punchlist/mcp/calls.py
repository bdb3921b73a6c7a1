"""The call of a tool: checked, made, and refused with all that is wrong with it in one answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from punchlist.errors import MOST_SHOWN, DefinitionError, Problem, PunchlistError, RefusedError, WorkerError, invalid
from punchlist.mcp.arguments import check, is_same, placed
from punchlist.mcp.tool import Arguments, Tool
from punchlist.model.parts import in_order

if TYPE_CHECKING:
    from punchlist.service.context import Answer


def called(
    tool: Tool, arguments: Arguments, *, refused: Callable[[PunchlistError], None] = lambda _error: None
) -> "Answer":
    """Check a call and make it; raises what refuses it with all that is wrong with it.

    `refused` is told of what does not even reach the tool.
    """
    try:
        check(tool, arguments)
    except PunchlistError as error:
        found = whole(error, tool, arguments=arguments)
        refused(found)
        raise found from error
    try:
        return tool.call(arguments)
    except PunchlistError as error:
        raise whole(error, tool, arguments=arguments) from error


def whole(error: PunchlistError, tool: Tool, *, arguments: Arguments) -> PunchlistError:
    """Return the refusal of a call with all else that is wrong with what was said; `error` itself when nothing is.

    What the state of things does not allow is told alone: there the call is well formed.
    """
    is_of_arguments = isinstance(error, DefinitionError | WorkerError) or (
        isinstance(error, RefusedError) and error.code == "not_found"
    )
    if tool.faults is None or not is_of_arguments or len(error.problems) > MOST_SHOWN:
        return error
    own = error.problems or (Problem(error.where, error.message, hint=error.hint),)
    others = map(placed, tool.faults(arguments))
    more = [each for each in others if not any(is_same(each.where, known.where) for known in own)]
    if not more:
        return error
    return invalid(in_order([*own, *more], {**arguments}), what=f"the call of {tool.name}")
