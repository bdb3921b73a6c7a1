"""Text with `${{ … }}` in it, split into its parts; `$${{` stands for a plain `${{`."""

import functools
import re
from dataclasses import dataclass

OPEN = "${{"
_START = re.compile(r"\$?\$\{\{")
_TOKEN = re.compile(
    r"""
    (?P<skipped>
        [rR][bB]?(?:"[^"\n]*"|'[^'\n]*') | [bB][rR](?:"[^"\n]*"|'[^'\n]*')
      | \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
      | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
      | //(?:(?!\}\})[^\n])*
    )
    | (?P<open>\{) | (?P<close>\})
    """,
    re.VERBOSE | re.DOTALL,
)


class FlawError(ValueError):
    """A template or an expression that cannot be read: `offset` says where in its text, in characters."""

    def __init__(self, message: str, *, offset: int = 0, allowed: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.allowed = allowed
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a template: literal text, or an expression without its braces; `offset` is where `text` begins."""

    text: str
    offset: int
    expression: bool


@functools.lru_cache(maxsize=4096)
def split(text: str) -> tuple[Part, ...]:
    """Return the parts of a template in order, without empty ones. Raises FlawError for an open or an empty `${{`."""
    parts: list[Part] = []
    literal, literal_at, position = "", 0, 0
    while found := _START.search(text, position):
        if found[0] != OPEN:  # the escape
            literal += text[position : found.start()] + OPEN
            position = found.end()
            continue
        literal += text[position : found.start()]
        if literal:
            parts.append(Part(literal, literal_at, expression=False))
        end = _end(text, found.end())
        parts.append(_expression(text[found.end() : end], start=found.end()))
        literal, literal_at, position = "", end + 2, end + 2
    if literal + text[position:]:
        parts.append(Part(literal + text[position:], literal_at, expression=False))
    return tuple(parts)


def whole(text: str) -> Part | None:
    """Return the expression that `text` is nothing but, or None; spaces around it do not count."""
    if OPEN not in text:
        return None
    expressions = [part for part in split(text.strip()) if part.expression]
    if len(expressions) == 1 and len(split(text.strip())) == 1:
        only = expressions[0]
        return Part(only.text, only.offset + len(text) - len(text.lstrip()), expression=True)
    return None


def _expression(inside: str, *, start: int) -> Part:
    if not inside.strip():
        raise FlawError("an empty expression", offset=start - len(OPEN))
    return Part(inside.strip(), start + len(inside) - len(inside.lstrip()), expression=True)


def _end(text: str, start: int) -> int:
    """Return where the `}}` stands that closes the expression begun before `start`, past braces and strings in it."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token["open"]:
            depth += 1
        elif token["close"] and depth:
            depth -= 1
        elif token["close"]:
            if text.startswith("}}", token.start()):
                return token.start()
            break
    raise FlawError(
        "this ${{ is not closed by }}",
        offset=start - len(OPEN),
        hint="In YAML, ' #' begins a comment: quote the whole value. For a plain ${{ write $${{",
    )
