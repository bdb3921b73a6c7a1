"""Where in the grammar of a shell a place of a command stands, followed as far as quoting goes.

POSIX words, substitutions, comments and here-documents; `$'…'`, which shells read differently, spoils what follows.
"""

import re

HOLE = "\0"
"""Stands in a command for a value; no command can hold this character itself."""

UNQUOTED, QUOTED = "unquoted", "double quotes"

_PIECES = {
    "escape": r"\\.?",
    "ansi": r"\$'(?:\\.|[^'\\])*'?",
    "single": r"'[^']*'?",
    "double": r'"',
    "arithmetic": r"\$\(\(",
    "command": r"\$\(",
    "expansion": r"\$\{",
    "back": r"`",
    "word": r"<<<",
    "here": r"<<",
    "comment": r"(?:(?<=[\s;&|()<>`])|\A)\#[^\n]*",
    "line": r"\n",
    "paren": r"\(",
    "hole": HOLE,
}
_INNER = "arithmetic command expansion back hole escape"
_SHELL = f"{_INNER} ansi single double word here comment line paren"


def _mode(names: str, close: str = "") -> re.Pattern[str]:
    wanted = set(names.split())
    pieces = [f"(?P<{name}>{piece})" for name, piece in _PIECES.items() if name in wanted]
    return re.compile("|".join([*pieces, *([f"(?P<close>{close})"] if close else []), r"."]), re.DOTALL)


_MODES = {
    "": _mode(_SHELL),
    "paren": _mode(_SHELL, r"\)"),
    "command": _mode(_SHELL, r"\)"),
    "back": _mode("escape back hole"),  # quotes do not count there: the next backtick ends it
    "double": _mode(_INNER, r'"'),
    "expansion": _mode(f"{_INNER} single double", r"\}"),
    "quoted expansion": _mode(f"{_INNER} double", r"\}"),
    "arithmetic": _mode(f"{_INNER} single double paren", r"\)"),
}
_SPOILT = {
    "command": "a command substitution",
    "back": "a command substitution",
    "arithmetic": "an arithmetic expansion",
    "expansion": "a ${…} expansion",
    "quoted expansion": "a ${…} expansion",
}
_DELIMITER = re.compile(r"(-?)[ \t]*((?:\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|[^\s;&|<>()'\"\\])*)", re.DOTALL)


def places(command: str) -> list[str]:
    """Return for each `HOLE` in a command where it stands: `UNQUOTED`, `QUOTED`, or the name of a worse place."""
    scanner = _Scanner(command)
    while scanner.step():
        pass
    return scanner.found


class _Scanner:
    """Reads a command from left to right; what is open is on the stack, here-documents wait for the line's end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._stack: list[str] = [""]
        self._documents: list[tuple[str, bool]] = []
        self._spoilt = ""
        self.found: list[str] = []

    def step(self) -> bool:
        """Read one piece; False at the end."""
        piece = _MODES[self._stack[-1]].match(self._text, self._at)
        if piece is None:
            return False
        self._at = piece.end()
        self._take(piece.lastgroup or "", piece[0])
        return True

    def _take(self, kind: str, text: str) -> None:
        match kind:
            case "hole":
                self.found.append(self._place())
            case "escape":
                self._holes(text, "a backslash escape")
            case "single":
                self._holes(text, "single quotes")
            case "ansi":
                self._holes(text, "single quotes")
                self._spoilt = "a place after $'…', which shells read differently,"
            case "comment":
                self._holes(text, UNQUOTED)
            case "here":
                self._delimiter()
            case "line":
                self._bodies()
            case _:
                self._nest(kind)

    def _nest(self, kind: str) -> None:
        match kind:
            case "close":
                self._stack.pop()
            case "back" if "back" in self._stack:
                del self._stack[self._stack.index("back") :]
            case "arithmetic":
                self._stack += ["arithmetic", "arithmetic"]
            case "paren" if self._stack[-1] == "arithmetic":
                self._stack.append("arithmetic")
            case "expansion" if "double" in self._stack:
                self._stack.append("quoted expansion")
            case "back" | "command" | "double" | "expansion" | "paren":
                self._stack.append(kind)
            case _:
                pass  # a character like any other

    def _place(self) -> str:
        if self._spoilt:
            return self._spoilt
        worse = [_SPOILT[mode] for mode in self._stack if mode in _SPOILT]
        return worse[-1] if worse else QUOTED if self._stack[-1] == "double" else UNQUOTED

    def _holes(self, text: str, place: str) -> None:
        self.found += [self._spoilt or place] * text.count(HOLE)

    def _delimiter(self) -> None:
        word = next(_DELIMITER.finditer(self._text, self._at))  # it may be empty, so there always is one here
        self._at = word.end()
        self._holes(word[0], "a here-document")
        self._documents.append((re.sub(r"\\(.)|['\"]", r"\1", word[2]), bool(word[1])))

    def _bodies(self) -> None:
        """Pass the here-documents that begin after this line."""
        for delimiter, tabs in self._documents:
            while self._at < len(self._text):
                end = self._text.find("\n", self._at) + 1 or len(self._text) + 1
                line, self._at = self._text[self._at : end - 1], end
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
                self._holes(line, "a here-document")
        self._documents.clear()
