"""What a builder claims against the facts: only what a look at the tree or a check's answer decides, never prose."""

import re
from collections.abc import Iterable, Iterator

from punchlist.model.results import Claim, Result
from punchlist.model.verdicts import Finding
from punchlist.quality.facts import Facts
from punchlist.quality.findings import finding

_PLACE = re.compile(r"(?P<path>[^\s:]*[^\s:/]):(?P<lines>[0-9]{1,9}(?:-[0-9]{1,9})?)(?::[0-9]{1,9})?")
_SUFFIX = re.compile(r"[^/]\.([A-Za-z][A-Za-z0-9_]{0,9})$")
ANYWHERE = "**/"
"""Before a path: in whatever folder. A builder may name a file as it stands where it worked."""


def looked_up(result: Result) -> tuple[str, ...]:
    """Return every reference of a builder's claims that has to be looked up in the tree that it left."""
    named = (reference for claim in result.criteria for reference in references(claim))
    return tuple(dict.fromkeys(each for name in named for each in (name, f"{ANYWHERE}{name}")))


def references(claim: Claim) -> tuple[str, ...]:
    """Return the entries of a claim's evidence that are `path:line` and nothing else; the rest is prose.

    An entry is what commas, semicolons and line ends leave. Absolute paths are left alone: where the builder worked is
    no part of the tree.
    """
    entries = (part.strip().strip("`'\"") for part in re.split(r"[,;\n]", claim.evidence))
    found = (_PLACE.fullmatch(each) for each in entries)
    places = ((each["path"], each["lines"]) for each in found if each and not each["path"].startswith(("/", "~")))
    return tuple(dict.fromkeys(f"{path.removeprefix('./')}:{lines}" for path, lines in places if _is_path(path)))


def _is_path(text: str) -> bool:
    """Say whether this must be a file's path: a name without a suffix may be a host, or an image."""
    return text.startswith("../") or _SUFFIX.search(text) is not None


def contradicted(facts: Facts, *, failed: Iterable[str]) -> Iterator[Finding]:
    """Yield what of a claim that the work is done the facts deny; `failed` are the criteria whose check fails.

    A criterion said to be met whose check fails; evidence that is not in the judged tree; a criterion that the step
    does not have; a check's own command said to have ended with 0 that fails here. A builder that says less than there
    is claims nothing false.
    """
    if facts.claim is None or facts.claim.outcome != "done":
        return
    red = set(failed)
    for claim in facts.claim.criteria:
        if claim.met and claim.id in red:
            yield finding("claim", "the builder says it is met, and its check fails", criterion=claim.id)
    yield from _unknown(facts, facts.claim)
    yield from _commands(facts, facts.claim, red=red)
    for claim in facts.claim.criteria:
        if claim.met:
            yield from _missing(facts, claim)


def _unknown(facts: Facts, claim: Result) -> Iterator[Finding]:
    known = {each.id for each in facts.criteria} | set(facts.known)
    for name in dict.fromkeys(each.id for each in claim.criteria if each.id not in known):
        text = f"the builder speaks of {name}, and this step has no such criterion"
        yield finding("claim", f"{text}; it has: {', '.join(sorted(known))}", place=name)


def _commands(facts: Facts, claim: Result, *, red: set[str]) -> Iterator[Finding]:
    said = {each.command.strip(): each.exit_code for each in claim.commands}  # the last time that it was run counts
    for result in facts.checks:
        if result.id in red and result.exit_code and said.get(result.command.strip()) == 0:
            text = f"the builder says that its check ended with 0, and here it ends with {result.exit_code}"
            yield finding("claim", text, criterion=result.id, place="exit_code")


def _missing(facts: Facts, claim: Claim) -> Iterator[Finding]:
    gone = {each.path for each in facts.changes or () if each.how == "deleted"}
    written = {found[1] for each in facts.changes or () if (found := _SUFFIX.search(each.path))}
    for each in references(claim):
        path = each.partition(":")[0]
        found = _SUFFIX.search(path)
        is_place = "/" in path or (found is not None and found[1] in written)  # else it may be a host and its port
        seen = [facts.claimed.get(name) for name in (each, f"{ANYWHERE}{each}")]
        removed = any(old == path or old.endswith(f"/{path}") for old in gone)
        if is_place and seen == [False, False] and not removed:
            text = f"the builder says it is met on evidence that is not in its tree: {each}"
            yield finding("claim", text, criterion=claim.id, place=each)
