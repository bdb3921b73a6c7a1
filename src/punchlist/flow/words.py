"""The words of the language: which names are taken, which keys a later version knows, and the nearest right name."""

import re
from collections.abc import Iterable, Mapping

ROOTS = ("inputs", "nodes", "round", "run", "project", "task", "policy", "env")
"""What an expression may begin with, besides the `as:` names."""

NODE_FIELDS = ("output", "artifacts", "tree", "status", "attempts")
"""What may follow `nodes.<id>`."""

RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop"),
        *("namespace", "null", "package", "return", "true", "var", "void", "while"),
    )
)
"""Words that CEL keeps for itself; a node, an input or an `as:` name cannot be one."""

TYPE_NAMES = frozenset(
    ("bool", "bytes", "double", "dyn", "google", "int", "list", "map", "null_type", "string", "type", "uint")
)
"""Names that CEL itself gives to types: `type(x) == int`."""

LATER_KINDS = ("best_of",)
LATER: Mapping[str, tuple[str, ...]] = {
    "node": (),
    "agents": ("model", "tools", "account", "env"),
    "agent": ("tools", "with"),
}
"""Keys that the design of the language has and this version does not: the one place that says so."""

RETRIED = ("worker", "timeout", "silence", "memory", "output", "processes", "lost")
"""Classes of failures that `retry.on` may name; the others wait for something, or are somebody's answer."""

FINALLY = "finally"
"""What the end of a flow is called in paths: no node may be."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,99}")
NAME_RULE = "at most 100 lower-case letters, digits and _, not beginning with a digit, and no word that CEL reserves"


def is_name(text: str) -> bool:
    """Say whether a node, an input, an output or an `as:` name may be called `text`."""
    return _NAME.fullmatch(text) is not None and text not in RESERVED and text != FINALLY


def listed(names: Iterable[str]) -> str:
    """Return names as an error lists them: at most 30."""
    every = list(names)
    return ", ".join(every[:30]) + (f" and {len(every) - 30} more" if len(every) > 30 else "")  # noqa: PLR2004
