"""YAML text as a tree that knows where everything stands: YAML 1.2's core types, nothing that surprises.

No tags, no second document, every key text and said once, aliases that unfold to 1,000 nodes, nesting to 60 levels.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, assert_never

from punchlist.flow.json_text import BIGGEST, DEPTH
from punchlist.flow.problems import Place, Problems
from punchlist.flow.templates import OPEN
from punchlist.model.allowed import nearest
from punchlist.model.json import Json

if TYPE_CHECKING:
    import yaml

ALIASED = 1_000
_UNPRINTABLE = re.compile(r"[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts: `text` as written, from `place` to the character `end`."""

    value: bool | int | float | str | None
    text: str
    place: Place
    end: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Yaml", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entries:
    """A map, in the order written."""

    keys: dict[str, Scalar]
    values: dict[str, "Yaml"]
    place: Place


Yaml = Scalar | Items | Entries


def compose(text: str, problems: Problems) -> Yaml | None:
    """Return the tree of a document, or None when it has none; what is wrong with it goes to `problems`."""
    import yaml  # only where definitions are read

    text = text.removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        problems.add(Place(line, column, bad.start()), f"the character U+{ord(bad[0]):04X} cannot stand in YAML")
        return None
    composer = _Composer(problems)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        _explain(error, text, problems=problems)
        return None
    if composer.root is None:
        problems.add(Place(1, 1, 0), "the file is empty")
    return composer.root


def plain(tree: Yaml) -> Json:
    """Return the tree as a JSON value."""
    match tree:
        case Scalar():
            return tree.value
        case Items():
            return [plain(each) for each in tree.items]
        case Entries():
            return {key: plain(each) for key, each in tree.values.items()}
    assert_never(tree)


def _explain(error: "yaml.MarkedYAMLError", text: str, *, problems: Problems) -> None:
    place = _place(error.problem_mark or error.context_mark)
    message = " ".join(each for each in (error.context, error.problem) if each)
    line = text.splitlines()[place.line - 1] if place.line <= len(text.splitlines()) else ""
    hint = ""
    if text[place.index : place.index + 1] == "\t" or line.lstrip(" ").startswith("\t"):
        hint = "Indent with spaces: YAML does not take tabs"
    elif OPEN in line:
        hint = f'Quote it: "{OPEN} … }}}}"'
    elif "mapping values" in message:
        hint = "A value with ': ' in it must be quoted, and keys of one map must begin in the same column"
    elif "expected key" in message:
        hint = "Keys of one map must begin in the same column"
    problems.add(place, f"this is not YAML: {message}", hint=hint)


@dataclass(slots=True)
class _Open:
    """A list or a map that is being read."""

    place: Place
    anchor: str | None
    items: list[Yaml] = field(default_factory=list[Yaml])
    keys: dict[str, Scalar] | None = None
    values: dict[str, Yaml] = field(default_factory=dict[str, Yaml])
    key: Scalar | None = None
    waits: bool = False  # a key was read, and its value comes next


class _Mark(Protocol):
    """A place as the parser gives it, counted from 0."""

    line: int
    column: int
    index: int


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1, mark.index) if mark else Place(1, 1)


