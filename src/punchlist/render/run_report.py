"""The story of a run of any flow: when each node ran, what it was tried with, what it gave, what it cost."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from punchlist.model.json import Json, encode
from punchlist.model.rows import NodeRow, RunRow
from punchlist.model.state import AttemptState
from punchlist.render import shapes
from punchlist.render.blocks import Block, Code, Heading, Line, Paragraph, Picture, Table, Verbatim
from punchlist.render.pages import codes, exit_said, facts, status_said
from punchlist.render.timeline import timeline
from punchlist.render.words import cost, cost_said, cost_words, duration

_MOST = 2_000
"""Characters of one node's output that a page shows; the whole is in the JSON."""
_GROUPS = frozenset({"item", "round", "group", "case"})
"""Kinds of which the output is that of a node inside."""


def run_blocks(row: RunRow, nodes: Sequence[NodeRow], *, attempts: Sequence[AttemptState]) -> list[Block]:
    """Return the story as blocks."""
    blocks: list[Block] = [
        Heading(1, (f"{row.id} ", row.flow)),
        facts(
            ("Status", (row.status, *([" (paused)"] if row.paused else []))),
            ("Error", (row.error,)),
            ("Project", (Code(row.project or ""),)),
            ("Task", (Code(row.task or ""),)),
            ("Began", (row.created_at,)),
            ("Took", (duration(row.created_at, row.ended_at),)),
            ("Cost", (cost_said(attempts),)),
        ),
        Heading(2, ("Nodes",)),
    ]
    picture = timeline(row, nodes, attempts=attempts)
    blocks += [Picture(picture)] if picture else []
    blocks.append(
        Table(
            ("Node", "Kind", "Status", "Began", "Took", "Attempts", "Error"),
            tuple(_node(each, row.created_at) for each in nodes),
        )
    )
    if row.outputs not in (None, {}):
        blocks += [Heading(2, ("Outputs",)), Verbatim(json_text(row.outputs), "json")]
    given = [block for each in nodes for block in _output(each)]
    if given:
        blocks += [Heading(2, ("What each node gave",)), *given]
    if attempts:
        blocks += [Heading(2, ("Attempts",)), _attempts(attempts)]
    if any(each.outcome is not None and each.outcome.artifacts for each in attempts):
        blocks += [Heading(2, ("Artifacts",)), _artifacts(attempts)]
    return blocks


def json_text(value: Json) -> str:
    """Return a value as JSON for people: names sorted, an indent of two."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode() + "\n"


def run_story(row: RunRow, nodes: Sequence[NodeRow], *, attempts: Sequence[AttemptState]) -> dict[str, Json]:
    """Return the story as a JSON shape: the run with its nodes, each attempt, and what they cost together."""
    return {
        **shapes.run(row, nodes),
        "attempts": [shapes.attempt(each) for each in attempts],
        "artifacts": shapes.artifacts(attempts),
        "cost": cost(attempts),
    }


def _node(each: NodeRow, began: str) -> tuple[Line, ...]:
    return (
        (Code(each.path or "(the run)"),),
        (each.kind,),
        (each.status,),
        (_since(began, each.started_at),),
        (duration(each.started_at, each.ended_at),),
        codes(each.attempts),
        (each.error,),
    )


def _since(first: str, then: str) -> str:
    """Return how long after the beginning something began."""
    if not first or not then:
        return ""
    early = datetime.fromisoformat(then) < datetime.fromisoformat(first)
    return "" if early else f"after {duration(first, then)}"


def _output(node: NodeRow) -> Iterator[Block]:
    if node.output is None or not node.path or node.kind in _GROUPS:
        return
    text = json_text(node.output)
    yield Heading(3, (Code(node.path),))
    yield Verbatim(text[:_MOST], "json")
    if len(text) > _MOST:
        whole = len(encode(node.output))
        yield Paragraph((f"The first {_MOST:,} characters; all {whole:,} bytes: ", Code("--format json")))


def _artifacts(attempts: Sequence[AttemptState]) -> Table:
    """Return what attempts left: who made it, of what."""
    left = [
        (each, each.outcome, each.outcome.artifacts) for each in attempts if each.outcome and each.outcome.artifacts
    ]
    return Table(
        ("Artifact", "Path", "Bytes", "SHA-256", "By", "Made from"),
        tuple(
            (
                (Code(name),),
                (Code(made.path),),
                (str(made.size),),
                (Code(made.sha256),),
                (Code(each.id), " at ", Code(each.node)),
                (", ".join(f"{pin.name} of {pin.attempt}" for pin in outcome.used),),
            )
            for each, outcome, artifacts in left
            for name, made in artifacts.items()
        ),
    )


def _attempts(attempts: Sequence[AttemptState]) -> Table:
    return Table(
        ("Attempt", "Node", "Role", "Worker", "Status", "Exit", "Waited", "Took", "Cost"),
        tuple(_attempt(each) for each in attempts),
    )


def _attempt(each: AttemptState) -> tuple[Line, ...]:
    known = each.outcome is not None and each.outcome.usage is not None
    return (
        (Code(each.id),),
        (Code(each.node),),
        (each.role.value,),
        (each.worker or "",),
        (status_said(each),),
        (exit_said(each),),
        (duration(each.queued_at, each.started_at),),
        (duration(each.started_at, each.ended_at),),
        (cost_words(cost([each])) if known else "",),
    )
