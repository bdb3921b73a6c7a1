"""What the server of an attempt serves: the tools of its role, and no others."""

from collections.abc import Callable, Mapping

from punchlist.mcp.attempt import Attempt, open_attempt
from punchlist.mcp.builder import builder_tools
from punchlist.mcp.planner import planner_tools
from punchlist.mcp.qa import qa_tools
from punchlist.mcp.tool import Tool
from punchlist.model.jobs import Role

ATTEMPT_TOOLS: Mapping[str, Callable[[Attempt], tuple[Tool, ...]]] = {
    Role.BUILDER: builder_tools,
    Role.QA: qa_tools,
    Role.PLANNER: planner_tools,
}
INSTRUCTIONS: Mapping[str, str] = {
    Role.BUILDER: "Build the step that get_step_pack shows, then hand in your result, once, by record_builder_result.",
    Role.QA: "Judge the tree by the criteria of get_review_pack, then hand in your review, once, by record_qa_result.",
    Role.PLANNER: "Plan what get_request asks for by create_task, create_step; what is whole when you end counts.",
}


def attempt_tools(environ: Mapping[str, str], role: str) -> tuple[Attempt, tuple[Tool, ...]]:
    """Return the attempt that the environment names, and its tools; what its server refuses goes to `note_refusal`.

    Raises RefusedError for an attempt that is another's.
    """
    attempt = open_attempt(environ, role)
    return attempt, ATTEMPT_TOOLS[attempt.role](attempt)
