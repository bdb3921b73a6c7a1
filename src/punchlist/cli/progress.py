"""Progress while a verb waits: one changing line on a terminal, plain lines elsewhere, nothing with -q."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self, TextIO

_MOMENT = 1.0
"""How many seconds a wait lasts before it is worth a word."""
_ERASE = "\r\x1b[2K"


class Progress:
    """A line of progress; call it with each new state of things. Used with `with`, so that the line is cleared."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._changing = stream.isatty()
        self._last = ""

    def __call__(self, line: str) -> None:
        """Show `line`; the same one twice is shown once."""
        if self._quiet or line == self._last:
            return
        self._last = line
        if self._changing:
            import shutil  # loads three ways to compress, which a verb without a terminal does not need

            width = shutil.get_terminal_size().columns - 1
            self._write(_ERASE + (line if len(line) <= width else line[: width - 1] + "…"))
        else:
            self._write(f"{line}\n")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Leave no line behind on a terminal."""
        if self._changing and self._last:
            self._write(_ERASE)
        self._last = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@contextmanager
def after_a_moment(say: Callable[[str], None], line: str, *, told: bool, moment: float = _MOMENT) -> Generator[None]:
    """Say `line` unless the block ends before; nothing is said after it. Not `told`, nothing is said at all."""
    if not told:
        yield
        return
    timer = threading.Timer(moment, say, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
