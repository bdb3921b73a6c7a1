"""Renders against their golden files; `python -m tests.golden.render.story` writes those anew."""

import pytest

from tests.golden.render.story import HERE, everything

NAMES = sorted(path.relative_to(HERE).as_posix() for path in HERE.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def rendered() -> dict[str, bytes]:
    return everything()


def test_nothing_is_rendered_beyond_the_golden_files(rendered: dict[str, bytes]) -> None:
    assert sorted(rendered) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_render_is_byte_for_byte(name: str, rendered: dict[str, bytes]) -> None:
    assert rendered[name].decode() == (HERE / name).read_text(encoding="utf-8")
