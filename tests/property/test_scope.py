"""Globs against an oracle that tries every way, and laws that hold for any of them."""

from hypothesis import given, strategies as st

from punchlist.model.jobs import Change
from punchlist.model.records import Scope
from punchlist.quality.scope import covers, matches, outside

LETTERS = st.sampled_from("ab.")
PARTS = st.text(LETTERS, min_size=1, max_size=4).filter(lambda part: part != ".")
PATHS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)
WILD_PARTS = st.text(st.sampled_from("ab.*?"), min_size=1, max_size=5).filter(lambda part: part not in {".", "**"})
GLOBS = st.lists(st.one_of(WILD_PARTS, st.just("**")), min_size=1, max_size=5).map("/".join)


def fits(pattern: str, text: str) -> bool:
    """Match one part by trying every way."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and fits(pattern[1:], text[1:])


def names(glob: list[str], path: list[str]) -> bool:
    """Match whole paths by trying every way."""
    if not glob:
        return not path
    if glob[0] == "**":
        return (bool(path) and len(glob) == 1) or any(
            names(glob[1:], path[cut:]) for cut in range(len(path) + 1) if len(glob) > 1
        )
    return bool(path) and fits(glob[0], path[0]) and names(glob[1:], path[1:])


@given(GLOBS, PATHS)
def test_a_glob_names_what_trying_every_way_finds(glob: str, path: str) -> None:
    parts, folders = glob.split("/"), path.split("/")
    below = not set(parts[-1]) & set("*?") and any(names(parts, folders[:cut]) for cut in range(1, len(folders)))

    assert matches(glob, path) == (names(parts, folders) or below)


@given(PATHS)
def test_a_path_names_itself_and_all_below(path: str) -> None:
    assert matches(path, path)
    assert matches(path, f"{path}/x")
    assert matches(f"{path}/**", f"{path}/x/y")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_a_glob(glob: str, path: str) -> None:
    assert matches(glob, path) in {True, False}


@given(st.lists(PATHS, max_size=8), st.lists(GLOBS, max_size=3), st.lists(GLOBS, max_size=3))
def test_what_is_outside_is_what_is_not_covered(paths: list[str], allow: list[str], deny: list[str]) -> None:
    scope = Scope(allow=tuple(allow), deny=tuple(deny))
    changes = [Change(path=path, how="added", old_mode="", new_mode="100644") for path in paths]

    left = outside(changes, scope)

    assert set(left) == {path for path in paths if not covers(scope, path)}
    assert len(left) == len(set(left))
    assert set(left) >= {path for path in paths if any(matches(glob, path) for glob in deny)}
