"""Globs of a step's scope: what they name, and which changed paths leave it."""

import pytest

from punchlist.model.jobs import Change
from punchlist.model.records import Scope
from punchlist.quality.scope import covers, matches, outside


def change(path: str) -> Change:
    return Change(path=path, how="modified", old_mode="100644", new_mode="100644")


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("slugger/**", "slugger/__init__.py"),
        ("slugger/**", "slugger/deep/er/x.py"),
        ("**", "a"),
        ("**", "a/b/c"),
        ("**/*.py", "x.py"),
        ("**/*.py", "a/b/x.py"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("a/**/**/b", "a/b"),
        ("*.md", "README.md"),
        ("a?c", "abc"),
        ("[a-c]x", "bx"),
        ("[!a-c]x", "dx"),
        ("[^a-c]x", "dx"),
        ("[]x]", "]"),
        ("[a-]", "-"),
        ("[a\\]b]", "]"),
        ("[a", "[a"),
        ("[]", "[]"),
        ("[!z-a]", "q"),
        ("a\\*b", "a*b"),
        ("a\\", "a\\"),
        ("*a*b*c", "xaybzc"),
        ("*a*", "a"),
        ("tests", "tests/test_a.py"),
        ("tests/", "tests/test_a.py"),
        ("tests/", "tests/a/b"),
        ("tests/conftest.py", "tests/conftest.py"),
        ("/README.md", "README.md"),
        ("./src//a.py", "src/a.py"),
        ("/", "anything/at/all"),
        ("a*", "a\nb"),
    ],
)
def test_a_glob_names(glob: str, path: str) -> None:
    assert matches(glob, path)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("slugger/**", "slugger"),
        ("slugger/**", "sluggery/x.py"),
        ("slugger/**", "src/slugger/x.py"),
        ("*.py", "a/b.py"),
        ("src/*", "src/a/b.py"),
        ("src/*.py", "src/a/b.py"),
        ("tests", "my/tests/a.py"),
        ("tests", "tests2"),
        ("tests/", "tests"),
        ("a?c", "a/c"),
        ("a/**/b", "a/c"),
        ("a/b/c", "a/b"),
        ("[a-c]x", "dx"),
        ("[z-a]", "q"),
        ("a\\*b", "axb"),
        ("*a*b*c", "xaybz"),
        ("README.md", "readme.md"),
        ("x/**", "y"),
    ],
)
def test_a_glob_does_not_name(glob: str, path: str) -> None:
    assert not matches(glob, path)


def test_an_empty_allow_means_everything() -> None:
    assert covers(Scope(), "any/thing")


def test_deny_wins_over_allow() -> None:
    scope = Scope(allow=("slugger/**", "tests/**"), deny=("tests/conftest.py",))

    assert covers(scope, "tests/test_ascii.py")
    assert not covers(scope, "tests/conftest.py")


def test_both_sides_of_a_rename_count_and_each_path_is_named_once() -> None:
    changes = [change("docs/old.md"), change("slugger/new.md"), change("docs/old.md")]

    assert outside(changes, Scope(allow=("slugger/**",))) == ("docs/old.md",)


def test_a_glob_made_to_explode_does_not() -> None:
    assert not matches("*a" * 30, "a" * 400 + "b")
