"""Whether another round makes sense: the ends that come before the rounds are used up."""

import re
from collections.abc import Collection, Sequence

from punchlist.model.ids import Tree
from punchlist.model.verdicts import Finding, Verdict
from punchlist.quality.findings import blocks

_MASKS = (
    (re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"), "<time>"),
    (re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?\b"), "<time>"),
    (re.compile(r"\b\d+(?:[.,]\d+)?\s?(?:ns|us|ms|s|sec|secs|seconds?|m|min|minutes?)\b"), "<time>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (re.compile(r"(?<![\w.])(?:/[\w.@+~-]+)+/?"), "<path>"),
)


def masked(text: str) -> str:
    """Return output with times, durations, addresses and absolute paths masked, so that only what was said remains."""
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return text


def stagnates(verdicts: Sequence[Verdict], *, trees: Collection[Tree] = ()) -> str:
    """Return why the rounds no longer lead anywhere, or "".

    `verdicts` are those of the rounds in order, the latest last; `trees` were judged before them. The rounds stagnate
    when the latest tree was judged in any earlier round, or when the same findings are open with the same failing
    output in two rounds running. Verdicts on one and the same attempt are one round: judging it again (after a waiver)
    is no new try. A check that says nothing when it fails is no sign of standing still.
    """
    rounds = _rounds(verdicts)
    if not rounds or rounds[-1].result == "pass":
        return ""
    latest, earlier = rounds[-1], rounds[:-1]
    for index, verdict in enumerate(earlier):
        if verdict.tree == latest.tree:
            return f"the tree is the one that round {index + 1} was judged on"
    if latest.tree in trees:
        return "the tree was judged in an earlier round"
    if earlier and _same(earlier[-1], latest):
        return "the same findings are open with the same output in two rounds running"
    return ""


def _rounds(verdicts: Sequence[Verdict]) -> list[Verdict]:
    rounds: list[Verdict] = []
    for verdict in verdicts:
        if rounds and verdict.attempt is not None and rounds[-1].attempt == verdict.attempt:
            rounds[-1] = verdict
        else:
            rounds.append(verdict)
    return rounds


def _same(one: Verdict, other: Verdict) -> bool:
    mine, yours = _outputs(one), _outputs(other)
    silent = any(found.kind == "check" and not _output(found) for found in one.findings if blocks(found))
    return bool(mine) and mine == yours and not silent


def _outputs(verdict: Verdict) -> dict[str, str]:
    return {found.fingerprint: masked(_output(found)) for found in verdict.findings if blocks(found)}


def _output(found: Finding) -> str:
    """Return what a failing check printed, or what another finding says."""
    return found.output if found.kind == "check" else found.text
