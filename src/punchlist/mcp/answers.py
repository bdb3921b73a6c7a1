"""Answers as clients take them: structured, and the same as text."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import mcp_types as types

from punchlist.errors import PunchlistError
from punchlist.mcp.refusals import told

if TYPE_CHECKING:
    from punchlist.service.context import Answer


def result(answer: "Answer") -> types.CallToolResult:
    """Return an answer; what cannot be told in UTF-8 (a file's name, say) has a mark in its place."""
    return _told(answer, is_error=False)


def refusal(error: PunchlistError, *, tools: Collection[str]) -> types.CallToolResult:
    """Return why a call was refused, as the command line does with --json, to a client that has `tools`."""
    return _told({"ok": False, "error": told(error, tools=tools)}, is_error=True)


def _told(answer: "Answer", *, is_error: bool) -> types.CallToolResult:
    text = json.dumps(answer, ensure_ascii=False)
    if not text.isascii():
        clean = text.encode(errors="replace").decode()
        if clean != text:
            text, answer = clean, json.loads(clean)
    content: list[types.ContentBlock] = [types.TextContent(text=text)]
    return types.CallToolResult(content=content, structured_content=answer, is_error=is_error)
