"""What comes in by file: read whole or refused, before anything else is done with it."""

from pathlib import Path
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError

if TYPE_CHECKING:
    from punchlist.model.json import Json

TEXT_LIMIT = 200_000
DOCUMENT_LIMIT = 4_000_000


def text_file(path: Path, *, what: str = "--spec") -> str:
    """Return a text file of at most 200 kB; raises DefinitionError when it is missing, larger, or not UTF-8."""
    return decoded(_bytes(path, what=what, most=TEXT_LIMIT), source=str(path))


def document(path: Path, *, what: str = "--file") -> "Json":
    """Return the value in a YAML or JSON file, read strictly; raises DefinitionError with line and column."""
    return document_bytes(_bytes(path, what=what, most=DOCUMENT_LIMIT), source=str(path))


def document_bytes(data: bytes, *, source: str) -> "Json":
    """Return the value in YAML or JSON text; `source` is what errors call it."""
    from punchlist.flow.json_text import from_json

    if len(data) > DOCUMENT_LIMIT:
        raise _too_big(source, most=DOCUMENT_LIMIT)
    text = decoded(data, source=source)
    found = from_json(text)
    return _from_yaml(text, source=source) if found is None else found[0]


def _from_yaml(text: str, *, source: str) -> "Json":
    from punchlist.flow.document import compose, plain
    from punchlist.flow.problems import Problems

    problems = Problems(source)
    tree = compose(text, problems)
    if tree is None or not problems.none:
        raise problems.error()
    return plain(tree)


def decoded(data: bytes, *, source: str) -> str:
    """Return bytes as text; raises DefinitionError naming the first one that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionError(
            f"byte 0x{data[error.start]:02x} at position {error.start} (line {line}) is not UTF-8",
            where=source,
            hint="Save the file as UTF-8.",
        ) from None


def _bytes(path: Path, *, what: str, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise DefinitionError(f"{what}: there is no file", where=str(path)) from None
    except OSError as error:
        raise DefinitionError(f"{what}: it cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > most:
        raise _too_big(str(path), most=most)
    return data


def _too_big(source: str, *, most: int) -> DefinitionError:
    return DefinitionError(f"it is larger than {most // 1000} kB", where=source, hint="Shorten it, or split it.")
