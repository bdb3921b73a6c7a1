"""Links of the documentation: each relative one must lead to a file, and to a heading where it names one.

Usage: docs_links.py [FOLDER] — prints one line a dead link and ends with 1 if there is any.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```+|~~~+).*?^\1", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
ELSEWHERE = ("http:", "https:", "mailto:")


def anchors(text: str) -> set[str]:
    """Return the fragment of each heading, spelled as code hosts spell it."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and target of each link outside code."""
    prose = CODE.sub(_blank, FENCE.sub(_blank, text))
    for match in LINK.finditer(prose):
        yield prose.count("\n", 0, match.start()) + 1, match.group(1)


def dead_links(path: Path) -> Iterator[str]:
    """Yield one line for each link of the file at `path` that leads nowhere."""
    text = path.read_text(encoding="utf-8")
    for line, target in links(text):
        if target.startswith(ELSEWHERE):
            continue
        name, _, fragment = unquote(target).partition("#")
        there = (path.parent / name) if name else path
        if not there.exists():
            yield f"{path}:{line}: '{target}' leads nowhere"
        elif fragment and there.suffix == ".md" and fragment not in anchors(there.read_text(encoding="utf-8")):
            yield f"{path}:{line}: '{name}' has no heading '{fragment}'"


def documents(folder: Path) -> list[Path]:
    """List the markdown files of the project's documentation below `folder`."""
    return sorted([*folder.glob("*.md"), *(folder / "docs").rglob("*.md"), *(folder / "changelog.d").rglob("*.md")])


def main(arguments: Sequence[str]) -> int:
    """Check the folder given, or the current one, and print what is wrong."""
    folder = Path(arguments[0] if arguments else ".")
    problems = [problem for path in documents(folder) for problem in dead_links(path)]
    for problem in problems:
        print(problem)
    if not problems:
        print("links of the documentation: good")
    return 1 if problems else 0


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
