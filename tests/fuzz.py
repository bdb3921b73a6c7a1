"""Random calls of tools, each from a seed: what a schema allows, and every second one with something done to it."""

import copy
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

DEEP = 1_000
LONG = 10_000_000
WORDS = ["x", "a\nb", "\x1b[31m", "é" * 300, "skip", "approve", "30s", "true", "\u202e", "\x00", "AC-1", "/"]
MARKDOWN = "\n```\n# heading\n<script>|\n---\n[x](javascript:0) ${{ y }}\n<!-- "
CONTROL = ["\x00", "\x07", "\x1b]0;t\x07", "\r", "\x7f", "\x85", "\u2028", "\ufeff"]
JUNK: list[Any] = [None, True, False, 0, -1, 2.0, 1.5, 2**80, -(2**63), 1e308, "", [], {}, [[]], {"": {}}, ["x"]]
_OFTEN = frozenset({"expected_version", "idempotency_key"})
"""Names that every change takes, and that would make most of them be refused."""


class Fuzz:
    """Calls from a seed. `fitting` is what fits an argument of that name; `places` are ids, and what looks like one."""

    def __init__(self, seed: int, *, fitting: Mapping[str, Sequence[Any]], places: Sequence[str]) -> None:
        self.random = random.Random(seed)
        self._fitting = fitting
        self._places = places
        self._root: Mapping[str, Any] = {}
        self._is_large = False
        self._wrongs = self._made_wrongs()

    def arguments(self, schema: Mapping[str, Any]) -> Any:
        """Return arguments for a tool; every second time they were right until something was done to them."""
        self._root = schema
        made = self._object(schema)
        self._is_large = False
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2]) if made else 1):
            made = self._wronged(made)
        return made

    def _of(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return self._of(self._root["$defs"][schema["$ref"].rpartition("/")[2]])
        for name in ("enum", "anyOf", "oneOf"):
            if name in schema:
                chosen = self.random.choice(schema[name])
                return chosen if name == "enum" else self._of(chosen)
        kind = schema.get("type", "string")
        match self.random.choice(kind) if isinstance(kind, list) else kind:
            case "object":
                return self._object(schema)
            case "array":
                return [self._of(schema["items"]) for _ in range(self.random.choice([0, 1, 1, 2, 3]))]
            case "integer":
                return self.random.choice([1, 2, 3, 5, schema.get("minimum", 0)])
            case "number":
                return self.random.choice([0, 0.5, 60])
            case "boolean":
                return self.random.random() < 0.5
            case "null":
                return None
            case _:
                return self.random.choice(self._places if self.random.random() < 0.8 else WORDS)

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        needed, known = schema.get("required", ()), schema.get("properties", {})
        return {name: self._named(name, known[name]) for name in known if self.random.random() < _odds(name, needed)}

    def _named(self, name: str, schema: Mapping[str, Any]) -> Any:
        if name in self._fitting and self.random.random() < 0.95:
            return copy.deepcopy(self.random.choice(self._fitting[name]))
        return self._of(schema)

    def _wronged(self, value: Any) -> Any:
        """Return the value with one thing done to it, somewhere."""
        holder: dict[str, Any] = {"": value}
        container, key = self.random.choice([*_places_in(holder)])
        (wrong,) = self.random.choices([*self._wrongs], [*self._wrongs.values()])
        if wrong == self._drop and container is not holder:
            del container[key]
        elif wrong == self._add and isinstance(container[key], dict):
            container[key][self.random.choice(["titel", "", "task", "__proto__", "expected_version", "schema"])] = "x"
        else:
            container[key] = wrong(container[key])
        return holder[""] if isinstance(holder[""], dict) else value

    def _made_wrongs(self) -> dict[Callable[[Any], Any], float]:
        return {
            self._drop: 10,
            self._add: 6,
            self._other: 20,
            self._place: 15,
            self._control: 12,
            self._markdown: 12,
            self._twice: 6,
            self._deep: 4,
            self._longer: 4,
            self._longest: 0.1,
        }

    def _drop(self, value: Any) -> Any:
        return value

    def _add(self, value: Any) -> Any:
        return {"x": value}

    def _other(self, value: Any) -> Any:
        return copy.deepcopy(self.random.choice([*JUNK, *WORDS, str(value), [value]]))

    def _place(self, value: Any) -> Any:
        del value
        return self.random.choice(self._places)

    def _control(self, value: Any) -> Any:
        text = str(value)
        at = self.random.randint(0, len(text))
        return text[:at] + self.random.choice(CONTROL) + text[at:]

    def _markdown(self, value: Any) -> Any:
        return f"{value}{MARKDOWN}"

    def _twice(self, value: Any) -> Any:
        return value * 2 if isinstance(value, list | str) else [value, value]

    def _deep(self, value: Any) -> Any:
        is_list = self.random.random() < 0.5
        for _ in range(self.random.choice([50, 250, DEEP])):
            value = [value] if is_list else {"a": value}
        return value

    def _longer(self, value: Any) -> Any:
        """Return the value many times, once in a call: what is done twice grows beyond what a message can hold."""
        if self._is_large:
            return value
        self._is_large = True
        return value * 20_000 if isinstance(value, str) else [value] * 2_000

    def _longest(self, value: Any) -> Any:
        del value
        return "x" * LONG


def shown(arguments: object) -> str:
    """Return the beginning of arguments, however deep they are."""
    try:
        return str(arguments)[:2_000]
    except RecursionError:
        return "(nested too deeply to be shown)"


def _odds(name: str, needed: Sequence[str]) -> float:
    return 0.99 if name in needed else 0.05 if name in _OFTEN else 0.3


def _places_in(value: Any) -> Sequence[tuple[Any, Any]]:
    """Return where each part of a value stands: the object or list, and the name or number."""
    found: list[tuple[Any, Any]] = []
    left = [value]
    while left:
        holder = left.pop()
        names = [*holder] if isinstance(holder, dict) else range(len(holder))
        found += [(holder, name) for name in names]
        left += [holder[name] for name in names if isinstance(holder[name], dict | list)]
    return found
