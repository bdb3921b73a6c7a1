"""Options that several verbs share, and how documents and data are read from the command line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from punchlist.cli.session import Session
from punchlist.errors import DefinitionError, with_article

if TYPE_CHECKING:
    from punchlist.model.json import Json

MESSAGE = click.option(
    "-m", "--message", default="", metavar="TEXT", help="What you want to say; it is kept in the record."
)
REASON = click.option("-m", "--reason", default="", metavar="TEXT", help="Why; it is kept in the record.")
EXPECTED = click.option(
    "--expected-version", type=click.IntRange(min=1), metavar="N", help="Refuse when it is not at version N any more."
)
KEY = click.option("--key", metavar="TEXT", help="Idempotency key: the same key again returns the first answer.")
FOLLOW = click.option("-f", "--follow", is_flag=True, help="Show what happens until it ends; ^C only detaches.")
WAIT = click.option(
    "--wait", is_flag=True, help="Return when it is over: 0 it holds, 1 it failed, 6 it waits for a decision."
)
FILE = click.option(
    "--file",
    "-F",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="YAML or JSON; - is stdin.",
)


def document(session: Session, file: Path) -> "Json":
    """Return the document in a file, or on standard input for `-`; raises DefinitionError saying where it is wrong."""
    from punchlist.service import inputs

    if str(file) == "-":
        return inputs.document_bytes(sys.stdin.buffer.read(), source="standard input")
    return inputs.document(session.directory / file)


def fields(session: Session, file: Path | None, *, given: "dict[str, Json]") -> "dict[str, Json]":
    """Return the fields of a document, overlaid with those options that were given (not None); at least one."""
    found: dict[str, Json] = {}
    if file is not None:
        loaded = document(session, file)
        if not isinstance(loaded, dict):
            raise DefinitionError(f"saw {with_article(type(loaded).__name__)}, not fields", where=str(file))
        found.update(loaded)
    found.update({name: value for name, value in given.items() if value is not None})
    if not found:
        raise DefinitionError("nothing to change", hint="Give --file FILE, or at least one field as an option.")
    return found


def json_object(text: str | None, *, option: str) -> "dict[str, Json] | None":
    """Return the JSON object that an option holds; raises DefinitionError for anything else."""
    if text is None:
        return None
    from punchlist.model.parse import decode_json

    value = decode_json(text.encode("utf-8", "surrogateescape"), what=option)
    if not isinstance(value, dict):
        raise DefinitionError(f"{option} is not a JSON object: {text}", hint=f"For example: {option} '{{\"n\": 2}}'")
    return value
