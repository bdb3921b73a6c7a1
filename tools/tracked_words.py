"""Words that no tracked file may hold: paths of one machine, and addresses that packages are fetched from.

The words are put together here from parts, so that this file passes its own check.
Usage: tracked_words.py [FOLDER] — prints one line a hit and ends with 1 if there is any.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HOMES = ("home", "root", "work")
HOSTS = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("registry", "npmjs"),
    ("npmjs", "org"),
    ("deb", "debian", "org"),
    ("crates", "io"),
    ("proxy", "golang", "org"),
    ("repo", "maven"),
)
# A path is absolute when nothing that could be its parent stands before it, or an address does that ends in `//`.
PATH = re.compile(r"(?:(?<=//)|(?<![\w.}\])>*~/-]))/(?:" + "|".join(HOMES) + ")/")
HOST = re.compile("|".join(r"\.".join(parts) for parts in HOSTS), re.IGNORECASE)


def hits(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and word for each word in `text` that may not stand there."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern in (PATH, HOST):
            for match in pattern.finditer(line):
                yield number, match.group()


def tracked_files(folder: Path) -> list[Path]:
    """List the files that git tracks below `folder`, and those it would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    paths = (folder / name.decode() for name in listed.stdout.split(b"\0") if name)
    return sorted(path for path in paths if path.is_file())


def check(folder: Path) -> list[str]:
    """List every hit in the tracked text files of `folder`; files that are not UTF-8 are passed over."""
    problems: list[str] = []
    for path in tracked_files(folder):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        problems += [f"{path.relative_to(folder)}:{line}: '{word}' may not stand here" for line, word in hits(text)]
    return problems


def main(arguments: Sequence[str]) -> int:
    """Check the folder given, or the current one, and print what is wrong."""
    problems = check(Path(arguments[0] if arguments else "."))
    for problem in problems:
        print(problem)
    if not problems:
        print("tracked words: good")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
