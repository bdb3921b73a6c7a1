import pytest

from punchlist.model.records import Scope
from punchlist.quality.overlap import common, shared


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ("src/a.py", "src/*", "src/a.py"),
        ("src/a*", "src/*b", "src/aøb"),
        ("src/*", "src/*/x", None),
        ("src/**", "docs/**", None),
        ("src", "src/cli/a.py", "src/cli/a.py/ø"),
        ("src/**", "src/cli/**", "src/cli/ø/ø"),
        ("**/test_*.py", "tests/**", "tests/ø/test_ø.py"),
        ("a/**/z", "a/b/c", "a/b/c/ø/z/ø"),
        ("*.py", "a?.p[xy]", "aø.py"),
        ("[a-f]*", "[g-z]*", None),
        ("[é-ü]x", "éx", "éx"),
        (r"a\*", "ab", None),
        (r"a\*", "a*", "a*"),
        ("/", "x/", "x/ø/ø"),
        ("a**b", "acb", "acb"),
        ("[z-a]", "*", None),
    ],
)
def test_a_path_that_both_globs_name_is_found_where_there_is_one(one: str, other: str, path: str | None) -> None:
    assert common(one, other) == path


def test_globs_of_many_stars_are_held_against_each_other_in_time() -> None:
    assert common("*a" * 300, "*b*a" * 150) is not None
    assert common("*a" * 300 + "x", "*b*a" * 150) is None


def test_scopes_share_what_both_allow() -> None:
    assert shared(Scope(allow=("a/**", "src/**")), Scope(allow=("src/x.py",))) == ("src/**", "src/x.py")
    assert shared(Scope(allow=("a/**",)), Scope(allow=("b/**",))) is None


def test_a_scope_that_allows_nothing_in_particular_allows_everything() -> None:
    assert shared(Scope(), Scope()) == ("**", "**")
    assert shared(Scope(), Scope(allow=("x",))) == ("**", "x")


def test_a_deny_that_cuts_the_overlap_out_counts_and_one_that_cuts_a_part_of_it_does_not() -> None:
    cli = Scope(allow=("src/cli/**",))

    assert shared(Scope(allow=("src/**",), deny=("src/cli/**",)), cli) is None
    assert shared(cli, Scope(allow=("src/**",), deny=("src/cli",))) is None
    assert shared(Scope(allow=("src/**",), deny=("src/cli/main.py",)), cli) == ("src/**", "src/cli/**")
