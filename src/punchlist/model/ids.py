"""Local names of things, the slugs of projects, and the rules for one-line text."""

import re
import unicodedata
from typing import Annotated, NewType

from msgspec import Meta

ProjectId = NewType("ProjectId", str)
"""A slug, such as `acme-api`."""
TaskId = NewType("TaskId", str)
"""`T12`."""
StepId = NewType("StepId", str)
"""`T12.3`."""
CriterionId = NewType("CriterionId", str)
"""`AC-1`, unique within its step or its task's acceptance list."""
RunId = NewType("RunId", str)
"""`R7`."""
AttemptId = NewType("AttemptId", str)
"""`A31`."""
GateId = NewType("GateId", str)
"""`G4`."""
FindingId = NewType("FindingId", str)
"""`F9`."""
StreamId = NewType("StreamId", str)
"""The immutable UUID behind a stream of events."""
NodePath = NewType("NodePath", str)
"""A node's place in a run: `steps[T1.1].rounds[0].build`."""
Digest = NewType("Digest", str)
"""A SHA-256 in lower-case hex."""
Commit = NewType("Commit", str)
"""A git commit id."""
Tree = NewType("Tree", str)
"""A git tree id."""

TITLE_LENGTH = 200
END = r"$(?!\n)"
"""The end of a pattern: Python's `$` alone also stands before a newline at the end, which no name or title may have."""
SLUG = rf"^[a-z0-9][a-z0-9-]{{0,59}}{END}"
CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""What no title may have: control characters, further ends of lines, and what turns the direction of writing."""
INVISIBLE = (
    r"\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
"""Nor has a title format characters, Unicode's category Cf: it would look like another one, or like none.

Beyond four hex digits they stand as themselves, as no escape is the same to Python and to ECMAScript.
"""
PATH = r"/\S*|(\S*/)?\.\.(/\S*)?"
"""A title that is an absolute path as a whole, or one that leads upward; a path among other words is none."""

Slug = Annotated[str, Meta(pattern=SLUG, description="lower-case letters, digits and hyphens, at most 60")]
Title = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=TITLE_LENGTH,
        pattern=rf"^(?!({PATH})$)(?!\s*$)[^{CONTROLS}{INVISIBLE}]*{END}",
        description="one line of at most 200 characters, not blank, without control characters or invisible ones; "
        "no path such as /etc or ../x",
    ),
]
CriterionName = Annotated[str, Meta(pattern=rf"^AC-[1-9][0-9]{{0,3}}{END}", description="AC-1, AC-2, …")]
TaskName = Annotated[str, Meta(pattern=rf"^T[1-9][0-9]{{0,8}}{END}", description="a task's id, such as T1")]
StepName = Annotated[
    str, Meta(pattern=rf"^T[1-9][0-9]{{0,8}}\.[1-9][0-9]{{0,4}}{END}", description="a step's id, such as T1.2")
]


def slug(text: str) -> str:
    """Return `text` as a slug, or `x` when nothing of it can be kept.

    Accents are dropped, every other run of characters becomes one hyphen; the result always matches `SLUG`.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-") or "x"


def step_task(step: StepId) -> TaskId:
    """Return the task that a step belongs to: `T12` for `T12.3`."""
    return TaskId(step.partition(".")[0])
