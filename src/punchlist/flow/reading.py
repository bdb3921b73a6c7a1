"""Values out of a YAML tree: readers say what they want, note what is wrong, and return something of the right type."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar, assert_never

import msgspec

from punchlist.errors import Problem
from punchlist.flow.document import Entries, Items, Scalar, Yaml, plain
from punchlist.flow.json_text import BIGGEST
from punchlist.flow.problems import Place, Problems
from punchlist.flow.templates import OPEN, FlawError, whole
from punchlist.flow.words import FINALLY, NAME_RULE, is_name, listed
from punchlist.model.allowed import nearest
from punchlist.model.json import Json
from punchlist.model.parse import Shaped, shaped
from punchlist.model.parts import Part, Path, steps_of
from punchlist.model.policy import duration, size

T = TypeVar("T")
L = TypeVar("L", bound=str)
R = TypeVar("R", bound=msgspec.Struct)
_SHOWN = 40


def kind_of(tree: Yaml) -> str:
    """Return what a value is, as an error names it: with the value, where it is short."""
    match tree:
        case Entries():
            return "a map"
        case Items():
            return "a list"
        case Scalar(value=str()):
            return f"'{tree.text[:_SHOWN]}{'…' if len(tree.text) > _SHOWN else ''}'"
        case Scalar():
            return tree.text[:_SHOWN] or "nothing"
    assert_never(tree)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads values; what is wrong goes to `problems`."""

    problems: Problems

    def wrong(self, tree: Yaml, allowed: str, *, what: str = "", hint: str = "") -> None:
        """Note that `tree` is not what is `allowed`."""
        self.problems.add(tree.place, f"{what}saw {kind_of(tree)}", allowed=allowed, hint=hint)

    def text(self, tree: Yaml) -> str:
        """Return a string; a template is one."""
        if isinstance(tree, Scalar) and isinstance(tree.value, str):
            return tree.value
        hint = f'Write "{tree.text}"' if isinstance(tree, Scalar) and tree.text else ""
        self.wrong(tree, "text", hint=hint)
        return ""

    def filled(self, tree: Yaml) -> str:
        """Return a string that says something; empty only when it does not, which is then a problem."""
        text = self.text(tree)
        if not text.strip() and isinstance(tree, Scalar) and isinstance(tree.value, str):
            self.wrong(tree, "text that is not empty")
        return text.strip() and text

    def word(self, tree: Yaml) -> str:
        """Return a string, or a number as it is written: an argument, a value of the environment."""
        if isinstance(tree, Scalar) and isinstance(tree.value, int | float) and not isinstance(tree.value, bool):
            return tree.text
        return self.text(tree)

    def expression(self, tree: Yaml) -> str | None:
        """Return text that is one expression and nothing else; true and false count as such."""
        if isinstance(tree, Scalar) and isinstance(tree.value, bool):
            return f"{OPEN} {'true' if tree.value else 'false'} }}}}"
        text = self.filled(tree)
        if not text:
            return None
        if _is_whole(text):
            return text
        hint = f'Write "{OPEN} {text} }}}}"' if OPEN not in text else "Put all of it inside one ${{ }}"
        self.wrong(tree, "one expression", hint=hint)
        return None

    def expression_or(self, tree: Yaml, wanted: type[int | list[Json]], *, rule: str) -> Json:
        """Return an expression, or a literal of the `wanted` type, else None; `rule` says both in an error."""
        if isinstance(tree, Scalar) and isinstance(tree.value, str) and OPEN in tree.value:
            return self.expression(tree)
        value = plain(tree)
        if isinstance(value, wanted) and not isinstance(value, bool) and (not isinstance(value, int) or value >= 1):
            return value
        self.wrong(tree, rule)
        return None

    def time(self, tree: Yaml) -> str | None:
        """Return a duration as text, or an expression that gives one."""
        text = tree.text if isinstance(tree, Scalar) else ""
        if OPEN in text:
            return self.expression(tree)
        try:
            length = duration(text)
        except (ValueError, OverflowError):
            self.wrong(tree, "30s, 5m, 2h, 3d")
            return None
        if not length:
            self.problems.add(tree.place, f"{text} is no limit", allowed="at least 1")
            return None
        return text

    def size(self, tree: Yaml) -> str | None:
        """Return a size as text, or an expression that gives one."""
        text = tree.text if isinstance(tree, Scalar) else ""
        if OPEN in text:
            return self.expression(tree)
        try:
            found = size(text)
        except (ValueError, OverflowError):
            found = 0
        if not found:
            self.wrong(tree, "512MiB, 4GiB")
            return None
        return text

    def whole_number(self, tree: Yaml, least: int, *, most: int) -> int:
        """Return a whole number within bounds, `least` when it is none."""
        value = tree.value if isinstance(tree, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.wrong(tree, "a whole number" if most > BIGGEST else f"a whole number from {least} to {most}")
        return least

    def truth(self, tree: Yaml) -> bool:
        """Return true or false."""
        if isinstance(tree, Scalar) and isinstance(tree.value, bool):
            return tree.value
        self.wrong(tree, "true, false")
        return False

    def choice(self, tree: Yaml, allowed: tuple[L, ...]) -> L:
        """Return one of the words, the first one when it is none of them."""
        text = self.filled(tree)
        for each in allowed:
            if each == text:
                return each
        if text:
            self.wrong(tree, ", ".join(allowed), hint=nearest(text, allowed))
        return allowed[0]

    def name(self, key: Scalar, what: str) -> str:
        """Return a key as the name of a node, an input and so on."""
        if key.text == FINALLY:
            self.problems.add(
                key.place, f"{what} cannot be called '{FINALLY}': it is the end of a flow, beside `nodes`"
            )
        elif not is_name(key.text):
            self.problems.add(key.place, f"{what} cannot be called '{key.text}'", allowed=NAME_RULE)
        return key.text

    def each(self, tree: Yaml, read: Callable[[Yaml], T], *, empty: bool = True) -> tuple[T, ...]:
        """Return the elements of a list."""
        if not isinstance(tree, Items):
            hint = f"Write [{tree.text}]" if isinstance(tree, Scalar) and tree.text else ""
            self.wrong(tree, "a list", hint=hint)
            return ()
        if not tree.items and not empty:
            self.problems.add(tree.place, "an empty list", allowed="at least one")
        return tuple(read(each) for each in tree.items)

    def names(self, tree: Yaml, *, empty: bool = True) -> tuple[str, ...]:
        """Return the names in a list, without those that are none."""
        return tuple(name for name in self.each(tree, self.filled, empty=empty) if name)

    def entries(self, tree: Yaml, *, empty: bool = True) -> list[tuple[Scalar, Yaml]]:
        """Return the keys and values of a map."""
        if not isinstance(tree, Entries):
            self.wrong(tree, "a map")
            return []
        if not tree.keys and not empty:
            self.problems.add(tree.place, "an empty map", allowed="at least one")
        return [(tree.keys[key], value) for key, value in tree.values.items()]

    def json(self, tree: Yaml) -> dict[str, Json]:
        """Return a map as it is."""
        return {key.text: plain(value) for key, value in self.entries(tree)}

    def fields(
        self,
        tree: Yaml,
        keys: Iterable[str],
        *,
        what: str,
        later: Iterable[str] = (),
        required: Iterable[str] = (),
    ) -> Mapping[str, Yaml]:
        """Return the known keys of a map; the others, and required ones that are missing, are problems."""
        known = tuple(keys)
        for key, _ in self.entries(tree):
            if key.text not in known:
                self.unknown(key, known, what=what, later=later)
        if not isinstance(tree, Entries):
            return {}
        for name in required:
            if name not in tree.values:
                self.problems.add(tree.place, f"{what} lacks '{name}'", allowed=listed(known))
        return {key: value for key, value in tree.values.items() if key in known}

    def unknown(self, key: Scalar, known: Iterable[str], *, what: str, later: Iterable[str] = ()) -> None:
        """Note a key that there is not: perhaps not yet, perhaps misspelt."""
        names = list(known)
        if key.text in later:
            self.problems.add(
                key.place, f"this version does not have '{key.text}' in {what} yet", allowed=listed(names)
            )
        else:
            hint = nearest(key.text, names)
            self.problems.add(key.place, f"{what} has no key '{key.text}'", allowed=listed(names), hint=hint)

    def record(self, tree: Yaml, kind: type[R], *, what: str) -> R | None:
        """Return a record of the model; each of its problems is placed."""
        return self.shaped(tree, kind, what=what).record

    def shaped(self, tree: Yaml, kind: type[R], *, what: str) -> Shaped[R]:
        """Return what the shape of a record comes to; each of its problems is placed."""
        known = self.fields(tree, kind.__struct_encode_fields__, what=what)
        if not isinstance(tree, Entries):
            return Shaped(record=None, problems=(), part=Part(None))
        found = shaped(kind, {key: plain(value) for key, value in known.items()})
        self.placed(found.problems, tree)
        return found

    def placed(self, problems: Iterable[Problem], tree: Yaml) -> None:
        """Note problems whose places are paths in `tree`."""
        for problem in problems:
            at = place_of(tree, steps_of(problem.where))
            self.problems.add(at, problem.message, allowed=problem.allowed, hint=problem.hint)


def find(tree: Yaml, path: Path) -> Yaml:
    """Return the part of a tree at `path`, or the innermost part around it that there is."""
    for step in path:
        if isinstance(tree, Entries) and step in tree.values:
            tree = tree.values[str(step)]
        elif isinstance(tree, Items) and str(step).isdigit() and int(step) < len(tree.items):
            tree = tree.items[int(step)]
        else:
            return tree
    return tree


def place_of(tree: Yaml, path: Path) -> Place:
    """Return where the value at `path` stands."""
    return find(tree, path).place


def _is_whole(text: str) -> bool:
    try:
        return whole(text) is not None
    except FlawError:
        return True  # said where expressions are checked