class _Composer:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, problems: Problems) -> None:
        self.root: Yaml | None = None
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Yaml, int, int]] = {}
        self._aliased = 0
        self._documents = 0

    def take(self, event: "yaml.Event") -> None:
        """Take the next event of the parser."""
        import yaml

        place = _place(event.start_mark)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents == 2:  # noqa: PLR2004
                    self._problems.add(place, "a second document begins here; a flow is one document")
            case yaml.AliasEvent():
                self._alias(event.anchor or "", place)
            case yaml.ScalarEvent():
                self._tag(event.tag, place)
                self._zero(event.value, place)
                plain = event.implicit[0] and not event.style
                value = self._resolve(event.value, place) if plain else event.value
                self._put(Scalar(value, event.value, place, _place(event.end_mark).index), event.anchor)
            case yaml.SequenceStartEvent():
                self._tag(event.tag, place)
                self._begin(_Open(place, event.anchor))
            case yaml.MappingStartEvent():
                self._tag(event.tag, place)
                self._begin(_Open(place, event.anchor, keys={}))
            case yaml.CollectionEndEvent():
                self._close()
            case _:
                pass  # the stream's and the documents' ends

    def _begin(self, opened: _Open) -> None:
        if len(self._open) == DEPTH:
            self._problems.add(opened.place, f"nested more than {DEPTH} levels deep")
        self._open.append(opened)

    def _close(self) -> None:
        ended = self._open.pop()
        if len(self._open) >= DEPTH:
            self._put(Scalar(None, "", ended.place, ended.place.index), None)
        elif ended.keys is None:
            self._put(Items(tuple(ended.items), ended.place), ended.anchor)
        else:
            self._put(Entries(ended.keys, ended.values, ended.place), ended.anchor)

    def _put(self, tree: Yaml, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = (tree, _size(tree), _depth(tree))
        if not self._open:
            self.root = self.root or tree
            return
        parent = self._open[-1]
        if parent.keys is None:
            parent.items.append(tree)
        elif parent.waits:
            self._entry(parent, tree)
        else:
            parent.key, parent.waits = self._key(tree), True

    def _entry(self, parent: _Open, tree: Yaml) -> None:
        key, parent.waits = parent.key, False
        if key is None or parent.keys is None:
            return
        if key.text in parent.keys:
            first = parent.keys[key.text].place
            self._problems.add(key.place, f"the key '{key.text}' stands here twice; first in line {first.line}")
            return
        parent.keys[key.text] = key
        parent.values[key.text] = tree

    def _key(self, tree: Yaml) -> Scalar | None:
        if isinstance(tree, Scalar) and isinstance(tree.value, str):
            return tree
        if isinstance(tree, Scalar) and isinstance(tree.value, bool | int) and self._in_cases():
            text = str(tree.value).lower()
            return Scalar(text, text, tree.place, tree.end)
        if isinstance(tree, Scalar):
            self._problems.add(tree.place, f"the key {tree.text or 'null'} is not text", hint=f'Write "{tree.text}"')
        else:
            self._problems.add(tree.place, "a list or a map cannot be a key", hint="If this is ${{ … }}, quote it")
        return None

    def _in_cases(self) -> bool:
        """Say whether the map that is read holds the cases of a match, whose keys are values."""
        around = self._open[-2] if len(self._open) > 1 else None
        return around is not None and around.waits and around.key is not None and around.key.text == "cases"

    def _alias(self, name: str, place: Place) -> None:
        tree, size, depth = self._anchors.get(name, (None, 0, 0))
        self._aliased += size
        if tree is None:
            unknown = f"the alias '*{name}' has no anchor '&{name}' that ends before it"
            self._problems.add(place, unknown, hint=nearest(name, self._anchors))
        elif self._aliased > ALIASED >= self._aliased - size:
            self._problems.add(place, f"aliases unfold to more than {ALIASED:,} nodes", hint="Write less by alias")
        elif len(self._open) + depth > DEPTH:
            self._problems.add(place, f"nested more than {DEPTH} levels deep")
            tree = None
        if tree is None or self._aliased > ALIASED:
            tree = Scalar(None, "", place, place.index)
        self._put(tree, None)

    def _tag(self, tag: str | None, place: Place) -> None:
        if tag is not None:
            self._problems.add(place, f"the tag {tag} is not allowed", hint="Leave it out; to make it text, quote it")

    def _zero(self, text: str, place: Place) -> None:
        if "\0" in text:
            self._problems.add(place, "the character U+0000 cannot stand in a definition, not even as an escape")

    def _resolve(self, text: str, place: Place) -> bool | int | float | str | None:
        """Return the value of a plain scalar by YAML 1.2's core schema."""
        if _NULL.fullmatch(text):
            return None
        if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
            return text.lower() == "true"
        if _INT.fullmatch(text):
            value = int(text, 0 if text[:2] in {"0o", "0x"} else 10) if len(text) <= _DIGITS else BIGGEST + 1
            if abs(value) > BIGGEST:
                self._problems.add(place, f"{text[:_DIGITS]} is beyond ±(2^53 - 1)", hint="Quote it, if it is a name")
            return value
        if _NO_NUMBER.fullmatch(text) or (_FLOAT.fullmatch(text) and abs(float(text)) == float("inf")):
            self._problems.add(place, f"{text[:_DIGITS]} is no number in JSON", hint="Quote it, if it is a name")
            return None
        return float(text) if _FLOAT.fullmatch(text) else text


def _size(tree: Yaml) -> int:
    """Return how many nodes a tree has, those behind an alias each time; beyond the limit it need not be exact."""
    total, waiting = 0, [tree]
    while waiting and total <= ALIASED:
        each = waiting.pop()
        total += 1
        if isinstance(each, Items):
            waiting += each.items
        elif isinstance(each, Entries):
            waiting += each.values.values()
    return total


def _depth(tree: Yaml) -> int:
    """Return how many lists and maps are nested in each other at most."""
    match tree:
        case Items():
            return 1 + max(map(_depth, tree.items), default=0)
        case Entries():
            return 1 + max(map(_depth, tree.values.values()), default=0)
        case Scalar():
            return 0
    assert_never(tree)
