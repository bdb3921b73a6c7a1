"""Laws of the critique of a plan: what it finds is there, it is the same for the same plan, and it can be met."""

import itertools

import msgspec
from hypothesis import given, strategies as st

from punchlist.model.json import Json
from punchlist.model.records import Scope
from punchlist.model.results import Plan
from punchlist.quality.critique import critique
from punchlist.quality.overlap import common, shared
from punchlist.quality.scope import covers, matches
from punchlist.quality.sentences import demands
from punchlist.quality.wording import names, spoken

PART = st.sampled_from(["a", "b", "*", "**", "a*", "*b", "?", "[ab]", "[!a]", "a*b"])
GLOB = st.lists(PART, min_size=1, max_size=4).map("/".join)
SCOPE = st.builds(Scope, allow=st.lists(GLOB, max_size=2).map(tuple), deny=st.lists(GLOB, max_size=2).map(tuple))
NAMES = ["a", "b", "ab", "c"]
PATHS = ["/".join(parts) for depth in (1, 2, 3, 4) for parts in itertools.product(NAMES, repeat=depth)]
LINES = st.sampled_from(
    [
        "",
        "# T",
        "## Notes",
        "- It is so.",
        "It must greet people. It sings.",
        "```",
        "~~~",
        "| a |",
        "| --- |",
        "| 404 | unknown |",
        "Add singing. Never shout.",
        "## Background",
        "words go on",
        "> x",
    ]
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
SPEC = st.lists(LINES | TEXT, max_size=12).map("\n".join)
CRITERIA: list[Json] = [
    "It greets.",
    {"text": "It greets.", "check": "c"},
    {"text": "It sings.", "review": True},
]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    def step(at: int) -> dict[str, Json]:
        made: dict[str, Json] = {"title": "S", "goal": draw(st.sampled_from(["", "g"]))}
        made["criteria"] = draw(st.lists(st.sampled_from(CRITERIA), min_size=1, max_size=2))
        made["scope"] = {"allow": [*draw(st.lists(GLOB, max_size=1))]}
        if at and draw(st.booleans()):
            made["needs"] = [*draw(st.lists(st.integers(1, at), max_size=2))]
        return made

    counts = draw(st.lists(st.integers(0, 3), min_size=1, max_size=2))
    tasks: list[Json] = [{"title": "T", "steps": [step(at) for at in range(count)]} for count in counts]
    return msgspec.convert({"schema": "punchlist/plan/1", "tasks": tasks}, Plan)


@given(one=GLOB, other=GLOB)
def test_a_common_path_is_named_by_both_globs_and_found_where_there_is_one(one: str, other: str) -> None:
    path = common(one, other)

    if path is None:
        assert not [each for each in PATHS if matches(one, each) and matches(other, each)]
    else:
        assert matches(one, path)
        assert matches(other, path)


@given(one=SCOPE, other=SCOPE)
def test_scopes_that_share_nothing_by_their_globs_share_no_path(one: Scope, other: Scope) -> None:
    assert (shared(one, other) is None) == (shared(other, one) is None)
    without_deny = shared(Scope(allow=one.allow), Scope(allow=other.allow))
    if without_deny is None:
        assert not [each for each in PATHS if covers(one, each) and covers(other, each)]


@given(spec=SPEC)
def test_a_demand_stands_on_its_line_and_is_named_by_its_own_words(spec: str) -> None:
    count = len(spec.splitlines())

    for sentence in demands(spec):
        assert 1 <= sentence.line <= count
        assert names(spoken([sentence.text]), sentence.text)
        assert not names(spoken([]), sentence.text)


@given(made=plans(), asked=SPEC)
def test_a_critique_depends_on_the_plan_alone_and_numbers_its_remarks(made: Plan, asked: str) -> None:
    remarks = critique(made, asked=asked)

    assert remarks == critique(msgspec.json.decode(msgspec.json.encode(made), type=Plan), asked=asked)
    assert [each.id for each in remarks] == [f"P{number}" for number in range(1, len(remarks) + 1)]


@given(asked=SPEC)
def test_a_plan_that_takes_each_demand_for_a_criterion_meets_the_critique(asked: str) -> None:
    criteria: list[Json] = [{"text": each.text, "check": "c"} for each in demands(asked)]
    step: Json = {"title": "S", "goal": "g", "criteria": criteria or [{"text": "t", "check": "c"}]}
    made = msgspec.convert({"schema": "punchlist/plan/1", "tasks": [{"title": "T", "steps": [step]}]}, Plan)

    assert critique(made, asked=asked) == ()
