"""The arguments of a call, once they were checked, as verbs take them."""

from punchlist.errors import DefinitionError, Problem, invalid, with_article
from punchlist.mcp.tool import Arguments
from punchlist.model.json import Json
from punchlist.service import lookup
from punchlist.service.repeating import Repeatable

_OWN = ("expected_version", "idempotency_key")
_SHOWN = 80
_LONGEST_KEY = 200


class Given:
    """What a tool was called with; `tool` is its name."""

    def __init__(self, arguments: Arguments, *, tool: str) -> None:
        self._arguments = arguments
        self._tool = tool

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self._tool

    @property
    def key(self) -> str | None:
        """The idempotency key; raises DefinitionError for one of another length than keys have."""
        key = self.maybe("idempotency_key")
        if key is not None and not 0 < len(key) <= _LONGEST_KEY:
            problem = Problem("idempotency_key", f"saw {len(key)} characters", f"1 to {_LONGEST_KEY}")
            raise invalid([problem], what=f"the call of {self._tool}")
        return key

    @property
    def call(self) -> Repeatable:
        """The call itself, which its key is bound to."""
        arguments = {name: value for name, value in self._arguments.items() if name != "idempotency_key"}
        return Repeatable(self.key, self._tool, arguments)

    @property
    def version(self) -> int | None:
        """The version that the caller has seen."""
        return self.number("expected_version")

    def text(self, name: str) -> str:
        """Return a text, empty when it was not given."""
        return self.maybe(name) or ""

    def maybe(self, name: str) -> str | None:
        """Return a text, None when it was not given."""
        value = self._arguments.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """Return a whole number, None when it was not given."""
        value = self._arguments.get(name)
        if isinstance(value, float) and value.is_integer():
            return int(value)  # 2.0 is a whole number to a schema
        return value if isinstance(value, int) else None

    def amount(self, name: str) -> float | None:
        """Return a number, None when it was not given."""
        value = self._arguments.get(name)
        return value if isinstance(value, int | float) else None

    def map(self, name: str) -> dict[str, Json]:
        """Return a map, empty when it was not given."""
        value = self._arguments.get(name)
        return value if isinstance(value, dict) else {}

    def flag(self, name: str) -> bool:
        """Return whether something was said to be so."""
        return self._arguments.get(name) is True

    def texts(self, name: str) -> list[str]:
        """Return a list of texts, empty when it was not given."""
        value = self._arguments.get(name)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    def fields(self, *apart: str) -> dict[str, Json]:
        """Return all but those `apart` and what is said of the call itself."""
        return {name: value for name, value in self._arguments.items() if name not in {*apart, *_OWN}}

    def one_of(self, *names: str) -> str:
        """Return which of `names` was given; raises DefinitionError unless it is just one."""
        given = [name for name in names if name in self._arguments]
        if len(given) != 1:
            saw = "none" if not given else ", ".join(given)
            raise DefinitionError(f"saw {saw}; allowed: exactly one of {', '.join(names)}", where=self._tool)
        return given[0]

    def about(self, *nouns: str) -> str:
        """Return the one id that was given, under its noun; raises DefinitionError unless there is just one."""
        return self.id(self.one_of(*nouns))

    def only_with(self, *names: str, when: bool, what: str) -> None:
        """Raise DefinitionError for each of `names` that was given where it would mean nothing: without `what`."""
        problems = [
            Problem(name, "it means nothing here", f"only with {what}", "Leave it out.")
            for name in names
            if name in self._arguments and not when
        ]
        if problems:
            raise invalid(problems, what=f"the call of {self._tool}")

    def id(self, name: str, *, of: str | None = None) -> str:
        """Return the id under `name`, which is its noun unless `of` is; raises DefinitionError for another's id."""
        found, noun = self.text(name), of or name
        if lookup.kind_of(found) != noun:
            shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}…"
            allowed = f"the id of {with_article(noun)}, such as {lookup.SHAPES.get(noun, 'acme-api')}"
            problem = Problem(name, f"saw {shown!r}", allowed)
            raise invalid([problem], what=f"the call of {self._tool}")
        return found
