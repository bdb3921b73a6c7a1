"""Secrets made unreadable in whatever an attempt leaves: every byte of a value, in each form that it is written in.

What takes the place of a value is as long as it was, so that no place in a file moves: who follows it reads on, and
doing it twice changes nothing.
"""

import base64
import json
import mmap
import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

STAR = b"*"
_LINE = 8
"""A line of a value is looked for by itself if it has so many characters: programs print keys line by line."""
_ENCODED = 6
"""The fewest bytes that are looked for in base64: of fewer, too little is the same wherever they stand."""
_DEEPEST = 8


def forms_of(values: Iterable[str]) -> tuple[bytes, ...]:
    """Return the bytes that give the values away, the longest first: as they are, and as JSON, URLs and base64 have it.

    In base64 a value is known by what of it is the same wherever it begins in the text around it.
    """
    found: set[bytes] = set()
    for value in values:
        lines = [line.strip() for line in value.splitlines()]
        for each in {value, value.strip(), *(line for line in lines if len(line) >= _LINE)} - {""}:
            found |= {form.encode("utf-8", "surrogateescape") for form in _written(each)}
            found |= set(_base64(each.encode("utf-8", "surrogateescape")))
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def _written(value: str) -> set[str]:
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    data = value.encode("utf-8", "surrogateescape")
    quoted = {quote(data, safe=""), quote(data), quote_plus(data)}
    lower = {_lower(each) for each in quoted}
    twice = {json.dumps(each)[1:-1] for each in escaped}  # JSON in JSON, as records of agents have it
    return {value, *escaped, *twice, *quoted, *lower, shlex.quote(value).strip("'")}


def _lower(text: str) -> str:
    """Return percent-encoded text with its digits as some programs write them: in small letters."""
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _base64(value: bytes) -> Iterator[bytes]:
    if len(value) < _ENCODED:
        return
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value)
        start = (8 * before + 5) // 6  # the first digit that only the value decides
        end = 8 * (before + len(value)) // 6
        yield encoded[start:end]
        yield encoded[start:end].replace(b"+", b"-").replace(b"/", b"_")


def masked(data: bytes, forms: Sequence[bytes]) -> bytes:
    """Return data in which every form is made unreadable."""
    if not any(form in data for form in forms):
        return data
    held = bytearray(data)
    _cover(held, forms)
    return bytes(held)


def held_back(data: bytes, forms: Sequence[bytes]) -> int:
    """Return how many bytes at the end may be the beginning of a form that is not written to its end yet."""
    longest = 0
    for form in forms:
        for length in range(min(len(form) - 1, len(data)), longest, -1):
            if data.endswith(form[:length]):
                longest = length
                break
    return longest


def mask_file(path: str | Path, forms: Sequence[bytes]) -> None:
    """Make every form in a regular file unreadable, where it lies; another kind of file, or none, is passed over."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_size:
            with mmap.mmap(descriptor, found.st_size) as held:
                _cover(held, forms)
    finally:
        os.close(descriptor)


def shows(path: Path, forms: Sequence[bytes]) -> bool:
    """Say whether any form stands in a file."""
    if not forms or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return any(held.find(form) >= 0 for form in forms)


def mask_folder(folder: Path, forms: Sequence[bytes]) -> None:
    """Make every form in the files below a folder unreadable; links are not followed."""
    if not forms:
        return
    for above, folders, names in os.walk(folder):
        if len(Path(above).relative_to(folder).parts) >= _DEEPEST:
            folders.clear()
        for name in names:
            with suppress(OSError):
                mask_file(Path(above) / name, forms)


def _cover(held: "bytearray | mmap.mmap", forms: Sequence[bytes]) -> None:
    for form in forms:
        at = held.find(form)
        while at >= 0:
            held[at : at + len(form)] = STAR * len(form)
            at = held.find(form, at + len(form))
