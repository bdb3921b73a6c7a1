"""The links of the documentation."""

from pathlib import Path

import pytest

from tools.docs_links import anchors, links, main


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "glossary.md").write_text("# Glossary\n\n## Step & task `x`\n", encoding="utf-8")
    return tmp_path


def test_a_heading_gives_an_anchor() -> None:
    assert anchors("# Two words\n```\n# a comment\n```\n## It's `code`\n") == {"two-words", "its-code"}


def test_links_in_code_are_none() -> None:
    text = "`[a](b)`\n```\n[c](d)\n```\n[e](f.md)\n"

    assert list(links(text)) == [(5, "f.md")]


@pytest.mark.parametrize(
    "target", ["docs/glossary.md", "docs/glossary.md#step--task-x", "docs", "https://example.com/"]
)
def test_a_living_link_passes(docs: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    (docs / "README.md").write_text(f"# Here\n[x]({target}) and [here](#here)\n", encoding="utf-8")

    assert main([str(docs)]) == 0
    assert capsys.readouterr().out == "links of the documentation: good\n"


def test_dead_links_are_named(docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (docs / "README.md").write_text("[a](docs/none.md)\n[b](docs/glossary.md#none)\n", encoding="utf-8")

    assert main([str(docs)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{docs}/README.md:1: 'docs/none.md' leads nowhere",
        f"{docs}/README.md:2: 'docs/glossary.md' has no heading 'none'",
    ]
