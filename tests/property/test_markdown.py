"""Whatever a text holds, it cannot become structure: markdown read back by a parser that is not ours."""

import re

from hypothesis import given, strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from punchlist.render.blocks import Block, Bullets, Code, Heading, Paragraph, Piece, Table, Verbatim, one_line, visible
from punchlist.render.html import html
from punchlist.render.markdown import code, fence, inline, markdown

READER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
NASTY = st.sampled_from(
    [
        "`",
        "```",
        "````\n",
        "~~~",
        "# ",
        "\n# ",
        "- ",
        "1. ",
        "1)",
        "+ ",
        "* ",
        "> ",
        "|",
        "\\",
        "\\|",
        "<b>",
        "</pre>",
        "<!--",
        "-->",
        "[a](b)",
        "![a](b)",
        "[a]: b",
        "&amp;",
        "&#35;",
        "***",
        "---",
        "===",
        "\r",
        "\r\n",
        "\n",
        "\n\n",
        "\t",
        "    ",
        "_",
        "__a__",
        "a_b",
        "~~",
        "$",
        "http://x.y",
        "\u2028",
        "\x85",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "{",
        "}",
        "é",
        "a",
        "b ",
        "<script>",
        "'",
        '"',
    ]
)
TEXTS = st.lists(NASTY | st.text(max_size=5), max_size=8).map("".join)
PIECES: st.SearchStrategy[Piece] = TEXTS | TEXTS.map(Code)
LINES = st.lists(PIECES, min_size=1, max_size=4).map(tuple)


def kinds(text: str) -> list[str]:
    return [token.type for token in READER.parse(text)]


def inlines(text: str) -> list[Token]:
    return [child for token in READER.parse(text) for child in token.children or []]


def shown(text: str) -> str:
    """Return what a person reads."""
    return "".join(token.content for token in inlines(text))


@given(TEXTS)
def test_a_text_in_a_line_reads_as_it_is_and_is_nothing_but_text(text: str) -> None:
    source = f"x{inline(text)}x"

    assert {token.type for token in inlines(source)} <= {"text", "text_special"}
    assert kinds(source) == ["paragraph_open", "inline", "paragraph_close"]
    assert shown(source) == f"x{one_line(text)}x"


@given(TEXTS)
def test_a_code_span_holds_its_text(text: str) -> None:
    source = f"x {code(text)} x"

    expected = one_line(text).strip()
    spans = [token.content for token in inlines(source) if token.type == "code_inline"]
    assert spans == ([expected] if expected else [])


@given(TEXTS, TEXTS)
def test_a_fence_outlasts_its_content(text: str, after: str) -> None:
    (block, *rest) = READER.parse(f"{fence(text, 'markdown')}\n\nx{inline(after)}")

    assert block.type == "fence"
    assert block.content.rstrip("\n") == visible(text).strip("\n").rstrip("\n")
    assert [token.type for token in rest] == ["paragraph_open", "inline", "paragraph_close"]


def blocks_of(lines: list[tuple[Piece, ...]], text: str) -> list[Block]:
    (first, *_) = lines
    return [
        Heading(1, ("T ", *first)),
        Bullets(tuple(("b ", *line) for line in lines)),
        Verbatim(text),
        Table(("a", "b"), tuple((line, first) for line in lines)),
        Bullets(tuple(lines)),
        Verbatim(text, "sh"),
        Paragraph(("p", *first)),
        Heading(2, first),
        Verbatim(text),
    ]


@given(st.lists(LINES, min_size=1, max_size=3), TEXTS)
def test_a_page_has_the_structure_that_was_asked_for(lines: list[tuple[Piece, ...]], text: str) -> None:
    source = markdown(blocks_of(lines, text))

    top = [token.type for token in READER.parse(source) if token.level == 0 and not token.type.endswith("_close")]
    assert top == [
        "heading_open",
        "bullet_list_open",
        "fence",
        "table_open",
        "bullet_list_open",
        "fence",
        "paragraph_open",
        "heading_open",
        "fence",
    ]
    assert kinds(source).count("list_item_open") == 2 * len(lines)
    assert kinds(source).count("tr_open") == 1 + len(lines)
    assert kinds(source).count("td_open") == 2 * len(lines)
    assert {token.type for token in inlines(source)} <= {"text", "text_special", "code_inline"}
    assert source.endswith("\n")
    assert not re.search("[\x00\x1b\u202e]", source)


@given(st.lists(LINES, min_size=1, max_size=3), TEXTS)
def test_a_web_page_holds_no_tag_but_ours(lines: list[tuple[Piece, ...]], text: str) -> None:
    page = html(blocks_of(lines, text), title=text)

    tags = {re.split(r"[ >]", tag, maxsplit=1)[0].strip("/") for tag in re.findall(r"<([^>]*)>", page)}
    assert tags <= {
        "!doctype",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "ul",
        "li",
        "pre",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
        "code",
    }
    assert "<script" not in page
