"""The generated pages of the reference: made from the code, and compared with it by a test.

Usage: python -m tools.reference_pages [--write] — without --write prints each page that is not as the code says, and
ends with 1.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.pages.crash_matrix import crash_matrix
from tools.pages.events import events_page
from tools.pages.exit_codes import exit_codes
from tools.pages.flows import flows
from tools.pages.gates import gates
from tools.pages.markup import COMMAND
from tools.pages.schemas import schemas
from tools.pages.settings import settings
from tools.pages.states import states_page
from tools.pages.typed_tools import typed_tools

ROOT = Path(__file__).parent.parent
REFERENCE = Path("docs/reference")
PAGES: tuple[Callable[[], dict[str, str]], ...] = (
    crash_matrix,
    events_page,
    exit_codes,
    flows,
    gates,
    schemas,
    settings,
    states_page,
    typed_tools,
)
"""The registry: each gives pages by their paths below the reference."""


def files() -> dict[Path, str]:
    """Return every generated page's text by its path in the repository."""
    return {_below(name): text for made in PAGES for name, text in made().items()}


def _below(name: str) -> Path:
    return Path("docs") / name.removeprefix("../") if name.startswith("../") else REFERENCE / name


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or compare them with what is there."""
    made = files()
    stale = [path for path in _schemas_there() if path not in made]
    different = [path for path, text in made.items() if _read(ROOT / path) != text]
    if "--write" in arguments:
        for path in different:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(made[path], encoding="utf-8")
        for path in stale:
            (ROOT / path).unlink()
        return 0
    for path in [*different, *stale]:
        print(f"{path}: not as the code says; type: {COMMAND}")
    return 1 if different or stale else 0


def _schemas_there() -> list[Path]:
    return [path.relative_to(ROOT) for path in (ROOT / REFERENCE / "schemas").glob("*.json")]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
