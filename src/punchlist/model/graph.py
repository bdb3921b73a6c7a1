"""A flow as a picture knows it: boxes in boxes, and which waits for which."""

import msgspec


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A node: `path` as in a run without its items and rounds, `notes` a few words each, `boxes` what is in a group.

    `arrows` lead between its own boxes: the path of what goes first, the path of what waits. `may_skip` when its `when`
    can be false.
    """

    path: str
    name: str
    kind: str
    notes: tuple[str, ...] = ()
    may_skip: bool = False
    boxes: tuple["Box", ...] = ()
    arrows: tuple[tuple[str, str], ...] = ()


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """A whole flow."""

    flow: str
    doc: str = ""
    boxes: tuple[Box, ...] = ()
    arrows: tuple[tuple[str, str], ...] = ()
