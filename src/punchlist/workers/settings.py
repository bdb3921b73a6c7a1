"""The settings that workers share, and how those of one are checked."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from punchlist.model.json import Json
from punchlist.model.parse import parse

Argument = Annotated[str, Meta(max_length=100_000, pattern=r"^[^\x00]*$", description="text without zero bytes")]
VariableName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="the name of a variable")]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[workers.NAME]`: `type` chooses the worker, `env` names variables to pass through.

    `model`, `account` and `inherit` are for workers that are agents; the offline ones take them and do without.
    """

    type: str | None = None
    env: tuple[VariableName, ...] = ()
    model: str | None = None
    account: str | None = None
    inherit: bool = False


S = TypeVar("S", bound=Settings)


def read_settings(kind: type[S], settings: Mapping[str, Json], *, name: str) -> S:
    """Return a worker's settings; raises DefinitionError with all problems."""
    return parse(kind, dict(settings), what=f"[workers.{name}]")


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker may know of the machine, read once where the program is put together.

    `python` is the interpreter that runs this program, `path` the engine's PATH.
    """

    python: str
    path: str
